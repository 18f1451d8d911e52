//! What a journal measures: steps in, measurements out. Pure, so that the same journal always gives
//! the same numbers, and no count depends on whoever remembers to make it.
//!
//! Every word in a measurement comes from a closed list of ours. What a caller, a model or a provider
//! wrote (a function's name, an error's code) is sorted into one of them and goes no further.

use std::collections::BTreeMap;

use call_core::call::Timer;
use call_core::input::{Agent, AgentLoss, Carrier, HungUp, Input, Playback, Tones, Transfer};
use call_core::step::{Cause, EndReason, Fact, Step};
use call_core::{CallTime, Effect, Language, LineId, Millis, Rung, UtteranceId};

use super::words;

/// One thing that a step tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measurement {
    /// A call's stream was admitted and the call began.
    Began,
    /// A call ended.
    Ended {
        /// Why.
        reason: EndReason,
        /// How long the call was.
        lasted: Millis,
    },
    /// A part of the time between the caller's last word and the agent's first.
    Turn {
        /// Which part.
        stage: Stage,
        /// Whether functions ran in between.
        course: Course,
        /// How long it took.
        took: Millis,
    },
    /// A function that the agent asked for is settled.
    Function {
        /// Its name, or `other`.
        name: &'static str,
        /// How it ended.
        outcome: &'static str,
        /// How long it ran, if somebody had to run it.
        took: Option<Millis>,
    },
    /// A session of the agent's listens.
    SessionReady {
        /// It replaces one that was lost.
        resumed: bool,
        /// Since it was asked for.
        took: Millis,
    },
    /// A session of the agent's was lost, or never came about.
    SessionLost(&'static str),
    /// A line of ours was asked for in one way, and is at hand or failed.
    Line {
        /// Which line.
        line: LineId,
        /// In which way.
        rung: Rung,
        /// It is at hand.
        ready: bool,
        /// Since it was asked for in this way.
        took: Millis,
    },
    /// What became of a stretch of speech.
    Speech {
        /// A line of ours, and not a sentence of the agent's.
        ours: bool,
        /// `heard`, `cut`, or `unknown` where nothing proves it.
        fate: &'static str,
    },
    /// The caller's voice stopped our speech: from the agent's word to `clear`.
    BargeIn(Millis),
    /// The carrier answered a request of ours.
    Rest {
        /// What was asked for.
        kind: &'static str,
        /// How it was answered.
        outcome: &'static str,
        /// Since it was asked for.
        took: Millis,
    },
    /// A transfer came to its end.
    Transferred(&'static str),
    /// From when something happened to when everything that came of it was done.
    Lag(Millis),
    /// Something happened that made no sense then.
    Ignored,
}

/// A part of the time that a caller waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// From the caller's last loud sound to the words: the agent's recognition, and its patience.
    Hearing,
    /// From the words to the agent's first audio at us: its model, its voice, the functions.
    Thinking,
    /// From that audio to the carrier: it waited in our queue.
    Speaking,
    /// Of all this, what we added: the wait in our queue, and the delay of our own loop.
    Ours,
    /// From the caller's last loud sound to the carrier.
    Whole,
}

/// What a turn had to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// Nothing but the agent.
    Plain,
    /// The agent asked for functions.
    Functions,
}

/// Measures one call.
#[derive(Debug, Default)]
pub struct Meter {
    language: Option<Language>,
    turn: Option<Turn>,
    /// The agent's last sentence that was on its way.
    last_sentence: u32,
    lines: BTreeMap<UtteranceId, CallTime>,
    functions: BTreeMap<String, Asked>,
    session: Option<(CallTime, bool)>,
    hang_up: Option<CallTime>,
    transfer: Option<CallTime>,
    tones: Option<CallTime>,
}

/// An answer that the agent owes.
#[derive(Debug)]
struct Turn {
    hearing: Option<Millis>,
    words: CallTime,
    /// Sentences up to this one belong to earlier turns.
    after: u32,
    course: Course,
    lag: Millis,
    first_audio: Option<CallTime>,
}

#[derive(Debug)]
struct Asked {
    name: &'static str,
    runs_since: Option<CallTime>,
}

impl Meter {
    /// The language of the call now.
    pub fn language(&self) -> Language {
        self.language.unwrap_or(Language::English)
    }

    /// What a step tells. `done` is when its effects had been carried out.
    pub fn take(&mut self, step: &Step, done: CallTime) -> Vec<Measurement> {
        let mut told = Vec::new();
        let lag = done.since(step.at);
        // An answer to a request counts, even where the call has no use for it any more.
        self.answer(step, &mut told);
        if step.ignored {
            told.push(Measurement::Ignored);
        } else {
            told.push(Measurement::Lag(lag));
            self.cause(step, lag, &mut told);
        }
        for fact in &step.facts {
            self.fact(step.at, fact, &mut told);
        }
        for effect in &step.effects {
            self.effect(step.at, effect);
        }
        told
    }

    fn answer(&mut self, step: &Step, told: &mut Vec<Measurement>) {
        let Cause::Input(Input::Carrier(news)) = &step.cause else { return };
        let (kind, asked, outcome) = match news {
            Carrier::HungUp(how) => {
                let outcome = if *how == HungUp::Done { "done" } else { "failed" };
                ("hang_up", &mut self.hang_up, outcome)
            }
            Carrier::Transfer(Transfer::Accepted) => ("transfer", &mut self.transfer, "done"),
            Carrier::Transfer(Transfer::Refused) => ("transfer", &mut self.transfer, "failed"),
            Carrier::Transfer(Transfer::Gone) => ("transfer", &mut self.transfer, "gone"),
            Carrier::Tones(Tones::Accepted) => ("tones", &mut self.tones, "done"),
            Carrier::Tones(Tones::Refused) => ("tones", &mut self.tones, "failed"),
            Carrier::Tones(Tones::Gone) => ("tones", &mut self.tones, "gone"),
            _ => return,
        };
        if let Some(since) = asked.take() {
            told.push(Measurement::Rest { kind, outcome, took: step.at.since(since) });
        }
    }

    fn cause(&mut self, step: &Step, lag: Millis, told: &mut Vec<Measurement>) {
        match &step.cause {
            Cause::Started(brief) => {
                self.language = Some(brief.language);
                told.push(Measurement::Began);
            }
            Cause::Input(Input::Agent(news)) => self.agent(step, news, lag, told),
            Cause::Input(Input::Playback(news)) => self.playback(step.at, news, lag, told),
            Cause::Timer(Timer::AgentReady) => {
                self.session = None;
                told.push(Measurement::SessionLost("timeout"));
            }
            Cause::Input(_) | Cause::Timer(_) => {}
        }
    }

    fn agent(&mut self, step: &Step, news: &Agent, lag: Millis, told: &mut Vec<Measurement>) {
        match news {
            Agent::Ready => {
                if let Some((since, resumed)) = self.session.take() {
                    let took = step.at.since(since);
                    told.push(Measurement::SessionReady { resumed, took });
                }
            }
            Agent::Lost(loss) => {
                self.session = None;
                self.turn = None;
                told.push(Measurement::SessionLost(loss_word(loss)));
            }
            Agent::CallerStarted if step.effects.contains(&Effect::Clear) => {
                self.turn = None;
                told.push(Measurement::BargeIn(lag));
            }
            Agent::CallerSaid { since_sound, .. } => {
                let course = Course::Plain;
                if let Some(took) = *since_sound {
                    told.push(Measurement::Turn { stage: Stage::Hearing, course, took });
                }
                let (words, hearing) = (step.at, *since_sound);
                let (after, first_audio) = (self.last_sentence, None);
                self.turn = Some(Turn { hearing, words, after, course, lag, first_audio });
            }
            _ => {}
        }
    }

    fn playback(
        &mut self,
        at: CallTime,
        news: &Playback,
        lag: Millis,
        told: &mut Vec<Measurement>,
    ) {
        let (Playback::Waits { utterance } | Playback::Began { utterance }) = news else { return };
        let UtteranceId::Agent(sentence) = *utterance else { return };
        self.last_sentence = self.last_sentence.max(sentence);
        let Some(turn) = self.turn.as_mut().filter(|turn| sentence > turn.after) else { return };
        let first_audio = *turn.first_audio.get_or_insert(at);
        turn.lag = turn.lag + lag;
        if matches!(news, Playback::Waits { .. }) {
            return;
        }
        let Some(Turn { hearing, words, course, lag, .. }) = self.turn.take() else { return };
        let waited = at.since(first_audio);
        let whole = hearing.map(|hearing| (Stage::Whole, hearing + at.since(words) + lag));
        let stages = [
            (Stage::Thinking, first_audio.since(words)),
            (Stage::Speaking, waited),
            (Stage::Ours, waited + lag),
        ];
        let turn = |(stage, took)| Measurement::Turn { stage, course, took };
        told.extend(stages.into_iter().chain(whole).map(turn));
    }

    fn fact(&mut self, at: CallTime, fact: &Fact, told: &mut Vec<Measurement>) {
        match fact {
            Fact::LanguageSet(language) => self.language = Some(*language),
            Fact::CallEnded { reason } => {
                let (reason, lasted) = (*reason, at.since(CallTime::ZERO));
                told.push(Measurement::Ended { reason, lasted });
            }
            Fact::LineRendered { utterance, line, by, .. } => {
                told.push(self.line(at, *utterance, *line, *by, true));
            }
            Fact::LineFailed { utterance, line, by } => {
                told.push(self.line(at, *utterance, *line, *by, false));
            }
            Fact::Heard { utterance, .. } => told.push(speech(*utterance, "heard")),
            Fact::Cut { utterance, .. } => told.push(speech(*utterance, "cut")),
            Fact::HeardUnknown { utterance } => told.push(speech(*utterance, "unknown")),
            Fact::Transfer { result, .. } => {
                if let Some(word) = words::transfer(*result) {
                    told.push(Measurement::Transferred(word));
                }
            }
            fact => self.function(at, fact, told),
        }
    }

    fn line(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        line: LineId,
        rung: Rung,
        ready: bool,
    ) -> Measurement {
        let took = self.lines.get(&utterance).map_or(Millis(0), |since| at.since(*since));
        if !ready {
            self.lines.remove(&utterance);
        }
        Measurement::Line { line, rung, ready, took }
    }

    fn function(&mut self, at: CallTime, fact: &Fact, told: &mut Vec<Measurement>) {
        match fact {
            Fact::FunctionAsked { id, name, .. } => {
                let name = words::function(name);
                self.functions.insert(id.clone(), Asked { name, runs_since: None });
                if let Some(turn) = &mut self.turn {
                    turn.course = Course::Functions;
                }
            }
            Fact::FunctionRefused { id, .. } => {
                let name = self.functions.remove(id).map_or("other", |asked| asked.name);
                told.push(Measurement::Function { name, outcome: "refused", took: None });
            }
            Fact::FunctionDone { id, name, outcome } => {
                let runs_since = self.functions.remove(id).and_then(|asked| asked.runs_since);
                let took = runs_since.map(|since| at.since(since));
                let (name, outcome) = (words::function(name), words::outcome(outcome));
                told.push(Measurement::Function { name, outcome, took });
            }
            _ => {}
        }
    }

    fn effect(&mut self, at: CallTime, effect: &Effect) {
        match effect {
            Effect::OpenAgent { resume, .. } => self.session = Some((at, *resume)),
            Effect::Prepare { utterance, .. }
            | Effect::Inject { utterance, .. }
            | Effect::UseRecording { utterance, .. } => {
                self.lines.insert(*utterance, at);
            }
            Effect::Perform { id, .. } => {
                if let Some(asked) = self.functions.get_mut(id) {
                    asked.runs_since = Some(at);
                }
            }
            Effect::HangUp => self.hang_up = Some(at),
            Effect::Transfer { .. } => self.transfer = Some(at),
            Effect::PlayTones { .. } => self.tones = Some(at),
            _ => {}
        }
    }
}

fn speech(utterance: UtteranceId, fate: &'static str) -> Measurement {
    Measurement::Speech { ours: !utterance.is_agents(), fate }
}

const fn loss_word(loss: &AgentLoss) -> &'static str {
    match loss {
        AgentLoss::Unreachable => "unreachable",
        AgentLoss::Refused(_) => "refused",
        AgentLoss::Error(_) => "error",
        AgentLoss::Hopeless(_) => "hopeless",
        AgentLoss::Closed => "closed",
    }
}

#[cfg(test)]
mod tests;
