//! What goes of the audit logs because its time is over: whole files, the oldest first.
//!
//! What stays can still be proven. Before a file goes, the number and the hash of its last entry are
//! written to the database and, as an entry, into the log of whoever removes it; the first entry that
//! stays names that hash. So [`verify`](super::verify) knows a log that was shortened from one of which
//! somebody removed a file.
//!
//! A file goes as a whole or stays: it holds entries of many calls. It stays while one of them is held,
//! and as long as the company that keeps its entries longest wants it; and so does every later one,
//! because a log has no gaps.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use call_core::company::Retention;
use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{JoinError, spawn_blocking};
use tracing::{error, warn};

use super::chain::{Head, day_of, days, logs, name};
use super::line::{Hash, LINE_BYTES_MAX, Line, Look, look};
use super::{Audit, Entry, Kind, SERVER};
use crate::owned::LOCK;
use crate::store::{self, Hold, Store};

/// Why files stay that should have gone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or removed.
    #[error("a file of the audit log cannot be read or removed")]
    File(#[from] io::Error),
    /// The database does not answer, or refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The disk does not take the entry that must stand before a file goes.
    #[error("the audit log is not on the disk, so nothing of it is removed")]
    Unsettled,
    /// The thread that reads files is gone.
    #[error("the files of the audit log were not read to their end")]
    Cut(#[from] JoinError),
}

/// What the entry says that stands before a file goes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shortened {
    /// For each log that does not begin with its first entry, the last one that is not there.
    pub(super) removed: Vec<Head>,
}

/// What stays.
struct Rules<'a> {
    /// How many days the entries of a company are kept; nothing where that is not known.
    kept: &'a (dyn Fn(&str) -> Option<u32> + Sync),
    today: Date,
    held: Held,
    /// What was removed before.
    cuts: Vec<Head>,
}

/// Whose entries are held.
#[derive(Clone, Default)]
struct Held {
    companies: BTreeSet<String>,
    calls: BTreeSet<String>,
    /// The number of the last hold that was looked at.
    last: i64,
}

/// Removes what is over of the log that this process writes, and of those whose processes are dead. How
/// many files went. `kept` says how many days the entries of a company are kept; where that is not known,
/// they stay. `now_us` is the time, in microseconds since 1970-01-01 UTC.
///
/// # Errors
/// [`Error`]. What is removed until then is on record.
pub async fn remove_old(
    audit: &Audit,
    root: &Path,
    store: &Store,
    kept: &(dyn Fn(&str) -> Option<u32> + Sync),
    now_us: i64,
) -> Result<u64, Error> {
    let mut gone = 0;
    for folder in logs(root)? {
        let is_own = name(&folder) == audit.log();
        // Held as long as its files are looked at: nobody goes on with this log meanwhile. One without a
        // lock may be written by somebody.
        let lock = match File::open(folder.join(LOCK)) {
            Ok(lock) if !is_own => Some(lock),
            Ok(_) => None,
            Err(_) => continue,
        };
        if lock.as_ref().is_some_and(|lock| lock.try_lock().is_err()) {
            continue;
        }
        loop {
            // Anew for each file: holds may have been placed.
            let held = Held::of(&store.holds(None).await?);
            let rules = Rules { kept, today: day_of(now_us), held, cuts: store.cuts().await? };
            let Some((file, last)) = oldest(&folder, is_own, &rules).await? else { break };
            if !store.cut(&last, rules.held.last).await? {
                continue;
            }
            tell(audit, root, store).await?;
            fs::remove_file(&file)?;
            gone += 1;
            if days(&folder)?.is_empty() {
                fs::remove_dir_all(&folder)?;
                break;
            }
            File::open(&folder)?.sync_all()?;
        }
    }
    Ok(gone)
}

/// Puts on record where every log begins from now on, and waits until that is on the disk. All of them,
/// because the entry that said so before may stand in the file that goes. What they are is taken from
/// the database: a file that somebody else removed is not made good here.
async fn tell(audit: &Audit, root: &Path, store: &Store) -> Result<(), Error> {
    let mut removed: Vec<Head> = Vec::new();
    let here: BTreeSet<String> = logs(root)?.iter().map(|log| name(log)).collect();
    for cut in store.cuts().await? {
        if here.contains(&cut.log) {
            // In the order of their entries, so the last one of each log stays.
            removed.retain(|other| other.log != cut.log);
            removed.push(cut);
        }
    }
    let entry = Entry::new(Kind::Shortened, SERVER, json!(Shortened { removed }));
    if audit.put_on_record(entry).await { Ok(()) } else { Err(Error::Unsettled) }
}

/// The oldest file of a log and its last entry, if it may go. The newest one of a log that is written
/// stays.
async fn oldest(
    folder: &Path,
    is_own: bool,
    rules: &Rules<'_>,
) -> Result<Option<(PathBuf, Head)>, Error> {
    let files = days(folder)?;
    let Some(((day, file), later)) = files.split_first() else { return Ok(None) };
    let next = later.first().map(|(_, next)| next.clone());
    if (is_own && next.is_none()) || !is_over(*day, Retention::DAYS_MIN, rules.today) {
        return Ok(None);
    }
    let (path, held) = (file.clone(), rules.held.clone());
    let (content, begins) = spawn_blocking(move || {
        Ok::<_, io::Error>((Content::of(&path, &held)?, next.map(|next| first(&next)).transpose()?))
    })
    .await??;
    // Whoever removed something before it would have that forgotten.
    let is_cut = |(seq, prev): (u64, Hash)| {
        let is_before =
            |cut: &Head| cut.log == name(folder) && (cut.seq + 1, cut.hash) == (seq, prev);
        seq == 1 || rules.cuts.iter().any(is_before)
    };
    if !content.first.is_some_and(is_cut) {
        error!(file = %file.display(), "does not begin where its log does, so it stays: verify it");
        return Ok(None);
    }
    let Some((seq, hash)) = content.last.filter(|_| !content.is_changed) else {
        error!(file = %file.display(), "is not as it was written, so it stays: verify it");
        return Ok(None);
    };
    // What follows must be proven by what is kept of it.
    if begins.is_some_and(|begins| begins != Some((seq + 1, hash))) {
        error!(file = %file.display(), "is not followed by the next one, so it stays: verify it");
        return Ok(None);
    }
    if content.is_held {
        return Ok(None);
    }
    for company in &content.companies {
        match (rules.kept)(company) {
            Some(kept) if is_over(*day, kept, rules.today) => {}
            Some(_) => return Ok(None),
            None => {
                let file = file.display();
                warn!(company, %file, "stays: how long its entries are kept is not known");
                return Ok(None);
            }
        }
    }
    let last = Head { log: name(folder), day: day.to_string(), seq, hash };
    Ok(Some((file.clone(), last)))
}

/// Whether so many days have passed since the end of every call that an entry of a day is of. No call is
/// longer than a day.
fn is_over(day: Date, kept: u32, today: Date) -> bool {
    let kept = kept.max(Retention::DAYS_MIN);
    day < today.saturating_sub(Span::new().days(i64::from(kept) + 1))
}

impl Held {
    fn of(holds: &[Hold]) -> Self {
        let mut held = Self::default();
        for hold in holds {
            held.last = held.last.max(hold.id);
            match &hold.call_sid {
                _ if hold.released_us.is_some() => {}
                Some(call) => drop(held.calls.insert(call.clone())),
                None => drop(held.companies.insert(hold.company.clone())),
            }
        }
        held
    }
}

/// What stands in a file.
#[derive(Default)]
struct Content {
    companies: BTreeSet<String>,
    is_held: bool,
    /// A line is not what its hash says.
    is_changed: bool,
    /// The number of the first entry, and the hash that it names as the one before it.
    first: Option<(u64, Hash)>,
    /// The number and the hash of the last entry.
    last: Option<(u64, Hash)>,
}

impl Content {
    fn of(path: &Path, held: &Held) -> io::Result<Self> {
        let mut content = Self::default();
        each_line(path, |found| {
            match found {
                Look::Whole(Line { seq, company, call, prev, .. }, hash) => {
                    content.first.get_or_insert((seq, prev));
                    content.is_held |= held.companies.contains(&*company)
                        || call.is_some_and(|call| held.calls.contains(&*call));
                    if company != SERVER && !content.companies.contains(&*company) {
                        content.companies.insert(company.into_owned());
                    }
                    content.last = Some((seq, hash));
                }
                Look::Changed => content.is_changed = true,
                // Torn off by a crash, which the entry behind it says.
                Look::Torn => {}
            }
            true
        })?;
        Ok(content)
    }
}

/// The number of the first entry of a file, and the hash that it names as the one before it.
fn first(path: &Path) -> io::Result<Option<(u64, Hash)>> {
    let mut first = None;
    each_line(path, |found| {
        if let Look::Whole(line, _) = found {
            first = Some((line.seq, line.prev));
        }
        first.is_none()
    })?;
    Ok(first)
}

/// Looks at each line until it is told to stop. A line that is longer than any is looked at in pieces.
fn each_line(path: &Path, mut go_on: impl FnMut(Look<'_>) -> bool) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        (&mut reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut bytes)?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if bytes.is_empty() || !go_on(look(line)) {
            return Ok(());
        }
    }
}
