//! E-mail addresses as they are said: "maria dot lopez at example dot com".

use alloc::vec::Vec;
use core::ops::Range;

use super::pieces::{Kind, Pieces};
use super::words::Meaning;

/// "At wells fargo dot com" has two words before its dot; more than this is a sentence.
const HOST_WORDS_MAX: usize = 3;

impl Pieces<'_> {
    /// The pieces of every spoken address, the first one last.
    pub(super) fn spoken_addresses(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for at in 0..self.all.len() {
            let free = found.last().map_or(0, |last| last.end);
            if at <= free || self.meaning(at) != Some(Meaning::At) || !self.is_part(at - 1) {
                continue;
            }
            if let Some(end) = self.host_end(at + 1) {
                found.push(self.local_start(at - 1, free)..end);
            }
        }
        found.reverse();
        found
    }

    fn is_part(&self, at: usize) -> bool {
        !matches!(self.kind(at), None | Some(Kind::Wall | Kind::Email))
            && self.meaning(at) != Some(Meaning::Dot)
    }

    fn host_end(&self, at: usize) -> Option<usize> {
        let words = (1..=HOST_WORDS_MAX).take_while(|count| self.is_part(at + count - 1));
        let mut end = words.filter_map(|count| self.dot_end(at + count)).next()?;
        while let Some(further) = self.dot_end(end) {
            end = further;
        }
        Some(end)
    }

    /// The end of "dot com", which recognisers also write as ".com".
    fn dot_end(&self, at: usize) -> Option<usize> {
        match self.meaning(at)? {
            Meaning::Dot if self.meaning(at + 1) == Some(Meaning::Domain) => Some(at + 2),
            Meaning::Domain if self.gap_before(at) == "." => Some(at + 1),
            _ => None,
        }
    }

    /// Goes left over "maria dot lopez eighty five" from its last piece.
    fn local_start(&self, last: usize, free: usize) -> usize {
        let mut start = last;
        while start > free && self.is_part(start - 1) | self.is_link(start - 1) {
            let before = start - 1;
            if self.is_link(before) && before > free && self.is_part(before - 1) {
                start = before - 1;
            } else if matches!(self.gap_before(start), "." | "_" | "-") || self.is_number(start) {
                start = before;
            } else {
                break;
            }
        }
        start
    }

    fn is_link(&self, at: usize) -> bool {
        let spoken = ["dash", "hyphen", "underscore", "guion", "guión"];
        self.meaning(at) == Some(Meaning::Dot)
            || spoken.iter().any(|word| self.words(at).eq_ignore_ascii_case(word))
    }

    fn is_number(&self, at: usize) -> bool {
        self.figures(at).is_some()
            || matches!(
                self.meaning(at),
                Some(Meaning::Unit(_) | Meaning::Teen(_) | Meaning::Tens(_) | Meaning::LetterO)
            )
    }
}
