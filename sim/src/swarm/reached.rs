//! Which hard states a call came to, as far as its journal and the bridge's counters show them.
//!
//! A swarm that never gets into trouble proves nothing: over enough seeds each of these must have
//! been reached. The marks are those of the fault catalogue.

use std::collections::BTreeSet;

use call_core::call::Timer;
use call_core::effect::{Effect, Function};
use call_core::input::{Agent, Carrier, Input, Line, Operator, Playback};
use call_core::step::Refusal;
use call_core::{Cause, Fact, LineId, Phase, Rung, Step, UtteranceId};

use crate::desk::Played;

/// A mark: its id, what it stands for, and how a journal shows it.
type Mark = (&'static str, &'static str, fn(&[Step]) -> bool);

/// A mark that no journal shows, because the machine never sees audio: the bridge counts it.
type Counted = (&'static str, &'static str, fn(&Played) -> bool);

const COUNTED: [Counted; 2] = [
    ("M-11", "audio was put back in order", put_in_order),
    ("M-12", "speech to the caller overflowed its queue", overflowed),
];

const MARKS: [Mark; 13] = [
    ("M-05", "the farewell was injected and refused", farewell_refused),
    ("M-06", "a required line was cut and said again", required_line_again),
    ("M-07", "a mark was lost", mark_lost),
    ("M-08", "a mark came back because of a clear", mark_cleared),
    ("M-09", "another session took the conversation over", reconnected),
    ("M-10", "a second reconnect was refused", second_reconnect_refused),
    ("M-13", "the carrier called the call over before its stream ended", completed_before_stop),
    ("M-14", "the stream ended during a payment", stop_during_payment),
    ("M-17", "the server was to end while the call was live", drained),
    ("M-18", "the caller answered the silence prompt", prompt_answered),
    ("M-19", "the caller did not answer the silence prompt", prompt_unanswered),
    ("M-20", "the language was switched", language_switched),
    ("M-22", "a transfer was refused by policy", transfer_refused),
];

/// The names of all that can be reached: phases, and marks with what they stand for.
pub(super) fn all() -> impl Iterator<Item = String> {
    let marks = MARKS.iter().map(|(id, words, _)| format!("{id} {words}"));
    let marks = marks.chain(COUNTED.iter().map(|(id, words, _)| format!("{id} {words}")));
    Phase::ALL.iter().map(|phase| format!("phase {phase}")).chain(marks)
}

/// What this call reached, in the order of [`all`].
pub(super) fn reached(played: &Played) -> Vec<bool> {
    let steps = &played.steps;
    let entered: BTreeSet<_> = steps.iter().flat_map(|s| &s.moves).map(|m| m.to).collect();
    // A call is born connecting, and no move leads there.
    let phases = Phase::ALL.iter().map(|p| *p == Phase::Connecting || entered.contains(p));
    let shown = MARKS.iter().map(|(_, _, shown)| shown(steps));
    phases.chain(shown).chain(COUNTED.iter().map(|(_, _, counted)| counted(played))).collect()
}

const fn put_in_order(played: &Played) -> bool {
    played.order.reordered > 0
}

const fn overflowed(played: &Played) -> bool {
    played.overflowed > 0
}

fn facts(steps: &[Step]) -> impl Iterator<Item = &Fact> {
    steps.iter().flat_map(|step| &step.facts)
}

fn timer(step: &Step, timer: Timer) -> bool {
    step.cause == Cause::Timer(timer)
}

fn farewell_refused(steps: &[Step]) -> bool {
    let farewell = |fact: &Fact| {
        matches!(
            fact,
            Fact::LineFailed {
                line: LineId::Farewell | LineId::GoodbyeSilence,
                by: Rung::Injected,
                ..
            }
        )
    };
    steps.iter().any(|step| {
        let refused = matches!(step.cause, Cause::Input(Input::Line(Line::Refused { .. })));
        refused && step.facts.iter().any(farewell)
    })
}

fn required_line_again(steps: &[Step]) -> bool {
    let line_of = |name: UtteranceId| {
        facts(steps).find_map(|fact| match fact {
            Fact::LineRendered { utterance, line, .. } if *utterance == name => Some(*line),
            _ => None,
        })
    };
    let mut cut = BTreeSet::new();
    for step in steps {
        for effect in &step.effects {
            if let Effect::Prepare { line, .. } | Effect::UseRecording { line, .. } = effect
                && cut.contains(line)
            {
                return true;
            }
        }
        for fact in &step.facts {
            if let Fact::Cut { utterance, .. } = fact {
                cut.extend(line_of(*utterance).filter(|line| line.is_required()));
            }
        }
    }
    false
}

fn mark_lost(steps: &[Step]) -> bool {
    steps.iter().any(|step| timer(step, Timer::PlaybackMark))
}

fn mark_cleared(steps: &[Step]) -> bool {
    let mut marked = BTreeSet::new();
    steps.iter().any(|step| match &step.cause {
        Cause::Input(Input::Playback(Playback::Queued { utterance, .. })) => {
            marked.insert(*utterance);
            false
        }
        Cause::Input(Input::Playback(Playback::Cut { utterance, .. })) => {
            marked.contains(utterance)
        }
        _ => false,
    })
}

fn completed_before_stop(steps: &[Step]) -> bool {
    let ends = steps.iter().find_map(|step| match &step.cause {
        Cause::Input(Input::Carrier(
            news @ (Carrier::Stopped | Carrier::Lost | Carrier::Completed),
        )) => Some((news, step.ignored)),
        _ => None,
    });
    matches!(ends, Some((Carrier::Completed, false)))
}

fn reopens(step: &Step) -> bool {
    step.effects.iter().any(|effect| matches!(effect, Effect::OpenAgent { resume: true, .. }))
}

fn reconnected(steps: &[Step]) -> bool {
    let ready = |step: &Step| step.cause == Cause::Input(Input::Agent(Agent::Ready));
    steps.iter().skip_while(|step| !reopens(step)).any(ready)
}

fn second_reconnect_refused(steps: &[Step]) -> bool {
    let refused = |step: &Step| {
        let lost = matches!(&step.cause, Cause::Input(Input::Agent(Agent::Lost(_))));
        let late = timer(step, Timer::AgentReady);
        let given_up = step
            .moves
            .iter()
            .any(|m| matches!(m.to, Phase::Farewell | Phase::Transferring | Phase::Ended));
        (lost || late) && given_up && !reopens(step)
    };
    steps.iter().skip_while(|step| !reopens(step)).any(refused)
}

fn stop_during_payment(steps: &[Step]) -> bool {
    let mut open = BTreeSet::new();
    for step in steps {
        match &step.cause {
            Cause::Input(Input::Carrier(
                Carrier::Stopped | Carrier::Lost | Carrier::Dead | Carrier::Completed,
            )) if !open.is_empty() => {
                return true;
            }
            Cause::Input(Input::Function(ended)) => {
                open.remove(&ended.id);
            }
            _ => {}
        }
        for effect in &step.effects {
            if let Effect::Perform { id, function: Function::MakePayment, .. } = effect {
                open.insert(id.clone());
            }
        }
    }
    false
}

fn drained(steps: &[Step]) -> bool {
    let drain =
        |step: &Step| matches!(&step.cause, Cause::Input(Input::Operator(Operator::Drain { .. })));
    steps.iter().any(|step| drain(step) && !step.ignored)
}

fn prompt_answered(steps: &[Step]) -> bool {
    let prompted = steps.iter().skip_while(|step| !timer(step, Timer::SilencePrompt));
    prompted
        .take_while(|step| !timer(step, Timer::SilenceFarewell))
        .flat_map(|step| &step.facts)
        .any(|fact| matches!(fact, Fact::CallerLine { .. }))
}

fn prompt_unanswered(steps: &[Step]) -> bool {
    steps.iter().any(|step| timer(step, Timer::SilenceFarewell))
}

fn language_switched(steps: &[Step]) -> bool {
    facts(steps.get(1..).unwrap_or_default()).any(|fact| matches!(fact, Fact::LanguageSet(_)))
}

fn transfer_refused(steps: &[Step]) -> bool {
    let mut asked = BTreeSet::new();
    facts(steps).any(|fact| match fact {
        Fact::FunctionAsked { id, name, .. } => {
            if name == Function::TransferCall.name() {
                asked.insert(id);
            }
            false
        }
        Fact::FunctionRefused { id, why } => {
            matches!(why, Refusal::NotOffered | Refusal::NoSuchTarget) && asked.contains(id)
        }
        _ => false,
    })
}
