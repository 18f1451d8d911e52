//! What is cut short must not end in silence. The agent gives its reply up at every voice, and a
//! cough is a voice to it: no words come of it, and nobody says anything more (F-DG-15, I-16).

use statig::Outcome;

use super::Draft;
use super::timers::Timer;
use super::topology::{Machine, State};
use crate::line::LineId;
use crate::sabotage::Sabotage;
use crate::time::{CallTime, Millis};

/// Lines that give the caller the floor, and are missed where a noise cuts them.
const ASKS: [LineId; 3] = [LineId::CutShort, LineId::GoOn, LineId::NobodyFree];

/// A line is not said sooner than this after the caller was given the floor.
const NOT_AT_ONCE: Millis = Millis(500);

impl Machine {
    /// The agent gives up what it was about to say, and perhaps nobody says anything instead.
    pub(super) fn is_cut_short(&mut self, step: &Draft) {
        self.memory.cut_short = Some(step.at);
    }

    /// Whether a voice that is heard now takes a reply from the caller, or the question whether we
    /// shall repeat one. The agent also gives up what it was still thinking about, or waiting for.
    pub(super) fn reply_is_under_way(&self) -> bool {
        let memory = &self.memory;
        let asks = memory.lines.values().any(|line| ASKS.contains(&line.line));
        let pending = memory.reply_owed.is_some() || memory.ledger.running() > 0;
        memory.agent_mid_reply || memory.agent_speech_on_its_way() || asks || pending
    }

    /// The caller has the floor, and words are waited for, unless they asked for a moment.
    pub(super) fn arm_cut_short(&mut self, step: &Draft) {
        if let Some(since) = self.memory.cut_short
            && !self.memory.silence.patient
        {
            let quiet = since.max(self.memory.last_sound);
            self.ask_to_go_on(quiet, step.at + NOT_AT_ONCE);
        }
    }

    /// A reply is owed of which a voice may have made the agent forget: instead of one moment, the
    /// caller is asked to go on. Whether that is to be.
    pub(super) fn ask_instead_of_filler(&mut self, at_least: CallTime) -> bool {
        let asks = self.memory.cut_short.is_some() && !self.memory.silence.patient;
        if asks {
            self.memory.timers.disarm(Timer::Filler);
            self.ask_to_go_on(self.memory.last_sound, at_least);
        }
        asks
    }

    fn ask_to_go_on(&mut self, quiet: CallTime, at_least: CallTime) {
        let memory = &mut self.memory;
        if !memory.sabotaged(Sabotage::SaysNothing) {
            let due = quiet + memory.brief.limits.cut_short;
            memory.timers.arm(Timer::CutShort, due.max(at_least));
        }
    }

    /// Something else is said or done from here on.
    pub(super) fn no_more_cut_short(&mut self) {
        self.memory.cut_short = None;
        self.memory.timers.disarm(Timer::CutShort);
    }

    /// It was no voice: its words would be there by now. Whatever was owed, nobody may know it any
    /// more: the caller will say.
    pub(super) fn nothing_followed(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.voice = None;
        self.memory.reply_owed = None;
        self.prepare(LineId::CutShort, step);
        self.settle()
    }
}
