//! The audit log of a running server: what is in it after a call, after a crash, and while the disk
//! takes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod logs;
mod postgres;
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use call_core::Language;
use call_transports::twilio::media::{FromTwilio, Start};
use logs::{entries_so_far, files};
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use server::audit::verify::{Extent, Published, verify};
use server::audit::{Entry, Head, Kind};
use server::store::Store;
use support::process::{Process, database};
use support::world::{Leg, World};
use support::{
    CALL, CONNECTED, Door, STREAM, Server, Socket, pause, say, start as start_of, stop, token_of,
    voice_inbound, with,
};
use tokio::time::sleep;

/// I-27: what the agent was told to be, what was decided and how it ended is on record after a
/// call, and what was published is found there.
#[tokio::test]
async fn a_call_leaves_its_settings_its_decisions_and_its_end_i_27() {
    let world = World::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    let place = root.clone();
    let mut server = world.server_with("", |config| config.audit = place).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    leg.playing(sleep(Duration::from_millis(300))).await;
    world.ask("f1", "open_the_safe", r#"{"account":"100234778"}"#);
    world.ask("f2", "hangup_call", "{}");
    leg.hears_a_line().await;
    let reason = leg.playing(server.end_reason(CALL)).await;
    assert_eq!(reason, "agent_hangup");
    let store = Store::open(server.app.config().database_url.expose_secret()).await.unwrap();
    server.end();
    (&mut server.serving).await.unwrap().unwrap();

    let entries = entries_so_far(&root);
    let of = |kind: &str| {
        let of_kind = entries.iter().filter(|entry| entry["kind"] == kind);
        of_kind.cloned().collect::<Vec<Value>>()
    };
    assert_eq!(of("server_started")[0]["company"], "*");
    let served = server.app.companies().company("summit").unwrap();
    let company = served.company();
    assert_eq!(of("configuration_in_use")[0]["body"]["version"], company.version);
    let started = &of("call_started")[0];
    assert_eq!((&started["call"], &started["company"]), (&json!(CALL), &json!("summit")));
    assert!(started["body"]["from"].as_str().unwrap().contains('*'), "{started}");

    let prompt = &company.agents[&Language::English].prompt;
    let settings = &of("settings")[0]["body"];
    let content = of("content").into_iter().map(|entry| entry["body"].clone());
    let told = content.into_iter().find(|told| told["sha256"] == settings["sha256"]).unwrap();
    assert_eq!(told["content"]["agent"]["think"]["prompt"], json!(prompt));
    assert_eq!(told["content"].get("tags"), None, "the same for every call");

    let decided = of("decision");
    let fact = |name: &str| {
        let facts = decided.iter().map(|entry| &entry["body"]["fact"][name]);
        facts.filter(|fact| !fact.is_null()).cloned().collect::<Vec<Value>>()
    };
    assert_eq!(fact("function-asked").len(), 2);
    assert_eq!(fact("function-asked")[0]["arguments"], r#"{"account":"[9 digits]"}"#);
    assert_eq!(fact("function-refused")[0]["why"], "unknown");
    assert_eq!(fact("function-allowed")[0]["id"], "f2");
    assert_eq!(fact("language-set"), ["en"]);
    assert!(decided.iter().any(|entry| entry["body"]["wanted"] == "hang-up"), "{decided:?}");
    assert_eq!(of("call_ended")[0]["body"]["reason"], "agent_hangup");
    assert_eq!(entries.last().unwrap()["kind"], "server_stopped");

    let known = store.published().await.unwrap();
    assert_eq!(known.heads.last().unwrap().seq, entries.last().unwrap()["seq"]);
    assert_eq!(verify(&root, Some(&known), Extent::All).unwrap().findings, []);
}

/// I-27, F-PR-03, S25: the process is killed in the middle of a call, and again; the next one goes on
/// with its log.
#[tokio::test]
async fn a_killed_server_leaves_a_log_that_the_next_one_goes_on_with_i_27() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    for life in 1..=3_u64 {
        let mut process = start(folder.path()).await;
        let _socket = place(&process, life).await;
        while count(&root, "call_started") < life {
            pause().await;
        }
        process.kill();
    }
    let report = verify(&root, None, Extent::All).unwrap();
    assert_eq!((report.findings.len(), report.logs.len()), (0, 1), "{report:?}");
    assert_eq!((count(&root, "server_started"), count(&root, "server_stopped")), (3, 0));
}

/// Two servers on one machine share the folder, and no file in it.
#[tokio::test]
async fn two_servers_at_once_write_a_log_each_i_27() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    let both = [start(folder.path()).await, start(folder.path()).await];
    let mut sockets = Vec::new();
    for (number, process) in both.iter().enumerate() {
        sockets.push(place(process, number as u64).await);
    }
    while count(&root, "call_started") < 2 {
        pause().await;
    }
    let report = verify(&root, None, Extent::All).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.logs.iter().filter(|log| log.is_written).count(), 2);
}

/// F-PR-08, M-24: the disk takes nothing while a call goes on. Everybody who should know is told, the
/// call ends as it would have, and what was decided meanwhile is on record when there is room again.
#[tokio::test]
async fn calls_go_on_while_the_disk_of_the_audit_log_is_full_f_pr_08() {
    let server = Server::start().await;
    let root = server.app.config().audit.clone();
    let mut socket = server.call().await;
    server.app.audit().settled().await.unwrap();
    assert!(server.text("/ready").await.1.contains("\"audit\":true"));
    let file = files(&root).remove(0);
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    server.app.audit().append(Entry::new(Kind::Operator, "acme", json!({ "wish": "none" })));
    while server.app.audit().is_well() {
        pause().await;
    }

    let (status, told) = server.text("/ready").await;
    assert_eq!(status, StatusCode::OK, "new calls are taken");
    assert!(told.contains("\"audit\":false"), "{told}");
    assert!(server.metrics().await.contains("offhook_audit_well 0\n"));
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");

    fs::rename(&aside, &file).unwrap();
    let head = loop {
        if let Some(settled) = server.app.audit().settled().await {
            break settled.head;
        }
    };
    assert!(server.metrics().await.contains("offhook_audit_well 1\n"));
    assert_eq!((count(&root, "call_ended"), count(&root, "lost")), (1, 0));
    let known = Published { heads: vec![head], cuts: Vec::new() };
    assert_eq!(verify(&root, Some(&known), Extent::All).unwrap().findings, []);
}

/// The command, as reviewers run it.
#[tokio::test]
async fn the_command_says_what_is_wrong_and_where_i_27() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    let url = database(folder.path());
    let nothing = command(&root, None);
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");

    let mut server = Server::start_on(&folder.path().join("calls.db"), |config| {
        config.audit = root.clone();
    })
    .await;
    server.end();
    (&mut server.serving).await.unwrap().unwrap();
    let whole = command(&root, Some(&url));
    let said = String::from_utf8(whole.stdout).unwrap();
    assert_eq!(whole.status.code(), Some(0), "{said}");
    assert!(said.ends_with("Nothing is wrong.\n"), "{said}");
    let alone = String::from_utf8(command(&root, None).stdout).unwrap();
    assert!(alone.contains("without DATABASE_URL"), "{alone}");

    // A look makes no database where the address is wrong: it would say that no head was published.
    let elsewhere = folder.path().join("elsewhere.db");
    let lost = command(&root, Some(&format!("sqlite://{}", elsewhere.display())));
    let said = String::from_utf8(lost.stderr).unwrap();
    assert!(lost.status.code() == Some(2) && said.contains("DATABASE_URL"), "{said}");
    assert!(!elsewhere.exists());

    // The end is cut off at the end of a line.
    let file = files(&root).remove(0);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    fs::write(&file, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    assert_eq!(command(&root, None).status.code(), Some(0), "the files alone cannot tell");
    let cut = command(&root, Some(&url));
    let said = String::from_utf8(cut.stdout).unwrap();
    assert_eq!(cut.status.code(), Some(1), "{said}");
    let (last, before) = (lines.len(), lines.len() - 1);
    let place = format!("WRONG  {}:{before}: entries {last} to {last} are missing", file.display());
    assert!(said.contains(&place), "{said}");
}

/// What operators do by commands, beside the server that writes the log, stands in its log within seconds;
/// what they did while no server ran is written by the next one.
#[tokio::test]
async fn what_commands_do_is_in_the_log_of_the_server_i_27() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    let url = database(folder.path());
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(line.split(' ')).env_clear().env("DATABASE_URL", &url);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    };
    let mut process = start(folder.path()).await;
    run("hold place --company acme --reason case --by judy");
    let store = Store::open_to_look(&url).await.unwrap();
    while count(&root, "operator") < 1 || store.notes_waiting().await.unwrap() > 0 {
        pause().await;
    }
    process.kill();
    run("hold release 1 --by ann");
    run("retention run --by ann");
    let waits = String::from_utf8(command(&root, Some(&url)).stdout).unwrap();
    assert!(waits.contains("2 acts of operators, or deletions, stand in the database"), "{waits}");
    assert!(waits.ends_with("Nothing is wrong.\n"), "{waits}");
    let _process = start(folder.path()).await;
    while count(&root, "operator") < 3 {
        pause().await;
    }
    let of: Vec<_> =
        entries_so_far(&root).into_iter().filter(|entry| entry["kind"] == "operator").collect();
    let of: Vec<_> = of.iter().map(|entry| entry["body"]["wants"].as_str().unwrap()).collect();
    assert_eq!(of, ["hold_place", "hold_release", "retention_run"]);
    let told = String::from_utf8(command(&root, Some(&url)).stdout).unwrap();
    assert!(told.ends_with("Nothing is wrong.\n"), "{told}");
}

/// What was published stays: the database itself refuses to change it, and shows it to no company.
#[tokio::test]
async fn a_published_head_stays_and_is_no_companys_i_10() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = postgres::Database::new().await;
    let (url, owner) = (postgres.url("offhook"), postgres.url("offhook_owner"));
    Store::migrate(&url, Some(&owner)).await.unwrap();
    for url in [database(folder.path()), url.clone()] {
        let store = Store::open(&url).await.unwrap();
        let head = |seq, of: &[u8]| Head {
            log: "a".to_owned(),
            day: "2026-11-23".to_owned(),
            seq,
            hash: server::audit::Hash::of(of),
        };
        let both = [head(7, b"x"), head(7, b"y"), head(9, b"z")];
        for head in both.iter().rev().chain(&both) {
            store.publish_head(head).await.unwrap();
        }
        let kept = store.heads().await.unwrap();
        assert_eq!(kept.len(), 3, "a log that was written anew contradicts itself here");
        assert!(both.iter().all(|head| kept.contains(head)));
        for change in ["UPDATE audit_head SET seq = 1", "DELETE FROM audit_head"] {
            assert!(try_to(&url, change).await.is_err(), "{change}");
        }
        store.close().await;
    }
    let mut all = sqlx::PgPool::connect(&postgres.url("postgres")).await.unwrap().acquire().await;
    let connection = all.as_mut().unwrap();
    for change in ["UPDATE audit_head SET seq = 1", "DELETE FROM audit_head"] {
        let changed = sqlx::query(change).execute(&mut **connection).await;
        assert!(changed.is_err(), "nor may anybody else: {change}");
    }
    let mut server = sqlx::PgPool::connect(&url).await.unwrap().acquire().await.unwrap();
    for (scope, rows) in [("acme", 0), ("", 0), ("*", 3)] {
        let say = sqlx::query("SELECT set_config('offhook.company', $1, false)").bind(scope);
        say.execute(&mut *server).await.unwrap();
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_head")
            .fetch_one(&mut *server)
            .await
            .unwrap();
        assert_eq!(seen, rows, "{scope}");
    }
}

/// A call of its own number whose stream has begun.
async fn place(process: &Process, number: u64) -> Socket {
    let door = Door::to(process.address);
    let call = format!("CA{number:032}");
    let stream = door.inbound(&with(&voice_inbound(), "CallSid", &call)).await;
    let mut socket = door.open("/twilio/acme/en").await;
    say(&mut socket, &CONNECTED).await;
    let start = Start { call_sid: call, ..start_of(&token_of(&stream)) };
    say(&mut socket, &FromTwilio::Start(start)).await;
    socket
}

async fn try_to(url: &str, change: &'static str) -> Result<(), sqlx::Error> {
    if url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(url).await?;
        sqlx::query(change).execute(&pool).await.map(drop)
    } else {
        let pool = sqlx::PgPool::connect(url).await?;
        sqlx::query("SELECT set_config('offhook.company', '*', false)").execute(&pool).await?;
        sqlx::query(change).execute(&pool).await.map(drop)
    }
}

fn command(root: &Path, database: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.args(["audit", "verify"]).arg(root).env_clear();
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

async fn start(folder: &Path) -> Process {
    let quiet = [("RUST_LOG", "off".to_owned())];
    Process::start_in(folder, "exec \"$0\"", Stdio::null(), &quiet).await
}

fn count(root: &Path, kind: &str) -> u64 {
    entries_so_far(root).iter().filter(|entry| entry["kind"] == kind).count() as u64
}
