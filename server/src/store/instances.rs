//! The processes that take calls, and whether they live.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::database::Scope;
use super::look::{COLUMNS, CallRecord, CallRow};
use super::repeats::repeated;
use super::{Error, Store};
use crate::times::{now_us, whole_us};

impl Store {
    /// Says that this process lives, and where it takes streams.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn beat(&self, stream_url: &str) -> Result<(), Error> {
        repeated(|| self.beat_once(stream_url)).await
    }

    async fn beat_once(&self, stream_url: &str) -> Result<(), Error> {
        let statement = "INSERT INTO stream_server (instance, stream_url, started_us, seen_us) \
            VALUES ($1, $2, $3, $3) ON CONFLICT (instance) DO UPDATE SET \
            seen_us = CASE WHEN excluded.seen_us > stream_server.seen_us \
            THEN excluded.seen_us ELSE stream_server.seen_us END";
        let now = now_us();
        let mut transaction = self.database.begin(Scope::Every).await?;
        let values = [self.instance().into(), stream_url.into(), now.into()];
        transaction.run(statement, &values).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The calls without an end that are this process's own, or whose process has not said for so long
    /// that it lives, the oldest first.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn unended_here(&self, silent_for: Duration) -> Result<Vec<CallRecord>, Error> {
        let statement = format!(
            "SELECT {COLUMNS} FROM call \
             LEFT JOIN stream_server ON stream_server.instance = call.owner \
             WHERE call.status = 'live' AND (call.owner = $1 OR stream_server.seen_us IS NULL \
             OR stream_server.seen_us < $2) ORDER BY call.started_us"
        );
        let since = now_us().saturating_sub(whole_us(silent_for));
        let values = [self.instance().into(), since.into()];
        let rows: Vec<CallRow> =
            self.database.read(Scope::Every, AssertSqlSafe(statement), &values).await?;
        rows.into_iter().map(CallRow::record).collect()
    }
}
