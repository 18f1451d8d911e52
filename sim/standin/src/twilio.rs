//! A fake Twilio: places calls, follows TwiML, carries the audio at the speed of a telephone,
//! serves the REST requests, tells of calls by callbacks, and signs everything as Twilio does.

mod call;
mod line;
mod recording;
mod rest;
mod sound;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use call_transports::twilio::Sid;
use call_transports::twilio::twiml::Verb;
use sim::Scenario;
use sim::cast::Carrier;
use tokio::sync::mpsc;

use crate::clock::Clock;
use recording::Recording;
use rest::Request;
use sound::Kept;

pub use recording::RecordingMisdeed;

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
    calls: Mutex<BTreeMap<String, mpsc::Sender<Request>>>,
    /// How long calls were that are over, in whole seconds.
    ended: Mutex<BTreeMap<String, u64>>,
    recordings: Mutex<BTreeMap<String, Recording>>,
    /// The sound of recordings, by their names.
    sounds: Mutex<BTreeMap<String, Kept>>,
    misdeed: Mutex<Option<RecordingMisdeed>>,
}

/// What is configured for a number: whom Twilio asks when it is called.
#[derive(Debug, Clone)]
pub struct Number {
    /// The voice webhook.
    pub voice: String,
    /// Who is told when a call is over, and of its course where the scenario asks for that. Nobody,
    /// if there is nothing.
    pub status: Option<String>,
}

/// How a call went, by the carrier's account.
#[derive(Debug)]
pub struct Outcome {
    /// The carrier, with its account of what was played. Nothing if no stream was ever opened.
    pub carrier: Option<Carrier>,
    /// What the call executed, verb by verb, over all of its documents.
    pub verbs: Vec<Verb>,
}

impl Twilio {
    /// An account with this SID and auth token.
    pub fn new(sid: Sid, auth_token: &str, http: reqwest::Client) -> Self {
        let calls = Mutex::default();
        let (ended, recordings, sounds, misdeed) = <_>::default();
        let auth_token = auth_token.to_owned();
        let account = Account { sid, auth_token, http, calls, ended, recordings, sounds, misdeed };
        Self { account: Arc::new(account) }
    }

    /// From now on this goes wrong with recordings.
    pub fn misbehave(&self, misdeed: RecordingMisdeed) {
        *lock(&self.account.misdeed) = Some(misdeed);
    }

    /// What was asked of a call's recording, in Twilio's words, the beginning included. Nothing for a
    /// call that was not recorded.
    pub fn asked_of_recording(&self, call: &str) -> Vec<String> {
        self.account.recordings().get(call).map(|known| known.asked.clone()).unwrap_or_default()
    }

    /// The REST interface: what the server calls to end a call, to give it another document, or to have
    /// it recorded.
    pub fn router(&self) -> Router {
        rest::router(Arc::clone(&self.account))
    }

    /// Calls a number and stays on the line to the end, and until the last callback was told.
    ///
    /// # Errors
    ///
    /// When a webhook cannot be reached, does not answer with TwiML that this stand-in can follow,
    /// or a stream is refused: whatever would be an error in Twilio's debugger.
    pub async fn call(
        &self,
        call_sid: &Sid,
        number: &Number,
        scenario: &Scenario,
    ) -> anyhow::Result<Outcome> {
        let (sender, requests) = mpsc::channel(8);
        self.account.live().insert(call_sid.as_str().to_owned(), sender);
        let (account, clock) = (Arc::clone(&self.account), Clock::start());
        let mut outcome = call::place(account, call_sid, number, scenario, requests).await;
        let carrier = outcome.as_mut().ok().and_then(|outcome| outcome.carrier.as_mut());
        let tape = carrier.and_then(Carrier::take_tape);
        let seconds = clock.now().as_millis().div_ceil(1_000);
        self.account.ended().insert(call_sid.as_str().to_owned(), seconds);
        self.account.live().remove(call_sid.as_str());
        recording::end(&self.account, call_sid, seconds, tape).await;
        outcome
    }
}

impl Account {
    fn live(&self) -> MutexGuard<'_, BTreeMap<String, mpsc::Sender<Request>>> {
        lock(&self.calls)
    }

    fn ended(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        lock(&self.ended)
    }

    fn recordings(&self) -> MutexGuard<'_, BTreeMap<String, Recording>> {
        lock(&self.recordings)
    }

    fn sounds(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        lock(&self.sounds)
    }

    fn misdeed(&self) -> Option<RecordingMisdeed> {
        *lock(&self.misdeed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
