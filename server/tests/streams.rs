//! Media sockets over a real port: who may open one, and what remains of a call.

mod support;

use std::time::Duration;

use call_core::input::{Carrier, Input};
use call_core::step::{Cause, Step};
use call_core::{Call, Language};
use call_transports::twilio::media::{FromTwilio, Media, MediaFormat, Start, Track};
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::Verb;
use call_transports::twilio::webhook::encode_form;
use futures::SinkExt as _;
use reqwest::StatusCode;
use support::{
    AFTER_STREAM, AUTH_TOKEN, CALL, CONNECTED, FORM, INBOUND, PUBLIC, Server, close_code, pause,
    say, start, stop, token_of, voice_inbound, with,
};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::{Error, Message};

const POLICY: Option<u16> = Some(1008);
const PATH: &str = "/twilio/acme/en";

#[tokio::test]
async fn an_upgrade_without_a_right_signature_is_refused_f_tw_01() {
    let server = Server::start().await;
    let other_path = sign(AUTH_TOKEN, "wss://voice.example.test/twilio/acme/es", &[]);
    let local = sign(AUTH_TOKEN, &format!("ws://{}{PATH}", server.address), &[]);
    for signature in [None, Some("nonsense"), Some(&*other_path), Some(&local)] {
        let refusal = server.open_as(PATH, signature).await.map(drop);
        let Err(Error::Http(answer)) = refusal else { panic!("not refused: {refusal:?}") };
        assert_eq!(answer.status().as_u16(), 403);
    }
    // Not an upgrade at all, and of nobody.
    assert_eq!(server.get(PATH).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_stream_for_a_company_that_is_not_ours_is_not_found_f_wh_16() {
    let server = Server::start().await;
    for path in [
        "/twilio/other/en",
        "/twilio/ACME/en",
        "/twilio/%61cme%00/en",
        "/twilio/..%2F..%2Fetc%2Fpasswd/en",
        "/twilio/acme'%20OR%20'1'='1/en",
    ] {
        let signature = sign(AUTH_TOKEN, &format!("https://voice.example.test{path}"), &[]);
        let refusal = server.open_as(path, Some(&signature)).await.map(drop);
        let Err(Error::Http(answer)) = refusal else { panic!("not refused: {path} {refusal:?}") };
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_stream_in_a_language_that_we_do_not_speak_is_in_the_company_s_own_f_wh_16() {
    for tag in ["xx", "EN", "..%2F..%2Fen", "es%00", &"e".repeat(2_000)] {
        let server = Server::start().await;
        let token = token_of(&server.inbound(&voice_inbound()).await);
        let mut socket = server.open(&format!("/twilio/acme/{tag}")).await;
        say(&mut socket, &CONNECTED).await;
        say(&mut socket, &FromTwilio::Start(start(&token))).await;
        say(&mut socket, &stop()).await;
        assert_eq!(server.end_reason(CALL).await, "caller_hangup", "{tag}");
        let record = server.app.store().call(CALL).await.unwrap().unwrap();
        assert_eq!(record.language, Language::English, "{tag}");
    }
}

#[tokio::test]
async fn a_start_with_a_token_for_something_else_is_closed_f_tw_01_f_tw_18() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let other_call = "CA00000000000000000000000000000012";
    server.inbound(&with(&voice_inbound(), "CallSid", other_call)).await;
    let foreign: [Start; 5] = [
        start("guessed"),
        Start { custom_parameters: [].into(), ..start("") },
        Start { call_sid: other_call.to_owned(), ..start(&token) },
        Start { call_sid: "CA00000000000000000000000000000099".to_owned(), ..start(&token) },
        Start { account_sid: "AC00000000000000000000000000000009".to_owned(), ..start(&token) },
    ];
    for start in foreign {
        assert_eq!(answer_to(&server, PATH, start).await, POLICY);
    }
    assert_eq!(answer_to(&server, "/twilio/acme/es", start(&token)).await, POLICY);
    assert_eq!(server.app.live(), 0);
    assert_eq!(server.app.store().unended().await.unwrap(), []);
    assert_eq!(server.app.store().call(CALL).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_admits_no_second_stream_f_tw_28() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut first = server.call().await;
    assert_eq!(answer_to(&server, PATH, start(&token)).await, POLICY);
    assert_eq!(server.app.live(), 1);
    say(&mut first, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn a_token_that_is_too_old_admits_nobody_f_tw_01() {
    let server = Server::start_with(|config| config.token_life = Duration::ZERO).await;
    let stream = server.inbound(&voice_inbound()).await;
    assert_eq!(answer_to(&server, PATH, start(&token_of(&stream))).await, POLICY);
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_closed_f_tw_02() {
    let limit = Duration::from_millis(200);
    let server = Server::start_with(|config| config.start_limit = limit).await;
    let mut silent = server.open(PATH).await;
    assert_eq!(close_code(&mut silent).await, POLICY);
    let mut greeting = server.open(PATH).await;
    say(&mut greeting, &CONNECTED).await;
    assert_eq!(close_code(&mut greeting).await, POLICY);
}

#[tokio::test]
async fn a_stream_that_begins_otherwise_is_closed_f_tw_13_f_tw_14() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut unannounced = server.open(PATH).await;
    say(&mut unannounced, &FromTwilio::Start(start(&token))).await;
    assert_eq!(close_code(&mut unannounced).await, POLICY);
    let mut babble = server.open(PATH).await;
    say(&mut babble, &CONNECTED).await;
    for _ in 0..5 {
        babble.send(Message::binary(vec![0; 8])).await.unwrap();
        babble.send(Message::text("{")).await.unwrap();
    }
    assert_eq!(close_code(&mut babble).await, POLICY);
}

#[tokio::test]
async fn audio_before_a_stream_has_begun_belongs_to_no_call_f_tw_04() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let early = |chunk| {
        let (track, payload) = (Track::Inbound, &[0xFF; 160][..]);
        FromTwilio::Media(Media { track, chunk: Some(chunk), timestamp_ms: None, payload })
    };
    let mut chatty = server.open(PATH).await;
    say(&mut chatty, &CONNECTED).await;
    for chunk in 1..=251 {
        say(&mut chatty, &early(chunk)).await;
    }
    assert_eq!(close_code(&mut chatty).await, POLICY);
    assert_eq!(server.app.live(), 0);
    // A little of it is left out.
    let mut hasty = server.open(PATH).await;
    say(&mut hasty, &CONNECTED).await;
    say(&mut hasty, &early(1)).await;
    say(&mut hasty, &FromTwilio::Start(start(&token))).await;
    say(&mut hasty, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn audio_in_another_format_is_refused_and_the_caller_is_told_f_tw_17() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let media_format = MediaFormat { sample_rate: 16_000, ..MediaFormat::telephone() };
    let start = Start { media_format, ..start(&token) };
    assert_eq!(answer_to(&server, PATH, start).await, Some(1003));
    let verbs = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    assert_eq!(server.app.live(), 0);
}

#[tokio::test]
async fn a_call_that_ended_is_on_record_and_asks_for_nothing_more_f_wh_03() {
    let server = Server::start().await;
    let mut watching = server.app.watch().subscribe();
    let mut socket = server.call().await;
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");

    let record = server.app.store().call(CALL).await.unwrap().unwrap();
    assert_eq!((&*record.company, &*record.from_masked), ("acme", "+1******0001"));
    let journal = server.app.store().journal(CALL).await.unwrap();
    assert_eq!(replay(&journal), journal);
    let (call, first) = watching.recv().await.unwrap();
    assert_eq!((call.as_str(), &*first), (CALL, &journal[0]));

    let hang_up = [Verb::Hangup];
    assert_eq!(server.verbs(AFTER_STREAM, &voice_inbound()).await, hang_up);
    assert_eq!(server.verbs(INBOUND, &voice_inbound()).await, hang_up);
}

/// M-13.
#[tokio::test]
async fn a_call_that_is_called_over_while_its_socket_is_open_ends_f_wh_13() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    let status = |word: &str, sequence: &str| {
        let mut form = with(&voice_inbound(), "CallStatus", word);
        form.push(("SequenceNumber".to_owned(), sequence.to_owned()));
        form
    };
    for (word, sequence) in [("in-progress", "2"), ("ringing", "1")] {
        server.post("/twilio/call-status", &status(word, sequence)).await;
    }
    assert_eq!(server.app.live(), 1);
    for (word, sequence) in [("completed", "3"), ("completed", "3"), ("in-progress", "2")] {
        let (answer, _) = server.post("/twilio/call-status", &status(word, sequence)).await;
        assert_eq!(answer, StatusCode::NO_CONTENT);
    }
    assert_eq!(close_code(&mut socket).await, Some(1000), "we close it");
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let journal = server.app.store().journal(CALL).await.unwrap();
    let over = Cause::Input(Input::Carrier(Carrier::Completed));
    assert_eq!(journal.iter().filter(|step| step.cause == over).count(), 1);
    assert_eq!(server.app.live(), 0);
}

/// F-PR-14: Twilio signs with the one token until it signs with the other, in the middle of calls.
#[tokio::test]
async fn a_token_that_is_replaced_while_a_call_runs_costs_it_nothing() {
    let server = Server::start().await;
    let mut socket = server.call().await;
    let path = "/twilio/call-status";
    let mut form = with(&voice_inbound(), "CallStatus", "in-progress");
    form.push(("SequenceNumber".to_owned(), "1".to_owned()));
    for (token, expected) in [
        (AUTH_TOKEN, StatusCode::NO_CONTENT),
        ("new", StatusCode::NO_CONTENT),
        (AUTH_TOKEN, StatusCode::NO_CONTENT),
        ("never-given", StatusCode::FORBIDDEN),
    ] {
        let signature = sign(token, &format!("{PUBLIC}{path}"), &form);
        let (answer, _) = server.post_as(path, encode_form(&form), FORM, Some(&signature)).await;
        assert_eq!(answer, expected, "{token}");
    }
    assert_eq!(server.app.live(), 1, "the call that began under the old token goes on");
    // A stream of another call, opened under the new one.
    let url = "wss://voice.example.test/twilio/acme/en";
    let signature = sign("new", url, &[]);
    assert!(server.open_as("/twilio/acme/en", Some(&signature)).await.is_ok());
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// F-WH-05.
#[tokio::test]
async fn a_call_that_was_over_before_its_stream_came_does_not_begin_to_talk() {
    let server = Server::start().await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    server.post("/twilio/call-status", &with(&voice_inbound(), "CallStatus", "completed")).await;
    let mut socket = server.open(PATH).await;
    say(&mut socket, &CONNECTED).await;
    say(&mut socket, &FromTwilio::Start(start(&token))).await;
    assert_eq!(close_code(&mut socket).await, Some(1000));
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn a_server_that_was_restarted_knows_which_calls_are_over_f_wh_03() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("calls.db");
    let mut server = Server::start_on(&database, |_| {}).await;
    say(&mut server.call().await, &stop()).await;
    server.end_reason(CALL).await;
    server.end();
    server.serving.await.unwrap().unwrap();
    let server = Server::start_on(&database, |_| {}).await;
    assert_eq!(server.verbs(INBOUND, &voice_inbound()).await, [Verb::Hangup]);
}

#[tokio::test]
async fn a_call_whose_agent_cannot_be_reached_ends_on_record_and_the_caller_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start_with(|config| {
        config.deepgram.agent_url = format!("ws://{nobody}/v1/agent/converse");
        config.deepgram.speak_url = format!("http://{nobody}");
    })
    .await;
    let mut socket = server.call().await;
    close_code(&mut socket).await;
    let verbs = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    let reason = server.end_reason(CALL).await;
    assert_eq!(reason, "agent_failed", "the apology is a recording");
}

#[tokio::test]
async fn a_server_that_is_to_end_lets_its_calls_end_first_f_pr_01_f_wh_17() {
    let mut server = Server::start().await;
    let mut socket = server.call().await;
    server.end();
    while !server.app.is_draining() {
        pause().await;
    }
    assert_eq!(server.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    let other = with(&voice_inbound(), "CallSid", "CA00000000000000000000000000000012");
    let verbs = server.verbs(INBOUND, &other).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    assert_eq!(server.app.live(), 1);
    say(&mut socket, &stop()).await;
    server.serving.await.unwrap().unwrap();
    assert_eq!(server.app.live(), 0);
}

/// What a stream that begins so is closed with.
async fn answer_to(server: &Server, path: &str, start: Start) -> Option<u16> {
    let mut socket = server.open(path).await;
    say(&mut socket, &CONNECTED).await;
    say(&mut socket, &FromTwilio::Start(start)).await;
    close_code(&mut socket).await
}

/// The journal of a call that is told the same at the same times.
fn replay(journal: &[Step]) -> Vec<Step> {
    let Cause::Started(brief) = &journal[0].cause else { panic!("the journal has no beginning") };
    let (mut call, first) = Call::new((**brief).clone());
    let mut steps = vec![first];
    for step in &journal[1..] {
        match &step.cause {
            Cause::Input(input) => steps.extend(call.step(step.at, input.clone())),
            _ => steps.extend(call.wake(step.at)),
        }
    }
    steps
}
