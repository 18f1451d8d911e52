//! What the carrier tells of recordings.

use call_transports::twilio::recording::{RecordingCallback, RecordingStatus};
use sqlx::FromRow;

use super::database::Scope;
use super::repeats::repeated;
use super::{Error, Store, whole};
use crate::times::now_us;

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
    /// Keeps what a callback tells about a call of the company. Whether that was news: a recording that
    /// is over does not change, and one that belongs to a call is no other call's.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn keep_recording(
        &self,
        company: &str,
        told: &RecordingCallback,
        status: RecordingStatus,
        media_path: Option<&str>,
    ) -> Result<bool, Error> {
        let has_sound = status == RecordingStatus::Completed;
        let statement = "INSERT INTO recording \
            (sid, call_sid, company, status, seconds, media_path, known_us) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (sid) DO UPDATE SET \
            status = excluded.status, seconds = excluded.seconds, \
            media_path = excluded.media_path, known_us = excluded.known_us WHERE recording.status = 'in-progress' \
            AND excluded.status <> 'in-progress' AND recording.call_sid = excluded.call_sid \
            AND recording.company = excluded.company";
        let values = [
            told.recording.as_str().into(),
            told.call.as_str().into(),
            company.into(),
            status.as_str().into(),
            told.seconds.filter(|_| has_sound).map(whole).into(),
            media_path.filter(|_| has_sound).into(),
            now_us().into(),
        ];
        let keep = async || {
            let mut transaction = self.database.begin(Scope::Company(company)).await?;
            let changed = transaction.run(statement, &values).await?;
            transaction.commit().await?;
            Ok(changed == 1)
        };
        repeated(keep).await
    }

    /// The recordings of a call.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn recordings(&self, call: &str) -> Result<Vec<Recording>, Error> {
        let statement = "SELECT sid, status, seconds, media_path FROM recording \
            WHERE call_sid = $1 ORDER BY sid";
        let rows: Vec<Row> = self.database.read(Scope::Every, statement, &[call.into()]).await?;
        rows.into_iter().map(Row::recording).collect()
    }
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    sid: String,
    status: String,
    seconds: Option<i64>,
    media_path: Option<String>,
}

impl Row {
    fn recording(self) -> Result<Recording, Error> {
        let unknown = || Error::Garbled { what: "recording", source: None };
        let Self { sid, status, seconds, media_path } = self;
        let status = RecordingStatus::from_word(&status).ok_or_else(unknown)?;
        Ok(Recording { sid, status, seconds, media_path })
    }
}
