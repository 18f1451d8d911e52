//! The steps of a call, and what they amount to.

use call_core::brief::Brief;
use call_core::step::Step;
use call_core::{story, summary};

use super::database::{Scope, Transaction};
use super::{Error, Store, whole};

/// A journal as it lies in the database, byte by byte: any version of ours can hand it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJournal {
    /// The version of the shapes that its steps are written in.
    pub version: u32,
    /// The steps, each as JSON.
    pub steps: Vec<String>,
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

/// Keeps the journal of a call, and what is made of it.
pub(super) async fn keep(
    transaction: &mut Transaction,
    brief: &Brief,
    steps: &[Step],
) -> Result<(), Error> {
    for (seq, step) in steps.iter().enumerate() {
        insert_step(transaction, brief, seq, step).await?;
    }
    if !steps.is_empty() {
        let statement = "INSERT INTO summary (call_sid, company, said) VALUES ($1, $2, $3)";
        let said = summary::said(steps);
        let values = [(&brief.call).into(), (&brief.company).into(), (&said).into()];
        transaction.run(statement, &values).await?;
    }
    Ok(())
}

async fn insert_step(
    transaction: &mut Transaction,
    brief: &Brief,
    seq: usize,
    step: &Step,
) -> Result<(), Error> {
    let text = serde_json::to_string(step).map_err(|source| Error::garbled("journal", source))?;
    let statement = "INSERT INTO conversation_log (call_sid, company, seq, at_ms, step) \
        VALUES ($1, $2, $3, $4, $5)";
    let values = [
        (&brief.call).into(),
        (&brief.company).into(),
        whole(seq as u64).into(),
        whole(step.at.as_millis()).into(),
        (&text).into(),
    ];
    transaction.run(statement, &values).await?;
    Ok(())
}
