//! The shape of a scenario file, field by field. `docs/scenarios.md` is the guide to writing one.

use std::collections::BTreeMap;

use call_core::{Language, Limits};
use call_transports::middleware::Loan;
use serde::{Deserialize, Serialize};

use crate::cast::back_office::LoanFile;
use crate::faults::Fault;

/// A whole file: one call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) title: String,
    /// Path of the company's configuration, from this file's folder.
    pub(super) company: String,
    pub(super) language: Language,
    pub(super) seed: u64,
    pub(super) caller: Caller,
    pub(super) agent: Vec<Reply>,
    #[serde(default)]
    pub(super) back_office: BackOffice,
    /// Instead of the company's limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Limits>,
    /// What goes wrong.
    #[serde(default)]
    pub(super) faults: Vec<Fault>,
    /// What an operator does.
    #[serde(default)]
    pub(super) operator: Vec<OperatorEntry>,
    pub(super) expect: Vec<Expectation>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum OperatorEntry {
    Drain { at_ms: u64, within_ms: u64 },
    HangUp { at_ms: u64 },
    Transfer { at_ms: u64, target: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    /// The caller's number, in E.164 form.
    pub(super) from: String,
    pub(super) turns: Vec<Act>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Act {
    /// Says these words: as a recording, or as babble of their length.
    Says {
        words: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        wav: Option<String>,
        /// The language that the agent recognises; the call's own if it says none.
        #[serde(skip_serializing_if = "Option::is_none")]
        language: Option<Language>,
        /// Keys that are pressed meanwhile.
        #[serde(skip_serializing_if = "Option::is_none")]
        keys: Option<String>,
        #[serde(default)]
        after: Cue,
    },
    /// A cough, a dog, a television, and nobody's words: a recording, or else babble, which sounds
    /// like speech for so long.
    Noise {
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        wav: Option<String>,
        #[serde(default)]
        after: Cue,
    },
    /// Presses these keys.
    Keys {
        digits: String,
        /// Milliseconds between two of them.
        #[serde(default = "key_gap")]
        gap_ms: u64,
        #[serde(default)]
        after: Cue,
    },
    HangsUp {
        #[serde(default)]
        after: Cue,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Cue {
    /// Speech was heard, then nothing for so many milliseconds.
    Quiet(u64),
    /// Speech has been heard for so many milliseconds.
    Into(u64),
    /// So many milliseconds after the caller's last turn.
    Later(u64),
}

fn key_gap() -> u64 {
    250
}

impl Default for Cue {
    fn default() -> Self {
        Self::Quiet(700)
    }
}

/// What the agent does when it has heard certain words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) hears: String,
    pub(super) does: Vec<Doing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Doing {
    Says(String),
    Calls(String, BTreeMap<String, serde_json::Value>),
    /// Several functions in one request.
    CallsAll(Vec<(String, BTreeMap<String, serde_json::Value>)>),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackOffice {
    #[serde(default)]
    pub(super) loans: Vec<LoanEntry>,
    /// How long it takes to answer.
    #[serde(default)]
    pub(super) takes_ms: u64,
    /// What it does with writes, in order; further ones are done.
    #[serde(default)]
    pub(super) writes: Vec<WriteEntry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteEntry {
    pub(super) name: String,
    pub(super) takes_ms: u64,
    pub(super) answer: Answer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Answer {
    Done,
    Refused(String),
    DoneAndSilent,
    Silent,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoanEntry {
    number: String,
    date_of_birth: String,
    zip: String,
    first_name: String,
    due_cents: i64,
    due_date: String,
    days_late: u32,
}

impl From<LoanEntry> for LoanFile {
    fn from(entry: LoanEntry) -> Self {
        Self {
            number: entry.number,
            date_of_birth: entry.date_of_birth,
            zip: entry.zip,
            loan: Loan {
                first_name: entry.first_name,
                due_cents: entry.due_cents,
                due_date: entry.due_date,
                days_late: entry.days_late,
            },
        }
    }
}

/// Something that must have come true when the call is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expectation {
    /// The caller heard, to its end, our line of this id, or a sentence with these words in it.
    Heard(String),
    /// Speech with these words in it was cut.
    Cut(String),
    /// The caller never heard these words, not even partly.
    NeverHeard(String),
    /// The caller was understood to say these words.
    CallerSaid(String),
    /// This function ended with this outcome.
    Function(String, String),
    /// The call ended for this reason.
    Ended(String),
    /// The back office accepted so many writes.
    Written(usize),
    /// The carrier played exactly these tones, request by request.
    Tones(Vec<String>),
    /// By its callbacks, and those that come after the call, the call stands so.
    Status(String),
    /// The phases of the call included this one.
    Phase(String),
    /// Our line of this id, or speech with these words in it, was heard so often, in full or in part.
    Times(String, usize),
    /// The caller heard the first of these before the second, each in full or in part.
    Before(String, String),
    /// Our own gate refused this function, for this reason.
    Refused(String, String),
    /// The agent was told these words in the caller's place, or by an answer.
    AgentTold(String),
    /// The carrier was asked for this so often, by its own count: see [`Request`].
    Asked(String, u32),
}

/// What the carrier may be asked for, as it counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To hang up.
    HangUp,
    /// To transfer the call to a person, whether or not it does.
    Transfer,
    /// Likewise, where it does: so often a person's telephone rang.
    Dial,
    /// To play tones.
    Tones,
}

impl Request {
    /// Every request there is.
    pub const ALL: [Self; 4] = [Self::HangUp, Self::Transfer, Self::Dial, Self::Tones];

    /// Its name in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HangUp => "hang-up",
            Self::Transfer => "transfer",
            Self::Dial => "dial",
            Self::Tones => "tones",
        }
    }

    /// The request of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|request| request.name() == name)
    }
}
