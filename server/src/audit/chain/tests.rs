use std::os::unix::fs::symlink;

use super::*;
use crate::audit::verify::{Extent, verify};

/// Noon of 2026-11-23, UTC.
const NOON: i64 = 1_795_435_200_000_000;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[test]
fn a_log_that_is_gone_on_with_stays_one_chain_over_its_days_i_27() {
    let root = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for day in 0..3 {
        let mut chain = Chain::open(root.path()).unwrap();
        for number in 0..3 {
            chain.append(&entry(NOON + day * DAY + number)).unwrap();
        }
        names.push(name(&chain.folder));
        assert_eq!(chain.head().unwrap().seq, 4 * (day as u64 + 1));
    }
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    let files: Vec<_> = files(root.path()).iter().map(|file| name(file)).collect();
    assert_eq!(files, ["2026-11-23.jsonl", "2026-11-24.jsonl", "2026-11-25.jsonl"]);
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].entries), (vec![], 12));
}

/// No two processes write one log; the lock of each tells the living from the dead.
#[test]
fn two_writers_at_once_have_a_log_each() {
    let root = tempfile::tempdir().unwrap();
    let mut both = [Chain::open(root.path()).unwrap(), Chain::open(root.path()).unwrap()];
    for _ in 0..50 {
        both.iter_mut().for_each(|chain| chain.append(&entry(NOON)).unwrap());
    }
    assert_ne!(both[0].folder, both[1].folder);
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.logs.iter().all(|log| log.entries == 51 && log.is_written));
}

/// F-PR-03: whatever a crash left of the last line, the next process goes on behind it and says so.
#[test]
fn a_line_that_a_crash_tore_is_told_of_and_stays_where_it_is_i_27() {
    let whole = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(whole.path()).unwrap();
    (0..3).for_each(|_| chain.append(&entry(NOON)).unwrap());
    let log = fs::read(&files(whole.path())[0]).unwrap();
    let last = log[..log.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let folder = name(&chain.folder);
    for cut in last..log.len() {
        let root = tempfile::tempdir().unwrap();
        let copy = root.path().join(&folder);
        fs::create_dir(&copy).unwrap();
        File::create(copy.join(LOCK)).unwrap();
        let file = copy.join("2026-11-23.jsonl");
        fs::write(&file, &log[..cut]).unwrap();
        let mut chain = Chain::open(root.path()).unwrap();
        chain.append(&entry(NOON)).unwrap();
        drop(chain);
        let after = fs::read(&file).unwrap();
        assert!(after.starts_with(&log[..cut]), "nothing is taken back");
        let report = verify(root.path(), None, Extent::All).unwrap();
        assert_eq!(report.findings, [], "cut at {cut}");
        // Nothing was torn where a line ends, or where only its end was missing.
        let torn = cut > last && cut < log.len() - 1;
        assert_eq!(report.logs[0].recovered, u64::from(torn), "cut at {cut}");
    }
}

/// A crash while a crash is being told of.
#[test]
fn a_line_that_is_torn_again_and_again_is_told_of_once() {
    let root = tempfile::tempdir().unwrap();
    Chain::open(root.path()).unwrap().append(&entry(NOON)).unwrap();
    let file = files(root.path()).remove(0);
    for more in [&b"{\"seq\":3,"[..], b"\n", b"{\"seq\":3,\"at", b"\n{"] {
        add(&file, more);
    }
    let mut chain = Chain::open(root.path()).unwrap();
    chain.append(&entry(NOON + 1)).unwrap();
    drop(chain);
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].recovered), (vec![], 1));
}

/// A day's file that was torn off in its very first line still belongs to the chain.
#[test]
fn a_file_that_is_torn_in_its_first_line_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    chain.append(&entry(NOON)).unwrap();
    let next = chain.folder.join("2026-11-24.jsonl");
    drop(chain);
    fs::write(&next, "{\"seq\":3,\"at_us\":17").unwrap();
    Chain::open(root.path()).unwrap().append(&entry(NOON + DAY)).unwrap();
    let report = verify(root.path(), None, Extent::All).unwrap();
    // Two files with a beginning each, two entries, and one that tells of the crash.
    assert_eq!((report.findings, report.logs[0].entries), (vec![], 5));
}

/// Whoever changed the last entry would have it buried if the next process went on behind it.
#[test]
fn a_log_whose_last_entry_was_changed_is_left_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    Chain::open(root.path()).unwrap().append(&entry(NOON)).unwrap();
    let file = files(root.path()).remove(0);
    let changed = fs::read_to_string(&file).unwrap().replace("\"acme\"", "\"acne\"");
    fs::write(&file, &changed).unwrap();
    Chain::open(root.path()).unwrap().append(&entry(NOON)).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.logs.len(), report.findings.len()), (2, 1));
    assert_eq!(report.findings[0].file, file);
}

/// F-PR-08: a disk that is full, and has room again.
#[test]
fn an_entry_that_a_full_disk_refused_is_written_when_there_is_room_f_pr_08() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    chain.append(&entry(NOON)).unwrap();
    let (file, aside) = (files(root.path()).remove(0), root.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    for _ in 0..3 {
        let error = chain.append(&entry(NOON + 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    fs::rename(&aside, &file).unwrap();
    chain.append(&entry(NOON + 1)).unwrap();
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].entries), (vec![], 3));
}

/// What the disk had taken of a line before it was full is told of as after a crash.
#[test]
fn a_line_that_a_full_disk_tore_is_told_of() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    chain.append(&entry(NOON)).unwrap();
    add(&files(root.path())[0], b"{\"seq\":3,\"at_us\"");
    chain.file = None;
    chain.append(&entry(NOON + 1)).unwrap();
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].recovered), (vec![], 1));
}

#[test]
fn a_clock_that_was_set_back_leads_to_no_earlier_file() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    for at in [NOON, NOON - 3 * DAY, NOON + DAY, NOON] {
        chain.append(&entry(at)).unwrap();
    }
    assert_eq!(files(root.path()).len(), 2);
    assert_eq!(chain.day_ends().len(), 1);
    assert_eq!(verify(root.path(), None, Extent::All).unwrap().findings, []);
}

#[test]
fn what_many_entries_are_about_is_told_once_in_a_file() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    for at in [NOON, NOON, NOON + DAY] {
        chain.append(&entry(at).about(json!({ "prompt": "Be brief." }))).unwrap();
    }
    let text: Vec<_> =
        files(root.path()).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert!(text.iter().all(|text| text.matches("Be brief.").count() == 1), "{text:?}");
    let hash = Hash::of(br#"{"prompt":"Be brief."}"#).to_string();
    assert_eq!(text[0].matches(&hash).count(), 3, "in the content and in both that are about it");
}

/// No line is longer than a reader takes; what is left out is named by its hash.
#[test]
fn a_body_that_is_too_long_is_named_by_its_hash() {
    let root = tempfile::tempdir().unwrap();
    let mut chain = Chain::open(root.path()).unwrap();
    let long = Entry::new(Kind::Decision, "acme", json!({ "text": "x".repeat(LINE_BYTES_MAX) }));
    chain.append(&long.at(NOON)).unwrap();
    chain.append(&entry(NOON)).unwrap();
    let report = verify(root.path(), None, Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].entries), (vec![], 3));
    assert!(fs::metadata(&files(root.path())[0]).unwrap().len() < 2_000);
}

fn entry(at_us: i64) -> Entry {
    Entry::new(Kind::Decision, "acme", json!({ "fact": "something" })).at(at_us)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let all = logs(root).unwrap();
    all.iter().flat_map(|log| days(log).unwrap()).map(|(_, file)| file).collect()
}

fn add(file: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(file).unwrap().write_all(bytes).unwrap();
}
