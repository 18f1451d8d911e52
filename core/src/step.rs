//! What came of one input: the journal's entry.
//!
//! A journal is a list of steps. The first one's cause is the [`Brief`], so the
//! list holds all that is needed to play the call again. The shapes are a promise to readers of
//! stored journals: change them only together with [`JOURNAL_VERSION`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::brief::{Brief, Direction};
use crate::call::{Phase, Timer};
use crate::effect::Effect;
use crate::input::{CutReason, Input};
use crate::line::{Language, LineId, Rung, UtteranceId};
use crate::time::{CallTime, Millis};

/// Version of the journal's shapes. Nothing of version 3 was released yet, so what is new in it since
/// (`Carrier::Sound`, `Timer::CutShort`, `Timer::Goodbye`, `Limits::cut_short`, `Brief::function_limits`,
/// `Brief::lines`, `Refusal::TooOften`, `RecordingReason::NumberKeyed`, `Agent::CallerSaid::since_sound`,
/// `whole` and `why` of `Playback::Cut` and `Fact::Cut`) does not raise it.
pub const JOURNAL_VERSION: u32 = 3;

/// Everything that came of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When it happened.
    pub at: CallTime,
    /// What made it happen.
    pub cause: Cause,
    /// Phases left and entered, in order.
    pub moves: Vec<Move>,
    /// What became true, in order. Compliance rules read these.
    pub facts: Vec<Fact>,
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
    /// The input made no sense now and changed nothing.
    pub ignored: bool,
}

/// What made a step happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The call began.
    Started(Box<Brief>),
    /// Something happened.
    Input(Input),
    /// A timer was due.
    Timer(Timer),
}

/// A change of phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The phase left.
    pub from: Phase,
    /// The phase entered.
    pub to: Phase,
}

/// Something that became true, and that a rule may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The call began.
    CallStarted {
        /// Who placed it.
        direction: Direction,
        /// The company.
        company: String,
        /// Version of its configuration.
        config_version: u32,
        /// Wall clock at the answer: milliseconds since 1970-01-01 UTC.
        utc_start_ms: u64,
        /// The consumer's offset from UTC, in minutes.
        utc_offset_minutes: i32,
    },
    /// The call's language from now on.
    LanguageSet(Language),
    /// Whether the call is to be recorded from now on, and why. What the carrier makes of it stands in
    /// the call's record.
    RecordingState {
        /// Recorded or not.
        on: bool,
        /// Why.
        why: RecordingReason,
    },
    /// A line of ours was worded and spoken; it has not been heard yet.
    LineRendered {
        /// The utterance.
        utterance: UtteranceId,
        /// Which line.
        line: LineId,
        /// Version of its words.
        version: u32,
        /// Language of its words.
        language: Language,
        /// The words, masked.
        text: String,
        /// Length of its audio; unknown where the agent speaks it.
        audio: Option<Millis>,
        /// How it is spoken.
        by: Rung,
    },
    /// A line of ours could not be spoken in this way.
    LineFailed {
        /// The utterance.
        utterance: UtteranceId,
        /// Which line.
        line: LineId,
        /// In which way.
        by: Rung,
    },
    /// The agent generated a sentence; it has not been heard yet.
    AgentLine {
        /// The utterance.
        utterance: UtteranceId,
        /// The language of the call at that moment.
        language: Language,
        /// The words, masked.
        text: String,
    },
    /// Speech was heard to its end: its mark came back and nothing was cleared.
    Heard {
        /// The utterance.
        utterance: UtteranceId,
        /// Length of its audio.
        audio: Millis,
    },
    /// Speech was cut.
    Cut {
        /// The utterance.
        utterance: UtteranceId,
        /// How much was played.
        heard: Millis,
        /// How much of it had come.
        audio: Millis,
        /// That was all of it. If not, it is at least so long.
        whole: bool,
        /// Why.
        why: CutReason,
    },
    /// Speech should have been played, but nothing proves it.
    HeardUnknown {
        /// The utterance.
        utterance: UtteranceId,
    },
    /// The caller said something.
    CallerLine {
        /// When the caller began to speak.
        started: CallTime,
        /// When the words were understood to be complete.
        ended: CallTime,
        /// The language of the words, where known.
        language: Option<Language>,
        /// The words, masked.
        text: String,
    },
    /// The agent asked for a function.
    FunctionAsked {
        /// The provider's id.
        id: String,
        /// The name it asked for.
        name: String,
        /// The arguments, masked.
        arguments: String,
        /// Keyed fingerprint of the arguments.
        fingerprint: String,
    },
    /// It may run.
    FunctionAllowed {
        /// The provider's id.
        id: String,
    },
    /// It may not run.
    FunctionRefused {
        /// The provider's id.
        id: String,
        /// Why.
        why: Refusal,
    },
    /// It ended.
    FunctionDone {
        /// The provider's id.
        id: String,
        /// The function's name.
        name: String,
        /// How it ended, in a word: `done`, `timed-out`, `withdrawn`, or the reason of a failure.
        outcome: String,
    },
    /// Something was learnt about who is calling.
    IdentityStep(IdentityCheck),
    /// The caller's identity reached a level.
    IdentityVerified {
        /// The level.
        level: IdentityLevel,
    },
    /// Protected facts left our hands.
    Disclosed {
        /// Names of the fields.
        fields: Vec<String>,
        /// To whom.
        to: Audience,
    },
    /// The caller asked for a person.
    PersonAsked {
        /// For how many times in this call.
        times: u32,
    },
    /// The caller asked for a moment.
    MomentAsked,
    /// The caller keyed in a number.
    KeysEntered {
        /// How many digits it has.
        digits: u32,
    },
    /// The call was handed to a person, or was to be.
    Transfer {
        /// Name of the target.
        target: String,
        /// What came of it.
        result: crate::input::Transfer,
    },
    /// The call is over.
    CallEnded {
        /// Why.
        reason: EndReason,
    },
}

/// One thing learnt about who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCheck {
    /// Which factor: `date_of_birth`, `zip`.
    pub factor: String,
    /// Whether it matched.
    pub ok: bool,
}

/// How well we know who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityLevel {
    /// Not at all.
    #[default]
    None,
    /// One factor matched.
    Identified,
    /// Two independent factors matched.
    Verified,
}

/// Who received protected facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// The thinking model, which may speak them.
    Model,
}

/// Why a call is recorded, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingReason {
    /// The company's configuration says so.
    CompanyPolicy,
    /// A number is being keyed in, or no longer: its tones are the number.
    NumberKeyed,
}

/// Why a function may not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No such function.
    Unknown,
    /// The company does not offer it.
    NotOffered,
    /// The arguments do not fit the function's schema.
    BadArguments,
    /// Identity was tried too often.
    TooManyTries,
    /// Too many functions at once.
    TooManyOpen,
    /// The call is ending.
    Ending,
    /// The company has nobody of that name to transfer to.
    NoSuchTarget,
    /// The caller is not verified.
    NotVerified,
    /// It was run as often as the company lets it be in one call.
    TooOften,
}

impl Refusal {
    /// The reason in a word, as in answers and stories.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown function",
            Self::NotOffered => "not offered",
            Self::BadArguments => "bad arguments",
            Self::TooManyTries => "too many tries",
            Self::TooManyOpen => "too many at once",
            Self::Ending => "the call is ending",
            Self::NoSuchTarget => "no such person to transfer to",
            Self::NotVerified => "the caller is not verified",
            Self::TooOften => "too often in this call",
        }
    }
}

/// Why a call ended. Prints as in records: `caller_hangup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up.
    CallerHangup,
    /// The agent asked to hang up, and the farewell is over.
    AgentHangup,
    /// The caller was silent too long.
    NoInput,
    /// The longest call was reached.
    TimeLimit,
    /// The agent could not be reached, was lost, or went silent.
    AgentFailed,
    /// The media stream broke, or took no speech.
    StreamLost,
    /// A person took the call over.
    Transferred,
    /// A person was to take the call over, and nobody did.
    TransferFailed,
    /// An operator ended it.
    OperatorHangup,
    /// The server stopped.
    Drained,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::CallerHangup,
        Self::AgentHangup,
        Self::NoInput,
        Self::TimeLimit,
        Self::AgentFailed,
        Self::StreamLost,
        Self::Transferred,
        Self::TransferFailed,
        Self::OperatorHangup,
        Self::Drained,
    ];

    /// The word in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CallerHangup => "caller_hangup",
            Self::AgentHangup => "agent_hangup",
            Self::NoInput => "no_input",
            Self::TimeLimit => "time_limit",
            Self::AgentFailed => "agent_failed",
            Self::StreamLost => "stream_lost",
            Self::Transferred => "transferred",
            Self::TransferFailed => "transfer_failed",
            Self::OperatorHangup => "operator_hangup",
            Self::Drained => "drained",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
