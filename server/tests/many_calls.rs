//! How long the store takes where it holds a million calls. Not part of the tests that are always run:
//! `cargo test --release -p server --test many_calls -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::time::{Duration, Instant};

use call_core::summary::Outcome;
use places::{call, call_of};
use server::store::{Filter, Scope, Status, Store};
use sqlx::{Connection as _, Executor as _, PgConnection};

/// So many calls, half a minute apart: a year of them.
const CALLS: i64 = 1_000_000;

/// The last so many have journals, of this many steps each.
const WITH_JOURNAL: i64 = 6_000;
const STEPS: i64 = 200;

/// Whoever looks at calls does not wait for longer.
const LIMIT: Duration = Duration::from_millis(50);

#[tokio::test]
#[ignore = "fills a database for minutes"]
async fn a_million_calls_are_listed_and_told_at_once() {
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&server, Some(&owner)).await.unwrap();
    let store = Store::open(&server).await.unwrap();
    let mut admin = PgConnection::connect(&database.url("postgres")).await.unwrap();
    let (mut brief, _) = call();
    brief.call = "CAffffffffffffffffffffffffffffffff".to_owned();
    let (_, steps) = call_of(brief.clone());
    store.end_call(&brief.call, &steps).await.unwrap();
    fill(&mut admin).await;
    admin.execute("VACUUM ANALYZE").await.unwrap();

    let all = || Filter { count: 50, ..Filter::default() };
    let company = || Some("company7".to_owned());
    let day_us = 86_400_000_000;
    let newest = store.calls(&all()).await.unwrap().calls[0].started_us;
    let since_us = Some(newest - 7 * day_us);
    let deep =
        store.calls(&Filter { until_us: Some(newest - 180 * day_us), ..all() }).await.unwrap();
    let lists = [
        ("the newest", all()),
        ("of one company", Filter { company: company(), ..all() }),
        ("of one company, ended by a fault", {
            let reason = Some("internal".to_owned());
            Filter { company: company(), reason, ..all() }
        }),
        ("that go on", Filter { status: Some(Status::Live), ..all() }),
        ("a page in the middle of the year", Filter { after: deep.next, ..all() }),
        ("of a week, in which money moved", {
            Filter { outcome: Some(Outcome::Paid), since_us, ..all() }
        }),
    ];
    for (what, filter) in &lists {
        let (took, calls) = best(|| async { store.calls(filter).await.unwrap().calls.len() }).await;
        println!("list   {what}: {calls} calls in {took:?}");
        assert!(calls > 0 && took < LIMIT, "{what}: {calls} calls in {took:?}");
    }
    // Words are read through, a row for each call: the time that is looked at decides.
    for (what, back) in [("an hour", day_us / 24), ("a day", day_us), ("two days", 2 * day_us)] {
        let said = Some("no such words".to_owned());
        let filter = Filter { said, since_us: Some(newest - back), ..all() };
        let (took, calls) =
            best(|| async { store.calls(&filter).await.unwrap().calls.len() }).await;
        println!("words  in {what}: {calls} calls in {took:?}");
    }
    let sid = store.calls(&all()).await.unwrap().calls[0].sid.clone();
    let scope = Scope::Company("company0");
    let (took, steps) =
        best(|| async { store.stored_journal_of(scope, &sid).await.unwrap().unwrap().steps.len() })
            .await;
    println!("journal of {steps} steps in {took:?}");
    assert!(steps == STEPS as usize && took < LIMIT, "{steps} steps in {took:?}");
    let (took, _) = best(|| async { store.call_of(scope, &sid).await.unwrap().unwrap() }).await;
    println!("record in {took:?}");
    assert!(took < LIMIT, "{took:?}");
    let (_, mut steps) = call_of(brief.clone());
    let last = steps[1].clone();
    steps.resize(STEPS as usize, last);
    let mut took = Duration::MAX;
    for number in 0..7 {
        let call_core::Cause::Started(brief) = &mut steps[0].cause else { panic!("no beginning") };
        brief.call = format!("CAfffffffffffffffffffffffffffffff{number}");
        let (sid, begin) = (brief.call.clone(), Instant::now());
        store.end_call(&sid, &steps).await.unwrap();
        took = took.min(begin.elapsed());
    }
    println!("a call of {STEPS} steps is closed in {took:?}");
    tell(&mut admin).await;
}

/// Rows as calls leave them, with the steps of a real journal.
async fn fill(admin: &mut PgConnection) {
    let begin = Instant::now();
    let calls = format!(
        "INSERT INTO call (sid, company, config_version, prompt_hash, language, direction, \
         from_masked, to_masked, started_us, journal_version, owner, status, ended_us, \
         duration_ms, end_reason) \
         SELECT 'CA' || lpad(to_hex(n), 32, '0'), 'company' || n % 10, 1, '0123456789abcdef', 'en', \
         'inbound', '+1******0101', '+1******0199', 1772463600000000 + n * 30000000, 3, \
         '5f0c2f5e-0000-4000-8000-000000000000', \
         CASE WHEN n > {CALLS} - 20 AND n % 2 = 0 THEN 'live' ELSE 'ended' END, \
         CASE WHEN n > {CALLS} - 20 AND n % 2 = 0 THEN NULL \
         ELSE 1772463600000000 + n * 30000000 + 180000000 END, \
         CASE WHEN n > {CALLS} - 20 AND n % 2 = 0 THEN NULL ELSE 180000 END, \
         CASE WHEN n > {CALLS} - 20 AND n % 2 = 0 THEN NULL \
         WHEN n % 500 < 10 THEN 'internal' ELSE 'caller_hangup' END \
         FROM generate_series(1::bigint, {CALLS}) n"
    );
    let steps = format!(
        "INSERT INTO conversation_log (call_sid, company, seq, at_ms, step) \
         SELECT sid, company, seq, seq * 900, \
         (SELECT step FROM conversation_log WHERE seq = 1 LIMIT 1) \
         FROM (SELECT sid, company FROM call WHERE company <> 'acme' \
         ORDER BY started_us DESC LIMIT {WITH_JOURNAL}) newest, \
         generate_series(0, {STEPS} - 1) seq"
    );
    // As long as what is said in some minutes, and as hard to pack: md5 stands for words.
    let summaries = format!(
        "INSERT INTO summary (call_sid, company, epoch, outcome, steps, bytes, summary, said) \
         SELECT sid, company, 1, CASE WHEN right(sid, 1) = '3' THEN 'paid' ELSE 'talked' END, \
         {STEPS}, 60000, (SELECT summary FROM summary LIMIT 1), \
         CASE WHEN number <= {WITH_JOURNAL} THEN (SELECT string_agg(md5(sid || part), ' ') \
         FROM generate_series(1, 75) part) ELSE 'few words' END \
         FROM (SELECT sid, company, row_number() OVER (ORDER BY started_us DESC) AS number \
         FROM call WHERE company <> 'acme') calls"
    );
    // What refers to what is right here, and need not be looked up five million times.
    admin.execute("SET session_replication_role = replica").await.unwrap();
    for statement in [calls, steps, summaries] {
        admin.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    println!("filled in {:?}", begin.elapsed());
}

/// The best of a few: the first one also reads the disk and makes the plan.
async fn best<T, F: Future<Output = T>>(look: impl Fn() -> F) -> (Duration, T) {
    let mut outcomes = Vec::new();
    for _ in 0..7 {
        let begin = Instant::now();
        let found = look().await;
        outcomes.push((begin.elapsed(), found));
    }
    outcomes.into_iter().min_by_key(|(took, _)| *took).unwrap()
}

/// What rows cost, and how PostgreSQL goes about it.
async fn tell(admin: &mut PgConnection) {
    let sizes = "SELECT relname || ': ' || reltuples::bigint || ' rows, ' || \
        pg_table_size(oid) / greatest(reltuples, 1)::bigint || ' bytes each, indexes ' || \
        pg_indexes_size(oid) / greatest(reltuples, 1)::bigint \
        FROM pg_class WHERE relname IN ('call', 'conversation_log', 'summary') ORDER BY 1";
    for line in sqlx::query_scalar::<_, String>(sizes).fetch_all(&mut *admin).await.unwrap() {
        println!("{line}");
    }
    admin.execute("SET ROLE offhook; SET offhook.company = 'company7'").await.unwrap();
    let list = "SELECT * FROM call WHERE company = 'company7' AND \
        (started_us, sid) < (1787463600000000, 'CA') ORDER BY started_us DESC, sid DESC LIMIT 51";
    let words = "SELECT * FROM call WHERE started_us >= 1772463600000000 + 997120 * 30000000::bigint AND EXISTS \
        (SELECT 1 FROM summary WHERE summary.call_sid = call.sid AND summary.said \
        LIKE '%no such words%' ESCAPE '\\') ORDER BY started_us DESC, sid DESC LIMIT 51";
    let story = "SELECT l.step, c.journal_version FROM conversation_log l \
        JOIN call c ON c.sid = l.call_sid WHERE l.call_sid = \
        'CA000000000000000000000000000f423d' AND 'company7' IN (l.company, '*') ORDER BY l.seq";
    for statement in [list, words, story] {
        println!("\n{statement}");
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}");
        let plan = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(explain));
        for line in plan.fetch_all(&mut *admin).await.unwrap() {
            println!("  {line}");
        }
    }
}
