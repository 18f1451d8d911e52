//! The judges are judged: a good call gives them nothing to say, and a call in which one thing was
//! spoilt makes the right one speak, and no other.

#[path = "judges/asked.rs"]
mod asked;
#[path = "judges/course.rs"]
mod course;
#[path = "judges/record.rs"]
mod record;
#[path = "judges/spoilt.rs"]
mod spoilt;
#[path = "judges/time.rs"]
mod time;

use std::collections::BTreeSet;
use std::path::PathBuf;

use sim::judge::judged;
use sim::scenario::files_in;

use spoilt::{Spoilt, root};

#[test]
fn every_scenario_keeps_every_invariant() {
    for file in scenarios() {
        let call = Spoilt::play(&file);
        let breaches = [call.judge(), call.replay_breaches()].concat();
        assert!(breaches.is_empty(), "{}: {breaches:#?}", file.display());
    }
}

#[test]
fn every_judge_is_named_once() {
    let names: Vec<_> = judged().collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
}

fn scenarios() -> Vec<PathBuf> {
    let files = files_in(&root()).expect("the folder of scenarios");
    assert!(!files.is_empty());
    files
}
