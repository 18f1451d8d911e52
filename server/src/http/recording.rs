//! What becomes of recordings, as the carrier tells it.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use call_transports::twilio::Sid;
use call_transports::twilio::recording::RecordingCallback;
use serde::Deserialize;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::{LOOK_UP, Signed};
use crate::app::App;

/// Whose call was recorded. It stands in the address that the carrier was given for the call, and the
/// carrier signs that address.
#[derive(Deserialize)]
pub(super) struct Whose {
    company: Option<String>,
}

/// Keeps what is told of a recording, once. Nothing is fetched: the address is whoever's who sends it
/// (F-WH-15).
pub(super) async fn recording_callback(
    State(app): State<App>,
    Query(Whose { company }): Query<Whose>,
    Signed(form): Signed,
) -> StatusCode {
    let Some(company) = company else {
        warn!("what is told of a recording does not say whose it is");
        return StatusCode::BAD_REQUEST;
    };
    let told = match RecordingCallback::from_form(&form) {
        Ok(told) => told,
        Err(error) => {
            warn!(%error, "what is told of a recording cannot be read");
            return StatusCode::BAD_REQUEST;
        }
    };
    let twilio = &app.config().twilio;
    let RecordingCallback { call, recording, .. } = &told;
    if told.account != twilio.account {
        warn!(target: "security", %call, "a recording is of another account than ours");
        return StatusCode::BAD_REQUEST;
    }
    let Some(status) = told.status else {
        info!(%call, %recording, "a recording stands somewhere that we do not know");
        return StatusCode::NO_CONTENT;
    };
    if company_of(&app, call).await.is_some_and(|own| own != company) {
        warn!(target: "security", %call, "a recording is said to be of another company's call");
        return StatusCode::BAD_REQUEST;
    }
    let media_path = told.lies_at(&twilio.api_url);
    if media_path.is_none() {
        // The address is not logged, because anybody may write anything in it.
        warn!(target: "security", %call, %recording, "a recording is said to lie elsewhere");
    }
    let keeping = app.store().keep_recording(&company, &told, status, media_path.as_deref());
    match timeout(PATIENCE, keeping).await {
        Ok(Ok(is_news)) => {
            let status = status.as_str();
            info!(%call, %recording, status, is_news, "the carrier tells of a recording");
            StatusCode::NO_CONTENT
        }
        Ok(Err(error)) => {
            error!(%call, %recording, %error, "what is told of a recording cannot be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(_) => {
            error!(%call, %recording, "the store is too slow to keep what is told of a recording");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Whose call it is, where we or the store know it (I-10). A store that cannot say does not lose what is
/// told: the address is signed.
async fn company_of(app: &App, call: &Sid) -> Option<String> {
    if let Some(grant) = app.tokens().grant(call) {
        return Some(grant.company().to_owned());
    }
    let record = timeout(LOOK_UP, app.store().call(call.as_str())).await.ok()?.ok()?;
    record.map(|record| record.company)
}

/// How long the store may take (T_WEBHOOK): a carrier that waits tells others late. It does not tell twice
/// what was refused, and is asked for it later.
const PATIENCE: Duration = Duration::from_secs(2);
