//! Any bytes as the body of a webhook: what can be read is what the usual decoder of forms reads,
//! is the same after it was written, and can be signed and believed.

use call_transports::twilio::dialled;
use call_transports::twilio::signature::{Refused, Verifier, sign};
use call_transports::twilio::webhook::{FIELDS_MAX, InboundCall, decode_form, encode_form};

/// The auth token of requests that are believed.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const URL: &str = "https://voice.example.test/twilio/inbound_call?a=%7E&b";

/// Reads the bytes as a body.
pub fn run(bytes: &[u8]) {
    let form = match decode_form(bytes) {
        Ok(form) => form,
        Err(error) => return assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    };
    assert!(form.len() <= FIELDS_MAX, "forms are bounded");
    let usual: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    assert_eq!(form, usual, "a form is read as everybody reads forms");
    assert_eq!(decode_form(encode_form(&form).as_bytes()).as_ref(), Ok(&form));
    signed(&form);
    if let Ok(call) = InboundCall::from_form(&form) {
        assert_eq!(InboundCall::from_form(&call.to_form()).as_ref(), Ok(&call));
        for number in [&call.from, &call.to] {
            let (clear, shown) = (number.reveal(), format!("{number:?}{number}"));
            // What is shown in its place is stars, and may happen to be what was sent.
            let hides = clear.bytes().all(|byte| byte == b'*') || !shown.contains(clear);
            assert!(clear.len() < 7 || hides, "a number does not print");
        }
    }
    let _ = dialled::outcome(&form);
    if let Some(parent) = dialled::answered(&form) {
        assert_eq!(parent.kind(), "CA", "a call has a parent that is a call");
    }
}

/// What Twilio signs is believed, and with one field more or another URL it is not.
fn signed(form: &[(String, String)]) {
    let verifier = Verifier::new([TOKEN]);
    let signature = sign(TOKEN, URL, form);
    assert_eq!(verifier.verify_form(URL, form, &signature), Ok(()));
    let mut more = form.to_vec();
    more.push(("a name that no form has so far, or it would be longer".repeat(2), String::new()));
    let refused = Err(Refused::Mismatch);
    assert_eq!(verifier.verify_form(URL, &more, &signature), refused);
    assert_eq!(verifier.verify_form("https://voice.example.test/", form, &signature), refused);
}
