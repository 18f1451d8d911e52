//! Summaries of calls: made once, whoever fails meanwhile. On both databases, with the provider of the
//! stand-ins.

#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use call_core::brief::Brief;
use call_core::{CallTime, Fact, Language, Step};
use call_transports::net::{Reader, install_crypto};
use jiff::Timestamp;
use places::{Place, call_of, places};
use server::app::App;
use server::metrics::{self, Metrics};
use server::outbox::{LEASE, Worker};
use server::store::{Class, Due, End, Scope, Standing, Store, SummaryText};
use sim::Scenario;
use standin::Deepgram;
use tokio::net::TcpListener;

/// Longer than any pause between two tries.
const DAYS_US: i64 = 2 * 24 * 60 * 60 * 1_000_000;

/// I-18: the record of the call is what it was before.
#[tokio::test]
async fn a_summary_is_written_once_when_its_provider_is_back_i_18() {
    for place in places().await {
        let (provider, reader) = provider().await;
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, &wanted(1), Some("I want to pay a part today.")).await;
        let record = store.call(&sid(1)).await.unwrap();
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };

        provider.reads(false);
        let now_us = now_us();
        assert_eq!(worker.round(now_us).await.unwrap(), 1);
        assert_eq!(text(&store, 1).await, None);
        assert_eq!(worker.round(now_us + 9_000_000).await.unwrap(), 0, "it waits");
        provider.reads(true);
        assert_eq!(worker.round(now_us + 13_000_000).await.unwrap(), 1);
        let kept = text(&store, 1).await.unwrap();
        assert_eq!(kept.text(), Some("They talked: 1 turns, 8 words."));
        assert_eq!(worker.round(now_us + DAYS_US).await.unwrap(), 0, "it is done");
        assert_eq!(provider.was_given(), ["Caller: I want to pay a part today.\n"; 2]);
        assert_eq!(store.call(&sid(1)).await.unwrap(), record);

        // The same end, told again, queues nothing.
        keep(&store, &wanted(1), Some("I want to pay a part today.")).await;
        assert_eq!(worker.round(now_us + DAYS_US).await.unwrap(), 0);
        assert_eq!(text(&store, 1).await, Some(kept));
    }
}

#[tokio::test]
async fn two_servers_at_once_do_everything_once() {
    const CALLS: u64 = 20;
    for place in places().await {
        let (provider, reader) = provider().await;
        let stores = [open(&place).await, open(&place).await];
        for number in 0..CALLS {
            keep(&stores[0], &wanted(number), Some(&format!("This is call number x{number}.")))
                .await;
        }
        let (now_us, metrics) = (now_us(), Metrics::new());
        let work = async |store: &Store| {
            let worker = Worker { store, reader: &reader, metrics: &metrics };
            let mut begun = 0;
            loop {
                match worker.round(now_us).await.unwrap() {
                    0 => return begun,
                    some => begun += some,
                }
            }
        };
        let (one, other) = tokio::join!(work(&stores[0]), work(&stores[1]));
        assert_eq!(one + other, 20);
        let mut given = provider.was_given();
        given.sort();
        given.dedup();
        assert_eq!((given.len(), provider.was_given().len()), (20, 20));
        for number in 0..CALLS {
            assert!(text(&stores[1], number).await.is_some_and(|text| text.text().is_some()));
        }
    }
}

#[tokio::test]
async fn what_a_killed_server_had_begun_is_anothers_when_its_lease_runs_out() {
    let lease_us = i64::try_from(LEASE.as_micros()).unwrap();
    for place in places().await {
        let (provider, reader) = provider().await;
        let (killed, other) = (open(&place).await, open(&place).await);
        keep(&killed, &wanted(1), Some("Good morning.")).await;
        let now_us = now_us();
        let [begun] = &killed.take_work(4, now_us, LEASE).await.unwrap()[..] else { panic!() };
        let metrics = Metrics::new();
        let worker = Worker { store: &other, reader: &reader, metrics: &metrics };
        assert_eq!(worker.round(now_us + lease_us - 1).await.unwrap(), 0);
        assert_eq!(worker.round(now_us + lease_us).await.unwrap(), 1);
        let kept = text(&other, 1).await;
        assert!(kept.is_some() && provider.was_given().len() == 1);
        // It was not dead after all, and comes too late.
        let late = End::Done(SummaryText::Text("Something else.".to_owned()));
        assert!(!killed.end_summary(begun, &late, now_us).await.unwrap());
        assert!(!killed.put_off(begun, now_us).await.unwrap());
        assert!(!killed.hand_back(begun, now_us).await.unwrap());
        assert_eq!(text(&other, 1).await, kept);
    }
}

#[tokio::test]
async fn what_a_server_leaves_when_it_ends_is_anothers_at_once() {
    for place in places().await {
        let (ending, other) = (open(&place).await, open(&place).await);
        keep(&ending, &wanted(1), Some("Good morning.")).await;
        let now_us = now_us();
        let begun = ending.take_work(4, now_us, LEASE).await.unwrap();
        assert_eq!(other.take_work(4, now_us, LEASE).await.unwrap(), []);
        assert_eq!(ending.give_back_work().await.unwrap(), 1);
        let [taken] = &other.take_work(4, now_us, LEASE).await.unwrap()[..] else { panic!() };
        let none = End::Done(SummaryText::without("no_words"));
        assert!(!ending.end_summary(&begun[0], &none, now_us).await.unwrap());
        assert_eq!(other.give_back_work().await.unwrap(), 1);
        assert_eq!((&begun[0].key, begun[0].attempts, taken.attempts), (&taken.key, 1, 2));
    }
}

#[tokio::test]
async fn what_fails_for_more_than_a_day_is_given_up_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let app = idle(folder.path()).await;
    keep(app.store(), &wanted(1), Some("Good morning.")).await;
    let mut now_us = now_us();
    let mut tries = 0;
    loop {
        // One that nobody has failed to ask before: a breaker that is open would not ask it.
        let (provider, reader) = provider().await;
        provider.reads(false);
        let worker = Worker { store: app.store(), reader: &reader, metrics: app.metrics() };
        if worker.round(now_us).await.unwrap() == 0 {
            break;
        }
        tries += 1;
        now_us += DAYS_US;
    }
    assert_eq!(tries, 7);
    keep(app.store(), &wanted(2), Some("Good morning.")).await;
    let none = SummaryText::without("failed");
    assert_eq!(text(app.store(), 1).await, Some(none));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(metrics::serve(app.clone(), listener));
    let scraped = support::scrape(address).await;
    for line in [
        "offhook_outbox_total{kind=\"summary\",outcome=\"again\"} 6",
        "offhook_outbox_total{kind=\"summary\",outcome=\"failed\"} 1",
        "offhook_outbox_waiting{kind=\"summary\"} 1",
        "offhook_outbox_oldest_seconds{kind=\"summary\"} 0",
        "offhook_outbox_given_up{kind=\"summary\"} 1",
    ] {
        assert!(scraped.lines().any(|there| there == line), "{line} is not in\n{scraped}");
    }
}

/// What nobody asked has not failed.
#[tokio::test]
async fn a_provider_that_is_not_asked_costs_no_attempt_f_mw_19() {
    for place in places().await {
        let (provider, reader) = provider().await;
        provider.reads(false);
        let store = open(&place).await;
        keep(&store, &wanted(1), Some("Good morning.")).await;
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
        let mut now_us = now_us();
        // Five failures open the breaker, and the pauses of more than two attempts follow.
        for attempts in [1, 2, 3, 4, 5, 5, 5, 5, 5, 5] {
            assert_eq!(worker.round(now_us).await.unwrap(), 1);
            now_us += DAYS_US;
            let waiting = store.undone(Scope::Every, Standing::Waiting, 9).await.unwrap();
            let [work] = &waiting[..] else { panic!("{waiting:?}") };
            assert_eq!(work.attempts, attempts);
        }
        assert_eq!(provider.was_given().len(), 5);
        assert_eq!(text(&store, 1).await, None);
        // It is looked at again soon, and not a day later.
        assert_eq!(worker.round(now_us).await.unwrap(), 1);
        assert_eq!(worker.round(now_us + 13_000_000).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn what_was_given_up_is_taken_up_again_when_somebody_says_so() {
    for place in places().await {
        let (_provider, reader) = provider().await;
        let store = open(&place).await;
        let other = Brief { company: "other".to_owned(), ..wanted(3) };
        for brief in [&wanted(1), &wanted(2), &other, &wanted(4)] {
            keep(&store, brief, Some("Good morning.")).await;
        }
        let mut work = store.take_work(9, now_us(), LEASE).await.unwrap();
        work.sort_by(|one, other| one.key.cmp(&other.key));
        for work in &work[..3] {
            let end = End::Failed("gave_up");
            assert!(store.end_summary(work, &end, now_us()).await.unwrap());
        }
        let done = End::Done(SummaryText::without("no_words"));
        assert!(store.end_summary(&work[3], &done, now_us()).await.unwrap());
        assert_eq!(text(&store, 1).await.unwrap().why_without(), Some("failed"));

        let backlog = async || {
            let backlogs = store.backlogs().await.unwrap();
            let [of] = &backlogs[..] else { panic!("{backlogs:?}") };
            assert_eq!(of.kind, "summary");
            ((of.waiting, of.oldest_us.map(|queued| queued > 0)), of.given_up)
        };
        assert_eq!(backlog().await, ((0, None), 3));
        let (told, status) = outbox(&place, &["list"]);
        assert_eq!((told.lines().count(), status), (3, 0), "{told}");
        let first = told.lines().next().unwrap();
        for part in ["summary", "acme", &sid(1), "tries 1", "gave_up"] {
            assert!(first.contains(part), "{part} is not in {first}");
        }
        let (told, _) = outbox(&place, &["list", "--company", "other"]);
        assert!(told.lines().count() == 1 && told.contains(&sid(3)), "{told}");
        assert_eq!(outbox(&place, &["list", "--waiting"]).0, "Nothing waits.\n");

        let id = first.split_whitespace().next().unwrap();
        assert_eq!(outbox(&place, &["retry", id]), ("Taken up again: 1\n".to_owned(), 0));
        assert_eq!(text(&store, 1).await, None, "it is to be made");
        assert!(outbox(&place, &["list", "--waiting"]).0.contains(&sid(1)));
        // It is not given up any more, one is done, and one is none.
        let of_done = place
            .lines("SELECT CAST(id AS TEXT) FROM outbox WHERE failed IS NULL AND ended_us > 0");
        for id in [id, &of_done.await[0], "4711"] {
            let (told, status) = outbox(&place, &["retry", id]);
            assert_eq!(status, 1, "{told}");
            assert!(told.contains("taken up again: 0; not given up: "), "{told}");
        }
        let others = ["retry", "--all-given-up", "--company", "other"];
        assert_eq!(outbox(&place, &others).0, "Taken up again: 1\n");
        assert_eq!(outbox(&place, &["retry", "--all-given-up"]).0, "Taken up again: 1\n");
        assert_eq!(outbox(&place, &["retry"]).1, 2);
        let notes = "SELECT body FROM audit_note WHERE kind = 'operator' ORDER BY id";
        let notes = place.lines(notes).await;
        assert_eq!(notes.len(), 3, "who did it is on record, and nothing of what came to nothing");
        assert!(notes[0].contains(&format!("\"work\":{id}")), "{notes:?}");
        assert!(notes.iter().all(|note| note.contains("outbox_retry")), "{notes:?}");

        assert_eq!(backlog().await, ((3, Some(true)), 0));
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
        assert_eq!(worker.round(now_us()).await.unwrap(), 3);
        assert_eq!(store.backlogs().await.unwrap(), []);
        for number in [1, 2] {
            assert!(text(&store, number).await.unwrap().text().is_some());
        }
        for change in [
            "UPDATE outbox SET ended_us = NULL",
            "UPDATE outbox SET failed = 'x' WHERE failed IS NULL",
        ] {
            assert!(place.try_to(change).await.is_err(), "what is done stays done: {change}");
        }
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_summed_up_says_why_and_nobody_is_told_of_it() {
    for place in places().await {
        let (provider, reader) = provider().await;
        let store = open(&place).await;
        let spanish = Brief { language: Language::Spanish, ..wanted(1) };
        keep(&store, &spanish, Some("Quiero pagar una parte hoy.")).await;
        keep(&store, &wanted(2), None).await;
        let unwanted = Brief { summaries: false, ..wanted(3) };
        keep(&store, &unwanted, Some("I want to pay a part today.")).await;
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
        assert_eq!(worker.round(now_us()).await.unwrap(), 2);
        let why = async |number| text(&store, number).await.unwrap();
        assert_eq!(why(1).await.why_without(), Some("language"));
        assert_eq!(why(2).await.why_without(), Some("no_words"));
        assert_eq!(text(&store, 3).await, None);
        assert!(provider.was_given().is_empty());
    }
}

/// I-18, I-10: the tables refuse by themselves what our statements never say.
#[tokio::test]
async fn the_tables_keep_what_was_made_of_a_call_i_18() {
    for place in places().await {
        let (_provider, reader) = provider().await;
        let store = open(&place).await;
        // A call of today: nothing of it may go.
        let today = u64::try_from(Timestamp::now().as_millisecond()).unwrap();
        keep(&store, &Brief { utc_start_ms: today, ..wanted(1) }, Some("Good morning.")).await;
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
        assert_eq!(worker.round(now_us()).await.unwrap(), 1);
        for change in [
            "UPDATE summary_text SET text = 'x'",
            "DELETE FROM summary_text",
            "UPDATE outbox SET ended_us = NULL",
            "UPDATE outbox SET attempts = 0",
            "INSERT INTO outbox (company, call_sid, kind, key, not_before_us) \
             SELECT company, sid, 'summary', sid, 0 FROM call",
            "INSERT INTO outbox (company, call_sid, kind, key, not_before_us) \
             SELECT 'other', sid, 'summary', 'x', 0 FROM call",
            "INSERT INTO outbox (company, kind, key, not_before_us) VALUES ('acme', 'x', 'x', 0)",
        ] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
        assert!(text(&store, 1).await.unwrap().text().is_some());
    }
}

/// A text is made of the journal, and goes with it, unless somebody holds the call.
#[tokio::test]
async fn a_text_goes_with_the_journal_that_it_was_made_of() {
    for place in places().await {
        let (_provider, reader) = provider().await;
        let store = open(&place).await;
        // 2015-01-01 UTC.
        let old = |number| Brief { utc_start_ms: 1_420_070_400_000, ..wanted(number) };
        for number in [1, 2] {
            keep(&store, &old(number), Some("Good morning.")).await;
        }
        let metrics = Metrics::new();
        let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
        assert_eq!(worker.round(now_us()).await.unwrap(), 2);
        let hold = "INSERT INTO legal_hold (company, call_sid, reason, placed_us, placed_by) \
            VALUES ('acme', 'CA00000000000000000000000000000002', 'Doe', 0, 'jo')";
        place.try_to(hold).await.unwrap();
        assert!(place.try_to("DELETE FROM summary_text").await.is_err(), "one is held");
        let until_us = now_us() - 1_096 * DAYS_US / 2;
        let due = Due { company: "acme", class: Class::Journal, until_us, by: "x" };
        assert_eq!(store.delete_due(&due, 0, now_us()).await.unwrap().how_many, 1);
        assert_eq!(text(&store, 1).await, None);
        assert!(text(&store, 2).await.is_some());
    }
}

#[tokio::test]
async fn the_command_shows_a_call_in_short() {
    let [sqlite, _] = places().await;
    let (_provider, reader) = provider().await;
    let store = open(&sqlite).await;
    keep(&store, &wanted(1), Some("Good morning.")).await;
    let spanish = Brief { language: Language::Spanish, ..wanted(2) };
    keep(&store, &spanish, Some("Buenos días.")).await;
    let show = |number, json: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["calls", "show", &sid(number)]).args(json.then_some("--json"));
        let output = command.env("DATABASE_URL", sqlite.url()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!show(1, false).contains("in short"), "it is not made yet");
    let metrics = Metrics::new();
    let worker = Worker { store: &store, reader: &reader, metrics: &metrics };
    assert_eq!(worker.round(now_us()).await.unwrap(), 2);
    let line = "in short   They talked: 1 turns, 3 words.\n";
    assert!(show(1, false).contains(line), "{}", show(1, false));
    assert!(show(2, false).contains("in short   none: language\n"));
    let told = |number| serde_json::from_str::<serde_json::Value>(&show(number, true)).unwrap();
    assert_eq!(told(1)["summary_text"], "They talked: 1 turns, 3 words.");
    assert_eq!(
        (&told(2)["summary_text"], &told(2)["no_summary_text"]),
        (&().into(), &"language".into())
    );
}

/// What the command says, and its exit status.
fn outbox(place: &Place, arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    let command = command.arg("outbox").args(arguments).env("DATABASE_URL", place.url());
    let output = command.output().unwrap();
    let told = if output.status.success() { output.stdout } else { output.stderr };
    (String::from_utf8(told).unwrap(), output.status.code().unwrap())
}

/// A call with a company that wants summaries.
fn wanted(number: u64) -> Brief {
    Brief { call: sid(number), summaries: true, ..Brief::example() }
}

fn sid(number: u64) -> String {
    format!("CA{number:032}")
}

/// Closes the record of a call in which the caller said this, or nothing.
async fn keep(store: &Store, brief: &Brief, words: Option<&str>) {
    let (brief, mut steps) = call_of(brief.clone());
    if let Some(words) = words {
        says(&mut steps[1], brief.language, words);
    }
    store.end_call(&brief.call, &steps).await.unwrap();
}

fn says(step: &mut Step, language: Language, words: &str) {
    step.facts.push(Fact::CallerLine {
        started: CallTime::from_millis(100),
        ended: CallTime::from_millis(800),
        language: Some(language),
        text: words.to_owned(),
    });
}

async fn text(store: &Store, number: u64) -> Option<SummaryText> {
    store.summary_text_of(Scope::Company("acme"), &sid(number)).await.unwrap()
}

async fn open(place: &Place) -> Store {
    Store::open(place.url()).await.unwrap()
}

fn now_us() -> i64 {
    // What was queued just now is due.
    Timestamp::now().as_microsecond() + 1_000_000
}

/// The stand-in for Deepgram, and a client of it.
async fn provider() -> (Deepgram, Reader) {
    install_crypto();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios/late_payment.ron");
    let deepgram = Deepgram::new(Arc::new(Scenario::load(&root).unwrap()), "key");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, deepgram.clone().router()).into_future());
    let reader = Reader::new(&format!("http://{address}"), "key".to_owned().into()).unwrap();
    (deepgram, reader)
}

/// A server that serves nobody and does nothing by itself.
async fn idle(folder: &Path) -> App {
    let nobody = "127.0.0.1:9".parse().unwrap();
    App::new(support::config(nobody, nobody, &folder.join("calls.db"))).await.unwrap()
}
