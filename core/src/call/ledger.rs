//! Functions that were asked for, and what became of them.
//!
//! Every request is answered exactly once, however often its id is repeated: a repeated id of a
//! settled request gets the same answer again, without running anything (F-DG-16).

use alloc::borrow::ToOwned;
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
    /// Which function it is, once it was started.
    function: Option<Function>,
    /// What it means, once it was started or has joined another.
    key: Option<String>,
}

impl Entry {
    pub(super) fn is_write(&self) -> bool {
        self.function.is_some_and(Function::is_write)
    }
}

/// A request that was running and is settled now.
pub(super) struct SettledNow {
    pub(super) name: String,
    /// Whether the agent still wants the answer.
    pub(super) wanted: bool,
}

/// How far a request has come.
pub(super) enum EntryState {
    Running {
        function: Function,
        limit: CallTime,
        /// Whether the agent still wants the answer.
        wanted: bool,
    },
    /// Its tones are wanted, or on their way.
    Tones {
        /// Whether the agent still wants the answer.
        wanted: bool,
    },
    /// It means the same as another request that runs, and gets that one's answer.
    Follows(String),
    Settled(Answer),
    /// A read that was answered for, because it took too long; and then it ended after all.
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
        let function = match state {
            EntryState::Running { function, .. } => Some(function),
            _ => None,
        };
        self.entries.insert(id, Entry { name, state, function, key: None });
    }

    /// Remembers what a request means.
    pub(super) fn keyed(&mut self, id: &str, key: String) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.key = Some(key);
        }
    }

    /// The write that was started and means the same: its id, and its answer if it has one.
    pub(super) fn same_write(&self, key: &str) -> Option<(String, Option<Answer>)> {
        let same = |entry: &Entry| entry.is_write() && entry.key.as_deref() == Some(key);
        let (id, entry) = self.entries.iter().find(|(_, entry)| same(entry))?;
        let answer = match &entry.state {
            EntryState::Settled(answer) => Some(answer.clone()),
            EntryState::Running { .. }
            | EntryState::Tones { .. }
            | EntryState::Follows(_)
            | EntryState::Late
            | EntryState::Withdrawn => None,
        };
        Some((id.clone(), answer))
    }

    /// Settles a running request, or tones. Nothing if it does not run.
    pub(super) fn settle(&mut self, id: &str, state: EntryState) -> Option<SettledNow> {
        let entry = self.entries.get_mut(id)?;
        let (EntryState::Running { wanted, .. } | EntryState::Tones { wanted }) = entry.state
        else {
            return None;
        };
        entry.state = state;
        Some(SettledNow { name: entry.name.clone(), wanted })
    }

    /// Settles the requests that meant the same, with the same answer: their ids.
    pub(super) fn followers(&mut self, first: &str, answer: &Answer) -> Vec<String> {
        let mut ids = Vec::new();
        for (id, entry) in &mut self.entries {
            if matches!(&entry.state, EntryState::Follows(leader) if leader == first) {
                entry.state = EntryState::Settled(answer.clone());
                ids.push(id.clone());
            }
        }
        ids
    }

    /// Whether this request is a write that was started.
    pub(super) fn writes(&self, id: &str) -> bool {
        self.get(id).is_some_and(Entry::is_write)
    }

    /// Whether a running write, one that joined it, or tones, is not wanted any more from now on.
    pub(super) fn unwanted(&mut self, id: &str) -> bool {
        match self.entries.get_mut(id).map(|entry| &mut entry.state) {
            Some(EntryState::Running { function, wanted, .. }) if function.is_write() => {
                *wanted = false;
                true
            }
            Some(EntryState::Tones { wanted }) => {
                *wanted = false;
                true
            }
            Some(state @ EntryState::Follows(_)) => {
                *state = EntryState::Withdrawn;
                true
            }
            _ => false,
        }
    }

    /// A request whose answer was not wanted any more is made again, under the same id.
    pub(super) fn wanted_again(&mut self, id: &str) {
        if let Some(EntryState::Running { wanted, .. } | EntryState::Tones { wanted }) =
            self.entries.get_mut(id).map(|entry| &mut entry.state)
        {
            *wanted = true;
        }
    }

    /// A result comes after its request was given up, for the first time: name and function.
    pub(super) fn too_late(&mut self, id: &str) -> Option<(String, Function)> {
        let entry = self.entries.get_mut(id)?;
        let EntryState::Settled(Answer::TimedOut | Answer::Unknown) = entry.state else {
            return None;
        };
        let (name, function) = (entry.name.clone(), entry.function?);
        if function.is_write() {
            let key = entry.key.clone();
            self.known_late(id, key.as_deref());
        } else {
            entry.state = EntryState::Late;
        }
        Some((name, function))
    }

    /// What became known of a write is the answer from now on, also to those that meant the same
    /// and were told that it is unknown (S10).
    fn known_late(&mut self, id: &str, key: Option<&str>) {
        for entry in self.entries.values_mut() {
            let unknown = matches!(entry.state, EntryState::Settled(Answer::Unknown));
            if unknown && entry.key.as_deref() == key {
                entry.state = EntryState::Settled(Answer::Result { of: id.to_owned() });
            }
        }
    }

    /// How often a function was run.
    pub(super) fn runs(&self, function: Function) -> u32 {
        let runs = self.entries.values().filter(|entry| entry.function == Some(function)).count();
        u32::try_from(runs).unwrap_or(u32::MAX)
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= ASKED_MAX
    }

    /// Requests for tones that are not settled: their ids.
    pub(super) fn tones(&self) -> Vec<String> {
        let open = |entry: &Entry| matches!(entry.state, EntryState::Tones { .. });
        self.entries.iter().filter(|(_, entry)| open(entry)).map(|(id, _)| id.clone()).collect()
    }

    /// Until when the last of the running writes comes to an outcome; nothing if none runs.
    pub(super) fn writes_until(&self) -> Option<CallTime> {
        let limit = |entry: &Entry| match entry.state {
            EntryState::Running { function, limit, .. } if function.is_write() => Some(limit),
            _ => None,
        };
        self.entries.values().filter_map(limit).max()
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
                EntryState::Settled(_)
                | EntryState::Tones { .. }
                | EntryState::Follows(_)
                | EntryState::Late
                | EntryState::Withdrawn => None,
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
