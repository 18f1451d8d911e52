//! Somebody who looks after a server, and does to a call what a scenario says, when it says so.

use anyhow::Context as _;
use call_core::CallTime;
use call_core::input::Operator as Wish;
use call_transports::twilio::Sid;
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::clock::Clock;

/// An operator at the desk of one server.
#[derive(Debug, Clone)]
pub struct Operator {
    http: reqwest::Client,
    /// Where the server's interface for operators is, as in `http://127.0.0.1:8080/api/v1`.
    url: String,
    token: SecretString,
}

impl Operator {
    /// An operator who shows this token there.
    pub fn new(http: reqwest::Client, url: String, token: SecretString) -> Self {
        Self { http, url, token }
    }

    /// Does all of this to a call whose time begins now.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses. A call that is over, or ending, is no error:
    /// nothing is left to do to it.
    pub async fn attend(&self, call: &Sid, mut deeds: Vec<(CallTime, Wish)>) -> anyhow::Result<()> {
        let clock = Clock::start();
        deeds.sort_by_key(|(at, _)| *at);
        for (at, wish) in deeds {
            clock.sleep_until(Some(at)).await;
            self.act(call, &wish).await?;
        }
        Ok(())
    }

    async fn act(&self, call: &Sid, wish: &Wish) -> anyhow::Result<()> {
        let (deed, body) = match wish {
            Wish::HangUp => ("hangup", json!({})),
            Wish::Transfer { target } => ("transfer", json!({ "target": target })),
            Wish::Drain { within } => ("drain", json!({ "within_ms": within.0 })),
        };
        let request = self.http.post(format!("{}/calls/{call}/{deed}", self.url));
        let request = request.bearer_auth(self.token.expose_secret()).json(&body);
        let status = request.send().await.context("the server does not answer")?.status();
        match status {
            StatusCode::ACCEPTED | StatusCode::NOT_FOUND | StatusCode::CONFLICT => Ok(()),
            _ => anyhow::bail!("the server refuses `{deed}` with status {status}"),
        }
    }
}
