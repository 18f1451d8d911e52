//! `sim swarm`: many calls, in each of which something else goes wrong.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use sim::judge::judge_all;
use sim::scenario::Template;

use super::Outcome;
use super::mistakes::Teller;
use super::paper::{Paper, complain};
use super::play::scenario_files;

/// More threads than any machine has use for.
const THREADS_MAX: i64 = 1_024;

/// Plays every scenario under random faults and judges the calls by the invariants.
///
/// Each seed is one call: it chooses a scenario and up to four things that go wrong, from every
/// kind of fault there is, and pauses of the caller's. What the scenario expects is not asked: it
/// may rightly fail under faults. The invariants must hold, the call must end by itself, and its
/// journal must replay. A panic is a failure like any other.
///
/// A call that fails is made smaller until every fault in it is needed, and written as a scenario
/// file that breaks the same. Calls that break the same under the same kinds of fault
/// are shown as one finding.
///
/// The same seeds give the same text on every machine and with any number of threads. Over 5,000
/// seeds and more, with all scenarios, every kind of fault and every mark must have come up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sim swarm --seeds 0..1000
  sim swarm --seeds 412..413 scenarios/s07_slow_function.ron
  sim target/swarm/seed-412.ron                  look at a failing call

Exit status: 0 everything held, 1 a call failed or something never came up, 2 a file is wrong.")]
pub(super) struct Swarm {
    /// The seeds, one call for each; the second is not included.
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,

    /// Scenario files, or folders of them.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,

    /// Where failing calls are written, as seed-N.ron.
    #[arg(long, value_name = "DIR", default_value = "target/swarm")]
    out: PathBuf,

    /// How many calls are played at the same time; as many as there are processors if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=THREADS_MAX))]
    threads: Option<u16>,
}

pub(super) fn main(args: &Swarm, paper: &mut Paper) -> io::Result<Outcome> {
    let files = match scenario_files(&args.paths) {
        Ok(files) => files,
        Err(message) => {
            complain(format_args!("error: {message}"));
            return Ok(Outcome::WrongFile);
        }
    };
    if args.out.exists() && !args.out.is_dir() {
        complain(format_args!("error: --out {}: this is no folder", args.out.display()));
        return Ok(Outcome::WrongFile);
    }
    let mut templates = Vec::new();
    let mut teller = Teller::new();
    for file in &files {
        match Template::load(file) {
            Ok(template) => templates.push(template),
            Err(problem) => teller.show(&problem),
        }
    }
    teller.sum();
    if templates.len() < files.len() {
        return Ok(Outcome::WrongFile);
    }
    let Range { start, end } = args.seeds;
    let version = env!("CARGO_PKG_VERSION");
    paper.line(format_args!(
        "swarm: sim {version}, seeds {start}..{end}, {} scenarios\n",
        files.len()
    ))?;
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let swarm = sim::swarm::Swarm {
        seeds: args.seeds.clone(),
        templates,
        complete: args.paths == [PathBuf::from("scenarios")],
        threads: args.threads.map_or_else(processors, usize::from),
        folder: args.out.clone(),
    };
    let began = Instant::now();
    let bar = bar(end - start);
    let report = match swarm.run(&judge_all, &|| bar.inc(1)) {
        Ok(report) => report,
        Err(error) => {
            complain(format_args!(
                "error: cannot keep a failing call in {}: {error}",
                args.out.display()
            ));
            return Ok(Outcome::WrongFile);
        }
    };
    bar.finish_and_clear();
    for line in report.to_string().lines() {
        match line.split_once("  ") {
            Some((word @ ("BREACH" | "FAILED"), what)) => paper.judged(false, word, what)?,
            Some(("held", what)) => paper.judged(true, "held", what.trim_start())?,
            _ => paper.line(line)?,
        }
    }
    let took = began.elapsed().as_secs_f64();
    complain(format_args!(
        "{took:.1} s: {:.0} calls a second, {:.0} simulated seconds a second",
        report.calls as f64 / took,
        report.simulated_ms as f64 / 1_000.0 / took
    ));
    Ok(if report.held() { Outcome::Held } else { Outcome::Failed })
}

/// Draws itself on a terminal only.
fn bar(calls: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} calls, {eta} left");
    ProgressBar::new(calls).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("`{text}` is no range of seeds; give one such as 0..1000");
    let (start, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.replace('_', "").parse::<u64>().map_err(|_| wrong());
    let range = number(start)?..number(end)?;
    if range.is_empty() {
        return Err(format!("`{text}` holds no seed: the second is not included"));
    }
    Ok(range)
}
