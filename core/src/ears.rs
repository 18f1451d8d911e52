//! What of the caller's audio goes on to the agent: the pure gate of the other direction.

use crate::time::Millis;

/// The most caller audio that is kept for an agent that is not ready: 5 seconds (F-DG-05).
const HELD_MAX: u64 = Millis::from_secs(5).0 * crate::playout::BYTES_PER_MS;

/// What is to be done with a piece of the caller's audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Send it to the agent.
    Forward,
    /// Keep it behind whatever is kept already, until the agent is ready.
    Hold,
    /// Keep it, and drop the oldest kept pieces until at most 5 seconds are kept.
    HoldAndShed,
    /// Send as much silence instead: the caller keys in a number, and its tones are audible.
    Silence,
    /// Drop it: no agent is to hear it.
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    Awaited,
    Ready,
    Gone,
}

/// The state of the caller's audio on its way to the agent. It counts bytes, and keeps none.
#[derive(Debug, Clone)]
pub struct Ears {
    listener: Listener,
    keying: bool,
    held: u64,
    /// Bytes that came from the caller.
    pub offered: u64,
    /// Bytes that went on to the agent.
    pub forwarded: u64,
    /// Bytes dropped.
    pub dropped: u64,
    /// Of those, bytes in whose place silence went on.
    pub silenced: u64,
}

impl Default for Ears {
    fn default() -> Self {
        Self {
            listener: Listener::Awaited,
            keying: false,
            held: 0,
            offered: 0,
            forwarded: 0,
            dropped: 0,
            silenced: 0,
        }
    }
}

impl Ears {
    /// Decides about `len` bytes of the caller's audio.
    pub const fn admit(&mut self, len: usize) -> Listen {
        let len = len as u64;
        self.offered += len;
        match self.listener {
            Listener::Ready if self.keying => {
                self.dropped += len;
                self.silenced += len;
                Listen::Silence
            }
            Listener::Ready => {
                self.forwarded += len;
                Listen::Forward
            }
            // Nor is a number kept for an agent that is not there yet.
            Listener::Awaited if self.keying => {
                self.dropped += len;
                Listen::Drop
            }
            Listener::Gone => {
                self.dropped += len;
                Listen::Drop
            }
            Listener::Awaited => {
                self.held += len;
                if self.held > HELD_MAX { Listen::HoldAndShed } else { Listen::Hold }
            }
        }
    }

    /// Accounts for a kept piece that was dropped; whether one more must go.
    pub const fn shed(&mut self, len: usize) -> bool {
        self.held = self.held.saturating_sub(len as u64);
        self.dropped += len as u64;
        self.held > HELD_MAX
    }

    /// The agent listens now: everything kept goes to it first.
    pub const fn agent_ready(&mut self) {
        self.listener = Listener::Ready;
        self.forwarded += self.held;
        self.held = 0;
    }

    /// From now on a number is keyed in, or no more.
    pub const fn keying(&mut self, keying: bool) {
        self.keying = keying;
    }

    /// The agent was lost and another is awaited: what the caller says meanwhile is kept for it.
    pub const fn agent_awaited(&mut self) {
        self.listener = Listener::Awaited;
    }

    /// There is no agent any more: everything kept is dropped.
    pub const fn agent_gone(&mut self) {
        self.listener = Listener::Gone;
        self.dropped += self.held;
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-DG-05, I-30.
    #[test]
    fn caller_audio_waits_for_the_agent_up_to_five_seconds_and_is_conserved() {
        let mut ears = Ears::default();
        for _ in 0..250 {
            assert_eq!(ears.admit(160), Listen::Hold);
        }
        assert_eq!(ears.admit(160), Listen::HoldAndShed);
        assert!(!ears.shed(160), "one frame dropped is enough");
        ears.agent_ready();
        assert_eq!(ears.admit(160), Listen::Forward);
        assert_eq!(ears.offered, ears.forwarded + ears.dropped);
        assert_eq!(ears.dropped, 160);
    }

    /// S16, I-30: a number is neither heard by an agent nor kept for the next one.
    #[test]
    fn audio_in_which_a_number_is_keyed_in_reaches_no_agent() {
        let mut ears = Ears::default();
        ears.agent_ready();
        ears.keying(true);
        assert_eq!(ears.admit(160), Listen::Silence);
        ears.agent_awaited();
        assert_eq!(ears.admit(160), Listen::Drop);
        ears.agent_ready();
        ears.keying(false);
        assert_eq!(ears.admit(160), Listen::Forward);
        assert_eq!((ears.offered, ears.forwarded, ears.dropped), (480, 160, 320));
    }
}
