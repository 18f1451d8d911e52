//! What the tasks need from the machine, beyond Rust: programs that a package manager installs.

use std::{fs, process::Command};

use anyhow::{Result, bail};

use crate::shell;

/// Sees to what the tests need from the machine. A further need is a further line here.
pub(crate) fn prepare() -> Result<()> {
    need(&C_COMPILER)?;
    need(&POSTGRES)
}

/// A program of the machine, and the Debian package that brings it.
pub(crate) struct Program {
    /// What it is called.
    pub(crate) name: &'static str,
    /// A folder that holds one folder for each version, each with programs in its `bin`: where
    /// Debian puts what several versions of may be on one machine, and not on PATH.
    pub(crate) versions: Option<&'static str>,
    /// The Debian package.
    pub(crate) package: &'static str,
    /// What we need it for, as the end of a sentence.
    pub(crate) purpose: &'static str,
}

const C_COMPILER: Program = Program {
    name: "cc",
    versions: None,
    package: "build-essential",
    purpose: "to compile SQLite and the cryptography",
};

const POSTGRES: Program = Program {
    name: "initdb",
    versions: Some("/usr/lib/postgresql"),
    package: "postgresql",
    purpose: "to test the store with",
};

/// Finds a program or installs it, when we may; else says what to install.
pub(crate) fn need(program: &Program) -> Result<()> {
    let Program { name, package, purpose, .. } = program;
    if is_here(program) {
        return Ok(());
    }
    if shell::on_path("apt-get").is_none() || !are_root() {
        bail!(
            "`{name}` is needed {purpose}, and it is not here. On Debian and Ubuntu: \
             `sudo apt-get install {package}`; elsewhere install what has `{name}` in it"
        );
    }
    eprintln!("`{name}` is needed {purpose}: installing {package}");
    let install = || shell::run(&mut apt_get(&["install", "--yes", package]));
    // A fresh container has no list of packages yet; one that has it need not fetch it again.
    if install().is_err() {
        shell::run(&mut apt_get(&["update"]))?;
        install()?;
    }
    if !is_here(program) {
        bail!("{package} is installed now, and there is still no `{name}`");
    }
    Ok(())
}

fn is_here(program: &Program) -> bool {
    let versions = program.versions.and_then(|folder| fs::read_dir(folder).ok());
    let mut versions = versions.into_iter().flatten().flatten();
    shell::on_path(program.name).is_some()
        || versions.any(|version| version.path().join("bin").join(program.name).is_file())
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn are_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}
