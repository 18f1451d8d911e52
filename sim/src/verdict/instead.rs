//! What came in the place of what was expected: the first thing that whoever reads a failed
//! verdict wants to know.

use std::collections::BTreeSet;

use call_core::{Fact, LineId, Step, UtteranceId};

use super::{Known, counted, cut, phases, spoke};
use crate::scenario::Expectation;

/// What came instead of an expectation that did not hold.
pub(super) fn instead(
    steps: &[Step],
    expectation: &Expectation,
    known: &Known<'_>,
) -> Option<String> {
    let facts = || steps.iter().flat_map(|step| &step.facts);
    let came = match expectation {
        Expectation::Heard(words) | Expectation::Cut(words) | Expectation::NeverHeard(words) => {
            match of_words(steps, words) {
                None => not_said(steps, words),
                Some(came) => came.words().to_owned(),
            }
        }
        Expectation::CallerSaid(_) => {
            let said = facts().filter_map(|fact| match fact {
                Fact::CallerLine { text, .. } => Some(format!("\"{text}\"")),
                _ => None,
            });
            all("the caller said", "the caller was never understood", said)
        }
        Expectation::Function(name, _) => {
            let done = facts().filter_map(|fact| match fact {
                Fact::FunctionDone { name: n, outcome, .. } if n == name => Some(outcome.clone()),
                _ => None,
            });
            let refused = counted::refusals(steps, name).map(str::to_owned);
            all("it ended as", &all("it was refused:", "it never ended", refused), done)
        }
        Expectation::Written(_) => format!("the back office accepted {}", known.written),
        Expectation::Tones(_) => format!("the carrier played {:?}", known.carrier.tones()),
        Expectation::Status(_) if known.status.is_empty() => "no status callback came".to_owned(),
        Expectation::Status(_) => format!("it stood as {:?}", known.status),
        Expectation::Phase(_) => {
            let mut seen = BTreeSet::new();
            let phases = phases(steps).map(|phase| phase.to_string());
            all("the call was in", "", phases.filter(|phase| seen.insert(phase.clone())))
        }
        Expectation::Ended(_) => {
            let reasons = facts().filter_map(|fact| match fact {
                Fact::CallEnded { reason } => Some(reason.word().to_owned()),
                _ => None,
            });
            all("it ended as", "it did not end", reasons)
        }
        _ => return counted::instead(steps, expectation, known),
    };
    Some(came)
}

fn all(before: &str, none: &str, of: impl Iterator<Item = String>) -> String {
    let all: Vec<_> = of.collect();
    if all.is_empty() { none.to_owned() } else { format!("{before} {}", all.join(", ")) }
}

/// Nobody said these words: what was heard instead. Of a line of ours by its id, our lines.
fn not_said(steps: &[Step], words: &str) -> String {
    let facts = || steps.iter().flat_map(|step| &step.facts);
    let heard: BTreeSet<UtteranceId> = facts()
        .filter_map(|fact| match fact {
            Fact::Heard { utterance, .. } => Some(*utterance),
            fact => cut(fact),
        })
        .collect();
    let is_line = LineId::ALL.iter().any(|line| line.key() == words);
    let spoken = facts().filter_map(|fact| match fact {
        Fact::LineRendered { utterance, line, .. } if is_line && heard.contains(utterance) => {
            Some(format!("`{}`", line.key()))
        }
        Fact::LineRendered { utterance, text, .. } | Fact::AgentLine { utterance, text, .. }
            if !is_line && heard.contains(utterance) =>
        {
            Some(format!("\"{text}\""))
        }
        _ => None,
    });
    if is_line {
        let before = format!("our line `{words}` was not heard; heard were:");
        all(&before, &format!("our line `{words}` was not heard, nor was any other"), spoken)
    } else {
        let before = "nobody said this in one sentence; heard were:";
        all(before, "nobody said this in one sentence: nothing was heard", spoken)
    }
}

/// The most that was heard of some words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    Unplayed,
    Perhaps,
    Part,
    Unconfirmed,
    Whole,
}

impl Came {
    const fn words(&self) -> &'static str {
        match self {
            Self::Unplayed => "nothing of it was heard",
            Self::Perhaps => "it was perhaps heard: nothing proves it",
            Self::Part => "it was cut, and not heard to its end",
            Self::Unconfirmed => "it was cut at its end, before the carrier had confirmed it",
            Self::Whole => "it was heard to its end",
        }
    }
}

/// Nothing where nobody spoke these words.
fn of_words(steps: &[Step], words: &str) -> Option<Came> {
    let facts = || steps.iter().flat_map(|step| &step.facts);
    let spoken: BTreeSet<UtteranceId> = facts()
        .filter_map(|fact| match fact {
            Fact::LineRendered { utterance, .. } | Fact::AgentLine { utterance, .. } => {
                Some(*utterance)
            }
            _ => None,
        })
        .filter(|utterance| spoke(steps, *utterance, words))
        .collect();
    let came = facts().filter_map(|fact| match fact {
        Fact::Heard { utterance, .. } if spoken.contains(utterance) => Some(Came::Whole),
        Fact::HeardUnknown { utterance } if spoken.contains(utterance) => Some(Came::Perhaps),
        Fact::Cut { utterance, heard, audio, whole: true, .. }
            if heard >= audio && audio.0 > 0 && spoken.contains(utterance) =>
        {
            Some(Came::Unconfirmed)
        }
        fact => cut(fact).filter(|utterance| spoken.contains(utterance)).map(|_| Came::Part),
    });
    (!spoken.is_empty()).then(|| came.max().unwrap_or(Came::Unplayed))
}
