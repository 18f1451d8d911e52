//! Hearing recordings: their sound, on its way from the carrier to somebody who may hear it.
//!
//! Sound is as it was said, and masked nowhere. So nothing of it is handed out before it is on record for
//! good who gets it (F-PR-08), and nothing of it is kept on the way.

use call_transports::net::{self, NoSound, Sound, TwilioRest};
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingStatus, SoundFormat};
use serde_json::json;

use crate::audit::{Entry, Kind};
use crate::store::{CallRecord, Recording, Recordings};

/// Somebody wants to hear a recording.
#[derive(Debug, Clone, Copy)]
pub struct Hearing<'a> {
    /// The call that was recorded.
    pub call: &'a CallRecord,
    /// The carrier's name of the recording.
    pub recording: &'a str,
    /// The form of the sound.
    pub format: SoundFormat,
    /// Who it is, for the record.
    pub by: &'a str,
    /// The way by which it is asked for: `api`, `command`.
    pub way: &'static str,
}

/// Why a recording cannot be heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unheard {
    /// The call has no such recording.
    #[error("the call has no such recording")]
    NoRecording,
    /// It was deleted, because its time was over.
    #[error("the recording was deleted, because its time was over")]
    Deleted {
        /// When, in microseconds since 1970-01-01 UTC.
        at_us: i64,
    },
    /// It is still being made.
    #[error("the recording is still being made")]
    Making,
    /// Nothing is in it, or its sound was said to lie at a strange address.
    #[error("the recording has no sound that can be fetched")]
    Soundless,
    /// The carrier has its sound no more, although nobody here had it deleted.
    #[error("the carrier does not have the sound of the recording any more")]
    Gone,
    /// It cannot be put on record, so nobody could prove later who heard it.
    #[error("who hears it cannot be put on record, and nothing is heard that is not")]
    Unrecorded,
    /// Others are listening.
    #[error("as many recordings are being fetched as may be at once")]
    Busy,
    /// The carrier sends us on to where we do not go.
    #[error("the carrier sends us on to a host that TWILIO_MEDIA_HOSTS does not name")]
    Elsewhere,
    /// The carrier does not hand it out.
    #[error(transparent)]
    Provider(net::Error),
}

impl From<NoSound> for Unheard {
    fn from(why: NoSound) -> Self {
        match why {
            NoSound::Gone => Self::Gone,
            NoSound::Busy => Self::Busy,
            NoSound::Provider(error) => Self::Provider(error),
            // Whatever else there will be: we do not go there.
            _ => Self::Elsewhere,
        }
    }
}

impl Hearing<'_> {
    /// The sound, once it is on record who hears it. `recordings` are those of the call; `tell` puts the
    /// entry on record for good, and says whether it is.
    ///
    /// # Errors
    /// [`Unheard`] says why not; then nothing was handed out.
    pub async fn begin(
        &self,
        recordings: &Recordings,
        carrier: &TwilioRest,
        tell: impl AsyncFnOnce(Entry) -> bool,
    ) -> Result<Sound, Unheard> {
        let recording = self.find(recordings)?;
        let sid = Sid::parse(&recording.sid).ok_or(Unheard::NoRecording)?;
        let seconds = recording.seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let sound = carrier.sound(&sid, self.format, seconds).await?;
        let (format, by, way) = (self.format.word(), self.by, self.way);
        let body = json!({ "recording": recording.sid, "format": format, "by": by, "way": way });
        let entry = Entry::new(Kind::RecordingHeard, &self.call.company, body);
        if tell(entry.of_call(&self.call.sid)).await { Ok(sound) } else { Err(Unheard::Unrecorded) }
    }

    fn find<'r>(&self, recordings: &'r Recordings) -> Result<&'r Recording, Unheard> {
        let Some(recording) = recordings.kept.iter().find(|kept| kept.sid == self.recording) else {
            let deleted = recordings.deleted.iter().find(|gone| gone.sid == self.recording);
            return Err(deleted.map_or(Unheard::NoRecording, |gone| {
                let at_us = gone.at_us;
                Unheard::Deleted { at_us }
            }));
        };
        match recording.status {
            RecordingStatus::InProgress => Err(Unheard::Making),
            _ if recording.has_sound() => Ok(recording),
            _ => Err(Unheard::Soundless),
        }
    }
}
