//! Running other programs from the root of the workspace, in plain sight.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").context("start this as `cargo xtask …`")?;
    let root = Path::new(&manifest).parent().context("xtask lies in a workspace")?;
    Ok(root.to_path_buf())
}

/// Cargo itself, the one that started us.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Result<Command> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()?);
    // Cargo describes xtask to us in these. Passed on, they would look like a change to build
    // scripts that watch them, and such packages would be built again, every time.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    Ok(command)
}

/// Prints the command, runs it, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    eprintln!("\n$ {shown}");
    let status = command.status().with_context(|| format!("`{shown}` did not start"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}); what it found stands above");
    }
    Ok(())
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.display(), value.display()))
    });
    let program = Path::new(command.get_program());
    let ours = command.get_current_dir().and_then(|root| program.strip_prefix(root).ok());
    let program = ours.or(program.file_name().map(Path::new)).unwrap_or(program);
    let program = program.display().to_string();
    let arguments = command.get_args().map(|argument| match argument.display().to_string() {
        plain if !plain.contains(' ') => plain,
        spaced => format!("{spaced:?}"),
    });
    let words: Vec<_> = variables.chain([program]).chain(arguments).collect();
    words.join(" ")
}

/// A program of cargo's own kind: from PATH, or built once into target/tools.
pub(crate) fn tool(name: &str, version: &str, takes: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    let built = root()?.join("target/tools/bin").join(name);
    if !built.is_file() {
        eprintln!("\n{name} is not here: building it once, which takes {takes}");
        let arguments = ["install", name, "--locked", "--version", version];
        run(cargo(arguments)?.args(["--root", "target/tools"]))?;
    }
    Ok(built)
}

/// Where a program lies on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
