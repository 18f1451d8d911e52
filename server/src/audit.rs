//! The audit log: what the agent was told, what was decided, what operators did, in files in which
//! every entry names the hash of the one before it.
//!
//! ```text
//! AUDIT_DIR/
//!   5f0c…/                one log: no two living processes write the same one
//!     lock                held as long as its process lives
//!     2026-11-23.jsonl    an entry in each line; a file for each day in UTC
//! ```
//!
//! A thread of its own writes it, behind a queue with a bound: no call waits for it. The next process
//! goes on with the log of one that is dead. How far a log has come is published to the database
//! ([`publish`]), so that whoever rewrites the files, or cuts them at their end, is found out by
//! [`verify`]. Entries are masked as the journal is. `docs/audit.md` tells all of it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use call_core::company::{AgentConfig, Company};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::company::prompt_hash;
use crate::store::Store;
use crate::times::now_us;
pub use call::CallAudit;
pub use chain::Head;
pub use line::{Hash, NotAHash};
pub use publish::{Publisher, publish};

mod call;
mod chain;
pub mod cuts;
mod line;
mod publish;
pub mod verify;
mod writer;

/// The audit log that this process writes. Cloning is cheap and gives the same one.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The name of its log.
    log: Arc<str>,
    writer: SyncSender<Order>,
    state: Arc<State>,
}

/// Something that is to be known later.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, in microseconds since 1970-01-01 UTC.
    at_us: i64,
    /// The company's short name, or [`SERVER`].
    company: String,
    /// The carrier's name of the call.
    call: Option<String>,
    kind: Kind,
    /// A JSON object, masked.
    body: Value,
    /// Written whole where it is new in a file, and named by its hash afterwards.
    content: Option<Value>,
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file begins: its log and its day.
    Begin,
    /// The bytes before it were torn off by a crash or by a disk that was full.
    Recovered,
    /// So many entries were not written, because the disk took nothing for too long.
    Lost,
    /// A server began to write: its version.
    ServerStarted,
    /// It ended in order.
    ServerStopped,
    /// A company's configuration is served.
    ConfigurationInUse,
    /// A version of a company's configuration became the one that calls get.
    ConfigurationActivated,
    /// A company was taken off the line: no call gets its configuration any more.
    ConfigurationDeactivated,
    /// A text in full, with the hash that names it from there on in this file.
    Content,
    /// What an agent's session was told to be.
    Settings,
    /// A call began: on which configuration.
    CallStarted,
    /// Something was decided in a call.
    Decision,
    /// An operator took a hand.
    Operator,
    /// Something was deleted because its time was over.
    Deleted,
    /// Files of logs were removed because their time was over: where each log begins now.
    Shortened,
    /// Somebody heard the recording of a call, or fetched it to be heard.
    RecordingHeard,
    /// A call ended, and why.
    CallEnded,
}

impl Kind {
    /// Whether the machine must keep it before anything else is written; other entries follow within
    /// a second.
    const fn is_urgent(self) -> bool {
        match self {
            Self::Recovered
            | Self::Lost
            | Self::ServerStarted
            | Self::ServerStopped
            | Self::ConfigurationActivated
            | Self::ConfigurationDeactivated
            | Self::Operator
            | Self::Deleted
            | Self::Shortened
            | Self::RecordingHeard
            | Self::CallEnded => true,
            Self::Begin
            | Self::ConfigurationInUse
            | Self::Content
            | Self::Settings
            | Self::CallStarted
            | Self::Decision => false,
        }
    }
}

/// Stands in place of a company for what is no company's own.
pub const SERVER: &str = "*";

impl Entry {
    /// An entry of this moment. `body` is a JSON object, and masked.
    pub fn new(kind: Kind, company: &str, body: Value) -> Self {
        let at_us = now_us();
        let body = if body.is_object() { body } else { json!({ "value": body }) };
        Self { at_us, company: company.to_owned(), call: None, kind, body, content: None }
    }

    /// The same, about a call.
    #[must_use]
    pub fn of_call(self, call: &str) -> Self {
        Self { call: Some(call.to_owned()), ..self }
    }

    /// The same, with something long that many entries are about: it is written once in a file, and
    /// its hash stands in the body of each.
    #[must_use]
    pub fn about(self, content: Value) -> Self {
        Self { content: Some(content), ..self }
    }

    /// A call ended of which no step tells how, because nobody here saw it end.
    pub(crate) fn call_lost(company: &str, call: &str, reason: &str) -> Self {
        Self::new(Kind::CallEnded, company, json!({ "reason": reason })).of_call(call)
    }

    /// What an operator did by a command: `wants` names it, as in the entries of the interface.
    pub(crate) fn of_operator(operator: &str, wants: &str, company: &str, more: &Value) -> Self {
        let mut body = json!({ "operator": operator, "wants": wants, "done": true });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        Self::new(Kind::Operator, company, body)
    }

    /// The same, at another time: in microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn at(self, at_us: i64) -> Self {
        Self { at_us, ..self }
    }

    /// When, whose, of which call, what about, and what: as the database keeps it until it is in a log.
    pub(crate) fn parts(&self) -> (i64, &str, Option<&str>, Kind, &Value) {
        (self.at_us, &self.company, self.call.as_deref(), self.kind, &self.body)
    }
}

/// What is shared with the writing thread.
#[derive(Debug, Default)]
struct State {
    /// The disk does not take what it is given.
    is_failing: AtomicBool,
    /// Entries that nobody could keep, and of which the log does not tell yet.
    untold: AtomicU64,
    written: AtomicU64,
    lost: AtomicU64,
}

impl State {
    fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.untold.fetch_add(1, Ordering::Relaxed);
    }
}

enum Order {
    Write(Entry),
    /// Everything before this is on the disk to stay, or is not: then nothing comes back.
    Settle(oneshot::Sender<Settled>),
}

/// How an audit log stands.
#[derive(Debug, Clone, Copy)]
pub struct AuditReport {
    /// How many entries were written and how many were lost, by these words.
    pub counts: [(&'static str, u64); 2],
    /// Whether it keeps what it is given.
    pub is_well: bool,
}

/// How far a log is on the disk to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its last entry.
    pub head: Head,
    /// The last entries of all days that came to their end since the process began.
    pub day_ends: Vec<Head>,
}

impl Audit {
    /// Opens a log of this process's own in a folder that all processes on this machine may share,
    /// and that is made if it is missing.
    ///
    /// # Errors
    /// When no log can be opened there.
    pub fn open(root: &Path) -> io::Result<Self> {
        let chain = chain::Chain::open(root)?;
        let log = chain.name().into();
        let (writer, orders) = mpsc::sync_channel(ORDERS_MAX);
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer::Writer::new(chain, &shared).run(&orders))?;
        Ok(Self { log, writer, state })
    }

    /// Has an entry written. Waits for nothing: where the disk is too far behind, the entry is lost,
    /// which the log tells of as soon as it can.
    pub fn append(&self, entry: Entry) {
        if self.writer.try_send(Order::Write(entry)).is_err() {
            self.state.lose();
        }
    }

    /// The name of the log: its folder's.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// How many entries nobody could keep so far.
    fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// Whether what is decided now is put on record. While it is not, nothing is done that must be
    /// proven later (F-PR-08).
    pub fn is_well(&self) -> bool {
        !self.state.is_failing.load(Ordering::Relaxed)
            && self.state.untold.load(Ordering::Relaxed) == 0
    }

    /// How far the log is on the disk to stay, once that holds for everything appended so far; nothing
    /// where it does not hold within two seconds.
    pub async fn settled(&self) -> Option<Settled> {
        let (settled, is_settled) = oneshot::channel();
        self.writer.try_send(Order::Settle(settled)).ok()?;
        timeout(PATIENCE, is_settled).await.ok()?.ok()
    }

    /// Writes an entry without which nothing may be done. Whether it is on the disk to stay, and nothing was
    /// lost on the way; if not, it may still come there.
    pub async fn put_on_record(&self, entry: Entry) -> bool {
        let lost = self.lost();
        self.append(entry);
        self.settled().await.is_some() && self.lost() == lost
    }

    /// How it stands.
    pub fn report(&self) -> AuditReport {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = [("written", count(&self.state.written)), ("lost", count(&self.state.lost))];
        AuditReport { counts, is_well: self.is_well() }
    }

    /// Puts on record which configuration of a company calls get from now on, or got until now.
    pub(crate) fn configuration(&self, kind: Kind, company: &Company) {
        let prompt = |agent: &AgentConfig| prompt_hash(&agent.prompt);
        let prompts: BTreeMap<_, _> = company
            .agents
            .iter()
            .map(|(language, agent)| (language.tag(), prompt(agent)))
            .collect();
        let body = json!({ "version": company.version, "prompt_hashes": prompts });
        self.append(Entry::new(kind, &company.id, body));
    }

    /// Says that this server begins, and in which version.
    pub fn server_started(&self) {
        let body = json!({ "version": env!("CARGO_PKG_VERSION"), "process": std::process::id() });
        self.append(Entry::new(Kind::ServerStarted, SERVER, body));
    }

    /// Says that it ended in order, and publishes that.
    pub async fn server_stopped(&self, store: &Store) {
        let body = json!({ "version": env!("CARGO_PKG_VERSION") });
        // What an operator did a moment ago is not left to the next server.
        let mut publisher = Publisher::default();
        publisher.tell_notes(self, store).await;
        self.append(Entry::new(Kind::ServerStopped, SERVER, body));
        publisher.publish(self, store).await;
    }
}

/// Entries that may wait for the disk, of all calls together: some minutes of a hundred calls.
const ORDERS_MAX: usize = 16_384;

/// How long somebody waits who must know that an entry is kept.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
