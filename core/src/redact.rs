//! Masks for text that is about to be written: transcripts, logs, arguments, stories.
//!
//! The functions are pure and know nothing about who is talking. They mask by shape: a run of four
//! or more digits, said or written in English or Spanish, may be an account, a card or a social
//! security number, so none of its digits is kept; a date with its year may be a date of birth.
//! Amounts of money, times of day, ordinals and dates without a year are kept, because the record
//! of a call is of no use without them. Where shape cannot decide, the text is masked.
//!
//! ```
//! use call_core::redact::mask_text;
//!
//! assert_eq!(mask_text("It is one two three, uh, forty five."), "It is [5 digits].");
//! assert_eq!(mask_text("Pago $243.10 el 5 de marzo."), "Pago $243.10 el 5 de marzo.");
//! ```
//!
//! **The limit.** [`mask_text`] sees one text. A number that is dictated over several turns ("one two
//! three" - "yes?" - "four five") is masked by [`Talk`], which remembers how the last turn ended; its
//! first three digits stay, as those of any shorter number do.

use alloc::format;
use alloc::string::{String, ToString};

mod addresses;
mod amounts;
mod dates;
mod hours;
mod json;
mod numbers;
mod pieces;
mod runs;
mod talk;
mod words;

use pieces::Pieces;
use runs::{Before, Edit, Mask};

pub use json::mask_json;
pub use talk::Talk;
pub(crate) use words::plain_letter;

/// Masks every run of four or more digits as `[N digits]`, every date with its year as `[date]`
/// and every e-mail address as `[email]`. Text without any of them comes back as it is, and masked
/// text is never masked again.
///
/// ```
/// use call_core::redact::mask_text;
///
/// assert_eq!(mask_text("doble cuatro, uno, siete"), "[4 digits]");
/// assert_eq!(mask_text("born March 4th, 1980"), "born [date]");
/// ```
pub fn mask_text(text: &str) -> String {
    mask(text, Before::default()).0
}

/// Masks a text that goes on with what was said before, and tells the digits of the run it ends in.
fn mask(text: &str, before: Before) -> (String, usize) {
    let mut masked = text.to_string();
    let (mut edits, open) = runs::edits(&Pieces::of(&masked), before);
    // A mask parts what stood together, so a second reading may see more. Every round leaves fewer
    // numbers, words and addresses, so there is a last one.
    while !edits.is_empty() {
        masked = apply(&masked, &edits);
        edits = runs::edits(&Pieces::of(&masked), Before { digits: 0, ..before }).0;
    }
    (masked, open)
}

/// Masks a telephone number as `+1******0199`. What is not a number with its country code becomes
/// `[number]`.
pub fn mask_phone(number: &str) -> String {
    const LEN_MIN: usize = 8;
    let is_mark = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')');
    let bare: String = number.chars().filter(|c| !is_mark(*c)).collect();
    let digits = bare.strip_prefix('+').unwrap_or_default();
    if bare.len() < LEN_MIN || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return "[number]".to_string();
    }
    format!("{}******{}", &bare[..2], &bare[bare.len() - 4..])
}

/// Masks the number of an account or a loan as `****5678`, with at most `keep` of its digits: never
/// more than half of them, and never more than two of a number with fewer than eight.
pub fn mask_tail(number: &str, keep: usize) -> String {
    const SHORT: usize = 8;
    let digits = number.chars().filter(|c| c.is_numeric());
    let count = digits.clone().count();
    let keep_max = if count < SHORT { 2 } else { keep };
    let kept = keep.min(keep_max).min(count / 2);
    let tail: String = digits.skip(count - kept).collect();
    format!("****{tail}")
}

/// Masks a code that somebody else's program sends: an error's name, in capitals, as providers write it.
/// Whatever is not one becomes `[code]`, because it may be a sentence, and quote.
///
/// ```
/// use call_core::redact::mask_code;
///
/// assert_eq!(mask_code("SLOW_THINK_REQUEST"), "SLOW_THINK_REQUEST");
/// assert_eq!(mask_code("no such person: Maria"), "[code]");
/// ```
pub fn mask_code(code: &str) -> String {
    const LEN_MAX: usize = 64;
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_code = (1..=LEN_MAX).contains(&code.len()) && code.chars().all(is_part);
    if is_code { mask_text(code) } else { "[code]".to_string() }
}

fn apply(text: &str, edits: &[Edit]) -> String {
    /// A longer count would itself be a run of digits.
    const COUNT_MAX: usize = 999;
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for Edit { place, mask } in edits {
        masked.push_str(&text[at..place.start]);
        match mask {
            Mask::Digits(count) => masked.push_str(&format!("[{} digits]", count.min(&COUNT_MAX))),
            Mask::Date => masked.push_str("[date]"),
            Mask::Email => masked.push_str("[email]"),
        }
        at = place.end;
    }
    masked.push_str(&text[at..]);
    masked
}
