//! Any text as a URL and its signature.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::signature::run(bytes));
