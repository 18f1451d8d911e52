//! The store: a record of every call, and its journal.
//!
//! Nothing that a caller could hear waits for the store. The record is opened beside the call, and
//! closed with its journal, in one transaction, after the call.
//!
//! A call ends once. The record of an ended call does not change, whoever asks, and the database
//! itself refuses it too.

use std::sync::Arc;

use call_core::brief::{Brief, Direction};
use call_core::step::{Cause, Fact, JOURNAL_VERSION, Step};
use call_core::{CallTime, Language};
use sqlx::FromRow;
use sqlx::migrate::MigrateError;

use database::{Database, Scope, Transaction};
pub use recordings::Recording;
pub use writes::Writes;

mod database;
mod heads;
mod recordings;
mod tables;
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
    database: Database,
    writes: Arc<Writes>,
}

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one of a database that we know.
    #[error(
        "DATABASE_URL must be sqlite: and a file, as in sqlite://offhook.db, or \
         postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    Scheme,
    /// The database cannot be opened.
    #[error(
        "the database that DATABASE_URL names cannot be opened; for SQLite its folder must exist \
         and the file be writable, for PostgreSQL the server must be up and know user and password"
    )]
    Unusable(#[source] sqlx::Error),
    /// The tables cannot be brought up to date.
    #[error("the tables of the database cannot be brought to this version of the server")]
    Tables(#[source] MigrateError),
    /// The tables are not those of this version.
    #[error(
        "the tables in the database that DATABASE_URL names are not those of this version; run \
         `server migrate` of the newest version in use"
    )]
    Versions,
    /// The server's role in PostgreSQL may do what it must not be able to.
    #[error(
        "the role in DATABASE_URL {0}; give the server a role of its own and run `server migrate`"
    )]
    Role(Role),
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

/// What is wrong with the server's role: it could read every company's rows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Role {
    /// It is no subject of row-level security.
    #[error("is a superuser or has BYPASSRLS, so no company's rows are kept from another's")]
    AboveSecurity,
    /// It owns tables.
    #[error("owns the tables, so row-level security does not bind it")]
    Owner,
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

/// Whether this is the address of a database that we know, as far as can be seen without opening it.
pub fn is_address(url: &str) -> bool {
    database::Kind::of(url).is_some_and(|kind| kind.names_one(url))
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
    /// It had been closed before, and stays as it was.
    Before,
}

impl Store {
    /// Opens the database at an address. `sqlite://offhook.db` is a file, which is made if it is
    /// missing, and whose tables are brought up to date; `sqlite::memory:` a database that nobody
    /// keeps. `postgres://…` must have its tables already, see [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// [`Error::Scheme`], [`Error::Unusable`], [`Error::Tables`], [`Error::Versions`] or
    /// [`Error::Role`].
    pub async fn open(url: &str) -> Result<Self, Error> {
        let database = Database::open(url).await?;
        match &database {
            Database::Sqlite(_) => database.migrate().await.map_err(Error::Tables)?,
            Database::Postgres(pool) => tables::check(pool).await?,
        }
        Ok(Self { database, writes: Arc::default() })
    }

    /// Brings the tables up to date. In PostgreSQL `owner_url` is the address of the role that owns
    /// them, and the user in `url`, which the server runs with, is granted what it needs.
    ///
    /// # Errors
    /// [`Error::Scheme`], [`Error::Unusable`], [`Error::Tables`] or [`Error::Query`].
    pub async fn migrate(url: &str, owner_url: Option<&str>) -> Result<(), Error> {
        let owner = Database::open(owner_url.unwrap_or(url)).await?;
        let prepared = tables::prepare(&owner, url).await;
        owner.close().await;
        prepared
    }

    /// Opens the record of a call. A call that has one keeps it as it is.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn begin_call(&self, brief: &Brief) -> Result<(), Error> {
        self.writes.opened.outcome(self.open_record(brief).await)
    }

    async fn open_record(&self, brief: &Brief) -> Result<(), Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the record of a call and keeps its journal, both or neither. The first step must be
    /// the one that the call began with; a record that is missing is made from it. A record that was
    /// closed before stays as it is, and gets the journal if it has none.
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
        self.close_with(brief, end_of(steps), steps).await
    }

    /// Closes the record of a call that we lost by a fault of our own, `at` into the call, with as
    /// much of its journal as there is.
    ///
    /// # Errors
    /// [`Error::Garbled`] or [`Error::Query`].
    pub async fn fail_call(
        &self,
        brief: &Brief,
        at: CallTime,
        steps: &[Step],
    ) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_with(brief, (at, INTERNAL), steps).await)
    }

    async fn close_with(
        &self,
        brief: &Brief,
        (at, reason): (CallTime, &str),
        steps: &[Step],
    ) -> Result<Closing, Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief).await?;
        let closing = close(&mut transaction, &brief.call, at, reason).await?;
        if closing == Closing::Now || !has_journal(&mut transaction, brief).await? {
            for (seq, step) in steps.iter().enumerate() {
                insert_step(&mut transaction, brief, seq, step).await?;
            }
        }
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
        let reason = orphan_reason(seconds);
        let mut transaction = self.database.begin(Scope::Every).await?;
        let closing = close(&mut transaction, sid, at, reason).await?;
        transaction.commit().await?;
        Ok(closing)
    }

    /// The record of a call.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn call(&self, sid: &str) -> Result<Option<CallRecord>, Error> {
        let statement = "SELECT * FROM call WHERE sid = $1";
        let rows: Vec<CallRow> = self.database.read(Scope::Every, statement, &[sid.into()]).await?;
        rows.into_iter().next().map(CallRow::record).transpose()
    }

    /// The journal of a call, empty when there is none.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn journal(&self, sid: &str) -> Result<Vec<Step>, Error> {
        let statement = "SELECT step FROM conversation_log WHERE call_sid = $1 ORDER BY seq";
        let rows: Vec<(String,)> =
            self.database.read(Scope::Every, statement, &[sid.into()]).await?;
        let read = |(text,): &(String,)| {
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
        let statement = "SELECT * FROM call WHERE status = 'live' ORDER BY started_us";
        let rows: Vec<CallRow> = self.database.read(Scope::Every, statement, &[]).await?;
        rows.into_iter().map(CallRow::record).collect()
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
        let brief = Brief::example();
        let mut transaction = self.begin(&brief).await?;
        insert_call(&mut transaction, &brief).await?;
        transaction.rollback().await?;
        Ok(())
    }

    /// Whether the database answers, and has our tables.
    pub async fn is_well(&self) -> bool {
        let nobodys = "SELECT count(*) FROM call WHERE sid = ''";
        self.database.read::<(i64,)>(Scope::Every, nobodys, &[]).await.is_ok()
    }

    /// Closes the database once everything that was asked is answered.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Begins a change for the company that the call is with.
    async fn begin(&self, brief: &Brief) -> Result<Transaction, sqlx::Error> {
        self.database.begin(Scope::Company(&brief.company)).await
    }
}

impl Error {
    fn garbled(what: &'static str, source: serde_json::Error) -> Self {
        Self::Garbled { what, source: Some(source) }
    }
}

/// Why the record of a call ends that nobody has any more, by whether the carrier knows its length.
pub(crate) const fn orphan_reason(seconds: Option<u64>) -> &'static str {
    if seconds.is_some() { ORPHANED } else { UNCONFIRMED }
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

async fn insert_call(transaction: &mut Transaction, brief: &Brief) -> Result<(), Error> {
    let statement = "INSERT INTO call (sid, company, config_version, prompt_hash, language, \
        direction, from_masked, to_masked, started_us, journal_version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (sid) DO NOTHING";
    let values = [
        (&brief.call).into(),
        (&brief.company).into(),
        brief.config_version.into(),
        (&brief.prompt_hash).into(),
        brief.language.tag().into(),
        direction_word(brief.direction).into(),
        (&brief.from).into(),
        (&brief.to).into(),
        whole(brief.utc_start_ms.saturating_mul(MICROS_PER_MILLI)).into(),
        JOURNAL_VERSION.into(),
    ];
    transaction.run(statement, &values).await?;
    Ok(())
}

async fn close(
    transaction: &mut Transaction,
    sid: &str,
    at: CallTime,
    reason: &str,
) -> Result<Closing, Error> {
    let statement = "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, \
        duration_ms = $2, end_reason = $3 WHERE sid = $1 AND status = 'live'";
    let values = [sid.into(), whole(at.as_millis()).into(), reason.into()];
    let closed = transaction.run(statement, &values).await?;
    Ok(if closed == 1 { Closing::Now } else { Closing::Before })
}

async fn has_journal(transaction: &mut Transaction, brief: &Brief) -> Result<bool, Error> {
    let statement = "SELECT seq FROM conversation_log WHERE call_sid = $1 LIMIT 1";
    let rows: Vec<(i64,)> = transaction.rows(statement, &[(&brief.call).into()]).await?;
    Ok(!rows.is_empty())
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

/// A row of `call`, as it is in the table.
#[derive(FromRow)]
struct CallRow {
    sid: String,
    company: String,
    config_version: i64,
    prompt_hash: String,
    language: String,
    direction: String,
    from_masked: String,
    to_masked: String,
    started_us: i64,
    ended_us: Option<i64>,
    duration_ms: Option<i64>,
    end_reason: Option<String>,
}

impl CallRow {
    fn record(self) -> Result<CallRecord, Error> {
        let unknown = |what| Error::Garbled { what, source: None };
        let ended = self.ended_us.zip(self.duration_ms).zip(self.end_reason);
        Ok(CallRecord {
            sid: self.sid,
            company: self.company,
            config_version: u32::try_from(self.config_version)
                .map_err(|_| unknown("configuration's version"))?,
            prompt_hash: self.prompt_hash,
            language: Language::from_tag(&self.language).ok_or_else(|| unknown("language"))?,
            direction: match &*self.direction {
                "inbound" => Direction::Inbound,
                "outbound" => Direction::Outbound,
                _ => return Err(unknown("direction")),
            },
            from_masked: self.from_masked,
            to_masked: self.to_masked,
            started_us: self.started_us,
            ended: ended.map(|((at_us, duration_ms), reason)| Ended { at_us, duration_ms, reason }),
        })
    }
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

const MICROS_PER_MILLI: u64 = 1_000;

const MILLIS_PER_SECOND: u64 = 1_000;
