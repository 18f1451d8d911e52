//! What a call amounts to, worked out from its journal: for records, and for those who look for a call.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Function};
use crate::input::{Agent, Input, Playback, Transfer};
use crate::line::{Language, UtteranceId};
use crate::redact::plain_letter;
use crate::step::{Cause, EndReason, Fact, IdentityLevel, RecordingReason, Step};
use crate::time::{CallTime, Millis};

/// What a call amounts to. Nothing in it is anybody's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The most that came of it.
    pub outcome: Outcome,
    /// Why it ended; nothing if its journal does not say.
    pub ended: Option<EndReason>,
    /// How long it was.
    pub lasted: Millis,
    /// How many steps its journal has.
    pub steps: u32,
    /// The languages that it was held in, in order.
    pub languages: Vec<Language>,
    /// It was to be recorded, at least for a while.
    pub recorded: bool,
    /// From when on it was to be recorded, from when on not, and why, in order.
    pub recording: Vec<Turned>,
    /// How often the caller said something.
    pub turns: u32,
    /// How often the caller's voice stopped our speech.
    pub barge_ins: u32,
    /// What became of the agent's sentences.
    pub sentences: Fates,
    /// What became of our own lines.
    pub lines: Fates,
    /// Who was heard for how long.
    pub times: Times,
    /// From the caller's last loud sound to the words: the agent's recognition, and its patience. Not
    /// of every turn: on a quiet line no sound may be loud enough.
    pub hearing: Spread,
    /// From the caller's words to the agent's first audio at us: its model, its voice, the functions.
    pub thinking: Spread,
    /// From that audio to the carrier: it waited in our queue. As far as a journal knows, this is what
    /// we add to an answer.
    pub speaking: Spread,
    /// All three: from the caller's last loud sound to the carrier.
    pub answer: Spread,
    /// The functions that the agent asked for, by name.
    pub functions: BTreeMap<String, Uses>,
    /// How well we came to know who is calling.
    pub identity: IdentityLevel,
    /// Names of the protected fields that left our hands.
    pub disclosed: Vec<String>,
    /// How often the caller asked for a person.
    pub person_asked: u32,
    /// What came of handing the call to persons, in order.
    pub transfers: Vec<Handed>,
    /// How many sessions of the agent's were lost.
    pub sessions_lost: u32,
}

/// The most that came of a call, from the least to the most. Why it ended is another matter: a line may
/// break after a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The caller said nothing that was understood.
    #[default]
    Nothing,
    /// The caller said something.
    Talked,
    /// Protected facts left our hands for the caller.
    Disclosed,
    /// A person took the call over.
    Transferred,
    /// What a function was to change outside was changed: a payment was made.
    Paid,
    /// Such a function ended, and nobody knows whether it did.
    PaymentUnknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Talked,
        Self::Disclosed,
        Self::Transferred,
        Self::Paid,
        Self::PaymentUnknown,
    ];

    /// The word in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Talked => "talked",
            Self::Disclosed => "disclosed",
            Self::Transferred => "transferred",
            Self::Paid => "paid",
            Self::PaymentUnknown => "payment_unknown",
        }
    }
}

/// What became of stretches of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Fates {
    /// Heard to the end.
    pub heard: u32,
    /// Heard in part.
    pub cut: u32,
    /// Perhaps heard: nothing proves it.
    pub unknown: u32,
    /// Cut before anything of it was heard.
    pub unheard: u32,
}

/// Who was heard for how long in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// The caller spoke, by the agent's word of when a turn began and was understood.
    pub caller: Millis,
    /// The caller heard the agent.
    pub agent: Millis,
    /// The caller heard our own lines.
    pub ours: Millis,
    /// Nobody spoke, as far as the journal knows.
    pub silent: Millis,
}

/// How lengths of time are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// How many there are.
    pub count: u32,
    /// The one in the middle.
    pub median: Millis,
    /// The longest.
    pub longest: Millis,
}

/// What became of requests for one function.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Uses {
    /// How often it was asked for.
    pub asked: u32,
    /// How often it was allowed to run.
    pub allowed: u32,
    /// How often it was refused.
    pub refused: u32,
    /// How often it ended, by the word of how.
    pub ended: BTreeMap<String, u32>,
}

/// Whether a call was to be recorded from some moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    /// From then on.
    pub at: CallTime,
    /// Recorded or not.
    pub on: bool,
    /// Why.
    pub why: RecordingReason,
}

/// What came of handing the call to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Name of the target.
    pub target: String,
    /// What came of it, in a word.
    pub result: String,
}

/// Sums a journal up.
pub fn summary(steps: &[Step]) -> Summary {
    let mut sum = Sum::default();
    for step in steps {
        sum.cause(step);
        for fact in &step.facts {
            sum.fact(step.at, fact);
        }
    }
    sum.finish(steps)
}

/// All that was said in a call, a line for each turn: what the caller said, and what the caller heard
/// or perhaps heard, if only in part. What nobody heard is not in it. Masked, as journals are, and
/// [folded](fold) for whoever looks for words.
pub fn said(steps: &[Step]) -> String {
    let lines = turns(steps).into_iter();
    lines.fold(String::new(), |said, (_, text)| said + &fold(text) + "\n")
}

/// The same with who said it, and not folded: `Caller: …` and `Agent: …`. Our own lines are spoken in
/// the agent's voice and count as its own. Empty where the caller said nothing.
pub fn conversation(steps: &[Step]) -> String {
    let turns = turns(steps);
    if !turns.iter().any(|(speaker, _)| *speaker == Speaker::Caller) {
        return String::new();
    }
    turns.into_iter().fold(String::new(), |told, (speaker, text)| {
        let speaker = match speaker {
            Speaker::Caller => "Caller: ",
            Speaker::Agent => "Agent: ",
        };
        told + speaker + text + "\n"
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Caller,
    Agent,
}

fn turns(steps: &[Step]) -> Vec<(Speaker, &str)> {
    let mut words: BTreeMap<UtteranceId, &str> = BTreeMap::new();
    let mut turns = Vec::new();
    for fact in steps.iter().flat_map(|step| &step.facts) {
        match fact {
            Fact::LineRendered { utterance, text, .. }
            | Fact::AgentLine { utterance, text, .. } => {
                words.insert(*utterance, text);
            }
            Fact::CallerLine { text, .. } => turns.push((Speaker::Caller, &**text)),
            Fact::Cut { heard: Millis(0), .. } => {}
            Fact::Heard { utterance, .. }
            | Fact::Cut { utterance, .. }
            | Fact::HeardUnknown { utterance } => {
                turns.extend(words.remove(utterance).map(|text| (Speaker::Agent, text)));
            }
            _ => {}
        }
    }
    turns
}

/// A text in small letters without accents, so that `prestamo` finds `Préstamo`.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(plain_letter).collect()
}

/// A summary that grows.
#[derive(Default)]
struct Sum {
    summary: Summary,
    /// Which function each request that is not settled asks for.
    asked: BTreeMap<String, String>,
    /// When somebody spoke: from, to.
    spoken: Vec<(CallTime, CallTime)>,
    /// When the caller's last words were understood, and the agent's first audio since came.
    words: Option<CallTime>,
    audio: Option<CallTime>,
    /// What the words were heard in.
    heard_in: Option<Millis>,
    hearing: Vec<Millis>,
    thinking: Vec<Millis>,
    speaking: Vec<Millis>,
    answer: Vec<Millis>,
    /// Sentences up to this one belong to earlier turns.
    last_sentence: u32,
    after: u32,
}

impl Sum {
    fn cause(&mut self, step: &Step) {
        let Cause::Input(input) = &step.cause else { return };
        match input {
            Input::Agent(Agent::CallerStarted) if step.effects.contains(&Effect::Clear) => {
                self.summary.barge_ins += 1;
                self.words = None;
            }
            Input::Agent(Agent::Lost(_)) if !step.ignored => {
                self.summary.sessions_lost += 1;
                self.words = None;
            }
            Input::Agent(Agent::CallerSaid { since_sound, .. }) if !step.ignored => {
                (self.words, self.audio) = (Some(step.at), None);
                self.heard_in = *since_sound;
                self.hearing.extend(*since_sound);
                self.after = self.last_sentence;
            }
            Input::Playback(
                news @ (Playback::Waits { utterance } | Playback::Began { utterance }),
            ) => {
                if let UtteranceId::Agent(sentence) = *utterance {
                    self.answer(step.at, sentence, matches!(news, Playback::Began { .. }));
                }
            }
            _ => {}
        }
    }

    /// The first audio of a sentence came, and was handed on at once or waits.
    fn answer(&mut self, at: CallTime, sentence: u32, began: bool) {
        self.last_sentence = self.last_sentence.max(sentence);
        if sentence <= self.after {
            return;
        }
        let Some(words) = self.words else { return };
        let audio = *self.audio.get_or_insert(at);
        if began {
            self.thinking.push(audio.since(words));
            self.speaking.push(at.since(audio));
            self.answer.extend(self.heard_in.map(|hearing| hearing + at.since(words)));
            self.words = None;
        }
    }

    fn fact(&mut self, at: CallTime, fact: &Fact) {
        let summary = &mut self.summary;
        match fact {
            Fact::LanguageSet(language) => summary.languages.push(*language),
            Fact::RecordingState { on, why } => {
                summary.recorded |= on;
                summary.recording.push(Turned { at, on: *on, why: *why });
            }
            Fact::CallerLine { started, ended, .. } => {
                summary.turns += 1;
                self.speaks(*started, *ended, |times| &mut times.caller);
            }
            Fact::Heard { utterance, audio } => {
                self.fates(*utterance).heard += 1;
                self.hears(at, *utterance, *audio);
            }
            Fact::Cut { utterance, heard, .. } => {
                let fates = self.fates(*utterance);
                let count = if *heard > Millis(0) { &mut fates.cut } else { &mut fates.unheard };
                *count += 1;
                self.hears(at, *utterance, *heard);
            }
            Fact::HeardUnknown { utterance } => self.fates(*utterance).unknown += 1,
            Fact::IdentityVerified { level } => summary.identity = summary.identity.max(*level),
            Fact::Disclosed { fields, .. } => {
                for field in fields {
                    if !summary.disclosed.contains(field) {
                        summary.disclosed.push(field.clone());
                    }
                }
            }
            Fact::PersonAsked { times } => summary.person_asked = *times,
            Fact::Transfer { target, result } => {
                let result = result.word().to_string();
                summary.transfers.push(Handed { target: target.clone(), result });
            }
            Fact::CallEnded { reason } => {
                summary.ended = Some(*reason);
                summary.lasted = at.since(CallTime::ZERO);
            }
            fact => self.function(fact),
        }
        self.amounts_to(fact);
    }

    fn function(&mut self, fact: &Fact) {
        match fact {
            Fact::FunctionAsked { id, name, .. } => {
                // What a model makes up may be anything, and any number of names.
                let name = Function::from_name(name).map_or("other", Function::name);
                self.asked.insert(id.clone(), name.to_string());
                self.uses(name).asked += 1;
            }
            Fact::FunctionAllowed { id } => {
                if let Some(name) = self.asked.get(id).cloned() {
                    self.uses(&name).allowed += 1;
                }
            }
            Fact::FunctionRefused { id, .. } => {
                if let Some(name) = self.asked.remove(id) {
                    self.uses(&name).refused += 1;
                }
            }
            Fact::FunctionDone { id, name, outcome } => {
                self.asked.remove(id);
                let name = Function::from_name(name).map_or("other", Function::name);
                *self.uses(name).ended.entry(outcome.clone()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// What a fact makes of the call.
    fn amounts_to(&mut self, fact: &Fact) {
        let writes = |name: &str| Function::from_name(name).is_some_and(Function::is_write);
        let outcome = match fact {
            Fact::CallerLine { .. } => Outcome::Talked,
            Fact::Disclosed { .. } => Outcome::Disclosed,
            Fact::Transfer { result: Transfer::Completed, .. } => Outcome::Transferred,
            Fact::FunctionDone { name, outcome, .. } if writes(name) => match &**outcome {
                "done" => Outcome::Paid,
                "unknown" => Outcome::PaymentUnknown,
                _ => return,
            },
            _ => return,
        };
        self.summary.outcome = self.summary.outcome.max(outcome);
    }

    fn uses(&mut self, name: &str) -> &mut Uses {
        self.summary.functions.entry(name.to_string()).or_default()
    }

    fn fates(&mut self, utterance: UtteranceId) -> &mut Fates {
        if utterance.is_agents() { &mut self.summary.sentences } else { &mut self.summary.lines }
    }

    fn hears(&mut self, until: CallTime, utterance: UtteranceId, length: Millis) {
        let from = CallTime::from_millis(until.as_millis().saturating_sub(length.0));
        self.speaks(from, until, |times| {
            if utterance.is_agents() { &mut times.agent } else { &mut times.ours }
        });
    }

    fn speaks(
        &mut self,
        from: CallTime,
        until: CallTime,
        of: impl FnOnce(&mut Times) -> &mut Millis,
    ) {
        let time = of(&mut self.summary.times);
        *time = *time + until.since(from);
        self.spoken.push((from, until));
    }

    fn finish(mut self, steps: &[Step]) -> Summary {
        let last = steps.last().map_or(Millis(0), |step| step.at.since(CallTime::ZERO));
        let mut summary = self.summary;
        summary.steps = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        if summary.ended.is_none() {
            summary.lasted = last;
        }
        // Where several spoke at once, silence is broken once.
        self.spoken.sort_unstable();
        let (mut silent, mut until) = (0, 0);
        for (from, to) in self.spoken {
            silent += from.as_millis().min(summary.lasted.0).saturating_sub(until);
            until = until.max(to.as_millis());
        }
        summary.times.silent = Millis(silent + summary.lasted.0.saturating_sub(until));
        summary.hearing = Spread::of(self.hearing);
        summary.thinking = Spread::of(self.thinking);
        summary.speaking = Spread::of(self.speaking);
        summary.answer = Spread::of(self.answer);
        summary
    }
}

impl Spread {
    fn of(mut lengths: Vec<Millis>) -> Self {
        lengths.sort_unstable();
        Self {
            count: u32::try_from(lengths.len()).unwrap_or(u32::MAX),
            median: lengths.get(lengths.len() / 2).copied().unwrap_or_default(),
            longest: lengths.last().copied().unwrap_or_default(),
        }
    }
}
