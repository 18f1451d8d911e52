//! The shape of a scenario file, field by field. `docs/scenarios.md` is the guide to writing one.

use std::collections::BTreeMap;

use call_core::{Language, Limits};
use call_transports::middleware::Loan;
use serde::Deserialize;

use crate::cast::back_office::LoanFile;

/// A whole file: one call.
#[derive(Debug, Deserialize)]
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
    pub(super) limits: Option<Limits>,
    pub(super) expect: Vec<Expectation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    /// The caller's number, in E.164 form.
    pub(super) from: String,
    pub(super) turns: Vec<Act>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Act {
    /// Says these words: as a recording, or as babble of their length.
    Says {
        words: String,
        wav: Option<String>,
        #[serde(default)]
        after: Cue,
    },
    HangsUp {
        #[serde(default)]
        after: Cue,
    },
}

#[derive(Debug, Deserialize)]
pub(super) enum Cue {
    /// Speech was heard, then nothing for so many milliseconds.
    Quiet(u64),
    /// Speech has been heard for so many milliseconds.
    Into(u64),
}

impl Default for Cue {
    fn default() -> Self {
        Self::Quiet(700)
    }
}

/// What the agent does when it has heard certain words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) hears: String,
    pub(super) does: Vec<Doing>,
}

#[derive(Debug, Deserialize)]
pub(super) enum Doing {
    Says(String),
    Calls(String, BTreeMap<String, String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackOffice {
    #[serde(default)]
    pub(super) loans: Vec<LoanEntry>,
    /// How long it takes to answer.
    #[serde(default)]
    pub(super) takes_ms: u64,
}

#[derive(Debug, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
}
