//! Recording calls, by the carrier's REST interface. Nobody on a call waits for it.

use reqwest::Method;
use tokio::time::sleep;

use super::carrier::{BODY_BYTES_MAX, PAUSES_MS, PROVIDER, TwilioRest};
use super::chance::between;
use super::http::body;
use crate::twilio::Sid;
use crate::twilio::recording::{
    PAUSE_BODY, RESUME_BODY, RecordingCallback, change_path, delete_path, deletion_is_done,
    list_path, start_body, start_path, told_in_list,
};
use crate::twilio::rest::HangUpOutcome;

/// What a recording is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// What is said.
    Sound,
    /// Silence.
    Silence,
}

/// What came of having a recording's sound deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaDeletion {
    /// It is gone, or was before.
    Gone,
    /// The carrier refuses this one.
    Refused,
    /// The carrier does not answer, is in trouble, or does not take our credentials: it would be so
    /// with others, too.
    NotNow,
}

impl TwilioRest {
    /// Has a recording deleted at the carrier, with its sound. It is asked once, and whether it answers is
    /// nothing to the breaker: calls must not be spared the carrier because of it.
    pub async fn delete_recording(&self, recording: &Sid) -> MediaDeletion {
        let path = delete_path(&self.account_sid, recording);
        match self.request(Method::DELETE, &path).send().await {
            Ok(answer) if deletion_is_done(answer.status().as_u16()) => MediaDeletion::Gone,
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::error!(status, "the carrier does not delete a recording");
                match status {
                    401 | 403 | 429 | 500..=599 => MediaDeletion::NotNow,
                    _ => MediaDeletion::Refused,
                }
            }
            Err(error) => {
                let error = super::Error::of(PROVIDER, error);
                tracing::warn!(%error, "the carrier does not answer to delete a recording");
                MediaDeletion::NotNow
            }
        }
    }

    /// What there is of recordings of a call, as callbacks would have told it. Nothing where the carrier
    /// does not say. It is asked once.
    pub async fn recordings_of(&self, call: &Sid) -> Option<Vec<RecordingCallback>> {
        let response = self.request(Method::GET, &list_path(&self.account_sid, call)).send().await;
        let response = response.map_err(|error| super::Error::of(PROVIDER, error));
        let response = response.inspect_err(|error| {
            tracing::warn!(%error, "the carrier does not say which recordings a call has");
        });
        let response = response.ok()?;
        let status = response.status().as_u16();
        if status != 200 {
            tracing::warn!(status, "the carrier does not say which recordings a call has");
            return None;
        }
        let body = body(PROVIDER, response, BODY_BYTES_MAX).await.ok()?;
        told_in_list(&self.account_sid, call, &body)
    }

    /// Has a live call recorded, and what becomes of it told to `callback`. Whether it may be recorded
    /// from now on.
    ///
    /// A request that may have arrived is not made again, because a call would be recorded twice; its
    /// answer being lost, the call counts as recorded.
    pub async fn start_recording(&self, call: &Sid, callback: &str) -> bool {
        let (path, body) = (start_path(&self.account_sid, call), start_body(callback));
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            match self.post(&path, body.clone()).await {
                Ok((_, HangUpOutcome::Done)) => return true,
                Ok((status, HangUpOutcome::TryAgain)) if status < 500 => {}
                Ok((status, HangUpOutcome::AlreadyOver)) => {
                    tracing::debug!(status, "there was no live call left to record");
                    return false;
                }
                Ok((status, HangUpOutcome::TryAgain)) => {
                    tracing::error!(status, "the carrier does not say whether a call is recorded");
                    return true;
                }
                Ok((status, _)) => {
                    tracing::error!(status, "the carrier refuses to record a call");
                    return false;
                }
                Err(error) if error.is_refused_connection() => {}
                Err(error) => {
                    tracing::error!(%error, "the carrier does not say whether a call is recorded");
                    return true;
                }
            }
            let Some(pause) = pauses.next() else {
                tracing::error!("a call is not recorded, because the carrier did not take it on");
                return false;
            };
            sleep(between(pause)).await;
        }
    }

    /// Changes what the one recording of a live call holds. Whether it was done; it is repeated where
    /// that can help.
    pub async fn change_recording(&self, call: &Sid, to: Recorded) -> bool {
        let path = change_path(&self.account_sid, call);
        let body = match to {
            Recorded::Sound => RESUME_BODY,
            Recorded::Silence => PAUSE_BODY,
        };
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            match self.post(&path, body.to_owned()).await {
                Ok((_, HangUpOutcome::Done)) => return true,
                Ok((status, HangUpOutcome::AlreadyOver)) => {
                    tracing::debug!(status, "there was no recording left to change");
                    return false;
                }
                Ok((status, HangUpOutcome::Denied | HangUpOutcome::Failed { .. })) => {
                    tracing::error!(status, ?to, "the carrier refuses to change a recording");
                    return false;
                }
                Ok((status, HangUpOutcome::TryAgain)) => {
                    tracing::warn!(
                        status,
                        ?to,
                        "the carrier could not change a recording just now"
                    );
                }
                Err(error) => tracing::warn!(%error, ?to, "the carrier did not change a recording"),
            }
            let Some(pause) = pauses.next() else {
                tracing::error!(?to, "a recording was not changed");
                return false;
            };
            sleep(between(pause)).await;
        }
    }

    async fn post(&self, path: &str, form: String) -> Result<(u16, HangUpOutcome), super::Error> {
        self.send(self.request(Method::POST, path), form).await
    }
}
