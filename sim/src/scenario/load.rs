//! From a path to a scenario, or to everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use call_core::company::Company;

use super::check::Check;
use super::company;
use super::file;
use super::problem::{Mistake, Problem, Source};
use super::read::{DEPTH_MAX, Reading, read};
use super::shape::{Repairs, shape};
use super::template::folder;
use super::tree::{Body, Found, Node};
use crate::audio::Recording;

/// What a sound scenario is made of.
pub(super) struct Parts {
    pub(super) file: file::Scenario,
    pub(super) company: Company,
    pub(super) recordings: BTreeMap<String, Recording>,
}

/// Reads a scenario, its company and its recordings.
pub(super) fn load(path: &Path) -> Result<Parts, Box<Problem>> {
    let mut mistakes = Vec::new();
    let parts = match Source::read(path, "scenario") {
        Ok(source) => parts(&source, folder(path), &mut mistakes),
        Err(mistake) => {
            mistakes.push(*mistake);
            None
        }
    };
    match (Problem::of(mistakes), parts) {
        (Some(problem), _) => Err(problem),
        (None, Some(parts)) => Ok(parts),
        (None, None) => {
            let what = format!("cannot read {}", path.display());
            Err(Mistake::without_place(path, what, "docs/scenarios.md is the guide").into())
        }
    }
}

fn parts(source: &Source, folder: &Path, mistakes: &mut Vec<Mistake>) -> Option<Parts> {
    let (file, tree, repairs) = written(source, mistakes)?;
    let company = company(source, folder, &tree, mistakes);
    let mut check = Check {
        repairs: &repairs,
        folder,
        company: company.as_ref(),
        found: Vec::new(),
        recordings: BTreeMap::new(),
        wrong: BTreeSet::new(),
    };
    check.scenario(&tree);
    let recordings = check.recordings;
    mistakes.extend(check.found.into_iter().map(|found| Mistake::at(source, found)));
    mistakes.is_empty().then_some(())?;
    Some(Parts { file: file?, company: company?, recordings })
}

/// The file by its syntax and its shape. Nothing at all where it is not plain what belongs into
/// what; a tree without a file where there are mistakes in it.
fn written(
    source: &Source,
    mistakes: &mut Vec<Mistake>,
) -> Option<(Option<file::Scenario>, Node, Repairs)> {
    let Reading { tree, found: unreadable, plain } = read(&source.text);
    let file = options().from_str(&source.text);
    let unreadable = if file.is_ok() { Vec::new() } else { unreadable };
    mistakes.extend(unreadable.into_iter().map(|found| Mistake::at(source, found)));
    if !plain {
        return file.ok().map(|file| (Some(file), tree, Repairs::default()));
    }
    let (_, repairs, misshapen) = shape::<file::Scenario>(&tree);
    mistakes.extend(misshapen.into_iter().map(|found| Mistake::at(source, found)));
    let error = match file {
        Ok(file) => return Some((Some(file), tree, repairs)),
        Err(error) => error,
    };
    // What only the RON library objects to.
    if mistakes.is_empty() {
        let start = offset(&source.text, error.span.start.line, error.span.start.col);
        let end = offset(&source.text, error.span.end.line, error.span.end.col);
        let found = Found::new(start..end.max(start), error.code.to_string(), "here");
        mistakes.push(Mistake::at(source, found));
    }
    Some((None, tree, repairs))
}

/// How the RON library is asked: `Some` need not be written, and our own reader says when brackets lie
/// too deep, where the library would speak of its options.
fn options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
        .with_recursion_limit(4 * DEPTH_MAX)
}

fn company(
    source: &Source,
    folder: &Path,
    tree: &Node,
    mistakes: &mut Vec<Mistake>,
) -> Option<Company> {
    let node = tree.field("company")?;
    let Body::Text(name) = &node.body else { return None };
    match company::read(source, node, name, &folder.join(name)) {
        Ok(company) => Some(company),
        Err(found) => {
            mistakes.extend(found);
            None
        }
    }
}

/// Lines count from 1, columns in characters from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOUND: &str = r##"#![enable(implicit_some)]
// A scenario with something of everything.
Scenario(
    title: "All \"of\" it \u{e9}",
    company: "companies/acme.toml",
    language: en, /* nested /* comment */ */
    seed: 0x2A,
    caller: (from: "+15555550105", turns: [
        Says(words: r#"What are "your" hours?"#, wav: Some("a.wav"), language: es, after: Quiet(1_000)),
        Keys(digits: "12#", gap_ms: 250), Noise(ms: 300, after: Into(5)), HangsUp(after: Later(9)),
    ]),
    agent: [(hears: "hours", does: [Says("Eight."), Calls("lookup_loan", {"a": 1, "b": [-2, 1.5, true, "x"], "c": {}})])],
    back_office: (takes_ms: 5, loans: [(number: "100234", date_of_birth: "1980-03-04", zip: "62701",
        first_name: "Maria", due_cents: -24310, due_date: "2026-02-28", days_late: 2)],
        writes: [(name: "make_payment", takes_ms: 1, answer: Refused("no"))]),
    faults: [AgentOmitsDone, AgentGone(when: Speaking(2), after_ms: 0)],
    operator: [Drain(at_ms: 1, within_ms: 2)],
    limits: (reply: 12000),
    expect: [Heard("opening"), Function("lookup_loan", "done"), Written(0)],
)
"##;

    /// Whether the RON library takes a text, and whether we find anything wrong with how it is
    /// written, and with its shape.
    fn judged(text: &str) -> (bool, bool, bool) {
        let sound = options().from_str::<file::Scenario>(text).is_ok();
        let Reading { tree, found, plain } = read(text);
        let (_, _, misshapen) = shape::<file::Scenario>(&tree);
        (sound, !plain || !found.is_empty(), !misshapen.is_empty())
    }

    #[test]
    fn a_sound_file_is_found_sound() {
        assert_eq!(judged(SOUND), (true, false, false));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        /// What the RON library refuses, we can say why; what it takes, we find nothing in.
        #[test]
        fn a_slip_is_found_where_the_library_finds_one_and_nowhere_else(
            at in SOUND.find('\n').unwrap_or(0) + 1..SOUND.len(),
            length in 0_usize..4,
            put in prop::sample::select(vec![
                "", "", "", "(", ")", "[", "]", "{", "}", ",", ":", "\"", "'", "x", "7", "-",
                "//", "/*", "*/", "\n", "r#", "\\", "“", "e", "=", " ", "Some(", "é", "\u{0}",
            ]),
        ) {
            let mut text = SOUND.to_owned();
            let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let end = (start + length).min(text.len());
            let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(start);
            text.replace_range(start..end, put);
            let (sound, unreadable, misshapen) = judged(&text);
            prop_assert!(!(sound && unreadable), "it is sound:\n{text}");
            prop_assert!(sound || unreadable || misshapen, "nothing is found:\n{text}");
        }
    }
}
