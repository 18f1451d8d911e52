//! Reads RON for what is wrong with it.
//!
//! Whether a file is sound is the RON library's to say; it stops at the first mistake. This reader
//! goes on behind a mistake, so that a file needs to be mended only once, and it knows where every
//! value stands. It takes a text on one line for what it is even where its quotation mark is
//! missing, and where a bracket is missing it may go by the indentation.

mod token;

use super::tree::{Body, FOUND_MAX, Field, Found, Name, Node, and_more};

pub(super) use token::integer;

/// Values inside each other.
pub(super) const DEPTH_MAX: usize = 100;

/// What a file holds, and what is wrong with how it is written.
pub(super) struct Reading {
    pub(super) tree: Node,
    pub(super) found: Vec<Found>,
    /// Whether it is plain what belongs into what. Where it is not, a look at what stands where
    /// would find nothing but consequences.
    pub(super) plain: bool,
}

/// Reads a whole file. Where a bracket is wrong, there is more than one way to take the rest of the
/// file: the one in which the least is wrong is what was meant.
pub(super) fn read(text: &str) -> Reading {
    let first = Reader::new(text, false, false).file();
    if first.plain {
        return first;
    }
    let ways = [(true, false), (false, true), (true, true)];
    let others = ways.map(|(by_indent, slips)| Reader::new(text, by_indent, slips).file());
    let cost = |reading: &Reading| (!reading.plain, reading.found.len());
    others
        .into_iter()
        .fold(first, |best, other| if cost(&other) < cost(&best) { other } else { best })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    found: Vec<Found>,
    /// The brackets around this place, and where they were opened.
    open: Vec<(char, usize)>,
    /// Whether a line that begins left of a bracket's line is a sign that the bracket was
    /// forgotten to be closed.
    by_indent: bool,
    /// Whether a bracket of the wrong kind is a slip of the finger.
    slips: bool,
    plain: bool,
    /// The bracket of the wrong kind that closed the last value.
    slipped: Option<char>,
    /// The end of the file came too early; whatever else is missing follows from it.
    ended: bool,
}

/// What comes after an element of a list.
enum Next {
    Element,
    /// The end of the list; and whether its bracket was there.
    End(bool),
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, by_indent: bool, slips: bool) -> Self {
        let (found, open) = (Vec::new(), Vec::new());
        Self {
            text,
            at: 0,
            found,
            open,
            by_indent,
            slips,
            plain: true,
            slipped: None,
            ended: false,
        }
    }

    fn file(mut self) -> Reading {
        self.space();
        while self.rest().starts_with("#!") {
            self.at += self.rest().find(']').map_or(self.rest().len(), |end| end + 1);
            self.space();
        }
        if self.rest().is_empty() {
            if !self.ended {
                let what = match self.text.trim() {
                    "" => "the file is empty",
                    _ => "the file holds nothing but remarks",
                };
                let found = Found::new(0..0, what, "a scenario is missing");
                let help = "a scenario begins with `Scenario(`; docs/scenarios.md has a first one";
                self.tell(found.help(help));
            }
            let tree = Node { span: 0..0, name: None, body: Body::Bad };
            return Reading { tree, found: self.found, plain: false };
        }
        let tree = self.value();
        self.space();
        if !self.rest().is_empty() && !self.ended {
            let end = self.at + self.rest().find('\n').unwrap_or(self.rest().len());
            let what = "something stands behind the end of the scenario";
            self.tell(
                Found::new(self.at..end, what, "not part of it").help(
                    "a file holds one `Scenario( … )`; perhaps a bracket was closed too early",
                ),
            );
            self.plain = false;
        }
        and_more(&mut self.found);
        Reading { tree, found: self.found, plain: self.plain }
    }

    fn value(&mut self) -> Node {
        let start = self.at;
        let node = |body, end| Node { span: start..end, name: None, body };
        if self.open.len() >= DEPTH_MAX {
            let what = format!("more than {DEPTH_MAX} brackets are open");
            self.tell(Found::new(start..start + 1, what, "too deep"));
            self.at = self.text.len();
            (self.ended, self.plain) = (true, false);
            return node(Body::Bad, self.at);
        }
        match self.peek() {
            Some('(') => self.round(None),
            Some('[') => self.list(),
            Some('{') => self.map(),
            Some(c) if token::begins_text(c, self.rest()) => {
                let body = self.string().map_or(Body::Bad, Body::Text);
                node(body, self.at)
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => {
                let body = self.number().map_or(Body::Bad, Body::Number);
                node(body, self.at)
            }
            Some(c) if token::begins_word(c) => {
                if let Some(length) = token::unopened(self.rest()) {
                    self.at += length;
                    let what = "this text has no quotation mark at its beginning";
                    self.tell(Found::new(start..self.at, what, "expected a `\"` before this"));
                    return node(Body::Bad, self.at);
                }
                let name = self.word();
                let end = self.at;
                self.space();
                if self.peek() == Some('(') {
                    return self.round(Some(name));
                }
                if self.lacks_bracket() {
                    let what = format!("`{}` has no opening bracket", name.text);
                    self.tell(Found::new(name.span.clone(), what, "expected `(` behind this"));
                    return self.without_bracket(name);
                }
                self.at = end;
                Node { span: start..end, name: Some(name), body: Body::Bare }
            }
            Some(c) if !matches!(c, ',' | ')' | ']' | '}') => {
                self.skip();
                let what = format!("a value cannot begin with {}", token::shown(c));
                self.tell(Found::new(start..start + c.len_utf8(), what, "a value is expected"));
                node(Body::Bad, self.at)
            }
            Some(c) => {
                let span = start..start + c.len_utf8();
                self.tell(Found::new(span, "a value is missing", "expected before this"));
                Node { span: start..start, name: None, body: Body::Bad }
            }
            None => {
                self.end_of_file();
                node(Body::Bad, start)
            }
        }
    }

    fn list(&mut self) -> Node {
        let start = self.enter('[');
        let mut items = Vec::new();
        let whole = loop {
            match self.next(items.is_empty()) {
                Next::Element => items.push(self.value()),
                Next::End(whole) => break whole,
            }
        };
        self.slipped = None;
        let body = if whole || self.by_indent { Body::List(items) } else { Body::Bad };
        Node { span: start..self.at, name: None, body }
    }

    fn map(&mut self) -> Node {
        let start = self.enter('{');
        let mut entries = Vec::new();
        let whole = loop {
            match self.next(entries.is_empty()) {
                Next::Element => {
                    let key = self.value();
                    self.space();
                    let value = if self.colon(&key.span) {
                        self.value()
                    } else {
                        Node { span: self.at..self.at, name: None, body: Body::Bad }
                    };
                    entries.push((key, value));
                }
                Next::End(whole) => break whole,
            }
        };
        self.slipped = None;
        let body = if whole || self.by_indent { Body::Map(entries) } else { Body::Bad };
        Node { span: start..self.at, name: None, body }
    }

    /// `(…)`, with names in it or without.
    fn round(&mut self, name: Option<Name>) -> Node {
        let open = self.enter('(');
        self.inside(name, open)
    }

    /// Likewise, where the opening bracket is missing.
    fn without_bracket(&mut self, name: Name) -> Node {
        self.open.push(('(', self.at));
        self.inside(Some(name), self.at)
    }

    fn inside(&mut self, name: Option<Name>, open: usize) -> Node {
        let start = name.as_ref().map_or(open, |name| name.span.start);
        let (mut items, mut fields) = (Vec::new(), Vec::new());
        let whole = loop {
            match self.next(items.is_empty() && fields.is_empty()) {
                Next::Element => match self.field_name(!fields.is_empty()) {
                    Some(name) => {
                        self.space();
                        fields.push(Field { name, value: self.value() });
                    }
                    None => items.push(self.value()),
                },
                Next::End(whole) => break whole,
            }
        };
        let bad = !whole && !self.by_indent;
        let nameless = items.first().filter(|item| {
            !fields.is_empty() && !matches!(item.body, Body::Bad) && !self.told_before(item)
        });
        if let Some(item) = nameless {
            let what = "a value without a name stands among fields";
            self.tell(Found::new(item.head(), what, "expected `name: value`"));
        }
        let is_list = self.slipped.take() == Some(']') && name.is_none();
        let body = match fields.is_empty() {
            _ if bad => Body::Bad,
            true if is_list => Body::List(items),
            true => Body::Tuple(items),
            false => Body::Fields(fields),
        };
        Node { span: start..self.at, name, body }
    }

    /// A field's name and its colon, or what was meant as such; nothing where a mere value stands.
    fn field_name(&mut self, among_fields: bool) -> Option<Name> {
        let start = self.at;
        let quoted = self.peek() == Some('"');
        let name = if quoted {
            let text = self.quiet_string()?;
            Name { text, span: start..self.at }
        } else if self.peek().is_some_and(token::begins_word)
            && !token::begins_text(self.peek()?, self.rest())
        {
            self.word()
        } else {
            return None;
        };
        self.space();
        match self.peek() {
            Some(':') => {
                if quoted {
                    let what = "the name of a field stands without quotation marks";
                    let help = format!("write `{}:`", name.text);
                    self.tell(Found::new(name.span.clone(), what, "a name").help(help));
                }
                self.at += 1;
                Some(name)
            }
            Some('=') if !quoted => {
                let what = format!("`{}` is followed by `=`", name.text);
                let span = self.at..self.at + 1;
                self.tell(Found::new(span, what, "expected `:`"));
                self.at += 1;
                Some(name)
            }
            Some(c)
                if !quoted
                    && !matches!(c, ',' | ')' | '(' | ']' | '}')
                    && (among_fields
                        || token::begins_text(c, self.rest())
                        || c.is_ascii_digit()
                        || matches!(c, '[' | '{')) =>
            {
                let what = format!("there is no `:` behind `{}`", name.text);
                self.tell(Found::new(name.span.clone(), what, "expected `:` behind this"));
                Some(name)
            }
            _ => {
                self.at = start;
                None
            }
        }
    }

    fn colon(&mut self, before: &std::ops::Range<usize>) -> bool {
        match self.peek() {
            Some(':') => self.at += 1,
            Some('=') => {
                self.tell(Found::new(
                    self.at..self.at + 1,
                    "a key is followed by `=`",
                    "expected `:`",
                ));
                self.at += 1;
            }
            _ => {
                let what = "there is no `:` and no value behind a key";
                self.tell(Found::new(before.clone(), what, "expected `:` behind this"));
                return false;
            }
        }
        self.space();
        true
    }

    fn enter(&mut self, bracket: char) -> usize {
        let start = self.at;
        self.open.push((bracket, start));
        self.at += 1;
        start
    }

    /// Goes past a comma to the next element, or past the bracket that ends the list.
    fn next(&mut self, first: bool) -> Next {
        let before = self.at;
        self.space();
        let Some(&(bracket, opened)) = self.open.last() else { return Next::End(false) };
        if !first && self.peek() == Some(',') {
            self.at += 1;
            self.space();
        } else if !first && self.begins_element() && !(self.by_indent && self.left_of(opened)) {
            let last = self.text[..before].trim_end().len();
            let what = "a comma is missing";
            self.tell(Found::new(last.saturating_sub(1)..last, what, "expected `,` behind this"));
        }
        loop {
            if self.by_indent && self.left_of(opened) {
                let next = self.unclosed(bracket, opened);
                // The comma belongs to what is around it.
                self.at = before;
                return next;
            }
            match self.peek() {
                None => {
                    self.end_of_file();
                    self.open.pop();
                    return Next::End(false);
                }
                Some(c @ (')' | ']' | '}')) if c == closing(bracket) => {
                    self.at += 1;
                    self.open.pop();
                    return Next::End(true);
                }
                Some(c @ (')' | ']' | '}')) => return self.wrong_bracket(c, bracket, opened),
                Some(',') => {
                    let span = self.at..self.at + 1;
                    self.tell(Found::new(span, "a comma with nothing before it", "one too many"));
                    self.at += 1;
                    self.space();
                }
                Some(_) if self.begins_element() => return Next::Element,
                Some(c) => {
                    let unseen = |c| token::is_invisible(c) && !matches!(c, ' ' | '\t'..='\r');
                    let unseen = self.rest().find(|c| !unseen(c));
                    let length = unseen.unwrap_or(self.rest().len()).max(c.len_utf8());
                    let span = self.at..self.at + length;
                    let what = format!("{} cannot stand here", token::shown(c));
                    let label = format!("expected `,` or `{}`", closing(bracket));
                    let found = Found::new(span, what, label);
                    self.tell(match c {
                        '#' => found.help("a remark begins with `//`"),
                        _ => found,
                    });
                    match c {
                        c if token::is_invisible(c) => self.at += length,
                        '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                        _ => self.skip(),
                    }
                    self.space();
                }
            }
        }
    }

    /// Whether something was told of the place right before a value.
    fn told_before(&self, node: &Node) -> bool {
        let between = |found: &Found| self.text.get(found.span.end..node.span.start);
        self.found.iter().any(|found| between(found).is_some_and(|text| text.trim().is_empty()))
    }

    fn begins_element(&self) -> bool {
        self.peek().is_some_and(|c| {
            token::begins_word(c)
                || token::begins_text(c, self.rest())
                || c.is_ascii_digit()
                || matches!(c, '(' | '[' | '{' | '+' | '-' | '.')
        })
    }

    /// Whether fields follow a word in a list, on its line, where their bracket should be opened.
    fn lacks_bracket(&self) -> bool {
        let rest = self.rest();
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let line = rest.lines().next().unwrap_or_default();
        let closes = line.contains(')');
        let in_list = self.open.last().is_some_and(|(bracket, _)| *bracket == '[');
        in_list && word > 0 && rest[word..].starts_with(':') && closes
    }

    fn wrong_bracket(&mut self, c: char, bracket: char, opened: usize) -> Next {
        let line_begin = self.text[..self.at].rfind('\n').map_or(0, |end| end + 1);
        let outer = self.open.iter().rev().skip(1).find(|(open, _)| closing(*open) == c);
        // A slip of the finger closes what was opened on its own line.
        let forgotten = outer.is_some_and(|(_, at)| *at >= line_begin || opened < line_begin);
        if forgotten && !self.slips {
            return self.unclosed(bracket, opened);
        }
        let what = format!("`{c}` closes a `{bracket}`");
        let label = format!("expected `{}`", closing(bracket));
        self.tell(Found::new(self.at..self.at + 1, what, label));
        self.at += 1;
        self.open.pop();
        self.slipped = Some(c);
        Next::End(true)
    }

    fn unclosed(&mut self, bracket: char, opened: usize) -> Next {
        let what = format!("this `{bracket}` is never closed");
        let line = self.text[..self.at].matches('\n').count() + 1;
        let label = format!("its `{}` is missing before line {line}", closing(bracket));
        self.tell(Found::new(opened..opened + 1, what, label));
        self.plain &= self.by_indent;
        self.open.pop();
        Next::End(false)
    }

    /// Whether this place is the first of its line, and not to the right of the line on which a
    /// bracket was opened. A closing bracket may stand right below its line.
    fn left_of(&self, opened: usize) -> bool {
        let before = self.text[..self.at].trim_end_matches([' ', '\t']);
        if self.rest().is_empty() || !before.ends_with('\n') {
            return false;
        }
        let here = before.len();
        let there = self.text[..opened].rfind('\n').map_or(0, |end| end + 1);
        let indent = |begin: usize| {
            let line = &self.text[begin..];
            line.len() - line.trim_start_matches([' ', '\t']).len()
        };
        let closes = self.peek().is_some_and(|c| matches!(c, ')' | ']' | '}'));
        if closes { indent(here) < indent(there) } else { indent(here) <= indent(there) }
    }

    fn end_of_file(&mut self) {
        self.plain = false;
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(&(bracket, opened)) = self.open.last() {
            let what = format!("the file ends, and this `{bracket}` is still open");
            let label = format!("expected a `{}` for it", closing(bracket));
            self.tell(Found::new(opened..opened + 1, what, label));
        }
    }

    fn tell(&mut self, found: Found) {
        if self.found.len() < FOUND_MAX && !self.found.contains(&found) {
            self.found.push(found);
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}
