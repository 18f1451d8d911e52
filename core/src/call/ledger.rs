//! Functions that were asked for, and what became of them.
//!
//! Every request is answered exactly once, however often its id is repeated: a repeated id of a
//! settled request gets the same answer again, without running anything (F-DG-16).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::effect::{Answer, Function};
use crate::time::CallTime;

/// The most functions that may run at once.
pub(super) const OPEN_MAX: usize = 8;

/// The most requests that a call takes. None is forgotten: a forgotten id could run twice.
const ASKED_MAX: usize = 256;

/// What the ledger knows of one request.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) state: EntryState,
}

/// How far a request has come.
pub(super) enum EntryState {
    Running {
        function: Function,
        limit: CallTime,
    },
    Settled(Answer),
    /// It was answered for, because it took too long; and then it ended after all.
    Late,
    /// The agent took it back; it wants no answer.
    Withdrawn,
}

/// The requests of one call.
#[derive(Default)]
pub(super) struct Ledger {
    entries: BTreeMap<String, Entry>,
}

impl Ledger {
    pub(super) fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(super) fn record(&mut self, id: String, name: String, state: EntryState) {
        self.entries.insert(id, Entry { name, state });
    }

    /// Settles a running request; its name and function. Nothing if it does not run.
    pub(super) fn settle(&mut self, id: &str, state: EntryState) -> Option<(String, Function)> {
        let entry = self.entries.get_mut(id)?;
        let EntryState::Running { function, .. } = entry.state else { return None };
        entry.state = state;
        Some((entry.name.clone(), function))
    }

    /// Whether a result comes after its request was given up, and for the first time.
    pub(super) fn too_late(&mut self, id: &str) -> bool {
        match self.entries.get_mut(id) {
            Some(entry) if matches!(entry.state, EntryState::Settled(Answer::TimedOut)) => {
                entry.state = EntryState::Late;
                true
            }
            _ => false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= ASKED_MAX
    }

    pub(super) fn running(&self) -> usize {
        self.entries.values().filter(|e| matches!(e.state, EntryState::Running { .. })).count()
    }

    /// The earliest limit of a running request.
    pub(super) fn next_limit(&self) -> Option<CallTime> {
        self.entries
            .values()
            .filter_map(|entry| match entry.state {
                EntryState::Running { limit, .. } => Some(limit),
                EntryState::Settled(_) | EntryState::Late | EntryState::Withdrawn => None,
            })
            .min()
    }

    /// Ids of running requests whose limit has come.
    pub(super) fn overdue(&self, now: CallTime) -> Vec<String> {
        self.entries
            .iter()
            .filter(|(_, entry)| {
                matches!(entry.state, EntryState::Running { limit, .. } if limit <= now)
            })
            .map(|(id, _)| id.clone())
            .collect()
    }
}
