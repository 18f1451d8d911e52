//! The worked example of another carrier, held to what it promises: a call of a WAV file with the
//! stand-in for the agent, over a real socket and in real time.

#[path = "examples/wav_carrier.rs"]
#[allow(dead_code, reason = "its command line is not run here")]
mod wav_carrier;

use std::path::Path;
use std::sync::Arc;

use call_core::effect::Function;
use call_core::story::story;
use call_core::{CallTime, Fact, Millis, Step, UtteranceId};
use call_transports::net::AgentConnector;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use locales::Locale;
use sim::Scenario;
use sim::audio::{FRAME_BYTES, Recording, mulaw};
use sim::cast::agent::{Call, Doing, Reply};
use sim::cast::caller::Act;
use sim::judge::{Evidence, HEARD_IS_NOT_SAID, judge_by, judged};
use standin::Deepgram;
use tokio::net::TcpListener;

const KEY: &str = "a key that is no secret";

/// Samples in a millisecond.
const PER_MS: usize = 8;

/// What the caller waits before the first word: the opening, and a second.
const FRAMES_BEFORE: usize = 340;

/// And before the last words, so that they fall into the agent's second sentence.
const FRAMES_BETWEEN: usize = 150;

/// What may lie between the sound and the news of it: the rest of two frames.
const NEWS: Millis = Millis(40);

/// I-17, I-21, I-25: the judges of the simulator read its journal, too.
#[tokio::test(flavor = "multi_thread")]
async fn the_tape_of_a_wav_call_holds_speech_where_its_story_says_heard_and_nothing_else() {
    let (scenario, caller) = question();
    let folder = tempfile::tempdir().expect("a folder for the sound");
    let (says, tape) = (folder.path().join("caller.wav"), folder.path().join("call.wav"));
    write(&says, &caller);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("ws://{}", listener.local_addr().expect("it is bound"));
    let router = Deepgram::new(Arc::new(scenario), KEY).router();
    let standin = tokio::spawn(axum::serve(listener, router).into_future());
    let agent = AgentConnector::new(&url, KEY.to_owned().into()).expect("a sound URL");
    let steps = wav_carrier::call(agent, &says, &tape).await.expect("both files are sound");
    standin.abort();

    let told = story(&steps);
    let lines = [
        "(recording of opening, v1)  [in full",
        "caller  \"Hi. I am late on my payment",
        "heard   agent: \"I can look that up.\"  [in full",
        "we      stop speaking",
        "heard   agent: \"Your last statement tells",
        "[cut after",
        "caller  \"No, that is all. Thank you. Bye.\"",
        "result  hangup_call: done",
        "(recording of farewell, v1)  [in full",
        "ended: agent_hangup",
    ];
    let mut rest = told.as_str();
    for line in lines {
        let place = rest.find(line).unwrap_or_else(|| panic!("no {line} in its place:\n{told}"));
        rest = &rest[place..];
    }
    let (said, heard) = read(&tape);
    assert!(said.starts_with(&caller), "the caller said what is in the file");
    is_played_where_it_is_heard(&steps, &heard, &told);
    the_opening_is_played_whole(&steps, &heard);
    every_other_invariant_holds(&steps);
}

/// Whatever a judge can tell from the journal alone; of what was heard the tape is the witness.
fn every_other_invariant_holds(steps: &[Step]) {
    let invariants: Vec<_> = judged().filter(|id| *id != HEARD_IS_NOT_SAID).collect();
    let (account, audio, machine) = Default::default();
    let evidence = Evidence { steps, account: &account, audio, machine };
    assert_eq!(judge_by(&evidence, &invariants), []);
}

/// What is heard is loud, and everything else is silent.
fn is_played_where_it_is_heard(steps: &[Step], heard: &[i16], told: &str) {
    let mut others = heard.to_vec();
    let spoken: Vec<_> = heard_of(steps).collect();
    assert_eq!(spoken.len(), 4, "the opening, two sentences, the farewell:\n{told}");
    for (at, utterance, length) in spoken {
        let end = sample(at).min(heard.len());
        let start = end.checked_sub(length.0 as usize * PER_MS);
        let start = start.unwrap_or_else(|| panic!("{utterance} was heard too soon:\n{told}"));
        let frames = heard[start..end].chunks(FRAME_BYTES);
        let loud = frames.clone().filter(|frame| frame.iter().any(|s| s.abs() > 200)).count();
        assert!(loud * 2 > frames.len(), "{utterance} is not on the tape at {at}:\n{told}");
        // A sentence that arrived in pieces may have begun a little sooner.
        others[start.saturating_sub(200 * PER_MS)..end].fill(0);
    }
    let stray = others.iter().position(|s| *s != 0).map(|place| place / PER_MS);
    assert_eq!(stray, None, "something is heard of which nobody knows, after so many ms:\n{told}");
}

/// Heard is not said: the very samples of the line were played before it counts as heard, and not
/// long before.
fn the_opening_is_played_whole(steps: &[Step], heard: &[i16]) {
    let opening = locales::recording(Locale::English, "opening").expect("there is such a line");
    let opening: Vec<i16> = opening.audio.iter().map(|code| mulaw::decode(*code)).collect();
    let (at, ..) = heard_of(steps).next().expect("it is the first");
    let latest = sample(at).min(heard.len());
    let earliest = sample(at) - NEWS.0 as usize * PER_MS;
    let ends = (earliest..=latest).any(|end| heard[..end].ends_with(&opening));
    assert!(ends, "the opening does not end on the tape where it was heard, at {at}");
}

#[test]
fn another_carrier_takes_fewer_than_150_lines() {
    assert!(include_str!("examples/wav_carrier.rs").lines().count() < 150);
}

/// One question, an answer into which the caller says goodbye, and the end of the call; and the
/// caller's side of it, silence included.
fn question() -> (Scenario, Vec<i16>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/late_payment.ron");
    let mut scenario = Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"));
    scenario.turns.drain(1..3);
    let words = "I can look that up. Your last statement tells what is due, and on which day, and \
                 in which ways it can be paid.";
    let name = Function::HangupCall.name().to_owned();
    let hangs_up = Doing::Calls(vec![Call { name, arguments: "{}".to_owned() }]);
    let reply = |hears: &str, does| Reply { hears: hears.to_owned(), does: vec![does] };
    let says = Doing::Says(words.to_owned());
    scenario.script = vec![reply("what I owe", says), reply("that is all", hangs_up)];
    let mut caller = Vec::new();
    for (turn, pause) in scenario.turns.iter().zip([FRAMES_BEFORE, FRAMES_BETWEEN]) {
        let Act::Speaks(Recording { frames, .. }, _) = &turn.act else { panic!("both are speech") };
        caller.resize(caller.len() + pause * FRAME_BYTES, 0);
        caller.extend(frames.as_flattened().iter().map(|code| mulaw::decode(*code)));
    }
    (scenario, caller)
}

/// When the last of each speech was heard, and how much of it.
fn heard_of(steps: &[Step]) -> impl Iterator<Item = (CallTime, UtteranceId, Millis)> {
    steps.iter().flat_map(|step| {
        step.facts.iter().filter_map(|fact| match fact {
            Fact::Heard { utterance, audio: heard } | Fact::Cut { utterance, heard, .. } => {
                Some((step.at, *utterance, *heard))
            }
            _ => None,
        })
    })
}

fn sample(at: CallTime) -> usize {
    at.as_millis() as usize * PER_MS
}

fn write(path: &Path, samples: &[i16]) {
    let sample_format = SampleFormat::Int;
    let spec = WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format };
    let mut file = WavWriter::create(path, spec).expect("the folder can be written to");
    for sample in samples {
        file.write_sample(*sample).expect("there is room");
    }
    file.finalize().expect("there is room");
}

/// Left and right.
fn read(path: &Path) -> (Vec<i16>, Vec<i16>) {
    let samples = WavReader::open(path).expect("it was written").into_samples::<i16>();
    let samples: Vec<i16> = samples.map(|sample| sample.expect("it is whole")).collect();
    samples.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)).unzip()
}
