//! The process and its host: too few files, a log that nobody reads, an event loop that stalls.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::extract::ws::Message;
use call_core::call::Timer;
use call_core::step::Cause;
use reqwest::StatusCode;
use support::process::{Process, free};
use support::world::{Leg, World};
use support::{CALL, STREAM, scrape, token_of, voice_inbound};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// F-PR-09: connections beyond the limit are not answered. The listener neither dies nor spins, those
/// who are there already are served, and so is everybody when files are free again.
#[tokio::test]
async fn a_server_without_free_files_breathes_and_takes_connections_again() {
    let server = Process::start("ulimit -n 64; exec \"$0\"", Stdio::null(), &[]).await;
    let mut early = server.connect().await;
    assert!(ask_health(&mut early).await, "it is served before");

    let mut many = Vec::new();
    for _ in 0..120 {
        many.push(server.connect().await);
    }
    sleep(Duration::from_millis(500)).await;
    let before = server.cpu();
    assert!(ask_health(&mut early).await, "whoever was there is still served");
    let mut late = server.connect().await;
    assert!(!ask_health(&mut late).await, "there is no file for this one");
    sleep(Duration::from_secs(1)).await;
    let spent = server.cpu() - before;
    assert!(spent < Duration::from_millis(600), "{spent:?} in more than two seconds: it spins");

    drop(many);
    assert!(ask_health(&mut late).await, "files are free again");
    assert!(ask_health(&mut server.connect().await).await);
}

/// F-PR-11: standard error is a pipe, full, and nobody reads it.
#[tokio::test]
async fn a_log_that_nobody_reads_keeps_no_request_waiting_and_its_loss_is_counted() {
    let scraped = free();
    let metrics = ("METRICS_ADDR", scraped.to_string());
    let server = Process::start("exec \"$0\"", Stdio::piped(), &[metrics]).await;
    // Each of these is a line in the log: somebody whose signature is wrong.
    let knock = "POST /twilio/call-status HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\
        content-type: application/x-www-form-urlencoded\r\nx-twilio-signature: a\r\n\r\n";
    let knocking = (0..8).map(|_| async {
        let mut stream = server.connect().await;
        for _ in 0..40 {
            stream.write_all(knock.repeat(25).as_bytes()).await.unwrap();
            for _ in 0..25 {
                assert!(head(&mut stream).await.starts_with("HTTP/1.1 403"));
            }
        }
    });
    let all = futures::future::join_all(knocking);
    timeout(Duration::from_secs(60), all).await.expect("every request is answered");
    let since = Instant::now();
    assert!(ask_health(&mut server.connect().await).await);
    assert!(since.elapsed() < Duration::from_secs(1));
    let text = scrape(scraped).await;
    let dropped = value(&text, "offhook_log_lines_dropped_total");
    // 8,000 lines, of which 4,096 may wait and a pipe takes some hundreds.
    assert!((1_000.0..8_000.0).contains(&dropped), "{dropped} lines");
}

/// F-PR-10, I-14: the whole event loop stands still while a timer of a call becomes due.
#[tokio::test]
async fn a_timer_that_is_due_while_the_event_loop_stalls_fires_late_and_once() {
    let world = World::begin().await;
    let server = world.server("silence_prompt = 1000\nsilence_farewell = 60000").await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    // Until the carrier has said so, and the caller has the floor.
    leg.playing(sleep(Duration::from_millis(300))).await;
    std::thread::sleep(Duration::from_millis(1_500));
    leg.hears_a_line().await;
    leg.playing(sleep(Duration::from_millis(300))).await;
    leg.stop().await;
    server.end_reason(CALL).await;
    let journal = server.app.store().journal(CALL).await.unwrap();
    let prompts = journal.iter().filter(|step| step.cause == Cause::Timer(Timer::SilencePrompt));
    assert_eq!(prompts.count(), 1);
    assert!(journal.windows(2).all(|pair| pair[0].at <= pair[1].at), "time only goes on");

    let text = server.metrics().await;
    let all = value(&text, "offhook_loop_late_seconds_count");
    let under_a_second = value(&text, "offhook_loop_late_seconds_bucket{le=\"1.0\"}");
    assert!(all > under_a_second, "the stall is counted:\n{text}");
}

/// F-PR-05, I-29: an agent that tells of more words than anybody can speak, without end. The journal is
/// what a call keeps of all that; everything else that it keeps has a bound of its own.
#[tokio::test]
async fn a_call_that_grows_without_end_is_ended_while_it_is_small() {
    let world = World::begin().await;
    let server = world.server("").await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    world.hears("the dog is barking again", 60_000);
    assert_eq!(leg.playing(server.end_reason(CALL)).await, "operator_hangup");
    let steps = server.app.store().journal(CALL).await.unwrap().len();
    assert!((20_000..20_500).contains(&steps), "{steps} steps of 60,000 messages");
}

/// F-PR-05, I-29: likewise, with messages that are long instead of many: it takes back what it never asked.
#[tokio::test]
async fn a_call_that_grows_by_long_messages_is_ended_while_it_is_small() {
    let world = World::begin().await;
    let server = world.server("").await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    let id = "x".repeat(1_000_000);
    let text =
        format!(r#"{{"type":"FunctionCallCancelled","functions":[{{"id":"{id}","name":"x"}}]}}"#);
    for _ in 0..40 {
        world.sends(Message::Text(text.clone().into()));
    }
    assert_eq!(leg.playing(server.end_reason(CALL)).await, "operator_hangup");
    let steps = server.app.store().journal(CALL).await.unwrap();
    let bytes: usize = steps.iter().map(|step| serde_json::to_vec(step).unwrap().len() + 1).sum();
    assert!((16 << 20..18 << 20).contains(&bytes), "{bytes} bytes of 40 million");
}

/// Whether the server is asked on this connection and answers within a second.
async fn ask_health(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let answer = timeout(Duration::from_secs(1), head(stream)).await;
    answer.is_ok_and(|head| head.starts_with(&format!("HTTP/1.1 {}", StatusCode::OK.as_u16())))
}

/// The head of the next answer. Its body is read too, and dropped.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    head
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
}
