//! Reads the company that a scenario names.

mod toml_tree;

use std::path::Path;

use call_core::company::Company;
use call_core::effect::Function;
use locales::Locale;

use super::check::near_file;
use super::near;
use super::problem::{Mistake, Source};
use super::shape::{Repairs, shape};
use super::tree::{Body, Found, Node};
use toml_tree::Written;

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
    if path.is_dir() {
        return Err(here(folder(node, name, path)));
    }
    if !path.is_file() {
        let what = format!("there is no company file {}", path.display());
        let found = Found::new(node.head(), what, "not there");
        return Err(here(match near_file(name, path) {
            Some(near) => found.help(format!("did you mean `{near}`?")),
            None => found.help("paths begin at the folder of the scenario"),
        }));
    }
    let source = match Source::read(path, "company") {
        Ok(source) => source,
        Err(mistake) if mistake.place().is_some() => return Err(vec![*mistake]),
        Err(mistake) => {
            return Err(here(Found::new(node.head(), mistake.what(), "cannot be read")));
        }
    };
    let (company, found) = parse(&source.text);
    match company {
        Some(company) if found.is_empty() => Ok(company),
        _ => Err(found.into_iter().map(|one| Mistake::at(&source, one)).collect()),
    }
}

/// A folder where a file should be named, and the company files in it.
fn folder(node: &Node, name: &str, path: &Path) -> Found {
    /// More are not told.
    const NAMES_MAX: usize = 12;
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| file.ends_with(".toml"))
        .collect();
    names.sort();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    let folder = name.trim_end_matches('/');
    let mut list: Vec<_> = names.iter().map(|file| format!("`{folder}/{file}`")).collect();
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    let help = match list.is_empty() {
        true => "give the path of a .toml file; there is none in this folder".to_owned(),
        false => format!("give the path of a file; the folder holds {}", list.join(", ")),
    };
    let what = format!("{} is a folder, not a company file", path.display());
    Found::new(node.head(), what, "a folder").help(help)
}

/// What the text holds, and everything that is wrong with it.
fn parse(text: &str) -> (Option<Company>, Vec<Found>) {
    let Written { tree, found: garbled, until } = toml_tree::read(text);
    let (company, repairs, misshapen) = shape::<Company>(&tree);
    let misshapen = misshapen.into_iter().map(|one| toml_tree::in_toml(one, &tree));
    let line = |found: &Found| text.get(..found.span.start).map(|text| text.matches('\n').count());
    // What cannot be read may hold what seems to be missing, and has spoilt what is on its line.
    let follows = |one: &Found| {
        one.span.start >= until
            || !garbled.is_empty()
                && (one.what.ends_with("missing") || garbled.iter().any(|g| line(g) == line(one)))
    };
    let mut found: Vec<_> = misshapen.filter(|one| !follows(one)).collect();
    let is_whole = garbled.is_empty();
    found.extend(garbled);
    let told = found.len();
    functions(&tree, &mut found);
    let mut place = 0..;
    found.retain(|one| place.next() < Some(told) || one.span.start < until);
    if let Some(company) = &company
        && is_whole
    {
        faults(company, &tree, &repairs, &mut found);
    }
    if company.is_none() && found.is_empty() {
        found.push(Found::new(0..1, "this is no company file", "docs/scenarios.md has one"));
    }
    (company, found)
}

/// What stands under a word of a choice.
fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Body::Map(entries) = &node.body else { return None };
    let is = |node: &Node| node.name.as_ref().is_some_and(|name| name.text == key);
    entries.iter().find(|(name, _)| is(name)).map(|(_, value)| value)
}

/// What the company itself has to say, of fields that could be read.
fn faults(company: &Company, tree: &Node, repairs: &Repairs, found: &mut Vec<Found>) {
    let value = |path: &str| path.split('.').try_fold(tree, |node, name| node.field(name));
    for (language, lines) in &company.lines {
        let Some(locale) = Locale::from_tag(language.tag()) else { continue };
        let table = tree.field("lines").and_then(|lines| entry(lines, language.tag()));
        for (line, words) in lines {
            let node = table.and_then(|table| entry(table, line.key()));
            if let (Some(node), Err(error)) = (node, locales::check_own(locale, line.key(), words))
                && repairs.is_sound(node)
            {
                found.push(Found::new(node.head(), error.to_string(), "these words"));
            }
        }
    }
    for (field, why) in company.faults() {
        let (top, name) = field.split_once('.').unwrap_or(("", field));
        let node = match field {
            // The value that asks for something that is not there.
            "agents" => value("language").filter(|_| tree.field("agents").is_some()),
            "limits.silence_farewell" => value(field).or_else(|| value("limits.silence_prompt")),
            _ => value(field),
        };
        let Some(node) = node.filter(|node| repairs.is_sound(node)) else { continue };
        let sound = |name: &str| tree.field(name).is_none_or(|node| repairs.is_sound(node));
        if !sound(top) || !sound(name) {
            continue;
        }
        let what = match field {
            "agents" => {
                let tag = company.language.tag();
                format!("there is no table [agents.{tag}] for the company's own language")
            }
            "limits.silence_farewell" => why.to_owned(),
            _ => format!("{name} {why}"),
        };
        found.push(Found::new(node.head(), what, "this one"));
    }
    let numbers = tree.field("numbers").filter(|node| repairs.is_sound(node));
    if let Some(numbers) = numbers.filter(|numbers| numbers.items().is_empty()) {
        let what = "the company has no number to call";
        found.push(Found::new(
            numbers.span.clone(),
            what,
            "expected one, such as \"+15550100011\"",
        ));
    }
}

/// Functions that there are not.
fn functions(tree: &Node, found: &mut Vec<Found>) {
    let known = Function::ALL.map(Function::name);
    for function in tree.field("functions").map_or(&[][..], Node::items) {
        let Body::Text(name) = &function.body else { continue };
        if !known.contains(&name.as_str()) {
            let what = format!("there is no function `{name}`");
            let unknown = Found::new(function.head(), what, "no such function");
            found.push(unknown.help(near::advice(name, &known)));
        }
    }
}
