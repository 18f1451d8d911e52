//! The store on a real SQLite file and on a real PostgreSQL: what holds for one holds for both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::fs;
use std::time::Duration;

use call_core::brief::{Brief, Direction};
use call_core::input::Carrier;
use call_core::{Call, CallTime, Input, Language};
use places::{call, call_of, places};
use server::store::{Closing, Error, INTERNAL, Store};

#[tokio::test]
async fn a_call_is_read_as_it_was_written() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, steps) = call();
        store.begin_call(&brief).await.unwrap();
        let live = store.call(&brief.call).await.unwrap().unwrap();
        assert_eq!(live.ended, None);
        assert_eq!(store.unended().await.unwrap(), [live]);

        assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
        // Another process, later.
        store.close().await;
        let store = Store::open(place.url()).await.unwrap();
        let record = store.call(&brief.call).await.unwrap().unwrap();
        assert_eq!((&record.sid, &record.company), (&brief.call, &brief.company));
        assert_eq!((record.language, record.direction), (Language::English, Direction::Inbound));
        assert_eq!((&record.from_masked, &record.to_masked), (&brief.from, &brief.to));
        assert_eq!((record.config_version, &record.prompt_hash), (1, &brief.prompt_hash));
        let ended = record.ended.unwrap();
        assert_eq!((ended.duration_ms, &*ended.reason), (900, "caller_hangup"));
        assert_eq!(record.started_us, 1_772_463_600_000_000);
        assert_eq!(ended.at_us, record.started_us + 900_000);
        assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
        assert_eq!(store.unended().await.unwrap(), []);
        assert!(store.is_well().await);
    }
}

/// F-PR-07: the wall clock is read once, for the start; everything after is counted from there by a
/// clock that only goes on. So a jump of the wall clock moves a call and does not bend it.
#[tokio::test]
async fn a_call_is_as_long_as_it_was_wherever_the_wall_clock_jumps_i_18() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let year_2100_ms = 4_102_444_800_000;
        for (number, utc_start_ms) in [0, 1, year_2100_ms].into_iter().enumerate() {
            let call = format!("CA{number:032}");
            let (brief, steps) = call_of(Brief { call, utc_start_ms, ..Brief::example() });
            store.begin_call(&brief).await.unwrap();
            assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
            let record = store.call(&brief.call).await.unwrap().unwrap();
            let ended = record.ended.unwrap();
            assert_eq!(ended.duration_ms, 900);
            assert_eq!(ended.at_us, record.started_us + 900_000);
        }
    }
}

#[tokio::test]
async fn the_second_end_of_a_call_changes_nothing_i_18() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, steps) = call();
        // Nobody opened the record: the journal itself is enough.
        assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
        let record = store.call(&brief.call).await.unwrap();
        let (mut other, first) = Call::new(brief.clone());
        let mut longer = vec![first];
        longer.extend(other.step(CallTime::from_millis(5_000), Input::Carrier(Carrier::Lost)));
        assert_eq!(store.end_call(&brief.call, &longer).await.unwrap(), Closing::Before);
        assert_eq!(store.fail_call(&brief, CallTime::ZERO, &[]).await.unwrap(), Closing::Before);
        store.begin_call(&brief).await.unwrap();
        assert_eq!(store.call(&brief.call).await.unwrap(), record);
        assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_what_is_over_i_18() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, steps) = call();
        store.end_call(&brief.call, &steps).await.unwrap();
        let changes = [
            "UPDATE call SET end_reason = 'no_input'",
            "UPDATE call SET status = 'live', ended_us = NULL, duration_ms = NULL, end_reason = NULL",
            "UPDATE conversation_log SET step = '{}'",
            "INSERT INTO conversation_log VALUES ('CA0', 'acme', 0, 0, '{}')",
            "INSERT INTO conversation_log SELECT sid, company, 99, 0, 'not json' FROM call",
            // A line of one company's in a call of another's (I-10).
            "INSERT INTO conversation_log SELECT sid, 'other', 99, 0, '{}' FROM call",
        ];
        for change in changes {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
        assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
    }
}

#[tokio::test]
async fn a_number_in_clear_does_not_get_in() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let brief = Brief { from: "+15550100101".to_owned(), ..Brief::example() };
        assert!(matches!(store.begin_call(&brief).await, Err(Error::Query(_))));
    }
}

#[tokio::test]
async fn a_call_that_we_lost_has_a_record_without_a_journal() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, _) = call();
        let closing = store.fail_call(&brief, CallTime::from_millis(700), &[]).await.unwrap();
        assert_eq!(closing, Closing::Now);
        let ended = store.call(&brief.call).await.unwrap().unwrap().ended.unwrap();
        assert_eq!((ended.duration_ms, &*ended.reason), (700, INTERNAL));
        assert_eq!(store.journal(&brief.call).await.unwrap(), []);
    }
}

#[tokio::test]
async fn steps_of_another_call_are_refused() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, steps) = call();
        let other = "CA00000000000000000000000000000099";
        assert!(matches!(store.end_call(other, &steps).await, Err(Error::Headless)));
        assert!(matches!(store.end_call(&brief.call, &steps[1..]).await, Err(Error::Headless)));
        assert_eq!(store.call(&brief.call).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_hundred_calls_can_end_at_once() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let endings = (0..100).map(|number| {
            let brief = Brief { call: format!("CA{number:032}"), ..Brief::example() };
            let store = store.clone();
            tokio::spawn(async move {
                let (_, steps) = call_of(brief.clone());
                store.end_call(&brief.call, &steps).await.unwrap()
            })
        });
        for ending in endings.collect::<Vec<_>>() {
            assert_eq!(ending.await.unwrap(), Closing::Now);
        }
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere").join("calls.db");
    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, "this is no database, whatever its name says").unwrap();
    let urls = [
        format!("sqlite://{}", missing.display()),
        format!("sqlite://{}", garbage.display()),
        "postgres://me:secret@127.0.0.1:1/calls".to_owned(),
        "mysql://me:secret@db.example/calls".to_owned(),
    ];
    for url in urls {
        let error = Store::open(&url).await.unwrap_err().to_string();
        assert!(error.contains("DATABASE_URL") && !error.contains("secret"), "{error}");
    }
}

/// F-DB-05: what is written twice is there once, and that is no error.
#[tokio::test]
async fn a_call_that_is_opened_twice_is_opened_f_db_05() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, _) = call();
        store.begin_call(&brief).await.unwrap();
        store.begin_call(&brief).await.unwrap();
        assert_eq!(store.unended().await.unwrap().len(), 1);
    }
}

/// F-DB-12: a change that is given up in the middle, at whatever point, leaves nothing behind, and
/// nothing locked.
#[tokio::test]
async fn a_change_that_is_given_up_leaves_nothing_f_db_12() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, mut steps) = call();
        let last = steps[1].clone();
        steps.resize(300, last);
        let mut given_up = 0;
        for patience in (0..40).map(|step| Duration::from_micros(200 * step)) {
            let ending = store.end_call(&brief.call, &steps);
            if tokio::time::timeout(patience, ending).await.is_ok() {
                break;
            }
            given_up += 1;
            assert_eq!(store.journal(&brief.call).await.unwrap(), []);
        }
        assert!(given_up > 3, "{given_up}");
        store.end_call(&brief.call, &steps).await.unwrap();
        assert_eq!(store.journal(&brief.call).await.unwrap().len(), 300);
    }
}

/// F-DB-09: tables of a version that this server does not know are not used.
#[tokio::test]
async fn tables_of_another_version_are_refused_f_db_09() {
    for place in places().await {
        Store::open(place.url()).await.unwrap().close().await;
        let newer = "INSERT INTO _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     SELECT 9999, 'of tomorrow', success, checksum, 0 FROM _sqlx_migrations \
                     WHERE version = 1";
        place.try_to(newer).await.unwrap();
        let error = Store::open(place.url()).await.unwrap_err();
        assert!(matches!(error, Error::Tables(_) | Error::Versions), "{error}");
    }
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let sqlite = "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" THEN ' NOT NULL' \
        ELSE '' END AS line FROM sqlite_master m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' \
        AND m.name NOT LIKE 'sqlite%' ORDER BY line";
    let postgres = "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' \
        THEN ' NOT NULL' ELSE '' END AS line FROM information_schema.columns \
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' ORDER BY 1";
    let mut tables = Vec::new();
    for (place, statement) in places().await.iter().zip([sqlite, postgres]) {
        Store::open(place.url()).await.unwrap().close().await;
        tables.push(place.lines(statement).await);
    }
    assert!(tables[0].contains(&"call.sid NOT NULL".to_owned()), "{tables:?}");
    assert_eq!(tables[0], tables[1]);
}
