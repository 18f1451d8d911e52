//! A provider that is down, and calls that keep coming: they do not wait for it one by one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use call_transports::twilio::media::{FromTwilio, ToTwilio, decode_to_twilio};
use futures::StreamExt as _;
use reqwest::StatusCode as Status;
use support::{AFTER_STREAM, CONNECTED, Server, pause, say, start, token_of, voice_inbound, with};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// F-DG-01, F-DG-03: the next caller comes to our recorded apology without a try of its own, and the
/// state of the breaker is told to whoever asks.
#[tokio::test]
async fn a_call_does_not_wait_for_an_agent_that_failed_the_calls_before_it() {
    let sessions = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&sessions);
    let refuse = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { StatusCode::SERVICE_UNAVAILABLE }
    };
    let router = Router::new().route("/v1/agent/converse", any(refuse));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = Server::start_with(|config| {
        config.deepgram.agent_url = format!("ws://{address}/v1/agent/converse");
        // Nothing is spoken there: every line comes from its recording.
        config.deepgram.speak_url = format!("http://{address}");
    })
    .await;
    assert!(server.text("/health").await.1.contains(r#""agent":"closed""#));

    let first = async { tokio::join!(play(&server, 21), play(&server, 22), play(&server, 23)) };
    let next = async {
        let (status, told) = loop {
            let (status, told) = server.text("/ready").await;
            if told.contains(r#""agent":"open""#) {
                break (status, told);
            }
            pause().await;
        };
        assert_eq!(status, Status::OK, "{told}: an apology is better than no server");
        let before = sessions.load(Ordering::SeqCst);
        (before, play(&server, 24).await)
    };
    let all = timeout(Duration::from_secs(60), async { tokio::join!(first, next) });
    let (_, (before, heard)) = all.await.unwrap();
    assert!((5..=6).contains(&before), "{before} tries of three calls");
    assert!(heard > 8_000, "{heard} bytes: the caller hears more than a second of words");
    assert_eq!(sessions.load(Ordering::SeqCst), before, "it did not ask");
    let form = with(&voice_inbound(), "CallSid", &sid(24));
    assert_ne!(server.verbs(AFTER_STREAM, &form).await, []);

    let text = server.metrics().await;
    for line in [
        r#"offhook_breaker_state{provider="agent",state="open"} 1"#,
        r#"offhook_breaker_state{provider="agent",state="closed"} 0"#,
        r#"offhook_breaker_state{provider="middleware",state="closed"} 1"#,
        r#"offhook_breaker_opened_total{provider="agent"} 1"#,
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
    }
}

/// Plays a call until we close its stream, and says how much the caller heard.
async fn play(server: &Server, number: u32) -> usize {
    let form = with(&voice_inbound(), "CallSid", &sid(number));
    let token = token_of(&server.inbound(&form).await);
    let mut socket = server.open("/twilio/acme/en").await;
    say(&mut socket, &CONNECTED).await;
    let mut begins = start(&token);
    begins.call_sid = sid(number);
    say(&mut socket, &FromTwilio::Start(begins)).await;
    let (mut heard, mut scratch) = (0, Vec::new());
    let listening = async {
        while let Some(Ok(message)) = socket.next().await {
            let text = match message {
                Message::Text(text) => text,
                Message::Close(_) => break,
                _ => continue,
            };
            match decode_to_twilio(&text, &mut scratch).unwrap().1 {
                ToTwilio::Media { payload } => heard += payload.len(),
                ToTwilio::Mark { name } => {
                    let name = name.into_owned().into();
                    say(&mut socket, &FromTwilio::Mark { name }).await;
                }
                ToTwilio::Clear => {}
            }
        }
    };
    listening.await;
    server.end_reason(&sid(number)).await;
    heard
}

fn sid(number: u32) -> String {
    format!("CA{number:032}")
}
