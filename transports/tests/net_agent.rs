//! The agent's socket against a provider of a few lines.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use call_core::input::AgentLoss;
use call_transports::net::{AgentConnector, AgentFrame, AgentLeg, AgentNews, AgentSocket};
use futures::{SinkExt as _, StreamExt as _};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_async};

#[tokio::test]
async fn a_session_is_asked_for_with_our_key_and_talks_both_ways() {
    let (listener, url) = listen().await;
    let provider = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut begin = vec![0; 2_000];
        let length = stream.peek(&mut begin).await.unwrap();
        let request = String::from_utf8_lossy(&begin[..length]).to_ascii_lowercase();
        let mut socket = accept_async(&mut stream).await.unwrap();
        socket.send(Message::text("welcome")).await.unwrap();
        socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
        let mut heard = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            heard.push(message);
        }
        (request, heard)
    });

    let mut socket = connector(&url).connect().await.unwrap();
    assert!(
        matches!(next(&mut socket).await, AgentFrame::Text(text) if text.as_str() == "welcome")
    );
    assert!(matches!(next(&mut socket).await, AgentFrame::Audio(audio) if audio[..] == [1, 2, 3]));
    socket.queue_text("settings".to_owned());
    socket.queue_audio(&[4, 5]);
    poll_fn(|cx| socket.poll_flush(cx)).await;
    poll_fn(|cx| socket.poll_close(cx)).await;
    assert!(matches!(next(&mut socket).await, AgentFrame::Ended));

    let (request, heard) = provider.await.unwrap();
    assert!(request.starts_with("get /v1/agent/converse http/1.1"), "{request}");
    assert!(request.contains("authorization: token k3y"));
    assert_eq!(heard[..2], [Message::text("settings"), Message::binary(vec![4, 5])]);
    assert!(matches!(heard[2], Message::Close(_)));
}

#[tokio::test]
async fn refused_credentials_are_told_and_not_tried_again_f_dg_02() {
    for status in [401, 403] {
        let (url, tries) = refusing(status).await;
        let loss = connector(&url).connect().await.unwrap_err();
        assert_eq!(loss, AgentLoss::Refused(status));
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_provider_that_is_full_is_asked_twice_f_dg_03() {
    let (url, tries) = refusing(429).await;
    let loss = connector(&url).connect().await.unwrap_err();
    assert_eq!(loss, AgentLoss::Refused(429));
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_there_is_unreachable_f_dg_01() {
    let (listener, url) = listen().await;
    drop(listener);
    assert_eq!(connector(&url).connect().await.unwrap_err(), AgentLoss::Unreachable);
}

#[tokio::test]
async fn the_end_of_a_session_is_told_for_ever() {
    let (mut socket, provider) = session().await;
    drop(provider);
    for _ in 0..3 {
        assert!(matches!(next(&mut socket).await, AgentFrame::Ended));
    }
}

/// F-DG-08: a world that does nothing about the end is not told of it again and again.
#[tokio::test]
async fn a_leg_writes_while_it_waits_and_tells_once_that_its_session_has_ended() {
    let (listener, url) = listen().await;
    let provider = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        socket.next().await.unwrap().unwrap()
    });
    let mut leg = AgentLeg::open(connector(&url));
    leg.say("too early".to_owned());
    assert!(matches!(leg.next().await, AgentNews::Opened));
    leg.say("settings".to_owned());
    assert!(matches!(leg.next().await, AgentNews::Frame(AgentFrame::Ended)));
    assert_eq!(provider.await.unwrap(), Message::text("settings"));
    let more = tokio::time::timeout(Duration::from_millis(50), leg.next()).await;
    assert!(more.is_err(), "{more:?}");
    poll_fn(|cx| leg.poll_close(cx)).await;
}

#[tokio::test]
async fn a_message_of_more_than_a_mebibyte_ends_the_session() {
    let (mut socket, mut provider) = session().await;
    let sending = tokio::spawn(async move {
        // The other side may be gone before all of it is sent.
        let _ = provider.send(Message::text("x".repeat((1 << 20) + 1))).await;
    });
    assert!(matches!(next(&mut socket).await, AgentFrame::Ended));
    sending.await.unwrap();
}

#[tokio::test]
async fn a_provider_that_reads_nothing_costs_old_audio_and_then_the_session() {
    let (mut socket, _provider) = session().await;
    // More than any buffer of the system takes.
    for _ in 0..2_000 {
        socket.queue_audio(&[0; 8_000]);
        flush_what_goes(&mut socket).await;
    }
    assert!(socket.shed_bytes() > 0, "the oldest audio is dropped and counted");
    for _ in 0..=256 {
        socket.queue_text("keep alive".to_owned());
    }
    flush_what_goes(&mut socket).await;
    assert!(matches!(next(&mut socket).await, AgentFrame::Ended));
}

#[test]
fn a_key_is_only_sent_where_nobody_else_reads_it() {
    for url in ["ws://agent.example.com", "https://agent.example.com", "k3y"] {
        let error = AgentConnector::new(url, SecretString::from("k3y")).unwrap_err();
        assert!(error.to_string().starts_with("DEEPGRAM_AGENT_URL must "), "{error}");
        assert!(!error.to_string().contains("k3y"));
    }
    let error = AgentConnector::new("wss://agent.example.com", SecretString::from("")).unwrap_err();
    assert!(error.to_string().starts_with("DEEPGRAM_API_KEY must "), "{error}");
}

async fn next(socket: &mut AgentSocket) -> AgentFrame {
    let frame = poll_fn(|cx| socket.poll_next(cx));
    tokio::time::timeout(Duration::from_secs(10), frame).await.expect("something comes")
}

async fn flush_what_goes(socket: &mut AgentSocket) {
    poll_fn(|cx| {
        let _ = socket.poll_flush(cx);
        std::task::Poll::Ready(())
    })
    .await;
}

fn connector(url: &str) -> AgentConnector {
    AgentConnector::new(url, SecretString::from("k3y")).unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn session() -> (AgentSocket, WebSocketStream<TcpStream>) {
    let (listener, url) = listen().await;
    let provider = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async_with_config(stream, Some(WebSocketConfig::default()))
            .await
            .unwrap()
    };
    let connector = connector(&url);
    let (socket, provider) = tokio::join!(connector.connect(), provider);
    (socket.unwrap(), provider)
}

/// A provider that refuses every upgrade, and how often it was asked.
async fn refusing(status: u16) -> (String, Arc<AtomicU32>) {
    let (listener, url) = listen().await;
    let tries = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&tries);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 2_000];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, tries)
}
