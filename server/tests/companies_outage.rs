//! The database goes while companies are served out of it. In a program of its own, because it takes the
//! whole PostgreSQL down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
mod support;

use std::time::{Duration, Instant};

use server::company::Tenant;
use server::company::versions::{self, Command};
use server::spool;
use server::store::Store;
use support::{CALL, Server, pause, say, stop};

const ACME: &str = include_str!("../../scenarios/companies/acme.toml");

/// F-DB-01, M-16: calls that come in while the database is down are held under what was read last, and
/// their records come later. When it is back, what becomes active is seen again.
#[tokio::test]
async fn companies_are_served_from_memory_while_the_database_is_down_f_db_01() {
    let database = postgres::Database::new().await;
    let (url, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&url, Some(&owner)).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    make_active(&store, 1).await;
    let server = Server::start_with(|config| {
        config.database_url = url.clone().into();
        config.companies = Vec::new();
    })
    .await;
    postgres::Database::crash().await;

    let mut socket = server.call().await;
    say(&mut socket, &stop()).await;
    while server.app.spool().waiting().is_empty() {
        pause().await;
    }
    // Some more looks at companies have failed meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.app.companies().companies().len(), 1);

    postgres::Database::recover().await;
    spool::drain_once(server.app.spool(), server.app.store()).await;
    server.end_reason(CALL).await;
    let record = store.call(CALL).await.unwrap().unwrap();
    assert_eq!((&*record.company, record.config_version), ("acme", 1));
    make_active(&store, 2).await;
    let since = Instant::now();
    let version = || server.app.companies().company("acme").unwrap().company().version;
    while version() != 2 {
        assert!(since.elapsed() < Duration::from_secs(20), "the servers are not told any more");
        pause().await;
    }
}

async fn make_active(store: &Store, version: u32) {
    let text = ACME.replacen("version = 1", &format!("version = {version}"), 1);
    let tenant = Tenant::parse("acme.toml", &text).unwrap();
    versions::import(store, &[tenant], "a test").await.unwrap();
    versions::activate(store, "acme", None, Command::Activate, "a test").await.unwrap();
}
