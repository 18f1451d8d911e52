//! A real PostgreSQL that fails in the middle of a change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use places::{call, call_of};
use server::store::{Closing, Error, Store};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

/// F-DB-06: a change that met another one is made again, three times at most, and is made once.
#[tokio::test]
async fn a_change_that_meets_another_is_made_again_f_db_06() {
    let database = database().await;
    let mut admin = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let store = Store::open(&database.url("offhook")).await.unwrap();
    // A sequence is not taken back with its transaction, so it counts the tries.
    for (code, wanted) in [("40001", 3), ("40P01", 3), ("40001", 4), ("23514", 1)] {
        let setup = format!(
            "DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries; \
             GRANT USAGE ON SEQUENCE tries TO offhook; \
             CREATE OR REPLACE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('tries') <= {wanted} THEN RAISE EXCEPTION 'met' USING ERRCODE = '{code}'; \
             END IF; RETURN NEW; END $$; \
             CREATE OR REPLACE TRIGGER meets BEFORE UPDATE ON call \
             FOR EACH ROW EXECUTE FUNCTION meet()"
        );
        admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(setup))).await.unwrap();
        let (mut brief, _) = call();
        brief.call = format!("CA{code}{wanted:0>27}");
        let (_, steps) = call_of(brief.clone());
        let since = Instant::now();
        let ended = store.end_call(&brief.call, &steps).await;
        assert!(since.elapsed() < Duration::from_secs(2));
        let tries: i64 =
            sqlx::query_scalar("SELECT last_value FROM tries").fetch_one(&mut admin).await.unwrap();
        if code.starts_with("40") && wanted <= 3 {
            assert_eq!((ended.unwrap(), tries), (Closing::Now, wanted + 1), "{code}");
            assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
        } else {
            assert!(matches!(ended, Err(Error::Query(_))), "{code} {wanted}");
            assert_eq!(tries, wanted.min(4), "what is no conflict is not tried again");
            assert_eq!(store.call(&brief.call).await.unwrap(), None, "nothing is left of it");
        }
    }
}

/// F-DB-06: two transactions that wait for each other. PostgreSQL ends ours, and it is made again.
#[tokio::test]
async fn a_deadlock_costs_a_call_nothing_f_db_06() {
    let database = database().await;
    let store = Store::open(&database.url("offhook")).await.unwrap();
    let mut other = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let (brief, steps) = call();
    store.begin_call(&brief).await.unwrap();
    let setup = "CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$; \
        CREATE TRIGGER meets AFTER UPDATE ON call FOR EACH ROW EXECUTE FUNCTION meet()";
    other.execute(sqlx::raw_sql(setup)).await.unwrap();
    // It holds what ours will ask for, and then asks for what ours holds.
    let mut transaction = other.begin().await.unwrap();
    transaction.execute("SELECT pg_advisory_xact_lock(7)").await.unwrap();
    let meet = async {
        sleep(Duration::from_millis(300)).await;
        transaction.execute("SELECT * FROM call FOR UPDATE").await.unwrap();
        transaction.rollback().await.unwrap();
    };
    let (ended, ()) = tokio::join!(store.end_call(&brief.call, &steps), meet);
    assert_eq!(ended.unwrap(), Closing::Now);
    assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let since = Instant::now();
    while sqlx::query_scalar::<_, i64>(deadlocks).fetch_one(&mut other).await.unwrap() == 0 {
        assert!(since.elapsed() < Duration::from_secs(10), "there was no deadlock");
        sleep(Duration::from_millis(50)).await;
    }
}

/// F-DB-07: the connection ends after the commit and before its answer, so nobody here knows what became
/// of it. The record is read back: it is closed, by us, once.
#[tokio::test]
async fn a_commit_without_an_answer_is_looked_up_f_db_07() {
    let database = database().await;
    let between = Between::begin(&database).await;
    let store = Store::open(&between.url(&database)).await.unwrap();
    let (brief, steps) = call();
    between.cut_next(Cut::AfterCommit);
    store.begin_call(&brief).await.unwrap();
    assert_eq!(between.cuts(), 1, "the answer to a commit was cut off");
    between.cut_next(Cut::AfterCommit);
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
    assert_eq!(between.cuts(), 2);
    assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
    assert_eq!(store.calls(&Default::default()).await.unwrap().calls.len(), 1);
}

/// F-DB-07: likewise, and the commit never came to PostgreSQL.
#[tokio::test]
async fn a_commit_that_was_lost_is_made_again_f_db_07() {
    let database = database().await;
    let between = Between::begin(&database).await;
    let store = Store::open(&between.url(&database)).await.unwrap();
    let (brief, steps) = call();
    between.cut_next(Cut::BeforeCommit);
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
    assert_eq!(between.cuts(), 1);
    assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
}

/// F-DB-07, F-DB-11: PostgreSQL ends our connection in the middle of a change, while it waits for
/// somebody. It is made again on another one, and once only: a database that ends every connection is
/// no longer asked.
#[tokio::test]
async fn a_change_whose_connection_is_ended_is_made_once_more_f_db_11() {
    let database = database().await;
    let store = Store::open(&database.url("offhook")).await.unwrap();
    let (brief, steps) = call();
    store.begin_call(&brief).await.unwrap();
    for kills in [1, 2] {
        let (mut brief, _) = call();
        brief.call = format!("CA{kills:032}");
        let (_, steps) = call_of(brief.clone());
        store.begin_call(&brief).await.unwrap();
        let mut other = PgConnection::connect(&database.url("postgres")).await.unwrap();
        let mut holder = PgConnection::connect(&database.url("postgres")).await.unwrap();
        let mut held = holder.begin().await.unwrap();
        held.execute("SELECT * FROM call FOR UPDATE").await.unwrap();
        let kill = async {
            for _ in 0..kills {
                let waiting = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                    WHERE application_name = 'offhook' AND datname = current_database() \
                    AND wait_event_type = 'Lock'";
                while other.fetch_all(waiting).await.unwrap().is_empty() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            held.rollback().await.unwrap();
        };
        let (ended, ()) = tokio::join!(store.end_call(&brief.call, &steps), kill);
        if kills == 1 {
            assert_eq!(ended.unwrap(), Closing::Now);
            assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
        } else {
            assert!(matches!(ended, Err(Error::Query(_))));
        }
    }
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
}

/// F-DB-05: the same content again, also where another process writes it, is no error, and is there once.
#[tokio::test]
async fn the_same_again_is_a_success_f_db_05() {
    for place in places::places().await {
        let store = Store::open(place.url()).await.unwrap();
        let (brief, steps) = call();
        store.begin_call(&brief).await.unwrap();
        for _ in 0..3 {
            assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
        }
        let other = Store::open(place.url()).await.unwrap();
        other.begin_call(&brief).await.unwrap();
        assert_eq!(other.end_left_call(&brief.call, &steps).await.unwrap(), Closing::Before);
        assert_eq!(store.journal(&brief.call).await.unwrap(), steps);
    }
}

/// F-DB-12: PostgreSQL itself gives up what waits for a lock for too long, and what was begun and left.
#[tokio::test]
async fn postgresql_keeps_no_lock_and_no_wait_for_long_f_db_12() {
    let database = database().await;
    let store = Store::open(&database.url("offhook")).await.unwrap();
    let (brief, steps) = call();
    store.begin_call(&brief).await.unwrap();
    let mut other = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let mut held = other.begin().await.unwrap();
    held.execute("SELECT * FROM call FOR UPDATE").await.unwrap();
    let since = Instant::now();
    let error = store.end_call(&brief.call, &steps).await.unwrap_err();
    // lock_not_available
    let Error::Query(sqlx::Error::Database(error)) = &error else { panic!("{error}") };
    assert_eq!(error.code().as_deref(), Some("55P03"));
    let waited = since.elapsed();
    assert!((1_900..4_000).contains(&waited.as_millis()), "{waited:?}");
    held.rollback().await.unwrap();
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
    let mut admin = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'offhook' \
        AND datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut admin).await.unwrap(), 0);
}

/// F-DB-12: our side falls silent in the middle of a transaction, and the connection stays: a process that
/// hangs, or a network that takes nothing. PostgreSQL takes the transaction back, and with it its locks.
#[tokio::test]
async fn a_transaction_that_was_left_alone_is_taken_back_f_db_12() {
    let database = database().await;
    let between = Between::begin(&database).await;
    let store = Store::open(&between.url(&database)).await.unwrap();
    let (brief, steps) = call();
    store.begin_call(&brief).await.unwrap();
    between.cut_next(Cut::Silence);
    let (silent, call) = (store.clone(), brief.call.clone());
    let left = steps.clone();
    let ending = tokio::spawn(async move { silent.end_call(&call, &left).await });
    while between.cuts() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let mut other = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let take = "SELECT * FROM call FOR UPDATE NOWAIT";
    assert!(other.execute(take).await.is_err(), "its row is locked");
    let since = Instant::now();
    while other.execute(take).await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(15), "it is locked for good");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(ending.await.unwrap().is_err(), "and we are told that it was not done");
    assert_eq!(store.journal(&brief.call).await.unwrap(), []);
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
}

async fn database() -> postgres::Database {
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&server, Some(&owner)).await.unwrap();
    database
}

/// Where the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Cut {
    AfterCommit = 1,
    BeforeCommit = 2,
    /// It does not end: what would have committed is swallowed.
    Silence = 3,
}

/// Somebody between the server and PostgreSQL, who passes everything on until asked not to.
struct Between {
    folder: tempfile::TempDir,
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    next: AtomicU32,
    cuts: AtomicU32,
}

const SOCKET: &str = ".s.PGSQL.5432";

impl Between {
    async fn begin(database: &postgres::Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let orders = Arc::new(Orders::default());
        let (theirs, orders_of_all) = (host(database).join(SOCKET), Arc::clone(&orders));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, theirs.clone(), Arc::clone(&orders_of_all)));
            }
        });
        Self { folder, orders }
    }

    fn url(&self, database: &postgres::Database) -> String {
        let (theirs, ours) = (host(database), self.folder.path());
        let url = database.url("offhook");
        url.replace(&theirs.display().to_string(), &ours.display().to_string())
    }

    fn cut_next(&self, cut: Cut) {
        self.orders.next.store(cut as u32, Ordering::SeqCst);
    }

    fn cuts(&self) -> u32 {
        self.orders.cuts.load(Ordering::SeqCst)
    }
}

/// The folder of PostgreSQL's socket.
fn host(database: &postgres::Database) -> PathBuf {
    let url = database.url("offhook");
    let host = url.split_once("host=").unwrap().1.split('&').next().unwrap();
    Path::new(host).to_owned()
}

async fn pass_on(mut client: UnixStream, server: PathBuf, orders: Arc<Orders>) {
    let mut server = UnixStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut awaits_commit = false;
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let Ok(count @ 1..) = count else { return };
                let bytes = &asked[..count];
                let is_commit = bytes.windows(6).any(|word| word == b"COMMIT");
                let next = orders.next.load(Ordering::SeqCst);
                if is_commit && next != 0 {
                    orders.next.store(0, Ordering::SeqCst);
                    orders.cuts.fetch_add(1, Ordering::SeqCst);
                    if next == Cut::BeforeCommit as u32 {
                        return;
                    }
                    if next == Cut::Silence as u32 {
                        continue;
                    }
                    awaits_commit = true;
                }
                server.write_all(bytes).await.unwrap();
            }
            count = server.read(&mut answered) => {
                // What it says now is the answer that is lost.
                let Ok(count @ 1..) = count else { return };
                if awaits_commit {
                    return;
                }
                let _ = client.write_all(&answered[..count]).await;
            }
        }
    }
}
