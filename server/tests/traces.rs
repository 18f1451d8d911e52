//! What is done to data that is kept stands in the audit log, whoever does it; and the log itself goes when
//! its time is over, so that what stays of it can still be proven.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod kept;
mod logs;
mod places;
mod postgres;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use kept::{OLD_MS, carrier, hold, keep, sid, word};
use logs::{entries, files};
use places::{Place, places};
use serde_json::{Value, json};
use server::audit::cuts::remove_old;
use server::audit::verify::{Extent, Finding, Published, Wrong, verify};
use server::audit::{Audit, Entry, Head, Kind, Publisher};
use server::company::{Tenant, versions};
use server::retention::{Days, Sweeper, delete_media};
use server::sealed::DataKeys;
use server::store::{NewHold, Placed, Released, Store};
use server::times::now_us;
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// What is done to data that is kept leaves a note in the same transaction: who, what, how many. Nothing
/// of a caller is in it, and what came to nothing leaves none.
#[tokio::test]
async fn whoever_holds_deletes_or_opens_leaves_a_trace_i_27() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        do_all(&place, &store).await;
        let root = tempfile::tempdir().unwrap();
        let audit = Audit::open(root.path()).unwrap();
        let waiting = store.notes_waiting().await.unwrap();
        Publisher::default().tell_notes(&audit, &store).await;
        assert_eq!((waiting, store.notes_waiting().await.unwrap()), (13, 0));
        let entries = entries(root.path());
        let told = |of: &str| {
            let of = entries.iter().filter(|entry| entry["kind"] == of);
            of.map(|entry| entry["body"].clone()).collect::<Vec<_>>()
        };
        let acts = told("operator");
        let acts = acts.iter().map(|body| (word(&body["operator"]), word(&body["wants"])));
        let expected = [
            ("x", "hold_place"),
            ("ann", "number_open"),
            ("ann", "keys_rotate"),
            ("bob", "hold_release"),
            ("eve", "hold_place"),
            ("mallory", "hold_release"),
            ("zoe", "company_activate"),
        ];
        assert_eq!(acts.collect::<Vec<_>>(), expected);
        let gone = told("deleted");
        let gone: Vec<_> = gone
            .iter()
            .map(|body| {
                (word(&body["by"]), word(&body["class"]), body["how_many"].as_u64().unwrap())
            })
            .collect();
        let by_judy = ["recording", "caller", "journal", "call"].map(|class| ("judy", class, 2));
        assert_eq!(gone[..4], by_judy);
        assert_eq!(gone[4..], [("server", "media", 1); 2]);
        let deleted = told("deleted");
        let until = word(&deleted[0]["until"]);
        assert!(until.starts_with("20") && until.ends_with('Z'), "{until}");
        let text = entries.iter().map(Value::to_string).collect::<String>();
        assert!(!text.contains("555010") && !text.contains("case 1"), "{text}");
        let known = store.published().await.unwrap();
        let report = verify(root.path(), Some(&known), Extent::All).unwrap();
        assert_eq!((report.findings, report.logs[0].unpublished), (vec![], 0));
    }
}

/// All that leaves a trace, and some of it in vain.
async fn do_all(place: &Place, store: &Store) {
    for number in 1..=3 {
        keep(store, "acme", number, OLD_MS).await;
    }
    let held = hold(store, "acme", Some(1)).await;
    let nothing = NewHold { company: "no", call: None, reason: "case", by: "x", at_us: 1 };
    assert_eq!(store.place_hold(&nothing).await.unwrap(), Placed::NoCompany);
    store.caller_to_open(&sid(1), "ann").await.unwrap().unwrap();
    assert_eq!(store.caller_to_open(&sid(9), "ann").await.unwrap(), None);
    let new = "b:ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
    let old = "a:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let both = DataKeys::parse(&format!("{new},{old}").into()).unwrap();
    for _ in 0..2 {
        store.reseal(&both, "", 9, "ann").await.unwrap();
    }
    Sweeper::new(DAY).by("judy").sweep(store, "acme", Days::default()).await.unwrap();
    let (carrier, _, status) = carrier().await;
    *status.lock().unwrap() = StatusCode::NO_CONTENT;
    assert_eq!(delete_media(store, &carrier, "server").await.unwrap(), 2);
    assert_eq!(store.release_hold(held, "bob", now_us()).await.unwrap(), Released::Now);
    assert_eq!(store.release_hold(held, "bob", now_us()).await.unwrap(), Released::Before);
    // Around our commands, too.
    let by_sql = "INSERT INTO legal_hold (company, reason, placed_us, placed_by, released_us, \
        released_by) VALUES ('acme', 'case 1', 1, 'eve', NULL, NULL)";
    place.try_to(by_sql).await.unwrap();
    let by_sql = "UPDATE legal_hold SET released_us = 2, released_by = 'mallory' \
        WHERE placed_by = 'eve'";
    place.try_to(by_sql).await.unwrap();

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
    versions::import(store, &[Tenant::load(&file).unwrap()], "zoe").await.unwrap();
    for _ in 0..2 {
        let command = versions::Command::Activate;
        versions::activate(store, "acme", None, command, "zoe").await.unwrap();
    }
}

/// F-PR-03, F-PR-08: a note goes once its entry is on the disk to stay. A server that dies before that, or
/// whose disk takes nothing, leaves it to the next one; and nobody takes it out of the table before.
#[tokio::test]
async fn a_note_waits_until_it_stands_in_a_log_i_27() {
    for place in places().await {
        let (one, two) =
            (Store::open(place.url()).await.unwrap(), Store::open(place.url()).await.unwrap());
        keep(&one, "acme", 1, OLD_MS).await;
        hold(&one, "acme", Some(1)).await;
        for statement in [
            "DELETE FROM audit_note",
            "UPDATE audit_note SET body = '{}'",
            "UPDATE audit_note SET at_us = 1",
        ] {
            assert!(place.try_to(statement).await.is_err(), "{statement}");
        }
        let lease = Duration::from_secs(60);
        // PostgreSQL says that it refused something before it lets go of the row.
        let taken = loop {
            let taken = one.take_notes(9, 1_000_000, lease).await.unwrap();
            if !taken.is_empty() {
                break taken;
            }
        };
        assert_eq!(two.take_notes(9, 60_999_999, lease).await.unwrap(), []);
        assert_eq!(two.take_notes(9, 61_000_000, lease).await.unwrap(), taken);
        one.notes_told(&taken).await.unwrap();
        assert_eq!(one.notes_waiting().await.unwrap(), 1, "it is another's now");

        let root = tempfile::tempdir().unwrap();
        let audit = Audit::open(root.path()).unwrap();
        audit.server_started();
        audit.settled().await.unwrap();
        let file = files(root.path()).remove(0);
        let aside = root.path().join("aside");
        fs::rename(&file, &aside).unwrap();
        symlink("/dev/full", &file).unwrap();
        Publisher::default().tell_notes(&audit, &one).await;
        assert_eq!(one.notes_waiting().await.unwrap(), 1);
        fs::rename(&aside, &file).unwrap();
        while audit.settled().await.is_none() {}
        // As when its lease has run out.
        place.try_to("UPDATE audit_note SET taken_until_us = 0").await.unwrap();
        Publisher::default().tell_notes(&audit, &one).await;
        assert_eq!(one.notes_waiting().await.unwrap(), 0);
        let known = one.published().await.unwrap();
        assert_eq!(verify(root.path(), Some(&known), Extent::All).unwrap().findings, []);
        let told = entries(root.path());
        let told: Vec<_> = told.iter().filter(|entry| entry["kind"] == "operator").collect();
        // What waited in memory was written, too: one act, known by the number of its note.
        let note = &told[0]["body"]["note"];
        assert!(told.len() == 2 && told.iter().all(|entry| &entry["body"]["note"] == note));
    }
}

/// I-27: what is over goes, whole files from the oldest on, and what stays is proven from there on, with the
/// database and without.
#[tokio::test]
async fn the_days_of_a_log_that_are_over_go_and_the_rest_is_proven_i_27() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let log = Log::of_days(&store, &[("acme", 1), ("acme", 2), ("long", 3), ("acme", 4)]).await;
        let kept = |company: &str| Some(if company == "long" { 36_525 } else { 1_096 });
        let remove = async || log.remove(&store, &kept).await;
        assert_eq!(remove().await, 2, "the third day is another company's, too");
        assert_eq!(files(log.root()).len(), 3);
        assert_eq!(remove().await, 0);
        assert_eq!(log.wrong(&store).await, []);
        let report = verify(log.root(), None, Extent::All).unwrap();
        assert_eq!((report.findings, report.logs[0].begins), (vec![], 5));
        let told = entries(log.root());
        let told: Vec<_> = told.iter().filter(|entry| entry["kind"] == "shortened").collect();
        assert_eq!(told.len(), 2);
        assert_eq!(told[1]["body"]["removed"][0]["seq"], 4);

        // A file that a crash left although all was written that lets it go.
        let third = files(log.root()).remove(0);
        let day = fs::read(&third).unwrap();
        assert_eq!(log.remove(&store, &|_| Some(1_096)).await, 2);
        assert_eq!(log.wrong(&store).await, []);
        let fourth = third.with_file_name("2015-01-04.jsonl");
        fs::write(&third, &day).unwrap();
        assert!(!fourth.exists());
        assert_ne!(log.wrong(&store).await, [], "what went before it is not there");
        fs::remove_file(&third).unwrap();
        assert_eq!(log.wrong(&store).await, []);
        assert_eq!(files(log.root()).len(), 1, "what is written now stays");
        assert_eq!(log.remove(&store, &|_| Some(0)).await, 0);
    }
}

/// I-27: what somebody else removes is found, whatever of what lets it go he brings along.
#[tokio::test]
async fn a_day_that_somebody_else_removed_is_found_i_27() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let log = Log::of_days(&store, &[("acme", 1), ("acme", 2), ("acme", 3)]).await;
        let first = files(log.root()).remove(0);
        let kept = |_: &str| Some(1_096);
        fs::remove_file(&first).unwrap();
        let missing = [Wrong::Missing { from: 1, to: 2 }];
        assert_eq!(log.wrong(&store).await, missing);
        // The database alone, and the log alone, do not make it good.
        let mut known = store.published().await.unwrap();
        let of_first = known.heads.iter().find(|head| head.seq == 2).unwrap().clone();
        known.cuts.push(of_first.clone());
        assert_eq!(wrong(verify(log.root(), Some(&known), Extent::All).unwrap().findings), missing);
        let body = json!({ "removed": [&of_first] });
        log.audit.append(Entry::new(Kind::Shortened, "*", body));
        log.audit.settled().await.unwrap();
        known.cuts.clear();
        assert_eq!(wrong(verify(log.root(), Some(&known), Extent::All).unwrap().findings), missing);
        // Both of them, with another day than the one that was published.
        let earlier = Head { day: "2014-12-01".to_owned(), ..of_first.clone() };
        known.cuts.push(earlier);
        assert_eq!(wrong(verify(log.root(), Some(&known), Extent::All).unwrap().findings), missing);
        // And the sweeper does not make it good either: with what is left, the gap would be forgotten.
        assert_eq!(log.remove(&store, &kept).await, 0);
        assert_eq!(log.wrong(&store).await, missing);
    }
}

/// A hold keeps every day on which its call, or a call of its company, has an entry, and all days after it.
#[tokio::test]
async fn a_day_with_an_entry_of_a_held_call_stays() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 2, OLD_MS).await;
        keep(&store, "other", 9, OLD_MS).await;
        let log = Log::of_days(&store, &[("acme", 1), ("acme", 2), ("other", 3)]).await;
        let kept = |_: &str| Some(1_096);
        let call = hold(&store, "acme", Some(2)).await;
        let all = hold(&store, "other", None).await;
        assert_eq!(log.remove(&store, &kept).await, 1);
        assert_eq!(log.remove(&store, &kept).await, 0);
        store.release_hold(call, "x", now_us()).await.unwrap();
        assert_eq!(log.remove(&store, &kept).await, 1);
        store.release_hold(all, "x", now_us()).await.unwrap();
        assert_eq!(log.remove(&store, &kept).await, 1);
        assert_eq!(log.wrong(&store).await, []);
        // One that was placed while the file was read.
        let last = store.heads().await.unwrap().remove(0);
        let before = hold(&store, "other", None).await - 1;
        assert!(!store.cut(&last, before).await.unwrap());
        assert!(store.cut(&last, before + 1).await.unwrap());
    }
}

/// Nothing goes that was tampered with, that is young, or of which nobody knows how long it is kept.
#[tokio::test]
async fn a_day_that_is_in_doubt_stays() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let log = Log::of_days(&store, &[("acme", 1), ("acme", 2)]).await;
        assert_eq!(log.remove(&store, &|_| None).await, 0);
        let first = files(log.root()).remove(0);
        let text = fs::read_to_string(&first).unwrap();
        fs::write(&first, text.replacen("something", "someThing", 1)).unwrap();
        assert_eq!(log.remove(&store, &|_| Some(1_096)).await, 0);
        // Cut off at the end of a line: what follows does not follow from it.
        let shorter: Vec<_> = text.lines().take(1).collect();
        fs::write(&first, shorter.join("\n") + "\n").unwrap();
        assert_eq!(log.remove(&store, &|_| Some(1_096)).await, 0);
        fs::write(&first, text).unwrap();
        assert_eq!(log.remove(&store, &|_| Some(1_096)).await, 2);
        assert_eq!(log.wrong(&store).await, []);

        // The tables refuse what is younger than its floor, whoever asks and however.
        let head = log.audit.settled().await.unwrap().head;
        assert!(store.cut(&head, 0).await.is_err());
        for change in ["DELETE FROM audit_cut", "UPDATE audit_cut SET day = '2000-01-01'"] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
    }
}

/// The log of a process that is dead and that nobody goes on with is removed to its end.
#[tokio::test]
async fn the_log_of_a_dead_process_goes_with_its_last_day_i_27() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let log = Log::of_days(&store, &[("acme", 1)]).await;
        let dead = Audit::open(log.root()).unwrap();
        for day in 1..=2 {
            dead.append(entry("acme", day));
        }
        assert!(Publisher::default().publish(&dead, &store).await);
        let folder = log.root().join(dead.log());
        assert_eq!(log.remove(&store, &|_| Some(1_096)).await, 1, "its process lives");
        assert_eq!(log.wrong(&store).await, []);
        drop(dead);
        let mut gone = 0;
        // Its lock goes with its thread.
        while folder.exists() {
            gone += log.remove(&store, &|_| Some(1_096)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(gone, 2);
        assert_eq!(log.wrong(&store).await, []);
        let known = Published { cuts: Vec::new(), ..store.published().await.unwrap() };
        let found = verify(log.root(), Some(&known), Extent::All).unwrap().findings;
        assert!(wrong(found).contains(&Wrong::Gone { to: 4 }), "somebody else removed it");
    }
}

/// A log that is written now, with entries of earlier days in it.
struct Log {
    root: TempDir,
    audit: Audit,
}

impl Log {
    /// An entry of a company on each of these days of January 2015, of the call with the day's number, and
    /// one of today. Each day has a beginning, too.
    async fn of_days(store: &Store, days: &[(&str, i64)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let audit = Audit::open(root.path()).unwrap();
        for (company, day) in days {
            audit.append(entry(company, *day));
        }
        audit.server_started();
        assert!(Publisher::default().publish(&audit, store).await);
        assert_eq!(files(root.path()).len(), days.len() + 1);
        Self { root, audit }
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    async fn remove(&self, store: &Store, kept: &(dyn Fn(&str) -> Option<u32> + Sync)) -> u64 {
        remove_old(&self.audit, self.root(), store, kept, now_us()).await.unwrap()
    }

    /// What is wrong with all logs, as the database has it.
    async fn wrong(&self, store: &Store) -> Vec<Wrong> {
        self.audit.settled().await.unwrap();
        let known = store.published().await.unwrap();
        wrong(verify(self.root(), Some(&known), Extent::All).unwrap().findings)
    }
}

fn wrong(findings: Vec<Finding>) -> Vec<Wrong> {
    findings.into_iter().map(|finding| finding.wrong).collect()
}

fn entry(company: &str, day: i64) -> Entry {
    let noon_us = i64::try_from(OLD_MS).unwrap() * 1_000 + 43_200_000_000;
    let body = json!({ "fact": "something" });
    let entry = Entry::new(Kind::Decision, company, body).at(noon_us + (day - 1) * 86_400_000_000);
    entry.of_call(&sid(usize::try_from(day).unwrap()))
}
