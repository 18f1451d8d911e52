//! Any bytes as an answer of Twilio's REST interface.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::twilio_answer::run(bytes));
