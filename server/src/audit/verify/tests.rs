use std::fs;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::super::Entry;
use super::super::chain::Chain;
use super::*;

/// I-27: whatever is done to a log, once and anywhere, is found, and not named earlier than where it
/// was done.
mod whatever_is_done {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() })]

        #[test]
        fn to_a_log_is_found_i_27(harm in harm()) {
            let log = Sample::new();
            prop_assert_eq!(&log.findings(None), &[]);
            if let Some(file) = log.harm(&harm) {
                let found = log.findings(None);
                prop_assert!(!found.is_empty(), "{:?} is not noticed", harm);
                let named = found.iter().all(|finding| finding.file >= log.files[file]);
                prop_assert!(named, "{:?} is named {:?}", harm, found);
                let is_told = found.iter().all(|finding| !finding.to_string().is_empty());
                prop_assert!(is_told);
            }
        }
    }
}

/// I-27: the same of a log whose first day is over and was removed.
mod whatever_is_done_to_what_is_left {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn of_a_log_is_found_i_27(harm in harm()) {
            let log = Sample::shortened();
            prop_assert_eq!(&log.findings(None), &[]);
            if harm.file() > 0 && log.harm(&harm).is_some() {
                prop_assert!(!log.findings(None).is_empty(), "{:?} is not noticed", harm);
            }
        }
    }
}

/// What each harm is called, and where it is found.
#[test]
fn a_harm_is_named_with_its_file_line_and_entry_i_27() {
    for (harm, line, wrong) in named() {
        let log = Sample::new();
        let file = log.harm(&harm).unwrap();
        let found = log.findings(None);
        let first = found.first().unwrap_or_else(|| panic!("{harm:?} is not noticed"));
        assert_eq!((first.line, first.wrong), (line, wrong), "{harm:?}: {found:?}");
        let expected = match harm {
            Harm::Gone { .. } => log.files[file + 1].clone(),
            Harm::Rename => log.files[file].with_file_name("2026-11-26.jsonl"),
            _ => log.files[file].clone(),
        };
        assert_eq!(first.file, expected);
    }
}

/// A verifier that leaves out one of its checks does not name the same: none of them is idle.
#[test]
fn a_verifier_without_one_of_its_checks_is_noticed() {
    let checks = [Check::Hash, Check::Order, Check::Link, Check::Torn, Check::Name, Check::Heads];
    for check in checks {
        let notices = named().into_iter().any(|(harm, ..)| {
            let log = Sample::new();
            log.harm(&harm);
            log.findings(Some(check)) != log.findings(None)
        });
        assert!(notices, "nothing needs {check:?}");
    }
}

/// I-27: who can rewrite the files can compute every hash anew, but not what was published.
#[test]
fn a_log_that_was_written_anew_is_told_by_its_heads_i_27() {
    let log = Sample::new();
    let harm = Harm::Anew { file: 0, line: 2 };
    log.harm(&harm);
    let found = verify(log.root.path(), None, Extent::All).unwrap().findings;
    assert_eq!(found, [], "the files alone tell nothing");
    let found = log.findings(None);
    assert!(matches!(found[0].wrong, Wrong::Rewritten { .. }), "{found:?}");
}

#[test]
fn a_whole_log_that_is_gone_was_published() {
    let log = Sample::new();
    fs::remove_dir_all(log.files[0].parent().unwrap()).unwrap();
    let found = log.findings(None);
    assert!(matches!(found[..], [Finding { wrong: Wrong::Gone { to: 16 }, .. }]), "{found:?}");
    let elsewhere = verify(log.root.path(), Some(&published(&log.heads)), Extent::Some).unwrap();
    assert_eq!(elsewhere.findings, []);
}

#[test]
fn a_log_of_which_nothing_was_published_is_told() {
    let log = Sample::new();
    let found = verify(log.root.path(), Some(&published(&[])), Extent::All).unwrap().findings;
    assert_eq!(found.iter().map(|found| found.wrong).collect::<Vec<_>>(), [Wrong::Unpublished]);
}

/// Whatever lies in a file: the reader comes to its end, and takes it for nothing that it is not.
mod any_bytes {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn are_read_to_their_end(bytes in any::<Vec<u8>>(), line in "(\\{\"seq\":[0-9]{1,22},.*\"hash\":\"[0-9a-f]{64}\"\\}\n)*") {
            let log = Sample::new();
            for content in [&bytes, line.as_bytes()] {
                fs::write(&log.files[1], content).unwrap();
                prop_assert!(!log.findings(None).is_empty());
            }
        }
    }
}

/// I-27: copies hold what was written and no locks, and whoever takes a lock out hides nothing.
#[test]
fn a_log_without_its_lock_is_read_all_the_same_i_27() {
    let log = Sample::new();
    fs::remove_file(log.files[0].with_file_name("lock")).unwrap();
    assert_eq!(log.findings(None), []);
    let text = fs::read_to_string(&log.files[0]).unwrap();
    fs::write(&log.files[0], text.replacen("something", "someThing", 1)).unwrap();
    let report = verify(log.root.path(), None, Extent::Some).unwrap();
    assert!(matches!(report.findings[..], [Finding { wrong: Wrong::Changed { .. }, .. }]));
    // Nobody goes on with it: another process may still hold the lock that was taken out.
    let other = Chain::open(log.root.path()).unwrap();
    assert!(other.head().is_none());
}

/// A line that never ends needs no more memory than the longest one.
#[test]
fn a_line_without_an_end_is_read_in_pieces() {
    let log = Sample::new();
    fs::write(&log.files[2], vec![b'x'; 3 * LINE_BYTES_MAX + 7]).unwrap();
    let found = log.findings(None);
    assert_eq!((found[0].line, found[0].wrong), (1, Wrong::Torn { seq: 12 }));
}

/// Something that is done to a log.
#[derive(Debug, Clone)]
enum Harm {
    /// A bit of a byte is another.
    Flip {
        file: usize,
        at: usize,
        bit: u32,
    },
    Remove {
        file: usize,
        line: usize,
    },
    Swap {
        file: usize,
        line: usize,
        with: usize,
    },
    /// A line stands behind another once more.
    Double {
        file: usize,
        line: usize,
        behind: usize,
    },
    /// So many bytes and one more are missing at the end.
    Cut {
        file: usize,
        bytes: usize,
    },
    Gone {
        file: usize,
    },
    /// The file of a day has another day's name.
    Rename,
    /// An entry is another one, with a hash of its own, and nothing else is changed.
    Exchange {
        file: usize,
        line: usize,
    },
    /// The same, and every entry behind it is computed anew.
    Anew {
        file: usize,
        line: usize,
    },
}

impl Harm {
    /// Which file it is done to.
    fn file(&self) -> usize {
        match self {
            Self::Flip { file, .. }
            | Self::Remove { file, .. }
            | Self::Swap { file, .. }
            | Self::Double { file, .. }
            | Self::Cut { file, .. }
            | Self::Gone { file }
            | Self::Exchange { file, .. }
            | Self::Anew { file, .. } => *file,
            Self::Rename => 2,
        }
    }
}

fn harm() -> impl Strategy<Value = Harm> {
    let place = || (0..3_usize, any::<usize>());
    prop_oneof![
        4 => (place(), 0..8_u32).prop_map(|((file, at), bit)| Harm::Flip { file, at, bit }),
        1 => place().prop_map(|(file, line)| Harm::Remove { file, line }),
        1 => (place(), any::<usize>()).prop_map(|((file, line), with)| Harm::Swap { file, line, with }),
        1 => (place(), any::<usize>())
            .prop_map(|((file, line), behind)| Harm::Double { file, line, behind }),
        1 => place().prop_map(|(file, bytes)| Harm::Cut { file, bytes }),
        1 => (0..3_usize).prop_map(|file| Harm::Gone { file }),
        1 => Just(Harm::Rename),
        1 => place().prop_map(|(file, line)| Harm::Exchange { file, line }),
        1 => place().prop_map(|(file, line)| Harm::Anew { file, line }),
    ]
}

/// The second file has its entries 6 to 11: 6 is torn off behind its beginning.
fn named() -> Vec<(Harm, u64, Wrong)> {
    vec![
        (Harm::Flip { file: 0, at: 20, bit: 0 }, 1, Wrong::Changed { seq: 1 }),
        (Harm::Remove { file: 0, line: 2 }, 3, Wrong::Missing { from: 3, to: 3 }),
        (Harm::Swap { file: 0, line: 2, with: 3 }, 3, Wrong::Missing { from: 3, to: 3 }),
        (Harm::Double { file: 0, line: 2, behind: 2 }, 4, Wrong::Doubled { seq: 3 }),
        (
            Harm::Double { file: 0, line: 1, behind: 3 },
            5,
            Wrong::OutOfPlace { seq: 2, expected: 5 },
        ),
        (Harm::Cut { file: 2, bytes: 0 }, 5, Wrong::Torn { seq: 16 }),
        (Harm::Gone { file: 0 }, 1, Wrong::Missing { from: 1, to: 5 }),
        (Harm::Rename, 1, Wrong::Misnamed { seq: 12 }),
        (Harm::Exchange { file: 0, line: 2 }, 4, Wrong::Unlinked { seq: 4 }),
        (Harm::Remove { file: 1, line: 2 }, 3, Wrong::NotTorn { seq: 8 }),
    ]
}

/// A log of three days, with a line that was torn, and its heads. The first file has the entries 1 to
/// 5, the second 6 to 11, the third 12 to 16.
struct Sample {
    root: TempDir,
    files: Vec<PathBuf>,
    heads: Vec<Head>,
    cuts: Vec<Head>,
}

/// The heads, and the files by name.
type Made = (Vec<Head>, Vec<(String, Vec<u8>)>);

impl Sample {
    /// A copy of one that is made once.
    fn new() -> Self {
        static MADE: OnceLock<Made> = OnceLock::new();
        let (heads, made) = MADE.get_or_init(Self::make);
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(&heads[0].log);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("lock"), "").unwrap();
        let files = made.iter().map(|(name, bytes)| {
            let file = folder.join(name);
            fs::write(&file, bytes).unwrap();
            file
        });
        Self { files: files.collect(), root, heads: heads.clone(), cuts: Vec::new() }
    }

    /// The same without its first file, because its time was over.
    fn shortened() -> Self {
        let mut log = Self::new();
        let first = log.heads[0].clone();
        let mut chain = Chain::open(log.root.path()).unwrap();
        let body = json!({ "removed": [&first] });
        let third_day = 1_795_435_200_000_000 + 2 * 86_400_000_000;
        chain.append(&Entry::new(Kind::Shortened, "*", body).at(third_day)).unwrap();
        log.heads.extend(chain.head());
        fs::remove_file(&log.files[0]).unwrap();
        log.cuts.push(first);
        log
    }

    fn make() -> Made {
        let root = tempfile::tempdir().unwrap();
        let mut heads = Vec::new();
        for day in 0..3 {
            let mut chain = Chain::open(root.path()).unwrap();
            for number in 0..4 {
                let at = 1_795_435_200_000_000 + day * 86_400_000_000 + number;
                let body = json!({ "fact": "something", "number": number });
                chain.append(&Entry::new(Kind::Decision, "acme", body).at(at)).unwrap();
                if day == 1 && number == 0 {
                    drop(chain);
                    let file = files(root.path()).remove(1);
                    let mut bytes = fs::read(&file).unwrap();
                    bytes.extend_from_slice(b"{\"seq\":8,\"at_us\":17");
                    fs::write(&file, bytes).unwrap();
                    chain = Chain::open(root.path()).unwrap();
                }
            }
            heads.extend(chain.head());
        }
        let content = |file: PathBuf| (name(&file), fs::read(file).unwrap());
        (heads, files(root.path()).into_iter().map(content).collect())
    }

    fn findings(&self, blind_to: Option<Check>) -> Vec<Finding> {
        let known = Published { heads: self.heads.clone(), cuts: self.cuts.clone() };
        verify_but(self.root.path(), Some(&known), Extent::All, blind_to).unwrap().findings
    }

    /// Does it, and says to which file; nothing if nothing is another than before.
    fn harm(&self, harm: &Harm) -> Option<usize> {
        let file = harm.file();
        let path = &self.files[file];
        let before = fs::read(path).unwrap();
        let mut bytes = before.clone();
        let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
        let mut other = lines.clone();
        let made;
        match harm {
            Harm::Gone { .. } => {
                fs::remove_file(path).unwrap();
                return Some(file);
            }
            Harm::Rename => {
                fs::rename(path, path.with_file_name("2026-11-26.jsonl")).unwrap();
                return Some(file);
            }
            Harm::Flip { at, bit, .. } => {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            Harm::Cut { bytes: cut, .. } => bytes.truncate(bytes.len() - 1 - cut % bytes.len()),
            Harm::Remove { line, .. } => drop(other.remove(line % lines.len())),
            Harm::Swap { line, with, .. } => other.swap(line % lines.len(), with % lines.len()),
            Harm::Double { line, behind, .. } => {
                other.insert(behind % lines.len() + 1, lines[line % lines.len()]);
            }
            Harm::Exchange { line, .. } => {
                made = exchanged(lines[line % lines.len()])?;
                other[line % lines.len()] = &made;
            }
            Harm::Anew { line, .. } => {
                self.write_anew(file, line % lines.len())?;
                return Some(file);
            }
        }
        if other != lines {
            bytes = other.concat();
        }
        fs::write(path, &bytes).unwrap();
        (bytes != before).then_some(file)
    }

    /// Exchanges an entry and computes all that follow from it.
    fn write_anew(&self, file: usize, line: usize) -> Option<()> {
        let text = fs::read(&self.files[file]).unwrap();
        let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let made = exchanged(lines[line])?;
        let Look::Whole(_, mut hash) = look(made.trim_ascii_end()) else { return None };
        let mut rest = [&lines[..line], &[&made[..]]].concat().concat();
        for (number, path) in self.files.iter().enumerate().skip(file) {
            let text = fs::read(path).unwrap();
            let skip = if number == file { line + 1 } else { 0 };
            for line in text.split_inclusive(|byte| *byte == b'\n').skip(skip) {
                match look(line.trim_ascii_end()) {
                    Look::Whole(entry, _) => {
                        let entry = Line { prev: hash, hash: None, ..entry };
                        let (bytes, new) = entry.write().unwrap();
                        hash = new;
                        rest.extend(bytes);
                    }
                    Look::Changed | Look::Torn => rest.extend(line),
                }
            }
            fs::write(path, std::mem::take(&mut rest)).unwrap();
        }
        Some(())
    }
}

/// The same entry at another moment, with the hash of that.
fn exchanged(line: &[u8]) -> Option<Vec<u8>> {
    match look(line.trim_ascii_end()) {
        Look::Whole(entry, _) => {
            let (made, _) = Line { at_us: entry.at_us + 1, hash: None, ..entry }.write().unwrap();
            Some(made)
        }
        Look::Changed | Look::Torn => None,
    }
}

fn published(heads: &[Head]) -> Published {
    Published { heads: heads.to_vec(), cuts: Vec::new() }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let all = logs(root).unwrap();
    all.iter().flat_map(|log| days(log).unwrap()).map(|(_, file)| file).collect()
}
