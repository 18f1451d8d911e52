//! That PostgreSQL itself keeps one company's rows from another: statements here leave out every
//! condition that ours have.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;

use std::process::Command;
use std::time::Duration;

use call_core::brief::Brief;
use call_core::input::Carrier;
use call_core::{Call, CallTime, Input};
use server::store::{End, Error, Role, Store, SummaryText};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

/// I-10: a transaction for one company sees and touches nothing of another's.
#[tokio::test]
async fn no_statement_reaches_another_companys_rows_i_10() {
    let database = two_companies().await;
    let mut server = PgConnection::connect(&database.url("offhook")).await.unwrap();
    for (scope, calls) in [("acme", 1), ("other", 1), ("third", 0), ("", 0), ("*", 2)] {
        let mut transaction = server.begin().await.unwrap();
        let say = sqlx::query("SELECT set_config('offhook.company', $1, true)").bind(scope);
        say.execute(&mut *transaction).await.unwrap();
        for table in ["call", "conversation_log", "outbox", "summary_text"] {
            let count = format!("SELECT count(DISTINCT company) FROM {table}");
            let row = transaction.fetch_one(sqlx::AssertSqlSafe(count)).await.unwrap();
            assert_eq!(row.get::<i64, _>(0), calls, "{scope} {table}");
        }
        let change = "UPDATE call SET prompt_hash = 'x' WHERE status = 'live'";
        let touched = transaction.execute(change).await.unwrap();
        assert_eq!(touched.rows_affected(), u64::try_from(calls).unwrap(), "{scope}");
        transaction.rollback().await.unwrap();
    }
}

/// I-10: nor can it write a row in another's name, or say nothing and write any.
#[tokio::test]
async fn no_row_is_written_in_another_companys_name_i_10() {
    let database = two_companies().await;
    for scope in ["acme", ""] {
        let mut server = PgConnection::connect(&database.url("offhook")).await.unwrap();
        let say = sqlx::query("SELECT set_config('offhook.company', $1, false)").bind(scope);
        say.execute(&mut server).await.unwrap();
        for statement in [
            "UPDATE call SET company = 'other' WHERE company = 'acme' RETURNING sid",
            "INSERT INTO call (sid, company, config_version, prompt_hash, language, direction, \
             from_masked, to_masked, started_us, journal_version) \
             VALUES ('CA1', 'other', 1, 'h', 'en', 'inbound', '*', '*', 1, 3) RETURNING sid",
        ] {
            let rows = server.fetch_all(statement).await;
            assert!(rows.is_err() || rows.is_ok_and(|rows| rows.is_empty()), "{scope} {statement}");
        }
    }
}

/// What a journal says stays said: the server's role may not even ask for a change.
#[tokio::test]
async fn the_servers_role_may_do_no_more_than_it_needs() {
    let database = two_companies().await;
    let mut server = PgConnection::connect(&database.url("offhook")).await.unwrap();
    for statement in [
        "UPDATE conversation_log SET step = '{}'",
        "UPDATE summary SET said = ''",
        "UPDATE summary_text SET text = 'x'",
        "DELETE FROM outbox",
        "DELETE FROM legal_hold",
        "DELETE FROM deletion",
        "UPDATE deletion SET how_many = 1",
        "UPDATE audit_cut SET seq = 1",
        "DELETE FROM audit_cut",
        "ALTER TABLE call DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_company ON call",
        "TRUNCATE call CASCADE",
        "INSERT INTO _sqlx_migrations SELECT * FROM _sqlx_migrations",
    ] {
        let error = server.execute(statement).await.unwrap_err();
        let refusal = error.as_database_error().unwrap().code();
        // insufficient_privilege
        assert_eq!(refusal.as_deref(), Some("42501"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn a_role_that_row_level_security_does_not_bind_is_refused() {
    let database = two_companies().await;
    let refused = async |role| Store::open(&database.url(role)).await.unwrap_err();
    assert!(matches!(refused("postgres").await, Error::Role(Role::AboveSecurity)));
    assert!(matches!(refused("offhook_owner").await, Error::Role(Role::Owner)));
}

/// The command, as operators run it: it makes the tables, says so, and shows no password.
#[tokio::test]
async fn the_command_prepares_the_tables() {
    let database = postgres::Database::new().await;
    let with_password = |role| database.url(role) + "&password=s3cret";
    let migrate = |owner: String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.arg("migrate").env_clear().env("DATABASE_URL", with_password("offhook"));
        command.env("DATABASE_OWNER_URL", owner).output().unwrap()
    };
    let refused = migrate(with_password("nobody"));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && !told.contains("s3cret"), "{told}");
    let done = migrate(with_password("offhook_owner"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "The tables are those of this version.\n");
    Store::open(&database.url("offhook")).await.unwrap();
}

/// F-DB-09: without its tables the server does not start, and says what to do.
#[tokio::test]
async fn a_database_without_tables_is_refused_f_db_09() {
    let database = postgres::Database::new().await;
    let error = Store::open(&database.url("offhook")).await.unwrap_err();
    assert!(matches!(error, Error::Versions), "{error}");
    assert!(error.to_string().contains("server migrate"), "{error}");
}

/// F-DB-11: connections that died while nobody used them are replaced, and nobody notices.
#[tokio::test]
async fn connections_that_died_in_the_night_are_replaced_f_db_11() {
    let database = two_companies().await;
    let store = Store::open(&database.url("offhook")).await.unwrap();
    assert_eq!(store.unended().await.unwrap().len(), 2);
    let mut admin = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let ended = admin
        .fetch_all(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE application_name = 'offhook' AND datname = current_database()",
        )
        .await
        .unwrap();
    assert!(!ended.is_empty());
    assert_eq!(store.unended().await.unwrap().len(), 2);
}

/// A database with a call of each of two companies, and of an ended one with its journal.
async fn two_companies() -> postgres::Database {
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&server, Some(&owner)).await.unwrap();
    // A second time, as at the next start, changes nothing.
    Store::migrate(&server, Some(&owner)).await.unwrap();
    let store = Store::open(&server).await.unwrap();
    let brief = |number, company: &str| Brief {
        call: format!("CA{number:032}"),
        company: company.to_owned(),
        summaries: true,
        ..Brief::example()
    };
    for (number, company) in [(1, "acme"), (2, "other")] {
        store.begin_call(&brief(number, company)).await.unwrap();
    }
    for (number, company) in [(3, "acme"), (4, "other")] {
        let brief = brief(number, company);
        let (mut call, first) = Call::new(brief.clone());
        let mut steps = vec![first];
        steps.extend(call.step(CallTime::from_millis(900), Input::Carrier(Carrier::Stopped)));
        store.end_call(&brief.call, &steps).await.unwrap();
    }
    let due_us = i64::MAX / 2;
    for work in store.take_work(2, due_us, Duration::ZERO).await.unwrap() {
        let none = End::Done(SummaryText::without("no_words"));
        assert!(store.end_summary(&work, &none, due_us).await.unwrap());
    }
    store.close().await;
    database
}
