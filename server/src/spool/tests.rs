use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use call_core::Brief;
use call_core::input::Carrier;
use call_core::{Call, CallTime, Input};

use super::*;

#[tokio::test]
async fn a_journal_is_read_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path()).unwrap();
    let steps = written(&spool, &call(1));
    assert_eq!(spool.steps(&call(1)).await.unwrap(), steps);
    assert_eq!(spool.waiting(), []);
    spool.forget(&call(1));
    assert!(matches!(spool.steps(&call(1)).await, Err(Error::File(_))));
    assert_eq!(spool.refused(), 0);
}

/// F-PR-03: what a killed process had written is the next one's to write down.
#[tokio::test]
async fn what_a_dead_process_left_is_taken_over_f_pr_03() {
    let root = tempfile::tempdir().unwrap();
    let (first, other) = (Spool::open(root.path()).unwrap(), Spool::open(root.path()).unwrap());
    let steps = written(&first, &call(1));
    first.steps(&call(1)).await.unwrap();
    written(&other, &call(2));
    other.steps(&call(2)).await.unwrap();
    // The lock goes with the process; the folder stays.
    drop(first);
    let third = Spool::open(root.path()).unwrap();
    assert_eq!(third.waiting(), [(call(1), Left::ByTheDead)]);
    assert_eq!(third.steps(&call(1)).await.unwrap(), steps);
    // The other one lives, and nobody touches what is its.
    assert_eq!(other.steps(&call(2)).await.unwrap().len(), 2);
    assert!(!root.path().join("x").exists());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_torn_last_line_counts_for_nothing() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path()).unwrap();
    let steps = written(&spool, &call(1));
    spool.steps(&call(1)).await.unwrap();
    let file = journal(&spool.folder, &call(1));
    let whole = fs::read(&file).unwrap();
    for cut in 0..whole.len() {
        let read = read(&whole[..cut]).unwrap();
        assert_eq!(read, steps[..read.len()], "{cut}");
        assert!(read.len() < steps.len());
    }
}

#[tokio::test]
async fn a_line_that_is_no_step_is_named_and_the_file_put_aside() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path()).unwrap();
    written(&spool, &call(1));
    spool.steps(&call(1)).await.unwrap();
    let file = journal(&spool.folder, &call(1));
    let mut text = fs::read(&file).unwrap();
    text.extend_from_slice(b"{\"of\": \"tomorrow\"}\n{}\n");
    fs::write(&file, text).unwrap();
    spool.leave(call(1));
    let error = spool.steps(&call(1)).await.unwrap_err();
    assert!(matches!(error, Error::Line { line: 3, .. }), "{error}");
    spool.set_aside(&call(1));
    assert_eq!(spool.waiting(), []);
    assert!(file.with_extension("unreadable").exists());
}

/// F-DB-13: a disk that takes nothing costs this call its spooled journal from there on, and says so;
/// the others go on.
#[tokio::test]
async fn a_full_disk_stops_one_journal_and_no_other_f_db_13() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path()).unwrap();
    symlink("/dev/full", journal(&spool.folder, &call(1))).unwrap();
    written(&spool, &call(1));
    let steps = written(&spool, &call(2));
    assert_eq!(spool.steps(&call(2)).await.unwrap(), steps);
    assert_eq!(spool.refused(), 1);
}

/// F-DB-13: a disk that is too slow, and more steps than may wait for it. No call waits; the one that was
/// too much keeps a beginning without a gap in the spool, and the others go on.
#[tokio::test]
async fn a_disk_that_is_too_slow_keeps_no_call_waiting_f_db_13() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path()).unwrap();
    // A pipe opens when somebody reads it.
    let pipe = journal(&spool.folder, &call(1));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let steps = written(&spool, &call(1));
    let mut long = spool.begin(call(2));
    let since = Instant::now();
    for _ in 0..=ORDERS_MAX {
        long.write(&steps[1]);
    }
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert_eq!(spool.refused(), 1, "it is told once");

    let _reader = File::open(&pipe).unwrap();
    let file = journal(&spool.folder, &call(2));
    let lines = || fs::read_to_string(&file).map_or(0, |text| text.lines().count());
    while lines() < ORDERS_MAX - 2 {
        assert!(since.elapsed() < Duration::from_secs(30), "{} lines", lines());
        thread::sleep(Duration::from_millis(20));
    }
    long.write(&steps[1]);
    assert_eq!(spool.steps(&call(3)).await.ok(), None);
    assert!((ORDERS_MAX - 2..=ORDERS_MAX).contains(&lines()), "nothing comes behind a gap");
    let steps = written(&spool, &call(3));
    assert_eq!(spool.steps(&call(3)).await.unwrap(), steps);
    assert_eq!(spool.refused(), 1);
}

fn written(spool: &Spool, call: &Sid) -> Vec<Step> {
    let brief = Brief { call: call.to_string(), ..Brief::example() };
    let (mut machine, first) = Call::new(brief);
    let mut steps = vec![first];
    steps.extend(machine.step(CallTime::from_millis(900), Input::Carrier(Carrier::Stopped)));
    let mut journal = spool.begin(call.clone());
    for step in &steps {
        journal.write(step);
    }
    steps
}

fn call(number: u32) -> Sid {
    Sid::parse(&format!("CA{number:032}")).unwrap()
}
