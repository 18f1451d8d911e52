//! Load: real-time calls through the server, beside a loop that does nothing but forward.
//!
//! `cargo xtask load` builds and runs this; docs/performance.md says what it measures. It needs
//! Linux, for cores of its own and for what `/proc` tells of a process.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: load runs need Linux");
    ExitCode::FAILURE
}
