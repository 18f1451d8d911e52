//! Numbers at the edge of a turn that belong to no dictation: opening hours, and houses in a street.
//! They are kept by their length anyway; what is told here is that no number of another turn goes on
//! with them.

use super::pieces::{Kind, Pieces};
use super::words::Meaning;

/// What stands before the first of two hours, between them, and before a time of day.
const FROM: &[&str] = &["from", "de", "desde"];
const TO: &[&str] = &["to", "till", "until", "a", "hasta"];
const AT: &[&str] = &["at", "las"];

/// What a street is called by, behind its name.
const STREETS: &[&str] =
    &["street", "avenue", "road", "drive", "lane", "boulevard", "court", "highway", "square"];

/// The longest name of a street, in words.
const NAME_MAX: usize = 3;

impl Pieces<'_> {
    /// Whether these pieces end in hours: "from eight to six", "de ocho a seis", "at five thirty".
    pub(super) fn are_hours(&self, start: usize, end: usize) -> bool {
        let before = |index: usize, back: usize| index.checked_sub(back);
        let said = |index: Option<usize>, words: &[&str]| {
            index.is_some_and(|i| words.iter().any(|word| self.words(i).eq_ignore_ascii_case(word)))
        };
        match end - start {
            // The second hour alone, where what stands between the two is no digit.
            1 => {
                let first = before(start, 2).is_some_and(|first| self.is_hour(first));
                self.is_hour(start)
                    && said(before(start, 1), TO)
                    && first
                    && said(before(start, 3), FROM)
            }
            2 => self.is_hour(start) && self.is_minute(start + 1) && said(before(start, 1), AT),
            3 => {
                let hours = self.is_hour(start) && self.is_hour(start + 2);
                hours && said(Some(start + 1), TO) && said(before(start, 1), FROM)
            }
            _ => false,
        }
    }

    /// Whether a number that ends here is a house: the name of a street follows.
    pub(super) fn is_house(&self, end: usize) -> bool {
        let mut named = false;
        for index in end..=end + NAME_MAX {
            let street = |word: &&str| self.words(index).eq_ignore_ascii_case(word);
            if !self.close(index) || self.kind(index).is_none() {
                return false;
            }
            if named && STREETS.iter().any(street) {
                return true;
            }
            named = true;
            let is_name = matches!(self.kind(index), Some(Kind::Plain))
                || matches!(self.meaning(index), Some(Meaning::Ordinal(_)));
            if !is_name {
                return false;
            }
        }
        false
    }

    fn is_hour(&self, index: usize) -> bool {
        match self.meaning(index) {
            Some(Meaning::Unit(hour)) => hour > 0,
            Some(Meaning::Teen(hour)) => hour <= 12,
            _ => self.value(index).is_some_and(|hour| (1..=24).contains(&hour)),
        }
    }

    fn is_minute(&self, index: usize) -> bool {
        matches!(self.meaning(index), Some(Meaning::Teen(_) | Meaning::Tens(_)))
            || (self.figures(index) == Some(2) && self.value(index) < Some(60))
    }
}
