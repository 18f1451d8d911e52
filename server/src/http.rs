//! The webhooks of the carrier, and whether the server is well.
//!
//! Every webhook is signed, and nothing happens before its signature is checked against our public
//! URL. A call that comes in is always answered with a document: an HTTP error would make Twilio
//! speak to the caller in words that are not ours.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use call_core::{Language, LineId};
use call_transports::twilio::Sid;
use call_transports::twilio::status::StatusCallback;
use call_transports::twilio::twiml::{self, Document, Parameter, Reason, Stream};
use call_transports::twilio::webhook::{self, InboundCall};
use locales::Locale;
use serde_json::json;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::api;
use crate::app::App;
use crate::media;
use crate::metrics::{CallRefusal, count};
use crate::tokens::{Admission, Ending, Grant, Token};
use crate::unrecorded;

pub(crate) use departure::Documents;
pub(crate) use signed::{SIGNATURE, Signed};
pub(crate) use waiting::waiting;

mod departure;
mod recording;
mod signed;
mod waiting;

/// All ways in.
pub fn router(app: App) -> Router {
    let ways = if app.config().operators.is_empty() {
        Router::new()
    } else {
        Router::new().nest(api::PATH, api::router(app.clone()))
    };
    ways.route(INBOUND, post(inbound_call))
        .route(AFTER_STREAM, post(after_stream))
        .route(AFTER_DIAL, post(departure::after_dial))
        .route(DIALLED, post(departure::dialled))
        .route("/twilio/call-status", post(call_status))
        .route(RECORDING, post(recording::recording_callback))
        .route("/twilio/{company}/{language}", get(media::stream))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .layer(middleware::from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// Name of the parameter that carries a stream's token.
pub(crate) const TOKEN: &str = "token";

async fn inbound_call(State(app): State<App>, Signed(form): Signed) -> Result<Twiml, StatusCode> {
    let config = app.config();
    let language = language_of(&app, &form);
    let call = match InboundCall::from_form(&form) {
        Ok(call) => call,
        Err(error @ webhook::Error::Repeated { .. }) => {
            warn!(%error, "an inbound call was refused");
            app.metrics().call_refused(CallRefusal::Unreadable);
            return Err(StatusCode::BAD_REQUEST);
        }
        Err(error) => {
            error!(%error, "an inbound call cannot be understood");
            app.metrics().call_refused(CallRefusal::Unreadable);
            return Ok(apology(language));
        }
    };
    if call.account_sid != config.twilio.account {
        error!(call = %call.call_sid, "an inbound call is of another account than ours");
        app.metrics().call_refused(CallRefusal::Account);
        return Ok(apology(language));
    }
    let admitted = || app.tokens().grant(&call.call_sid).map(|grant| Arc::clone(&grant.tenant));
    // A call that asks once more was admitted, although its company is off the line since.
    let Some(tenant) = app.companies().by_number(call.to.reveal()).or_else(admitted) else {
        warn!(call = %call.call_sid, to = %call.to, "the number that was dialled is nobody's");
        app.metrics().call_refused(CallRefusal::Number);
        return Ok(Twiml(Document::new().reject(Reason::Rejected)));
    };
    Ok(admit(
        &app,
        Grant {
            call: call.call_sid,
            account: call.account_sid,
            tenant,
            language,
            from: call.from,
            to: call.to,
        },
    )
    .await)
}

async fn admit(app: &App, grant: Grant) -> Twiml {
    let language = grant.language;
    if is_on_record(app, &grant.call).await {
        app.metrics().call_refused(CallRefusal::Over);
        return Twiml(Document::new().hang_up());
    }
    if app.is_draining() {
        warn!(call = %grant.call, "a call came in while the server ends");
        app.metrics().call_refused(CallRefusal::Draining);
        return apology(language);
    }
    let company_calls_max = grant.tenant.company().calls_max;
    let admission = app.tokens().admit(grant.clone(), company_calls_max, Instant::now());
    match admission {
        Admission::Granted(token) => {
            // A call that asks once more was admitted under the version that was active before, and only
            // the stream of that one is taken (I-36).
            let grant = app.tokens().grant(&grant.call).cloned().unwrap_or(grant);
            granted(app, &grant, &token)
        }
        Admission::Spent => {
            app.metrics().call_refused(CallRefusal::Over);
            Twiml(Document::new().hang_up())
        }
        Admission::Expired => {
            app.metrics().call_refused(CallRefusal::Expired);
            apology(language)
        }
        Admission::Full => {
            error!(call = %grant.call, "a call came in and there are as many as we can take");
            app.metrics().call_refused(CallRefusal::Full);
            apology(language)
        }
        Admission::CompanyFull => {
            let company = grant.company();
            error!(call = %grant.call, company, "a call came in and its company has as many as it may");
            app.metrics().call_refused(CallRefusal::CompanyFull);
            apology(language)
        }
    }
}

fn granted(app: &App, grant: &Grant, token: &Token) -> Twiml {
    match connection(app, grant, token) {
        Ok(document) => {
            info!(call = %grant.call, company = grant.company(), "a call comes in");
            Twiml(document)
        }
        Err(error) => {
            error!(call = %grant.call, %error, "a stream cannot be described");
            app.metrics().call_refused(CallRefusal::Internal);
            apology(grant.language)
        }
    }
}

/// Whether a call that we do not remember has been here before. A store that is slow to say does
/// not keep a caller waiting.
async fn is_on_record(app: &App, call: &Sid) -> bool {
    if unrecorded::is_chosen() || app.tokens().grant(call).is_some() {
        return false;
    }
    match timeout(LOOK_UP, app.store().call(call.as_str())).await {
        Ok(Ok(record)) => record.is_some(),
        Ok(Err(error)) => {
            error!(%error, "the store cannot say whether a call is new");
            false
        }
        Err(_) => {
            error!("the store is too slow to say whether a call is new");
            false
        }
    }
}

fn connection(app: &App, grant: &Grant, token: &Token) -> Result<Document, twiml::Error> {
    connection_behind(Document::new(), app, grant, token)
}

/// Adds the stream that this token admits, and what is to be asked when it is over.
fn connection_behind(
    before: Document,
    app: &App,
    grant: &Grant,
    token: &Token,
) -> Result<Document, twiml::Error> {
    let public = &app.config().public_url;
    let path = format!("/twilio/{}/{}", grant.company(), grant.language.tag());
    let stream = Stream::new(public.of_stream(&path))?;
    let stream = stream.with(Parameter::new(TOKEN, token.reveal())?);
    Ok(before.connect(stream).redirect(public.of(AFTER_STREAM)))
}

/// The stream is over and the call is not. Where the call ended as it should, hanging up is all
/// that is left; where its stream has left for a while, it waits or comes back. Else the caller is
/// told in Twilio's voice, because ours has failed.
async fn after_stream(State(app): State<App>, Signed(form): Signed) -> Twiml {
    let company_language = language_of(&app, &form);
    let Some(call) = call_sid(&form) else {
        error!("a stream ended, and the webhook does not say of which call");
        return apology(company_language);
    };
    let away = app.tokens().away(&call);
    if let Some(away) = away {
        return departure::wait(&app, &call, away);
    }
    let grant = app.tokens().grant(&call).cloned();
    let ending = match grant {
        Some(_) => app.ending(&call, END_PATIENCE).await,
        None => ending_on_record(&app, &call).await,
    };
    if ending == Some(Ending::Planned) {
        return Twiml(Document::new().hang_up());
    }
    let language = grant.map_or(company_language, |grant| grant.language);
    warn!(%call, "a stream ended before its call did");
    apology(language)
}

/// How a call ended that another server has or had, or this one before it was started anew: its record
/// decides (F-PR-13). A record that is open may be about to be closed, and is waited for a little.
async fn ending_on_record(app: &App, call: &Sid) -> Option<Ending> {
    let until = Instant::now() + END_PATIENCE;
    loop {
        match timeout(LOOK_UP, app.store().call(call.as_str())).await {
            Ok(Ok(record)) => {
                if let Some(ended) = record?.ended {
                    return Some(Ending::of_record(&ended.reason));
                }
            }
            Ok(Err(error)) => {
                error!(%call, %error, "the store cannot say how a call ended");
                return None;
            }
            Err(_) => {
                error!(%call, "the store is too slow to say how a call ended");
                return None;
            }
        }
        if Instant::now() >= until {
            return None;
        }
        tokio::time::sleep(RECORD_AGAIN).await;
    }
}

/// Tells a call that is going on when the carrier calls it over. Callbacks come late, twice and out of
/// order, and steer nothing else.
async fn call_status(State(app): State<App>, Signed(form): Signed) -> StatusCode {
    let Some(call) = call_sid(&form) else {
        warn!("a call's status does not say of which call");
        return StatusCode::BAD_REQUEST;
    };
    let Some(callback) = StatusCallback::from_form(&form) else {
        warn!(%call, "a call's status cannot be read");
        return StatusCode::NO_CONTENT;
    };
    // Only words that we know are logged: others may hold anything.
    let word = match &callback.status {
        webhook::CallStatus::Other(_) => "unknown",
        known => known.as_str(),
    };
    let change = app.tokens().take_in(&call, &callback);
    info!(%call, status = word, ?change, "the carrier tells a call's status");
    StatusCode::NO_CONTENT
}

/// The process lives. How its providers stand is told to whoever looks.
async fn health(State(app): State<App>) -> Json<serde_json::Value> {
    Json(json!({ "breakers": breakers(&app) }))
}

/// Whether new calls are taken. A provider that is down does not change that: a caller is better
/// off with a person or our apology than with an error of a proxy. Nor does an audit log that takes
/// nothing: calls go on, and only what must be proven later is refused (F-PR-08).
async fn ready(State(app): State<App>) -> (StatusCode, Json<serde_json::Value>) {
    let is_draining = app.is_draining();
    let store = timeout(LOOK_UP, app.store().is_well()).await.unwrap_or(false);
    let is_ready = store && !is_draining;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let told = json!({
        "ready": is_ready, "draining": is_draining, "store": store,
        "audit": app.audit().is_well(),
        "companies": app.companies().companies().len(), "breakers": breakers(&app),
    });
    (status, Json(told))
}

fn breakers(app: &App) -> BTreeMap<&'static str, &'static str> {
    let all = app.services().breakers().into_iter();
    all.map(|(provider, report)| (provider, report.standing.word())).collect()
}

/// Tells the caller that something of ours failed, and hangs up.
fn apology(language: Language) -> Twiml {
    let words = Locale::from_tag(language.tag())
        .and_then(|locale| locales::render(locale, LineId::Trouble.key(), &[]).ok());
    let document = match words {
        Some(words) => Document::new().say(voice_language(language), words.text),
        None => Document::new(),
    };
    Twiml(document.hang_up())
}

/// The language of the company whose number a form says was dialled. Where it says nothing that we
/// know, nobody can tell whose caller this is.
fn language_of(app: &App, form: &[(String, String)]) -> Language {
    let dialled = form.iter().find(|(name, _)| name == "To");
    let tenant = dialled.and_then(|(_, number)| app.companies().by_number(number));
    tenant.map_or(Language::English, |tenant| tenant.company().language)
}

/// The language as Twilio's own voices know it.
const fn voice_language(language: Language) -> &'static str {
    match language {
        Language::English => "en-US",
        Language::Spanish => "es-MX",
    }
}

/// The call that a form is about. Nothing if it names none, or several: we do not choose.
fn call_sid(form: &[(String, String)]) -> Option<Sid> {
    webhook::call_sid(form).ok()
}

/// A document as the answer to a webhook.
struct Twiml(Document);

impl IntoResponse for Twiml {
    fn into_response(self) -> Response {
        let xml = self.0.render().unwrap_or_else(|error| {
            error!(%error, "a document cannot be written");
            "<Response><Hangup/></Response>".to_owned()
        });
        ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response()
    }
}

const INBOUND: &str = "/twilio/inbound_call";

const AFTER_STREAM: &str = "/twilio/after_stream";

/// What becomes of recordings.
pub(crate) const RECORDING: &str = "/twilio/recording_callback";

/// What comes of calling a person, when all is over.
const AFTER_DIAL: &str = "/twilio/after_dial";

/// That a person who was called answers.
const DIALLED: &str = "/twilio/dialled";

/// How long a webhook waits for the store: a quarter of what it may take in all.
const LOOK_UP: Duration = Duration::from_millis(500);

/// How long `after_stream` waits for the end of a call whose socket is just being closed.
const END_PATIENCE: Duration = Duration::from_millis(1_500);

/// How long it waits before it looks again at the record of a call that is not ours.
const RECORD_AGAIN: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_apology_in_every_language() {
        for language in Language::ALL {
            let xml = apology(language).0.render().unwrap();
            assert!(xml.contains("<Say") && xml.ends_with("<Hangup/></Response>"), "{xml}");
        }
    }
}
