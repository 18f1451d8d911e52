//! Whatever the carrier does to the caller's audio within bounds, the call is the same call.

use std::path::{Path, PathBuf};

use call_core::{EndReason, Millis};
use sim::Scenario;
use sim::desk::{Played, play_scenario};
use sim::faults::Fault;
use sim::scenario::files_in;

/// All frames of any call.
const ALL: u64 = 99_999;

/// I-23, F-TW-06: in one call groups of frames come together in their order, in the other the last
/// one first. Nothing but the bridge's count tells the two apart.
#[test]
fn audio_out_of_order_inside_the_window_gives_the_same_journal() {
    for (file, scenario) in scenarios() {
        let bunched = with(&scenario, Fault::FramesBunched { from: 2, count: ALL, by: 5 });
        let shuffled = with(&scenario, Fault::FramesShuffled { from: 2, count: ALL, by: 5 });
        assert_eq!(journal(&bunched), journal(&shuffled), "{}", file.display());
        assert_eq!(bunched.order.reordered, 0, "{}", file.display());
        assert!(shuffled.order.reordered > 0, "{}", file.display());
        let counts = (shuffled.order.filled, shuffled.order.late, shuffled.order.repeated);
        assert_eq!(counts, (0, 0, 0), "{}", file.display());
    }
}

/// I-22, F-TW-05, F-TW-23.
#[test]
fn audio_and_keys_that_come_twice_give_the_same_journal() {
    for (file, scenario) in scenarios() {
        let once = play_scenario(scenario.clone());
        let mut twice = scenario;
        twice.faults.push(Fault::FramesTwice { from: 1, count: ALL });
        twice.faults.push(Fault::KeysTwice);
        let twice = play_scenario(twice);
        assert_eq!(journal(&once), journal(&twice), "{}", file.display());
        assert_eq!(once.order.repeated, 0, "{}", file.display());
        assert!(twice.order.repeated > 0, "{}", file.display());
    }
}

/// F-TW-06: waiting for a frame moves what follows by no more than the window.
#[test]
fn frames_that_are_late_inside_the_window_move_the_call_by_no_more_than_that() {
    let scenario = load("late_payment");
    let in_time = play_scenario(scenario.clone());
    for (from, late_ms) in [(500, 40), (501, 60), (502, 100)] {
        let late = with(&scenario, Fault::FramesLate { from, count: 2, late_ms });
        assert!(late.order.reordered > 0, "frame {from}");
        assert_eq!((late.order.late, late.order.gaps), (0, 0), "frame {from}");
        assert_eq!(late.steps.len(), in_time.steps.len(), "frame {from}");
        for (a, b) in in_time.steps.iter().zip(&late.steps) {
            assert_eq!(a.cause, b.cause, "frame {from}");
            assert!(b.at.since(a.at) <= Millis(100), "frame {from}: {} and {}", a.at, b.at);
        }
    }
}

/// F-TW-06, F-TW-07, I-30.
#[test]
fn frames_that_are_lost_or_too_late_are_replaced_by_silence_and_every_byte_is_counted() {
    let scenario = load("late_payment");
    let lost = with(&scenario, Fault::FramesLost { from: 100, count: 10 });
    assert_eq!((lost.order.filled, lost.order.gaps, lost.order.late), (1_600, 1, 0));
    assert_eq!(lost.breaches(), []);
    let late = with(&scenario, Fault::FramesLate { from: 100, count: 10, late_ms: 500 });
    assert_eq!((late.order.filled, late.order.gaps, late.order.late), (1_600, 1, 1_600));
    assert_eq!(late.breaches(), []);
    let hole = with(&scenario, Fault::FramesLost { from: 100, count: 200 });
    assert_eq!(hole.order.filled, 16_000, "no more than two seconds");
    // Four seconds, in which the carrier was silent and not the caller: nobody is called lost.
    assert_eq!(hole.breaches(), []);
    assert_ne!(hole.ended(), Some(EndReason::StreamLost));
}

/// The scenario stands beside its story; here it is held against the same call without its faults.
#[test]
fn media_disorder_tells_the_story_of_an_undisturbed_call_i_23() {
    let scenario = load("media_disorder");
    let disturbed = play_scenario(scenario.clone());
    let undisturbed = play_scenario(Scenario { faults: Vec::new(), ..scenario });
    assert_eq!(disturbed.story(), undisturbed.story());
    assert!(disturbed.order.reordered > 0 && disturbed.order.repeated > 0);
}

/// S27, F-TW-26, I-30: blocked for a moment, at whatever moment, a call loses nothing that was said.
#[test]
fn a_carrier_that_reads_again_in_time_gets_all_that_was_said() {
    let scenario = load("late_payment");
    for at_ms in (0..40_000).step_by(2_500) {
        let played = with(&scenario, Fault::CarrierBlocks { at_ms, for_ms: 4_000 });
        assert_eq!(played.breaches(), [], "at {at_ms} ms");
        assert_eq!(played.overflowed, 0, "at {at_ms} ms");
        assert_ne!(played.ended(), Some(EndReason::StreamLost), "at {at_ms} ms");
    }
}

/// S27, F-TW-09, F-TW-26: a stream that is dead at whatever moment ends the call in bounded time,
/// as lost, and nothing counts as heard that was not.
#[test]
fn a_dead_stream_ends_the_call_as_lost_at_whatever_moment() {
    let scenario = load("late_payment");
    for at_ms in (0..40_000).step_by(2_500) {
        let half_open = with(&scenario, Fault::HalfOpen { at_ms });
        let blocked = with(&scenario, Fault::CarrierBlocks { at_ms, for_ms: 600_000 });
        for played in [half_open, blocked] {
            assert_eq!(played.breaches(), [], "at {at_ms} ms");
            assert_eq!(played.ended(), Some(EndReason::StreamLost), "at {at_ms} ms");
            assert!(played.lasted().as_millis() < at_ms + 25_000, "at {at_ms} ms");
        }
    }
}

fn with(scenario: &Scenario, fault: Fault) -> Played {
    let mut scenario = scenario.clone();
    scenario.faults.push(fault);
    play_scenario(scenario)
}

fn journal(played: &Played) -> String {
    serde_json::to_string(&played.steps).expect("a journal is always JSON")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn load(name: &str) -> Scenario {
    let file = root().join(format!("{name}.ron"));
    Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"))
}

fn scenarios() -> impl Iterator<Item = (PathBuf, Scenario)> {
    let files = files_in(&root()).expect("the folder of scenarios");
    files.into_iter().map(|file| {
        let mut scenario = Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}"));
        // What a file does to the frames itself is not what is compared.
        scenario.faults.retain(|fault| {
            let text = format!("{fault:?}");
            !text.starts_with("Frames") && !text.starts_with("Keys")
        });
        (file, scenario)
    })
}
