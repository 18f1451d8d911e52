//! Speech to the caller: lines of ours from being asked for to being heard, and the agent's
//! sentences from their first audio to their mark.

use alloc::vec::Vec;

use statig::Outcome::{self, Handled};

use super::Draft;
use super::lines::BEGIN_LIMIT;
use super::timers::Timer;
use super::topology::{Event, Machine, Region, State};
use crate::effect::Effect;
use crate::input::{CutReason, Input, Playback};
use crate::line::{LineId, Rung, UtteranceId};
use crate::sabotage::Sabotage;
use crate::step::Fact;
use crate::time::{CallTime, Millis};

impl Machine {
    /// News of speech, in whatever state. Nothing if the event is about something else, or about
    /// speech that nobody waits for.
    pub(super) fn speech(&mut self, event: &Event<'_>, step: &mut Draft) -> Option<Outcome<State>> {
        match event {
            Event::Input(Input::Line(news)) => self.line_news(news, step),
            Event::Due(Timer::LineReady) => self.lines_overdue(step),
            Event::Input(Input::Playback(news)) => self.playback_news(news, step),
            Event::Due(Timer::PlaybackMark) => {
                let mark = self.memory.brief.limits.mark;
                let now = step.at;
                self.marks_are_lost(|until| until + mark <= now, step);
                Some(self.after_speech(step))
            }
            // A line of ours that the agent says, and whose end it does not tell.
            Event::Due(Timer::AgentAudioDone) => {
                step.effect(Effect::EndSentence);
                Some(Handled)
            }
            _ => None,
        }
    }

    fn playback_news(&mut self, news: &Playback, step: &mut Draft) -> Option<Outcome<State>> {
        match news {
            Playback::Waits { utterance } | Playback::Began { utterance } => {
                let new = !self.memory.on_its_way.contains_key(utterance);
                let begins = matches!(news, Playback::Began { .. });
                self.memory.on_its_way.entry(*utterance).or_default().begun |= begins;
                if let Some(line) = self.memory.lines.get_mut(utterance) {
                    line.limit = if begins { None } else { Some(step.at + BEGIN_LIMIT) };
                    self.memory.loss.held |= line.line == LineId::Hold;
                    self.rearm_lines();
                }
                // What the agent said before its last word may still begin: that is no reply.
                let in_talk = self.current.region() == Region::Conversing;
                if utterance.is_agents() && new && in_talk {
                    self.no_more_cut_short();
                    // What was waiting may be all there is: its end may have come before.
                    self.agent_speaks(step);
                    self.memory.timers.disarm(Timer::AgentAudioDone);
                }
            }
            Playback::Queued { utterance, until, .. } => {
                self.memory.on_its_way.get_mut(utterance)?.until = Some(*until);
                self.rearm_marks();
                return Some(Handled);
            }
            Playback::Heard { utterance, audio } => {
                let way = self.memory.on_its_way.remove(utterance)?;
                // Marks come back in order: what should have been played before it has lost its own.
                if let Some(heard) = way.until {
                    self.marks_are_lost(|until| until <= heard, step);
                }
                step.fact(Fact::Heard { utterance: *utterance, audio: *audio });
                self.memory.silence.goodbye |= self.memory.parting == Some(*utterance);
                self.settled(*utterance, step);
            }
            Playback::Cut { utterance, heard, audio, whole, why } => {
                self.cut(*utterance, step)?;
                let (utterance, heard, audio) = (*utterance, *heard, *audio);
                step.fact(Fact::Cut { utterance, heard, audio, whole: *whole, why: *why });
                // Last words are cut only by the end of the stream, of which we hear next.
                if !utterance.is_agents() && self.current.region() == Region::Ending {
                    return Some(Handled);
                }
            }
            Playback::Dry => {
                let limit = self.memory.brief.limits.agent_audio_done;
                self.memory.arm(Timer::AgentAudioDone, step.at, limit);
                return Some(Handled);
            }
        }
        Some(self.after_speech(step))
    }

    /// The marks behind speech that should have been played at such times will not come back.
    fn marks_are_lost(&mut self, is_lost: impl Fn(CallTime) -> bool, step: &mut Draft) {
        let queued = self.memory.on_its_way.iter().filter_map(|(u, way)| Some((way.until?, *u)));
        let mut lost: Vec<_> = queued.filter(|(until, _)| is_lost(*until)).collect();
        lost.sort_unstable();
        for (_, utterance) in lost {
            if !self.memory.sabotaged(Sabotage::ForgetsSpeech) {
                step.fact(Fact::HeardUnknown { utterance });
            }
            self.settled(utterance, step);
        }
        self.rearm_marks();
    }

    /// The first mark that is waited for has its time.
    fn rearm_marks(&mut self) {
        let limit = self.memory.brief.limits.mark;
        match self.memory.on_its_way.values().filter_map(|way| way.until).min() {
            Some(until) => self.memory.arm(Timer::PlaybackMark, until, limit),
            None => self.memory.timers.disarm(Timer::PlaybackMark),
        }
    }

    /// An utterance was heard, or nothing more will be learnt about it.
    fn settled(&mut self, utterance: UtteranceId, step: &mut Draft) {
        self.off_its_way(utterance);
        self.memory.last_sound = step.at;
        let Some(our_line) = self.memory.lines.remove(&utterance) else { return };
        if our_line.line == LineId::Opening {
            self.memory.opening_over = true;
        }
        // What the agent said itself it knows.
        let knows = our_line.by == Rung::Injected || !self.memory.agent_ready;
        if let (Some(text), false) = (our_line.text, knows) {
            step.effect(Effect::TellAgent { utterance, text });
        }
    }

    /// An utterance was cut. A line that must be heard is said again, while there is still time.
    fn cut(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<()> {
        let known = self.off_its_way(utterance);
        self.memory.last_sound = step.at;
        let our_line = self.memory.lines.remove(&utterance);
        match our_line {
            Some(our_line) if our_line.line.is_required() && self.memory.tones.is_some() => {
                // Nobody would hear it now.
                self.owe(our_line.line);
            }
            Some(our_line) if our_line.line.is_required() => self.say_again(&our_line, step),
            Some(_) => {}
            None if known => {}
            None => return None,
        }
        Some(())
    }

    fn off_its_way(&mut self, utterance: UtteranceId) -> bool {
        let known = self.memory.on_its_way.remove(&utterance).is_some();
        self.rearm_marks();
        known
    }

    pub(super) fn after_speech(&mut self, step: &mut Draft) -> Outcome<State> {
        match self.current {
            State::Farewell { why } if !self.memory.words_on_their_way() => {
                // A write that is under way comes to its outcome after the call (I-06): the caller
                // would only wait in silence for it.
                self.goodbye_was_said(why, step)
            }
            State::Transferring if !self.memory.words_on_their_way() => {
                self.ask_for_transfer(step);
                Handled
            }
            State::PlayingTones => {
                if !self.memory.words_on_their_way() {
                    self.ask_for_tones(step);
                }
                Handled
            }
            State::Farewell { .. }
            | State::Transferring
            | State::HangingUp { .. }
            | State::Ended { .. } => Handled,
            State::Reconnecting => {
                self.hold_in_silence(step);
                Handled
            }
            State::Connecting => {
                if self.memory.opening_over {
                    self.hold_in_silence(step);
                }
                Handled
            }
            _ => match self.memory.opening_over.then(|| self.decide_early_asks(step)).flatten() {
                Some(outcome) => outcome,
                None => self.settle(),
            },
        }
    }

    /// Whatever is still unsettled when the call ends was perhaps heard, perhaps not. What never began
    /// was not.
    pub(super) fn settle_at_end(&mut self, step: &mut Draft) {
        for (utterance, way) in core::mem::take(&mut self.memory.on_its_way) {
            step.fact(if way.begun {
                Fact::HeardUnknown { utterance }
            } else {
                let (heard, audio, why) = (Millis(0), Millis(0), CutReason::StreamEnded);
                Fact::Cut { utterance, heard, audio, whole: false, why }
            });
        }
        self.rearm_marks();
        self.drop_lines(|_, _| false, step);
    }
}
