//! Any text as a message of the agent server: what can be read can be written, and then reads as
//! the same.

use call_transports::deepgram::{decode_server, encode_server};

/// Reads the bytes as the text of a message; what is no UTF-8 never comes so far.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match decode_server(text) {
        Ok(message) => {
            let written = encode_server(&message);
            assert_eq!(decode_server(&written).as_ref(), Ok(&message), "{written}");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    }
}
