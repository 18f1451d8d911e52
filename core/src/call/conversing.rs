//! The talk: who has the floor, and the silence of the caller.

use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::lines::SPEAK_AT_LEAST;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, Carrier, Input};
use crate::line::LineId;
use crate::sabotage::Sabotage;
use crate::step::{EndReason, Fact};
use crate::time::{CallTime, Millis};

/// So many voices may cut us in a row without a word: then it is noise, or an echo of ourselves.
/// A word or two are tried after the last of them, and a person if that is cut too (F-DG-15).
const CUTS_MAX: u32 = 3;

/// A filler does not follow another by less than this.
const FILLER_AGAIN: Millis = Millis(500);

/// So long an agent may need to speak of a result: a filler said sooner would come before the reply
/// that it fills in for.
const REPLY_COMES: Millis = Millis(2_000);

impl Machine {
    /// The state that the facts call for: in a conversation, leaves follow from what is true.
    fn resting(&self) -> State {
        let memory = &self.memory;
        if !memory.agent_ready || memory.tones.is_some() {
            self.current
        } else if !memory.opening_over {
            State::Greeting
        } else if memory.somebody_speaks() {
            State::Speaking
        } else if memory.ledger.running() > 0 {
            State::FunctionPending
        } else if memory.reply_owed.is_some() {
            State::Thinking
        } else if memory.overtime {
            State::Farewell { why: EndReason::TimeLimit }
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
                // The agent gives up its reply at every voice. What it had sent may still wait
                // behind a line of ours, which goes on; what it was about to say is given up, too.
                if self.reply_is_under_way() {
                    self.is_cut_short(step);
                }
                self.voice_began(step);
                let agent_speaks =
                    self.memory.agent_mid_reply || self.memory.agent_speech_on_its_way();
                if agent_speaks || self.memory.agent_says_our_line() {
                    self.agent_stopped();
                    step.effect(Effect::CutReply);
                }
                self.settle()
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_said(text, *language, step)
            }
            Event::Input(Input::Agent(Agent::Said { utterance, text })) => {
                step.fact(Fact::AgentLine {
                    utterance: *utterance,
                    language: self.memory.language,
                    text: text.clone(),
                });
                self.note_parting(*utterance, text);
                self.agent_speaks(step);
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
            Event::Due(Timer::CallWarning) => {
                self.prepare(LineId::OneMinute, step);
                self.settle()
            }
            Event::Due(Timer::AgentSpeech) => {
                // It talks and talks (F-DG-31).
                self.stop_speaking(step);
                self.hand_to_a_person(EndReason::AgentFailed)
            }
            Event::Input(Input::Carrier(Carrier::Sound))
                if self.memory.cut_short.is_some() || self.memory.voice.is_some() =>
            {
                self.sound_heard(step);
                Handled
            }
            event => {
                let news = self.functions(event, step).or_else(|| self.keypad(event, step));
                news.or_else(|| self.speech(event, step)).unwrap_or(Super)
            }
        }
    }

    /// The agent speaks. Its speech is watched over from its first sentence until the caller has
    /// the floor again (F-DG-31).
    pub(super) fn agent_speaks(&mut self, step: &mut Draft) {
        self.memory.agent_mid_reply = true;
        self.memory.reply_owed = None;
        self.filler_too_late(step);
        if !self.memory.timers.is_armed(Timer::AgentSpeech) {
            self.watch_speech(step);
        }
    }

    /// The agent's speech is watched over from now on.
    pub(super) fn watch_speech(&mut self, step: &Draft) {
        let limit = self.memory.brief.limits.agent_speech;
        self.memory.arm(Timer::AgentSpeech, step.at, limit);
    }

    fn agent_stopped(&mut self) {
        self.memory.agent_mid_reply = false;
        self.memory.timers.disarm(Timer::AgentAudioDone);
    }

    pub(super) fn exit_conversing(&mut self) {
        self.number_left_behind();
        self.no_more_cut_short();
        for timer in [Timer::AgentAudioDone, Timer::AgentSpeech] {
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
        if let Some(keys) = &mut self.memory.keys {
            keys.unheard = false;
        }
        self.no_more_cut_short();
        let mut started = self.memory.voice.take().map_or(step.at, |voice| voice.began);
        if self.memory.sabotaged(Sabotage::CountsCalls) {
            started = CallTime::ZERO;
        }
        step.fact(Fact::CallerLine { started, ended: step.at, language, text: text.into() });
    }

    pub(super) fn enter_listening(&mut self, step: &mut Draft) {
        self.memory.timers.disarm(Timer::AgentSpeech);
        self.memory.outcome_untold = false;
        self.memory.waits_for_us = false;
        self.memory.silence.since = Some(step.at);
        self.arm_farewell(step);
        self.arm_prompt(step);
        self.arm_cut_short(step);
        self.arm_goodbye(step);
    }

    /// How long the caller may be silent before the prompt, and before the farewell.
    fn silence_limits(&self) -> (Millis, Millis) {
        let limits = &self.memory.brief.limits;
        if self.memory.silence.patient {
            (Millis(limits.patience.0 / 2), limits.patience)
        } else {
            (limits.silence_prompt, limits.silence_farewell)
        }
    }

    /// The goodbye waits for a voice that has just begun, while it sounds and then for its words, and
    /// no longer than a farewell may take: noise begins like a voice, too (S04).
    pub(super) fn arm_farewell(&mut self, step: &Draft) {
        if self.memory.sabotaged(Sabotage::WaitsOn) {
            return;
        }
        let (_, farewell) = self.silence_limits();
        let silence = &self.memory.silence;
        let since = silence.since.unwrap_or(step.at);
        let due = since + farewell.less(silence.before);
        let latest = since + (farewell + self.memory.brief.limits.farewell).less(silence.before);
        let words = self.memory.voice.map_or(due, |voice| self.memory.words_due(voice.sounded));
        self.memory.timers.arm(Timer::SilenceFarewell, due.max(words.min(latest)));
    }

    /// The prompt waits for a voice that was heard to begin: its words come only when it pauses.
    /// Noise begins like a voice, so it waits no longer than three quarters of the way to the
    /// farewell.
    pub(super) fn arm_prompt(&mut self, step: &Draft) {
        if self.memory.silence.prompted {
            return;
        }
        let (prompt, farewell) = self.silence_limits();
        let before = self.memory.silence.before;
        let since = self.memory.silence.since.unwrap_or(step.at);
        let latest = since + Millis(farewell.0 / 4 * 3).less(before);
        let long_turn = self.memory.brief.limits.long_turn;
        let told = self.memory.voice.and_then(|voice| voice.told);
        let after_voice = told.map_or(since, |told| (told + long_turn).min(latest));
        let due = (since + prompt.less(before)).max(after_voice);
        self.memory.timers.arm(Timer::SilencePrompt, due);
    }

    pub(super) fn exit_listening(&mut self, step: &mut Draft) {
        self.memory.timers.disarm(Timer::CutShort);
        self.memory.timers.disarm(Timer::Goodbye);
        let silence = &mut self.memory.silence;
        if let Some(since) = silence.since.take() {
            silence.before = silence.before + step.at.since(since);
        }
        if self.memory.sabotaged(Sabotage::CountsSpeech) {
            return;
        }
        self.memory.timers.disarm(Timer::SilencePrompt);
        self.memory.timers.disarm(Timer::SilenceFarewell);
    }

    /// The caller has the floor. Noise does not reset the silence clock; only words do. It delays
    /// the prompt, within a bound.
    pub(super) fn listening(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::SilencePrompt) => {
                self.memory.silence.prompted = true;
                let patient = self.memory.silence.patient;
                let line = if patient { LineId::TakeYourTime } else { LineId::StillThere };
                self.prepare(line, step);
                self.settle()
            }
            Event::Due(Timer::SilenceFarewell) => {
                Transition(State::Farewell { why: EndReason::NoInput })
            }
            Event::Due(Timer::CutShort) => self.nothing_followed(step),
            // The agent has said so, and forgets to hang up (S21).
            Event::Due(Timer::Goodbye) => {
                Transition(State::Farewell { why: EndReason::AgentHangup })
            }
            _ => Super,
        }
    }

    /// The agent's reply is waited for, and so is the voice of a caller who speaks meanwhile.
    pub(super) fn enter_thinking(&mut self, step: &Draft) {
        self.memory.waits_for_us = true;
        let owed = self.memory.reply_owed.unwrap_or(step.at);
        let due = owed + self.memory.brief.limits.reply;
        let words = self.memory.voice_counts().map_or(due, |voice| self.memory.words_due(voice));
        self.memory.timers.arm(Timer::ReplyLimit, due.max(words));
        // An answer may be about to come, but not so late that nothing could be said any more.
        let latest = self.memory.last_sound + self.tries().less(SPEAK_AT_LEAST);
        let at_least = (step.at + REPLY_COMES).min(latest);
        if !self.ask_instead_of_filler(at_least) {
            self.arm_filler(at_least, step);
        }
    }

    pub(super) fn enter_function_pending(&mut self, step: &Draft) {
        self.memory.waits_for_us = true;
        self.arm_filler(step.at, step);
    }

    /// Dead air is counted from the last sound, whatever state it was in.
    fn arm_filler(&mut self, at_least: CallTime, step: &Draft) {
        let filler = self.memory.brief.limits.filler;
        let due = (self.memory.last_sound + filler).max(at_least).max(step.at + FILLER_AGAIN);
        if !self.memory.sabotaged(Sabotage::SaysNothing) {
            self.memory.timers.arm(Timer::Filler, due);
        }
    }

    pub(super) fn exit_waiting(&mut self) {
        for timer in [Timer::Filler, Timer::CutShort, Timer::ReplyLimit] {
            self.memory.timers.disarm(timer);
        }
    }

    pub(super) fn thinking(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::CutShort) => self.nothing_followed(step),
            Event::Due(Timer::ReplyLimit) => self.hand_to_a_person(EndReason::AgentFailed),
            _ => Super,
        }
    }

    /// Speech is on its way. The caller's voice stops it, unless it must be heard to its end.
    pub(super) fn speaking(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Input(Input::Agent(Agent::CallerStarted))
                if !self.memory.required_speech() && !self.memory.sabotaged(Sabotage::TalksOn) =>
            {
                self.memory.cuts += 1;
                if self.reply_is_under_way() {
                    self.is_cut_short(step);
                }
                self.voice_began(step);
                self.stop_speaking(step);
                if self.memory.cuts > CUTS_MAX {
                    return self.hand_to_a_person(EndReason::AgentFailed);
                }
                if self.memory.cuts == CUTS_MAX {
                    // Perhaps something shorter comes through.
                    self.prepare(LineId::HearMe, step);
                }
                self.settle()
            }
            _ => Super,
        }
    }

    /// Stops everything that is on its way to the caller. A line that is still being made is not
    /// wanted any more.
    pub(super) fn stop_speaking(&mut self, step: &mut Draft) {
        self.agent_stopped();
        let sent: Vec<_> = self.memory.on_its_way.keys().copied().collect();
        self.drop_lines(|u, line| sent.contains(u) || line.line.is_required(), step);
        step.effect(Effect::Clear);
    }
}
