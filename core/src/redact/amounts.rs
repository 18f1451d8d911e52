//! What looks like a dictation and is kept: money, times of day, ordinals.

use super::numbers::Cardinal;
use super::pieces::Pieces;
use super::words::Meaning;

/// Above this many digits before the decimals, nobody is talking about a payment.
const WHOLE_DIGITS_MAX: usize = 7;

impl Pieces<'_> {
    /// The end of the amount of money that begins at this piece. Without a sign before it, it must
    /// be `clean`: not the last part of a longer dictation that happens to end in "dollars".
    pub(super) fn amount(&self, at: usize, clean: bool) -> Option<usize> {
        let signed = ends_with_sign(self.gap_before(at)) && self.figures(at).is_some();
        if !signed && !clean {
            return None;
        }
        let literal = self.literal(at);
        let number = literal.or_else(|| self.whole_number(at).map(|said| said.end))?;
        let end = if matches!(self.meaning(number), Some(Meaning::Scale(_))) && literal.is_some() {
            number + 1
        } else {
            number
        };
        let unit = end + usize::from(self.words(end).eq_ignore_ascii_case("de"));
        if self.meaning(unit) == Some(Meaning::Currency) && self.close(unit) && self.close(end) {
            return Some(unit + 1);
        }
        let sign_after = begins_with_sign(self.gap_before(end)) && self.figures(end).is_none();
        (literal.is_some() && (signed || sign_after || self.trailing_sign(end))).then_some(end)
    }

    /// The end of the time of day that begins at this piece: "3:30 pm", "ten in the morning".
    pub(super) fn time(&self, at: usize, clean: bool) -> Option<usize> {
        let hour = self.below_hundred(at).filter(|hour| hour.value <= 24)?;
        let minute = self.minute(hour.end).filter(|_| clean || self.gap_before(hour.end) == ":");
        let with_minute = minute.and_then(|end| self.clock_word(end));
        with_minute.or_else(|| self.clock_word(hour.end).filter(|_| clean))
    }

    /// The end of an ordinal in figures: "5th", "1º".
    pub(super) fn ordinal(&self, at: usize) -> Option<usize> {
        const DIGITS_MAX: usize = 3;
        let short = self.figures(at)? <= DIGITS_MAX;
        let ending = self.meaning(at + 1) == Some(Meaning::OrdinalEnding);
        (short && ending && self.gap_before(at + 1).is_empty()).then_some(at + 2)
    }

    /// An amount in figures, with its thousands and decimals parted by commas and dots.
    fn literal(&self, at: usize) -> Option<usize> {
        self.figures(at)?;
        let parted = |end: &usize| {
            self.figures(*end).is_some() && matches!(self.gap_before(*end), "," | ".")
        };
        let end = (at + 1..).find(|end| !parted(end))?;
        let glued = self.figures(end).is_some()
            && !self.gap_before(end).contains(|c: char| c.is_whitespace() || is_sign(c));
        let written = &self.text[self.all[at].start..self.all[end - 1].end];
        (!glued && is_amount(written)).then_some(end)
    }

    fn whole_number(&self, at: usize) -> Option<Cardinal> {
        let said = self.cardinal(at)?;
        (said.value < 10_u64.pow(WHOLE_DIGITS_MAX as u32)).then_some(said)
    }

    /// A sign after the last piece of the text, where no gap before a next piece exists.
    fn trailing_sign(&self, end: usize) -> bool {
        end == self.all.len() && begins_with_sign(self.gap_after(end - 1))
    }

    fn minute(&self, at: usize) -> Option<usize> {
        let minute = self.below_hundred(at).filter(|minute| minute.value < 60)?;
        let oh_five = minute.value == 0 && self.figures(at).is_none();
        match self.meaning(minute.end) {
            Some(Meaning::Unit(_)) if oh_five => Some(minute.end + 1),
            _ => Some(minute.end),
        }
    }

    fn clock_word(&self, at: usize) -> Option<usize> {
        if self.meaning(at) == Some(Meaning::Clock) {
            return Some(at + 1);
        }
        let half =
            self.words(at).eq_ignore_ascii_case("a") || self.words(at).eq_ignore_ascii_case("p");
        if half
            && self.words(at + 1).eq_ignore_ascii_case("m")
            && self.gap_before(at + 1).starts_with('.')
        {
            return Some(at + 2);
        }
        let links =
            self.meaning(at) == Some(Meaning::Link) && self.meaning(at + 1) == Some(Meaning::Link);
        (links && self.meaning(at + 2) == Some(Meaning::DayPart)).then_some(at + 3)
    }
}

const fn is_sign(c: char) -> bool {
    matches!(c, '$' | '¢' | '€' | '£' | '¥')
}

fn ends_with_sign(gap: &str) -> bool {
    gap.trim_end().chars().next_back().is_some_and(is_sign)
}

fn begins_with_sign(gap: &str) -> bool {
    gap.trim_start().chars().next().is_some_and(is_sign)
}

/// Whether figures, commas and dots make an amount: "243", "1,243.10", "1.243,10".
fn is_amount(written: &str) -> bool {
    let is_point = |c: char| matches!(c, '.' | ',');
    if !written.chars().all(|c| c.is_ascii_digit() || is_point(c)) {
        return false;
    }
    let (whole, point) = match written.rfind(is_point) {
        Some(at) if written.len() - at <= 3 => (&written[..at], written[at..].chars().next()),
        _ => (written, None),
    };
    let mut groups = whole.split(is_point);
    let first = groups.next().unwrap_or_default().len();
    let rest = groups.clone().count();
    let mut separators = whole.chars().filter(|c| is_point(*c));
    let separator = separators.next();
    let even =
        separators.all(|c| Some(c) == separator) && (separator.is_none() || separator != point);
    let grouped = rest == 0 || (first <= 3 && groups.all(|group| group.len() == 3));
    even && grouped && first + 3 * rest <= WHOLE_DIGITS_MAX
}
