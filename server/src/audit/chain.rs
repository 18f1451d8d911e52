//! The files of one log, and its end, where it is written on.
//!
//! A log is a folder with a file for each day on which something was written. Nothing that stands in a
//! file is ever changed or taken out. What a crash or a full disk tore off stays where it is, and the
//! entry behind it says so, with the length and the hash of what was torn.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tracing::error;

use super::line::{Hash, LINE_BYTES_MAX, Line, Look, look};
use super::{Entry, Kind, SERVER};
use crate::owned::{self, LOCK, MAKING};

/// An entry and its place: how far a log has come, or the last one that was removed from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Which log: the name of its folder.
    pub log: String,
    /// The day of the entry's file, as in its name.
    pub day: String,
    /// The entry's number.
    pub seq: u64,
    /// The entry's hash.
    pub hash: Hash,
}

/// A log that this process writes on.
#[derive(Debug)]
pub(super) struct Chain {
    folder: PathBuf,
    seq: u64,
    hash: Hash,
    /// The day of the newest file; nothing before there is any.
    day: Option<Date>,
    /// The newest file; nothing while it has to be opened, and perhaps mended.
    file: Option<File>,
    /// What was told in full in this file.
    told: BTreeSet<Hash>,
    is_synced: bool,
    /// The ends of days since the log was opened.
    day_ends: Vec<Head>,
    /// Held open: with it goes the lock, and another process may go on with this log.
    _lock: File,
}

impl Chain {
    /// Goes on with a log that no living process writes, or begins another.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        for folder in logs(root).unwrap_or_default() {
            let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
            if lock.try_lock().is_err() {
                continue;
            }
            match Self::resume(folder.clone(), lock) {
                Ok(chain) => return Ok(chain),
                // Going on with it would bury what was done to it.
                Err(error) => error!(
                    log = %name(&folder), %error,
                    "an audit log cannot be gone on with, and another is begun: verify it"
                ),
            }
        }
        let (folder, lock) = owned::make(root)?;
        File::open(root)?.sync_all()?;
        Self::resume(folder, lock)
    }

    fn resume(folder: PathBuf, lock: File) -> io::Result<Self> {
        let (mut day, mut last) = (None, None);
        for (of_day, file) in days(&folder)?.into_iter().rev() {
            day.get_or_insert(of_day);
            last = End::of(&file)?.last;
            if last.is_some() {
                break;
            }
        }
        let (seq, hash) = last.unwrap_or((0, Hash::NONE));
        Ok(Self {
            folder,
            seq,
            hash,
            day,
            file: None,
            told: BTreeSet::new(),
            is_synced: true,
            day_ends: Vec::new(),
            _lock: lock,
        })
    }

    /// Writes an entry, behind whatever has to stand before it. After an error the entry is not in the
    /// log, and may be tried again.
    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let written = self.try_append(entry);
        if written.is_err() {
            // What the disk has of it is looked at before anything else is written.
            self.file = None;
        }
        written
    }

    fn try_append(&mut self, entry: &Entry) -> io::Result<()> {
        self.come_to(day_of(entry.at_us), entry.at_us)?;
        let mut body = entry.body.clone();
        if let Some(content) = &entry.content {
            let content = to_raw_value(content)?;
            let hash = Hash::of(content.get().as_bytes());
            if !self.told.contains(&hash) {
                let whole = json!({ "sha256": hash, "content": content });
                let told = Entry { kind: Kind::Content, content: None, ..entry.clone() };
                self.write(&told, &to_raw_value(&whole)?)?;
                if self.told.len() == TOLD_MAX {
                    self.told.clear();
                }
                self.told.insert(hash);
            }
            body["sha256"] = json!(hash);
        }
        self.write(entry, &to_raw_value(&body)?)
    }

    /// Sees to it that the file of this day can be written to. A clock that was set back leads to no
    /// earlier file.
    fn come_to(&mut self, day: Date, at_us: i64) -> io::Result<()> {
        let current = self.day.map_or(day, |current| current.max(day));
        if self.file.as_ref().is_some_and(|file| !is_still(file, &self.path(self.day))) {
            error!("a file of the audit log is gone or was replaced while it was written");
            self.file = None;
        }
        if self.file.is_none() && self.day.is_some() {
            self.open_file(at_us)?;
        }
        if self.day != Some(current) {
            if let Some(file) = &self.file {
                file.sync_data()?;
                self.day_ends.extend(self.head());
            }
            (self.day, self.file) = (Some(current), None);
            self.open_file(at_us)?;
        }
        Ok(())
    }

    /// Opens the newest file, says what was torn off in it, and begins it if there is no entry in it.
    fn open_file(&mut self, at_us: i64) -> io::Result<()> {
        let path = self.path(self.day);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        File::open(&self.folder)?.sync_all()?;
        let End { last, torn } = End::of(&path)?;
        self.told.clear();
        let (mut mended, mut has_begun) = (None, last.is_some());
        match torn {
            None => {}
            Some(rest) if self.follows(&rest) => {
                // Only the end of the line is missing.
                file.write_all(b"\n")?;
                has_begun = true;
            }
            Some(mut rest) => {
                if !rest.ends_with(b"\n") {
                    file.write_all(b"\n")?;
                    rest.push(b'\n');
                }
                let torn = Torn { bytes: rest.len() as u64, sha256: Hash::of(&rest) };
                mended = Some(Entry::new(Kind::Recovered, SERVER, json!(torn)).at(at_us));
            }
        }
        self.file = Some(file);
        if let Some(entry) = mended {
            self.write(&entry, &to_raw_value(&entry.body)?)?;
        }
        if !has_begun {
            let begins = Begins { log: name(&self.folder), day: day_name(self.day) };
            let entry = Entry::new(Kind::Begin, SERVER, json!(begins)).at(at_us);
            self.write(&entry, &to_raw_value(&entry.body)?)?;
        }
        Ok(())
    }

    /// Takes a line that is whole but for its end as the last entry, if it is the next one.
    fn follows(&mut self, rest: &[u8]) -> bool {
        let Look::Whole(line, hash) = look(rest) else { return false };
        let is_next = line.seq == self.seq + 1 && line.prev == self.hash;
        if is_next {
            (self.seq, self.hash) = (line.seq, hash);
        }
        is_next
    }

    fn write(&mut self, entry: &Entry, body: &RawValue) -> io::Result<()> {
        let seq = self.seq + 1;
        let line = |body| Line {
            seq,
            at_us: entry.at_us,
            company: entry.company.as_str().into(),
            call: entry.call.as_deref().map(Into::into),
            kind: entry.kind,
            body,
            prev: self.hash,
            hash: None,
        };
        let (mut bytes, mut hash) = line(body).write()?;
        if bytes.len() > LINE_BYTES_MAX {
            let left_out = body.get();
            let short = json!({
                "left_out_bytes": left_out.len(), "left_out_sha256": Hash::of(left_out.as_bytes()),
            });
            (bytes, hash) = line(&to_raw_value(&short)?).write()?;
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        file.write_all(&bytes)?;
        (self.seq, self.hash, self.is_synced) = (seq, hash, false);
        Ok(())
    }

    /// Has the machine keep what was written, whatever becomes of it.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if !self.is_synced
            && let Some(file) = &self.file
        {
            // What the kernel could not keep, it forgets: only a look at the disk tells what is there.
            file.sync_data().inspect_err(|_| self.file = None)?;
            self.is_synced = true;
        }
        Ok(())
    }

    pub(super) const fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// The last entry; nothing before there is one.
    pub(super) fn head(&self) -> Option<Head> {
        let head = |day| Head {
            log: name(&self.folder),
            day: day_name(Some(day)),
            seq: self.seq,
            hash: self.hash,
        };
        self.day.filter(|_| self.seq > 0).map(head)
    }

    /// The ends of the days that are over since the log was opened.
    pub(super) fn day_ends(&self) -> Vec<Head> {
        self.day_ends.clone()
    }

    pub(super) fn name(&self) -> String {
        name(&self.folder)
    }

    fn path(&self, day: Option<Date>) -> PathBuf {
        self.folder.join(day_name(day)).with_extension(FILES)
    }
}

/// What the first entry of a file says of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begins {
    pub(super) log: String,
    pub(super) day: String,
}

/// What an entry says of the bytes before it that are no entry.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Torn {
    /// How many, with the ends of lines.
    pub(super) bytes: u64,
    pub(super) sha256: Hash,
}

/// The end of a file.
struct End {
    /// The number and the hash of the last entry; nothing if the file has none.
    last: Option<(u64, Hash)>,
    /// What stands behind it.
    torn: Option<Vec<u8>>,
}

impl End {
    fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let begin = length.saturating_sub(END_BYTES_MAX);
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.take(END_BYTES_MAX).read_to_end(&mut bytes)?;
        let mut end = bytes.len();
        loop {
            // Behind the last end of a line that was looked at already, nothing is whole.
            let Some(line_end) = bytes[..end].iter().rposition(|byte| *byte == b'\n') else {
                if begin > 0 {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "too much was torn off",
                    ));
                }
                return Ok(Self { last: None, torn: rest(bytes, 0) });
            };
            let line = bytes[..line_end].iter().rposition(|byte| *byte == b'\n');
            match look(&bytes[line.map_or(0, |before| before + 1)..line_end]) {
                Look::Whole(line, hash) => {
                    let last = Some((line.seq, hash));
                    return Ok(Self { last, torn: rest(bytes, line_end + 1) });
                }
                Look::Changed => {
                    let changed = "its last entry was changed";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, changed));
                }
                Look::Torn => end = line.map_or(0, |before| before + 1),
            }
        }
    }
}

fn rest(mut bytes: Vec<u8>, from: usize) -> Option<Vec<u8>> {
    let rest = bytes.split_off(from);
    (!rest.is_empty()).then_some(rest)
}

/// Whether an open file is the one that has this name.
fn is_still(file: &File, path: &Path) -> bool {
    let same = |one: fs::Metadata, other: fs::Metadata| {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    };
    file.metadata().and_then(|open| Ok(same(open, fs::metadata(path)?))).unwrap_or(false)
}

/// The logs in a folder, by name.
pub(super) fn logs(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs: Vec<_> = fs::read_dir(root)?.flatten().map(|entry| entry.path()).collect();
    // A log may have lost its lock, in a copy or by whoever wants it overlooked. A folder without its name
    // has not begun.
    let is_log =
        |log: &PathBuf| log.join(LOCK).is_file() || days(log).is_ok_and(|days| !days.is_empty());
    logs.retain(|log| is_log(log) && !name(log).starts_with(MAKING));
    logs.sort();
    Ok(logs)
}

/// The files of a log, the oldest first.
pub(super) fn days(log: &Path) -> io::Result<Vec<(Date, PathBuf)>> {
    let mut days = Vec::new();
    for file in fs::read_dir(log)? {
        let path = file?.path();
        let is_ours = path.extension().is_some_and(|kind| kind == FILES);
        let day = path.file_stem().and_then(|stem| stem.to_str()?.parse::<Date>().ok());
        days.extend(day.filter(|_| is_ours).map(|day| (day, path)));
    }
    days.sort();
    Ok(days)
}

/// Whether a living process writes a log.
pub(super) fn is_written(log: &Path) -> bool {
    File::open(log.join(LOCK)).is_ok_and(|lock| lock.try_lock_shared().is_err())
}

/// The name of a log: its folder's.
pub(super) fn name(log: &Path) -> String {
    log.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn day_name(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

pub(super) fn day_of(at_us: i64) -> Date {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).date()
}

pub(super) const FILES: &str = "jsonl";

/// Where the last entry of a file is looked for: it, and what was torn off behind it.
const END_BYTES_MAX: u64 = 2 * LINE_BYTES_MAX as u64 + 64 * 1024;

/// So many texts are known to stand in a file; of more than that, some stand there again.
const TOLD_MAX: usize = 1_024;

#[cfg(test)]
mod tests;
