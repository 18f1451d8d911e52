//! The carrier's REST interface: hanging up, and giving a call another document.

use std::fmt;
use std::time::Duration;

use call_core::input::HungUp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{sleep, timeout};

use super::Error;
use super::breaker::{Breaker, Verdict};
use super::chance::between;
use super::http::{Scheme, body, client, endpoint};
use super::sound::Sounds;
use crate::twilio::Sid;
use crate::twilio::rest::{
    HANG_UP_BODY, HangUpOutcome, Standing, account_is_active, account_path, call_path,
    hang_up_outcome, redirect_body, standing,
};

/// T_REST: so long for one try, and in all.
const TRY: Duration = Duration::from_secs(3);
const BUDGET: Duration = Duration::from_secs(10);

/// What giving a call another document may take. A second less than T_REST, so that our answer comes
/// before the call stops waiting for it.
const REDIRECT_BUDGET: Duration = Duration::from_secs(9);

/// How long to wait before the second try and before the third, at least and at most. In between,
/// chance decides, so that many calls do not come back at the same moment.
pub(super) const PAUSES_MS: [(u32, u32); 2] = [(230, 270), (720, 780)];

/// Error answers are short, and so is the description of a call.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

pub(super) const PROVIDER: &str = "the carrier";
const SETTING: &str = "TWILIO_API_URL";

/// Requests to Twilio's API on behalf of one account.
pub struct TwilioRest {
    pub(super) client: Client,
    pub(super) base: Url,
    pub(super) account_sid: Sid,
    pub(super) auth_token: SecretString,
    breaker: Breaker,
    pub(super) sounds: Sounds,
}

/// What came of giving a call another document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirected {
    /// The call runs the document, or will at once; its stream ends.
    Accepted,
    /// There is no live call any more.
    Gone,
    /// The call does not run the document, as far as we know.
    Refused,
}

impl TwilioRest {
    /// A client for the API at `base_url`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the URL is not `https` (`http` on this machine) or the token is
    /// empty; [`Error::Client`] when this machine cannot make requests.
    pub fn new(base_url: &str, account: Sid, auth_token: SecretString) -> Result<Self, Error> {
        if auth_token.expose_secret().trim().is_empty() {
            let setting = "TWILIO_AUTH_TOKEN";
            return Err(Error::Setting { setting, problem: "must not be empty" });
        }
        let base = endpoint(SETTING, base_url, Scheme::Http, "")?;
        Ok(Self {
            client: client()?,
            base,
            account_sid: account,
            auth_token,
            breaker: Breaker::new(PROVIDER),
            sounds: Sounds::default(),
        })
    }

    /// How its breaker stands. Looking at a call whose request may have arrived does not go by it.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Ends a live call. Repeated within T_REST where a repetition can help; a call that is over
    /// already counts as done.
    pub async fn hang_up(&self, call: &Sid) -> HungUp {
        timeout(BUDGET, self.hang_up_patiently(call)).await.unwrap_or_else(|_| {
            tracing::error!("hanging up took too long; the call may still be live");
            HungUp::Failed
        })
    }

    /// Gives a live call another document, for which its stream ends. `has_left` tells whether the
    /// stream has ended since: that shows what the carrier did when its answer is lost.
    ///
    /// A request that may have arrived is not repeated before the call was looked at, because a
    /// document that dials would dial twice (F-TR-09).
    pub async fn redirect(
        &self,
        call: &Sid,
        document: &str,
        has_left: impl Fn() -> bool,
    ) -> Redirected {
        let Some(body) = redirect_body(document) else {
            tracing::error!("a document is too long to be sent by REST");
            return Redirected::Refused;
        };
        let patiently = self.redirect_patiently(call, body, &has_left);
        match timeout(REDIRECT_BUDGET, patiently).await {
            Ok(outcome) => outcome,
            Err(_) if has_left() => Redirected::Accepted,
            Err(_) => {
                tracing::error!("the carrier took too long to take a document");
                Redirected::Refused
            }
        }
    }

    async fn hang_up_patiently(&self, call: &Sid) -> HungUp {
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            match self.update(call, HANG_UP_BODY.to_owned()).await {
                Ok((_, HangUpOutcome::Done)) => return HungUp::Done,
                Ok((status, HangUpOutcome::AlreadyOver)) => {
                    no_call_left(status);
                    return HungUp::Done;
                }
                Ok((status, HangUpOutcome::TryAgain)) => {
                    tracing::warn!(status, "the carrier could not hang up just now");
                }
                Ok((status, refused)) => {
                    say_refused(status, refused);
                    return HungUp::Failed;
                }
                // The stream is left instead, and the carrier asks what is next when it is back.
                Err(error @ Error::Down { .. }) => {
                    tracing::error!(%error, "a call is not hung up; it may still be live");
                    return HungUp::Failed;
                }
                Err(error) => tracing::warn!(%error, "the carrier did not answer a hang-up"),
            }
            let Some(pause) = pauses.next() else {
                tracing::error!("the carrier did not hang up; the call may still be live");
                return HungUp::Failed;
            };
            sleep(between(pause)).await;
        }
    }

    async fn redirect_patiently(
        &self,
        call: &Sid,
        body: String,
        has_left: &impl Fn() -> bool,
    ) -> Redirected {
        let mut pauses = PAUSES_MS.into_iter();
        let mut may_have_arrived = false;
        loop {
            if may_have_arrived {
                match self.look_at(call).await {
                    Some(Standing::Over { .. } | Standing::Unknown) => return Redirected::Gone,
                    _ if has_left() => return Redirected::Accepted,
                    Some(Standing::Live) => may_have_arrived = false,
                    // It is not repeated blindly.
                    None => {}
                }
            }
            if !may_have_arrived {
                may_have_arrived = match self.update(call, body.clone()).await {
                    Ok((_, HangUpOutcome::Done)) => return Redirected::Accepted,
                    Ok((status, HangUpOutcome::AlreadyOver)) => {
                        no_call_left(status);
                        return Redirected::Gone;
                    }
                    Ok((status, HangUpOutcome::TryAgain)) => {
                        tracing::warn!(status, "the carrier could not take a document just now");
                        status >= 500
                    }
                    Ok((status, refused)) => {
                        say_refused(status, refused);
                        return Redirected::Refused;
                    }
                    Err(error @ Error::Down { .. }) => {
                        tracing::error!(%error, "a document is not sent");
                        return Redirected::Refused;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the carrier did not answer to a document");
                        !error.is_refused_connection()
                    }
                };
            }
            let Some(pause) = pauses.next() else { break };
            sleep(between(pause)).await;
        }
        if may_have_arrived && has_left() {
            return Redirected::Accepted;
        }
        tracing::error!("the carrier did not take a document");
        Redirected::Refused
    }

    /// How a call stands. Nothing where the carrier does not say. It is asked once.
    pub async fn look_at(&self, call: &Sid) -> Option<Standing> {
        let response = self.request(Method::GET, &call_path(&self.account_sid, call)).send().await;
        let response = response.map_err(|error| Error::of(PROVIDER, error));
        let response = response.inspect_err(|error| {
            tracing::warn!(%error, "the carrier does not say what became of a call");
        });
        let response = response.ok()?;
        let status = response.status().as_u16();
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await.unwrap_or_default();
        standing(status, &body)
    }

    /// Asks for a change of the call, unless the carrier is known to be down.
    async fn update(&self, call: &Sid, form: String) -> Result<(u16, HangUpOutcome), Error> {
        self.send(self.request(Method::POST, &call_path(&self.account_sid, call)), form).await
    }

    /// Sends a form, if the breaker lets it, and judges the answer, which is of one kind for calls and
    /// their recordings.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        form: String,
    ) -> Result<(u16, HangUpOutcome), Error> {
        let asking = self.breaker.ask().ok_or(Error::Down { provider: PROVIDER })?;
        let outcome = sent(request, form).await;
        asking.tell(match &outcome {
            Ok((status, _)) => Verdict::of_status(*status, None),
            Err(_) => Verdict::of(&outcome),
        });
        outcome
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, self.address(path))
            .basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
            .timeout(TRY)
    }

    /// The address of a path of the interface.
    pub(super) fn address(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }
}

async fn sent(request: RequestBuilder, form: String) -> Result<(u16, HangUpOutcome), Error> {
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let response = request.send().await.map_err(|error| Error::of(PROVIDER, error))?;
    let status = response.status().as_u16();
    // The status says enough where the body cannot be had.
    let body = body(PROVIDER, response, BODY_BYTES_MAX).await.unwrap_or_default();
    Ok((status, hang_up_outcome(status, &body)))
}

/// How an account stands at the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Calls come and go.
    Active,
    /// It is suspended or closed.
    Inactive,
}

impl TwilioRest {
    /// Asks how the account stands. It changes nothing, and shows whether account and token are
    /// right.
    ///
    /// # Errors
    ///
    /// [`Error`]; `Refused` with 401 or 404 where account and token do not belong together.
    pub async fn account(&self) -> Result<Account, Error> {
        let request = self.request(Method::GET, &account_path(&self.account_sid));
        let response = request.send().await.map_err(|error| Error::of(PROVIDER, error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::refused(PROVIDER, &response));
        }
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await?;
        match account_is_active(&body) {
            Some(true) => Ok(Account::Active),
            Some(false) => Ok(Account::Inactive),
            None => Err(Error::Garbled { provider: PROVIDER, problem: "no account" }),
        }
    }
}

impl fmt::Debug for TwilioRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioRest").field("account", &self.account_sid).finish_non_exhaustive()
    }
}

/// A call that ended is one thing, a call that never was is another, and the status tells them apart
/// only by and large (F-TR-06).
fn no_call_left(status: u16) {
    if status == 404 {
        tracing::warn!(target: "security", status, "the carrier does not know a call of ours");
    } else {
        tracing::debug!(status, "there was no live call left");
    }
}

fn say_refused(status: u16, outcome: HangUpOutcome) {
    match outcome {
        HangUpOutcome::Failed { code, .. } => {
            tracing::error!(status, code, "the carrier refuses what we ask for a call");
        }
        _ => tracing::error!(status, "the carrier refuses our credentials"),
    }
}
