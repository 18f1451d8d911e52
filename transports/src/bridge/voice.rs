//! The caller's voice, on its way past the gate to the agent.

use std::collections::VecDeque;

use call_core::CallTime;
use call_core::ears::{Ears, Listen};

use super::Outlet;
use super::ring::Ring;
use crate::carrier::order::Piece;

/// µ-law silence, as much of it as goes on in one piece: 100 ms.
const SILENCE: [u8; 800] = [0xFF; 800];

/// The gate to the agent, and the audio that waits before it.
#[derive(Default)]
pub(super) struct Voice {
    pub(super) ears: Ears,
    /// Lengths of the pieces that wait for the agent, and their bytes.
    unheard: VecDeque<usize>,
    bytes: Ring,
    /// A piece that is taken out of the ring.
    piece: Vec<u8>,
    /// When the agent was sent audio last.
    pub(super) sent_at: CallTime,
}

impl Voice {
    /// A piece of the caller's audio, or silence in place of one.
    pub(super) fn hear(&mut self, at: CallTime, piece: Piece<'_>, out: &mut impl Outlet) {
        match piece {
            Piece::Audio(audio) => self.audio(at, audio, out),
            Piece::Silence(length) => silence(length, |audio| self.audio(at, audio, out)),
        }
    }

    fn audio(&mut self, at: CallTime, audio: &[u8], out: &mut impl Outlet) {
        match self.ears.admit(audio.len()) {
            Listen::Forward => {
                self.sent_at = at;
                out.audio_to_agent(audio);
            }
            Listen::Hold => self.keep(audio),
            Listen::HoldAndShed => {
                self.keep(audio);
                while let Some(oldest) = self.unheard.pop_front() {
                    self.bytes.drop_front(oldest);
                    if !self.ears.shed(oldest) {
                        break;
                    }
                }
            }
            Listen::Silence => {
                self.sent_at = at;
                silence(audio.len(), |audio| out.audio_to_agent(audio));
            }
            Listen::Drop => {}
        }
    }

    fn keep(&mut self, audio: &[u8]) {
        self.unheard.push_back(audio.len());
        self.bytes.push(audio);
    }

    /// The agent listens now: it gets what waited.
    pub(super) fn agent_ready(&mut self, out: &mut impl Outlet) {
        self.ears.agent_ready();
        while let Some(length) = self.unheard.pop_front() {
            self.bytes.pop_into(length, &mut self.piece);
            out.audio_to_agent(&self.piece);
        }
    }

    /// No agent will listen any more.
    pub(super) fn agent_gone(&mut self) {
        self.ears.agent_gone();
        self.unheard.clear();
        self.bytes.clear();
    }

    /// Bytes that wait.
    pub(super) fn held(&self) -> u64 {
        self.bytes.len() as u64
    }
}

fn silence(length: usize, mut pass: impl FnMut(&[u8])) {
    let mut left = length;
    while left > 0 {
        let now = left.min(SILENCE.len());
        pass(&SILENCE[..now]);
        left -= now;
    }
}
