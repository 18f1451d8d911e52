//! What holds for every call, whatever it is told and whenever.
//!
//! A script is improvised: half of it obliges (it does what the call asked for, as decent
//! carriers, agents and back offices do), half of it is anything at all. So scripts come deep into
//! calls and still misbehave everywhere.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    sample::subsequence,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use call_core::{
    Brief, Call, CallTime, Cause, Effect, Fact, Input, Language, Limits, Millis, Phase, Step,
    UtteranceId,
    call::Timer,
    input::{
        Agent, AgentLoss, Carrier, FunctionAsk, FunctionEnded, FunctionOutcome, HungUp, Line,
        Playback,
    },
    step::IdentityCheck,
};

/// The most steps that one input may cause, timers that were due before it included.
const STEPS_MAX: usize = 400;

proptest! {
    #![proptest_config(config())]

    /// I-20.
    #[test]
    fn any_input_in_any_phase_returns_after_few_steps(script in scripts()) {
        let (mut call, _) = Call::new(script.brief);
        for (at, input) in script.told {
            let steps = call.step(at, input.clone());
            prop_assert!((1..=STEPS_MAX).contains(&steps.len()), "{} steps", steps.len());
            let last = steps.last().map(|step| step.cause.clone());
            prop_assert_eq!(last, Some(Cause::Input(input)), "the input is answered last");
        }
    }

    /// I-21.
    #[test]
    fn the_same_inputs_give_the_same_journal_byte_for_byte(script in scripts()) {
        prop_assert_eq!(json(&script.journal()), json(&script.journal()));
    }

    #[test]
    fn late_timers_change_nothing(script in scripts()) {
        let (mut call, first) = Call::new(script.brief.clone());
        let mut punctual = vec![first];
        for (at, input) in &script.told {
            while let Some((due, _)) = call.poll_timeout().filter(|(due, _)| due <= at) {
                punctual.extend(call.wake(due));
            }
            punctual.extend(call.step(*at, input.clone()));
        }
        punctual.extend(call.wake(script.last));
        prop_assert_eq!(punctual, script.journal());
    }

    /// I-19, I-14.
    #[test]
    fn nothing_follows_the_end(script in scripts()) {
        let (mut call, _) = Call::new(script.brief);
        for (at, input) in script.told {
            let was_over = call.phase().is_ended();
            for step in call.step(at, input) {
                let nothing = step.effects.is_empty() && step.facts.is_empty() && step.moves.is_empty();
                prop_assert!(!was_over || (nothing && step.ignored), "{step:?}");
            }
            if call.phase().is_ended() {
                prop_assert_eq!(call.poll_timeout(), None, "no timer is left");
            }
        }
    }

    /// I-21.
    #[test]
    fn a_journal_can_be_stored_and_played_again(script in scripts()) {
        let journal = script.journal();
        let stored: Vec<Step> = serde_json::from_str(&json(&journal)).expect("it was just written");
        prop_assert_eq!(&stored, &journal);
        prop_assert_eq!(replay(&stored), journal);
    }

    /// I-22. Where a repetition comes later than at once it may mean something else, and a repeated
    /// request or a second cough is meant: those are answered again, on purpose.
    #[test]
    fn news_that_is_told_twice_has_the_effects_of_news_told_once(script in scripts()) {
        let (mut call, first) = Call::new(script.brief.clone());
        let mut doubled = vec![first];
        for (at, input) in &script.told {
            doubled.extend(call.step(*at, input.clone()));
            if matches!(input, Input::Line(_) | Input::Playback(_) | Input::Function(_)) {
                doubled.extend(call.step(*at, input.clone()));
            }
        }
        doubled.extend(call.wake(script.last));
        prop_assert_eq!(effects(&doubled), effects(&script.journal()));
    }

    /// F-DG-16, F-DG-20, I-13.
    #[test]
    fn a_request_is_performed_once_and_answered_once_for_each_time_it_was_asked(script in scripts()) {
        let mut asked = BTreeMap::<String, usize>::new();
        let mut answered = BTreeMap::<String, usize>::new();
        let mut performed = BTreeSet::new();
        for step in script.journal() {
            if let Cause::Input(Input::Agent(Agent::Asked(asks))) = step.cause {
                asks.into_iter().for_each(|ask| *asked.entry(ask.id).or_default() += 1);
            }
            for effect in step.effects {
                match effect {
                    Effect::Answer { id, .. } => *answered.entry(id).or_default() += 1,
                    Effect::Perform { id, .. } => prop_assert!(performed.insert(id), "twice"),
                    _ => {}
                }
            }
            for (id, times) in &answered {
                prop_assert!(Some(times) <= asked.get(id), "{id} was answered too often");
            }
        }
        prop_assert!(performed.iter().all(|id| asked.contains_key(id)));
    }

    /// I-11.
    #[test]
    fn every_call_ends_by_itself_in_bounded_time(script in scripts()) {
        let limits = script.brief.limits.clone();
        let (mut call, _) = Call::new(script.brief);
        let mut now = CallTime::ZERO;
        for (at, input) in script.told {
            call.step(at, input);
            now = now.max(at);
        }
        let longest = CallTime::ZERO + limits.call + limits.farewell + limits.hang_up;
        let silent = now
            + limits.silence_farewell
            + limits.line_ready
            + limits.farewell
            + limits.hang_up;
        let bound = if call.phase() == Phase::Listening { longest.min(silent) } else { longest };
        for _ in 0..STEPS_MAX {
            let Some((due, _)) = call.poll_timeout() else { break };
            call.wake(due);
            now = now.max(due);
        }
        prop_assert_eq!(call.phase(), Phase::Ended, "{:?}", call);
        prop_assert!(now <= bound.max(script.last), "ended at {now}, not by {bound}");
    }

    #[test]
    fn a_journal_is_in_order_and_its_moves_join(script in scripts()) {
        let mut now = CallTime::ZERO;
        let mut phase = Phase::Connecting;
        for step in script.journal() {
            prop_assert!(now <= step.at, "time went back to {}", step.at);
            now = step.at;
            for change in step.moves {
                prop_assert_eq!(change.from, phase);
                prop_assert_ne!(change.from, change.to);
                phase = change.to;
            }
        }
    }

    /// I-15, F-HU-04: a stopwatch beside the call, which runs while it listens.
    #[test]
    fn silence_is_the_time_listened_since_the_callers_last_words(script in scripts()) {
        let limits = script.brief.limits.clone();
        let (mut phase, mut since, mut silence) = (Phase::Connecting, CallTime::ZERO, Millis(0));
        for step in script.journal() {
            if phase == Phase::Listening {
                silence = silence + step.at.since(since);
            }
            since = step.at;
            match step.cause {
                Cause::Timer(Timer::SilencePrompt) => {
                    prop_assert_eq!(silence, limits.silence_prompt);
                }
                Cause::Timer(Timer::SilenceFarewell) => {
                    prop_assert_eq!(silence, limits.silence_farewell);
                }
                _ => {}
            }
            if step.facts.iter().any(|fact| matches!(fact, Fact::CallerLine { .. })) {
                silence = Millis(0);
            }
            phase = step.moves.last().map_or(phase, |change| change.to);
            if phase == Phase::Listening {
                prop_assert!(silence <= limits.silence_farewell, "nobody said goodbye");
            }
        }
    }

    /// I-35, I-25: cause precedes effect.
    #[test]
    fn effects_come_in_an_order_that_makes_sense(script in scripts()) {
        let effects = effects(&script.journal());
        let mut prepared = BTreeSet::new();
        let mut played = BTreeSet::new();
        for (number, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Prepare { utterance, .. } => {
                    prop_assert!(prepared.insert(*utterance), "{utterance} is prepared twice");
                }
                Effect::Play { utterance } => {
                    prop_assert!(prepared.contains(utterance), "{utterance} was never prepared");
                    prop_assert!(played.insert(*utterance), "{utterance} is played twice");
                }
                Effect::LeaveStream => prop_assert_eq!(number, effects.len() - 1, "the last"),
                _ => {}
            }
        }
        for once in [Effect::HangUp, Effect::MuteAgent, Effect::CloseAgent] {
            let times = effects.iter().filter(|effect| **effect == once).count();
            prop_assert!(times <= 1, "{once:?} {times} times");
        }
    }

    /// F-DG-14, F-HU-08.
    #[test]
    fn speech_is_cleared_only_for_a_voice_over_speech_that_may_be_stopped(script in scripts()) {
        let mut phase = Phase::Connecting;
        for step in script.journal() {
            let voice = step.cause == Cause::Input(Input::Agent(Agent::CallerStarted));
            let cleared = step.effects.contains(&Effect::Clear);
            prop_assert_eq!(cleared, voice && phase == Phase::Speaking);
            phase = step.moves.last().map_or(phase, |change| change.to);
        }
    }
}

/// A property of scripts that never leave the porch proves nothing.
#[test]
fn scripts_reach_every_phase_and_fire_every_timer() {
    let mut runner = TestRunner::deterministic();
    let mut phases = BTreeSet::from([Phase::Connecting]);
    let mut timers = BTreeSet::new();
    for _ in 0..2_000 {
        let script = scripts().new_tree(&mut runner).expect("nothing is filtered out").current();
        for step in script.journal() {
            phases.extend(step.moves.iter().map(|change| change.to));
            if let Cause::Timer(timer) = step.cause {
                timers.insert(timer);
            }
        }
    }
    assert_eq!(phases, BTreeSet::from(Phase::ALL));
    assert_eq!(timers, BTreeSet::from(Timer::ALL));
}

/// A failing script is printed in full and belongs into `machine.rs`, as a sentence.
fn config() -> Config {
    Config { failure_persistence: None, ..Config::default() }
}

/// What one call was told, and when. Times may go back, as no clock's should.
#[derive(Debug, Clone)]
struct Script {
    brief: Brief,
    told: Vec<(CallTime, Input)>,
    last: CallTime,
}

impl Script {
    fn journal(&self) -> Vec<Step> {
        let (mut call, first) = Call::new(self.brief.clone());
        let mut journal = vec![first];
        for (at, input) in &self.told {
            journal.extend(call.step(*at, input.clone()));
        }
        journal.extend(call.wake(self.last));
        journal
    }
}

/// The same call again, from nothing but its journal.
fn replay(journal: &[Step]) -> Vec<Step> {
    let Some(Step { cause: Cause::Started(brief), .. }) = journal.first() else {
        panic!("a journal begins with the brief")
    };
    let (mut call, first) = Call::new((**brief).clone());
    let mut again = vec![first];
    for step in journal {
        if let Cause::Input(input) = &step.cause {
            again.extend(call.step(step.at, input.clone()));
        }
    }
    again.extend(journal.last().map(|step| call.wake(step.at)).unwrap_or_default());
    again
}

fn effects(journal: &[Step]) -> Vec<Effect> {
    journal.iter().flat_map(|step| step.effects.clone()).collect()
}

fn json(journal: &[Step]) -> String {
    serde_json::to_string(journal).expect("a journal can be written")
}

// How scripts are improvised.

/// What shall happen next.
#[derive(Debug, Clone)]
enum Wish {
    /// Something that the call waits for.
    Oblige(usize),
    /// Something else.
    Tell(Input),
}

/// How long nothing happens before.
#[derive(Debug, Clone, Copy)]
enum Pause {
    Millis(u64),
    /// Until the next deadline, to the millisecond.
    Deadline,
    /// A clock that goes back.
    Back(u64),
}

fn scripts() -> impl Strategy<Value = Script> {
    let plan = vec((pauses(), wishes()), 0..80);
    (briefs(), plan).prop_map(|(brief, plan)| improvise(brief, plan))
}

fn improvise(brief: Brief, plan: Vec<(Pause, Wish)>) -> Script {
    let (mut call, first) = Call::new(brief.clone());
    let mut awaited = Awaited::default();
    awaited.learn(&first);
    let mut now = CallTime::ZERO;
    let mut told = Vec::new();
    for (pause, wish) in plan {
        let at = match pause {
            Pause::Millis(millis) => now + Millis(millis),
            Pause::Deadline => call.poll_timeout().map_or(now, |(due, _)| due),
            Pause::Back(millis) => CallTime::from_millis(now.as_millis().saturating_sub(millis)),
        };
        now = now.max(at);
        let input = match wish {
            Wish::Oblige(pick) => awaited.take(pick),
            Wish::Tell(input) => Some(input),
        };
        let Some(input) = input else { continue };
        told.push((at, input.clone()));
        for step in call.step(at, input) {
            awaited.learn(&step);
        }
    }
    Script { brief, told, last: now }
}

/// What the call has a right to be told.
#[derive(Default)]
struct Awaited(Vec<Input>);

impl Awaited {
    fn take(&mut self, pick: usize) -> Option<Input> {
        if self.0.is_empty() { None } else { Some(self.0.remove(pick % self.0.len())) }
    }

    fn learn(&mut self, step: &Step) {
        if let Cause::Input(Input::Playback(news)) = &step.cause {
            self.0.extend(next_news(news, step.at).map(Input::Playback));
        }
        for effect in &step.effects {
            self.0.extend(confirmation(effect));
        }
    }
}

/// What becomes of speech next, if nothing comes between.
fn next_news(news: &Playback, at: CallTime) -> Option<Playback> {
    let audio = Millis(2_000);
    match news {
        Playback::Began { utterance } => {
            Some(Playback::Queued { utterance: *utterance, audio, until: at + audio })
        }
        Playback::Queued { utterance, .. } => {
            Some(Playback::Heard { utterance: *utterance, audio })
        }
        _ => None,
    }
}

/// What confirms an effect.
fn confirmation(effect: &Effect) -> Option<Input> {
    match effect {
        Effect::OpenAgent { .. } => Some(Input::Agent(Agent::Ready)),
        Effect::Prepare { utterance, .. } => Some(Input::Line(ready(*utterance))),
        Effect::Play { utterance } => {
            Some(Input::Playback(Playback::Began { utterance: *utterance }))
        }
        Effect::Perform { id, .. } => Some(Input::Function(FunctionEnded {
            id: id.clone(),
            outcome: FunctionOutcome::Done,
            identity: Vec::new(),
            disclosed: Vec::new(),
        })),
        Effect::HangUp => Some(Input::Carrier(Carrier::HungUp(HungUp::Done))),
        _ => None,
    }
}

fn ready(utterance: UtteranceId) -> Line {
    Line::Ready { utterance, text: "Words.".into(), version: 1, audio: Millis(2_000) }
}

fn briefs() -> impl Strategy<Value = Brief> {
    let offered = subsequence(vec!["lookup_loan".to_string(), "hangup_call".to_string()], 0..=2);
    let offered = prop_oneof![3 => Just(Brief::example().functions), 1 => offered];
    let limits = prop_oneof![Just(Limits::default()), limits()];
    (offered, limits).prop_map(|(functions, limits)| Brief {
        functions,
        limits,
        ..Brief::example()
    })
}

/// Limits that some company may want, in any proportion to each other.
fn limits() -> impl Strategy<Value = Limits> {
    let length = || (500_u64..=40_000).prop_map(Millis);
    let call = (5_000_u64..=1_800_000).prop_map(Millis);
    (proptest::array::uniform11(length()), call).prop_map(|(lengths, call)| {
        let [
            agent_ready,
            line_ready,
            silence_prompt,
            silence_farewell,
            filler,
            reply,
            agent_audio_done,
            mark,
            lookup,
            farewell,
            hang_up,
        ] = lengths;
        Limits {
            agent_ready,
            line_ready,
            silence_prompt,
            silence_farewell,
            filler,
            reply,
            agent_audio_done,
            mark,
            lookup,
            farewell,
            hang_up,
            call,
        }
    })
}

fn pauses() -> impl Strategy<Value = Pause> {
    prop_oneof![
        6 => (0_u64..=400).prop_map(Pause::Millis),
        3 => (0_u64..=5_000).prop_map(Pause::Millis),
        1 => (0_u64..=70_000).prop_map(Pause::Millis),
        2 => Just(Pause::Deadline),
        1 => (0_u64..=5_000).prop_map(Pause::Back),
    ]
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        5 => (0_usize..8).prop_map(Wish::Oblige),
        4 => talk().prop_map(Wish::Tell),
        1 => mishaps().prop_map(Wish::Tell),
    ]
}

/// What happens all the time.
fn talk() -> impl Strategy<Value = Input> {
    let said = || prop_oneof![Just("Yes."), Just("")].prop_map(String::from);
    let language = proptest::option::of(proptest::sample::select(&Language::ALL[..]));
    let sentences = || (1_u32..5).prop_map(UtteranceId::Agent);
    prop_oneof![
        2 => Just(Input::Agent(Agent::CallerStarted)),
        2 => (said(), language)
            .prop_map(|(text, language)| Input::Agent(Agent::CallerSaid { text, language })),
        2 => (sentences(), said())
            .prop_map(|(utterance, text)| Input::Agent(Agent::Said { utterance, text })),
        2 => sentences().prop_map(|utterance| Input::Playback(Playback::Began { utterance })),
        2 => Just(Input::Agent(Agent::AudioDone)),
        1 => vec(asks(), 0..3).prop_map(|asks| Input::Agent(Agent::Asked(asks))),
    ]
}

/// What happens too.
fn mishaps() -> impl Strategy<Value = Input> {
    let hung_up = prop_oneof![Just(HungUp::Done), Just(HungUp::Failed)];
    prop_oneof![
        1 => Just(Input::Carrier(Carrier::Stopped)),
        1 => Just(Input::Carrier(Carrier::Lost)),
        1 => hung_up.prop_map(|how| Input::Carrier(Carrier::HungUp(how))),
        1 => Just(Input::Agent(Agent::Ready)),
        1 => Just(Input::Agent(Agent::Lost(AgentLoss::Closed))),
        1 => Just(Input::Agent(Agent::Warned("SLOW".into()))),
        4 => vec(ids(), 0..3).prop_map(|ids| Input::Agent(Agent::Withdrew(ids))),
        4 => functions_ended().prop_map(Input::Function),
        6 => utterances().prop_map(|utterance| Input::Line(ready(utterance))),
        6 => utterances().prop_map(|utterance| Input::Line(Line::Failed { utterance })),
        20 => playback().prop_map(Input::Playback),
    ]
}

fn playback() -> impl Strategy<Value = Playback> {
    let lengths = || (0_u64..5_000).prop_map(Millis);
    let times = (0_u64..100_000).prop_map(CallTime::from_millis);
    prop_oneof![
        utterances().prop_map(|utterance| Playback::Began { utterance }),
        (utterances(), lengths(), times).prop_map(|(utterance, audio, until)| Playback::Queued {
            utterance,
            audio,
            until
        }),
        (utterances(), lengths())
            .prop_map(|(utterance, audio)| Playback::Heard { utterance, audio }),
        (utterances(), lengths(), lengths()).prop_map(|(utterance, heard, audio)| Playback::Cut {
            utterance,
            heard,
            audio
        }),
        Just(Playback::Dry),
    ]
}

fn functions_ended() -> impl Strategy<Value = FunctionEnded> {
    let outcome = prop_oneof![
        Just(FunctionOutcome::Done),
        Just(FunctionOutcome::Failed("unavailable".into()))
    ];
    let check = any::<bool>().prop_map(|ok| IdentityCheck { factor: "zip".into(), ok });
    let disclosed = subsequence(vec!["balance".to_string()], 0..=1);
    (ids(), outcome, vec(check, 0..3), disclosed).prop_map(|(id, outcome, identity, disclosed)| {
        FunctionEnded { id, outcome, identity, disclosed }
    })
}

fn asks() -> impl Strategy<Value = FunctionAsk> {
    let names = prop_oneof![6 => Just("lookup_loan"), 1 => Just("hangup_call"), 1 => Just("fly")];
    let fault = proptest::option::weighted(0.1, Just("account is missing".to_string()));
    (ids(), names, fault).prop_map(|(id, name, fault)| FunctionAsk {
        id,
        name: name.into(),
        arguments: "{}".into(),
        fingerprint: "00".into(),
        fault,
    })
}

fn ids() -> impl Strategy<Value = String> {
    (1_u32..6).prop_map(|number| format!("f{number}"))
}

fn utterances() -> impl Strategy<Value = UtteranceId> {
    prop_oneof![(1_u32..8).prop_map(UtteranceId::Line), (1_u32..5).prop_map(UtteranceId::Agent),]
}
