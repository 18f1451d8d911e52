//! The caller's audio in order: whatever the carrier does, the agent gets each piece once, in its
//! place, in bounded time and memory.

use call_core::{CallTime, Millis};
use call_transports::carrier::Audio;
use call_transports::carrier::order::{GAP_MAX, Order, Piece, WINDOW};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes in a frame of 20 ms.
const FRAME: usize = 160;

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

/// What the agent's side gets, silence included.
#[derive(Default)]
struct Desk {
    order: Order,
    heard: Vec<u8>,
    pieces: usize,
}

impl Desk {
    fn take(&mut self, when: u64, chunk: Option<u64>, timestamp_ms: Option<u64>, payload: &[u8]) {
        let Self { order, heard, pieces } = self;
        let audio = Audio { chunk, timestamp_ms, payload };
        order.take(at(when), &audio, &mut |piece| put(piece, heard, pieces));
        self.is_conserved();
    }

    /// Frame `chunk` of a call, with nothing unusual about it.
    fn frame(&mut self, when: u64, chunk: u64) {
        self.take(when, Some(chunk), Some(53 + chunk * 20), &[chunk as u8; FRAME]);
    }

    fn wake(&mut self, when: u64) {
        let Self { order, heard, pieces } = self;
        order.wake(at(when), &mut |piece| put(piece, heard, pieces));
        self.is_conserved();
    }

    /// I-30, I-29.
    fn is_conserved(&self) {
        let (counts, held) = (self.order.counts(), self.order.held());
        let out = counts.passed + counts.repeated + counts.late + counts.unused + held;
        assert_eq!(counts.offered + counts.filled, out);
        assert_eq!(counts.passed, self.heard.len() as u64);
        assert!(held <= 33 * 8_000, "{held} bytes wait");
    }

    /// What was heard, a number for each frame; 255 is silence.
    fn frames(&self) -> Vec<u8> {
        self.heard.chunks(FRAME).map(|frame| frame[0]).collect()
    }
}

fn put(piece: Piece<'_>, heard: &mut Vec<u8>, pieces: &mut usize) {
    *pieces += 1;
    match piece {
        Piece::Audio(audio) => heard.extend(audio),
        Piece::Silence(bytes) => heard.extend(std::iter::repeat_n(0xFF, bytes)),
    }
}

/// F-TW-05, I-22.
#[test]
fn a_piece_that_comes_twice_goes_on_once() {
    let mut desk = Desk::default();
    for chunk in [1, 1, 2, 1, 3, 2, 3] {
        desk.frame(chunk * 20, chunk);
    }
    assert_eq!(desk.frames(), [1, 2, 3]);
    assert_eq!(desk.order.counts().repeated, 4 * FRAME as u64);
}

/// F-TW-06: also a piece that waits may come twice.
#[test]
fn pieces_that_come_too_early_wait_for_the_one_before_them() {
    let mut desk = Desk::default();
    desk.frame(20, 1);
    for (when, chunk) in [(40, 3), (60, 4), (70, 3)] {
        desk.frame(when, chunk);
    }
    assert_eq!(desk.frames(), [1]);
    desk.frame(80, 2);
    assert_eq!(desk.frames(), [1, 2, 3, 4]);
    let counts = desk.order.counts();
    assert_eq!((counts.reordered, counts.repeated, counts.gaps), (2, FRAME as u64, 0));
    assert_eq!(desk.order.poll_timeout(), None);
}

/// F-TW-06, F-TW-07: waiting is bounded, and what comes later is not spoken into the future.
#[test]
fn a_missing_piece_is_given_up_after_a_tenth_of_a_second_and_dropped_when_it_comes() {
    let mut desk = Desk::default();
    desk.frame(20, 1);
    desk.frame(60, 3);
    assert_eq!(desk.order.poll_timeout(), Some(at(60) + WINDOW));
    desk.wake(159);
    assert_eq!(desk.frames(), [1]);
    desk.wake(160);
    assert_eq!(desk.frames(), [1, 255, 3]);
    desk.frame(170, 2);
    desk.frame(180, 4);
    assert_eq!(desk.frames(), [1, 255, 3, 4]);
    let counts = desk.order.counts();
    assert_eq!((counts.late, counts.repeated, counts.gaps), (FRAME as u64, 0, 1));
}

/// F-TW-07.
#[test]
fn silence_for_what_is_missing_is_as_long_as_the_time_stamps_say_up_to_two_seconds() {
    for (missing, filled) in [(5, 800), (99, 15_840), (100, 16_000), (5_000, 16_000)] {
        let mut desk = Desk::default();
        desk.frame(20, 1);
        desk.frame(3_000, 2 + missing);
        desk.wake(3_100);
        assert_eq!(desk.order.counts().filled, filled, "{missing} pieces");
        assert_eq!(desk.heard.len() as u64, filled + 2 * FRAME as u64);
    }
    assert_eq!(GAP_MAX, Millis(2_000));
    // The carrier says itself that nothing is missing but numbers.
    let mut desk = Desk::default();
    desk.take(0, Some(1), Some(0), &[1; FRAME]);
    desk.take(20, Some(5), Some(20), &[5; FRAME]);
    desk.wake(120);
    assert_eq!((desk.frames(), desk.order.counts().filled), (vec![1, 5], 0));
    // Without time stamps, what is missing counts as long as what is there.
    let mut desk = Desk::default();
    desk.take(0, Some(1), None, &[1; FRAME]);
    desk.take(20, Some(3), None, &[3; FRAME]);
    desk.wake(120);
    assert_eq!(desk.frames(), [1, 255, 3]);
}

#[test]
fn pieces_without_a_number_pass_as_they_are() {
    let mut desk = Desk::default();
    for chunk in [7, 7, 3] {
        desk.take(20, None, None, &[chunk; FRAME]);
    }
    assert_eq!(desk.frames(), [7, 7, 3]);
    assert_eq!(desk.order.poll_timeout(), None);
}

/// F-TW-06.
#[test]
fn a_stream_may_begin_out_of_order_and_may_be_met_half_way() {
    let mut desk = Desk::default();
    for (when, chunk) in [(20, 2), (25, 3), (30, 1)] {
        desk.frame(when, chunk);
    }
    assert_eq!(desk.frames(), [1, 2, 3]);
    let mut desk = Desk::default();
    desk.frame(20, 90);
    desk.frame(40, 91);
    assert_eq!((desk.frames(), desk.order.counts().filled), (vec![90, 91], 0));
}

/// F-TW-29: a second stream of the same call begins with 1 again.
#[test]
fn another_stream_counts_for_itself() {
    let mut desk = Desk::default();
    for chunk in [1, 2, 4] {
        desk.frame(chunk * 20, chunk);
    }
    desk.order.restart();
    desk.frame(9_000, 1);
    desk.frame(9_020, 2);
    assert_eq!(desk.frames(), [1, 2, 1, 2]);
    assert_eq!(desk.order.counts().unused, FRAME as u64);
    desk.is_conserved();
}

#[test]
fn a_carrier_that_counts_anew_is_understood_after_a_second() {
    let mut desk = Desk::default();
    desk.frame(0, 5_000);
    for chunk in 1..=60 {
        desk.frame(chunk * 20, chunk);
    }
    assert_eq!(desk.frames()[1..], (51..=60).collect::<Vec<u8>>());
}

/// I-29: whatever comes, only so much of it waits.
#[test]
fn a_flood_of_early_pieces_is_not_kept() {
    let mut desk = Desk::default();
    desk.take(0, Some(1), None, &[1; 8_000]);
    for chunk in 0..1_000 {
        desk.take(1, Some(3 + 2 * chunk), None, &[3; 8_000]);
    }
    assert!(desk.order.held() <= 32 * 8_000);
}

/// How a call is sent: for each of its frames, how late it comes and how often.
fn sent() -> impl Strategy<Value = Vec<(u64, usize)>> {
    vec((0..=WINDOW.0, 1..3_usize), 6..120)
}

proptest! {
    /// I-23, I-22, F-TW-05, F-TW-06: any shuffle inside the window and any repetition give the
    /// agent the same bytes in the same order.
    #[test]
    fn disorder_inside_the_window_changes_nothing_but_counts(sent in sent()) {
        let mut arrivals: Vec<(u64, u64)> = Vec::new();
        for (number, (late, times)) in sent.iter().enumerate() {
            let chunk = number as u64 + 1;
            for again in 0..*times as u64 {
                arrivals.push((chunk * 20 + late + again * 7, chunk));
            }
        }
        arrivals.sort_by_key(|(when, _)| *when);
        let mut desk = Desk::default();
        for (when, chunk) in arrivals {
            while desk.order.poll_timeout().is_some_and(|due| due < at(when)) {
                let due = desk.order.poll_timeout().expect("it was just there").as_millis();
                desk.wake(due);
            }
            desk.frame(when, chunk);
        }
        let in_order: Vec<u8> = (1..=sent.len() as u64).map(|chunk| chunk as u8).collect();
        prop_assert_eq!(desk.frames(), in_order);
        let counts = desk.order.counts();
        prop_assert_eq!((counts.late, counts.filled, counts.gaps), (0, 0, 0));
        let times: usize = sent.iter().map(|(_, times)| times - 1).sum();
        prop_assert_eq!(counts.repeated, (times * FRAME) as u64);
    }

    /// I-29, I-30, F-TW-06, F-TW-07, F-TW-12: whatever comes, every byte is counted, what goes on
    /// is in order, nothing waits longer than the window, and memory is bounded.
    #[test]
    fn no_byte_is_lost_from_the_count_whatever_comes(
        pieces in vec((0..400_u64, prop_oneof![Just(None), (1..300_u64).prop_map(Some)],
            prop_oneof![Just(None), (0..9_000_u64).prop_map(Some)], 0..1_600_usize), 1..200),
    ) {
        let mut desk = Desk::default();
        let mut now = 0;
        for (pause, chunk, timestamp, length) in pieces {
            now += pause;
            desk.wake(now);
            if let Some(due) = desk.order.poll_timeout() {
                prop_assert!(due > at(now) && due <= at(now) + WINDOW);
            }
            desk.take(now, chunk, timestamp, &vec![7; length]);
        }
        desk.wake(now + WINDOW.0);
        prop_assert_eq!((desk.order.held(), desk.order.poll_timeout()), (0, None));
    }
}
