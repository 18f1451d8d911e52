//! What the messages of a media stream mean in the vocabulary of every [`carrier`](crate::carrier).

use call_core::UtteranceId;

use super::{Envelope, FromTwilio, ToTwilio, Track};
use crate::carrier::{Audio, FromCarrier, ToCarrier};

impl Envelope<'_> {
    /// What the message tells a running call.
    #[must_use]
    pub fn meaning(&self) -> FromCarrier<'_> {
        match &self.message {
            FromTwilio::Media(media) if media.track == Track::Inbound => {
                FromCarrier::Audio(Audio {
                    chunk: media.chunk,
                    timestamp_ms: media.timestamp_ms,
                    payload: media.payload,
                })
            }
            FromTwilio::Mark { name } => {
                UtteranceId::from_mark(name).map_or(FromCarrier::Other, FromCarrier::Played)
            }
            FromTwilio::Dtmf { digit } => FromCarrier::Key { digit: *digit, report: self.sequence },
            FromTwilio::Stop { .. } => FromCarrier::Stopped,
            // A second `start` (F-TW-03) tells nothing new either.
            FromTwilio::Connected { .. }
            | FromTwilio::Start(_)
            | FromTwilio::Media(_)
            | FromTwilio::Unknown { .. } => FromCarrier::Other,
        }
    }
}

impl<'a> From<ToCarrier<'a>> for ToTwilio<'a> {
    fn from(message: ToCarrier<'a>) -> Self {
        match message {
            ToCarrier::Audio(payload) => Self::Media { payload },
            ToCarrier::Mark(utterance) => Self::Mark { name: utterance.to_string().into() },
            ToCarrier::Clear => Self::Clear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Media, PAYLOAD_BYTES_MAX};
    use super::*;

    /// F-TW-23: a key keeps the number of the message that reports it.
    #[test]
    fn a_message_means_to_a_call_what_it_says() {
        let mean = |sequence, message, expected: FromCarrier<'_>| {
            assert_eq!(Envelope { stream_sid: None, sequence, message }.meaning(), expected);
        };
        let payload = &[0x7F; PAYLOAD_BYTES_MAX][..];
        let media = |track| {
            let media = Media { track, chunk: Some(3), timestamp_ms: Some(112), payload };
            FromTwilio::Media(media)
        };
        let audio = Audio { chunk: Some(3), timestamp_ms: Some(112), payload };
        mean(Some(4), media(Track::Inbound), FromCarrier::Audio(audio));
        mean(Some(5), media(Track::Outbound), FromCarrier::Other);
        let mark = |name: &'static str| FromTwilio::Mark { name: name.into() };
        mean(Some(6), mark("agent-7"), FromCarrier::Played(UtteranceId::Agent(7)));
        mean(Some(7), mark("of somebody else"), FromCarrier::Other);
        let key = FromCarrier::Key { digit: '5', report: Some(8) };
        mean(Some(8), FromTwilio::Dtmf { digit: '5' }, key);
        let unknown = FromTwilio::Unknown { event: "novel".into() };
        mean(Some(9), unknown, FromCarrier::Other);
        let stop = FromTwilio::Stop { account_sid: None, call_sid: None };
        mean(Some(10), stop, FromCarrier::Stopped);
    }

    #[test]
    fn a_mark_comes_back_under_the_name_that_it_was_given() {
        for utterance in [UtteranceId::Line(3), UtteranceId::Agent(12)] {
            let ToTwilio::Mark { name } = ToCarrier::Mark(utterance).into() else {
                panic!("a mark is a mark");
            };
            let back = FromTwilio::Mark { name: name.into_owned().into() };
            let back = Envelope { stream_sid: None, sequence: None, message: back };
            assert_eq!(back.meaning(), FromCarrier::Played(utterance));
        }
        assert_eq!(ToTwilio::from(ToCarrier::Clear), ToTwilio::Clear);
        let audio = ToTwilio::Media { payload: &[1, 2] };
        assert_eq!(ToTwilio::from(ToCarrier::Audio(&[1, 2])), audio);
    }
}
