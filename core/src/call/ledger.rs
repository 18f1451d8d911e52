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

/// The most requests that a call remembers; the oldest settled ones are forgotten first.
const REMEMBERED_MAX: usize = 256;

/// What the ledger knows of one request.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) state: EntryState,
    order: u64,
}

/// How far a request has come.
pub(super) enum EntryState {
    Running {
        function: Function,
        limit: CallTime,
    },
    Settled(Answer),
    /// The agent took it back; it wants no answer.
    Withdrawn,
}

/// The requests of one call.
#[derive(Default)]
pub(super) struct Ledger {
    entries: BTreeMap<String, Entry>,
    asked: u64,
}

impl Ledger {
    pub(super) fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(super) fn record(&mut self, id: String, name: String, state: EntryState) {
        if self.entries.len() >= REMEMBERED_MAX {
            let oldest = self
                .entries
                .iter()
                .filter(|(_, entry)| !matches!(entry.state, EntryState::Running { .. }))
                .min_by_key(|(_, entry)| entry.order)
                .map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                self.entries.remove(&oldest);
            }
        }
        self.asked += 1;
        self.entries.insert(id, Entry { name, state, order: self.asked });
    }

    /// Settles a running request; its name and function. Nothing if it does not run.
    pub(super) fn settle(&mut self, id: &str, state: EntryState) -> Option<(String, Function)> {
        let entry = self.entries.get_mut(id)?;
        let EntryState::Running { function, .. } = entry.state else { return None };
        entry.state = state;
        Some((entry.name.clone(), function))
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
                EntryState::Settled(_) | EntryState::Withdrawn => None,
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
