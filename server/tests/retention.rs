//! What is deleted when its time is over, what never is, and what a hold keeps: in both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod kept;
mod places;
mod postgres;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use call_core::brief::Brief;
use call_core::company::{Company, Retention};
use call_transports::twilio::recording::RecordingStatus;
use kept::{
    ACCOUNT, OLD_MS, carrier, carrier_that, hold, keep, keep_as, keys, now_ms, recording, sid,
    there, told,
};
use places::{Place, places};
use server::company::registry::Registry;
use server::company::{Tenant, versions};
use server::retention::{Days, Keeper, Sweeper, Swept, count, delete_media, keepers};
use server::store::{Caller, Class, Counted, Due, Listed, NewHold, Placed, Released, Store};
use server::times::now_us;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn what_is_over_goes_and_what_is_young_or_live_stays() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, OLD_MS).await;
        keep(&store, "acme", 2, now_ms() - 1_095 * 86_400_000).await;
        keep(&store, "other", 3, OLD_MS).await;
        let live = Brief { call: sid(4), utc_start_ms: OLD_MS, ..Brief::example() };
        store.begin_call(&live).await.unwrap();

        let swept = Sweeper::new(DAY).sweep(&store, "acme", Days::default()).await.unwrap();
        assert_eq!(swept, Swept::Done([1; 4]));
        assert!(!there(&store, 1).await);
        for number in 2..=4 {
            assert!(there(&store, number).await, "{number}");
        }
        assert!(!store.journal(&sid(2)).await.unwrap().is_empty());
        assert!(store.caller(&sid(1)).await.unwrap().is_none());
        assert!(store.caller(&sid(2)).await.unwrap().is_some());
        assert_eq!(store.recordings(&sid(1)).await.unwrap(), []);
        assert_eq!(rows_of(&place, 1).await, 0, "something of the call is left");

        let log = store.deletions(None).await.unwrap();
        let log: Vec<_> = log.iter().map(|line| (&*line.class, line.how_many)).collect();
        assert_eq!(log, [("call", 1), ("journal", 1), ("caller", 1), ("recording", 1)]);
        assert_eq!(store.deletions(Some("other")).await.unwrap(), []);
        assert_eq!(store.media_listed().await.unwrap(), Listed { all: 1, held: 0, refused: 0 });
        let media = store.media_due(now_us()).await.unwrap().unwrap();
        assert_eq!(media.recording_sid, recording(1));
    }
}

#[tokio::test]
async fn each_class_goes_after_its_own_time() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, OLD_MS).await;
        keep(&store, "acme", 2, now_ms() - 10 * 86_400_000).await;
        let long = Days::of(&company(Retention { call: 36_525, recording: 36_525, ..kept(9) }));
        let swept = Sweeper::new(DAY).sweep(&store, "acme", long).await.unwrap();
        // A caller's number has no floor; a journal of ten days does.
        assert_eq!(swept, Swept::Done([0, 2, 1, 0]));
        assert!(there(&store, 1).await);
        assert_eq!(store.journal(&sid(1)).await.unwrap(), []);
        assert!(!store.journal(&sid(2)).await.unwrap().is_empty());
        assert_eq!(store.recordings(&sid(1)).await.unwrap().len(), 1);
    }
}

/// C-20, of what is there without payments: whoever asks, and however, the tables refuse.
#[tokio::test]
async fn the_tables_keep_what_is_young_or_live_and_what_tells_of_holds_and_deletions() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, now_ms() - 1_095 * 86_400_000).await;
        keep(&store, "acme", 2, OLD_MS).await;
        Sweeper::new(DAY).sweep(&store, "acme", Days::default()).await.unwrap();
        let hold = hold(&store, "acme", Some(1)).await;
        assert_eq!(store.release_hold(hold, "x", 5).await.unwrap(), Released::Now);
        assert_eq!(store.release_hold(hold, "x", 5).await.unwrap(), Released::Before);
        assert_eq!(store.release_hold(hold + 9, "x", 5).await.unwrap(), Released::Unknown);
        for statement in [
            "DELETE FROM call",
            "DELETE FROM conversation_log",
            "DELETE FROM summary",
            "DELETE FROM recording",
            "DELETE FROM legal_hold",
            "DELETE FROM deletion",
            "UPDATE deletion SET how_many = 9",
            "UPDATE legal_hold SET reason = 'another'",
            "UPDATE legal_hold SET released_us = NULL, released_by = NULL",
            "UPDATE legal_hold SET released_us = 6, released_by = 'y'",
        ] {
            assert!(place.try_to(statement).await.is_err(), "{statement}");
        }
        assert!(there(&store, 1).await);
        let live = Brief { call: sid(3), utc_start_ms: OLD_MS, ..Brief::example() };
        store.begin_call(&live).await.unwrap();
        let caller = Caller::new(&keys(), &live.company, &live.call, "+15550100101");
        store.keep_caller(&live.company, &live.call, &caller).await.unwrap();
        let of_live = "DELETE FROM caller WHERE call_sid = 'CA00000000000000000000000000000003'";
        assert!(place.try_to(of_live).await.is_err(), "its call goes on");
        let recorded = "INSERT INTO recording (sid, call_sid, company, status) \
            VALUES ('RE9', 'CA00000000000000000000000000000009', 'acme', 'absent')";
        place.try_to(recorded).await.unwrap();
        let old = "DELETE FROM recording WHERE sid = 'RE9'";
        assert!(place.try_to(old).await.is_err(), "nobody knows how old it is");
        let moved = "UPDATE recording SET company = 'other' WHERE sid = 'RE9'";
        assert!(place.try_to(moved).await.is_err());
    }
}

/// To empty a table asks no row, so PostgreSQL has to be told of it.
#[tokio::test]
async fn nobody_empties_a_table_of_what_is_kept() {
    let [_, place] = places().await;
    for statement in [
        "TRUNCATE call CASCADE",
        "TRUNCATE conversation_log",
        "TRUNCATE summary",
        "TRUNCATE summary_text",
        "TRUNCATE recording",
        "TRUNCATE caller",
        "TRUNCATE media_deletion",
        "TRUNCATE legal_hold",
        "TRUNCATE deletion",
        "TRUNCATE audit_head",
        "TRUNCATE audit_note",
        "TRUNCATE audit_cut",
    ] {
        let refusal = place.try_to(statement).await.unwrap_err();
        let code = refusal.as_database_error().unwrap().code();
        // integrity_constraint_violation, and not a table that is missing.
        assert_eq!(code.as_deref(), Some("23000"), "{statement}: {refusal}");
    }
}

/// The tables go by the database's clock, and refuse a transaction as a whole that asks too early. So a
/// server whose clock is ahead of it would delete nothing, were it not for the hour that it waits longer.
#[tokio::test]
async fn what_is_asked_for_too_early_keeps_the_rest_of_its_transaction() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, OLD_MS).await;
        keep(&store, "acme", 2, now_ms() - 1_096 * 86_400_000 + 30_000).await;
        let a_minute_ahead = now_us() - 1_096 * 86_400_000_000 + 60_000_000;
        let due = Due { company: "acme", class: Class::Journal, until_us: a_minute_ahead, by: "x" };
        assert!(store.delete_due(&due, 0, 1).await.is_err());
        assert!(!store.journal(&sid(1)).await.unwrap().is_empty());
        let an_hour_less = Due { until_us: a_minute_ahead - 3_600_000_000, ..due };
        assert_eq!(store.delete_due(&an_hour_less, 0, 1).await.unwrap().how_many, 1);
        assert!(!store.journal(&sid(2)).await.unwrap().is_empty());
    }
}

/// What the carrier refuses for good, or stumbles over each time, does not keep the rest from going.
#[tokio::test]
async fn sound_that_is_refused_for_good_does_not_stop_what_is_behind_it() {
    let refused = 101;
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        place
            .try_to(
                "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 102) \
                 INSERT INTO media_deletion (recording_sid, call_sid, company, since_us) \
                 SELECT 'RE' || substr('00000000000000000000000000000' || CAST(1000 + i AS TEXT), 2), \
                 'CA1', 'acme', i FROM n",
            )
            .await
            .unwrap();
        let (carrier, asked) = carrier_that(|path| {
            let number: usize = path[path.len() - 8..path.len() - 5].parse().unwrap();
            match number {
                0 => StatusCode::INTERNAL_SERVER_ERROR,
                102 => StatusCode::NO_CONTENT,
                _ => StatusCode::BAD_REQUEST,
            }
        })
        .await;
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 0);
        assert_eq!(asked.lock().unwrap().len(), 1, "a carrier in trouble is left alone");
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 1);
        assert_eq!(asked.lock().unwrap().len(), 1 + refused + 1);
        let listed = store.media_listed().await.unwrap();
        assert_eq!(listed, Listed { all: 102, held: 0, refused: 102 });
        assert_eq!(store.media_due(now_us()).await.unwrap(), None);
        let in_a_week = now_us() + 7 * 86_400_000_000;
        assert!(store.media_due(in_a_week).await.unwrap().is_some(), "it is asked for again");
    }
}

/// C-20: the carrier told of them, and no record of their calls ever came.
#[tokio::test]
async fn recordings_of_calls_without_a_record_go_after_their_time() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        for (number, company) in [(1, "acme"), (2, "nobody"), (3, "nobody"), (4, "nobody")] {
            let told = told(number, RecordingStatus::Completed);
            store.keep_recording(company, &told, RecordingStatus::Completed, None).await.unwrap();
        }
        place
            .try_to(
                "INSERT INTO recording (sid, call_sid, company, status, known_us) VALUES \
                 ('RE00000000000000000000000000000005', 'CA00000000000000000000000000000005', \
                 'nobody', 'completed', 1), \
                 ('RE00000000000000000000000000000006', 'CA00000000000000000000000000000006', \
                 'nobody', 'in-progress', 1), \
                 ('RE00000000000000000000000000000007', 'CA00000000000000000000000000000007', \
                 'nobody', 'absent', 1), \
                 ('RE00000000000000000000000000000008', 'CA00000000000000000000000000000008', \
                 'acme', 'completed', 1)",
            )
            .await
            .unwrap();
        // A company that was imported has said, or will say, how long it keeps them.
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
        let tenant = Tenant::load(&file).unwrap();
        versions::import(&store, &[tenant], "x").await.unwrap();
        let keepers = keepers(&store, &Registry::load(&store).await.unwrap()).await.unwrap();
        let days = [("acme", None), ("nobody", Some(Days::default()))];
        let days = days.map(|(company, days)| Keeper { company: company.to_owned(), days });
        assert_eq!(keepers, days);

        let six = hold(&store, "nobody", Some(6)).await;
        let counted = count(&store, "nobody", Days::default()).await.unwrap();
        assert_eq!(counted[0], Counted { due: 2, held: 1 });
        let sweep = async || {
            Sweeper::new(Duration::ZERO).sweep(&store, "nobody", Days::default()).await.unwrap()
        };
        assert_eq!(sweep().await, Swept::Done([2, 0, 0, 0]));
        store.release_hold(six, "x", now_us()).await.unwrap();
        assert_eq!(sweep().await, Swept::Done([1, 0, 0, 0]));
        let left = place.lines("SELECT sid FROM recording ORDER BY sid").await;
        assert_eq!(left, [1, 2, 3, 4, 8].map(recording));
        let listed = "SELECT recording_sid FROM media_deletion ORDER BY recording_sid";
        assert_eq!(place.lines(listed).await, [5, 6].map(recording), "nothing was absent's");
    }
}

#[tokio::test]
async fn what_is_held_stays_until_the_last_hold_is_released() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        for number in 1..=3 {
            keep(&store, "acme", number, OLD_MS).await;
        }
        keep(&store, "other", 4, OLD_MS).await;
        let one = hold(&store, "acme", Some(1)).await;
        let two = hold(&store, "acme", Some(1)).await;
        let all = hold(&store, "other", None).await;
        for (company, gone) in [("acme", 2), ("other", 0)] {
            let swept = Sweeper::new(Duration::ZERO).sweep(&store, company, Days::default()).await;
            assert_eq!(swept.unwrap(), Swept::Done([gone; 4]), "{company}");
        }
        for statement in [
            "DELETE FROM call",
            "DELETE FROM conversation_log",
            "DELETE FROM summary",
            "DELETE FROM recording",
            "DELETE FROM caller",
        ] {
            let refusal = place.try_to(statement).await.unwrap_err().to_string();
            assert!(
                refusal.contains("a call is held") || statement == "DELETE FROM call",
                "{refusal}"
            );
        }
        assert!(there(&store, 1).await && there(&store, 4).await);
        store.release_hold(one, "x", now_us()).await.unwrap();
        store.release_hold(all, "x", now_us()).await.unwrap();
        for (company, gone) in [("acme", 0), ("other", 1)] {
            let swept = Sweeper::new(Duration::ZERO).sweep(&store, company, Days::default()).await;
            assert_eq!(swept.unwrap(), Swept::Done([gone; 4]), "{company}");
        }
        store.release_hold(two, "x", now_us()).await.unwrap();
        let swept = Sweeper::new(Duration::ZERO).sweep(&store, "acme", Days::default()).await;
        assert_eq!(swept.unwrap(), Swept::Done([1; 4]));
        let holds = store.holds(Some("acme")).await.unwrap();
        assert!(holds.len() == 2 && holds.iter().all(|hold| hold.released_us.is_some()));
    }
}

#[tokio::test]
async fn a_hold_needs_something_to_hold() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, OLD_MS).await;
        let (first, nobody) = (sid(1), sid(9));
        for (company, call, expected) in [
            ("acme", Some(&nobody), Placed::NoCall),
            ("other", Some(&first), Placed::NoCall),
            ("other", None, Placed::NoCompany),
        ] {
            let call = call.map(String::as_str);
            let hold = NewHold { company, call, reason: "case 1", by: "x", at_us: 1 };
            assert_eq!(store.place_hold(&hold).await.unwrap(), expected);
        }
        assert_eq!(store.holds(None).await.unwrap(), []);
    }
}

/// However the two meet: a call whose hold was placed is there with all that it had.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_placed_while_calls_are_deleted_keeps_its_call_or_says_it_is_gone() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let count = 60;
        for number in 0..count {
            keep(&store, "acme", number, OLD_MS + number as u64).await;
        }
        let sweeping = {
            let store = store.clone();
            tokio::spawn(async move {
                Sweeper::new(DAY).sweep(&store, "acme", Days::default()).await.unwrap()
            })
        };
        let mut held = BTreeSet::new();
        // From the newest on: the sweep comes from the other side.
        for number in (0..count).rev() {
            let call = sid(number);
            let hold = NewHold {
                company: "acme",
                call: Some(&call),
                reason: "case 1",
                by: "x",
                at_us: now_us(),
            };
            if let Placed::Now(_) = store.place_hold(&hold).await.unwrap() {
                let is_whole = !store.journal(&call).await.unwrap().is_empty();
                held.insert((number, is_whole));
            }
        }
        let swept = sweeping.await.unwrap();
        assert!(matches!(swept, Swept::Done(_)), "{swept:?}");
        assert!(!held.is_empty());
        for (number, is_whole) in &held {
            assert!(there(&store, *number).await, "{number}");
            let journal = store.journal(&sid(*number)).await.unwrap();
            assert_eq!(
                !journal.is_empty(),
                *is_whole,
                "the journal of {number} went after its hold"
            );
        }
        let left = place.lines("SELECT sid FROM call").await;
        assert_eq!(left.len(), held.len(), "a call is neither held nor gone");
    }
}

/// PostgreSQL lets both run at once, so one waits for the other and looks again.
#[tokio::test]
async fn placing_a_hold_and_deleting_wait_for_each_other() {
    let [_, place] = places().await;
    let store = Store::open(place.url()).await.unwrap();
    keep(&store, "acme", 1, OLD_MS).await;
    keep(&store, "acme", 2, OLD_MS).await;
    let mut other = PgConnection::connect(place.url()).await.unwrap();
    let call = sid(1);
    let hold = NewHold { company: "acme", call: Some(&call), reason: "case", by: "x", at_us: 1 };

    let begin = "BEGIN; SET LOCAL offhook.company = 'acme'";
    other.execute(sqlx::raw_sql(begin)).await.unwrap();
    let first = "DELETE FROM recording WHERE call_sid = 'CA00000000000000000000000000000001'; \
        DELETE FROM call WHERE sid = 'CA00000000000000000000000000000001'";
    other.execute(sqlx::raw_sql(first)).await.unwrap();
    let placing = store.place_hold(&hold);
    tokio::pin!(placing);
    assert!(timeout(Duration::from_millis(300), &mut placing).await.is_err(), "it did not wait");
    other.execute("COMMIT").await.unwrap();
    assert_eq!(placing.await.unwrap(), Placed::NoCall);

    other.execute(sqlx::raw_sql(begin)).await.unwrap();
    let held = "INSERT INTO legal_hold (company, reason, placed_us, placed_by) \
        VALUES ('acme', 'case', 1, 'x')";
    other.execute(held).await.unwrap();
    let due = Due { company: "acme", class: Class::Journal, until_us: now_us(), by: "x" };
    let deleting = store.delete_due(&due, 0, 1);
    tokio::pin!(deleting);
    assert!(timeout(Duration::from_millis(300), &mut deleting).await.is_err(), "it did not wait");
    other.execute("COMMIT").await.unwrap();
    // Refused by the trigger, or so late that it saw the hold by itself.
    let deleted = deleting.await;
    assert!(deleted.is_err() || deleted.is_ok_and(|deleted| deleted.how_many == 0));
    assert!(!store.journal(&sid(2)).await.unwrap().is_empty());
}

#[tokio::test]
async fn two_servers_do_not_sweep_one_company_at_once_and_each_day_one_does() {
    for place in places().await {
        let (one, two) =
            (Store::open(place.url()).await.unwrap(), Store::open(place.url()).await.unwrap());
        keep(&one, "acme", 1, OLD_MS).await;
        let lease = async |store: &Store, holder, now, before| {
            store.lease_sweep("acme", holder, (now, now + 10), before).await.unwrap()
        };
        assert!(lease(&one, "one", 100, 0).await);
        assert!(!lease(&two, "two", 105, 0).await);
        assert!(lease(&one, "one", 108, 0).await, "its holder goes on");
        assert!(!lease(&two, "two", 117, 0).await);
        assert!(lease(&two, "two", 119, 0).await, "its holder is gone");
        assert!(!lease(&one, "one", 120, 0).await);
        two.leave_sweep("acme", "two", None).await.unwrap();
        assert!(lease(&one, "one", 121, 0).await);
        one.leave_sweep("acme", "one", None).await.unwrap();

        let sweeper = Sweeper::new(DAY);
        let swept = sweeper.sweep(&one, "acme", Days::default()).await.unwrap();
        assert_eq!(swept, Swept::Done([1; 4]));
        for (store, sweeper) in [(&one, sweeper), (&two, Sweeper::new(DAY))] {
            let again = sweeper.sweep(store, "acme", Days::default()).await.unwrap();
            assert_eq!(again, Swept::NotOurs);
        }
    }
}

#[tokio::test]
async fn sound_is_deleted_at_the_carrier_however_long_that_takes() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        for number in 1..=3 {
            keep(&store, "acme", number, OLD_MS).await;
        }
        let third = hold(&store, "acme", Some(3)).await;
        Sweeper::new(Duration::ZERO).sweep(&store, "acme", Days::default()).await.unwrap();
        let (carrier, asked, status) = carrier().await;
        *status.lock().unwrap() = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 0);
        assert_eq!(asked.lock().unwrap().len(), 1, "a carrier in trouble is left alone");
        assert_eq!(store.media_listed().await.unwrap(), Listed { all: 2, held: 0, refused: 1 });

        // Of a call that is gone, and whose sound is not: it can still be held.
        let gone = sid(1);
        let case =
            NewHold { company: "acme", call: Some(&gone), reason: "case", by: "x", at_us: 1 };
        let Placed::OnSound(first) = store.place_hold(&case).await.unwrap() else {
            panic!("there is sound to be held");
        };
        assert_eq!(store.media_listed().await.unwrap(), Listed { all: 2, held: 1, refused: 1 });
        *status.lock().unwrap() = StatusCode::NO_CONTENT;
        asked.lock().unwrap().clear();
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 1);
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Recordings/{}.json", recording(2));
        assert_eq!(*asked.lock().unwrap(), [(Method::DELETE, path)]);

        // One that is refused does not keep the others from going.
        store.release_hold(first, "x", now_us()).await.unwrap();
        let another = "INSERT INTO media_deletion (recording_sid, call_sid, company, since_us) \
            VALUES ('RE00000000000000000000000000000077', 'CA77', 'acme', 1)";
        place.try_to(another).await.unwrap();
        place.try_to(ASK_NOW).await.unwrap();
        *status.lock().unwrap() = StatusCode::BAD_REQUEST;
        asked.lock().unwrap().clear();
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 0);
        assert_eq!(asked.lock().unwrap().len(), 2);
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 0);
        assert_eq!(asked.lock().unwrap().len(), 2, "both are left alone for a while");

        // Gone before is gone.
        place.try_to(ASK_NOW).await.unwrap();
        *status.lock().unwrap() = StatusCode::NOT_FOUND;
        store.release_hold(third, "x", now_us()).await.unwrap();
        Sweeper::new(Duration::ZERO).sweep(&store, "acme", Days::default()).await.unwrap();
        assert_eq!(delete_media(&store, &carrier, "judy").await.unwrap(), 3);
        assert_eq!(store.media_listed().await.unwrap().all, 0);
        let log = store.deletions(Some("acme")).await.unwrap();
        let sound = log.iter().filter(|line| line.class == "media");
        assert_eq!(sound.map(|line| line.how_many).sum::<i64>(), 4);
    }
}

#[tokio::test]
async fn where_nothing_was_recorded_the_carrier_is_not_asked() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep_as(&store, "acme", 1, OLD_MS, RecordingStatus::Absent).await;
        let swept = Sweeper::new(DAY).sweep(&store, "acme", Days::default()).await.unwrap();
        assert_eq!(swept, Swept::Done([1; 4]));
        assert_eq!(store.media_listed().await.unwrap().all, 0);
    }
}

/// Nobody knows how old they are, so they count from when the tables learned to know it.
#[tokio::test]
async fn recordings_from_before_the_tables_knew_their_age_count_from_then() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}?mode=rwc", folder.path().join("calls.db").display());
    let recorded = "INSERT INTO recording (sid, call_sid, company, status) \
        VALUES ('RE1', 'CA1', 'nobody', 'completed')";
    let mut sqlite = SqliteConnection::connect(&file).await.unwrap();
    tables_before("sqlite").await.run(&mut sqlite).await.unwrap();
    sqlite.execute(recorded).await.unwrap();
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    let mut postgres = PgConnection::connect(&owner).await.unwrap();
    tables_before("postgres").await.run(&mut postgres).await.unwrap();
    postgres.execute(recorded).await.unwrap();

    Store::migrate(&server, Some(&owner)).await.unwrap();
    for url in [file, server] {
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.recordings("CA1").await.unwrap().len(), 1);
        let now = store.companies_with_lost_recordings(now_us() - 60_000_000).await.unwrap();
        let soon = store.companies_with_lost_recordings(now_us() + 60_000_000).await.unwrap();
        assert_eq!((now.len(), soon), (0, vec!["nobody".to_owned()]));
        let due = Due { company: "nobody", class: Class::Recording, until_us: i64::MAX, by: "x" };
        assert!(store.delete_lost_recordings(&due, 1).await.is_err(), "the tables refuse it");
    }
}

/// The tables as they were before they knew how old a recording is.
async fn tables_before(kind: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(kind);
    let mut tables = Migrator::new(folder).await.unwrap();
    tables.migrations = tables.iter().filter(|one| one.version < 8).cloned().collect();
    tables
}

/// I-10: a transaction for one company sees and touches nothing of another's.
#[tokio::test]
async fn what_is_held_and_deleted_of_a_company_is_its_own_i_10() {
    let [_, place] = places().await;
    let store = Store::open(place.url()).await.unwrap();
    for (number, company) in [(1, "acme"), (2, "acme"), (3, "other"), (4, "other")] {
        keep(&store, company, number, OLD_MS).await;
    }
    hold(&store, "acme", Some(2)).await;
    hold(&store, "other", Some(4)).await;
    for company in ["acme", "other"] {
        let swept = Sweeper::new(DAY).sweep(&store, company, Days::default()).await.unwrap();
        assert_eq!(swept, Swept::Done([1; 4]));
    }
    let gone = "INSERT INTO recording_deleted SELECT 'RE' || sid, sid, company, 1 FROM call";
    place.try_to(gone).await.unwrap();
    let tables = [
        "caller",
        "legal_hold",
        "media_deletion",
        "deletion",
        "sweep",
        "audit_note",
        "recording_deleted",
    ];
    let mut server = PgConnection::connect(place.url()).await.unwrap();
    for (scope, companies) in [("acme", 1), ("other", 1), ("third", 0), ("", 0), ("*", 2)] {
        let mut transaction = server.begin().await.unwrap();
        let say = sqlx::query("SELECT set_config('offhook.company', $1, true)").bind(scope);
        say.execute(&mut *transaction).await.unwrap();
        for table in tables {
            let count = format!("SELECT count(DISTINCT company) FROM {table}");
            let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count));
            let count = count.fetch_one(&mut *transaction).await.unwrap();
            assert_eq!(count, companies, "{scope} {table}");
        }
        for change in ["UPDATE caller SET key_id = 'x'", "UPDATE sweep SET until_us = 1"] {
            let touched = transaction.execute(change).await.unwrap();
            assert_eq!(touched.rows_affected(), companies as u64, "{scope} {change}");
        }
        transaction.rollback().await.unwrap();
    }
}

/// The commands, as operators run them. What is wrong with the account is said before anything is deleted.
#[tokio::test]
async fn the_commands_hold_count_delete_and_tell() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        keep(&store, "acme", 1, OLD_MS).await;
        keep(&store, "acme", 2, OLD_MS).await;
        keep(&store, "gone", 3, OLD_MS).await;
        store.close().await;
        let url = place.url().to_owned();
        let run = |line: &str| -> (Option<i32>, String) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
            command.args(line.split(' ')).env_clear();
            command.env("DATABASE_URL", &url).env("USER", "judy");
            let Output { status, stdout, stderr } = command.output().unwrap();
            let told = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
            (status.code(), told)
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
        assert_eq!(run(&format!("company import {}", file.display())).0, Some(0));
        let (status, told) = run("retention run --dry-run");
        assert!(status == Some(3) && told.contains("acme: left alone"), "{told}");
        assert_eq!(run("company activate acme").0, Some(0));

        let place_one = format!("hold place --company acme --call {} --reason case-1", sid(1));
        assert_eq!(run(&place_one), (Some(0), "Hold 1 is placed.\n".to_owned()));
        let (status, told) = run("hold place --company nobody --reason case-1");
        assert!(status == Some(1) && told.contains("no company nobody"), "{told}");
        // What is written by one must not look like another hold in the list.
        assert_eq!(run("hold place --company acme --reason case-1\n---2").0, Some(2));
        assert_eq!(run("hold release 1 --by judy\n").0, Some(2));
        let (status, told) = run("hold list");
        assert!(status == Some(0) && told.contains("by judy  case-1") && told.contains(&sid(1)));
        let (_, told) = run("retention run --dry-run");
        assert!(told.contains("call       kept  1096 days  due      1  held      1\n"), "{told}");
        let wrong = "retention run --twilio-account-sid AC1 --twilio-auth-token s3cret";
        let (status, told) = run(wrong);
        assert!(status == Some(1) && told.contains("TWILIO_ACCOUNT_SID must be"), "{told}");
        assert_eq!(run("retention log").1, "Nothing was deleted.\n");
        let (_, told) = run("retention run --company nobody");
        assert_eq!(told, "No company of this name has calls on record.\n");
        let (status, told) = run("retention run");
        assert!(told.contains("journal    kept  1096 days  deleted      1\n"), "{told}");
        assert!(status == Some(3) && told.contains("gone: left alone"), "{told}");
        assert_eq!(run("retention run --company acme").0, Some(0));
        let (_, told) = run("retention log");
        assert!(
            told.lines().count() == 4 && told.contains("acme          call            1  ended")
        );
        assert_eq!(run("hold release 1"), (Some(0), "Hold 1 is released.\n".to_owned()));
        assert_eq!(run("hold list").1, "Nothing is held.\n");
        assert!(run("hold list --all").1.contains("released"));
        assert_eq!(run("hold release 7").0, Some(1));
    }
}

/// How many rows of any table belong to a call.
async fn rows_of(place: &Place, number: usize) -> usize {
    let all = "SELECT sid FROM call UNION ALL SELECT call_sid FROM conversation_log UNION ALL \
        SELECT call_sid FROM summary UNION ALL SELECT call_sid FROM recording UNION ALL \
        SELECT call_sid FROM caller UNION ALL SELECT call_sid FROM recording_deleted";
    place.lines(all).await.into_iter().filter(|call| *call == sid(number)).count()
}

fn company(retention: Retention) -> Company {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
    let company = Tenant::load(&file).unwrap().company().clone();
    Company { retention, ..company }
}

/// The caller's number for so many days, all else as it is kept anyway.
fn kept(caller: u32) -> Retention {
    Retention { caller, ..Retention::default() }
}

/// As when the pauses after what was asked for in vain are over.
const ASK_NOW: &str = "UPDATE media_deletion SET not_before_us = 0";
