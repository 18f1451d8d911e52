//! The lines around a mistake, as they can be shown: narrow enough, and of nothing but characters
//! that a terminal shows.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// So much of a line is shown.
const COLUMNS: usize = 66;
/// So much of it before the mistake, where the line is longer.
const BEFORE: usize = 24;
/// Farther to the right there would be no room for a label.
const LEFT: usize = 36;

/// A line with what is wrong in it, and the lines before and after.
#[derive(Debug, Clone)]
pub(super) struct Excerpt {
    /// The lines, as they are shown.
    shown: String,
    /// The line that is wrong, within them.
    wrong: Range<usize>,
    /// The words that are wrong, within them.
    span: Range<usize>,
    words: String,
    line: usize,
    column: usize,
    /// The number of the first line.
    first: usize,
}

impl Excerpt {
    /// The lines around a span of a text.
    pub(super) fn of(text: &str, span: Range<usize>) -> Self {
        let start = boundary(text, span.start);
        let begin = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let end = begin + text[begin..end].trim_end_matches('\r').len();
        let start = start.min(end);
        let stop = boundary(text, span.end.max(start)).clamp(start, end);
        // A span of nothing is shown as one character.
        let stop = match text[start..end].chars().next() {
            Some(c) if stop == start => start + c.len_utf8(),
            _ => stop,
        };
        let line = text[..begin].matches('\n').count() + 1;
        let before = text[..begin].strip_suffix('\n').map(|head| head.lines().next_back());
        let after = text[end..].split_once('\n').and_then(|(_, tail)| tail.lines().next());

        let mut shown = String::new();
        if let Some(before) = before {
            shown.push_str(&clipped(before.unwrap_or_default(), 0));
            shown.push('\n');
        }
        let wrong = shown.len();
        let column = text[begin..start].chars().count();
        let skipped = if text[begin..end].chars().count() > COLUMNS || column > LEFT {
            column.saturating_sub(BEFORE)
        } else {
            0
        };
        let head: String = text[begin..start].chars().skip(skipped).collect();
        if skipped > 0 {
            shown.push('…');
        }
        shown.push_str(&clean(&head));
        let left = COLUMNS.saturating_sub(head.chars().count()).max(1);
        let marked = shown.len();
        shown.push_str(&clean(&text[start..stop].chars().take(left).collect::<String>()));
        let span = marked..shown.len();
        let left = left.saturating_sub(text[start..stop].chars().count());
        shown.push_str(&clipped_to(&text[stop..end], left));
        let wrong = wrong..shown.len();
        if let Some(after) = after {
            shown.push('\n');
            shown.push_str(&clipped(after, 0));
        }
        let first = if before.is_some() { line - 1 } else { line };
        let words = text[start..stop].to_owned();
        Self { shown, wrong, span, words, line, column: column + 1, first }
    }

    /// The line of the mistake, from 1.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// The column of the mistake in characters, from 1.
    pub(super) const fn column(&self) -> usize {
        self.column
    }

    /// The words that are wrong, of the first line.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Where the words are in what is shown.
    pub(super) fn span(&self) -> SourceSpan {
        (self.span.start, self.span.len()).into()
    }

    /// A label, if need be on several lines, so that it fits behind the words.
    pub(super) fn label(&self, label: &str) -> String {
        let column = self.shown[self.wrong.start..self.span.start].chars().count();
        let width = 66_usize.saturating_sub(column + self.span.len() / 2).max(24);
        let mut lines = vec![String::new()];
        for word in label.split_whitespace() {
            let word: String = word.chars().map(visible).collect();
            match lines.last_mut() {
                Some(line) if line.is_empty() => *line = word,
                Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(&word);
                }
                _ => lines.push(word),
            }
        }
        lines.join("\n")
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without lines around it, it is asked only where the mistake is.
        if before == 0 && after == 0 {
            let data = &self.shown.as_bytes()[self.span.clone()];
            let span = (self.span.start, self.span.len()).into();
            let (line, column) = (self.line - 1, self.column - 1);
            return Ok(Box::new(MietteSpanContents::new(data, span, line, column, 1)));
        }
        let data = self.shown.as_bytes();
        let lines = self.shown.lines().count();
        let span = (0, data.len()).into();
        Ok(Box::new(MietteSpanContents::new(data, span, self.first - 1, 0, lines)))
    }
}

/// The beginning of the character at this byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn clipped(line: &str, skipped: usize) -> String {
    let rest: String = line.trim_end_matches('\r').chars().skip(skipped).collect();
    clipped_to(&rest, COLUMNS)
}

fn clipped_to(text: &str, columns: usize) -> String {
    let shown = clean(&text.chars().take(columns).collect::<String>());
    if text.chars().count() > columns { format!("{shown}…") } else { shown }
}

/// A tab is one column wide, so that the line stays as narrow as it is counted.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { visible(c) }).collect()
}

/// The character itself, or a sign for one that a terminal would obey or hide.
pub(super) fn visible(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('�'),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '�',
        c => c,
    }
}
