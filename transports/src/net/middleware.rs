//! Questions to the company's middleware.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Url};
use secrecy::SecretString;
use tokio::time::timeout;

use super::Error;
use super::breaker::{Breaker, Verdict};
use super::http::{Scheme, authorization, body, client, endpoint};
use crate::middleware::{COMPANY_HEADER, LOOKUP_PATH, LoanAnswer, LoanLookup};

/// For all tries and the whole body. How long a caller waits is the call's own limit (T_LOOKUP), which a
/// company sets: this one only sees to it that no request stays for ever.
const BUDGET: Duration = Duration::from_secs(30);

const BODY_BYTES_MAX: usize = 64 * 1024;

const PROVIDER: &str = "the middleware";

/// A client of one middleware.
pub struct Middleware {
    client: Client,
    lookup: Url,
    authorization: HeaderValue,
    breaker: Breaker,
}

impl Middleware {
    /// A client for the middleware at `base_url`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the URL is not `https` (`http` on this machine) or the key cannot
    /// stand in a header; [`Error::Client`] when this machine cannot make requests.
    #[allow(clippy::needless_pass_by_value, reason = "the caller's copy of a key ends here")]
    pub fn new(base_url: &str, api_key: SecretString) -> Result<Self, Error> {
        let lookup = endpoint("MIDDLEWARE_URL", base_url, Scheme::Http, LOOKUP_PATH)?;
        let authorization = authorization("MIDDLEWARE_API_KEY", "Bearer", &api_key)?;
        Ok(Self { client: client()?, lookup, authorization, breaker: Breaker::new(PROVIDER) })
    }

    /// How its breaker stands.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Asks for a loan of this company's. Nothing when there is no usable answer within thirty seconds, and at once
    /// while the middleware is known to be down (F-MW-19).
    pub async fn lookup(&self, company: &str, lookup: &LoanLookup) -> Option<LoanAnswer> {
        let answer = timeout(BUDGET, self.ask_twice(company, lookup)).await;
        match answer.unwrap_or(Err(Error::TimedOut { provider: PROVIDER })) {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::warn!(%error, "a loan could not be looked up");
                None
            }
        }
    }

    /// Asks once for a loan that the company does not have, to see whether the middleware is there, takes our key
    /// and speaks the protocol. Whether it says, as it must, that nothing matches.
    ///
    /// # Errors
    ///
    /// [`Error`]; `Refused` with 401 or 403 where the key is wrong.
    pub async fn try_out(&self, company: &str) -> Result<bool, Error> {
        let nobody = LoanLookup {
            loan_number: "0000".to_owned(),
            date_of_birth: "1900-01-01".to_owned(),
            zip: "00000".to_owned(),
        };
        let answer = timeout(BUDGET, self.ask(company, &nobody)).await;
        let answer = answer.unwrap_or(Err(Error::TimedOut { provider: PROVIDER }))?;
        Ok(!answer.date_of_birth_matches && !answer.zip_matches && answer.loan.is_none())
    }

    /// A lookup changes nothing, so a failure of a moment is tried once more.
    async fn ask_twice(&self, company: &str, lookup: &LoanLookup) -> Result<LoanAnswer, Error> {
        match self.ask_if_there(company, lookup).await {
            Err(error) if is_of_a_moment(&error) => {
                tracing::debug!(%error, "asking the middleware again");
                self.ask_if_there(company, lookup).await
            }
            answer => answer,
        }
    }

    async fn ask_if_there(&self, company: &str, lookup: &LoanLookup) -> Result<LoanAnswer, Error> {
        let asking = self.breaker.ask().ok_or(Error::Down { provider: PROVIDER })?;
        let answer = self.ask(company, lookup).await;
        asking.tell(Verdict::of(&answer));
        answer
    }

    async fn ask(&self, company: &str, lookup: &LoanLookup) -> Result<LoanAnswer, Error> {
        let response = self
            .client
            .post(self.lookup.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(COMPANY_HEADER, company)
            .json(lookup)
            .send()
            .await
            .map_err(|error| Error::of(PROVIDER, error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::refused(PROVIDER, &response));
        }
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await?;
        // The parser's message may quote what it read, and that is personal data.
        serde_json::from_slice(&body)
            .map_err(|_| Error::Garbled { provider: PROVIDER, problem: "no answer to a lookup" })
    }
}

impl fmt::Debug for Middleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middleware").field("host", &self.lookup.host_str()).finish_non_exhaustive()
    }
}

fn is_of_a_moment(error: &Error) -> bool {
    error.is_refused_connection() || matches!(error, Error::Refused { status: 500..=599, .. })
}
