//! What was said in a call, summed up by a provider.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use secrecy::SecretString;
use tokio::time::timeout;

use super::Error;
use super::breaker::{Breaker, Verdict};
use super::http::{Scheme, authorization, body, client, endpoint};
use crate::deepgram::{AUTHORIZATION_SCHEME, READ_PATH, ReadAnswer, ReadRequest, Spoken};

/// Nobody waits for a summary, but a request is not to stay for ever.
const BUDGET: Duration = Duration::from_secs(30);

const BODY_BYTES_MAX: usize = 64 * 1024;

const PROVIDER: &str = "the reading provider";

/// Has texts summed up, in English, which is all that the provider takes.
pub struct Reader {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    breaker: Breaker,
}

impl Reader {
    /// A client for the text-intelligence interface at `base_url`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the URL is not `https` (`http` on this machine) or the key cannot
    /// stand in a header; [`Error::Client`] when this machine cannot make requests.
    #[allow(clippy::needless_pass_by_value, reason = "the caller's copy of a key ends here")]
    pub fn new(base_url: &str, api_key: SecretString) -> Result<Self, Error> {
        let mut url = endpoint("DEEPGRAM_READ_URL", base_url, Scheme::Http, READ_PATH)?;
        url.query_pairs_mut().extend_pairs(ReadRequest::QUERY);
        let authorization = authorization("DEEPGRAM_API_KEY", AUTHORIZATION_SCHEME, &api_key)?;
        Ok(Self { client: client()?, url, authorization, breaker: Breaker::new(PROVIDER) })
    }

    /// How its breaker stands.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// A few sentences on what this text says, within thirty seconds.
    ///
    /// # Errors
    ///
    /// [`Error`] says why there are none; it quotes neither the text nor the answer.
    pub async fn summarize(&self, text: &str) -> Result<Spoken, Error> {
        if text.trim().is_empty() {
            return Err(Error::Pointless { provider: PROVIDER, problem: "there are no words" });
        }
        let asking = self.breaker.ask().ok_or(Error::Down { provider: PROVIDER })?;
        let summary = timeout(BUDGET, self.request(text)).await;
        let summary = summary.unwrap_or(Err(Error::TimedOut { provider: PROVIDER }));
        asking.tell(Verdict::of(&summary));
        summary
    }

    async fn request(&self, text: &str) -> Result<Spoken, Error> {
        let response = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(ReadRequest { text: text.into() }.body())
            .send()
            .await
            .map_err(|error| Error::of(PROVIDER, error))?;
        if !response.status().is_success() {
            return Err(Error::refused(PROVIDER, &response));
        }
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await?;
        let answer = ReadAnswer::decode(&body).map(|answer| answer.results.summary.text);
        let answer = answer.filter(|text| !text.reveal().trim().is_empty());
        answer.ok_or(Error::Garbled { provider: PROVIDER, problem: "no summary" })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
