//! What is printed on, with colour where a person looks at it.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

/// Standard output.
pub(crate) struct Paper {
    out: io::StdoutLock<'static>,
    color: bool,
}

impl Paper {
    /// Coloured on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn stdout() -> Self {
        let out = io::stdout().lock();
        let color = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, color }
    }

    /// A line.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A judgement: a word in green or red, and what it is about.
    pub(crate) fn judged(&mut self, good: bool, word: &str, what: impl Display) -> io::Result<()> {
        if self.color {
            let code = if good { 32 } else { 31 };
            writeln!(self.out, "\x1b[{code}m{word:<6}\x1b[0m  {what}")
        } else {
            writeln!(self.out, "{word:<6}  {what}")
        }
    }
}
