//! Looking for calls in the store, and what the command line shows of one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::process::{Command, Output};

use call_core::brief::Brief;
use call_core::company::Recording as Policy;
use call_core::step::RecordingReason;
use call_core::summary::Outcome;
use call_core::{CallTime, Fact, Language, Step};
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingCallback, RecordingStatus};
use places::{call_of, places};
use server::store::{Cursor, Error, Filter, Scope, Status, Store};

const BEGIN_US: i64 = 1_772_463_600_000_000;

/// Twelve calls, a minute apart, of two companies in turn. The last two go on.
async fn filled(url: &str) -> (Store, Vec<Brief>) {
    let store = Store::open(url).await.unwrap();
    let mut briefs = Vec::new();
    for number in 0..12 {
        let brief = Brief {
            call: sid(number),
            company: ["acme", "other"][number as usize % 2].to_owned(),
            // Two and two begin in the same millisecond.
            utc_start_ms: 1_772_463_600_000 + 60_000 * (number / 2),
            ..Brief::example()
        };
        store.begin_call(&brief).await.unwrap();
        if number < 10 {
            let (_, mut steps) = call_of(brief.clone());
            says(&mut steps, &format!("I want 100% of my PRÉSTAMO number{number}x, please."));
            store.end_call(&brief.call, &steps).await.unwrap();
        }
        briefs.push(brief);
    }
    (store, briefs)
}

fn says(steps: &mut [Step], text: &str) {
    let (started, ended) = (CallTime::from_millis(100), CallTime::from_millis(800));
    let text = text.to_owned();
    steps[1].facts.push(Fact::CallerLine {
        started,
        ended,
        language: Some(Language::English),
        text,
    });
}

fn sid(number: u64) -> String {
    format!("CA{number:032}")
}

async fn sids(store: &Store, filter: Filter) -> Vec<u64> {
    let page = store.calls(&Filter { count: 100, ..filter }).await.unwrap();
    assert_eq!(page.next, None);
    page.calls.iter().map(|call| call.sid[2..].parse().unwrap()).collect()
}

#[tokio::test]
async fn pages_hold_every_call_once_the_newest_first() {
    for place in places().await {
        let (store, briefs) = filled(place.url()).await;
        for count in [1, 2, 5, 12, 13] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let filter = Filter { count, after, ..Filter::default() };
                let page = store.calls(&filter).await.unwrap();
                assert!(page.calls.len() <= count as usize);
                seen.extend(page.calls.into_iter().map(|call| call.sid));
                let Some(next) = page.next else { break };
                // As it travels in a URL or on a command line.
                after = Some(next.to_string().parse::<Cursor>().unwrap());
            }
            let mut newest_first: Vec<_> = briefs.iter().map(|brief| brief.call.clone()).collect();
            newest_first.reverse();
            assert_eq!(seen, newest_first, "{count} on a page");
        }
        let filter = Filter { count: 0, ..Filter::default() };
        assert_eq!(store.calls(&filter).await.unwrap().calls.len(), 1, "no page is empty");
        let filter = Filter { count: u32::MAX, ..Filter::default() };
        assert_eq!(store.calls(&filter).await.unwrap().calls.len(), 12, "nor without an end");
    }
    assert!("yesterday".parse::<Cursor>().is_err() && "x-CA1".parse::<Cursor>().is_err());
}

#[tokio::test]
async fn every_condition_of_a_filter_holds() {
    for place in places().await {
        let (store, _) = filled(place.url()).await;
        let all = Filter::default;
        let since_us = Some(BEGIN_US);
        let company = Some("acme".to_owned());
        assert_eq!(sids(&store, Filter { company, ..all() }).await, [10, 8, 6, 4, 2, 0]);
        let minute = |minute: i64| Some(BEGIN_US + 60_000_000 * minute);
        let (from, to) = (minute(1), minute(3));
        let between = Filter { since_us: from, until_us: to, ..all() };
        assert_eq!(
            sids(&store, between).await,
            [5, 4, 3, 2],
            "the first time counts, not the last"
        );
        let live = Filter { status: Some(Status::Live), ..all() };
        assert_eq!(sids(&store, live).await, [11, 10]);
        assert_eq!(sids(&store, Filter { status: Some(Status::Ended), ..all() }).await.len(), 10);
        let reason = |word: &str| Filter { reason: Some(word.to_owned()), ..all() };
        assert_eq!(sids(&store, reason("caller_hangup")).await.len(), 10);
        assert!(sids(&store, reason("no_input")).await.is_empty());
        let said = |words: &str| Filter { said: Some(words.to_owned()), since_us, ..all() };
        assert_eq!(sids(&store, said("my prestamo number7X")).await, [7]);
        assert_eq!(sids(&store, said(" Préstamo ")).await.len(), 10);
        let outcome = |outcome| Filter { outcome: Some(outcome), ..all() };
        assert_eq!(sids(&store, outcome(Outcome::Talked)).await.len(), 10);
        assert!(sids(&store, outcome(Outcome::Paid)).await.is_empty());
        assert_eq!(sids(&store, said("100% of")).await.len(), 10);
        for other in ["1_0", "100%my", "caller_hangup", "acme", "\\", "'; DROP TABLE call; --"] {
            assert!(sids(&store, said(other)).await.is_empty(), "{other}");
        }
        let of_all_times = Filter { said: Some("x".to_owned()), ..all() };
        assert!(matches!(store.calls(&of_all_times).await, Err(Error::Unbounded)));
    }
}

/// I-10: in SQLite, too, which has no security of its own.
#[tokio::test]
async fn a_company_finds_its_own_calls_and_no_others_i_10() {
    for place in places().await {
        let (store, briefs) = filled(place.url()).await;
        for brief in &briefs[..10] {
            for company in ["acme", "other", ""] {
                let (scope, is_theirs) = (Scope::Company(company), company == brief.company);
                let record = store.call_of(scope, &brief.call).await.unwrap();
                assert_eq!(record.is_some(), is_theirs);
                let steps = store.journal_of(scope, &brief.call).await.unwrap();
                assert_eq!(!steps.is_empty(), is_theirs);
                let stored = store.stored_journal_of(scope, &brief.call).await.unwrap();
                assert_eq!(stored.is_some(), is_theirs);
                assert_eq!(store.story_of(scope, &brief.call).await.unwrap().is_some(), is_theirs);
            }
            assert!(store.call_of(Scope::Every, &brief.call).await.unwrap().is_some());
        }
        let said = Some("prestamo".to_owned());
        let filter = Filter {
            company: Some("third".to_owned()),
            said,
            since_us: Some(0),
            ..Filter::default()
        };
        assert!(sids(&store, filter).await.is_empty());
    }
}

/// Whether a call was recorded, from when to when, when not and why, and what there is to be heard.
#[tokio::test]
async fn the_record_of_a_call_tells_what_was_recorded_of_it() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let brief = Brief { call: sid(1), recording: Policy::On, ..Brief::example() };
        let (_, mut steps) = call_of(brief);
        for (place, (at_ms, on)) in [(300, false), (600, true)].into_iter().enumerate() {
            let facts = vec![Fact::RecordingState { on, why: RecordingReason::NumberKeyed }];
            let at = CallTime::from_millis(at_ms);
            steps.insert(place + 1, Step { at, facts, ..steps[place + 1].clone() });
        }
        store.end_call(&sid(1), &steps).await.unwrap();
        let (_, silent) = call_of(Brief { call: sid(2), ..Brief::example() });
        store.end_call(&sid(2), &silent).await.unwrap();
        for (number, status) in [
            (1, RecordingStatus::Completed),
            (2, RecordingStatus::Absent),
            (3, RecordingStatus::Completed),
        ] {
            let callback = RecordingCallback {
                account: Sid::parse("AC00000000000000000000000000000001").unwrap(),
                call: Sid::parse(&sid(1)).unwrap(),
                recording: Sid::parse(&format!("RE{number:032}")).unwrap(),
                status: Some(status),
                seconds: Some(42),
                started: Some("Sun, 22 Nov 2026 10:00:05 +0000".to_owned()),
                url: None,
            };
            let path = (number == 1).then_some("/somewhere");
            store.keep_recording("acme", &callback, status, path).await.unwrap();
        }
        store.close().await;
        let asked = |arguments: &[&str]| told(&run(place.url(), arguments));
        let (one, two) = (asked(&["show", &sid(1)]), asked(&["show", &sid(2)]));
        let began = "from 2026-11-22 10:00:05Z";
        for row in [
            "recorded   from 00:00.000 to 00:00.900\n",
            "paused     from 00:00.300 to 00:00.600, a number was keyed in\n",
            &format!("recording  RE{:032}  completed, 42 s, {began}, can be heard\n", 1),
            &format!("recording  RE{:032}  absent, {began}\n", 2),
            &format!(
                "recording  RE{:032}  completed, 42 s, {began}, said to lie at a strange address\n",
                3
            ),
        ] {
            assert!(one.contains(row), "{row}{one}");
        }
        assert!(two.contains("recorded   no, its company does not record\n"), "{two}");
        assert!(!two.contains("paused") && !two.contains("recording"), "{two}");
        let object: serde_json::Value =
            serde_json::from_str(&asked(&["show", &sid(1), "--json"])).unwrap();
        let heard: Vec<_> = object["recordings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["can_be_heard"])
            .collect();
        assert_eq!(heard, [true, false, false]);
        assert_eq!(object["summary"]["recording"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_command_line_lists_shows_and_tells() {
    for place in places().await {
        let (store, briefs) = filled(place.url()).await;
        store.close().await;
        let asked = |arguments: &[&str]| told(&run(place.url(), arguments));
        let list = asked(&["list", "--company", "acme", "--count", "2", "--since", "2026-01-01"]);
        let lines: Vec<_> = list.lines().collect();
        assert!(lines[1].contains(&briefs[10].call) && lines[1].ends_with("-  goes on"), "{list}");
        assert!(
            lines[2].contains(&briefs[8].call) && lines[2].ends_with("caller_hangup"),
            "{list}"
        );
        assert!(lines[2].starts_with("2026-03-02 15:04:00Z") && lines[2].contains("00:00.900"));
        let next = lines[4].strip_prefix("There are more: ").unwrap().split_once(' ').unwrap();
        let list = asked(&["list", "--json", "--company", "acme", "--count", "2", next.0, next.1]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list["calls"][0]["call"], briefs[6].call);
        assert_eq!(list["calls"][1]["end_reason"], "caller_hangup");
        assert!(list["next"].is_string());
        let said = ["list", "--said", "número0X", "--since", "2026-03-02T15:00:00Z"];
        assert_eq!(asked(&said), "There is no such call.\n");
        let said = ["list", "--said", "NÚMBER0x", "--until", "1m", "--since", "2026-03-01"];
        assert!(asked(&said).contains(&briefs[0].call));

        let record = asked(&["show", &briefs[3].call]);
        for row in [
            "company    other v1",
            "reason     caller_hangup",
            "journal    2 steps, ",
            "outcome    talked",
        ] {
            assert!(record.contains(row), "{record}");
        }
        let record: serde_json::Value =
            serde_json::from_str(&asked(&["show", &briefs[3].call, "--json"])).unwrap();
        assert_eq!((&record["summary"]["steps"], &record["duration_ms"]), (&2.into(), &900.into()));
        let story = asked(&["story", &briefs[3].call]);
        assert!(
            story.contains("00:00.900  caller  \"I want 100% of my PRÉSTAMO number3x"),
            "{story}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let [place, _] = places().await;
    let (store, briefs) = filled(place.url()).await;
    store.close().await;
    let fails = |url: &str, arguments: &[&str], code| {
        let output = run(url, arguments);
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = sid(99);
    for command in ["show", "story", "export"] {
        let error = fails(place.url(), &[command, &unknown], 1);
        assert!(error.contains(&format!("there is no call {unknown} in this database")), "{error}");
    }
    for command in ["story", "export"] {
        let error = fails(place.url(), &[command, &briefs[11].call], 1);
        assert!(error.contains("has no journal here yet: it is not over"), "{error}");
    }
    let error = fails(place.url(), &["list", "--since", "soon"], 2);
    assert!(error.contains("is neither a time"), "{error}");
    for count in ["0", "501"] {
        fails(place.url(), &["list", "--count", count], 2);
    }
    let error = fails("sqlite:///nowhere/calls.db", &["list"], 1);
    assert!(error.contains("DATABASE_URL"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("typo.db");
    fails(&format!("sqlite://{}", missing.display()), &["list"], 1);
    assert!(!missing.exists(), "looking makes no database");
    let existing = folder.path().join("call.jsonl");
    std::fs::write(&existing, "mine").unwrap();
    let file = existing.display().to_string();
    let error = fails(place.url(), &["export", &briefs[0].call, "--file", &file], 1);
    assert!(error.contains(&file) && std::fs::read_to_string(&existing).unwrap() == "mine");
}

/// I-21: what a server over real sockets left in its database, and the command line handed on, is the
/// same call again, byte by byte.
#[cfg(feature = "demo")]
#[tokio::test(flavor = "multi_thread")]
async fn an_exported_journal_of_a_real_call_replays_to_the_same_bytes_i_21() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = root.join("../scenarios/s29_en_espanol.ron");
    let scenario = sim::Scenario::load(&scenario).unwrap_or_else(|problem| panic!("{problem}"));
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("calls.db").display());
    let demo = server::demo::Demo::start(std::sync::Arc::new(scenario), &url).await.unwrap();
    let placed = demo.call(|_| {}).await.unwrap();
    demo.end().await.unwrap();

    let sid = &placed.record.sid;
    let file = folder.path().join("call.jsonl");
    told(&run(&url, &["export", sid, "--file", &file.display().to_string()]));
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(told(&run(&url, &["export", sid])), text);
    let steps = sim::journal::read(&text).unwrap();
    assert_eq!(steps, placed.steps);
    assert_eq!(sim::replay::replay(&steps), None);
    let mut again = Vec::new();
    sim::journal::write(&steps, &mut again).unwrap();
    assert!(again == text.as_bytes(), "every byte of it");
    assert_eq!(told(&run(&url, &["story", sid])), call_core::story::story(&steps));
    let found = told(&run(&url, &["list", "--said", "en que le puedo ayudar", "--since", "1h"]));
    assert!(found.contains(sid), "{found}");
}

fn run(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.env_clear().env("DATABASE_URL", url).arg("calls").args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
