//! What a call knows when it begins, and the limits that it keeps.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::company::Recording;
use crate::line::Language;
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
    /// Names of the functions that the company offers its agent.
    pub functions: Vec<String>,
    /// The call's limits.
    pub limits: Limits,
}

impl Brief {
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
            functions: ["lookup_loan", "hangup_call"].map(ToString::to_string).to_vec(),
            limits: Limits::default(),
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

/// Every time limit of a call, in milliseconds. `docs/limits.md` tells what each protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// T_DG_CONNECT and T_DG_READY together: agent asked for → agent ready to listen.
    pub agent_ready: Millis,
    /// A line of ours asked for → its speech at hand.
    pub line_ready: Millis,
    /// T_SILENCE: caller silent → "are you still there".
    pub silence_prompt: Millis,
    /// T_HANGUP: caller silent in all → farewell.
    pub silence_farewell: Millis,
    /// T_FILLER: longest dead air while something is pending, before a filler is spoken.
    pub filler: Millis,
    /// A reply is owed and nothing comes (F-DG-24): the call ends decently.
    pub reply: Millis,
    /// No agent audio for this long after the last was played: the sentence is over (F-DG-11).
    pub agent_audio_done: Millis,
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
            line_ready: Millis::from_secs(3),
            silence_prompt: Millis::from_secs(25),
            silence_farewell: Millis::from_secs(60),
            filler: Millis::from_secs(4),
            reply: Millis::from_secs(12),
            agent_audio_done: Millis(1_500),
            mark: Millis::from_secs(2),
            lookup: Millis::from_secs(8),
            farewell: Millis::from_secs(15),
            hang_up: Millis::from_secs(10),
            call: Millis::from_secs(30 * 60),
        }
    }
}
