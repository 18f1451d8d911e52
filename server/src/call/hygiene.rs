//! How many bad frames of a socket are borne with. One of them never ends a call; a socket that
//! sends little else is not the one we think it is.

use call_core::{CallTime, Millis};
use call_transports::deepgram;
use call_transports::twilio::media;

/// So many frames that are no messages at all.
const GARBAGE_MAX: u32 = 10;

/// So many pieces of audio in a row that cannot be read.
const UNREADABLE_RUN_MAX: u32 = 50;

/// After so many messages for another stream, somebody should look.
const FOREIGN_ALARM: u32 = 3;

/// So many pings and pongs within [`SIGNS_WITHIN`]. A carrier sends one now and then and answers ours;
/// its audio is fifty messages a second.
const SIGNS_MAX: u32 = 100;
const SIGNS_WITHIN: Millis = Millis(1_000);

/// What is to be done about a bad frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Ignore it.
    Bear,
    /// Give up the socket.
    Close,
}

/// The bad frames of one socket, counted.
#[derive(Debug, Default)]
pub(super) struct Hygiene {
    garbage: u32,
    unreadable_run: u32,
    unusable: u64,
    foreign: u32,
    unknown: u64,
    /// Pings and pongs, counted since this.
    signs: u32,
    signs_since: CallTime,
}

impl Hygiene {
    /// A frame that is no message at all: binary where text is due, or not JSON.
    pub(super) fn garbage(&mut self) -> Verdict {
        self.garbage += 1;
        if self.garbage < GARBAGE_MAX { Verdict::Bear } else { Verdict::Close }
    }

    /// A message of the carrier that could not be read.
    pub(super) fn undecodable(&mut self, error: media::Error) -> Verdict {
        match error {
            media::Error::NotJson => self.garbage(),
            media::Error::Base64 => {
                self.unusable += 1;
                self.unreadable_run += 1;
                let is_enough = self.unreadable_run >= UNREADABLE_RUN_MAX;
                if is_enough { Verdict::Close } else { Verdict::Bear }
            }
            _ => {
                self.unusable += 1;
                Verdict::Bear
            }
        }
    }

    /// A message of the agent's that could not be read.
    pub(super) fn unreadable(&mut self, error: &deepgram::Error) -> Verdict {
        match error {
            // A message that we know in another shape tells of a change, not of garbage.
            deepgram::Error::Unusable { .. } => {
                self.unusable += 1;
                Verdict::Bear
            }
            _ => self.garbage(),
        }
    }

    /// A ping or a pong.
    pub(super) fn sign(&mut self, now: CallTime) -> Verdict {
        if now >= self.signs_since + SIGNS_WITHIN {
            (self.signs, self.signs_since) = (0, now);
        }
        self.signs += 1;
        if self.signs < SIGNS_MAX { Verdict::Bear } else { Verdict::Close }
    }

    /// Audio that could be read.
    pub(super) fn readable(&mut self) {
        self.unreadable_run = 0;
    }

    /// A message for another stream.
    pub(super) fn foreign(&mut self) {
        self.foreign += 1;
        if self.foreign == FOREIGN_ALARM {
            tracing::warn!("security: the media socket keeps sending for another stream");
        }
    }

    /// A message of a kind that we do not know.
    pub(super) fn unknown(&mut self) {
        self.unknown += 1;
    }

    /// How many frames were ignored.
    pub(super) fn ignored(&self) -> u64 {
        u64::from(self.garbage) + u64::from(self.foreign) + self.unusable + self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_frames_that_are_no_messages_close_f_tw_13_f_tw_14() {
        let mut hygiene = Hygiene::default();
        for _ in 1..10 {
            assert_eq!(hygiene.undecodable(media::Error::NotJson), Verdict::Bear);
        }
        assert_eq!(hygiene.garbage(), Verdict::Close);
        assert_eq!(hygiene.ignored(), 10);
    }

    #[test]
    fn fifty_pieces_of_unreadable_audio_in_a_row_close_f_tw_11() {
        let mut hygiene = Hygiene::default();
        for _ in 1..50 {
            assert_eq!(hygiene.undecodable(media::Error::Base64), Verdict::Bear);
        }
        hygiene.readable();
        for _ in 1..50 {
            assert_eq!(hygiene.undecodable(media::Error::Base64), Verdict::Bear);
        }
        assert_eq!(hygiene.undecodable(media::Error::Base64), Verdict::Close);
    }

    /// F-TW-27.
    #[test]
    fn a_hundred_signs_of_life_in_a_second_close_and_as_many_in_a_minute_do_not() {
        let mut slow = Hygiene::default();
        for second in 0..60 {
            for _ in 1..SIGNS_MAX {
                assert_eq!(slow.sign(CallTime::from_millis(second * 1_000)), Verdict::Bear);
            }
        }
        assert_eq!(slow.sign(CallTime::from_millis(59_999)), Verdict::Close);
        assert_eq!(slow.ignored(), 0, "a sign of life is no message");
    }

    #[test]
    fn messages_that_changed_a_little_never_end_a_call_f_tw_16_f_tw_19() {
        let mut hygiene = Hygiene::default();
        for _ in 0..1_000 {
            assert_eq!(hygiene.undecodable(media::Error::TooLong), Verdict::Bear);
            hygiene.foreign();
            hygiene.unknown();
        }
        assert_eq!(hygiene.ignored(), 3_000);
    }
}
