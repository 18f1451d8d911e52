//! The judges notice real defects of the real code: each deliberate defect, built in only here,
//! makes the judge of its invariant speak in some scenario, and no other judge in any.
//!
//! `cargo test -p sim --features sabotage --test sabotage`. The tests beside this one, `judges`,
//! spoil journals instead: they show more kinds of breach, but not that the code can commit them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use call_core::Sabotage;
use sim::Scenario;
use sim::desk::{Options, play_with};
use sim::judge::judged;
use sim::machine::Machine;
use sim::scenario::files_in;

#[test]
fn each_defect_breaks_its_own_invariant_and_no_other() {
    let wrong: Vec<String> = thread::scope(|scope| {
        let judge = |sabotage: Sabotage| {
            let broken = broken(Some(sabotage));
            let right = broken.keys().copied().eq([sabotage.id()]);
            (!right).then(|| format!("{sabotage:?} should break {}: {broken:#?}", sabotage.id()))
        };
        let trials = Sabotage::ALL.map(|sabotage| scope.spawn(move || judge(sabotage)));
        trials.into_iter().filter_map(|trial| trial.join().expect("a call panicked")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_defect_nothing_is_broken() {
    assert_eq!(broken(None), BTreeMap::new());
}

#[test]
fn every_invariant_that_is_judged_has_one_defect() {
    let judged: Vec<_> = judged().collect();
    let broken: Vec<_> = Sabotage::ALL.into_iter().map(Sabotage::id).collect();
    assert_eq!(broken, judged, "in the order of the judges");
}

#[test]
fn a_defect_is_chosen_on_the_command_line() {
    let sim = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
        command.output().expect("the command runs")
    };
    let scenario = "../scenarios/s20_farewell_lock.ron";
    let output = sim(&["--sabotage", "I-12", scenario]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("BREACH  I-12 "), "{text}");
    assert_eq!(sim(&["--sabotage", "I-99", scenario]).status.code(), Some(2), "there is none");
}

/// The invariants that are broken in any scenario: in which, and how.
fn broken(sabotage: Option<Sabotage>) -> BTreeMap<&'static str, BTreeSet<String>> {
    let machine = sabotage.map_or(Machine::default(), Machine::sabotaged);
    let mut broken = BTreeMap::<_, BTreeSet<_>>::new();
    for (name, scenario) in SCENARIOS.iter() {
        let played = play_with(scenario.clone(), Options { tape: false, machine });
        for breach in played.breaches() {
            broken.entry(breach.invariant).or_default().insert(format!("{name}: {breach}"));
        }
    }
    broken
}

/// Every scenario there is, by name.
static SCENARIOS: LazyLock<Vec<(String, Scenario)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = files_in(&folder).expect("the folder of scenarios");
    assert!(!files.is_empty());
    let load = |file: PathBuf| {
        let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        (name, Scenario::load(&file).unwrap_or_else(|problem| panic!("{problem}")))
    };
    files.into_iter().map(load).collect()
});
