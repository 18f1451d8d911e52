//! A desk at which a test plays carrier, agent and back office of one call, and the words it
//! needs for that.

#![allow(dead_code, reason = "each test file takes the words it needs")]

use call_core::{
    Brief, Call, CallTime, Cause, Effect, EndReason, Fact, Input, Language, LineId, Millis, Phase,
    Step, UtteranceId,
    call::Timer,
    company::FarewellPolicy,
    effect::Answer,
    input::{
        Agent, AgentLoss, Carrier, CutReason, FunctionAsk, FunctionEnded, FunctionOutcome, HungUp,
        Key, Line, Operator, Playback, Tones, Transfer,
    },
    step::IdentityCheck,
};

/// The first line of every call.
pub(crate) const OPENING: UtteranceId = UtteranceId::Line(1);

/// Whom a call with people behind it goes to first.
pub(crate) const FRONT_DESK: &str = "front-desk";

/// A company that has people to transfer to, and takes payments.
pub(crate) fn people() -> Brief {
    let functions = ["lookup_loan", "make_payment", "transfer_call", "play_dtmf", "hangup_call"];
    Brief {
        functions: functions.map(String::from).to_vec(),
        transfer_targets: vec![FRONT_DESK.into(), "hardship".into()],
        ..Brief::example()
    }
}

/// A company whose farewells may be called off once.
pub(crate) fn reopening() -> Brief {
    Brief { farewell: FarewellPolicy::ReopenOnce, ..people() }
}

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
        Self::thinking_with(Brief::example())
    }

    pub(crate) fn thinking_with(brief: Brief) -> Self {
        let mut desk = Self::listening_with(brief);
        desk.at(10_000, caller_says("How much do I owe?"));
        assert_eq!(desk.phase(), Phase::Thinking);
        desk
    }

    /// A desk whose agent speaks its first sentence since 00:11.000, with more to come.
    pub(crate) fn speaking() -> Self {
        Self::speaking_with(Brief::example())
    }

    pub(crate) fn speaking_with(brief: Brief) -> Self {
        let mut desk = Self::thinking_with(brief);
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
        Self::farewell_with(Brief::example())
    }

    pub(crate) fn farewell_with(brief: Brief) -> Self {
        let mut desk = Self::thinking_with(brief);
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

    /// A desk whose caller is verified and has said something: thinking since 00:12.000.
    pub(crate) fn verified() -> Self {
        Self::verified_with(people())
    }

    pub(crate) fn verified_with(brief: Brief) -> Self {
        let mut desk = Self::thinking_with(brief);
        desk.at(11_000, asks(&[lookup("f1")]));
        desk.at(11_500, checked("f1", &[("date_of_birth", true), ("zip", true)], &[]));
        desk.at(12_000, caller_says("I want to pay."));
        assert_eq!(desk.phase(), Phase::Thinking);
        desk
    }

    /// A desk at which the payment `p1` runs since 00:13.000.
    pub(crate) fn paying() -> Self {
        Self::paying_with(people())
    }

    pub(crate) fn paying_with(brief: Brief) -> Self {
        let mut desk = Self::verified_with(brief);
        desk.at(13_000, asks(&[pay("p1")]));
        assert_eq!(desk.phase(), Phase::FunctionPending);
        desk
    }

    /// A desk whose agent asked for a transfer at 00:11.000; the announcement is `line(2)`.
    pub(crate) fn transferring() -> Self {
        let mut desk = Self::thinking_with(people());
        desk.at(11_000, asks(&[transfer("f1")]));
        assert_eq!(desk.phase(), Phase::Transferring);
        desk
    }

    /// A desk whose carrier was asked for a transfer at 00:13.000.
    pub(crate) fn handing_over() -> Self {
        let mut desk = Self::transferring();
        desk.plays(line(2), 11_200, 13_000);
        desk
    }

    /// A desk whose carrier took a transfer at 00:13.500, and whose stream ended with that.
    pub(crate) fn handed_over() -> Self {
        let mut desk = Self::handing_over();
        desk.at(13_500, transfer_is(Transfer::Accepted));
        desk.at(13_600, stopped());
        assert_eq!(desk.phase(), Phase::Transferring);
        desk
    }

    /// A desk whose agent asked for tones at 00:11.000, and whose carrier was asked at once.
    pub(crate) fn playing_tones() -> Self {
        let mut desk = Self::thinking_with(people());
        desk.at(11_000, asks(&[tones("f1")]));
        assert_eq!(desk.phase(), Phase::PlayingTones);
        desk
    }

    /// A desk that lost its agent at 00:11.000, while it listened; `line(2)`, asked for at 00:12.000,
    /// says one moment.
    pub(crate) fn reconnecting() -> Self {
        let mut desk = Self::listening_with(people());
        desk.at(11_000, agent_lost());
        assert_eq!(lines(&desk.until(12_000)), [LineId::Hold]);
        assert_eq!(desk.phase(), Phase::Reconnecting);
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

/// Lines that the agent was asked to say.
pub(crate) fn injected(steps: &[Step]) -> Vec<LineId> {
    let line = |effect: Effect| match effect {
        Effect::Inject { line, .. } => Some(line),
        _ => None,
    };
    effects(steps).into_iter().filter_map(line).collect()
}

/// Lines whose recordings were taken.
pub(crate) fn recorded(steps: &[Step]) -> Vec<LineId> {
    let line = |effect: Effect| match effect {
        Effect::UseRecording { line, .. } => Some(line),
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

/// Whom the call was to be handed to.
pub(crate) fn transfers(steps: &[Step]) -> Vec<String> {
    let target = |effect: Effect| match effect {
        Effect::Transfer { target } => Some(target),
        _ => None,
    };
    effects(steps).into_iter().filter_map(target).collect()
}

/// How functions ended: which, and in which word.
pub(crate) fn outcomes(steps: &[Step]) -> Vec<(String, String)> {
    let outcome = |fact: Fact| match fact {
        Fact::FunctionDone { id, outcome, .. } => Some((id, outcome)),
        _ => None,
    };
    facts(steps).into_iter().filter_map(outcome).collect()
}

/// Requests that were performed.
pub(crate) fn performed(steps: &[Step]) -> Vec<String> {
    let id = |effect: Effect| match effect {
        Effect::Perform { id, .. } => Some(id),
        _ => None,
    };
    effects(steps).into_iter().filter_map(id).collect()
}

/// Requests whose tones were played, and how many tones.
pub(crate) fn toned(steps: &[Step]) -> Vec<(String, u32)> {
    let tones = |effect: Effect| match effect {
        Effect::PlayTones { id, tones } => Some((id, tones)),
        _ => None,
    };
    effects(steps).into_iter().filter_map(tones).collect()
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

pub(crate) fn stream_dead() -> Input {
    Input::Carrier(Carrier::Dead)
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

/// Its first audio is there, behind other speech.
pub(crate) fn waits(utterance: UtteranceId) -> Input {
    Input::Playback(Playback::Waits { utterance })
}

pub(crate) fn queued(utterance: UtteranceId, audio: u64, until: u64) -> Input {
    let until = CallTime::from_millis(until);
    Input::Playback(Playback::Queued { utterance, audio: Millis(audio), until })
}

pub(crate) fn heard(utterance: UtteranceId, audio: u64) -> Input {
    Input::Playback(Playback::Heard { utterance, audio: Millis(audio) })
}

pub(crate) fn cut(utterance: UtteranceId, heard: u64, audio: u64) -> Input {
    let (heard, audio, why) = (Millis(heard), Millis(audio), CutReason::Stopped);
    Input::Playback(Playback::Cut { utterance, heard, audio, whole: true, why })
}

/// What [`cut`] puts on record.
pub(crate) fn cut_fact(utterance: UtteranceId, heard: u64, audio: u64) -> Fact {
    let (heard, audio, why) = (Millis(heard), Millis(audio), CutReason::Stopped);
    Fact::Cut { utterance, heard, audio, whole: true, why }
}

pub(crate) fn dry() -> Input {
    Input::Playback(Playback::Dry)
}

pub(crate) fn transfer_is(news: Transfer) -> Input {
    Input::Carrier(Carrier::Transfer(news))
}

pub(crate) fn tones_are(news: Tones) -> Input {
    Input::Carrier(Carrier::Tones(news))
}

/// The carrier's callbacks say that the call is over.
pub(crate) fn completed() -> Input {
    Input::Carrier(Carrier::Completed)
}

/// The caller is back, by a new stream.
pub(crate) fn joined() -> Input {
    Input::Carrier(Carrier::Joined)
}

/// The caller's line is not quiet.
pub(crate) fn sound() -> Input {
    Input::Carrier(Carrier::Sound)
}

pub(crate) fn digit() -> Input {
    Input::Carrier(Carrier::Key(Key::Digit))
}

pub(crate) fn star() -> Input {
    Input::Carrier(Carrier::Key(Key::Star))
}

pub(crate) fn pound() -> Input {
    Input::Carrier(Carrier::Key(Key::Pound))
}

// The operator's part.

pub(crate) fn drain(within: u64) -> Input {
    Input::Operator(Operator::Drain { within: Millis(within) })
}

pub(crate) fn operator_hangs_up() -> Input {
    Input::Operator(Operator::HangUp)
}

pub(crate) fn operator_transfers(target: &str) -> Input {
    Input::Operator(Operator::Transfer { target: target.into() })
}

// The agent's part.

pub(crate) fn agent_ready() -> Input {
    Input::Agent(Agent::Ready)
}

pub(crate) fn agent_lost() -> Input {
    Input::Agent(Agent::Lost(AgentLoss::Closed))
}

pub(crate) fn agent_lost_by(loss: AgentLoss) -> Input {
    Input::Agent(Agent::Lost(loss))
}

/// The agent hears a voice, or a cough.
pub(crate) fn noise() -> Input {
    Input::Agent(Agent::CallerStarted)
}

pub(crate) fn caller_says(text: &str) -> Input {
    Input::Agent(Agent::CallerSaid { text: text.into(), language: None, since_sound: None })
}

pub(crate) fn caller_says_in(language: Language, text: &str) -> Input {
    let language = Some(language);
    Input::Agent(Agent::CallerSaid { text: text.into(), language, since_sound: None })
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
        target: None,
        tones: None,
        fault: None,
    }
}

pub(crate) fn lookup(id: &str) -> FunctionAsk {
    ask(id, "lookup_loan")
}

pub(crate) fn hangup(id: &str) -> FunctionAsk {
    ask(id, "hangup_call")
}

pub(crate) fn transfer(id: &str) -> FunctionAsk {
    ask(id, "transfer_call")
}

pub(crate) fn transfer_to(id: &str, target: &str) -> FunctionAsk {
    FunctionAsk { target: Some(target.into()), ..transfer(id) }
}

/// Three tones.
pub(crate) fn tones(id: &str) -> FunctionAsk {
    FunctionAsk { tones: Some(3), ..ask(id, "play_dtmf") }
}

/// A payment; all of them mean the same.
pub(crate) fn pay(id: &str) -> FunctionAsk {
    ask(id, "make_payment")
}

/// A payment of another meaning.
pub(crate) fn pay_another(id: &str) -> FunctionAsk {
    FunctionAsk { fingerprint: "01".into(), ..pay(id) }
}

pub(crate) fn result_of(id: &str) -> Answer {
    Answer::Result { of: id.into() }
}

// The back office's part.

pub(crate) fn line_ready(utterance: UtteranceId) -> Input {
    let text = format!("words of {utterance}");
    Input::Line(Line::Ready { utterance, text, version: 1, audio: Millis(2_000) })
}

pub(crate) fn line_failed(utterance: UtteranceId) -> Input {
    Input::Line(Line::Failed { utterance })
}

/// The agent's words are a line that it was asked to say.
pub(crate) fn line_spoken(utterance: UtteranceId) -> Input {
    let text = format!("words of {utterance}");
    Input::Line(Line::Spoken { utterance, text, version: 1 })
}

pub(crate) fn line_refused(utterance: UtteranceId) -> Input {
    Input::Line(Line::Refused { utterance })
}

pub(crate) fn failed(id: &str, why: &str) -> Input {
    ended(id, FunctionOutcome::Failed(why.into()), &[], &[])
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
