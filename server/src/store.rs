//! The store: a record of every call, and its journal.
//!
//! Nothing that a caller could hear waits for the store. The record is opened beside the call, and
//! closed with its journal, in one transaction, after the call.
//!
//! A call is one process's at a time, under an epoch that grows when another takes it over. Whoever has it
//! no longer writes nothing for it.
//!
//! A call ends once. The record of an ended call does not change, whoever asks, and the database
//! itself refuses it too.
//!
//! | module | holds |
//! |---|---|
//! | `records` | how the record of a call begins and ends |
//! | `journal` | the steps of a call, and what they amount to |
//! | `look` | which calls there are, and the record of one |
//! | `instances` | the processes that take calls |
//! | `recordings` | what the carrier tells of recordings |
//! | `outbox` | what must still be done about calls that are over, and what comes of it |
//! | `callers` | callers' numbers, sealed |
//! | `holds`, `sweeps`, `media` | what must be kept, and what is deleted when its time is over, here and at the carrier |
//! | `notes` | what was done to all that, on its way into an audit log |
//! | `heads` | how far the audit logs have come, and what was removed of them |
//! | `companies` | versions of companies, and which of them are active |
//! | `repeats` | changes that are made again |
//! | `database`, `tables` | both databases behind one face, and their tables |

use std::sync::Arc;

use call_core::brief::Brief;
use sqlx::migrate::MigrateError;
use uuid::Uuid;

pub use callers::{Caller, Resealed, SealedWith};
pub use companies::{
    Activate, Activated, Activation, Active, FunctionDefinition, Kept, NewVersion, Version,
};
pub use database::Scope;
use database::{Database, Missing, Transaction};
pub use holds::{Hold, NewHold, Placed, Released};
pub use journal::{StoredJournal, StoredSummary};
pub use look::{CallRecord, Cursor, Ended, Filter, PAGE_MAX, Page, Status};
pub use media::{Listed, Media};
pub use notes::Note;
pub use outbox::{Again, Backlog, End, Standing, SummaryText, Undone, Work};
pub use recordings::{DeletedRecording, Recording, Recordings, UntoldCall};
pub(crate) use records::orphan_reason;
pub use records::{Closing, INTERNAL, ORPHANED, UNCONFIRMED};
pub use sweeps::{Class, Counted, Deleted, Deletion, Due};
pub use writes::Writes;

pub mod callers;
pub(crate) mod companies;
mod database;
mod heads;
mod holds;
mod instances;
mod journal;
mod look;
mod media;
mod notes;
mod outbox;
mod recordings;
mod records;
mod repeats;
mod sweeps;
mod tables;
mod writes;

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    writes: Arc<Writes>,
    instance: Arc<str>,
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
        "the database that DATABASE_URL names cannot be opened; for SQLite the file must be there \
         and be writable (`server migrate` makes one, where its folder exists), for PostgreSQL the server \
         must be up, take changes, and know user and password"
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
    /// Words are looked for in calls of all times.
    #[error("a search for words in calls must say from which time on to look")]
    Unbounded,
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

/// Whether this is the address of a database that we know, as far as can be seen without opening it.
pub fn is_address(url: &str) -> bool {
    database::Kind::of(url).is_some_and(|kind| kind.names_one(url))
}

/// Whether the database may do at another time what it cannot do now, with nothing changed but that it is
/// there again.
pub(crate) fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unusable(error) | Error::Query(error) => database::may_pass(error),
        _ => false,
    }
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
        let database = Database::open(url, Missing::IsMade).await?;
        match &database {
            Database::Sqlite(_) => database.migrate().await.map_err(Error::Tables)?,
            Database::Postgres(pool) => tables::check(pool).await?,
        }
        Ok(Self::on(database))
    }

    /// Opens a database that is there and has the tables of this version, as those do who only look
    /// into it. A server may be using it, and it may be a copy that takes no changes.
    ///
    /// # Errors
    /// [`Error::Scheme`], [`Error::Unusable`], [`Error::Versions`] or [`Error::Role`].
    pub async fn open_to_look(url: &str) -> Result<Self, Error> {
        let database = Database::open(url, Missing::IsWrong).await?;
        match &database {
            Database::Sqlite(pool) => tables::check_file(pool).await?,
            Database::Postgres(pool) => tables::check(pool).await?,
        }
        Ok(Self::on(database))
    }

    fn on(database: Database) -> Self {
        let instance = Uuid::new_v4().to_string().into();
        Self { database, writes: Arc::default(), instance }
    }

    /// The name of this process among those that write here.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Brings the tables up to date. In PostgreSQL `owner_url` is the address of the role that owns
    /// them, and the user in `url`, which the server runs with, is granted what it needs.
    ///
    /// # Errors
    /// [`Error::Scheme`], [`Error::Unusable`], [`Error::Tables`] or [`Error::Query`].
    pub async fn migrate(url: &str, owner_url: Option<&str>) -> Result<(), Error> {
        let owner = Database::open(owner_url.unwrap_or(url), Missing::IsMade).await?;
        let prepared = tables::prepare(&owner, url).await;
        owner.close().await;
        prepared
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
        records::insert_call(&mut transaction, &brief, self.instance()).await?;
        transaction.rollback().await?;
        Ok(())
    }

    /// Whether the database answers, has our tables, and takes changes.
    pub async fn is_well(&self) -> bool {
        let nobodys = "SELECT count(*) FROM call WHERE sid = ''";
        self.database.read::<(i64,)>(Scope::Every, nobodys, &[]).await.is_ok()
            && self.database.takes_changes().await
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

/// A count as the database holds it. No call lasts long enough for the bound to matter.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
