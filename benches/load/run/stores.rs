//! Where the server that is measured keeps its calls.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

pub(crate) use cluster::Cluster;

mod cluster;

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

    /// Makes an empty one, and says how the server is told of it. What is returned with that runs as
    /// long as the store is needed.
    pub(crate) fn make(self, server: &Path, folder: &Path) -> Result<(Variables, Option<Cluster>)> {
        let file = || format!("sqlite://{}", folder.join("calls.db").display());
        Ok(match self {
            // Companies are kept there all the same.
            Self::Off => (vec![(URL, file()), ("UNRECORDED", "1".to_owned())], None),
            Self::Sqlite => (vec![(URL, file())], None),
            Self::Postgres => {
                let cluster = Cluster::start()?;
                let (url, owner) = (cluster.url("offhook"), cluster.url("offhook_owner"));
                let mut migrate = Command::new(server);
                migrate.arg("migrate").env(URL, &url).env("DATABASE_OWNER_URL", owner);
                cluster::done(&mut migrate)?;
                (vec![(URL, url)], Some(cluster))
            }
        })
    }
}

const URL: &str = "DATABASE_URL";
