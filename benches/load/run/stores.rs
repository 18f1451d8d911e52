//! Where the server that is measured keeps its calls.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

/// The throw-away PostgreSQL of the server's own tests. It runs where the driver does, and not on the
/// core of what is measured.
#[path = "../../../server/tests/postgres/mod.rs"]
mod postgres;

/// A store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// None: no record, no journal in the spool, nothing in the audit log
    Off,
    /// A file in a folder that is thrown away
    Sqlite,
    /// A PostgreSQL that is thrown away
    Postgres,
}

/// Variables of the server's environment.
pub(crate) type Variables = Vec<(&'static str, String)>;

impl Store {
    /// Its name on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// Makes an empty one, and says how the server is told of it.
    pub(crate) fn make(self, server: &Path, folder: &Path) -> Result<Variables> {
        let file = || format!("sqlite://{}", folder.join("calls.db").display());
        Ok(match self {
            // Companies are kept there all the same.
            Self::Off => vec![(URL, file()), ("UNRECORDED", "1".to_owned())],
            Self::Sqlite => vec![(URL, file())],
            Self::Postgres => vec![(URL, database(server)?)],
        })
    }
}

/// A new database with its tables, as the server's role opens it.
fn database(server: &Path) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let database = runtime.block_on(postgres::Database::new());
    let url = database.url("offhook");
    let mut migrate = Command::new(server);
    migrate.arg("migrate").env(URL, &url).env("DATABASE_OWNER_URL", database.url("offhook_owner"));
    let made = migrate.output().with_context(|| format!("{migrate:?} does not start"))?;
    let said = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "the tables cannot be made: {said}");
    Ok(url)
}

const URL: &str = "DATABASE_URL";
