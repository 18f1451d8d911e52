//! A company's middleware that is slow, refuses us or says too much, and what the agent of a running
//! call is told. Over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use call_core::LineId;
use call_core::step::Fact;
use support::world::{Leg, World};
use support::{CALL, STREAM, Server, pause, token_of, voice_inbound};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const LOAN: &str = r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"62701"}"#;

const FOUND: &str = r#"{"date_of_birth_matches":true,"zip_matches":true,"loan":{
    "first_name":"Maria","due_cents":24310,"due_date":"2026-02-28","days_late":2}}"#;

/// F-MW-08, F-MW-02: a byte now and then keeps no caller waiting, because the limit is for the whole
/// answer. One that never begins is the same.
#[tokio::test]
async fn an_answer_that_drips_or_never_comes_is_waited_for_until_the_call_s_own_limit() {
    for manners in [Manners::Drips, Manners::Silent] {
        let (desk, mut world, _server, mut leg) = call("lookup = 1500", manners).await;
        let since = Instant::now();
        let told = look_up(&mut world, &mut leg, "1").await;
        assert!(since.elapsed() >= Duration::from_millis(1_400), "{:?}", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());
        assert!(told.contains("took too long"), "{told}");
        assert_eq!(desk.asked(), 1);
    }
}

/// F-MW-07, I-15: the caller hears that we are checking, and not whether they are still there.
#[tokio::test]
async fn a_middleware_that_takes_its_time_is_waited_for_with_a_word_to_the_caller() {
    let slow = Manners::Answers { after: Duration::from_millis(3_000), with: whole(200, FOUND) };
    let limits = "filler = 1000\nsilence_prompt = 1500\nsilence_farewell = 60000";
    let (_, mut world, server, mut leg) = call(limits, slow).await;
    let told = look_up(&mut world, &mut leg, "1").await;
    assert!(told.contains("Maria"), "{told}");
    leg.stop().await;
    server.end_reason(CALL).await;
    let lines = lines_asked_for(&server).await;
    let filler = lines.iter().position(|line| *line == LineId::Hold);
    let filler = filler.expect("something is said meanwhile");
    assert!(!lines[..filler].contains(&LineId::StillThere), "{lines:?}");
}

/// F-MW-12, I-26: a field that nobody agreed on reaches neither the model nor the record.
#[tokio::test]
async fn fields_that_nobody_agreed_on_are_dropped() {
    let more = FOUND.replacen('{', r#"{"ssn":"078-05-1120","note":"deceased","#, 1).replace(
        "\"days_late\":2",
        "\"days_late\":2,\"account\":\"000123456789\",\"risk\":\"bad\"",
    );
    let answers = Manners::Answers { after: Duration::ZERO, with: whole(200, &more) };
    let (_, mut world, server, mut leg) = call("", answers).await;
    let told = look_up(&mut world, &mut leg, "1").await;
    assert!(told.contains("24310") && told.contains("Maria"), "{told}");
    leg.stop().await;
    server.end_reason(CALL).await;
    let journal = serde_json::to_string(&server.app.store().journal(CALL).await.unwrap()).unwrap();
    for planted in ["078-05-1120", "078051120", "deceased", "000123456789", "\"bad\"", "ssn"] {
        assert!(!told.contains(planted), "{planted} reached the model");
        assert!(!journal.contains(planted), "{planted} is on record");
    }
}

/// F-MW-14, F-MW-15, F-MW-19: the model is told at once, and the middleware is left alone.
#[tokio::test]
async fn a_middleware_that_refuses_us_is_not_asked_again_by_the_same_call() {
    for refusal in
        [whole(401, "{}"), whole(429, "{}").replacen("\r\n", "\r\nretry-after: 30\r\n", 1)]
    {
        let answers = Manners::Answers { after: Duration::ZERO, with: refusal };
        let (desk, mut world, server, mut leg) = call("", answers).await;
        for id in ["1", "2", "3"] {
            let since = Instant::now();
            let told = look_up(&mut world, &mut leg, id).await;
            assert!(told.contains("does not answer just now"), "{told}");
            assert!(since.elapsed() < Duration::from_secs(2), "nobody waits");
        }
        assert_eq!(desk.asked(), 1);
        let (status, told) = server.text("/ready").await;
        assert_eq!(status, 200, "{told}");
        assert!(told.contains(r#""middleware":"open""#), "{told}");
        assert!(told.contains(r#""agent":"closed""#), "{told}");
    }
}

async fn call(limits: &str, manners: Manners) -> (Desk, World, Server, Leg) {
    let desk = Desk::open(manners).await;
    let world = World::begin().await;
    let url = desk.url.clone();
    let server = world.server_with(limits, |config| config.middleware.url = url).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let leg = Leg::open(&server, STREAM, &token).await;
    (desk, world, server, leg)
}

/// What the model is told of a lookup.
async fn look_up(world: &mut World, leg: &mut Leg, id: &str) -> String {
    world.ask(id, "lookup_loan", LOAN);
    let (answered, told) = leg.playing(world.answer()).await;
    assert_eq!(answered, id);
    told
}

async fn lines_asked_for(server: &Server) -> Vec<LineId> {
    let steps = loop {
        let steps = server.app.store().journal(CALL).await.unwrap();
        if !steps.is_empty() {
            break steps;
        }
        pause().await;
    };
    let facts = steps.into_iter().flat_map(|step| step.facts);
    facts
        .filter_map(|fact| match fact {
            Fact::LineRendered { line, .. } => Some(line),
            _ => None,
        })
        .collect()
}

/// How a middleware behaves.
#[derive(Clone)]
enum Manners {
    /// Sends the head of an answer, and then a byte now and then.
    Drips,
    /// Takes the question and says nothing.
    Silent,
    Answers {
        after: Duration,
        with: String,
    },
}

/// A middleware.
struct Desk {
    url: String,
    asked: Arc<AtomicU32>,
}

impl Desk {
    async fn open(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, manners.clone()));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, manners: Manners) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        stream.read_buf(&mut request).await.unwrap();
    }
    match manners {
        Manners::Drips => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            while stream.write_all(b" ").await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        }
        Manners::Silent => sleep(Duration::from_secs(60)).await,
        Manners::Answers { after, with } => {
            sleep(after).await;
            stream.write_all(with.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    }
}

fn whole(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} So\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}
