//! The beginning: the agent is being connected while the opening line may already play.

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::company::Recording;
use crate::effect::Effect;
use crate::input::{Agent, Carrier, Input, Operator};
use crate::line::LineId;
use crate::step::{EndReason, Fact, RecordingReason};
use crate::time::Millis;

impl Machine {
    pub(super) fn enter_connecting(&mut self, step: &mut Draft) {
        let brief = &self.memory.brief;
        step.fact(Fact::CallStarted {
            direction: brief.direction,
            company: brief.company.clone(),
            config_version: brief.config_version,
            utc_start_ms: brief.utc_start_ms,
            utc_offset_minutes: brief.utc_offset_minutes,
        });
        step.fact(Fact::LanguageSet(brief.language));
        let on = brief.recording == Recording::On;
        step.fact(Fact::RecordingState { on, why: RecordingReason::CompanyPolicy });

        let limits = brief.limits.clone();
        self.memory.arm(Timer::AgentReady, step.at, limits.agent_ready);
        self.memory.arm(Timer::CallLimit, step.at, limits.call);
        let warning = limits.call.less(limits.call_warning);
        if warning > Millis(0) {
            self.memory.arm(Timer::CallWarning, step.at, warning);
        }
        step.effect(Effect::OpenAgent { language: self.memory.language, resume: false });
        self.prepare(LineId::Opening, step);
    }

    pub(super) fn connecting(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::Ready)) => {
                self.memory.timers.disarm(Timer::AgentReady);
                self.agent_listens(false, step);
                self.say_owed(step);
                self.settle()
            }
            Event::Due(Timer::AgentReady) => self.agent_too_late(step),
            Event::Due(Timer::Filler) => {
                self.prepare(LineId::Hold, step);
                Handled
            }
            Event::Input(Input::Carrier(Carrier::Sound)) => self.heard_by_nobody_else(step),
            event => self.speech(event, step).unwrap_or(Super),
        }
    }

    /// What holds from the answer to the end of the call.
    pub(super) fn in_call(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Carrier(Carrier::Stopped | Carrier::Completed)) => {
                Transition(State::Ended { why: EndReason::CallerHangup })
            }
            Event::Input(Input::Carrier(Carrier::Lost)) => {
                Transition(State::Ended { why: EndReason::StreamLost })
            }
            Event::Input(Input::Carrier(Carrier::Dead)) => self.stream_dead(step),
            Event::Input(Input::Agent(Agent::Lost(loss))) => self.agent_lost(loss, step),
            Event::Input(Input::Agent(Agent::Warned(_))) => Handled,
            Event::Input(Input::Operator(operator)) => self.operator(operator, step),
            Event::Input(Input::Carrier(Carrier::Key(key))) if self.memory.keys.is_some() => {
                self.key_for_nobody(*key, step);
                Handled
            }
            Event::Due(Timer::KeyGap) => {
                self.give_keys_up(step);
                Handled
            }
            Event::Due(Timer::CallWarning) => {
                self.owe(LineId::OneMinute);
                Handled
            }
            Event::Due(Timer::CallLimit) => self.time_is_up(step),
            Event::Due(Timer::DrainLimit) => self.hand_to_a_person(EndReason::Drained),
            _ => Super,
        }
    }

    /// The longest call is reached. What comes of a payment is waited for and told before goodbye is
    /// said (S30), within the payment's own limit and the time that a reply may take.
    fn time_is_up(&mut self, step: &mut Draft) -> Outcome<State> {
        let runs_until = self.memory.ledger.writes_until();
        if self.memory.overtime || (runs_until.is_none() && !self.memory.outcome_untold) {
            return Transition(State::Farewell { why: EndReason::TimeLimit });
        }
        self.memory.overtime = true;
        let reply = self.memory.brief.limits.reply;
        self.memory.arm(Timer::CallLimit, runs_until.unwrap_or(step.at), reply);
        Handled
    }

    /// What came of a payment is known, and is to be told.
    pub(super) fn outcome_known(&mut self, step: &Draft) {
        self.memory.outcome_untold = true;
        if self.memory.overtime && self.memory.ledger.writes_until().is_none() {
            let reply = self.memory.brief.limits.reply;
            self.memory.arm(Timer::CallLimit, step.at, reply);
        }
    }

    /// Nothing reaches the caller any more, and the carrier may not know it: it would hold the call
    /// open for a stream on which nobody speaks. It is told by another way (S27).
    fn stream_dead(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.timers.disarm(Timer::AgentReady);
        self.last_word_of_agent(step);
        self.settle_at_end(step);
        Transition(State::HangingUp { why: EndReason::StreamLost })
    }

    fn operator(&mut self, operator: &Operator, step: &mut Draft) -> Outcome<State> {
        match operator {
            Operator::Drain { within } => {
                self.memory.arm(Timer::DrainLimit, step.at, within.less(DRAIN_HANDOVER));
                Handled
            }
            Operator::HangUp => Transition(State::Farewell { why: EndReason::OperatorHangup }),
            Operator::Transfer { target } => self.transfer_to(Some(target)).unwrap_or(Super),
        }
    }
}

/// So long before the server stops, a call that still lives is handed over (F-PR-01).
const DRAIN_HANDOVER: Millis = Millis::from_secs(15);
