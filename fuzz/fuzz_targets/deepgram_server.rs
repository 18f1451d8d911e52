//! Any text as a message of the agent server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::deepgram_server::run(bytes));
