//! Plays a journal again: the same inputs to a new machine, and whether the same came of them.

use call_core::{Cause, Step};
use serde_json::to_string_pretty;

use crate::machine::Machine;

/// Lines around a difference that are shown with it.
const AROUND: usize = 2;

/// The first step in which a replay is not what the journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which step, from 0.
    pub number: usize,
    /// The step in the journal; nothing if the journal has no more.
    pub recorded: Option<Step>,
    /// What came of the replay; nothing if nothing more came.
    pub replayed: Option<Step>,
}

/// Feeds a journal's inputs to a new call. Returns the first difference, or nothing if the call is
/// the same, step by step.
pub fn replay(journal: &[Step]) -> Option<Difference> {
    replay_with(Machine::default(), journal)
}

/// Likewise, to a call of this machine.
pub fn replay_with(machine: Machine, journal: &[Step]) -> Option<Difference> {
    let difference = |number, replayed: Option<Step>| {
        Some(Difference { number, recorded: journal.get(number).cloned(), replayed })
    };
    let Some(Step { cause: Cause::Started(brief), .. }) = journal.first() else {
        return difference(0, None);
    };
    let (mut call, first) = machine.call((**brief).clone());
    if journal[0] != first {
        return difference(0, Some(first));
    }
    let mut same = 1;
    while let Some(step) = journal.get(same) {
        let steps = match &step.cause {
            Cause::Input(input) => call.step(step.at, input.clone()),
            Cause::Timer(_) => call.wake(step.at),
            Cause::Started(_) => return difference(same, None),
        };
        if steps.is_empty() {
            return difference(same, None);
        }
        for step in steps {
            if journal.get(same) != Some(&step) {
                return difference(same, Some(step));
            }
            same += 1;
        }
    }
    None
}

impl Difference {
    /// Both steps as JSON, line by line: `-` is only in the journal, `+` only in the replay. What
    /// they have in common is left out, but for a few lines around.
    pub fn lines(&self) -> Vec<String> {
        let text = |step: &Option<Step>| match step {
            Some(step) => to_string_pretty(step).expect("a step is always JSON"),
            None => String::new(),
        };
        let (recorded, replayed) = (text(&self.recorded), text(&self.replayed));
        let recorded: Vec<_> = recorded.lines().collect();
        let replayed: Vec<_> = replayed.lines().collect();
        let alike = |(a, b): &(&&str, &&str)| a == b;
        let before = recorded.iter().zip(&replayed).take_while(alike).count();
        let rest = recorded.len().min(replayed.len()) - before;
        let reversed = recorded.iter().rev().zip(replayed.iter().rev());
        let after = reversed.take_while(alike).count().min(rest);
        let mut lines = Vec::new();
        let mut show = |sign: &str, some: &[&str]| {
            lines.extend(some.iter().map(|line| format!("{sign} {line}")));
        };
        show(" ", &recorded[before.saturating_sub(AROUND)..before]);
        show("-", &recorded[before..recorded.len() - after]);
        show("+", &replayed[before..replayed.len() - after]);
        let common = &recorded[recorded.len() - after..];
        show(" ", &common[..common.len().min(AROUND)]);
        lines
    }
}
