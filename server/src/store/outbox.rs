//! Work that must still be done about calls that are over, and what comes of it.
//!
//! It is queued in the transaction that closes a call's record, so there is no call that it was forgotten
//! for. Whoever does it leases it for a while: two servers never do one thing at once, and what a dead one
//! had leased is another's when the lease runs out. It may be done twice, and is written once.

use std::time::Duration;

use call_core::brief::Brief;
use sqlx::{AssertSqlSafe, FromRow};

use super::database::{Scope, Transaction};
use super::repeats::repeated;
use super::{Error, Store, whole};
use crate::times::{now_us, whole_us};

/// Something to be done, leased by this process.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Work {
    id: i64,
    /// The company's short name.
    pub company: String,
    /// What it is about: for a summary, the call.
    pub key: String,
    /// How often it was leased, this time among them. No two leases have the same number.
    pub attempts: i64,
}

/// What there is of a call's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SummaryText {
    /// The call in a few sentences.
    Text(String),
    /// None, for the reason that this word tells.
    Without(String),
}

impl SummaryText {
    /// None.
    pub fn without(why: &str) -> Self {
        Self::Without(why.to_owned())
    }

    /// The sentences.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Without(_) => None,
        }
    }

    /// Why there are none.
    pub fn why_without(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Without(why) => Some(why),
        }
    }
}

/// How work comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Done,
    /// It is given up, for the reason that this word tells.
    Failed(&'static str),
}

impl Store {
    /// Leases what is due and nobody else's, the longest due first. Times are in microseconds since
    /// 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn take_work(
        &self,
        count: usize,
        now_us: i64,
        lease: Duration,
    ) -> Result<Vec<Work>, Error> {
        let mut transaction = self.database.begin(Scope::Every).await?;
        // What is put together here are words of ours.
        let statement = format!(
            "WITH due AS (SELECT id FROM outbox WHERE ended_us IS NULL AND not_before_us <= $1 \
             AND (leased_until_us IS NULL OR leased_until_us <= $1) \
             ORDER BY not_before_us, id LIMIT $4{}) \
             UPDATE outbox SET leased_by = $2, leased_until_us = $3, attempts = attempts + 1 \
             WHERE id IN (SELECT id FROM due) RETURNING id, company, key, attempts",
            transaction.skip_locked()
        );
        let until_us = now_us.saturating_add(whole_us(lease));
        let values =
            [now_us.into(), self.instance().into(), until_us.into(), whole(count as u64).into()];
        let work = transaction.rows(AssertSqlSafe(statement), &values).await?;
        transaction.commit().await?;
        Ok(work)
    }

    /// Keeps what came of summing up a call, and that the work is over, both or neither. Whether it was
    /// still this lease's to end: if not, nothing was written.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn end_summary(
        &self,
        work: &Work,
        text: &SummaryText,
        end: End,
        now_us: i64,
    ) -> Result<bool, Error> {
        repeated(|| self.end_summary_once(work, text, end, now_us)).await
    }

    async fn end_summary_once(
        &self,
        work: &Work,
        text: &SummaryText,
        end: End,
        now_us: i64,
    ) -> Result<bool, Error> {
        let failed = match end {
            End::Done => None,
            End::Failed(why) => Some(why),
        };
        let mut transaction = self.database.begin(Scope::Company(&work.company)).await?;
        let statement = "UPDATE outbox SET ended_us = $4, failed = $5, leased_by = NULL, \
            leased_until_us = NULL \
            WHERE id = $1 AND leased_by = $2 AND attempts = $3 AND ended_us IS NULL";
        let instance = self.instance().into();
        let values = [work.id.into(), instance, work.attempts.into(), now_us.into(), failed.into()];
        if transaction.run(statement, &values).await? == 0 {
            return Ok(false);
        }
        let statement = "INSERT INTO summary_text (call_sid, company, text, without, made_us) \
            VALUES ($1, $2, $3, $4, $5)";
        let values = [
            (&work.key).into(),
            (&work.company).into(),
            text.text().into(),
            text.why_without().into(),
            now_us.into(),
        ];
        transaction.run(statement, &values).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Lets work wait until a time, for whoever has it then. Whether it was still this lease's.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn put_off(&self, work: &Work, until_us: i64) -> Result<bool, Error> {
        let statement = "UPDATE outbox SET not_before_us = $4, leased_by = NULL, \
            leased_until_us = NULL \
            WHERE id = $1 AND leased_by = $2 AND attempts = $3 AND ended_us IS NULL";
        let values =
            [work.id.into(), self.instance().into(), work.attempts.into(), until_us.into()];
        let mut transaction = self.database.begin(Scope::Company(&work.company)).await?;
        let rows = transaction.run(statement, &values).await?;
        transaction.commit().await?;
        Ok(rows > 0)
    }

    /// Gives back what this process has leased and will not do any more, so that nobody waits for the
    /// leases to run out.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn give_back_work(&self) -> Result<u64, Error> {
        let statement = "UPDATE outbox SET leased_by = NULL, leased_until_us = NULL \
            WHERE leased_by = $1 AND ended_us IS NULL";
        let mut transaction = self.database.begin(Scope::Every).await?;
        let rows = transaction.run(statement, &[self.instance().into()]).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// A call in a few sentences, or why there are none, within a scope. Nothing where nobody asked for
    /// it, and as long as it is to be made.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn summary_text_of(
        &self,
        scope: Scope<'_>,
        sid: &str,
    ) -> Result<Option<SummaryText>, Error> {
        let statement = "SELECT text, without FROM summary_text \
            WHERE call_sid = $1 AND $2 IN (company, '*')";
        let values = [sid.into(), scope.word().into()];
        let rows: Vec<(Option<String>, Option<String>)> =
            self.database.read(scope, statement, &values).await?;
        Ok(rows.into_iter().next().and_then(|row| match row {
            (Some(text), _) => Some(SummaryText::Text(text)),
            (None, why) => why.map(SummaryText::Without),
        }))
    }
}

/// Queues the summary of a call whose journal was just kept, if its company wants one.
pub(super) async fn queue_summary(
    transaction: &mut Transaction,
    brief: &Brief,
) -> Result<(), Error> {
    if !brief.summaries {
        return Ok(());
    }
    let statement = "INSERT INTO outbox (company, call_sid, kind, key, not_before_us) \
        VALUES ($1, $2, 'summary', $2, $3) ON CONFLICT (kind, key) DO NOTHING";
    let values = [(&brief.company).into(), (&brief.call).into(), now_us().into()];
    transaction.run(statement, &values).await?;
    Ok(())
}
