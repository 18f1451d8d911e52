//! Runs of digits: the numbers that follow one another with nothing but fillers between.

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use super::pieces::{Kind, Pieces};
use super::words::{Meaning, Tongue};

/// The shortest run that is masked.
const DIGITS_MIN: usize = 4;

/// What stands where something was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mask {
    Digits(usize),
    Date,
    Email,
}

/// A stretch of the text, in bytes, and the mask that replaces it.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) place: Range<usize>,
    pub(super) mask: Mask,
}

/// What was said before a text, as far as the text may go on with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    /// The digits of a run that the last text ended in.
    pub(super) digits: usize,
    /// Whether a date of birth was asked for.
    pub(super) birth: bool,
}

/// Everything in the text that must be masked, in order, and the digits of the run that it ends in.
pub(super) fn edits(pieces: &Pieces<'_>, before: Before) -> (Vec<Edit>, usize) {
    let mut reader = Reader {
        pieces,
        addresses: pieces.spoken_addresses(),
        birth: before.birth || pieces.speaks_of_birth(),
        carried: before.digits,
        run: Vec::new(),
        between: Between::default(),
        edits: Vec::new(),
    };
    let mut at = 0;
    while at < pieces.all.len() {
        at = reader.read(at);
    }
    let open = reader.open();
    reader.finish_run();
    (reader.edits, open)
}

struct Reader<'p, 't> {
    pieces: &'p Pieces<'t>,
    /// Spoken e-mail addresses, the next one last.
    addresses: Vec<Range<usize>>,
    /// A day and a month are a date of birth, even without their year.
    birth: bool,
    /// Digits of an earlier text that the first run goes on with, until anything else is said.
    carried: usize,
    run: Vec<Member>,
    between: Between,
    edits: Vec<Edit>,
}

/// One number of a run.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    end: usize,
    digits: usize,
    blended: bool,
    letter: bool,
    tongue: Option<Tongue>,
    after: Between,
}

/// The words heard since the last number of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Between {
    ands: usize,
    fillers: usize,
}

impl Between {
    const NOTHING: Self = Self { ands: 0, fillers: 0 };
    const ONE_AND: Self = Self { ands: 1, fillers: 0 };
}

impl Reader<'_, '_> {
    /// Takes what begins at this piece and tells where the next thing begins.
    fn read(&mut self, at: usize) -> usize {
        let pieces = self.pieces;
        if let Some(address) = self.addresses.pop_if(|next| next.start == at) {
            return self.mask(at, address.end, Mask::Email);
        }
        match pieces.kind(at) {
            Some(Kind::Email) => return self.mask(at, at + 1, Mask::Email),
            Some(Kind::Wall) => return self.keep(at + 1),
            _ => {}
        }
        let birth = self.birth && self.run.is_empty();
        let birthday = || birth.then(|| pieces.day_and_month(at)).flatten();
        if let Some(end) = pieces.date(at).or_else(birthday) {
            return self.mask(at, end, Mask::Date);
        }
        if let Some(end) = self.kept(at) {
            return self.keep(end);
        }
        if let Some(member) = self.member(at) {
            self.between = Between::NOTHING;
            self.run.push(member);
            return member.end;
        }
        match pieces.meaning(at) {
            Some(Meaning::And) => self.between.ands += 1,
            Some(Meaning::Filler | Meaning::Dot | Meaning::Repeat(_)) => {
                self.between.fillers += 1;
            }
            // "A ver", which is "let me see".
            Some(Meaning::Article) if pieces.meaning(at + 1) == Some(Meaning::Filler) => {}
            Some(Meaning::Lead | Meaning::Link) if self.run.is_empty() => {}
            _ => return self.keep(at + 1),
        }
        at + 1
    }

    /// The digits of the run so far that the next text may go on with.
    fn open(&self) -> usize {
        let run: usize = self.run.iter().map(|member| member.digits).sum();
        let hours = match (self.run.first(), self.run.last()) {
            (Some(first), Some(last)) => self.pieces.are_hours(first.start, last.end),
            _ => false,
        };
        if hours && self.carried == 0 { 0 } else { run.saturating_add(self.carried) }
    }

    fn mask(&mut self, at: usize, end: usize, mask: Mask) -> usize {
        self.finish_run();
        let all = &self.pieces.all;
        self.edits.push(Edit { place: all[at].start..all[end - 1].end, mask });
        end
    }

    fn keep(&mut self, end: usize) -> usize {
        self.finish_run();
        end
    }

    fn kept(&self, at: usize) -> Option<usize> {
        let pieces = self.pieces;
        let clean = self.run.is_empty() || self.between == Between::ONE_AND;
        let amount = pieces.amount(at, clean).or_else(|| pieces.time(at, clean));
        amount.or_else(|| pieces.ordinal(at)).or_else(|| pieces.day_of_month(at))
    }

    fn member(&self, at: usize) -> Option<Member> {
        let member = |end, digits| Member {
            start: at,
            end,
            digits,
            blended: false,
            letter: false,
            tongue: None,
            after: self.between,
        };
        if let Some(group) = self.pieces.group(at) {
            let (blended, tongue) = (group.blended, group.tongue);
            return Some(Member { blended, tongue, ..member(group.end, group.digits) });
        }
        match self.pieces.meaning(at)? {
            Meaning::LetterO if self.letter_is_zero(at) => {
                Some(Member { letter: true, ..member(at + 1, 1) })
            }
            Meaning::SoundsLike(_) if self.sound_is_digit(at) => {
                Some(Member { tongue: Some(Tongue::English), ..member(at + 1, 1) })
            }
            _ => None,
        }
    }

    /// The letter o is a zero beside a number, unless that number is Spanish.
    fn letter_is_zero(&self, at: usize) -> bool {
        let before = self.run.last().map(|member| member.tongue);
        let after = match self.pieces.meaning(at + 1) {
            Some(Meaning::LetterO) => Some(None),
            _ => self.pieces.group(at + 1).map(|group| group.tongue),
        };
        let spanish = |side: Option<Option<Tongue>>| side == Some(Some(Tongue::Spanish));
        (before.is_some() || after.is_some()) && !spanish(before) && !spanish(after)
    }

    /// "To" and "for" are digits only between two digits that were said as words.
    fn sound_is_digit(&self, at: usize) -> bool {
        let said = |digits: usize, tongue: Option<Tongue>| digits == 1 && tongue.is_some();
        let before = self.run.last().is_some_and(|member| said(member.digits, member.tongue));
        let after = self.pieces.group(at + 1).is_some_and(|next| said(next.digits, next.tongue));
        before && after && self.between == Between::NOTHING
    }

    fn finish_run(&mut self) {
        self.between = Between::NOTHING;
        let run = mem::take(&mut self.run);
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            self.carried = 0;
            return;
        };
        let carried = match mem::take(&mut self.carried) {
            _ if run.len() == 1 && self.pieces.is_house(last.end) => 0,
            carried => carried,
        };
        let mask = if self.is_date(&run) {
            Mask::Date
        } else if self.is_kept(&run, carried) {
            return;
        } else {
            Mask::Digits(digits_of(&run))
        };
        let all = &self.pieces.all;
        self.edits.push(Edit { place: all[first.start].start..all[last.end - 1].end, mask });
    }

    fn is_date(&self, run: &[Member]) -> bool {
        run.len() == 3 && self.pieces.is_date_in_figures(run[0].start)
    }

    fn is_kept(&self, run: &[Member], carried: usize) -> bool {
        let small = |member: &Member| member.digits <= 2;
        match run {
            [hour, minute] if self.is_clock(hour.start, minute.start) => true,
            _ if carried > 0 => carried.saturating_add(digits_of(run)) < DIGITS_MIN,
            [a, b] if b.after == Between::ONE_AND && small(a) && small(b) => true,
            [a, or, b] if or.letter && a.tongue.or(b.tongue).is_none() && small(a) && small(b) => {
                true
            }
            _ => digits_of(run) < DIGITS_MIN,
        }
    }

    /// A time in figures without "am" or "pm" is kept when it stands alone.
    fn is_clock(&self, hour: usize, minute: usize) -> bool {
        let in_order = self.pieces.value(hour) < Some(24) && self.pieces.value(minute) < Some(60);
        let lengths = (self.pieces.figures(hour), self.pieces.figures(minute));
        self.pieces.gap_before(minute) == ":"
            && matches!(lengths, (Some(1..=2), Some(2)))
            && in_order
    }
}

/// How many digits a run dictates. When tens and units were taken together and the run is not that
/// number alone, "twenty one two" may be three digits or four, and the careful reading counts.
fn digits_of(run: &[Member]) -> usize {
    let digits = run.iter().fold(0_usize, |sum, member| sum.saturating_add(member.digits));
    let blended =
        if run.len() > 1 { run.iter().filter(|member| member.blended).count() } else { 0 };
    if digits < DIGITS_MIN { digits + blended } else { digits }
}
