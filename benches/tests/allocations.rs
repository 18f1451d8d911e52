//! The audio path allocates nothing: not for a frame of the caller's, not for one of the agent's.
//!
//! Every test first lets the buffers grow to what a call needs, and then counts what thousands of
//! frames ask of the allocator. A sentence, a mark or a message of the agent's may allocate; they
//! are a few in a second, and nobody waits for them.

use std::hint::black_box;

use allocation_counter::measure;
use call_core::{CallTime, Effect, Input, Language, Millis};
use call_transports::bridge::{Bridge, Outlet};
use call_transports::carrier::{FromCarrier, ToCarrier};
use call_transports::deepgram::ClientMessage;
use call_transports::twilio::media::{
    FromTwilio, Media, ToTwilio, Track, decode_from_twilio, encode_from_twilio,
};

#[path = "../support.rs"]
mod support;

use support::{FRAME, FRAME_BYTES, STREAM_SID, audio, bridge};

/// A minute and more of audio.
const FRAMES: u64 = 4_000;

/// Without this, a counter that counts nothing would prove everything.
#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(black_box(vec![0_u8; 160]))).count_total, 1);
}

/// From the text of a message to the bytes for the agent.
#[test]
fn a_frame_of_the_callers_allocates_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    let heard = hear(&mut bridge, &mut sides, &texts(1, |_| true));
    assert_eq!(heard, FRAMES * FRAME_BYTES as u64);
}

/// F-TW-05, F-TW-06, F-TW-07.
#[test]
fn frames_that_are_put_in_order_or_replaced_allocate_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    let mut texts = texts(1, |chunk| chunk % 100 != 50);
    for pair in texts.chunks_exact_mut(2) {
        pair.swap(0, 1);
    }
    texts[1_000] = texts[999].clone();
    let heard = hear(&mut bridge, &mut sides, &texts);
    let (counts, _) = bridge.caller_order();
    assert!(counts.reordered > 1_000 && counts.filled > 0 && counts.repeated > 0, "{counts:?}");
    assert!(heard > (FRAMES - 100) * FRAME_BYTES as u64);
}

/// The agent is not there yet: the last five seconds are kept, and the oldest of them goes.
#[test]
fn a_frame_of_the_callers_that_waits_allocates_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    let open = Effect::OpenAgent { language: Language::English, resume: true };
    bridge.agent_lost(call_core::input::AgentLoss::Closed, &mut sides);
    bridge.perform(CallTime::ZERO, &open, &mut sides);
    assert_eq!(hear(&mut bridge, &mut sides, &texts(1, |_| true)), 0, "nobody listens");
    assert_eq!(bridge.voice_to_agent().1, 40_000);
}

/// A number is keyed in: the agent gets silence in the caller's place.
#[test]
fn a_frame_that_is_replaced_by_silence_allocates_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    bridge.perform(CallTime::ZERO, &Effect::CollectKeys, &mut sides);
    // One key alone does so for a moment only.
    let key = FromCarrier::Key { digit: '2', report: None };
    bridge.from_carrier(CallTime::ZERO, key, &mut sides);
    let heard = hear(&mut bridge, &mut sides, &texts(1, |_| true));
    assert_eq!(heard, FRAMES * FRAME_BYTES as u64);
    assert_eq!(sides.agent, [0xFF; FRAME_BYTES]);
}

/// From the agent's bytes to the text of a message, at the pace of speech.
#[test]
fn a_frame_of_the_agents_allocates_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    let mut now = CallTime::ZERO;
    let mut speak = |frames: u64| {
        for _ in 0..frames {
            now = now + FRAME;
            bridge.agent_audio(now, &audio(), &mut sides);
        }
    };
    speak(100);
    assert_eq!(measure(|| speak(FRAMES)).count_total, 0);
    assert_eq!(sides.sent, (100 + FRAMES) * FRAME_BYTES as u64);
}

/// Replies come faster than they are spoken: most of each waits in the ring, some of it while the
/// carrier takes nothing.
#[test]
fn a_frame_of_the_agents_that_waits_allocates_nothing() {
    let mut sides = Sides::default();
    let mut bridge = bridge(&mut sides);
    let mut now = CallTime::ZERO;
    let mut reply = || {
        let begin = now;
        for _ in 0..500 {
            bridge.agent_audio(now, &audio(), &mut sides);
        }
        bridge.carrier_blocked(now, Some(now));
        for _ in 0..550 {
            now = now + FRAME;
            bridge.carrier_alive(now);
            if now.since(begin) >= Millis(1_000) {
                bridge.carrier_blocked(now, None);
            }
            bridge.wake(now, &mut sides);
        }
    };
    reply();
    assert_eq!(measure(|| (0..8).for_each(|_| reply())).count_total, 0);
    assert_eq!(sides.sent, 9 * 500 * FRAME_BYTES as u64, "all of it was spoken");
}

/// The texts of so many messages and a few to warm up with, without the frames that are missing.
fn texts(first: u64, comes: impl Fn(u64) -> bool) -> Vec<String> {
    let payload = &audio();
    let text = |chunk: u64| {
        let (track, timestamp_ms) = (Track::Inbound, Some(53 + chunk * FRAME.0));
        let media = Media { track, chunk: Some(chunk), timestamp_ms, payload };
        let mut text = String::new();
        encode_from_twilio(&FromTwilio::Media(media), STREAM_SID, chunk + 1, &mut text);
        text
    };
    (first..first + WARM_UP + FRAMES).filter(|chunk| comes(*chunk)).map(text).collect()
}

/// Enough for five seconds to wait.
const WARM_UP: u64 = 600;

/// Lets the bridge hear these, and counts after the warm-up. Returns the bytes that the agent got
/// then.
fn hear(bridge: &mut Bridge, sides: &mut Sides, texts: &[String]) -> u64 {
    let mut scratch = Vec::new();
    let mut now = CallTime::ZERO;
    let mut hear = |texts: &[String], sides: &mut Sides| {
        for text in texts {
            now = now + FRAME;
            let said = decode_from_twilio(text, &mut scratch).expect("the frame is a sound one");
            bridge.from_carrier(now, said.meaning(), sides);
            bridge.wake(now, sides);
        }
    };
    let (warm_up, rest) = texts.split_at(WARM_UP as usize);
    hear(warm_up, sides);
    let before = sides.heard;
    assert_eq!(measure(|| hear(rest, sides)).count_total, 0);
    sides.heard - before
}

/// Both sides of a bridge, in buffers that are reused.
#[derive(Default)]
struct Sides {
    agent: Vec<u8>,
    heard: u64,
    carrier: String,
    sent: u64,
}

impl Outlet for Sides {
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        if let ToCarrier::Audio(audio) = message {
            self.sent += audio.len() as u64;
        }
        self.carrier.clear();
        ToTwilio::from(message).encode(STREAM_SID, &mut self.carrier);
    }

    fn probe_carrier(&mut self) {}

    fn audio_to_agent(&mut self, audio: &[u8]) {
        self.heard += audio.len() as u64;
        self.agent.clear();
        self.agent.extend_from_slice(audio);
    }

    fn to_agent(&mut self, message: ClientMessage) {
        black_box(message);
    }

    fn input(&mut self, input: Input) {
        black_box(input);
    }
}
