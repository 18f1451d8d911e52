//! Requests to the server's webhooks, signed.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use call_core::CallTime;
use call_transports::twilio::signature::sign;
use call_transports::twilio::status::StatusCallback;
use call_transports::twilio::twiml::{self, Verb};
use call_transports::twilio::webhook::{CallStatus, Direction, InboundCall, encode_form};
use reqwest::Response;

use super::Account;

/// The fields of a request.
pub(super) type Form = Vec<(String, String)>;

/// Asks for a document.
pub(super) async fn document(
    account: Arc<Account>,
    url: String,
    form: Form,
) -> anyhow::Result<Vec<Verb>> {
    let response = post(&account, &url, &form).await?;
    ensure!(response.status().is_success(), "the webhook answered {}", response.status());
    let body = response.text().await?;
    twiml::parse(&body).context("the webhook's answer is not TwiML")
}

/// Tells of something. What is answered steers nothing.
pub(super) async fn tell(account: Arc<Account>, url: String, form: Form) {
    match post(&account, &url, &form).await {
        Ok(response) if response.status().is_success() => {}
        // Warning 15003.
        Ok(response) => tracing::warn!(status = %response.status(), "a callback was refused"),
        Err(error) => tracing::warn!(%error, "a callback was not taken"),
    }
}

async fn post(account: &Account, url: &str, form: &Form) -> anyhow::Result<Response> {
    let request = account
        .http
        .post(url)
        .header("X-Twilio-Signature", sign(&account.auth_token, url, form))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encode_form(form));
    request.send().await.with_context(|| format!("the webhook {url} cannot be reached"))
}

/// A status callback, so long after the call began.
pub(super) fn status_form(call: &InboundCall, told: &StatusCallback, at: CallTime) -> Form {
    let mut form = InboundCall { status: told.status.clone(), ..call.clone() }.to_form();
    let mut add = |name: &str, value: String| form.push((name.to_owned(), value));
    add("CallbackSource", "call-progress-events".to_owned());
    if let Some(sequence) = told.sequence {
        add("SequenceNumber", sequence.to_string());
    }
    if told.status == CallStatus::Completed {
        add("CallDuration", at.as_millis().div_ceil(1_000).to_string());
    }
    form
}

/// What the document's `action` is asked with when dialling has come to an end.
pub(super) fn dialled_form(call: &InboundCall, leg: &str, status: &str) -> Form {
    let mut form = call.to_form();
    let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    add("DialCallStatus", status);
    add("DialCallSid", leg);
    add("DialBridged", if status == "completed" { "true" } else { "false" });
    form
}

/// What is told when the person who was called answers.
pub(super) fn answered_form(call: &InboundCall, leg: &str) -> Form {
    let status = CallStatus::InProgress;
    let mut form =
        InboundCall { status, direction: Direction::OutboundDial, ..call.clone() }.to_form();
    for (name, value) in &mut form {
        if name == "CallSid" {
            *value = leg.to_owned();
        }
    }
    form.push(("ParentCallSid".to_owned(), call.call_sid.as_str().to_owned()));
    form.push(("CallbackSource".to_owned(), "call-progress-events".to_owned()));
    form
}
