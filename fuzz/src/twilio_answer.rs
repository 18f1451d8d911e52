//! Any bytes as what Twilio's REST interface answers: the status decides, and nothing is concluded
//! from a body that is not an object.

use call_transports::twilio::rest::{
    HangUpOutcome, TWIML_CHARACTERS_MAX, account_is_active, hang_up_outcome, redirect_body,
    standing,
};
use call_transports::twilio::webhook::decode_form;
use serde_json::Value;

/// One of each kind of status that is told apart, and some that are not.
const STATUSES: [u16; 11] = [200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503];

/// Reads the bytes as the body of an answer with each status.
pub fn run(bytes: &[u8]) {
    STATUSES.into_iter().for_each(|status| answer(status, bytes));
    document(bytes);
}

fn answer(status: u16, body: &[u8]) {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let outcome = hang_up_outcome(status, body);
    assert_eq!(outcome == HangUpOutcome::Done, (200..300).contains(&status));
    if let HangUpOutcome::Failed { status: told, code } = outcome {
        assert_eq!(told, status);
        assert!(code.is_none() || is_object, "a code stands in an object");
    }
    if status != 404 && standing(status, body).is_some() {
        assert!(is_object && (200..300).contains(&status), "{status}: a guess");
    }
    if let Some(active) = account_is_active(body) {
        assert!(is_object, "a guess");
        // Half a character somewhere else makes no difference to us, and is refused here.
        if let Ok(body) = serde_json::from_slice::<Value>(body) {
            assert_eq!(active, body["status"] == "active");
        }
    }
}

fn document(bytes: &[u8]) {
    if let Ok(document) = str::from_utf8(bytes) {
        let written = redirect_body(document);
        assert_eq!(written.is_some(), document.chars().count() <= TWIML_CHARACTERS_MAX);
        if let Some(written) = written {
            let fields = decode_form(written.as_bytes()).expect("what was written can be read");
            assert_eq!(fields, [("Twiml".to_owned(), document.to_owned())]);
        }
    }
}
