//! Work that must still be done about calls that are over, and what comes of it.
//!
//! It is queued in the transaction that closes a call's record, so there is no call that it was forgotten
//! for. Whoever does it leases it for a while: two servers never do one thing at once, and what a dead one
//! had leased is another's when the lease runs out. It may be done twice, and is written once.

use std::time::Duration;

use call_core::brief::Brief;
use serde_json::json;
use sqlx::{AssertSqlSafe, FromRow};

use super::database::{Scope, Transaction};
use super::notes::note;
use super::repeats::repeated;
use super::{Error, Store, whole};
use crate::audit::Entry;
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

/// How much work of one kind there is that is not done.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Backlog {
    /// Which kind: `summary`.
    pub kind: String,
    /// How much waits, or is being done.
    pub waiting: i64,
    /// When the oldest of it was queued, in microseconds since 1970-01-01 UTC.
    pub oldest_us: Option<i64>,
    /// How much was given up.
    pub given_up: i64,
}

/// Work that is not done, as those see it who look after it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Undone {
    /// Its number.
    pub id: i64,
    /// Which kind: `summary`.
    pub kind: String,
    /// The company's short name.
    pub company: String,
    /// The call that it is about, where it is about one.
    pub call_sid: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was queued, in microseconds since 1970-01-01 UTC.
    pub queued_us: i64,
    /// When it is tried next, where it is not given up.
    pub not_before_us: i64,
    /// When it was given up.
    pub ended_us: Option<i64>,
    /// Why, in a word.
    pub failed: Option<String>,
}

/// How work stands that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was given up.
    GivenUp,
    /// It waits for its time, or somebody is at it.
    Waiting,
}

/// Which work is taken up again.
#[derive(Debug, Clone, Copy)]
pub enum Again<'a> {
    /// That of this number.
    One(i64),
    /// All that was given up, within a scope.
    All(Scope<'a>),
}

/// How work comes to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is done, and this came of it.
    Done(SummaryText),
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

    /// Keeps what came of summing up a call, and that the work is over, both or neither. Of work that is
    /// given up nothing else is kept: it may be taken up again. Whether it was still this lease's to end:
    /// if not, nothing was written.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn end_summary(&self, work: &Work, end: &End, now_us: i64) -> Result<bool, Error> {
        repeated(|| self.end_summary_once(work, end, now_us)).await
    }

    async fn end_summary_once(&self, work: &Work, end: &End, now_us: i64) -> Result<bool, Error> {
        let (made, failed) = match end {
            End::Done(text) => (Some(text), None),
            End::Failed(why) => (None, Some(*why)),
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
        if let Some(text) = made {
            let statement = "INSERT INTO summary_text (call_sid, company, text, without, made_us) \
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (call_sid) DO NOTHING";
            let values = [
                (&work.key).into(),
                (&work.company).into(),
                text.text().into(),
                text.why_without().into(),
                now_us.into(),
            ];
            transaction.run(statement, &values).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Lets work wait until a time, for whoever has it then. Whether it was still this lease's.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn put_off(&self, work: &Work, until_us: i64) -> Result<bool, Error> {
        self.let_wait(work, until_us, work.attempts).await
    }

    /// Likewise, where nothing was tried: this lease does not count as an attempt.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn hand_back(&self, work: &Work, until_us: i64) -> Result<bool, Error> {
        self.let_wait(work, until_us, work.attempts - 1).await
    }

    async fn let_wait(&self, work: &Work, until_us: i64, attempts: i64) -> Result<bool, Error> {
        let statement = "UPDATE outbox SET not_before_us = $4, attempts = $5, leased_by = NULL, \
            leased_until_us = NULL \
            WHERE id = $1 AND leased_by = $2 AND attempts = $3 AND ended_us IS NULL";
        let values = [
            work.id.into(),
            self.instance().into(),
            work.attempts.into(),
            until_us.into(),
            attempts.into(),
        ];
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
        // One of both: what is given up has left no text.
        let statement = "SELECT text, without FROM summary_text \
            WHERE call_sid = $1 AND $2 IN (company, '*') \
            UNION ALL SELECT NULL, 'failed' FROM outbox WHERE kind = 'summary' \
            AND call_sid = $1 AND $2 IN (company, '*') AND failed IS NOT NULL";
        let values = [sid.into(), scope.word().into()];
        let rows: Vec<(Option<String>, Option<String>)> =
            self.database.read(scope, statement, &values).await?;
        Ok(rows.into_iter().next().and_then(|row| match row {
            (Some(text), _) => Some(SummaryText::Text(text)),
            (None, why) => why.map(SummaryText::Without),
        }))
    }

    /// How much is not done, of each kind of which there is any.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn backlogs(&self) -> Result<Vec<Backlog>, Error> {
        let statement = "SELECT kind, count(*) FILTER (WHERE ended_us IS NULL) AS waiting, \
            min(queued_us) FILTER (WHERE ended_us IS NULL) AS oldest_us, \
            count(*) FILTER (WHERE failed IS NOT NULL) AS given_up \
            FROM outbox WHERE ended_us IS NULL OR failed IS NOT NULL GROUP BY kind ORDER BY kind";
        Ok(self.database.read(Scope::Every, statement, &[]).await?)
    }

    /// What was given up within a scope, or what waits, the oldest first, and no more of it than asked
    /// for.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn undone(
        &self,
        scope: Scope<'_>,
        standing: Standing,
        count: usize,
    ) -> Result<Vec<Undone>, Error> {
        let which = match standing {
            Standing::GivenUp => "failed IS NOT NULL",
            Standing::Waiting => "ended_us IS NULL",
        };
        // What is put together here are words of ours.
        let statement = format!(
            "SELECT id, kind, company, call_sid, attempts, queued_us, not_before_us, ended_us, failed \
             FROM outbox WHERE {which} AND $1 IN (company, '*') ORDER BY queued_us, id LIMIT $2"
        );
        let values = [scope.word().into(), whole(count as u64).into()];
        Ok(self.database.read(scope, AssertSqlSafe(statement), &values).await?)
    }

    /// Takes work up again that was given up, as if it had just been queued, and puts on record who did.
    /// How much.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn take_up_again(
        &self,
        which: Again<'_>,
        by: &str,
        now_us: i64,
    ) -> Result<u64, Error> {
        let (scope, condition, value) = match which {
            Again::One(id) => (Scope::Every, "id = $2", id.into()),
            Again::All(scope) => (scope, "$2 IN (company, '*')", scope.word().into()),
        };
        // What is put together here are words of ours.
        let statement = format!(
            "UPDATE outbox SET ended_us = NULL, failed = NULL, attempts = 0, queued_us = $1, \
             not_before_us = $1 WHERE failed IS NOT NULL AND {condition}"
        );
        let mut transaction = self.database.begin(scope).await?;
        let rows = transaction.run(AssertSqlSafe(statement), &[now_us.into(), value]).await?;
        if rows > 0 {
            let more = match which {
                Again::One(id) => json!({ "work": id }),
                Again::All(_) => json!({ "how_many": rows }),
            };
            let entry = Entry::of_operator(by, "outbox_retry", scope.word(), &more);
            note(&mut transaction, &entry).await?;
        }
        transaction.commit().await?;
        Ok(rows)
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
    let statement = "INSERT INTO outbox (company, call_sid, kind, key, queued_us, not_before_us) \
        VALUES ($1, $2, 'summary', $2, $3, $3) ON CONFLICT (kind, key) DO NOTHING";
    let values = [(&brief.company).into(), (&brief.call).into(), now_us().into()];
    transaction.run(statement, &values).await?;
    Ok(())
}
