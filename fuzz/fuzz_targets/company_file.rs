//! Any text as a company's file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::company_file::run(bytes));
