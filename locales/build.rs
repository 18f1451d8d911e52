//! Does not build lines that differ between the languages.

#[path = "build/check.rs"]
mod check;

use std::fs;

fn main() {
    const NAMES: [&str; 2] = ["en/lines.ftl", "es/lines.ftl"];
    println!("cargo::rerun-if-changed=build/check.rs");
    let texts = NAMES.map(|name| {
        println!("cargo::rerun-if-changed={name}");
        fs::read_to_string(name).unwrap_or_else(|error| panic!("locales/{name}: {error}"))
    });
    let [english, spanish] = &texts;
    for fault in check::faults([(NAMES[0], english), (NAMES[1], spanish)]) {
        println!("cargo::error=locales/{fault}");
    }
}
