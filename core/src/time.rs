//! Time as numbers: milliseconds since the call was answered.
//!
//! A call counts as answered when its media stream was accepted: from then on there is somebody to
//! hear us. Carriers count from their own answer, a little earlier.
//!
//! An opaque instant cannot be written into a file and read back, so the machine never sees one.
//! The wall clock enters once, at birth, in [`Brief::utc_start_ms`](crate::Brief::utc_start_ms).

use core::fmt;
use core::ops::Add;

use serde::{Deserialize, Serialize};

/// A moment of a call: whole milliseconds since it was answered. Prints as `00:07.100`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallTime(u64);

impl CallTime {
    /// The moment the call was answered.
    pub const ZERO: Self = Self(0);

    /// The moment `millis` milliseconds after the call was answered.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the call was answered.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this moment is; nothing if it is not after it.
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Millis> for CallTime {
    type Output = Self;

    fn add(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl fmt::Display for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}.{:03}", self.0 / 60_000, self.0 / 1_000 % 60, self.0 % 1_000)
    }
}

impl fmt::Debug for CallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A length of time in whole milliseconds. Prints in seconds: `2.4 s`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// A length of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000)
    }

    /// What is left of this length after `spent`; nothing when more was spent.
    pub const fn less(self, spent: Self) -> Self {
        Self(self.0.saturating_sub(spent.0))
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} s", self.0 / 1_000, self.0 % 1_000 / 100)
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
