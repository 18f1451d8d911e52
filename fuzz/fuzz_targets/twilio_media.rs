//! Any text as a message of a media stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::twilio_media::run(bytes));
