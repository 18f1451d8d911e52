//! What proves what: `cargo xtask proof`.
//!
//! The catalogue of ids stands in docs/ids.md and docs/ids. Tests, scenarios and judges cite an id
//! where they prove that we deal with it, and
//! sabotages where they prove that a judge would notice; docs/proof.md is the table of all that.

mod catalogue;
mod citations;
mod ids;
mod table;

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::shell;
use catalogue::Catalogue;
use citations::Citations;

/// The table, from the root of the workspace.
const TABLE: &str = "docs/proof.md";

/// Writes the table.
pub(crate) fn write() -> Result<()> {
    let root = shell::root()?;
    let table = table(&root)?;
    fs::write(root.join(TABLE), table).with_context(|| format!("cannot write {TABLE}"))?;
    eprintln!("{TABLE} is written");
    Ok(())
}

/// Fails when the table is not what would be written now.
pub(crate) fn check() -> Result<()> {
    let root = shell::root()?;
    let table = table(&root)?;
    let there = fs::read_to_string(root.join(TABLE)).unwrap_or_default();
    if there != table {
        bail!("{TABLE} is not current: run `cargo xtask proof`, and read what changed");
    }
    eprintln!("\n{TABLE} is current");
    Ok(())
}

fn table(root: &Path) -> Result<String> {
    let catalogue = Catalogue::read(root)?;
    let citations = Citations::read(root)?;
    let unknown: Vec<String> = citations
        .everywhere
        .iter()
        .filter(|(_, id)| !catalogue.entries.contains_key(id))
        .map(|(place, id)| format!("{place}: {id}"))
        .collect();
    if !unknown.is_empty() {
        bail!("docs/ids.md and docs/ids do not know these ids:\n{}", unknown.join("\n"));
    }
    Ok(table::of(&catalogue, &citations))
}
