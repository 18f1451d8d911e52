//! The call machine and what is built on it.
//!
//! | Group | One iteration | Elements |
//! | --- | --- | --- |
//! | `step` | one input, told to a call in the state that the name begins with | |
//! | `replay` | every input and timer of a whole call, told to a new call | steps |
//! | `playout` | audio and marks past the gate to the caller's ear | frames |
//! | `story` | the story of a whole call | steps |
//! | `simulated_call` | a whole call on the simulator's desk, without reading its files | simulated milliseconds: `1 Kelem/s` is one simulated second in a second |
//! | `judged_call` | a whole call on the desk, and every judge held against it | likewise |
//! | `simulated_file` | likewise, with reading its files: `.wav` is resampled, and looked through for speech | likewise |
//!
//! The whole call is the one of `scenarios/late_payment.ron`, whose caller was recorded. Beside it the
//! simulator plays `scenarios/s09_asked_again.ron`, whose caller is text.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};

use call_core::input::{
    Agent, CutReason, FunctionAsk, FunctionEnded, FunctionOutcome, Line, Playback,
};
use call_core::playout::{Admit, Playout};
use call_core::step::IdentityCheck;
use call_core::story::story;
use call_core::{Call, CallTime, Cause, Input, Millis, Phase, Step, UtteranceId};
use sim::desk::{play, play_scenario};

#[path = "support.rs"]
mod support;

use support::{FRAME, FRAME_BYTES, asked_again, call, criterion, late_payment, load};

/// The first line of every call.
const OPENING: UtteranceId = UtteranceId::Line(1);

/// The first sentence of the agent's.
const SENTENCE: UtteranceId = UtteranceId::Agent(1);

fn main() {
    let journal = play_scenario(load(&late_payment())).steps;
    let mut criterion = criterion();
    steps(&mut criterion);
    replays(&mut criterion, &journal);
    playouts(&mut criterion);
    stories(&mut criterion, &journal);
    simulated_calls(&mut criterion);
    criterion.final_summary();
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for Case { name, before, at, input, after } in cases() {
        let mut told = call(&before);
        let last = told.step(at, input.clone()).pop();
        assert!(last.is_some_and(|step| !step.ignored), "{name}: the call has no use for it");
        assert_eq!(told.phase(), after, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || (call(&before), Some(input.clone())),
                |(call, input)| input.take().map(|input| call.step(at, input)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn replays(criterion: &mut Criterion, journal: &[Step]) {
    assert_eq!(replay(journal), journal, "a replay gives the journal that it was made from");
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(journal.len() as u64));
    group.bench_function("late_payment", |bencher| {
        bencher.iter_with_large_drop(|| replay(black_box(journal)));
    });
    group.finish();
}

fn replay(journal: &[Step]) -> Vec<Step> {
    let Some(Step { cause: Cause::Started(brief), .. }) = journal.first() else {
        unreachable!("a journal begins with the call's beginning")
    };
    let (mut call, first) = Call::new(brief.as_ref().clone());
    let mut steps = vec![first];
    for step in &journal[1..] {
        steps.extend(match &step.cause {
            Cause::Input(input) => call.step(step.at, input.clone()),
            Cause::Timer(_) => call.wake(step.at),
            Cause::Started(_) => unreachable!("a call begins once"),
        });
    }
    steps
}

fn playouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("playout");
    let (mut playout, mut now) = (Playout::new(), CallTime::ZERO);
    group.throughput(Throughput::Elements(1));
    group.bench_function("frame", |bencher| {
        bencher.iter(|| {
            now = now + FRAME;
            pass(now, SENTENCE, &mut playout)
        });
    });
    let (mut playout, mut now, mut sentences) = (Playout::new(), CallTime::ZERO, 0);
    group.throughput(Throughput::Elements(50));
    group.bench_function("one_second_sentence_and_its_mark", |bencher| {
        bencher.iter(|| {
            sentences += 1;
            let sentence = UtteranceId::Agent(sentences);
            for _ in 0..50 {
                now = now + FRAME;
                black_box(pass(now, sentence, &mut playout));
            }
            black_box(playout.mark(now, sentence));
            now = now + FRAME;
            playout.mark_returned(sentence)
        });
    });
    group.finish();
}

fn pass(now: CallTime, utterance: UtteranceId, playout: &mut Playout) -> Option<Playback> {
    let admitted = playout.admit(now, utterance, black_box(FRAME_BYTES));
    assert_eq!(admitted, Admit::Forward, "audio at the pace of speech never waits");
    playout.forward(now, utterance, black_box(FRAME_BYTES))
}

fn stories(criterion: &mut Criterion, journal: &[Step]) {
    let mut group = criterion.benchmark_group("story");
    group.throughput(Throughput::Elements(journal.len() as u64));
    group.bench_function("late_payment", |bencher| bencher.iter(|| story(black_box(journal))));
    group.finish();
}

fn simulated_calls(criterion: &mut Criterion) {
    for (name, file) in [("late_payment", late_payment()), ("text_only", asked_again())] {
        let scenario = load(&file);
        let played = play_scenario(scenario.clone());
        let end = played.steps.last().map_or(CallTime::ZERO, |step| step.at);
        let simulated = Throughput::Elements(end.as_millis());
        let mut group = criterion.benchmark_group("simulated_call");
        group.throughput(simulated.clone());
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| scenario.clone(), play_scenario, BatchSize::SmallInput);
        });
        group.finish();
        assert_eq!(played.breaches(), [], "{name}");
        let mut group = criterion.benchmark_group("judged_call");
        group.throughput(simulated.clone());
        group.bench_function(name, |bencher| {
            let judged = |scenario| play_scenario(scenario).breaches();
            bencher.iter_batched(|| scenario.clone(), judged, BatchSize::SmallInput);
        });
        group.finish();
        let mut group = criterion.benchmark_group("simulated_file");
        group.throughput(simulated);
        group.bench_function(name, |bencher| bencher.iter(|| play(black_box(&file)).is_ok()));
        group.finish();
    }
}

/// One input, and the call that it is told to.
struct Case {
    name: &'static str,
    /// What the call was told before.
    before: Vec<(CallTime, Input)>,
    at: CallTime,
    input: Input,
    /// Where the call stands then.
    after: Phase,
}

fn cases() -> Vec<Case> {
    let case = |name, before, millis, input, after| {
        let at = CallTime::from_millis(millis);
        Case { name, before, at, input, after }
    };
    let text = "My loan number is [6 digits].".to_owned();
    let caller_said = Input::Agent(Agent::CallerSaid { text, language: None, since_sound: None });
    let cut = Playback::Cut {
        utterance: SENTENCE,
        heard: Millis(1_000),
        audio: Millis(2_000),
        whole: true,
        why: CutReason::Stopped,
    };
    vec![
        case("greeting/opening_heard", greeting(), 5_000, opening_heard(), Phase::Listening),
        case("listening/caller_starts", listening(), 9_000, caller_starts(), Phase::Listening),
        case("listening/caller_said", listening(), 9_000, caller_said, Phase::Thinking),
        case("thinking/agent_asks", thinking(), 11_000, agent_asks(), Phase::FunctionPending),
        case("function_pending/done", function_pending(), 12_000, done(), Phase::Thinking),
        case("thinking/agent_said", thinking(), 11_000, agent_said(), Phase::Speaking),
        case("speaking/audio_done", speaking(), 11_100, audio_done(), Phase::Speaking),
        case("speaking/queued", speaking(), 11_100, queued(), Phase::Speaking),
        case("speaking/heard", handed_over(), 13_000, heard(), Phase::Listening),
        case("speaking/caller_starts", handed_over(), 12_000, caller_starts(), Phase::Speaking),
        case("speaking/cut", handed_over(), 12_000, Input::Playback(cut), Phase::Listening),
    ]
}

// States, as what leads to them.

/// The opening plays.
fn greeting() -> Vec<(CallTime, Input)> {
    let ready = Line::Ready {
        utterance: OPENING,
        text: "Thank you for calling Acme Home Loans. How can I help you?".to_owned(),
        version: 1,
        audio: Millis(4_000),
    };
    let until = CallTime::from_millis(5_000);
    let queued = Playback::Queued { utterance: OPENING, audio: Millis(4_000), until };
    let began = Playback::Began { utterance: OPENING };
    let told = [
        (900, Input::Agent(Agent::Ready)),
        (1_000, Input::Line(ready)),
        (1_000, Input::Playback(began)),
        (1_000, Input::Playback(queued)),
    ];
    then(vec![], told)
}

fn listening() -> Vec<(CallTime, Input)> {
    then(greeting(), [(5_000, opening_heard())])
}

fn thinking() -> Vec<(CallTime, Input)> {
    let text = "I want to know what I owe.".to_owned();
    let said = Input::Agent(Agent::CallerSaid { text, language: None, since_sound: None });
    then(listening(), [(8_000, caller_starts()), (10_000, said)])
}

fn function_pending() -> Vec<(CallTime, Input)> {
    then(thinking(), [(11_000, agent_asks())])
}

/// The agent's sentence arrives.
fn speaking() -> Vec<(CallTime, Input)> {
    let began = Input::Playback(Playback::Began { utterance: SENTENCE });
    then(thinking(), [(11_000, agent_said()), (11_000, began)])
}

/// The agent's sentence has arrived, and plays.
fn handed_over() -> Vec<(CallTime, Input)> {
    then(speaking(), [(11_100, audio_done()), (11_100, queued())])
}

fn then<const N: usize>(
    mut before: Vec<(CallTime, Input)>,
    told: [(u64, Input); N],
) -> Vec<(CallTime, Input)> {
    before.extend(told.map(|(millis, input)| (CallTime::from_millis(millis), input)));
    before
}

// Inputs.

fn opening_heard() -> Input {
    Input::Playback(Playback::Heard { utterance: OPENING, audio: Millis(4_000) })
}

fn caller_starts() -> Input {
    Input::Agent(Agent::CallerStarted)
}

fn agent_said() -> Input {
    let text = "What is your loan number, and your zip code?".to_owned();
    Input::Agent(Agent::Said { utterance: SENTENCE, text })
}

fn audio_done() -> Input {
    Input::Agent(Agent::AudioDone)
}

fn queued() -> Input {
    let until = CallTime::from_millis(13_000);
    Input::Playback(Playback::Queued { utterance: SENTENCE, audio: Millis(2_000), until })
}

fn heard() -> Input {
    Input::Playback(Playback::Heard { utterance: SENTENCE, audio: Millis(2_000) })
}

fn agent_asks() -> Input {
    let ask = FunctionAsk {
        id: "call_1".to_owned(),
        name: "lookup_loan".to_owned(),
        arguments: r#"{"date_of_birth":"[date]","loan_number":"[6 digits]","zip":"[5 digits]"}"#
            .to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        target: None,
        tones: None,
        fault: None,
    };
    Input::Agent(Agent::Asked(vec![ask]))
}

fn done() -> Input {
    let check = |factor: &str| IdentityCheck { factor: factor.to_owned(), ok: true };
    Input::Function(FunctionEnded {
        id: "call_1".to_owned(),
        outcome: FunctionOutcome::Done,
        identity: vec![check("date_of_birth"), check("zip")],
        disclosed: ["first_name", "due_cents", "due_date"].map(str::to_owned).to_vec(),
    })
}
