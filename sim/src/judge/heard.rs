//! Heard is not said: the record against the carrier's account and against plain arithmetic.

use std::collections::{BTreeMap, BTreeSet};

use call_core::call::Timer;
use call_core::input::{Agent, Input, Line, Playback};
use call_core::{CallTime, Cause, Effect, Fact, LineId, Millis, Step, UtteranceId};

use super::{Evidence, Findings};
use crate::cast::carrier::Account;

/// The marks that are waited for: when the speech before them should have been played.
#[derive(Default)]
pub(super) struct Marks(BTreeMap<UtteranceId, CallTime>);

impl Marks {
    pub(super) fn follow(&mut self, step: &Step) {
        if let Cause::Input(Input::Playback(Playback::Queued { utterance, until, .. })) =
            &step.cause
            && !step.ignored
        {
            self.0.insert(*utterance, *until);
        }
    }

    /// Whether an utterance was heard in this step, or its mark is past hoping for.
    pub(super) fn settle(&self, step: &Step, utterance: UtteranceId, mark: Millis) -> bool {
        let heard = matches!(
            &step.cause,
            Cause::Input(Input::Playback(Playback::Heard { utterance: u, .. })) if *u == utterance
        );
        heard || self.loses(step, utterance, mark)
    }

    /// Whether an utterance's mark is past hoping for from this step on: it is overdue by so much, or
    /// one behind it came back.
    pub(super) fn loses(&self, step: &Step, utterance: UtteranceId, mark: Millis) -> bool {
        let Some(until) = self.0.get(&utterance) else { return false };
        match &step.cause {
            Cause::Timer(Timer::PlaybackMark) => *until + mark <= step.at,
            Cause::Input(Input::Playback(Playback::Heard { utterance: heard, .. })) => {
                *heard != utterance && self.0.get(heard).is_some_and(|behind| until <= behind)
            }
            _ => false,
        }
    }
}

/// The first promise.
pub(super) fn heard_is_not_said(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let (began, voice) = (BTreeMap::new(), Voice::default());
    let mut ear = Ear { account: evidence.account, began, voice };
    for step in evidence.steps {
        if let Cause::Input(Input::Playback(Playback::Began { utterance })) = &step.cause {
            ear.began.entry(*utterance).or_insert(step.at);
        }
        ear.voice.follow(step);
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
    voice: Voice,
}

/// Which sentences the agent did not finish, by its own account: nothing of them may count as heard in
/// full, whatever mark came back behind what there was of them.
#[derive(Default)]
struct Voice {
    known: BTreeSet<UtteranceId>,
    /// The sentence, or the line of ours, that it is saying.
    saying: Option<UtteranceId>,
    unfinished: BTreeSet<UtteranceId>,
}

impl Voice {
    fn follow(&mut self, step: &Step) {
        match &step.cause {
            Cause::Input(Input::Agent(Agent::Said { utterance, .. }))
            | Cause::Input(Input::Line(Line::Spoken { utterance, .. })) => self.says(*utterance),
            Cause::Input(Input::Playback(
                Playback::Waits { utterance } | Playback::Began { utterance },
            )) if utterance.is_agents() => self.says(*utterance),
            Cause::Input(Input::Agent(Agent::AudioDone)) | Cause::Timer(Timer::AgentAudioDone) => {
                self.saying = None;
            }
            Cause::Input(Input::Playback(Playback::Queued { utterance, .. })) => {
                self.saying.take_if(|saying| saying == utterance);
            }
            _ => {}
        }
        let ends = |effect: &Effect| matches!(effect, Effect::MuteAgent | Effect::CutReply);
        if step.effects.iter().any(ends) {
            self.unfinished.extend(self.saying.take());
        }
    }

    fn says(&mut self, utterance: UtteranceId) {
        if self.known.insert(utterance) {
            self.saying = Some(utterance);
        }
    }
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
                if self.voice.unfinished.contains(utterance) {
                    return Some(format!(
                        "{utterance} counts as heard, and was not said to its end"
                    ));
                }
                let sooner = *audio > self.played(*utterance, at);
                sooner.then(|| format!("{utterance} counts as heard sooner than it lasts"))
            }
            Fact::Cut { utterance, heard, audio, .. } => {
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
    let mark = evidence.brief().map_or(Millis(0), |brief| brief.limits.mark);
    let (mut openings, mut marks) = (BTreeSet::new(), Marks::default());
    let mut heard = false;
    for step in evidence.steps {
        marks.follow(step);
        heard |= openings.iter().any(|opening| marks.settle(step, *opening, mark));
        for effect in &step.effects {
            if let Effect::Prepare { utterance, line: LineId::Opening, .. }
            | Effect::Inject { utterance, line: LineId::Opening, .. }
            | Effect::UseRecording { utterance, line: LineId::Opening, .. } = effect
            {
                openings.insert(*utterance);
            }
        }
        if !heard && step.facts.iter().any(|fact| matches!(fact, Fact::Disclosed { .. })) {
            findings.at(step.at, "something is disclosed before the opening was heard");
        }
    }
}
