//! Builds again when a file changes that is part of the binary and is no Rust.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
    println!("cargo::rerun-if-changed=../scenarios/companies");
}
