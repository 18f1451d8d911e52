//! The sound of a recording, as the carrier hands it out: piece by piece, never whole in memory.
//!
//! It is asked for at one address, which account and recording determine (F-WH-15). An answer may send
//! us on, and then the address is the carrier's word. So it is only gone to at the carrier itself, or at
//! a host that the configuration lists; and only the carrier itself gets our credentials.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Response, StatusCode, Url};
use secrecy::ExposeSecret as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::Error;
use super::carrier::{PROVIDER, TwilioRest};
use super::http::is_this_machine;
use crate::twilio::Sid;
use crate::twilio::recording::{SoundFormat, sound_bytes_max, sound_path};

/// What holds for fetching sound.
#[derive(Debug, Clone)]
pub struct SoundRules {
    /// Where the carrier may send us on to besides itself: hosts, or `host:port`, in small letters. They
    /// are asked by HTTPS, and without our credentials.
    pub hosts: Vec<String>,
    /// How long the carrier, and each to whom it sends us on, may take until the sound begins.
    pub begin: Duration,
    /// How long no more of it may come.
    pub gap: Duration,
    /// How long all of it may take.
    pub whole: Duration,
}

impl SoundRules {
    /// The usual ones, and these hosts.
    pub fn from_hosts(hosts: Vec<String>) -> Self {
        Self { hosts, ..Self::default() }
    }
}

impl Default for SoundRules {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            begin: Duration::from_secs(10),
            gap: Duration::from_secs(10),
            whole: Duration::from_secs(600),
        }
    }
}

/// Why there is no sound of a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSound {
    /// The carrier does not have it, or not any more.
    #[error("the carrier does not have this sound, or not any more")]
    Gone,
    /// The carrier sends us on to an address where we do not go.
    #[error("the carrier sends us on to an address that is not allowed")]
    Elsewhere,
    /// As much sound is being fetched as may be at once.
    #[error("as much sound is being fetched as may be at once")]
    Busy,
    /// The carrier does not hand it out.
    #[error(transparent)]
    Provider(#[from] Error),
}

/// Fetches sound for a [`TwilioRest`].
pub(super) struct Sounds {
    pub(super) rules: SoundRules,
    turns: Arc<Semaphore>,
}

impl Default for Sounds {
    fn default() -> Self {
        Self { rules: SoundRules::default(), turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

/// The sound of a recording, while it is being fetched.
#[derive(Debug)]
pub struct Sound {
    response: Response,
    /// So many bytes more are taken.
    left: u64,
    gap: Duration,
    until: Instant,
    _turn: OwnedSemaphorePermit,
}

impl Sound {
    /// How many bytes there are in all, where that is known before.
    pub fn bytes(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// When all of it must be here, or it is given up.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// The next piece; nothing at the end.
    ///
    /// # Errors
    ///
    /// [`Error`] where it breaks off, comes too slowly, or is longer than such a recording can be.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let until = self.until.min(Instant::now() + self.gap);
        let piece = timeout_at(until, self.response.chunk()).await;
        let piece = piece.map_err(|_| Error::TimedOut { provider: PROVIDER })?;
        let Some(piece) = piece.map_err(|error| Error::of(PROVIDER, error))? else {
            return Ok(None);
        };
        self.left = self.left.checked_sub(piece.len() as u64).ok_or(TOO_LONG)?;
        Ok(Some(piece))
    }
}

impl TwilioRest {
    /// The same client, with other rules for fetching sound.
    #[must_use]
    pub fn with_sound(mut self, rules: SoundRules) -> Self {
        self.sounds.rules = rules;
        self
    }

    /// The sound of a recording that is so many seconds long, as far as that is known. The carrier is asked
    /// once, and whether it answers is nothing to the breaker, as where a recording is deleted.
    ///
    /// # Errors
    ///
    /// [`NoSound`] says why there is none. It quotes no address.
    pub async fn sound(
        &self,
        recording: &Sid,
        format: SoundFormat,
        seconds: Option<u64>,
    ) -> Result<Sound, NoSound> {
        let turn = Arc::clone(&self.sounds.turns).try_acquire_owned().map_err(|_| NoSound::Busy)?;
        let rules = &self.sounds.rules;
        let until = Instant::now() + rules.whole;
        let mut url = self.address(&sound_path(&self.account_sid, recording, format));
        for _ in 0..=REDIRECTS_MAX {
            let response = self.ask_for_sound(url.clone()).await?;
            let status = response.status();
            if status.is_redirection() {
                url = self.sent_on(&url, &response).ok_or(NoSound::Elsewhere)?;
                continue;
            }
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
                return Err(NoSound::Gone);
            }
            if status != StatusCode::OK {
                return Err(Error::refused(PROVIDER, &response).into());
            }
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            if !kind.is_some_and(|kind| format.is_type(kind)) {
                return Err(garbled("something that is not the sound asked for").into());
            }
            let left = sound_bytes_max(seconds);
            if response.content_length().is_some_and(|bytes| bytes > left) {
                return Err(TOO_LONG.into());
            }
            return Ok(Sound { response, left, gap: rules.gap, until, _turn: turn });
        }
        Err(garbled("one redirect after the other").into())
    }

    async fn ask_for_sound(&self, url: Url) -> Result<Response, Error> {
        let is_the_carriers = self.is_the_carriers(&url);
        let mut request = self.client.get(url);
        if is_the_carriers {
            request = request.basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()));
        }
        let response = timeout(self.sounds.rules.begin, request.send()).await;
        let response = response.map_err(|_| Error::TimedOut { provider: PROVIDER })?;
        response.map_err(|error| Error::of(PROVIDER, error))
    }

    /// Where an answer sends us on to; nothing where we do not go there.
    fn sent_on(&self, from: &Url, response: &Response) -> Option<Url> {
        let to = response.headers().get(LOCATION)?.to_str().ok()?;
        let to = from.join(to).ok()?;
        let names_somebody = !to.username().is_empty() || to.password().is_some();
        let is_allowed = self.is_the_carriers(&to) || self.is_listed(&to);
        (is_allowed && !names_somebody).then_some(to)
    }

    fn is_the_carriers(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    fn is_listed(&self, url: &Url) -> bool {
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url));
        let Some(host) = url.host_str().filter(|_| is_safe) else { return false };
        let name = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        self.sounds.rules.hosts.contains(&name)
    }
}

const fn garbled(problem: &'static str) -> Error {
    Error::Garbled { provider: PROVIDER, problem }
}

const TOO_LONG: Error = garbled("more than such a recording can be");

/// Nobody waits on the telephone for sound, and calls need the line to the carrier, too.
const AT_ONCE_MAX: usize = 4;

const REDIRECTS_MAX: u32 = 3;
