//! The catalogue: every id, and in a few words what it stands for.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::ids::Id;

/// All ids that there are.
pub(super) struct Catalogue {
    /// What each one stands for.
    pub(super) entries: BTreeMap<Id, String>,
}

impl Catalogue {
    /// Reads docs/ids.md and every file in docs/ids.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = vec![root.join("docs/ids.md")];
        let folder = root.join("docs/ids");
        for entry in fs::read_dir(&folder).context("there is no folder docs/ids")? {
            files.push(entry?.path());
        }
        files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
        files.sort();
        let mut catalogue = Self { entries: BTreeMap::new() };
        for file in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            catalogue.add(&text)?;
        }
        Ok(catalogue)
    }

    /// Each row of a table whose first cell is an id defines it.
    fn add(&mut self, text: &str) -> Result<()> {
        for line in text.lines() {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let (Some(first), Some(meaning)) = (cells.next(), cells.next()) else { continue };
            let Some(id) = Id::of_word(first) else { continue };
            ensure!(first == id.to_string(), "{first} is a part of {id}, and no id");
            let before = self.entries.insert(id.clone(), meaning.to_owned());
            ensure!(before.is_none(), "{id} stands twice in the catalogue");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_defines_an_id_and_a_second_row_for_it_is_refused() {
        let mut catalogue = Catalogue { entries: BTreeMap::new() };
        let text = "| Id | What |\n| --- | --- |\n| I-06 | it runs on | never |\nI-07 is prose.";
        assert!(catalogue.add(text).is_ok());
        let entries: Vec<_> = catalogue.entries.iter().collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (entries[0].0.to_string().as_str(), entries[0].1.as_str()),
            ("I-06", "it runs on")
        );
        assert!(catalogue.add("| I-06 | again |").is_err());
    }
}
