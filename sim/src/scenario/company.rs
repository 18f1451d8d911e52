//! Reads the company that a scenario names.

use std::path::Path;

use call_core::company::Company;
use call_core::effect::Function;
use toml::de::{DeTable, DeValue};

use super::check::near_file;
use super::near;
use super::problem::{Mistake, Source};
use super::tree::{Found, Node};

/// Reads a company's file, which the scenario names in `node`. The mistakes are in the company's
/// file, or in the scenario if there is no such file.
pub(super) fn read(
    scenario: &Source,
    node: &Node,
    name: &str,
    path: &Path,
) -> Result<Company, Vec<Mistake>> {
    let here = |found| vec![Mistake::at(scenario, found)];
    if name.trim().is_empty() {
        return Err(here(Found::new(node.head(), "the company is not named", "expected a path")));
    }
    if !path.is_file() {
        let what = format!("there is no company file {}", path.display());
        let found = Found::new(node.head(), what, "not there");
        return Err(here(match near_file(name, path) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => found.help("paths begin at the folder of the scenario"),
        }));
    }
    let source = match Source::read(path) {
        Ok(source) => source,
        Err(mistake) if mistake.place().is_some() => return Err(vec![*mistake]),
        Err(mistake) => {
            return Err(here(Found::new(node.head(), mistake.what(), "cannot be read")));
        }
    };
    let all = |found: Vec<Found>| found.into_iter().map(|one| Mistake::at(&source, one)).collect();
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return Err(all(errors.iter().take(50).map(of_toml).collect()));
    }
    let table = table.into_inner();
    let mut found = names(&table);
    match toml::from_str::<Company>(&source.text) {
        Ok(company) => {
            found.extend(fault(&company, &table));
            if company.numbers.is_empty() {
                let span = key(&table, "numbers");
                found.push(Found::new(span, "the company has no number to call", "expected one"));
            }
            if found.is_empty() { Ok(company) } else { Err(all(found)) }
        }
        Err(error) => {
            found.push(of_toml(&error));
            Err(all(found))
        }
    }
}

fn of_toml(error: &toml::de::Error) -> Found {
    let message = error.message();
    let found = Found::new(error.span().unwrap_or(0..1), message.replace('\n', ", "), "here");
    // "unknown field `nmae`, expected one of `id`, `name`, …"
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown "), quoted.next()) {
        (true, Some(word)) => {
            let names: Vec<_> = quoted.collect();
            let what = message.split(',').next().unwrap_or(message).to_owned();
            Found { what, ..found }.help(near::advice(word, &names))
        }
        _ => found,
    }
}

/// What the company itself has to say.
fn fault(company: &Company, table: &DeTable<'_>) -> Option<Found> {
    let (field, why) = company.fault()?;
    Some(Found::new(key(table, field), format!("{field}: {why}"), "this one"))
}

/// Functions that there are not.
fn names(table: &DeTable<'_>) -> Vec<Found> {
    let known = Function::ALL.map(Function::name);
    let functions = table.iter().find(|(key, _)| key.get_ref() == "functions");
    let Some(DeValue::Array(functions)) = functions.map(|(_, value)| value.get_ref()) else {
        return Vec::new();
    };
    let unknown = functions.iter().filter_map(|function| match function.get_ref() {
        DeValue::String(name) if !known.contains(&name.as_ref()) => {
            let what = format!("there is no function `{name}`");
            let found = Found::new(function.span(), what, "no such function");
            Some(found.help(near::advice(name, &known)))
        }
        _ => None,
    });
    unknown.collect()
}

fn key(table: &DeTable<'_>, name: &str) -> super::tree::Span {
    let key = table.iter().find(|(key, _)| key.get_ref() == name);
    key.map_or(0..0, |(key, _)| key.span())
}
