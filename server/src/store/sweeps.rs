//! What is deleted because its time is over.
//!
//! Each statement that deletes says itself that the call is over for long enough and that nobody holds
//! it; triggers refuse it besides. Deleting goes by calls, the oldest first, a few in one transaction,
//! so that nobody who writes a record waits long.

use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, FromRow};

use super::database::{Scope, Transaction};
use super::{Error, Store};
use crate::audit::{Entry, Kind};

/// What of a call is deleted, each after its own time, in the order of [`ALL`](Self::ALL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What is known of a recording. Its sound is listed to be deleted at the carrier.
    Recording,
    /// The caller's sealed number.
    Caller,
    /// The journal, and what was made from it.
    Journal,
    /// The record, once it has no recording; what is left of the rest goes with it.
    Call,
}

impl Class {
    /// All of them. The record is the last: it tells how old the others are.
    pub const ALL: [Self; 4] = [Self::Recording, Self::Caller, Self::Journal, Self::Call];

    /// Its name in records and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Caller => "caller",
            Self::Journal => "journal",
            Self::Call => "call",
        }
    }

    /// Whether a call, `c`, has anything of it.
    const fn has_some(self) -> &'static str {
        match self {
            Self::Recording => "EXISTS (SELECT 1 FROM recording r WHERE r.call_sid = c.sid)",
            Self::Caller => "EXISTS (SELECT 1 FROM caller n WHERE n.call_sid = c.sid)",
            Self::Journal => {
                "(EXISTS (SELECT 1 FROM conversation_log l WHERE l.call_sid = c.sid) \
                 OR EXISTS (SELECT 1 FROM summary s WHERE s.call_sid = c.sid) \
                 OR EXISTS (SELECT 1 FROM summary_text t WHERE t.call_sid = c.sid))"
            }
            Self::Call => "NOT EXISTS (SELECT 1 FROM recording r WHERE r.call_sid = c.sid)",
        }
    }
}

/// What is to be deleted.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// The company's short name.
    pub company: &'a str,
    /// What of its calls.
    pub class: Class,
    /// Of those that ended before this time, in microseconds since 1970-01-01 UTC.
    pub until_us: i64,
    /// Who deletes it, for the record.
    pub by: &'a str,
}

/// What came of one step of deleting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// Of how many calls something was deleted.
    pub how_many: u64,
    /// Where to go on: calls that began at this time or later. Nothing at the end.
    pub next_us: Option<i64>,
}

/// How much is due, and how much of it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Counted {
    /// Calls of which something would be deleted.
    pub due: i64,
    /// Calls of which something would be, were they not held.
    pub held: i64,
}

/// A line of what was deleted when.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Deletion {
    /// The company's short name.
    pub company: String,
    /// What: a [`Class`], or `media` at the carrier.
    pub class: String,
    /// Of how many calls, or how much sound.
    pub how_many: i64,
    /// Of calls that ended before this time, in microseconds since 1970-01-01 UTC.
    pub until_us: i64,
    /// When.
    pub at_us: i64,
}

impl Store {
    /// The companies that have calls on record, by their short names.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn companies_with_calls(&self) -> Result<Vec<String>, Error> {
        // From one company to the next by the index, because counting through all calls would take long.
        let statement = "WITH RECURSIVE next (company) AS (SELECT min(company) FROM call \
            UNION ALL SELECT (SELECT min(call.company) FROM call WHERE call.company > next.company) \
            FROM next WHERE next.company IS NOT NULL) \
            SELECT company FROM next WHERE company IS NOT NULL";
        let rows: Vec<(String,)> = self.database.read(Scope::Every, statement, &[]).await?;
        Ok(rows.into_iter().map(|(company,)| company).collect())
    }

    /// Takes it on to delete what is due of a company, or goes on with it, until `until_us`. Whether
    /// that is so: nobody else has it, and it was not finished since `before_us`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn lease_sweep(
        &self,
        company: &str,
        holder: &str,
        (now_us, until_us): (i64, i64),
        before_us: i64,
    ) -> Result<bool, Error> {
        let statement = "INSERT INTO sweep (company, holder, until_us) VALUES ($1, $2, $4) \
            ON CONFLICT (company) DO UPDATE SET holder = excluded.holder, \
            until_us = excluded.until_us \
            WHERE (sweep.holder = excluded.holder OR sweep.until_us < $3) \
            AND (sweep.done_us IS NULL OR sweep.done_us < $5)";
        let values =
            [company.into(), holder.into(), now_us.into(), until_us.into(), before_us.into()];
        self.change(company, statement, &values).await.map(|rows| rows == 1)
    }

    /// Gives it back. `done_us` is when all that was due was gone; nothing where some was left.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn leave_sweep(
        &self,
        company: &str,
        holder: &str,
        done_us: Option<i64>,
    ) -> Result<(), Error> {
        let statement = "UPDATE sweep SET until_us = 0, done_us = COALESCE($3, done_us) \
            WHERE company = $1 AND holder = $2";
        let values = [company.into(), holder.into(), done_us.into()];
        self.change(company, statement, &values).await.map(drop)
    }

    /// How much is due.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn count_due(&self, due: &Due<'_>) -> Result<Counted, Error> {
        let statement = format!(
            "SELECT CAST(COALESCE(sum(CASE WHEN {HELD} THEN 0 ELSE 1 END), 0) AS BIGINT) AS due, \
             CAST(COALESCE(sum(CASE WHEN {HELD} THEN 1 ELSE 0 END), 0) AS BIGINT) AS held \
             FROM call c WHERE {OVER} AND {}",
            // A recording goes before its call does.
            if due.class == Class::Call { "1 = 1" } else { due.class.has_some() }
        );
        let values = [due.company.into(), due.until_us.into()];
        let scope = Scope::Company(due.company);
        // What is put together here are words of this file.
        let rows: Vec<Counted> =
            self.database.read(scope, AssertSqlSafe(statement), &values).await?;
        let mut counted = rows.into_iter().next().unwrap_or(Counted { due: 0, held: 0 });
        if due.class == Class::Recording {
            let lost = format!(
                "SELECT CAST(COALESCE(sum(CASE WHEN {LOST_IS_HELD} THEN 0 ELSE 1 END), 0) AS BIGINT) \
                 AS due, CAST(COALESCE(sum(CASE WHEN {LOST_IS_HELD} THEN 1 ELSE 0 END), 0) AS BIGINT) \
                 AS held FROM recording r WHERE r.company = $2 AND {LOST}"
            );
            let values = [due.until_us.into(), due.company.into()];
            let rows: Vec<Counted> =
                self.database.read(scope, AssertSqlSafe(lost), &values).await?;
            for lost in rows {
                counted.due += lost.due;
                counted.held += lost.held;
            }
        }
        Ok(counted)
    }

    /// Deletes what is due of a few calls, from those on that began at `from_us`, and notes how much.
    ///
    /// # Errors
    /// [`Error::Query`], also where a call was held in the same moment: then nothing was deleted.
    pub async fn delete_due(
        &self,
        due: &Due<'_>,
        from_us: i64,
        at_us: i64,
    ) -> Result<Deleted, Error> {
        let statement = format!(
            "SELECT sid, started_us FROM call c WHERE {OVER} AND c.started_us >= $3 AND NOT {HELD} \
             AND {} ORDER BY c.started_us, c.sid LIMIT {CALLS_AT_ONCE}",
            due.class.has_some()
        );
        let mut transaction = self.database.begin(Scope::Company(due.company)).await?;
        let values = [due.company.into(), due.until_us.into(), from_us.into()];
        let calls: Vec<(String, i64)> = transaction.rows(AssertSqlSafe(statement), &values).await?;
        let mut how_many = 0;
        for (sid, _) in &calls {
            how_many += u64::from(delete(&mut transaction, due, sid, at_us).await?);
        }
        note(&mut transaction, due, how_many, at_us).await?;
        transaction.commit().await?;
        let is_more = calls.len() == CALLS_AT_ONCE && how_many > 0;
        let next_us = calls.last().filter(|_| is_more).map(|(_, started_us)| *started_us);
        Ok(Deleted { how_many, next_us })
    }

    /// The companies of recordings that the carrier told of before `until_us`, and whose calls have no
    /// record, by their short names.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn companies_with_lost_recordings(
        &self,
        until_us: i64,
    ) -> Result<Vec<String>, Error> {
        let statement = format!("SELECT DISTINCT r.company FROM recording r WHERE {LOST}");
        // What is put together here are words of this file.
        let statement = AssertSqlSafe(statement);
        let rows: Vec<(String,)> =
            self.database.read(Scope::Every, statement, &[until_us.into()]).await?;
        Ok(rows.into_iter().map(|(company,)| company).collect())
    }

    /// Deletes a few recordings whose calls have no record, and lists their sound to be deleted. Their
    /// age counts from when the carrier told of them last: [`Due::until_us`] is about that. How many.
    ///
    /// # Errors
    /// [`Error::Query`], also where one was held in the same moment: then nothing was deleted.
    pub async fn delete_lost_recordings(&self, due: &Due<'_>, at_us: i64) -> Result<u64, Error> {
        let statement = format!(
            "SELECT r.sid FROM recording r WHERE r.company = $2 AND {LOST} AND NOT {LOST_IS_HELD} \
             ORDER BY r.known_us LIMIT {CALLS_AT_ONCE}"
        );
        let list = "INSERT INTO media_deletion (recording_sid, call_sid, company, since_us) \
            SELECT sid, call_sid, company, $2 FROM recording WHERE sid = $1 AND status <> 'absent' \
            ON CONFLICT DO NOTHING";
        let delete = "DELETE FROM recording WHERE sid = $1";
        let mut transaction = self.database.begin(Scope::Company(due.company)).await?;
        let values = [due.until_us.into(), due.company.into()];
        let lost: Vec<(String,)> = transaction.rows(AssertSqlSafe(statement), &values).await?;
        let mut how_many = 0;
        for (sid,) in &lost {
            transaction.run(list, &[sid.into(), at_us.into()]).await?;
            how_many += transaction.run(delete, &[sid.into()]).await?;
        }
        note(&mut transaction, due, how_many, at_us).await?;
        transaction.commit().await?;
        Ok(how_many)
    }

    /// What was deleted when, of a company or of all, the newest first, a thousand lines at most.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn deletions(&self, company: Option<&str>) -> Result<Vec<Deletion>, Error> {
        let statement = "SELECT * FROM deletion WHERE $1 IN (company, '*') \
            ORDER BY id DESC LIMIT 1000";
        let scope = company.map_or(Scope::Every, Scope::Company);
        Ok(self.database.read(scope, statement, &[scope.word().into()]).await?)
    }

    async fn change(
        &self,
        company: &str,
        statement: &'static str,
        values: &[super::database::Value<'_>],
    ) -> Result<u64, Error> {
        let mut transaction = self.database.begin(Scope::Company(company)).await?;
        let rows = transaction.run(statement, values).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

/// Deletes what is due of one call. Whether there was anything.
async fn delete(
    transaction: &mut Transaction,
    due: &Due<'_>,
    sid: &str,
    at_us: i64,
) -> Result<bool, Error> {
    let values = [due.company.into(), due.until_us.into(), sid.into()];
    if due.class == Class::Recording {
        // Where nothing was recorded, there is nothing at the carrier. That there was something is known
        // as long as the call is.
        for list in [
            "media_deletion (recording_sid, call_sid, company, since_us)",
            "recording_deleted (recording_sid, call_sid, company, at_us)",
        ] {
            let list = format!(
                "INSERT INTO {list} SELECT sid, call_sid, company, $4 FROM recording \
                 WHERE call_sid = $3 AND company = $1 AND status <> 'absent' AND {DUE} \
                 ON CONFLICT DO NOTHING"
            );
            let values = [due.company.into(), due.until_us.into(), sid.into(), at_us.into()];
            transaction.run(AssertSqlSafe(list), &values).await?;
        }
    }
    let tables: &[(&str, &str)] = match due.class {
        Class::Recording => &[("recording", "call_sid")],
        Class::Caller => &[("caller", "call_sid")],
        Class::Journal => &[
            ("conversation_log", "call_sid"),
            ("summary", "call_sid"),
            ("summary_text", "call_sid"),
        ],
        Class::Call => &[("call", "sid")],
    };
    let mut rows = 0;
    for (table, key) in tables {
        let statement = format!("DELETE FROM {table} WHERE {key} = $3 AND company = $1 AND {DUE}");
        rows += transaction.run(AssertSqlSafe(statement), &values).await?;
    }
    Ok(rows > 0)
}

async fn note(
    transaction: &mut Transaction,
    due: &Due<'_>,
    how_many: u64,
    at_us: i64,
) -> Result<(), Error> {
    let Due { company, class, until_us, by } = *due;
    note_deletion(transaction, (company, by), class.word(), how_many, (until_us, at_us)).await
}

/// Notes how much was deleted, for the list of deletions and for the audit log.
pub(super) async fn note_deletion(
    transaction: &mut Transaction,
    (company, by): (&str, &str),
    class: &str,
    how_many: u64,
    (until_us, at_us): (i64, i64),
) -> Result<(), Error> {
    if how_many == 0 {
        return Ok(());
    }
    let until = Timestamp::from_microsecond(until_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let body =
        json!({ "by": by, "class": class, "how_many": how_many, "until": until.to_string() });
    super::notes::note(transaction, &Entry::new(Kind::Deleted, company, body).at(at_us)).await?;
    let statement = "INSERT INTO deletion (company, class, how_many, until_us, at_us) \
        VALUES ($1, $2, $3, $4, $5)";
    let how_many = super::whole(how_many);
    let values = [company.into(), class.into(), how_many.into(), until_us.into(), at_us.into()];
    transaction.run(statement, &values).await?;
    Ok(())
}

/// That a call, `c`, is one of company `$1` and ended before `$2`. What ended before began before, which
/// the index knows.
const OVER: &str =
    "c.company = $1 AND c.started_us < $2 AND c.status = 'ended' AND c.ended_us < $2";

/// That somebody holds a call, `c`.
const HELD: &str = "EXISTS (SELECT 1 FROM legal_hold h WHERE h.company = c.company \
    AND h.released_us IS NULL AND (h.call_sid IS NULL OR h.call_sid = c.sid))";

/// That the call `$3` is over for long enough, and not held.
const DUE: &str = "EXISTS (SELECT 1 FROM call c WHERE c.sid = $3 AND c.company = $1 \
    AND c.status = 'ended' AND c.ended_us < $2 AND NOT EXISTS (SELECT 1 FROM legal_hold h \
    WHERE h.company = $1 AND h.released_us IS NULL AND (h.call_sid IS NULL OR h.call_sid = $3)))";

/// That the carrier told of a recording, `r`, before `$1` last, and that its call has no record.
const LOST: &str = "r.known_us < $1 \
    AND NOT EXISTS (SELECT 1 FROM call c WHERE c.sid = r.call_sid)";

/// That somebody holds the call of a recording, `r`.
const LOST_IS_HELD: &str = "EXISTS (SELECT 1 FROM legal_hold h WHERE h.company = r.company \
    AND h.released_us IS NULL AND (h.call_sid IS NULL OR h.call_sid = r.call_sid))";

/// How many calls one transaction deletes something of.
const CALLS_AT_ONCE: usize = 20;
