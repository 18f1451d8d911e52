//! Lines of ours, from being asked for to being at hand.
//!
//! A line goes down a ladder of three [`Rung`]s until one bears: the speech interface, the agent's
//! own session, a recording. Each asking has an utterance of its own, so whatever still comes of an
//! earlier one comes too late and is not heard: no line is said twice.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Transition};

use super::Draft;
use super::memory::OurLine;
use super::timers::Timer;
use super::topology::{Machine, Region, State};
use crate::effect::Effect;
use crate::input::Line;
use crate::line::{LineId, Rung, UtteranceId};
use crate::sabotage::Sabotage;
use crate::step::{EndReason, Fact};
use crate::time::{CallTime, Millis};

/// A line that is ready begins to play at once, unless speech is queued before it: at most 30
/// seconds (fault F-DG-29), and the carrier's lead.
pub(super) const BEGIN_LIMIT: Millis = Millis::from_secs(35);

/// A prompt that was refused is asked for once more after this pause: the agent's turn lasts longer
/// than its audio.
const INJECT_AGAIN: Millis = Millis(500);

/// Less time than this is not enough to have a line spoken.
pub(super) const SPEAK_AT_LEAST: Millis = Millis(500);

impl Machine {
    /// Asks for a line of ours.
    pub(super) fn prepare(&mut self, line: LineId, step: &mut Draft) {
        if line != LineId::Hold {
            self.no_more_cut_short();
        }
        let limit = self.memory.brief.limits.line_ready;
        match self.time_left(step) {
            Some(left) if left < SPEAK_AT_LEAST => self.use_recording(line, step),
            left => {
                let limit = left.map_or(limit, |left| left.min(limit));
                self.ask(line, Rung::Spoken, step.at + limit, step);
            }
        }
    }

    /// How long we may try to have a line said while the caller waits for us and hears nothing
    /// (I-16): no longer than the tries of a filler take. Nothing where nobody waits.
    fn time_left(&self, step: &Draft) -> Option<Millis> {
        let memory = &self.memory;
        let hears_nothing = memory.waits_for_us && memory.on_its_way.is_empty();
        hears_nothing.then(|| self.tries().less(step.at.since(memory.last_sound)))
    }

    /// From the last sound to the end of the last try to say a filler.
    pub(super) fn tries(&self) -> Millis {
        let limits = &self.memory.brief.limits;
        limits.filler + limits.line_ready + limits.line_injected
    }

    fn ask(&mut self, line: LineId, by: Rung, limit: CallTime, step: &mut Draft) -> UtteranceId {
        self.memory.lines_asked += 1;
        let utterance = UtteranceId::Line(self.memory.lines_asked);
        let kept = self.memory.sabotaged(Sabotage::KeepsLanguage);
        let language = if kept { self.memory.brief.language } else { self.memory.language };
        let our_line = OurLine {
            line,
            language,
            by,
            text: None,
            limit: Some(limit),
            again_until: None,
            retried: false,
        };
        self.memory.lines.insert(utterance, our_line);
        self.rearm_lines();
        let arguments = self.blanks(line);
        step.effect(match by {
            Rung::Spoken => Effect::Prepare { utterance, line, language, arguments },
            Rung::Injected => {
                let interrupt = interrupts(line);
                Effect::Inject { utterance, line, language, arguments, interrupt }
            }
            Rung::Recorded => Effect::UseRecording { utterance, line, language },
        });
        utterance
    }

    fn use_recording(&mut self, line: LineId, step: &mut Draft) {
        let limit = step.at + self.memory.brief.limits.line_ready;
        self.ask(line, Rung::Recorded, limit, step);
    }

    fn blanks(&self, line: LineId) -> BTreeMap<String, String> {
        let company = || ("company".to_string(), self.memory.brief.company_name.clone());
        match line {
            LineId::Opening | LineId::Farewell | LineId::GoodbyeSilence => {
                BTreeMap::from([company()])
            }
            LineId::StillThere
            | LineId::HearMe
            | LineId::CutShort
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

    pub(super) fn line_news(&mut self, news: &Line, step: &mut Draft) -> Option<Outcome<State>> {
        match news {
            Line::Ready { utterance, text, version, audio } => {
                let our_line = self.memory.lines.get(utterance)?;
                if our_line.by == Rung::Injected {
                    return None;
                }
                self.at_hand(*utterance, text, *version, Some(*audio), step)?;
                self.memory.lines.get_mut(utterance)?.limit = Some(step.at + BEGIN_LIMIT);
                step.effect(Effect::Play { utterance: *utterance });
                self.rearm_lines();
                Some(Handled)
            }
            // Its audio is to come within the time that it has anyway.
            Line::Spoken { utterance, text, version } => {
                let our_line = self.memory.lines.get(utterance)?;
                if our_line.by != Rung::Injected || our_line.again_until.is_some() {
                    return None;
                }
                self.at_hand(*utterance, text, *version, None, step)?;
                Some(Handled)
            }
            Line::Refused { utterance } => self.refused(*utterance, step),
            Line::Failed { utterance } => {
                let our_line = self.memory.lines.get(utterance)?;
                // What is at hand is played, and will be heard or cut.
                if our_line.text.is_some() && our_line.by != Rung::Injected {
                    return None;
                }
                if self.memory.on_its_way.contains_key(utterance) {
                    return None;
                }
                self.fall(*utterance, step)
            }
        }
    }

    fn at_hand(
        &mut self,
        utterance: UtteranceId,
        text: &str,
        version: u32,
        audio: Option<Millis>,
        step: &mut Draft,
    ) -> Option<()> {
        let our_line = self.memory.lines.get_mut(&utterance)?;
        if our_line.text.is_some() {
            return None;
        }
        our_line.text = Some(text.into());
        step.fact(Fact::LineRendered {
            utterance,
            line: our_line.line,
            version,
            language: our_line.language,
            text: text.into(),
            audio,
            by: our_line.by,
        });
        Some(())
    }

    /// The agent's provider does not say the line now (F-DG-23). A prompt can wait a moment for
    /// quiet; a filler is wanted now, and what must be heard is not asked for twice.
    fn refused(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<Outcome<State>> {
        let our_line = self.memory.lines.get_mut(&utterance)?;
        let waits_for_answer = our_line.by == Rung::Injected && our_line.text.is_none();
        if !waits_for_answer || our_line.again_until.is_some() {
            return None;
        }
        let may_wait = !our_line.line.is_required() && our_line.line != LineId::Hold;
        let again = step.at + INJECT_AGAIN;
        match our_line.limit {
            Some(limit) if may_wait && !our_line.retried && again < limit => {
                our_line.limit = Some(again);
                our_line.again_until = Some(limit);
                self.rearm_lines();
                Some(Handled)
            }
            _ => self.fall(utterance, step),
        }
    }

    pub(super) fn lines_overdue(&mut self, step: &mut Draft) -> Option<Outcome<State>> {
        let lines = self.memory.lines.iter();
        let late: Vec<_> = lines
            .filter(|(_, line)| line.limit.is_some_and(|limit| limit <= step.at))
            .map(|(utterance, _)| *utterance)
            .collect();
        let mut outcome = None;
        for utterance in late {
            outcome = self.line_overdue(utterance, step).or(outcome);
        }
        self.rearm_lines();
        outcome
    }

    fn line_overdue(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<Outcome<State>> {
        let our_line = self.memory.lines.get(&utterance)?;
        if let Some(until) = our_line.again_until {
            let quiet = !self.memory.agent_mid_reply && self.memory.open_voice(step.at).is_none();
            return match quiet && self.may_inject(our_line.line) {
                true => self.inject_again(utterance, until, step),
                false => self.fall(utterance, step),
            };
        }
        let waits = self.memory.on_its_way.contains_key(&utterance);
        if our_line.text.is_none() || (our_line.is_said_by_agent() && !waits) {
            return self.fall(utterance, step);
        }
        self.line_lost(utterance, step)
    }

    fn inject_again(
        &mut self,
        utterance: UtteranceId,
        until: CallTime,
        step: &mut Draft,
    ) -> Option<Outcome<State>> {
        let OurLine { line, by, .. } = self.memory.lines.remove(&utterance)?;
        step.fact(Fact::LineFailed { utterance, line, by });
        let again = self.ask(line, Rung::Injected, until, step);
        self.memory.lines.get_mut(&again)?.retried = true;
        Some(Handled)
    }

    pub(super) fn rearm_lines(&mut self) {
        match self.memory.lines.values().filter_map(|line| line.limit).min() {
            Some(limit) => self.memory.timers.arm(Timer::LineReady, limit),
            None => self.memory.timers.disarm(Timer::LineReady),
        }
    }

    /// The rung that a line stands on does not bear: the next one.
    fn fall(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<Outcome<State>> {
        if self.memory.lines.get(&utterance)?.by == Rung::Recorded {
            return self.line_lost(utterance, step);
        }
        let OurLine { line, by, .. } = self.memory.lines.remove(&utterance)?;
        step.fact(Fact::LineFailed { utterance, line, by });
        if by == Rung::Injected {
            step.effect(Effect::Withdraw { utterance });
        }
        if self.may_speak() {
            let limit = self.memory.brief.limits.line_injected;
            let in_time = self.time_left(step).is_none_or(|left| left >= limit);
            if by == Rung::Spoken && in_time && self.may_inject(line) {
                let limit = step.at + limit;
                self.ask(line, Rung::Injected, limit, step);
            } else {
                self.use_recording(line, step);
            }
        } else {
            self.owe(line);
        }
        self.rearm_lines();
        Some(Handled)
    }

    /// Whether anything is said at all from here on.
    fn may_speak(&self) -> bool {
        match self.current {
            State::HangingUp { .. } | State::Ended { .. } => false,
            State::Transferring => !self.memory.handing.asked,
            State::PlayingTones => self.memory.tones.as_ref().is_none_or(|tones| !tones.asked()),
            _ => true,
        }
    }

    /// Whether the agent may be asked to say a line. An agent that is why we cannot go on is not.
    fn may_inject(&self, line: LineId) -> bool {
        let in_session = matches!(self.current.region(), Region::Conversing | Region::Ending);
        let heard = self.memory.tones.is_none();
        self.memory.agent_ready && in_session && heard && line != LineId::Trouble
    }

    /// Not even a recording begins to play: the carrier takes no speech.
    fn line_lost(&mut self, utterance: UtteranceId, step: &mut Draft) -> Option<Outcome<State>> {
        let OurLine { line, by, .. } = self.memory.lines.remove(&utterance)?;
        step.fact(Fact::LineFailed { utterance, line, by });
        match self.current {
            State::Farewell { .. } | State::Transferring | State::PlayingTones => {
                Some(self.after_speech(step))
            }
            State::HangingUp { .. } | State::Ended { .. } => Some(Handled),
            _ if line.is_required() => {
                Some(Transition(State::Ended { why: EndReason::StreamLost }))
            }
            State::Reconnecting => Some(Handled),
            _ => Some(self.settle()),
        }
    }

    /// A line that must be heard was cut: it is said again while there is still time. The agent
    /// leaves off at every voice, so what it did not say to the end is said by a recording.
    pub(super) fn say_again(&mut self, our_line: &OurLine, step: &mut Draft) {
        let in_call = matches!(self.current.region(), Region::InCall | Region::Conversing);
        // Nobody opens a call that ends.
        if !in_call && matches!(our_line.line, LineId::Opening | LineId::Notice) {
            return;
        }
        if our_line.by == Rung::Injected && self.may_speak() {
            self.use_recording(our_line.line, step);
        } else if in_call {
            self.prepare(our_line.line, step);
        } else {
            self.owe(our_line.line);
        }
    }

    /// A line that belongs to the talk is to be said when the talk goes on. The opening needs no such
    /// note: until it was heard it is owed anyway.
    pub(super) fn owe(&mut self, line: LineId) {
        let waits = matches!(line, LineId::Notice | LineId::OneMinute);
        if waits && !self.memory.owed.contains(&line) {
            self.memory.owed.push(line);
        }
    }

    /// The talk goes on: whatever waited for that is said, as far as it is still true.
    pub(super) fn say_owed(&mut self, step: &mut Draft) {
        let owed = core::mem::take(&mut self.memory.owed);
        let opens = self.memory.lines.values().any(|line| line.line == LineId::Opening);
        let opening_owed = !self.memory.opening_over && !opens;
        if opening_owed {
            self.prepare(LineId::Opening, step);
        }
        let limits = &self.memory.brief.limits;
        let left = (CallTime::ZERO + limits.call).since(step.at);
        let warned_in_time = left.0 * 2 >= limits.call_warning.0;
        for line in owed {
            let is_true = match line {
                LineId::Notice => !opening_owed,
                LineId::OneMinute => warned_in_time,
                _ => true,
            };
            if is_true {
                self.prepare(line, step);
            }
        }
    }

    /// Lines that are not to be kept are not wanted any more, or not now.
    pub(super) fn drop_lines(
        &mut self,
        keep: impl Fn(&UtteranceId, &OurLine) -> bool,
        step: &mut Draft,
    ) {
        let mut dropped = Vec::new();
        self.memory.lines.retain(|utterance, line| {
            let kept = keep(utterance, line);
            if !kept && line.by == Rung::Injected {
                step.effect(Effect::Withdraw { utterance: *utterance });
            }
            if !kept {
                dropped.push(line.line);
            }
            kept
        });
        dropped.into_iter().for_each(|line| self.owe(line));
        self.rearm_lines();
    }

    /// What the caller waited for is there: a filler that is not at hand yet would come behind it, and
    /// so would the question whether we shall repeat it.
    pub(super) fn filler_too_late(&mut self, step: &mut Draft) {
        self.memory.lines.retain(|utterance, line| {
            let fills = matches!(line.line, LineId::Hold | LineId::CutShort);
            let late = fills && line.text.is_none();
            if late {
                step.effect(Effect::Withdraw { utterance: *utterance });
            }
            !late
        });
        self.rearm_lines();
    }
}

/// Last words are said instead of what the agent is saying.
const fn interrupts(line: LineId) -> bool {
    matches!(line, LineId::Farewell | LineId::GoodbyeSilence | LineId::Transferring)
}
