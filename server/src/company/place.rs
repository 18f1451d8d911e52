//! Places in a TOML text: where a field stands.

use std::fmt;

/// A place in a text, counted from 1. Prints as `line:column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    /// The place of a byte. A byte past the end counts as the end.
    pub fn of_offset(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
        }
    }

    /// The place where a field is set, or else its table; the start of the text if neither is
    /// there. `agents.en.voice` is `voice` in the table `agents.en`.
    pub fn of_field(text: &str, field: &str) -> Self {
        let mut name = field;
        loop {
            if let Some(offset) = entries(text).find(|entry| entry.is(name)).map(|e| e.offset) {
                return Self::of_offset(text, offset);
            }
            match name.rsplit_once('.') {
                Some((table, _)) => name = table,
                None => return Self::START,
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A table's heading or a field's line.
struct Entry<'a> {
    offset: usize,
    table: &'a str,
    /// Empty for a heading.
    key: &'a str,
}

impl Entry<'_> {
    fn path(&self) -> String {
        match (self.table, self.key) {
            (table, "") => table.to_owned(),
            ("", key) => key.to_owned(),
            (table, key) => format!("{table}.{key}"),
        }
    }

    fn is(&self, name: &str) -> bool {
        let path = self.path();
        path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The entries of a text in their order. Knows headings, `key = value` and multi-line strings,
/// which is what company files are made of; it does not judge them.
fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    let mut table = "";
    let mut quote: Option<&str> = None;
    let mut offset = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = offset;
        offset += line.len();
        if let Some(open) = quote {
            if line.contains(open) {
                quote = None;
            }
            return None;
        }
        let indent = line.len() - line.trim_start().len();
        let heading = line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((name, _)) = heading {
            table = name.trim_start_matches('[').trim();
            return Some(Entry { offset: start + indent, table, key: "" });
        }
        let (key, value) = line.split_once('=')?;
        quote = ["\"\"\"", "'''"].into_iter().find(|mark| value.matches(mark).count() == 1);
        let key = key.trim();
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_field = !key.is_empty() && key.chars().all(is_key);
        is_field.then_some(Entry { offset: start + indent, table, key })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "id = \"a\"\n\n[agents.en]\nvoice = 1\nprompt = \"\"\"\nñ = 1\n\"\"\"\nend = 2\n";

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        assert_eq!(Place::of_offset(TEXT, 0).to_string(), "1:1");
        let end = TEXT.find("= 1\n\"\"\"").unwrap();
        assert_eq!(Place::of_offset(TEXT, end).to_string(), "6:3");
        assert_eq!(Place::of_offset(TEXT, 10_000).line, 9);
    }

    #[test]
    fn a_field_is_found_or_else_its_table() {
        assert_eq!(Place::of_field(TEXT, "agents.en.end").to_string(), "8:1");
        assert_eq!(Place::of_field(TEXT, "agents.en.missing").to_string(), "3:1");
        assert_eq!(Place::of_field(TEXT, "agents").to_string(), "3:1");
        assert_eq!(Place::of_field(TEXT, "missing").to_string(), "1:1");
    }
}
