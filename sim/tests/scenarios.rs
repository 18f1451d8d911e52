//! Every scenario is played, judged, and its story compared with the one beside it.
//!
//! A changed story is a changed promise: read the difference before you accept it
//! (`INSTA_UPDATE=always cargo test -p sim --test scenarios`, then `git diff scenarios`).

use std::path::{Path, PathBuf};

use call_core::{Call, Cause, Fact, Step};
use sim::scenario::files_in;
use sim::{Played, play};

#[test]
fn every_scenario_holds_and_tells_the_story_beside_it() {
    for file in scenarios() {
        let played = played(&file);
        for verdict in &played.verdicts {
            assert!(verdict.held, "{}: {} did not hold", file.display(), verdict.asked);
        }
        let name = file.file_stem().expect("a file has a name").to_string_lossy();
        insta::with_settings!({
            snapshot_path => file.parent().expect("a file lies in a folder"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("{name}.story"), played.story());
        });
    }
}

/// I-21.
#[test]
fn the_same_file_gives_the_same_journal_byte_for_byte() {
    for file in scenarios() {
        assert_eq!(journal(&played(&file)), journal(&played(&file)), "{}", file.display());
    }
}

#[test]
fn a_journal_plays_again_from_its_own_inputs() {
    for file in scenarios() {
        let played = played(&file);
        let Cause::Started(brief) = &played.steps[0].cause else {
            panic!("a journal begins with its brief");
        };
        let (mut call, first) = Call::new((**brief).clone());
        let mut again: Vec<Step> = vec![first];
        for step in &played.steps {
            if let Cause::Input(input) = &step.cause {
                again.extend(call.step(step.at, input.clone()));
            }
        }
        // Timers after the last input are fired by time alone.
        if let Some(last) = played.steps.last() {
            again.extend(call.wake(last.at));
        }
        assert_eq!(again, played.steps, "{}", file.display());
    }
}

/// The scenario holds no time of speech: where the sound goes, the story follows.
#[test]
fn speech_that_is_moved_inside_its_recording_moves_the_story_by_as_much() {
    let folder = tempfile::tempdir().expect("a folder for a changed recording");
    copy(&root(), folder.path());
    let file = folder.path().join("late_payment.ron");
    let before = played(&file);
    for (shift_ms, name) in [(700, "late_payment_1"), (710, "late_payment_3")] {
        let wav = folder.path().join(format!("audio/{name}.wav"));
        let original = std::fs::read(&wav).expect("the recording");
        delay(&wav, shift_ms);
        let after = played(&file);
        std::fs::write(&wav, original).expect("the recording is put back");

        assert_eq!(before.steps.len(), after.steps.len(), "the same things happen");
        let (early, late) = (times(&before), times(&after));
        let first_moved = early.iter().zip(&late).position(|(e, l)| e != l).expect("it moved");
        for (early, late) in early.iter().zip(&late).skip(first_moved) {
            let moved = late - early;
            assert!(moved.abs_diff(shift_ms) <= 20, "moved by {moved} ms instead of {shift_ms}");
        }
    }
}

/// I-26, in small: what the caller dictated is nowhere in the journal.
#[test]
fn the_journal_holds_no_secret_of_the_callers() {
    let played = played(&root().join("late_payment.ron"));
    let journal = journal(&played);
    for secret in ["100234", "one zero zero", "1980", "nineteen eighty", "62701", "six two seven"] {
        assert!(!journal.contains(secret), "the journal holds {secret:?}");
    }
}

/// S37, F-TR-11: an account number may be keyed in by tones, and even one digit of it is a secret.
#[test]
fn the_journal_and_the_story_hold_no_digit_of_tones() {
    for name in ["s37_tones", "s37_tones_wrong_digits"] {
        let played = played(&root().join(format!("{name}.ron")));
        let asked = |fact: &&Fact| matches!(fact, Fact::FunctionAsked { .. });
        let facts: Vec<_> = played.steps.iter().flat_map(|s| &s.facts).filter(asked).collect();
        let counted = |fact: &Fact| {
            matches!(fact, Fact::FunctionAsked { name, arguments, .. }
            if name == "play_dtmf" && arguments.contains("tone"))
        };
        assert!(facts.into_iter().any(counted), "{name} asks for tones");
        for secret in ["5552041", "\"1", "ww", "555"] {
            let told = [journal(&played).replace("\\\"", "\""), played.story()];
            let held = told.iter().any(|text| text.contains(secret));
            assert!(!held, "{name} holds {secret:?}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn scenarios() -> Vec<PathBuf> {
    let files = files_in(&root()).expect("the folder of scenarios");
    assert!(!files.is_empty());
    files
}

fn played(file: &Path) -> Played {
    play(file).unwrap_or_else(|problem| panic!("{problem}"))
}

fn journal(played: &Played) -> String {
    serde_json::to_string(&played.steps).expect("a journal is always JSON")
}

fn times(played: &Played) -> Vec<u64> {
    played.steps.iter().map(|step| step.at.as_millis()).collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).expect("a folder");
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("a copy");
        }
    }
}

/// Puts silence in front of a recording.
fn delay(wav: &Path, shift_ms: u64) {
    let mut reader = hound::WavReader::open(wav).expect("a recording");
    let spec = reader.spec();
    let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("16-bit samples");
    let mut writer = hound::WavWriter::create(wav, spec).expect("a writable file");
    for _ in 0..u64::from(spec.sample_rate) * shift_ms / 1_000 {
        writer.write_sample(0_i16).expect("a sample");
    }
    for sample in samples {
        writer.write_sample(sample).expect("a sample");
    }
    writer.finalize().expect("a whole file");
}
