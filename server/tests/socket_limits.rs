//! What the media socket takes from a carrier that breaks the rules: how long a message may be, how
//! many signs of life may come, and what a control frame is.

mod support;

use std::time::Duration;

use call_transports::twilio::media::FromTwilio;
use call_transports::twilio::twiml::Verb;
use futures::SinkExt as _;
use support::{
    AFTER_STREAM, CALL, CONNECTED, Server, Socket, close_code, pause, say, start, stop, token_of,
    voice_inbound,
};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

const PATH: &str = "/twilio/acme/en";

/// The longest message that is taken (docs/limits.md).
const MESSAGE_BYTES_MAX: usize = 64 * 1_024;

const TOO_LONG: Option<u16> = Some(1009);
const BROKEN: Option<u16> = Some(1002);
const POLICY: Option<u16> = Some(1008);

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_stream_and_the_caller_is_told_f_tw_10() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    socket.send(Message::text("x".repeat(MESSAGE_BYTES_MAX + 1))).await.expect("it is sent");
    ends_as_lost(&server, socket, TOO_LONG).await;
}

#[tokio::test]
async fn pieces_that_are_too_long_together_end_the_stream_f_tw_10() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    let piece = vec![b'x'; MESSAGE_BYTES_MAX / 2];
    for opcode in [Data::Text, Data::Continue, Data::Continue] {
        let frame = Frame::message(piece.clone(), OpCode::Data(opcode), false);
        socket.send(Message::Frame(frame)).await.expect("it is sent");
    }
    ends_as_lost(&server, socket, TOO_LONG).await;
}

/// F-TW-10: nothing is reserved for a size that is only claimed. Memory for this one cannot be had,
/// and the call would be lost to a fault of ours.
#[tokio::test]
async fn a_size_that_is_only_claimed_is_not_believed() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    claim(&mut socket, 1 << 62).await;
    ends_as_lost(&server, socket, TOO_LONG).await;
}

#[tokio::test]
async fn a_message_of_the_longest_length_is_taken_and_ignored_f_tw_10() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    socket.send(Message::text("x".repeat(MESSAGE_BYTES_MAX))).await.expect("it is sent");
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// F-TW-10, F-TW-27.
#[tokio::test]
async fn before_a_stream_has_begun_the_same_limits_hold() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut long = server.open(PATH).await;
    claim(&mut long, 1 << 62).await;
    assert_eq!(close_code(&mut long).await, TOO_LONG);

    let mut pieces = server.open(PATH).await;
    pieces.send(Message::Frame(piece_of_a_ping())).await.expect("it is sent");
    assert_eq!(close_code(&mut pieces).await, BROKEN);

    let mut flood = server.open(PATH).await;
    flood_with_pings(&mut flood, 300).await;
    assert_eq!(close_code(&mut flood).await, POLICY);

    // None of them has used the token up.
    let mut rightful = server.open(PATH).await;
    say(&mut rightful, &CONNECTED).await;
    say(&mut rightful, &FromTwilio::Start(start(&token))).await;
    say(&mut rightful, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_stream_and_pings_now_and_then_do_not_f_tw_27() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    for _ in 0..5 {
        flood_with_pings(&mut socket, 10).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.app.live(), 1, "fifty in a while are borne");
    flood_with_pings(&mut socket, 2_000).await;
    ends_as_lost(&server, socket, POLICY).await;
}

#[tokio::test]
async fn a_flood_of_pongs_ends_the_stream_f_tw_27() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    for _ in 0..2_000 {
        // The socket may be closed by now.
        let _ = socket.feed(Message::Pong(Vec::new().into())).await;
    }
    let _ = socket.flush().await;
    ends_as_lost(&server, socket, POLICY).await;
}

#[tokio::test]
async fn a_control_frame_in_pieces_or_too_long_ends_the_stream_f_tw_27() {
    let long = ping(vec![0; 126], true);
    for frame in [piece_of_a_ping(), long] {
        let server = Server::start().await;
        let mut socket = server.call().await;
        socket.send(Message::Frame(frame)).await.expect("it is sent");
        ends_as_lost(&server, socket, BROKEN).await;
    }
}

/// The stream is closed with this code, the call is on record as lost, and its caller, whom the
/// carrier still has, hears words from the next document.
async fn ends_as_lost(server: &Server, mut socket: Socket, code: Option<u16>) {
    let closed = timeout(Duration::from_secs(20), close_code(&mut socket)).await;
    assert_eq!(closed.expect("the socket is closed"), code);
    assert_eq!(server.end_reason(CALL).await, "stream_lost");
    while server.app.live() > 0 {
        pause().await;
    }
    let verbs = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
}

/// The head of a text message of this length, and nothing of the message.
async fn claim(socket: &mut Socket, length: u64) {
    let mut head = vec![0x81, 0x80 | 127];
    head.extend(length.to_be_bytes());
    head.extend([0; 4]);
    socket.get_mut().write_all(&head).await.expect("it is sent");
}

fn piece_of_a_ping() -> Frame {
    ping(b"a".to_vec(), false)
}

fn ping(payload: Vec<u8>, is_final: bool) -> Frame {
    let opcode = OpCode::Control(Control::Ping);
    let header = FrameHeader { is_final, opcode, ..FrameHeader::default() };
    Frame::from_payload(header, payload.into())
}

async fn flood_with_pings(socket: &mut Socket, pings: u32) {
    for _ in 0..pings {
        // The socket may be closed by now.
        let _ = socket.feed(Message::Ping(Vec::new().into())).await;
    }
    let _ = socket.flush().await;
}
