//! Calls come in all the time, while the server, its database and the disk of its spool are taken away
//! and given back, as chance has it. Afterwards every call has its one record under an epoch that it can
//! have, no line of a journal is lost or doubled, and the audit log is proven by the command that
//! operators prove it with.
//!
//! `CHAOS_MISHAPS` makes it longer, `CHAOS_SEED` has other things go wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

#[path = "chaos/disk.rs"]
mod disk;
mod postgres;
mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use call_transports::deepgram::AGENT_PATH;
use call_transports::twilio::Sid;
use disk::{Disk, Spooled};
use reqwest::StatusCode;
use server::store::Store;
use sim::Scenario;
use sim::replay::replay;
use sim::seed::Seed;
use sqlx::{Connection as _, PgConnection};
use standin::twilio::Number;
use standin::{Deepgram, Twilio};
use support::process::{Process, free};
use support::{ACCOUNT, AUTH_TOKEN, Door, Server, pause};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How much goes wrong where nobody says.
const MISHAPS: u64 = 6;

/// How often another call comes.
const EVERY: Duration = Duration::from_millis(400);

/// Calls still come for so long after all is well, and end as they should.
const LAST: Duration = Duration::from_secs(2);

/// How long records may be without an end after everything is well again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// The process is killed, and started again a little later.
    ServerDies,
    /// The database crashes, and comes back a little later.
    DatabaseDies,
    /// The database takes no changes for a while, and says so to whoever asks.
    DatabaseIsReadOnly,
    /// The process is killed while the database is away.
    BothDie,
    /// The disk of the spool is full for a while.
    DiskFills,
    /// The process is killed while the disk of the spool is full, and started again on it.
    DiskFillsAndServerDies,
}

const ALL: [Mishap; 6] = [
    Mishap::ServerDies,
    Mishap::DatabaseDies,
    Mishap::DatabaseIsReadOnly,
    Mishap::BothDie,
    Mishap::DiskFills,
    Mishap::DiskFillsAndServerDies,
];

/// I-18, I-25, I-27, F-PR-03, F-DB-02, F-DB-08, F-DB-13, S25.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_has_one_record_whatever_is_taken_away_i_18_i_25() {
    let (mishaps, seed) = (number("CHAOS_MISHAPS", MISHAPS), number("CHAOS_SEED", 1));
    println!("CHAOS_MISHAPS={mishaps} CHAOS_SEED={seed}");
    let mut town = Town::begin().await;
    let enough = CancellationToken::new();
    let (twilio, number, scenario) = (town.twilio.clone(), town.number(), town.scenario());
    let placing = tokio::spawn(place(twilio, number, scenario, enough.clone()));
    let mut chance = Seed::new(seed);
    let mut spooled = Vec::new();
    let mut to_come = Vec::new();
    for _ in 0..mishaps {
        sleep(Duration::from_millis(chance.between(500, 4_000))).await;
        if to_come.is_empty() {
            to_come = in_any_order(&mut chance);
        }
        let mishap = to_come.pop().unwrap();
        println!("{mishap:?}");
        spooled.extend(town.suffer(mishap, &mut chance).await);
    }
    sleep(LAST).await;
    enough.cancel();
    let whole = placing.await.unwrap();
    town.server.kill();
    spooled.extend(town.disk.spooled());

    let store = town.settle().await;
    for call in &whole {
        let record = store.call(call.as_str()).await.unwrap();
        assert!(record.is_some(), "{call} was not disturbed and has no record");
    }
    for (call, lines) in &spooled {
        let steps = store.journal(call).await.unwrap();
        let text: Vec<_> = steps.iter().map(|step| serde_json::to_string(step).unwrap()).collect();
        assert!(text.starts_with(lines), "{call}: a line that was on disk is lost or changed");
    }
    let reasons = reasons(&store, &town.calls().await).await;
    assert_eq!(town.strange_epochs().await, [""; 0]);
    town.prove_audit();
    println!("{} calls the carrier had no trouble with; ended: {reasons:?}", whole.len());
    assert!(reasons.contains_key("agent_hangup"), "some calls end as they should");
    assert!(reasons.contains_key("internal"), "some calls are cut");
}

/// Each of them once, so that a short run meets all.
fn in_any_order(chance: &mut Seed) -> Vec<Mishap> {
    let mut left = ALL.to_vec();
    let mut order = Vec::new();
    while let Some(last) = left.len().checked_sub(1) {
        let at = chance.between(0, u64::try_from(last).unwrap());
        order.push(left.swap_remove(usize::try_from(at).unwrap()));
    }
    order
}

/// Places a call every now and then, and waits for the last to end. Returns those in which the carrier
/// saw nothing go wrong.
async fn place(
    twilio: Twilio,
    number: Number,
    scenario: Arc<Scenario>,
    enough: CancellationToken,
) -> Vec<Sid> {
    let mut calls = JoinSet::new();
    while !enough.is_cancelled() {
        let call = Sid::parse(&format!("CA{:032x}", calls.len() + 1)).unwrap();
        let (twilio, number, scenario) = (twilio.clone(), number.clone(), Arc::clone(&scenario));
        calls.spawn(async move {
            let outcome = twilio.call(&call, &number, &scenario).await.ok()?;
            outcome.carrier.map(|_| call)
        });
        sleep(EVERY).await;
    }
    calls.join_all().await.into_iter().flatten().collect()
}

/// Why calls ended. Each has an end, and a journal in which nothing is missing.
async fn reasons(store: &Store, calls: &[String]) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for call in calls {
        let record = store.call(call).await.unwrap().unwrap();
        let ended = record.ended.unwrap_or_else(|| panic!("{call} has no end"));
        assert!(ended.at_us >= record.started_us && ended.duration_ms >= 0, "{call}");
        let steps = store.journal(call).await.unwrap();
        // One that was cut may end between two steps of one moment.
        let difference = replay(&steps).filter(|difference| difference.recorded.is_some());
        assert_eq!(difference, None, "{call} does not replay");
        *reasons.entry(ended.reason).or_default() += 1;
    }
    reasons
}

/// Everything there is: providers, database, disk, and a server in a process of its own.
struct Town {
    scenario: Arc<Scenario>,
    twilio: Twilio,
    rest: SocketAddr,
    server: Process,
    address: SocketAddr,
    settings: Vec<(&'static str, String)>,
    database: postgres::Database,
    disk: Disk,
    folder: TempDir,
}

impl Town {
    async fn begin() -> Self {
        call_transports::net::install_crypto();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/s20_farewell_lock.ron");
        let scenario = Arc::new(Scenario::load(&file).unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let twilio = Twilio::new(Sid::parse(ACCOUNT).unwrap(), AUTH_TOKEN, http);
        let rest = serve(twilio.router()).await;
        let deepgram = serve(Deepgram::new(Arc::clone(&scenario), "key").router()).await;
        let database = postgres::Database::new().await;
        let (url, owner) = (database.url("offhook"), database.url("offhook_owner"));
        Store::migrate(&url, Some(&owner)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path().join("spool"));
        let address = free();
        let settings = vec![
            ("RUST_LOG", "off".to_owned()),
            ("PUBLIC_URL", format!("http://{address}")),
            ("DATABASE_URL", url),
            ("TWILIO_API_URL", format!("http://{rest}")),
            ("DEEPGRAM_AGENT_URL", format!("ws://{deepgram}{AGENT_PATH}")),
            ("DEEPGRAM_SPEAK_URL", format!("http://{deepgram}")),
        ];
        let server = start(address, folder.path(), &settings).await;
        Self { scenario, twilio, rest, server, address, settings, database, disk, folder }
    }

    fn scenario(&self) -> Arc<Scenario> {
        Arc::clone(&self.scenario)
    }

    fn number(&self) -> Number {
        let at = |path| format!("http://{}/twilio/{path}", self.address);
        Number { voice: at("inbound_call"), status: Some(at("call-status")) }
    }

    /// Something goes wrong, and is well again. Returns what was on disk when the process was dead.
    async fn suffer(&mut self, mishap: Mishap, chance: &mut Seed) -> Spooled {
        use Mishap::{
            BothDie, DatabaseDies, DatabaseIsReadOnly, DiskFills, DiskFillsAndServerDies,
            ServerDies,
        };
        let mut a_while = || sleep(Duration::from_millis(chance.between(100, 2_000)));
        let (first, second) = (a_while(), a_while());
        let mut spooled = Vec::new();
        match mishap {
            ServerDies => {}
            DatabaseDies | BothDie => postgres::Database::crash().await,
            DatabaseIsReadOnly => {
                postgres::Database::read_only(true).await;
                self.says_ready(StatusCode::SERVICE_UNAVAILABLE).await;
            }
            DiskFills | DiskFillsAndServerDies => self.disk.fill(),
        }
        first.await;
        if matches!(mishap, ServerDies | BothDie | DiskFillsAndServerDies) {
            self.server.kill();
            spooled = self.disk.spooled();
        }
        if mishap == DiskFillsAndServerDies {
            self.server = start(self.address, self.folder.path(), &self.settings).await;
        }
        second.await;
        match mishap {
            ServerDies => {}
            DatabaseDies | BothDie => postgres::Database::recover().await,
            DatabaseIsReadOnly => {
                postgres::Database::read_only(false).await;
                self.says_ready(StatusCode::OK).await;
            }
            DiskFills | DiskFillsAndServerDies => self.disk.empty(),
        }
        if matches!(mishap, ServerDies | BothDie) {
            self.server = start(self.address, self.folder.path(), &self.settings).await;
        }
        spooled
    }

    /// All is well, and another server closes what is left. It asks the carrier at once, not after
    /// minutes.
    async fn settle(&self) -> Store {
        let nowhere = self.folder.path().join("nothing.db");
        let mut server = Server::start_on(&nowhere, |config| {
            config.database_url = self.database.url("offhook").into();
            config.spool = self.disk.folder.clone();
            // It goes on with the log of the last one that was killed.
            config.audit = self.audit();
            config.twilio.api_url = format!("http://{}", self.rest);
            config.twilio.auth_tokens = vec![AUTH_TOKEN.into()];
            config.orphan_limit = Duration::from_millis(500);
        })
        .await;
        let store = server.app.store().clone();
        let closed = async {
            while !store.unended().await.unwrap().is_empty() {
                pause().await;
            }
        };
        let left = timeout(PATIENCE, closed).await;
        assert!(left.is_ok(), "without an end: {:?}", store.unended().await.unwrap());
        assert_eq!(self.disk.spooled(), [], "nothing waits on disk any more");
        server.end();
        (&mut server.serving).await.unwrap().unwrap();
        Store::open(&self.database.url("offhook")).await.unwrap()
    }

    /// Waits until the server says this of itself, and goes on saying it: once, it may just have had no
    /// connection free.
    async fn says_ready(&self, status: StatusCode) {
        let door = Door::to(self.address);
        let said = async {
            let mut in_a_row = 0;
            while in_a_row < 10 {
                in_a_row = if door.get("/ready").await == status { in_a_row + 1 } else { 0 };
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("/ready does not say {status}"));
    }

    fn audit(&self) -> PathBuf {
        self.folder.path().join("audit")
    }

    /// What was published is in the files, and nothing in them was torn without being told of.
    fn prove_audit(&self) {
        let verified = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["audit", "verify"])
            .arg(self.audit())
            .env("DATABASE_URL", self.database.url("offhook"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&verified.stdout);
        println!("{told}");
        assert_eq!(verified.status.code(), Some(0), "{told}");
        assert!(told.contains("published heads"), "{told}");
    }

    /// Calls whose epoch is none that a call can come to, or whose journal was not written by one
    /// process, under one epoch, that had the call by then.
    async fn strange_epochs(&self) -> Vec<String> {
        let mut admin = PgConnection::connect(&self.database.url("postgres")).await.unwrap();
        let strange = "SELECT c.sid FROM call c \
            LEFT JOIN (SELECT call_sid, min(epoch) AS first, max(epoch) AS last, count(*) AS steps \
            FROM conversation_log GROUP BY call_sid) l ON l.call_sid = c.sid \
            LEFT JOIN summary s ON s.call_sid = c.sid \
            WHERE c.epoch NOT IN (1, 2) OR c.owner IS NULL OR l.first <> l.last \
            OR l.last > c.epoch OR s.epoch <> l.last OR s.steps <> l.steps \
            OR (l.steps IS NULL) <> (s.steps IS NULL)";
        sqlx::query_scalar(strange).fetch_all(&mut admin).await.unwrap()
    }

    /// All calls that have a record.
    async fn calls(&self) -> Vec<String> {
        let mut admin = PgConnection::connect(&self.database.url("postgres")).await.unwrap();
        sqlx::query_scalar("SELECT sid FROM call ORDER BY sid").fetch_all(&mut admin).await.unwrap()
    }
}

async fn start(address: SocketAddr, folder: &Path, settings: &[(&str, String)]) -> Process {
    Process::start_at(address, folder, "exec \"$0\"", Stdio::null(), settings).await
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(default, |given| given.parse().expect("a whole number"))
}
