//! The targets without a fuzzer: on real files and messages, and on bytes that a fuzzer begins with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use call_core::Phase;

use crate::bytes::Bytes;
use crate::folder::root;
use crate::{
    call_inputs, company_file, deepgram_client, deepgram_server, function_arguments, journal_file,
    scenario_file, signature, status_callbacks, twilio_answer, twilio_media, twiml, wav_file,
    webhook_form,
};

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
        let bytes = fs::read(file).expect("it is there");
        deepgram_server::run(&bytes);
        deepgram_client::run(&bytes);
    }
    for folder in ["inbound", "outbound"] {
        for file in files(&format!("transports/fixtures/twilio/messages/{folder}"), "json") {
            twilio_media::run(&fs::read(file).expect("it is there"));
        }
    }
}

#[test]
fn every_recorded_request_and_answer_of_twilio_is_read() {
    for (folder, extension, run) in [
        ("transports/fixtures/twilio/webhooks", "form", webhook_form::run as fn(&[u8])),
        ("transports/fixtures/twilio/webhooks", "form", status_callbacks::run),
        ("transports/fixtures/twilio/twiml", "xml", twiml::run),
        ("transports/fixtures/twilio/rest", "json", twilio_answer::run),
        ("fuzz/seeds/signature", "txt", signature::run),
    ] {
        for file in files(folder, extension) {
            let bytes = fs::read(file).expect("it is there");
            run(&bytes);
            run(&bytes[..bytes.len() / 2]);
        }
    }
}

/// What a reader that is too kind would read: it took `<?xml nonsense?>` for a declaration once.
#[test]
fn what_is_read_of_a_spoilt_document_is_xml() {
    for file in files("transports/fixtures/twilio/twiml", "xml") {
        let text = fs::read_to_string(file).expect("it is there");
        for (at, _) in text.char_indices() {
            for piece in ["]]>", "--", "<!--", "<", ">", "&", "\"", "?>", "<?xml ", "=", "x", " "] {
                twiml::run(format!("{}{piece}{}", &text[..at], &text[at..]).as_bytes());
            }
            twiml::run(format!("{}{}", &text[..at], &text[(at + 1).min(text.len())..]).as_bytes());
        }
    }
}

/// F-WH-04: callbacks come twice and out of order.
#[test]
fn a_whole_call_of_callbacks_in_any_order_is_over_once() {
    let folder = "transports/fixtures/twilio/webhooks";
    let names = ["initiated", "ringing", "in_progress", "completed", "failed"];
    let bodies = names.map(|name| {
        let file = root().join(folder).join(format!("call_status_{name}.form"));
        fs::read_to_string(file).expect("it is there").trim().to_owned()
    });
    for turn in 0..bodies.len() {
        let mut bodies = bodies.clone();
        bodies.rotate_left(turn);
        status_callbacks::run(bodies.join("\n").as_bytes());
    }
}

#[test]
fn every_company_is_one_and_a_torn_one_is_a_problem() {
    for file in files("scenarios/companies", "toml") {
        let bytes = fs::read(file).expect("it is there");
        company_file::run(&bytes);
        company_file::run(&bytes[..bytes.len() / 2]);
    }
}

#[test]
fn what_a_model_and_the_middleware_write_is_read() {
    for file in files("fuzz/seeds/function_arguments", "json") {
        function_arguments::run(&fs::read(file).expect("it is there"));
    }
}

#[test]
fn the_journal_of_any_call_is_read_and_a_spoilt_one_is_a_mistake() {
    let steps = call_inputs::play(&mut Bytes::new(&[7; 200]));
    let mut stored = Vec::new();
    sim::journal::write(&steps, &mut stored).expect("a vector takes all that is written to it");
    journal_file::run(&stored);
    for at in (0..stored.len()).step_by(97) {
        let mut spoilt = stored.clone();
        spoilt[at] = b'9';
        journal_file::run(&spoilt);
        journal_file::run(&spoilt[..at]);
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

/// What the fuzzer found once is not found again.
#[test]
fn every_call_that_was_a_finding_is_a_call() {
    for file in files("fuzz/seeds/call_inputs", "bin") {
        call_inputs::run(&fs::read(file).expect("it is there"));
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
