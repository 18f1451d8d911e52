//! What the store did not take at the end of a call is offered to it again.

use std::time::Duration;

use call_core::input::Transfer;
use call_core::{Effect, Fact, Step};
use tracing::{debug, error, info, warn};

use super::{Error, Left, Spool};
use crate::store::{self, Closing, Store};

/// Offers the store what waits in the spool, every few seconds, for ever.
pub async fn drain(spool: &Spool, store: &Store) {
    loop {
        drain_once(spool, store).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Offers the store every journal that waits, the oldest name first, until it refuses one.
pub async fn drain_once(spool: &Spool, store: &Store) {
    for (call, left) in spool.waiting() {
        let steps = match spool.steps(&call).await {
            Ok(steps) => steps,
            Err(error @ Error::Line { .. }) => {
                error!(%call, %error, "a journal in the spool cannot be read, and is put aside");
                spool.set_aside(&call);
                continue;
            }
            Err(error @ Error::File(_)) => {
                warn!(%call, %error, "there is no journal in the spool");
                spool.forget(&call);
                continue;
            }
        };
        let closed = match left {
            Left::ByUs => store.end_call(call.as_str(), &steps).await,
            Left::ByTheDead if is_with_a_person(&steps) => {
                store.keep_left_journal(call.as_str(), &steps).await
            }
            Left::ByTheDead => store.end_left_call(call.as_str(), &steps).await,
        };
        match closed {
            Ok(Closing::Now) => info!(%call, "a call is on record, later than it ended"),
            Ok(Closing::Before) => info!(%call, "a call was on record, and has its journal"),
            Ok(Closing::Elsewhere) => {
                debug!(%call, "a call may go on elsewhere; its journal waits for the end");
                continue;
            }
            Err(error @ (store::Error::Headless | store::Error::Garbled { .. })) => {
                error!(%call, %error, "a journal in the spool is none, and is put aside");
                spool.set_aside(&call);
                continue;
            }
            Err(error) => return warn!(%error, "the store still takes no journals"),
        }
        spool.forget(&call);
    }
}

/// Whether the carrier was asked for a person and nothing has come of that yet: then it is the carrier who
/// has the call, and a process that dies ends nothing (F-PR-01, F-PR-03).
fn is_with_a_person(steps: &[Step]) -> bool {
    let mut is_asked = false;
    for step in steps {
        for fact in &step.facts {
            match fact {
                Fact::Transfer { result, .. } => is_asked = *result == Transfer::Accepted,
                Fact::CallEnded { .. } => return false,
                _ => {}
            }
        }
        is_asked |= step.effects.iter().any(|effect| matches!(effect, Effect::Transfer { .. }));
    }
    is_asked
}

const PAUSE: Duration = Duration::from_secs(10);
