//! The log: where it goes, what it looks like, and what it never says.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing::error;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Turns the log on, on standard error. `RUST_LOG` chooses what is in it; without it, what is worth
/// knowing and worse.
///
/// A panic is logged with its place and without its words, because those may quote what a caller
/// said.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => error!(file = place.file(), line = place.line(), "a task panicked"),
        None => error!("a task panicked"),
    }
}

const DEFAULT: &str = "info,sqlx=warn";
