//! The command line: what can be asked for, and how the answer is shown.

mod mistakes;
mod paper;
mod play;
mod replay;
mod swarm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use paper::{Paper, complain};

/// Plays scripted phone calls in virtual time and prints their stories.
///
/// A scenario is a .ron file: a caller, an agent, a carrier and a back office, and what is expected
/// of the call. The call is played through the same state machine as in production; an hour of talk
/// takes milliseconds. docs/scenarios.md tells how to write one, docs/simulator.md how to read what
/// is printed.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  sim scenarios/late_payment.ron                 one call
  sim scenarios                                  every scenario of a folder
  sim scenarios/late_payment.ron --wav call.wav  the call to listen to
  sim replay call.jsonl                          a journal, played again
  sim swarm --seeds 0..1000                      every scenario, with whatever can go wrong

Exit status: 0 everything held, 1 a verdict or an invariant failed, 2 a file is wrong."
)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    play: play::Play,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Replay),
    Swarm(swarm::Swarm),
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Held,
    Failed,
    WrongFile,
}

pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let paper = &mut Paper::stdout();
    let outcome = match &args.command {
        None => play::main(&args.play, paper),
        Some(Command::Replay(args)) => replay::main(args, paper),
        Some(Command::Swarm(args)) => swarm::main(args, paper),
    };
    match outcome {
        Ok(Outcome::Held) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::WrongFile) => ExitCode::from(2),
        Err(error) => {
            complain(format_args!("error: cannot print: {error}"));
            ExitCode::from(2)
        }
    }
}
