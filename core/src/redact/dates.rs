//! Dates with a day, a month and a year, which may be a date of birth.

use super::pieces::Pieces;
use super::words::Meaning;

impl Pieces<'_> {
    /// The end of the date that begins at this piece and names its month.
    pub(super) fn date(&self, at: usize) -> Option<usize> {
        let day_first = || {
            let month = self.skip(self.day(at)?);
            self.year(self.skip(self.month(month)?))
        };
        let month_first = || {
            let day = self.skip(self.month(at)?);
            self.year(self.skip(self.day(day)?))
        };
        let year_first = || {
            let next = self.skip(self.long_year_in_figures(at)?);
            let month_then_day = || self.day(self.skip(self.month(next)?));
            month_then_day().or_else(|| self.month(self.skip(self.day(next)?)))
        };
        day_first().or_else(month_first).or_else(year_first)
    }

    /// Whether three groups of figures from here on are a date: "3/4/1980", "1980-03-04".
    pub(super) fn is_date_in_figures(&self, at: usize) -> bool {
        let mark = self.gap_before(at + 1);
        if !matches!(mark, "/" | "-" | ".") || self.gap_before(at + 2) != mark {
            return false;
        }
        let [a, b, c] = [at, at + 1, at + 2].map(|part| self.figures(part).zip(self.value(part)));
        let (Some(a), Some(b), Some(c)) = (a, b, c) else {
            return false;
        };
        let month = |(len, value): (usize, u64)| len <= 2 && (1..=12).contains(&value);
        let day = |(len, value): (usize, u64)| len <= 2 && (1..=31).contains(&value);
        let year = |(len, value)| is_long_year(len, value) || (len == 2 && mark == "/");
        let long_first = is_long_year(a.0, a.1) && month(b) && day(c);
        long_first || (year(c) && ((month(a) && day(b)) || (day(a) && month(b))))
    }

    /// The end of a month with a day and no year, which is kept: "March 5, ...".
    pub(super) fn day_of_month(&self, at: usize) -> Option<usize> {
        let end = self.day(self.month(at)?)?;
        let goes_on = self.group(end).is_some() && !self.gap_before(end).contains(',');
        (!goes_on).then_some(end)
    }

    /// The end of a day with its month and no year: "March fourth", "el 4 de marzo", "3/4".
    pub(super) fn day_and_month(&self, at: usize) -> Option<usize> {
        let day_first = || self.month(self.skip(self.day(at)?));
        let month_first = || self.day(self.skip(self.month(at)?));
        let in_figures = || {
            let parted = matches!(self.gap_before(at + 1), "/" | "-" | ".");
            let two = self.figures(at + 2).is_none() || self.gap_before(at + 2).contains(' ');
            self.day(at).and(self.day(at + 1)).filter(|end| parted && two && *end == at + 2)
        };
        day_first().or_else(month_first).or_else(in_figures)
    }

    /// Whether anything in the text says that its date is one of birth.
    pub(super) fn speaks_of_birth(&self) -> bool {
        (0..self.all.len()).any(|at| self.meaning(at) == Some(Meaning::Birth))
    }

    fn skip(&self, at: usize) -> usize {
        let mut next = at;
        while matches!(self.meaning(next), Some(Meaning::Link | Meaning::Filler)) {
            next += 1;
        }
        next
    }

    fn month(&self, at: usize) -> Option<usize> {
        (self.meaning(at)? == Meaning::Month).then_some(at + 1)
    }

    fn day(&self, at: usize) -> Option<usize> {
        let may_be_day = |value: &u64| (1..=31).contains(value);
        match self.meaning(at) {
            Some(Meaning::Ordinal(_)) => return Some(at + 1),
            Some(Meaning::Tens(20 | 30)) if self.close(at + 1) => {
                if let Some(Meaning::Ordinal(1..=9)) = self.meaning(at + 1) {
                    return Some(at + 2);
                }
            }
            _ => {}
        }
        let said = self.below_hundred(at)?;
        let end = self.ordinal(at).unwrap_or(said.end);
        Some(said.value).filter(may_be_day).map(|_| end)
    }

    /// A year in figures or in words, with its century or, straight after the month, without.
    fn year(&self, at: usize) -> Option<usize> {
        if self.figures(at).is_some_and(|count| count > 2) {
            return self.long_year_in_figures(at);
        }
        let cardinal = self.cardinal(at).filter(|said| (1900..=2100).contains(&said.value));
        if let Some(said) = cardinal {
            return Some(said.end);
        }
        let first = self.below_hundred(at)?;
        let century = (17..=21).contains(&first.value);
        let second = self.within_century(first.end).filter(|_| century);
        let money_or_time = || self.amount(at, true).or_else(|| self.time(at, true)).is_some();
        second.or_else(|| self.within_century(at).filter(|_| !money_or_time()))
    }

    /// "Eighty", "oh five", "05".
    fn within_century(&self, at: usize) -> Option<usize> {
        let said = self.below_hundred(at)?;
        if self.figures(at) == Some(2) || said.value >= 10 {
            return Some(said.end);
        }
        let oh = said.value == 0 && self.figures(at).is_none();
        match self.meaning(said.end) {
            Some(Meaning::Unit(_)) if oh => Some(said.end + 1),
            _ => None,
        }
    }

    fn long_year_in_figures(&self, at: usize) -> Option<usize> {
        is_long_year(self.figures(at)?, self.value(at)?).then_some(at + 1)
    }
}

const fn is_long_year(len: usize, value: u64) -> bool {
    len == 4 && value >= 1800 && value < 2200
}
