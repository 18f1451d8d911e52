//! The project's tasks, run as `cargo xtask …`. Each task prints what it runs, so that nobody
//! needs xtask to do the same by hand.

mod audio;
mod checks;
mod fuzz;
mod load;
mod machine;
mod peers;
mod proof;
mod recordings;
mod shell;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use checks::Extent;

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test { fast } => checks::run(if fast { Extent::Fast } else { Extent::Full }),
        Task::Audio => audio::make(),
        Task::Fuzz(fuzz) => fuzz::run(&fuzz),
        Task::Load(load) => load::run(&load),
        Task::Peers(peers) => peers::run(&peers),
        Task::Proof { check: false } => proof::write(),
        Task::Proof { check: true } => proof::check(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Not by returning it: where backtraces are switched on, one would bury the message.
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The project's tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check that CI runs, and stop at the first that fails
    ///
    /// In this order: formatting, whether docs/proof.md is current, clippy for the whole workspace,
    /// clippy and a build of the features that the shipped server has, licences and sources of all
    /// dependencies (cargo-deny), tests (benches run once, to see that they still do), whether the
    /// judges notice the deliberate defects (feature `sabotage` of the simulator), doc tests,
    /// documentation.
    ///
    /// Each command is printed before it runs and can be run by hand. At the end stands how long
    /// each one took. Story snapshots are tests, too: after a wanted change, accept them with
    /// `INSTA_UPDATE=always cargo test -p sim` and read the difference in git.
    ///
    /// cargo-deny is taken from PATH or from target/tools/bin. When it is in neither place, it is
    /// built into the latter, which takes about four minutes, once.
    Test {
        /// Leave out cargo-deny and the documentation: enough while you work, not before a merge
        #[arg(long)]
        fast: bool,
    },
    /// Make the recordings of scenario callers in scenarios/audio, and of our own lines in
    /// locales/recordings, with espeak-ng
    ///
    /// Who says what stands in a table in xtask/src/audio.rs; what we say stands in
    /// locales/en/lines.ftl and locales/es/lines.ftl. To add a recording, add a row, run
    /// this, and commit the new file. The same version of espeak-ng writes the same bytes, so the
    /// other files do not change.
    ///
    /// espeak-ng is installed with apt-get when it is missing and you are root.
    Audio,
    /// Feed the readers and the call machine what a fuzzer thinks up
    ///
    /// The targets lie in fuzz, a package outside the workspace, and docs/simulator.md tells what each
    /// of them promises. Every target is run, one after the other, or the one that is named. What
    /// breaks a promise is kept in fuzz/artifacts, and fails the task when all have been run.
    ///
    /// The build takes a nightly toolchain and a C++ compiler. cargo-fuzz is taken from PATH or from
    /// target/tools/bin; when it is in neither place, it is built into the latter, once.
    Fuzz(fuzz::Fuzz),
    /// Drive real-time calls through the server, beside a loop that only forwards
    ///
    /// Both are built in release mode and measured one after the other, each alone on its core, with
    /// a fake Twilio and a fake Deepgram in a second process: added latency, frames lost, processor
    /// time and memory. With short calls (--call-seconds) it may last for hours, to see what stays of
    /// calls that are over. docs/performance.md says how to read the table. Needs Linux and two cores.
    Load(load::Load),
    /// Let the providers' own libraries judge the server and the stand-ins
    ///
    /// Twilio's library signs webhooks and reads the documents that answer them; Deepgram's types are
    /// held against every message of an agent's session, ours and the stand-in's. The server and its
    /// stand-ins place real calls over loopback sockets for it, which takes about two minutes.
    ///
    /// Both libraries are written in Python. They are installed into target/peers from PyPI, in the
    /// versions of tests/peers/requirements.txt, when they are not there yet.
    Peers(peers::Peers),
    /// Write docs/proof.md: which tests, scenarios, judges and sabotages prove what about which fault
    ///
    /// An id that the catalogue (docs/ids.md and docs/ids) does not know is an error, wherever it is
    /// cited. In the name of a test an id is written small and with underscores.
    Proof {
        /// Write nothing, and fail when the page is not current
        #[arg(long)]
        check: bool,
    },
}
