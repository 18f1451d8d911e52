//! Swarms: calls under random faults, judged by the invariants whatever the scenario was about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use call_core::input::{Agent, Carrier, Input};
use call_core::{CallTime, Cause, Fact};
use sim::desk::play_scenario;
use sim::judge::{Breach, Evidence, judge_all};
use sim::scenario::{Template, files_in};
use sim::swarm::{Change, Deed, Failure, Judge, Report, Swarm};
use sim::{Scenario, faults::Fault, journal};

/// A quick look; a nightly run plays a hundred thousand.
#[test]
fn no_invariant_is_broken_in_five_hundred_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(0..500, 2, templates(|_| true), folder.path(), &judge_all);
    assert!(report.held(), "{report}");
}

/// I-21.
#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = run(0..160, 1, few(), folder.path(), &no_warning);
    let two = run(0..160, 2, few(), folder.path(), &no_warning);
    assert!(!one.failures.is_empty(), "failures are compared as well");
    assert_eq!(one.to_string(), two.to_string());
}

/// I-21, I-31: the journals, and the files of calls that fail.
#[test]
fn the_same_file_and_seed_give_the_same_bytes_on_one_thread_and_on_two() {
    let bytes = |template: &Template| {
        let mut bytes = Vec::new();
        let played = play_scenario(template.clone().into_scenario());
        journal::write(&played.steps, &mut bytes).expect("a vector takes everything");
        bytes
    };
    let templates = few();
    let alone: Vec<Vec<u8>> = templates.iter().map(bytes).collect();
    let beside: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let reversed = || templates.iter().rev().map(bytes).rev().collect::<Vec<_>>();
        let workers = [scope.spawn(reversed), scope.spawn(reversed)];
        workers.into_iter().flat_map(|worker| worker.join().expect("it plays")).collect()
    });
    assert_eq!(beside, [alone.clone(), alone].concat());

    let kept = [1, 2].map(|threads| {
        let folder = tempfile::tempdir().expect("a folder");
        let report = run(0..160, threads, few(), folder.path(), &no_warning);
        let read = |failure: &Failure| std::fs::read(&failure.file).expect("it was kept");
        report.failures.iter().map(read).collect::<Vec<_>>()
    });
    assert!(!kept[0].is_empty());
    // Both folders lie in one, so even the paths in the files are the same.
    assert_eq!(kept[0], kept[1]);
}

/// I-31.
#[test]
fn a_part_of_the_calls_is_played_again_among_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(0..40, 2, few(), folder.path(), &judge_all);
    assert_eq!(report.again, 3, "seeds 0, 16 and 32");
    assert!(report.held(), "{report}");
}

/// I-11.
#[test]
fn every_call_settles_when_nothing_goes_wrong_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(0..60, 2, few(), folder.path(), &|_| Vec::new());
    assert!(report.held(), "{report}");
    assert!(report.settled_ms > 10_000, "somebody had to wait for a silent caller");
    assert!(report.to_string().contains("(liveness): settled in "));
}

/// What people do at any moment is as much a reason as what goes wrong.
#[test]
fn a_call_that_fails_by_what_somebody_does_is_reduced_to_the_deed_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let deeds = |evidence: &Evidence<'_>| {
        let mut breaches = Vec::new();
        for step in evidence.steps.iter().filter(|step| !step.ignored) {
            let invariant = match &step.cause {
                Cause::Input(Input::Operator(_)) => "operator",
                Cause::Input(Input::Carrier(Carrier::Key(_))) => "key",
                _ => continue,
            };
            breaches.push(Breach { invariant, at: Some(step.at), what: "a deed".to_owned() });
        }
        breaches
    };
    let report = run(0..150, 2, few(), folder.path(), &deeds);
    let mut alone = BTreeSet::new();
    for failure in &report.failures {
        assert!(failure.reproduced, "{}", failure.seed);
        let scenario = Scenario::load(&failure.file).expect("the file is a sound scenario");
        assert_eq!(deeds(&play_scenario(scenario).evidence()), failure.breaches);
        alone.extend(match failure.changes.as_slice() {
            [Change::Deed(Deed::Keys { digits, gap_ms, .. })] => {
                // Keys before the one that counts may be needed: those that come too early do not.
                let [counts] = failure.breaches.as_slice() else {
                    panic!("one key is enough: {failure:#?}")
                };
                let first = counts.at.expect("a key has a time").as_millis();
                assert!(first >= (digits.len() as u64 - 1) * gap_ms, "{failure:#?}");
                Some("keys")
            }
            [Change::Deed(Deed::Operator { .. })] => Some("operator"),
            _ => None,
        });
    }
    assert_eq!(alone, BTreeSet::from(["keys", "operator"]));
}

#[test]
fn a_failing_call_is_reduced_to_the_fault_that_matters_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(0..160, 2, few(), folder.path(), &no_warning);
    let alone =
        |f: &Failure| matches!(f.changes.as_slice(), [Change::Fault(fault)] if warns(fault));
    assert!(report.failures.iter().any(|failure| failure.drawn > 1 && alone(failure)));
    for failure in &report.failures {
        assert!(failure.reproduced);
        let scenario = Scenario::load(&failure.file).expect("the file is a sound scenario");
        assert_eq!(scenario.seed, failure.seed);
        assert!(scenario.faults.iter().any(warns));
        // Whatever is left beside the warning leads to it: nothing can be left out.
        for number in 0..scenario.faults.len() {
            let mut less = scenario.clone();
            less.faults.remove(number);
            assert_eq!(no_warning(&play_scenario(less).evidence()), [], "{}", failure.seed);
        }
        assert_eq!(no_warning(&play_scenario(scenario).evidence()), failure.breaches);
    }
    assert!(report.to_string().contains("BREACH  stub at "));
}

/// What is to blame is the call itself: nothing needs to go wrong in it.
#[test]
fn a_failure_that_needs_no_fault_is_shown_without_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let ends = |evidence: &Evidence<'_>| {
        let ended = |fact: &Fact| matches!(fact, Fact::CallEnded { .. });
        let what = "the call ends".to_owned();
        let breach = Breach { invariant: "stub", at: None, what };
        let ends = evidence.steps.iter().flat_map(|step| &step.facts).any(ended);
        if ends { vec![breach] } else { Vec::new() }
    };
    let report = run(0..4, 2, few(), folder.path(), &ends);
    assert_eq!(report.failures.len(), 4);
    assert!(report.failures.iter().all(|failure| failure.changes.is_empty()));
    assert_eq!(report.to_string().matches("BREACH").count(), 1, "what is alike is shown once");
}

/// I-20.
#[test]
fn a_panic_is_a_failure_of_its_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let panics = |evidence: &Evidence<'_>| {
        assert!(evidence.steps.is_empty(), "a call has no steps");
        Vec::new()
    };
    let report = run(7..9, 2, few(), folder.path(), &panics);
    assert_eq!(report.failures.len(), 2);
    for failure in &report.failures {
        let Breach { invariant, what, .. } = &failure.breaches[0];
        assert_eq!(*invariant, "I-20");
        assert!(what.starts_with("panic: a call has no steps at "), "{what}");
    }
}

fn warns(fault: &Fault) -> bool {
    matches!(fault, Fault::AgentWarns { .. })
}

/// Holds a warning against a call, which is nobody's fault.
fn no_warning(evidence: &Evidence<'_>) -> Vec<Breach> {
    let warned = |at: CallTime| Breach {
        invariant: "stub",
        at: Some(at),
        what: "somebody warned".to_owned(),
    };
    let warnings = evidence
        .steps
        .iter()
        .filter(|step| matches!(&step.cause, Cause::Input(Input::Agent(Agent::Warned(_)))));
    warnings.map(|step| warned(step.at)).collect()
}

fn run(
    seeds: std::ops::Range<u64>,
    threads: usize,
    templates: Vec<Template>,
    folder: &Path,
    judge: &Judge<'_>,
) -> Report {
    let swarm = Swarm { seeds, templates, complete: false, threads, folder: folder.to_owned() };
    swarm.run(judge, &|| {}).expect("the folder takes files")
}

/// Always the same ones, so that a seed draws the same when a scenario is added.
fn few() -> Vec<Template> {
    let names = ["caller_interrupts", "s07_slow_function", "s19_transfer_busy"];
    templates(|name| names.contains(&name))
}

fn templates(wanted: impl Fn(&str) -> bool) -> Vec<Template> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files = files_in(&root).expect("the folder of scenarios");
    files.retain(|path| wanted(&path.file_stem().unwrap_or_default().to_string_lossy()));
    let load = |file: &PathBuf| Template::load(file).unwrap_or_else(|problem| panic!("{problem}"));
    files.iter().map(load).collect()
}
