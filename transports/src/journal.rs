//! Journals as files: JSON Lines, the first of which says in which version the others are written.
//!
//! ```text
//! {"journal":1}
//! {"at":0,"cause":{"started":{…}},"moves":[],"facts":[…],"effects":[…],"ignored":false}
//! …
//! ```

use std::fmt;
use std::io::{self, Write};

use call_core::step::JOURNAL_VERSION;
use call_core::{Cause, Step};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    journal: u32,
}

/// What is wrong with a journal, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

impl std::error::Error for Mistake {}

/// The line in which a journal's n-th step stands, counted from 0.
pub const fn line_of(step: usize) -> usize {
    step + 2
}

/// Writes a journal.
///
/// # Errors
///
/// When nothing can be written there.
pub fn write(steps: &[Step], mut to: impl Write) -> io::Result<()> {
    begin(JOURNAL_VERSION, &mut to)?;
    for step in steps {
        serde_json::to_writer(&mut to, step)?;
        writeln!(to)?;
    }
    to.flush()
}

/// Writes a journal whose steps are JSON already, as they were written in this version of the
/// shapes, byte by byte.
///
/// # Errors
///
/// When nothing can be written there.
pub fn write_lines<'a>(
    version: u32,
    steps: impl IntoIterator<Item = &'a str>,
    mut to: impl Write,
) -> io::Result<()> {
    begin(version, &mut to)?;
    for step in steps {
        writeln!(to, "{step}")?;
    }
    to.flush()
}

fn begin(version: u32, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, &Header { journal: version })?;
    writeln!(to)
}

/// Reads a journal: one call, from its beginning.
///
/// # Errors
///
/// The first line that is wrong.
pub fn read(text: &str) -> Result<Vec<Step>, Mistake> {
    let mistake = |line, what: String| Err(Mistake { line, what });
    let mut lines = text.lines().zip(1..);
    let Some((header, _)) = lines.next() else {
        return mistake(1, "the journal is empty".to_owned());
    };
    match serde_json::from_str::<Header>(header) {
        Ok(Header { journal: JOURNAL_VERSION }) => {}
        Ok(Header { journal }) => {
            let what = format!(
                "a journal of version {journal}; this program reads version {JOURNAL_VERSION}. \
                 Replay a journal with the version that wrote it"
            );
            return mistake(1, what);
        }
        Err(error) => {
            let what = format!(
                "the first line of a journal is {{\"journal\":{JOURNAL_VERSION}}}: {error}"
            );
            return mistake(1, what);
        }
    }
    let mut steps: Vec<Step> = Vec::new();
    for (text, line) in lines {
        let step: Step = match serde_json::from_str(text) {
            Ok(step) => step,
            Err(error) => return mistake(line, not_a_step(&error)),
        };
        if !is_whole(text, &step) {
            return mistake(line, "it holds something that no step has".to_owned());
        }
        match (&step.cause, steps.is_empty()) {
            (Cause::Started(_), true) | (Cause::Input(_) | Cause::Timer(_), false) => {}
            (Cause::Started(_), false) => {
                return mistake(line, "a second call begins here".to_owned());
            }
            (_, true) => {
                return mistake(line, "a journal begins with the call's beginning".to_owned());
            }
        }
        if steps.last().is_some_and(|last| last.at > step.at) {
            return mistake(line, "time goes back".to_owned());
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return mistake(2, "there is no step in this journal".to_owned());
    }
    Ok(steps)
}

/// Why a line is none, without what was quoted at length, and with the place in the line.
fn not_a_step(error: &serde_json::Error) -> String {
    const SHOWN_MAX: usize = 300;
    let text = error.to_string();
    let why = text.rsplit_once(" at line ").map_or(&*text, |(why, _)| why);
    let shown: String = why.chars().take(SHOWN_MAX).collect();
    let more = if shown.len() < why.len() { "…" } else { "" };
    format!("not a step: {shown}{more} (column {})", error.column())
}

/// Whether nothing of a line was passed over when it was read.
fn is_whole(text: &str, step: &Step) -> bool {
    let written = serde_json::from_str::<serde_json::Value>(text);
    written.is_ok_and(|written| serde_json::to_value(step).is_ok_and(|step| step == written))
}
