//! The log: where it goes, what it looks like, and what it never says; and the same as traces, for a
//! collector.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use tracing::error;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::config::LogFormat;

#[cfg(feature = "otel")]
mod traces;

/// Whether this server was built with what sends traces to a collector.
pub const HAS_TRACES: bool = cfg!(feature = "otel");

/// The log while it is on. What waits to be written or sent is, when it is dropped, as far as somebody
/// takes it.
#[derive(Debug)]
pub struct Log {
    #[cfg(feature = "otel")]
    _traces: Option<traces::Traces>,
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
///
/// What is in the log goes to the OTLP collector at `collector`, too, if there is one: each span once it
/// is over, and in it, as its events, the lines that were logged in it. Spans that wait while the
/// collector hangs are dropped likewise.
///
/// # Errors
///
/// [`NoTraces`] if the collector cannot be spoken to as it is configured. It is not asked yet.
pub fn start(format: LogFormat, collector: Option<&str>) -> Result<Log, NoTraces> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    let dropped = writer.error_counter();
    let lines = fmt::layer().with_writer(writer);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let log = tracing_subscriber::registry().with(filter).with(lines);
    #[cfg(feature = "otel")]
    let (log, traces) = {
        let traces = collector.map(traces::Traces::to).transpose()?;
        (log.with(traces.as_ref().map(traces::Traces::layer)), traces)
    };
    #[cfg(not(feature = "otel"))]
    if collector.is_some() {
        return Err(NoTraces("this server was built without the feature `otel`".to_owned()));
    }
    if log.try_init().is_ok() {
        // Only the first log of a process is on.
        let _ = DROPPED.set(dropped);
        std::panic::set_hook(Box::new(log_panic));
    }
    Ok(Log {
        #[cfg(feature = "otel")]
        _traces: traces,
        _writer: guard,
    })
}

/// Traces cannot be sent, and why.
#[derive(Debug, thiserror::Error)]
#[error("OTEL_EXPORTER_OTLP_ENDPOINT: no traces can be sent there: {0}")]
pub struct NoTraces(String);

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
