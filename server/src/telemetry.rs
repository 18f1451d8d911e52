//! The log: where it goes, what it looks like, and what it never says.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use tracing::error;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The log while it is on. What waits to be written is written when it is dropped, as far as somebody
/// takes it.
#[derive(Debug)]
pub struct Log {
    _writer: WorkerGuard,
}

/// Turns the log on, on standard error. `RUST_LOG` chooses what is in it; without it, what is worth
/// knowing and worse.
///
/// A thread of its own writes it. Where nobody takes what it writes, such as a collector that hangs,
/// lines are dropped and counted, and no call waits (F-PR-11).
///
/// A panic is logged with its place and without its words, because those may quote what a caller
/// said.
#[must_use = "the log ends with it"]
pub fn start(format: LogFormat) -> Log {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    let dropped = writer.error_counter();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        // Only the first log of a process is on.
        let _ = DROPPED.set(dropped);
        std::panic::set_hook(Box::new(log_panic));
    }
    Log { _writer: guard }
}

/// How many lines of the log were dropped because nobody took them.
pub fn lines_dropped() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => error!(file = place.file(), line = place.line(), "a task panicked"),
        None => error!("a task panicked"),
    }
}

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// So many lines wait to be written: some seconds of a busy server.
const LINES_MAX: usize = 4_096;

const DEFAULT: &str = "info,sqlx=warn";
