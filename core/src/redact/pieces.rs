//! Text cut into the pieces that can matter to a mask: words, groups of figures, and walls.

use alloc::vec::Vec;

use super::words::{Meaning, Tongue, is_accent, look_up};

/// What one piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// So many figures in a row, of any script.
    Figures(usize),
    /// A word that is in the tables.
    Word(Meaning, Tongue),
    /// A word that is not.
    Plain,
    /// Something that is already masked.
    Wall,
    /// An e-mail address as it is written.
    Email,
}

/// One piece and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// A text and its pieces. What lies between two pieces holds neither letters nor figures.
pub(super) struct Pieces<'t> {
    pub(super) text: &'t str,
    pub(super) all: Vec<Piece>,
}

impl<'t> Pieces<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut all = Vec::new();
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let rest = &text[at..];
            let wall = wall_len(rest).map(|len| (len, Kind::Wall));
            let email = || email_len(rest).map(|len| (len, Kind::Email));
            let (len, kind) = if let Some(found) = wall {
                found
            } else if may_be_in_address(first) && !follows_address_letter(text, at) {
                email().unwrap_or_else(|| word_or_figures(rest))
            } else {
                word_or_figures(rest)
            };
            if len == 0 {
                at += first.len_utf8();
                continue;
            }
            all.push(Piece { start: at, end: at + len, kind });
            at += len;
        }
        Self { text, all }
    }

    pub(super) fn kind(&self, index: usize) -> Option<Kind> {
        self.all.get(index).map(|piece| piece.kind)
    }

    pub(super) fn meaning(&self, index: usize) -> Option<Meaning> {
        match self.kind(index)? {
            Kind::Word(meaning, _) => Some(meaning),
            _ => None,
        }
    }

    pub(super) fn figures(&self, index: usize) -> Option<usize> {
        match self.kind(index)? {
            Kind::Figures(count) => Some(count),
            _ => None,
        }
    }

    pub(super) fn words(&self, index: usize) -> &'t str {
        self.all.get(index).map_or("", |piece| &self.text[piece.start..piece.end])
    }

    /// The value of a group of at most four ASCII figures.
    pub(super) fn value(&self, index: usize) -> Option<u64> {
        let count = self.figures(index)?;
        if count > 4 { None } else { self.words(index).parse().ok() }
    }

    /// What stands between a piece and the one before it.
    pub(super) fn gap_before(&self, index: usize) -> &'t str {
        let start = index.checked_sub(1).map_or(0, |before| self.all[before].end);
        self.all.get(index).map_or("", |piece| &self.text[start..piece.start])
    }

    /// What stands between a piece and the one after it.
    pub(super) fn gap_after(&self, index: usize) -> &'t str {
        if index + 1 < self.all.len() {
            self.gap_before(index + 1)
        } else {
            self.all.get(index).map_or("", |piece| &self.text[piece.end..])
        }
    }

    /// Whether only spaces and hyphens part a piece from the one before it.
    pub(super) fn close(&self, index: usize) -> bool {
        self.gap_before(index).chars().all(|c| c.is_whitespace() || c == '-')
    }
}

/// A word or a group of figures at the start of the text; nothing has length zero.
fn word_or_figures(text: &str) -> (usize, Kind) {
    let figures = prefix_len(text, char::is_numeric);
    if figures > 0 {
        return (figures, Kind::Figures(text[..figures].chars().count()));
    }
    let word = word_len(text);
    let kind = look_up(&text[..word]).map_or(Kind::Plain, |(meaning, of)| Kind::Word(meaning, of));
    (word, kind)
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric()
}

/// Letters with their accents, and apostrophes between letters.
fn word_len(text: &str) -> usize {
    let mut len = 0;
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        let inner = len > 0
            && (is_accent(c)
                || (matches!(c, '\'' | '’')
                    && text[after..].chars().next().is_some_and(is_letter)));
        if !is_letter(c) && !inner {
            break;
        }
        len = after;
    }
    len
}

fn prefix_len(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a mask of ours at the start of the text: `[9 digits]`, `****0199`.
fn wall_len(text: &str) -> Option<usize> {
    if let Some(inner) = text.strip_prefix('[') {
        let count = prefix_len(inner, |c| c.is_ascii_digit());
        let counted = (1..=3).contains(&count) && inner[count..].starts_with(" digits]");
        let named = ["date]", "email]"].iter().find(|name| inner.starts_with(**name));
        return match named {
            _ if counted => Some(1 + count + " digits]".len()),
            Some(name) => Some(1 + name.len()),
            None => None,
        };
    }
    let stars = prefix_len(text, |c| c == '*');
    let tail = prefix_len(&text[stars..], char::is_numeric);
    let short = (1..=4).contains(&text[stars..stars + tail].chars().count());
    (stars >= 4 && short).then_some(stars + tail)
}

fn may_be_in_address(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

/// Whether an address would have begun earlier than here.
fn follows_address_letter(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(may_be_in_address)
}

/// The length of an e-mail address at the start of the text.
fn email_len(text: &str) -> Option<usize> {
    let local = prefix_len(text, may_be_in_address);
    let domain = text[local..].strip_prefix('@')?;
    let host = &domain[..prefix_len(domain, |c| c.is_alphanumeric() || matches!(c, '.' | '-'))];
    let mut ends = None;
    let mut at = 0;
    for label in host.split('.') {
        let end = at + label.len();
        let top = label.chars().count() >= 2 && label.chars().all(char::is_alphabetic);
        if at > 0 && top {
            ends = Some(end);
        }
        at = end + 1;
    }
    ends.map(|end| local + 1 + end)
}
