//! Where ids are cited, and where a citation is a proof.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::ids::Id;

/// Where ids are cited.
#[derive(Default)]
pub(super) struct Citations {
    /// Every citation, as file and line, proof or not.
    pub(super) everywhere: Vec<(String, Id)>,
    /// Places that prove something about an id.
    pub(super) proofs: BTreeMap<Id, BTreeSet<Proof>>,
    /// Misdeeds of the simulator's cast that bring a fault about.
    pub(super) misdeeds: BTreeMap<Id, BTreeSet<String>>,
}

/// A place that proves something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// A test: its file, and its name, unless the whole file is meant.
    Test { file: String, name: String },
    /// A scenario, which is played and whose story is read.
    Scenario { file: String },
    /// A judge that is held against every simulated call, or what recognises a mark in a journal.
    Judge { file: String, name: String },
    /// A deliberate defect that makes the judge of the id speak.
    Sabotage { file: String, name: String },
}

/// Files with these endings may cite ids.
const KINDS: [&str; 6] = [".rs", ".ron", ".toml", ".md", ".ftl", ".sql"];

/// This folder only speaks about ids; and the table would cite itself.
const NOT_READ: [&str; 2] = ["xtask/", super::TABLE];

/// The file of the cast's misdeeds.
const MISDEEDS: &str = "sim/src/faults.rs";

/// The file of the deliberate defects.
const SABOTAGES: &str = "core/src/sabotage.rs";

impl Citations {
    /// Reads every file of the workspace that git knows or would add.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut citations = Self::default();
        for file in files(root)? {
            // What was deleted and not yet committed is still in git's list.
            let Ok(text) = fs::read_to_string(root.join(&file)) else { continue };
            citations.file(&file, &text);
        }
        Ok(citations)
    }

    fn file(&mut self, file: &str, text: &str) {
        for (number, line) in text.lines().enumerate() {
            for id in Id::in_text(line) {
                self.everywhere.push((format!("{file}:{}", number + 1), id));
            }
        }
        if file.ends_with(".rs") {
            self.rust(file, text);
        } else if file.starts_with("scenarios/") && file.ends_with(".ron") {
            for line in text.lines().filter(|line| line.trim_start().starts_with("//")) {
                for id in Id::in_text(line) {
                    self.prove(id, Proof::Scenario { file: file.to_owned() });
                }
            }
        }
    }

    fn rust(&mut self, file: &str, text: &str) {
        let mut in_tests =
            file.starts_with("tests/") || file.contains("/tests/") || file.ends_with("/tests.rs");
        let mut reader = TestReader::default();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            // Tests come last in a file.
            in_tests |= line == "mod tests {";
            if in_tests {
                for id in function(line).into_iter().flat_map(Id::in_name) {
                    self.everywhere.push((format!("{file}:{}", number + 1), id));
                }
                let ids = reader.line(line);
                let name = reader.test.clone().unwrap_or_default();
                for id in ids {
                    self.prove(id, Proof::Test { file: file.to_owned(), name: name.clone() });
                }
            } else if file == MISDEEDS {
                self.misdeed(line);
            } else if file == SABOTAGES {
                self.sabotage(line);
            } else if file.starts_with("sim/src/") {
                self.judge(file, line);
            }
        }
    }

    /// `Self::AgentGone { .. } => &["F-DG-08"],`
    fn misdeed(&mut self, line: &str) {
        let Some((kind, ids)) = line.split_once("=> &[") else { return };
        let Some(kind) = kind.trim().strip_prefix("Self::") else { return };
        let end = kind.find(|c: char| !c.is_alphanumeric()).unwrap_or(kind.len());
        for id in Id::in_text(ids) {
            self.misdeeds.entry(id).or_default().insert(kind[..end].to_owned());
        }
    }

    /// `Self::PaysAgain => "I-01",`
    fn sabotage(&mut self, line: &str) {
        let row = line.strip_prefix("Self::").and_then(|row| row.split_once(" => "));
        let Some((name, ids)) = row else { return };
        for id in Id::in_text(ids) {
            let (file, name) = (SABOTAGES.to_owned(), name.to_owned());
            self.prove(id, Proof::Sabotage { file, name });
        }
    }

    /// A row of a table such as `("I-01", resources::writes_once),`: what judges stands last.
    fn judge(&mut self, file: &str, line: &str) {
        for id in Id::in_text(line) {
            let Some(row) = line.strip_prefix(&format!("(\"{id}\", ")) else { continue };
            let name = row.rsplit(", ").next().unwrap_or(row).trim_end_matches("),").to_owned();
            self.prove(id, Proof::Judge { file: file.to_owned(), name });
        }
    }

    fn prove(&mut self, id: Id, proof: Proof) {
        self.proofs.entry(id).or_default().insert(proof);
    }
}

/// Reads tests line by line, and knows which one it is in.
#[derive(Default)]
struct TestReader {
    /// The test that the last line belongs to; none outside of tests.
    test: Option<String>,
    /// Ids in the comment above the next function.
    above: Vec<Id>,
    /// The next function is a test.
    marked: bool,
}

impl TestReader {
    /// The ids that a line proves something about.
    fn line(&mut self, line: &str) -> Vec<Id> {
        if line.starts_with("//!") {
            self.test = None;
            return Id::in_text(line).collect();
        }
        if line.starts_with("///") {
            self.above.extend(Id::in_text(line));
            return vec![];
        }
        if line.starts_with("#[") {
            self.marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            return vec![];
        }
        let above = std::mem::take(&mut self.above);
        if let Some(name) = function(line) {
            let is_test = std::mem::take(&mut self.marked);
            self.test = is_test.then(|| name.to_owned());
            if is_test {
                return above.into_iter().chain(Id::in_name(name)).collect();
            }
        }
        if self.test.is_some() { Id::in_text(line).collect() } else { vec![] }
    }
}

/// The name of the function that begins in a line.
fn function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifier = |word| matches!(word, "pub" | "async" | "const") || word.starts_with("pub(");
    if !before.split_whitespace().all(qualifier) {
        return None;
    }
    let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    Some(&after[..end])
}

fn files(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().context("git did not start")?;
    ensure!(output.status.success(), "git could not list the files of the workspace");
    let listed = String::from_utf8(output.stdout).context("a file has a name that is no text")?;
    let may_cite = |file: &&str| {
        KINDS.iter().any(|kind| file.ends_with(kind))
            && !NOT_READ.iter().any(|start| file.starts_with(start))
    };
    let files: BTreeSet<_> = listed.split_terminator('\0').filter(may_cite).collect();
    Ok(files.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs(file: &str, text: &str) -> Vec<(String, Proof)> {
        let mut citations = Citations::default();
        citations.file(file, text);
        let proofs = citations.proofs.into_iter();
        proofs.flat_map(|(id, all)| all.into_iter().map(move |p| (id.to_string(), p))).collect()
    }

    fn test(file: &str, name: &str) -> Proof {
        Proof::Test { file: file.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_test_proves_what_its_comment_its_name_and_its_body_cite() {
        let text = "/// I-20.\nconst A: u8 = 1;\n\n/// I-06, and so on.\n#[test]\nfn writes_run_on_f_tw_25() {\n\
                    assert!(true, \"M-14\");\n}\n\n/// I-07.\nfn help() {\n// I-08\n}\n";
        let file = "core/tests/writes.rs";
        let expected = ["F-TW-25", "I-06", "M-14"]
            .map(|id| (id.to_owned(), test(file, "writes_run_on_f_tw_25")));
        assert_eq!(proofs(file, text), expected);
    }

    #[test]
    fn code_proves_nothing_before_its_tests_begin() {
        let text = "/// I-06.\nfn run() {}\n\nmod tests {\n    /// I-19.\n    #[test]\n    fn after() {}\n}";
        let file = "core/src/call.rs";
        assert_eq!(proofs(file, text), [("I-19".to_owned(), test(file, "after"))]);
    }

    #[test]
    fn scenarios_prove_by_their_comments_and_judges_by_their_table() {
        let scenario = "// S19b, F-TR-07: nobody answers.\nScenario(title: \"I-06\")";
        let proved: Vec<_> = proofs("scenarios/a.ron", scenario).into_iter().map(|p| p.0).collect();
        assert_eq!(proved, ["F-TR-07", "S19"]);
        let table = "//! | I-02 | … |\n(\"I-01\", resources::once),\n";
        let judge = Proof::Judge {
            file: "sim/src/judge.rs".to_owned(),
            name: "resources::once".to_owned(),
        };
        assert_eq!(proofs("sim/src/judge.rs", table), [("I-01".to_owned(), judge)]);
    }

    #[test]
    fn a_sabotage_proves_what_it_breaks() {
        let text =
            "    /// I-02: a comment.\n    PaysAgain,\n            Self::PaysAgain => \"I-01\",\n";
        let (file, name) = (SABOTAGES.to_owned(), "PaysAgain".to_owned());
        let sabotage = Proof::Sabotage { file, name };
        assert_eq!(proofs(SABOTAGES, text), [("I-01".to_owned(), sabotage)]);
    }

    #[test]
    fn a_misdeed_is_no_proof_by_itself() {
        let mut citations = Citations::default();
        citations.file(MISDEEDS, "Self::AgentGone { .. } => &[\"F-DG-08\"],");
        assert!(citations.proofs.is_empty());
        let misdeeds: Vec<_> = citations.misdeeds.into_values().flatten().collect();
        assert_eq!(misdeeds, ["AgentGone"]);
    }
}
