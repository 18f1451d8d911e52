//! Words, texts, numbers and what lies between them.

use super::Reader;
use crate::scenario::tree::{Found, Name};

/// Quotation marks that a word processor puts in the place of `"`.
const CURLY: [char; 4] = ['“', '”', '„', '«'];

pub(super) fn begins_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a text begins here, in whatever marks it is put.
pub(super) fn begins_text(c: char, rest: &str) -> bool {
    let raw = |rest: &str| rest.trim_start_matches('#').starts_with('"');
    match c {
        '"' | '\'' => true,
        'r' => raw(&rest[1..]),
        'b' => rest[1..].starts_with('"') || (rest[1..].starts_with('r') && raw(&rest[2..])),
        c => CURLY.contains(&c),
    }
}

/// How long a text is of which the first quotation mark is missing, with the last one; nothing where
/// what begins here is no such text.
pub(super) fn unopened(rest: &str) -> Option<usize> {
    let line = rest.lines().next()?;
    let word = line.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let behind_word = line[word..].trim_start().chars().next()?;
    let mark = line.find('"')?;
    let behind = line[mark + 1..].trim_start().chars().next();
    let is_text = !matches!(behind_word, '(' | ')' | ',' | ']' | '}' | ':' | '=' | '/')
        && line.matches('"').count() % 2 == 1
        && matches!(behind, None | Some(',' | ')' | ']' | '}' | ':' | '/'));
    is_text.then_some(mark + 1)
}

/// Whether a character is not to be seen, wherever it stands.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control() || c.is_whitespace() || ('\u{2000}'..='\u{206f}').contains(&c) || c == '\u{feff}'
}

/// A character as it is named in a message.
pub(super) fn shown(c: char) -> String {
    if is_invisible(c) { format!("the character U+{:04X}", u32::from(c)) } else { format!("`{c}`") }
}

impl Reader<'_> {
    /// Goes past spaces and comments.
    pub(super) fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| {
                matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
                    || matches!(c, '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
            });
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.block_comment();
            } else {
                return;
            }
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else if let Some(c) = self.peek() {
                self.at += c.len_utf8();
            } else {
                let what = "this comment is never closed";
                self.tell(Found::new(start..start + 2, what, "expected a `*/` for it"));
                (self.ended, self.plain) = (true, false);
                return;
            }
        }
    }

    pub(super) fn word(&mut self) -> Name {
        let start = self.at;
        let rest = self.rest();
        let raw = if rest.starts_with("r#") { 2 } else { 0 };
        // Behind the mark of a raw name, more may stand in it.
        let more = |c: char| raw > 0 && matches!(c, '.' | '+' | '-');
        let end = rest[raw..].find(|c: char| !(c.is_alphanumeric() || c == '_' || more(c)));
        self.at += raw + end.unwrap_or(rest.len() - raw);
        Name { text: self.text[start + raw..self.at].to_owned(), span: start..self.at }
    }

    /// A number as it is written, if it is one.
    pub(super) fn number(&mut self) -> Option<String> {
        let start = self.at;
        let mut before = ' ';
        let end = self.rest().find(|c: char| {
            let sign = matches!(c, '+' | '-') && matches!(before, ' ' | 'e' | 'E');
            before = c;
            !(sign || c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        });
        self.at += end.unwrap_or(self.rest().len());
        let text = &self.text[start..self.at];
        if integer(text).is_some() || text.replace('_', "").parse::<f64>().is_ok() {
            return Some(text.to_owned());
        }
        // So many digits are a number all the same: who wants it will say that it is too large.
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
            return Some(text.to_owned());
        }
        let found = Found::new(start..self.at, "this is not a number", "expected a number");
        let letters =
            text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '.'));
        self.tell(match letters {
            "" => found,
            unit => found.help(format!("write the number alone, without `{unit}`")),
        });
        None
    }

    /// A text without its marks; nothing if it is not one, which was told then.
    pub(super) fn string(&mut self) -> Option<String> {
        let start = self.at;
        match self.peek()? {
            '"' => self.quoted(start),
            '\'' => self.in_single_marks(start),
            'r' => self.raw(start),
            'b' => {
                self.at += 1;
                let inner = self.at;
                let _ = if self.peek() == Some('"') { self.quoted(inner) } else { self.raw(inner) };
                self.tell(Found::new(start..start + 1, "a text of bytes", "expected a plain text"));
                None
            }
            _ => self.in_curly_marks(start),
        }
    }

    /// A text in plain marks, of which nothing is told.
    pub(super) fn quiet_string(&mut self) -> Option<String> {
        let (start, told, plain) = (self.at, self.found.len(), self.plain);
        let text = self.quoted(start);
        self.found.truncate(told);
        self.plain = plain;
        if text.is_none() {
            self.at = start;
        }
        text
    }

    fn quoted(&mut self, start: usize) -> Option<String> {
        let mut text = String::new();
        self.at = start + 1;
        loop {
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return if self.ran_on(start) { self.cut_short(start) } else { Some(text) };
                }
                Some('\\') => match self.escape() {
                    Some(Some(c)) => text.push(c),
                    Some(None) => {}
                    None => {
                        self.skip_to_mark(start);
                        return None;
                    }
                },
                Some(c) => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
                None => return self.cut_short(start),
            }
        }
    }

    /// Whether what was read as a text over several lines is two texts and what is between them,
    /// because the mark that ends the first is missing.
    fn ran_on(&self, start: usize) -> bool {
        let next = self.rest().trim_start().chars().next();
        self.text[start..self.at].contains('\n')
            && !matches!(next, None | Some(',' | ')' | ']' | '}' | ':' | '/'))
    }

    /// The end of the line is where the text should have ended.
    fn cut_short(&mut self, start: usize) -> Option<String> {
        let line = self.text[start..].lines().next().unwrap_or_default();
        let end = line.trim_end_matches([',', ')', ']', '}', ' ', '\t', '\r']).len();
        let end = if end <= 1 { line.len().max(1) } else { end };
        self.at = start + end;
        let what = "this text is never closed";
        self.tell(Found::new(start..self.at, what, "expected a `\"` at its end"));
        None
    }

    /// `\n` and its like. The inner nothing stands for an end of line that is skipped.
    fn escape(&mut self) -> Option<Option<char>> {
        let start = self.at;
        let after = &self.rest()[1..];
        let simple = |c| Some((1, Some(c)));
        let read = match after.chars().next() {
            Some('n') => simple('\n'),
            Some('t') => simple('\t'),
            Some('r') => simple('\r'),
            Some('0') => simple('\0'),
            Some(c @ ('\\' | '"' | '\'')) => simple(c),
            Some('\n' | '\r') => Some((after.len() - after.trim_start().len(), None)),
            Some('x') => hex(after.get(1..3)).map(|c| (3, Some(c))),
            Some('u') if after[1..].starts_with('{') => {
                let digits = after[2..].split('}').next().filter(|_| after.contains('}'));
                hex(digits).map(|c| (3 + digits.map_or(0, str::len), Some(c)))
            }
            _ => None,
        };
        if let Some((length, c)) = read {
            self.at += 1 + length;
            return Some(c);
        }
        let length = 1 + after.chars().next().map_or(0, char::len_utf8);
        let found = Found::new(start..start + length, "this escape is unknown", "after `\\`");
        self.tell(found.help("known are \\n, \\t, \\r, \\0, \\\\, \\\", \\', \\x41 and \\u{41}"));
        self.at += length;
        None
    }

    fn skip_to_mark(&mut self, start: usize) {
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '\\' => self.at += self.peek().map_or(0, char::len_utf8),
                '"' => {
                    if self.ran_on(start) {
                        self.cut_short(start);
                    }
                    return;
                }
                _ => {}
            }
        }
        self.cut_short(start);
    }

    fn raw(&mut self, start: usize) -> Option<String> {
        let rest = self.rest();
        let marks = rest[1..].len() - rest[1..].trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(marks));
        let inner = rest.get(2 + marks..).unwrap_or_default();
        match inner.find(&end) {
            Some(length) => {
                self.at += 2 + marks + length + end.len();
                Some(inner[..length].to_owned())
            }
            None => {
                let what = "this text is never closed";
                let label = format!("expected a `{end}` at its end");
                self.tell(Found::new(start..start + 2 + marks, what, label));
                self.at = self.text.len();
                (self.ended, self.plain) = (true, false);
                None
            }
        }
    }

    fn in_single_marks(&mut self, start: usize) -> Option<String> {
        self.in_marks(start, &['\''], "a text stands in double quotation marks")
    }

    fn in_curly_marks(&mut self, start: usize) -> Option<String> {
        self.in_marks(start, &['”', '“', '»'], "these are not plain quotation marks")
    }

    fn in_marks(&mut self, start: usize, closing: &[char], what: &str) -> Option<String> {
        let first = self.peek().map_or(1, char::len_utf8);
        let line = self.text[start + first..].lines().next().unwrap_or_default();
        let end = match line.char_indices().find(|(_, c)| closing.contains(c) || *c == '"') {
            Some((end, c)) => end + c.len_utf8(),
            None => line.trim_end_matches([',', ')', ']', '}', ' ', '\t', '\r']).len(),
        };
        self.at = start + first + end;
        self.tell(Found::new(start..self.at, what, "expected \"…\""));
        None
    }

    /// Goes on to the next comma or closing bracket.
    pub(super) fn skip(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find([',', ')', ']', '}', '\n', '(', '[', '{', '"']);
        self.at += first + end.unwrap_or(rest.len() - first);
    }
}

fn hex(digits: Option<&str>) -> Option<char> {
    let digits = digits.filter(|digits| (1..=6).contains(&digits.len()))?;
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

/// A whole number as RON writes it: `1_000`, `0x3E8`, `-5`, `250u64`.
pub(in crate::scenario) fn integer(text: &str) -> Option<i128> {
    const TYPES: [&str; 10] =
        ["u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128"];
    let text = TYPES.iter().find_map(|of| text.strip_suffix(of)).unwrap_or(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    if digits.starts_with(['_', '+', '-']) {
        return None;
    }
    i128::from_str_radix(&digits.replace('_', ""), base).ok()?.checked_mul(sign)
}
