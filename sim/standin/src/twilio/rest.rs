//! The fake REST interface: calls, and their recordings below them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use call_core::Millis;
use call_transports::twilio::webhook::decode_form;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{Account, recording, sound};
use crate::clock::pause;

/// How a call stands is answered after so long.
const LOOK: Millis = Millis(60);

/// A request about a live call.
#[derive(Debug)]
pub(super) struct Request {
    /// What is to become of it.
    pub(super) update: Update,
    /// Takes HTTP status and body.
    pub(super) answer: Answer,
}

/// Takes an answer: HTTP status and body.
pub(super) type Answer = oneshot::Sender<(u16, String)>;

/// What is to become of a call.
#[derive(Debug)]
pub(super) enum Update {
    /// It is to end (`Status=completed`).
    HangUp,
    /// It is to run this document instead of the one that it runs (`Twiml`).
    Document(String),
    /// Nothing: how it stands is asked.
    Look,
    /// Nothing: from now on it is recorded.
    Record,
}

const RECORDINGS: &str = "/2010-04-01/Accounts/{account}/Calls/{call}/Recordings.json";
const RECORDING: &str = "/2010-04-01/Accounts/{account}/Calls/{call}/Recordings/{recording}";
const SOUND: &str = "/2010-04-01/Accounts/{account}/Recordings/{recording}";

pub(super) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(look).post(update_call))
        .route(RECORDINGS, get(recording::list).post(recording::start))
        .route(RECORDING, post(recording::change))
        .route(SOUND, get(sound::give).delete(sound::delete))
        .with_state(account)
}

async fn update_call(
    State(account): State<Arc<Account>>,
    Path((sid, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    match read(&body) {
        Some(update) => ask(&account, &call, update).await,
        None => refusal(400, 20001, "This stand-in takes either Status=completed or Twiml"),
    }
}

async fn look(
    State(account): State<Arc<Account>>,
    Path((sid, call)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    pause(LOOK).await;
    let name = call.strip_suffix(".json").unwrap_or(&call);
    let ended = account.ended().get(name).copied();
    if let Some(seconds) = ended {
        return json(200, format!(r#"{{"status":"completed","duration":"{seconds}"}}"#));
    }
    ask(&account, &call, Update::Look).await
}

/// Asks a live call, and answers what it answers.
async fn ask(account: &Account, call: &str, update: Update) -> Response {
    let call = call.strip_suffix(".json").unwrap_or(call);
    let line = account.live().get(call).cloned();
    let (answer, answered) = oneshot::channel();
    let gone = match line {
        Some(line) => line.send(Request { update, answer }).await.is_err(),
        None => true,
    };
    match answered.await {
        Ok((status @ 200..=299, body)) if !gone => json(status, named(account, call, &body)),
        Ok((status, body)) if !gone => json(status, body),
        _ => refusal(404, 20404, "The call was not found"),
    }
}

/// The one parameter of a request; nothing if it is not the only one, or not known here.
fn read(body: &[u8]) -> Option<Update> {
    let mut form = decode_form(body).ok()?;
    let (name, value) = form.pop().filter(|_| form.is_empty())?;
    match name.as_str() {
        "Status" if value == "completed" => Some(Update::HangUp),
        "Twiml" => Some(Update::Document(value)),
        _ => None,
    }
}

/// A call as Twilio shows it: with its names, which clients read beside how it stands.
fn named(account: &Account, call: &str, body: &str) -> String {
    let mut shown: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let sid = &account.sid;
    shown.insert("sid".to_owned(), call.into());
    shown.insert("account_sid".to_owned(), sid.as_str().into());
    shown.insert("api_version".to_owned(), "2010-04-01".into());
    let uri = format!("/2010-04-01/Accounts/{sid}/Calls/{call}.json");
    shown.insert("uri".to_owned(), uri.into());
    Value::Object(shown).to_string()
}

pub(super) fn refusal(status: u16, code: u32, message: &str) -> Response {
    json(status, format!(r#"{{"code":{code},"message":"{message}","status":{status}}}"#))
}

pub(super) fn json(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Basic authentication with the account's SID and auth token.
/// The answer to whoever asks for another account, or without this one's credentials.
pub(super) fn refused(account: &Account, sid: &str, headers: &HeaderMap) -> Option<Response> {
    let is_ours = sid == account.sid.as_str() && admits(account, headers);
    (!is_ours).then(|| refusal(401, 20003, "Authenticate"))
}

fn admits(account: &Account, headers: &HeaderMap) -> bool {
    let expected = account
        .http
        .get("http://localhost/")
        .basic_auth(account.sid.as_str(), Some(&account.auth_token))
        .build()
        .ok()
        .and_then(|request| request.headers().get(header::AUTHORIZATION).cloned());
    expected.is_some() && headers.get(header::AUTHORIZATION) == expected.as_ref()
}
