//! Recordings: what is asked of the carrier for a call, and what its callbacks leave in the store.

#![cfg(feature = "demo")]

mod places;
mod postgres;
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use call_core::brief::Brief;
use call_core::company::Recording as Policy;
use call_transports::net::MediaDeletion;
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingStatus, SoundFormat};
use call_transports::twilio::webhook::decode_form;
use places::{call_of, places};
use reqwest::StatusCode;
use serde_json::json;
use server::demo::{Demo, Placed};
use server::hearing::Hearing;
use server::store::{Recording, Scope};
use server::times::now_us;
use sim::Scenario;
use standin::twilio::RecordingMisdeed;
use support::{ACCOUNT, CALL, FORM, Form, Server, with};
use tempfile::TempDir;
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
            started_us: Some(1_795_341_605_000_000),
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

/// The sound of a recorded call, from the carrier's stand-in in each way that it knows to hand it out. What
/// was said to lie at a strange address is not fetched at all (F-WH-15).
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_call_can_be_heard_once_it_is_over() {
    let (demo, _folder) = stage(BRIEF, Policy::On).await;
    let placed = demo.call(|_| {}).await.expect("the call is placed");
    let [kept] = &placed.recordings[..] else { panic!("{:?}", placed.recordings) };
    let seconds = u64::try_from(kept.seconds.expect("a length")).expect("a length");
    let wav = heard(&demo, &placed, SoundFormat::Wav).await.expect("it can be heard");
    assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(wav.len() as u64, 44 + seconds * 32_000);
    // The opening was being spoken to the caller, who said nothing.
    let loud = wav[44..].chunks(4).filter(|both| both[2..] != [0, 0]).count();
    assert!(loud > 4_000, "{loud}");
    let mp3 = heard(&demo, &placed, SoundFormat::Mp3).await.expect("it can be heard");
    assert_eq!(mp3[..2], [0xFF, 0xE3]);

    use RecordingMisdeed::{Endless, Missing, SentElsewhere, WrongKind};
    for misdeed in [SentElsewhere, Missing, WrongKind, Endless] {
        demo.carrier().misbehave(misdeed);
        let why = heard(&demo, &placed, SoundFormat::Wav).await.expect_err("it cannot be heard");
        let is_gone = why.contains("does not have the sound");
        assert_eq!(is_gone, misdeed == Missing, "{misdeed:?}: {why}");
        assert!(!why.contains("169.254"), "{why}");
    }
    // Deleted at the carrier, it is gone for everybody.
    demo.carrier().misbehave(RecordingMisdeed::Late);
    let carrier = &demo.server().services().carrier;
    let sid = Sid::parse(&kept.sid).expect("a name");
    assert_eq!(carrier.delete_recording(&sid).await, MediaDeletion::Gone);
    let why = heard(&demo, &placed, SoundFormat::Wav).await.expect_err("it is gone");
    assert!(why.contains("any more"), "{why}");

    demo.carrier().misbehave(RecordingMisdeed::ForeignUrl);
    let placed = demo.call(|_| {}).await.expect("the call is placed");
    let why = heard(&demo, &placed, SoundFormat::Wav).await.expect_err("it is not fetched");
    assert!(why.contains("no sound that can be fetched"), "{why}");
    demo.end().await.expect("it ends");
}

/// What somebody hears of a call, or why nothing.
async fn heard(demo: &Demo, placed: &Placed, format: SoundFormat) -> Result<Vec<u8>, String> {
    let server = demo.server();
    let (call, recording) = (&placed.record, &placed.recordings[0].sid);
    let recordings = server.store().recordings_of(Scope::Every, &call.sid).await;
    let recordings = recordings.expect("the store answers");
    let hearing = Hearing { call, recording, format, by: "judy", way: "api" };
    let tell = async |entry| server.audit().put_on_record(entry).await;
    let sound = hearing.begin(&recordings, &server.services().carrier, tell).await;
    let mut sound = sound.map_err(|why| why.to_string())?;
    let mut all = Vec::new();
    while let Some(piece) = sound.piece().await.map_err(|why| why.to_string())? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// F-WH-11: a callback that was lost, or came while the store took nothing, is asked for. Only calls that
/// were to be recorded are asked about, and one of which the carrier has nothing once.
#[tokio::test(flavor = "multi_thread")]
async fn recordings_that_nobody_told_of_are_asked_for_f_wh_11() {
    for place in places().await {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let carrier = listing(Arc::clone(&asked)).await;
        let url = place.url().to_owned();
        let server = Server::start_with(|config| {
            config.database_url = url.into();
            config.twilio.api_url = carrier;
            config.orphan_limit = Duration::from_millis(100);
        })
        .await;
        let store = server.app.store();
        let now_ms = u64::try_from(now_us() / 1_000).expect("a time");
        let nothing = CALL.replace("11", "22");
        let begun = CALL.replace("11", "33");
        for (call, policy, ago_ms) in [
            (CALL, Policy::On, 10_000),
            (&nothing, Policy::On, 10_000),
            (&begun, Policy::Off, 10_000),
            (&CALL.replace("11", "44"), Policy::Off, 10_000),
            (&CALL.replace("11", "55"), Policy::On, 90_000_000),
        ] {
            let (call, utc_start_ms) = (call.to_owned(), now_ms - ago_ms);
            let brief = Brief { call, utc_start_ms, recording: policy, ..Brief::example() };
            let (brief, steps) = call_of(brief);
            store.end_call(&brief.call, &steps).await.expect("it is kept");
        }
        // Its journal does not say so, and the carrier did.
        let told = with(&form(PROGRESS), "CallSid", &begun);
        let told = with(&told, "RecordingSid", &RECORDING.replace("31", "33"));
        server.post(CALLBACK, &told).await;
        let kept = async {
            // On a busy machine the database may think that we left a transaction lying; the next look tells.
            let look = async |call: &str| store.recordings(call).await.unwrap_or_default();
            loop {
                let kept = [look(CALL).await, look(&begun).await];
                if kept.iter().flatten().filter(|kept| kept.has_sound()).count() == 2 {
                    return kept;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let [kept, _] = timeout(Duration::from_secs(20), kept).await.expect("it is asked for");
        let expected = Recording {
            sid: RECORDING.to_owned(),
            status: RecordingStatus::Completed,
            seconds: Some(42),
            started_us: Some(1_795_341_605_000_000),
            media_path: Some(MEDIA.to_owned()),
        };
        assert_eq!(kept, [expected]);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut asked = asked.lock().expect("nobody panicked").clone();
        asked.sort();
        asked.retain(|path| path.ends_with("/Recordings.json"));
        let ends = [CALL, &nothing, &begun].map(|call| format!("/Calls/{call}/Recordings.json"));
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert!(asked.iter().zip(ends).all(|(path, end)| path.ends_with(&end)), "{asked:?}");
    }
}

/// A carrier that lists one recording of each call but one.
async fn listing(asked: Arc<Mutex<Vec<String>>>) -> String {
    let answer = async move |uri: Uri| {
        asked.lock().expect("nobody panicked").push(uri.path().to_owned());
        let call = uri.path().split('/').nth(5).unwrap_or_default().to_owned();
        let recording = RECORDING.replace("31", if call == CALL { "31" } else { "33" });
        let one = json!({
            "sid": recording, "account_sid": ACCOUNT, "call_sid": call, "status": "completed",
            "duration": "42", "start_time": "Sun, 22 Nov 2026 10:00:05 +0000",
        });
        let listed = if call.ends_with("22") { vec![] } else { vec![one] };
        axum::Json(json!({ "recordings": listed }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
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
    let (demo, _folder) = stage(text, policy).await;
    if let Some(misdeed) = misdeed {
        demo.carrier().misbehave(misdeed);
    }
    let placed = demo.call(|_| {}).await.expect("the call is placed");
    let asked = demo.carrier().asked_of_recording(&placed.record.sid);
    demo.end().await.expect("it ends");
    (placed, asked)
}

/// A server and its providers, with a database in a folder.
async fn stage(text: &str, policy: Policy) -> (Demo, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let company = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/companies/summit.toml");
    let file = folder.path().join("recorded.ron");
    std::fs::write(&file, text.replace("SUMMIT", company)).expect("a file");
    let mut scenario = Scenario::load(&file).expect("a scenario");
    scenario.company.recording = policy;
    let database = format!("sqlite://{}", folder.path().join("calls.db").display());
    let demo = Demo::start(Arc::new(scenario), &database).await.expect("it starts");
    (demo, folder)
}

async fn recordings(server: &Server) -> Vec<Recording> {
    recordings_of(server, CALL).await
}

async fn recordings_of(server: &Server, call: &str) -> Vec<Recording> {
    server.app.store().recordings(call).await.expect("the store answers")
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
