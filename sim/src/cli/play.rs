//! `sim PATH…`: plays scenarios.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sim::desk::{Options, Played, play_with};
use sim::journal;
use sim::machine::Machine;
use sim::scenario::{Template, files_in};

use super::Outcome;
use super::mistakes::Teller;
use super::paper::{Paper, complain};

#[derive(Debug, clap::Args)]
pub(super) struct Play {
    /// Scenario files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Prints one JSON object for each call instead of its story.
    ///
    /// Its fields: title, file, steps (how many), verdicts (asked, held, and
    /// instead, what came if it did not hold), breaches (invariant, at_ms, what), and ended, the reason for which the call ended. A file that is wrong has a
    /// line, too: file and mistakes (file, line, column, words, what, label, help).
    #[arg(long)]
    json: bool,

    /// Writes the journal of the call, as JSON Lines.
    ///
    /// The first line is {"journal": VERSION}, each further one a step. `sim replay` plays it
    /// again. Only with a single scenario.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Writes the call as heard: caller left, agent and our own lines right.
    ///
    /// 8 kHz, 16 bits, two channels. Speech that was stopped on its way is not in it. Only with a
    /// single scenario.
    #[arg(long, value_name = "FILE")]
    wav: Option<PathBuf>,

    /// Plays with a deliberate defect, which breaks this invariant and no other: I-12.
    ///
    /// Whoever judges the call must notice it. Only in builds with the feature `sabotage`.
    #[cfg(feature = "sabotage")]
    #[arg(long, value_name = "INVARIANT", value_parser = sabotage)]
    sabotage: Option<call_core::Sabotage>,

    /// The same in a build without it: whoever asks is told.
    #[cfg(not(feature = "sabotage"))]
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = sabotage)]
    sabotage: Option<std::convert::Infallible>,
}

/// The machine that is asked for.
fn machine(args: &Play) -> Machine {
    #[cfg(feature = "sabotage")]
    if let Some(sabotage) = args.sabotage {
        return Machine::sabotaged(sabotage);
    }
    let _ = &args.sabotage;
    Machine::default()
}

#[cfg(feature = "sabotage")]
fn sabotage(id: &str) -> Result<call_core::Sabotage, String> {
    use call_core::Sabotage;
    Sabotage::of_id(id).ok_or_else(|| {
        let ids = Sabotage::ALL.map(|sabotage| format!("`{}`", sabotage.id())).join(", ");
        format!("no defect breaks `{id}`; there is one for each of {ids}")
    })
}

#[cfg(not(feature = "sabotage"))]
fn sabotage(_: &str) -> Result<std::convert::Infallible, String> {
    Err("this build has no sabotage; build one that has it: \
         cargo run -p sim --features sabotage -- PATH --sabotage INVARIANT"
        .to_owned())
}

pub(super) fn main(args: &Play, paper: &mut Paper) -> io::Result<Outcome> {
    let files = match scenario_files(&args.paths) {
        Ok(files) => files,
        Err(message) => {
            complain(format_args!("error: {message}"));
            return Ok(Outcome::WrongFile);
        }
    };
    let single = [("--journal", &args.journal), ("--wav", &args.wav)];
    let asked = single.iter().find(|(_, file)| file.is_some());
    if let (Some((option, _)), 2..) = (asked, files.len()) {
        complain(format_args!(
            "error: {option} writes one call, and {} scenarios are given; give a single one",
            files.len()
        ));
        return Ok(Outcome::WrongFile);
    }
    let mut reasons = single.iter().filter_map(|(option, file)| unwritable(option, file));
    if let Some(message) = reasons.next().or_else(|| one_file_for_two(args)) {
        complain(format_args!("error: {message}"));
        return Ok(Outcome::WrongFile);
    }
    let mut outcome = Outcome::Held;
    let (mut calls, mut failed) = (0, Vec::new());
    let mut teller = Teller::new();
    for file in &files {
        let template = Template::load(file);
        let sources = template.as_ref().map(Template::sources).unwrap_or_default();
        if let Some(message) = overwritten(&sources, &single) {
            complain(format_args!("error: {message}"));
            return Ok(Outcome::WrongFile);
        }
        match template.map(Template::into_scenario) {
            Ok(scenario) => {
                let options = Options { tape: args.wav.is_some(), machine: machine(args) };
                let played = play_with(scenario, options);
                calls += 1;
                if !show(file, &played, args.json, paper)? {
                    failed.push(file.as_path());
                }
                if let Err(message) = keep(&played, args) {
                    complain(format_args!("error: {message}"));
                    outcome = Outcome::WrongFile;
                }
            }
            Err(problem) => {
                if args.json {
                    teller.print(file, &problem, paper)?;
                } else {
                    teller.show(&problem);
                }
                outcome = Outcome::WrongFile;
            }
        }
    }
    teller.sum();
    if calls > 1 && !args.json {
        sum(calls, &failed, paper)?;
    }
    Ok(if outcome == Outcome::Held && !failed.is_empty() { Outcome::Failed } else { outcome })
}

/// What many calls came to: nobody reads back through all of their stories.
fn sum(calls: usize, failed: &[&Path], paper: &mut Paper) -> io::Result<()> {
    if failed.is_empty() {
        return paper.judged(true, "held", format_args!("all {calls} calls"));
    }
    paper.judged(false, "FAILED", format_args!("{} of {calls} calls:", failed.len()))?;
    failed.iter().try_for_each(|file| paper.line(format_args!("        {}", file.display())))
}

/// Why a file cannot be written, as far as that is plain before a call is played.
fn unwritable(option: &str, file: &Option<PathBuf>) -> Option<String> {
    let file = file.as_deref()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        _ if file.is_dir() => Some(format!("{option} {}: this is a folder", file.display())),
        Some(folder) if !folder.is_dir() => {
            let (file, folder) = (file.display(), folder.display());
            Some(format!("{option} {file}: there is no folder {folder}"))
        }
        _ => None,
    }
}

/// Why a journal and a recording cannot both be written.
fn one_file_for_two(args: &Play) -> Option<String> {
    let (journal, wav) = (args.journal.as_ref()?, args.wav.as_ref()?);
    let same = place(journal) == place(wav);
    same.then(|| format!("--journal and --wav both name {}; give two files", wav.display()))
}

/// Why a file cannot be written that the scenario was read from.
fn overwritten(sources: &[PathBuf], single: &[(&str, &Option<PathBuf>)]) -> Option<String> {
    single.iter().find_map(|(option, file)| {
        let file = file.as_deref()?;
        let read = sources.iter().any(|source| place(source) == place(file));
        let what = "the scenario was read from this file; give another";
        read.then(|| format!("{option} {}: {what}", file.display()))
    })
}

/// Where a file lies, or would lie, by whatever way it is named.
fn place(file: &Path) -> Option<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written =
        || Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(file.file_name()?));
    file.canonicalize().ok().or_else(written)
}

/// The files that are meant: folders stand for the scenarios in them.
pub(super) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let inside = files_in(path)
            .map_err(|error| format!("cannot read the folder {}: {error}", path.display()))?;
        // A folder without scenarios is told as a file that cannot be read.
        files.extend(if inside.is_empty() { vec![path.clone()] } else { inside });
    }
    Ok(files)
}

/// Prints a call and what is held against it. Returns whether all of it held.
fn show(file: &Path, played: &Played, json: bool, paper: &mut Paper) -> io::Result<bool> {
    let breaches = played.breaches();
    let held = played.held() && breaches.is_empty();
    if json {
        let call = Call::new(file, played, &breaches);
        paper.line(serde_json::to_string(&call)?)?;
        return Ok(held);
    }
    paper.line(format_args!("# {}\n", played.title))?;
    paper.line(played.story())?;
    for verdict in &played.verdicts {
        let word = if verdict.held { "held" } else { "FAILED" };
        paper.judged(verdict.held, word, &verdict.asked)?;
        if let Some(instead) = &verdict.instead {
            paper.line(format_args!("        {instead}"))?;
        }
    }
    if breaches.is_empty() {
        paper.judged(true, "held", "all invariants")?;
    }
    for breach in &breaches {
        paper.judged(false, "BREACH", breach_line(breach))?;
    }
    paper.line("")?;
    Ok(held)
}

fn breach_line(breach: &sim::judge::Breach) -> String {
    let sim::judge::Breach { invariant, at, what } = breach;
    match at {
        Some(at) => format!("{invariant} {at} {what}"),
        None => format!("{invariant} {what}"),
    }
}

/// Writes the files that were asked for.
fn keep(played: &Played, args: &Play) -> Result<(), String> {
    if let Some(path) = &args.journal {
        let written =
            File::create(path).and_then(|file| journal::write(&played.steps, BufWriter::new(file)));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if let (Some(path), Some(tape)) = (&args.wav, &played.tape) {
        tape.write(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// A call as `--json` prints it.
#[derive(Serialize)]
struct Call<'a> {
    title: &'a str,
    file: String,
    steps: usize,
    verdicts: Vec<Verdict<'a>>,
    breaches: Vec<Breach<'a>>,
    ended: Option<&'static str>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    asked: &'a str,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<&'a str>,
}

#[derive(Serialize)]
struct Breach<'a> {
    invariant: &'a str,
    at_ms: Option<u64>,
    what: &'a str,
}

impl<'a> Call<'a> {
    fn new(file: &Path, played: &'a Played, breaches: &'a [sim::judge::Breach]) -> Self {
        let verdict = |verdict: &'a sim::Verdict| Verdict {
            asked: &verdict.asked,
            held: verdict.held,
            instead: verdict.instead.as_deref(),
        };
        let breach = |breach: &'a sim::judge::Breach| Breach {
            invariant: breach.invariant,
            at_ms: breach.at.map(call_core::CallTime::as_millis),
            what: &breach.what,
        };
        Self {
            title: &played.title,
            file: file.display().to_string(),
            steps: played.steps.len(),
            verdicts: played.verdicts.iter().map(verdict).collect(),
            breaches: breaches.iter().map(breach).collect(),
            ended: played.ended().map(call_core::EndReason::word),
        }
    }
}
