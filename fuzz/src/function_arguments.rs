//! Any text as the arguments that a model writes: what the machine is shown of them is masked, and
//! what does not fit a function is told as a fault of it. And any text as what the middleware
//! answers: a loan is told only to a caller who matched in everything.

use call_core::effect::Function;
use call_core::input::FunctionOutcome;
use call_transports::deepgram::FunctionCall;
use call_transports::functions::{ask, loan_lookup, lookup_ended, payment, tones};
use call_transports::middleware::LoanAnswer;
use call_transports::twilio::twiml::Tones;
use serde_json::Value;

/// Reads the bytes as arguments of every function, and as an answer of the middleware.
pub fn run(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        Function::ALL.into_iter().for_each(|function| arguments(function, text));
    }
    answer(bytes);
}

fn arguments(function: Function, text: &str) {
    let call = FunctionCall {
        id: "f1".to_owned(),
        name: function.name().to_owned(),
        arguments: text.into(),
        client_side: true,
        thought_signature: None,
    };
    let asked = ask(&call, b"a key");
    assert_eq!(asked, ask(&call, b"a key"), "the same request is the same");
    let shown: Result<Value, _> = serde_json::from_str(&asked.arguments);
    assert!(shown.is_ok(), "what is shown is JSON: {}", asked.arguments);
    assert!(asked.arguments.len() <= 6 * text.len() + 64, "what is shown is bounded");
    match function {
        Function::LookupLoan => {
            let read = loan_lookup(text);
            told(asked.fault.as_ref(), read.as_ref().err(), text);
            if let Ok(lookup) = read {
                assert!(!asked.arguments.contains(&lookup.loan_number), "a number is shown");
                assert!(!asked.arguments.contains(&lookup.date_of_birth), "a date is shown");
            }
        }
        Function::MakePayment => {
            let read = payment(text);
            told(asked.fault.as_ref(), read.as_ref().err(), text);
            assert!(read.is_err() || !read.is_ok_and(|payment| payment.amount_cents <= 0));
        }
        Function::PlayDtmf => {
            let read = tones(text);
            assert_eq!(asked.tones, read.as_ref().ok().map(Tones::keys));
            told(asked.fault.as_ref(), read.as_ref().err(), text);
        }
        Function::TransferCall | Function::HangupCall => {}
    }
}

/// What cannot be used is a fault, and else only length is one.
fn told(fault: Option<&String>, wrong: Option<&String>, text: &str) {
    if text.len() <= 1_024 {
        assert_eq!(fault, wrong);
    } else {
        assert!(fault.is_some() || wrong.is_none(), "{wrong:?} is not told");
    }
}

fn answer(bytes: &[u8]) {
    // As the client of the middleware reads it.
    let Ok(answer) = serde_json::from_slice::<LoanAnswer>(bytes) else { return };
    let written = serde_json::to_vec(&answer).expect("an answer is JSON");
    assert_eq!(serde_json::from_slice::<LoanAnswer>(&written).ok().as_ref(), Some(&answer));
    let matches = answer.date_of_birth_matches && answer.zip_matches;
    let told = answer.loan.clone().filter(|_| matches);
    let ended = lookup_ended("f1", Some(answer));
    assert_eq!(ended.input.outcome == FunctionOutcome::Done, told.is_some());
    assert_eq!(ended.input.disclosed.is_empty(), told.is_none(), "what is told is on record");
    let content: Value = serde_json::from_str(&ended.content).expect("the model is told JSON");
    assert_eq!(content.get("loan").is_some(), told.is_some());
    assert_eq!(content["verified"], told.is_some());
}
