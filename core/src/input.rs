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
}

/// News of the carrier's leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// The carrier ended the stream in good order: the caller hung up, or we did.
    Stopped,
    /// The stream broke without a word.
    Lost,
    /// The carrier answered our request to hang up.
    HungUp(HungUp),
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
    /// The provider ended the session with this error code.
    Error(String),
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
    /// It could not be worded or spoken.
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
        /// How much of it we had.
        audio: Millis,
    },
    /// The carrier should have nothing left to play, yet the agent has not said that its
    /// sentence is over.
    Dry,
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
