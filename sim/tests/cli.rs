//! The command `sim`, as its users meet it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use call_core::{Fact, Millis};
use sim::journal;

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

#[test]
fn every_file_that_is_wrong_is_reported() {
    let folder = Folder::new();
    let file = folder.scenario("seed: 7", "sead: 7");
    let output = sim(&["nowhere.ron", &file, "../scenarios/late_payment.ron"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("nowhere.ron") && message.contains("sead"), "{message}");
    assert!(text(&output.stdout).contains("held    all invariants"), "the sound one is played");
}

#[test]
fn json_is_one_object_for_each_call() {
    let folder = Folder::new();
    let wrong = folder.scenario("Ended(\"agent_hangup\")", "Ended(\"no_input\")");
    let output = sim(&["--json", "../scenarios/late_payment.ron", &wrong]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    let calls: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(calls.len(), 2);
    for call in &calls {
        assert_eq!(call["title"], "Late payment: what do I owe?");
        assert_eq!(call["ended"], "agent_hangup");
        assert!(call["steps"].as_u64().is_some_and(|steps| steps > 10));
        assert_eq!(call["breaches"], serde_json::json!([]));
    }
    assert_eq!(calls[1]["file"], wrong);
    let held = |call: &serde_json::Value| {
        let verdicts = call["verdicts"].as_array().cloned().unwrap_or_default();
        verdicts.iter().all(|verdict| verdict["held"] == true)
    };
    assert!(held(&calls[0]) && !held(&calls[1]));
}

#[test]
fn a_journal_replays_and_one_that_was_changed_does_not() {
    let folder = Folder::new();
    let journal = folder.path("call.jsonl");
    let output = sim(&["../scenarios/late_payment.ron", "--journal", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = sim(&["replay", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("heard   us: \"Thank you for calling Acme Home Loans."), "{printed}");
    assert!(printed.contains("held    the replay is identical"), "{printed}");

    let sound = std::fs::read_to_string(&journal).expect("the journal");
    let changed = sound.replacen("agent_hangup", "no_input", 1);
    assert_ne!(sound, changed);
    std::fs::write(&journal, changed).expect("a writable file");
    let output = sim(&["replay", &journal]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(printed.contains("DIFFERS") && printed.contains("line "), "{printed}");
    assert!(printed.lines().any(|line| line.starts_with("- ") && line.contains("no_input")));
    assert!(printed.lines().any(|line| line.starts_with("+ ") && line.contains("agent_hangup")));
}

#[test]
fn a_broken_journal_is_shown_at_its_line() {
    let folder = Folder::new();
    let file = folder.path("call.jsonl");
    sim(&["../scenarios/late_payment.ron", "--journal", &file]);
    let sound = std::fs::read_to_string(&file).expect("the journal");
    let lines: Vec<&str> = sound.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    let broken = [
        (String::new(), 1),
        (with(1, "{\"journal\":999}"), 1),
        (with(1, lines[1]), 1),
        (lines[0].to_owned(), 2),
        (with(2, lines[3]), 2),
        (with(5, &lines[4][..20]), 5),
        (with(6, lines[1]), 6),
        (with(7, lines[lines.len() - 1]), 8),
    ];
    for (number, (text_of_it, line)) in broken.iter().enumerate() {
        std::fs::write(&file, text_of_it).expect("a writable file");
        let output = sim(&["replay", &file]);
        assert_eq!(output.status.code(), Some(2), "{number}");
        let message = text(&output.stderr);
        assert!(message.contains(&format!("call.jsonl:{line}: ")), "{number}: {message}");
    }
    assert_eq!(sim(&["replay", "nowhere.jsonl"]).status.code(), Some(2));
}

/// Every sample of the simulated voices sounds, so what is on the tape can be counted.
#[test]
fn the_wav_file_holds_as_much_speech_as_the_record_says_was_heard() {
    let folder = Folder::new();
    let (wav, journal) = (folder.path("call.wav"), folder.path("call.jsonl"));
    for scenario in [
        "caller_interrupts",
        "s19_transfer_busy",
        "s21_stop_in_farewell",
        "s40_echo",
        "stream_breaks",
    ] {
        let file = format!("../scenarios/{scenario}.ron");
        let output = sim(&[&file, "--wav", &wav, "--journal", &journal]);
        assert_eq!(output.status.code(), Some(0), "{scenario}: {}", text(&output.stderr));
        let steps = std::fs::read_to_string(&journal).expect("the journal");
        let steps = journal::read(&steps).expect("a sound journal");
        let heard = steps.iter().flat_map(|step| &step.facts).map(|fact| match fact {
            Fact::Heard { audio, .. } => audio.0,
            Fact::Cut { heard: Millis(heard), .. } => *heard,
            _ => 0,
        });
        let mut reader = hound::WavReader::open(&wav).expect("a WAV file");
        let spec = reader.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 8_000, 16));
        let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("samples");
        let sounds = |side: usize| {
            samples.iter().skip(side).step_by(2).filter(|sample| **sample != 0).count() as u64 / 8
        };
        let (heard, played) = (heard.sum::<u64>(), sounds(1));
        assert!(heard.abs_diff(played) < 20, "{scenario}: {heard} ms heard, {played} ms played");
        assert!(sounds(0) > 500, "{scenario}: the caller is on it too");
    }
}

#[test]
fn what_is_written_for_one_call_is_refused_for_two() {
    for option in ["--wav", "--journal"] {
        let output = sim(&["../scenarios", option, "never.written"]);
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains(option) && message.contains("a single one"), "{message}");
        assert!(!Path::new("never.written").exists());
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_call_is_played() {
    let folder = Folder::new();
    for (option, file, why) in [
        ("--wav", folder.path("nowhere/call.wav"), "there is no folder"),
        ("--journal", folder.path("nowhere/call.jsonl"), "there is no folder"),
        ("--wav", folder.path(""), "this is a folder"),
    ] {
        let output = sim(&["../scenarios/late_payment.ron", option, &file]);
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains(option) && message.contains(why), "{message}");
        assert_eq!(text(&output.stdout), "", "nothing is played");
    }
}

#[test]
fn a_file_that_the_call_was_read_from_is_not_written_over() {
    let folder = Folder::new();
    let (one, call) = (folder.path("one"), folder.scenario("seed", "seed"));
    let company = folder.path("companies/../companies/acme.toml");
    for (arguments, why) in [
        (["--journal", &one, "--wav", &one], "both name"),
        (["--journal", &call, "--wav", &one], "was read from this file"),
        (["--journal", &one, "--wav", &company], "was read from this file"),
    ] {
        let output = sim(&[&[&call[..]], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
        assert!(!Path::new(&one).exists(), "nothing is played");
    }
}

#[test]
fn behind_several_calls_stands_what_they_came_to() {
    let folder = Folder::new();
    let failing = folder.scenario("expect: [", "expect: [Written(7),");
    let late = "../scenarios/late_payment.ron";
    let output = sim(&[late, &failing]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(printed.ends_with(&format!("FAILED  1 of 2 calls:\n        {failing}\n")), "{printed}");
    let output = sim(&[late, "../scenarios/caller_silent.ron"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with("held    all 2 calls\n"));
}

#[test]
fn the_exit_status_is_told_to_who_does_not_read() {
    let folder = Folder::new();
    let full = std::fs::File::options().write(true).open("/dev/full").expect("the full device");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.args(arguments).stderr(full.try_clone().expect("the same")).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        drop(child.stdout.take());
        child.wait().expect("it ends").code()
    };
    assert_eq!(run(&[&folder.scenario("seed", "sead")]), Some(2), "a wrong file");
    assert_eq!(run(&[&folder.scenario("seed", "seed")]), Some(0));
    let failing = folder.scenario("expect: [", "expect: [Written(7),");
    assert_eq!(run(&[&failing]), Some(1), "a verdict that failed");
}

#[test]
fn a_swarm_takes_any_seed_and_a_sensible_number_of_threads() {
    let folder = Folder::new();
    let out = folder.path("out");
    let last = format!("{}..{}", u64::MAX - 1, u64::MAX);
    let swarm = ["swarm", "../scenarios/caller_silent.ron", "--out", &out, "--seeds"];
    let output = sim(&[&swarm[..], &[&last, "--threads", "2"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for threads in ["0", "99999999999"] {
        let output = sim(&[&swarm[..], &["0..1", "--threads", threads]].concat());
        assert_eq!(output.status.code(), Some(2));
    }
    std::fs::write(&out, "").expect("a file");
    let output = sim(&[&swarm[..], &["0..1"]].concat());
    assert!(text(&output.stderr).contains("this is no folder"), "{}", text(&output.stderr));
}

#[test]
fn a_journal_with_something_else_in_it_is_no_journal_and_one_that_stops_says_so() {
    let folder = Folder::new();
    let file = folder.path("call.jsonl");
    sim(&["../scenarios/late_payment.ron", "--journal", &file]);
    let journal = std::fs::read_to_string(&file).expect("a journal");
    let replay = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("a file");
        sim(&["replay", &file])
    };
    let spoilt = replay(journal.replacen("{\"at\":", "{\"more\":1,\"at\":", 1).as_bytes());
    assert_eq!(spoilt.status.code(), Some(2));
    assert!(text(&spoilt.stderr).contains("jsonl:2: it holds something that no step has"));
    let half: Vec<_> = journal.lines().take(20).collect();
    let half = replay(half.join("\n").as_bytes());
    assert_eq!(half.status.code(), Some(0));
    assert!(text(&half.stdout).contains("stops before the call has ended"));
    let third = journal.match_indices('\n').nth(1).expect("lines").0 + 1;
    let mut bytes = journal.into_bytes();
    bytes[third] = 0xFF;
    assert!(text(&replay(&bytes).stderr).contains("jsonl:3: not UTF-8"));
    bytes[third] = b'x';
    let message = text(&replay(&bytes).stderr);
    assert!(message.contains("jsonl:3: not a step") && !message.contains("line 1"), "{message}");
}

#[cfg(not(feature = "sabotage"))]
#[test]
fn whoever_asks_for_sabotage_is_told_how_to_build_it() {
    for arguments in [&["--sabotage", "I-12"][..], &["--sabotage"]] {
        let output = sim(&[&["../scenarios/late_payment.ron"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains("this build has no sabotage"), "{message}");
        assert!(message.contains("--features sabotage"), "{message}");
    }
}

#[test]
fn what_was_heard_instead_is_told() {
    let folder = Folder::new();
    for (expected, told) in [
        ("Heard(\"still-there\")", "our line `still-there` was not heard; heard were: `opening`"),
        ("Heard(\"public holidays\")", "heard were: \"Thank you for calling"),
        ("Cut(\"public holidays\")", "heard were: \"Thank you for calling"),
    ] {
        let file = folder.scenario("Heard(\"opening\")", expected);
        let printed = text(&sim(&[&file]).stdout);
        assert!(printed.contains(told), "{printed}");
    }
}

#[test]
fn a_swarm_says_first_what_it_plays_and_shows_no_progress_to_a_file() {
    let folder = Folder::new();
    let out = folder.path("failures");
    let output = sim(&["swarm", "--seeds", "0..3", "../scenarios/late_payment.ron", "--out", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let printed = text(&output.stdout);
    let version = env!("CARGO_PKG_VERSION");
    assert!(printed.starts_with(&format!("swarm: sim {version}, seeds 0..3, 1 scenarios\n")));
    assert!(printed.contains("held    every invariant in every call"), "{printed}");
    assert!(!printed.contains('\x1b') && !text(&output.stderr).contains('\x1b'));
    for wrong in ["5", "a..b", "5..5", "9..2"] {
        let output = sim(&["swarm", "--seeds", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(text(&output.stderr).contains(wrong));
    }
    let output = sim(&["swarm", "--seeds", "0..3", "nowhere.ron"]);
    assert_eq!(output.status.code(), Some(2));
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
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
