//! The deadlines of a call: one slot for each kind. Arming a slot overwrites it.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::time::CallTime;

/// Every deadline that a call can wait for. Lengths stand in [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// The agent should have accepted its settings by now.
    AgentReady,
    /// A line asked for should be ready by now, or a ready one should have begun to play.
    LineReady,
    /// The caller has been silent: ask whether they are there.
    SilencePrompt,
    /// The caller has been silent too long: say goodbye.
    SilenceFarewell,
    /// Something is pending and the caller hears nothing: say one moment.
    Filler,
    /// A voice cut the agent short, and neither words nor speech followed: ask for either.
    CutShort,
    /// Goodbye was said, by the agent or by us, and nothing follows.
    Goodbye,
    /// The agent owes a reply and does not give it.
    ReplyLimit,
    /// The agent's sentence seems to be over although nobody said so.
    AgentAudioDone,
    /// A mark should have come back by now.
    PlaybackMark,
    /// A function should have ended by now.
    FunctionLimit,
    /// The caller's number should be complete by now.
    KeyGap,
    /// The agent has been speaking for too long.
    AgentSpeech,
    /// The longest call is nearly reached.
    CallWarning,
    /// The server will stop: the call must be in other hands.
    DrainLimit,
    /// Tones should have come to something by now.
    TonesLimit,
    /// A transfer should have come to something by now.
    TransferLimit,
    /// The farewell should have been heard by now.
    FarewellLimit,
    /// The carrier should have hung up by now.
    HangUpLimit,
    /// The longest call.
    CallLimit,
}

impl Timer {
    /// Every timer, in the order in which timers that are due together fire.
    pub const ALL: [Self; 20] = [
        Self::AgentReady,
        Self::LineReady,
        Self::SilencePrompt,
        Self::SilenceFarewell,
        Self::Filler,
        Self::CutShort,
        Self::Goodbye,
        Self::ReplyLimit,
        Self::AgentAudioDone,
        Self::PlaybackMark,
        Self::FunctionLimit,
        Self::KeyGap,
        Self::AgentSpeech,
        Self::CallWarning,
        Self::DrainLimit,
        Self::TonesLimit,
        Self::TransferLimit,
        Self::FarewellLimit,
        Self::HangUpLimit,
        Self::CallLimit,
    ];
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AgentReady => "agent not ready in time",
            Self::LineReady => "line not ready in time",
            Self::SilencePrompt => "caller silent",
            Self::SilenceFarewell => "caller silent too long",
            Self::Filler => "nothing to hear for a while",
            Self::CutShort => "nothing follows a cut",
            Self::Goodbye => "nothing follows a goodbye",
            Self::ReplyLimit => "agent owes a reply",
            Self::AgentAudioDone => "agent's sentence has no end",
            Self::PlaybackMark => "mark did not come back",
            Self::FunctionLimit => "function too slow",
            Self::KeyGap => "no further key",
            Self::AgentSpeech => "agent does not stop",
            Self::CallWarning => "a minute is left",
            Self::DrainLimit => "server will stop",
            Self::TonesLimit => "tones take too long",
            Self::TransferLimit => "transfer came to nothing",
            Self::FarewellLimit => "farewell not heard in time",
            Self::HangUpLimit => "carrier did not hang up",
            Self::CallLimit => "longest call reached",
        })
    }
}

/// The armed deadlines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    slots: [Option<CallTime>; Timer::ALL.len()],
}

impl Timers {
    pub(crate) fn arm(&mut self, timer: Timer, at: CallTime) {
        self.slots[timer as usize] = Some(at);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.slots[timer as usize] = None;
    }

    pub(crate) fn disarm_all(&mut self) {
        self.slots = [None; Timer::ALL.len()];
    }

    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.slots[timer as usize].is_some()
    }

    /// The earliest deadline; of several at the same time, the first in [`Timer::ALL`].
    pub(crate) fn next(&self) -> Option<(CallTime, Timer)> {
        Timer::ALL
            .into_iter()
            .filter_map(|timer| self.slots[timer as usize].map(|at| (at, timer)))
            .min()
    }
}
