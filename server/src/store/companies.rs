//! Versions of companies, and which of them are active.
//!
//! What a version says is nobody's business here: it is text that was imported once and stays.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use super::database::{Database, Scope, Transaction};
use super::{Error, Store, whole};

/// A version to be kept.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// The company's short name.
    pub company: &'a str,
    /// The version.
    pub version: u32,
    /// The whole file.
    pub content: &'a str,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: &'a str,
    /// What it offers its agent.
    pub functions: Vec<FunctionDefinition>,
}

/// A function as a version defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// Its name.
    pub name: String,
    /// `read`, or `write` where it changes something.
    pub level: &'static str,
    /// JSON Schema of what the agent must give.
    pub arguments: String,
    /// How often one call may run it, where the version bounds that.
    pub calls_max: Option<u32>,
    /// How long it may take, in milliseconds.
    pub budget_ms: u64,
}

/// What became of a version that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept now.
    New,
    /// It was there already, with the same content.
    Same,
    /// The version is there with other content. Nothing of what came with it was kept.
    Other,
}

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Version {
    /// The company's short name.
    pub company: String,
    /// The version.
    pub version: i64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// When it was imported, in microseconds since 1970-01-01 UTC.
    pub imported_us: i64,
    /// By whom.
    pub imported_by: String,
    /// Whether it is the active one: 1 or 0.
    pub active: i64,
}

/// A version that became active, or that was active until then.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Activation {
    /// Counts the activations of a company, from 1.
    pub seq: i64,
    /// The version.
    pub version: i64,
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
    /// By which command: `activate`, `rollback` or `start`; or `deactivate`, until which it was active.
    pub command: String,
    /// By whom.
    pub actor: String,
}

/// A version to be made active.
#[derive(Debug, Clone, Copy)]
pub struct Activate<'a> {
    /// The company's short name.
    pub company: &'a str,
    /// The version.
    pub version: u32,
    /// The numbers that it claims.
    pub numbers: &'a [String],
    /// By which command.
    pub command: &'a str,
    /// By whom.
    pub actor: &'a str,
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
}

/// What became of a version that was to be made active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activated {
    /// New calls are held under it.
    Now,
    /// It was active before.
    Before,
    /// There is no such version.
    Unknown,
    /// A number of its is another company's. Nothing was changed.
    Claimed {
        /// The number.
        number: String,
        /// Whose it is.
        by: String,
    },
}

/// An active version.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Active {
    /// The company's short name.
    pub company: String,
    /// The version.
    pub version: i64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl Activation {
    /// Whether the company was taken off the line.
    pub fn is_end(&self) -> bool {
        self.command == DEACTIVATE
    }
}

impl Store {
    /// Keeps versions of companies, all or none of them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn keep_versions(
        &self,
        versions: &[NewVersion<'_>],
        actor: &str,
        at_us: i64,
    ) -> Result<Vec<Kept>, Error> {
        let mut transaction = self.database.begin(Scope::Every).await?;
        let mut all = Vec::new();
        for version in versions {
            all.push(keep(&mut transaction, version, actor, at_us).await?);
        }
        if all.contains(&Kept::Other) {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
        Ok(all)
    }

    /// Makes a version the active one of its company, with its numbers, or changes nothing.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn activate(&self, wanted: &Activate<'_>) -> Result<Activated, Error> {
        let mut transaction = self.database.begin(Scope::Every).await?;
        let outcome = activate(&mut transaction, wanted).await?;
        if outcome == Activated::Now {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(outcome)
    }

    /// Takes a company off the line: no version of it is active from now on, and its numbers are nobody's.
    /// Which version was active; nothing where none was.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn deactivate(
        &self,
        company: &str,
        actor: &str,
        at_us: i64,
    ) -> Result<Option<i64>, Error> {
        let mut transaction = self.database.begin(Scope::Every).await?;
        // Whoever else changes what is active of this company waits here.
        let statement = "UPDATE company SET active_version = active_version \
            WHERE id = $1 AND active_version IS NOT NULL RETURNING active_version";
        let rows: Vec<(i64,)> = transaction.rows(statement, &[company.into()]).await?;
        let Some((version,)) = rows.first() else { return Ok(None) };
        for statement in [
            "UPDATE company SET active_version = NULL WHERE id = $1",
            "DELETE FROM company_number WHERE company = $1",
        ] {
            transaction.run(statement, &[company.into()]).await?;
        }
        remember(&mut transaction, company, *version, (DEACTIVATE, actor), at_us).await?;
        transaction.commit().await?;
        Ok(Some(*version))
    }

    /// The active version of each company that has one, by the companies' short names.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn active_versions(&self) -> Result<Vec<Active>, Error> {
        let statement = "SELECT v.company, v.version, v.sha256 FROM company c \
            JOIN company_version v ON v.company = c.id AND v.version = c.active_version \
            ORDER BY v.company";
        Ok(self.database.read(Scope::Every, statement, &[]).await?)
    }

    /// The versions that are kept of a company, or of all of them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn versions(&self, company: Option<&str>) -> Result<Vec<Version>, Error> {
        let statement = "SELECT v.company, v.version, v.sha256, v.imported_us, v.imported_by, \
            CASE WHEN v.version = c.active_version THEN CAST(1 AS BIGINT) ELSE 0 END AS active \
            FROM company_version v JOIN company c ON c.id = v.company \
            WHERE v.company = $1 OR $1 = '*' ORDER BY v.company, v.version";
        let values = [company.unwrap_or("*").into()];
        Ok(self.database.read(Scope::Every, statement, &values).await?)
    }

    /// The short names of all companies that were ever imported.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn company_names(&self) -> Result<BTreeSet<String>, Error> {
        let statement = "SELECT id FROM company";
        let rows: Vec<(String,)> = self.database.read(Scope::Every, statement, &[]).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The content of a version.
    ///
    /// # Errors
    /// [`Error::Query`], or [`Error::Garbled`] where it is no text.
    pub async fn content(&self, company: &str, version: i64) -> Result<Option<String>, Error> {
        let statement = "SELECT content FROM company_version WHERE company = $1 AND version = $2";
        let values = [company.into(), version.into()];
        let rows: Result<Vec<(String,)>, _> =
            self.database.read(Scope::Company(company), statement, &values).await;
        match rows {
            Ok(rows) => Ok(rows.into_iter().next().map(|(content,)| content)),
            Err(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
                Err(Error::Garbled { what: "company's version", source: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What became active of a company, the last first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn activations(&self, company: &str) -> Result<Vec<Activation>, Error> {
        let statement = "SELECT seq, version, at_us, command, actor FROM company_activation \
            WHERE company = $1 ORDER BY seq DESC";
        Ok(self.database.read(Scope::Company(company), statement, &[company.into()]).await?)
    }

    /// The functions of a version: name, level, most runs in a call, and budget in milliseconds.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn functions(
        &self,
        company: &str,
        version: i64,
    ) -> Result<Vec<(String, String, Option<i64>, i64)>, Error> {
        let statement = "SELECT name, level, calls_max, budget_ms FROM function_definition \
            WHERE company = $1 AND version = $2 ORDER BY name";
        let values = [company.into(), version.into()];
        Ok(self.database.read(Scope::Company(company), statement, &values).await?)
    }

    /// Where it is noticed that another version may be active.
    pub(crate) fn company_changes(&self) -> Changes {
        match &self.database {
            Database::Sqlite(_) => Changes::Look,
            Database::Postgres(pool) => {
                Changes::Listen { options: pool.connect_options(), listener: None }
            }
        }
    }
}

async fn keep(
    transaction: &mut Transaction,
    new: &NewVersion<'_>,
    actor: &str,
    at_us: i64,
) -> Result<Kept, Error> {
    let company = "INSERT INTO company (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
    transaction.run(company, &[new.company.into()]).await?;
    let statement = "INSERT INTO company_version \
        (company, version, content, sha256, imported_us, imported_by) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (company, version) DO NOTHING";
    let values = [
        new.company.into(),
        new.version.into(),
        new.content.into(),
        new.sha256.into(),
        at_us.into(),
        actor.into(),
    ];
    if transaction.run(statement, &values).await? == 0 {
        let statement = "SELECT sha256 FROM company_version WHERE company = $1 AND version = $2";
        let values = [new.company.into(), new.version.into()];
        let rows: Vec<(String,)> = transaction.rows(statement, &values).await?;
        let is_same = rows.iter().any(|(sha256,)| sha256 == new.sha256);
        return Ok(if is_same { Kept::Same } else { Kept::Other });
    }
    for function in &new.functions {
        let statement = "INSERT INTO function_definition \
            (company, version, name, level, arguments, calls_max, budget_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            new.company.into(),
            new.version.into(),
            (&function.name).into(),
            function.level.into(),
            (&function.arguments).into(),
            function.calls_max.map(i64::from).into(),
            whole(function.budget_ms).into(),
        ];
        transaction.run(statement, &values).await?;
    }
    Ok(Kept::New)
}

async fn activate(
    transaction: &mut Transaction,
    wanted: &Activate<'_>,
) -> Result<Activated, Error> {
    let Activate { company, version, numbers, command, actor, at_us } = *wanted;
    let of_version = [company.into(), version.into()];
    let statement = "SELECT version FROM company_version WHERE company = $1 AND version = $2";
    let known: Vec<(i64,)> = transaction.rows(statement, &of_version).await?;
    if known.is_empty() {
        return Ok(Activated::Unknown);
    }
    // Whoever else activates a version of this company waits here.
    let statement = "UPDATE company SET active_version = $2 WHERE id = $1 \
        AND (active_version IS NULL OR active_version <> $2)";
    if transaction.run(statement, &of_version).await? == 0 {
        return Ok(Activated::Before);
    }
    let statement = "DELETE FROM company_number WHERE company = $1";
    transaction.run(statement, &[company.into()]).await?;
    // In one order, so that two companies that claim the same numbers wait for each other in turn.
    let mut numbers: Vec<&String> = numbers.iter().collect();
    numbers.sort();
    for number in numbers {
        let statement = "INSERT INTO company_number (number, company) VALUES ($1, $2) \
            ON CONFLICT (number) DO NOTHING";
        if transaction.run(statement, &[number.into(), company.into()]).await? == 0 {
            let statement = "SELECT company FROM company_number WHERE number = $1";
            let rows: Vec<(String,)> = transaction.rows(statement, &[number.into()]).await?;
            let by = rows.into_iter().next().map(|(by,)| by).unwrap_or_default();
            return Ok(Activated::Claimed { number: number.clone(), by });
        }
    }
    remember(transaction, company, version.into(), (command, actor), at_us).await?;
    Ok(Activated::Now)
}

/// Writes into a company's history which version became active, or was until now, by which command and
/// whom.
async fn remember(
    transaction: &mut Transaction,
    company: &str,
    version: i64,
    (command, actor): (&str, &str),
    at_us: i64,
) -> Result<(), Error> {
    let statement = "SELECT coalesce(max(seq), 0) + 1 FROM company_activation WHERE company = $1";
    let rows: Vec<(i64,)> = transaction.rows(statement, &[company.into()]).await?;
    let seq = rows.first().map_or(1, |(seq,)| *seq);
    let statement = "INSERT INTO company_activation \
        (company, seq, version, at_us, command, actor) VALUES ($1, $2, $3, $4, $5, $6)";
    let values =
        [company.into(), seq.into(), version.into(), at_us.into(), command.into(), actor.into()];
    transaction.run(statement, &values).await?;
    Ok(())
}

/// Waits for news of companies. There may be news of nothing: whoever waits looks for itself.
pub(crate) enum Changes {
    /// Nobody tells: it is looked at often.
    Look,
    /// PostgreSQL tells, on a connection of its own.
    Listen {
        options: Arc<PgConnectOptions>,
        /// Nothing while there is no connection.
        listener: Option<PgListener>,
    },
}

impl Changes {
    /// Ready when it is time to look at the companies again.
    pub(crate) async fn next(&mut self) {
        match self {
            Self::Look => sleep(LOOK).await,
            Self::Listen { options, listener } => loop {
                let Some(listening) = listener else {
                    match listen(options).await {
                        // What was told before nobody has heard.
                        Ok(connected) => return *listener = Some(connected),
                        Err(_) => sleep(LISTEN_AGAIN).await,
                    }
                    continue;
                };
                match timeout(LISTEN_LIMIT, listening.try_recv()).await {
                    // Nothing is told where the connection was lost and there is another one.
                    Ok(Ok(Some(_) | None)) | Err(_) => return,
                    Ok(Err(_)) => {
                        *listener = None;
                        sleep(LISTEN_AGAIN).await;
                    }
                }
            },
        }
    }
}

async fn listen(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // Not one of the connections that calls need.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(LISTEN_PATIENCE)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// The command that takes a company off the line.
const DEACTIVATE: &str = "deactivate";

/// Where the tables tell of companies.
const CHANNEL: &str = "offhook_company";

/// How often SQLite is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long to wait after a connection could not be had.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

const LISTEN_PATIENCE: Duration = Duration::from_secs(5);

/// When to look although nothing was told: a connection may be gone without a word.
const LISTEN_LIMIT: Duration = Duration::from_secs(30);
