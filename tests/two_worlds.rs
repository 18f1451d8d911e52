//! One call, two worlds: in virtual time, and over real sockets against the stand-ins. The stories
//! have the same lines in the same order; only times differ, by at most 100 ms.

use std::path::Path;
use std::sync::Arc;

use call_core::story::story;
use server::demo::Demo;
use sim::Scenario;

/// How far the clocks of the two worlds may be apart.
const APART_MS: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn the_late_payment_call_is_the_same_in_virtual_time_and_over_real_sockets() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/late_payment.ron");
    let simulated = sim::play(&file).unwrap_or_else(|problem| panic!("{problem}"));
    let scenario = Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"));
    let folder = tempfile::tempdir().expect("a folder for the records");
    let database = format!("sqlite://{}", folder.path().join("calls.db").display());
    let demo = Demo::start(Arc::new(scenario), &database).await.expect("everything starts");
    let placed = demo.call(|_| {}).await.expect("the call is placed");
    demo.end().await.expect("the server ends in order");

    for verdict in simulated.verdicts.iter().chain(&placed.verdicts) {
        assert!(verdict.held, "{} did not hold", verdict.asked);
    }
    let (simulated, placed) = (simulated.story(), story(&placed.steps));
    let difference = difference(&simulated, &placed);
    assert_eq!(difference, None, "\n--- simulated\n{simulated}\n--- over sockets\n{placed}");
}

/// The first place where two stories tell different things, or the same at different times.
fn difference(one: &str, other: &str) -> Option<String> {
    let (ones, others): (Vec<_>, Vec<_>) = (one.lines().collect(), other.lines().collect());
    for (one, other) in ones.iter().zip(&others) {
        let (at, what) = one.split_at(9);
        let (other_at, other_what) = other.split_at(9);
        if what != other_what {
            return Some(format!("{one}\n{other}"));
        }
        if millis(at).abs_diff(millis(other_at)) > APART_MS {
            return Some(format!("more than {APART_MS} ms apart:\n{one}\n{other}"));
        }
    }
    (ones.len() != others.len()).then(|| "one story is longer".to_owned())
}

/// `mm:ss.mmm` in milliseconds.
fn millis(time: &str) -> u64 {
    let number = |text: &str| text.parse::<u64>().expect("a time of a story");
    let (minutes, rest) = time.split_once(':').expect("a time of a story");
    let (seconds, millis) = rest.split_once('.').expect("a time of a story");
    number(minutes) * 60_000 + number(seconds) * 1_000 + number(millis)
}

#[test]
fn a_line_that_differs_or_comes_too_late_is_noticed() {
    let story = "00:01.000  caller  begins to speak\n00:02.000  we      hang up\n";
    assert_eq!(difference(story, &story.replace("02.000", "02.100")), None);
    assert!(difference(story, &story.replace("02.000", "02.101")).is_some());
    assert!(difference(story, &story.replace("hang up", "stop speaking")).is_some());
    assert!(difference(story, "00:01.000  caller  begins to speak\n").is_some());
}
