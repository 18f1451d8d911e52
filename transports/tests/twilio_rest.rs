//! What we ask of Twilio to hang up, and how its answers are judged.

use call_transports::twilio::Sid;
use call_transports::twilio::rest::{
    HANG_UP_BODY, HangUpOutcome, Standing, TWIML_CHARACTERS_MAX, account_is_active, account_path,
    call_path, hang_up_outcome, redirect_body, standing,
};
use call_transports::twilio::twiml::{Document, Parameter, Stream, Tones, Verb, parse};
use call_transports::twilio::webhook::decode_form;

#[test]
fn hanging_up_is_a_post_to_the_call() {
    let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
    let call = Sid::parse("CA00000000000000000000000000000011").unwrap();
    assert_eq!(
        call_path(&account, &call),
        "/2010-04-01/Accounts/AC00000000000000000000000000000001\
         /Calls/CA00000000000000000000000000000011.json"
    );
    assert_eq!(
        HANG_UP_BODY,
        include_str!("../fixtures/twilio/rest/call_update_hangup.form").trim()
    );
    assert_eq!(decode_form(HANG_UP_BODY.as_bytes()).unwrap().len(), 1);
}

#[test]
fn every_recorded_answer_is_judged() {
    use HangUpOutcome::{AlreadyOver, Denied, Done, Failed, TryAgain};
    let failed = |code| Failed { status: 400, code: Some(code) };
    for (status, body, outcome) in [
        (200, &include_bytes!("../fixtures/twilio/rest/call_in_progress.json")[..], Done),
        (400, include_bytes!("../fixtures/twilio/rest/error_400_21220.json"), AlreadyOver),
        (404, include_bytes!("../fixtures/twilio/rest/error_404_20404.json"), AlreadyOver),
        (401, include_bytes!("../fixtures/twilio/rest/error_401_20003.json"), Denied),
        (429, include_bytes!("../fixtures/twilio/rest/error_429_20429.json"), TryAgain),
        (400, include_bytes!("../fixtures/twilio/rest/error_400_21201.json"), failed(21201)),
        (400, include_bytes!("../fixtures/twilio/rest/error_400_21205.json"), failed(21205)),
    ] {
        assert_eq!(hang_up_outcome(status, body), outcome, "status {status}");
    }
}

/// F-TR-13.
#[test]
fn a_body_that_is_not_json_leaves_the_judgement_to_the_status() {
    use HangUpOutcome::{AlreadyOver, Denied, Done, Failed, TryAgain};
    for body in [&b""[..], b"<html>", b"\xff\xfe", b"[21220]", b"{\"code\":21220"] {
        for (status, outcome) in [
            (200, Done),
            (404, AlreadyOver),
            (401, Denied),
            (403, Denied),
            (429, TryAgain),
            (500, TryAgain),
            (503, TryAgain),
            (302, Failed { status: 302, code: None }),
            (400, Failed { status: 400, code: None }),
            (409, Failed { status: 409, code: None }),
        ] {
            assert_eq!(hang_up_outcome(status, body), outcome, "{status} {body:?}");
        }
    }
}

#[test]
fn an_account_is_asked_how_it_stands() {
    let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
    let path = "/2010-04-01/Accounts/AC00000000000000000000000000000001.json";
    assert_eq!(account_path(&account), path);
    assert_eq!(account_is_active(br#"{"status":"active","type":"Full","sid":"x"}"#), Some(true));
    assert_eq!(account_is_active(br#"{"status":"suspended"}"#), Some(false));
    for other in [&b"{}"[..], b"", b"<html>", br#"{"status":200}"#, br#"["active"]"#] {
        assert_eq!(account_is_active(other), None);
    }
}

#[test]
fn the_code_may_be_a_string_and_may_be_missing() {
    let text = hang_up_outcome(400, br#"{"code":"21220","message":"over"}"#);
    assert_eq!(text, HangUpOutcome::AlreadyOver);
    let missing = hang_up_outcome(400, br#"{"message":"no","status":400}"#);
    assert_eq!(missing, HangUpOutcome::Failed { status: 400, code: None });
    assert_eq!(hang_up_outcome(400, br#"{"code":10004}"#), HangUpOutcome::TryAgain);
}

/// F-TW-29: the tones, and behind them a new stream of the same call.
#[test]
fn tones_are_asked_for_by_a_document_that_ends_in_a_new_stream() {
    let stream = Stream::new("wss://voice.example.test/twilio/acme/en").unwrap();
    let stream = stream.with(Parameter::new("token", "t-2").unwrap());
    let document = Document::new().tones(Tones::parse("1ww5#").unwrap()).connect(stream.clone());
    let xml = document.render().unwrap();
    assert!(xml.contains(r#"<Play digits="1ww5#"/><Connect>"#), "{xml}");
    let body = redirect_body(&xml).unwrap();
    let form = decode_form(body.as_bytes()).unwrap();
    assert_eq!(form, [("Twiml".to_owned(), xml)]);
    let verbs = parse(&form[0].1).unwrap();
    assert_eq!(verbs, [Verb::Tones(Tones::parse("1ww5#").unwrap()), Verb::Connect(stream)]);
    assert!(!format!("{verbs:?}").contains("1ww5"), "tones do not print");
    assert!(parse(r#"<Response><Play digits="1,5"/></Response>"#).is_err());
    assert_eq!(redirect_body(&"x".repeat(TWIML_CHARACTERS_MAX + 1)), None);
}

/// F-TR-09, F-TR-13.
#[test]
fn whether_a_call_is_over_is_read_from_what_twilio_says_of_it() {
    let lives = include_bytes!("../fixtures/twilio/rest/call_in_progress.json");
    assert_eq!(standing(200, lives), Some(Standing::Live));
    let words = ["completed", "busy", "failed", "no-answer", "canceled"];
    for word in words {
        let body = format!(r#"{{"status":"{word}"}}"#);
        assert_eq!(standing(200, body.as_bytes()), Some(Standing::Over { seconds: None }));
        for duration in [r#""15""#, "15"] {
            let body = format!(r#"{{"status":"{word}","duration":{duration}}}"#);
            assert_eq!(standing(200, body.as_bytes()), Some(Standing::Over { seconds: Some(15) }));
        }
    }
    assert_eq!(
        standing(404, include_bytes!("../fixtures/twilio/rest/error_404_20404.json")),
        Some(Standing::Unknown)
    );
    for (status, body) in
        [(200, "{}"), (200, ""), (200, r#"{"status":"new"}"#), (200, r#"{"status":[]}"#), (500, "")]
    {
        assert_eq!(standing(status, body.as_bytes()), None, "{status} {body}");
    }
}
