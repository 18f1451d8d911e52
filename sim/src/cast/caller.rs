//! The caller: listens to what the carrier plays, and speaks when it is its turn.

use call_core::CallTime;

use crate::audio::{FRAME_BYTES, FRAME_MS, Recording, mulaw};

/// Frame of a caller who says nothing.
const SILENCE: [u8; FRAME_BYTES] = [mulaw::SILENCE; FRAME_BYTES];

/// When a caller does the next thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// Speech was heard, and then nothing for this many milliseconds.
    AfterQuiet(u64),
    /// Speech has been heard for this many milliseconds: the caller talks into it.
    Into(u64),
}

/// What a caller does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Speaks: plays this recording to its end.
    Speaks(Recording),
    /// Hangs up.
    HangsUp,
}

/// What comes out of the caller's telephone in one frame of 20 ms.
#[derive(Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// A frame of sound.
    Sound(&'a [u8; FRAME_BYTES]),
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
}

impl Caller {
    /// A caller who will do these things.
    pub const fn new(turns: Vec<(Cue, Act)>) -> Self {
        Self { turns, turn: 0, speaking: None, heard_ms: 0, quiet_ms: 0 }
    }

    /// What the caller does in the next 20 ms, while speech is or is not heard.
    pub fn next(&mut self, _at: CallTime, hears_speech: bool) -> Moment<'_> {
        if hears_speech {
            self.heard_ms += FRAME_MS;
            self.quiet_ms = 0;
        } else {
            self.quiet_ms += FRAME_MS;
        }
        if self.speaking.is_none() && self.cue_has_come() {
            self.speaking = Some(0);
        }
        let (Some(place), Some((_, act))) = (self.speaking, self.turns.get(self.turn)) else {
            return Moment::Sound(&SILENCE);
        };
        let Act::Speaks(recording) = act else {
            self.turn += 1;
            self.speaking = None;
            return Moment::HangsUp;
        };
        let Some(frame) = recording.frames.get(place) else {
            self.turn += 1;
            self.speaking = None;
            // What is heard while one speaks oneself cues nothing.
            self.heard_ms = if hears_speech { FRAME_MS } else { 0 };
            self.quiet_ms = 0;
            return Moment::Sound(&SILENCE);
        };
        self.speaking = Some(place + 1);
        Moment::Sound(frame)
    }

    fn cue_has_come(&self) -> bool {
        match self.turns.get(self.turn) {
            Some((Cue::AfterQuiet(pause), _)) => self.heard_ms > 0 && self.quiet_ms >= *pause,
            Some((Cue::Into(into), _)) => self.quiet_ms == 0 && self.heard_ms >= *into,
            None => false,
        }
    }
}
