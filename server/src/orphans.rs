//! Records whose call nobody has any more: a process died, or a record could not be closed when its
//! call was over. The last status of such a call may never come, so the carrier is asked (F-WH-14).
//!
//! Every server says in the database that it lives, and looks after its own calls. The calls of one that
//! says nothing any more are everybody's to look after.
//!
//! A record that has no end although nobody here has its call is left alone for T_ORPHAN, in which
//! whoever is about to close it does so with the journal. Then the carrier is asked as often, until it
//! says that the call is over. A call that goes on there may have been given to others, and its record
//! stays open as long as it does.

use std::collections::BTreeSet;
use std::time::Duration;

use call_transports::twilio::Sid;
use call_transports::twilio::rest::Standing;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::app::App;
use crate::audit::Entry;
use crate::store::{CallRecord, Closing, orphan_reason};
use crate::times::now_us;

/// Looks for such records as long as the server lives.
pub(crate) async fn close(app: &App) {
    let mut seen = BTreeSet::new();
    loop {
        seen = look(app, &seen).await;
        sleep(app.config().orphan_limit).await;
    }
}

/// Says that this server lives, as long as it does.
pub(crate) async fn beat(app: &App) {
    let stream_url = app.config().public_url.of_stream("/twilio");
    loop {
        if let Err(error) = app.store().beat(&stream_url).await {
            error!(%error, "the store cannot be told that this server lives");
        }
        sleep(BEAT).await;
    }
}

/// Asks for those that were nobody's at the last look, too. Returns those that are nobody's now.
async fn look(app: &App, before: &BTreeSet<String>) -> BTreeSet<String> {
    let records = match app.store().unended_here(app.config().orphan_limit).await {
        Ok(records) => records,
        Err(error) => {
            error!(%error, "the store does not say which calls have no end");
            return before.clone();
        }
    };
    let mut nobodys = BTreeSet::new();
    let mut asked = 0;
    for record in records {
        let Some(call) = Sid::parse(&record.sid) else { continue };
        if app.tokens().is_live(&call) {
            continue;
        }
        nobodys.insert(record.sid.clone());
        if before.contains(&record.sid) && asked < ASKED_MAX {
            asked += 1;
            settle(app, &call, &record).await;
        }
    }
    nobodys
}

async fn settle(app: &App, call: &Sid, record: &CallRecord) {
    let seconds = match app.services().carrier.look_at(call).await {
        Some(Standing::Live) => {
            return info!(%call, "a call without an end here goes on at the carrier");
        }
        Some(Standing::Over { seconds }) => Some(seconds.unwrap_or(0)),
        Some(Standing::Unknown) => None,
        None if age(record) < PATIENCE => return,
        None => None,
    };
    let reason = orphan_reason(seconds);
    match app.store().close_orphan(&record.sid, seconds).await {
        Ok(Closing::Now) => {
            warn!(%call, reason, "the record of a call that was nobody's is closed");
            app.metrics().call_lost(&record.company, record.language, reason);
            app.audit().append(Entry::call_lost(&record.company, &record.sid, reason));
        }
        Ok(Closing::Before | Closing::Elsewhere) => {}
        Err(error) => error!(%call, %error, "the record of a call cannot be closed"),
    }
}

/// How long ago the call began.
fn age(record: &CallRecord) -> Duration {
    let microseconds = now_us().saturating_sub(record.started_us);
    Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
}

/// How often a server says that it lives: a fraction of T_ORPHAN, after which others believe it dead.
const BEAT: Duration = Duration::from_secs(10);

/// The most requests of one look: after a crash there may be as many orphans as there were calls.
const ASKED_MAX: u32 = 100;

/// When a carrier that never answers is believed no more: no call is longer there.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
