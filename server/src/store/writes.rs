//! How often the store was written to, and how that went.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Error;

/// How often records were written, and how often they could not be.
#[derive(Debug, Default)]
pub struct Writes {
    pub(super) opened: Count,
    pub(super) closed: Count,
}

/// Both ways that a write can go.
#[derive(Debug, Default)]
pub(super) struct Count {
    done: AtomicU64,
    failed: AtomicU64,
}

impl Writes {
    /// Kind (`open`, `close`), outcome (`done`, `failed`) and count.
    pub fn counts(&self) -> [(&'static str, &'static str, u64); 4] {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("open", "done", count(&self.opened.done)),
            ("open", "failed", count(&self.opened.failed)),
            ("close", "done", count(&self.closed.done)),
            ("close", "failed", count(&self.closed.failed)),
        ]
    }
}

impl Count {
    /// Counts an outcome and passes it on.
    pub(super) fn outcome<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        let count = if outcome.is_ok() { &self.done } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
        outcome
    }
}
