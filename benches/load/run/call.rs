//! One call of a load run: the carrier's side of it, and what the agent is doing.

use std::collections::VecDeque;

use call_transports::twilio::media::{FromTwilio, Media, Track, encode_from_twilio};

use super::label::{FRAME_BYTES, Kind, Label};
use super::tally::Stamp;

/// Nanoseconds in a millisecond. All times here are nanoseconds since the run began.
pub(crate) const MS: u64 = 1_000_000;

/// The carrier sends a frame so often.
pub(crate) const FRAME: u64 = 20 * MS;

/// Both sides say something so often: five steps of the call's journal, and a real one has some one a
/// second.
pub(crate) const TURN: u64 = 5_000 * MS;

/// What the agent does with what it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It listens.
    Silent,
    /// It sends back every frame.
    Echoes,
}

/// A call.
pub(crate) struct Call {
    pub(crate) number: u32,
    /// Place of the carrier's link.
    pub(crate) carrier: usize,
    /// Place of the agent's link, once it was heard on it.
    pub(crate) agent: Option<usize>,
    pub(crate) manner: Manner,
    pub(crate) stream_sid: String,
    /// How long after a multiple of 20 ms its frames are sent.
    pub(crate) offset: u64,
    /// When the caller hangs up, if that is known.
    pub(crate) ends: Option<u64>,
    /// The caller has hung up.
    pub(crate) is_over: bool,
    /// When the opening was heard.
    opening_over: Option<u64>,
    /// Frames sent so far.
    pub(crate) frames: u32,
    /// Messages sent so far.
    sequence: u64,
    /// How long what the carrier has will last.
    pub(crate) plays_until: u64,
    /// Marks that were not returned yet, and when they will be.
    marks: VecDeque<(u64, String)>,
    /// Frames by their numbers, from the first that counts.
    pub(crate) stamps: Vec<Stamp>,
    first_counted: Option<u32>,
    /// The highest numbers that came so far, at the agent and at the carrier.
    last_heard: Option<u32>,
    last_back: Option<u32>,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    pub(crate) echoes: u64,
    /// When the caller's voice stopped the agent, while no `clear` has come.
    pub(crate) voice_at: Option<u64>,
    pub(crate) is_cleared: bool,
}

impl Call {
    pub(crate) fn new(number: u32, carrier: usize, stream_sid: String, offset: u64) -> Self {
        Self {
            number,
            carrier,
            agent: None,
            manner: Manner::Silent,
            stream_sid,
            offset,
            ends: None,
            is_over: false,
            opening_over: None,
            frames: 0,
            // `connected` and `start` were sent.
            sequence: 1,
            plays_until: 0,
            marks: VecDeque::new(),
            stamps: Vec::new(),
            first_counted: None,
            last_heard: None,
            last_back: None,
            doubled: 0,
            reordered: 0,
            echoes: 0,
            voice_at: None,
            is_cleared: false,
        }
    }

    /// Whether the agent's echo was heard for a while.
    pub(crate) const fn is_up(&self) -> bool {
        self.echoes >= ECHOES_FIRST
    }

    /// The text of the next frame of the caller's, for which `audio` is used. Whether it counts: it
    /// does not before the call is up, or when there is little time left for one.
    pub(crate) fn speak(
        &mut self,
        now: u64,
        counts: bool,
        audio: &mut [u8; FRAME_BYTES],
        text: &mut String,
    ) -> bool {
        let counts = counts && self.is_up() && self.ends.is_none_or(|ends| now + LAST < ends);
        let number = self.frames;
        Label { call: self.number, number, kind: Kind::Echo }.write(audio);
        let media = Media {
            track: Track::Inbound,
            chunk: Some(u64::from(number) + 1),
            timestamp_ms: Some(u64::from(number) * 20),
            payload: audio,
        };
        self.say(&FromTwilio::Media(media), text);
        self.frames += 1;
        if counts {
            self.first_counted.get_or_insert(number);
            self.stamps.push(Stamp { sent: now, ..Stamp::default() });
        }
        counts
    }

    /// The text of the last message of the stream, when the caller has hung up.
    pub(crate) fn stop(&mut self, account_sid: &str, text: &mut String) {
        let stop = FromTwilio::Stop {
            account_sid: Some(account_sid.into()),
            call_sid: Some(call_sid(self.number).into()),
        };
        self.say(&stop, text);
        self.is_over = true;
    }

    /// The stamps of its frames. None is taken any more.
    pub(crate) fn take_stamps(&mut self) -> Vec<Stamp> {
        self.first_counted = None;
        std::mem::take(&mut self.stamps)
    }

    fn say(&mut self, message: &FromTwilio<'_>, text: &mut String) {
        self.sequence += 1;
        text.clear();
        encode_from_twilio(message, &self.stream_sid, self.sequence, text);
    }

    /// The agent had a frame.
    pub(crate) fn heard(&mut self, number: u32, now: u64) {
        self.notice(number, self.last_heard);
        self.last_heard = self.last_heard.max(Some(number));
        if let Some(stamp) = self.stamp(number) {
            stamp.heard = now;
        }
    }

    /// The agent sends a frame back.
    pub(crate) fn echoed(&mut self, number: u32, now: u64) {
        if let Some(stamp) = self.stamp(number) {
            stamp.echoed = now;
        }
    }

    /// The carrier had a frame back.
    pub(crate) fn back(&mut self, number: u32, now: u64) {
        self.echoes += 1;
        self.notice(number, self.last_back);
        self.last_back = self.last_back.max(Some(number));
        if let Some(stamp) = self.stamp(number) {
            stamp.back = now;
        }
    }

    fn notice(&mut self, number: u32, last: Option<u32>) {
        match last {
            Some(last) if number == last => self.doubled += 1,
            Some(last) if number < last => self.reordered += 1,
            _ => {}
        }
    }

    fn stamp(&mut self, number: u32) -> Option<&mut Stamp> {
        let place = number.checked_sub(self.first_counted?)?;
        self.stamps.get_mut(place as usize)
    }

    /// The carrier got audio: it plays behind whatever it has.
    pub(crate) fn play(&mut self, now: u64, bytes: usize) {
        self.plays_until = self.plays_until.max(now) + bytes as u64 * (MS / 8);
    }

    /// The carrier got a mark. Returns when it goes back.
    pub(crate) fn mark(&mut self, now: u64, name: String) -> u64 {
        let due = self.plays_until.max(now);
        self.marks.push_back((due, name));
        due
    }

    /// The carrier got a `clear`: every mark goes back at once.
    pub(crate) fn clear(&mut self, now: u64) {
        self.plays_until = now;
        self.is_cleared = true;
        for (due, _) in &mut self.marks {
            *due = now;
        }
    }

    /// The next mark that goes back now, as a message.
    pub(crate) fn return_mark(&mut self, now: u64, text: &mut String) -> bool {
        let Some((_, name)) = self.marks.pop_front_if(|(due, _)| *due <= now) else {
            return false;
        };
        self.say(&FromTwilio::Mark { name: name.into() }, text);
        true
    }

    /// The opening was heard, or there is none.
    pub(crate) fn opening_over(&mut self, now: u64) {
        self.opening_over.get_or_insert(now);
    }

    /// Whether the agent may speak: the mark behind the opening went out a little while ago.
    pub(crate) fn is_open(&self, now: u64) -> bool {
        self.opening_over.is_some_and(|over| over + 100 * MS <= now)
    }
}

/// The carrier's name of a call.
pub(crate) fn call_sid(number: u32) -> String {
    format!("CA{number:032x}")
}

/// A call is up when so many frames have come back.
const ECHOES_FIRST: u64 = 10;

/// Frames of a call's last moments may not be back when it ends, and say nothing.
const LAST: u64 = 1_000 * MS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_or_out_of_order_is_noticed() {
        let mut call = call();
        for number in [0, 1, 1, 3, 2] {
            call.back(number, 5);
        }
        assert_eq!((call.doubled, call.reordered, call.echoes), (1, 1, 5));
    }

    #[test]
    fn only_frames_that_count_are_stamped() {
        let mut call = call();
        let (mut audio, mut text) = ([0; FRAME_BYTES], String::new());
        call.echoes = ECHOES_FIRST;
        for (now, counts) in [(10, false), (20, true), (30, true)] {
            assert_eq!(call.speak(now, counts, &mut audio, &mut text), counts);
        }
        for number in 0..3 {
            call.heard(number, 40);
            call.echoed(number, 50);
            call.back(number, 60);
        }
        let stamps: Vec<_> = call.stamps.iter().map(|stamp| (stamp.sent, stamp.back)).collect();
        assert_eq!(stamps, [(20, 60), (30, 60)]);
    }

    #[test]
    fn frames_count_between_the_first_echo_and_the_last_moments() {
        let mut call = call();
        let (mut audio, mut text) = ([0; FRAME_BYTES], String::new());
        let mut counts = |call: &mut Call, now| call.speak(now, true, &mut audio, &mut text);
        assert!(!counts(&mut call, 10));
        (0..9).for_each(|number| call.back(number, 20));
        assert!(!call.is_up() && !counts(&mut call, 20));
        call.back(9, 30);
        assert!(call.is_up() && counts(&mut call, 30));
        call.ends = Some(40 + LAST);
        assert!(counts(&mut call, 39) && !counts(&mut call, 40));
        assert_eq!(call.take_stamps().len(), 2);
        // What comes back now comes too late.
        call.back(12, 50);
        assert!(call.take_stamps().is_empty());
    }

    #[test]
    fn a_mark_goes_back_when_the_audio_before_it_was_played_or_cleared() {
        let mut call = call();
        let mut text = String::new();
        call.play(0, 1_600);
        assert_eq!(call.mark(0, "a".to_owned()), 200 * MS);
        assert!(!call.return_mark(199 * MS, &mut text));
        call.clear(199 * MS);
        assert!(call.return_mark(199 * MS, &mut text));
        assert!(text.contains(r#""mark":{"name":"a"}"#), "{text}");
        assert!(!call.return_mark(999 * MS, &mut text));
    }

    fn call() -> Call {
        Call::new(0, 0, "MZ1".to_owned(), 0)
    }
}
