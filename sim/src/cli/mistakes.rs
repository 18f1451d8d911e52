//! Shows what is wrong with scenario files.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal as _};
use std::path::Path;

use miette::{GraphicalTheme, MietteHandler, MietteHandlerOpts, ReportHandler as _};
use serde::Serialize;
use sim::scenario::{Mistake, Problem};

use super::paper::{Paper, complain};

/// Tells mistakes, each of them once: many scenarios may share a company.
pub(super) struct Teller {
    handler: MietteHandler,
    told: BTreeSet<String>,
    /// The files in which they are.
    files: BTreeSet<String>,
}

impl Teller {
    pub(super) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let opts = MietteHandlerOpts::new()
            .color(terminal && std::env::var_os("NO_COLOR").is_none())
            .terminal_links(false)
            .wrap_lines(false)
            .context_lines(1)
            .width(80);
        // A file is read anywhere: what is drawn around the lines is plain there.
        let opts = if terminal { opts } else { opts.graphical_theme(GraphicalTheme::none()) };
        let handler = opts.build();
        Self { handler, told: BTreeSet::new(), files: BTreeSet::new() }
    }

    /// Shows every mistake with its lines, on standard error.
    pub(super) fn show(&mut self, problem: &Problem) {
        for mistake in problem.mistakes() {
            if self.told.insert(mistake.to_string()) {
                complain(format_args!("{:?}", Shown { mistake, handler: &self.handler }));
                self.files.insert(mistake.file().to_owned());
            }
        }
    }

    /// Prints the mistakes of a file as one line of JSON.
    pub(super) fn print(
        &self,
        file: &Path,
        problem: &Problem,
        paper: &mut Paper,
    ) -> io::Result<()> {
        let line = Line {
            file: file.display().to_string(),
            mistakes: problem.mistakes().map(One::from).collect(),
        };
        paper.line(serde_json::to_string(&line)?)
    }

    /// How much was wrong, after more than one mistake.
    pub(super) fn sum(&self) {
        match (self.told.len(), self.files.len()) {
            (0 | 1, _) => {}
            (mistakes, 1) => complain(format_args!("{mistakes} mistakes")),
            (mistakes, files) => complain(format_args!("{mistakes} mistakes in {files} files")),
        }
    }
}

struct Shown<'a> {
    mistake: &'a Mistake,
    handler: &'a MietteHandler,
}

impl Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handler.debug(self.mistake, f)
    }
}

/// A file with mistakes, as `--json` prints it.
#[derive(Serialize)]
struct Line<'a> {
    file: String,
    mistakes: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    words: &'a str,
    what: &'a str,
    label: &'a str,
    help: Option<&'a str>,
}

impl<'a> From<&'a Mistake> for One<'a> {
    fn from(mistake: &'a Mistake) -> Self {
        let (line, column) = mistake.place().unzip();
        Self {
            file: mistake.file(),
            line,
            column,
            words: mistake.words(),
            what: mistake.what(),
            label: mistake.label(),
            help: mistake.advice(),
        }
    }
}
