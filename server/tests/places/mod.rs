//! A database of each kind, and calls to put into it: what holds for one holds for both.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use call_core::brief::Brief;
use call_core::input::Carrier;
use call_core::{Call, CallTime, Input, Step};
use server::store::Store;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::postgres;

/// A database of its own for a test.
pub(crate) enum Place {
    Sqlite { url: String, _folder: TempDir },
    Postgres { url: String, all: String },
}

/// One of each kind, with nothing in it.
pub(crate) async fn places() -> [Place; 2] {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let url = format!("sqlite://{}", folder.path().join("calls.db").display());
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&server, Some(&owner)).await.expect("the tables can be made");
    [
        Place::Sqlite { url, _folder: folder },
        Place::Postgres { url: server, all: database.url("postgres") },
    ]
}

impl Place {
    /// The address that the server has.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite { url, .. } | Self::Postgres { url, .. } => url,
        }
    }

    /// What somebody does who may do anything, behind the server's back.
    pub(crate) async fn try_to(&self, statement: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite { url, .. } => {
                SqliteConnection::connect(url).await?.execute(statement).await.map(drop)
            }
            Self::Postgres { all, .. } => {
                PgConnection::connect(all).await?.execute(statement).await.map(drop)
            }
        }
    }

    pub(crate) async fn lines(&self, statement: &'static str) -> Vec<String> {
        let lines = sqlx::query_scalar(statement);
        match self {
            Self::Sqlite { url, .. } => {
                lines.fetch_all(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap()
            }
            Self::Postgres { all, .. } => sqlx::query_scalar(statement)
                .fetch_all(&mut PgConnection::connect(all).await.unwrap())
                .await
                .unwrap(),
        }
    }
}

pub(crate) fn call() -> (Brief, Vec<Step>) {
    call_of(Brief::example())
}

/// A call whose caller hangs up soon.
pub(crate) fn call_of(brief: Brief) -> (Brief, Vec<Step>) {
    let (mut call, first) = Call::new(brief.clone());
    let mut steps = vec![first];
    steps.extend(call.step(CallTime::from_millis(900), Input::Carrier(Carrier::Stopped)));
    (brief, steps)
}
