//! The command `sim`, as its users meet it.

use std::path::Path;
use std::process::{Command, Output};

#[test]
fn a_sound_scenario_prints_its_story_and_exits_with_zero() {
    let output = sim(&["../scenarios/late_payment.ron"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let story = text(&output.stdout);
    assert!(story.contains("heard   us: \"Thank you for calling Acme Home Loans."));
    assert!(story.contains("held    Ended(\"agent_hangup\")"));
}

#[test]
fn a_verdict_that_fails_exits_with_one() {
    let folder = Folder::new();
    let file = folder.scenario("Ended(\"agent_hangup\")", "Ended(\"no_input\")");
    let output = sim(&[&file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("FAILED  Ended(\"no_input\")"));
}

#[test]
fn a_mistake_in_a_file_is_shown_at_its_line_and_column_and_exits_with_two() {
    let mistakes = [
        ("seed: 7", "sead: 7", "sead"),
        ("language: en", "language: fr", "fr"),
        ("Heard(\"opening\")", "Hears(\"opening\")", "Hears"),
        ("late_payment_2.wav", "late_payment_9.wav", "late_payment_9.wav"),
        ("companies/acme.toml", "companies/none.toml", "none.toml"),
        ("takes_ms: 800", "takes_ms: -1", "takes_ms"),
    ];
    let folder = Folder::new();
    for (right, wrong, word) in mistakes {
        let file = folder.scenario(right, wrong);
        let line = place(&file, wrong);
        let output = sim(&[&file]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let message = text(&output.stderr);
        assert!(message.contains(&line), "{wrong}: no line {line} in\n{message}");
        assert!(message.contains(word), "{wrong}: no {word} in\n{message}");
    }
}

#[test]
fn a_missing_file_and_a_missing_argument_say_what_to_give() {
    let output = sim(&["nowhere.ron"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot read the scenario nowhere.ron"));
    let output = sim(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("<PATH>"));
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// The late-payment scenario with one change, beside links to what it needs.
    fn scenario(&self, right: &str, wrong: &str) -> String {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        for needed in ["audio", "companies"] {
            let link = self.0.path().join(needed);
            if !link.exists() {
                let target = scenarios.join(needed).canonicalize().expect("a folder");
                std::os::unix::fs::symlink(target, link).expect("a link");
            }
        }
        let text = std::fs::read_to_string(scenarios.join("late_payment.ron")).expect("a scenario");
        assert!(text.contains(right), "the scenario holds {right}");
        let file = self.0.path().join("changed.ron");
        std::fs::write(&file, text.replacen(right, wrong, 1)).expect("a writable file");
        file.display().to_string()
    }
}

/// The line of these words in a file, as messages write it.
fn place(file: &str, words: &str) -> String {
    let text = std::fs::read_to_string(file).expect("the scenario");
    let before = &text[..text.find(words).expect("the words")];
    format!("changed.ron:{}:", before.matches('\n').count() + 1)
}

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().expect("sim runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
