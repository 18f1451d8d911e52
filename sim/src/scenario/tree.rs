//! A scenario file as a tree that knows where everything stands.

use std::ops::Range;

/// Bytes of the file.
pub(super) type Span = Range<usize>;

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// From its first byte to its last. No other value or field begins at the same byte, so the
    /// beginning serves as its name.
    pub(super) span: Span,
    /// The word before its brackets, or the whole of it: `Says` in `Says("Hello.")`.
    pub(super) name: Option<Name>,
    pub(super) body: Body,
}

#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Something is wrong in it, and that was told.
    Bad,
    /// Nothing but its name.
    Bare,
    Text(String),
    /// As it is written.
    Number(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Tuple(Vec<Node>),
    Fields(Vec<Field>),
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn id(&self) -> usize {
        self.span.start
    }

    /// What to underline when the whole value is meant: its name, or an opening bracket.
    pub(super) fn head(&self) -> Span {
        match (&self.name, &self.body) {
            (Some(name), _) => name.span.clone(),
            (None, Body::List(_) | Body::Map(_) | Body::Tuple(_) | Body::Fields(_)) => {
                self.span.start..self.span.start + 1
            }
            (None, _) => self.span.clone(),
        }
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match &self.body {
            Body::Fields(fields) => {
                fields.iter().find(|field| field.name.text == name).map(|field| &field.value)
            }
            _ => None,
        }
    }

    /// The elements of a list, or what stands in brackets without names.
    pub(super) fn items(&self) -> &[Self] {
        match &self.body {
            Body::List(items) | Body::Tuple(items) => items,
            _ => &[],
        }
    }

    /// What it is, in a few words.
    pub(super) fn kind(&self) -> String {
        match (&self.name, &self.body) {
            (_, Body::Bad) => "something unreadable".to_owned(),
            (Some(name), Body::Bare) => format!("the word `{}`", name.text),
            (Some(name), Body::Fields(_)) => format!("`{}(name: …)`", name.text),
            (Some(name), _) => format!("`{}(…)`", name.text),
            (None, Body::Text(_)) => "a text".to_owned(),
            (None, Body::Number(number)) => format!("the number {number}"),
            (None, Body::List(_)) => "a list".to_owned(),
            (None, Body::Map(_)) => "a map".to_owned(),
            (None, Body::Fields(_)) => "fields in round brackets".to_owned(),
            (None, Body::Tuple(items)) if items.is_empty() => "empty brackets".to_owned(),
            (None, Body::Tuple(_) | Body::Bare) => "values in round brackets".to_owned(),
        }
    }
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) span: Span,
    pub(super) what: String,
    /// Under the line that marks the place.
    pub(super) label: String,
    pub(super) help: Option<String>,
}

/// More mistakes of one kind are not told of one file: the first are mended first.
pub(super) const FOUND_MAX: usize = 50;

/// Says so where not all are told.
pub(super) fn and_more(found: &mut Vec<Found>) {
    if let (Some(last), true) = (found.last(), found.len() >= FOUND_MAX) {
        let what = "there may be more mistakes than are told of one file";
        let more = Found::new(last.span.clone(), what, "the last one told");
        found.push(more.help("mend those that are told first"));
    }
}

impl Found {
    pub(super) fn new(span: Span, what: impl Into<String>, label: impl Into<String>) -> Self {
        Self { span, what: what.into(), label: label.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
