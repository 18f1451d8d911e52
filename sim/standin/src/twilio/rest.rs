//! The fake REST interface: `POST /2010-04-01/Accounts/{account}/Calls/{call}.json`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use call_transports::twilio::rest::HANG_UP_BODY;
use tokio::sync::oneshot;

use super::Account;

/// A request to end a call; it is answered with HTTP status and body.
#[derive(Debug)]
pub(super) struct HangUp(pub(super) oneshot::Sender<(u16, String)>);

pub(super) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(update_call))
        .with_state(account)
}

async fn update_call(
    State(account): State<Arc<Account>>,
    Path((sid, call)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if sid != account.sid.as_str() || !admits(&account, &headers) {
        let body = r#"{"code":20003,"message":"Authenticate","status":401}"#;
        return answer(401, body.to_owned());
    }
    if body != HANG_UP_BODY.as_bytes() {
        let body = r#"{"code":20001,"message":"This stand-in only hangs up","status":400}"#;
        return answer(400, body.to_owned());
    }
    let call = call.strip_suffix(".json").unwrap_or(&call);
    let line = account.live().get(call).cloned();
    let (reply, answered) = oneshot::channel();
    let gone = match line {
        Some(line) => line.send(HangUp(reply)).await.is_err(),
        None => true,
    };
    match answered.await {
        Ok((status, body)) if !gone => answer(status, body),
        _ => {
            let body = r#"{"code":20404,"message":"The call was not found","status":404}"#;
            answer(404, body.to_owned())
        }
    }
}

fn answer(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Basic authentication with the account's SID and auth token.
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
