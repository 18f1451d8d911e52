//! Whether a log is as it was written: every entry there, unchanged, in its place.
//!
//! The files alone tell everything but two things: that the end was cut off at the end of a line, and
//! that everything was written anew by somebody who knows the form. Those are told by the heads that
//! were published.
//!
//! A log may begin behind its first entry, where an entry of a log here says so, and the database, too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::chain::{Begins, FILES, Torn, days, is_written, logs, name};
use super::cuts::Shortened;
use super::line::{Hash, LINE_BYTES_MAX, Line, Look, look};
use super::{Head, Kind};
pub use finding::{Finding, Log, Report, Wrong};

mod finding;

/// Whether logs that are not in the folder may be elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All logs that were published are here.
    All,
    /// Some are on other machines.
    Some,
}

/// What is told of logs where they are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// How far they had come.
    pub heads: Vec<Head>,
    /// The last entry of each file that was removed because its time was over.
    pub cuts: Vec<Head>,
}

impl Published {
    /// Whether a log may begin behind this entry.
    fn allows(&self, log: &str, seq: u64, hash: Hash) -> bool {
        let mut cuts =
            self.cuts.iter().filter(|cut| (&*cut.log, cut.seq, cut.hash) == (log, seq, hash));
        cuts.any(|cut| self.bears_out(cut))
    }

    /// Whether all of a log may be gone that had come this far.
    fn allows_the_end_of(&self, log: &str, to: u64) -> bool {
        let mut cuts = self.cuts.iter().filter(|cut| cut.log == log && cut.seq >= to);
        cuts.any(|cut| self.bears_out(cut))
    }

    /// Whether what was published says the same: no entry up to it is of a later day, and it is the one that
    /// it says to be.
    fn bears_out(&self, cut: &Head) -> bool {
        let mut heads = self.heads.iter().filter(|head| head.log == cut.log && head.seq <= cut.seq);
        heads.all(|head| head.day <= cut.day && (head.seq < cut.seq || head.hash == cut.hash))
    }
}

/// Reads all logs in a folder, entry by entry, and compares them with what was published of them, where
/// that is known. It holds one line in memory, not a file.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn verify(root: &Path, published: Option<&Published>, extent: Extent) -> io::Result<Report> {
    verify_but(root, published, extent, None)
}

/// The same, without one of its checks: so that tests can show that each is needed.
fn verify_but(
    root: &Path,
    published: Option<&Published>,
    extent: Extent,
    blind_to: Option<Check>,
) -> io::Result<Report> {
    let mut of_logs: BTreeMap<&str, Vec<&Head>> = BTreeMap::new();
    for head in published.map(|published| &published.heads).into_iter().flatten() {
        of_logs.entry(&head.log).or_default().push(head);
    }
    let mut report = Report::default();
    let (mut walks, mut told) = (Vec::new(), Vec::new());
    for folder in logs(root)? {
        let mut heads = of_logs.remove(name(&folder).as_str()).unwrap_or_default();
        heads.sort_by_key(|head| head.seq);
        let mut walk = Walk::new(&folder, &heads, blind_to);
        walk.log.is_written = is_written(&folder);
        for (day, path) in days(&folder)? {
            walk.file(&path, &day.to_string())?;
        }
        walk.end(published.is_some());
        told.append(&mut walk.removed);
        walks.push((walk.log, walk.begins_behind, walk.findings));
    }
    for (log, begins_behind, findings) in walks {
        // Any log may tell of it, also one that is read later.
        let is_known = |(_, seq, hash): &(Finding, u64, Hash)| {
            let is_told = |head: &Head| (&head.log, head.seq, head.hash) == (&log.log, *seq, *hash);
            let is_allowed = |published: &Published| published.allows(&log.log, *seq, *hash);
            told.iter().any(is_told) && published.is_none_or(is_allowed)
        };
        let unknown = begins_behind.filter(|behind| !is_known(behind));
        report.findings.extend(unknown.map(|(finding, ..)| finding));
        report.findings.extend(findings);
        report.logs.push(log);
    }
    if extent == Extent::All && blind_to != Some(Check::Heads) {
        for (log, heads) in of_logs {
            let to = heads.iter().map(|head| head.seq).max().unwrap_or_default();
            if published.is_some_and(|published| published.allows_the_end_of(log, to)) {
                continue;
            }
            report.findings.push(Finding {
                file: root.join(log),
                line: 0,
                wrong: Wrong::Gone { to },
            });
        }
    }
    Ok(report)
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Hash,
    Order,
    Link,
    Torn,
    Name,
    Heads,
}

/// One way through the files of a log.
struct Walk<'a> {
    blind_to: Option<Check>,
    folder: &'a Path,
    heads: &'a [&'a Head],
    log: Log,
    findings: Vec<Finding>,
    file: PathBuf,
    line: u64,
    /// The last entry that was in its place.
    seq: u64,
    /// What the next entry must name; nothing where that is not known.
    link: Option<Hash>,
    /// What is no entry, since the last one.
    torn: Option<Rest>,
    /// The entry that would stand before the first one here, and what is wrong if nobody knows that it
    /// was removed.
    begins_behind: Option<(Finding, u64, Hash)>,
    /// What entries here say that was removed, of this log or of others.
    removed: Vec<Head>,
}

/// Lines that are no entries.
struct Rest {
    file: PathBuf,
    line: u64,
    bytes: u64,
    hash: Sha256,
}

impl<'a> Walk<'a> {
    fn new(folder: &'a Path, heads: &'a [&'a Head], blind_to: Option<Check>) -> Self {
        Self {
            blind_to,
            folder,
            heads,
            log: Log { log: name(folder), begins: 1, ..Log::default() },
            findings: Vec::new(),
            file: folder.to_owned(),
            line: 0,
            seq: 0,
            link: Some(Hash::NONE),
            torn: None,
            begins_behind: None,
            removed: Vec::new(),
        }
    }

    fn looks_at(&self, check: Check) -> bool {
        self.blind_to != Some(check)
    }

    fn find(&mut self, wrong: Wrong) {
        let (file, line) = (self.file.clone(), self.line);
        self.find_at(Finding { file, line, wrong });
    }

    fn find_at(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn file(&mut self, path: &Path, day: &str) -> io::Result<()> {
        (self.file, self.line) = (path.to_owned(), 0);
        self.log.files += 1;
        let mut reader = BufReader::with_capacity(READ_BYTES, File::open(path)?);
        let mut bytes = Vec::new();
        let (mut is_first, mut is_new) = (true, true);
        loop {
            bytes.clear();
            // A longer line is no entry, and is looked at in pieces.
            (&mut reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut bytes)?;
            if bytes.is_empty() {
                return Ok(());
            }
            self.line += u64::from(is_new);
            let line = bytes.strip_suffix(b"\n");
            let is_whole_line = is_new && line.is_some();
            is_new = line.is_some();
            match look(line.unwrap_or(&bytes)) {
                Look::Whole(entry, hash) => {
                    if is_whole_line {
                        self.entry(&entry, hash, is_first.then_some(day));
                        is_first &= entry.kind == Kind::Recovered;
                    } else {
                        self.no_entry(&bytes);
                    }
                }
                Look::Changed if self.looks_at(Check::Hash) => self.changed(),
                Look::Changed => {
                    let line = line.unwrap_or(&bytes);
                    if let Ok(entry) = serde_json::from_slice::<Line<'_>>(line) {
                        let hash = entry.hash.unwrap_or(Hash::NONE);
                        self.entry(&entry, hash, is_first.then_some(day));
                        is_first = false;
                    }
                }
                Look::Torn => self.no_entry(&bytes),
            }
        }
    }

    fn changed(&mut self) {
        self.torn_for_good();
        self.find(Wrong::Changed { seq: self.seq + 1 });
        self.log.entries += 1;
        (self.seq, self.link) = (self.seq + 1, None);
    }

    fn no_entry(&mut self, bytes: &[u8]) {
        let Self { file, line, torn, .. } = self;
        let new = || Rest { file: file.clone(), line: *line, bytes: 0, hash: Sha256::new() };
        let rest = torn.get_or_insert_with(new);
        rest.bytes += bytes.len() as u64;
        rest.hash.update(bytes);
    }

    /// What is no entry is not explained by the entry behind it. Whether that was one entry or several,
    /// nobody knows.
    fn torn_for_good(&mut self) -> bool {
        let Some(Rest { file, line, .. }) = self.torn.take() else { return false };
        if self.looks_at(Check::Torn) {
            let wrong = Wrong::Torn { seq: self.seq + 1 };
            self.find_at(Finding { file, line, wrong });
        }
        self.link = None;
        true
    }

    fn entry(&mut self, entry: &Line<'_>, hash: Hash, begins: Option<&str>) {
        let seq = entry.seq;
        let may_skip = match entry.kind {
            Kind::Recovered => {
                self.recovered(entry);
                false
            }
            _ => self.torn_for_good(),
        };
        if self.log.entries == 0 && seq > 1 && !may_skip && self.looks_at(Check::Order) {
            let wrong = Wrong::Missing { from: 1, to: seq - 1 };
            let finding = Finding { file: self.file.clone(), line: self.line, wrong };
            self.begins_behind = Some((finding, seq - 1, entry.prev));
            (self.seq, self.link) = (seq - 1, Some(entry.prev));
            self.log.begins = seq;
        }
        let expected = self.seq + 1;
        if seq < expected && self.looks_at(Check::Order) {
            let is_last = seq == self.seq && self.link == Some(hash);
            return self.find(if is_last {
                Wrong::Doubled { seq }
            } else {
                Wrong::OutOfPlace { seq, expected }
            });
        }
        let is_next = seq == expected || !self.looks_at(Check::Order);
        if !is_next && !may_skip {
            self.find(Wrong::Missing { from: expected, to: seq - 1 });
        } else if self.looks_at(Check::Link)
            && is_next
            && self.link.is_some_and(|link| link != entry.prev)
        {
            self.find(Wrong::Unlinked { seq });
        }
        self.log.entries += 1;
        self.log.losses += u64::from(entry.kind == Kind::Lost);
        if entry.kind == Kind::Shortened
            && let Ok(told) = serde_json::from_str::<Shortened>(entry.body.get())
        {
            self.removed.extend(told.removed);
        }
        (self.seq, self.link) = (seq, Some(hash));
        if let Some(day) = begins.filter(|_| entry.kind != Kind::Recovered) {
            self.begins(entry, day);
        }
        self.compare(seq, hash);
    }

    fn recovered(&mut self, entry: &Line<'_>) {
        let told = serde_json::from_str::<Torn>(entry.body.get()).ok();
        let there = self.torn.take();
        let there = there.map(|Rest { bytes, hash, .. }| Torn { bytes, sha256: Hash::ended(hash) });
        self.log.recovered += 1;
        if (told.is_none() || told != there) && self.looks_at(Check::Torn) {
            self.find(Wrong::NotTorn { seq: entry.seq });
        }
    }

    /// A file says itself which it is.
    fn begins(&mut self, entry: &Line<'_>, day: &str) {
        let here = Begins { log: self.log.log.clone(), day: day.to_owned() };
        let says = serde_json::from_str::<Begins>(entry.body.get()).ok();
        let is_so = entry.kind == Kind::Begin && says == Some(here);
        if !is_so && self.looks_at(Check::Name) {
            self.find(Wrong::Misnamed { seq: entry.seq });
        }
    }

    fn compare(&mut self, seq: u64, hash: Hash) {
        self.log.unpublished += 1;
        while let Some((head, later)) = self.heads.split_first().filter(|(head, _)| head.seq <= seq)
        {
            self.heads = later;
            // One that is missing here was told of already.
            if head.seq == seq {
                self.log.heads += 1;
                self.log.unpublished = 0;
                if head.hash != hash && self.looks_at(Check::Heads) {
                    self.find(Wrong::Rewritten { seq });
                }
            }
        }
    }

    fn end(&mut self, heads_are_known: bool) {
        if self.log.is_written {
            // The line that is being written now.
            self.torn = None;
        }
        self.torn_for_good();
        (self.file, self.line) = match self.log.entries {
            0 => (self.folder.to_owned(), 0),
            _ => (self.file.clone(), self.line),
        };
        if self.log.entries == 0 {
            self.find(Wrong::Empty);
        }
        if !heads_are_known || !self.looks_at(Check::Heads) {
            return;
        }
        if let Some(last) = self.heads.last() {
            let file = self.folder.join(&last.day).with_extension(FILES);
            let line = if file == self.file { self.line } else { 0 };
            let wrong = Wrong::CutOff { from: self.seq + 1, to: last.seq };
            self.find_at(Finding { file, line, wrong });
        } else if self.log.heads == 0 && self.findings.is_empty() {
            self.find(Wrong::Unpublished);
        }
    }
}

const FINDINGS_MAX: usize = 1_000;

const READ_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests;
