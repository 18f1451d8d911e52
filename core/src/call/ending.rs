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
use crate::line::{LineId, UtteranceId};
use crate::phrases::{meaning, parting};
use crate::sabotage::Sabotage;
use crate::step::{EndReason, Fact};

impl Machine {
    pub(super) fn enter_farewell(&mut self, why: EndReason, step: &mut Draft) {
        let limit = self.memory.brief.limits.farewell;
        self.memory.timers.disarm(Timer::AgentReady);
        self.memory.arm(Timer::FarewellLimit, step.at, limit);
        self.last_word_of_agent(step);
        // What the agent says before it asks to hang up is heard. For any other end it is not waited for
        // long: our last words would come too late behind it.
        if why != EndReason::AgentHangup {
            step.effect(Effect::CutReply);
        }
        self.prepare(last_words(why), step);
    }

    /// The agent has nothing more to say. What it has said to its end is heard to its end, and of a
    /// sentence that it has not finished what there is.
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
            Event::Due(Timer::FarewellLimit | Timer::Goodbye) => {
                Transition(State::HangingUp { why })
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. }))
                if self.may_reopen(why) && !meaning(text).empty =>
            {
                self.memory.reopened = true;
                self.memory.timers.disarm(Timer::FarewellLimit);
                self.memory.timers.disarm(Timer::Goodbye);
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

    /// Our goodbye was heard, or is past hoping for. Where words may call it off, those of a voice that
    /// has begun are waited for, within the farewell's limit: nobody hangs up on a question (S20).
    pub(super) fn goodbye_was_said(&mut self, why: EndReason, step: &Draft) -> Outcome<State> {
        if self.may_reopen(why) && self.memory.open_voice(step.at).is_some() {
            self.arm_goodbye(step);
            return Handled;
        }
        Transition(State::HangingUp { why })
    }

    /// Goodbye was said, and words may follow: the call ends when none do.
    pub(super) fn arm_goodbye(&mut self, step: &Draft) {
        let ending = matches!(self.current, State::Farewell { .. });
        if !ending && !self.memory.silence.goodbye {
            return self.memory.timers.disarm(Timer::Goodbye);
        }
        let heard = if ending { None } else { self.memory.silence.since };
        let voice = self.memory.voice.map(|voice| voice.sounded);
        let quiet = heard.max(voice).unwrap_or(step.at);
        let due = self.memory.words_due(quiet);
        self.memory.timers.arm(Timer::Goodbye, due);
    }

    /// Notes whether the agent takes its leave with this sentence. A question takes that back.
    pub(super) fn note_parting(&mut self, utterance: UtteranceId, text: &str) {
        match parting(text) {
            Some(true) => self.memory.parting = Some(utterance),
            Some(false) => self.no_parting(),
            None => {}
        }
    }

    /// The talk goes on.
    pub(super) fn no_parting(&mut self) {
        self.memory.parting = None;
        self.memory.silence.goodbye = false;
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
                self.voice_began(step);
                // The agent leaves off at every voice, whatever it is saying for us.
                if self.memory.agent_says_our_line() {
                    step.effect(Effect::CutReply);
                }
                Handled
            }
            Event::Input(Input::Carrier(Carrier::Sound)) if self.memory.voice.is_some() => {
                self.sound_heard(step);
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_line(text, *language, step);
                if self.memory.timers.is_armed(Timer::Goodbye) {
                    // They were waited for, and call nothing off.
                    return self.after_speech(step);
                }
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
        self.memory.timers.disarm(Timer::Goodbye);
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
