//! The fake recordings: begun and changed by REST, told of by callbacks. Nothing is kept of the sound.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use call_core::Millis;
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingCallback, RecordingStatus, media_path};
use call_transports::twilio::webhook::decode_form;

use super::Account;
use super::rest::{json, refusal, refused};
use super::webhook;
use crate::clock::pause;

/// What goes wrong with the callbacks of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RecordingMisdeed {
    /// The sound is said to lie at an address that is not Twilio's.
    ForeignUrl,
    /// Each callback comes twice, and the first one again behind the last.
    Twice,
    /// The last callback comes some seconds after the call.
    Late,
}

/// The recording of one call.
#[derive(Debug)]
pub(super) struct Recording {
    sid: Sid,
    callback: String,
    /// What was asked of it, in Twilio's words.
    pub(super) asked: Vec<String>,
}

/// Until a recording that was begun is told of.
const BEGUN: Millis = Millis(50);

const LATE: Millis = Millis(3_000);

/// Deletes a recording. As nothing is kept of its sound, whatever has a recording's name counts as one.
pub(super) async fn delete(
    State(account): State<Arc<Account>>,
    Path((sid, recording)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let recording = recording.strip_suffix(".json").and_then(Sid::parse);
    match recording.filter(|recording| recording.kind() == "RE") {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => refusal(404, 20404, "The recording was not found"),
    }
}

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
    let asked = vec!["in-progress".to_owned()];
    let began = Recording { sid: recording, callback, asked };
    account.recordings().insert(call.as_str().to_owned(), began);
    tokio::spawn(async move {
        pause(BEGUN).await;
        tell(&account, &call, RecordingStatus::InProgress, None).await;
    });
    json(201, answer)
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
pub(super) async fn end(account: &Arc<Account>, call: &Sid, seconds: u64) {
    if !account.recordings().contains_key(call.as_str()) {
        return;
    }
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
    let known =
        account.recordings().get(call.as_str()).map(|r| (r.sid.clone(), r.callback.clone()));
    let Some((recording, callback)) = known else { return };
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
        url,
    };
    webhook::tell(Arc::clone(account), callback.clone(), told.to_form()).await;
    if account.misdeed() == Some(RecordingMisdeed::Twice) {
        webhook::tell(Arc::clone(account), callback.clone(), told.to_form()).await;
    }
}
