//! Any bytes as the body of a webhook.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::webhook_form::run(bytes));
