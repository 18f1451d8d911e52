//! What the carrier tells of recordings.

use call_transports::twilio::recording::{RecordingCallback, RecordingStatus};
use sqlx::Row as _;

use super::{Error, Store, whole};

/// A recording of a call. Its sound is at the carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The carrier's name of it.
    pub sid: String,
    /// Where it stands.
    pub status: RecordingStatus,
    /// How long its sound is, in seconds, where that was said.
    pub seconds: Option<i64>,
    /// Where its sound lies, below the carrier's REST interface. Nothing while there is none, or where
    /// it was said to lie elsewhere.
    pub media_path: Option<String>,
}

impl Store {
    /// Keeps what a callback tells. Whether that was news: a recording that is over does not change, and
    /// one that belongs to a call is no other call's.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn keep_recording(
        &self,
        told: &RecordingCallback,
        status: RecordingStatus,
        media_path: Option<&str>,
    ) -> Result<bool, Error> {
        let has_sound = status == RecordingStatus::Completed;
        let changed = sqlx::query(
            "INSERT INTO recording (sid, call_sid, status, seconds, media_path) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (sid) DO UPDATE SET \
             status = excluded.status, seconds = excluded.seconds, \
             media_path = excluded.media_path WHERE recording.status = 'in-progress' \
             AND excluded.status <> 'in-progress' AND recording.call_sid = excluded.call_sid",
        )
        .bind(told.recording.as_str())
        .bind(told.call.as_str())
        .bind(status.as_str())
        .bind(told.seconds.filter(|_| has_sound).map(whole))
        .bind(media_path.filter(|_| has_sound))
        .execute(&self.pool)
        .await?;
        Ok(changed.rows_affected() == 1)
    }

    /// The recordings of a call.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn recordings(&self, call: &str) -> Result<Vec<Recording>, Error> {
        let rows = sqlx::query("SELECT * FROM recording WHERE call_sid = $1 ORDER BY sid")
            .bind(call)
            .fetch_all(&self.pool)
            .await?;
        let unknown = || Error::Garbled { what: "recording", source: None };
        rows.iter()
            .map(|row| {
                Ok(Recording {
                    sid: row.try_get("sid")?,
                    status: RecordingStatus::from_word(row.try_get("status")?)
                        .ok_or_else(unknown)?,
                    seconds: row.try_get("seconds")?,
                    media_path: row.try_get("media_path")?,
                })
            })
            .collect()
    }
}
