//! What both files of lines must have in common, checked when they are built in: a line that one language
//! lacks, or that has other blanks there, is a mistake of the build, with its place.

use std::collections::BTreeMap;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};
use fluent_syntax::parser;

/// A file's name, and what is in it.
pub(crate) type File<'t> = (&'t str, &'t str);

/// What is wrong with the files, as `file:line: what`, and how to mend it.
pub(crate) fn faults(files: [File<'_>; 2]) -> Vec<String> {
    let mut faults = Vec::new();
    let [a, b] = files.map(|file| lines(file, &mut faults));
    compare(files[0], &a, files[1], &b, &mut faults);
    compare(files[1], &b, files[0], &a, &mut faults);
    faults
}

/// A line as far as its counterpart must be like it.
struct Line<'t> {
    blanks: Vec<&'t str>,
    version: Option<&'t str>,
}

type Lines<'t> = BTreeMap<&'t str, Line<'t>>;

fn lines<'t>((name, text): File<'t>, faults: &mut Vec<String>) -> Lines<'t> {
    let resource = parser::parse(text).unwrap_or_else(|(resource, errors)| {
        for error in errors {
            let line = 1 + text[..error.pos.start].matches('\n').count();
            faults.push(format!("{name}:{line}: {error}"));
        }
        resource
    });
    let mut lines = Lines::new();
    for entry in &resource.body {
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            Entry::Term(term) => {
                let place = place(name, text, &format!("-{}", term.id.name));
                faults.push(format!("{place}: a term; write its words where they are used"));
                continue;
            }
            // What it is, the parser has told.
            Entry::Junk { .. } => continue,
        };
        let id = message.id.name;
        let mut fault = |what: &str| faults.push(format!("{}: {what}", place(name, text, id)));
        let line = read(message, &mut fault);
        if lines.insert(id, line).is_some() {
            fault(&format!("`{id}` is there twice; take one of them out"));
        }
    }
    lines
}

fn read<'t>(message: &Message<&'t str>, fault: &mut impl FnMut(&str)) -> Line<'t> {
    let id = message.id.name;
    let blanks = match &message.value {
        Some(pattern) => blanks(id, pattern, fault),
        None => {
            fault(&format!("`{id}` has no words"));
            Vec::new()
        }
    };
    let version = message.attributes.iter().find(|attribute| attribute.id.name == "version");
    let version = version.and_then(|attribute| match &attribute.value.elements[..] {
        [PatternElement::TextElement { value }] => Some(*value),
        _ => None,
    });
    if version.is_none_or(|version| !version.parse().is_ok_and(|version: u32| version > 0)) {
        fault(&format!("`{id}` has no version; write `.version = 1` below its words"));
    }
    Line { blanks, version }
}

/// The variables of a line. Anything richer would hide what is spoken; numbers come in words, so no line
/// chooses between plurals, of which Spanish has three and English two.
fn blanks<'t>(id: &str, pattern: &Pattern<&'t str>, fault: &mut impl FnMut(&str)) -> Vec<&'t str> {
    let mut blanks = Vec::new();
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { .. } => {}
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } => blanks.push(id.name),
            PatternElement::Placeable { .. } => {
                fault(&format!("`{id}` holds more than text and variables; write another line"));
            }
        }
    }
    blanks.sort_unstable();
    blanks.dedup();
    blanks
}

fn compare(
    (name, text): File<'_>,
    ours: &Lines<'_>,
    (other, _): File<'_>,
    theirs: &Lines<'_>,
    faults: &mut Vec<String>,
) {
    for (id, line) in ours {
        let place = place(name, text, id);
        match theirs.get(id) {
            None => faults.push(format!("{place}: `{id}` is not in {other}; add it there")),
            // Told once, of the first file.
            Some(_) if name > other => {}
            Some(there) if there.blanks != line.blanks => faults.push(format!(
                "{place}: `{id}` has the blanks [{}], and [{}] in {other}; they must be the same",
                line.blanks.join(", "),
                there.blanks.join(", "),
            )),
            Some(there) if there.version != line.version => faults.push(format!(
                "{place}: `{id}` has another version in {other}; raise both together"
            )),
            Some(_) => {}
        }
    }
}

/// Where a message begins.
fn place(name: &str, text: &str, id: &str) -> String {
    let begins =
        |line: &str| line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('='));
    let line = text.lines().position(begins).map_or(1, |line| line + 1);
    format!("{name}:{line}")
}
