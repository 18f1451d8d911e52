//! The table as a page of the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    catalogue::Catalogue,
    citations::{Citations, Proof},
    ids::Id,
};

/// Families that are to be proven. Rules and scenarios of callers are proven by way of these.
const PROVEN: [&str; 3] = ["F-", "I", "M"];

/// The page.
pub(super) fn of(catalogue: &Catalogue, citations: &Citations) -> String {
    let ids: Vec<(&Id, &str)> = catalogue
        .entries
        .iter()
        .map(|(id, meaning)| (id, meaning.as_str()))
        .filter(|(id, _)| PROVEN.iter().any(|family| id.family().starts_with(family)))
        .collect();
    let (proven, unproven): (Vec<_>, Vec<_>) =
        ids.iter().partition(|(id, _)| citations.proofs.contains_key(id));
    let mut page = String::from(HEAD);
    page.push_str(&counts(&ids, citations));
    page.push_str("\n## Unproven\n\n");
    page.push_str("| Id | What it is | Misdeeds of the cast |\n| --- | --- | --- |\n");
    for (id, meaning) in unproven {
        let _ = writeln!(page, "| {id} | {meaning} | {} |", misdeeds(id, citations));
    }
    page.push_str("\n## Proven\n\n");
    page.push_str("| Id | Tests | Scenarios | Judges | Sabotages | Misdeeds of the cast |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for (id, _) in proven {
        let [tests, scenarios, judges, sabotages] = places(&citations.proofs[id]);
        let misdeeds = misdeeds(id, citations);
        let _ = writeln!(
            page,
            "| {id} | {tests} | {scenarios} | {judges} | {sabotages} | {misdeeds} |"
        );
    }
    // An empty cell has one space in it, not two.
    page.replace("|  |", "| |").replace("|  |", "| |")
}

const HEAD: &str = "# What proves what

`cargo xtask proof` writes this page from the ids that tests, scenarios, judges and sabotages cite; do
not edit it by hand. [ids.md](ids.md) says what each id means.

A test proves what the comment above it, its name or its body cites; a scenario, what the comments in
its file cite; a judge is held against every simulated call. For a mark, the judge is what recognises
it in a journal; whether a swarm has reached it, the swarm's report says. A sabotage is a defect that is
built in on purpose, for tests alone: of all judges, the one of its id notices it. An id that is cited
once is proven here, whether or not all of it is: the place that cites it says how far it goes. A misdeed
is something that the simulator's cast can do in any call; it is no proof by itself.

";

fn counts(ids: &[(&Id, &str)], citations: &Citations) -> String {
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (id, _) in ids {
        let (all, proven) = families.entry(id.family()).or_default();
        *all += 1;
        *proven += usize::from(citations.proofs.contains_key(id));
    }
    let all: usize = families.values().map(|(all, _)| all).sum();
    let proven: usize = families.values().map(|(_, proven)| proven).sum();
    let mut table =
        String::from("| Family | Ids | Proven | Unproven |\n| --- | --- | --- | --- |\n");
    let rows = families.into_iter().chain([("in all", (all, proven))]);
    for (family, (all, proven)) in rows {
        let _ = writeln!(table, "| {family} | {all} | {proven} | {} |", all - proven);
    }
    table
}

fn misdeeds(id: &Id, citations: &Citations) -> String {
    let kinds = citations.misdeeds.get(id).into_iter().flatten();
    kinds.map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
}

/// Tests, scenarios, judges and sabotages, each as the text of a cell.
fn places(proofs: &BTreeSet<Proof>) -> [String; 4] {
    let mut names: [BTreeMap<&str, Vec<&str>>; 4] = Default::default();
    for proof in proofs {
        let (column, file, name) = match proof {
            Proof::Test { file, name } => (0, file, name.as_str()),
            Proof::Scenario { file } => (1, file, ""),
            Proof::Judge { file, name } => (2, file, name.as_str()),
            Proof::Sabotage { file, name } => (3, file, name.as_str()),
        };
        names[column].entry(file).or_default().push(name);
    }
    names.map(|files| {
        let cells: Vec<_> = files.iter().map(|(file, names)| place(file, names)).collect();
        cells.join("; ")
    })
}

fn place(file: &str, names: &[&str]) -> String {
    let shown = file.strip_prefix("scenarios/").unwrap_or(file);
    let names: Vec<_> =
        names.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
    let link = format!("[{shown}](../{file})");
    if names.is_empty() { link } else { format!("{link} {}", names.join(", ")) }
}
