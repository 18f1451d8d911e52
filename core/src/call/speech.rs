//! Speech to the caller: lines of ours from being asked for to being heard, and the agent's
//! sentences from their first audio to their mark.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Transition};

use super::Draft;
use super::memory::{OnItsWay, OurLine};
use super::timers::Timer;
use super::topology::{Event, Machine, Region, State};
use crate::effect::Effect;
use crate::input::{Input, Line, Playback};
use crate::line::{LineId, UtteranceId};
use crate::step::{EndReason, Fact};
use crate::time::Millis;

/// A line that is ready begins to play at once, unless speech is queued before it: at most 30
/// seconds (fault F-DG-29), and the carrier's lead.
const BEGIN_LIMIT: Millis = Millis::from_secs(35);

/// So many fillers in a row may fail to be spoken.
const FILLERS_FAILED_MAX: u32 = 3;

impl Machine {
    /// Asks for a line of ours.
    pub(super) fn prepare(&mut self, line: LineId, step: &mut Draft) {
        self.memory.lines_asked += 1;
        let utterance = UtteranceId::Line(self.memory.lines_asked);
        let limit = Some(step.at + self.memory.brief.limits.line_ready);
        let language = self.memory.language;
        self.memory.lines.insert(utterance, OurLine { line, language, text: None, limit });
        self.rearm_lines();
        step.effect(Effect::Prepare { utterance, line, language, arguments: self.blanks(line) });
    }

    fn blanks(&self, line: LineId) -> BTreeMap<String, String> {
        let company = || ("company".to_string(), self.memory.brief.company_name.clone());
        match line {
            LineId::Opening | LineId::Farewell | LineId::GoodbyeSilence => {
                BTreeMap::from([company()])
            }
            LineId::StillThere
            | LineId::Hold
            | LineId::Notice
            | LineId::TakeYourTime
            | LineId::GoOn
            | LineId::OneMinute
            | LineId::Transferring
            | LineId::NobodyFree
            | LineId::Trouble => BTreeMap::new(),
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
                Some(self.after_speech(step))
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
                    language: our_line.language,
                    text: text.clone(),
                    audio: *audio,
                });
                step.effect(Effect::Play { utterance: *utterance });
                self.rearm_lines();
                Some(Handled)
            }
            Line::Failed { utterance } => {
                let line = self.memory.lines.get(utterance).map(|our_line| our_line.line);
                if line == Some(LineId::Hold) {
                    self.memory.fillers_failed += 1;
                }
                self.line_failed(*utterance, step)
            }
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
            State::Transferring => Some(self.after_speech(step)),
            State::Farewell { .. } | State::HangingUp { .. } | State::Ended { .. } => Some(Handled),
            _ if required => Some(Transition(State::Farewell { why: EndReason::SpeechFailed })),
            State::Reconnecting => Some(Handled),
            State::PlayingTones => Some(self.after_speech(step)),
            // Without a filler the caller would hear nothing: somebody else must take over.
            _ if self.memory.fillers_failed >= FILLERS_FAILED_MAX => {
                Some(self.hand_to_a_person(EndReason::SpeechFailed))
            }
            _ => Some(self.settle()),
        }
    }

    fn playback_news(&mut self, news: &Playback, step: &mut Draft) -> Option<Outcome<State>> {
        match news {
            Playback::Waits { utterance } | Playback::Began { utterance } => {
                let way = OnItsWay { queued: false };
                let new = self.memory.on_its_way.insert(*utterance, way).is_none();
                let begins = matches!(news, Playback::Began { .. });
                if let (Some(line), true) = (self.memory.lines.get_mut(utterance), begins) {
                    line.limit = None;
                    self.rearm_lines();
                }
                // What the agent said before its last word may still begin: that is no reply.
                let in_talk = self.current.region() == Region::Conversing;
                if utterance.is_agents() && new && in_talk {
                    // What was waiting may be all there is: its end may have come before.
                    self.agent_speaks(step);
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

    /// An utterance was heard, or nothing more will be learnt about it.
    fn settled(&mut self, utterance: UtteranceId, step: &mut Draft) {
        self.off_its_way(utterance);
        self.memory.last_sound = step.at;
        self.memory.fillers_failed = 0;
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
        self.memory.last_sound = step.at;
        let our_line = self.memory.lines.remove(&utterance);
        let in_time = matches!(self.current.region(), Region::InCall | Region::Conversing);
        match our_line {
            Some(our_line) if our_line.line.is_required() && self.memory.tones.is_some() => {
                // Nobody would hear it now.
                self.say_after_tones(our_line.line);
            }
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

    pub(super) fn after_speech(&mut self, step: &mut Draft) -> Outcome<State> {
        match self.current {
            State::Farewell { why } if !self.memory.words_on_their_way() => {
                // A write that is under way comes to its outcome after the call (I-06): the caller
                // would only wait in silence for it.
                Transition(State::HangingUp { why })
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
            State::Reconnecting => Handled,
            _ => match self.memory.opening_over.then(|| self.decide_early_asks(step)).flatten() {
                Some(outcome) => outcome,
                None => self.settle(),
            },
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
