//! What a call remembers beside its state: things that are true in several states at once.

use alloc::collections::BTreeMap;

use super::ledger::Ledger;
use super::timers::{Timer, Timers};
use crate::brief::Brief;
use crate::line::{Language, LineId, UtteranceId};
use crate::step::IdentityLevel;
use crate::time::{CallTime, Millis};

/// The orthogonal facts of a call.
pub(super) struct Memory {
    pub(super) brief: Brief,
    pub(super) language: Language,
    pub(super) timers: Timers,
    pub(super) ledger: Ledger,
    /// The agent listens.
    pub(super) agent_ready: bool,
    /// The required opening was heard, or is past hoping for.
    pub(super) opening_over: bool,
    /// Lines of ours between being asked for and being settled.
    pub(super) lines: BTreeMap<UtteranceId, OurLine>,
    pub(super) lines_asked: u32,
    /// Speech at the carrier that is not settled.
    pub(super) on_its_way: BTreeMap<UtteranceId, OnItsWay>,
    /// The agent has begun a reply and not yet said that all of it was sent.
    pub(super) agent_mid_reply: bool,
    /// Since when the agent owes a reply.
    pub(super) reply_owed: Option<CallTime>,
    /// When the caller began the turn that is not yet understood.
    pub(super) caller_started: Option<CallTime>,
    pub(super) silence: Silence,
    pub(super) identity: IdentityLevel,
    pub(super) identity_tries: u32,
}

/// A line of ours on its way.
pub(super) struct OurLine {
    pub(super) line: LineId,
    /// Its words, once it is ready.
    pub(super) text: Option<alloc::string::String>,
    /// Until when it must be ready, or, once it is, begin to play. Nothing once it has begun.
    pub(super) limit: Option<CallTime>,
}

/// Speech at the carrier.
pub(super) struct OnItsWay {
    /// All of it was handed over, with a mark behind it.
    pub(super) queued: bool,
}

/// The silence clock. It counts only while the caller has the floor.
#[derive(Default)]
pub(super) struct Silence {
    /// Silence of earlier spells, since the caller last said something.
    pub(super) before: Millis,
    /// Since when the present spell lasts.
    pub(super) since: Option<CallTime>,
    pub(super) prompted: bool,
}

impl Memory {
    pub(super) fn new(brief: Brief) -> Self {
        Self {
            language: brief.language,
            brief,
            timers: Timers::default(),
            ledger: Ledger::default(),
            agent_ready: false,
            opening_over: false,
            lines: BTreeMap::new(),
            lines_asked: 0,
            on_its_way: BTreeMap::new(),
            agent_mid_reply: false,
            reply_owed: None,
            caller_started: None,
            silence: Silence::default(),
            identity: IdentityLevel::None,
            identity_tries: 0,
        }
    }

    pub(super) fn arm(&mut self, timer: Timer, from: CallTime, length: Millis) {
        self.timers.arm(timer, from + length);
    }

    /// Whether speech of anybody's is being made or is on its way to the caller.
    pub(super) fn somebody_speaks(&self) -> bool {
        self.agent_mid_reply || !self.on_its_way.is_empty() || !self.lines.is_empty()
    }

    /// Whether a sentence of the agent's is at the carrier.
    pub(super) fn agent_speech_on_its_way(&self) -> bool {
        self.on_its_way.keys().any(|utterance| utterance.is_agents())
    }

    /// Whether speech that must be heard to its end is on its way.
    pub(super) fn required_speech(&self) -> bool {
        self.lines.values().any(|line| line.line.is_required())
    }
}
