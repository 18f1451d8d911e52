//! The fake recordings: begun and changed by REST, told of by callbacks, and at last its sound.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use call_core::Millis;
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingCallback, RecordingStatus, media_path};
use call_transports::twilio::webhook::decode_form;

use jiff::Timestamp;
use serde_json::json;
use sim::heard::Tape;
use tokio::sync::oneshot;

use super::Account;
use super::rest::{Request, Update, json, refusal, refused};
use super::sound::Kept;
use super::webhook;
use crate::clock::pause;

/// What goes wrong with the callbacks of recordings, or with their sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RecordingMisdeed {
    /// The sound is said to lie at an address that is not Twilio's.
    ForeignUrl,
    /// Each callback comes twice, and the first one again behind the last.
    Twice,
    /// The last callback comes some seconds after the call.
    Late,
    /// Whoever asks for the sound is sent on to an address of somebody else's network.
    SentElsewhere,
    /// The sound never ends.
    Endless,
    /// There is no sound, although there should be.
    Missing,
    /// A page comes in place of the sound.
    WrongKind,
}

/// The recording of one call.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    sid: Sid,
    callback: String,
    /// What was asked of it, in Twilio's words.
    pub(super) asked: Vec<String>,
    /// When it began, as callbacks say it.
    started: String,
}

/// Until a recording that was begun is told of.
const BEGUN: Millis = Millis(50);

const LATE: Millis = Millis(3_000);

pub(super) async fn start(
    State(account): State<Arc<Account>>,
    Path((sid, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let form = decode_form(&body).unwrap_or_default();
    let callback = form.into_iter().find(|(name, _)| name == "RecordingStatusCallback");
    let (Some(call), Some((_, callback))) = (Sid::parse(&call), callback) else {
        return refusal(400, 20001, "This stand-in tells somebody of recordings");
    };
    if !account.live().contains_key(call.as_str()) {
        return refusal(400, 21220, "Requested resource is not eligible for recording");
    }
    let digits = &call.as_str()[2..];
    let Some(recording) = Sid::parse(&format!("RE{digits}")) else {
        return refusal(500, 20500, "Not a name");
    };
    let answer = format!(r#"{{"sid":"{recording}","call_sid":"{call}","status":"in-progress"}}"#);
    let line = account.live().get(call.as_str()).cloned();
    let (answered, _) = oneshot::channel();
    if let Some(line) = line {
        // A call that is over in the same moment has no sound.
        let _ = line.send(Request { update: Update::Record, answer: answered }).await;
    }
    let asked = vec!["in-progress".to_owned()];
    let started = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let began = Recording { sid: recording, callback, asked, started };
    account.recordings().insert(call.as_str().to_owned(), began);
    tokio::spawn(async move {
        pause(BEGUN).await;
        tell(&account, &call, RecordingStatus::InProgress, None).await;
    });
    json(201, answer)
}

/// Lists what there is of recordings of a call.
pub(super) async fn list(
    State(account): State<Arc<Account>>,
    Path((sid, call)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let known = account.recordings().get(&call).cloned();
    let listed = known.map(|Recording { sid: recording, started, .. }| {
        let seconds = account.sounds().get(recording.as_str()).map(|kept| kept.seconds.to_string());
        json!({
            "sid": recording.as_str(), "account_sid": sid, "call_sid": call,
            "status": if seconds.is_some() { "completed" } else { "in-progress" },
            "duration": seconds, "start_time": started,
        })
    });
    let listed: Vec<_> = listed.into_iter().collect();
    json(200, json!({ "recordings": listed }).to_string())
}

pub(super) async fn change(
    State(account): State<Arc<Account>>,
    Path((sid, call, name)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let form = decode_form(&body).unwrap_or_default();
    let status = form.into_iter().find(|(field, _)| field == "Status");
    let is_live = account.live().contains_key(&call);
    let mut recordings = account.recordings();
    let recording = recordings.get_mut(&call).filter(|_| is_live);
    let name = name.trim_end_matches(".json");
    let named =
        |recording: &&mut Recording| name == "Twilio.CURRENT" || name == recording.sid.as_str();
    match (recording.filter(named), status) {
        (Some(recording), Some((_, status))) => {
            recording.asked.push(status.clone());
            json(200, format!(r#"{{"sid":"{}","status":"{status}"}}"#, recording.sid))
        }
        (None, _) => refusal(404, 20404, "The recording was not found"),
        (_, None) => refusal(400, 20001, "This stand-in changes the status"),
    }
}

/// The call is over, and with it its recording.
pub(super) async fn end(account: &Arc<Account>, call: &Sid, seconds: u64, tape: Option<Tape>) {
    let Some(recording) = account.recordings().get(call.as_str()).map(|known| known.sid.clone())
    else {
        return;
    };
    let kept = Kept { tape: tape.unwrap_or_default(), seconds };
    account.sounds().insert(recording.as_str().to_owned(), kept);
    match account.misdeed() {
        Some(RecordingMisdeed::Late) => pause(LATE).await,
        _ => pause(BEGUN).await,
    }
    let completed = RecordingStatus::Completed;
    tell(account, call, completed, Some(seconds)).await;
    if account.misdeed() == Some(RecordingMisdeed::Twice) {
        tell(account, call, RecordingStatus::InProgress, None).await;
        tell(account, call, completed, Some(seconds + 1)).await;
    }
}

async fn tell(account: &Arc<Account>, call: &Sid, status: RecordingStatus, seconds: Option<u64>) {
    let known = account.recordings().get(call.as_str()).cloned();
    let Some(Recording { sid: recording, callback, started, .. }) = known else { return };
    let host = match account.misdeed() {
        Some(RecordingMisdeed::ForeignUrl) => "https://recordings.example",
        _ => "https://api.twilio.com",
    };
    let url = Some(format!("{host}{}", media_path(&account.sid, &recording)));
    let told = RecordingCallback {
        account: account.sid.clone(),
        call: call.clone(),
        recording,
        status: Some(status),
        seconds,
        started: Some(started),
        url,
    };
    webhook::tell(Arc::clone(account), callback.clone(), told.to_form()).await;
    if account.misdeed() == Some(RecordingMisdeed::Twice) {
        webhook::tell(Arc::clone(account), callback.clone(), told.to_form()).await;
    }
}
