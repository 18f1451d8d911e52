//! Speech for our own lines, in the agent's voice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call_core::playout::BYTES_PER_MS;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, Url};
use secrecy::SecretString;
use tokio::time::timeout;

use super::Error;
use super::breaker::{Breaker, Verdict};
use super::http::{Scheme, authorization, body, client, endpoint};
use crate::deepgram::{AUTHORIZATION_SCHEME, SPEAK_PATH, SpeakFailure, SpeakRequest};

/// A line that takes longer than this comes too late.
const BUDGET: Duration = Duration::from_secs(2);

/// Nobody waits for a line that is asked for before any call.
const BUDGET_AHEAD: Duration = Duration::from_secs(10);

/// The longest line: one minute.
const AUDIO_BYTES_MAX: usize = 60_000 * BYTES_PER_MS as usize;

/// What is kept: most lines are the same in every call.
const CLIPS_MAX: usize = 256;
const CLIPS_BYTES_MAX: usize = 16 << 20;

const FAILURE_BYTES_MAX: usize = 16 * 1024;

const PROVIDER: &str = "the speech provider";

/// Has lines spoken, and keeps what it got: in memory, by voice and words. The version of the words
/// is the asker's to know: equal words in one voice are the same speech, whosever they are.
pub struct Speaker {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    clips: Mutex<Clips>,
    breaker: Breaker,
}

impl Speaker {
    /// A client for the text-to-speech interface at `base_url`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the URL is not `https` (`http` on this machine) or the key cannot
    /// stand in a header; [`Error::Client`] when this machine cannot make requests.
    #[allow(clippy::needless_pass_by_value, reason = "the caller's copy of a key ends here")]
    pub fn new(base_url: &str, api_key: SecretString) -> Result<Self, Error> {
        let url = endpoint("DEEPGRAM_SPEAK_URL", base_url, Scheme::Http, SPEAK_PATH)?;
        let authorization = authorization("DEEPGRAM_API_KEY", AUTHORIZATION_SCHEME, &api_key)?;
        let (clips, breaker) = (Mutex::default(), Breaker::new(PROVIDER));
        Ok(Self { client: client()?, url, authorization, clips, breaker })
    }

    /// How its breaker stands.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// The speech of `text` in `voice`: µ-law, 8,000 samples a second.
    ///
    /// # Errors
    ///
    /// [`Error`] says why there is none; it quotes neither the text nor the answer.
    pub async fn speak(&self, voice: &str, text: &str) -> Result<Vec<u8>, Error> {
        if let Some(audio) = self.clips().find(voice, text) {
            return Ok(audio);
        }
        self.ask(voice, text, BUDGET).await
    }

    /// Has a line spoken for calls that are still to come, and keeps it. Whether it had to be asked
    /// for; if not, it was there.
    ///
    /// # Errors
    ///
    /// [`Error`] as in [`Speaker::speak`]; then nothing is kept.
    pub async fn prepare(&self, voice: &str, text: &str) -> Result<bool, Error> {
        let missing = !self.clips().holds(voice, text);
        if missing {
            self.ask(voice, text, BUDGET_AHEAD).await?;
        }
        Ok(missing)
    }

    /// What is kept, and how often it was of use.
    pub fn kept(&self) -> Kept {
        let clips = self.clips();
        Kept { clips: clips.clips.len(), bytes: clips.bytes, ..clips.counts }
    }

    async fn ask(&self, voice: &str, text: &str, budget: Duration) -> Result<Vec<u8>, Error> {
        if text.trim().is_empty() {
            return Err(Error::Pointless { provider: PROVIDER, problem: "there are no words" });
        }
        let asking = self.breaker.ask().ok_or(Error::Down { provider: PROVIDER })?;
        self.clips().counts.asked += 1;
        let spoken = timeout(budget, self.request(voice, text)).await;
        let spoken = spoken.unwrap_or(Err(Error::TimedOut { provider: PROVIDER }));
        asking.tell(Verdict::of(&spoken));
        match &spoken {
            Ok(audio) => self.clips().keep(voice, text, audio),
            Err(_) => self.clips().counts.failed += 1,
        }
        spoken
    }

    async fn request(&self, voice: &str, text: &str) -> Result<Vec<u8>, Error> {
        let request = SpeakRequest { voice: voice.to_owned(), text: text.into() };
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(request.query());
        let response = self
            .client
            .post(url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(request.body())
            .send()
            .await
            .map_err(|error| Error::of(PROVIDER, error))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        if is_text(&response) {
            return Err(Error::Garbled { provider: PROVIDER, problem: "text instead of speech" });
        }
        let audio = body(PROVIDER, response, AUDIO_BYTES_MAX).await?;
        if audio.is_empty() {
            return Err(Error::Garbled { provider: PROVIDER, problem: "no speech" });
        }
        Ok(audio)
    }

    fn clips(&self) -> MutexGuard<'_, Clips> {
        // What a panic left behind is at worst a clip less.
        self.clips.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

async fn refusal(response: Response) -> Error {
    let status = response.status().as_u16();
    let refused = Error::refused(PROVIDER, &response);
    let body = body(PROVIDER, response, FAILURE_BYTES_MAX).await.unwrap_or_default();
    let failure = str::from_utf8(&body).ok().and_then(SpeakFailure::decode);
    let request = failure.and_then(|failure| failure.request_id);
    match status {
        401 | 403 => tracing::error!(status, request, "the speech provider refuses our key"),
        _ => tracing::warn!(status, request, "the speech provider refused a line"),
    }
    refused
}

/// An answer in words would be noise in the caller's ear.
fn is_text(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/") || kind.starts_with("application/json"))
}

/// What a [`Speaker`] keeps, and how often that spared a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Lines for a call that were there.
    pub found: u64,
    /// Lines that the provider was asked for, for a call or ahead of one.
    pub asked: u64,
    /// Of these, lines that it did not speak.
    pub failed: u64,
    /// Lines that are kept now.
    pub clips: usize,
    /// Bytes of them.
    pub bytes: usize,
}

/// Spoken lines by voice and words; the one that was not asked for longest goes first.
#[derive(Default)]
struct Clips {
    clips: BTreeMap<(String, String), Clip>,
    bytes: usize,
    asked: u64,
    counts: Kept,
}

struct Clip {
    audio: Vec<u8>,
    asked: u64,
}

impl Clips {
    fn find(&mut self, voice: &str, text: &str) -> Option<Vec<u8>> {
        self.asked += 1;
        let clip = self.clips.get_mut(&(voice.to_owned(), text.to_owned()))?;
        clip.asked = self.asked;
        self.counts.found += 1;
        Some(clip.audio.clone())
    }

    fn holds(&self, voice: &str, text: &str) -> bool {
        self.clips.contains_key(&(voice.to_owned(), text.to_owned()))
    }

    fn keep(&mut self, voice: &str, text: &str, audio: &[u8]) {
        let clip = Clip { audio: audio.to_vec(), asked: self.asked };
        self.bytes += audio.len();
        if let Some(old) = self.clips.insert((voice.to_owned(), text.to_owned()), clip) {
            self.bytes -= old.audio.len();
        }
        while self.clips.len() > CLIPS_MAX || self.bytes > CLIPS_BYTES_MAX {
            let oldest = self.clips.iter().min_by_key(|(_, clip)| clip.asked);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            if let Some(clip) = self.clips.remove(&name) {
                self.bytes -= clip.audio.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_was_not_asked_for_longest_makes_room() {
        let mut clips = Clips::default();
        for number in 0..CLIPS_MAX {
            assert_eq!(clips.find("a voice", &number.to_string()), None);
            clips.keep("a voice", &number.to_string(), &[0; 8]);
        }
        assert!(clips.find("a voice", "0").is_some());
        clips.keep("a voice", "one more", &[0; 8]);
        assert!(clips.find("a voice", "0").is_some(), "it was asked for just now");
        assert!(clips.find("a voice", "1").is_none());
        assert_eq!(clips.bytes, CLIPS_MAX * 8);
    }

    #[test]
    fn long_lines_make_room_sooner() {
        let mut clips = Clips::default();
        for number in 0..100 {
            clips.find("a voice", &number.to_string());
            clips.keep("a voice", &number.to_string(), &vec![0; AUDIO_BYTES_MAX]);
        }
        assert!(clips.bytes <= CLIPS_BYTES_MAX);
        assert!(clips.find("a voice", "99").is_some());
        assert!(clips.find("another voice", "99").is_none());
    }
}
