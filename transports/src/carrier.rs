//! What a carrier and the bridge say to each other, whoever the carrier is.
//!
//! A carrier brings the caller's voice and plays ours to the caller's ear. Another carrier is a
//! codec and a socket that speak this vocabulary; [`twilio::media`](crate::twilio::media) is one.
//! What a leg must keep to stands in `docs/transports.md`.
//!
//! Audio is µ-law in both directions, 8,000 samples a second, one byte each, without a header.

use std::fmt;

use call_core::UtteranceId;

pub mod order;

/// What a carrier's stream tells. Each of these is a sign of life. Prints without digits and audio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FromCarrier<'a> {
    /// The caller's voice.
    Audio(Audio<'a>),
    /// A mark came back: the caller has heard all audio that was handed over before it. Behind a
    /// [`ToCarrier::Clear`] it may come back as well, and is no news then.
    Played(UtteranceId),
    /// The caller pressed a key.
    Key {
        /// One of `0`-`9`, `*`, `#`; any other is on no caller's telephone and is dropped.
        /// Personal: it may be part of an account number.
        digit: char,
        /// Which message of the stream reports it, so that the same report is not two keys.
        /// Nothing where the carrier does not number its messages.
        report: Option<u64>,
    },
    /// The stream ends in good order.
    Stopped,
    /// Something that tells a running call nothing more.
    Other,
}

impl fmt::Debug for FromCarrier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audio(audio) => audio.fmt(f),
            Self::Played(utterance) => f.debug_tuple("Played").field(utterance).finish(),
            Self::Key { report, .. } => {
                f.debug_struct("Key").field("report", report).finish_non_exhaustive()
            }
            Self::Stopped => f.write_str("Stopped"),
            Self::Other => f.write_str("Other"),
        }
    }
}

/// A piece of the caller's voice. Prints its length only.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Audio<'a> {
    /// Its place among the pieces of the stream, from 1; nothing where the carrier does not number
    /// them. Numbered pieces are put in [`order`], others go on as they come.
    pub chunk: Option<u64>,
    /// When it was recorded, in milliseconds since the stream began, if the carrier says so. It
    /// tells how long a gap before it lasted.
    pub timestamp_ms: Option<u64>,
    /// The sound, of any length, also empty.
    pub payload: &'a [u8],
}

impl fmt::Debug for Audio<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audio")
            .field("chunk", &self.chunk)
            .field("timestamp_ms", &self.timestamp_ms)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

/// What a carrier is told, in this order and at once. Prints without audio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ToCarrier<'a> {
    /// Speech of any length, to be played behind whatever was handed over before.
    Audio(&'a [u8]),
    /// Give this mark back, by [`FromCarrier::Played`], when everything before it was played, and
    /// not earlier.
    Mark(UtteranceId),
    /// Play nothing more of what was handed over. What comes behind this is played again.
    Clear,
}

impl fmt::Debug for ToCarrier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audio(payload) => {
                f.debug_struct("Audio").field("payload_bytes", &payload.len()).finish()
            }
            Self::Mark(utterance) => f.debug_tuple("Mark").field(utterance).finish(),
            Self::Clear => f.write_str("Clear"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_digits_nor_audio_are_printed() {
        let key = format!("{:?}", FromCarrier::Key { digit: '7', report: Some(3) });
        assert_eq!(key, "Key { report: Some(3), .. }");
        let audio = Audio { payload: &[250; 3], ..Audio::default() };
        for printed in [
            format!("{:?}", FromCarrier::Audio(audio)),
            format!("{:?}", ToCarrier::Audio(audio.payload)),
        ] {
            assert!(printed.contains("payload_bytes: 3") && !printed.contains("250"), "{printed}");
        }
    }
}
