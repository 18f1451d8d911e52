//! The operators' interface and those who have no business there: nothing is told, nothing is changed,
//! and no call is slower for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use server::api::Operators;
use support::operators::{ANN, BEN, Desk, operators, told};
use support::world::{Leg, World};
use support::{CALL, INBOUND, STREAM, Server, token_of, voice_inbound, with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIVE: &str = "/calls/live";

async fn server() -> Server {
    Server::start_with(|config| config.operators = operators()).await
}

fn hangup() -> String {
    format!("/calls/{CALL}/hangup")
}

#[tokio::test]
async fn where_nobody_is_named_there_is_no_interface() {
    let server = Server::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/health", "/openapi.json", LIVE, &hangup(), ""] {
        let url = format!("http://{}/api/v1{path}", server.address);
        for request in [http.get(&url), http.post(&url)] {
            let answer = request.bearer_auth(ANN).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.text().await.unwrap(), "");
        }
    }
}

#[tokio::test]
async fn without_a_right_token_nothing_is_told_and_nothing_changes_f_op_01() {
    let server = server().await;
    let _socket = server.call().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(ANN.to_owned()),
        Some(format!("Basic {ANN}")),
        Some(format!("Bearer {}", &ANN[1..])),
        Some(format!("Bearer {ANN}0")),
        Some(format!("Bearer {ANN},{BEN}")),
        Some(format!("Bearer {}", ANN.to_uppercase())),
        Some("Bearer ann".to_owned()),
        Some(format!("Bearer ann:operate:{ANN}")),
    ];
    let mut bodies = Vec::new();
    for (method, path) in [(Method::GET, LIVE.to_owned()), (Method::POST, hangup())] {
        for header in &wrong {
            let url = format!("http://{}/api/v1{path}", server.address);
            let mut request = http.request(method.clone(), url);
            if let Some(header) = header {
                request = request.header("Authorization", header);
            }
            let told = told(request, &method, &path).await;
            let expected = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
            assert!(expected.contains(&told.status), "{header:?}: {told:?}");
            bodies.push(told);
        }
        // Of two headers, neither is chosen.
        let url = format!("http://{}/api/v1{path}", server.address);
        let twice = http.request(method.clone(), url).bearer_auth("x").bearer_auth(ANN);
        assert_ne!(told(twice, &method, &path).await.status, StatusCode::OK);
        // Nor is a token taken where logs would keep it.
        let url = format!("http://{}/api/v1{path}?access_token={ANN}", server.address);
        let query = http.request(method.clone(), url);
        assert!(told(query, &method, &path).await.status.is_client_error());
    }
    let first = &bodies[0];
    assert_eq!((first.status, first.reason()), (StatusCode::UNAUTHORIZED, "token"));
    let all_alike = bodies.iter().filter(|told| told.status == first.status);
    assert!(all_alike.clone().count() >= wrong.len());
    assert!(all_alike.clone().all(|told| told.body == first.body), "whatever is wrong");
    assert_eq!(server.app.live(), 1, "the call goes on");
    assert_eq!(Desk::at(server.address, ANN).get(LIVE).await.status, StatusCode::OK);
}

/// What is not there is not told to strangers either: a path that exists and one that does not answer alike.
#[tokio::test]
async fn strangers_do_not_learn_which_paths_there_are_f_op_01() {
    let server = server().await;
    let stranger = Desk::at(server.address, "a-token-that-nobody-has-been-given");
    let there = stranger.get(LIVE).await;
    for (method, path) in
        [(Method::GET, "/nothing"), (Method::DELETE, LIVE), (Method::PUT, "/calls/x%2fy")]
    {
        assert_eq!(stranger.ask(method, path, None).await.body, there.body);
    }
    let operator = Desk::at(server.address, BEN);
    assert_eq!(operator.get("/nothing").await.reason(), "no-route");
    assert_eq!(server.get("/api/v1/").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_worth_nothing_f_op_01() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("calls.db");
    let other = "zoe-0123456789abcdef0123456789abcdef";
    for (secret, right, wrong) in [(ANN, ANN, other), (other, other, ANN)] {
        let mut server = Server::start_on(&database, |config| {
            config.operators = Operators::parse(&format!("ann:operate:{secret}")).unwrap();
        })
        .await;
        assert_eq!(Desk::at(server.address, right).get(LIVE).await.status, StatusCode::OK);
        assert_eq!(Desk::at(server.address, wrong).get(LIVE).await.reason(), "token");
        server.end();
    }
}

#[tokio::test]
async fn who_may_only_look_cannot_act_f_op_03() {
    let server = server().await;
    let _socket = server.call().await;
    let reader = Desk::at(server.address, BEN);
    for (path, body) in [
        (hangup(), json!({})),
        (format!("/calls/{CALL}/transfer"), json!({ "target": "servicing" })),
        (format!("/calls/{CALL}/drain"), json!({ "within_ms": 0 })),
        ("/drain".to_owned(), json!({})),
        // Nor learns whether a call is there.
        (hangup().replace("11", "77"), json!({})),
    ] {
        let told = reader.post(&path, body).await;
        assert_eq!((told.status, told.reason()), (StatusCode::FORBIDDEN, "role"), "{path}");
    }
    assert!(!server.app.is_draining());
    assert_eq!(reader.get(LIVE).await.body["calls"].as_array().unwrap().len(), 1);
    let metrics = server.metrics().await;
    assert!(metrics.contains("offhook_api_refused_total{reason=\"role\"} 5\n"), "{metrics}");
    assert!(!metrics.contains("offhook_operator_deeds_total{"), "{metrics}");
}

#[tokio::test]
async fn a_call_that_is_none_is_answered_as_such_however_it_is_named_f_op_05() {
    let server = server().await;
    let desk = Desk::at(server.address, ANN);
    for name in [
        "CA00000000000000000000000000000099",
        "live",
        "CA",
        "'%20OR%201=1",
        "..%2f..%2fhealth",
        "%00",
        "CA0000000000000000000000000000001%0d%0a",
        &"C".repeat(2_000),
    ] {
        let told = desk.post(&format!("/calls/{name}/hangup"), json!({})).await;
        assert_eq!((told.status, told.reason()), (StatusCode::NOT_FOUND, "no-call"), "{name}");
        for more in ["", "/story", "/journal"] {
            if name == "live" && more.is_empty() {
                continue;
            }
            let told = desk.get(&format!("/calls/{name}{more}")).await;
            assert_eq!(told.status, StatusCode::NOT_FOUND, "{name}{more}");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_asked_by_another_method_names_the_right_one() {
    let server = server().await;
    let desk = Desk::at(server.address, ANN);
    let _socket = server.call().await;
    for (method, path) in [
        (Method::GET, hangup()),
        (Method::PUT, hangup()),
        (Method::DELETE, format!("/calls/{CALL}")),
        (Method::POST, LIVE.to_owned()),
        (Method::GET, "/drain".to_owned()),
    ] {
        let told = desk.ask(method.clone(), &path, None).await;
        assert_eq!(told.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(told.reason(), "method");
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1{}", server.address, hangup());
    let answer = http.get(url).bearer_auth(ANN).send().await.unwrap();
    assert_eq!(answer.headers()["allow"], "POST");
    assert!(!server.app.is_draining() && server.app.live() == 1);
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_by_its_field_and_not_quoted_f_op_06() {
    let server = server().await;
    let _socket = server.call().await;
    let desk = Desk::at(server.address, ANN);
    let transfer = format!("/calls/{CALL}/transfer");
    let deep = "[".repeat(4_000);
    for (body, reason) in [
        ("", "json"),
        ("{", "json"),
        ("[]", "json"),
        ("\"secret\"", "json"),
        ("{\"target\": \"secret\"}{}", "json"),
        (&deep, "json"),
        ("{}", "field"),
        ("{\"target\": null}", "field"),
        ("{\"target\": 5550100}", "field"),
        ("{\"target\": [\"secret\"]}", "field"),
        ("{\"target\": \"secret\"}", "field"),
        ("{\"target\": \"servicing\", \"secret\": 1}", "field"),
    ] {
        let told = desk.ask(Method::POST, &transfer, Some(body.to_owned())).await;
        assert_eq!(told.reason(), reason, "{body}");
        assert!(!told.body.to_string().contains("secret"), "{told:?}");
        assert!(!told.body.to_string().contains("5550100"), "{told:?}");
        let is_named = told.body["field"] == "target";
        assert_eq!(is_named, reason == "field" && !body.contains("\"secret\": 1"), "{body}");
    }
    let drain = format!("/calls/{CALL}/drain");
    for wrong in ["-1", "1.5", "3600001", "1e99", "\"1\"", "null"] {
        let body = format!("{{\"within_ms\": {wrong}}}");
        let told = desk.ask(Method::POST, &drain, Some(body)).await;
        assert_eq!((told.reason(), &told.body["field"]), ("field", &json!("within_ms")), "{wrong}");
    }
    assert_eq!(server.app.live(), 1, "the call goes on");
}

#[tokio::test]
async fn a_body_that_nobody_would_send_is_not_read_to_its_end_f_op_06() {
    let server = server().await;
    let _socket = server.call().await;
    let desk = Desk::at(server.address, ANN);
    let drain = format!("/calls/{CALL}/drain");
    let padded = |bytes: usize| format!("{{\"within_ms\": 0{}}}", " ".repeat(bytes - 16));
    let large = desk.ask(Method::POST, &drain, Some(padded(4_097))).await;
    assert_eq!((large.status, large.reason()), (StatusCode::PAYLOAD_TOO_LARGE, "large"));
    let longest = padded(4_096).replace(": 0 ", ": -1");
    assert_eq!(longest.len(), 4_096);
    assert_eq!(desk.ask(Method::POST, &drain, Some(longest)).await.reason(), "field");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/v1{drain}", server.address);
    let form = http.post(url).bearer_auth(ANN).form(&[("within_ms", "0")]);
    let told = told(form, &Method::POST, &drain).await;
    assert_eq!((told.status, told.reason()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind"));
    // Nobody says how long this one is, and it does not end.
    let head = format!(
        "POST /api/v1{drain} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ANN}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut endless = TcpStream::connect(server.address).await.unwrap();
    let piece = format!("400\r\n{}\r\n", " ".repeat(0x400));
    endless.write_all((head.clone() + &piece.repeat(5)).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    endless.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    // And this one does not come.
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all((head + "1\r\n{\r\n").as_bytes()).await.unwrap();
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(server.app.live(), 1, "the call goes on");
}

/// I-31: calls come in, are heard, and end while somebody tries tokens, and operators are let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_wrong_tokens_slow_no_call_and_shut_nobody_out_f_op_02() {
    let world = World::begin().await;
    let server = world.server_with("", |config| config.operators = operators()).await;
    let (left, is_over) = (Arc::new(AtomicU32::new(10_000)), Arc::new(AtomicBool::new(false)));
    let guessing: Vec<_> = (0..4)
        .map(|_| {
            let (left, is_over, address) = (left.clone(), is_over.clone(), server.address);
            tokio::spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                let url = format!("http://{address}/api/v1{LIVE}");
                let one_less = |left: u32| left.checked_sub(1);
                while let Ok(number) =
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                {
                    let guess = format!("{number:032}");
                    let answer = http.get(&url).bearer_auth(guess).send().await.unwrap();
                    assert!(answer.status().is_client_error());
                }
                is_over.store(true, Ordering::Relaxed);
            })
        })
        .collect();
    let desk = Desk::at(server.address, ANN);
    let mut calls = 0;
    while !is_over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        assert_eq!(desk.get(LIVE).await.status, StatusCode::OK);
        let call = format!("CA{:032}", 100 + calls);
        let form = with(&voice_inbound(), "CallSid", &call);
        assert_eq!(server.post(INBOUND, &form).await.0, StatusCode::OK);
        assert!(begin.elapsed() < PROMPTLY, "{:?} for two requests", begin.elapsed());
        calls += 1;
        if calls == 5 {
            let token = token_of(&server.inbound(&voice_inbound()).await);
            let begin = Instant::now();
            let mut leg = Leg::open(&server, STREAM, &token).await;
            leg.hears_a_line().await;
            assert!(begin.elapsed() < PROMPTLY, "{:?} until the opening", begin.elapsed());
            leg.stop().await;
            assert_eq!(server.end_reason(CALL).await, "caller_hangup");
        }
    }
    for guesser in guessing {
        guesser.await.unwrap();
    }
    assert!(calls >= 5, "calls came in meanwhile");
    let metrics = server.metrics().await;
    let throttled = metrics
        .lines()
        .find_map(|line| line.strip_prefix("offhook_api_refused_total{reason=\"throttled\"} "));
    // 20 in ten seconds are answered one by one.
    let throttled: u32 = throttled.unwrap().parse().unwrap();
    assert!(throttled > 9_000, "{throttled}");
}

/// Twilio waits 15 s for a webhook. Without anybody who tries tokens it takes milliseconds, but this test
/// shares its machine with others, and with those who try.
const PROMPTLY: Duration = Duration::from_secs(10);
