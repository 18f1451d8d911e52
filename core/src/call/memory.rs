//! What a call remembers beside its state: things that are true in several states at once.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::answers::Held;
use super::keypad::Keys;
use super::ledger::Ledger;
use super::timers::{Timer, Timers};
use super::tones::Tones;
use super::voice::Voice;
use crate::brief::Brief;
use crate::input::{AgentLoss, FunctionAsk};
use crate::line::{Language, LineId, Rung, UtteranceId};
use crate::sabotage::{Defect, Sabotage};
use crate::step::{EndReason, IdentityLevel};
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
    /// Functions asked for before that. Nothing is looked up, let alone disclosed, for a caller
    /// who has not heard whom they talk to (C-01, F-HU-08).
    pub(super) too_early: Vec<FunctionAsk>,
    /// The longest call is reached, and goes on only until what came of a payment is told.
    pub(super) overtime: bool,
    /// What came of a payment is known, and the agent has not spoken since.
    pub(super) outcome_untold: bool,
    /// Lines to be said as soon as the talk goes on.
    pub(super) owed: Vec<LineId>,
    /// Answers that wait for an agent that may speak about them.
    pub(super) held: Vec<Held>,
    /// When the caller last heard something of ours, or spoke.
    pub(super) last_sound: CallTime,
    /// The caller waits for us, and has since the last sound.
    pub(super) waits_for_us: bool,
    /// Lines of ours between being asked for and being settled.
    pub(super) lines: BTreeMap<UtteranceId, OurLine>,
    pub(super) lines_asked: u32,
    /// Speech at the carrier that is not settled.
    pub(super) on_its_way: BTreeMap<UtteranceId, OnItsWay>,
    /// The agent has begun a reply and not yet said that all of it was sent.
    pub(super) agent_mid_reply: bool,
    /// Since when the agent owes a reply.
    pub(super) reply_owed: Option<CallTime>,
    /// A voice of which no words have come yet.
    pub(super) voice: Option<Voice>,
    /// When a voice cut the agent short, or last was a sound after that. Nothing once words or
    /// something of ours followed.
    pub(super) cut_short: Option<CallTime>,
    /// The sentence in which the agent says goodbye, while nothing takes it back.
    pub(super) parting: Option<UtteranceId>,
    pub(super) silence: Silence,
    pub(super) identity: IdentityLevel,
    pub(super) identity_tries: u32,
    /// Since the caller's last words: how often a voice cut the agent, and how many functions it
    /// asked for.
    pub(super) cuts: u32,
    pub(super) functions_in_turn: u32,
    /// How often the caller asked for a person.
    pub(super) person_asked: u32,
    /// When a lost session was last replaced, and how often.
    pub(super) reconnected: Option<CallTime>,
    pub(super) reconnects: u32,
    /// What the caller lost with the last session.
    pub(super) loss: Loss,
    /// The farewell was called off once.
    pub(super) reopened: bool,
    /// The number that is being keyed in.
    pub(super) keys: Option<Keys>,
    pub(super) handing: Handing,
    /// Tones that are wanted, or on their way.
    pub(super) tones: Option<Tones>,
    defect: Defect,
}

/// A transfer, from its announcement to its outcome.
#[derive(Default)]
pub(super) struct Handing {
    /// Whom the call goes to.
    pub(super) target: String,
    /// The agent asked for it.
    pub(super) agents_wish: bool,
    /// Why, if nobody asked for it.
    pub(super) in_need: Option<EndReason>,
    /// The carrier was asked.
    pub(super) asked: bool,
    /// The carrier took the request: our stream ends.
    pub(super) accepted: bool,
    /// Nobody took it: the caller comes back.
    pub(super) unanswered: bool,
    /// How our stream has ended, if it has.
    pub(super) stream_gone: Option<StreamEnd>,
    /// The agent was lost meanwhile.
    pub(super) agent_lost: Option<AgentLoss>,
}

/// How a stream ended of which it is not known yet whether the transfer ended it.
#[derive(Clone, Copy)]
pub(super) enum StreamEnd {
    Stopped,
    Lost,
    Dead,
}

/// What a caller lost with a session of the agent's.
#[derive(Clone, Copy, Default)]
pub(super) struct Loss {
    /// It was saying something.
    pub(super) reply: bool,
    /// The caller was speaking, or waited for a reply.
    pub(super) floor: bool,
    /// The caller was asked to hold.
    pub(super) held: bool,
}

/// A line of ours on its way.
pub(super) struct OurLine {
    pub(super) line: LineId,
    /// The language it was asked for in.
    pub(super) language: Language,
    /// The way it is asked for in.
    pub(super) by: Rung,
    /// Its words, once it is ready.
    pub(super) text: Option<String>,
    /// Until when it must be ready, or, once it is, begin to play. Nothing once it has begun.
    pub(super) limit: Option<CallTime>,
    /// It was refused and is asked for once more when its limit comes; that try ends then.
    pub(super) again_until: Option<CallTime>,
    /// It is asked for a second time.
    pub(super) retried: bool,
}

impl OurLine {
    /// The agent has begun to say it in its session.
    pub(super) fn is_said_by_agent(&self) -> bool {
        self.by == Rung::Injected && self.text.is_some()
    }
}

/// Speech at the carrier, or behind what is there.
#[derive(Default)]
pub(super) struct OnItsWay {
    /// Some of it was handed over.
    pub(super) begun: bool,
    /// All of it was handed over, with a mark behind it: when it should have been played.
    pub(super) until: Option<CallTime>,
}

/// The silence clock. It counts only while the caller has the floor.
#[derive(Default)]
pub(super) struct Silence {
    /// Silence of earlier spells, since the caller last said something.
    pub(super) before: Millis,
    /// Since when the present spell lasts.
    pub(super) since: Option<CallTime>,
    pub(super) prompted: bool,
    /// The caller asked for a moment.
    pub(super) patient: bool,
    /// The agent has said goodbye, and the caller nothing that wants an answer.
    pub(super) goodbye: bool,
}

impl Memory {
    pub(super) fn new(brief: Brief, defect: Defect) -> Self {
        Self {
            language: brief.language,
            brief,
            timers: Timers::default(),
            ledger: Ledger::default(),
            agent_ready: false,
            opening_over: false,
            too_early: Vec::new(),
            overtime: false,
            outcome_untold: false,
            owed: Vec::new(),
            held: Vec::new(),
            last_sound: CallTime::ZERO,
            waits_for_us: false,
            lines: BTreeMap::new(),
            lines_asked: 0,
            on_its_way: BTreeMap::new(),
            agent_mid_reply: false,
            reply_owed: None,
            voice: None,
            cut_short: None,
            parting: None,
            silence: Silence::default(),
            identity: IdentityLevel::None,
            identity_tries: 0,
            cuts: 0,
            functions_in_turn: 0,
            person_asked: 0,
            reconnected: None,
            reconnects: 0,
            loss: Loss::default(),
            reopened: false,
            keys: None,
            handing: Handing::default(),
            tones: None,
            defect,
        }
    }

    /// Whether the call has this deliberate defect: never, in a build that is meant for callers.
    pub(super) fn sabotaged(&self, sabotage: Sabotage) -> bool {
        self.defect.is(sabotage)
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

    /// Whether the agent is saying a line of ours, and may leave off.
    pub(super) fn agent_says_our_line(&self) -> bool {
        let whole = |utterance| self.on_its_way.get(utterance).is_some_and(|o| o.until.is_some());
        self.lines.iter().any(|(utterance, line)| line.is_said_by_agent() && !whole(utterance))
    }

    /// Whether speech that must be heard to its end is on its way.
    pub(super) fn required_speech(&self) -> bool {
        self.lines.values().any(|line| line.line.is_required())
    }
}
