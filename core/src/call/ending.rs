//! The end: goodbye, hanging up, and what is over.
//!
//! The farewell is decided elsewhere, by returning `Transition(State::Farewell { why })`: in
//! `functions.rs` when the agent asks to hang up, in `conversing.rs` when the caller is silent
//! too long or the agent owes a reply too long, in `connecting.rs` when the agent fails or the
//! longest call is reached. Here stands what happens then.

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::memory::Memory;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, Carrier, HungUp, Input};
use crate::line::LineId;
use crate::step::{EndReason, Fact};

impl Machine {
    pub(super) fn enter_farewell(&mut self, why: EndReason, step: &mut Draft) {
        let limit = self.memory.brief.limits.farewell;
        self.memory.timers.disarm(Timer::AgentReady);
        self.memory.arm(Timer::FarewellLimit, step.at, limit);
        // The agent has nothing more to say. What it said already is heard to its end.
        step.effect(Effect::MuteAgent);
        step.effect(Effect::EndSentence);
        self.memory.agent_mid_reply = false;
        let on_its_way = &self.memory.on_its_way;
        self.memory.lines.retain(|utterance, _| on_its_way.contains_key(utterance));
        self.prepare(last_words(why), step);
    }

    /// Goodbye is being said. The caller's voice does not stop it.
    pub(super) fn farewell(
        &mut self,
        event: &Event<'_>,
        why: EndReason,
        _step: &mut Draft,
    ) -> Outcome<State> {
        match event {
            Event::Due(Timer::FarewellLimit) => Transition(State::HangingUp { why }),
            _ => Super,
        }
    }

    /// The last words cannot be spoken. After an ordinary goodbye the call simply ends; where
    /// something failed, the carrier is left to speak and to go on as the webhook told it.
    pub(super) fn farewell_failed(&self, why: EndReason) -> Outcome<State> {
        match why {
            EndReason::AgentFailed | EndReason::SpeechFailed => Transition(State::Ended { why }),
            _ => Transition(State::HangingUp { why }),
        }
    }

    /// What holds while the call ends.
    pub(super) fn ending(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::Lost(_))) => {
                self.memory.agent_ready = false;
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerStarted)) => {
                self.memory.caller_started.get_or_insert(step.at);
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language })) => {
                self.caller_line(text, *language, step);
                Handled
            }
            // The longest call is reached while it ends: it is ending already.
            Event::Due(Timer::CallLimit) => Handled,
            Event::Input(input) => match self.functions_at_end(input, step) {
                Some(outcome) => outcome,
                None => self.speech(event, step).unwrap_or(Super),
            },
            Event::Due(_) => self.speech(event, step).unwrap_or(Super),
        }
    }

    pub(super) fn enter_hanging_up(&mut self, _why: EndReason, step: &mut Draft) {
        let limit = self.memory.brief.limits.hang_up;
        self.memory.timers.disarm(Timer::FarewellLimit);
        self.memory.arm(Timer::HangUpLimit, step.at, limit);
        step.effect(Effect::HangUp);
    }

    pub(super) fn hanging_up(
        &mut self,
        event: &Event<'_>,
        why: EndReason,
        _step: &mut Draft,
    ) -> Outcome<State> {
        match event {
            Event::Input(Input::Carrier(Carrier::HungUp(HungUp::Done | HungUp::Failed)))
            | Event::Input(Input::Carrier(Carrier::Stopped | Carrier::Lost))
            | Event::Due(Timer::HangUpLimit) => Transition(State::Ended { why }),
            _ => Super,
        }
    }

    pub(super) fn enter_ended(&mut self, why: EndReason, step: &mut Draft) {
        self.settle_at_end(step);
        self.functions_left(step);
        self.memory.timers.disarm_all();
        step.effect(Effect::CloseAgent);
        step.effect(Effect::LeaveStream);
        step.fact(Fact::CallEnded { reason: why });
    }
}

impl Memory {
    /// Whether anything that is to be heard before we hang up is not settled yet.
    pub(super) fn words_on_their_way(&self) -> bool {
        !self.on_its_way.is_empty() || !self.lines.is_empty()
    }
}

const fn last_words(why: EndReason) -> LineId {
    match why {
        EndReason::AgentHangup | EndReason::CallerHangup | EndReason::TimeLimit => LineId::Farewell,
        EndReason::NoInput => LineId::GoodbyeSilence,
        EndReason::AgentFailed | EndReason::SpeechFailed | EndReason::StreamLost => LineId::Trouble,
    }
}
