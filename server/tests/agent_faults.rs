//! An agent's session that does what no provider should, on a real server: what is borne with, to the
//! last message, and what the caller's side is spared.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use call_core::input::{Input, Playback};
use call_core::step::Cause;
use call_transports::deepgram::{Role, ServerMessage};
use support::world::{Leg, World};
use support::{CALL, STREAM, Server, pause, token_of, voice_inbound};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// µ-law: eight bytes are a millisecond.
const BYTES_PER_S: usize = 8_000;

/// F-DG-14, I-17: the caller's voice stops the agent at once, and nothing of what was cut is heard after
/// that, although the agent still sends it.
#[tokio::test]
async fn a_caller_who_speaks_up_hears_nothing_more_of_what_was_said() {
    let (world, server, mut leg) = call().await;
    let before = leg.heard;
    speak(&world, "This takes a while.", 20);
    leg.playing(sleep(Duration::from_millis(500))).await;
    assert!(leg.heard > before, "the agent is heard");
    world.tells(&ServerMessage::UserStartedSpeaking);
    let since = Instant::now();
    while leg.cleared.is_empty() {
        leg.playing(sleep(Duration::from_millis(5))).await;
        assert!(since.elapsed() < Duration::from_secs(2), "nothing is taken back");
    }
    world.sends(Message::Binary(vec![0x2A; BYTES_PER_S].into()));
    leg.playing(sleep(Duration::from_millis(500))).await;
    assert_eq!(leg.cleared, [leg.heard], "it is taken back once, and nothing comes behind it");
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let journal = server.app.store().journal(CALL).await.unwrap();
    let cuts = journal.iter().filter_map(|step| match &step.cause {
        Cause::Input(Input::Playback(Playback::Cut { utterance, heard, audio, .. })) => {
            Some((utterance.is_agents(), heard < audio))
        }
        _ => None,
    });
    assert_eq!(cuts.collect::<Vec<_>>(), [(true, true)], "what was cut is not on record as heard");
}

/// F-DG-29: a minute of speech in no time. The carrier is a little ahead of the caller's ear and no more,
/// half a minute waits in our hands, and the rest is counted.
#[tokio::test]
async fn speech_that_comes_all_at_once_is_handed_on_as_it_is_heard() {
    let (world, server, mut leg) = call().await;
    let before = leg.heard;
    let since = Instant::now();
    speak(&world, "This takes a minute.", 60);
    leg.playing(sleep(Duration::from_secs(1))).await;
    let heard = leg.heard - before;
    let ahead = Duration::from_millis((heard / 8) as u64).saturating_sub(since.elapsed());
    assert!(heard >= 2 * BYTES_PER_S, "{heard} bytes");
    assert!(ahead <= Duration::from_millis(2_200), "{ahead:?} ahead of the ear");
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let metrics = server.metrics().await;
    let dropped = |reason| {
        let name = format!(
            "offhook_audio_dropped_bytes_total{{direction=\"to_caller\",reason=\"{reason}\",\
             company=\"summit\"}} "
        );
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("{metrics}")).parse::<usize>().unwrap()
    };
    let (overflow, cut) = (dropped("overflow"), dropped("cut"));
    let handed_on = leg.heard - before;
    assert_eq!(overflow + cut + handed_on, 60 * BYTES_PER_S, "every byte is accounted for");
    assert!(cut <= 30 * BYTES_PER_S, "{cut} bytes waited");
}

/// F-DG-27: nine messages that nobody can read change nothing, and the tenth ends the session. What is a
/// message in another shape never does.
#[tokio::test]
async fn nine_unreadable_messages_are_borne_and_the_tenth_costs_the_session() {
    let (mut world, _server, mut leg) = call().await;
    for _ in 0..100 {
        world.sends(Message::Text(r#"{"type":"ConversationText","role":7}"#.into()));
        world.sends(Message::Text(r#"{"type":"Rumour","content":"x"}"#.into()));
    }
    let deep = "[".repeat(100_000);
    for unreadable in ["", "{", "7", "null", "[]", "{\"type\":7}", &deep, "{}", "\u{fffd}"] {
        world.sends(Message::Text(unreadable.into()));
    }
    answers(&mut world, &mut leg, "1").await;
    assert_eq!(world.sessions(), 1);
    world.sends(Message::Text("{".into()));
    is_lost(&world, &mut leg).await;
}

/// F-DG-27: a message of the longest length is read, here as nothing, and one byte more ends the session.
/// Audio is bounded likewise.
#[tokio::test]
async fn a_message_may_be_a_mebibyte_long_and_no_longer() {
    let longest = 1 << 20;
    let (mut world, _server, mut leg) = call().await;
    world.sends(Message::Text("x".repeat(longest).into()));
    world.sends(Message::Binary(vec![0x2A; longest].into()));
    answers(&mut world, &mut leg, "1").await;
    assert_eq!(world.sessions(), 1);
    world.sends(Message::Text("x".repeat(longest + 1).into()));
    is_lost(&world, &mut leg).await;

    let (world, _server, mut leg) = call().await;
    world.sends(Message::Binary(vec![0x2A; longest + 1].into()));
    is_lost(&world, &mut leg).await;
}

/// A call whose opening was heard, and whose agent listens.
async fn call() -> (World, Server, Leg) {
    let world = World::begin().await;
    let server = world.server("").await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    // Until the carrier has said so, and the caller has the floor.
    leg.playing(sleep(Duration::from_millis(300))).await;
    (world, server, leg)
}

/// The agent says something that takes so many seconds, and sends it at once.
fn speak(world: &World, words: &str, seconds: usize) {
    world.tells(&ServerMessage::ConversationText {
        role: Role::Assistant,
        content: words.into(),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    });
    for _ in 0..seconds * 10 {
        world.sends(Message::Binary(vec![0x2A; BYTES_PER_S / 10].into()));
    }
}

/// The session is there, and is answered.
async fn answers(world: &mut World, leg: &mut Leg, id: &str) {
    world.ask(id, "transfer_call", r#"{"target":"nobody"}"#);
    assert_eq!(leg.playing(world.answer()).await.0, id);
}

/// The session is given up, and another one asked for.
async fn is_lost(world: &World, leg: &mut Leg) {
    let lost = async {
        while world.sessions() < 2 {
            pause().await;
        }
    };
    timeout(PATIENCE, leg.playing(lost)).await.expect("the session is given up");
}
