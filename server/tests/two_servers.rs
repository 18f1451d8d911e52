//! Two servers on one database: what comes to the one that does not have the call, and a roll-out in which
//! both run. On SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;
mod support;

use std::path::Path;
use std::time::Duration;

use call_transports::twilio::media::FromTwilio;
use call_transports::twilio::twiml::Verb;
use call_transports::twilio::webhook::decode_form;
use places::Place;
use reqwest::StatusCode;
use server::store::Filter;
use support::{
    AFTER_STREAM, CALL, CONNECTED, Form, INBOUND, Server, Socket, close_code, pause, say, start,
    stop, token_of, voice_inbound, with,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

const STREAM_PATH: &str = "/twilio/acme/en";
const STATUS: &str = "/twilio/call-status";
const AFTER_DIAL: &str = "/twilio/after_dial";
const DIALLED: &str = "/twilio/dialled";
const RECORDING: &str = "/twilio/recording_callback?company=acme";
const POLICY: Option<u16> = Some(1008);
const PATIENCE: Duration = Duration::from_secs(20);

/// F-PR-13: of a call that goes on at another server nothing is believed here, and nothing is done to it:
/// its webhooks are answered from its record.
#[tokio::test]
async fn webhooks_that_come_to_another_server_change_nothing_f_pr_13() {
    for place in places::places().await {
        let (one, two, _folder) = both(&place).await;
        let mut socket = one.call().await;
        is_on_record(&one, CALL).await;
        let before = two.app.store().call(CALL).await.unwrap().unwrap();

        // It is no new call, and gets no second stream.
        assert_eq!(two.verbs(INBOUND, &voice_inbound()).await, [Verb::Hangup]);
        for word in ["in-progress", "completed"] {
            let status = with(&voice_inbound(), "CallStatus", word);
            assert_eq!(two.post(STATUS, &status).await.0, StatusCode::NO_CONTENT);
        }
        let leg = with(&form(DIAL_LEG), "CallStatus", "in-progress");
        assert_eq!(two.post(DIALLED, &leg).await.0, StatusCode::NO_CONTENT);
        assert_apology(&two.verbs(AFTER_DIAL, &form(DIAL_ACTION)).await);
        // What is told of its recording is everybody's to keep.
        assert_eq!(two.post(RECORDING, &form(RECORDED)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(one.app.store().recordings(CALL).await.unwrap().len(), 1);

        assert_eq!((one.app.live(), two.app.live()), (1, 0));
        assert_eq!(two.app.store().call(CALL).await.unwrap().unwrap(), before);
        say(&mut socket, &stop()).await;
        assert_eq!(one.end_reason(CALL).await, "caller_hangup");
        let page = two.app.store().calls(&Filter::default()).await.unwrap();
        assert_eq!(page.calls.len(), 1);
    }
}

/// F-PR-13: what follows a stream is decided by the call's record, wherever it is asked for. Nobody hears an
/// apology after a call that ended as it should, and everybody does after one that did not.
#[tokio::test]
async fn another_server_knows_from_the_record_how_a_call_ended_f_pr_13() {
    for place in places::places().await {
        let (one, two, _folder) = both(&place).await;
        let mut socket = one.call().await;
        is_on_record(&one, CALL).await;
        // It is asked while the record is still open.
        let hang_up = async {
            sleep(Duration::from_millis(200)).await;
            say(&mut socket, &stop()).await;
        };
        let form = voice_inbound();
        let (verbs, ()) = tokio::join!(two.verbs(AFTER_STREAM, &form), hang_up);
        assert_eq!(verbs, [Verb::Hangup]);
        assert_eq!(two.verbs(AFTER_STREAM, &voice_inbound()).await, [Verb::Hangup]);
        assert_eq!(two.verbs(INBOUND, &voice_inbound()).await, [Verb::Hangup]);

        let other = CALL.replace("11", "12");
        let form = with(&voice_inbound(), "CallSid", &other);
        let broken = begin(&one, &other, &token_of(&one.inbound(&form).await)).await;
        is_on_record(&one, &other).await;
        // It goes on there, and nobody here can say how it will end.
        assert_apology(&two.verbs(AFTER_STREAM, &form).await);
        drop(broken);
        assert_eq!(one.end_reason(&other).await, "stream_lost");
        assert_apology(&two.verbs(AFTER_STREAM, &form).await);
    }
}

/// F-PR-13, F-TW-28: a token is the server's that gave it. Another one admits nobody by it, and it stays as
/// good as it was.
#[tokio::test]
async fn a_token_of_one_server_admits_nobody_at_another_f_pr_13() {
    for place in places::places().await {
        let (one, two, _folder) = both(&place).await;
        let token = token_of(&one.inbound(&voice_inbound()).await);
        let mut astray = begin(&two, CALL, &token).await;
        assert_eq!(close_code(&mut astray).await, POLICY);
        assert_eq!(two.app.store().call(CALL).await.unwrap(), None);
        let mut socket = begin(&one, CALL, &token).await;
        is_on_record(&one, CALL).await;
        say(&mut socket, &stop()).await;
        assert_eq!(one.end_reason(CALL).await, "caller_hangup");
    }
}

/// F-PR-12: the next version has added to the tables while the last one still has calls. Those end on record
/// there, the one that was only announced too, and new ones go to the other server.
#[tokio::test]
async fn a_roll_out_costs_no_call_f_pr_12() {
    for place in places::places().await {
        let (mut old, new, _folder) = both(&place).await;
        let mut going_on = old.call().await;
        is_on_record(&old, CALL).await;
        let announced = CALL.replace("11", "12");
        let form = with(&voice_inbound(), "CallSid", &announced);
        let token = token_of(&old.inbound(&form).await);

        for change in [
            "ALTER TABLE call ADD COLUMN of_tomorrow TEXT",
            "ALTER TABLE conversation_log ADD COLUMN of_tomorrow TEXT",
            "CREATE TABLE tomorrow (company TEXT NOT NULL)",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'of tomorrow', success, checksum, 0 FROM _sqlx_migrations \
             WHERE version = 1",
        ] {
            place.try_to(change).await.unwrap();
        }
        old.end();
        while !old.app.is_draining() {
            pause().await;
        }
        let late = CALL.replace("11", "13");
        let late_form = with(&voice_inbound(), "CallSid", &late);
        let mut there = begin(&new, &late, &token_of(&new.inbound(&late_form).await)).await;
        let mut waited_for = begin(&old, &announced, &token).await;
        is_on_record(&old, &announced).await;
        is_on_record(&new, &late).await;
        for socket in [&mut going_on, &mut waited_for, &mut there] {
            say(socket, &stop()).await;
        }
        timeout(PATIENCE, &mut old.serving)
            .await
            .expect("it has nothing more to do")
            .unwrap()
            .unwrap();
        assert_eq!(new.end_reason(&late).await, "caller_hangup");
        let page = new.app.store().calls(&Filter { count: 10, ..Filter::default() }).await.unwrap();
        let ends = page.calls.iter().map(|call| {
            let ended = call.ended.as_ref().map(|ended| &*ended.reason);
            (&*call.sid, call.epoch, ended)
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_unstable();
        let well = [CALL, &announced, &late].map(|call| (call, 1, Some("caller_hangup")));
        assert_eq!(ends, well, "nobody took a call from anybody");
        for call in [CALL, &announced, &late] {
            assert!(!new.app.store().journal(call).await.unwrap().is_empty(), "{call}");
        }
        // What was there keeps working until it is replaced, too.
        assert_eq!(new.get("/ready").await, StatusCode::OK);
    }
}

/// Two servers on one machine: they share the database and the folders.
async fn both(place: &Place) -> (Server, Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let at = async |path: &Path| {
        Server::start_with(|config| {
            config.database_url = place.url().to_owned().into();
            (config.spool, config.audit) = (path.join("spool"), path.join("audit"));
        })
        .await
    };
    (at(folder.path()).await, at(folder.path()).await, folder)
}

async fn begin(server: &Server, call: &str, token: &str) -> Socket {
    let mut socket = server.open(STREAM_PATH).await;
    say(&mut socket, &CONNECTED).await;
    let mut start = start(token);
    start.call_sid = call.to_owned();
    say(&mut socket, &FromTwilio::Start(start)).await;
    socket
}

async fn is_on_record(server: &Server, call: &str) {
    let opened = async {
        while server.app.store().call(call).await.unwrap().is_none() {
            pause().await;
        }
    };
    timeout(PATIENCE, opened).await.expect("the record is opened");
}

fn assert_apology(verbs: &[Verb]) {
    assert!(matches!(verbs, [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
}

fn form(body: &str) -> Form {
    decode_form(body.trim_end().as_bytes()).unwrap()
}

const DIAL_LEG: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/dial_leg_ringing.form");
const DIAL_ACTION: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/dial_action_busy.form");
const RECORDED: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/recording_completed.form");
