//! What a look at the logs finds, and its words.

use std::fmt;
use std::path::PathBuf;

/// What was found in a folder of logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The logs, by name.
    pub logs: Vec<Log>,
    /// What is wrong, in the order in which it stands there. The first thousand of each log are told.
    pub findings: Vec<Finding>,
}

/// What was read of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Its name.
    pub log: String,
    /// Its files.
    pub files: u64,
    /// Its entries.
    pub entries: u64,
    /// The number of its first entry. What was before that was removed because its time was over, unless
    /// a finding says otherwise.
    pub begins: u64,
    /// How often something was torn off by a crash, which the entry behind it tells of.
    pub recovered: u64,
    /// Places where entries were lost because the disk took nothing, which an entry tells of.
    pub losses: u64,
    /// How many heads were compared.
    pub heads: u64,
    /// Entries behind the last head that was compared. Nobody but the files vouches for them.
    pub unpublished: u64,
    /// A process writes it now.
    pub is_written: bool,
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, or the folder of the log where it is about no file.
    pub file: PathBuf,
    /// The line, counted from 1; 0 where it is about none.
    pub line: u64,
    /// What is wrong there.
    pub wrong: Wrong,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.wrong)
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes of an entry are not those that were hashed.
    #[error("entry {seq} was changed: it is not what its hash says")]
    Changed {
        /// The number that should stand here.
        seq: u64,
    },
    /// A line is no entry, and nothing behind it says that it was torn off by a crash.
    #[error("entry {seq} should stand here, and this is none: it was torn off or changed")]
    Torn {
        /// The number that should stand here.
        seq: u64,
    },
    /// An entry says that something was torn off before it, and that is not there.
    #[error(
        "entry {seq} says that something was torn off before it, and it is not there as it was"
    )]
    NotTorn {
        /// The number of the entry that says so.
        seq: u64,
    },
    /// Entries are not where they should be.
    #[error(
        "entries {from} to {to} are missing before this one: lines or whole files were removed"
    )]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// An entry stands here twice.
    #[error("entry {seq} stands here once more")]
    Doubled {
        /// Its number.
        seq: u64,
    },
    /// An entry comes behind one that came after it.
    #[error("entry {seq} is out of its place: entry {expected} should stand here")]
    OutOfPlace {
        /// Its number.
        seq: u64,
        /// The number that should stand here.
        expected: u64,
    },
    /// An entry does not name the one before it.
    #[error("entry {seq} does not follow from the one before it: one of them was exchanged")]
    Unlinked {
        /// Its number.
        seq: u64,
    },
    /// A file begins with an entry of another log or day.
    #[error("entry {seq} does not begin this file: the file was renamed, or is another log's")]
    Misnamed {
        /// Its number.
        seq: u64,
    },
    /// A log has no entry.
    #[error("there is no entry in this log")]
    Empty,
    /// What was published is not what stands here.
    #[error("entry {seq} is not the one that was published: the log was written anew")]
    Rewritten {
        /// Its number.
        seq: u64,
    },
    /// The log went further when it was published.
    #[error("entries {from} to {to} are missing here: they were published, and cut off since")]
    CutOff {
        /// The first that is missing.
        from: u64,
        /// The last that was published.
        to: u64,
    },
    /// Nothing was ever published of this log.
    #[error("no head of this log was published: it is not this database's, or heads were removed")]
    Unpublished,
    /// A log was published, and is not here.
    #[error("this log was published up to entry {to}, and is not here")]
    Gone {
        /// The last that was published.
        to: u64,
    },
}
