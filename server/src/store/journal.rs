//! The steps of a call, and what they amount to.

use call_core::brief::Brief;
use call_core::step::Step;
use call_core::summary::Summary;
use call_core::{story, summary};

use sqlx::AssertSqlSafe;

use super::database::{Scope, Transaction, Value};
use super::{Error, Store, whole};

/// A journal as it lies in the database, byte by byte: any version of ours can hand it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJournal {
    /// The version of the shapes that its steps are written in.
    pub version: u32,
    /// The steps, each as JSON.
    pub steps: Vec<String>,
}

/// What a call amounts to, as it was kept with the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSummary {
    /// The summary.
    pub summary: Summary,
    /// How large the journal is, in bytes of its steps' JSON.
    pub bytes: i64,
}

impl Store {
    /// The journal of a call, empty when there is none.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn journal(&self, sid: &str) -> Result<Vec<Step>, Error> {
        self.journal_of(Scope::Every, sid).await
    }

    /// The journal of a call within a scope, empty when there is none.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Garbled`], also for a journal of another version.
    pub async fn journal_of(&self, scope: Scope<'_>, sid: &str) -> Result<Vec<Step>, Error> {
        let lines = self.lines_of(scope, sid).await?;
        let read = |(text, _): &(String, i64)| {
            serde_json::from_str(text).map_err(|source| Error::garbled("journal", source))
        };
        lines.iter().map(read).collect()
    }

    /// The journal of a call within a scope as it was written; nothing when there is none.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn stored_journal_of(
        &self,
        scope: Scope<'_>,
        sid: &str,
    ) -> Result<Option<StoredJournal>, Error> {
        let lines = self.lines_of(scope, sid).await?;
        let Some((_, version)) = lines.first() else { return Ok(None) };
        let version = u32::try_from(*version)
            .map_err(|_| Error::Garbled { what: "journal's version", source: None })?;
        Ok(Some(StoredJournal {
            version,
            steps: lines.into_iter().map(|(step, _)| step).collect(),
        }))
    }

    /// The story of a call within a scope, as a reviewer reads it; nothing when there is no journal.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn story_of(&self, scope: Scope<'_>, sid: &str) -> Result<Option<String>, Error> {
        let steps = self.journal_of(scope, sid).await?;
        Ok((!steps.is_empty()).then(|| story::story(&steps)))
    }

    /// What a call amounts to, within a scope; nothing when there is no journal.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn summary_of(
        &self,
        scope: Scope<'_>,
        sid: &str,
    ) -> Result<Option<StoredSummary>, Error> {
        let statement = "SELECT summary, bytes FROM summary \
            WHERE call_sid = $1 AND $2 IN (company, '*')";
        let values = [sid.into(), scope.word().into()];
        let rows: Vec<(String, i64)> = self.database.read(scope, statement, &values).await?;
        let read = |(text, bytes): (String, i64)| {
            let summary = serde_json::from_str(&text);
            let summary = summary.map_err(|source| Error::garbled("summary", source))?;
            Ok(StoredSummary { summary, bytes })
        };
        rows.into_iter().next().map(read).transpose()
    }

    async fn lines_of(&self, scope: Scope<'_>, sid: &str) -> Result<Vec<(String, i64)>, Error> {
        let statement = "SELECT l.step, c.journal_version FROM conversation_log l \
            JOIN call c ON c.sid = l.call_sid \
            WHERE l.call_sid = $1 AND $2 IN (l.company, '*') ORDER BY l.seq";
        Ok(self.database.read(scope, statement, &[sid.into(), scope.word().into()]).await?)
    }
}

/// Whether a call has a journal.
pub(super) async fn is_kept(transaction: &mut Transaction, sid: &str) -> Result<bool, Error> {
    let statement = "SELECT seq FROM conversation_log WHERE call_sid = $1 LIMIT 1";
    let rows: Vec<(i64,)> = transaction.rows(statement, &[sid.into()]).await?;
    Ok(!rows.is_empty())
}

/// Keeps the journal of a call under the epoch of whoever had the call, and what is made of it.
pub(super) async fn keep(
    transaction: &mut Transaction,
    brief: &Brief,
    epoch: i64,
    steps: &[Step],
) -> Result<(), Error> {
    let bytes = insert_steps(transaction, brief, epoch, steps).await?;
    if steps.is_empty() {
        return Ok(());
    }
    let sum = summary::summary(steps);
    let text = serde_json::to_string(&sum).map_err(|source| Error::garbled("summary", source))?;
    let said = summary::said(steps);
    let statement = "INSERT INTO summary \
        (call_sid, company, epoch, outcome, steps, bytes, summary, said) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        (&brief.call).into(),
        (&brief.company).into(),
        epoch.into(),
        sum.outcome.word().into(),
        sum.steps.into(),
        whole(bytes as u64).into(),
        (&text).into(),
        (&said).into(),
    ];
    transaction.run(statement, &values).await?;
    Ok(())
}

/// Inserts the steps, many with one statement: each statement is a way to the database and back. Returns
/// how many bytes they have.
async fn insert_steps(
    transaction: &mut Transaction,
    brief: &Brief,
    epoch: i64,
    steps: &[Step],
) -> Result<usize, Error> {
    let text = |step| serde_json::to_string(step);
    let texts = steps.iter().map(text).collect::<Result<Vec<_>, _>>();
    let texts = texts.map_err(|source| Error::garbled("journal", source))?;
    let (mut from, count) = (0, steps.len());
    while from < count {
        // Few sizes, so that the statements are prepared once.
        let many = [64, 8, 1].into_iter().find(|size| from + size <= count).unwrap_or(1);
        let mut values: Vec<Value<'_>> =
            vec![(&brief.call).into(), (&brief.company).into(), epoch.into()];
        let mut statement = INSERT_STEPS.to_owned();
        for seq in from..from + many {
            let place = values.len();
            let comma = if seq == from { "" } else { ", " };
            let [seq_at, time_at, text_at] = [place + 1, place + 2, place + 3];
            statement += &format!("{comma}($1, $2, $3, ${seq_at}, ${time_at}, ${text_at})");
            values.push(whole(seq as u64).into());
            values.push(whole(steps[seq].at.as_millis()).into());
            values.push((&texts[seq]).into());
        }
        // Only places of values are put together here.
        transaction.run(AssertSqlSafe(statement), &values).await?;
        from += many;
    }
    Ok(texts.iter().map(String::len).sum())
}

const INSERT_STEPS: &str =
    "INSERT INTO conversation_log (call_sid, company, epoch, seq, at_ms, step) VALUES ";
