//! The store: a record of every call, and its journal.
//!
//! Nothing that a caller could hear waits for the store. The record is opened beside the call, and
//! closed with its journal, in one transaction, after the call.
//!
//! A call ends once. The record of an ended call does not change, whoever asks, and the database
//! itself refuses it too.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use call_core::brief::{Brief, Direction};
use call_core::step::{Cause, Fact, JOURNAL_VERSION, Step};
use call_core::{CallTime, Language};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Row as _, Sqlite, SqlitePool, Transaction};

pub use recordings::Recording;
pub use writes::Writes;

mod recordings;
mod writes;

/// The reason in the record of a call that we lost by a fault of our own.
pub const INTERNAL: &str = "internal";

/// The reason in the record of a call that nobody here saw the end of, and that is over by the
/// carrier's word.
pub const ORPHANED: &str = "orphaned";

/// The same, where the carrier does not know the call or does not answer.
pub const UNCONFIRMED: &str = "unconfirmed";

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    writes: Arc<Writes>,
}

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one of a database that we know.
    #[error("DATABASE_URL must begin with sqlite: and name a file, as in sqlite://offhook.db")]
    Scheme,
    /// The database cannot be opened.
    #[error(
        "the database that DATABASE_URL names cannot be opened; its folder must exist, and the \
         file must be writable"
    )]
    Unusable(#[source] sqlx::Error),
    /// The tables cannot be brought up to date.
    #[error("the database that DATABASE_URL names does not fit this version of the server")]
    Tables(#[source] MigrateError),
    /// The database failed to answer.
    #[error("the database does not answer as it should")]
    Query(#[from] sqlx::Error),
    /// A row holds what no version of ours has written, or a step cannot be written.
    #[error("the {what} of a call cannot be read or written")]
    Garbled {
        /// Which part.
        what: &'static str,
        /// What is wrong with it, where that is known.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The steps of a call do not begin with its brief, so nobody can tell whose they are.
    #[error("the journal does not begin with the call's brief")]
    Headless,
}

/// The record of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The carrier's name of the call.
    pub sid: String,
    /// The company's short name.
    pub company: String,
    /// Version of the company's configuration.
    pub config_version: u32,
    /// Hash of the prompt in use.
    pub prompt_hash: String,
    /// The language the call began in.
    pub language: Language,
    /// Who placed the call.
    pub direction: Direction,
    /// The other party's number, masked.
    pub from_masked: String,
    /// The number that was dialled, masked.
    pub to_masked: String,
    /// When the call was answered, in microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    /// How it ended; nothing while it lasts.
    pub ended: Option<Ended>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
    /// How long the call was, in milliseconds.
    pub duration_ms: i64,
    /// Why, in a word: `caller_hangup`.
    pub reason: String,
}

/// Whether a record was closed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It was, and the journal was kept.
    Now,
    /// It had been closed before; nothing was changed.
    Before,
}

impl Store {
    /// Opens the database at an address such as `sqlite://offhook.db`, makes it if it is missing,
    /// and brings its tables up to date. `sqlite::memory:` is a database that nobody keeps.
    ///
    /// # Errors
    /// [`Error::Scheme`], [`Error::Unusable`] or [`Error::Tables`].
    pub async fn open(url: &str) -> Result<Self, Error> {
        if !url.starts_with("sqlite:") {
            return Err(Error::Scheme);
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| Error::Scheme)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(PATIENCE)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE);
        // Every connection to a database in memory would be a database of its own.
        let pool = if is_in_memory(url) {
            pool.max_connections(1).idle_timeout(None).max_lifetime(None)
        } else {
            pool.max_connections(CONNECTIONS_MAX)
        };
        let pool = pool.connect_with(options).await.map_err(Error::Unusable)?;
        TABLES.run(&pool).await.map_err(Error::Tables)?;
        Ok(Self { pool, writes: Arc::default() })
    }

    /// Opens the record of a call. A call that has one keeps it as it is.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn begin_call(&self, brief: &Brief) -> Result<(), Error> {
        self.writes.opened.outcome(self.open_record(brief).await)
    }

    async fn open_record(&self, brief: &Brief) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert_call(&mut transaction, brief).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the record of a call and keeps its journal, both or neither. The first step must be
    /// the one that the call began with; a record that is missing is made from it.
    ///
    /// # Errors
    /// [`Error::Headless`], [`Error::Garbled`] or [`Error::Query`].
    pub async fn end_call(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_record(sid, steps).await)
    }

    async fn close_record(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        let brief = match steps.first().map(|step| &step.cause) {
            Some(Cause::Started(brief)) if brief.call == sid => brief,
            _ => return Err(Error::Headless),
        };
        let (at, reason) = end_of(steps);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert_call(&mut transaction, brief).await?;
        if close(&mut transaction, sid, at, reason).await? == Closing::Before {
            return Ok(Closing::Before);
        }
        for (seq, step) in steps.iter().enumerate() {
            insert_step(&mut transaction, sid, seq, step).await?;
        }
        transaction.commit().await?;
        Ok(Closing::Now)
    }

    /// Closes the record of a call that we lost by a fault of our own, `at` into the call. There is
    /// no journal then.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn fail_call(&self, brief: &Brief, at: CallTime) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_lost(brief, at).await)
    }

    async fn close_lost(&self, brief: &Brief, at: CallTime) -> Result<Closing, Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert_call(&mut transaction, brief).await?;
        let closing = close(&mut transaction, &brief.call, at, INTERNAL).await?;
        transaction.commit().await?;
        Ok(closing)
    }

    /// Closes the record of a call that nobody has any more, after so long in whole seconds by the
    /// carrier's word; without that word its length stands as 0. There is no journal then.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn close_orphan(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_nobodys(sid, seconds).await)
    }

    async fn close_nobodys(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        let at = CallTime::from_millis(seconds.unwrap_or(0).saturating_mul(MILLIS_PER_SECOND));
        let reason = if seconds.is_some() { ORPHANED } else { UNCONFIRMED };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let closing = close(&mut transaction, sid, at, reason).await?;
        transaction.commit().await?;
        Ok(closing)
    }

    /// The record of a call.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn call(&self, sid: &str) -> Result<Option<CallRecord>, Error> {
        let row = sqlx::query("SELECT * FROM call WHERE sid = $1")
            .bind(sid)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The journal of a call, empty when there is none.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn journal(&self, sid: &str) -> Result<Vec<Step>, Error> {
        let rows =
            sqlx::query("SELECT step FROM conversation_log WHERE call_sid = $1 ORDER BY seq")
                .bind(sid)
                .fetch_all(&self.pool)
                .await?;
        let read = |row: &SqliteRow| {
            let text: &str = row.try_get("step")?;
            serde_json::from_str(text).map_err(|source| Error::garbled("journal", source))
        };
        rows.iter().map(read).collect()
    }

    /// The calls without an end, the oldest first: those that are going on, and those that a
    /// process took with it when it died.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn unended(&self) -> Result<Vec<CallRecord>, Error> {
        let rows = sqlx::query("SELECT * FROM call WHERE status = 'live' ORDER BY started_us")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(record).collect()
    }

    /// What was written so far.
    pub fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Writes a record and takes it back: whether a call could have one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn try_to_write(&self) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert_call(&mut transaction, &Brief::example()).await?;
        transaction.rollback().await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn is_well(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    /// Closes the database once everything that was asked is answered.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Error {
    fn garbled(what: &'static str, source: serde_json::Error) -> Self {
        Self::Garbled { what, source: Some(source) }
    }
}

/// When a call ended and why, as its steps tell it.
fn end_of(steps: &[Step]) -> (CallTime, &'static str) {
    let end = |step: &Step| {
        let reason = step.facts.iter().find_map(|fact| match fact {
            Fact::CallEnded { reason } => Some(reason.word()),
            _ => None,
        });
        reason.map(|reason| (step.at, reason))
    };
    let last = steps.last().map_or(CallTime::ZERO, |step| step.at);
    steps.iter().rev().find_map(end).unwrap_or((last, INTERNAL))
}

async fn insert_call(
    transaction: &mut Transaction<'_, Sqlite>,
    brief: &Brief,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO call (sid, company, config_version, prompt_hash, language, direction, \
         from_masked, to_masked, started_us, journal_version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (sid) DO NOTHING",
    )
    .bind(&brief.call)
    .bind(&brief.company)
    .bind(brief.config_version)
    .bind(&brief.prompt_hash)
    .bind(brief.language.tag())
    .bind(direction_word(brief.direction))
    .bind(&brief.from)
    .bind(&brief.to)
    .bind(whole(brief.utc_start_ms.saturating_mul(MICROS_PER_MILLI)))
    .bind(JOURNAL_VERSION)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn close(
    transaction: &mut Transaction<'_, Sqlite>,
    sid: &str,
    at: CallTime,
    reason: &str,
) -> Result<Closing, Error> {
    let duration_ms = whole(at.as_millis());
    let closed = sqlx::query(
        "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, duration_ms = $2, \
         end_reason = $3 WHERE sid = $1 AND status = 'live'",
    )
    .bind(sid)
    .bind(duration_ms)
    .bind(reason)
    .execute(&mut **transaction)
    .await?;
    Ok(if closed.rows_affected() == 1 { Closing::Now } else { Closing::Before })
}

async fn insert_step(
    transaction: &mut Transaction<'_, Sqlite>,
    sid: &str,
    seq: usize,
    step: &Step,
) -> Result<(), Error> {
    let text = serde_json::to_string(step).map_err(|source| Error::garbled("journal", source))?;
    sqlx::query(
        "INSERT INTO conversation_log (call_sid, seq, at_ms, step) VALUES ($1, $2, $3, $4)",
    )
    .bind(sid)
    .bind(whole(seq as u64))
    .bind(whole(step.at.as_millis()))
    .bind(text)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn record(row: &SqliteRow) -> Result<CallRecord, Error> {
    let at_us: Option<i64> = row.try_get("ended_us")?;
    let duration_ms: Option<i64> = row.try_get("duration_ms")?;
    let reason: Option<String> = row.try_get("end_reason")?;
    let ended = at_us.zip(duration_ms).zip(reason);
    let unknown = |what| Error::Garbled { what, source: None };
    let language = Language::from_tag(row.try_get("language")?);
    Ok(CallRecord {
        sid: row.try_get("sid")?,
        company: row.try_get("company")?,
        config_version: row.try_get("config_version")?,
        prompt_hash: row.try_get("prompt_hash")?,
        language: language.ok_or_else(|| unknown("language"))?,
        direction: match row.try_get("direction")? {
            "inbound" => Direction::Inbound,
            "outbound" => Direction::Outbound,
            _ => return Err(unknown("direction")),
        },
        from_masked: row.try_get("from_masked")?,
        to_masked: row.try_get("to_masked")?,
        started_us: row.try_get("started_us")?,
        ended: ended.map(|((at_us, duration_ms), reason)| Ended { at_us, duration_ms, reason }),
    })
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

/// A count as the database holds it. No call lasts long enough for the bound to matter.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

static TABLES: Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long to wait for a connection, or for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

const CONNECTIONS_MAX: u32 = 4;

const MICROS_PER_MILLI: u64 = 1_000;

const MILLIS_PER_SECOND: u64 = 1_000;
