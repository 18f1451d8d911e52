//! Things that an actor will do later, in order of time and then of arrival.

use std::collections::BTreeMap;

use call_core::CallTime;

/// A list of things to come.
#[derive(Debug, Clone)]
pub struct Schedule<T> {
    things: BTreeMap<(CallTime, u64), T>,
    count: u64,
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), count: 0 }
    }
}

impl<T> Schedule<T> {
    /// Adds something for that time.
    pub fn add(&mut self, at: CallTime, thing: T) {
        self.count += 1;
        self.things.insert((at, self.count), thing);
    }

    /// When the next thing is due.
    pub fn poll_timeout(&self) -> Option<CallTime> {
        self.things.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next thing that is due.
    pub fn due(&mut self, now: CallTime) -> Option<T> {
        let entry = self.things.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Whether anything is still to come for which this holds.
    pub fn any(&self, holds: impl FnMut(&T) -> bool) -> bool {
        self.things.values().any(holds)
    }

    /// What the first thing gives of which something is wanted.
    pub fn find<R>(&self, wanted: impl FnMut(&T) -> Option<R>) -> Option<R> {
        self.things.values().find_map(wanted)
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.things.retain(|_, thing| keep(thing));
    }
}
