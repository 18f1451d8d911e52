//! A desk at which a test plays carrier, agent and back office of one call, and the words it
//! needs for that.

#![allow(dead_code, reason = "each test file takes the words it needs")]

use call_core::{
    Brief, Call, CallTime, Cause, Effect, EndReason, Fact, Input, LineId, Millis, Phase, Step,
    UtteranceId,
    call::Timer,
    effect::Answer,
    input::{
        Agent, AgentLoss, Carrier, FunctionAsk, FunctionEnded, FunctionOutcome, HungUp, Line,
        Playback,
    },
    step::IdentityCheck,
};

/// The first line of every call.
pub(crate) const OPENING: UtteranceId = UtteranceId::Line(1);

/// A call and its journal so far.
pub(crate) struct Desk {
    pub(crate) call: Call,
    pub(crate) journal: Vec<Step>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(Brief::example())
    }

    pub(crate) fn with(brief: Brief) -> Self {
        let (call, first) = Call::new(brief);
        Self { call, journal: vec![first] }
    }

    /// A desk whose agent is ready and whose opening line was heard: listening since 00:05.000.
    pub(crate) fn listening() -> Self {
        Self::listening_with(Brief::example())
    }

    pub(crate) fn listening_with(brief: Brief) -> Self {
        let mut desk = Self::with(brief);
        desk.at(900, agent_ready());
        desk.plays(OPENING, 1_000, 5_000);
        assert_eq!(desk.phase(), Phase::Listening);
        desk
    }

    /// A desk at which the caller has said something: thinking since 00:10.000.
    pub(crate) fn thinking() -> Self {
        let mut desk = Self::listening();
        desk.at(10_000, caller_says("How much do I owe?"));
        assert_eq!(desk.phase(), Phase::Thinking);
        desk
    }

    /// A desk whose agent speaks its first sentence since 00:11.000, with more to come.
    pub(crate) fn speaking() -> Self {
        let mut desk = Self::thinking();
        desk.at(11_000, agent_says(1, "One hundred dollars."));
        desk.at(11_000, began(sentence(1)));
        assert_eq!(desk.phase(), Phase::Speaking);
        desk
    }

    /// A desk at which the function `f1` runs since 00:11.000.
    pub(crate) fn function_pending() -> Self {
        let mut desk = Self::thinking();
        desk.at(11_000, asks(&[lookup("f1")]));
        assert_eq!(desk.phase(), Phase::FunctionPending);
        desk
    }

    /// A desk whose agent asked to hang up at 00:11.000; the farewell is `line(2)`.
    pub(crate) fn farewell() -> Self {
        let mut desk = Self::thinking();
        desk.at(11_000, asks(&[hangup("f1")]));
        assert_eq!(desk.phase(), Phase::Farewell);
        desk
    }

    /// A desk whose farewell was heard at 00:13.000.
    pub(crate) fn hanging_up() -> Self {
        let mut desk = Self::farewell();
        desk.plays(line(2), 11_000, 13_000);
        assert_eq!(desk.phase(), Phase::HangingUp);
        desk
    }

    /// A desk whose call ended at 00:14.000.
    pub(crate) fn ended() -> Self {
        let mut desk = Self::hanging_up();
        desk.at(14_000, hung_up(HungUp::Done));
        assert_eq!(desk.phase(), Phase::Ended);
        desk
    }

    /// Tells the call; what came of it, timers that were due included.
    pub(crate) fn at(&mut self, millis: u64, input: Input) -> Vec<Step> {
        let steps = self.call.step(CallTime::from_millis(millis), input);
        self.journal.extend(steps.iter().cloned());
        steps
    }

    /// Lets time pass; what came of it.
    pub(crate) fn until(&mut self, millis: u64) -> Vec<Step> {
        let steps = self.call.wake(CallTime::from_millis(millis));
        self.journal.extend(steps.iter().cloned());
        steps
    }

    /// A line of ours becomes ready, is played and heard; what came of it.
    pub(crate) fn plays(&mut self, utterance: UtteranceId, from: u64, to: u64) -> Vec<Step> {
        let mut steps = self.at(from, line_ready(utterance));
        steps.extend(self.at(from, began(utterance)));
        steps.extend(self.at(from, queued(utterance, to - from, to)));
        steps.extend(self.at(to, heard(utterance, to - from)));
        steps
    }

    /// The agent speaks a sentence, which is heard; what came of it.
    pub(crate) fn agent_speaks(&mut self, number: u32, from: u64, to: u64) -> Vec<Step> {
        let utterance = sentence(number);
        let mut steps = self.at(from, agent_says(number, "I see."));
        steps.extend(self.at(from, began(utterance)));
        steps.extend(self.at(from, audio_done()));
        steps.extend(self.at(from, queued(utterance, to - from, to)));
        steps.extend(self.at(to, heard(utterance, to - from)));
        steps
    }

    pub(crate) fn phase(&self) -> Phase {
        self.call.phase()
    }

    /// When the last thing happened, in milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.journal.last().map_or(0, |step| step.at.as_millis())
    }

    /// The next deadline, in milliseconds.
    pub(crate) fn next(&self) -> Option<(u64, Timer)> {
        self.call.poll_timeout().map(|(at, timer)| (at.as_millis(), timer))
    }
}

// What came of it.

pub(crate) fn effects(steps: &[Step]) -> Vec<Effect> {
    steps.iter().flat_map(|step| step.effects.clone()).collect()
}

pub(crate) fn facts(steps: &[Step]) -> Vec<Fact> {
    steps.iter().flat_map(|step| step.facts.clone()).collect()
}

/// Phases entered.
pub(crate) fn phases(steps: &[Step]) -> Vec<Phase> {
    steps.iter().flat_map(|step| &step.moves).map(|change| change.to).collect()
}

/// Lines that were asked for.
pub(crate) fn lines(steps: &[Step]) -> Vec<LineId> {
    let line = |effect: Effect| match effect {
        Effect::Prepare { line, .. } => Some(line),
        _ => None,
    };
    effects(steps).into_iter().filter_map(line).collect()
}

/// Answers that functions got: of which request, and what.
pub(crate) fn answers(steps: &[Step]) -> Vec<(String, Answer)> {
    let answer = |effect: Effect| match effect {
        Effect::Answer { id, answer, .. } => Some((id, answer)),
        _ => None,
    };
    effects(steps).into_iter().filter_map(answer).collect()
}

/// Requests that were performed.
pub(crate) fn performed(steps: &[Step]) -> Vec<String> {
    let id = |effect: Effect| match effect {
        Effect::Perform { id, .. } => Some(id),
        _ => None,
    };
    effects(steps).into_iter().filter_map(id).collect()
}

/// Timers that fired, and when.
pub(crate) fn fired(steps: &[Step]) -> Vec<(u64, Timer)> {
    let timer = |step: &Step| match step.cause {
        Cause::Timer(timer) => Some((step.at.as_millis(), timer)),
        _ => None,
    };
    steps.iter().filter_map(timer).collect()
}

/// Whether the input of these steps made no sense.
pub(crate) fn ignored(steps: &[Step]) -> bool {
    steps.last().is_some_and(|step| {
        step.ignored && step.effects.is_empty() && step.facts.is_empty() && step.moves.is_empty()
    })
}

// Names of speech.

pub(crate) fn line(number: u32) -> UtteranceId {
    UtteranceId::Line(number)
}

pub(crate) fn sentence(number: u32) -> UtteranceId {
    UtteranceId::Agent(number)
}

// The carrier's part.

pub(crate) fn stopped() -> Input {
    Input::Carrier(Carrier::Stopped)
}

pub(crate) fn stream_lost() -> Input {
    Input::Carrier(Carrier::Lost)
}

pub(crate) fn hung_up(how: HungUp) -> Input {
    Input::Carrier(Carrier::HungUp(how))
}

pub(crate) fn began(utterance: UtteranceId) -> Input {
    Input::Playback(Playback::Began { utterance })
}

pub(crate) fn queued(utterance: UtteranceId, audio: u64, until: u64) -> Input {
    let until = CallTime::from_millis(until);
    Input::Playback(Playback::Queued { utterance, audio: Millis(audio), until })
}

pub(crate) fn heard(utterance: UtteranceId, audio: u64) -> Input {
    Input::Playback(Playback::Heard { utterance, audio: Millis(audio) })
}

pub(crate) fn cut(utterance: UtteranceId, heard: u64, audio: u64) -> Input {
    Input::Playback(Playback::Cut { utterance, heard: Millis(heard), audio: Millis(audio) })
}

pub(crate) fn dry() -> Input {
    Input::Playback(Playback::Dry)
}

// The agent's part.

pub(crate) fn agent_ready() -> Input {
    Input::Agent(Agent::Ready)
}

pub(crate) fn agent_lost() -> Input {
    Input::Agent(Agent::Lost(AgentLoss::Closed))
}

/// The agent hears a voice, or a cough.
pub(crate) fn noise() -> Input {
    Input::Agent(Agent::CallerStarted)
}

pub(crate) fn caller_says(text: &str) -> Input {
    Input::Agent(Agent::CallerSaid { text: text.into(), language: None })
}

pub(crate) fn agent_says(number: u32, text: &str) -> Input {
    Input::Agent(Agent::Said { utterance: sentence(number), text: text.into() })
}

pub(crate) fn audio_done() -> Input {
    Input::Agent(Agent::AudioDone)
}

pub(crate) fn asks(asks: &[FunctionAsk]) -> Input {
    Input::Agent(Agent::Asked(asks.to_vec()))
}

pub(crate) fn withdraws(id: &str) -> Input {
    Input::Agent(Agent::Withdrew(vec![id.into()]))
}

pub(crate) fn ask(id: &str, name: &str) -> FunctionAsk {
    FunctionAsk {
        id: id.into(),
        name: name.into(),
        arguments: "{}".into(),
        fingerprint: "00".into(),
        fault: None,
    }
}

pub(crate) fn lookup(id: &str) -> FunctionAsk {
    ask(id, "lookup_loan")
}

pub(crate) fn hangup(id: &str) -> FunctionAsk {
    ask(id, "hangup_call")
}

// The back office's part.

pub(crate) fn line_ready(utterance: UtteranceId) -> Input {
    let text = format!("words of {utterance}");
    Input::Line(Line::Ready { utterance, text, version: 1, audio: Millis(2_000) })
}

pub(crate) fn line_failed(utterance: UtteranceId) -> Input {
    Input::Line(Line::Failed { utterance })
}

pub(crate) fn done(id: &str) -> Input {
    ended(id, FunctionOutcome::Done, &[], &[])
}

/// A lookup that checked the caller's identity.
pub(crate) fn checked(id: &str, factors: &[(&str, bool)], disclosed: &[&str]) -> Input {
    let matched = factors.iter().all(|(_, ok)| *ok);
    let failed = || FunctionOutcome::Failed("not-verified".into());
    let outcome = if matched { FunctionOutcome::Done } else { failed() };
    ended(id, outcome, factors, disclosed)
}

pub(crate) fn ended(
    id: &str,
    outcome: FunctionOutcome,
    factors: &[(&str, bool)],
    disclosed: &[&str],
) -> Input {
    let check = |(factor, ok): &(&str, bool)| IdentityCheck { factor: (*factor).into(), ok: *ok };
    Input::Function(FunctionEnded {
        id: id.into(),
        outcome,
        identity: factors.iter().map(check).collect(),
        disclosed: disclosed.iter().map(ToString::to_string).collect(),
    })
}

/// Why the call ended, if it ended now.
pub(crate) fn reason(steps: &[Step]) -> Option<EndReason> {
    facts(steps).into_iter().find_map(|fact| match fact {
        Fact::CallEnded { reason } => Some(reason),
        _ => None,
    })
}
