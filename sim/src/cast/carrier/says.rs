//! What the carrier says: on the stream, in answers and by callbacks.

use call_transports::twilio::media::{Envelope, FromTwilio, Media, Track};
use call_transports::twilio::status::StatusCallback;

use crate::audio::FRAME_BYTES;
use crate::faults::Unanswered;

/// What the carrier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierSays {
    /// A frame of the caller's voice.
    Frame {
        /// Its place among all messages of the stream.
        sequence: u64,
        /// Its number, from 1.
        chunk: u64,
        /// Milliseconds since the stream began.
        timestamp_ms: u64,
        /// 20 ms of µ-law.
        audio: Box<[u8; FRAME_BYTES]>,
    },
    /// A mark comes back.
    Mark {
        /// Its place among all messages of the stream.
        sequence: u64,
        /// Its name.
        name: String,
    },
    /// The caller pressed a key.
    Key {
        /// Its place among all messages of the stream.
        sequence: u64,
        /// Which.
        digit: char,
    },
    /// The answer to a ping.
    Pong,
    /// The answer to a request to transfer: HTTP status and body.
    Transferred {
        /// HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
    /// What came of calling a person is known: somebody has answered, or nobody does.
    Dialled(Dialled),
    /// The answer to a request to play tones: HTTP status and body.
    Tones {
        /// HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
    /// A status callback.
    Status(StatusCallback),
    /// The caller's new stream begins.
    Joined,
    /// The connection breaks without a word.
    Break,
    /// The stream ends in good order.
    Stop {
        /// Its place among all messages of the stream.
        sequence: u64,
    },
    /// The socket is closed.
    Close,
    /// The answer to a request to hang up: HTTP status and body.
    HungUp {
        /// HTTP status.
        status: u16,
        /// JSON.
        body: String,
    },
}

impl CarrierSays {
    /// The message on the media stream. Nothing for what is said elsewhere: answers to
    /// requests and pings, what comes of transfers, and the end of the socket itself.
    pub fn on_stream(&self) -> Option<Envelope<'_>> {
        let (sequence, message) = match self {
            Self::Frame { sequence, chunk, timestamp_ms, audio } => {
                let media = Media {
                    track: Track::Inbound,
                    chunk: Some(*chunk),
                    timestamp_ms: Some(*timestamp_ms),
                    payload: audio.as_slice(),
                };
                (sequence, FromTwilio::Media(media))
            }
            Self::Mark { sequence, name } => (sequence, FromTwilio::Mark { name: name.into() }),
            Self::Key { sequence, digit } => (sequence, FromTwilio::Dtmf { digit: *digit }),
            Self::Stop { sequence } => {
                (sequence, FromTwilio::Stop { account_sid: None, call_sid: None })
            }
            Self::Transferred { .. }
            | Self::Dialled(_)
            | Self::Tones { .. }
            | Self::Status(_)
            | Self::Joined
            | Self::Break
            | Self::Close
            | Self::Pong
            | Self::HungUp { .. } => return None,
        };
        Some(Envelope { stream_sid: None, sequence: Some(*sequence), message })
    }

    /// Whether it goes the way of the stream, and is lost with it.
    pub(super) const fn needs_stream(&self) -> bool {
        !matches!(
            self,
            Self::HungUp { .. }
                | Self::Transferred { .. }
                | Self::Dialled(_)
                | Self::Tones { .. }
                | Self::Status(_)
                | Self::Joined
        )
    }
}

/// What came of calling a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialled {
    /// A person has taken the call, which is theirs from here on.
    Completed,
    /// Nobody did.
    Unanswered(Unanswered),
}
