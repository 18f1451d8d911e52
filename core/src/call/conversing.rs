//! The talk: who has the floor, and the silence of the caller.

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::memory::Silence;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, Input};
use crate::line::LineId;
use crate::step::{EndReason, Fact};

impl Machine {
    /// The state that the facts call for: in a conversation, leaves follow from what is true.
    fn resting(&self) -> State {
        let memory = &self.memory;
        if !memory.agent_ready {
            State::Connecting
        } else if !memory.opening_over {
            State::Greeting
        } else if memory.somebody_speaks() {
            State::Speaking
        } else if memory.ledger.running() > 0 {
            State::FunctionPending
        } else if memory.reply_owed.is_some() {
            State::Thinking
        } else {
            State::Listening
        }
    }

    /// Goes where the facts call for, if that is somewhere else.
    pub(super) fn settle(&self) -> Outcome<State> {
        let target = self.resting();
        if target == self.current { Handled } else { Transition(target) }
    }

    pub(super) fn conversing(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::CallerStarted)) => {
                self.memory.caller_started.get_or_insert(step.at);
                // The agent gives up its reply at every voice. What it had sent may still wait
                // behind a line of ours, which goes on.
                if self.memory.agent_mid_reply || self.memory.agent_speech_on_its_way() {
                    self.agent_stopped();
                    step.effect(Effect::CutReply);
                }
                self.settle()
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language })) => {
                self.caller_line(text, *language, step);
                self.memory.silence = Silence::default();
                self.memory.reply_owed = Some(step.at);
                if self.current == State::Thinking {
                    // The reply that is owed now is the one to these words.
                    self.enter_thinking(step);
                }
                self.settle()
            }
            Event::Input(Input::Agent(Agent::Said { utterance, text })) => {
                step.fact(Fact::AgentLine {
                    utterance: *utterance,
                    language: self.memory.language,
                    text: text.clone(),
                });
                self.memory.agent_mid_reply = true;
                self.memory.reply_owed = None;
                if !self.memory.on_its_way.contains_key(utterance) {
                    // Words whose audio never comes must not hold the floor.
                    let limit = self.memory.brief.limits.agent_audio_done;
                    self.memory.arm(Timer::AgentAudioDone, step.at, limit);
                }
                self.settle()
            }
            Event::Input(Input::Agent(Agent::AudioDone)) => {
                self.memory.agent_mid_reply = false;
                self.memory.timers.disarm(Timer::AgentAudioDone);
                self.settle()
            }
            Event::Due(Timer::AgentAudioDone) => {
                self.memory.agent_mid_reply = false;
                step.effect(Effect::EndSentence);
                self.settle()
            }
            Event::Due(Timer::Filler) => {
                self.prepare(LineId::Hold, step);
                self.settle()
            }
            event => match self.functions(event, step) {
                Some(outcome) => outcome,
                None => self.speech(event, step).unwrap_or(Super),
            },
        }
    }

    fn agent_stopped(&mut self) {
        self.memory.agent_mid_reply = false;
        self.memory.timers.disarm(Timer::AgentAudioDone);
    }

    pub(super) fn exit_conversing(&mut self) {
        for timer in [Timer::LineReady, Timer::AgentAudioDone, Timer::FunctionLimit] {
            self.memory.timers.disarm(timer);
        }
    }

    /// The caller's turn, as evidence.
    pub(super) fn caller_line(
        &mut self,
        text: &str,
        language: Option<crate::line::Language>,
        step: &mut Draft,
    ) {
        let started = self.memory.caller_started.take().unwrap_or(step.at);
        step.fact(Fact::CallerLine { started, ended: step.at, language, text: text.into() });
    }

    pub(super) fn enter_listening(&mut self, step: &mut Draft) {
        let limits = &self.memory.brief.limits;
        let (prompt, farewell) = (limits.silence_prompt, limits.silence_farewell);
        let before = self.memory.silence.before;
        self.memory.silence.since = Some(step.at);
        if !self.memory.silence.prompted {
            self.memory.arm(Timer::SilencePrompt, step.at, prompt.less(before));
        }
        self.memory.arm(Timer::SilenceFarewell, step.at, farewell.less(before));
    }

    pub(super) fn exit_listening(&mut self, step: &mut Draft) {
        let silence = &mut self.memory.silence;
        if let Some(since) = silence.since.take() {
            silence.before = silence.before + step.at.since(since);
        }
        self.memory.timers.disarm(Timer::SilencePrompt);
        self.memory.timers.disarm(Timer::SilenceFarewell);
    }

    /// The caller has the floor. Noise does not reset the silence clock; only words do.
    pub(super) fn listening(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::SilencePrompt) => {
                self.memory.silence.prompted = true;
                self.prepare(LineId::StillThere, step);
                self.settle()
            }
            Event::Due(Timer::SilenceFarewell) => {
                Transition(State::Farewell { why: EndReason::NoInput })
            }
            _ => Super,
        }
    }

    pub(super) fn enter_thinking(&mut self, step: &mut Draft) {
        let limits = &self.memory.brief.limits;
        let (filler, reply) = (limits.filler, limits.reply);
        let owed = self.memory.reply_owed.unwrap_or(step.at);
        self.memory.arm(Timer::Filler, step.at, filler);
        self.memory.arm(Timer::ReplyLimit, owed, reply);
    }

    pub(super) fn enter_function_pending(&mut self, step: &mut Draft) {
        let filler = self.memory.brief.limits.filler;
        self.memory.arm(Timer::Filler, step.at, filler);
    }

    pub(super) fn exit_waiting(&mut self) {
        self.memory.timers.disarm(Timer::Filler);
        self.memory.timers.disarm(Timer::ReplyLimit);
    }

    pub(super) fn thinking(&mut self, event: &Event<'_>, _step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::ReplyLimit) => {
                Transition(State::Farewell { why: EndReason::AgentFailed })
            }
            _ => Super,
        }
    }

    /// Speech is on its way. The caller's voice stops it, unless it must be heard to its end.
    pub(super) fn speaking(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::CallerStarted)) if !self.memory.required_speech() => {
                self.memory.caller_started.get_or_insert(step.at);
                self.agent_stopped();
                // A line that is still being made is not wanted any more.
                let on_its_way = &self.memory.on_its_way;
                self.memory.lines.retain(|utterance, _| on_its_way.contains_key(utterance));
                step.effect(Effect::Clear);
                self.settle()
            }
            _ => Super,
        }
    }
}
