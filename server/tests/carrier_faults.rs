//! A carrier's socket that does what no carrier should, on a real server: what is borne with, to the last
//! frame, what is not, and that nothing of it reaches the agent or stays behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::time::Duration;

use call_transports::twilio::media::{FromTwilio, Media, Start, Track, encode_from_twilio};
use support::world::{Leg, PATH, World};
use support::{
    CALL, CONNECTED, STREAM, Server, Socket, close_code, pause, say, start, stop, token_of,
    voice_inbound,
};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

const POLICY: Option<u16> = Some(1008);
const PATIENCE: Duration = Duration::from_secs(20);

/// What the rightful caller says.
const CALLER: u8 = 0x22;

/// F-TW-01, F-TW-04, F-TW-17, F-TW-18: whoever is not let in costs no session of the agent's, no record
/// and no place, and the rightful stream still comes.
#[tokio::test]
async fn a_stream_that_is_refused_leaves_nothing_behind() {
    let (mut world, server) = stage().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut refused = 0;
    for start in [
        start("guessed"),
        Start { call_sid: CALL.replace("11", "12"), ..start(&token) },
        Start { account_sid: CALL.replace("CA", "AC"), ..start(&token) },
    ] {
        let mut socket = server.open(PATH).await;
        say(&mut socket, &CONNECTED).await;
        say(&mut socket, &audio(&[0x11; 160])).await;
        say(&mut socket, &FromTwilio::Start(start)).await;
        assert_eq!(close_code(&mut socket).await, POLICY);
        refused += 1;
    }
    assert_eq!((refused, server.app.live(), world.sessions()), (3, 0, 0));
    assert_eq!(server.app.store().unended().await.unwrap(), []);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    assert!(world.asked_nothing_more());
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// F-TW-02: signs of life are no beginning, and whoever waited for one is gone with the socket.
#[tokio::test]
async fn a_stream_that_only_breathes_is_closed_and_holds_nothing() {
    let world = World::begin().await;
    let limit = Duration::from_millis(400);
    let mut server = world.server_with("", |config| config.start_limit = limit).await;
    let mut socket = server.open(PATH).await;
    say(&mut socket, &CONNECTED).await;
    for _ in 0..8 {
        sleep(limit / 8).await;
        // The socket may be closed by now.
        let _ = futures::SinkExt::send(&mut socket, Message::Ping(Vec::new().into())).await;
    }
    let closed = timeout(limit, close_code(&mut socket)).await;
    assert_eq!(closed.expect("it is closed in time"), POLICY);
    assert_eq!(world.sessions(), 0);
    server.end();
    // The last answers have five seconds; a task that stayed would have the limit of draining.
    timeout(PATIENCE, &mut server.serving).await.expect("nothing is left").unwrap().unwrap();
}

/// F-TW-04, F-TW-13, F-TW-14: as much as is borne before a stream begins, and one more of each.
#[tokio::test]
async fn before_a_stream_begins_so_much_chatter_is_borne_and_no_more() {
    let (world, server) = stage().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    for (sensible, useless, is_borne) in [(251, 0, false), (0, 10, false), (250, 9, true)] {
        let mut socket = server.open(PATH).await;
        say(&mut socket, &CONNECTED).await;
        for _ in 0..sensible {
            say(&mut socket, &audio(&[0x11; 160])).await;
        }
        for number in 0..useless {
            send(&mut socket, garbage(number)).await;
        }
        if !is_borne {
            assert_eq!(close_code(&mut socket).await, POLICY, "{sensible} {useless}");
            continue;
        }
        say(&mut socket, &FromTwilio::Start(start(&token))).await;
        while server.app.live() == 0 {
            pause().await;
        }
        say(&mut socket, &stop()).await;
        assert_eq!(server.end_reason(CALL).await, "caller_hangup");
        assert!(!world.caller().contains(&0x11), "it belongs to no call");
    }
}

/// F-TW-04, F-TW-11, F-TW-12, F-TW-13, F-TW-19: of all that looks like audio, the agent gets the call's.
#[tokio::test]
async fn only_the_calls_own_audio_comes_to_the_agent() {
    let (world, server) = stage().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut socket = server.open(PATH).await;
    say(&mut socket, &CONNECTED).await;
    say(&mut socket, &audio(&[0x11; 160])).await;
    say(&mut socket, &FromTwilio::Start(start(&token))).await;
    while world.open_sessions() == 0 {
        pause().await;
    }
    let foreign = text(&audio(&[0x33; 160]), "MZ00000000000000000000000000000009");
    let outbound = Media { track: Track::Outbound, ..media(&[0x44; 160]) };
    let torn = text(&audio(&[0x55; 160]), STREAM).replace("VVVV", "VV*V");
    for frame in [
        foreign,
        text(&FromTwilio::Media(outbound), STREAM),
        torn,
        text(&audio(&[0x66; 8_001]), STREAM),
        text(&audio(&[]), STREAM),
    ] {
        send(&mut socket, Message::text(frame)).await;
    }
    send(&mut socket, Message::binary(vec![0x77; 160])).await;
    // The longest that there is, and the shortest.
    for length in [8_000, 1] {
        say(&mut socket, &audio(&vec![CALLER; length])).await;
    }
    let heard = async {
        while world.caller().len() < 8_001 {
            pause().await;
        }
    };
    timeout(PATIENCE, heard).await.expect("the caller is heard");
    assert_eq!(world.caller(), vec![CALLER; 8_001]);
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let told = "offhook_frames_ignored_total{from=\"carrier\",company=\"summit\"} 4\n";
    let metrics = server.metrics().await;
    assert!(metrics.contains(told), "{metrics}");
}

/// F-TW-11, F-TW-13, F-TW-14: the last frame that is borne, and the one that is too many.
#[tokio::test]
async fn a_call_bears_so_many_bad_frames_and_no_more() {
    let unreadable = || Message::text(text(&audio(&[0x55; 160]), STREAM).replace("VVVV", "VV*V"));
    for (borne, last) in [
        ((0..9).map(garbage).collect::<Vec<_>>(), garbage(9)),
        ((0..49).map(|_| unreadable()).collect(), unreadable()),
    ] {
        let (world, server) = stage().await;
        let token = token_of(&server.inbound(&voice_inbound()).await);
        let mut leg = Leg::open(&server, STREAM, &token).await;
        leg.hears_a_line().await;
        for frame in borne {
            leg.send(frame).await;
        }
        leg.send(Message::text(text(&audio(&[CALLER; 160]), STREAM))).await;
        let heard = async {
            while !world.caller().contains(&CALLER) {
                pause().await;
            }
        };
        leg.playing(heard).await;
        assert_eq!(server.app.live(), 1);
        if last.is_text() {
            // What could be read ended the row: it begins anew.
            for _ in 0..49 {
                leg.send(last.clone()).await;
            }
            leg.playing(sleep(Duration::from_millis(100))).await;
            assert_eq!(server.app.live(), 1);
        }
        leg.send(last).await;
        assert_eq!(leg.closed().await, POLICY);
        assert_eq!(server.end_reason(CALL).await, "stream_lost");
    }
}

/// F-TW-03: a stream that calls itself another's is closed, and nothing of the other is touched.
#[tokio::test]
async fn a_stream_that_begins_again_as_another_is_closed() {
    let other = CALL.replace("11", "12");
    for again in [
        Start { call_sid: other.clone(), ..start("") },
        Start { stream_sid: STREAM.replace("MZ0", "MZ1"), ..start("") },
    ] {
        let (world, server) = stage().await;
        let token = token_of(&server.inbound(&voice_inbound()).await);
        let mut leg = Leg::open(&server, STREAM, &token).await;
        leg.hears_a_line().await;
        leg.send(Message::text(text(&FromTwilio::Start(again), STREAM))).await;
        assert_eq!(leg.closed().await, POLICY);
        assert_eq!(server.end_reason(CALL).await, "stream_lost");
        assert_eq!(world.sessions(), 1);
        assert_eq!(server.app.store().call(&other).await.unwrap(), None);
    }
}

/// F-TW-08: the socket breaks without a word, and nothing stays open: not the agent's session, not the
/// record, not the call's place.
#[tokio::test]
async fn a_socket_that_breaks_leaves_no_session_and_no_record_open() {
    let (world, server) = stage().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    assert_eq!(world.open_sessions(), 1);
    drop(leg);
    assert_eq!(server.end_reason(CALL).await, "stream_lost");
    let closed = async {
        while world.open_sessions() > 0 || server.app.live() > 0 {
            pause().await;
        }
    };
    timeout(PATIENCE, closed).await.expect("the agent's session is closed");
    assert_eq!(server.app.store().unended().await.unwrap(), []);
}

async fn stage() -> (World, Server) {
    let world = World::begin().await;
    let server = world.server("").await;
    (world, server)
}

/// What is no message, in one way or another.
fn garbage(number: u32) -> Message {
    match number % 3 {
        0 => Message::binary(vec![0x77; 160]),
        1 => Message::text("{\"event\":\"media\""),
        _ => Message::text("[".repeat(20_000)),
    }
}

fn audio(payload: &[u8]) -> FromTwilio<'_> {
    FromTwilio::Media(media(payload))
}

fn media(payload: &[u8]) -> Media<'_> {
    Media { track: Track::Inbound, chunk: None, timestamp_ms: None, payload }
}

fn text(message: &FromTwilio<'_>, stream: &str) -> String {
    let mut text = String::new();
    encode_from_twilio(message, stream, 2, &mut text);
    text
}

async fn send(socket: &mut Socket, frame: Message) {
    futures::SinkExt::send(socket, frame).await.unwrap();
}
