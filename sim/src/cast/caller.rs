//! The caller: listens to what the carrier plays, and speaks when it is its turn.

use call_core::CallTime;

use crate::audio::{FRAME_BYTES, FRAME_MS, Recording, mulaw};

/// Frame of a caller who says nothing.
const SILENCE: [u8; FRAME_BYTES] = [mulaw::SILENCE; FRAME_BYTES];

/// Who presses keys while speaking has spoken for so many frames before the first one, and then
/// presses one each so many.
const KEYS_FROM: usize = 20;
const KEYS_EVERY: usize = 12;

/// When a caller does the next thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// Speech was heard, and then nothing for this many milliseconds.
    AfterQuiet(u64),
    /// Speech has been heard for this many milliseconds: the caller talks into it.
    Into(u64),
    /// This many milliseconds after the caller's last turn, whatever is heard.
    Later(u64),
}

/// What a caller does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Speaks: plays this recording to its end, and presses these keys meanwhile. While a key is
    /// down its tone is heard in the place of the voice.
    Speaks(Recording, Vec<char>),
    /// Presses keys, with so many frames between two.
    Keys(Vec<char>, u64),
    /// Hangs up.
    HangsUp,
}

/// What comes out of the caller's telephone in one frame of 20 ms.
#[derive(Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// A frame of sound.
    Sound(&'a [u8; FRAME_BYTES]),
    /// A key is pressed.
    Key(char),
    /// The caller hangs up.
    HangsUp,
}

/// A caller with things to do, in order.
#[derive(Debug, Clone)]
pub struct Caller {
    turns: Vec<(Cue, Act)>,
    turn: usize,
    /// The frame of the present recording that comes next.
    speaking: Option<usize>,
    /// Milliseconds of speech heard since the last turn, and of quiet since then.
    heard_ms: u64,
    quiet_ms: u64,
    /// Milliseconds since the last turn ended.
    idle_ms: u64,
}

impl Caller {
    /// A caller who will do these things.
    pub const fn new(turns: Vec<(Cue, Act)>) -> Self {
        Self { turns, turn: 0, speaking: None, heard_ms: 0, quiet_ms: 0, idle_ms: 0 }
    }

    /// What the caller does in the next 20 ms, while speech is or is not heard.
    pub fn next(&mut self, _at: CallTime, hears_speech: bool) -> Moment<'_> {
        if hears_speech {
            self.heard_ms += FRAME_MS;
            self.quiet_ms = 0;
        } else {
            self.quiet_ms += FRAME_MS;
        }
        self.idle_ms += FRAME_MS;
        if self.speaking.is_none() && self.cue_has_come() {
            self.speaking = Some(0);
        }
        let (Some(place), true) = (self.speaking, self.turn < self.turns.len()) else {
            return Moment::Sound(&SILENCE);
        };
        if self.turn_is_over(place) {
            self.turn += 1;
            self.speaking = None;
            self.idle_ms = 0;
            // What is heard while one speaks oneself cues nothing.
            self.heard_ms = if hears_speech { FRAME_MS } else { 0 };
            self.quiet_ms = 0;
            return Moment::Sound(&SILENCE);
        }
        self.speaking = Some(place + 1);
        match &self.turns[self.turn].1 {
            Act::Speaks(recording, keys) => {
                let since = place.checked_sub(KEYS_FROM).filter(|since| since % KEYS_EVERY == 0);
                match since.and_then(|since| keys.get(since / KEYS_EVERY)) {
                    Some(key) => Moment::Key(*key),
                    None => Moment::Sound(&recording.frames[place]),
                }
            }
            Act::Keys(keys, gap) if (place as u64).is_multiple_of(*gap) => {
                Moment::Key(keys[place / *gap as usize])
            }
            Act::Keys(..) => Moment::Sound(&SILENCE),
            Act::HangsUp => Moment::HangsUp,
        }
    }

    fn turn_is_over(&self, place: usize) -> bool {
        match &self.turns[self.turn].1 {
            Act::Speaks(recording, _) => place >= recording.frames.len(),
            Act::Keys(keys, gap) => place as u64 / gap >= keys.len() as u64,
            Act::HangsUp => place > 0,
        }
    }

    fn cue_has_come(&self) -> bool {
        match self.turns.get(self.turn) {
            Some((Cue::AfterQuiet(pause), _)) => self.heard_ms > 0 && self.quiet_ms >= *pause,
            Some((Cue::Into(into), _)) => self.quiet_ms == 0 && self.heard_ms >= *into,
            Some((Cue::Later(later), _)) => self.idle_ms >= *later,
            None => false,
        }
    }
}
