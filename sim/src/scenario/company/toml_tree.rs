//! A company's TOML as a tree that knows where everything stands, so that its mistakes are found in
//! the same way as those of a scenario.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::tree::{Body, FOUND_MAX, Field, Found, Name, Node, Span, and_more};

/// Fields whose values are words of a choice. TOML writes them as texts.
const CHOICES: [&str; 3] = ["language", "recording", "farewell"];
/// The table whose keys are words of a choice.
const BY_CHOICE: &str = "agents";
/// The table of tables in both of which the keys are words of a choice.
const BY_TWO_CHOICES: &str = "lines";
/// The tables whose keys are up to the company, or names of functions.
const BY_TEXT: [&str; 2] = ["transfer", "function_limits"];

/// What a file holds.
pub(super) struct Written {
    pub(super) tree: Node,
    /// What is no TOML.
    pub(super) found: Vec<Found>,
    /// Up to this byte the tree is what was meant: behind it a list that is not closed has swallowed
    /// the rest.
    pub(super) until: usize,
}

/// Reads a whole file.
pub(super) fn read(text: &str) -> Written {
    let (table, errors) = DeTable::parse_recoverable(text);
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    // A list that is not closed swallows the rest of the file: what is told of that is not so.
    let unclosed = errors.windows(2).find(|two| {
        two[0].message().starts_with("missing comma between array elements")
            && two[1].message().starts_with("unexpected `=`")
    });
    let end = unclosed.map(|two| text[..start(&two[0])].trim_end().len());
    let before = errors.iter().filter(|error| end.is_none_or(|end| start(error) < end));
    let mut found: Vec<_> =
        before.map(|error| in_plain_words(text, error)).take(FOUND_MAX).collect();
    if let Some(end) = end {
        let last = end.saturating_sub(1)..end;
        found.push(Found::new(last, "a list is not closed", "expected `]` behind this"));
    }
    and_more(&mut found);
    let body = Body::Fields(fields(text, table.get_ref()));
    let until = end.unwrap_or(text.len());
    Written { tree: Node { span: 0..text.len(), name: None, body }, found, until }
}

/// What the parser has to say, as somebody who does not know it would.
fn in_plain_words(text: &str, error: &toml::de::Error) -> Found {
    let message = error.message();
    let span = error.span().unwrap_or(0..1);
    let words = text.get(span.clone()).unwrap_or_default().trim();
    if message.starts_with("string values must be quoted") {
        let what = "a text stands without quotation marks";
        let found = Found::new(span, what, "expected quotation marks");
        let digits = words.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        return match words {
            "" => found,
            words if digits.len() < words.len() => {
                let found = Found { what: "this is not a number".to_owned(), ..found };
                let found = Found { label: "expected a number or a text".to_owned(), ..found };
                found.help(format!("write the number alone, without `{digits}`"))
            }
            words => found.help(format!("write \"{words}\"")),
        };
    }
    let (what, label) = if message.starts_with("invalid basic string") {
        ("a text is not closed", "expected `\"`")
    } else if message.starts_with("key with no value") {
        ("a name without a value", "expected `name = value`")
    } else if message.starts_with("duplicate key") {
        ("this name stands here twice", "the second one")
    } else if message.starts_with("unclosed array") {
        ("a list is not closed", "expected `]`")
    } else {
        return Found::new(span, message.replace('\n', ", "), "here");
    };
    Found::new(span, what, label)
}

/// What is said of the shape of a value, in the words of TOML.
pub(super) fn in_toml(mut found: Found, tree: &Node) -> Found {
    let help = found.help.as_deref().unwrap_or_default();
    if help.starts_with("write `{") || found.what.starts_with("expected fields") {
        found.what = "expected a table".to_owned();
        found.help = Some("write its name in square brackets above its fields".to_owned());
    } else if help.ends_with("without quotation marks") {
        found.help = None;
    }
    // A table is shown by its name.
    if found.span == (0..1) && found.label.starts_with("has no ") {
        found.label = format!("the file {}", found.label);
    } else if let Some(name) = name_of(tree, found.span.start)
        && found.span.len() == 1
    {
        found.span = name;
    }
    found
}

/// The name of the table that begins at this byte.
fn name_of(node: &Node, at: usize) -> Option<Span> {
    let is_table = matches!(node.body, Body::Fields(_) | Body::Map(_));
    if is_table && node.span.start == at && node.span.start > 0 {
        return Some(node.span.clone());
    }
    match &node.body {
        Body::Fields(fields) => fields.iter().find_map(|field| name_of(&field.value, at)),
        Body::Map(entries) => entries.iter().find_map(|(_, value)| name_of(value, at)),
        _ => None,
    }
}

fn fields(text: &str, table: &DeTable<'_>) -> Vec<Field> {
    let field = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<toml::de::DeString<'_>> = key;
        let name = Name { text: key.get_ref().to_string(), span: key.span() };
        let value = match value.get_ref() {
            // Tables within each other may stand in one pair of brackets: the name of each is its
            // own.
            DeValue::Table(inner)
                if name.text == BY_CHOICE || BY_TEXT.contains(&name.text.as_str()) =>
            {
                let by_choice = name.text == BY_CHOICE;
                Node { span: key.span(), name: None, body: map(text, inner, by_choice) }
            }
            DeValue::Table(inner) if name.text == BY_TWO_CHOICES => {
                let mut node = Node { span: key.span(), name: None, body: map(text, inner, true) };
                if let Body::Map(entries) = &mut node.body {
                    entries.iter_mut().for_each(|(_, inner)| by_choice(inner));
                }
                node
            }
            DeValue::Table(inner) => {
                Node { span: key.span(), name: None, body: Body::Fields(fields(text, inner)) }
            }
            DeValue::String(word) if CHOICES.contains(&name.text.as_str()) => {
                let word = Name { text: word.to_string(), span: value.span() };
                Node { span: value.span(), name: Some(word), body: Body::Bare }
            }
            _ => node(text, value),
        };
        Field { name, value }
    };
    table.iter().map(field).collect()
}

/// Makes a map of a table's fields.
fn by_choice(node: &mut Node) {
    if let Body::Fields(fields) = &mut node.body {
        let key = |name: Name| Node { span: name.span.clone(), name: Some(name), body: Body::Bare };
        let entries = std::mem::take(fields).into_iter();
        node.body = Body::Map(entries.map(|field| (key(field.name), field.value)).collect());
    }
}

fn map(text: &str, table: &DeTable<'_>, by_choice: bool) -> Body {
    let entry = |Field { name, value }| {
        let name: Name = name;
        let span = name.span.clone();
        let key = if by_choice {
            Node { span, name: Some(name), body: Body::Bare }
        } else {
            Node { span, name: None, body: Body::Text(name.text) }
        };
        (key, value)
    };
    Body::Map(fields(text, table).into_iter().map(entry).collect())
}

fn node(text: &str, value: &Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let written = || text.get(span.clone()).unwrap_or_default().to_owned();
    let (name, body) = match value.get_ref() {
        DeValue::String(text) => (None, Body::Text(text.to_string())),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
            (None, Body::Number(written()))
        }
        DeValue::Boolean(is) => {
            (Some(Name { text: is.to_string(), span: span.clone() }), Body::Bare)
        }
        DeValue::Array(items) => {
            (None, Body::List(items.iter().map(|item| node(text, item)).collect()))
        }
        DeValue::Table(inner) => (None, Body::Fields(fields(text, inner))),
    };
    Node { span, name, body }
}
