//! What the audit logs in a folder say.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The files of all logs in a folder.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let within = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = within(root.to_owned()).flat_map(|log| within(log.path()));
    let mut files: Vec<_> = logs.map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
    files.sort();
    files
}

/// The entries of all logs in a folder that nobody writes.
pub(crate) fn entries(root: &Path) -> Vec<Value> {
    let text = files(root).into_iter().map(|file| fs::read_to_string(file).unwrap());
    let text = text.collect::<String>();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same while they are written: a line that is being written is none yet.
pub(crate) fn entries_so_far(root: &Path) -> Vec<Value> {
    let text = |file| fs::read_to_string(file).unwrap_or_default();
    let lines = |text: String| {
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>()
    };
    files(root).into_iter().map(text).flat_map(lines).collect()
}
