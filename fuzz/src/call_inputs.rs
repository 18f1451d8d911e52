//! Any inputs at any times, told to a call: it never panics, it ends within its limits, and what
//! its journal alone can show of the invariants holds.
//!
//! The bytes are choices. Half of them oblige (they confirm what the call asked for), so that calls
//! get somewhere; half are anything at all. The clock may go back, as no clock should. One part of
//! the world is ours, [`Playout`](call_core::playout::Playout), and lies to nobody for long: speech
//! that began is queued, and what was queued is heard, within some seconds.

mod news;

use std::collections::BTreeMap;

use call_core::company::FarewellPolicy;
use call_core::effect::Function;
use call_core::story::story;
use call_core::{Brief, Call, CallTime, Input, Language, Limits, Millis, Step};
use sim::judge::{AudioTotals, Evidence, judge_by};
use sim::{journal, machine::Machine, replay::replay};

use crate::bytes::Bytes;
use news::Awaited;

/// Told to a call at most.
const INPUTS_MAX: usize = 400;

/// No call fires so many timers after it was told the last thing.
const TIMERS_MAX: usize = 1_000;

/// What a journal shows by itself, whatever the world was like.
const INVARIANTS: [&str; 5] = ["I-11", "I-13", "I-14", "I-19", "I-20"];

/// Makes a call of the bytes, lets it come to its end, and judges it.
pub fn run(bytes: &[u8]) {
    let steps = play(&mut Bytes::new(bytes));
    let account = BTreeMap::new();
    let evidence = Evidence {
        steps: &steps,
        account: &account,
        audio: AudioTotals::default(),
        machine: Machine::default(),
    };
    let breaches = judge_by(&evidence, &INVARIANTS);
    assert!(breaches.is_empty(), "{breaches:#?}\n{}", told(&steps));
    assert_eq!(replay(&steps), None, "the same inputs give the same steps (I-21)");
    let mut stored = Vec::new();
    journal::write(&steps, &mut stored).expect("a vector takes all that is written to it");
    let text = str::from_utf8(&stored).expect("JSON is text");
    assert_eq!(journal::read(text).as_ref(), Ok(&steps), "a stored journal is the journal");
}

/// The journal of a call that is told what the bytes say, and then nothing until it is over.
pub(crate) fn play(bytes: &mut Bytes<'_>) -> Vec<Step> {
    let mut stage = Stage::new(brief(bytes));
    for _ in 0..INPUTS_MAX {
        if bytes.is_empty() || stage.call.is_over() {
            break;
        }
        let at = moment(&stage.call, stage.now, bytes);
        stage.until(at);
        let input =
            if bytes.in_256(128) { stage.awaited.take(bytes) } else { Some(news::any(bytes)) };
        stage.tell(at, input);
    }
    for _ in 0..TIMERS_MAX {
        let Some((due, _)) = stage.call.poll_timeout() else { break };
        stage.until(due);
        stage.tell(due, None);
    }
    let (call, steps) = (stage.call, stage.steps);
    assert!(call.is_over(), "the call does not end by itself (I-11): {call:?}\n{}", told(&steps));
    steps
}

/// A call, and what it waits for.
struct Stage {
    call: Call,
    now: CallTime,
    awaited: Awaited,
    steps: Vec<Step>,
}

impl Stage {
    fn new(brief: Brief) -> Self {
        let (call, first) = Call::new(brief);
        let mut awaited = Awaited::default();
        awaited.learn(&first);
        Self { call, now: CallTime::ZERO, awaited, steps: vec![first] }
    }

    /// Lets time pass: what our own playout owes the call comes when it must at the latest.
    fn until(&mut self, at: CallTime) {
        while let Some((due, input)) = self.awaited.overdue(at) {
            self.tell(due, Some(input));
        }
    }

    fn tell(&mut self, at: CallTime, input: Option<Input>) {
        self.now = self.now.max(at);
        let came = match input {
            Some(input) => self.call.step(at, input),
            None => self.call.wake(at),
        };
        for step in came {
            self.awaited.learn(&step);
            self.steps.push(step);
        }
    }
}

/// The story of a call, and its journal.
fn told(steps: &[Step]) -> String {
    let mut stored = Vec::new();
    journal::write(steps, &mut stored).expect("a vector takes all that is written to it");
    format!("{}\n{}", story(steps), String::from_utf8_lossy(&stored))
}

/// When the next thing happens: soon, later, when a timer is due, or before the last thing.
fn moment(call: &Call, now: CallTime, bytes: &mut Bytes<'_>) -> CallTime {
    match bytes.below(8) {
        0..=2 => now + Millis(u64::from(bytes.next())),
        3 | 4 => now + Millis(u64::from(bytes.next()) * 20),
        5 => now + Millis(bytes.long()),
        6 => call.poll_timeout().map_or(now, |(due, _)| due),
        _ => CallTime::from_millis(now.as_millis().saturating_sub(u64::from(bytes.next()))),
    }
}

fn brief(bytes: &mut Bytes<'_>) -> Brief {
    let targets = ["front-desk", "hardship"];
    let choices = bytes.next();
    // All of them, or any.
    let offered = if choices & 1 == 0 { u8::MAX } else { bytes.next() };
    let functions = Function::ALL.into_iter().zip(0..);
    let functions = functions.filter(|(_, place)| offered >> place & 1 == 1);
    Brief {
        functions: functions.map(|(function, _)| function.name().to_owned()).collect(),
        transfer_targets: targets.map(str::to_owned)[..usize::from(choices >> 1 & 3).min(2)].into(),
        farewell: if choices & 8 == 0 { FarewellPolicy::Lock } else { FarewellPolicy::ReopenOnce },
        languages: Language::ALL[..if choices & 16 == 0 { 2 } else { 1 }].into(),
        limits: if choices & 32 == 0 { Limits::default() } else { limits(bytes) },
        ..Brief::example()
    }
}

/// The usual limits, and a longest call that is reached sooner. Limits in any proportion are a
/// matter for the properties of `call-core`: judges expect what a company would set.
fn limits(bytes: &mut Bytes<'_>) -> Limits {
    Limits { call: Millis::from_secs(70 + bytes.long() % 600), ..Limits::default() }
}
