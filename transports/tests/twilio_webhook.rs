//! Form bodies and the inbound call that one of them announces.

use std::fs;

use call_transports::twilio::Sid;
use call_transports::twilio::webhook::{
    CallStatus, Direction, Error, FIELDS_MAX, InboundCall, PhoneNumber, decode_form, encode_form,
};

const INBOUND: &str = include_str!("../fixtures/twilio/webhooks/voice_inbound.form");

#[test]
fn every_inbound_webhook_is_read_as_a_call() {
    for (name, body) in fixtures("voice_inbound") {
        let call = InboundCall::from_form(&decode_form(body.as_bytes()).unwrap());
        let call = call.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(call.call_sid.as_str(), "CA00000000000000000000000000000011", "{name}");
        assert_eq!(call.account_sid.as_str(), "AC00000000000000000000000000000001", "{name}");
        assert_eq!(call.status, CallStatus::Ringing, "{name}");
        assert_eq!(call.direction, Direction::Inbound, "{name}");
        assert_eq!(call.api_version, "2010-04-01", "{name}");
    }
}

#[test]
fn a_caller_may_be_a_number_a_word_or_an_app() {
    let from = |body: &str| call(body).from;
    assert_eq!(from(INBOUND).reveal(), "+15550100001");
    let anonymous = include_str!("../fixtures/twilio/webhooks/voice_inbound_anonymous.form");
    assert_eq!(from(anonymous).reveal(), "anonymous");
    let client = include_str!("../fixtures/twilio/webhooks/voice_inbound_client.form");
    assert_eq!(from(client).reveal(), "client:amy");
    assert_eq!(call(client).to.reveal(), "");
}

#[test]
fn a_form_of_twilio_is_written_as_it_was_read() {
    for (name, body) in fixtures("") {
        assert_eq!(encode_form(&decode_form(body.as_bytes()).unwrap()), body, "{name}");
    }
}

#[test]
fn a_value_that_is_encoded_inside_is_decoded_once() {
    let fields = decode_form(INBOUND.trim_end().as_bytes()).unwrap();
    let (_, token) = fields.iter().find(|(name, _)| name == "CallToken").unwrap();
    assert!(token.starts_with("%7B%22parentCallInfoToken%22"), "{token}");
}

#[test]
fn order_repeats_and_empty_values_survive() {
    let body = "b=2&a=&b=1&b=2&plain&%C3%B1=1+%2B+1";
    let fields = decode_form(body.as_bytes()).unwrap();
    let expected = [("b", "2"), ("a", ""), ("b", "1"), ("b", "2"), ("plain", ""), ("ñ", "1 + 1")];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(decode_form(encode_form(&fields).as_bytes()), Ok(fields));
    assert_eq!(decode_form(b""), Ok(Vec::new()));
    assert_eq!(decode_form(b"&&a=1&"), Ok(vec![("a".to_owned(), "1".to_owned())]));
}

#[test]
fn every_byte_survives_a_form() {
    let text: String = ('\0'..='ÿ').collect();
    let fields = vec![(text.clone(), text)];
    assert_eq!(decode_form(encode_form(&fields).as_bytes()), Ok(fields));
}

#[test]
fn a_form_that_is_not_one_is_a_typed_error() {
    for body in ["a=%", "a=%4", "a=%zz", "%+1=a", "a=%é"] {
        assert_eq!(decode_form(body.as_bytes()), Err(Error::Percent), "{body}");
    }
    assert_eq!(decode_form(b"a=%FF"), Err(Error::Encoding));
    assert_eq!(decode_form(b"\xff=a"), Err(Error::Encoding));
}

/// F-WH-09.
#[test]
fn thousands_of_fields_are_refused_at_the_limit() {
    assert_eq!(decode_form("a=1&".repeat(FIELDS_MAX).as_bytes()).unwrap().len(), FIELDS_MAX);
    assert_eq!(decode_form("a=1&".repeat(FIELDS_MAX + 1).as_bytes()), Err(Error::TooManyFields));
}

/// F-WH-07.
#[test]
fn a_missing_field_is_named() {
    for field in ["CallSid", "AccountSid", "From", "To", "CallStatus", "Direction", "ApiVersion"] {
        let mut form = decode_form(INBOUND.trim_end().as_bytes()).unwrap();
        form.retain(|(name, _)| name != field);
        assert_eq!(InboundCall::from_form(&form), Err(Error::Missing { field }));
    }
}

/// F-WH-09: neither the first nor the last of two answers is ours to choose.
#[test]
fn a_field_that_is_there_twice_is_refused() {
    let mut form = decode_form(INBOUND.trim_end().as_bytes()).unwrap();
    form.push(("To".to_owned(), "+15550100098".to_owned()));
    assert_eq!(InboundCall::from_form(&form), Err(Error::Repeated { field: "To" }));
}

/// F-WH-08.
#[test]
fn unknown_fields_and_unknown_words_are_accepted() {
    let mut form = decode_form(INBOUND.trim_end().as_bytes()).unwrap();
    form.push(("Novelty".to_owned(), "1".to_owned()));
    form.iter_mut().filter(|(name, _)| name == "CallStatus").for_each(|(_, value)| {
        *value = "parked".to_owned();
    });
    let call = InboundCall::from_form(&form).unwrap();
    assert_eq!(call.status, CallStatus::Other("parked".to_owned()));
}

#[test]
fn a_call_that_is_not_named_by_a_sid_of_its_kind_is_refused_without_its_value() {
    for wrong in
        ["", "CA1", "AC00000000000000000000000000000011", "CA0000000000000000000000000000001g"]
    {
        let mut form = decode_form(INBOUND.trim_end().as_bytes()).unwrap();
        form.iter_mut().filter(|(name, _)| name == "CallSid").for_each(|(_, value)| {
            wrong.clone_into(value);
        });
        let error = InboundCall::from_form(&form).unwrap_err();
        assert_eq!(error, Error::Sid { field: "CallSid" });
        assert_eq!(error.to_string(), "the field CallSid is not a SID of its kind");
    }
}

#[test]
fn a_call_written_as_a_form_is_read_back_as_the_same_call() {
    for status in ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed"] {
        for direction in ["inbound", "outbound-api", "outbound-dial", "sideways"] {
            let call = InboundCall {
                call_sid: Sid::parse("CA0123456789abcdefABCDEF0123456789").unwrap(),
                account_sid: Sid::parse("AC00000000000000000000000000000001").unwrap(),
                from: PhoneNumber::new("sip:amy&co@example.test"),
                to: PhoneNumber::new("+15550100099"),
                status: CallStatus::from(status),
                direction: Direction::from(direction),
                api_version: "2010-04-01".to_owned(),
            };
            let body = encode_form(&call.to_form());
            let read = InboundCall::from_form(&decode_form(body.as_bytes()).unwrap());
            assert_eq!(read, Ok(call));
        }
    }
}

#[test]
fn statuses_are_words_of_twilio_both_ways() {
    for word in ["canceled", "no-answer", "completed", "novel"] {
        assert_eq!(CallStatus::from(word).as_str(), word);
    }
}

#[test]
fn phone_numbers_print_masked() {
    let call = call(INBOUND);
    let printed = format!("{call:?} {}", call.from);
    assert!(printed.contains("+1******0001") && !printed.contains("5550100"), "{printed}");
    for short in
        ["", "911", "5550100", "anonymous", "client:amy", "sip:amy@example.test", "＋１５５５"]
    {
        assert_eq!(PhoneNumber::new(short).to_string(), "******", "{short}");
    }
}

fn call(body: &str) -> InboundCall {
    let form = decode_form(body.trim_end().as_bytes()).expect("the fixture is a form");
    InboundCall::from_form(&form).expect("the fixture is a call")
}

/// Name and body of every form whose name begins so.
fn fixtures(prefix: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/twilio/webhooks");
    let files = fs::read_dir(folder).expect("the fixtures are there");
    let read = |file: std::io::Result<fs::DirEntry>| {
        let file = file.expect("the folder can be listed");
        let body = fs::read_to_string(file.path()).expect("a form is text");
        (file.file_name().to_string_lossy().into_owned(), body.trim_end().to_owned())
    };
    let forms: Vec<_> = files.map(read).filter(|(name, _)| name.starts_with(prefix)).collect();
    assert!(forms.len() >= 5, "there are forms to read");
    forms
}
