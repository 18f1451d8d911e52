//! A store that is there and of no use: slow, without a free connection, or read-only. Callers notice
//! nothing, and what they said is on record when the store is of use again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;
mod support;

use std::time::{Duration, Instant};

use call_transports::twilio::Sid;
use call_transports::twilio::webhook::decode_form;
use places::Place;
use reqwest::StatusCode;
use server::app::App;
use server::spool::{self, Left};
use server::store::Store;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use support::world::{Leg, World};
use support::{AFTER_STREAM, CALL, STREAM, Server, pause, token_of, voice_inbound, with};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// F-DB-03, F-WH-11: somebody holds locks on all that is written of a call. It is answered, talks and ends
/// as it would have, and its record is whole when the locks are gone.
#[tokio::test]
async fn a_slow_store_holds_up_neither_audio_nor_webhooks_f_db_03_f_wh_11() {
    for place in places::places().await {
        let (world, server) = stage(&place).await;
        let held = Held::by(&place, "call, conversation_log, summary, caller, recording").await;
        a_call_notices_nothing(&world, &server).await;
        held.release().await;
        is_on_record(&server.app).await;
    }
}

/// F-DB-03, F-WH-11: what is told of a recording while the store is slow is refused before the carrier
/// gives up waiting, and kept when it is told again.
#[tokio::test]
async fn a_slow_store_does_not_hold_up_what_is_told_of_a_recording_f_wh_11() {
    for place in places::places().await {
        let (_world, server) = stage(&place).await;
        let held = Held::by(&place, "recording").await;
        let body =
            include_str!("../../transports/fixtures/twilio/webhooks/recording_completed.form");
        let form = decode_form(body.trim_end().as_bytes()).unwrap();
        let told = "/twilio/recording_callback?company=summit";
        let (took, (status, _)) = timed(server.post(told, &form)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(took < ANSWER, "the webhook took {took:?}");
        held.release().await;
        assert_eq!(server.post(told, &form).await.0, StatusCode::NO_CONTENT);
        assert_eq!(server.app.store().recordings(CALL).await.unwrap().len(), 1);
    }
}

/// F-DB-04: every connection is in use by somebody who looks at something else, and dozens wait for one.
/// Calls need none, and are on record when there is one again. Nothing that moves money is in the store
/// so far, so nothing has a connection of its own.
#[tokio::test]
async fn calls_go_on_while_every_connection_is_in_use_f_db_04() {
    for place in places::places().await {
        let (world, server) = stage(&place).await;
        // No call touches this table.
        let held = Held::by(&place, "audit_head").await;
        let mut crowd = JoinSet::new();
        for _ in 0..60 {
            let (store, is_file) =
                (server.app.store().clone(), matches!(place, Place::Sqlite { .. }));
            crowd.spawn(async move {
                loop {
                    // What a lock on one table holds up in PostgreSQL, and one on all in a file.
                    let _ = if is_file {
                        store.try_to_write().await
                    } else {
                        store.heads().await.map(drop)
                    };
                }
            });
        }
        sleep(Duration::from_millis(300)).await;
        let look = server.app.store().call(CALL);
        assert!(timeout(Duration::from_secs(1), look).await.is_err(), "a connection is free");
        assert_eq!(server.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(server.get("/health").await, StatusCode::OK);
        a_call_notices_nothing(&world, &server).await;
        crowd.shutdown().await;
        held.release().await;
        is_on_record(&server.app).await;
        assert_eq!(server.get("/ready").await, StatusCode::OK);
    }
}

/// F-DB-08: the connections end, and whoever answers at the address now takes no changes. That counts as
/// no database: the server says that it is not ready, the call goes on, and its journal waits in the spool.
/// It is written once when changes are taken again, without anybody restarting anything.
#[tokio::test]
async fn a_read_only_database_counts_as_down_f_db_08() {
    let [_, place] = places::places().await;
    let (world, server) = stage(&place).await;
    assert_eq!(server.get("/ready").await, StatusCode::OK);
    set_read_only(&place, true).await;
    assert_eq!(server.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    let opened = Store::open(place.url()).await;
    assert!(opened.is_err(), "a server that starts now does not take it either");
    // Whoever only looks may look at it.
    Store::open_to_look(place.url()).await.unwrap().calls(&Default::default()).await.unwrap();

    a_call_notices_nothing(&world, &server).await;
    let (spool, call) = (server.app.spool(), Sid::parse(CALL).unwrap());
    let left = async {
        while spool.waiting().is_empty() {
            pause().await;
        }
    };
    timeout(PATIENCE, left).await.unwrap();
    spool::drain_once(spool, server.app.store()).await;
    assert_eq!(spool.waiting(), [(call, Left::ByUs)], "it is not given up");
    assert!(place.lines("SELECT sid FROM call").await.is_empty());

    set_read_only(&place, false).await;
    is_on_record(&server.app).await;
    assert_eq!(spool.waiting(), []);
    assert_eq!(place.lines("SELECT sid FROM call").await, [CALL]);
    assert_eq!(server.get("/ready").await, StatusCode::OK);
}

/// A server of a company whose callers are asked again after a second of silence.
async fn stage(place: &Place) -> (World, Server) {
    let world = World::begin().await;
    let url = place.url().to_owned();
    let limits = "silence_prompt = 1000\nsilence_farewell = 60000";
    let server = world.server_with(limits, |config| config.database_url = url.into()).await;
    (world, server)
}

/// A call from its webhook to the agent's goodbye, while the store is of no use.
async fn a_call_notices_nothing(world: &World, server: &Server) {
    let (took, stream) = timed(server.inbound(&voice_inbound())).await;
    assert!(took < ANSWER, "the webhook took {took:?}");
    let began = Instant::now();
    let mut leg = Leg::open(server, STREAM, &token_of(&stream)).await;
    leg.hears_a_line().await;
    assert!(began.elapsed() < SPOKEN, "the opening came after {:?}", began.elapsed());
    let (took, ()) = timed(leg.hears_a_line()).await;
    assert!(took < Duration::from_secs(1) + SPOKEN, "the prompt came after {took:?}");
    // Twilio asks for another call meanwhile, and for one that nobody here remembers.
    let other = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    let (took, _) = timed(leg.playing(server.post(AFTER_STREAM, &other))).await;
    assert!(took < ANSWER, "the webhook took {took:?}");
    world.ask("f1", "hangup_call", "{}");
    let (took, ()) = timed(leg.hears_a_line()).await;
    assert!(took < SPOKEN, "the farewell came after {took:?}");
    let over = async {
        while server.app.live() > 0 {
            pause().await;
        }
    };
    let (took, ()) = timed(leg.playing(over)).await;
    assert!(took < SPOKEN, "the call was over after {took:?}");
}

/// The call's record comes, with the whole of its journal.
async fn is_on_record(app: &App) {
    let ended = async {
        loop {
            spool::drain_once(app.spool(), app.store()).await;
            let record = app.store().call(CALL).await.ok().flatten();
            if let Some(ended) = record.and_then(|record| record.ended) {
                return ended;
            }
            pause().await;
        }
    };
    let ended = timeout(PATIENCE, ended).await.expect("the record comes");
    assert_eq!(ended.reason, "agent_hangup");
    let steps = app.store().journal(CALL).await.unwrap();
    let differs = sim::replay::replay(&steps);
    assert_eq!(differs, None, "a step is missing");
}

/// Another connection that keeps others from changing what it has locked: in PostgreSQL these tables, and
/// from reading them; in SQLite the file.
enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Held {
    async fn by(place: &Place, tables: &str) -> Self {
        match place {
            Place::Sqlite { url, .. } => {
                let mut connection = SqliteConnection::connect(url).await.unwrap();
                connection.execute("BEGIN IMMEDIATE").await.unwrap();
                Self::Sqlite(connection)
            }
            Place::Postgres { all, .. } => {
                let mut connection = PgConnection::connect(all).await.unwrap();
                let lock = format!("BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
                let lock = sqlx::raw_sql(sqlx::AssertSqlSafe(lock));
                connection.execute(lock).await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    async fn release(self) {
        match self {
            Self::Sqlite(mut connection) => connection.execute("ROLLBACK").await.map(drop),
            Self::Postgres(mut connection) => connection.execute("ROLLBACK").await.map(drop),
        }
        .unwrap();
    }
}

/// Makes the database read-only for the server, as one that another has taken over from. Connections that
/// are there end, as they do then; when it takes changes again they need not.
async fn set_read_only(place: &Place, is_on: bool) {
    let Place::Postgres { all, .. } = place else { panic!("a file has no server") };
    let mut admin = PgConnection::connect(all).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut admin).await.unwrap();
    let set = format!(
        "ALTER ROLE offhook IN DATABASE {name} SET default_transaction_read_only = {is_on}"
    );
    admin.execute(sqlx::AssertSqlSafe(set)).await.unwrap();
    if is_on {
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
            WHERE usename = 'offhook' AND datname = current_database()";
        admin.execute(end).await.unwrap();
    }
}

async fn timed<T>(what: impl Future<Output = T>) -> (Duration, T) {
    let since = Instant::now();
    let done = what.await;
    (since.elapsed(), done)
}

/// Twilio gives a webhook 15 s. We wait half a second for the store.
const ANSWER: Duration = Duration::from_secs(3);

/// How long a line may take, on a machine that is busy. A statement that waits for a lock takes 2 s, and
/// whoever waits for a connection 5.
const SPOKEN: Duration = Duration::from_millis(1_900);

const PATIENCE: Duration = Duration::from_secs(30);
