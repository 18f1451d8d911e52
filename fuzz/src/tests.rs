//! The targets without a fuzzer: on real files and messages, and on bytes that a fuzzer begins with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use call_core::Phase;

use crate::bytes::Bytes;
use crate::folder::root;
use crate::{call_inputs, deepgram_server, scenario_file, twilio_media, wav_file};

#[test]
fn every_scenario_is_one_and_a_torn_one_is_a_problem() {
    for file in files("scenarios", "ron") {
        let bytes = fs::read(file).expect("it is there");
        scenario_file::run(&bytes);
        scenario_file::run(&bytes[..bytes.len() / 2]);
    }
}

#[test]
fn every_recorded_message_is_read_and_written() {
    for file in files("transports/fixtures/deepgram", "json") {
        deepgram_server::run(&fs::read(file).expect("it is there"));
    }
    for folder in ["inbound", "outbound"] {
        for file in files(&format!("transports/fixtures/twilio/messages/{folder}"), "json") {
            twilio_media::run(&fs::read(file).expect("it is there"));
        }
    }
}

#[test]
fn every_recording_is_one_and_a_torn_one_is_an_error() {
    for file in files("scenarios/audio", "wav") {
        let bytes = fs::read(file).expect("it is there");
        wav_file::run(&bytes);
        wav_file::run(&bytes[..bytes.len() / 2]);
    }
}

/// Bytes that nobody chose lead calls into every phase, or the target would prove little.
#[test]
fn bytes_that_nobody_chose_lead_a_call_everywhere() {
    let mut reached = BTreeSet::from([Phase::Connecting]);
    let mut state = 1_u64;
    for _ in 0..400 {
        let bytes: Vec<u8> = (0..300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        call_inputs::run(&bytes);
        let steps = call_inputs::play(&mut Bytes::new(&bytes));
        reached.extend(steps.iter().flat_map(|step| &step.moves).map(|change| change.to));
    }
    assert_eq!(reached, Phase::ALL.into());
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file: &PathBuf| Path::extension(file).is_some_and(|e| e == extension));
    assert!(!files.is_empty(), "{folder} has .{extension} files");
    files
}
