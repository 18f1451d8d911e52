//! The spool: the journal of every call on the local disk, from its first step on.
//!
//! The store may be slow or gone, and the process may be killed, at any moment of a call. So each
//! step is first a line in a file of the call's own, written by a thread that no call waits for. When
//! the record is closed and the journal is in the store, the file goes. What the store did not take
//! stays here and is written later, by this process or by the next one that uses the folder.
//!
//! ```text
//! SPOOL_DIR/
//!   5f0c…/             one folder for each running process
//!     lock             held as long as the process lives
//!     CA….journal      a call: a line of JSON for each step, in order
//!     CA….unreadable   what no version of ours has written, for people to look at
//! ```
//!
//! A file is always the beginning of a journal: after a line that could not be written, none is. It
//! survives the process; it is not synced, so it may not survive the machine.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use call_core::step::Step;
use call_transports::twilio::Sid;
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::owned::{self, LOCK, MAKING};

pub use drain::{drain, drain_once};

mod drain;

/// The journals of this process's calls, and those that others left.
#[derive(Debug)]
pub struct Spool {
    /// The folder of this process.
    folder: PathBuf,
    writer: SyncSender<Order>,
    /// Calls that are over and that the store has not taken.
    left: Mutex<BTreeMap<Sid, Left>>,
    refused: Arc<AtomicU64>,
    /// Held open: with it goes the lock, and others may take what lies here.
    _lock: File,
}

/// The journal of one call, as it grows.
#[derive(Debug)]
pub struct Journal {
    call: Sid,
    writer: Option<SyncSender<Order>>,
    refused: Arc<AtomicU64>,
}

/// Whose call was left here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// This process's own.
    ByUs,
    /// That of a process that is dead.
    ByTheDead,
}

/// Why a journal in the spool cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    /// A line is no step, and is not the last one, which a dying process may have torn.
    #[error("line {line} is not a step of a journal")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

enum Order {
    Write(Sid, Vec<u8>),
    /// Everything before this is written.
    Settle(oneshot::Sender<()>),
    Forget(Sid),
}

impl Spool {
    /// Makes a folder for this process in a folder that all processes on this machine may share, and
    /// takes over what dead processes left there.
    ///
    /// # Errors
    /// When the folder cannot be made or used.
    pub fn open(root: &Path) -> io::Result<Self> {
        let (folder, lock) = owned::make(root)?;
        let left = adopt(root, &folder)?;
        let (writer, orders) = mpsc::sync_channel(ORDERS_MAX);
        let refused = Arc::new(AtomicU64::new(0));
        let to = (folder.clone(), Arc::clone(&refused));
        thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || write_all(&to.0, &orders, &to.1))?;
        Ok(Self { folder, writer, left: Mutex::new(left), refused, _lock: lock })
    }

    /// Begins the journal of a call.
    pub fn begin(&self, call: Sid) -> Journal {
        let writer = Some(self.writer.clone());
        Journal { call, writer, refused: Arc::clone(&self.refused) }
    }

    /// The steps of a call that are on disk once everything written so far is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn steps(&self, call: &Sid) -> Result<Vec<Step>, Error> {
        let (settled, is_settled) = oneshot::channel();
        if self.writer.try_send(Order::Settle(settled)).is_ok() {
            // If the thread is gone, what is there is all there will be.
            let _ = is_settled.await;
        }
        let file = journal(&self.folder, call);
        read(&tokio::fs::read(file).await?)
    }

    /// The journal is in the store, and needed here no longer.
    pub fn forget(&self, call: &Sid) {
        self.left().remove(call);
        // A file that stays is read once more, and found in the store then.
        let _ = self.writer.try_send(Order::Forget(call.clone()));
    }

    /// The call is over, and the store did not take its journal.
    pub fn leave(&self, call: Sid) {
        self.left().entry(call).or_insert(Left::ByUs);
    }

    /// The calls that are over and that the store has not taken.
    pub fn waiting(&self) -> Vec<(Sid, Left)> {
        self.left().iter().map(|(call, left)| (call.clone(), *left)).collect()
    }

    /// Puts a journal aside that cannot be read, where nobody takes it for one, and nobody loses it.
    pub fn set_aside(&self, call: &Sid) {
        self.left().remove(call);
        let file = journal(&self.folder, call);
        if let Err(error) = fs::rename(&file, file.with_extension("unreadable")) {
            warn!(%call, %error, "a journal that cannot be read cannot be put aside");
        }
    }

    /// How many journals could not be written to the end.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn left(&self) -> MutexGuard<'_, BTreeMap<Sid, Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// Hands a step to the writing thread. If that is too far behind, nothing more is written of this
    /// call: half a journal can be told from a whole one, one with a gap cannot. Returns how many bytes
    /// the step is long as a line, written or not.
    pub fn write(&mut self, step: &Step) -> usize {
        let line = serde_json::to_vec(step).map(|mut line| {
            line.push(b'\n');
            line
        });
        let bytes = line.as_ref().map_or(0, Vec::len);
        let Some(writer) = &self.writer else { return bytes };
        let written =
            line.is_ok_and(|line| writer.try_send(Order::Write(self.call.clone(), line)).is_ok());
        if !written {
            self.refused.fetch_add(1, Ordering::Relaxed);
            error!(call = %self.call, "a journal is no longer written to the spool");
            self.writer = None;
        }
        bytes
    }
}

/// Takes over the journals of processes that are dead, and says whose calls they are.
fn adopt(root: &Path, folder: &Path) -> io::Result<BTreeMap<Sid, Left>> {
    let mut left = BTreeMap::new();
    for theirs in fs::read_dir(root)?.flatten().map(|entry| entry.path()) {
        // A folder without a lock is not ours.
        let Ok(lock) = File::open(theirs.join(LOCK)) else { continue };
        let is_in_use = theirs == folder || lock.try_lock().is_err();
        let name = theirs.file_name().unwrap_or_default().to_string_lossy();
        if is_in_use || name.starts_with(MAKING) {
            continue;
        }
        for file in fs::read_dir(&theirs)?.flatten().map(|entry| entry.path()) {
            let name = file.file_name().unwrap_or_default();
            if name == LOCK {
                continue;
            }
            fs::rename(&file, folder.join(name))?;
            let is_journal = file.extension().is_some_and(|kind| kind == JOURNAL);
            let call = file.file_stem().and_then(|stem| Sid::parse(stem.to_str()?));
            left.extend(call.filter(|_| is_journal).map(|call| (call, Left::ByTheDead)));
        }
        fs::remove_file(theirs.join(LOCK))?;
        fs::remove_dir(&theirs)?;
    }
    Ok(left)
}

/// The writing thread: ends when nobody can give orders any more.
fn write_all(folder: &Path, orders: &Receiver<Order>, refused: &AtomicU64) {
    // `None` is a file that a line could not be written to.
    let mut files: BTreeMap<Sid, Option<File>> = BTreeMap::new();
    for order in orders {
        match order {
            Order::Write(call, line) => {
                let file = files
                    .entry(call)
                    .or_insert_with_key(|call| told(create(&journal(folder, call)), refused));
                if let Some(open) = file {
                    // One call of the system: a process that dies tears no line, a full disk may.
                    if told(open.write_all(&line), refused).is_none() {
                        *file = None;
                    }
                }
            }
            Order::Settle(settled) => {
                let _ = settled.send(());
            }
            Order::Forget(call) => {
                files.remove(&call);
                if let Err(error) = fs::remove_file(journal(folder, &call)) {
                    warn!(%call, %error, "a journal that the store has stays in the spool");
                }
            }
        }
    }
}

fn create(file: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(file)
}

/// Logs and counts what could not be done.
fn told<T>(outcome: io::Result<T>, refused: &AtomicU64) -> Option<T> {
    outcome
        .inspect_err(|error| {
            refused.fetch_add(1, Ordering::Relaxed);
            error!(%error, "the disk of the spool takes no more of a journal");
        })
        .ok()
}

/// Reads the lines of a journal. The last one may be torn, and counts for nothing then.
fn read(text: &[u8]) -> Result<Vec<Step>, Error> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
    lines
        .map(|(at, line)| {
            serde_json::from_slice(line).map_err(|source| Error::Line { line: at + 1, source })
        })
        .collect()
}

fn journal(folder: &Path, call: &Sid) -> PathBuf {
    folder.join(call.as_str()).with_extension(JOURNAL)
}

const JOURNAL: &str = "journal";

/// Lines that may wait for the disk, of all calls together: some ten seconds of a hundred calls.
const ORDERS_MAX: usize = 16_384;

#[cfg(test)]
mod tests;
