//! `sim`: plays scenario files and prints what the caller heard.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Plays scripted phone calls in virtual time and prints their stories.
///
/// A scenario is a .ron file: a caller, an agent, a carrier and a back office, and what is expected
/// of the call. The call is played through the same state machine as in production. docs/scenarios.md
/// tells how to write one.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  sim scenarios/late_payment.ron      one call
  sim scenarios                       every scenario of a folder

Exit status: 0 everything held, 1 a verdict failed, 2 a file is wrong."
)]
struct Args {
    /// Scenario files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut files = Vec::new();
    for path in args.paths {
        if let Err(error) = collect(path.clone(), &mut files) {
            eprintln!("error: cannot read the folder {}: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    if files.is_empty() {
        eprintln!("error: there is no .ron file in there");
        return ExitCode::from(2);
    }
    let mut wrong = false;
    let mut failed = false;
    for file in &files {
        match sim::play(file) {
            Ok(played) => {
                print(&played);
                failed |= !played.held();
            }
            Err(problem) => {
                eprintln!("{:?}", miette::Report::new(*problem));
                wrong = true;
            }
        }
    }
    match (wrong, failed) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::from(1),
        (false, false) => ExitCode::SUCCESS,
    }
}

fn collect(path: PathBuf, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path);
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(&path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    inside.sort();
    files.extend(inside.into_iter().filter(|file| file.extension().is_some_and(|e| e == "ron")));
    Ok(())
}

fn print(played: &sim::Played) {
    println!("# {}\n", played.title);
    print!("{}", played.story());
    println!();
    let color = std::io::stdout().is_terminal();
    for verdict in &played.verdicts {
        let (word, code) = if verdict.held { ("held", 32) } else { ("FAILED", 31) };
        if color {
            println!("\x1b[{code}m{word:<6}\x1b[0m  {}", verdict.asked);
        } else {
            println!("{word:<6}  {}", verdict.asked);
        }
    }
    println!();
}
