//! Masks inside JSON text, without a parser: one pass that checks the grammar and copies it.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::Chars;

use super::runs::Before;
use super::{mask, mask_text};

/// Deeper documents are refused, so that no text can exhaust the stack.
const DEPTH_MAX: usize = 64;
/// The shortest number whose digits are masked.
const DIGITS_MIN: usize = 4;

/// Masks every string value of a JSON text as [`mask_text`] does, and every number of four or more
/// digits, which becomes a string. Keys, structure and spacing stay, and so do the numbers of keys
/// that end in `_cents`. The elements of an array are read as one dictation: a number that is split over
/// them is masked behind its first three digits. What is not JSON becomes `"[unreadable]"`.
///
/// ```
/// use call_core::redact::mask_json;
///
/// let arguments = r#"{"account": "12 34 56", "amount_cents": 24310, "zip": 94103}"#;
/// assert_eq!(
///     mask_json(arguments),
///     r#"{"account": "[6 digits]", "amount_cents": 24310, "zip": "[5 digits]"}"#,
/// );
/// ```
pub fn mask_json(json: &str) -> String {
    let mut scanner = Scanner { rest: json, masked: String::with_capacity(json.len()), carried: 0 };
    match scanner.document() {
        Some(()) => scanner.masked,
        None => r#""[unreadable]""#.to_string(),
    }
}

struct Scanner<'t> {
    rest: &'t str,
    masked: String,
    /// The digits of a number that the elements before this one may have begun.
    carried: usize,
}

/// What a value is, as its key or its place tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    /// An amount of money.
    Cents,
    /// A date of birth.
    Birth,
    /// One of several in an array.
    Element,
    Other,
}

impl<'t> Scanner<'t> {
    fn document(&mut self) -> Option<()> {
        self.value(0, Number::Other)?;
        self.rest.is_empty().then_some(())
    }

    fn value(&mut self, depth: usize, number: Number) -> Option<()> {
        self.space();
        match self.rest.bytes().next()? {
            b'{' if depth < DEPTH_MAX => self.members('}', |scanner| scanner.member(depth + 1))?,
            b'[' if depth < DEPTH_MAX => {
                self.carried = 0;
                self.members(']', |scanner| scanner.value(depth + 1, Number::Element))?;
                self.carried = 0;
            }
            b'"' => self.string_value(number)?,
            b'-' | b'0'..=b'9' => self.number(number)?,
            _ => {
                let word = ["true", "false", "null"].iter().find(|w| self.rest.starts_with(**w))?;
                self.copy(word.len());
            }
        }
        self.space();
        Some(())
    }

    /// What stands between brackets, parted by commas.
    fn members(&mut self, close: char, one: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.copy(1);
        self.space();
        if self.rest.starts_with(close) {
            self.copy(1);
            return Some(());
        }
        loop {
            one(self)?;
            let next = self.rest.chars().next()?;
            if next != ',' && next != close {
                return None;
            }
            self.copy(1);
            if next == close {
                return Some(());
            }
        }
    }

    fn member(&mut self, depth: usize) -> Option<()> {
        self.space();
        let (literal, key) = self.string()?;
        self.masked.push_str(literal);
        self.space();
        self.rest.starts_with(':').then(|| self.copy(1))?;
        let number = match key.to_lowercase() {
            key if key.ends_with("_cents") => Number::Cents,
            key if ["birth", "dob", "nacimiento"].iter().any(|word| key.contains(word)) => {
                Number::Birth
            }
            _ => Number::Other,
        };
        self.value(depth, number)
    }

    fn string_value(&mut self, number: Number) -> Option<()> {
        let (literal, text) = self.string()?;
        let masked = match number {
            Number::Element => {
                let before = Before { digits: self.carried, birth: false };
                let (masked, open) = mask(&text, before);
                self.carried = open;
                masked
            }
            Number::Birth => mask(&text, Before { digits: 0, birth: true }).0,
            Number::Cents | Number::Other => mask_text(&text),
        };
        if masked == text {
            self.masked.push_str(literal);
        } else {
            push_quoted(&mut self.masked, &masked);
        }
        Some(())
    }

    /// Takes a string literal: as it is written, and what it says.
    fn string(&mut self) -> Option<(&'t str, String)> {
        let inner = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        let mut letters = inner.chars();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => text.push(escaped(&mut letters)?),
                control if control < ' ' => return None,
                plain => text.push(plain),
            }
        }
        let after = letters.as_str().len();
        let (literal, rest) = self.rest.split_at(self.rest.len() - after);
        self.rest = rest;
        Some((literal, text))
    }

    fn number(&mut self, number: Number) -> Option<()> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let len = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let literal = &self.rest[..len];
        if !is_number(literal) {
            return None;
        }
        let digits = literal.bytes().filter(u8::is_ascii_digit).count();
        if number == Number::Element {
            self.carried = self.carried.saturating_add(digits);
        }
        let in_all = if number == Number::Element { self.carried } else { digits };
        if in_all < DIGITS_MIN || number == Number::Cents {
            self.copy(len);
        } else {
            self.rest = &self.rest[len..];
            push_quoted(&mut self.masked, &format!("[{} digits]", digits.min(999)));
        }
        Some(())
    }

    fn space(&mut self) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        self.copy(self.rest.find(|c| !is_space(c)).unwrap_or(self.rest.len()));
    }

    fn copy(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len);
        self.masked.push_str(taken);
        self.rest = rest;
    }
}

/// The character that an escape stands for. Half of a surrogate pair is a replacement character.
fn escaped(letters: &mut Chars<'_>) -> Option<char> {
    Some(match letters.next()? {
        letter @ ('"' | '\\' | '/') => letter,
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let high = unit(letters)?;
            let mut ahead = letters.clone();
            let low = (ahead.next() == Some('\\') && ahead.next() == Some('u'))
                .then(|| unit(&mut ahead))
                .flatten();
            match char::decode_utf16([high].into_iter().chain(low)).next()? {
                Ok(letter) if letter.len_utf16() == 2 => {
                    *letters = ahead;
                    letter
                }
                Ok(letter) => letter,
                Err(_) => char::REPLACEMENT_CHARACTER,
            }
        }
        _ => return None,
    })
}

fn unit(letters: &mut Chars<'_>) -> Option<u16> {
    let mut value: u32 = 0;
    for _ in 0..4 {
        value = value * 16 + letters.next()?.to_digit(16)?;
    }
    u16::try_from(value).ok()
}

/// The grammar of a JSON number.
fn is_number(literal: &str) -> bool {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match literal.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (literal, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (unsigned, None),
    };
    let exponent = exponent.map(|part| part.strip_prefix(['+', '-']).unwrap_or(part));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    all_digits(whole)
        && !leading_zero
        && decimals.is_none_or(all_digits)
        && exponent.is_none_or(all_digits)
}

fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if control < ' ' => {
                json.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            plain => json.push(plain),
        }
    }
    json.push('"');
}
