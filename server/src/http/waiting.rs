//! What is answered as long as there is no server yet, because its database is away.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use call_core::Language;
use call_core::input::Transfer;
use call_transports::twilio::dialled;
use call_transports::twilio::signature::Verifier;
use call_transports::twilio::twiml::Document;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tracing::warn;

use super::signed::Believes;
use super::{AFTER_DIAL, AFTER_STREAM, INBOUND, Signed, Twiml, apology};
use crate::config::{Config, PublicUrl};

/// The ways in, while calls cannot be taken. Callers hear our apology, and every other webhook a 503.
pub(crate) fn waiting(config: &Config) -> Router {
    let auth_tokens = config.twilio.auth_tokens.iter();
    let numbers = config.companies.iter().flat_map(|tenant| {
        let company = tenant.company();
        company.numbers.iter().map(|number| (number.clone(), company.language))
    });
    let porter = Arc::new(Porter {
        public_url: config.public_url.clone(),
        verifier: Verifier::new(auth_tokens.map(ExposeSecret::expose_secret)),
        languages: numbers.collect(),
    });
    Router::new()
        .route(INBOUND, post(sorry))
        .route(AFTER_STREAM, post(sorry))
        .route(AFTER_DIAL, post(after_dial))
        .route("/health", get(async || Json(json!({ "waiting": "database" }))))
        .route("/ready", get(ready))
        .fallback(async || StatusCode::SERVICE_UNAVAILABLE)
        .with_state(porter)
}

/// Whoever answers meanwhile. Knows the companies of files only: the others are in the database.
struct Porter {
    public_url: PublicUrl,
    verifier: Verifier,
    /// What callers of a number are spoken to in.
    languages: BTreeMap<String, Language>,
}

impl Porter {
    fn apology(&self, form: &[(String, String)]) -> Twiml {
        let dialled = form.iter().find(|(name, _)| name == "To");
        let language = dialled.and_then(|(_, number)| self.languages.get(number));
        apology(language.copied().unwrap_or(Language::English))
    }
}

impl Believes for Arc<Porter> {
    fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// A call comes in, or comes back to a server that is not there any more.
async fn sorry(State(porter): State<Arc<Porter>>, Signed(form): Signed) -> Twiml {
    warn!("a caller hears an apology, because the database does not answer");
    porter.apology(&form)
}

/// A person who was called has talked with the caller, or has not.
async fn after_dial(State(porter): State<Arc<Porter>>, Signed(form): Signed) -> Twiml {
    if dialled::outcome(&form) == Some(Transfer::Completed) {
        return Twiml(Document::new().hang_up());
    }
    porter.apology(&form)
}

async fn ready() -> (StatusCode, Json<Value>) {
    let told = json!({ "ready": false, "draining": false, "store": false });
    (StatusCode::SERVICE_UNAVAILABLE, Json(told))
}
