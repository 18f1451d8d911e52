//! The caller's voice, on its way past the gate to the agent, and whether it sounds at all.

use std::collections::VecDeque;

use call_core::ears::{Ears, Listen};
use call_core::input::{Carrier, Input};
use call_core::playout::BYTES_PER_MS;
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

/// A sample is the caller's own voice from here on, 31 dB below the loudest: higher than above, because
/// a noisy line must not count as a voice that has not ended.
const VOICE: u8 = 0x30;

/// One key alone silences the caller for so long: its tone, and not what is said to the agent behind a
/// key that was touched by chance.
const ONE_KEY: Millis = Millis(500);

/// So much of the caller's voice, withheld from the agent, is more than the tone of a key: 300 ms.
const WORDS_WITHHELD: usize = 300 * BYTES_PER_MS as usize;

/// A sound that is longer ago was not the end of the words that come now.
const HEARING_MAX: Millis = Millis::from_secs(10);

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
    /// Until when the caller is silenced, where only one key was pressed.
    silent_until: Option<CallTime>,
    /// Bytes of the caller's voice that were withheld since the first key of the present number.
    withheld: usize,
    /// When the caller was loud last, of what no words have come of yet.
    loud_at: Option<CallTime>,
}

impl Voice {
    /// A piece of the caller's audio, or silence in place of one.
    pub(super) fn hear(&mut self, at: CallTime, piece: Piece<'_>, out: &mut impl Outlet) {
        match piece {
            Piece::Audio(audio) => self.audio(at, audio, out),
            Piece::Silence(length) => silence(length, |audio| self.audio(at, audio, out)),
        }
    }

    /// A voice has begun, or took something from the caller, or nobody else hears the caller now:
    /// whether their line sounds matters until something follows.
    pub(super) fn sounds_matter(&mut self, at: CallTime) {
        self.sound_matters.get_or_insert(at);
    }

    /// Something follows: the caller's words, the agent's, or an agent that listens.
    pub(super) const fn sounds_matter_no_more(&mut self) {
        self.sound_matters = None;
    }

    /// The words of the caller came: how long before that the last loud sound was. Nothing where none
    /// is near enough to be the end of them.
    pub(super) fn since_sound(&mut self, at: CallTime) -> Option<Millis> {
        let since = at.since(self.loud_at.take()?);
        (since <= HEARING_MAX).then_some(since)
    }

    /// The first key of a number was pressed.
    pub(super) fn key_began(&mut self, at: CallTime) {
        self.ears.keying(true);
        self.silent_until = Some(at + ONE_KEY);
        self.withheld = 0;
    }

    /// Another key of the same number: it is a number indeed, and is silenced to its end.
    pub(super) const fn key_followed(&mut self) {
        self.ears.keying(true);
        self.silent_until = None;
    }

    /// The number is complete, or given up.
    pub(super) const fn keys_over(&mut self) {
        self.ears.keying(false);
        self.silent_until = None;
    }

    fn audio(&mut self, at: CallTime, audio: &[u8], out: &mut impl Outlet) {
        let has_voice = has_voice(audio);
        if has_voice {
            self.loud_at = Some(at);
        }
        if self.silent_until.is_some_and(|until| until <= at) {
            self.keys_over();
        }
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
                let before = self.withheld;
                self.withheld += if has_voice { audio.len() } else { 0 };
                if before < WORDS_WITHHELD && self.withheld >= WORDS_WITHHELD {
                    out.input(Input::Carrier(Carrier::Sound));
                }
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
    let loud = louder(audio, LOUD);
    loud > 0 && loud * 8 >= audio.len()
}

/// Whether somebody speaks: more than one sample in sixteen is as loud as a voice.
fn has_voice(audio: &[u8]) -> bool {
    louder(audio, VOICE) * 16 > audio.len()
}

/// How many samples are at least so loud. It is asked of every frame of every call, so it counts in
/// bytes, of which a processor adds many at once, and as far as a byte counts.
fn louder(audio: &[u8], than: u8) -> usize {
    let loud = |code: &u8| u8::from(!code & 0x7F >= than);
    let pieces = audio.chunks(usize::from(u8::MAX));
    pieces.map(|piece| usize::from(piece.iter().map(loud).sum::<u8>())).sum()
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
    use crate::carrier::ToCarrier;
    use crate::deepgram::ClientMessage;

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
        assert_eq!(louder(&[0x00; 4_000], LOUD), 4_000, "more than a byte counts");
    }

    #[test]
    fn a_turn_ends_with_its_last_loud_sound_if_that_is_near_enough() {
        let heard = |sounds: &[(u64, u8)]| {
            let mut voice = Voice::default();
            for (at, code) in sounds {
                voice.hear(CallTime::from_millis(*at), Piece::Audio(&[*code; 160]), &mut Nobody);
            }
            voice
        };
        // 1,052 of 32,767 is a voice, the step below is the hiss of a bad line.
        let (loud, hiss, quiet) = (0xCF, 0xD0, 0xFF);
        let at = CallTime::from_millis;
        let mut voice = heard(&[(980, loud), (1_000, loud), (1_020, hiss), (1_040, quiet)]);
        assert_eq!(voice.since_sound(at(1_800)), Some(Millis(800)));
        assert_eq!(voice.since_sound(at(1_900)), None, "it belonged to other words");
        let late = HEARING_MAX.0 + 1;
        assert_eq!(heard(&[(0, loud)]).since_sound(at(late)), None);
        assert_eq!(heard(&[(1, loud)]).since_sound(at(late)), Some(HEARING_MAX));
        assert_eq!(heard(&[(0, hiss)]).since_sound(at(10)), None);
        let mut click = [quiet; 160];
        click[80..90].fill(loud);
        assert!(!has_voice(&click) && !has_voice(&[]));
    }

    struct Nobody;

    impl Outlet for Nobody {
        fn to_carrier(&mut self, _: ToCarrier<'_>) {}
        fn probe_carrier(&mut self) {}
        fn audio_to_agent(&mut self, _: &[u8]) {}
        fn to_agent(&mut self, _: ClientMessage) {}
        fn input(&mut self, _: Input) {}
    }
}
