//! Any text as TwiML, and in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::twiml::run(bytes));
