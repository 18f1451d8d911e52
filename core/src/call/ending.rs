//! The end: goodbye, hanging up, and what is over.
//!
//! The farewell is decided elsewhere, by returning `Transition(State::Farewell { why })`: in
//! `functions.rs` when the agent asks to hang up, in `conversing.rs` when the caller is silent
//! too long or the agent owes a reply too long, in `connecting.rs` when the agent fails or the
//! longest call is reached. Here stands what happens then.

use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::memory::Memory;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::company::FarewellPolicy;
use crate::effect::Effect;
use crate::input::{Agent, Carrier, HungUp, Input, Operator};
use crate::line::LineId;
use crate::phrases::meaning;
use crate::sabotage::Sabotage;
use crate::step::{EndReason, Fact};

impl Machine {
    pub(super) fn enter_farewell(&mut self, why: EndReason, step: &mut Draft) {
        let limit = self.memory.brief.limits.farewell;
        self.memory.timers.disarm(Timer::AgentReady);
        self.memory.arm(Timer::FarewellLimit, step.at, limit);
        self.last_word_of_agent(step);
        self.prepare(last_words(why), step);
    }

    /// The agent has nothing more to say. What it said already is heard to its end.
    pub(super) fn last_word_of_agent(&mut self, step: &mut Draft) {
        step.effect(Effect::MuteAgent);
        step.effect(Effect::EndSentence);
        self.memory.agent_mid_reply = false;
        self.memory.reply_owed = None;
        let sent: Vec<_> = self.memory.on_its_way.keys().copied().collect();
        self.drop_lines(|utterance, _| sent.contains(utterance), step);
    }

    /// Goodbye is being said. The caller's voice does not stop it; the caller's words do once,
    /// where the company wants that.
    pub(super) fn farewell(
        &mut self,
        event: &Event<'_>,
        why: EndReason,
        step: &mut Draft,
    ) -> Outcome<State> {
        match event {
            Event::Due(Timer::FarewellLimit) => Transition(State::HangingUp { why }),
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. }))
                if self.may_reopen(why) && !meaning(text).empty =>
            {
                self.memory.reopened = true;
                self.memory.timers.disarm(Timer::FarewellLimit);
                // The farewell is called off: its rest is not wanted any more.
                self.drop_lines(|_, _| false, step);
                step.effect(Effect::Clear);
                step.effect(Effect::UnmuteAgent);
                let said = self.caller_said(text, *language, step);
                if matches!(said, Transition(State::Transferring)) {
                    return said;
                }
                self.say_owed(step);
                self.give_held(step);
                self.settle()
            }
            _ => Super,
        }
    }

    pub(super) fn may_reopen(&self, why: EndReason) -> bool {
        let policy = self.memory.brief.farewell == FarewellPolicy::ReopenOnce;
        let wished = matches!(why, EndReason::AgentHangup | EndReason::NoInput);
        let over = self.memory.reopened || self.memory.overtime;
        policy && wished && !over && self.memory.agent_ready
    }

    /// What holds while the call ends.
    pub(super) fn ending(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::Lost(loss))) => {
                self.memory.agent_ready = false;
                self.memory.timers.disarm(Timer::AgentReady);
                self.memory.handing.agent_lost = Some(loss.clone());
                step.effect(Effect::CutReply);
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerStarted)) => {
                self.memory.caller_started.get_or_insert(step.at);
                // The agent leaves off at every voice, whatever it is saying for us.
                if self.memory.agent_says_our_line() {
                    step.effect(Effect::CutReply);
                }
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_line(text, *language, step);
                if self.memory.sabotaged(Sabotage::HandlesIgnored) { Super } else { Handled }
            }
            // It is ending already, and now for good.
            Event::Due(Timer::CallLimit | Timer::DrainLimit) => {
                self.memory.reopened = true;
                Handled
            }
            Event::Input(Input::Operator(Operator::HangUp | Operator::Transfer { .. })) => {
                step.ignored = true;
                Handled
            }
            Event::Due(Timer::FunctionLimit) => {
                self.functions_overdue(step);
                Handled
            }
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
        if self.memory.sabotaged(Sabotage::HangsUpTwice) {
            step.effect(Effect::HangUp);
        }
    }

    pub(super) fn hanging_up(
        &mut self,
        event: &Event<'_>,
        why: EndReason,
        _step: &mut Draft,
    ) -> Outcome<State> {
        match event {
            Event::Input(Input::Carrier(Carrier::HungUp(HungUp::Done | HungUp::Failed)))
            | Event::Input(Input::Carrier(Carrier::Stopped | Carrier::Lost | Carrier::Completed))
            | Event::Due(Timer::HangUpLimit) => Transition(State::Ended { why }),
            // The request goes another way than the stream, and its answer will come.
            Event::Input(Input::Carrier(Carrier::Dead)) => Handled,
            _ => Super,
        }
    }

    /// After the end nothing happens but that a write comes to its outcome (I-06, I-19).
    pub(super) fn ended(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::FunctionLimit) => {
                self.functions_overdue(step);
                Handled
            }
            Event::Input(input @ Input::Function(ended))
                if self.memory.ledger.writes(&ended.id) =>
            {
                self.functions_at_end(input, step).unwrap_or(Super)
            }
            _ => Super,
        }
    }

    pub(super) fn enter_ended(&mut self, why: EndReason, step: &mut Draft) {
        self.give_keys_up(step);
        self.settle_at_end(step);
        if !self.memory.sabotaged(Sabotage::LeavesTimers) {
            self.memory.timers.disarm_all();
        }
        self.functions_left(step);
        if !self.memory.sabotaged(Sabotage::LeavesSession) {
            step.effect(Effect::CloseAgent);
        }
        step.effect(Effect::LeaveStream);
        if !self.memory.sabotaged(Sabotage::ForgetsEnd) {
            step.fact(Fact::CallEnded { reason: why });
        }
    }
}

impl Memory {
    /// Whether anything that is to be heard before we hang up is not settled yet.
    pub(super) fn words_on_their_way(&self) -> bool {
        let waits = !self.on_its_way.is_empty() || !self.lines.is_empty();
        waits && !self.sabotaged(Sabotage::HangsUpEarly)
    }
}

const fn last_words(why: EndReason) -> LineId {
    match why {
        EndReason::AgentHangup
        | EndReason::CallerHangup
        | EndReason::TimeLimit
        | EndReason::Transferred
        | EndReason::OperatorHangup => LineId::Farewell,
        EndReason::NoInput => LineId::GoodbyeSilence,
        EndReason::AgentFailed
        | EndReason::StreamLost
        | EndReason::TransferFailed
        | EndReason::Drained => LineId::Trouble,
    }
}
