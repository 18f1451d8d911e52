//! A server that is to end, and the calls that go on then: none is cut off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use call_transports::twilio::twiml::Verb;
use reqwest::StatusCode;
use server::store::Store;
use support::process::{Process, database};
use support::world::{Leg, World};
use support::{CALL, Door, INBOUND, STREAM, Server, token_of, voice_inbound, with};
use tempfile::TempDir;

/// F-PR-01: a call that outlasts the end of its server is handed to a person in time.
#[tokio::test]
async fn a_call_that_goes_on_is_handed_over_before_the_server_ends_f_pr_01() {
    // It is handed over 15 s before the end, so a second from now.
    is_handed_over(Duration::from_secs(16), Server::end).await;
}

/// F-PR-02: a second word to end does not wait for the deadline, and hands calls over all the same.
#[tokio::test]
async fn whoever_is_in_a_hurry_has_calls_handed_over_at_once_f_pr_02() {
    is_handed_over(Duration::from_secs(300), |server| {
        server.end();
        server.app.hurry();
    })
    .await;
}

/// A call whose stream begins when the server is about to end is told so, too.
#[tokio::test]
async fn a_stream_that_begins_late_is_handed_over_as_well_f_pr_01() {
    let mut world = World::begin().await;
    let limit = Duration::from_secs(16);
    let mut server = world.server_with("", |config| config.drain_limit = limit).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    server.end();
    while !server.app.is_draining() {
        support::pause().await;
    }
    let mut leg = Leg::open(&server, STREAM, &token).await;
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
}

/// F-PR-01, I-32: a signal to the process. Nobody new comes in, the call goes on, and when it is over so is
/// the process, in good order.
#[tokio::test]
async fn a_signal_lets_the_calls_end_and_then_the_process_f_pr_01() {
    let (_world, mut process, mut leg, folder) = process_with_a_call().await;
    let door = Door::to(process.address);
    process.terminate();
    until(async || door.get("/ready").await == StatusCode::SERVICE_UNAVAILABLE).await;
    let other = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    let verbs = door.verbs(INBOUND, &other).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    leg.playing(tokio::time::sleep(Duration::from_secs(1))).await;
    assert_eq!(process.ended(), None, "the call goes on");
    leg.stop().await;
    until(async || process.ended().is_some()).await;
    assert_eq!(process.ended(), Some(0));
    let store = Store::open(&database(folder.path())).await.unwrap();
    let record = store.call(CALL).await.unwrap().unwrap();
    assert_eq!(record.ended.unwrap().reason, "caller_hangup");
}

/// F-PR-02: a second signal has the call handed over, and a third ends the process where it stands.
#[tokio::test]
async fn more_signals_are_more_haste_f_pr_02() {
    let (mut world, mut process, mut leg, _folder) = process_with_a_call().await;
    let door = Door::to(process.address);
    process.terminate();
    until(async || door.get("/ready").await == StatusCode::SERVICE_UNAVAILABLE).await;
    process.terminate();
    let verbs = tokio::time::timeout(PATIENCE, leg.playing(world.document())).await.unwrap();
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    assert_eq!(process.ended(), None, "until somebody has the caller, we have");
    process.terminate();
    until(async || process.ended().is_some()).await;
    assert_ne!(process.ended(), Some(0), "whoever waits is told that calls were cut off");
}

/// A server in a process of its own, and a call whose opening was heard.
async fn process_with_a_call() -> (World, Process, Leg, TempDir) {
    let world = World::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let company = folder.path().join("summit.toml");
    std::fs::write(&company, World::company("")).unwrap();
    let settings = [
        ("RUST_LOG", "off".to_owned()),
        ("COMPANY_FILE", company.display().to_string()),
        ("DEEPGRAM_AGENT_URL", format!("ws://{}/v1/agent/converse", world.address())),
        ("DEEPGRAM_SPEAK_URL", format!("http://{}", world.address())),
        ("TWILIO_API_URL", format!("http://{}", world.address())),
    ];
    let process = Process::start_in(folder.path(), "exec \"$0\"", Stdio::null(), &settings).await;
    let door = Door::to(process.address);
    let token = token_of(&door.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&door, STREAM, &token).await;
    leg.hears_a_line().await;
    (world, process, leg, folder)
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !is_so().await {
        assert!(since.elapsed() < PATIENCE, "it does not become so");
        support::pause().await;
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

async fn is_handed_over(limit: Duration, end: impl FnOnce(&mut Server)) {
    let mut world = World::begin().await;
    let mut server = world.server_with("", |config| config.drain_limit = limit).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    let begin = Instant::now();
    end(&mut server);
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    assert!(begin.elapsed() < Duration::from_secs(10), "and not only when all is cut off");
    assert_eq!(server.app.live(), 1, "until somebody has the caller, we have");
}
