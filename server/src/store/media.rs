//! Sound that is to be deleted at the carrier: what we knew of it is gone already.
//!
//! What the carrier does not delete is asked for again later, behind all that is due before. So nothing
//! stands in the way of the rest, however long it is refused.

use sqlx::FromRow;

use super::database::Scope;
use super::sweeps::note_deletion;
use super::{Error, Store};

/// Sound that is to be deleted at the carrier.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Media {
    /// The carrier's name of the recording.
    pub recording_sid: String,
    /// The company's short name.
    pub company: String,
    /// How often it was asked for in vain.
    pub attempts: i64,
}

/// How much sound is listed to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// All of it.
    pub all: i64,
    /// What somebody holds.
    pub held: i64,
    /// What was asked for in vain.
    pub refused: i64,
}

impl Store {
    /// What is to be asked for next at a time, in microseconds since 1970-01-01 UTC, if anything is: what
    /// was due first, and nobody holds.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn media_due(&self, now_us: i64) -> Result<Option<Media>, Error> {
        let statement = "SELECT recording_sid, company, attempts FROM media_deletion m \
            WHERE m.not_before_us <= $1 \
            AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.company = m.company \
            AND h.released_us IS NULL AND (h.call_sid IS NULL OR h.call_sid = m.call_sid)) \
            ORDER BY not_before_us, since_us, recording_sid LIMIT 1";
        let rows = self.database.read(Scope::Every, statement, &[now_us.into()]).await?;
        Ok(rows.into_iter().next())
    }

    /// Notes that sound is gone at the carrier, and who had it deleted.
    ///
    /// # Errors
    /// [`Error::Query`], also where its call was held in the same moment.
    pub async fn media_gone(&self, media: &Media, by: &str, at_us: i64) -> Result<(), Error> {
        let statement = "DELETE FROM media_deletion WHERE recording_sid = $1";
        let mut transaction = self.database.begin(Scope::Company(&media.company)).await?;
        let gone = transaction.run(statement, &[(&media.recording_sid).into()]).await?;
        let whose = (&*media.company, by);
        note_deletion(&mut transaction, whose, "media", gone, (at_us, at_us)).await?;
        Ok(transaction.commit().await?)
    }

    /// Notes that sound was asked for in vain, and is to be again from a time on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn put_off_media(&self, media: &Media, until_us: i64) -> Result<(), Error> {
        let statement = "UPDATE media_deletion SET attempts = attempts + 1, not_before_us = $2 \
            WHERE recording_sid = $1";
        let mut transaction = self.database.begin(Scope::Company(&media.company)).await?;
        transaction.run(statement, &[(&media.recording_sid).into(), until_us.into()]).await?;
        Ok(transaction.commit().await?)
    }

    /// How much is listed.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn media_listed(&self) -> Result<Listed, Error> {
        let statement = "SELECT count(*), \
            CAST(COALESCE(sum(CASE WHEN EXISTS (SELECT 1 FROM legal_hold h \
            WHERE h.company = m.company AND h.released_us IS NULL \
            AND (h.call_sid IS NULL OR h.call_sid = m.call_sid)) THEN 1 ELSE 0 END), 0) AS BIGINT), \
            CAST(COALESCE(sum(CASE WHEN attempts > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) \
            FROM media_deletion m";
        let rows: Vec<(i64, i64, i64)> = self.database.read(Scope::Every, statement, &[]).await?;
        let (all, held, refused) = rows.into_iter().next().unwrap_or_default();
        Ok(Listed { all, held, refused })
    }
}
