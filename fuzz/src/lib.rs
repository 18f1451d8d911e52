//! What the fuzz targets do with the bytes that they are given. Each target is a function here, so
//! that it can be tested without a fuzzer; the programs in `fuzz_targets` only pass bytes on.
//!
//! A target panics where a promise is broken, and returns otherwise.

mod bytes;
pub mod call_inputs;
pub mod company_file;
pub mod deepgram_client;
pub mod deepgram_server;
mod folder;
pub mod function_arguments;
pub mod journal_file;
pub mod scenario_file;
pub mod signature;
pub mod status_callbacks;
pub mod twilio_answer;
pub mod twilio_media;
pub mod twiml;
pub mod wav_file;
pub mod webhook_form;

#[cfg(test)]
mod tests;
