//! Reading messages: forgivingly what Twilio sends, strictly what is sent to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    Envelope, Error, FrameKind, FromTwilio, Media, MediaFormat, PAYLOAD_BYTES_MAX, Start, ToTwilio,
    Track,
};
use crate::twilio::{Misfit, Scalar, Unusable, object};

mod at_once;

/// Reads a message of Twilio. Audio is decoded into `scratch`, which is overwritten; reuse it.
///
/// Forgiving: a number may be a string and the reverse, unknown fields are skipped without building
/// them, unknown events are told as such.
///
/// # Errors
/// [`Error`] says which part of the message cannot be used.
///
/// ```
/// use call_transports::twilio::media::{FromTwilio, decode_from_twilio};
///
/// let text = r#"{"event":"dtmf","sequenceNumber":"5","dtmf":{"digit":"7"}}"#;
/// let mut scratch = Vec::new();
/// let envelope = decode_from_twilio(text, &mut scratch).unwrap();
/// assert_eq!(envelope.sequence, Some(5));
/// assert_eq!(envelope.message, FromTwilio::Dtmf { digit: '7' });
/// ```
pub fn decode_from_twilio<'a>(
    text: &'a str,
    scratch: &'a mut Vec<u8>,
) -> Result<Envelope<'a>, Error> {
    let Some(frame) = at_once::frame(text) else { return decode_by_event(text, scratch) };
    let reading = Reading(FrameKind::Media);
    let stream_sid = reading.text_if_any(frame.stream_sid, "streamSid")?;
    let sequence = reading.number_if_any(&frame.sequence_number, "sequenceNumber")?;
    let message = FromTwilio::Media(media(reading, frame.media, scratch)?);
    Ok(Envelope { stream_sid, sequence, message })
}

/// Reads any message, its body only when its event is known.
fn decode_by_event<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> Result<Envelope<'a>, Error> {
    let wire: WireFrom<'a> = object(text).map_err(|_| Error::NotJson)?;
    let event = Reading(FrameKind::Unknown).text(wire.event, "event")?;
    let frame = FrameKind::of(&event);
    let reading = Reading(frame);
    let stream_sid = reading.text_if_any(wire.stream_sid, "streamSid")?;
    let sequence = reading.number_if_any(&wire.sequence_number, "sequenceNumber")?;
    let message = match frame {
        FrameKind::Connected => FromTwilio::Connected {
            protocol: reading.text_if_any(wire.protocol, "protocol")?.unwrap_or_default(),
            version: reading.text_if_any(wire.version, "version")?.unwrap_or_default(),
        },
        FrameKind::Start => {
            FromTwilio::Start(start(reading, reading.body(wire.start)?, stream_sid.as_deref())?)
        }
        FrameKind::Media => FromTwilio::Media(media(reading, reading.body(wire.media)?, scratch)?),
        FrameKind::Dtmf => FromTwilio::Dtmf { digit: digit(reading, reading.body(wire.dtmf)?)? },
        FrameKind::Mark => {
            let mark: WireMark<'a> = reading.body(wire.mark)?;
            FromTwilio::Mark { name: reading.text(mark.name, "name")? }
        }
        FrameKind::Stop => {
            // The stream is over whatever the body says, so nothing in it is needed.
            let stop: WireStop<'a> = reading.body(wire.stop).unwrap_or_default();
            FromTwilio::Stop {
                account_sid: stop.account_sid.text().ok().flatten(),
                call_sid: stop.call_sid.text().ok().flatten(),
            }
        }
        FrameKind::Clear | FrameKind::Unknown => FromTwilio::Unknown { event },
    };
    Ok(Envelope { stream_sid, sequence, message })
}

/// Reads a message to Twilio as strictly as Twilio does, for the stand-in, and returns it with the
/// stream it names. Audio is decoded into `scratch`.
///
/// # Errors
/// [`Error`] where Twilio would raise its warning 31951 and ignore the message: a field is missing
/// or one too many, the event is unknown, the payload is not base64.
pub fn decode_to_twilio<'a>(
    text: &'a str,
    scratch: &'a mut Vec<u8>,
) -> Result<(Cow<'a, str>, ToTwilio<'a>), Error> {
    let wire: StrictTo<'a> = object(text).map_err(|misfit| match misfit {
        Misfit::Fields => Error::ExtraField { frame: FrameKind::Unknown },
        Misfit::NotAnObject => Error::NotJson,
    })?;
    let event = Reading(FrameKind::Unknown).strict_text(wire.event, "event")?;
    let reading = Reading(FrameKind::of(&event));
    let stream_sid = reading.strict_text(wire.stream_sid, "streamSid")?;
    let message = match (reading.0, wire.media, wire.mark) {
        (FrameKind::Media, body, None) => {
            let media: StrictMedia<'a> = reading.strict_body(body)?;
            let payload = reading.strict_text(media.payload, "payload")?;
            ToTwilio::Media { payload: decode_base64(&payload, scratch)? }
        }
        (FrameKind::Mark, None, body) => {
            let mark: StrictMark<'a> = reading.strict_body(body)?;
            ToTwilio::Mark { name: reading.strict_text(mark.name, "name")? }
        }
        (FrameKind::Clear, None, None) => ToTwilio::Clear,
        (FrameKind::Media | FrameKind::Mark | FrameKind::Clear, ..) => {
            return Err(Error::ExtraField { frame: reading.0 });
        }
        _ => return Err(Error::UnknownEvent),
    };
    Ok((stream_sid, message))
}

fn start(reading: Reading, wire: WireStart<'_>, outer: Option<&str>) -> Result<Start, Error> {
    let stream_sid = reading.text_if_any(wire.stream_sid, "streamSid")?;
    let stream_sid = stream_sid.as_deref().or(outer).ok_or_else(|| reading.bad("streamSid"))?;
    Ok(Start {
        stream_sid: stream_sid.to_owned(),
        call_sid: reading.text(wire.call_sid, "callSid")?.into_owned(),
        account_sid: reading.text(wire.account_sid, "accountSid")?.into_owned(),
        media_format: media_format(reading, wire.media_format)?,
        custom_parameters: custom_parameters(reading, wire.custom_parameters)?,
        tracks: tracks(wire.tracks),
    })
}

fn media_format(reading: Reading, body: Option<&RawValue>) -> Result<MediaFormat, Error> {
    let wire: WireMediaFormat<'_> = reading.object(body, "mediaFormat")?;
    let sample_rate = reading.number(&wire.sample_rate, "sampleRate")?;
    let channels = reading.number(&wire.channels, "channels")?;
    Ok(MediaFormat {
        encoding: reading.text(wire.encoding, "encoding")?.into_owned(),
        sample_rate: sample_rate.try_into().map_err(|_| reading.bad("sampleRate"))?,
        channels: channels.try_into().map_err(|_| reading.bad("channels"))?,
    })
}

/// Twilio only sends strings here. A value that is not one cannot be a parameter of ours.
fn custom_parameters(
    reading: Reading,
    body: Option<&RawValue>,
) -> Result<BTreeMap<String, String>, Error> {
    if body.is_none() {
        return Ok(BTreeMap::new());
    }
    let wire: BTreeMap<String, Scalar<'_>> = reading.object(body, "customParameters")?;
    let text = |(name, value): (String, Scalar<'_>)| {
        value.text().ok().flatten().map(|value| (name, value.into_owned()))
    };
    Ok(wire.into_iter().filter_map(text).collect())
}

/// For information only, so whatever cannot be read is left out.
fn tracks(body: Option<&RawValue>) -> Vec<String> {
    let wire = body.map(|body| serde_json::from_str::<Vec<Scalar<'_>>>(body.get()));
    let names = wire.and_then(Result::ok).unwrap_or_default();
    let text = |name: Scalar<'_>| name.text().ok().flatten().map(Cow::into_owned);
    names.into_iter().filter_map(text).collect()
}

fn media<'a>(
    reading: Reading,
    wire: WireMedia<'a>,
    scratch: &'a mut Vec<u8>,
) -> Result<Media<'a>, Error> {
    let track = match reading.text_if_any(wire.track, "track")?.as_deref() {
        None | Some("inbound") => Track::Inbound,
        Some("outbound") => Track::Outbound,
        // Audio of a side that we do not know must not pass for the caller's.
        Some(_) => return Err(reading.bad("track")),
    };
    let chunk = reading.number_if_any(&wire.chunk, "chunk")?;
    let timestamp_ms = reading.number_if_any(&wire.timestamp, "timestamp")?;
    let encoded = reading.strict_text(wire.payload, "payload")?;
    if encoded.len() > PAYLOAD_BYTES_MAX.div_ceil(3) * 4 {
        return Err(Error::TooLong);
    }
    let payload = decode_base64(&encoded, scratch)?;
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Error::TooLong);
    }
    Ok(Media { track, chunk, timestamp_ms, payload })
}

fn digit(reading: Reading, wire: WireDtmf<'_>) -> Result<char, Error> {
    let text = reading.text(wire.digit, "digit")?;
    match *text.as_bytes() {
        [byte @ (b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D')] => Ok(char::from(byte)),
        _ => Err(reading.bad("digit")),
    }
}

fn decode_base64<'a>(encoded: &str, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
    scratch.clear();
    STANDARD.decode_vec(encoded, scratch).map_err(|_| Error::Base64)?;
    Ok(scratch)
}

/// Judges the fields of one message and names the bad one.
#[derive(Clone, Copy)]
struct Reading(FrameKind);

impl Reading {
    fn bad(self, field: &'static str) -> Error {
        Error::Field { frame: self.0, field }
    }

    fn text_if_any<'a>(
        self,
        scalar: Scalar<'a>,
        field: &'static str,
    ) -> Result<Option<Cow<'a, str>>, Error> {
        scalar.text().map_err(|Unusable| self.bad(field))
    }

    fn text<'a>(self, scalar: Scalar<'a>, field: &'static str) -> Result<Cow<'a, str>, Error> {
        self.text_if_any(scalar, field)?.ok_or_else(|| self.bad(field))
    }

    fn number_if_any(self, scalar: &Scalar<'_>, field: &'static str) -> Result<Option<u64>, Error> {
        scalar.number().map_err(|Unusable| self.bad(field))
    }

    fn number(self, scalar: &Scalar<'_>, field: &'static str) -> Result<u64, Error> {
        self.number_if_any(scalar, field)?.ok_or_else(|| self.bad(field))
    }

    fn strict_text<'a>(
        self,
        scalar: Scalar<'a>,
        field: &'static str,
    ) -> Result<Cow<'a, str>, Error> {
        match scalar {
            Scalar::Text(text) => Ok(text),
            Scalar::Absent | Scalar::Number(_) | Scalar::Other => Err(self.bad(field)),
        }
    }

    /// The object that bears the name of its event.
    fn body<'a, T: Deserialize<'a>>(self, body: Option<&'a RawValue>) -> Result<T, Error> {
        self.object(body, self.0.as_str())
    }

    fn object<'a, T: Deserialize<'a>>(
        self,
        body: Option<&'a RawValue>,
        field: &'static str,
    ) -> Result<T, Error> {
        let body = body.ok_or_else(|| self.bad(field))?;
        object(body.get()).map_err(|_| self.bad(field))
    }

    fn strict_body<'a, T: Deserialize<'a>>(self, body: Option<&'a RawValue>) -> Result<T, Error> {
        let body = body.ok_or_else(|| self.bad(self.0.as_str()))?;
        object(body.get()).map_err(|misfit| match misfit {
            Misfit::Fields => Error::ExtraField { frame: self.0 },
            Misfit::NotAnObject => self.bad(self.0.as_str()),
        })
    }
}

/// Whatever Twilio sends. The bodies stay unread until the event says which of them counts, so that
/// an event we do not know may use the same names for other things.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFrom<'a> {
    #[serde(borrow, default)]
    event: Scalar<'a>,
    #[serde(borrow, default)]
    sequence_number: Scalar<'a>,
    #[serde(borrow, default)]
    stream_sid: Scalar<'a>,
    #[serde(borrow, default)]
    protocol: Scalar<'a>,
    #[serde(borrow, default)]
    version: Scalar<'a>,
    #[serde(borrow)]
    start: Option<&'a RawValue>,
    #[serde(borrow)]
    media: Option<&'a RawValue>,
    #[serde(borrow)]
    dtmf: Option<&'a RawValue>,
    #[serde(borrow)]
    mark: Option<&'a RawValue>,
    #[serde(borrow)]
    stop: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStart<'a> {
    #[serde(borrow, default)]
    stream_sid: Scalar<'a>,
    #[serde(borrow, default)]
    call_sid: Scalar<'a>,
    #[serde(borrow, default)]
    account_sid: Scalar<'a>,
    #[serde(borrow)]
    media_format: Option<&'a RawValue>,
    #[serde(borrow)]
    custom_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    tracks: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMediaFormat<'a> {
    #[serde(borrow, default)]
    encoding: Scalar<'a>,
    #[serde(borrow, default)]
    sample_rate: Scalar<'a>,
    #[serde(borrow, default)]
    channels: Scalar<'a>,
}

#[derive(Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow, default)]
    track: Scalar<'a>,
    #[serde(borrow, default)]
    chunk: Scalar<'a>,
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow, default)]
    payload: Scalar<'a>,
}

#[derive(Deserialize)]
struct WireDtmf<'a> {
    #[serde(borrow, default)]
    digit: Scalar<'a>,
}

#[derive(Deserialize)]
struct WireMark<'a> {
    #[serde(borrow, default)]
    name: Scalar<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireStop<'a> {
    #[serde(borrow, default)]
    account_sid: Scalar<'a>,
    #[serde(borrow, default)]
    call_sid: Scalar<'a>,
}

/// All that Twilio takes. A body that is null is a field too many, not a missing one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StrictTo<'a> {
    #[serde(borrow, default)]
    event: Scalar<'a>,
    #[serde(borrow, default)]
    stream_sid: Scalar<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    media: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    mark: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictMedia<'a> {
    #[serde(borrow, default)]
    payload: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictMark<'a> {
    #[serde(borrow, default)]
    name: Scalar<'a>,
}

fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}
