//! The database goes, or the server itself, in the middle of a call; the record comes all the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use call_transports::twilio::Sid;
use server::spool;
use server::store::Store;
use support::{ACCOUNT, AUTH_TOKEN, CALL, Door, PUBLIC, Server, pause, say, stop};
use tokio::net::TcpListener;

/// F-DB-02, S25: PostgreSQL crashes in the middle of a call. The call ends as it would have, its
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
    // The next try finds nobody either.
    spool::drain_once(spool, server.app.store()).await;
    assert_eq!(spool.waiting(), std::slice::from_ref(&call));

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
}

/// F-PR-03, S25: the process is killed in the middle of a call. The next one closes the record, with
/// all of the journal that there was.
#[tokio::test]
async fn a_killed_server_leaves_one_record_and_a_journal_f_pr_03() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("calls.db").display());
    let (mut process, door) = start(folder.path(), &url).await;
    let socket = door.call().await;
    let store = Store::open(&url).await.unwrap();
    while store.unended().await.unwrap().is_empty() {
        pause().await;
    }
    process.kill();
    drop(socket);
    assert_eq!(store.unended().await.unwrap().len(), 1);

    let (mut process, _) = start(folder.path(), &url).await;
    while !store.unended().await.unwrap().is_empty() {
        pause().await;
    }
    let record = store.call(CALL).await.unwrap().unwrap();
    assert_eq!(record.ended.unwrap().reason, "internal");
    assert!(!store.journal(CALL).await.unwrap().is_empty());
    process.kill();
}

/// A process that goes with the test.
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
    }
}

/// The server as it is run, in a process of its own.
async fn start(folder: &Path, database: &str) -> (Process, Door) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let company = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
    let process = Command::new(env!("CARGO_BIN_EXE_server"))
        .env_clear()
        .envs([
            ("LISTEN_ADDR", address.to_string()),
            ("PUBLIC_URL", PUBLIC.to_owned()),
            ("DATABASE_URL", database.to_owned()),
            ("SPOOL_DIR", folder.join("spool").display().to_string()),
            ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
            ("DEEPGRAM_API_KEY", "key".to_owned()),
            ("MIDDLEWARE_URL", "http://127.0.0.1:9".to_owned()),
            ("MIDDLEWARE_API_KEY", "key".to_owned()),
            ("COMPANY_FILE", company.display().to_string()),
            ("RUST_LOG", "off".to_owned()),
        ])
        // Nobody is out there: sessions of the agent, and lines, fail at once.
        .env("DEEPGRAM_AGENT_URL", "ws://127.0.0.1:9/v1/agent/converse")
        .env("DEEPGRAM_SPEAK_URL", "http://127.0.0.1:9")
        .env("TWILIO_API_URL", "http://127.0.0.1:9")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let process = Process(process);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (process, Door::to(address))
}
