//! Any text as arguments of a function and as its result.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::function_arguments::run(bytes));
