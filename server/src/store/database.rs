//! Both databases behind one face, so that every statement is written once.
//!
//! SQLite and PostgreSQL take the same statements here: placeholders are `$1`, times and counts
//! 64-bit whole numbers, truths and JSON text. What differs is how a transaction begins.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{
    ConnectOptions as _, FromRow, IntoArguments, PgExecutor, PgPool, Postgres, SqlSafeStr, Sqlite,
    SqlitePool,
};

use super::Error;

/// An open database.
#[derive(Debug, Clone)]
pub(super) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Whose rows a transaction sees, in PostgreSQL by its row-level security.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Those of the company of this short name.
    Company(&'a str),
    /// Everybody's.
    Every,
}

/// What becomes of a SQLite file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is made.
    IsMade,
    /// That is an error.
    IsWrong,
}

/// A change that is whole or not at all. Dropped without [`commit`](Self::commit), it is taken back.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A value in a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Whole(i64),
    MaybeText(Option<&'a str>),
    MaybeWhole(Option<i64>),
}

/// What a row of either database can be read as.
pub(super) trait Shape:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Shape for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl Database {
    /// Opens what the address names. The tables are not looked at.
    pub(super) async fn open(url: &str, missing: Missing) -> Result<Self, Error> {
        match Kind::of(url).ok_or(Error::Scheme)? {
            Kind::Sqlite => sqlite(url, missing).await.map(Self::Sqlite),
            Kind::Postgres => postgres(url, missing).await.map(Self::Postgres),
        }
    }

    /// Brings the tables up to date. For PostgreSQL the address must be the owner's.
    pub(super) async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Self::Sqlite(pool) => SQLITE.run(pool).await,
            Self::Postgres(pool) => POSTGRES.run(pool).await,
        }
    }

    /// Begins a change, or a look at several things at one moment.
    pub(super) async fn begin(&self, scope: Scope<'_>) -> Result<Transaction, sqlx::Error> {
        match self {
            // Asked for the lock at once, SQLite waits for other writers; half way it gives up.
            Self::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Transaction::Sqlite),
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query("SELECT set_config('offhook.company', $1, true)")
                    .bind(scope.word())
                    .execute(&mut *transaction)
                    .await?;
                Ok(Transaction::Postgres(transaction))
            }
        }
    }

    /// Reads rows in a transaction of their own.
    pub(super) async fn read<T: Shape>(
        &self,
        scope: Scope<'_>,
        statement: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, sqlx::Error> {
        match self {
            // Readers of SQLite wait for nobody, unless they begin as writers do.
            Self::Sqlite(pool) => with_all(sqlx::query(statement), values)
                .fetch_all(pool)
                .await?
                .iter()
                .map(T::from_row)
                .collect(),
            Self::Postgres(_) => self.begin(scope).await?.rows(statement, values).await,
        }
    }

    /// Whether it takes changes. PostgreSQL does not while another server has taken over from it, or
    /// while whoever runs it has made it read-only, as many do when its disk is full (F-DB-08).
    pub(super) async fn takes_changes(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(pool) => {
                is_read_only(pool).await.is_ok_and(|is_read_only| !is_read_only)
            }
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    /// Runs a statement and says how many rows it touched.
    pub(super) async fn run(
        &mut self,
        statement: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => {
                let done = with_all(sqlx::query(statement), values).execute(&mut **transaction);
                done.await.map(|done| done.rows_affected())
            }
            Self::Postgres(transaction) => {
                let done = with_all(sqlx::query(statement), values).execute(&mut **transaction);
                done.await.map(|done| done.rows_affected())
            }
        }
    }

    /// Reads rows.
    pub(super) async fn rows<T: Shape>(
        &mut self,
        statement: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => {
                let rows = with_all(sqlx::query(statement), values).fetch_all(&mut **transaction);
                rows.await?.iter().map(T::from_row).collect()
            }
            Self::Postgres(transaction) => {
                let rows = with_all(sqlx::query(statement), values).fetch_all(&mut **transaction);
                rows.await?.iter().map(T::from_row).collect()
            }
        }
    }

    /// What keeps a statement from waiting for rows that another transaction has. In SQLite there is
    /// none: whoever writes is alone.
    pub(super) const fn skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }
}

/// The statement with its values, in the order of their numbers.
fn with_all<'q, DB>(
    statement: Query<'q, DB, DB::Arguments>,
    values: &[Value<'q>],
) -> Query<'q, DB, DB::Arguments>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    &'q str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<&'q str>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<i64>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    values.iter().fold(statement, |statement, value| match *value {
        Value::Text(text) => statement.bind(text),
        Value::Whole(number) => statement.bind(number),
        Value::MaybeText(text) => statement.bind(text),
        Value::MaybeWhole(number) => statement.bind(number),
    })
}

impl<'a> Scope<'a> {
    /// What the transaction says: the short name, or `*`.
    pub(super) fn word(self) -> &'a str {
        match self {
            Self::Company(company) => company,
            Self::Every => "*",
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::MaybeText(text)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeWhole(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

/// Which database an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }

    /// Whether the address goes on to name a database, and not just a kind of them.
    pub(super) fn names_one(self, url: &str) -> bool {
        match self {
            Self::Sqlite => url
                .split_once(':')
                .is_some_and(|(_, path)| !path.trim_start_matches('/').is_empty()),
            Self::Postgres => PgConnectOptions::from_str(url)
                .is_ok_and(|options| options.get_database().is_some()),
        }
    }
}

async fn sqlite(url: &str, missing: Missing) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| Error::Scheme)?
        .create_if_missing(missing == Missing::IsMade)
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
    pool.connect_with(options).await.map_err(Error::Unusable)
}

async fn postgres(url: &str, missing: Missing) -> Result<PgPool, Error> {
    let limits = [
        ("statement_timeout", STATEMENT_LIMIT),
        ("lock_timeout", LOCK_LIMIT),
        // A call that was dropped in the middle of a change holds its locks no longer than this.
        ("idle_in_transaction_session_timeout", STATEMENT_LIMIT),
    ];
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Error::Scheme)?
        .application_name("offhook")
        .options(limits.map(|(name, limit)| (name, limit.as_millis().to_string())))
        .disable_statement_logging();
    let pool = PgPoolOptions::new().acquire_timeout(PATIENCE).max_connections(CONNECTIONS_MAX);
    let pool = match missing {
        // Whoever only looks may look into a copy.
        Missing::IsWrong => pool,
        // Kept, it would be used for as long as connections are, also when the name in the address
        // has come to mean the server that took over (F-DB-08).
        Missing::IsMade => pool.after_connect(|connection, _| {
            Box::pin(async move {
                if is_read_only(connection).await? {
                    return Err(sqlx::Error::Configuration(READ_ONLY.into()));
                }
                Ok(())
            })
        }),
    };
    pool.connect_with(options).await.map_err(Error::Unusable)
}

/// Whether it is away, and not wrong: no connection, or a PostgreSQL that is starting, ending, full
/// (PostgreSQL, appendix A: classes 08, 53 and 57) or follows another one.
pub(super) fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Configuration(told) => told.to_string() == READ_ONLY,
        sqlx::Error::Database(told) => told.code().is_some_and(|code| {
            // SQLite's codes are shorter.
            code.len() == 5 && ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

async fn is_read_only(by: impl PgExecutor<'_>) -> Result<bool, sqlx::Error> {
    // Also on in a server that follows another.
    let is: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(by).await?;
    Ok(is == "on")
}

const READ_ONLY: &str = "the database server is read-only";

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// The tables in SQLite, as this version knows them.
pub(super) static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The tables in PostgreSQL, as this version knows them.
pub(super) static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// How long to wait for a connection, or for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long PostgreSQL works at one statement of ours, or waits for us in the middle of a change.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);

/// How long a statement waits for another's lock.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

const CONNECTIONS_MAX: u32 = 4;
