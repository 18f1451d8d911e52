//! A call has one end on record, however many tell of it, and in whatever order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;
mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use call_core::step::{Cause, Fact, Step};
use call_transports::twilio::media::encode_from_twilio;
use call_transports::twilio::twiml::Verb;
use call_transports::twilio::webhook::decode_form;
use futures::SinkExt as _;
use places::places;
use reqwest::StatusCode;
use server::store::{CallRecord, Closing, INTERNAL, ORPHANED, Scope, Store};
use support::process::{Process, database};
use support::world::{Leg, World};
use support::{
    AFTER_STREAM, CALL, Door, Form, STREAM, Server, Socket, pause, stop, token_of, voice_inbound,
    with,
};
use tokio_tungstenite::tungstenite::Message;

const STATUS: &str = "/twilio/call-status";

/// Something that ends a call, or tells that it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// The carrier says in the stream that it is over.
    Stop,
    /// The stream's socket ends.
    SocketEnds,
    /// The last status of the call.
    Completed,
    /// The document behind the stream is asked for.
    AfterStream,
    /// Another server believes that the call is nobody's, and that it is over.
    Sweeper,
    /// Another server has found what it takes for a dead one's journal of the call.
    Heir,
}

use News::{AfterStream, Completed, Heir, SocketEnds, Stop, Sweeper};

/// I-18, S31: every order of all that may come, from each of them first to each of them last, and most of
/// it twice. There is one row with one end, the journal has one end, and neither changes any more.
#[tokio::test]
async fn a_call_has_one_end_on_record_in_every_order_i_18() {
    let all = [Stop, SocketEnds, Completed, AfterStream, Sweeper, Heir];
    for first in 0..all.len() {
        let mut order = all;
        order.rotate_left(first);
        one_end(&order).await;
        order.reverse();
        one_end(&order).await;
        // The last status comes again between all others, as carriers do.
        let doubled: Vec<_> = order.iter().flat_map(|news| [*news, Completed]).collect();
        one_end(&doubled).await;
    }
}

async fn one_end(order: &[News]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.db");
    let server = Server::start_on(&file, |_| {}).await;
    let other = Store::open(&format!("sqlite://{}", file.display())).await.unwrap();
    let mut watching = server.app.watch().subscribe();
    let mut socket = server.door.call().await;
    let (_, begin) = watching.recv().await.unwrap();
    let begin = [(*begin).clone()];
    while other.call(CALL).await.unwrap().is_none() {
        pause().await;
    }
    for news in order {
        tell(*news, &server, &mut socket, &other, &begin).await;
    }
    let call = settled(&server, &other).await;
    let ended = call.ended.as_ref().unwrap();
    let reasons = ["caller_hangup", "stream_lost", ORPHANED, INTERNAL];
    assert!(reasons.contains(&&*ended.reason), "{order:?}: {call:?}");
    let journal = other.journal(CALL).await.unwrap();
    assert_eq!(ends(&journal).min(1), ends(&journal), "{order:?}");
    assert_eq!(begins(&journal), 1, "{order:?}: one journal, and whole");

    // And everything once more, from both sides.
    for news in order.iter().filter(|news| **news != SocketEnds && **news != Stop) {
        tell(*news, &server, &mut socket, &other, &begin).await;
    }
    let closing = server.app.store().end_call(CALL, &journal).await.unwrap();
    assert_ne!(closing, Closing::Elsewhere, "{order:?}");
    assert_eq!(other.call(CALL).await.unwrap().unwrap(), call, "{order:?}");
    assert_eq!(other.journal(CALL).await.unwrap(), journal, "{order:?}");
    let page = other.calls(&Default::default()).await.unwrap();
    assert_eq!(page.calls, [call], "{order:?}: one row");
    let metrics = server.metrics().await;
    let counted = metrics.lines().filter(|line| line.starts_with("offhook_calls_ended_total{"));
    let counted: Vec<_> = counted.collect();
    assert!(counted.len() == 1 && counted[0].ends_with(" 1"), "{order:?}: {counted:?}");
}

async fn tell(news: News, server: &Server, socket: &mut Socket, other: &Store, begin: &[Step]) {
    let completed = with(&voice_inbound(), "CallStatus", "completed");
    match news {
        // A socket that is over takes it, or does not: nobody waits.
        Stop => {
            let mut text = String::new();
            encode_from_twilio(&stop(), STREAM, 1, &mut text);
            let _ = socket.send(Message::text(text)).await;
        }
        SocketEnds => {
            let _ = socket.close(None).await;
        }
        Completed => {
            assert_eq!(server.post(STATUS, &completed).await.0, StatusCode::NO_CONTENT);
        }
        AfterStream => {
            assert_eq!(server.post(AFTER_STREAM, &voice_inbound()).await.0, StatusCode::OK);
        }
        Sweeper => {
            other.close_orphan(CALL, Some(1)).await.unwrap();
        }
        Heir => {
            other.end_left_call(CALL, begin).await.unwrap();
        }
    }
}

/// The record, once the call is over here and its journal is where it belongs.
async fn settled(server: &Server, store: &Store) -> CallRecord {
    let over = async {
        while server.app.live() > 0 || store.journal(CALL).await.unwrap().is_empty() {
            pause().await;
        }
        // The task that closes the record may still be at it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        store.call(CALL).await.unwrap().unwrap()
    };
    tokio::time::timeout(Duration::from_secs(20), over).await.unwrap()
}

/// I-18, F-WH-03, F-WH-04, F-TR-07: nobody told in time that a person took the call, so it is on record as
/// a transfer that failed. What the carrier tells of it afterwards, in whatever order and twice, is answered
/// as it must be for the caller, and changes nothing of what is on record.
#[tokio::test]
async fn what_comes_of_dialling_is_too_late_for_a_record_that_is_closed_i_18() {
    for place in places().await {
        let mut world = World::begin().await;
        let url = place.url().to_owned();
        let server =
            world.server_with("transfer = 300", |config| config.database_url = url.into()).await;
        let token = token_of(&server.inbound(&voice_inbound()).await);
        let mut leg = Leg::open(&server, STREAM, &token).await;
        world.ask("1", "transfer_call", "{}");
        leg.playing(world.document()).await;
        leg.stop().await;
        assert_eq!(server.end_reason(CALL).await, "transfer_failed");
        let store = Store::open(place.url()).await.unwrap();
        let call = settled(&server, &store).await;
        let journal = store.journal(CALL).await.unwrap();
        let summary = store.summary_of(Scope::Every, CALL).await.unwrap().unwrap();
        let entries = server.app.audit().settled().await.unwrap().head.seq;

        let (dial, leg) = (fixture(DIAL), fixture(DIALLED_LEG));
        for _ in 0..2 {
            let answered = with(&leg, "CallStatus", "in-progress");
            assert_eq!(server.post("/twilio/dialled", &answered).await.0, StatusCode::NO_CONTENT);
            for (status, is_apology) in [("completed", false), ("busy", true), ("no-answer", true)]
            {
                let form = with(&dial, "DialCallStatus", status);
                let verbs = server.verbs("/twilio/after_dial", &form).await;
                // Whoever has talked with a person is not told that something went wrong.
                match &verbs[..] {
                    [Verb::Hangup] => assert!(!is_apology, "{status}"),
                    [Verb::Say { .. }, Verb::Hangup] => assert!(is_apology, "{status}"),
                    other => panic!("{status}: {other:?}"),
                }
            }
        }
        assert_eq!(settled(&server, &store).await, call);
        assert_eq!(store.journal(CALL).await.unwrap(), journal);
        assert_eq!(store.summary_of(Scope::Every, CALL).await.unwrap().unwrap(), summary);
        assert_eq!(server.app.audit().settled().await.unwrap().head.seq, entries);
        assert_eq!(summary.summary.transfers.len(), 1);
        assert_ne!(summary.summary.transfers[0].result, "completed");
        assert_eq!(ends(&journal), 1);
        let page = store.calls(&Default::default()).await.unwrap();
        assert_eq!(page.calls, [call], "one row");
    }
}

/// I-18, F-PR-03: the server is killed. The next one, whoever sweeps, and two callbacks find the call at
/// the same time.
#[tokio::test]
async fn a_call_of_a_killed_server_has_one_end_on_record_i_18() {
    let folder = tempfile::tempdir().unwrap();
    let url = database(folder.path());
    let quiet = || [("RUST_LOG", "off".to_owned())];
    let start =
        async || Process::start_in(folder.path(), "exec \"$0\"", Stdio::null(), &quiet()).await;
    let mut killed = start().await;
    let mut socket = Door::to(killed.address).call().await;
    let store = Store::open(&url).await.unwrap();
    // The record and the journal are begun side by side; what was written of neither, nobody finds.
    while store.unended().await.unwrap().is_empty() || !has_journal(&folder.path().join("spool")) {
        pause().await;
    }
    killed.kill();
    let _ = socket.close(None).await;

    let sweep = async {
        pause().await;
        store.close_orphan(CALL, Some(2)).await.unwrap()
    };
    let (mut next, _) = tokio::join!(start(), sweep);
    let door = Door::to(next.address);
    let completed = with(&voice_inbound(), "CallStatus", "completed");
    for _ in 0..2 {
        assert_eq!(door.post(STATUS, &completed).await.0, StatusCode::NO_CONTENT);
    }
    let kept = async {
        while store.journal(CALL).await.unwrap().is_empty() {
            pause().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), kept).await.unwrap();
    let page = store.calls(&Default::default()).await.unwrap();
    let [call] = &page.calls[..] else { panic!("{page:?}") };
    let reason = &*call.ended.as_ref().unwrap().reason;
    assert!([ORPHANED, INTERNAL].contains(&reason), "{reason}");
    assert_eq!(call.epoch, 2, "it was taken over once");
    let journal = store.journal(CALL).await.unwrap();
    assert_eq!(begins(&journal), 1);
    // Whatever comes now changes nothing.
    store.close_orphan(CALL, None).await.unwrap();
    store.end_left_call(CALL, &journal[..1]).await.unwrap();
    assert_eq!(store.call(CALL).await.unwrap().as_ref(), Some(call));
    assert_eq!(store.journal(CALL).await.unwrap(), journal);
    next.kill();
}

/// Whether the first step of a call is in a spool.
fn has_journal(spool: &Path) -> bool {
    let within = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files = within(spool).flat_map(|process| within(&process.path()));
    let is_begun = |file: &Path| std::fs::read(file).is_ok_and(|lines| lines.contains(&b'\n'));
    files.any(|file| file.path().ends_with(format!("{CALL}.journal")) && is_begun(&file.path()))
}

fn fixture(form: &str) -> Form {
    decode_form(form.trim_end().as_bytes()).unwrap()
}

const DIAL: &str = include_str!("../../transports/fixtures/twilio/webhooks/dial_action_busy.form");
const DIALLED_LEG: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/dial_leg_ringing.form");

fn begins(journal: &[Step]) -> usize {
    journal.iter().filter(|step| matches!(step.cause, Cause::Started(_))).count()
}

fn ends(journal: &[Step]) -> usize {
    let facts = journal.iter().flat_map(|step| &step.facts);
    facts.filter(|fact| matches!(fact, Fact::CallEnded { .. })).count()
}
