//! The one message that comes fifty times a second, read in one go.
//!
//! A body that is kept until the event says what it is has each of its bytes read twice. Of the
//! caller's audio that is nearly the whole message, so a message that has just the fields of one is
//! read at once. Whatever has another field, or is wrong in any way, is none of these, and is read
//! and judged like all others.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::WireMedia;
use crate::twilio::{Scalar, object};

/// The caller's audio, with what stands around it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireFrame<'a> {
    #[serde(borrow, default)]
    event: Scalar<'a>,
    #[serde(borrow, default)]
    pub(super) sequence_number: Scalar<'a>,
    #[serde(borrow, default)]
    pub(super) stream_sid: Scalar<'a>,
    #[serde(borrow, deserialize_with = "body")]
    pub(super) media: WireMedia<'a>,
}

/// Reads a message that is the caller's audio and nothing but that.
pub(super) fn frame(text: &str) -> Option<WireFrame<'_>> {
    let frame: WireFrame<'_> = object(text).ok()?;
    matches!(&frame.event, Scalar::Text(event) if event == "media").then_some(frame)
}

/// Reads an object. Without this, an array would be taken for the fields in their order.
fn body<'de: 'a, 'a, D: Deserializer<'de>>(field: D) -> Result<WireMedia<'a>, D::Error> {
    field.deserialize_map(Body)
}

struct Body;

impl<'de> Visitor<'de> for Body {
    type Value = WireMedia<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        WireMedia::deserialize(MapAccessDeserializer::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{decode_by_event, decode_from_twilio};
    use super::*;

    /// Whatever comes in the place of the body, or beside it, is told alike on both ways.
    #[test]
    fn both_ways_of_reading_tell_the_same() {
        let audio = r#"{"track":"inbound","chunk":"2","timestamp":"20","payload":"/34="}"#;
        let bodies = [
            audio,
            r#" { "payload" : "/34=" , "track" : null , "chunk" : 2 , "more" : [{}] } "#,
            r#"{"payload":"\/34="}"#,
            r#"{"payload":"/34=","payload":"/34="}"#,
            r#"{"payload":"/34=","track":"\ud800"}"#,
            r#"{"payload":"/34=","chunk":1e999}"#,
            r#"{"payload":"/34=","chunk":-1}"#,
            r#"{"payload":"not base64"}"#,
            r#"{"track":"aside","payload":"/34="}"#,
            r#"["inbound","2","20","/34="]"#,
            r#""/34=""#,
            "null",
            "{}",
            r#"{"payload":"/34=""#,
        ];
        let beside = [
            "",
            r#","sequenceNumber":"3""#,
            r#","sequenceNumber":{},"streamSid":7"#,
            r#","streamSid":"MZ1","mark":{"name":"a"}"#,
            r#","dtmf":1,"dtmf":2"#,
            r#","media":{}"#,
            r#","streamSid":"MZ1","streamSid":"MZ1""#,
            ",",
            "}",
        ];
        let mut at_once = 0;
        for event in [r#""media""#, r#""mark""#, r#""medi\u0061""#, "7", "null"] {
            for (body, beside) in bodies.iter().flat_map(|b| beside.iter().map(move |s| (b, s))) {
                let text = format!(r#"{{"event":{event},"media":{body}{beside}}}"#);
                let (mut one, mut other) = (Vec::new(), Vec::new());
                let told = decode_from_twilio(&text, &mut one);
                assert_eq!(told, decode_by_event(&text, &mut other), "{text}");
                at_once += usize::from(frame(&text).is_some());
            }
        }
        assert!(at_once > 20, "of them {at_once} were read at once");
    }
}
