//! Shared parts of the benches.
//!
//! A bench asserts that it measures what it says, before it measures. It never asserts a time:
//! times are read, by people, beside each other.

#![allow(dead_code, reason = "no bench needs all of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;

use call_core::{Brief, Call, CallTime, Effect, Input, Language, Millis};
use call_transports::bridge::{Bridge, Outlet};
use call_transports::deepgram::{AgentProfile, ServerMessage};
use call_transports::twilio::media::{FromTwilio, Media, Track, encode_from_twilio};
use sim::Scenario;

/// The media stream of every bench.
pub(crate) const STREAM_SID: &str = "MZ00000000000000000000000000000021";

/// The length of audio in one frame of the carrier.
pub(crate) const FRAME: Millis = Millis(20);

/// The bytes of audio in one frame of the carrier.
pub(crate) const FRAME_BYTES: usize = 160;

/// How everything here is measured: briefly. Takes the arguments of the command line into account,
/// which also say whether to measure at all or only to run everything once.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}

/// A frame of audio in which no byte follows from the one before it.
pub(crate) fn audio() -> [u8; FRAME_BYTES] {
    let mut state = 7_u32;
    std::array::from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
}

/// A frame of the caller's audio as Twilio sends it, some way into a call.
pub(crate) fn caller_frame() -> String {
    let media = Media {
        track: Track::Inbound,
        chunk: Some(2_868),
        timestamp_ms: Some(57_340),
        payload: &audio(),
    };
    let mut text = String::new();
    encode_from_twilio(&FromTwilio::Media(media), STREAM_SID, 2_869, &mut text);
    text
}

/// A bridge whose agent listens.
pub(crate) fn bridge(out: &mut impl Outlet) -> Bridge {
    let profile = AgentProfile {
        tags: Vec::new(),
        listen_model: "nova-3".to_owned(),
        language_hints: Vec::new(),
        keyterms: Vec::new(),
        think_provider: "open_ai".to_owned(),
        think_model: "gpt-4o-mini".to_owned(),
        prompt: "Be brief.".to_owned(),
        voice: "aura-2-thalia-en".to_owned(),
        functions: Vec::new(),
        context: Vec::new(),
    };
    let mut bridge = Bridge::new(BTreeMap::from([(Language::English, profile)]), Vec::new());
    let open = Effect::OpenAgent { language: Language::English, resume: false };
    bridge.perform(CallTime::ZERO, &open, out);
    bridge.from_agent(CallTime::ZERO, ServerMessage::SettingsApplied, out);
    bridge
}

/// An example call that was told these things, in this order.
pub(crate) fn call(told: &[(CallTime, Input)]) -> Call {
    let (mut call, _) = Call::new(Brief::example());
    for (at, input) in told {
        call.step(*at, input.clone());
    }
    call
}

/// The file of the call about a late payment: about a minute of talk, with one lookup. The caller's
/// turns are recordings.
pub(crate) fn late_payment() -> PathBuf {
    scenario("late_payment.ron")
}

/// The file of a call with a lookup and a payment, about half a minute. The caller's turns are text,
/// for which the simulator makes sound by itself.
pub(crate) fn asked_again() -> PathBuf {
    scenario("s09_asked_again.ron")
}

fn scenario(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios")).join(file)
}

/// What a file says.
pub(crate) fn load(file: &Path) -> Scenario {
    Scenario::load(file).expect("the scenario is a sound one")
}
