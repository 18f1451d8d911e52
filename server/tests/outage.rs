//! The database goes, or the server itself, in the middle of a call; the record comes all the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use call_transports::twilio::Sid;
use call_transports::twilio::webhook::decode_form;
use reqwest::StatusCode;
use server::spool::{self, Left};
use server::store::Store;
use support::process::{Process, database};
use support::{CALL, Door, Server, pause, say, stop};

/// F-DB-02, F-WH-11, S25: PostgreSQL crashes in the middle of a call. The call ends as it would have, its
/// journal waits on disk, and is written once when the database is back.
#[tokio::test]
async fn a_call_outlives_its_database_f_db_02() {
    let database = postgres::Database::new().await;
    let (url, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&url, Some(&owner)).await.unwrap();
    let server = Server::start_with(|config| config.database_url = url.clone().into()).await;
    let mut watching = server.app.watch().subscribe();
    let mut socket = server.call().await;
    postgres::Database::crash().await;
    say(&mut socket, &stop()).await;
    let (spool, call) = (server.app.spool(), Sid::parse(CALL).unwrap());
    while spool.waiting().is_empty() {
        pause().await;
    }
    // Nor is there anybody to keep what is told of a recording: it is refused, and not waited for.
    let recording =
        include_str!("../../transports/fixtures/twilio/webhooks/recording_completed.form");
    let recording = decode_form(recording.trim_end().as_bytes()).unwrap();
    let told = "/twilio/recording_callback?company=acme";
    let since = Instant::now();
    assert_eq!(server.post(told, &recording).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    // The next try finds nobody either.
    spool::drain_once(spool, server.app.store()).await;
    assert_eq!(spool.waiting(), [(call.clone(), Left::ByUs)]);

    postgres::Database::recover().await;
    spool::drain_once(spool, server.app.store()).await;
    assert_eq!(spool.waiting(), []);
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let mut steps = Vec::new();
    while let Ok((_, step)) = watching.try_recv() {
        steps.push((*step).clone());
    }
    assert!(steps.len() > 1);
    assert_eq!(server.app.store().journal(CALL).await.unwrap(), steps);
    assert!(spool.steps(&call).await.is_err(), "its file is gone");
    assert_eq!(server.post(told, &recording).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.app.store().recordings(CALL).await.unwrap().len(), 1);
}

/// F-PR-03, S25: the process is killed in the middle of a call. The next one closes the record, with
/// all of the journal that there was.
#[tokio::test]
async fn a_killed_server_leaves_one_record_and_a_journal_f_pr_03() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(folder.path());
    let mut process = start(folder.path()).await;
    let socket = Door::to(process.address).call().await;
    let store = Store::open(&url).await.unwrap();
    while store.unended().await.unwrap().is_empty() {
        pause().await;
    }
    process.kill();
    drop(socket);
    assert_eq!(store.unended().await.unwrap().len(), 1);

    let mut process = start(folder.path()).await;
    while !store.unended().await.unwrap().is_empty() {
        pause().await;
    }
    let record = store.call(CALL).await.unwrap().unwrap();
    assert_eq!(record.ended.unwrap().reason, "internal");
    assert!(!store.journal(CALL).await.unwrap().is_empty());
    process.kill();
}

async fn start(folder: &Path) -> Process {
    let quiet = [("RUST_LOG", "off".to_owned())];
    Process::start_in(folder, "exec \"$0\"", Stdio::null(), &quiet).await
}
