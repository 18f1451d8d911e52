//! A line of the log: how it is written, and how it is known to be whole.
//!
//! ```text
//! {"seq":7,"at_us":1772463600000000,"company":"acme","call":"CA…","kind":"decision","body":{…},
//!  "prev":"<the hash of entry 6>","hash":"<of all bytes before this field>"}
//! ```
//!
//! The hash is taken over the bytes as they stand in the file, so nobody has to agree on how JSON is
//! written.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::Kind;

/// A SHA-256. Prints as 64 hexadecimal digits, in small letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first entry of a log names as the one before it.
    pub const NONE: Self = Self([0; 32]);

    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::ended(Sha256::new_with_prefix(bytes))
    }

    pub(super) fn ended(digest: Sha256) -> Self {
        Self(digest.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = NotAHash;

    fn try_from(text: String) -> Result<Self, NotAHash> {
        text.parse()
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NotAHash),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(NotAHash);
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(hash))
    }
}

/// A text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits, in small letters")]
pub struct NotAHash;

/// An entry in its place.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    /// Counted from 1, without a gap, over all files of a log.
    pub(super) seq: u64,
    /// Microseconds since 1970-01-01 UTC.
    pub(super) at_us: i64,
    /// The company, or `*` for what is no company's own.
    #[serde(borrow)]
    pub(super) company: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<Cow<'a, str>>,
    pub(super) kind: Kind,
    #[serde(borrow)]
    pub(super) body: &'a RawValue,
    /// The hash of the entry before.
    pub(super) prev: Hash,
    /// Nothing until the line is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hash: Option<Hash>,
}

impl Line<'_> {
    /// The line with its end, and its hash.
    pub(super) fn write(&self) -> serde_json::Result<(Vec<u8>, Hash)> {
        let mut bytes = serde_json::to_vec(self)?;
        // The hash takes the place of the brace at the end.
        bytes.pop();
        let hash = Hash::of(&bytes);
        bytes.extend_from_slice(format!("{BEFORE_HASH}{hash}{AFTER_HASH}\n").as_bytes());
        Ok((bytes, hash))
    }
}

/// What a line of a file is, looked at alone.
#[derive(Debug)]
pub(super) enum Look<'a> {
    /// An entry of which every byte is as it was written.
    Whole(Line<'a>, Hash),
    /// It ends as an entry does, and is not what its hash says.
    Changed,
    /// It does not end as an entry does: it was torn off.
    Torn,
}

/// Looks at a line, without the end of the line.
pub(super) fn look(line: &[u8]) -> Look<'_> {
    let Some((content, hash)) = halves(line) else { return Look::Torn };
    let found = Hash::of(content);
    if found.to_string().as_bytes() != hash {
        return Look::Changed;
    }
    // What has its hash was written by somebody who knows the form, and may still be no entry.
    serde_json::from_slice(line).map_or(Look::Changed, |line| Look::Whole(line, found))
}

/// What is hashed of a line, and the hash that it names.
fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, end) = line.split_at(line.len().checked_sub(END_BYTES)?);
    let hash = end.strip_prefix(BEFORE_HASH.as_bytes())?.strip_suffix(AFTER_HASH.as_bytes())?;
    Some((content, hash))
}

const BEFORE_HASH: &str = r#","hash":""#;
const AFTER_HASH: &str = r#""}"#;
const END_BYTES: usize = BEFORE_HASH.len() + 64 + AFTER_HASH.len();

/// The longest line. What would be longer is named by its hash alone.
pub(super) const LINE_BYTES_MAX: usize = 1024 * 1024;
