//! The agent is lost in the middle of a call: another session takes over the conversation.

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::memory::Loss;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, AgentLoss, Carrier, Input};
use crate::line::LineId;
use crate::step::EndReason;
use crate::time::Millis;

/// So often in a call a lost session is replaced (F-DG-07).
const RECONNECTS_MAX: u32 = 2;

/// So long the caller hears nothing before they are asked to hold: most losses are mended sooner.
const HOLD_AFTER: Millis = Millis(1_000);

impl Machine {
    /// The agent is gone: another session, if one may help, or a person.
    pub(super) fn agent_lost(&mut self, loss: &AgentLoss, step: &mut Draft) -> Outcome<State> {
        self.memory.agent_ready = false;
        let floor = self.memory.reply_owed.is_some() || self.memory.open_voice(step.at).is_some();
        self.memory.loss = Loss { reply: self.memory.agent_mid_reply, floor, held: false };
        // What it was saying stops where it stopped, and counts as cut.
        step.effect(Effect::CutReply);
        self.memory.agent_mid_reply = false;
        self.memory.timers.disarm(Timer::AgentAudioDone);
        self.memory.timers.disarm(Timer::AgentReady);
        if self.may_replace(loss, step) {
            return Transition(State::Reconnecting);
        }
        self.hand_to_a_person(EndReason::AgentFailed)
    }

    /// Whether another session may help.
    pub(super) fn may_replace(&self, loss: &AgentLoss, step: &Draft) -> bool {
        let hopeless = matches!(loss, AgentLoss::Hopeless(_) | AgentLoss::Refused(401..=403));
        let gap = self.memory.brief.limits.reconnect_gap;
        let too_soon = self.memory.reconnected.is_some_and(|last| step.at.since(last) < gap);
        let in_talk = !matches!(self.current, State::Connecting | State::Reconnecting);
        in_talk && !hopeless && !too_soon && self.memory.reconnects < RECONNECTS_MAX
    }

    /// The session that is awaited does not listen in time: it is left, and a person is asked for.
    pub(super) fn agent_too_late(&mut self, step: &mut Draft) -> Outcome<State> {
        step.effect(Effect::CloseAgent);
        self.hand_to_a_person(EndReason::AgentFailed)
    }

    pub(super) fn enter_reconnecting(&mut self, step: &mut Draft) {
        self.memory.reconnects += 1;
        self.memory.reconnected = Some(step.at);
        let limit = self.memory.brief.limits.reconnect;
        self.memory.arm(Timer::AgentReady, step.at, limit);
        step.effect(Effect::OpenAgent { language: self.memory.language, resume: true });
        self.say_owed(step);
        self.hold_in_silence(step);
    }

    /// Nobody listens to the caller, and nothing is said to them: they are asked to hold, unless the
    /// agent is there soon. Not while they speak: another session hears what they say meanwhile.
    pub(super) fn hold_in_silence(&mut self, step: &Draft) {
        let connecting = self.current == State::Connecting;
        let first = !connecting && !self.memory.loss.held;
        let after = if first { HOLD_AFTER } else { self.memory.brief.limits.filler };
        if !self.memory.somebody_speaks() {
            self.memory.arm(Timer::Filler, step.at, after);
        }
    }

    /// The caller's line sounds while no agent listens.
    pub(super) fn heard_by_nobody_else(&mut self, step: &Draft) -> Outcome<State> {
        self.sound_began(step);
        if self.memory.timers.is_armed(Timer::Filler) {
            self.hold_in_silence(step);
        }
        Handled
    }

    /// The agent listens, again or for the first time. Whoever was not heard, or was asked to hold, is
    /// told so, unless a function runs for which they wait anyway, or the agent is `told` what came of one.
    pub(super) fn agent_listens(&mut self, told: bool, step: &mut Draft) {
        self.memory.agent_ready = true;
        self.filler_too_late(step);
        let loss = core::mem::take(&mut self.memory.loss);
        if !self.memory.opening_over || self.memory.ledger.running() > 0 || told {
            return;
        }
        let voice = self.memory.open_voice(step.at);
        if voice.is_some_and(|voice| step.at.since(voice.sounded) < HOLD_AFTER) {
            // What they say is heard from here on. Should nothing come of it, they are asked.
            self.is_cut_short(step);
        } else if loss.floor || loss.held || self.memory.reply_owed.is_some() {
            self.prepare(LineId::GoOn, step);
        } else if loss.reply {
            // Perhaps all of it was heard.
            self.is_cut_short(step);
        }
    }

    pub(super) fn reconnecting(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::Ready)) => {
                self.memory.timers.disarm(Timer::AgentReady);
                let told = !self.memory.held.is_empty();
                self.agent_listens(told, step);
                // Whatever the lost session owed, the new one does not know that it owes it, but for
                // what came of functions meanwhile: that is told to it, and it goes on with that.
                self.memory.reply_owed = None;
                self.give_held(step);
                self.say_owed(step);
                // What was asked for before the opening was over may have waited all the while.
                let early =
                    self.memory.opening_over.then(|| self.decide_early_asks(step)).flatten();
                early.unwrap_or_else(|| self.settle())
            }
            Event::Due(Timer::AgentReady) => self.agent_too_late(step),
            Event::Due(Timer::Filler) => {
                self.prepare(LineId::Hold, step);
                Handled
            }
            Event::Input(Input::Carrier(Carrier::Sound)) => self.heard_by_nobody_else(step),
            Event::Input(Input::Carrier(Carrier::Key(key))) => {
                self.key_for_nobody(*key, step);
                Handled
            }
            event => match self.functions(event, step) {
                Some(outcome) => outcome,
                None => self.speech(event, step).unwrap_or(Super),
            },
        }
    }
}
