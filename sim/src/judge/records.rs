//! The record: cause before effect, and request before answer (I-25).

use std::collections::{BTreeMap, BTreeSet};

use call_core::effect::Answer;
use call_core::input::{Agent, Carrier, Input, Line, Playback};
use call_core::{CallTime, Cause, Effect, Fact, Millis, Step, UtteranceId};

use super::heard::Marks;
use super::{Evidence, Findings};

/// I-25.
pub(super) fn cause_before_effect(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let births = evidence.steps.iter().filter(|step| matches!(step.cause, Cause::Started(_)));
    if births.count() != 1 || evidence.brief().is_none() {
        findings.whole("a journal begins with its brief, and holds one");
    }
    let mark = evidence.brief().map_or(Millis(0), |brief| brief.limits.mark);
    let mut record = Record { mark, ..Record::default() };
    for step in evidence.steps {
        record.cause(step);
        for fact in &step.facts {
            if let Some(what) = record.fact(fact, step) {
                findings.at(step.at, what);
            }
        }
        for effect in &step.effects {
            if let Some(what) = record.effect(effect) {
                findings.at(step.at, what);
            }
        }
    }
    record.all_speech_is_settled(findings);
}

/// What was told and done so far.
#[derive(Default)]
struct Record<'a> {
    prepared: BTreeSet<UtteranceId>,
    ready: BTreeSet<UtteranceId>,
    played: BTreeSet<UtteranceId>,
    /// Since when speech waits or plays, whether any of it was handed over, and how often it was
    /// settled.
    began: BTreeMap<UtteranceId, CallTime>,
    came: BTreeMap<UtteranceId, bool>,
    marks: Marks,
    /// How long a mark is waited for.
    mark: Millis,
    settled: BTreeMap<UtteranceId, u32>,
    /// Requests by id: the function's name, how often asked, how often answered.
    asked: BTreeMap<&'a str, (&'a str, u32)>,
    answered: BTreeMap<&'a str, u32>,
    /// What results disclose, of those that were not disclosed yet.
    results: Vec<&'a [String]>,
    transfers: u32,
}

impl<'a> Record<'a> {
    fn cause(&mut self, step: &'a Step) {
        self.marks.follow(step);
        let Cause::Input(input) = &step.cause else { return };
        match input {
            Input::Line(Line::Ready { utterance, .. } | Line::Spoken { utterance, .. }) => {
                self.ready.insert(*utterance);
            }
            Input::Playback(Playback::Waits { utterance } | Playback::Began { utterance })
                if !step.ignored =>
            {
                self.began.entry(*utterance).or_insert(step.at);
                let begins = matches!(input, Input::Playback(Playback::Began { .. }));
                *self.came.entry(*utterance).or_default() |= begins;
            }
            Input::Function(ended) if !step.ignored && !ended.disclosed.is_empty() => {
                self.results.push(&ended.disclosed);
            }
            Input::Agent(Agent::Asked(asks)) => {
                for ask in asks {
                    self.asked.entry(&ask.id).or_insert((&ask.name, 0)).1 += 1;
                }
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: &'a Effect) -> Option<String> {
        match effect {
            Effect::Prepare { utterance, .. }
            | Effect::Inject { utterance, .. }
            | Effect::UseRecording { utterance, .. } => {
                let twice = !self.prepared.insert(*utterance);
                twice.then(|| format!("{utterance} is asked for a second time"))
            }
            Effect::Play { utterance } => {
                let made = self.prepared.contains(utterance) && self.ready.contains(utterance);
                let twice = !self.played.insert(*utterance);
                (!made || twice)
                    .then(|| format!("{utterance} is played before it was made, or twice"))
            }
            Effect::TellAgent { utterance, .. } => {
                let told = !self.played.contains(utterance);
                told.then(|| format!("the agent is told of {utterance}, which was not played"))
            }
            Effect::Perform { id, function, .. } => {
                let asked = self.asked.get(id.as_str()).is_some_and(|(n, _)| *n == function.name());
                (!asked).then(|| format!("nobody asked for the {} that is run", function.name()))
            }
            Effect::Answer { id, name, .. } => {
                let answers = self.answered.entry(id).or_default();
                *answers += 1;
                let asked = self.asked.get(id.as_str()).map_or(0, |(_, times)| *times);
                (*answers > asked).then(|| format!("{name} is answered more often than asked"))
            }
            Effect::Transfer { .. } => {
                self.transfers += 1;
                None
            }
            _ => None,
        }
    }

    fn fact(&mut self, fact: &Fact, step: &Step) -> Option<String> {
        let told = match fact {
            Fact::Heard { utterance, audio } => {
                *self.settled.entry(*utterance).or_default() += 1;
                let news = Playback::Heard { utterance: *utterance, audio: *audio };
                step.cause == Cause::Input(Input::Playback(news))
            }
            Fact::Cut { utterance, heard, audio, whole, why } => {
                *self.settled.entry(*utterance).or_default() += 1;
                let (utterance, heard, audio) = (*utterance, *heard, *audio);
                let news = Playback::Cut { utterance, heard, audio, whole: *whole, why: *why };
                // What never began was not heard, and needs nobody to say so.
                let unheard = heard == Millis(0) && self.came.get(&utterance) == Some(&false);
                step.cause == Cause::Input(Input::Playback(news))
                    || (unheard && may_leave_unsettled(step))
            }
            Fact::HeardUnknown { utterance } => {
                *self.settled.entry(*utterance).or_default() += 1;
                let lost = self.marks.loses(step, *utterance, self.mark);
                self.came.get(utterance) == Some(&true) && (lost || may_leave_unsettled(step))
            }
            Fact::LineRendered { utterance, .. } => self.ready.contains(utterance),
            Fact::AgentLine { utterance, .. } => matches!(
                &step.cause,
                Cause::Input(Input::Agent(Agent::Said { utterance: u, .. })) if u == utterance
            ),
            Fact::CallerLine { text, started, .. } => matches!(
                &step.cause,
                Cause::Input(Input::Agent(Agent::CallerSaid { text: said, .. }))
                    if said == text && *started <= step.at
            ),
            Fact::FunctionAsked { id, .. }
            | Fact::FunctionAllowed { id }
            | Fact::FunctionRefused { id, .. }
            | Fact::FunctionDone { id, .. } => self.asked.contains_key(id.as_str()),
            Fact::IdentityStep(check) => matches!(
                &step.cause,
                Cause::Input(Input::Function(ended)) if ended.identity.contains(check)
            ),
            Fact::IdentityVerified { .. } => {
                matches!(step.cause, Cause::Input(Input::Function(_)))
            }
            // A result may wait until the agent may speak about it. It leaves our hands with an answer.
            Fact::Disclosed { fields, .. } => {
                let place = self.results.iter().position(|result| result == fields);
                let answers = |effect: &Effect| {
                    matches!(effect, Effect::Answer { answer: Answer::Result { .. }, .. })
                };
                place.map(|place| self.results.remove(place)).is_some()
                    && step.effects.iter().any(answers)
            }
            Fact::Transfer { .. } => self.transfers > 0,
            _ => true,
        };
        (!told).then(|| format!("a fact without its cause: {}", kind(fact)))
    }

    /// Each stretch of speech that began is heard, cut or unknown, exactly once; and what did not
    /// begin is cut at most once.
    fn all_speech_is_settled(&self, findings: &mut Findings<'_>) {
        for (utterance, at) in &self.began {
            match self.settled.get(utterance) {
                Some(1) => {}
                None => findings.at(*at, format!("nobody knows whether {utterance} was heard")),
                Some(times) => findings.at(*at, format!("{utterance} was settled {times} times")),
            }
        }
        for (utterance, times) in &self.settled {
            if *times > 1 && !self.began.contains_key(utterance) {
                findings.whole(format!("{utterance} never began and was settled {times} times"));
            }
        }
    }
}

/// The end of the stream or of the call.
fn may_leave_unsettled(step: &Step) -> bool {
    let stream_over = matches!(
        step.cause,
        Cause::Input(Input::Carrier(
            Carrier::Stopped | Carrier::Lost | Carrier::Dead | Carrier::Completed | Carrier::Joined
        ))
    );
    let ended = step.effects.contains(&Effect::LeaveStream);
    stream_over || ended
}

/// The kind of a fact, without what it says.
const fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Heard { .. } => "heard",
        Fact::Cut { .. } => "cut",
        Fact::HeardUnknown { .. } => "perhaps heard",
        Fact::LineRendered { .. } => "a line worded",
        Fact::AgentLine { .. } => "a sentence of the agent's",
        Fact::CallerLine { .. } => "words of the caller's",
        Fact::FunctionAsked { .. } => "a function asked for",
        Fact::FunctionAllowed { .. } => "a function allowed",
        Fact::FunctionRefused { .. } => "a function refused",
        Fact::FunctionDone { .. } => "a function over",
        Fact::IdentityStep(_) | Fact::IdentityVerified { .. } => "identity",
        Fact::Disclosed { .. } => "a disclosure",
        Fact::Transfer { .. } => "a transfer",
        _ => "another",
    }
}
