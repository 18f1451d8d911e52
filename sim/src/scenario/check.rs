//! What can be wrong with a scenario of the right shape: names that nobody has, numbers that
//! nothing can be, and expectations that no call can meet.
//!
//! All of it is found on the tree, so that each mistake is shown where it stands, and a value that
//! could not be read keeps nobody from looking at the others.

mod back_office;
mod caller;
mod expect;
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use call_core::company::Company;
use call_core::effect::Function;
use serde::de::DeserializeOwned;

use super::near;
use super::read::integer;
use super::shape::{Repairs, shape};
use super::tree::{Body, Found, Node};
use crate::audio::Recording;

pub(super) use caller::near_file;
pub(super) use faults::COUNTED;

/// The longest time that anything may last or take, in milliseconds: a day.
pub(super) const MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// The most characters that anybody says in one go: eleven minutes of talk.
const WORDS_MAX: usize = 10_000;

/// Looks for mistakes.
pub(super) struct Check<'a> {
    pub(super) repairs: &'a Repairs,
    /// Where paths begin.
    pub(super) folder: &'a Path,
    /// The company that is called, if its file is sound.
    pub(super) company: Option<&'a Company>,
    pub(super) found: Vec<Found>,
    /// The recordings that were found sound, by their names.
    pub(super) recordings: BTreeMap<String, Recording>,
    /// Names that there are not and numbers out of range: nothing more is said of them.
    pub(super) wrong: BTreeSet<usize>,
}

impl Check<'_> {
    /// Looks at a whole scenario.
    pub(super) fn scenario(&mut self, tree: &Node) {
        self.words(tree.field("title"), "the title");
        if let (Some(node), Some(company)) = (tree.field("language"), self.company) {
            self.language(node, company);
        }
        if let Some(caller) = tree.field("caller") {
            self.caller(caller);
        }
        for reply in tree.field("agent").map_or(&[][..], Node::items) {
            self.reply(reply);
        }
        if let Some(back_office) = tree.field("back_office") {
            self.back_office(plain(back_office));
        }
        if let Some(limits) = tree.field("limits") {
            self.limits(plain(limits));
        }
        for fault in tree.field("faults").map_or(&[][..], Node::items) {
            self.fault(fault);
        }
        for entry in tree.field("operator").map_or(&[][..], Node::items) {
            self.operator(entry);
        }
        self.expectations(tree);
    }

    fn language(&mut self, node: &Node, company: &Company) {
        let Some(word) = self.sound(node).and_then(|node| node.name.as_ref()) else { return };
        let tags: Vec<_> = company.agents.keys().map(|language| language.tag()).collect();
        if !tags.contains(&word.text.as_str()) {
            let what = format!("{} has no agent that speaks `{}`", company.name, word.text);
            let help = format!("its file has agents for: {}", tags.join(", "));
            self.found.push(Found::new(node.head(), what, "not spoken there").help(help));
        }
    }

    fn reply(&mut self, reply: &Node) {
        if let Some(hears) = reply.field("hears") {
            self.words(Some(hears), "what the agent hears");
        }
        for doing in reply.field("does").map_or(&[][..], Node::items) {
            match (doing.name.as_ref().map(|name| name.text.as_str()), doing.items()) {
                (Some("Says"), [words]) => self.words(Some(words), "what the agent says"),
                (Some("Calls"), [function, ..]) => {
                    self.name::<Function>(function, "function");
                }
                (Some("CallsAll"), [calls]) => self.calls(calls),
                _ => {}
            }
        }
    }

    /// Functions that are asked for in one request.
    fn calls(&mut self, calls: &Node) {
        if self.sound(calls).is_some() && calls.items().is_empty() {
            let what = "a request asks for one function at least";
            self.found.push(Found::new(calls.head(), what, "expected a function"));
        }
        for call in calls.items() {
            if let [function, ..] = call.items() {
                self.name::<Function>(function, "function");
            }
        }
    }

    fn limits(&mut self, node: &Node) {
        let Body::Fields(fields) = &node.body else { return };
        for field in fields {
            self.range(Some(&field.value), 0, MS_MAX, "ms");
        }
        let (limits, _, found) = shape::<call_core::Limits>(node);
        if let (Some(limits), true, Some(company)) = (limits, found.is_empty(), self.company) {
            let company = Company { limits, ..company.clone() };
            for (field, why) in company.faults() {
                let Some(name) = field.strip_prefix("limits.") else { continue };
                let named = node.field(name).or_else(|| node.field("silence_prompt"));
                let what = match name {
                    "silence_farewell" => format!("these limits cannot be kept: {why}"),
                    _ => format!("this limit cannot be kept: {name} {why}"),
                };
                let help = "what is not named here has its default from docs/limits.md";
                let span = named.unwrap_or(node).head();
                self.found.push(Found::new(span, what, "this limit").help(help));
            }
        }
    }

    fn operator(&mut self, entry: &Node) {
        self.range(entry.field("at_ms"), 0, MS_MAX, "ms");
        self.range(entry.field("within_ms"), 0, MS_MAX, "ms");
        let (Some(target), Some(company)) = (entry.field("target"), self.company) else { return };
        let Some(name) = self.text(target) else { return };
        if !company.transfer.contains_key(name) {
            let names: Vec<_> = company.transfer.keys().map(String::as_str).collect();
            let what = format!("{} has no transfer target `{name}`", company.name);
            let help = if names.is_empty() {
                "its file has no table [transfer]".to_owned()
            } else {
                near::advice(name, &names)
            };
            self.found.push(Found::new(target.head(), what, "no such target").help(help));
        }
    }

    /// A value that stands in the file as it was read.
    fn sound<'n>(&self, node: &'n Node) -> Option<&'n Node> {
        self.repairs.is_sound(node).then_some(node)
    }

    /// A text, if it is one.
    fn text<'n>(&self, node: &'n Node) -> Option<&'n str> {
        match &self.sound(plain(node))?.body {
            Body::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, if it is one.
    fn number(&self, node: &Node) -> Option<i128> {
        match &self.sound(plain(node))?.body {
            Body::Number(text) => integer(text),
            _ => None,
        }
    }

    /// Somebody's words: some, and not too many.
    fn words(&mut self, node: Option<&Node>, whose: &str) {
        let Some((node, text)) = node.and_then(|node| Some((node, self.text(node)?))) else {
            return;
        };
        let length = text.chars().count();
        if text.trim().is_empty() {
            let what = format!("{whose} must not be empty");
            self.found.push(Found::new(node.head(), what, "expected some words"));
        } else if length > WORDS_MAX {
            let what = format!("{whose} has {length} characters; {WORDS_MAX} is the most");
            self.found.push(Found::new(node.head(), what, "too long"));
        }
    }

    /// A number that must be in a range.
    fn range(&mut self, node: Option<&Node>, least: u64, most: u64, unit: &str) {
        let Some((node, number)) = node.and_then(|node| Some((node, self.number(node)?))) else {
            return;
        };
        if !(i128::from(least)..=i128::from(most)).contains(&number) {
            let label = match (unit, most) {
                (_, most) if most == u64::from(u32::MAX) => format!("expected {least} or more"),
                ("", most) => format!("expected {least} to {most}"),
                (unit, most) => format!("expected {least} to {most} {unit}"),
            };
            let what = format!("{} is out of range", short(number));
            self.found.push(Found::new(node.head(), what, label));
            self.wrong.insert(node.id());
        }
    }

    /// A text that names one of the things of a type. Returns it if it does.
    fn name<T: DeserializeOwned>(&mut self, node: &Node, what: &str) -> Option<T> {
        let word = self.text(node)?;
        let name = super::tree::Name { text: word.to_owned(), span: node.span.clone() };
        let bare = Node { span: node.span.clone(), name: Some(name), body: Body::Bare };
        let (value, _, found) = shape::<T>(&bare);
        let Some(found) = found.into_iter().next() else { return value };
        let unknown = Found {
            what: format!("there is no {what} `{word}`"),
            label: format!("no such {what}"),
            ..found
        };
        self.found.push(unknown);
        self.wrong.insert(node.id());
        None
    }
}

fn short(number: i128) -> String {
    let digits = number.to_string();
    if digits.len() > 20 { "a number of so many digits".to_owned() } else { digits }
}

/// What stands in `Some(…)`, or the value itself.
fn plain(node: &Node) -> &Node {
    match (&node.name, &node.body) {
        (Some(name), Body::Tuple(items)) if name.text == "Some" && items.len() == 1 => &items[0],
        _ => node,
    }
}
