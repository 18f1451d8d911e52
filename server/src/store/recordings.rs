//! What the carrier tells of recordings.

use call_transports::twilio::recording::{RecordingCallback, RecordingStatus};
use jiff::fmt::rfc2822;
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
    /// When it began, where that was said, in microseconds since 1970-01-01 UTC.
    pub started_us: Option<i64>,
    /// Where its sound lies, below the carrier's REST interface. Nothing while there is none, or where
    /// it was said to lie elsewhere.
    pub media_path: Option<String>,
}

impl Recording {
    /// Whether it has sound, and that lies where it must.
    pub fn has_sound(&self) -> bool {
        self.status == RecordingStatus::Completed && self.media_path.is_some()
    }
}

/// A recording that was deleted because its time was over.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeletedRecording {
    /// The carrier's name of it.
    #[sqlx(rename = "recording_sid")]
    pub sid: String,
    /// When it was deleted, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
}

/// A call of whose recording no end is known.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct UntoldCall {
    /// The carrier's name of the call.
    pub sid: String,
    /// The company's short name.
    pub company: String,
}

/// What is known of the recordings of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recordings {
    /// Those that are there.
    pub kept: Vec<Recording>,
    /// Those that are not any more.
    pub deleted: Vec<DeletedRecording>,
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
            (sid, call_sid, company, status, seconds, media_path, started_us, known_us) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sid) DO UPDATE SET \
            status = excluded.status, seconds = excluded.seconds, \
            media_path = excluded.media_path, known_us = excluded.known_us, \
            started_us = COALESCE(excluded.started_us, recording.started_us) \
            WHERE recording.status = 'in-progress' \
            AND excluded.status <> 'in-progress' AND recording.call_sid = excluded.call_sid \
            AND recording.company = excluded.company";
        let values = [
            told.recording.as_str().into(),
            told.call.as_str().into(),
            company.into(),
            status.as_str().into(),
            told.seconds.filter(|_| has_sound).map(whole).into(),
            media_path.filter(|_| has_sound).into(),
            told.started.as_deref().and_then(started_us).into(),
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

    /// The recordings of a call that are there.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn recordings(&self, call: &str) -> Result<Vec<Recording>, Error> {
        Ok(self.recordings_of(Scope::Every, call).await?.kept)
    }

    /// Calls that ended from one time to another, in microseconds since 1970-01-01 UTC, that were to be
    /// recorded, and of whose recording no end is known; the first to begin first, 1,000 at most.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn untold_recordings(
        &self,
        from_us: i64,
        until_us: i64,
    ) -> Result<Vec<UntoldCall>, Error> {
        // The index knows when calls began. The summary is JSON as we write it, without spaces.
        let statement = "SELECT c.sid, c.company FROM call c \
            WHERE c.started_us >= $1 AND c.started_us < $2 AND c.status = 'ended' \
            AND c.ended_us < $2 AND (EXISTS (SELECT 1 FROM summary s WHERE s.call_sid = c.sid \
            AND s.summary LIKE '%\"recorded\":true,%') \
            OR EXISTS (SELECT 1 FROM recording r WHERE r.call_sid = c.sid)) \
            AND NOT EXISTS (SELECT 1 FROM recording r \
            WHERE r.call_sid = c.sid AND r.status <> 'in-progress') \
            ORDER BY c.started_us, c.sid LIMIT 1000";
        let values = [from_us.into(), until_us.into()];
        Ok(self.database.read(Scope::Every, statement, &values).await?)
    }

    /// What is known of the recordings of a call within a scope.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn recordings_of(&self, scope: Scope<'_>, call: &str) -> Result<Recordings, Error> {
        let values = [call.into(), scope.word().into()];
        let statement = "SELECT sid, status, seconds, started_us, media_path FROM recording \
            WHERE call_sid = $1 AND $2 IN (company, '*') ORDER BY sid";
        let rows: Vec<Row> = self.database.read(scope, statement, &values).await?;
        let statement = "SELECT recording_sid, at_us FROM recording_deleted \
            WHERE call_sid = $1 AND $2 IN (company, '*') ORDER BY recording_sid";
        let deleted = self.database.read(scope, statement, &values).await?;
        let kept = rows.into_iter().map(Row::recording).collect::<Result<_, _>>()?;
        Ok(Recordings { kept, deleted })
    }
}

/// The time that a date of RFC 2822 names. What is none, or before 1970, is left out.
fn started_us(date: &str) -> Option<i64> {
    let at = rfc2822::parse(date).ok()?.timestamp().as_microsecond();
    (at >= 0).then_some(at)
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    sid: String,
    status: String,
    seconds: Option<i64>,
    started_us: Option<i64>,
    media_path: Option<String>,
}

impl Row {
    fn recording(self) -> Result<Recording, Error> {
        let unknown = || Error::Garbled { what: "recording", source: None };
        let Self { sid, status, seconds, started_us, media_path } = self;
        let status = RecordingStatus::from_word(&status).ok_or_else(unknown)?;
        Ok(Recording { sid, status, seconds, started_us, media_path })
    }
}
