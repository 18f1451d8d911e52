//! Functions: may it run, what came of it, and the one answer each request gets.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Transition};

use super::Draft;
use super::ledger::{EntryState, OPEN_MAX};
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::{Answer, Effect, Function};
use crate::input::{Agent, FunctionAsk, FunctionEnded, FunctionOutcome, Input};
use crate::step::{Audience, EndReason, Fact, IdentityLevel, Refusal};
use crate::time::CallTime;

/// Identity may be tried this often in a call (F-HU-03).
const IDENTITY_TRIES_MAX: u32 = 3;

impl Machine {
    /// News of functions. Nothing if the event is about something else, or about a function that
    /// nobody waits for.
    pub(super) fn functions(
        &mut self,
        event: &Event<'_>,
        step: &mut Draft,
    ) -> Option<Outcome<State>> {
        match event {
            Event::Input(Input::Agent(Agent::Asked(asks))) => {
                if !asks.is_empty() {
                    self.memory.reply_owed = None;
                }
                let mut goodbye = false;
                for ask in asks {
                    goodbye |= self.asked(ask, step);
                }
                if goodbye {
                    return Some(Transition(State::Farewell { why: EndReason::AgentHangup }));
                }
                Some(self.settle())
            }
            Event::Input(Input::Agent(Agent::Withdrew(ids))) => {
                for id in ids {
                    self.withdrawn(id, step);
                }
                Some(self.settle())
            }
            Event::Input(Input::Function(ended)) => {
                let waited_for = self.ended(ended, step) || self.ended_late(ended, step);
                waited_for.then(|| self.settle())
            }
            Event::Due(Timer::FunctionLimit) => {
                for id in self.memory.ledger.overdue(step.at) {
                    self.finish(&id, "timed-out", Answer::TimedOut, step);
                }
                Some(self.settle())
            }
            _ => None,
        }
    }

    /// Decides about one request. Whether it was the wish to end the call.
    fn asked(&mut self, ask: &FunctionAsk, step: &mut Draft) -> bool {
        if let Some(entry) = self.memory.ledger.get(&ask.id) {
            let answer = match &entry.state {
                EntryState::Settled(answer) => Some(answer.clone()),
                EntryState::Late => Some(Answer::TimedOut),
                EntryState::Running { .. } | EntryState::Withdrawn => None,
            };
            if let Some(answer) = answer {
                let name = entry.name.clone();
                self.answer(&ask.id, &name, answer, step);
            }
            return false;
        }
        step.fact(Fact::FunctionAsked {
            id: ask.id.clone(),
            name: ask.name.clone(),
            arguments: ask.arguments.clone(),
            fingerprint: ask.fingerprint.clone(),
        });
        match self.admit(ask) {
            Err(why) => {
                self.refuse(ask, why, step);
                false
            }
            Ok(Function::HangupCall) => {
                step.fact(Fact::FunctionAllowed { id: ask.id.clone() });
                self.record(ask, EntryState::Settled(Answer::Done));
                step.fact(Fact::FunctionDone {
                    id: ask.id.clone(),
                    name: ask.name.clone(),
                    outcome: "done".to_string(),
                });
                self.answer(&ask.id, &ask.name, Answer::Done, step);
                true
            }
            Ok(function @ Function::LookupLoan) => {
                step.fact(Fact::FunctionAllowed { id: ask.id.clone() });
                let limit = step.at + self.memory.brief.limits.lookup;
                self.record(ask, EntryState::Running { function, limit });
                step.effect(Effect::Perform { id: ask.id.clone(), function });
                self.rearm_limit();
                false
            }
        }
    }

    /// The gate in front of every function. Nothing that the caller or the model says opens it.
    fn admit(&self, ask: &FunctionAsk) -> Result<Function, Refusal> {
        let function = Function::from_name(&ask.name).ok_or(Refusal::Unknown)?;
        if !self.memory.brief.functions.contains(&ask.name) {
            return Err(Refusal::NotOffered);
        }
        if ask.fault.is_some() {
            return Err(Refusal::BadArguments);
        }
        if function == Function::HangupCall {
            return Ok(function);
        }
        let running = self.memory.ledger.running();
        if running >= OPEN_MAX || self.memory.ledger.is_full() {
            return Err(Refusal::TooManyOpen);
        }
        // Every lookup that runs may turn out to be a failed try.
        let tries = self.memory.identity_tries + u32::try_from(running).unwrap_or(u32::MAX);
        if self.memory.identity < IdentityLevel::Verified && tries >= IDENTITY_TRIES_MAX {
            return Err(Refusal::TooManyTries);
        }
        Ok(function)
    }

    /// Answers a request with a refusal: the agent is never left without an answer.
    pub(super) fn refuse(&mut self, ask: &FunctionAsk, why: Refusal, step: &mut Draft) {
        step.fact(Fact::FunctionRefused { id: ask.id.clone(), why: why.clone() });
        self.record(ask, EntryState::Settled(Answer::Refused(why.clone())));
        self.answer(&ask.id, &ask.name, Answer::Refused(why), step);
    }

    fn record(&mut self, ask: &FunctionAsk, state: EntryState) {
        self.memory.ledger.record(ask.id.clone(), ask.name.clone(), state);
    }

    fn answer(&mut self, id: &str, name: &str, answer: Answer, step: &mut Draft) {
        step.effect(Effect::Answer { id: id.to_string(), name: name.to_string(), answer });
        self.memory.reply_owed = Some(step.at);
    }

    /// A function ended. Whether anybody waited for it.
    fn ended(&mut self, ended: &FunctionEnded, step: &mut Draft) -> bool {
        let outcome = match &ended.outcome {
            FunctionOutcome::Done => "done",
            FunctionOutcome::Failed(why) => why.as_str(),
        };
        if !self.finish(&ended.id, outcome, Answer::Result, step) {
            return false;
        }
        self.learn_identity(ended, step);
        if !ended.disclosed.is_empty() {
            step.fact(Fact::Disclosed { fields: ended.disclosed.clone(), to: Audience::Model });
        }
        true
    }

    /// A result that comes after its request was answered for it teaches us about the caller all
    /// the same, or slow lookups would make guessing free. It discloses nothing: nobody gets it.
    fn ended_late(&mut self, ended: &FunctionEnded, step: &mut Draft) -> bool {
        let late = !ended.identity.is_empty() && self.memory.ledger.too_late(&ended.id);
        if late {
            let learnt = FunctionEnded { disclosed: Vec::new(), ..ended.clone() };
            self.learn_identity(&learnt, step);
        }
        late
    }

    /// Settles a running function, and answers it.
    fn finish(&mut self, id: &str, outcome: &str, answer: Answer, step: &mut Draft) -> bool {
        let state = EntryState::Settled(answer.clone());
        let Some((name, _)) = self.memory.ledger.settle(id, state) else { return false };
        let fact_name = name.clone();
        step.fact(Fact::FunctionDone {
            id: id.to_string(),
            name: fact_name,
            outcome: outcome.to_string(),
        });
        self.answer(id, &name, answer, step);
        self.rearm_limit();
        true
    }

    fn learn_identity(&mut self, ended: &FunctionEnded, step: &mut Draft) {
        if ended.identity.is_empty() {
            return;
        }
        for check in &ended.identity {
            step.fact(Fact::IdentityStep(check.clone()));
        }
        let matched = ended.identity.iter().filter(|check| check.ok).count();
        let failed = ended.identity.iter().any(|check| !check.ok);
        let level = match matched {
            _ if failed => IdentityLevel::None,
            0 => IdentityLevel::None,
            1 => IdentityLevel::Identified,
            _ => IdentityLevel::Verified,
        };
        if failed {
            self.memory.identity_tries += 1;
        }
        if level > self.memory.identity {
            self.memory.identity = level;
            step.fact(Fact::IdentityVerified { level });
        }
    }

    fn withdrawn(&mut self, id: &str, step: &mut Draft) {
        if let Some((name, _)) = self.memory.ledger.settle(id, EntryState::Withdrawn) {
            let outcome = "withdrawn".to_string();
            step.fact(Fact::FunctionDone { id: id.to_string(), name, outcome });
            self.rearm_limit();
        }
    }

    fn rearm_limit(&mut self) {
        match self.memory.ledger.next_limit() {
            Some(limit) => self.memory.timers.arm(Timer::FunctionLimit, limit),
            None => self.memory.timers.disarm(Timer::FunctionLimit),
        }
    }

    /// Functions that still run when the call is over: nobody will learn what came of them here.
    pub(super) fn functions_left(&mut self, step: &mut Draft) {
        for id in self.memory.ledger.overdue(CallTime::from_millis(u64::MAX)) {
            if let Some((name, _)) = self.memory.ledger.settle(&id, EntryState::Withdrawn) {
                step.fact(Fact::FunctionDone { id, name, outcome: "unknown".to_string() });
            }
        }
    }

    /// While the call ends: requests are refused, and results that still arrive are recorded and
    /// told to nobody.
    pub(super) fn functions_at_end(
        &mut self,
        input: &Input,
        step: &mut Draft,
    ) -> Option<Outcome<State>> {
        match input {
            Input::Agent(Agent::Asked(asks)) => {
                let new: Vec<&FunctionAsk> =
                    asks.iter().filter(|ask| self.memory.ledger.get(&ask.id).is_none()).collect();
                for ask in new {
                    self.refuse(ask, Refusal::Ending, step);
                }
                Some(Handled)
            }
            Input::Function(ended) => {
                let (name, _) = self.memory.ledger.settle(&ended.id, EntryState::Withdrawn)?;
                let outcome: String = match &ended.outcome {
                    FunctionOutcome::Done => "done".to_string(),
                    FunctionOutcome::Failed(why) => why.clone(),
                };
                step.fact(Fact::FunctionDone { id: ended.id.clone(), name, outcome });
                Some(Handled)
            }
            _ => None,
        }
    }
}
