//! What can happen to a call.
//!
//! Inputs are masked and free of secrets before they are made: the shell replaces account
//! numbers, dates of birth and the like by tokens and facts (see [`crate::redact`]). So the
//! journal holds exactly what the machine saw, and may be stored and read.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::line::{Language, UtteranceId};
use crate::step::IdentityCheck;
use crate::time::{CallTime, Millis};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// News of the carrier's leg.
    Carrier(Carrier),
    /// News of the agent's leg.
    Agent(Agent),
    /// News of a line of ours that was asked for.
    Line(Line),
    /// What became of speech on its way to the caller's ear.
    Playback(Playback),
    /// A function ended.
    Function(FunctionEnded),
    /// Somebody who looks after the server takes a hand.
    Operator(Operator),
}

/// What an operator wants of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// The server will stop: the call may go on for so long, then it must be in other hands.
    Drain {
        /// From now on.
        within: Millis,
    },
    /// Say goodbye and hang up.
    HangUp,
    /// Transfer the call to this target of the company's.
    Transfer {
        /// The target's name.
        target: String,
    },
}

/// News of the carrier's leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// The carrier ended the stream in good order: the caller hung up, or we did.
    Stopped,
    /// The stream broke without a word.
    Lost,
    /// The stream is open and carries nothing any more: for too long nothing came from it
    /// (F-TW-09), or nothing was taken (F-TW-26). Whether the call lives, nobody can tell.
    Dead,
    /// The carrier answered our request to hang up.
    HungUp(HungUp),
    /// News of a transfer that we asked for.
    Transfer(Transfer),
    /// The carrier answered our request to play tones.
    Tones(Tones),
    /// A new stream joined this call: after tones, or after a transfer that did not come about.
    Joined,
    /// The carrier's status of the call is one of the last: it is over, whatever its stream says.
    Completed,
    /// The caller's line carries a sound, perhaps a voice. Told at most twice a second, and only
    /// while that matters: from a voice or a cut until the caller's words or the agent's, because words
    /// come only when a voice has ended; and while no agent listens. Told also, once, where a voice is
    /// withheld from the agent because a number is keyed in.
    Sound,
    /// The caller pressed a key. Which digit it was is kept from the machine.
    Key(Key),
}

/// How the carrier answered a request to play tones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tones {
    /// It took the request: the stream ends, the tones are played, and a new stream comes.
    Accepted,
    /// It refused the request; the call is still ours.
    Refused,
    /// The caller was gone before.
    Gone,
}

/// What a transfer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// The carrier took the request: the stream ends, and the target is called.
    Accepted,
    /// The carrier refused the request, or did not answer it; the call is still ours.
    Refused,
    /// The caller was gone before.
    Gone,
    /// A person took the call.
    Completed,
    /// The target was busy.
    Busy,
    /// The target did not answer.
    NoAnswer,
    /// The target could not be called.
    Failed,
}

impl Transfer {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Refused,
        Self::Gone,
        Self::Completed,
        Self::Busy,
        Self::NoAnswer,
        Self::Failed,
    ];

    /// The outcome in a word, as in stories.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Gone => "caller gone",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no answer",
            Self::Failed => "failed",
        }
    }
}

/// A key of the telephone, without its digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// One of the ten digits.
    Digit,
    /// `*`: the caller begins again.
    Star,
    /// `#`: the number is complete.
    Pound,
}

/// How the carrier answered a request to hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HungUp {
    /// Done now, or the call was over already.
    Done,
    /// It did not answer, or refused.
    Failed,
}

/// News of the agent's leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// The agent accepted its settings and listens.
    Ready,
    /// The agent's session ended, or never began.
    Lost(AgentLoss),
    /// The agent hears the caller speak; perhaps only noise.
    CallerStarted,
    /// The caller's turn is over and was understood.
    CallerSaid {
        /// The words, masked.
        text: String,
        /// The language the words were in, where the agent says so.
        language: Option<Language>,
        /// How long before this the caller's last loud sound had reached us: what the agent took to
        /// hear that the turn is over, and its words. Nothing where no sound is near enough to be the
        /// end of them. For the record: no call depends on it.
        since_sound: Option<Millis>,
    },
    /// The agent speaks a sentence.
    Said {
        /// The name of the sentence.
        utterance: UtteranceId,
        /// The words, masked.
        text: String,
    },
    /// The agent has sent all audio of its reply. The caller has not heard it yet.
    AudioDone,
    /// The agent asks for functions.
    Asked(Vec<FunctionAsk>),
    /// The agent takes back functions it had asked for: their ids.
    Withdrew(Vec<String>),
    /// The agent's provider warns: its code.
    Warned(String),
}

/// Why the agent's leg is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentLoss {
    /// No connection could be made.
    Unreachable,
    /// The provider refused us: HTTP status of the upgrade.
    Refused(u16),
    /// The provider ended the session with this error code; another session may do better.
    Error(String),
    /// The provider ended the session with this error code, and would end every other one like
    /// it.
    Hopeless(String),
    /// The connection ended without a reason.
    Closed,
}

/// One function that the agent asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionAsk {
    /// The provider's id of the request; it may be repeated.
    pub id: String,
    /// The function's name, as the model wrote it.
    pub name: String,
    /// The arguments as JSON text, masked.
    pub arguments: String,
    /// Keyed fingerprint of the unmasked arguments, in hexadecimal: equal arguments, equal
    /// fingerprint.
    pub fingerprint: String,
    /// For `transfer_call`: the target that the model names.
    pub target: Option<String>,
    /// For `play_dtmf`: how many tones the arguments ask for. Which ones is kept from the machine.
    pub tones: Option<u32>,
    /// What is wrong with the arguments by the function's schema; nothing if they fit.
    pub fault: Option<String>,
}

/// News of a line of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// The line was worded and spoken, and waits to be played.
    Ready {
        /// The line's utterance.
        utterance: UtteranceId,
        /// The words, masked.
        text: String,
        /// Version of the words in `locales/`.
        version: u32,
        /// Length of its audio.
        audio: Millis,
    },
    /// The agent says the line in its session: its words came, its audio follows.
    Spoken {
        /// The line's utterance.
        utterance: UtteranceId,
        /// The words, masked.
        text: String,
        /// Version of the words in `locales/`.
        version: u32,
    },
    /// The agent's provider refuses to say it now: somebody is speaking (F-DG-23).
    Refused {
        /// The line's utterance.
        utterance: UtteranceId,
    },
    /// It could not be worded or spoken, or the session that was to say it is gone.
    Failed {
        /// The line's utterance.
        utterance: UtteranceId,
    },
}

/// What became of speech on its way to the caller's ear. Told by
/// [`Playout`](crate::playout::Playout).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Playback {
    /// Its first audio is there, and waits behind other speech.
    Waits {
        /// Which speech.
        utterance: UtteranceId,
    },
    /// Its first audio was handed to the carrier.
    Began {
        /// Which speech.
        utterance: UtteranceId,
    },
    /// All its audio was handed to the carrier, with a mark behind it.
    Queued {
        /// Which speech.
        utterance: UtteranceId,
        /// Length of its audio.
        audio: Millis,
        /// When the carrier should have played it, by count of bytes.
        until: CallTime,
    },
    /// The carrier's mark says that it was played to its end.
    Heard {
        /// Which speech.
        utterance: UtteranceId,
        /// Length of its audio.
        audio: Millis,
    },
    /// It was stopped on its way.
    Cut {
        /// Which speech.
        utterance: UtteranceId,
        /// How much of it was played, by count of bytes.
        heard: Millis,
        /// How much of it had come.
        audio: Millis,
        /// That was all of it. If not, it is at least so long.
        whole: bool,
        /// Why it was cut.
        why: CutReason,
    },
    /// The carrier should have nothing left to play, yet the agent has not said that its
    /// sentence is over.
    Dry,
}

/// Why speech was not heard to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutReason {
    /// We stopped all speech that was on its way.
    Stopped,
    /// We stopped it while the carrier was not reading what it was sent. What it had by then it played
    /// until it read on, so more of it may have been heard than is known.
    StoppedUnread,
    /// The rest of it was given up: by the agent, with its session, or because the agent has no more
    /// to say. What the carrier had of it was played.
    GivenUp,
    /// Too much was waiting, and its end found no room (F-DG-29).
    NoRoom,
    /// The stream ended.
    StreamEnded,
    /// The stream carries nothing any more. What the carrier had of it was perhaps still played, so
    /// more of it may have been heard than is known.
    StreamDead,
}

/// A function ended, well or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionEnded {
    /// The provider's id of the request.
    pub id: String,
    /// How it ended.
    pub outcome: FunctionOutcome,
    /// What was learnt about the caller's identity.
    pub identity: Vec<IdentityCheck>,
    /// Names of the fields that the result hands to the model.
    pub disclosed: Vec<String>,
}

/// How a function ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionOutcome {
    /// It did what it should; the result is with the shell, under the request's id.
    Done,
    /// It ended without doing it, for a reason in a word: `not-verified`, `unavailable`.
    Failed(String),
}
