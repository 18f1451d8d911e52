//! One version of a company's configuration: what its calls sound like and what they may do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::brief::{Brief, Direction, FunctionLimits, Limits};
use crate::line::{Language, LineId};

/// A company's own words for lines of ours: Fluent patterns, by language and line.
pub type OwnLines = BTreeMap<Language, BTreeMap<LineId, String>>;

/// A company as its configuration file states it. Immutable: a change is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Short name, as in paths and records: lower-case letters, digits and hyphens.
    pub id: String,
    /// The registered trade name, as it is spoken in the first line of every call.
    pub name: String,
    /// Version of this configuration, from 1.
    pub version: u32,
    /// The numbers that callers dial, in E.164 form.
    pub numbers: Vec<String>,
    /// The language a call starts in when nothing else says so.
    pub language: Language,
    /// Whether calls are recorded.
    #[serde(default)]
    pub recording: Recording,
    /// Whether a provider sums up in a few sentences what was said in a call, after it. It is told the
    /// masked conversation.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub summaries: bool,
    /// The agent in each language the company speaks.
    pub agents: BTreeMap<Language, AgentConfig>,
    /// Its own words for lines of ours, with the same blanks. A line that is not here has our words,
    /// and so have all recordings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: OwnLines,
    /// Functions offered to the agent, by name.
    pub functions: BTreeSet<String>,
    /// Whom a call may be transferred to: a name for the agent to ask for, and a number in E.164
    /// form that only the carrier is told.
    #[serde(default)]
    pub transfer: BTreeMap<String, String>,
    /// What the caller's voice does to a farewell.
    #[serde(default)]
    pub farewell: FarewellPolicy,
    /// The consumers' offset from UTC in minutes, where nothing better is known.
    #[serde(default)]
    pub utc_offset_minutes: i32,
    /// The most calls of this company at once; without it, as many as the server takes in all. A
    /// caller beyond it hears an apology, and callers of other companies notice nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_max: Option<u32>,
    /// Limits that differ from the defaults.
    #[serde(default)]
    pub limits: Limits,
    /// Limits of single functions, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub function_limits: BTreeMap<String, FunctionLimits>,
    /// How long what remains of calls is to be kept.
    #[serde(default)]
    pub retention: Retention,
}

/// The agent of one company in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The agent's voice, which also speaks our own lines.
    pub voice: String,
    /// The listening model.
    pub listen_model: String,
    /// Provider of the thinking model.
    pub think_provider: String,
    /// The thinking model.
    pub think_model: String,
    /// The system prompt.
    pub prompt: String,
    /// Words that the listening model should expect.
    #[serde(default)]
    pub keyterms: Vec<String>,
}

/// How many days what remains of a call is to be kept, counted from its end. None of them may be
/// shorter than [`DAYS_MIN`](Self::DAYS_MIN), but for the caller's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The record of a call.
    pub call: u32,
    /// Its journal: what was said and heard.
    pub journal: u32,
    /// Its sound, where it was recorded.
    pub recording: u32,
    /// What stands in the audit log about it.
    pub audit: u32,
    /// The caller's number, sealed. Nobody must keep it, so it has no floor; 0: not even a day.
    pub caller: u32,
}

impl Retention {
    /// The shortest time, in days: a debt collector keeps recordings of calls for three years after the
    /// call, and other records for three years after its last activity (12 CFR 1006.100).
    pub const DAYS_MIN: u32 = 3 * 365 + 1;

    /// The longest time, in days: a hundred years.
    pub const DAYS_MAX: u32 = 36_525;

    /// Each with its name, the shortest that is allowed, and its length.
    pub const fn all(&self) -> [(&'static str, u32, u32); 5] {
        let Self { call, journal, recording, audit, caller } = *self;
        let least = Self::DAYS_MIN;
        [
            ("call", least, call),
            ("journal", least, journal),
            ("recording", least, recording),
            ("audit", least, audit),
            ("caller", 0, caller),
        ]
    }
}

impl Default for Retention {
    fn default() -> Self {
        let days = Self::DAYS_MIN;
        Self { call: days, journal: days, recording: days, audit: days, caller: days }
    }
}

/// Whether a company's calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recording {
    /// Nothing is recorded.
    #[default]
    Off,
    /// Every call is recorded from its beginning, by the carrier.
    On,
}

/// What the caller's voice does to a farewell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FarewellPolicy {
    /// Nothing: the farewell is finished and the call ends.
    #[default]
    Lock,
    /// The first time, words of the caller's (not a mere "bye") call the farewell off.
    ReopenOnce,
}

/// What is particular to one call, besides its company.
#[derive(Debug, Clone)]
pub struct CallDetails {
    /// The carrier's name of the call.
    pub call: String,
    /// The other party's number, masked.
    pub from: String,
    /// The number that was dialled, masked.
    pub to: String,
    /// The language the call starts in.
    pub language: Language,
    /// Milliseconds since 1970-01-01 UTC at the answer.
    pub utc_start_ms: u64,
    /// Hash of the prompt in use, in hexadecimal.
    pub prompt_hash: String,
}

impl Company {
    /// The agent for a language, or the one of the company's own language.
    pub fn agent(&self, language: Language) -> Option<&AgentConfig> {
        self.agents.get(&language).or_else(|| self.agents.get(&self.language))
    }

    /// Everything wrong with the configuration, as fields and reasons. A limit is named with its
    /// table, as in `limits.reply`.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || !self.id.chars().all(plain) {
            faults.push(("id", "must be lower-case letters, digits and hyphens"));
        }
        if self.name.trim().is_empty() {
            faults.push(("name", "must not be empty: it is spoken in the first line"));
        }
        if self.version == 0 {
            faults.push(("version", "must be 1 or more"));
        }
        if self.calls_max == Some(0) {
            faults.push(("calls_max", "must be 1 or more; leave it away for no limit of its own"));
        }
        if !self.agents.contains_key(&self.language) {
            faults.push(("agents", "must hold the company's own language"));
        }
        let limits = &self.limits;
        if limits.silence_farewell <= limits.silence_prompt {
            let why = "silence_farewell must be longer than silence_prompt";
            faults.push(("limits.silence_farewell", why));
        }
        let needed = [
            ("limits.line_ready", limits.line_ready),
            ("limits.line_injected", limits.line_injected),
            ("limits.filler", limits.filler),
            ("limits.cut_short", limits.cut_short),
            ("limits.reply", limits.reply),
            ("limits.farewell", limits.farewell),
            ("limits.hang_up", limits.hang_up),
        ];
        let short = needed.into_iter().filter(|(_, limit)| *limit < crate::Millis::from_secs(1));
        faults.extend(short.map(|(field, _)| (field, "must be a second (1000) or more")));
        faults
    }

    /// The brief of a call of this company.
    pub fn brief(&self, details: CallDetails) -> Brief {
        Brief {
            call: details.call,
            company: self.id.clone(),
            company_name: self.name.clone(),
            config_version: self.version,
            prompt_hash: details.prompt_hash,
            direction: Direction::Inbound,
            from: details.from,
            to: details.to,
            language: details.language,
            utc_start_ms: details.utc_start_ms,
            utc_offset_minutes: self.utc_offset_minutes,
            recording: self.recording,
            summaries: self.summaries,
            languages: self.agents.keys().copied().collect(),
            lines: self.lines.clone(),
            functions: self.functions.iter().cloned().collect(),
            transfer_targets: self.transfer.keys().cloned().collect(),
            farewell: self.farewell,
            limits: self.limits.clone(),
            function_limits: self.function_limits.clone(),
        }
    }
}
