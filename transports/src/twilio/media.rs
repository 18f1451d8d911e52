//! The messages of a media stream: JSON in WebSocket text frames, both directions.
//!
//! Twilio sends [`FromTwilio`], read forgivingly by [`decode_from_twilio`]; we send [`ToTwilio`],
//! written exactly by [`ToTwilio::encode`], because Twilio ignores a message with one field too
//! many. The other two functions are for the stand-in, which is as strict as Twilio is.
//! [`Envelope::meaning`] and `ToTwilio::from` translate into the words of every
//! [`carrier`](crate::carrier), which the bridge speaks.
//!
//! Audio is µ-law, 8000 samples a second, one byte each, without any header. Decoding a media
//! message allocates nothing once the scratch buffer has grown: text is borrowed from the message
//! and audio from the buffer.
//!
//! Facts: Twilio documentation, Media Streams WebSocket messages; warning 31951 of its error
//! dictionary for what it takes as compliant.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

pub use read::{decode_from_twilio, decode_to_twilio};
pub use write::encode_from_twilio;

mod meaning;
mod read;
mod write;

/// The most audio taken from one message of Twilio, in bytes: one second. It sends 20 ms at a time.
pub const PAYLOAD_BYTES_MAX: usize = 8_000;

/// A message of Twilio and what all of them carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The stream that it belongs to. `connected` has none.
    pub stream_sid: Option<Cow<'a, str>>,
    /// Its place among all messages of this socket. `start` is 1, `connected` has none.
    pub sequence: Option<u64>,
    /// The message itself.
    pub message: FromTwilio<'a>,
}

/// What Twilio says on a media stream. Prints without digits and audio.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FromTwilio<'a> {
    /// The socket is open. Comes first, once.
    Connected {
        /// The name of the protocol, "Call"; empty when missing.
        protocol: Cow<'a, str>,
        /// The version of the protocol; empty when missing.
        version: Cow<'a, str>,
    },
    /// The stream begins. Comes second, once.
    Start(Start),
    /// Audio of the caller.
    Media(Media<'a>),
    /// The caller pressed a key.
    Dtmf {
        /// One of `0`-`9`, `*`, `#`, `A`-`D`. Personal: it may be part of an account number.
        digit: char,
    },
    /// A mark of ours came back: what was queued before it has been played, or cleared.
    Mark {
        /// The name that we gave it.
        name: Cow<'a, str>,
    },
    /// The stream ends. Not always sent before the socket closes.
    Stop {
        /// The account.
        account_sid: Option<Cow<'a, str>>,
        /// The call, which may live on without the stream.
        call_sid: Option<Cow<'a, str>>,
    },
    /// An event that we do not know, to be ignored.
    Unknown {
        /// Its name.
        event: Cow<'a, str>,
    },
}

impl FromTwilio<'_> {
    /// The name of the event, as Twilio writes it.
    #[must_use]
    pub fn event(&self) -> &str {
        match self {
            FromTwilio::Connected { .. } => "connected",
            FromTwilio::Start(_) => "start",
            FromTwilio::Media(_) => "media",
            FromTwilio::Dtmf { .. } => "dtmf",
            FromTwilio::Mark { .. } => "mark",
            FromTwilio::Stop { .. } => "stop",
            FromTwilio::Unknown { event } => event,
        }
    }
}

impl fmt::Debug for FromTwilio<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FromTwilio::Start(start) => start.fmt(f),
            FromTwilio::Media(media) => media.fmt(f),
            FromTwilio::Mark { name } => f.debug_struct("Mark").field("name", name).finish(),
            other => f.debug_struct(other.event()).finish_non_exhaustive(),
        }
    }
}

/// What Twilio says about a stream when it begins. Prints the names of its parameters only.
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// The stream.
    pub stream_sid: String,
    /// The call that it belongs to.
    pub call_sid: String,
    /// The account that the call belongs to.
    pub account_sid: String,
    /// The form of the audio, in both directions.
    pub media_format: MediaFormat,
    /// The `<Parameter>` children of the document that opened the stream.
    pub custom_parameters: BTreeMap<String, String>,
    /// The tracks that will be sent, "inbound" for a bidirectional stream.
    pub tracks: Vec<String>,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("stream_sid", &self.stream_sid)
            .field("call_sid", &self.call_sid)
            .field("media_format", &self.media_format)
            .field("custom_parameters", &self.custom_parameters.keys())
            .finish_non_exhaustive()
    }
}

/// The form of the audio of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFormat {
    /// The encoding, as a media type.
    pub encoding: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
}

impl MediaFormat {
    /// The only form that Twilio documents: µ-law, 8000 samples a second, mono.
    #[must_use]
    pub fn telephone() -> Self {
        Self { encoding: "audio/x-mulaw".to_owned(), sample_rate: 8_000, channels: 1 }
    }
}

/// A piece of audio. Prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Media<'a> {
    /// Whose audio it is.
    pub track: Track,
    /// Its place among the pieces of its track, from 1.
    pub chunk: Option<u64>,
    /// When it was recorded, in milliseconds since the stream began.
    pub timestamp_ms: Option<u64>,
    /// The audio, of any length up to [`PAYLOAD_BYTES_MAX`], also empty.
    pub payload: &'a [u8],
}

impl fmt::Debug for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("track", &self.track)
            .field("chunk", &self.chunk)
            .field("timestamp_ms", &self.timestamp_ms)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

/// One side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// What the caller says; the only track of a bidirectional stream.
    Inbound,
    /// What the caller hears.
    Outbound,
}

impl Track {
    const fn as_str(self) -> &'static str {
        match self {
            Track::Inbound => "inbound",
            Track::Outbound => "outbound",
        }
    }
}

/// What we say on a media stream. Prints without audio.
#[derive(Clone, PartialEq, Eq)]
pub enum ToTwilio<'a> {
    /// Audio for the caller, queued behind what was sent before.
    Media {
        /// Of any length.
        payload: &'a [u8],
    },
    /// Send this mark back when everything queued before it has been played.
    Mark {
        /// A name for it.
        name: Cow<'a, str>,
    },
    /// Drop what is queued. All outstanding marks come back at once.
    Clear,
}

impl fmt::Debug for ToTwilio<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToTwilio::Media { payload } => {
                f.debug_struct("Media").field("payload_bytes", &payload.len()).finish()
            }
            ToTwilio::Mark { name } => f.debug_struct("Mark").field("name", name).finish(),
            ToTwilio::Clear => f.write_str("Clear"),
        }
    }
}

/// What makes a message unusable. Says which part, never what was in it.
///
/// None of these is a reason to end a call: ignore the message and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not one whole JSON object, or one that says the same thing twice.
    #[error("the message is not one well-formed JSON object")]
    NotJson,
    /// A field that we need is missing or holds something else.
    #[error("{frame} message: the field {field} is missing or unusable")]
    Field {
        /// The message.
        frame: FrameKind,
        /// The name of the field.
        field: &'static str,
    },
    /// The payload is not base64.
    #[error("media message: the payload is not base64")]
    Base64,
    /// The payload holds more than [`PAYLOAD_BYTES_MAX`] bytes.
    #[error("media message: the payload is longer than {PAYLOAD_BYTES_MAX} bytes")]
    TooLong,
    /// Strict reading only: Twilio knows no such event.
    #[error("the event is not one that Twilio takes")]
    UnknownEvent,
    /// Strict reading only: there is a field that does not belong there, or is there twice.
    #[error("{frame} message: a field does not belong there")]
    ExtraField {
        /// The message.
        frame: FrameKind,
    },
}

/// The kind of message that an [`Error`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameKind {
    /// A message whose event is unknown or cannot be told.
    Unknown,
    /// `connected`
    Connected,
    /// `start`
    Start,
    /// `media`
    Media,
    /// `dtmf`
    Dtmf,
    /// `mark`
    Mark,
    /// `stop`
    Stop,
    /// `clear`
    Clear,
}

impl FrameKind {
    fn of(event: &str) -> Self {
        match event {
            "connected" => FrameKind::Connected,
            "start" => FrameKind::Start,
            "media" => FrameKind::Media,
            "dtmf" => FrameKind::Dtmf,
            "mark" => FrameKind::Mark,
            "stop" => FrameKind::Stop,
            "clear" => FrameKind::Clear,
            _ => FrameKind::Unknown,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            FrameKind::Unknown => "unknown",
            FrameKind::Connected => "connected",
            FrameKind::Start => "start",
            FrameKind::Media => "media",
            FrameKind::Dtmf => "dtmf",
            FrameKind::Mark => "mark",
            FrameKind::Stop => "stop",
            FrameKind::Clear => "clear",
        }
    }
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
