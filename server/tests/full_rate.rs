//! Whether the store takes what a thousand calls at once leave behind. Not part of the tests that are
//! always run: `cargo test --release -p server --test full_rate -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::time::{Duration, Instant};

use call_core::{Brief, Cause, Step};
use call_transports::twilio::Sid;
use places::{Place, call_of};
use server::spool::Spool;
use server::store::{Closing, Store};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Calls at once, of so many steps and so long each: six are closed a second, and a thousand steps are
/// written.
const CALLS: u32 = 1_000;
const STEPS: usize = 180;
const LENGTH: Duration = Duration::from_secs(180);

/// How long it is measured.
const MEASURED: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute, and its numbers say something about a machine that does nothing else"]
async fn the_store_takes_what_a_thousand_calls_leave_behind() {
    for place in places::places().await {
        let kind = if matches!(place, Place::Sqlite { .. }) { "SQLite" } else { "PostgreSQL" };
        let store = Store::open(place.url()).await.unwrap();
        // One after the other, as fast as it goes.
        let mut alone = Vec::new();
        for number in 0..50 {
            alone.push(close(store.clone(), steps_of(1_000_000 + number)).await);
        }
        let each = alone.iter().sum::<Duration>() / u32::try_from(alone.len()).unwrap();
        println!(
            "{kind}: a call opened and closed in {each:?}, {:.0} a second",
            1.0 / each.as_secs_f64()
        );
        at_full_rate(kind, &store).await;
    }
}

/// Calls are closed and steps are spooled at the rate of a thousand calls.
async fn at_full_rate(kind: &str, store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    let mut journals: Vec<_> = (0..CALLS).map(|number| spool.begin(sid(number))).collect();
    let step = steps_of(0).remove(1);
    let mut closing = JoinSet::new();
    let (mut closes, mut ticks) = (interval(LENGTH / CALLS), interval(Duration::from_millis(10)));
    closes.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (since, before) = (Instant::now(), cpu());
    let (mut next, mut number, mut most, mut spooling) = (0, 0, 0, Duration::ZERO);
    let mut took = Vec::new();
    while since.elapsed() < MEASURED {
        tokio::select! {
            _ = ticks.tick() => {
                let begin = Instant::now();
                for _ in 0..10 {
                    journals[next].write(&step);
                    next = (next + 1) % journals.len();
                }
                spooling += begin.elapsed();
            }
            _ = closes.tick() => {
                closing.spawn(close(store.clone(), steps_of(number)));
                number += 1;
                most = most.max(closing.len());
            }
            Some(done) = closing.join_next() => took.push(done.unwrap()),
        }
    }
    let behind = closing.len();
    took.extend(closing.join_all().await);
    // What was given to the disk is there.
    let _ = spool.steps(&sid(0)).await.unwrap();
    let (all, used) = (since.elapsed(), cpu() - before);
    took.sort();
    let share = |part: Duration| 100.0 * part.as_secs_f64() / all.as_secs_f64();
    println!(
        "{kind}: {} calls closed in {all:?}: p50 {:?}, longest {:?}, at most {most} at once; a change \
         was under way for {:.1} % of the time",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1],
        share(took.iter().sum()),
    );
    println!(
        "{kind}: steps handed to the spool in {:.2} % of the time; this process used {:.1} % of a core",
        share(spooling),
        share(used),
    );
    assert!(behind < 10, "{behind} calls were not closed in time: the store falls behind");
    assert_eq!(spool.refused(), 0, "the spool falls behind");
}

/// Opens the record of a call and closes it with its journal.
async fn close(store: Store, steps: Vec<Step>) -> Duration {
    let Cause::Started(brief) = &steps[0].cause else { panic!("no beginning") };
    let since = Instant::now();
    store.begin_call(brief).await.unwrap();
    assert_eq!(store.end_call(&brief.call, &steps).await.unwrap(), Closing::Now);
    since.elapsed()
}

/// A journal as long as one is after some minutes.
fn steps_of(number: u32) -> Vec<Step> {
    let (_, mut steps) = call_of(Brief { call: sid(number).to_string(), ..Brief::example() });
    let last = steps[1].clone();
    steps.resize(STEPS, last);
    steps
}

fn sid(number: u32) -> Sid {
    Sid::parse(&format!("CA{number:032}")).unwrap()
}

/// How much of a processor this process has used so far: PostgreSQL's own processes are not in it.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Field 14 and 15 of the line are its own time, in hundredths of a second (proc(5)).
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(10 * ticks)
}
