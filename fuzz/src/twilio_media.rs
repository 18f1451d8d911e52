//! Any text as a message of a media stream, read in both directions: what can be read can be
//! written, and then reads as the same.

use call_transports::twilio::media::{
    FromTwilio, decode_from_twilio, decode_to_twilio, encode_from_twilio,
};

/// Reads the bytes as the text of a message; what is no UTF-8 never comes so far.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    from_twilio(text);
    to_twilio(text);
}

fn from_twilio(text: &str) {
    let (mut scratch, mut again) = (Vec::new(), Vec::new());
    let envelope = match decode_from_twilio(text, &mut scratch) {
        Ok(envelope) => envelope,
        Err(error) => return assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    };
    let (sid, sequence) = (envelope.stream_sid.as_deref(), envelope.sequence);
    let mut written = String::new();
    let message = &envelope.message;
    encode_from_twilio(message, sid.unwrap_or_default(), sequence.unwrap_or(1), &mut written);
    let read = decode_from_twilio(&written, &mut again).expect("what was written can be read");
    assert_eq!(read.message, *message, "{written}");
    // `connected` carries neither.
    if !matches!(message, FromTwilio::Connected { .. }) {
        assert_eq!(read.stream_sid.as_deref(), sid.or(Some("")), "{written}");
        assert_eq!(read.sequence, sequence.or(Some(1)), "{written}");
    }
}

fn to_twilio(text: &str) {
    let (mut scratch, mut again) = (Vec::new(), Vec::new());
    if let Ok((sid, message)) = decode_to_twilio(text, &mut scratch) {
        let mut written = String::new();
        message.encode(&sid, &mut written);
        let read = decode_to_twilio(&written, &mut again);
        assert_eq!(read, Ok((sid, message)), "{written}");
    }
}
