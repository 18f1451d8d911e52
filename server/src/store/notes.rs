//! What was done to data that is kept, on its way into an audit log.
//!
//! It is noted in the transaction that does it, so nothing is done without a note. A server writes notes
//! into its log, and they go once they stand there for good. A server that dies between the two leaves
//! them to the next one: an entry may stand in a log twice, with the number of the same note.

use std::time::Duration;

use sqlx::{AssertSqlSafe, FromRow};

use super::database::{Scope, Transaction};
use super::{Error, Store, whole};
use crate::audit::{Entry, Kind};
use crate::times::whole_us;

/// An entry that waits for a log, leased by this process.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    id: i64,
    /// What is to be written, with the number of the note in its body.
    pub entry: Entry,
}

impl Store {
    /// Has something put on record that changes nothing in the database.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn note(&self, entry: &Entry) -> Result<(), Error> {
        let (_, company, ..) = entry.parts();
        let mut transaction = self.database.begin(Scope::Company(company)).await?;
        note(&mut transaction, entry).await?;
        Ok(transaction.commit().await?)
    }

    /// Leases notes that nobody else is at, the oldest first. Times are in microseconds since 1970-01-01
    /// UTC.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn take_notes(
        &self,
        count: usize,
        now_us: i64,
        lease: Duration,
    ) -> Result<Vec<Note>, Error> {
        // Asked often, and there is seldom any: nobody is to wait for a lock because of that.
        if self.notes_waiting().await? == 0 {
            return Ok(Vec::new());
        }
        let mut transaction = self.database.begin(Scope::Every).await?;
        // What is put together here are words of ours.
        let statement = format!(
            "WITH free AS (SELECT id FROM audit_note \
             WHERE taken_until_us IS NULL OR taken_until_us <= $1 ORDER BY id LIMIT $4{}) \
             UPDATE audit_note SET taken_by = $2, taken_until_us = $3 \
             WHERE id IN (SELECT id FROM free) RETURNING id, company, call_sid, kind, body, at_us",
            transaction.skip_locked()
        );
        let until_us = now_us.saturating_add(whole_us(lease));
        let values =
            [now_us.into(), self.instance().into(), until_us.into(), whole(count as u64).into()];
        let mut rows: Vec<Row> = transaction.rows(AssertSqlSafe(statement), &values).await?;
        transaction.commit().await?;
        rows.sort_by_key(|row| row.id);
        rows.into_iter().map(Row::note).collect()
    }

    /// Lets notes go that stand in a log for good. One that another process has taken meanwhile stays,
    /// and is written by that one, too.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn notes_told(&self, notes: &[Note]) -> Result<(), Error> {
        let statement = "DELETE FROM audit_note WHERE id = $1 AND taken_by = $2";
        let mut transaction = self.database.begin(Scope::Every).await?;
        for note in notes {
            transaction.run(statement, &[note.id.into(), self.instance().into()]).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// How many notes stand in no log yet.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn notes_waiting(&self) -> Result<u64, Error> {
        let statement = "SELECT count(*) FROM audit_note";
        let rows: Vec<(i64,)> = self.database.read(Scope::Every, statement, &[]).await?;
        Ok(rows.first().map_or(0, |(count,)| u64::try_from(*count).unwrap_or(0)))
    }
}

/// Has what a transaction does put on record, if it is committed.
pub(super) async fn note(transaction: &mut Transaction, entry: &Entry) -> Result<(), Error> {
    let statement = "INSERT INTO audit_note (company, call_sid, kind, body, at_us) \
        VALUES ($1, $2, $3, $4, $5)";
    let (at_us, company, call, kind, body) = entry.parts();
    let known = KINDS.into_iter().find(|(known, _)| *known == kind);
    let (_, kind) = known.ok_or(Error::Garbled { what: NOTE, source: None })?;
    let body = body.to_string();
    let values = [company.into(), call.into(), kind.into(), (&body).into(), at_us.into()];
    transaction.run(statement, &values).await?;
    Ok(())
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    id: i64,
    company: String,
    call_sid: Option<String>,
    kind: String,
    body: String,
    at_us: i64,
}

impl Row {
    fn note(self) -> Result<Note, Error> {
        let garbled = || Error::Garbled { what: NOTE, source: None };
        let Self { id, company, call_sid, kind, body, at_us } = self;
        let known = KINDS.into_iter().find(|(_, word)| *word == kind);
        let (kind, _) = known.ok_or_else(garbled)?;
        let mut body: serde_json::Value =
            serde_json::from_str(&body).map_err(|error| Error::garbled(NOTE, error))?;
        body.as_object_mut().ok_or_else(garbled)?.insert("note".to_owned(), id.into());
        let entry = Entry::new(kind, &company, body).at(at_us);
        let entry = match call_sid {
            Some(call) => entry.of_call(&call),
            None => entry,
        };
        Ok(Note { id, entry })
    }
}

const NOTE: &str = "audit note";

/// What is noted, as the table allows it.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Operator, "operator"),
    (Kind::Deleted, "deleted"),
    (Kind::RecordingHeard, "recording_heard"),
];
