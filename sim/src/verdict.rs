//! What is held against a call when it is over: the scenario's expectations, and the carrier's own
//! account of what was played.

mod counted;
mod instead;

use call_core::input::CutReason;
use call_core::{Fact, LineId, Millis, Phase, Step, UtteranceId};

use crate::cast::carrier::{Account, Carrier};
use crate::scenario::Expectation;

/// Each length of speech is on record to the millisecond; the carrier plays bytes.
const SLACK: Millis = Millis(1);

/// One judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was asked of the call.
    pub asked: String,
    /// Whether it held.
    pub held: bool,
    /// What came instead, where it did not hold and that can be said.
    pub instead: Option<String>,
}

/// What the cast knows of a call beside its journal.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The carrier, with its own account.
    pub carrier: &'a Carrier,
    /// How many writes the back office accepted.
    pub written: usize,
    /// Where the call stands by all status callbacks; empty if there were none.
    pub status: &'a str,
    /// What the agent was told in the caller's place and by answers, masked as in the record.
    pub told: &'a [String],
}

/// Judges a call.
pub fn judge(steps: &[Step], expectations: &[Expectation], known: &Known<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = expectations
        .iter()
        .map(|expectation| {
            let held = holds(steps, expectation, known);
            let instead = if held { None } else { instead::instead(steps, expectation, known) };
            Verdict { asked: format!("{expectation:?}"), held, instead }
        })
        .collect();
    verdicts.push(Verdict {
        asked: "the carrier agrees with what was heard".to_owned(),
        held: disagreement(steps, known.carrier).is_none(),
        instead: disagreement(steps, known.carrier),
    });
    verdicts
}

fn holds(steps: &[Step], expectation: &Expectation, known: &Known<'_>) -> bool {
    if let Some(held) = counted::holds(steps, expectation, known) {
        return held;
    }
    let facts = || steps.iter().flat_map(|step| &step.facts);
    let heard = |pick: fn(&Fact) -> Option<UtteranceId>, words: &str| {
        facts().filter_map(pick).any(|utterance| spoke(steps, utterance, words))
    };
    match expectation {
        Expectation::Heard(words) => heard(
            |fact| match fact {
                Fact::Heard { utterance, .. } => Some(*utterance),
                _ => None,
            },
            words,
        ),
        Expectation::Cut(words) => heard(cut, words),
        Expectation::NeverHeard(words) => !heard(
            |fact| match fact {
                Fact::Heard { utterance, .. } | Fact::HeardUnknown { utterance } => Some(*utterance),
                fact => cut(fact),
            },
            words,
        ),
        Expectation::CallerSaid(words) => {
            facts().any(|fact| matches!(fact, Fact::CallerLine { text, .. } if text.contains(words)))
        }
        Expectation::Function(name, outcome) => facts().any(|fact| {
            matches!(fact, Fact::FunctionDone { name: n, outcome: o, .. } if n == name && o == outcome)
        }),
        Expectation::Written(count) => known.written == *count,
        Expectation::Tones(tones) => known.carrier.tones() == tones,
        Expectation::Status(status) => known.status == status,
        Expectation::Phase(phase) => phases(steps).any(|was| was.to_string() == *phase),
        Expectation::Ended(word) => {
            facts().any(|fact| matches!(fact, Fact::CallEnded { reason } if reason.word() == word))
        }
        _ => false,
    }
}

fn cut(fact: &Fact) -> Option<UtteranceId> {
    match fact {
        Fact::Cut { utterance, heard, .. } if heard.0 > 0 => Some(*utterance),
        _ => None,
    }
}

/// Whether an utterance was our line of this id, or has these words in it.
fn spoke(steps: &[Step], utterance: UtteranceId, words: &str) -> bool {
    steps.iter().flat_map(|step| &step.facts).any(|fact| match fact {
        Fact::LineRendered { utterance: u, line, text, .. } => {
            *u == utterance && (LineId::key(*line) == words || text.contains(words))
        }
        Fact::AgentLine { utterance: u, text, .. } => *u == utterance && text.contains(words),
        _ => false,
    })
}

/// The phases that the call was in, in order. It begins in the first, to which nothing moves.
fn phases(steps: &[Step]) -> impl Iterator<Item = Phase> {
    let moves = steps.iter().flat_map(|step| &step.moves);
    [Phase::Connecting].into_iter().chain(moves.map(|change| change.to))
}

/// In what the carrier contradicts the record. The machine never grades itself: whatever it calls
/// heard, the carrier must have played, and as much as was heard of everything, cut speech included, the
/// carrier has played in all.
fn disagreement(steps: &[Step], carrier: &Carrier) -> Option<String> {
    let (mut heard, mut slack, mut is_known) = (Millis(0), SLACK, true);
    for fact in steps.iter().flat_map(|step| &step.facts) {
        match fact {
            Fact::Heard { utterance, audio } => {
                if carrier.account().get(&utterance.to_string()) != Some(&Account::Played) {
                    return Some(format!("it did not play {utterance}, which counts as heard"));
                }
                (heard, slack) = (heard + *audio, slack + SLACK);
            }
            Fact::Cut { heard: part, why, .. } => {
                (heard, slack) = (heard + *part, slack + SLACK);
                // Of its end the carrier may tell only when it has played on for a while.
                is_known &=
                    matches!(why, CutReason::Stopped | CutReason::GivenUp | CutReason::NoRoom);
            }
            Fact::HeardUnknown { .. } => is_known = false,
            _ => {}
        }
    }
    let played = carrier.played();
    if heard > played + slack || (is_known && played > heard + slack) {
        return Some(format!("it played {played} of speech, and {heard} count as heard"));
    }
    None
}
