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

    /// How long each is measured; the bare loop (for a minute at most) and the server take this long one
    /// after the other, and about ten seconds more. Nine minutes at most, unless calls are short
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u64,

    /// How long a call is before its caller hangs up and another one calls [default: as long as the run]
    #[arg(long, value_name = "S")]
    call_seconds: Option<u64>,

    /// Measures the server with each of these stores, in pairs, and not beside the bare loop: off,
    /// sqlite, postgres. The first one is what the others are compared with
    #[arg(long, value_delimiter = ',', value_name = "STORE,…")]
    stores: Vec<String>,

    /// How many runs there are with each store
    #[arg(long, value_name = "N", default_value_t = 5, requires = "stores")]
    pairs: u32,

    /// The core for what is measured; the calls take the others [default: the last]
    #[arg(long, value_name = "C")]
    core: Option<usize>,

    /// The profile that both are built in; only `dist` tells what the shipped binary does
    #[arg(long, value_name = "NAME", default_value = "dist")]
    profile: String,
}

pub(crate) fn run(load: &Load) -> Result<()> {
    let profile = format!("--profile={}", load.profile);
    // As it is shipped: without the demonstration, and in that profile.
    let mut server =
        shell::cargo(["build", &profile, "--package=server", "--no-default-features"])?;
    if !load.stores.is_empty() {
        // One build for all of them, so that nothing differs but the store.
        server.arg("--features=unrecorded");
    }
    shell::run(&mut server)?;
    // It finds the server beside itself.
    let mut driver =
        shell::cargo(["run", &profile, "--quiet", "--package=benches", "--bin=load", "--"])?;
    let calls: Vec<_> = load.calls.iter().map(ToString::to_string).collect();
    driver.arg(format!("--calls={}", calls.join(",")));
    driver.arg(format!("--seconds={}", load.seconds));
    if !load.stores.is_empty() {
        driver.arg(format!("--stores={}", load.stores.join(",")));
        driver.arg(format!("--pairs={}", load.pairs));
    }
    if let Some(call_seconds) = load.call_seconds {
        driver.arg(format!("--call-seconds={call_seconds}"));
    }
    if let Some(core) = load.core {
        driver.arg(format!("--core={core}"));
    }
    shell::run(&mut driver)
}
