//! Heard is not said: the record against the carrier's account and against plain arithmetic.

use std::collections::BTreeMap;

use call_core::call::Timer;
use call_core::input::{Input, Playback};
use call_core::{CallTime, Cause, Effect, Fact, LineId, Millis, Step, UtteranceId};

use super::{Evidence, Findings};
use crate::cast::carrier::Account;

/// The first promise.
pub(super) fn heard_is_not_said(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut ear = Ear { account: evidence.account, began: BTreeMap::new() };
    for step in evidence.steps {
        if let Cause::Input(Input::Playback(Playback::Began { utterance })) = &step.cause {
            ear.began.entry(*utterance).or_insert(step.at);
        }
        for fact in &step.facts {
            if let Some(what) = ear.claim(fact, step.at) {
                findings.at(step.at, what);
            }
        }
    }
}

/// What can have come to the caller's ear.
struct Ear<'a> {
    account: &'a BTreeMap<String, Account>,
    /// When the first audio of an utterance was handed to the carrier.
    began: BTreeMap<UtteranceId, CallTime>,
}

impl Ear<'_> {
    /// The most that can have been played of an utterance by now.
    fn played(&self, utterance: UtteranceId, now: CallTime) -> Millis {
        self.began.get(&utterance).map_or(Millis(0), |began| now.since(*began))
    }

    fn account(&self, utterance: UtteranceId) -> Option<&Account> {
        self.account.get(&utterance.to_string())
    }

    /// What is wrong with a fact about what was heard.
    fn claim(&self, fact: &Fact, at: CallTime) -> Option<String> {
        match fact {
            Fact::Heard { utterance, audio } => {
                if self.account(*utterance) != Some(&Account::Played) {
                    return Some(format!("{utterance} counts as heard; the carrier disagrees"));
                }
                let sooner = *audio > self.played(*utterance, at);
                sooner.then(|| format!("{utterance} counts as heard sooner than it lasts"))
            }
            Fact::Cut { utterance, heard, audio } => {
                let whole = heard >= audio && audio.0 > 0;
                let cleared = self.account(*utterance) == Some(&Account::Cleared);
                if heard > audio || (whole && cleared) {
                    return Some(format!("{utterance} was cut and counts as whole"));
                }
                let more = *heard > self.played(*utterance, at);
                more.then(|| format!("more of {utterance} counts as heard than was played"))
            }
            _ => None,
        }
    }
}

/// F-HU-08, C-07: what must be known before a disclosure was heard, or should have been.
pub(super) fn opening_before_disclosure(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut openings: BTreeMap<UtteranceId, Option<CallTime>> = BTreeMap::new();
    let mut heard = false;
    for step in evidence.steps {
        heard |= opening_over(step, &mut openings);
        for effect in &step.effects {
            if let Effect::Prepare { utterance, line: LineId::Opening, .. }
            | Effect::Inject { utterance, line: LineId::Opening, .. }
            | Effect::UseRecording { utterance, line: LineId::Opening, .. } = effect
            {
                openings.insert(*utterance, None);
            }
        }
        if !heard && step.facts.iter().any(|fact| matches!(fact, Fact::Disclosed { .. })) {
            findings.at(step.at, "something is disclosed before the opening was heard");
        }
    }
}

/// Whether an opening's mark came back in this step, or was overdue.
fn opening_over(step: &Step, openings: &mut BTreeMap<UtteranceId, Option<CallTime>>) -> bool {
    match &step.cause {
        Cause::Input(Input::Playback(Playback::Queued { utterance, until, .. })) => {
            if let Some(opening) = openings.get_mut(utterance) {
                *opening = Some(*until);
            }
            false
        }
        Cause::Input(Input::Playback(Playback::Heard { utterance, .. })) => {
            openings.contains_key(utterance)
        }
        Cause::Timer(Timer::PlaybackMark) => {
            openings.values().flatten().any(|until| *until <= step.at)
        }
        _ => false,
    }
}
