//! Functions: may it run, and what came of it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use statig::Outcome::{self, Handled, Transition};

use super::Draft;
use super::answers::{Hearer, disclose};
use super::ledger::{Entry, EntryState, OPEN_MAX};
use super::timers::Timer;
use super::tones::Tones;
use super::topology::{Event, Machine, State};
use crate::effect::{Answer, Effect, Function};
use crate::input::{Agent, FunctionAsk, FunctionEnded, FunctionOutcome, Input};
use crate::sabotage::Sabotage;
use crate::step::{EndReason, Fact, IdentityLevel, Refusal};
use crate::time::CallTime;

/// More functions than this between two turns of the caller's are a loop (F-DG-31).
const IN_TURN_MAX: u32 = 8;

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
                    self.no_more_cut_short();
                    // Whoever asks for something has not taken their leave.
                    self.no_parting();
                }
                let mut end = None;
                for ask in asks {
                    let known = self.memory.ledger.get(&ask.id).is_some();
                    // While the call is busy with tones nothing is begun that the agent would
                    // then have to speak of.
                    let leaves = self.memory.tones.is_some() || matches!(end, Some(End::Tones(_)));
                    let may_run =
                        self.memory.opening_over || self.memory.sabotaged(Sabotage::AsksEarly);
                    if !known && matches!(end, Some(End::Goodbye | End::Transfer(_))) {
                        // Behind the end of the talk nothing is begun.
                        self.turn_down(ask, Refusal::Ending, step);
                    } else if known || (may_run && !leaves) {
                        end = end.or(self.asked(ask, step));
                    } else {
                        self.decide_later(ask, step);
                    }
                }
                match end {
                    Some(End::Goodbye) => {
                        Some(Transition(State::Farewell { why: EndReason::AgentHangup }))
                    }
                    Some(End::Transfer(target)) => {
                        let transfer = self.transfer_to(target.as_deref());
                        self.memory.handing.agents_wish = transfer.is_some();
                        transfer
                    }
                    Some(End::Tones(tones)) => Some(self.leave_for_tones(tones)),
                    None if self.memory.functions_in_turn > IN_TURN_MAX
                        && self.memory.tones.is_none() =>
                    {
                        Some(self.hand_to_a_person(EndReason::AgentFailed))
                    }
                    None => Some(self.settle()),
                }
            }
            Event::Input(Input::Agent(Agent::Withdrew(ids))) => {
                let early = self.memory.too_early.len();
                let mut taken_back = false;
                for id in ids {
                    self.memory.too_early.retain(|ask| ask.id != *id);
                    taken_back |= self.withdrawn(id, step);
                }
                if taken_back || self.memory.too_early.len() < early {
                    // A voice was heard, and nothing more is heard of what the caller wanted. They have
                    // waited since the last sound.
                    self.memory.cut_short = Some(self.memory.last_sound);
                }
                Some(self.settle())
            }
            Event::Input(Input::Function(ended)) => {
                let waited_for = self.function_ended(ended, step) || self.ended_late(ended, step);
                waited_for.then(|| self.settle())
            }
            Event::Due(Timer::FunctionLimit) => {
                self.functions_overdue(step);
                Some(self.settle())
            }
            _ => None,
        }
    }

    /// A request that cannot be decided about yet waits, each once and no more than may run.
    fn decide_later(&mut self, ask: &FunctionAsk, step: &mut Draft) {
        if self.memory.too_early.iter().any(|early| early.id == ask.id) {
            return;
        }
        if self.memory.too_early.len() < OPEN_MAX {
            self.memory.too_early.push(ask.clone());
        } else {
            self.turn_down(ask, Refusal::TooManyOpen, step);
        }
    }

    /// The opening is over: what was asked for before is decided about now.
    pub(super) fn decide_early_asks(&mut self, step: &mut Draft) -> Option<Outcome<State>> {
        let asks = core::mem::take(&mut self.memory.too_early);
        if asks.is_empty() {
            return None;
        }
        self.functions(&Event::Input(&Input::Agent(Agent::Asked(asks))), step)
    }

    /// Gives up what runs for longer than it may. A write that is given up is unknown, not
    /// failed: it may have happened.
    pub(super) fn functions_overdue(&mut self, step: &mut Draft) {
        for id in self.memory.ledger.overdue(step.at) {
            let writes = self.memory.ledger.get(&id).is_some_and(Entry::is_write);
            let (outcome, answer) =
                if writes { ("unknown", Answer::Unknown) } else { ("timed-out", Answer::TimedOut) };
            self.finish(&id, outcome, &answer, &[], step);
        }
    }

    /// Decides about one request. What it asks of the call itself, if anything.
    fn asked(&mut self, ask: &FunctionAsk, step: &mut Draft) -> Option<End> {
        if let Some(entry) = self.memory.ledger.get(&ask.id)
            && (entry.is_write() || !self.memory.sabotaged(Sabotage::RunsAgain))
        {
            let answer = match &entry.state {
                EntryState::Settled(answer) => Some(answer.clone()),
                EntryState::Late => Some(Answer::TimedOut),
                EntryState::Running { .. }
                | EntryState::Tones { .. }
                | EntryState::Follows(_)
                | EntryState::Withdrawn => None,
            };
            if let Some(answer) = answer {
                let name = entry.name.clone();
                self.answer(&ask.id, &name, &answer, step);
            }
            self.memory.ledger.wanted_again(&ask.id);
            return None;
        }
        self.memory.functions_in_turn += 1;
        self.note_asked(ask, step);
        match self.admit(ask) {
            Err(why) => {
                self.refuse(ask, why, step);
                None
            }
            Ok(Function::HangupCall) => {
                self.done_here(ask, step);
                Some(End::Goodbye)
            }
            Ok(Function::TransferCall) => {
                self.done_here(ask, step);
                Some(End::Transfer(ask.target.clone()))
            }
            Ok(Function::PlayDtmf) => {
                step.fact(Fact::FunctionAllowed { id: ask.id.clone() });
                self.record(ask, EntryState::Tones { wanted: true });
                Some(End::Tones(Tones::new(ask)))
            }
            Ok(function @ (Function::LookupLoan | Function::MakePayment)) => {
                self.start(ask, function, step);
                None
            }
        }
    }

    /// The machine does this one itself.
    fn done_here(&mut self, ask: &FunctionAsk, step: &mut Draft) {
        step.fact(Fact::FunctionAllowed { id: ask.id.clone() });
        self.record(ask, EntryState::Settled(Answer::Done));
        let (id, name, outcome) = (ask.id.clone(), ask.name.clone(), "done".to_string());
        step.fact(Fact::FunctionDone { id, name, outcome });
        self.answer(&ask.id, &ask.name, &Answer::Done, step);
    }

    /// Runs a function, unless it is a write that was asked for before under another id: a model
    /// asks twice, money moves once (F-DG-17).
    fn start(&mut self, ask: &FunctionAsk, function: Function, step: &mut Draft) {
        let key = format!("{}/{}/{}", self.memory.brief.call, ask.name, ask.fingerprint);
        let joins = function.is_write() && !self.memory.sabotaged(Sabotage::PaysAgain);
        let first = joins.then(|| self.memory.ledger.same_write(&key)).flatten();
        let own = self.memory.brief.function_limits.get(&ask.name).copied().unwrap_or_default();
        // Whatever joins another runs nothing.
        let runs = self.memory.ledger.runs(function);
        if first.is_none() && self.memory.overtime {
            return self.refuse(ask, Refusal::Ending, step);
        }
        if first.is_none() && own.calls_max.is_some_and(|most| runs >= most) {
            return self.refuse(ask, Refusal::TooOften, step);
        }
        step.fact(Fact::FunctionAllowed { id: ask.id.clone() });
        if let Some((first, settled)) = first {
            match settled {
                Some(answer) => {
                    self.record(ask, EntryState::Settled(answer.clone()));
                    self.answer(&ask.id, &ask.name, &answer, step);
                }
                None => self.record(ask, EntryState::Follows(first)),
            }
            self.memory.ledger.keyed(&ask.id, key);
            return;
        }
        let limits = &self.memory.brief.limits;
        let usual = if function.is_write() { limits.pay } else { limits.lookup };
        let limit = step.at + own.budget.unwrap_or(usual);
        self.record(ask, EntryState::Running { function, limit, wanted: true });
        self.memory.ledger.keyed(&ask.id, key.clone());
        step.effect(Effect::Perform { id: ask.id.clone(), function, key });
        self.rearm_limit();
    }

    fn note_asked(&self, ask: &FunctionAsk, step: &mut Draft) {
        step.fact(Fact::FunctionAsked {
            id: ask.id.clone(),
            name: ask.name.clone(),
            arguments: ask.arguments.clone(),
            fingerprint: ask.fingerprint.clone(),
        });
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
        match function {
            Function::HangupCall => return Ok(function),
            Function::TransferCall => {
                let targets = &self.memory.brief.transfer_targets;
                let known = ask.target.as_ref().is_none_or(|target| targets.contains(target));
                let sound = known && !targets.is_empty();
                return if sound { Ok(function) } else { Err(Refusal::NoSuchTarget) };
            }
            Function::MakePayment if self.memory.identity < IdentityLevel::Verified => {
                return Err(Refusal::NotVerified);
            }
            // Nobody would be there to go on with behind them.
            Function::PlayDtmf if !self.memory.agent_ready => return Err(Refusal::TooManyOpen),
            // What runs would be answered while the caller cannot be spoken to.
            Function::PlayDtmf if self.memory.ledger.running() > 0 => {
                return Err(Refusal::TooManyOpen);
            }
            Function::PlayDtmf if !self.memory.ledger.is_full() => return Ok(function),
            Function::LookupLoan | Function::MakePayment | Function::PlayDtmf => {}
        }
        let running = self.memory.ledger.running();
        let too_many = running >= OPEN_MAX && !self.memory.sabotaged(Sabotage::TakesAll);
        if too_many || self.memory.ledger.is_full() {
            return Err(Refusal::TooManyOpen);
        }
        // Every lookup that runs may turn out to be a failed try.
        let tries = self.memory.identity_tries + u32::try_from(running).unwrap_or(u32::MAX);
        if self.memory.identity < IdentityLevel::Verified && tries >= IDENTITY_TRIES_MAX {
            return Err(Refusal::TooManyTries);
        }
        Ok(function)
    }

    /// Answers a request with a refusal: the agent is never left without an answer. In a full ledger
    /// a refusal is not kept: whatever is asked for then is refused again, and cannot run twice.
    fn refuse(&mut self, ask: &FunctionAsk, why: Refusal, step: &mut Draft) {
        step.fact(Fact::FunctionRefused { id: ask.id.clone(), why: why.clone() });
        if !self.memory.ledger.is_full() {
            self.record(ask, EntryState::Settled(Answer::Refused(why.clone())));
        }
        self.answer(&ask.id, &ask.name, &Answer::Refused(why), step);
    }

    /// Refuses a request that is not decided about.
    fn turn_down(&mut self, ask: &FunctionAsk, why: Refusal, step: &mut Draft) {
        self.note_asked(ask, step);
        self.refuse(ask, why, step);
    }

    fn record(&mut self, ask: &FunctionAsk, state: EntryState) {
        self.memory.ledger.record(ask.id.clone(), ask.name.clone(), state);
    }

    /// A function ended. Whether anybody waited for it.
    fn function_ended(&mut self, ended: &FunctionEnded, step: &mut Draft) -> bool {
        if self.is_the_carriers(ended) {
            return false;
        }
        let outcome = outcome_word(&ended.outcome);
        let answer = Answer::Result { of: ended.id.clone() };
        let Some(hearer) = self.finish(&ended.id, outcome, &answer, &ended.disclosed, step) else {
            return false;
        };
        self.learn_identity(ended, step);
        if hearer == Hearer::Present {
            disclose(&ended.disclosed, step);
        }
        true
    }

    /// Nobody performs tones for us but the carrier, and its word is another.
    fn is_the_carriers(&self, ended: &FunctionEnded) -> bool {
        let entry = self.memory.ledger.get(&ended.id);
        entry.is_some_and(|entry| matches!(entry.state, EntryState::Tones { .. }))
    }

    /// A result that comes after its request was answered for it teaches us about the caller all
    /// the same, or slow lookups would make guessing free. It discloses nothing: nobody gets it.
    /// A write's outcome is put on record.
    fn ended_late(&mut self, ended: &FunctionEnded, step: &mut Draft) -> bool {
        let Some((name, function)) = self.memory.ledger.too_late(&ended.id) else { return false };
        if function.is_write() {
            let outcome = format!("{} (late)", outcome_word(&ended.outcome));
            step.fact(Fact::FunctionDone { id: ended.id.clone(), name, outcome });
        }
        let learnt = FunctionEnded { disclosed: Vec::new(), ..ended.clone() };
        self.learn_identity(&learnt, step);
        true
    }

    fn learn_identity(&mut self, ended: &FunctionEnded, step: &mut Draft) {
        // After the end nothing is learnt (I-19).
        if ended.identity.is_empty() || matches!(self.current, State::Ended { .. }) {
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

    /// The agent takes a request back. A read is over with that; a write goes on, and only its
    /// answer is not wanted any more.
    pub(super) fn withdrawn(&mut self, id: &str, step: &mut Draft) -> bool {
        let ledger = &self.memory.ledger;
        self.memory.held.retain(|held| held.id != id || held.tells_of_a_write(ledger));
        if self.memory.ledger.unwanted(id) {
            return true;
        }
        let Some(settled) = self.memory.ledger.settle(id, EntryState::Withdrawn) else {
            return false;
        };
        self.function_over(id.to_string(), settled.name, "withdrawn", step);
        self.rearm_limit();
        true
    }

    pub(super) fn function_over(&self, id: String, name: String, how: &str, step: &mut Draft) {
        step.fact(Fact::FunctionDone { id, name, outcome: how.to_string() });
    }

    pub(super) fn rearm_limit(&mut self) {
        match self.memory.ledger.next_limit() {
            Some(limit) => self.memory.timers.arm(Timer::FunctionLimit, limit),
            None => self.memory.timers.disarm(Timer::FunctionLimit),
        }
    }

    /// Reads that still run when the call is over: nobody will learn what came of them. Writes
    /// run on to their outcome.
    pub(super) fn functions_left(&mut self, step: &mut Draft) {
        for id in self.memory.ledger.overdue(CallTime::from_millis(u64::MAX)) {
            if self.memory.ledger.get(&id).is_some_and(Entry::is_write) {
                continue;
            }
            if let Some(settled) = self.memory.ledger.settle(&id, EntryState::Withdrawn) {
                self.function_over(id, settled.name, "unknown", step);
            }
        }
        // Nor will anybody learn whether tones were played.
        for id in self.memory.ledger.tones() {
            if let Some(settled) = self.memory.ledger.settle(&id, EntryState::Withdrawn) {
                self.function_over(id, settled.name, "unknown", step);
            }
        }
        self.rearm_limit();
    }

    /// While the call ends: requests are refused, and results that still arrive are recorded. They are
    /// told to nobody, unless the talk goes on after all.
    pub(super) fn functions_at_end(
        &mut self,
        input: &Input,
        step: &mut Draft,
    ) -> Option<Outcome<State>> {
        match input {
            Input::Agent(Agent::Asked(asks)) => {
                for ask in asks {
                    if self.memory.ledger.get(&ask.id).is_none() {
                        self.turn_down(ask, Refusal::Ending, step);
                    }
                }
                Some(Handled)
            }
            Input::Agent(Agent::Withdrew(ids)) => {
                for id in ids {
                    self.memory.too_early.retain(|ask| ask.id != *id);
                    self.withdrawn(id, step);
                }
                Some(Handled)
            }
            Input::Function(ended) => {
                let known = self.function_ended(ended, step) || self.ended_late(ended, step);
                let over = matches!(self.current, State::HangingUp { .. } | State::Ended { .. });
                known.then(|| if over { Handled } else { self.after_speech(step) })
            }
            _ => None,
        }
    }
}

/// What a request asks of the call itself.
enum End {
    Goodbye,
    Transfer(Option<String>),
    Tones(Tones),
}

fn outcome_word(outcome: &FunctionOutcome) -> &str {
    match outcome {
        FunctionOutcome::Done => "done",
        FunctionOutcome::Failed(why) => why,
    }
}
