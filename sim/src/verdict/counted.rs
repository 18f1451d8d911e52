//! Expectations that ask how often, in which order, and what was told to others than the caller.

use std::collections::BTreeSet;

use call_core::{Fact, Step, UtteranceId};

use super::{Known, cut, spoke};
use crate::scenario::{Expectation, Request};

/// Whether one of these expectations held; nothing where it is none of them.
pub(super) fn holds(steps: &[Step], expectation: &Expectation, known: &Known<'_>) -> Option<bool> {
    Some(match expectation {
        Expectation::Times(words, times) => heard(steps, words).len() == *times,
        Expectation::Before(one, other) => {
            let (one, other) = (first(steps, one), first(steps, other));
            one.zip(other).is_some_and(|(one, other)| one < other)
        }
        Expectation::Refused(function, why) => {
            refusals(steps, function).any(|refused| refused == why)
        }
        Expectation::AgentTold(words) => known.told.iter().any(|told| told.contains(words)),
        Expectation::Asked(what, times) => {
            Request::named(what).is_some_and(|what| asked(what, known) == *times)
        }
        _ => return None,
    })
}

/// What came instead of one that did not hold.
pub(super) fn instead(
    steps: &[Step],
    expectation: &Expectation,
    known: &Known<'_>,
) -> Option<String> {
    Some(match expectation {
        Expectation::Times(words, _) => match heard(steps, words).len() {
            0 => "it was never heard".to_owned(),
            1 => "it was heard once".to_owned(),
            times => format!("it was heard {times} times"),
        },
        Expectation::Before(one, other) => {
            let never = [one, other].into_iter().find(|words| first(steps, words).is_none());
            match never {
                Some(words) => format!("{words:?} was never heard"),
                None => "it was the other way round, or both in one".to_owned(),
            }
        }
        Expectation::Refused(function, _) => {
            let why: Vec<_> = refusals(steps, function).collect();
            match why.as_slice() {
                [] => format!("no {function} was refused"),
                why => format!("it was refused: {}", why.join(", ")),
            }
        }
        Expectation::AgentTold(_) => match known.told {
            [] => "the agent was told nothing".to_owned(),
            told => format!("the agent was told {told:?}"),
        },
        Expectation::Asked(what, _) => {
            let times = Request::named(what).map_or(0, |what| asked(what, known));
            format!("by the carrier's count it was {times}")
        }
        _ => return None,
    })
}

/// How often the carrier was asked for this, by its own count.
fn asked(what: Request, known: &Known<'_>) -> u32 {
    let asked = known.carrier.asked();
    match what {
        Request::HangUp => asked.hang_ups,
        Request::Transfer => asked.transfers,
        Request::Dial => asked.dialled,
        Request::Tones => asked.tones,
    }
}

/// The utterances with these words of which the caller heard something, or perhaps did.
fn heard(steps: &[Step], words: &str) -> BTreeSet<UtteranceId> {
    audible(steps).map(|(_, utterance)| utterance).filter(|of| spoke(steps, *of, words)).collect()
}

/// In which place of all that was heard these words came first.
fn first(steps: &[Step], words: &str) -> Option<usize> {
    audible(steps).find(|(_, utterance)| spoke(steps, *utterance, words)).map(|(place, _)| place)
}

/// What was heard, in its order.
fn audible(steps: &[Step]) -> impl Iterator<Item = (usize, UtteranceId)> {
    let facts = steps.iter().flat_map(|step| &step.facts).enumerate();
    facts.filter_map(|(place, fact)| match fact {
        Fact::Heard { utterance, .. } | Fact::HeardUnknown { utterance } => {
            Some((place, *utterance))
        }
        fact => cut(fact).map(|utterance| (place, utterance)),
    })
}

/// Why our gate refused requests for a function.
pub(super) fn refusals(steps: &[Step], function: &str) -> impl Iterator<Item = &'static str> {
    let facts = || steps.iter().flat_map(|step| &step.facts);
    let asked: BTreeSet<&str> = facts()
        .filter_map(|fact| match fact {
            Fact::FunctionAsked { id, name, .. } if name == function => Some(id.as_str()),
            _ => None,
        })
        .collect();
    facts().filter_map(move |fact| match fact {
        Fact::FunctionRefused { id, why } if asked.contains(id.as_str()) => Some(why.word()),
        _ => None,
    })
}
