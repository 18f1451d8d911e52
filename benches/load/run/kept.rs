//! What the server has kept of its calls, by its own account and by what lies in its spool.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::stores::Store;

/// How much was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Records that were opened, and those that were closed with their journals.
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    /// Changes that the store did not take.
    pub(crate) failed: u64,
    /// Entries of the audit log.
    pub(crate) entries: u64,
    /// Journals in the spool, which are those of calls that go on.
    pub(crate) journals: u64,
}

impl Kept {
    /// What is kept now, by what the server counts and the folder that its spool is in.
    pub(crate) fn read(metrics: &str, spool: &Path) -> Result<Self> {
        Ok(Self {
            opened: counted(metrics, "store_writes_total", "kind=\"open\",outcome=\"done\""),
            closed: counted(metrics, "store_writes_total", "kind=\"close\",outcome=\"done\""),
            failed: counted(metrics, "store_writes_total", "outcome=\"failed\""),
            entries: counted(metrics, "audit_entries_total", "outcome=\"written\""),
            journals: journals(spool)?.len() as u64,
        })
    }

    /// What is wrong with it, where so many calls are over and so many go on. Nothing if it is what
    /// such a store keeps.
    pub(crate) fn fault(&self, store: Store, over: u64, live: u64) -> Option<&'static str> {
        let Self { opened, closed, failed, entries, journals } = *self;
        if store == Store::Off {
            let is_nothing = (opened, closed, failed, journals) == (0, 0, 0, 0);
            let is_nothing = is_nothing && entries <= OF_SERVER;
            return (!is_nothing).then_some("something was kept that was not to be");
        }
        if failed > 0 {
            return Some("the store has refused changes");
        }
        let is_all = (opened, closed, journals) == (over + live, over, live);
        (!is_all).then_some("records or journals are missing")
    }
}

/// Entries of the audit log that are of no call: that the server began, and what it serves.
const OF_SERVER: u64 = 8;

/// How many steps each journal in the spool has.
pub(crate) fn journals(spool: &Path) -> Result<Vec<usize>> {
    let mut journals = Vec::new();
    for process in fs::read_dir(spool).context("there is no spool")? {
        for file in fs::read_dir(process?.path())? {
            let file = file?.path();
            // A call may end while we look.
            if file.extension().is_some_and(|kind| kind == "journal")
                && let Ok(text) = fs::read(&file)
            {
                journals.push(text.iter().filter(|byte| **byte == b'\n').count());
            }
        }
    }
    Ok(journals)
}

/// The sum of the values of a metric with these labels, in the text that scrapers get.
fn counted(metrics: &str, name: &str, labels: &str) -> u64 {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("offhook_"));
    let values = lines.filter_map(|line| {
        let (found, value) = line.split_once(' ')?;
        let (found, with) = found.split_once('{')?;
        (found == name && with.contains(labels)).then(|| value.parse::<u64>().ok())?
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_from_metrics_and_the_spool() {
        let metrics = "# TYPE offhook_store_writes counter\n\
            offhook_store_writes_total{kind=\"open\",outcome=\"done\"} 12\n\
            offhook_store_writes_total{kind=\"open\",outcome=\"failed\"} 1\n\
            offhook_store_writes_total{kind=\"close\",outcome=\"done\"} 9\n\
            offhook_store_writes_total{kind=\"close\",outcome=\"failed\"} 2\n\
            offhook_audit_entries_total{outcome=\"written\"} 40\n\
            offhook_audit_entries_total{outcome=\"lost\"} 3\n";
        let spool = tempfile::tempdir().expect("there is room");
        let folder = spool.path().join("process");
        fs::create_dir(&folder).expect("there is room");
        for (name, text) in [("CA1.journal", "{}\n{}\n{"), ("CA2.unreadable", "{}\n"), ("lock", "")]
        {
            fs::write(folder.join(name), text).expect("there is room");
        }
        let kept = Kept::read(metrics, spool.path()).expect("all of it is there");
        let wanted = Kept { opened: 12, closed: 9, failed: 3, entries: 40, journals: 1 };
        assert_eq!(kept, wanted);
        assert_eq!(journals(spool.path()).expect("all of it is there"), [2]);
        assert!(Kept::read(metrics, &spool.path().join("none")).is_err());
    }

    #[test]
    fn a_store_that_keeps_other_than_it_should_is_found_out() {
        let all = Kept { opened: 12, closed: 9, entries: 40, journals: 3, failed: 0 };
        let nothing = Kept::default();
        for store in [Store::Sqlite, Store::Postgres] {
            assert_eq!(all.fault(store, 9, 3), None);
            for kept in [
                nothing,
                Kept { failed: 1, ..all },
                Kept { opened: 11, ..all },
                Kept { closed: 8, ..all },
                Kept { journals: 2, ..all },
            ] {
                assert!(kept.fault(store, 9, 3).is_some(), "{kept:?}");
            }
        }
        // The audit log tells of the server itself.
        assert_eq!(Kept { entries: 2, ..nothing }.fault(Store::Off, 9, 3), None);
        for kept in [
            all,
            Kept { journals: 1, ..nothing },
            Kept { opened: 1, ..nothing },
            Kept { entries: 20, ..nothing },
        ] {
            assert!(kept.fault(Store::Off, 9, 3).is_some(), "{kept:?}");
        }
    }
}
