//! Webhooks over real sockets: who is believed, and what a caller is answered.

mod support;

use std::time::Duration;

use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::{Reason, Verb};
use call_transports::twilio::webhook::encode_form;
use reqwest::StatusCode;
use server::company::Tenant;
use support::{
    AFTER_STREAM, AUTH_TOKEN, CALL, FORM, INBOUND, PUBLIC, Server, say, stop, token_of,
    voice_inbound, with,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const AFTER_DIAL: &str = "/twilio/after_dial";
const DIALLED: &str = "/twilio/dialled";
const RECORDING: &str = "/twilio/recording_callback";
const STATUS: &str = "/twilio/call-status";

#[tokio::test]
async fn an_inbound_call_is_connected_to_its_company_f_wh_08() {
    let server = Server::start().await;
    let mut form = voice_inbound();
    form.push(("SomethingNew".to_owned(), "ñ &= 1".to_owned()));
    let stream = server.inbound(&form).await;
    assert_eq!(stream.url(), "wss://voice.example.test/twilio/acme/en");
    assert!(token_of(&stream).len() >= 32);
}

#[tokio::test]
async fn a_webhook_with_a_wrong_signature_learns_and_changes_nothing_f_wh_01() {
    let server = Server::start().await;
    let form = voice_inbound();
    let other_url = sign(AUTH_TOKEN, &format!("{PUBLIC}{STATUS}"), &form);
    let other_token = sign("guessed", &format!("{PUBLIC}{INBOUND}"), &form);
    let changed = with(&form, "From", "+15550100002");
    let other_form = sign(AUTH_TOKEN, &format!("{PUBLIC}{INBOUND}"), &changed);
    let signatures = [
        None,
        Some(""),
        Some("nonsense"),
        Some(&*other_url),
        Some(&other_token),
        Some(&other_form),
    ];
    for path in [INBOUND, AFTER_STREAM, AFTER_DIAL, DIALLED, STATUS, RECORDING] {
        for signature in signatures.iter().filter(|s| path != STATUS || **s != Some(&*other_url)) {
            let answer = server.post_as(path, encode_form(&form), FORM, *signature).await;
            assert_eq!(answer, (StatusCode::FORBIDDEN, String::new()), "{path} {signature:?}");
        }
    }
    assert_eq!(server.app.store().unended().await.unwrap(), []);
    // It was no inbound call: the first that is signed is admitted.
    server.inbound(&form).await;
}

/// F-WH-01: nor does one that would end a call that goes on.
#[tokio::test]
async fn no_webhook_that_is_not_signed_reaches_a_call_that_goes_on() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    let over = with(&voice_inbound(), "CallStatus", "completed");
    for path in [STATUS, DIALLED, AFTER_DIAL, AFTER_STREAM, RECORDING] {
        let signature = sign("guessed", &format!("{PUBLIC}{path}"), &over);
        let answer = server.post_as(path, encode_form(&over), FORM, Some(&signature)).await;
        assert_eq!(answer, (StatusCode::FORBIDDEN, String::new()), "{path}");
    }
    assert_eq!(server.app.live(), 1);
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn the_configured_url_counts_and_not_what_the_request_says_f_wh_02() {
    let server = Server::start().await;
    let form = voice_inbound();
    // The server is reached by another host, port and scheme than Twilio was given.
    let path = format!("{INBOUND}?a=%7E%2f&b");
    assert_eq!(server.post(&path, &form).await.0, StatusCode::OK);
    let with_port = sign(AUTH_TOKEN, &format!("{PUBLIC}:443{INBOUND}"), &form);
    let answer = server.post_as(INBOUND, encode_form(&form), FORM, Some(&with_port)).await;
    assert_eq!(answer.0, StatusCode::OK);
    for origin in [format!("http://{}", server.address), "https://evil.example".to_owned()] {
        let signature = sign(AUTH_TOKEN, &format!("{origin}{INBOUND}"), &form);
        let answer = server.post_as(INBOUND, encode_form(&form), FORM, Some(&signature)).await;
        assert_eq!(answer.0, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn the_same_call_asking_again_gets_the_same_answer_f_wh_03() {
    let server = Server::start().await;
    let first = server.post(INBOUND, &voice_inbound()).await;
    assert_eq!(server.post(INBOUND, &voice_inbound()).await, first);
    let other = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    assert_ne!(server.post(INBOUND, &other).await, first);
}

#[tokio::test]
async fn a_token_that_expired_is_not_replaced_f_wh_03() {
    let server = Server::start_with(|config| config.token_life = Duration::ZERO).await;
    server.inbound(&voice_inbound()).await;
    assert_apology(&server.verbs(INBOUND, &voice_inbound()).await);
}

#[tokio::test]
async fn a_call_without_a_required_field_hears_an_apology_f_wh_07() {
    let server = Server::start().await;
    for field in ["CallSid", "AccountSid", "From", "To", "CallStatus", "Direction"] {
        let mut form = voice_inbound();
        form.retain(|(name, _)| name != field);
        assert_apology(&server.verbs(INBOUND, &form).await);
    }
    let garbled = with(&voice_inbound(), "CallSid", "CA../../Accounts");
    assert_apology(&server.verbs(INBOUND, &garbled).await);
    for path in [AFTER_STREAM, AFTER_DIAL] {
        assert_apology(&server.verbs(path, &vec![]).await);
        assert_apology(&server.verbs(path, &garbled).await);
    }
    for path in [STATUS, RECORDING] {
        assert_eq!(server.post(path, &vec![]).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(server.post(path, &garbled).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_body_that_nobody_would_send_is_refused_f_wh_09() {
    let server = Server::start().await;
    let body = |bytes: usize| "a=".to_owned() + &"b".repeat(bytes - 2);
    let giant = server.post_as(INBOUND, body(65_537), FORM, None).await;
    assert_eq!(giant, (StatusCode::PAYLOAD_TOO_LARGE, String::new()));
    let large = server.post_as(INBOUND, body(65_536), FORM, None).await;
    assert_eq!(large.0, StatusCode::FORBIDDEN);
    // Nobody says how long this one is, and it does not end.
    let mut endless = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {INBOUND} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let piece = format!("1000\r\n{}\r\n", "b".repeat(0x1000));
    endless.write_all((head + &piece.repeat(17)).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    endless.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let json = server.post_as(INBOUND, "{}", "application/json", None).await;
    assert_eq!(json.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let many = server.post_as(INBOUND, "a=b&".repeat(201), FORM, None).await;
    assert_eq!(many.0, StatusCode::BAD_REQUEST);
    let mut twice = voice_inbound();
    twice.push(("CallSid".to_owned(), CALL.to_owned()));
    assert_eq!(server.post(INBOUND, &twice).await.0, StatusCode::BAD_REQUEST);
}

/// F-WH-09: of two calls that a form names, neither is chosen.
#[tokio::test]
async fn a_webhook_that_names_two_calls_is_about_none_of_them() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    let mut status = with(&voice_inbound(), "CallStatus", "completed");
    for place in [0, status.len()] {
        let other = "CA00000000000000000000000000000012".to_owned();
        status.insert(place, ("CallSid".to_owned(), other));
        assert_eq!(server.post(STATUS, &status).await.0, StatusCode::BAD_REQUEST);
        assert_apology(&server.verbs(AFTER_STREAM, &status).await);
        status.remove(place);
    }
    assert_eq!(server.app.live(), 1, "the call goes on");
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_f_wh_10() {
    let server = Server::start().await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {INBOUND} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: 9\r\n\r\na"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

/// F-WH-10: the deadline is that of the whole body, however often a byte of it comes.
#[tokio::test]
async fn a_body_that_drips_is_not_waited_for_either_f_wh_10() {
    let server = Server::start().await;
    let (mut reads, mut writes) = TcpStream::connect(server.address).await.unwrap().into_split();
    let head = format!(
        "POST {INBOUND} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: 900\r\n\r\n"
    );
    writes.write_all(head.as_bytes()).await.unwrap();
    let drip = async {
        // Until the connection is closed.
        while writes.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(15), reads.read_exact(&mut answer));
    tokio::select! {
        read = read => { read.expect("it is answered in time").unwrap(); }
        () = drip => panic!("it is closed without an answer"),
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_number_of_nobody_is_declined_f_wh_12() {
    let server = Server::start().await;
    let form = with(&voice_inbound(), "To", "+15550100098");
    let declined = [Verb::Reject { reason: Reason::Rejected }];
    assert_eq!(server.verbs(INBOUND, &form).await, declined);
}

#[tokio::test]
async fn a_call_of_another_account_is_not_taken() {
    let server = Server::start().await;
    let form = with(&voice_inbound(), "AccountSid", "AC00000000000000000000000000000009");
    assert_apology(&server.verbs(INBOUND, &form).await);
}

#[tokio::test]
async fn one_call_too_many_hears_an_apology() {
    let server = Server::start_with(|config| config.calls_max = 1).await;
    server.inbound(&voice_inbound()).await;
    let second = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    assert_apology(&server.verbs(INBOUND, &second).await);
}

#[tokio::test]
async fn a_company_with_as_many_calls_as_it_may_have_apologises_to_the_next_caller() {
    let server = Server::start_with(|config| {
        let mut company = config.companies[0].company().clone();
        company.calls_max = Some(1);
        config.companies = vec![Tenant::new(company).unwrap()];
    })
    .await;
    server.inbound(&voice_inbound()).await;
    let second = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    assert_apology(&server.verbs(INBOUND, &second).await);
    // The one that was there first still may begin.
    server.inbound(&voice_inbound()).await;
}

#[tokio::test]
async fn a_stream_that_ended_unplanned_leads_to_an_apology() {
    let server = Server::start().await;
    assert_apology(&server.verbs(AFTER_STREAM, &voice_inbound()).await);
    assert_apology(&server.verbs(AFTER_STREAM, &vec![]).await);
    // It was told to open a stream and could not.
    server.inbound(&voice_inbound()).await;
    assert_apology(&server.verbs(AFTER_STREAM, &voice_inbound()).await);
}

#[tokio::test]
async fn a_status_is_acknowledged_as_often_as_it_comes_f_wh_04_f_wh_06() {
    let server = Server::start().await;
    for status in ["completed", "in-progress", "completed", "something new"] {
        let form = with(&voice_inbound(), "CallStatus", status);
        assert_eq!(server.post(STATUS, &form).await, (StatusCode::NO_CONTENT, String::new()));
    }
}

#[tokio::test]
async fn the_server_says_that_it_is_well() {
    let server = Server::start().await;
    assert_eq!(server.get("/health").await, StatusCode::OK);
    assert_eq!(server.get("/ready").await, StatusCode::OK);
    assert_eq!(server.get(INBOUND).await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.get("/nowhere").await, StatusCode::NOT_FOUND);
    server.app.store().close().await;
    assert_eq!(server.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/health").await, StatusCode::OK);
}

#[tokio::test]
async fn a_store_that_fails_keeps_no_caller_waiting_f_wh_11() {
    let server = Server::start().await;
    server.app.store().close().await;
    server.inbound(&voice_inbound()).await;
}

fn assert_apology(verbs: &[Verb]) {
    let is_apology = matches!(verbs, [Verb::Say { .. }, Verb::Hangup]);
    assert!(is_apology, "no apology: {verbs:?}");
}
