//! Reading a company file to its end: a mistake is told, mended with a field that is known to be
//! sound, and the reading goes on, so that one look finds them all.

use call_core::company::Company;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

/// Something that cannot be read.
pub(super) struct Slip {
    /// Where in the text, in bytes.
    pub(super) offset: usize,
    /// The field there, with its table; empty where there is none.
    pub(super) field: String,
    /// What is wrong with it, and what it must be.
    pub(super) what: String,
}

/// What a text says, and everything in it that cannot be read. What could not be read has been
/// replaced, so a company that comes with slips is only good for finding more mistakes.
pub(super) fn read(text: &str) -> (Option<Company>, Vec<Slip>) {
    let (mut root, garbled) = DeTable::parse_recoverable(text);
    if !garbled.is_empty() {
        // What stands behind a mistake in the writing may be anything.
        return (None, garbled.iter().map(|error| Slip::of(error, String::new())).collect());
    }
    let mut slips: Vec<Slip> = Vec::new();
    loop {
        let error = match Company::deserialize(Deserializer::from(root.clone())) {
            Ok(company) => return (Some(company), slips),
            Err(error) => error,
        };
        let path = match missing(&error) {
            Some(name) => [tables(&error), vec![name]].concat(),
            None => at(root.get_ref(), error.span().map_or(0, |span| span.start)),
        };
        let slip = Slip::of(&error, path.join("."));
        let is_new = slips.iter().all(|other| other.field != slip.field);
        slips.push(slip);
        if !is_new || !mend(root.get_mut(), &path) {
            return (None, slips);
        }
    }
}

impl Slip {
    fn of(error: &toml::de::Error, field: String) -> Self {
        Self {
            offset: error.span().map_or(0, |span| span.start),
            field,
            what: error.message().lines().collect::<Vec<_>>().join(", "),
        }
    }
}

/// The name of the field that is not there, if that is the mistake.
fn missing(error: &toml::de::Error) -> Option<String> {
    let name = error.message().strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(name.to_owned())
}

/// The tables around a mistake. The library tells them in the last line of its words.
fn tables(error: &toml::de::Error) -> Vec<String> {
    let words = error.to_string();
    let last = words.trim_end().lines().next_back().unwrap_or_default();
    let path = last.strip_prefix("in `").and_then(|rest| rest.strip_suffix('`'));
    path.map(|path| path.split('.').map(str::to_owned).collect()).unwrap_or_default()
}

/// The names that lead to the entry in which a byte stands.
fn at(table: &DeTable<'_>, offset: usize) -> Vec<String> {
    for (name, value) in table {
        let within = match value.get_ref() {
            DeValue::Table(inner) => at(inner, offset),
            _ => Vec::new(),
        };
        let is_here = name.span().contains(&offset) || value.span().contains(&offset);
        if is_here || !within.is_empty() {
            return [vec![name.get_ref().to_string()], within].concat();
        }
    }
    Vec::new()
}

/// Replaces what stands at a path by what is sound there, or takes it out where nothing must be
/// there. Whether that could be done.
fn mend(table: &mut DeTable<'_>, path: &[String]) -> bool {
    let Some((name, tables)) = path.split_last() else { return false };
    let mut table = table;
    for name in tables {
        let inner = table.get_mut(name.as_str()).map(Spanned::get_mut);
        let Some(DeValue::Table(inner)) = inner else { return false };
        table = inner;
    }
    let was_there = table.remove(name.as_str()).is_some();
    match sound(path) {
        Some((name, value)) => {
            table.insert(name, value);
            true
        }
        None => was_there,
    }
}

/// What a company that can be read has at a path. All agents are alike.
fn sound(path: &[String]) -> Option<(Spanned<DeString<'static>>, Spanned<DeValue<'static>>)> {
    let (root, _) = DeTable::parse_recoverable(SOUND);
    let (name, tables) = path.split_last()?;
    let mut table = root.into_inner();
    for (depth, name) in tables.iter().enumerate() {
        let is_agent = depth == 1 && tables[0] == "agents";
        let (_, inner) = table.remove_entry(if is_agent { "en" } else { name.as_str() })?;
        let DeValue::Table(inner) = inner.into_inner() else { return None };
        table = inner;
    }
    table.remove_entry(name.as_str())
}

/// All that a company must have, and no more.
const SOUND: &str = r#"
id = "a"
name = "A"
version = 1
numbers = []
language = "en"
functions = []
[agents.en]
voice = "a"
listen_model = "a"
think_provider = "a"
think_model = "a"
prompt = "a"
"#;
