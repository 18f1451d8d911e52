//! The carrier's REST interface: hanging up.

use std::fmt;
use std::time::Duration;

use call_core::input::HungUp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{sleep, timeout};

use super::Error;
use super::http::{Scheme, body, client, endpoint};
use crate::twilio::Sid;
use crate::twilio::rest::{
    HANG_UP_BODY, HangUpOutcome, account_is_active, account_path, call_path, hang_up_outcome,
};

/// T_REST: so long for one try, and in all.
const TRY: Duration = Duration::from_secs(3);
const BUDGET: Duration = Duration::from_secs(10);

/// How long to wait before the second try and before the third.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// Error answers are short; only a code is read from them.
const BODY_BYTES_MAX: usize = 64 * 1024;

const PROVIDER: &str = "the carrier";
const SETTING: &str = "TWILIO_API_URL";

/// Requests to Twilio's API on behalf of one account.
pub struct TwilioRest {
    client: Client,
    base: Url,
    account: Sid,
    auth_token: SecretString,
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
        Ok(Self { client: client()?, base, account, auth_token })
    }

    /// Ends a live call. Repeated within T_REST where a repetition can help; a call that is over
    /// already counts as done.
    pub async fn hang_up(&self, call: &Sid) -> HungUp {
        timeout(BUDGET, self.hang_up_patiently(call)).await.unwrap_or_else(|_| {
            tracing::error!("hanging up took too long; the call may still be live");
            HungUp::Failed
        })
    }

    async fn hang_up_patiently(&self, call: &Sid) -> HungUp {
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.try_to_hang_up(call).await {
                Ok((_, HangUpOutcome::Done)) => return HungUp::Done,
                Ok((status, HangUpOutcome::AlreadyOver)) => {
                    tracing::debug!(status, "there was no live call left to end");
                    return HungUp::Done;
                }
                Ok((status, HangUpOutcome::Denied)) => {
                    tracing::error!(status, "the carrier refuses our credentials");
                    return HungUp::Failed;
                }
                Ok((status, HangUpOutcome::Failed { code, .. })) => {
                    tracing::error!(status, code, "the carrier refused to hang up");
                    return HungUp::Failed;
                }
                Ok((status, HangUpOutcome::TryAgain)) => {
                    tracing::warn!(status, "the carrier could not hang up just now");
                }
                Err(error) => tracing::warn!(%error, "the carrier did not answer a hang-up"),
            }
            let Some(pause) = pauses.next() else {
                tracing::error!("the carrier did not hang up; the call may still be live");
                return HungUp::Failed;
            };
            sleep(pause).await;
        }
    }

    async fn try_to_hang_up(&self, call: &Sid) -> Result<(u16, HangUpOutcome), Error> {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/');
        let path = format!("{base}{}", call_path(&self.account, call));
        url.set_path(&path);
        let request = self
            .client
            .post(url)
            .basic_auth(&self.account, Some(self.auth_token.expose_secret()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(HANG_UP_BODY)
            .timeout(TRY);
        let response = request.send().await.map_err(|error| Error::of(PROVIDER, error))?;
        let status = response.status().as_u16();
        // The status says enough where the body cannot be had.
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await.unwrap_or_default();
        Ok((status, hang_up_outcome(status, &body)))
    }
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
        let mut url = self.base.clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), account_path(&self.account));
        url.set_path(&path);
        let request = self
            .client
            .get(url)
            .basic_auth(&self.account, Some(self.auth_token.expose_secret()))
            .timeout(TRY);
        let response = request.send().await.map_err(|error| Error::of(PROVIDER, error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::Refused { provider: PROVIDER, status: status.as_u16() });
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
        f.debug_struct("TwilioRest").field("account", &self.account).finish_non_exhaustive()
    }
}
