//! What is printed on, with colour where a person looks at it.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

/// Standard output. Whoever read it may have read enough and be gone: then nothing more is printed,
/// and what the command came to is found out all the same.
pub(crate) struct Paper {
    out: io::StdoutLock<'static>,
    color: bool,
    /// Nobody reads any more.
    gone: bool,
}

impl Paper {
    /// Coloured on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn stdout() -> Self {
        let out = io::stdout().lock();
        let color = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, color, gone: false }
    }

    /// A line.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        match writeln!(self.out, "{text}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.gone = true,
            written => return written,
        }
        Ok(())
    }

    /// A judgement: a word in green or red, and what it is about.
    pub(crate) fn judged(&mut self, good: bool, word: &str, what: impl Display) -> io::Result<()> {
        if self.color {
            let code = if good { 32 } else { 31 };
            self.line(format_args!("\x1b[{code}m{word:<6}\x1b[0m  {what}"))
        } else {
            self.line(format_args!("{word:<6}  {what}"))
        }
    }
}

/// A line on standard error, where nobody may be reading: the exit status tells it, too.
pub(crate) fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}
