//! What can be seen of a call while it goes on.
//!
//! A call does not wait for whoever looks at it, and nobody who looks waits for a call: what is shown
//! fits into one number, which is stored and loaded whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use call_core::Language;
use call_core::call::Phase;
use call_core::effect::{Effect, Function};
use call_core::step::{Fact, Step};

/// How one call stands. Cloning gives the same view.
#[derive(Debug, Clone)]
pub struct View {
    since: Instant,
    shown: Arc<AtomicU32>,
}

/// How a call stood at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Its phase.
    pub phase: Phase,
    /// The language that is spoken.
    pub language: Language,
    /// The function that runs; of several, the one that was asked for last.
    pub function: Option<Function>,
}

impl View {
    /// The view of a call whose stream begins now.
    pub fn new(language: Language) -> Self {
        let first = Sight { phase: Phase::Connecting, language, function: None };
        let shown = Arc::new(AtomicU32::new(first.number()));
        Self { since: Instant::now(), shown }
    }

    /// How the call stands now.
    pub fn sight(&self) -> Sight {
        Sight::from_number(self.shown.load(Ordering::Relaxed))
    }

    /// How long it has gone on.
    pub fn lasted(&self) -> Duration {
        self.since.elapsed()
    }
}

/// The side of the call, which shows itself step by step.
pub(super) struct Showing {
    view: View,
    sight: Sight,
    running: Vec<(String, Function)>,
}

impl Showing {
    pub(super) fn of(view: View) -> Self {
        let sight = view.sight();
        Self { view, sight, running: Vec::new() }
    }

    pub(super) fn step(&mut self, step: &Step) {
        if let Some(last) = step.moves.last() {
            self.sight.phase = last.to;
        }
        for effect in &step.effects {
            if let Effect::Perform { id, function, .. } = effect {
                self.running.push((id.clone(), *function));
            }
        }
        for fact in &step.facts {
            match fact {
                Fact::LanguageSet(language) => self.sight.language = *language,
                Fact::FunctionDone { id, .. } => self.running.retain(|(running, _)| running != id),
                _ => {}
            }
        }
        self.sight.function = self.running.last().map(|(_, function)| *function);
        self.view.shown.store(self.sight.number(), Ordering::Relaxed);
    }
}

impl Sight {
    /// A byte for each, as its place in the list of all.
    fn number(self) -> u32 {
        let function = self.function.map_or(NONE, |function| place(&Function::ALL, &function));
        let (phase, language) =
            (place(&Phase::ALL, &self.phase), place(&Language::ALL, &self.language));
        u32::from_le_bytes([phase, language, function, 0])
    }

    fn from_number(number: u32) -> Self {
        let [phase, language, function, _] = number.to_le_bytes().map(usize::from);
        Self {
            phase: Phase::ALL[phase],
            language: Language::ALL[language],
            function: Function::ALL.get(function).copied(),
        }
    }
}

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|other| other == one);
    place.and_then(|place| u8::try_from(place).ok()).expect("the list is short and has every one")
}

const NONE: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use call_core::CallTime;
    use call_core::step::{Cause, Move};

    use super::*;

    #[test]
    fn whatever_is_shown_is_seen() {
        let functions = Function::ALL.into_iter().map(Some).chain([None]);
        for function in functions {
            for phase in Phase::ALL {
                for language in Language::ALL {
                    let sight = Sight { phase, language, function };
                    assert_eq!(Sight::from_number(sight.number()), sight);
                }
            }
        }
    }

    #[test]
    fn a_call_shows_its_phase_its_language_and_the_function_that_runs() {
        let view = View::new(Language::English);
        let mut showing = Showing::of(view.clone());
        let mut step = Step {
            at: CallTime::ZERO,
            cause: Cause::Timer(call_core::call::Timer::AgentReady),
            moves: vec![Move { from: Phase::Thinking, to: Phase::FunctionPending }],
            facts: vec![Fact::LanguageSet(Language::Spanish)],
            effects: vec![Effect::Perform {
                id: "one".to_owned(),
                function: Function::LookupLoan,
                key: String::new(),
            }],
            ignored: false,
        };
        showing.step(&step);
        let seen = Sight {
            phase: Phase::FunctionPending,
            language: Language::Spanish,
            function: Some(Function::LookupLoan),
        };
        assert_eq!(view.sight(), seen);
        step.moves = vec![Move { from: Phase::FunctionPending, to: Phase::Thinking }];
        step.effects.clear();
        let (id, name, outcome) = ("one".into(), "lookup_loan".into(), "done".into());
        step.facts = vec![Fact::FunctionDone { id, name, outcome }];
        showing.step(&step);
        assert_eq!(view.sight(), Sight { phase: Phase::Thinking, function: None, ..seen });
    }
}
