//! `sim replay`: plays a journal again.

use std::io;
use std::path::PathBuf;

use call_core::story::story;
use call_core::{Fact, Step};
use sim::journal;
use sim::replay::replay;

use super::Outcome;
use super::paper::{Paper, complain};

/// Plays a journal again and compares, step by step.
///
/// The journal of any call, simulated or real, holds all that its machine was told. The same inputs
/// are told to a new machine, and the same steps must come of them. Use the version of this program
/// that belongs to the server that wrote the journal: another one may rightly decide otherwise.
///
/// Prints the story, and whether the replay is identical; if not, the first step that differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sim scenarios/late_payment.ron --journal call.jsonl
  sim replay call.jsonl

Exit status: 0 identical, 1 a step differs, 2 the journal is broken.")]
pub(super) struct Replay {
    /// The journal: JSON Lines, as `sim PATH --journal FILE` writes them.
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
}

pub(super) fn main(args: &Replay, paper: &mut Paper) -> io::Result<Outcome> {
    let name = args.journal.display();
    let bytes = match std::fs::read(&args.journal) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(format_args!("error: cannot read the journal {name}: {error}"));
            return Ok(Outcome::WrongFile);
        }
    };
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            complain(format_args!("error: {name}:{line}: not UTF-8, as a journal is"));
            return Ok(Outcome::WrongFile);
        }
    };
    let steps = match journal::read(text) {
        Ok(steps) => steps,
        Err(mistake) => {
            complain(format_args!("error: {name}:{mistake}"));
            return Ok(Outcome::WrongFile);
        }
    };
    paper.line(story(&steps))?;
    let Some(difference) = replay(&steps) else {
        let what = format_args!("the replay is identical: {} steps", steps.len());
        paper.judged(true, "held", what)?;
        let ended = |step: &Step| step.facts.iter().any(|f| matches!(f, Fact::CallEnded { .. }));
        if !steps.iter().any(ended) {
            paper.line("        the journal stops before the call has ended")?;
        }
        return Ok(Outcome::Held);
    };
    let number = difference.number;
    let at = match difference.recorded.as_ref().or(difference.replayed.as_ref()) {
        Some(step) => format!(" at {}", step.at),
        None => String::new(),
    };
    let what = format!(
        "step {} of {}{at}, line {} of the journal: - recorded, + replayed",
        number + 1,
        steps.len(),
        journal::line_of(number)
    );
    paper.judged(false, "DIFFERS", what)?;
    for line in difference.lines() {
        paper.line(line)?;
    }
    Ok(Outcome::Failed)
}
