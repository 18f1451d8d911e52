//! What the fuzz targets do with the bytes that they are given. Each target is a function here, so
//! that it can be tested without a fuzzer; the programs in `fuzz_targets` only pass bytes on.
//!
//! A target panics where a promise is broken, and returns otherwise.

mod bytes;
pub mod call_inputs;
pub mod deepgram_server;
mod folder;
pub mod scenario_file;
pub mod twilio_media;
pub mod wav_file;

#[cfg(test)]
mod tests;
