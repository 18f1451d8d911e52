//! The machine that a call is played with, and played again with.

use call_core::{Brief, Call, Step};
use call_transports::bridge::Bridge;

/// Which machine: the one that production runs, or in a build for it one with a deliberate defect.
/// A journal replays only with the machine that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    #[cfg(feature = "sabotage")]
    sabotage: Option<call_core::Sabotage>,
}

impl Machine {
    /// A machine with a defect.
    #[cfg(feature = "sabotage")]
    pub const fn sabotaged(sabotage: call_core::Sabotage) -> Self {
        Self { sabotage: Some(sabotage) }
    }

    /// A new call, and what is to be done first.
    pub fn call(self, brief: Brief) -> (Call, Step) {
        #[cfg(feature = "sabotage")]
        if let Some(sabotage) = self.sabotage {
            return Call::sabotaged(brief, sabotage);
        }
        Call::new(brief)
    }

    /// Gives the bridge of a new call the same defect, if there is one.
    pub(crate) fn spoil(self, bridge: &mut Bridge) {
        #[cfg(feature = "sabotage")]
        if let Some(sabotage) = self.sabotage {
            bridge.sabotage(sabotage);
        }
        // Otherwise there is nothing to spoil.
        let _ = bridge;
    }
}
