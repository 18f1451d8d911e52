//! The story of a call: what a reviewer reads. Steps in, text out.
//!
//! One line for each thing worth telling, in three columns and a remark:
//!
//! | Column | Width | Holds |
//! | --- | --- | --- |
//! | time | 9 | `mm:ss.mmm` since the call was answered |
//! | who | 7 | see below |
//! | what | any | the words, or what was done |
//! | `-> phase` | any | the phase that the call is in from here on, where it changed |
//!
//! | Who | Tells |
//! | --- | --- |
//! | `call` | the call began, or ended |
//! | `caller` | the caller began to speak, or said something |
//! | `heard` | what the caller heard, and of whom: `us` (a line of ours) or `agent`. Stands where it was heard to its end, or was cut |
//! | `agent` | the agent's leg: ready, lost, asks for a function |
//! | `result` | how a function ended, and what it taught us about the caller |
//! | `timer` | time ran out for something |
//! | `we` | what we did that somebody can notice |
//!
//! A sentence that was generated and never reached the caller's ear is not in the story: heard is
//! not said. What could not be proven either way says `perhaps heard`.

mod requests;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use requests::Requests;

use crate::brief::{Brief, Direction};
use crate::call::Phase;
use crate::company::OwnLines;
use crate::effect::Effect;
use crate::input::{
    Agent, AgentLoss, Carrier, CutReason, HungUp, Input, Line, Operator, Playback, Tones,
};
use crate::line::{LineId, Rung, UtteranceId};
use crate::step::{Audience, Cause, Fact, IdentityCheck, IdentityLevel, RecordingReason, Step};
use crate::time::Millis;

/// The whole story of a journal.
pub fn story(steps: &[Step]) -> String {
    let mut teller = Teller::default();
    let mut text = String::new();
    for line in steps.iter().flat_map(|step| teller.tell(step)) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Tells a story step by step, for those who watch a call live.
#[derive(Debug, Default)]
pub struct Teller {
    /// Words that are on their way to the caller's ear.
    words: BTreeMap<UtteranceId, String>,
    /// Lines of ours that were asked for.
    lines: BTreeMap<UtteranceId, LineId>,
    requests: Requests,
    /// Lines for which the company has words of its own.
    own: OwnLines,
    /// The first step was told.
    begun: bool,
    /// A phase that is told with the next step, unless that one has another.
    untold: Option<Phase>,
}

impl Teller {
    /// The lines that a step adds to the story; often none. Lines have no line end.
    pub fn tell(&mut self, step: &Step) -> Vec<String> {
        let mut told: Vec<(&str, String)> = Vec::new();
        if let Cause::Started(brief) = &step.cause {
            self.own.clone_from(&brief.lines);
        }
        if !step.ignored {
            self.cause(step, &mut told);
        } else if let Cause::Input(Input::Operator(operator)) = &step.cause {
            told.push(("call", format!("{}, to no effect", operator_words(operator))));
        }
        for fact in &step.facts {
            self.fact(fact, step, &mut told);
        }
        for effect in &step.effects {
            if let Effect::Prepare { utterance, line, .. }
            | Effect::Inject { utterance, line, .. }
            | Effect::UseRecording { utterance, line, .. } = effect
            {
                self.lines.insert(*utterance, *line);
            }
            if let Some(what) = effect_noticed(effect) {
                told.push(("we", what));
            }
        }
        let before = self.untold.take();
        if let Some(phase) = step.moves.last().map(|change| change.to).or(before) {
            if is_passed_through(phase, step) {
                self.untold = Some(phase);
            } else {
                if told.is_empty() {
                    told.push(("call", phase_words(phase).to_string()));
                }
                if let Some((_, what)) = told.last_mut() {
                    what.push_str(&format!("  -> {phase}"));
                }
            }
        }
        self.begun = true;
        let line = |(who, what): (&str, String)| format!("{}  {who:<7} {what}", step.at);
        told.into_iter().map(line).collect()
    }

    fn cause(&self, step: &Step, told: &mut Vec<(&str, String)>) {
        match &step.cause {
            Cause::Input(Input::Agent(Agent::Withdrew(ids))) => {
                for id in ids {
                    told.push(("agent", format!("takes back {}", self.requests.taken_back(id))));
                }
            }
            Cause::Input(Input::Line(Line::Refused { utterance })) => {
                let line = self.lines.get(utterance).map_or("", |line| line.key());
                told.push(("agent", format!("refuses to say the line {line} now")));
            }
            Cause::Started(brief) => told.push(("call", beginning(brief))),
            Cause::Timer(timer) => told.push(("timer", timer.to_string())),
            Cause::Input(Input::Agent(Agent::Ready)) => told.push(("agent", "ready".to_string())),
            Cause::Input(Input::Agent(Agent::Lost(loss))) => {
                told.push(("agent", format!("lost: {}", loss_words(loss))));
            }
            Cause::Input(Input::Agent(Agent::Warned(code))) => {
                told.push(("agent", format!("warns: {code}")));
            }
            Cause::Input(Input::Agent(Agent::CallerStarted)) => {
                told.push(("caller", "begins to speak".to_string()));
            }
            // The words come when they were heard; here only the floor changes hands.
            Cause::Input(Input::Agent(Agent::Said { .. })) if !step.moves.is_empty() => {
                told.push(("agent", "begins to speak".to_string()));
            }
            Cause::Input(Input::Carrier(Carrier::Joined)) => {
                told.push(("call", "the caller is back on the line".to_string()));
            }
            Cause::Input(Input::Carrier(Carrier::Completed)) => {
                told.push(("call", "the carrier says that the call is over".to_string()));
            }
            Cause::Input(Input::Carrier(Carrier::Tones(Tones::Refused))) => {
                told.push(("call", "the carrier refuses to play tones".to_string()));
            }
            Cause::Input(Input::Carrier(Carrier::Lost)) => {
                told.push(("call", "the stream broke".to_string()));
            }
            Cause::Input(Input::Carrier(Carrier::Dead)) => {
                told.push(("call", "the carrier neither sends nor takes anything".to_string()));
            }
            Cause::Input(Input::Operator(operator)) => {
                told.push(("call", operator_words(operator)));
            }
            Cause::Input(Input::Carrier(Carrier::HungUp(HungUp::Failed))) => {
                told.push(("call", "the carrier did not hang up".to_string()));
            }
            Cause::Input(_) => {}
        }
    }

    fn fact(&mut self, fact: &Fact, step: &Step, told: &mut Vec<(&str, String)>) {
        match fact {
            Fact::LineRendered { utterance, line, version, text, by, language, .. } => {
                let own = self.own.get(language).is_some_and(|lines| lines.contains_key(line));
                let whose = if own { ", the company's" } else { "" };
                // A recording may have words of its own, without blanks.
                let what = match by {
                    Rung::Spoken => format!("{line}{whose} v{version}"),
                    Rung::Injected => format!("{line}{whose} v{version}, said by the agent"),
                    Rung::Recorded => format!("recording of {line}, v{version}"),
                };
                self.words.insert(*utterance, format!("us: \"{text}\" ({what})"));
            }
            Fact::LineFailed { line, by, .. } => line_failed(*line, *by, step, told),
            Fact::AgentLine { utterance, text, .. } => {
                self.words.insert(*utterance, format!("agent: \"{text}\""));
            }
            Fact::Heard { utterance, audio } => {
                let words = self.take_words(*utterance);
                told.push(("heard", format!("{words}  [in full, {audio}]")));
            }
            Fact::Cut { utterance, heard, audio, whole, why } => {
                let words = self.take_words(*utterance);
                if *heard > Millis(0) {
                    let cut = cut_words(*heard, *audio, *whole, *why);
                    told.push(("heard", format!("{words}  [{cut}]")));
                }
            }
            Fact::HeardUnknown { utterance } => {
                let words = self.take_words(*utterance);
                told.push(("heard", format!("{words}  [perhaps heard]")));
            }
            Fact::CallerLine { text, .. } => told.push(("caller", format!("\"{text}\""))),
            Fact::RecordingState { on, why } => {
                let state = match (on, why) {
                    (true, RecordingReason::CompanyPolicy) => "recording on",
                    (false, RecordingReason::CompanyPolicy) => "recording off",
                    (false, RecordingReason::NumberKeyed) => {
                        "recording paused while a number is keyed in"
                    }
                    (true, RecordingReason::NumberKeyed) => "recording goes on",
                };
                told.push(("call", state.to_string()));
            }
            Fact::LanguageSet(language) if self.begun => {
                told.push(("call", format!("goes on in {language}")));
            }
            Fact::PersonAsked { times: 1 } => {
                told.push(("caller", "asks for a person".to_string()));
            }
            Fact::PersonAsked { times } => {
                told.push(("caller", format!("asks for a person, {times} times now")));
            }
            Fact::MomentAsked => told.push(("caller", "asks for a moment".to_string())),
            Fact::KeysEntered { digits } => {
                told.push(("caller", format!("keyed in {digits} digits")));
            }
            Fact::Transfer { target, result } => {
                told.push(("call", format!("transfer to {target}: {}", result.word())));
            }
            Fact::CallEnded { reason } => told.push(("call", format!("ended: {reason}"))),
            Fact::CallStarted { .. } | Fact::LanguageSet(_) => {}
            fact => self.function_fact(fact, step, told),
        }
    }

    fn function_fact(&mut self, fact: &Fact, step: &Step, told: &mut Vec<(&str, String)>) {
        match fact {
            Fact::FunctionAsked { id, name, arguments, fingerprint } => {
                let request = self.requests.asked(id, name, fingerprint);
                told.push(("agent", format!("asks for {request} {arguments}")));
            }
            Fact::FunctionAllowed { id } => {
                if let Some((request, first)) = self.requests.joined(id, step) {
                    let what = format!("do not run {request}: it asks for the same as #{first}");
                    told.push(("we", what));
                }
            }
            Fact::FunctionRefused { id, why } => {
                let request = self.requests.label(id).unwrap_or_default();
                told.push(("we", format!("refuse {request}: {}", why.word())));
                self.requests.over(id);
            }
            Fact::FunctionDone { id, name, outcome } => {
                let request = self.requests.label(id).unwrap_or(name);
                told.push(("result", format!("{request}: {outcome}")));
                self.requests.over(id);
            }
            Fact::IdentityStep(IdentityCheck { factor, ok }) => {
                let word = if *ok { "matches" } else { "does not match" };
                told.push(("result", format!("identity: {factor} {word}")));
            }
            Fact::IdentityVerified { level } => {
                let word = match level {
                    IdentityLevel::None => "unknown",
                    IdentityLevel::Identified => "identified",
                    IdentityLevel::Verified => "verified",
                };
                told.push(("result", format!("the caller is {word}")));
            }
            Fact::Disclosed { fields, to: Audience::Model } => {
                told.push(("result", format!("told the agent: {}", fields.join(", "))));
            }
            _ => {}
        }
    }

    fn take_words(&mut self, utterance: UtteranceId) -> String {
        self.words.remove(&utterance).unwrap_or_else(|| match utterance {
            UtteranceId::Line(_) => "us: (words unknown)".to_string(),
            UtteranceId::Agent(_) => "agent: (words unknown)".to_string(),
        })
    }
}

/// A line that could not be had in one way. It may be asked for again in the same.
fn line_failed(line: LineId, by: Rung, step: &Step, told: &mut Vec<(&str, String)>) {
    let again = |effect: &Effect| matches!(effect, Effect::Inject { line: l, .. } if *l == line);
    let refused = matches!(step.cause, Cause::Input(Input::Line(Line::Refused { .. })));
    told.push(match by {
        Rung::Spoken => ("we", format!("cannot speak the line {line}")),
        Rung::Injected if step.effects.iter().any(again) => {
            ("we", format!("ask the agent again to say the line {line}"))
        }
        // That was said already.
        Rung::Injected if refused => return,
        Rung::Injected => ("agent", format!("does not say the line {line}")),
        Rung::Recorded => ("we", format!("cannot play the line {line}")),
    });
}

/// How much was heard of what, and why no more.
fn cut_words(heard: Millis, audio: Millis, whole: bool, why: CutReason) -> String {
    let (after, of) = (heard.to_string(), audio.to_string());
    let unknown = matches!(why, CutReason::StreamDead | CutReason::StoppedUnread);
    let least = if unknown { "at least " } else { "" };
    let how_far = match whole {
        _ if after == Millis(0).to_string() && least.is_empty() => "cut as it began".to_string(),
        true if after == of && least.is_empty() => "cut at its end".to_string(),
        true => format!("cut after {least}{after} of {of}"),
        false if after == of => format!("cut after {least}{after}"),
        false => format!("cut after {least}{after} of at least {of}"),
    };
    match why {
        CutReason::Stopped => how_far,
        CutReason::StoppedUnread => how_far + ": the carrier was late to stop",
        CutReason::GivenUp => how_far + ": the rest was given up",
        CutReason::NoRoom => how_far + ": no room for the rest",
        CutReason::StreamEnded => how_far + ": the stream ended",
        CutReason::StreamDead => how_far + ": the stream died",
    }
}

fn operator_words(operator: &Operator) -> String {
    match operator {
        Operator::Drain { within } => format!("the server stops in {within}"),
        Operator::HangUp => "an operator ends the call".to_string(),
        Operator::Transfer { target } => format!("an operator transfers to {target}"),
    }
}

/// Whether something follows at once that makes a phase odd to read.
fn is_passed_through(phase: Phase, step: &Step) -> bool {
    match &step.cause {
        // How the stream ended comes next.
        Cause::Input(Input::Playback(Playback::Cut { why, .. })) => {
            matches!(why, CutReason::StreamEnded | CutReason::StreamDead)
        }
        // What is stopped is on its way until we hear how much of it was heard.
        _ => phase == Phase::Speaking && step.effects.contains(&Effect::Clear),
    }
}

/// What a phase means, where nothing else is told that brought it about.
const fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Listening => "the caller has the floor",
        Phase::Speaking => "speech is on its way",
        Phase::FunctionPending => "the caller waits for a function",
        Phase::Thinking => "the caller waits for a reply",
        phase => phase.purpose(),
    }
}

fn beginning(brief: &Brief) -> String {
    let Brief { company_name, company, config_version, language, from, to, .. } = brief;
    let direction = match brief.direction {
        Direction::Inbound => "answered",
        Direction::Outbound => "placed",
    };
    format!("{direction}: {from} to {to}, {company_name} ({company} v{config_version}), {language}")
}

fn loss_words(loss: &AgentLoss) -> String {
    match loss {
        AgentLoss::Unreachable => "cannot be reached".to_string(),
        AgentLoss::Refused(status) => format!("refused with status {status}"),
        AgentLoss::Error(code) => format!("error {code}"),
        AgentLoss::Hopeless(code) => format!("error {code}, which another session would not mend"),
        AgentLoss::Closed => "connection closed".to_string(),
    }
}

fn effect_noticed(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Clear => Some("stop speaking".to_string()),
        Effect::HangUp => Some("hang up".to_string()),
        Effect::OpenAgent { resume: true, .. } => Some("open another session".to_string()),
        Effect::CollectKeys => Some("take down the keys that are pressed".to_string()),
        Effect::PlayTones { tones: 1, .. } => Some("play a tone".to_string()),
        Effect::PlayTones { tones, .. } => Some(format!("play {tones} tones")),
        Effect::Transfer { target } => Some(format!("transfer to {target}")),
        Effect::Prepare {
            line:
                line @ (LineId::StillThere
                | LineId::HearMe
                | LineId::CutShort
                | LineId::Hold
                | LineId::TakeYourTime
                | LineId::GoOn
                | LineId::OneMinute
                | LineId::NobodyFree),
            ..
        } => Some(format!("say {line}")),
        _ => None,
    }
}
