//! Any text as a message to the agent server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::deepgram_client::run(bytes));
