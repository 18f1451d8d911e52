//! The way of the audio, in both directions: what one frame of 20 ms costs.
//!
//! Every group measures the same work twice: `ours` with the codec of this workspace, and
//! `json_tree` as it is written without further thought, with a [`serde_json::Value`] for each
//! message and a new buffer for each payload. Read the ratio of the two, from one run.
//!
//! | Group | Way of the audio |
//! | --- | --- |
//! | `caller_frame` | text of a Twilio `media` message, to bytes for the agent |
//! | `agent_frame` | bytes of the agent, to the text of a Twilio `media` message |
//! | `caller_order` | texts of two `media` messages that overtook each other, to bytes in their order. Its elements are frames |
//! | `agent_gate` | as `agent_frame`, through the gate that counts what the caller hears |
//! | `bridge_caller_frame` | as `caller_frame`, through the bridge |
//! | `bridge_agent_frame` | as `agent_frame`, through the bridge, at the pace of speech |
//! | `bridge_both_ways` | a caller's frame through the bridge, and back as the agent's: all that a call does with 20 ms |
//! | `bridge_reply_ahead` | a reply of five seconds that arrives at once: most of it waits its turn in the bridge, and a mark goes behind it. Its elements are frames |

use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput};
use serde_json::{Value, json};

use call_core::playout::{Admit, Playout};
use call_core::{CallTime, Input, UtteranceId};
use call_transports::bridge::{Bridge, Outlet};
use call_transports::carrier::order::{Order, Piece};
use call_transports::carrier::{FromCarrier, ToCarrier};
use call_transports::deepgram::{ClientMessage, ServerMessage};
use call_transports::twilio::media::{
    Envelope, FromTwilio, Media, ToTwilio, Track, decode_from_twilio, decode_to_twilio,
};

#[path = "support.rs"]
mod support;

use support::{FRAME, FRAME_BYTES, STREAM_SID, audio, bridge, caller_frame, criterion};

/// Frames in the reply that comes all at once.
const REPLY_FRAMES: u64 = 250;

fn main() {
    the_codecs_agree();
    let mut criterion = criterion();
    caller_frames(&mut criterion);
    agent_frames(&mut criterion);
    caller_orders(&mut criterion);
    agent_gates(&mut criterion);
    bridge_caller_frames(&mut criterion);
    bridge_agent_frames(&mut criterion);
    bridge_both_ways(&mut criterion);
    bridge_replies_ahead(&mut criterion);
    criterion.final_summary();
}

fn caller_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("caller_frame");
    let text = caller_frame();
    for codec in CODECS {
        let (mut scratch, mut agent) = (Vec::new(), Vec::new());
        group.bench_function(codec.name, |bencher| {
            bencher.iter(|| {
                let message = (codec.read)(black_box(&text), &mut scratch);
                let FromTwilio::Media(media) = message else { unreachable!("it is audio") };
                agent.clear();
                agent.extend_from_slice(media.payload);
                black_box(&agent);
            });
        });
    }
    group.finish();
}

fn agent_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("agent_frame");
    let audio = audio();
    for codec in CODECS {
        let mut carrier = String::new();
        group.bench_function(codec.name, |bencher| {
            bencher.iter(|| {
                (codec.write)(black_box(&audio), &mut carrier);
                black_box(&carrier);
            });
        });
    }
    group.finish();
}

fn caller_orders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("caller_order");
    group.throughput(Throughput::Elements(2));
    let text = caller_frame();
    let (mut order, mut scratch, mut agent) = (Order::default(), Vec::new(), Vec::new());
    let mut last = 0;
    let mut ours = || {
        agent.clear();
        for chunk in [last + 2, last + 1] {
            let message = read_ours(black_box(&text), &mut scratch);
            let said = said(message);
            let FromCarrier::Audio(mut audio) = said.meaning() else { unreachable!("it is audio") };
            audio.chunk = Some(chunk);
            order.take(CallTime::ZERO, &audio, &mut |piece| match piece {
                Piece::Audio(audio) => agent.extend_from_slice(audio),
                Piece::Silence(_) => unreachable!("nothing is missing"),
            });
        }
        last += 2;
        black_box(&agent).len()
    };
    assert_eq!(ours(), 2 * FRAME_BYTES, "both pieces go on");
    group.bench_function("ours", |bencher| bencher.iter(&mut ours));
    let (mut waiting, mut due, mut agent) = (BTreeMap::<u64, Value>::new(), 1, Vec::new());
    let mut tree = || {
        agent.clear();
        for chunk in [due + 1, due] {
            let message = serde_json::from_str(black_box(&text)).expect("the frame is JSON");
            waiting.insert(chunk, message);
        }
        while let Some(message) = waiting.remove(&due) {
            let payload = message["media"]["payload"].as_str().expect("the frame has a payload");
            agent.extend(STANDARD.decode(payload).expect("the payload is base64"));
            due += 1;
        }
        black_box(&agent).len()
    };
    assert_eq!(tree(), 2 * FRAME_BYTES, "both pieces go on");
    group.bench_function("json_tree", |bencher| bencher.iter(&mut tree));
    group.finish();
}

fn agent_gates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("agent_gate");
    let audio = audio();
    let (mut playout, mut now, mut carrier) = (Playout::new(), CallTime::ZERO, String::new());
    let mut ours = || {
        now = now + FRAME;
        let sentence = UtteranceId::Agent(1);
        let admitted = playout.admit(now, sentence, audio.len());
        assert_eq!(admitted, Admit::Forward, "audio at the pace of speech never waits");
        black_box(playout.forward(now, sentence, audio.len()));
        write_ours(black_box(&audio), &mut carrier);
        black_box(&carrier).len()
    };
    let length = ours();
    group.bench_function("ours", |bencher| bencher.iter(&mut ours));
    // A queue of messages is what there is without a gate.
    let (mut waiting, mut carrier) = (VecDeque::new(), String::new());
    let mut tree = || {
        waiting.push_back(tree_of(black_box(&audio)));
        if let Some(message) = waiting.pop_front() {
            carrier = message.to_string();
        }
        black_box(&carrier).len()
    };
    assert_eq!(tree(), length, "both say the same");
    group.bench_function("json_tree", |bencher| bencher.iter(&mut tree));
    group.finish();
}

fn bridge_caller_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bridge_caller_frame");
    let text = caller_frame();
    for codec in CODECS {
        let mut sides = Sides::new(codec);
        let mut bridge = bridge(&mut sides);
        let mut scratch = Vec::new();
        let (mut now, mut number) = (CallTime::ZERO, 0);
        let mut once = || {
            now = now + FRAME;
            number += 1;
            let mut message = (codec.read)(black_box(&text), &mut scratch);
            if let FromTwilio::Media(media) = &mut message {
                // The same frame again would be a repeated one.
                media.chunk = Some(number);
            }
            bridge.from_carrier(now, said(message).meaning(), &mut sides);
            black_box(&sides.agent).len()
        };
        assert_eq!(once(), FRAME_BYTES, "the agent hears the caller");
        group.bench_function(codec.name, |bencher| bencher.iter(&mut once));
    }
    group.finish();
}

fn bridge_agent_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bridge_agent_frame");
    let audio = audio();
    for codec in CODECS {
        let mut sides = Sides::new(codec);
        let mut bridge = bridge(&mut sides);
        let mut now = CallTime::ZERO;
        let mut once = || {
            now = now + FRAME;
            bridge.agent_audio(now, black_box(&audio), &mut sides);
            black_box(&sides.carrier).len()
        };
        assert!(once() > FRAME_BYTES, "the caller hears the agent");
        group.bench_function(codec.name, |bencher| bencher.iter(&mut once));
    }
    group.finish();
}

fn bridge_both_ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bridge_both_ways");
    let text = caller_frame();
    for codec in CODECS {
        let mut sides = Sides::new(codec);
        let mut bridge = bridge(&mut sides);
        let (mut scratch, mut echo) = (Vec::new(), Vec::new());
        let (mut now, mut number) = (CallTime::ZERO, 0);
        let mut once = || {
            now = now + FRAME;
            number += 1;
            let mut message = (codec.read)(black_box(&text), &mut scratch);
            if let FromTwilio::Media(media) = &mut message {
                // The same frame again would be a repeated one.
                media.chunk = Some(number);
            }
            bridge.from_carrier(now, said(message).meaning(), &mut sides);
            echo.clone_from(&sides.agent);
            bridge.agent_audio(now, &echo, &mut sides);
            black_box(&sides.carrier).len()
        };
        assert!(once() > FRAME_BYTES, "the caller hears what was said");
        group.bench_function(codec.name, |bencher| bencher.iter(&mut once));
    }
    group.finish();
}

fn bridge_replies_ahead(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bridge_reply_ahead");
    group.throughput(Throughput::Elements(REPLY_FRAMES));
    for codec in CODECS {
        let mut sides = Sides::new(codec);
        let mut bridge = bridge(&mut sides);
        let mut now = CallTime::ZERO;
        group.bench_function(codec.name, |bencher| {
            bencher.iter(|| now = reply_ahead(now, &mut bridge, &mut sides));
        });
    }
    group.finish();
}

/// A reply from its arrival to the return of its mark. Returns when that was.
fn reply_ahead(mut now: CallTime, bridge: &mut Bridge, sides: &mut Sides) -> CallTime {
    let audio = audio();
    for _ in 0..REPLY_FRAMES {
        bridge.agent_audio(now, black_box(&audio), sides);
    }
    bridge.from_agent(now, ServerMessage::AgentAudioDone, sides);
    for _ in 0..REPLY_FRAMES {
        now = now + FRAME;
        bridge.wake(now, sides);
    }
    let mark = sides.mark.take().expect("a reply that was handed over has its mark behind it");
    bridge.from_carrier(now, FromCarrier::Played(mark), sides);
    now
}

const fn said(message: FromTwilio<'_>) -> Envelope<'_> {
    Envelope { stream_sid: None, sequence: None, message }
}

/// A way to read the caller's frames and to write the agent's.
#[derive(Clone, Copy)]
struct Codec {
    name: &'static str,
    read: for<'a> fn(&'a str, &'a mut Vec<u8>) -> FromTwilio<'a>,
    /// Overwrites the string.
    write: fn(&[u8], &mut String),
}

const CODECS: [Codec; 2] = [
    Codec { name: "ours", read: read_ours, write: write_ours },
    Codec { name: "json_tree", read: read_tree, write: write_tree },
];

fn read_ours<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> FromTwilio<'a> {
    decode_from_twilio(text, scratch).expect("the frame is a sound one").message
}

fn write_ours(payload: &[u8], out: &mut String) {
    out.clear();
    ToTwilio::Media { payload }.encode(STREAM_SID, out);
}

fn read_tree<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> FromTwilio<'a> {
    let message: Value = serde_json::from_str(text).expect("the frame is JSON");
    let media = &message["media"];
    let number = |name: &str| media[name].as_str().and_then(|digits| digits.parse().ok());
    let track = match (message["event"].as_str(), media["track"].as_str()) {
        (Some("media"), Some("inbound")) => Track::Inbound,
        _ => unreachable!("the frame is audio of the caller"),
    };
    let payload = media["payload"].as_str().expect("the frame has a payload");
    *scratch = STANDARD.decode(payload).expect("the payload is base64");
    FromTwilio::Media(Media {
        track,
        chunk: number("chunk"),
        timestamp_ms: number("timestamp"),
        payload: scratch,
    })
}

fn write_tree(payload: &[u8], out: &mut String) {
    *out = tree_of(payload).to_string();
}

fn tree_of(payload: &[u8]) -> Value {
    json!({
        "event": "media",
        "streamSid": STREAM_SID,
        "media": { "payload": STANDARD.encode(payload) },
    })
}

/// Otherwise the two would not be measured at the same work.
fn the_codecs_agree() {
    let (text, audio) = (caller_frame(), audio());
    let [ours, tree] = CODECS;
    let (mut scratch_ours, mut scratch_tree) = (Vec::new(), Vec::new());
    let read = (ours.read)(&text, &mut scratch_ours);
    assert_eq!(read, (tree.read)(&text, &mut scratch_tree));
    for codec in CODECS {
        let (mut text, mut scratch) = (String::new(), Vec::new());
        (codec.write)(&audio, &mut text);
        let written = decode_to_twilio(&text, &mut scratch).expect("Twilio takes the message");
        assert_eq!(written, (STREAM_SID.into(), ToTwilio::Media { payload: &audio }));
    }
}

/// Both sides of a bridge: the last thing each of them was told, in buffers that are reused.
struct Sides {
    codec: Codec,
    agent: Vec<u8>,
    carrier: String,
    mark: Option<UtteranceId>,
}

impl Sides {
    fn new(codec: Codec) -> Self {
        Self { codec, agent: Vec::new(), carrier: String::new(), mark: None }
    }
}

impl Outlet for Sides {
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        match message {
            ToCarrier::Audio(audio) => (self.codec.write)(audio, &mut self.carrier),
            ToCarrier::Mark(utterance) => self.mark = Some(utterance),
            ToCarrier::Clear => unreachable!("nobody asks for it"),
        }
    }

    fn probe_carrier(&mut self) {}

    fn audio_to_agent(&mut self, audio: &[u8]) {
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
