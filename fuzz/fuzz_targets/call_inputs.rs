//! Any inputs at any times, told to a call.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::call_inputs::run(bytes));
