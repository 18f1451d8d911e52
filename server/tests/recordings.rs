//! Recordings: what is asked of the carrier for a call, and what its callbacks leave in the store.

#![cfg(feature = "demo")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use call_core::company::Recording as Policy;
use call_transports::twilio::recording::RecordingStatus;
use call_transports::twilio::webhook::decode_form;
use reqwest::StatusCode;
use server::demo::{Demo, Placed};
use server::store::Recording;
use sim::Scenario;
use standin::twilio::RecordingMisdeed;
use support::{CALL, FORM, Form, Server, with};
use tokio::net::TcpListener;
use tokio::time::timeout;

const CALLBACK: &str = "/twilio/recording_callback?company=acme";
const RECORDING: &str = "RE00000000000000000000000000000031";
const MEDIA: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001\
                     /Recordings/RE00000000000000000000000000000031";

#[tokio::test]
async fn what_is_told_of_a_recording_is_kept_once_in_whatever_order_it_comes() {
    for order in [[PROGRESS, COMPLETED, COMPLETED], [COMPLETED, PROGRESS, ABSENT]] {
        let server = Server::start().await;
        for body in order {
            assert_eq!(server.post(CALLBACK, &form(body)).await.0, StatusCode::NO_CONTENT);
        }
        let longer = with(&form(COMPLETED), "RecordingDuration", "99");
        server.post(CALLBACK, &longer).await;
        let kept = Recording {
            sid: RECORDING.to_owned(),
            status: RecordingStatus::Completed,
            seconds: Some(42),
            media_path: Some(MEDIA.to_owned()),
        };
        assert_eq!(recordings(&server).await, [kept]);
    }
}

#[tokio::test]
async fn a_recording_without_sound_has_no_address() {
    let server = Server::start().await;
    for body in [PROGRESS, ABSENT] {
        server.post(CALLBACK, &form(body)).await;
    }
    let [kept] = &recordings(&server).await[..] else { panic!("one recording") };
    assert_eq!((kept.status, kept.seconds), (RecordingStatus::Absent, None));
    assert_eq!(kept.media_path, None);
}

/// F-WH-01: who did not sign it changes nothing, and neither does who signed something else.
#[tokio::test]
async fn a_recording_is_told_of_by_the_carrier_alone() {
    let server = Server::start().await;
    for signature in [None, Some("nonsense")] {
        let (status, body) = server.post_as(CALLBACK, COMPLETED.trim_end(), FORM, signature).await;
        assert_eq!((status, &*body), (StatusCode::FORBIDDEN, ""));
    }
    for (field, value) in [
        ("AccountSid", "AC00000000000000000000000000000009"),
        ("RecordingSid", "../../x"),
        ("CallSid", ""),
    ] {
        let (status, _) = server.post(CALLBACK, &with(&form(COMPLETED), field, value)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{field}");
    }
    let unknown = with(&form(COMPLETED), "RecordingStatus", "processing");
    assert_eq!(server.post(CALLBACK, &unknown).await.0, StatusCode::NO_CONTENT);
    assert_eq!(recordings(&server).await, []);

    // What belongs to a call is not taken by another.
    server.post(CALLBACK, &form(PROGRESS)).await;
    let other = "CA00000000000000000000000000000012";
    server.post(CALLBACK, &with(&form(COMPLETED), "CallSid", other)).await;
    assert_eq!(recordings(&server).await[0].status, RecordingStatus::InProgress);
    assert_eq!(server.app.store().recordings(other).await.expect("the store answers"), []);
}

/// F-WH-15: a signed callback names an address on a port that listens. Nobody comes.
#[tokio::test]
async fn an_address_that_a_sender_chose_is_never_asked() {
    let bait = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = bait.local_addr().expect("an address");
    let server = Server::start().await;
    for url in [format!("http://{address}{MEDIA}"), format!("http://{address}/x?y=z")] {
        let (status, _) =
            server.post(CALLBACK, &with(&form(COMPLETED), "RecordingUrl", &url)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    assert!(timeout(Duration::from_millis(500), bait.accept()).await.is_err());
    let [kept] = &recordings(&server).await[..] else { panic!("one recording") };
    assert_eq!((kept.status, &kept.media_path), (RecordingStatus::Completed, &None));
}

/// F-WH-15: the carrier's stand-in misbehaves in each way that it knows, with calls on real sockets.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_calls_have_one_recording_whatever_is_told_of_it() {
    use RecordingMisdeed::{ForeignUrl, Late, Twice};
    let calls = [None, Some(ForeignUrl), Some(Twice), Some(Late)];
    let placed = futures::future::join_all(calls.map(|misdeed| place(BRIEF, Policy::On, misdeed)));
    for (misdeed, (placed, asked)) in calls.into_iter().zip(placed.await) {
        assert_eq!(asked, ["in-progress"], "{misdeed:?}");
        let [kept] = &placed.recordings[..] else { panic!("{misdeed:?}: {:?}", placed.recordings) };
        assert_eq!(kept.status, RecordingStatus::Completed, "{misdeed:?}");
        let ended = placed.record.ended.expect("an end");
        let seconds = kept.seconds.expect("a length");
        assert!((seconds * 1_000 - ended.duration_ms).abs() < 3_000, "{misdeed:?}: {seconds}");
        assert_eq!(kept.media_path.is_none(), misdeed == Some(ForeignUrl), "{misdeed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_does_not_record_has_no_call_recorded() {
    let (placed, asked) = place(BRIEF, Policy::Off, None).await;
    assert_eq!((asked.len(), placed.recordings.len()), (0, 0));
}

/// The tones of a number are the number: none is in the recording but the beginning of the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_holds_silence_while_a_number_is_keyed_in() {
    let (placed, asked) = place(KEYS, Policy::On, None).await;
    assert_eq!(asked, ["in-progress", "paused", "in-progress"]);
    assert!(placed.verdicts.iter().all(|verdict| verdict.held), "{:?}", placed.verdicts);
}

/// Plays a scenario over real sockets. Returns what was asked of the carrier for its recording, too.
async fn place(
    text: &str,
    policy: Policy,
    misdeed: Option<RecordingMisdeed>,
) -> (Placed, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let company = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/companies/summit.toml");
    let file = folder.path().join("recorded.ron");
    std::fs::write(&file, text.replace("SUMMIT", company)).expect("a file");
    let mut scenario = Scenario::load(&file).expect("a scenario");
    scenario.company.recording = policy;
    let database = format!("sqlite://{}", folder.path().join("calls.db").display());
    let demo = Demo::start(Arc::new(scenario), &database).await.expect("it starts");
    if let Some(misdeed) = misdeed {
        demo.carrier().misbehave(misdeed);
    }
    let placed = demo.call(|_| {}).await.expect("the call is placed");
    let asked = demo.carrier().asked_of_recording(&placed.record.sid);
    demo.end().await.expect("it ends");
    (placed, asked)
}

async fn recordings(server: &Server) -> Vec<Recording> {
    server.app.store().recordings(CALL).await.expect("the store answers")
}

fn form(body: &str) -> Form {
    decode_form(body.trim_end().as_bytes()).expect("a form")
}

const PROGRESS: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/recording_in_progress.form");
const COMPLETED: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/recording_completed.form");
const ABSENT: &str =
    include_str!("../../transports/fixtures/twilio/webhooks/recording_absent.form");

const BRIEF: &str = r#"Scenario(
    title: "Hangs up at once",
    company: "SUMMIT",
    language: en,
    seed: 1,
    caller: (from: "+15555551001", turns: [HangsUp(after: Into(1500))]),
    agent: [],
    expect: [Ended("caller_hangup")],
)"#;

const KEYS: &str = r#"Scenario(
    title: "A number, recorded",
    company: "SUMMIT",
    language: en,
    seed: 16,
    caller: (from: "+15555551016", turns: [Keys(digits: "100234#"), HangsUp(after: Later(2500))]),
    agent: [(hears: "keyed in", does: [Says("Thank you.")])],
    expect: [Ended("caller_hangup")],
)"#;
