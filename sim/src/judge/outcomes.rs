//! Whatever was asked for comes to one outcome (I-13): done, failed, timed out, withdrawn, unknown,
//! or the call's end.

use call_core::call::Timer;
use call_core::effect::Function;
use call_core::input::{Agent, Carrier, FunctionOutcome, Input, Line, Tones, Transfer};
use call_core::{CallTime, Cause, Effect, Fact, Limits, Millis, Step, UtteranceId};

use super::{Evidence, Findings, requests};

/// I-13.
pub(super) fn one_outcome_each(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let end = evidence.end();
    let mut performed = Vec::new();
    for (number, step) in evidence.steps.iter().enumerate() {
        for (place, effect) in step.effects.iter().enumerate() {
            let asked = Asked { evidence, limits: &brief.limits, end, number, place };
            match effect {
                Effect::Prepare { utterance, .. } | Effect::UseRecording { utterance, .. } => {
                    asked.line(*utterance, brief.limits.line_ready, findings);
                }
                Effect::Inject { utterance, .. } => {
                    asked.line(*utterance, brief.limits.line_injected, findings);
                }
                Effect::Perform { id, function, .. } if !performed.contains(&id) => {
                    performed.push(id);
                    asked.function(id, *function, findings);
                }
                Effect::Transfer { .. } => asked.transfer(findings),
                Effect::PlayTones { id, .. } => asked.tones(id, findings),
                Effect::HangUp => asked.hang_up(findings),
                Effect::OpenAgent { resume, .. } => asked.session(*resume, findings),
                _ => {}
            }
        }
    }
    requests::every_request_is_answered(evidence, brief, findings);
}

/// An effect that was asked for: in which step, at which place of it.
struct Asked<'a> {
    evidence: &'a Evidence<'a>,
    limits: &'a Limits,
    /// The step in which the call ended.
    end: Option<usize>,
    number: usize,
    place: usize,
}

impl<'a> Asked<'a> {
    fn at(&self) -> CallTime {
        self.evidence.steps[self.number].at
    }

    /// Whether the call has ended by the end of this step.
    fn ended_by(&self, number: usize) -> bool {
        self.end.is_some_and(|end| end <= number)
    }

    /// The steps from the asking on, with their numbers.
    fn onwards(&self) -> impl Iterator<Item = (usize, &'a Step)> {
        self.evidence.steps.iter().enumerate().skip(self.number)
    }

    /// The steps behind the asking, with their numbers.
    fn behind(&self) -> impl Iterator<Item = (usize, &'a Step)> {
        self.onwards().skip(1)
    }

    /// Whether this step has such an effect behind the asking.
    fn then(&self, number: usize, step: &Step, is: impl Fn(&Effect) -> bool) -> bool {
        let skipped = if number == self.number { self.place + 1 } else { 0 };
        step.effects.iter().skip(skipped).any(is)
    }

    /// A line is ready once, failed, or not wanted any more.
    fn line(&self, utterance: UtteranceId, budget: Millis, findings: &mut Findings<'_>) {
        let facts = || self.onwards().flat_map(|(_, step)| &step.facts);
        let rendered = |fact: &&Fact| matches!(fact, Fact::LineRendered { utterance: u, .. } if *u == utterance);
        let failed =
            |fact: &&Fact| matches!(fact, Fact::LineFailed { utterance: u, .. } if *u == utterance);
        for times in [facts().filter(rendered).count(), facts().filter(failed).count()] {
            if times > 1 {
                findings
                    .at(self.at(), format!("{utterance} came to the same outcome {times} times"));
            }
        }
        let limit = self.at() + budget;
        for (number, step) in self.onwards() {
            let not_wanted = self.then(number, step, |effect| match effect {
                Effect::Clear | Effect::MuteAgent => true,
                Effect::Withdraw { utterance: u } => *u == utterance,
                _ => false,
            });
            let (ready, failure) = match &step.cause {
                Cause::Input(Input::Line(
                    Line::Ready { utterance: u, .. } | Line::Spoken { utterance: u, .. },
                )) => (*u == utterance, false),
                Cause::Input(Input::Line(Line::Failed { utterance: u })) => {
                    (false, *u == utterance)
                }
                // A refused line may be asked for once more, under another name.
                Cause::Timer(Timer::LineReady) => {
                    (false, step.at >= limit || step.facts.iter().any(|fact| failed(&fact)))
                }
                _ => (false, false),
            };
            if (ready && !step.facts.iter().any(|fact| rendered(&fact)))
                || (failure && !step.facts.iter().any(|fact| failed(&fact)))
            {
                findings.at(step.at, format!("what became of {utterance} is not on record"));
            }
            if ready || failure || not_wanted || self.ended_by(number) || stream_over(step) {
                return;
            }
            if step.at > limit {
                break;
            }
        }
        findings.at(limit, format!("{utterance} was asked for, and nothing came of it in time"));
    }

    /// A function ends once, and what came of it is on record when it does.
    fn function(&self, id: &str, function: Function, findings: &mut Findings<'_>) {
        let done = |step: &Step| -> Vec<String> {
            let outcomes = step.facts.iter().filter_map(|fact| match fact {
                Fact::FunctionDone { id: i, outcome, .. } if i == id => Some(outcome.clone()),
                _ => None,
            });
            outcomes.collect()
        };
        let Some((number, outcome)) = self.function_over(id, function) else {
            findings.at(self.at(), format!("a {} never came to an outcome", function.name()));
            return;
        };
        let step = &self.evidence.steps[number];
        if done(step) != [outcome.clone()] {
            let what = format!("a {} is over, {outcome}, and the record differs", function.name());
            findings.at(step.at, what);
        }
        let late: Vec<String> = self
            .onwards()
            .filter(|(other, _)| *other != number)
            .flat_map(|(_, step)| done(step))
            .collect();
        // A write that was given up is unknown, and may be known later.
        let may_be_late = outcome == "unknown" && function.is_write();
        let sound = match late.as_slice() {
            [] => true,
            [one] => may_be_late && one.ends_with("(late)"),
            _ => false,
        };
        if !sound {
            findings.at(step.at, format!("a {} has several outcomes", function.name()));
        }
    }

    /// In which step a function is over, and how.
    fn function_over(&self, id: &str, function: Function) -> Option<(usize, String)> {
        let writes = function.is_write();
        let limit = self.at() + if writes { self.limits.pay } else { self.limits.lookup };
        for (number, step) in self.behind() {
            let outcome = match &step.cause {
                Cause::Input(Input::Function(ended)) if ended.id == id => match &ended.outcome {
                    FunctionOutcome::Done => "done",
                    FunctionOutcome::Failed(why) => why,
                },
                Cause::Input(Input::Agent(Agent::Withdrew(ids)))
                    if !writes && !step.ignored && ids.iter().any(|i| i == id) =>
                {
                    "withdrawn"
                }
                Cause::Timer(Timer::FunctionLimit) if step.at >= limit && writes => "unknown",
                Cause::Timer(Timer::FunctionLimit) if step.at >= limit => "timed-out",
                _ if !writes && self.end == Some(number) => "unknown",
                _ if step.at > limit => return None,
                _ => continue,
            };
            return Some((number, outcome.to_owned()));
        }
        None
    }

    /// A transfer is taken or not in time; and once taken, answered or not in time.
    fn transfer(&self, findings: &mut Findings<'_>) {
        let mut limit = self.at() + self.limits.hang_up;
        let (mut is_accepted, mut outcomes) = (false, 0);
        for (number, step) in self.behind() {
            if outcomes == 0 && step.at > limit {
                break;
            }
            if self.ended_by(number) {
                return;
            }
            if step.effects.iter().any(|effect| matches!(effect, Effect::Transfer { .. })) {
                break;
            }
            let results = step.facts.iter().filter_map(|fact| match fact {
                Fact::Transfer { result, .. } => Some(*result),
                _ => None,
            });
            let results: Vec<Transfer> = results.collect();
            let told = match &step.cause {
                // Said twice, it is on record once.
                Cause::Input(Input::Carrier(Carrier::Transfer(Transfer::Accepted)))
                    if is_accepted =>
                {
                    Vec::new()
                }
                Cause::Input(Input::Carrier(Carrier::Transfer(news))) if outcomes == 0 => {
                    vec![*news]
                }
                Cause::Timer(Timer::TransferLimit) if outcomes == 0 => vec![Transfer::Failed],
                // The caller is back: what is told of the transfer after that is no news.
                Cause::Input(Input::Carrier(Carrier::Joined)) if is_accepted => {
                    outcomes += 1;
                    Vec::new()
                }
                _ => Vec::new(),
            };
            if results != told {
                findings.at(step.at, "what became of a transfer is told differently on record");
            }
            if told == [Transfer::Accepted] {
                limit = step.at + self.limits.transfer;
                is_accepted = true;
            } else {
                outcomes += told.len();
            }
        }
        if outcomes == 0 {
            findings.at(self.at(), "a transfer was asked for, and nothing came of it in time");
        }
    }

    /// Tones are played or not, in time, and what came of them is on record when that is known: the
    /// stream is back, the carrier refused, or did not do it, or the call is over.
    fn tones(&self, id: &str, findings: &mut Findings<'_>) {
        let outcomes = |step: &Step| -> Vec<String> {
            let outcomes = step.facts.iter().filter_map(|fact| match fact {
                Fact::FunctionDone { id: i, outcome, .. } if i == id => Some(outcome.clone()),
                _ => None,
            });
            outcomes.collect()
        };
        let mut limit = self.at() + self.limits.hang_up;
        let (mut leaves, mut hangs_up) = (false, false);
        for (number, step) in self.behind() {
            let told = match &step.cause {
                // Nobody waits for the word any more.
                Cause::Input(Input::Carrier(Carrier::Tones(Tones::Refused))) if hangs_up => None,
                Cause::Input(Input::Carrier(Carrier::Tones(Tones::Refused))) => Some("not-done"),
                Cause::Timer(Timer::TonesLimit) if !leaves => Some("not-done"),
                Cause::Input(Input::Carrier(Carrier::Joined)) if leaves => Some("done"),
                _ if self.ended_by(number) => Some("unknown"),
                _ => None,
            };
            if outcomes(step) != Vec::from_iter(told) {
                findings.at(step.at, "what became of tones is told differently on record");
            }
            if step.at > limit {
                break;
            }
            if told.is_some() {
                return;
            }
            hangs_up |= step.effects.contains(&Effect::HangUp);
            let accepted = Cause::Input(Input::Carrier(Carrier::Tones(Tones::Accepted)));
            if !leaves && (step.cause == accepted || stream_over(step)) {
                leaves = true;
                limit = step.at + self.limits.tones;
            }
        }
        findings.at(self.at(), "tones were asked for, and nothing came of it in time");
    }

    fn hang_up(&self, findings: &mut Findings<'_>) {
        let limit = self.at() + self.limits.hang_up;
        let end = self.end.map(|end| self.evidence.steps[end].at);
        if end.is_none_or(|end| end > limit) {
            findings.at(limit, "the carrier was asked to hang up, and the call goes on");
        }
    }

    /// A session is ready, lost, given up, or too late.
    fn session(&self, resume: bool, findings: &mut Findings<'_>) {
        let budget = if resume { self.limits.reconnect } else { self.limits.agent_ready };
        let limit = self.at() + budget;
        for (number, step) in self.onwards() {
            let given_up = self.then(number, step, |effect| *effect == Effect::MuteAgent);
            let news = number > self.number
                && matches!(
                    step.cause,
                    Cause::Input(Input::Agent(Agent::Ready | Agent::Lost(_)))
                        | Cause::Timer(Timer::AgentReady)
                );
            if step.at <= limit && (news || given_up || self.ended_by(number)) {
                return;
            }
        }
        findings.at(limit, "an agent's session was asked for, and nothing came of it in time");
    }
}

/// Whether the carrier's stream is over, with whatever was to be said on it.
fn stream_over(step: &Step) -> bool {
    matches!(
        step.cause,
        Cause::Input(Input::Carrier(
            Carrier::Stopped | Carrier::Lost | Carrier::Dead | Carrier::Completed
        ))
    )
}
