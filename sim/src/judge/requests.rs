//! What the agent asks for is answered: each request once it may be, and the outcome of every payment
//! (I-13).

use std::collections::{BTreeMap, BTreeSet};

use call_core::input::{Agent, Input};
use call_core::{Brief, CallTime, Cause, Effect, Fact, Limits, Millis, Phase, Step};

use super::scene::Scene;
use super::{Evidence, Findings};

/// F-DG-20: no request is left without an answer, unless it was taken back, or the call is over or
/// on its way there. What is asked for in the opening, or while tones are played, is decided about
/// behind that, and its time begins then. An agent that is muted is answered when it is heard again.
/// What came of a payment is told also to an agent that took it back (C-16, S11), if it was not told
/// under another id.
pub(super) fn every_request_is_answered(
    evidence: &Evidence<'_>,
    brief: &Brief,
    findings: &mut Findings<'_>,
) {
    let mut requests = Requests::new(&brief.limits);
    let mut scene = Scene::new(brief);
    for step in evidence.steps {
        if let Some((id, _)) = requests.waiting.iter().find(|(_, limit)| **limit < step.at) {
            let id = *id;
            findings.at(step.at, "a request of the agent's was not answered in time");
            requests.waiting.remove(id);
        }
        requests.news(step);
        for effect in &step.effects {
            requests.effect(effect, step.at);
        }
        if scene.in_talk() {
            for id in ended(step).filter(|id| requests.waiting.remove(id).is_some()) {
                let name = requests.asked.get(id).map_or("function", |(name, _)| name);
                findings.at(step.at, format!("what came of a {name} is told to nobody"));
            }
        }
        scene.apply(step);
        // There is nothing left that it could wait for.
        let listens = step.moves.iter().any(|change| change.to == Phase::Listening);
        if listens && !requests.undecided.is_empty() {
            findings.at(step.at, "a request of the agent's was not decided about");
            requests.undecided.clear();
        }
    }
    if !requests.waiting.is_empty() || !requests.undecided.is_empty() {
        findings.whole("a request of the agent's was never answered");
    }
}

/// Functions that came to an outcome in this step.
fn ended(step: &Step) -> impl Iterator<Item = &str> {
    step.facts.iter().filter_map(|fact| match fact {
        Fact::FunctionDone { id, .. } => Some(id.as_str()),
        _ => None,
    })
}

/// The requests of a call that were not answered yet.
struct Requests<'a> {
    limits: &'a Limits,
    /// What each means: the function, and the fingerprint of its arguments.
    asked: BTreeMap<&'a str, (&'a str, &'a str)>,
    writes: BTreeSet<&'a str>,
    undecided: BTreeSet<&'a str>,
    /// Those that were decided about, and by when they must be answered.
    waiting: BTreeMap<&'a str, CallTime>,
    /// What nobody can be told while the agent is muted.
    muted: (BTreeSet<&'a str>, BTreeSet<&'a str>),
}

impl<'a> Requests<'a> {
    const fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            asked: BTreeMap::new(),
            writes: BTreeSet::new(),
            undecided: BTreeSet::new(),
            waiting: BTreeMap::new(),
            muted: (BTreeSet::new(), BTreeSet::new()),
        }
    }

    fn longest(&self) -> Millis {
        Millis(self.limits.pay.0.max(self.limits.lookup.0))
    }

    fn news(&mut self, step: &'a Step) {
        match &step.cause {
            Cause::Input(Input::Agent(Agent::Asked(asks))) if !step.ignored => {
                for ask in asks {
                    let meaning = (ask.name.as_str(), ask.fingerprint.as_str());
                    if self.asked.insert(&ask.id, meaning).is_none() {
                        self.undecided.insert(&ask.id);
                    }
                }
            }
            Cause::Input(Input::Agent(Agent::Withdrew(ids))) => {
                for id in ids {
                    if !self.writes.contains(id.as_str()) {
                        self.over(id);
                    }
                }
            }
            _ => {}
        }
        for fact in &step.facts {
            if let Fact::FunctionAsked { id, .. } = fact
                && self.undecided.remove(id.as_str())
            {
                self.waiting.insert(id, step.at + self.longest());
            }
        }
    }

    fn effect(&mut self, effect: &'a Effect, at: CallTime) {
        match effect {
            Effect::Perform { id, function, .. } if function.is_write() => {
                self.writes.insert(id);
            }
            Effect::Answer { id, .. } => {
                self.over(id);
                let Some(meaning) = self.asked.get(id.as_str()).copied() else { return };
                // Who took a payment back knows what came of it, if another request was told.
                let same = |other: &&str| self.asked.get(other) == Some(&meaning);
                let told: Vec<&str> = self.writes.iter().copied().filter(same).collect();
                told.into_iter().for_each(|id| self.over(id));
            }
            // The next session is told, once it is there.
            Effect::OpenAgent { .. } => {
                let reconnect = self.limits.reconnect;
                self.waiting.values_mut().for_each(|limit| *limit = *limit + reconnect);
            }
            Effect::MuteAgent => {
                self.muted.0.append(&mut self.undecided);
                self.muted.1.extend(std::mem::take(&mut self.waiting).into_keys());
            }
            Effect::UnmuteAgent => {
                let limit = at + self.longest();
                let (undecided, waiting) = std::mem::take(&mut self.muted);
                self.undecided.extend(undecided);
                self.waiting.extend(waiting.into_iter().map(|id| (id, limit)));
            }
            Effect::LeaveStream => {
                self.undecided.clear();
                self.waiting.clear();
            }
            _ => {}
        }
    }

    fn over(&mut self, id: &str) {
        self.undecided.remove(id);
        self.waiting.remove(id);
        self.muted.0.remove(id);
        self.muted.1.remove(id);
    }
}
