//! Any text as a journal.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::journal_file::run(bytes));
