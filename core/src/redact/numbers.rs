//! Numbers as they are said: "forty-two", "mil novecientos ochenta", "double four".

use super::pieces::{Kind, Pieces};
use super::words::{Meaning, Tongue};

/// One number in a dictation, said or written in one go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// The first piece after the number.
    pub(super) end: usize,
    /// How many digits it dictates.
    pub(super) digits: usize,
    /// Whether tens and a unit were taken together, though "twenty one" may mean 2 0 1.
    pub(super) blended: bool,
    /// The language of its last word; `None` for figures.
    pub(super) tongue: Option<Tongue>,
}

/// A number in words, with the value they make together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cardinal {
    /// The first piece after the number.
    pub(super) end: usize,
    pub(super) value: u64,
    blended: bool,
}

impl Pieces<'_> {
    /// The number that begins at this piece, if one does.
    pub(super) fn group(&self, at: usize) -> Option<Group> {
        if let Some(Meaning::Repeat(times)) = self.meaning(at) {
            let repeated = self.simple_group(at + 1)?;
            return Some(Group { digits: repeated.digits * usize::from(times), ..repeated });
        }
        let said = self.cardinal(at).filter(|said| self.counts_as_number(at, *said));
        said.map(|said| self.spoken(said)).or_else(|| self.simple_group(at))
    }

    /// A number below a hundred, in words or in figures.
    pub(super) fn below_hundred(&self, at: usize) -> Option<Cardinal> {
        match self.meaning(at) {
            Some(Meaning::Unit(value)) => Some(Cardinal::of(at + 1, u64::from(value))),
            Some(Meaning::Teen(value)) => Some(Cardinal::of(at + 1, u64::from(value))),
            Some(Meaning::Tens(value)) => Some(self.tens(at, u64::from(value))),
            _ => {
                let value = self.value(at).filter(|_| self.figures(at) <= Some(2))?;
                Some(Cardinal::of(at + 1, value))
            }
        }
    }

    /// The number in words (or in figures with a scale, as "5 thousand") that begins here.
    pub(super) fn cardinal(&self, at: usize) -> Option<Cardinal> {
        let mut sum = Cardinal::of(at, 0);
        let mut scale_max = u64::MAX;
        while let Some((part, scale)) = self.part(sum.end, at) {
            if scale >= scale_max {
                break;
            }
            sum.value += part.value * scale;
            sum.blended |= part.blended;
            sum.end = part.end;
            scale_max = scale;
            if scale == 1 {
                break;
            }
        }
        (sum.end > at).then_some(sum)
    }

    /// A part of a number and the scale it is multiplied by: "two hundred" and "thousand".
    fn part(&self, at: usize, first: usize) -> Option<(Cardinal, u64)> {
        let at = if at > first && self.meaning(at) == Some(Meaning::And) { at + 1 } else { at };
        if at > first && !self.near(at) {
            return None;
        }
        if let Some(Meaning::Scale(scale)) = self.meaning(at) {
            return (at == first).then(|| (Cardinal::of(at + 1, 1), u64::from(scale)));
        }
        let part = self.below_thousand(at)?;
        let figures_alone = part.end == at + 1 && self.figures(at).is_some() && at == first;
        match self.meaning(part.end) {
            Some(Meaning::Scale(scale)) if part.value > 0 && self.close(part.end) => {
                Some((Cardinal { end: part.end + 1, ..part }, u64::from(scale)))
            }
            _ if figures_alone || (at > first && part.value == 0) => None,
            _ => Some((part, 1)),
        }
    }

    fn below_thousand(&self, at: usize) -> Option<Cardinal> {
        if self.figures(at) == Some(3) {
            return Some(Cardinal::of(at + 1, self.value(at)?));
        }
        if let Some(Meaning::Hundreds(value)) = self.meaning(at) {
            return Some(self.with_rest(Cardinal::of(at + 1, u64::from(value))));
        }
        let article = self.meaning(at) == Some(Meaning::Article);
        let low = if article { Cardinal::of(at + 1, 1) } else { self.below_hundred(at)? };
        if self.meaning(low.end) == Some(Meaning::Hundred) && low.value > 0 && self.close(low.end) {
            let hundreds = Cardinal::of(low.end + 1, low.value * 100);
            return Some(Cardinal { blended: low.blended, ..self.with_rest(hundreds) });
        }
        let scaled = matches!(self.meaning(low.end), Some(Meaning::Scale(_)));
        (scaled || !article).then_some(low)
    }

    /// Adds what follows whole hundreds: "two hundred [and] five", "ciento cinco".
    fn with_rest(&self, hundreds: Cardinal) -> Cardinal {
        let and = self.meaning(hundreds.end) == Some(Meaning::And) && self.close(hundreds.end);
        let at = hundreds.end + usize::from(and);
        let rest = self.below_hundred(at).filter(|rest| rest.value > 0 && self.close(at));
        match rest.filter(|_| self.figures(at).is_none()) {
            Some(rest) => Cardinal { value: hundreds.value + rest.value, ..rest },
            None => hundreds,
        }
    }

    /// Tens with their unit: "forty-two", "cuarenta y dos", "treinta y un".
    fn tens(&self, at: usize, tens: u64) -> Cardinal {
        let and = self.meaning(at + 1) == Some(Meaning::And) && self.close(at + 1);
        let next = at + 1 + usize::from(and);
        let unit = match self.meaning(next) {
            Some(Meaning::Unit(unit)) => u64::from(unit),
            Some(Meaning::Article) if and => 1,
            _ => 0,
        };
        if unit == 0 || !self.close(next) {
            return Cardinal::of(at + 1, tens);
        }
        Cardinal { end: next + 1, value: tens + unit, blended: !and }
    }

    /// A scale alone is a figure of speech: "mil gracias", "thousand thanks".
    fn counts_as_number(&self, at: usize, said: Cardinal) -> bool {
        let alone = said.end == at + 1;
        !(alone && matches!(self.meaning(at), Some(Meaning::Scale(_))))
    }

    fn spoken(&self, said: Cardinal) -> Group {
        let tongue = match self.kind(said.end - 1) {
            Some(Kind::Word(_, tongue)) => Some(tongue),
            _ => None,
        };
        let digits = said.value.checked_ilog10().map_or(1, |log| log as usize + 1);
        Group { end: said.end, digits, blended: said.blended, tongue }
    }

    /// Figures, or a number below a hundred.
    fn simple_group(&self, at: usize) -> Option<Group> {
        if let Some(digits) = self.figures(at) {
            return Some(Group { end: at + 1, digits, blended: false, tongue: None });
        }
        self.below_hundred(at).map(|said| self.spoken(said))
    }

    /// Like `close`, but lets a comma follow a scale: "one thousand, two hundred".
    fn near(&self, at: usize) -> bool {
        self.gap_before(at).chars().all(|c| c.is_whitespace() || matches!(c, '-' | ','))
    }
}

impl Cardinal {
    const fn of(end: usize, value: u64) -> Self {
        Self { end, value, blended: false }
    }
}
