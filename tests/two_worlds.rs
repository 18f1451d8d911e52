//! Every scenario, two worlds: in virtual time, and over real sockets against the stand-ins. The
//! stories have the same lines in the same order; only times differ, by at most 100 ms.
//!
//! It takes as long as the longest scenario and a little more, because calls are placed side by
//! side, each with a server, stand-ins and a store of its own. `TWO_WORLDS=s19` plays only the
//! scenarios with that in their names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use call_core::story::story;
use server::demo::{Demo, unplayable};
use sim::faults::Fault;
use sim::scenario::{Expectation, files_in};
use sim::{Played, Scenario};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// How far the clocks of the two worlds may be apart.
const APART_MS: u64 = 100;

/// A request to the carrier that was refused for now is made again after pauses that chance makes
/// longer, by up to so much in all; in virtual time they are in the middle.
const CHANCE_MS: u64 = 50;

/// A carrier that stops reading is noticed when the kernel's buffers between are full. In virtual time
/// there are none, so they count for so much.
const BUFFERED_MS: u64 = 500;

/// The agent's audio comes five times as fast as it is heard, and where the agent leaves off at a voice
/// in the middle of a line that it says for us, what had come until then is still heard. So a voice that
/// is later by a frame, as it may be on any line, is 100 ms of speech.
const LEFT_OFF_MS: u64 = 100;

/// So many calls are placed side by side.
const CALLS: usize = 24;

/// Calls that are placed side by side in one process make each other late. One that differs is placed
/// again, with nothing beside it, at most so often: what differs then is a difference.
const ALONE: u32 = 2;

/// What came of a scenario.
enum Outcome {
    /// Both worlds tell the same story, of so many lines, at most so far apart.
    Same { lines: usize, apart_ms: u64 },
    /// The scenario cannot be played over sockets.
    NotPlayed(String),
    /// The worlds differ, or a verdict did not hold.
    Differs(String),
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_the_same_in_virtual_time_and_over_real_sockets() {
    let mut calls = Vec::new();
    for file in files() {
        let scenario = Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"));
        let simulated = sim::desk::play_scenario(scenario.clone());
        calls.push((name(&file), scenario, simulated));
    }
    assert!(!calls.is_empty(), "there are scenarios to play");
    // The longest first, so that none of them is waited for at the end.
    calls.sort_by_key(|(_, _, simulated)| std::cmp::Reverse(simulated.lasted()));
    let seats = Arc::new(Semaphore::new(CALLS));
    // A server that starts has the machine to itself for a moment: many at once would be late.
    let start = Arc::new(Mutex::new(()));
    let mut playing = JoinSet::new();
    for (name, scenario, simulated) in calls {
        let (seats, start) = (Arc::clone(&seats), Arc::clone(&start));
        playing.spawn(async move {
            let seat = seats.acquire_owned().await.expect("seats are not taken away");
            let outcome = compare(scenario.clone(), &simulated, &start).await;
            drop(seat);
            (name, scenario, simulated, outcome)
        });
    }
    let mut outcomes = Vec::new();
    for (name, scenario, simulated, mut outcome) in playing.join_all().await {
        for _ in 0..ALONE {
            if matches!(outcome, Ok(Outcome::Differs(_)) | Err(_)) {
                println!("{name} is placed again");
                outcome = compare(scenario.clone(), &simulated, &start).await;
            }
        }
        let failed = |error| Outcome::Differs(format!("{error:#}"));
        outcomes.push((name, outcome.unwrap_or_else(failed)));
    }
    outcomes.sort_by(|(one, _), (other, _)| one.cmp(other));
    println!("{:<32} {:>5}  largest difference", "scenario", "lines");
    for (name, outcome) in &outcomes {
        match outcome {
            Outcome::Same { lines, apart_ms } => println!("{name:<32} {lines:>5}  {apart_ms} ms"),
            Outcome::NotPlayed(why) => println!("{name:<32} {:>5}  not played: {why}", "-"),
            Outcome::Differs(_) => println!("{name:<32} {:>5}  DIFFERS", "-"),
        }
    }
    let differ: Vec<_> = outcomes
        .iter()
        .filter_map(|(name, outcome)| match outcome {
            Outcome::Differs(how) => Some(format!("# {name}\n{how}")),
            _ => None,
        })
        .collect();
    assert!(differ.is_empty(), "{} scenarios differ:\n{}", differ.len(), differ.join("\n\n"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The scenarios that are played on the wire: every one of the folder itself, or those whose name is
/// asked for. The folders inside it hold variants of them, which cost as many minutes once more and
/// show the two worlds nothing new.
fn files() -> Vec<PathBuf> {
    let only = std::env::var("TWO_WORLDS").unwrap_or_default();
    let mut files = files_in(&folder()).expect("a folder of scenarios");
    files.retain(|file| match &*only {
        "" => file.parent() == Some(&folder()),
        only => name(file).contains(only),
    });
    files
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// How far the two worlds may be apart in this scenario.
fn apart_max_ms(scenario: &Scenario) -> u64 {
    let is_repeated = |status: u16| status == 429 || status >= 500;
    let more = |fault: &Fault| match fault {
        Fault::HangUpRefused { status, .. }
        | Fault::TransferRefused { status, .. }
        | Fault::TonesRefused { status, .. }
            if is_repeated(*status) =>
        {
            CHANCE_MS
        }
        Fault::CarrierBlocks { .. } => BUFFERED_MS,
        Fault::SpeakFails { .. } if is_cut(scenario) => LEFT_OFF_MS,
        _ => 0,
    };
    APART_MS + scenario.faults.iter().map(more).max().unwrap_or(0)
}

fn is_cut(scenario: &Scenario) -> bool {
    scenario.expect.iter().any(|asked| matches!(asked, Expectation::Cut(_)))
}

/// Places the call over sockets, and holds it against the one in virtual time.
async fn compare(
    scenario: Scenario,
    simulated: &Played,
    start: &Mutex<()>,
) -> anyhow::Result<Outcome> {
    if let Some(why) = unplayable(&scenario) {
        return Ok(Outcome::NotPlayed(why));
    }
    let apart_max_ms = apart_max_ms(&scenario);
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}", folder.path().join("calls.db").display());
    let starting = start.lock().await;
    let demo = Demo::start(Arc::new(scenario), &database).await?;
    drop(starting);
    let placed = demo.call(|_| {}).await?;
    demo.end().await?;

    let (one, other) = (simulated.story(), story(&placed.steps));
    let both = format!("--- simulated\n{one}\n--- over sockets\n{other}");
    let failed: Vec<_> = simulated
        .verdicts
        .iter()
        .chain(&placed.verdicts)
        .filter(|verdict| !verdict.held)
        .map(|verdict| verdict.asked.as_str())
        .collect();
    Ok(match difference(&one, &other, apart_max_ms) {
        Err(difference) => Outcome::Differs(format!("{difference}\n{both}")),
        Ok(_) if !failed.is_empty() => {
            Outcome::Differs(format!("did not hold: {}\n{both}", failed.join(", ")))
        }
        Ok(apart_ms) => Outcome::Same { lines: one.lines().count(), apart_ms },
    })
}

/// How far two stories are apart at most; or the first place where they tell different things, or
/// the same at different times.
fn difference(one: &str, other: &str, apart_max_ms: u64) -> Result<u64, String> {
    let (ones, others): (Vec<_>, Vec<_>) = (one.lines().collect(), other.lines().collect());
    let mut largest = 0;
    for (one, other) in ones.iter().zip(&others) {
        let (at, what) = one.split_at(9);
        let (other_at, other_what) = other.split_at(9);
        if !same(what, other_what, apart_max_ms) {
            return Err(format!("{one}\n{other}"));
        }
        let apart = millis(at).abs_diff(millis(other_at));
        if apart > apart_max_ms {
            return Err(format!("more than {apart_max_ms} ms apart:\n{one}\n{other}"));
        }
        largest = largest.max(apart);
    }
    if ones.len() == others.len() { Ok(largest) } else { Err("one story is longer".to_owned()) }
}

/// Whether two lines tell the same. How much of cut speech was heard, in tenths of a second, is a time
/// as well.
fn same(one: &str, other: &str, apart_max_ms: u64) -> bool {
    let cut = |line: &str| -> Option<(String, Vec<u64>)> {
        let (words, cut) = line.split_once("[cut after ")?;
        let (lengths, phase) = cut.split_once(']')?;
        let (lengths, why) = lengths.split_once(": ").unwrap_or((lengths, ""));
        // Whether all of a sentence had come is a matter of the moment, too.
        let lengths = lengths.replace("at least ", "");
        let tenths = |length: &str| length.trim_end_matches(" s").replace('.', "").parse().ok();
        let lengths: Option<Vec<u64>> = lengths.split(" of ").map(tenths).collect();
        Some((format!("{words}{why}{phase}"), lengths?))
    };
    match (cut(one), cut(other)) {
        (Some((one, ones)), Some((other, others))) => {
            // Rounding may add a tenth.
            let is_near = |(a, b): (&u64, &u64)| a.abs_diff(*b) <= apart_max_ms / 100 + 1;
            one == other && ones.iter().zip(&others).all(is_near)
        }
        _ => one == other,
    }
}

/// `mm:ss.mmm` in milliseconds.
fn millis(time: &str) -> u64 {
    let number = |text: &str| text.parse::<u64>().expect("a time of a story");
    let (minutes, rest) = time.split_once(':').expect("a time of a story");
    let (seconds, millis) = rest.split_once('.').expect("a time of a story");
    number(minutes) * 60_000 + number(seconds) * 1_000 + number(millis)
}

/// The agent's sessions are lost in it, so that calls which shared an agent would take each other's
/// script.
#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_have_an_agent_each_also_over_several_sessions() {
    let file = folder().join("s22_agent_lost_listening.ron");
    let simulated = sim::play(&file).unwrap_or_else(|problem| panic!("{problem}"));
    let scenario = Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"));
    let records = tempfile::tempdir().expect("a folder for the records");
    let database = format!("sqlite://{}", records.path().join("calls.db").display());
    let demo = Demo::start(Arc::new(scenario), &database).await.expect("everything starts");
    let demo = Arc::new(demo);
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let demo = Arc::clone(&demo);
        calls.spawn(async move { demo.call(|_| {}).await.expect("the call is placed") });
    }
    for placed in calls.join_all().await {
        let (one, other) = (simulated.story(), story(&placed.steps));
        let both = format!("--- simulated\n{one}\n--- over sockets\n{other}");
        // Whose words they are matters here; how late they come is asked above, call by call.
        assert!(difference(&one, &other, 10 * APART_MS).is_ok(), "{both}");
        assert!(placed.verdicts.iter().all(|verdict| verdict.held), "{both}");
    }
    let demo = Arc::into_inner(demo).expect("no call holds it any more");
    demo.end().await.expect("the server ends in order");
}

#[test]
fn a_line_that_differs_or_comes_too_late_is_noticed() {
    let difference = |one: &str, other: &str| difference(one, other, APART_MS);
    let story = "00:01.000  caller  begins to speak\n00:02.000  we      hang up\n";
    assert_eq!(difference(story, story), Ok(0));
    assert_eq!(difference(story, &story.replace("02.000", "02.100")), Ok(100));
    assert!(difference(story, &story.replace("02.000", "02.101")).is_err());
    assert!(difference(story, &story.replace("hang up", "stop speaking")).is_err());
    assert!(difference(story, "00:01.000  caller  begins to speak\n").is_err());
    let cut = "00:01.000  heard   us: \"Hello.\"  [cut after 1.2 s of 3.1 s]  -> listening\n";
    assert_eq!(difference(cut, &cut.replace("1.2", "1.4")), Ok(0));
    assert!(difference(cut, &cut.replace("1.2", "1.5")).is_err());
    assert!(difference(cut, &cut.replace("listening", "thinking")).is_err());
    assert!(
        difference(cut, &cut.replace("[cut after 1.2 s of 3.1 s]", "[in full, 3.1 s]")).is_err()
    );
    assert_eq!(difference(cut, &cut.replace("of 3.1", "of at least 3.1")), Ok(0));
    let left = cut.replace("3.1 s", "3.1 s: the rest was given up");
    assert_eq!(difference(&left, &left.replace("1.2", "1.4")), Ok(0));
    assert!(difference(&left, &left.replace("1.2", "1.5")).is_err());
    assert!(difference(&left, cut).is_err());
}
