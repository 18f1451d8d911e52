//! The caller's voice, on its way past the gate to the agent, and whether it sounds at all.

use std::collections::VecDeque;

use call_core::ears::{Ears, Listen};
use call_core::input::{Carrier, Input};
use call_core::{CallTime, Millis};

use super::Outlet;
use super::ring::Ring;
use crate::carrier::order::Piece;

/// µ-law silence, as much of it as goes on in one piece: 100 ms.
const SILENCE: [u8; 800] = [0xFF; 800];

/// While sounds matter, the machine is told of one no sooner than this after the last.
const SOUND_AGAIN: Millis = Millis(500);

/// A sample is loud from here on: 38 dB below the loudest, which is under a voice on the telephone
/// and over the hiss of an ordinary line. In µ-law without its sign and turned round, loudness
/// grows with the number (ITU-T G.711).
const LOUD: u8 = 0x20;

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
    /// From when on the next sound matters; nothing while none does.
    sound_matters: Option<CallTime>,
}

impl Voice {
    /// A piece of the caller's audio, or silence in place of one.
    pub(super) fn hear(&mut self, at: CallTime, piece: Piece<'_>, out: &mut impl Outlet) {
        match piece {
            Piece::Audio(audio) => self.audio(at, audio, out),
            Piece::Silence(length) => silence(length, |audio| self.audio(at, audio, out)),
        }
    }

    /// Speech was cut, or is wanted no more: whether the caller's voice goes on matters until
    /// something follows.
    pub(super) fn sounds_matter(&mut self, at: CallTime) {
        self.sound_matters.get_or_insert(at);
    }

    /// Something follows: the caller's words, or speech to the caller.
    pub(super) const fn sounds_matter_no_more(&mut self) {
        self.sound_matters = None;
    }

    fn audio(&mut self, at: CallTime, audio: &[u8], out: &mut impl Outlet) {
        if self.sound_matters.is_some_and(|from| at >= from) && sounds(audio) {
            self.sound_matters = Some(at + SOUND_AGAIN);
            out.input(Input::Carrier(Carrier::Sound));
        }
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

/// Whether somebody may be speaking: one sample in eight is loud.
fn sounds(audio: &[u8]) -> bool {
    let loud = audio.iter().filter(|code| !**code & 0x7F >= LOUD).count();
    loud > 0 && loud * 8 >= audio.len()
}

fn silence(length: usize, mut pass: impl FnMut(&[u8])) {
    let mut left = length;
    while left > 0 {
        let now = left.min(SILENCE.len());
        pass(&SILENCE[..now]);
        left -= now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the loudness of a sample counts, not its sign: 396 of 32,767, and the step below.
    #[test]
    fn a_piece_sounds_when_one_sample_in_eight_is_loud() {
        let piece = |loud: usize, code: u8| {
            let mut piece = [0xFF; 160];
            piece[..loud].fill(code);
            sounds(&piece)
        };
        assert!(piece(20, 0xDF) && piece(20, 0x5F), "396 and -396");
        assert!(!piece(19, 0xDF), "a click");
        assert!(!piece(160, 0xE0) && !piece(160, 0x60), "the hiss of a line");
        assert!(!sounds(&[]));
    }
}
