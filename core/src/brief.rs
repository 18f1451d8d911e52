//! What a call knows when it begins, and the limits that it keeps.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::company::{FarewellPolicy, OwnLines, Recording};
use crate::line::{Language, LineId};
use crate::time::Millis;

/// Everything the machine is told at birth. It is the first entry of the journal, so a replay
/// needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The carrier's name of the call (Twilio: `CA` and 32 hexadecimal digits).
    pub call: String,
    /// The company's short name, as in paths and records.
    pub company: String,
    /// The company's name as it is spoken.
    pub company_name: String,
    /// Version of the company's configuration, the same from the call's start to its end.
    pub config_version: u32,
    /// Hash of the prompt that the agent was given, in hexadecimal.
    pub prompt_hash: String,
    /// Who placed the call.
    pub direction: Direction,
    /// The other party's number, masked.
    pub from: String,
    /// The number that was dialled, masked.
    pub to: String,
    /// The language the call starts in.
    pub language: Language,
    /// Wall-clock time of the answer: milliseconds since 1970-01-01 UTC. The only wall clock
    /// that ever enters.
    pub utc_start_ms: u64,
    /// The consumer's offset from UTC in minutes at that moment.
    pub utc_offset_minutes: i32,
    /// Whether the company records calls.
    pub recording: Recording,
    /// Whether what was said is to be summed up after the call. The call does nothing about it: whoever
    /// closes its record reads it here.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub summaries: bool,
    /// The languages that the company speaks.
    pub languages: Vec<Language>,
    /// The company's own words for lines of ours.
    #[serde(default, skip_serializing_if = "OwnLines::is_empty")]
    pub lines: OwnLines,
    /// Names of the functions that the company offers its agent.
    pub functions: Vec<String>,
    /// Names of the persons or queues that a call may be transferred to; the first is asked when
    /// the call itself needs a person.
    pub transfer_targets: Vec<String>,
    /// What the caller's voice does to a farewell.
    pub farewell: FarewellPolicy,
    /// The call's limits.
    pub limits: Limits,
    /// Limits of single functions, by name, where they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub function_limits: BTreeMap<String, FunctionLimits>,
}

impl Brief {
    /// The company's own words for a line, and their version, which is its configuration's.
    pub fn own_words(&self, line: LineId, language: Language) -> Option<(&str, u32)> {
        let words = self.lines.get(&language)?.get(&line)?;
        Some((words, self.config_version))
    }

    /// A brief for examples and tests: an English call to a loan servicer.
    pub fn example() -> Self {
        Self {
            call: "CA00000000000000000000000000000001".to_string(),
            company: "acme".to_string(),
            company_name: "Acme Home Loans".to_string(),
            config_version: 1,
            prompt_hash: "0000000000000000".to_string(),
            direction: Direction::Inbound,
            from: "+1******0101".to_string(),
            to: "+1******0199".to_string(),
            language: Language::English,
            utc_start_ms: 1_772_463_600_000,
            utc_offset_minutes: -360,
            recording: Recording::Off,
            summaries: false,
            languages: Language::ALL.to_vec(),
            lines: OwnLines::new(),
            functions: ["lookup_loan", "hangup_call"].map(ToString::to_string).to_vec(),
            transfer_targets: Vec::new(),
            farewell: FarewellPolicy::Lock,
            limits: Limits::default(),
            function_limits: BTreeMap::new(),
        }
    }
}

/// Who placed the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The caller called us.
    Inbound,
    /// We called.
    Outbound,
}

/// What one function may take in one call, where a company says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionLimits {
    /// How long it may run. Without it, as long as its kind may: `lookup` or `pay` of [`Limits`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Millis>,
    /// How often it is run. Without it, as often as any function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_max: Option<u32>,
}

/// Every time limit of a call, in milliseconds. `docs/limits.md` tells what each protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// T_DG_CONNECT and T_DG_READY together: agent asked for → agent ready to listen.
    pub agent_ready: Millis,
    /// A line of ours asked for → its speech at hand.
    pub line_ready: Millis,
    /// The agent asked to say a line of ours → it begins to, all tries together (F-DG-23).
    pub line_injected: Millis,
    /// T_SILENCE: caller silent → "are you still there".
    pub silence_prompt: Millis,
    /// Caller began to speak → "are you still there", where no words have come of it yet.
    pub long_turn: Millis,
    /// T_HANGUP: caller silent in all → farewell.
    pub silence_farewell: Millis,
    /// T_FILLER: longest dead air while something is pending, before a filler is spoken.
    pub filler: Millis,
    /// A voice cut the agent short, and the caller's line is quiet → we ask them to go on.
    pub cut_short: Millis,
    /// A reply is owed and nothing comes (F-DG-24): the call ends decently.
    pub reply: Millis,
    /// No agent audio for this long after the last was played: the sentence is over (F-DG-11).
    pub agent_audio_done: Millis,
    /// T_PATIENCE: silence allowed after the caller asked for a moment.
    pub patience: Millis,
    /// Longest pause between two keys of one number.
    pub key_gap: Millis,
    /// Agent lost in mid-call → its new session ready to listen.
    pub reconnect: Millis,
    /// Shortest time between two such losses that are both mended (F-DG-07).
    pub reconnect_gap: Millis,
    /// Longest speech of the agent's without a word of the caller's (F-DG-31).
    pub agent_speech: Millis,
    /// Tones accepted by the carrier → the call's new stream, the tones included.
    pub tones: Millis,
    /// A transfer asked for → its outcome, ringing included.
    pub transfer: Millis,
    /// The caller is warned so long before the longest call is reached.
    pub call_warning: Millis,
    /// T_PAY: whole budget of a function that writes.
    pub pay: Millis,
    /// T_MARK: wait for a mark after its audio should have been played.
    pub mark: Millis,
    /// T_LOOKUP: whole budget of a function that only reads.
    pub lookup: Millis,
    /// T_FAREWELL: longest wait for the farewell to be heard.
    pub farewell: Millis,
    /// T_REST: whole budget of hanging up.
    pub hang_up: Millis,
    /// T_CALL: longest call.
    pub call: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            agent_ready: Millis::from_secs(11),
            line_ready: Millis::from_secs(2),
            line_injected: Millis(1_500),
            silence_prompt: Millis::from_secs(25),
            long_turn: Millis::from_secs(35),
            silence_farewell: Millis::from_secs(60),
            filler: Millis::from_secs(4),
            cut_short: Millis::from_secs(4),
            reply: Millis::from_secs(12),
            agent_audio_done: Millis(1_500),
            patience: Millis::from_secs(120),
            key_gap: Millis::from_secs(5),
            reconnect: Millis::from_secs(8),
            reconnect_gap: Millis::from_secs(60),
            agent_speech: Millis::from_secs(90),
            tones: Millis::from_secs(30),
            transfer: Millis::from_secs(60),
            call_warning: Millis::from_secs(60),
            pay: Millis::from_secs(20),
            mark: Millis::from_secs(2),
            lookup: Millis::from_secs(8),
            farewell: Millis::from_secs(15),
            hang_up: Millis::from_secs(10),
            call: Millis::from_secs(30 * 60),
        }
    }
}
