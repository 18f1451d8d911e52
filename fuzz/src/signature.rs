//! Any text as a URL and a signature: nobody is believed who does not know the token, and whoever
//! knows it is.
//!
//! The first line is the URL, the second the signature, the rest a body.

use call_transports::twilio::signature::{Verifier, sign};

/// The auth token of requests that are believed.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Reads the bytes as a URL, a signature and a body; what is no UTF-8 never comes so far.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (url, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (signature, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let verifier = Verifier::new([TOKEN]);
    assert!(verifier.verify_form(url, &[], signature).is_err(), "a signature was guessed");
    assert!(verifier.verify_upgrade(url, signature).is_err(), "a signature was guessed");
    assert!(verifier.verify_json(url, body.as_bytes(), signature).is_err(), "it was guessed");
    assert!(Verifier::new([""]).verify_form(url, &[], &sign("", url, &[])).is_err(), "no token");
    // Twilio signs neither credentials nor a fragment, so with them there is no signature to be had.
    if !url.contains(['@', '#']) {
        let signature = sign(TOKEN, url, &[]);
        assert_eq!(verifier.verify_form(url, &[], &signature), Ok(()));
        if ["https://", "http://", "wss://", "ws://"].iter().any(|scheme| url.starts_with(scheme)) {
            assert_eq!(verifier.verify_upgrade(url, &signature), Ok(()));
        }
        let mut other = signature;
        // The first of the characters of base64 stands for six bits that all count.
        other.replace_range(..1, if other.starts_with('A') { "B" } else { "A" });
        assert!(verifier.verify_form(url, &[], &other).is_err(), "another signature");
    }
}
