//! Any bytes as status callbacks.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::status_callbacks::run(bytes));
