//! Any text as a message to the agent server, as the stand-in reads it: what can be read can be
//! written, and then reads as the same; and with a field that nobody knows it is refused.

use call_transports::deepgram::{decode_client, encode_client};
use serde_json::Value;

/// Reads the bytes as the text of a message; what is no UTF-8 never comes so far.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match decode_client(text) {
        Ok(message) => {
            let written = encode_client(&message);
            assert_eq!(decode_client(&written).as_ref(), Ok(&message), "{written}");
            let mut more: Value = serde_json::from_str(&written).expect("a message is JSON");
            more["a field that nobody knows"] = Value::Null;
            assert!(decode_client(&more.to_string()).is_err(), "the service refuses it");
        }
        Err(refusal) => assert_eq!(refusal.code, "UNPARSABLE_CLIENT_MESSAGE"),
    }
}
