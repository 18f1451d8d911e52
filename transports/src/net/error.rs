//! What can go wrong on the way to a provider, named by who is to blame.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::RETRY_AFTER;

/// Why a client could not be made, or why a provider did not do what it was asked.
///
/// Messages hold no secret, no URL and nothing that was said, so they may be logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of ours cannot be used.
    #[error("{setting} {problem}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The HTTP client could not be made: this machine lacks something, such as certificates.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    /// The provider could not be reached, or the connection broke.
    #[error("{provider} could not be reached")]
    Unreachable {
        /// Which provider.
        provider: &'static str,
        /// What happened.
        source: reqwest::Error,
    },
    /// The provider took too long.
    #[error("{provider} did not answer in time")]
    TimedOut {
        /// Which provider.
        provider: &'static str,
    },
    /// The provider refused.
    #[error("{provider} answered with status {status}")]
    Refused {
        /// Which provider.
        provider: &'static str,
        /// The HTTP status.
        status: u16,
        /// When it may be asked again, where it says so.
        retry_after: Option<Duration>,
    },
    /// The provider is known to be down, and was not asked.
    #[error("{provider} is down and was not asked")]
    Down {
        /// Which provider.
        provider: &'static str,
    },
    /// The provider's answer is of no use.
    #[error("{provider} answered with {problem}")]
    Garbled {
        /// Which provider.
        provider: &'static str,
        /// What is wrong with the answer.
        problem: &'static str,
    },
    /// We asked for something that makes no sense.
    #[error("we asked {provider} for nothing: {problem}")]
    Pointless {
        /// Which provider.
        provider: &'static str,
        /// What is missing.
        problem: &'static str,
    },
}

impl Error {
    /// Sorts a failure of the HTTP client. Its URL is taken out first.
    pub(super) fn of(provider: &'static str, error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut { provider }
        } else {
            Self::Unreachable { provider, source: error.without_url() }
        }
    }

    /// A refusal, with what it says of the next try. Only whole seconds are read; nobody here sends
    /// dates.
    pub(super) fn refused(provider: &'static str, response: &Response) -> Self {
        let seconds = response.headers().get(RETRY_AFTER);
        let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let status = response.status().as_u16();
        Self::Refused { provider, status, retry_after: seconds.map(Duration::from_secs) }
    }

    /// Whether no connection came about, so that the request cannot have arrived.
    pub(super) fn is_refused_connection(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_connect())
    }
}
