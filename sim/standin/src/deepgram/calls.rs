//! Which sessions belong to one call, and what its agent keeps between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call_transports::twilio::Sid;
use sim::Scenario;
use sim::cast::Mind;
use sim::cast::agent::refusal;
use sim::cast::hearing::Hearing;
use tokio::sync::OwnedMutexGuard;

/// A client that is refused for a reason of the moment tries once more at once, and then gives the
/// session up. So both tries count as one session.
const TRIES: u32 = 2;

/// All calls whose agent this is.
#[derive(Debug)]
pub(super) struct Calls {
    scenario: Arc<Scenario>,
    calls: Mutex<BTreeMap<String, Call>>,
    refused: Mutex<Refused>,
}

#[derive(Debug)]
struct Call {
    sessions: u32,
    hearing: Hearing,
    /// Nothing while a session has it, which holds the lock as well.
    mind: Arc<tokio::sync::Mutex<Option<Mind>>>,
}

/// Sessions that were refused, before it was known which call they belonged to.
#[derive(Debug, Default)]
struct Refused {
    sessions: u32,
    tries: u32,
}

/// The mind of a call's agent is in a session.
#[derive(Debug)]
pub(super) struct Minded(OwnedMutexGuard<Option<Mind>>);

impl Minded {
    /// The session is over.
    pub(super) fn give_back(mut self, mind: Mind) {
        *self.0 = Some(mind);
    }
}

/// The call that is named among a session's tags.
pub(super) fn named(tags: &[String]) -> Option<&str> {
    let is_call = |tag: &&String| Sid::parse(tag).is_some_and(|sid| sid.kind() == "CA");
    tags.iter().find(is_call).map(String::as_str)
}

impl Calls {
    pub(super) fn new(scenario: Arc<Scenario>) -> Self {
        Self { scenario, calls: Mutex::default(), refused: Mutex::default() }
    }

    /// A session is asked for: with which status it is refused, if it is. Nothing in the request
    /// says for which call, so sessions are counted over all calls.
    pub(super) fn refusal(&self) -> Option<u16> {
        let begun: u32 = locked(&self.calls).values().map(|call| call.sessions).sum();
        let mut refused = locked(&self.refused);
        let status = refusal(&self.scenario.faults, begun + refused.sessions + 1)?;
        refused.tries += 1;
        if matches!(status, 401 | 403) || refused.tries == TRIES {
            refused.sessions += 1;
            refused.tries = 0;
        }
        Some(status)
    }

    /// The next session of a call begins, when the one before it is over: its number, and what its
    /// agent brings into it.
    pub(super) async fn join(&self, call: &str) -> (u32, Hearing, Mind, Minded) {
        let (session, hearing, mind) = {
            let refused = locked(&self.refused).sessions;
            let mut calls = locked(&self.calls);
            let call = calls.entry(call.to_owned()).or_insert_with(|| Call {
                sessions: 0,
                hearing: self.scenario.hearing(),
                mind: Arc::new(tokio::sync::Mutex::new(Some(self.scenario.mind()))),
            });
            call.sessions += 1;
            (call.sessions + refused, call.hearing.clone(), Arc::clone(&call.mind))
        };
        let mut place = mind.lock_owned().await;
        // A session that was cut off by a fault of ours leaves nothing behind.
        let mind = place.take().unwrap_or_else(|| self.scenario.mind());
        (session, hearing, mind, Minded(place))
    }
}

/// What a panic elsewhere left behind is at worst a count too low.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
