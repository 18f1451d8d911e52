//! Load runs: `cargo xtask load`.

use anyhow::Result;
use clap::Args;

use crate::shell;

/// What `cargo xtask load` takes.
#[derive(Args)]
pub(crate) struct Load {
    /// How many calls at once; several numbers are measured one after the other
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "50,200")]
    calls: Vec<u32>,

    /// How long each is measured; the bare loop and the server take this long one after the other,
    /// and about ten seconds more
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u64,

    /// The core for what is measured; the calls take the others [default: the last]
    #[arg(long, value_name = "C")]
    core: Option<usize>,
}

pub(crate) fn run(load: &Load) -> Result<()> {
    // As it is shipped: without the demonstration, and in that profile.
    shell::run(&mut shell::cargo([
        "build",
        "--profile=dist",
        "--package=server",
        "--no-default-features",
    ])?)?;
    // It finds the server beside itself.
    let mut driver = shell::cargo([
        "run",
        "--profile=dist",
        "--quiet",
        "--package=benches",
        "--bin=load",
        "--",
    ])?;
    let calls: Vec<_> = load.calls.iter().map(ToString::to_string).collect();
    driver.arg(format!("--calls={}", calls.join(",")));
    driver.arg(format!("--seconds={}", load.seconds));
    if let Some(core) = load.core {
        driver.arg(format!("--core={core}"));
    }
    shell::run(&mut driver)
}
