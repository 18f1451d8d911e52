//! Hearing recordings: who may, what is on record of it, and what a carrier may do about it. In both
//! databases, with a carrier of a few lines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod kept;
mod logs;
mod places;
mod postgres;
mod support;

use std::convert::Infallible;
use std::fs;
use std::iter::repeat;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use call_core::brief::Brief;
use call_core::company::{Company, Retention};
use call_transports::net::install_crypto;
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingCallback, RecordingStatus, media_path};
use futures::stream;
use kept::{OLD_MS, recording, sid};
use logs::{entries_so_far, files};
use places::{Place, call_of, places};
use serde_json::json;
use server::api::{Operators, PATH};
use server::audit::verify::{Extent, verify};
use server::audit::{Audit, Entry, Kind, Publisher};
use server::retention::{Days, Sweeper};
use server::store::{Scope, Store};
use support::operators::Desk;
use support::{ACCOUNT, Server, pause};
use tokio::net::TcpListener;

const REY: &str = "rey-0123456789abcdef0123456789abcdef";
const VAL: &str = "val-0123456789abcdef0123456789abcdef";
const ANN: &str = "ann-0123456789abcdef0123456789abcdef";
const BEN: &str = "ben-0123456789abcdef0123456789abcdef";

/// I-10: a recording is heard by a reviewer of its company, and by nobody else.
#[tokio::test]
async fn a_reviewer_hears_what_the_carrier_has_and_the_audit_log_tells_of_it_i_10() {
    for place in places().await {
        let (carrier, server) = stage(&place).await;
        keep(server.app.store(), 1, RecordingStatus::Completed, true).await;
        let path = format!("/calls/{}/recordings", sid(1));
        let media = format!("{path}/{}/media", recording(1));
        for who in [ANN, BEN] {
            let refused = Desk::at(server.address, who).get(&media).await;
            assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, "role"));
        }
        let theirs = Desk::at(server.address, VAL).get(&media).await;
        assert_eq!((theirs.status, theirs.reason()), (StatusCode::NOT_FOUND, "no-record"));
        assert_eq!((carrier.asked(), count(&server)), (vec![], 0), "nobody heard anything");

        let listed = Desk::at(server.address, BEN).get(&path).await.body;
        let one = json!({
            "recording": recording(1), "status": "completed", "seconds": 1,
            "started_us": 1_795_341_605_000_000_i64, "can_be_heard": true, "deleted_us": null,
        });
        assert_eq!(listed, json!({ "call": sid(1), "recordings": [one] }));

        for (query, kind, path_end) in
            [("", "audio/wav", ".wav"), ("?format=mp3", "audio/mpeg", ".mp3")]
        {
            let answer = hear(&server, &format!("{media}{query}")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let headers = answer.headers();
            assert_eq!(headers["content-type"], kind);
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["content-length"], SOUND.len().to_string());
            assert_eq!(answer.bytes().await.unwrap(), SOUND);
            let asked = carrier.asked().pop().unwrap();
            assert!(asked.ends_with(&format!("/{}{path_end}", recording(1))), "{asked}");
        }
        let heard = entries_so_far(&server.app.config().audit);
        let heard: Vec<_> =
            heard.iter().filter(|entry| entry["kind"] == "recording_heard").collect();
        assert_eq!(heard.len(), 2);
        assert_eq!((&heard[0]["company"], &heard[0]["call"]), (&json!("acme"), &json!(sid(1))));
        let body = json!({
            "recording": recording(1), "format": "wav", "by": "rey", "way": "api"
        });
        assert_eq!(heard[0]["body"], body);
        let found = verify(&server.app.config().audit, None, Extent::All).unwrap().findings;
        assert_eq!(found, []);
        assert!(server.metrics().await.contains("offhook_operator_deeds_total{deed=\"hear\"} 2\n"));
    }
}

#[tokio::test]
async fn what_cannot_be_heard_is_said_to_be_so() {
    for place in places().await {
        let (carrier, server) = stage(&place).await;
        let store = server.app.store();
        keep(store, 1, RecordingStatus::InProgress, false).await;
        keep(store, 2, RecordingStatus::Absent, false).await;
        // It was said to lie at a strange address (F-WH-15).
        keep(store, 3, RecordingStatus::Completed, false).await;
        keep(store, 4, RecordingStatus::Completed, true).await;
        let desk = Desk::at(server.address, REY);
        for (call, wanted, status, reason) in [
            (1, 1, StatusCode::CONFLICT, "making"),
            (2, 2, StatusCode::NOT_FOUND, "no-sound"),
            (3, 3, StatusCode::NOT_FOUND, "no-sound"),
            // Another call's, and nobody's.
            (4, 3, StatusCode::NOT_FOUND, "no-recording"),
            (4, 9, StatusCode::NOT_FOUND, "no-recording"),
            (9, 4, StatusCode::NOT_FOUND, "no-record"),
        ] {
            let told = desk.get(&media_of(call, wanted)).await;
            assert_eq!((told.status, told.reason()), (status, reason), "{call} {wanted}");
        }
        for query in ["?format=ogg", "?form=wav"] {
            let told = desk.get(&format!("{}{query}", media_of(4, 4))).await;
            assert_eq!(told.reason(), "field", "{query}");
        }
        let twice = desk.get(&format!("{}?format=wav&format=mp3", media_of(4, 4))).await;
        assert_eq!(twice.reason(), "query");
        assert_eq!((carrier.asked(), count(&server)), (vec![], 0));
    }
}

/// F-WH-15: an address that the carrier's answer names is an address that somebody chose.
#[tokio::test]
async fn a_carrier_that_misbehaves_hands_out_nothing() {
    let [place, _] = places().await;
    let (carrier, server) = stage(&place).await;
    keep(server.app.store(), 1, RecordingStatus::Completed, true).await;
    let desk = Desk::at(server.address, REY);
    for (way, status, reason) in [
        (Way::Missing, StatusCode::GONE, "gone"),
        (Way::SentElsewhere, StatusCode::BAD_GATEWAY, "carrier"),
        (Way::WrongKind, StatusCode::BAD_GATEWAY, "carrier"),
        (Way::Refused, StatusCode::BAD_GATEWAY, "carrier"),
    ] {
        carrier.goes(way);
        let told = desk.get(&media_of(1, 1)).await;
        assert_eq!((told.status, told.reason()), (status, reason), "{way:?}");
        assert!(!told.body.to_string().contains("169.254"), "no address in an answer");
    }
    assert_eq!(count(&server), 0, "what was not heard is not on record as heard");
    // What breaks off must not look whole.
    carrier.goes(Way::Endless);
    let answer = hear(&server, &media_of(1, 1)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.bytes().await.is_err());
    assert_eq!(count(&server), 1);
}

/// F-PR-08: nobody hears what nobody could prove.
#[tokio::test]
async fn nothing_is_heard_while_the_audit_log_takes_nothing_f_pr_08() {
    let [place, _] = places().await;
    let (carrier, server) = stage(&place).await;
    keep(server.app.store(), 1, RecordingStatus::Completed, true).await;
    server.app.audit().settled().await.unwrap();
    let file = files(&server.app.config().audit).remove(0);
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    // Whether it fails is known when it is written to: the first one who listens finds out.
    let desk = Desk::at(server.address, REY);
    for _ in 0..2 {
        let told = desk.get(&media_of(1, 1)).await;
        assert_eq!((told.status, told.reason()), (StatusCode::SERVICE_UNAVAILABLE, "audit"));
    }
    assert_eq!(carrier.asked().len(), 1, "the carrier is asked no more");
    fs::rename(&aside, &file).unwrap();
    while !server.app.audit().is_well() {
        server.app.audit().append(Entry::new(Kind::Decision, "acme", json!({})));
        pause().await;
    }
    assert_eq!(hear(&server, &media_of(1, 1)).await.bytes().await.unwrap(), SOUND);
}

/// That there was a recording is known as long as its call is.
#[tokio::test]
async fn a_recording_whose_time_was_over_is_said_to_be_deleted() {
    for place in places().await {
        let (carrier, server) = stage(&place).await;
        let store = server.app.store();
        keep(store, 1, RecordingStatus::Completed, true).await;
        keep(store, 2, RecordingStatus::Absent, false).await;
        let days = |call| Days::of(&company(Retention { call, ..Retention::default() }));
        let sweeper = || Sweeper::new(std::time::Duration::ZERO);
        sweeper().sweep(store, "acme", days(36_525)).await.unwrap();
        let desk = Desk::at(server.address, REY);
        let told = desk.get(&media_of(1, 1)).await;
        assert_eq!((told.status, told.reason()), (StatusCode::GONE, "deleted"));
        let detail = told.body["detail"].as_str().unwrap();
        assert!(detail.contains("was deleted at 20") && detail.contains("its time was over"));
        let listed = desk.get(&format!("/calls/{}/recordings", sid(1))).await.body;
        let one = &listed["recordings"][0];
        assert_eq!((&one["status"], &one["can_be_heard"]), (&json!("deleted"), &json!(false)));
        assert!(one["deleted_us"].as_i64() > Some(1_700_000_000_000_000));
        // Where nothing was recorded, nothing was deleted.
        let absent = desk.get(&media_of(2, 2)).await;
        assert_eq!(absent.reason(), "no-recording");
        assert_eq!((carrier.asked(), count(&server)), (vec![], 0));

        let gone = store.recordings_of(Scope::Company("acme"), &sid(1)).await.unwrap();
        assert_eq!((gone.kept.len(), gone.deleted.len()), (0, 1));
        let others = store.recordings_of(Scope::Company("other"), &sid(1)).await.unwrap();
        assert_eq!(others.deleted, []);
        for change in ["UPDATE recording_deleted SET at_us = 1", "DELETE FROM recording_deleted"] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
        // With the call, that goes too.
        sweeper().sweep(store, "acme", days(1_096)).await.unwrap();
        assert_eq!(desk.get(&media_of(1, 1)).await.reason(), "no-record");
        assert_eq!(place.lines("SELECT call_sid FROM recording_deleted").await.len(), 0);
    }
}

/// The command: each in a file that is whole or not there, and that nobody else reads.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_recordings_and_saves_their_sound() {
    let [place, _] = places().await;
    let carrier = Carrier::begin().await;
    let store = Store::open(place.url()).await.unwrap();
    keep(&store, 1, RecordingStatus::Completed, true).await;
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    fs::create_dir(&heard).unwrap();
    let run = |call: &str, more: &[&str], is_known: bool| -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["calls", "recordings", call]).args(more).env_clear();
        command.env("DATABASE_URL", place.url()).env("USER", "judy");
        command.env("TWILIO_API_URL", &carrier.url);
        if is_known {
            command.env("TWILIO_ACCOUNT_SID", ACCOUNT).env("TWILIO_AUTH_TOKEN", "t0ken,other");
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let told = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code(), told)
    };
    let save = ["--save", heard.to_str().unwrap()];
    let line =
        format!("{}  completed, 1 s, from 2026-11-22 10:00:05Z, can be heard\n", recording(1));
    assert_eq!(run(&sid(1), &[], false), (Some(0), line));
    assert_eq!(run(&sid(9), &[], false).0, Some(1));
    let (status, told) = run(&sid(1), &save, false);
    assert!(status == Some(1) && told.contains("TWILIO_ACCOUNT_SID"), "{told}");
    let file = heard.join(format!("{}.wav", recording(1)));
    for way in [Way::Missing, Way::SentElsewhere, Way::Endless, Way::WrongKind] {
        carrier.goes(way);
        let (status, told) = run(&sid(1), &save, true);
        assert!(status == Some(1) && !told.contains("t0ken"), "{way:?}: {told}");
        assert_eq!(fs::read_dir(&heard).unwrap().count(), 0, "{way:?}: something is left");
    }
    carrier.goes(Way::Well);
    let (status, told) = run(&sid(1), &save, true);
    let bytes = format!("{} bytes are in {}\n", SOUND.len(), file.display());
    assert!(status == Some(0) && told.ends_with(&bytes), "{told}");
    assert_eq!(fs::read(&file).unwrap(), SOUND);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let (status, told) = run(&sid(1), &save, true);
    assert!(status == Some(1) && told.contains("is there already"), "{told}");

    // A server that runs puts into its log what the command noted.
    let root = folder.path().join("audit");
    let audit = Audit::open(&root).unwrap();
    Publisher::default().tell_notes(&audit, &store).await;
    let entries = entries_so_far(&root);
    let said: Vec<_> = entries.iter().filter(|entry| entry["kind"] == "recording_heard").collect();
    // The one that never ended was heard, too.
    assert_eq!(said.len(), 2);
    assert_eq!(
        (&said[1]["body"]["by"], &said[1]["body"]["way"]),
        (&json!("judy"), &json!("command"))
    );
}

async fn stage(place: &Place) -> (Carrier, Server) {
    let carrier = Carrier::begin().await;
    let (api_url, database_url) = (carrier.url.clone(), place.url().to_owned());
    let server = Server::start_with(|config| {
        config.twilio.api_url = api_url;
        config.database_url = database_url.into();
        let list =
            format!("rey:review:{REY},val:review@other:{VAL},ann:operate:{ANN},ben:read:{BEN}");
        config.operators = Operators::parse(&list).unwrap();
    })
    .await;
    (carrier, server)
}

/// A call of long ago, and what the carrier told of its recording.
async fn keep(store: &Store, number: usize, status: RecordingStatus, has_address: bool) {
    let brief = Brief { call: sid(number), utc_start_ms: OLD_MS, ..Brief::example() };
    let (brief, steps) = call_of(brief);
    store.end_call(&brief.call, &steps).await.unwrap();
    let told = RecordingCallback {
        account: Sid::parse(ACCOUNT).unwrap(),
        call: Sid::parse(&brief.call).unwrap(),
        recording: Sid::parse(&recording(number)).unwrap(),
        status: Some(status),
        seconds: Some(1),
        started: Some("Sun, 22 Nov 2026 10:00:05 +0000".to_owned()),
        url: None,
    };
    let path = has_address.then(|| media_path(&told.account, &told.recording));
    store.keep_recording("acme", &told, status, path.as_deref()).await.unwrap();
}

async fn hear(server: &Server, path: &str) -> reqwest::Response {
    install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}{PATH}{path}", server.address);
    http.get(url).bearer_auth(REY).send().await.unwrap()
}

fn media_of(call: usize, wanted: usize) -> String {
    format!("/calls/{}/recordings/{}/media", sid(call), recording(wanted))
}

/// How often somebody heard something, by the audit log.
fn count(server: &Server) -> usize {
    let entries = entries_so_far(&server.app.config().audit);
    entries.iter().filter(|entry| entry["kind"] == "recording_heard").count()
}

/// How the carrier answers who wants sound.
#[derive(Debug, Clone, Copy)]
enum Way {
    Well,
    Missing,
    SentElsewhere,
    WrongKind,
    Refused,
    Endless,
}

/// How it answers, and what it was asked for.
type Props = Arc<Mutex<(Way, Vec<String>)>>;

struct Carrier {
    url: String,
    props: Props,
}

impl Carrier {
    async fn begin() -> Self {
        install_crypto();
        let props = Arc::new(Mutex::new((Way::Well, Vec::new())));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&props));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, props }
    }

    fn goes(&self, way: Way) {
        self.props.lock().unwrap().0 = way;
    }

    /// What was asked for.
    fn asked(&self) -> Vec<String> {
        self.props.lock().unwrap().1.clone()
    }
}

async fn answer(State(props): State<Props>, headers: HeaderMap, uri: Uri) -> Response {
    let mut props = props.lock().unwrap();
    if !headers[header::AUTHORIZATION].to_str().unwrap().starts_with("Basic ") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    props.1.push(uri.path().to_owned());
    let kind = if uri.path().ends_with(".mp3") { "audio/mpeg" } else { "audio/x-wav" };
    let as_kind = |kind| [(header::CONTENT_TYPE, kind)];
    match props.0 {
        Way::Well => (as_kind(kind), SOUND).into_response(),
        Way::Missing => StatusCode::NOT_FOUND.into_response(),
        Way::SentElsewhere => {
            let to = "http://169.254.169.254/latest/meta-data/";
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Way::WrongKind => (as_kind("text/html"), "<html>").into_response(),
        Way::Refused => StatusCode::FORBIDDEN.into_response(),
        Way::Endless => {
            let pieces = repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 4_096])));
            (as_kind(kind), Body::from_stream(stream::iter(pieces))).into_response()
        }
    }
}

fn company(retention: Retention) -> Company {
    Company { retention, ..support::acme().company().clone() }
}

/// The carrier hands out what it has; what it is, nobody looks at.
const SOUND: &[u8] = &[7; 40_000];
