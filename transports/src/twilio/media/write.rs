//! Writing messages, both directions, straight into a string.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{FromTwilio, Start, ToTwilio};

impl ToTwilio<'_> {
    /// Appends the message to `out`, in exactly the shape that Twilio takes.
    ///
    /// ```
    /// use call_transports::twilio::media::ToTwilio;
    ///
    /// let mut out = String::new();
    /// ToTwilio::Clear.encode("MZ00000000000000000000000000000021", &mut out);
    /// assert_eq!(out, r#"{"event":"clear","streamSid":"MZ00000000000000000000000000000021"}"#);
    /// ```
    pub fn encode(&self, stream_sid: &str, out: &mut String) {
        Object::write(out, |message| match self {
            ToTwilio::Media { payload } => {
                message.text("event", "media").text("streamSid", stream_sid);
                message.object("media", |body| body.base64("payload", payload));
            }
            ToTwilio::Mark { name } => {
                message.text("event", "mark").text("streamSid", stream_sid);
                message.object("mark", |body| {
                    body.text("name", name);
                });
            }
            ToTwilio::Clear => {
                message.text("event", "clear").text("streamSid", stream_sid);
            }
        });
    }
}

/// Appends a message of Twilio to `out`, for the stand-in.
///
/// As on the wire, numbers are strings except in the media format, and `connected` has neither a
/// sequence number nor a stream, so both are left out of it. Missing numbers are left out too.
pub fn encode_from_twilio(
    message: &FromTwilio<'_>,
    stream_sid: &str,
    sequence: u64,
    out: &mut String,
) {
    Object::write(out, |object| {
        object.text("event", message.event());
        if let FromTwilio::Connected { protocol, version } = message {
            object.text("protocol", protocol).text("version", version);
            return;
        }
        object.digits("sequenceNumber", sequence).text("streamSid", stream_sid);
        if !matches!(message, FromTwilio::Unknown { .. }) {
            object.object(message.event(), |body| write_body(message, body));
        }
    });
}

fn write_body(message: &FromTwilio<'_>, body: &mut Object<'_>) {
    match message {
        FromTwilio::Start(start) => write_start(start, body),
        FromTwilio::Media(media) => {
            body.text("track", media.track.as_str());
            if let Some(chunk) = media.chunk {
                body.digits("chunk", chunk);
            }
            if let Some(timestamp_ms) = media.timestamp_ms {
                body.digits("timestamp", timestamp_ms);
            }
            body.base64("payload", media.payload);
        }
        FromTwilio::Dtmf { digit } => {
            body.text("track", "inbound_track").text("digit", digit.encode_utf8(&mut [0; 4]));
        }
        FromTwilio::Mark { name } => {
            body.text("name", name);
        }
        FromTwilio::Stop { account_sid, call_sid } => {
            if let Some(account_sid) = account_sid {
                body.text("accountSid", account_sid);
            }
            if let Some(call_sid) = call_sid {
                body.text("callSid", call_sid);
            }
        }
        FromTwilio::Connected { .. } | FromTwilio::Unknown { .. } => {}
    }
}

fn write_start(start: &Start, body: &mut Object<'_>) {
    body.text("accountSid", &start.account_sid)
        .text("streamSid", &start.stream_sid)
        .text("callSid", &start.call_sid)
        .texts("tracks", &start.tracks);
    body.object("mediaFormat", |format| {
        format
            .text("encoding", &start.media_format.encoding)
            .number("sampleRate", start.media_format.sample_rate)
            .number("channels", start.media_format.channels.into());
    });
    body.object("customParameters", |parameters| {
        for (name, value) in &start.custom_parameters {
            parameters.text(name, value);
        }
    });
}

/// A JSON object that is being written, without anything in between.
struct Object<'o> {
    out: &'o mut String,
    empty: bool,
}

impl<'o> Object<'o> {
    fn write(out: &'o mut String, fields: impl FnOnce(&mut Object<'o>)) {
        out.push('{');
        let mut object = Object { out, empty: true };
        fields(&mut object);
        object.out.push('}');
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        push_quoted(name, self.out);
        self.out.push(':');
    }

    fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        push_quoted(value, self.out);
        self
    }

    fn texts(&mut self, name: &str, values: &[String]) {
        self.name(name);
        self.out.push('[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            push_quoted(value, self.out);
        }
        self.out.push(']');
    }

    fn number(&mut self, name: &str, value: u32) -> &mut Self {
        self.name(name);
        write!(self.out, "{value}").expect("a string takes all that is written to it");
        self
    }

    /// A number as a string.
    fn digits(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        write!(self.out, "\"{value}\"").expect("a string takes all that is written to it");
        self
    }

    fn base64(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.push('"');
        STANDARD.encode_string(value, self.out);
        self.out.push('"');
    }

    fn object(&mut self, name: &str, fields: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        Object::write(self.out, fields);
    }
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // All three kinds are one byte, so the text is cut between characters.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' ')) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            control => {
                write!(out, "\\u{control:04x}").expect("a string takes all that is written to it");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
