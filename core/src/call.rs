//! The call machine. [`Call`] is its only public face.

mod answers;
mod connecting;
mod conversing;
mod cut_short;
mod ending;
mod functions;
mod handing;
mod keypad;
mod ledger;
mod lines;
mod meaning;
mod memory;
mod reconnecting;
mod speech;
mod timers;
mod tones;
mod topology;
mod voice;

use alloc::boxed::Box;
use alloc::vec::Vec;

use statig::blocking::{IntoStateMachineExt as _, StateMachine};

use crate::brief::Brief;
use crate::effect::Effect;
use crate::input::Input;
use crate::sabotage::Defect;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::step::{Cause, Fact, Move, Step};
use crate::time::CallTime;

use memory::Memory;
use topology::{Machine, State};

pub use timers::Timer;
pub use topology::{Phase, chart};

/// One call, from its answer to its end.
///
/// Every method is complete: it returns all that came of what it was told, and leaves nothing to
/// be collected. Time must not go back; a time before the last one counts as the last one.
pub struct Call {
    machine: StateMachine<Machine>,
    now: CallTime,
}

impl Call {
    /// A call that was just answered, and what is to be done first.
    pub fn new(brief: Brief) -> (Self, Step) {
        Self::begin(brief, Defect::NONE)
    }

    /// A call with a deliberate defect, and what is to be done first.
    #[cfg(feature = "sabotage")]
    pub fn sabotaged(brief: Brief, sabotage: Sabotage) -> (Self, Step) {
        Self::begin(brief, Defect::of_call(sabotage))
    }

    fn begin(brief: Brief, defect: Defect) -> (Self, Step) {
        let mut draft = Draft::new(CallTime::ZERO);
        let cause = Cause::Started(Box::new(brief.clone()));
        let mut machine =
            Machine { memory: Memory::new(brief, defect), current: State::Connecting }
                .state_machine();
        machine.init_with_context(&mut draft);
        (Self { machine, now: CallTime::ZERO }, draft.caused_by(cause))
    }

    /// Tells the call what happened. Timers that were due before are fired first, each at its own
    /// time, so a late caller changes nothing.
    pub fn step(&mut self, at: CallTime, input: Input) -> Vec<Step> {
        let mut steps = self.wake(at);
        let mut draft = Draft::new(self.now);
        self.machine.handle_with_context(&topology::Event::Input(&input), &mut draft);
        steps.push(draft.caused_by(Cause::Input(input)));
        steps
    }

    /// Fires every timer that is due.
    pub fn wake(&mut self, at: CallTime) -> Vec<Step> {
        let at = self.now.max(at);
        let mut steps = Vec::new();
        while let Some((due, timer)) = self.poll_timeout()
            && due <= at
        {
            self.now = self.now.max(due);
            let mut draft = Draft::new(self.now);
            self.machine.handle_with_context(&topology::Event::Due(timer), &mut draft);
            steps.push(draft.caused_by(Cause::Timer(timer)));
        }
        self.now = at;
        steps
    }

    /// When the call wants to be woken, and what for. Nothing once it has ended.
    pub fn poll_timeout(&self) -> Option<(CallTime, Timer)> {
        self.machine.inner().memory.timers.next()
    }

    /// Whether nothing more can come of the call: it has ended, and so has every write that it had
    /// begun (I-06).
    pub fn is_over(&self) -> bool {
        self.phase().is_ended() && self.poll_timeout().is_none()
    }

    /// Where the call stands.
    pub fn phase(&self) -> Phase {
        self.machine.state().phase()
    }
}

impl core::fmt::Debug for Call {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Call").field("now", &self.now).field("phase", &self.phase()).finish()
    }
}

/// A step while it is being made: handlers write into it.
pub(crate) struct Draft {
    pub(crate) at: CallTime,
    moves: Vec<Move>,
    facts: Vec<Fact>,
    effects: Vec<Effect>,
    ignored: bool,
}

impl Draft {
    fn new(at: CallTime) -> Self {
        Self { at, moves: Vec::new(), facts: Vec::new(), effects: Vec::new(), ignored: false }
    }

    fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn caused_by(self, cause: Cause) -> Step {
        let Self { at, moves, facts, effects, ignored } = self;
        Step { at, cause, moves, facts, effects, ignored }
    }
}
