//! `sim`: plays scenario files and prints what the caller heard.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
