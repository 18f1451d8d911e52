//! Everything that CI checks: `cargo xtask test`.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{fuzz, machine, proof, shell};

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Full,
    /// Without cargo-deny and without the documentation.
    Fast,
}

/// Runs the checks in order, up to the first that fails, and says how long each one took.
pub(crate) fn run(extent: Extent) -> Result<()> {
    let mut times = vec![];
    let outcome = run_each(extent, &mut times);
    eprintln!();
    for (step, took) in &times {
        eprintln!("{:>7.1} s  {step}", took.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, took)| took).sum();
    eprintln!("{:>7.1} s  in all", total.as_secs_f64());
    outcome.inspect(|()| eprintln!("all is well"))
}

fn run_each(extent: Extent, times: &mut Vec<(&'static str, Duration)>) -> Result<()> {
    for step in STEPS.iter().filter(|step| extent == Extent::Full || step.extent == Extent::Fast) {
        let start = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, start.elapsed()));
        outcome?;
    }
    Ok(())
}

struct Step {
    name: &'static str,
    /// The smallest extent that has this step.
    extent: Extent,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 11] = [
    Step { name: "machine", extent: Extent::Fast, run: machine::prepare },
    Step { name: "formatting", extent: Extent::Fast, run: formatting },
    Step { name: "proof", extent: Extent::Fast, run: proof::check },
    Step { name: "clippy", extent: Extent::Fast, run: clippy },
    Step { name: "features as shipped", extent: Extent::Fast, run: features_as_shipped },
    Step { name: "dependencies", extent: Extent::Full, run: dependencies },
    Step { name: "tests", extent: Extent::Fast, run: tests },
    Step { name: "sabotage", extent: Extent::Fast, run: sabotage },
    Step { name: "fuzz targets", extent: Extent::Full, run: fuzz::check },
    Step { name: "doc tests", extent: Extent::Fast, run: doc_tests },
    Step { name: "documentation", extent: Extent::Full, run: documentation },
];

fn formatting() -> Result<()> {
    cargo(["fmt", "--all", "--check"])
}

fn clippy() -> Result<()> {
    cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

/// A workspace is built with the features of all its members together. So what is built with
/// fewer of them, the pure codecs and the server without `demo`, is looked at alone; and so is what load
/// runs build.
fn features_as_shipped() -> Result<()> {
    cargo(["clippy", "-p", "call-transports", "--no-deps", "--", "-D", "warnings"])?;
    cargo(["check", "-p", "server", "--no-default-features"])?;
    cargo(["check", "-p", "server", "--no-default-features", "--features", "unrecorded"])
}

/// Offline: advisories need a database from the network, and are a matter for a nightly job.
fn dependencies() -> Result<()> {
    let mut deny = Command::new(shell::tool("cargo-deny", CARGO_DENY, "about four minutes")?);
    deny.current_dir(shell::root()?);
    shell::run(deny.args(["--offline", "check", "licenses", "bans", "sources"]))
}

fn tests() -> Result<()> {
    cargo(["test", "--workspace", "--all-targets"])
}

/// Deliberate defects are built in by a feature that no other step has: whatever else is built in
/// the same command would be built with them.
fn sabotage() -> Result<()> {
    cargo(["clippy", "-p", "sim", "--all-targets", "--features", "sabotage", "--", "-Dwarnings"])?;
    cargo(["test", "-p", "sim", "--features", "sabotage", "--test", "sabotage"])
}

fn doc_tests() -> Result<()> {
    cargo(["test", "--workspace", "--doc"])
}

fn documentation() -> Result<()> {
    let mut doc = shell::cargo(["doc", "--workspace", "--no-deps"])?;
    shell::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}

fn cargo<const N: usize>(arguments: [&str; N]) -> Result<()> {
    shell::run(&mut shell::cargo(arguments)?)
}

/// The version that deny.toml is written for.
const CARGO_DENY: &str = "0.20.2";
