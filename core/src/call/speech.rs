//! Speech to the caller: lines of ours from being asked for to being heard, and the agent's
//! sentences from their first audio to their mark.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Transition};

use super::Draft;
use super::memory::{OnItsWay, OurLine};
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Input, Line, Playback};
use crate::line::{LineId, UtteranceId};
use crate::step::{EndReason, Fact};
use crate::time::Millis;

/// A line that is ready begins to play at once, unless speech is queued before it: at most 30
/// seconds (fault F-DG-29), and the carrier's lead.
const BEGIN_LIMIT: Millis = Millis::from_secs(35);

impl Machine {
    /// Asks for a line of ours.
    pub(super) fn prepare(&mut self, line: LineId, step: &mut Draft) {
        self.memory.lines_asked += 1;
        let utterance = UtteranceId::Line(self.memory.lines_asked);
        let limit = Some(step.at + self.memory.brief.limits.line_ready);
        self.memory.lines.insert(utterance, OurLine { line, text: None, limit });
        self.rearm_lines();
        step.effect(Effect::Prepare {
            utterance,
            line,
            language: self.memory.language,
            arguments: self.blanks(line),
        });
    }

    fn blanks(&self, line: LineId) -> BTreeMap<String, String> {
        let company = || ("company".to_string(), self.memory.brief.company_name.clone());
        match line {
            LineId::Opening | LineId::Farewell | LineId::GoodbyeSilence => {
                BTreeMap::from([company()])
            }
            LineId::StillThere | LineId::Hold | LineId::Trouble => BTreeMap::new(),
        }
    }

    /// News of speech, in whatever state. Nothing if the event is about something else, or about
    /// speech that nobody waits for.
    pub(super) fn speech(&mut self, event: &Event<'_>, step: &mut Draft) -> Option<Outcome<State>> {
        match event {
            Event::Input(Input::Line(news)) => self.line_news(news, step),
            Event::Due(Timer::LineReady) => {
                let lines = self.memory.lines.iter();
                let late: Vec<_> = lines
                    .filter(|(_, line)| line.limit.is_some_and(|limit| limit <= step.at))
                    .map(|(utterance, _)| *utterance)
                    .collect();
                let mut outcome = None;
                for utterance in late {
                    outcome = self.line_failed(utterance, step).or(outcome);
                }
                self.rearm_lines();
                outcome
            }
            Event::Input(Input::Playback(news)) => self.playback_news(news, step),
            Event::Due(Timer::PlaybackMark) => {
                let on_its_way = &self.memory.on_its_way;
                let lost: Vec<_> =
                    on_its_way.iter().filter(|(_, o)| o.queued).map(|(u, _)| *u).collect();
                for utterance in lost {
                    step.fact(Fact::HeardUnknown { utterance });
                    self.settled(utterance, step);
                }
                Some(self.after_speech())
            }
            _ => None,
        }
    }

    fn line_news(&mut self, news: &Line, step: &mut Draft) -> Option<Outcome<State>> {
        match news {
            Line::Ready { utterance, text, version, audio } => {
                let our_line = self.memory.lines.get_mut(utterance)?;
                if our_line.text.is_some() {
                    return None;
                }
                our_line.text = Some(text.clone());
                our_line.limit = Some(step.at + BEGIN_LIMIT);
                step.fact(Fact::LineRendered {
                    utterance: *utterance,
                    line: our_line.line,
                    version: *version,
                    language: self.memory.language,
                    text: text.clone(),
                    audio: *audio,
                });
                step.effect(Effect::Play { utterance: *utterance });
                self.rearm_lines();
                Some(Handled)
            }
            Line::Failed { utterance } => self.line_failed(*utterance, step),
        }
    }

    fn rearm_lines(&mut self) {
        match self.memory.lines.values().filter_map(|line| line.limit).min() {
            Some(limit) => self.memory.timers.arm(Timer::LineReady, limit),
            None => self.memory.timers.disarm(Timer::LineReady),
        }
    }

    /// A line that must be said and cannot be: the call ends as decently as it still can.
    fn line_failed(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<Outcome<State>> {
        let our_line = self.memory.lines.remove(&utterance)?;
        step.fact(Fact::LineFailed { utterance, line: our_line.line });
        let required = our_line.line.is_required();
        match self.current {
            State::Farewell { why } if required => Some(self.farewell_failed(why)),
            State::Farewell { .. } | State::HangingUp { .. } | State::Ended { .. } => Some(Handled),
            _ if required => Some(Transition(State::Farewell { why: EndReason::SpeechFailed })),
            _ => Some(self.settle()),
        }
    }

    fn playback_news(&mut self, news: &Playback, step: &mut Draft) -> Option<Outcome<State>> {
        match news {
            Playback::Began { utterance } => {
                self.memory.on_its_way.insert(*utterance, OnItsWay { queued: false });
                if let Some(line) = self.memory.lines.get_mut(utterance) {
                    line.limit = None;
                    self.rearm_lines();
                }
                if utterance.is_agents() {
                    self.memory.agent_mid_reply = true;
                    self.memory.reply_owed = None;
                    self.memory.timers.disarm(Timer::AgentAudioDone);
                }
            }
            Playback::Queued { utterance, until, .. } => {
                self.memory.on_its_way.get_mut(utterance)?.queued = true;
                let limit = self.memory.brief.limits.mark;
                self.memory.arm(Timer::PlaybackMark, *until, limit);
                return Some(Handled);
            }
            Playback::Heard { utterance, audio } => {
                self.memory.on_its_way.get(utterance)?;
                step.fact(Fact::Heard { utterance: *utterance, audio: *audio });
                self.settled(*utterance, step);
            }
            Playback::Cut { utterance, heard, audio } => {
                self.cut(*utterance, step)?;
                step.fact(Fact::Cut { utterance: *utterance, heard: *heard, audio: *audio });
            }
            Playback::Dry => {
                let limit = self.memory.brief.limits.agent_audio_done;
                self.memory.arm(Timer::AgentAudioDone, step.at, limit);
                return Some(Handled);
            }
        }
        Some(self.after_speech())
    }

    /// An utterance was heard, or nothing more will be learnt about it.
    fn settled(&mut self, utterance: UtteranceId, step: &mut Draft) {
        self.off_its_way(utterance);
        let Some(our_line) = self.memory.lines.remove(&utterance) else { return };
        if our_line.line == LineId::Opening {
            self.memory.opening_over = true;
        }
        if let (Some(text), true) = (our_line.text, self.memory.agent_ready) {
            step.effect(Effect::TellAgent { utterance, text });
        }
    }

    /// An utterance was cut. A line that must be heard is said again, while there is still time.
    fn cut(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<()> {
        let known = self.off_its_way(utterance);
        let our_line = self.memory.lines.remove(&utterance);
        let in_time = !matches!(self.current, State::HangingUp { .. } | State::Ended { .. });
        match our_line {
            Some(our_line) if our_line.line.is_required() && in_time => {
                self.prepare(our_line.line, step);
            }
            Some(_) => {}
            None if known => {}
            None => return None,
        }
        Some(())
    }

    fn off_its_way(&mut self, utterance: UtteranceId) -> bool {
        let known = self.memory.on_its_way.remove(&utterance).is_some();
        if !self.memory.on_its_way.values().any(|o| o.queued) {
            self.memory.timers.disarm(Timer::PlaybackMark);
        }
        known
    }

    fn after_speech(&self) -> Outcome<State> {
        match self.current {
            State::Farewell { why } if !self.memory.words_on_their_way() => {
                Transition(State::HangingUp { why })
            }
            State::Farewell { .. } | State::HangingUp { .. } | State::Ended { .. } => Handled,
            _ => self.settle(),
        }
    }

    /// Whatever is still unsettled when the call ends was perhaps heard, perhaps not.
    pub(super) fn settle_at_end(&mut self, step: &mut Draft) {
        let rest: Vec<UtteranceId> = self.memory.on_its_way.keys().copied().collect();
        for utterance in rest {
            step.fact(Fact::HeardUnknown { utterance });
        }
        self.memory.on_its_way.clear();
        self.memory.lines.clear();
    }
}
