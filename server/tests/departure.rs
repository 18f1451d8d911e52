//! A stream leaves while its call goes on: a person is called, tones are played, another stream comes
//! back. Over real sockets, with the carrier's webhooks as Twilio sends them.

mod support;

use std::time::Duration;

use call_core::input::{Carrier, Input, Transfer};
use call_core::step::{Cause, Step};
use call_transports::twilio::twiml::{Stream, Verb};
use call_transports::twilio::webhook::decode_form;
use reqwest::StatusCode;
use server::company::versions;
use support::world::{Leg, PATH, Reply, World};
use support::{
    AFTER_STREAM, CALL, Form, PUBLIC, STREAM, Server, pause, start, token_of, voice_inbound, with,
};
use tokio::sync::oneshot;

const AFTER_DIAL: &str = "/twilio/after_dial";
const DIALLED: &str = "/twilio/dialled";
const STREAM_2: &str = "MZ00000000000000000000000000000002";
const OTHER_CALL: &str = "CA00000000000000000000000000000012";
const POLICY: Option<u16> = Some(1008);

/// S19, F-TW-29, F-TR-07, I-35.
#[tokio::test]
async fn a_person_takes_a_call_over_and_it_ends_as_transferred() {
    let (mut world, server, mut leg) = call("").await;
    dial(&mut world, &mut leg).await;
    assert_eq!(leg.stop().await, Some(1000), "we close what has ended");
    assert_eq!(server.app.live(), 1, "the call goes on without a stream");
    let waits = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    assert!(matches!(waits[..], [Verb::Pause { .. }, Verb::Redirect { .. }]), "{waits:?}");

    let done = server.verbs(AFTER_DIAL, &dialled("completed")).await;
    assert_eq!(done, [Verb::Hangup]);
    assert_eq!(server.end_reason(CALL).await, "transferred");
    assert_eq!(news(&server).await, [Transfer::Accepted, Transfer::Completed]);
    assert_eq!(server.verbs(AFTER_STREAM, &voice_inbound()).await, [Verb::Hangup]);
    assert_eq!(server.verbs(AFTER_DIAL, &dialled("completed")).await, [Verb::Hangup]);
    assert!(world.asked_nothing_more());
}

#[tokio::test]
async fn a_call_is_the_person_s_from_the_moment_that_the_person_answers() {
    let (mut world, server, mut leg) = call("").await;
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    for (status, live) in [("ringing", 1), ("in-progress", 0)] {
        let form = with(&leg_form(), "CallStatus", status);
        assert_eq!(server.post(DIALLED, &form).await.0, StatusCode::NO_CONTENT);
        if live == 0 {
            assert_eq!(server.end_reason(CALL).await, "transferred");
        }
        assert_eq!(server.app.live(), live, "{status}");
    }
    // An hour later.
    assert_eq!(server.verbs(AFTER_DIAL, &dialled("completed")).await, [Verb::Hangup]);
    assert_eq!(news(&server).await, [Transfer::Accepted, Transfer::Completed]);
}

/// S19, F-TW-28, F-TW-29, F-TR-07, F-WH-03.
#[tokio::test]
async fn a_caller_whom_nobody_answers_comes_back_to_the_same_call() {
    let (mut world, server, mut leg) = call("").await;
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    let stream = back(&server, AFTER_DIAL, &dialled("busy")).await;
    assert_eq!(back(&server, AFTER_DIAL, &dialled("busy")).await, stream, "it is asked twice");
    let token = token_of(&stream);

    let mut second = Leg::open(&server, STREAM_2, &token).await;
    second.hears_a_line().await;
    assert_eq!(answer_to(&server, &token).await, POLICY, "a token admits one stream");
    assert_eq!((server.app.live(), world.sessions()), (1, 1));
    assert_eq!(second.stop().await, Some(1000));
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(news(&server).await, [Transfer::Accepted, Transfer::Busy]);
    let joined = Cause::Input(Input::Carrier(Carrier::Joined));
    let journal = journal(&server).await;
    assert_eq!(journal.iter().filter(|step| step.cause == joined).count(), 1);
}

/// I-36: a company that is taken off the line keeps its calls, also where their streams leave and come back.
#[tokio::test]
async fn a_caller_comes_back_to_a_company_that_was_deactivated_meanwhile_i_36() {
    let (mut world, server, mut leg) = call("").await;
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    let (app, off) = (&server.app, versions::deactivate(server.app.store(), "summit", "a test"));
    off.await.expect("the store answers");
    while app.companies().company("summit").is_some() {
        pause().await;
    }
    let stream = back(&server, AFTER_DIAL, &dialled("busy")).await;
    let mut second = Leg::open(&server, STREAM_2, &token_of(&stream)).await;
    second.hears_a_line().await;
    second.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// F-TR-10: what the webhook tells comes before the answer to our own request.
#[tokio::test]
async fn a_carrier_that_is_slow_to_answer_has_taken_what_it_tells_of() {
    let (mut world, server, mut leg) = call("").await;
    let (answer, after) = oneshot::channel();
    world.carrier_replies(Reply { status: 200, body: "{}", after: Some(after) });
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    let stream = back(&server, AFTER_DIAL, &dialled("no-answer")).await;
    let _ = answer.send(());
    let mut second = Leg::open(&server, STREAM_2, &token_of(&stream)).await;
    second.hears_a_line().await;
    second.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(news(&server).await, [Transfer::Accepted, Transfer::NoAnswer]);
    assert!(world.asked_nothing_more());
}

/// F-TR-10, I-35.
#[tokio::test]
async fn a_carrier_that_does_not_answer_in_the_call_s_time_is_not_waited_for() {
    let (mut world, server, mut leg) = call("hang_up = 1000").await;
    let (answer, after) = oneshot::channel();
    world.carrier_replies(Reply { status: 503, body: "", after: Some(after) });
    dial(&mut world, &mut leg).await;
    leg.hears_a_line().await;
    let _ = answer.send(());
    // It is not asked again, and nobody comes back by it.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(world.asked_nothing_more());
    let verbs = server.verbs(AFTER_DIAL, &dialled("busy")).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(news(&server).await, []);
}

#[tokio::test]
async fn a_transfer_that_the_carrier_refuses_leaves_the_caller_with_us() {
    let (mut world, server, mut leg) = call("").await;
    let refusal = r#"{"code":13224}"#;
    world.carrier_replies(Reply { status: 400, body: refusal, after: None });
    dial(&mut world, &mut leg).await;
    leg.hears_a_line().await;
    // A webhook for a person whom nobody calls gives no way in.
    let verbs = server.verbs(AFTER_DIAL, &dialled("busy")).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    assert_eq!(server.app.live(), 1);
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(news(&server).await, [Transfer::Refused]);
}

#[tokio::test]
async fn a_caller_who_is_gone_when_a_person_is_to_be_called_ends_the_call_f_tr_04() {
    let (mut world, server, mut leg) = call("").await;
    world.carrier_replies(Reply { status: 400, body: r#"{"code":21220}"#, after: None });
    dial(&mut world, &mut leg).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(news(&server).await, [Transfer::Gone]);
}

#[tokio::test]
async fn a_person_whom_the_model_made_up_is_called_by_nobody_f_tr_08() {
    let (mut world, server, mut leg) = call("").await;
    world.ask("1", "transfer_call", r#"{"target":"+15550100666"}"#);
    let (_, answer) = leg.playing(world.answer()).await;
    assert!(answer.contains("no such person"), "{answer}");
    assert!(world.asked_nothing_more());
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_a_person_is_called_ends_the_call_f_wh_13() {
    let (mut world, server, mut leg) = call("").await;
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    server.post("/twilio/call-status", &with(&voice_inbound(), "CallStatus", "completed")).await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert_eq!(server.app.live(), 0);
}

#[tokio::test]
async fn a_call_that_waited_too_long_for_a_person_is_told_so_when_the_carrier_asks() {
    let (mut world, server, mut leg) = call("transfer = 300").await;
    dial(&mut world, &mut leg).await;
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "transfer_failed");
    let verbs = server.verbs(AFTER_DIAL, &dialled("no-answer")).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
}

/// S37, F-TW-28, F-TW-29, F-TR-12.
#[tokio::test]
async fn tones_are_played_and_another_stream_joins_the_same_call() {
    let (mut world, server, mut leg) = call("").await;
    let token = tones(&mut world, &mut leg).await;
    leg.stop().await;
    assert_eq!(server.app.live(), 1);
    // The stream could not be opened, and Twilio went on in its document.
    let verbs = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    let [Verb::Pause { .. }, Verb::Connect(again), Verb::Redirect { .. }] = &verbs[..] else {
        panic!("no way back: {verbs:?}");
    };
    assert_eq!(token_of(again), token);

    // Tokens of other calls admit nobody to this one, nor this one's to others.
    let other = with(&voice_inbound(), "CallSid", OTHER_CALL);
    let of_other = token_of(&server.inbound(&other).await);
    assert_eq!(answer_to(&server, &of_other).await, POLICY);
    let mut start = start(&token);
    start.call_sid = OTHER_CALL.to_owned();
    assert_eq!(answer_to_start(&server, start).await, POLICY);

    let mut second = Leg::open(&server, STREAM_2, &token).await;
    let (id, answer) = second.playing(world.answer()).await;
    assert_eq!((id.as_str(), answer.as_str()), ("1", r#"{"status":"done"}"#));
    assert_eq!(answer_to(&server, &token).await, POLICY, "a token admits one stream");
    assert_eq!((server.app.live(), world.sessions()), (1, 1));
    second.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    let steps = serde_json::to_string(&journal(&server).await).unwrap();
    assert!(steps.contains("play-tones") && !steps.contains("1ww5"), "{steps}");
    assert!(world.asked_nothing_more());
}

/// F-TW-08, F-TW-29: the old stream's end goes another way than the new one's beginning.
#[tokio::test]
async fn a_stream_takes_the_place_of_one_whose_end_is_late_or_never_told() {
    for is_late in [true, false] {
        let (mut world, server, mut leg) = call("").await;
        let token = tones(&mut world, &mut leg).await;
        let late = if is_late { Some(leg) } else { drop_of(leg).await };
        let mut second = Leg::open(&server, STREAM_2, &token).await;
        let (_, answer) = second.playing(world.answer()).await;
        assert_eq!(answer, r#"{"status":"done"}"#, "{is_late}");
        if let Some(mut leg) = late {
            assert_eq!(leg.closed().await, Some(1000), "we close it");
        }
        second.stop().await;
        assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    }
}

#[tokio::test]
async fn tones_that_the_carrier_refuses_are_told_to_the_agent() {
    let (mut world, server, mut leg) = call("").await;
    world.carrier_replies(Reply { status: 400, body: r#"{"code":13430}"#, after: None });
    let token = tones(&mut world, &mut leg).await;
    let (_, answer) = leg.playing(world.answer()).await;
    assert!(answer.contains("could not be done"), "{answer}");
    assert_eq!(answer_to(&server, &token).await, POLICY, "the stream has not left");
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// F-TW-29.
#[tokio::test]
async fn a_stream_that_does_not_come_back_from_tones_ends_the_call_and_the_caller_is_told() {
    let (mut world, server, mut leg) = call("tones = 300").await;
    let token = tones(&mut world, &mut leg).await;
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "stream_lost");
    assert_eq!(answer_to(&server, &token).await, POLICY, "it is too late");
    let verbs = server.verbs(AFTER_STREAM, &voice_inbound()).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
}

/// F-TR-11.
#[tokio::test]
async fn tones_that_no_telephone_has_are_asked_of_nobody() {
    let (mut world, server, mut leg) = call("").await;
    world.ask("1", "play_dtmf", r#"{"digits":"1,5"}"#);
    let (_, answer) = leg.playing(world.answer()).await;
    assert!(answer.contains("bad arguments"), "{answer}");
    assert!(world.asked_nothing_more());
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
}

/// A call that is going on, its company's limits changed.
async fn call(limits: &str) -> (World, Server, Leg) {
    let world = World::begin().await;
    let server = world.server(limits).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let leg = Leg::open(&server, STREAM, &token).await;
    (world, server, leg)
}

/// The connection breaks without a word.
async fn drop_of(leg: Leg) -> Option<Leg> {
    drop(leg);
    // Until the server has noticed.
    tokio::time::sleep(Duration::from_millis(100)).await;
    None
}

/// The agent wants a person, and the carrier is asked for one of the company's list.
async fn dial(world: &mut World, leg: &mut Leg) {
    world.ask("1", "transfer_call", "{}");
    let verbs = leg.playing(world.document()).await;
    let [Verb::Dial(dial)] = &verbs[..] else { panic!("nobody is called: {verbs:?}") };
    assert_eq!(dial.number().reveal(), "+15550100055");
    assert_eq!(dial.action(), format!("{PUBLIC}{AFTER_DIAL}"));
    assert_eq!(dial.answered(), Some(&*format!("{PUBLIC}{DIALLED}")));
}

/// The agent wants tones, and the carrier is asked for them. The token of the stream behind them.
async fn tones(world: &mut World, leg: &mut Leg) -> String {
    world.ask("1", "play_dtmf", r#"{"digits":"1ww5#"}"#);
    let verbs = leg.playing(world.document()).await;
    let [Verb::Tones(tones), Verb::Connect(stream), Verb::Redirect { url }] = &verbs[..] else {
        panic!("no tones: {verbs:?}");
    };
    assert_eq!(tones.reveal(), "1ww5#");
    assert_eq!(*url, format!("{PUBLIC}{AFTER_STREAM}"));
    assert_eq!(stream.url(), format!("wss://voice.example.test{PATH}"));
    token_of(stream)
}

/// The stream by which a call comes back to us.
async fn back(server: &Server, path: &str, form: &Form) -> Stream {
    let verbs = server.verbs(path, form).await;
    let [Verb::Connect(stream), Verb::Redirect { url }] = &verbs[..] else {
        panic!("no way back: {verbs:?}");
    };
    assert_eq!(*url, format!("{PUBLIC}{AFTER_STREAM}"));
    stream.clone()
}

/// What a stream of our call is closed with that shows this token.
async fn answer_to(server: &Server, token: &str) -> Option<u16> {
    Leg::open(server, "MZ00000000000000000000000000000003", token).await.closed().await
}

async fn answer_to_start(
    server: &Server,
    start: call_transports::twilio::media::Start,
) -> Option<u16> {
    let mut socket = server.open(PATH).await;
    support::say(&mut socket, &support::CONNECTED).await;
    let start = call_transports::twilio::media::FromTwilio::Start(start);
    support::say(&mut socket, &start).await;
    support::close_code(&mut socket).await
}

/// What the machine was told of the transfer.
async fn news(server: &Server) -> Vec<Transfer> {
    let told = |step: &Step| match &step.cause {
        Cause::Input(Input::Carrier(Carrier::Transfer(news))) => Some(*news),
        _ => None,
    };
    journal(server).await.iter().filter_map(told).collect()
}

async fn journal(server: &Server) -> Vec<Step> {
    loop {
        let steps = server.app.store().journal(CALL).await.expect("the store answers");
        if !steps.is_empty() {
            return steps;
        }
        pause().await;
    }
}

fn dialled(status: &str) -> Form {
    let form = include_str!("../../transports/fixtures/twilio/webhooks/dial_action_busy.form");
    with(&fields(form), "DialCallStatus", status)
}

fn leg_form() -> Form {
    let form = include_str!("../../transports/fixtures/twilio/webhooks/dial_leg_ringing.form");
    fields(form)
}

fn fields(form: &str) -> Form {
    decode_form(form.trim_end().as_bytes()).expect("a recorded form")
}
