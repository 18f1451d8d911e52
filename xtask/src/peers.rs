//! The providers' own libraries as judges: `cargo xtask peers`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;

/// Where Python's packages are installed.
const VENV: &str = "target/peers";

/// What is installed, in which versions.
const REQUIREMENTS: &str = "tests/peers/requirements.txt";

/// What `cargo xtask peers` takes.
#[derive(Args)]
pub(crate) struct Peers {
    /// Only the calls of these scenarios, by the names of their files without `.ron`
    calls: Vec<String>,

    /// Place so many calls at the same time
    #[arg(long, value_name = "N", default_value_t = 5)]
    at_once: u16,
}

pub(crate) fn run(peers: &Peers) -> Result<()> {
    let root = shell::root()?;
    install(&root)?;
    shell::run(&mut shell::cargo(["build", "-p", "server", "-p", "standin"])?)?;
    let mut script = Command::new(root.join(VENV).join("bin/python"));
    script.current_dir(&root).args(["tests/peers/peers.py", "--root", "."]);
    script.args(["--programs", "target/debug", "--at-once", &peers.at_once.to_string()]);
    shell::run(script.args(&peers.calls))
}

/// Makes the environment, and installs into it what is not there in the right version.
fn install(root: &Path) -> Result<()> {
    let venv = root.join(VENV);
    let installed = venv.join("requirements.txt");
    let wanted = fs::read_to_string(root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let Some(python) = shell::on_path("python3") else {
        bail!("`python3` is needed, 3.11 or newer, with its module venv");
    };
    let mut make = Command::new(python);
    shell::run(make.current_dir(root).args(["-m", "venv", VENV]))?;
    let mut pip = Command::new(venv.join("bin/pip"));
    let quiet = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    shell::run(pip.current_dir(root).args(quiet).arg(REQUIREMENTS))?;
    // Noted last, so that an interrupted installation is made again.
    fs::write(&installed, wanted).context("the installation cannot be noted")
}
