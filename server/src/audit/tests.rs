use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Instant;

use super::verify::{Extent, Published, verify};
use super::*;

#[tokio::test]
async fn what_was_appended_is_on_the_disk_once_somebody_asks() {
    let root = tempfile::tempdir().unwrap();
    let audit = Audit::open(root.path()).unwrap();
    audit.server_started();
    for number in 0..100 {
        audit.append(entry(number));
    }
    let settled = audit.settled().await.unwrap();
    // The file's beginning, the server's, and ours.
    assert_eq!(settled.head.seq, 102);
    assert!(audit.is_well());
    let report = verify(root.path(), Some(&published(settled.head)), Extent::All).unwrap();
    assert_eq!(report.findings, []);
    let log = &report.logs[0];
    assert_eq!((log.entries, log.heads, log.unpublished, log.is_written), (102, 1, 0, true));
}

/// F-PR-08, F-DB-13: while the disk takes nothing the log is not well, and nobody waits; entries that there was
/// room for in memory are written later, in order, and for the others the log says how many they were.
#[tokio::test]
async fn a_full_disk_is_told_and_what_was_lost_is_put_on_record_f_pr_08() {
    let root = tempfile::tempdir().unwrap();
    let audit = Audit::open(root.path()).unwrap();
    audit.append(entry(0));
    audit.settled().await.unwrap();
    let file = today(root.path());
    let aside = root.path().join("aside");
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();

    let since = Instant::now();
    let many = 2 * ORDERS_MAX as u64 + 1_000;
    for number in 1..=many {
        audit.append(entry(number));
    }
    assert!(since.elapsed() < Duration::from_secs(5), "nobody waits for the disk");
    assert_eq!(audit.settled().await, None);
    assert!(!audit.is_well());
    fs::rename(&aside, &file).unwrap();
    let settled = loop {
        if let Some(settled) = audit.settled().await {
            break settled;
        }
    };
    assert!(audit.is_well());
    let [_, (_, lost)] = audit.report().counts;
    assert!((1_000..=many).contains(&lost), "{lost} of {many}");
    let report = verify(root.path(), Some(&published(settled.head)), Extent::All).unwrap();
    assert_eq!((report.findings, report.logs[0].losses > 0), (vec![], true));
    let text = fs::read_to_string(&file).unwrap();
    let told: u64 = text.lines().filter_map(told_lost).sum();
    assert_eq!(told, lost, "every loss is told of");
    assert_eq!(text.lines().count() as u64, 2 + many - lost + report.logs[0].losses);
}

/// A log that somebody removes while it is written: the server notices, and what comes is kept.
#[tokio::test]
async fn a_file_that_is_removed_while_it_is_written_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let audit = Audit::open(root.path()).unwrap();
    audit.append(entry(0));
    let before = audit.settled().await.unwrap().head;
    fs::remove_dir_all(today(root.path()).parent().unwrap()).unwrap();
    audit.append(entry(1));
    let after = audit.settled().await.unwrap().head;
    assert_eq!(after.seq, before.seq + 2);
    let text = fs::read_to_string(today_in(&root.path().join(&after.log))).unwrap();
    assert!(text.contains(&before.hash.to_string()), "the chain goes on from what is gone");
}

#[test]
fn a_folder_that_cannot_be_used_is_told_at_the_start() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Audit::open(&file.join("audit")).is_err());
}

fn published(head: Head) -> Published {
    Published { heads: vec![head], cuts: Vec::new() }
}

fn told_lost(line: &str) -> Option<u64> {
    let line: Value = serde_json::from_str(line).unwrap();
    (line["kind"] == "lost").then(|| line["body"]["entries"].as_u64().unwrap())
}

fn entry(number: u64) -> Entry {
    Entry::new(Kind::Decision, "acme", json!({ "number": number }))
}

fn today(root: &Path) -> PathBuf {
    today_in(&chain::logs(root).unwrap()[0])
}

fn today_in(log: &Path) -> PathBuf {
    chain::days(log).unwrap().pop().unwrap().1
}
