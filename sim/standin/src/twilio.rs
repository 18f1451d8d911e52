//! A fake Twilio: places calls, follows TwiML, carries the audio at the speed of a telephone,
//! serves the REST requests, and signs everything as Twilio does.

mod call;
mod rest;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use call_transports::twilio::Sid;
use call_transports::twilio::twiml::Verb;
use sim::Scenario;
use sim::cast::Carrier;
use tokio::sync::mpsc;

use rest::HangUp;

/// One account at the fake Twilio.
#[derive(Debug, Clone)]
pub struct Twilio {
    account: Arc<Account>,
}

#[derive(Debug)]
struct Account {
    sid: Sid,
    auth_token: String,
    http: reqwest::Client,
    /// Where REST requests for a live call go.
    calls: Mutex<BTreeMap<String, mpsc::Sender<HangUp>>>,
}

/// How a call went, by the carrier's account.
#[derive(Debug)]
pub struct Outcome {
    /// The carrier, with its account of what was played. Nothing if no stream was ever opened.
    pub carrier: Option<Carrier>,
    /// What the call executed, verb by verb, after the stream or instead of it.
    pub verbs: Vec<Verb>,
}

impl Twilio {
    /// An account with this SID and auth token.
    pub fn new(sid: Sid, auth_token: &str, http: reqwest::Client) -> Self {
        let calls = Mutex::default();
        let account = Account { sid, auth_token: auth_token.to_owned(), http, calls };
        Self { account: Arc::new(account) }
    }

    /// The REST interface: what the server calls to end a call.
    pub fn router(&self) -> Router {
        rest::router(Arc::clone(&self.account))
    }

    /// Calls a number whose voice webhook is `webhook`, and stays on the line to the end.
    ///
    /// # Errors
    ///
    /// When the webhook cannot be reached, does not answer with TwiML, or the stream is refused:
    /// whatever would be an error in Twilio's debugger.
    pub async fn call(
        &self,
        call_sid: &Sid,
        webhook: &str,
        scenario: &Scenario,
    ) -> anyhow::Result<Outcome> {
        let (sender, requests) = mpsc::channel(8);
        self.account.live().insert(call_sid.as_str().to_owned(), sender);
        let outcome = call::place(&self.account, call_sid, webhook, scenario, requests).await;
        self.account.live().remove(call_sid.as_str());
        outcome
    }
}

impl Account {
    fn live(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, mpsc::Sender<HangUp>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
