//! Recordings of calls: the requests that begin, pause and resume one, the callbacks that tell what
//! became of it, and where its sound is.
//!
//! Facts: Twilio documentation, the Recordings subresource of the Call resource of the API of
//! 2010-04-01, and recording status callbacks. The sound lies at Twilio, at an address that account and
//! recording determine, so what a callback says of its address is compared and never followed
//! (F-WH-15).

use serde::Deserialize;

use super::Sid;
use super::webhook::{Error, encode_form, only, sid};

/// The path, below the host of the API, where a recording of a live call is begun by POST.
#[must_use]
pub fn start_path(account: &Sid, call: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}/Calls/{call}/Recordings.json")
}

/// The form body that begins one: each side in a channel of its own, nothing trimmed, and every change
/// told to `callback`. Posted to [`start_path`].
#[must_use]
pub fn start_body(callback: &str) -> String {
    let fields = [
        ("RecordingChannels", "dual"),
        ("RecordingTrack", "both"),
        ("Trim", "do-not-trim"),
        ("RecordingStatusCallback", callback),
        ("RecordingStatusCallbackEvent", "in-progress completed absent"),
    ];
    encode_form(&fields.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// The path, below the host of the API, where a call's recordings are listed. Asked by GET.
#[must_use]
pub fn list_path(account: &Sid, call: &Sid) -> String {
    start_path(account, call)
}

/// What a list of a call's recordings tells, as callbacks would have told it. Nothing where it is no such
/// list; what is no recording of this call is left out.
#[must_use]
pub fn told_in_list(account: &Sid, call: &Sid, body: &[u8]) -> Option<Vec<RecordingCallback>> {
    let list: List = serde_json::from_slice(body).ok()?;
    let told = |listed: Listed| {
        let is_its = listed.call_sid == call.as_str() && listed.account_sid == account.as_str();
        let recording = Sid::parse(&listed.sid).filter(|sid| is_its && sid.kind() == "RE")?;
        Some(RecordingCallback {
            account: account.clone(),
            call: call.clone(),
            recording,
            status: RecordingStatus::from_word(&listed.status),
            seconds: listed.duration.and_then(|seconds| seconds.parse().ok()),
            started: listed.start_time,
            url: None,
        })
    };
    Some(list.recordings.into_iter().filter_map(told).collect())
}

#[derive(Deserialize)]
struct List {
    recordings: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    account_sid: String,
    call_sid: String,
    status: String,
    duration: Option<String>,
    start_time: Option<String>,
}

/// The path, below the host of the API, where the one recording that a live call has is changed by POST.
#[must_use]
pub fn change_path(account: &Sid, call: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}/Calls/{call}/Recordings/Twilio.CURRENT.json")
}

/// Makes a recording hold silence from now on. Posted to [`change_path`].
pub const PAUSE_BODY: &str = "Status=paused&PauseBehavior=silence";

/// Makes a paused recording go on. Posted to [`change_path`].
pub const RESUME_BODY: &str = "Status=in-progress";

/// The path, below the host of the API, of a recording's sound.
#[must_use]
pub fn media_path(account: &Sid, recording: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}/Recordings/{recording}")
}

/// A form in which Twilio hands out the sound of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SoundFormat {
    /// Samples of 16 bits, 8,000 a second, a channel for each side.
    #[default]
    Wav,
    /// Much smaller, and not what was recorded to the bit.
    Mp3,
}

impl SoundFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Wav, Self::Mp3];

    /// Its word, which is how the names of such files end.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
        }
    }

    /// The media type by its registered name.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
        }
    }

    /// Whether a `Content-Type` says that it is this, by one of the names that are in use.
    #[must_use]
    pub fn is_type(self, content_type: &str) -> bool {
        let name = content_type.split(';').next().unwrap_or_default().trim();
        let names: &[&str] = match self {
            Self::Wav => &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
            Self::Mp3 => &["audio/mpeg", "audio/mp3", "audio/x-mpeg"],
        };
        names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }
}

/// The path, below the host of the API, of a recording's sound in a form.
#[must_use]
pub fn sound_path(account: &Sid, recording: &Sid, format: SoundFormat) -> String {
    format!("{}.{}", media_path(account, recording), format.word())
}

/// The most bytes that the sound of a recording of this length may have; nobody said how long it is where
/// that is nothing. Twice what both sides take as 16 bits and 8,000 samples a second, and some seconds
/// more, because Twilio tells the length in whole ones; a call lasts four hours there at most.
#[must_use]
pub const fn sound_bytes_max(seconds: Option<u64>) -> u64 {
    let seconds = match seconds {
        Some(seconds) if seconds < CALL_SECONDS_MAX => seconds,
        _ => CALL_SECONDS_MAX,
    };
    (seconds + SLACK_SECONDS) * BYTES_PER_SECOND * 2
}

const CALL_SECONDS_MAX: u64 = 4 * 60 * 60;

const SLACK_SECONDS: u64 = 10;

const BYTES_PER_SECOND: u64 = 2 * 2 * 8_000;

/// The path, below the host of the API, where a recording is deleted with its sound, by DELETE.
#[must_use]
pub fn delete_path(account: &Sid, recording: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}/Recordings/{recording}.json")
}

/// Whether a recording is gone, by the status of the answer to its deletion: 204, or 404 where it was
/// gone before.
#[must_use]
pub const fn deletion_is_done(status: u16) -> bool {
    matches!(status, 200..=299 | 404)
}

/// What a callback tells of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingCallback {
    /// The account (`AccountSid`).
    pub account: Sid,
    /// The call (`CallSid`).
    pub call: Sid,
    /// The recording (`RecordingSid`, kind `RE`).
    pub recording: Sid,
    /// Where it stands (`RecordingStatus`); nothing for a word that we do not know.
    pub status: Option<RecordingStatus>,
    /// How long its sound is, in seconds (`RecordingDuration`), where that is said.
    pub seconds: Option<u64>,
    /// When it began (`RecordingStartTime`), as a date of RFC 2822, where that is said. Not checked.
    pub started: Option<String>,
    /// Where its sound is said to lie (`RecordingUrl`). Anybody's word: see [`Self::lies_at`].
    pub url: Option<String>,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingStatus {
    /// It is being made.
    InProgress,
    /// It is over, and its sound is there.
    Completed,
    /// It is over, and there is no sound: too short, or nothing was said.
    Absent,
}

impl RecordingStatus {
    /// The word that Twilio uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Absent => "absent",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::InProgress, Self::Completed, Self::Absent].into_iter().find(|s| s.as_str() == word)
    }
}

impl RecordingCallback {
    /// Reads the fields of a decoded form.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Repeated`] or [`Error::Sid`], each with the name of the field.
    pub fn from_form(form: &[(String, String)]) -> Result<Self, Error> {
        let maybe = |field| match only(form, field) {
            Err(Error::Missing { .. }) => Ok(None),
            other => other.map(Some),
        };
        Ok(Self {
            account: sid(form, "AccountSid", "AC")?,
            call: sid(form, "CallSid", "CA")?,
            recording: sid(form, "RecordingSid", "RE")?,
            status: RecordingStatus::from_word(only(form, "RecordingStatus")?),
            seconds: maybe("RecordingDuration")?.and_then(|seconds| seconds.parse().ok()),
            started: maybe("RecordingStartTime")?.map(str::to_owned),
            url: maybe("RecordingUrl")?.map(str::to_owned),
        })
    }

    /// The form that Twilio would send, for the stand-in.
    #[must_use]
    pub fn to_form(&self) -> Vec<(String, String)> {
        let mut form = Vec::new();
        let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        add("AccountSid", self.account.as_str());
        add("CallSid", self.call.as_str());
        add("RecordingSid", self.recording.as_str());
        if let Some(url) = &self.url {
            add("RecordingUrl", url);
        }
        if let Some(seconds) = self.seconds {
            add("RecordingDuration", &seconds.to_string());
        }
        if let Some(started) = &self.started {
            add("RecordingStartTime", started);
        }
        add("RecordingStatus", self.status.map_or("unknown", RecordingStatus::as_str));
        add("RecordingSource", "StartCallRecordingAPI");
        form
    }

    /// The path of the sound, if it is said to lie where it must: at Twilio, or at the interface that we
    /// use in its place (its base URL, without a slash at the end). A callback that says nothing of it is
    /// believed.
    #[must_use]
    pub fn lies_at(&self, api_url: &str) -> Option<String> {
        let path = media_path(&self.account, &self.recording);
        let is_ours = |base: &str| match &self.url {
            None => true,
            Some(url) => url.strip_prefix(base) == Some(&path),
        };
        (is_ours(TWILIO) || is_ours(api_url)).then_some(path)
    }
}

/// Where recordings lie unless another interface is configured.
const TWILIO: &str = "https://api.twilio.com";
