//! What is cut short must not end in silence. The agent gives its reply up at every voice, and a
//! cough is a voice to it: no words come of it, and nobody says anything more (F-DG-15, I-16).

use statig::Outcome;

use super::Draft;
use super::timers::Timer;
use super::topology::{Machine, State};
use crate::line::LineId;
use crate::sabotage::Sabotage;
use crate::time::Millis;

/// A line is not said sooner than this after the caller was given the floor.
const NOT_AT_ONCE: Millis = Millis(500);

impl Machine {
    /// The agent gives up what it was about to say, and perhaps nobody says anything instead.
    pub(super) fn is_cut_short(&mut self, step: &Draft) {
        self.memory.cut_short = Some(step.at);
    }

    /// Whether a voice that is heard now takes a reply from the caller, or the question whether we
    /// shall repeat one.
    pub(super) fn reply_is_under_way(&self) -> bool {
        let memory = &self.memory;
        let asks = memory.lines.values().any(|line| line.line == LineId::CutShort);
        memory.agent_mid_reply || memory.agent_speech_on_its_way() || asks
    }

    /// The caller's line carries a sound: perhaps that voice goes on. Its words come at its end.
    pub(super) fn sound_heard(&mut self, step: &Draft) {
        if self.memory.cut_short.is_some() {
            self.memory.cut_short = Some(step.at);
            if self.current == State::Listening {
                self.arm_cut_short(step);
            }
        }
    }

    /// The caller has the floor, and words are waited for, unless they asked for a moment.
    pub(super) fn arm_cut_short(&mut self, step: &Draft) {
        let memory = &self.memory;
        let Some(since) = memory.cut_short else { return };
        if memory.silence.patient || memory.sabotaged(Sabotage::SaysNothing) {
            return;
        }
        let quiet = since.max(memory.last_sound) + memory.brief.limits.cut_short;
        self.memory.timers.arm(Timer::CutShort, quiet.max(step.at + NOT_AT_ONCE));
    }

    /// Something else is said or done from here on.
    pub(super) fn no_more_cut_short(&mut self) {
        self.memory.cut_short = None;
        self.memory.timers.disarm(Timer::CutShort);
    }

    /// It was no voice: its words would be there by now.
    pub(super) fn nothing_followed(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.voice = None;
        self.prepare(LineId::CutShort, step);
        self.settle()
    }
}
