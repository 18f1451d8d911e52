//! The agent is lost in the middle of a call: another session takes over the conversation.

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, AgentLoss, Carrier, Input};
use crate::line::LineId;
use crate::step::EndReason;

/// So often in a call a lost session is replaced (F-DG-07).
const RECONNECTS_MAX: u32 = 2;

impl Machine {
    /// The agent is gone: another session, if one may help, or a person.
    pub(super) fn agent_lost(&mut self, loss: &AgentLoss, step: &mut Draft) -> Outcome<State> {
        self.memory.agent_ready = false;
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
        // Nothing more is heard of the agent's: the caller is asked to hold, unless a line of ours
        // fills the time.
        if self.memory.lines.is_empty() {
            self.prepare(LineId::Hold, step);
        }
    }

    pub(super) fn reconnecting(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::Ready)) => {
                self.memory.agent_ready = true;
                self.memory.timers.disarm(Timer::AgentReady);
                self.filler_too_late(step);
                // Whatever the lost session owed, the new one does not know that it owes it, but for
                // what came of functions meanwhile: that is told to it, and it goes on with that.
                self.memory.reply_owed = None;
                if !self.give_held(step) && self.memory.opening_over {
                    self.prepare(LineId::GoOn, step);
                }
                self.say_owed(step);
                // What was asked for before the opening was over may have waited all the while.
                let early =
                    self.memory.opening_over.then(|| self.decide_early_asks(step)).flatten();
                early.unwrap_or_else(|| self.settle())
            }
            Event::Due(Timer::AgentReady) => self.agent_too_late(step),
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
