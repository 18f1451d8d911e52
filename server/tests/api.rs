//! The operators' interface over real sockets: what is seen of calls, and what is done to them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use call_core::Step;
use call_transports::twilio::twiml::Verb;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::api::OPENAPI;
use server::config::Config;
use support::operators::{ANN, BEN, Desk, EVE, operators, told};
use support::world::{Leg, World};
use support::{CALL, STREAM, Server, token_of, voice_inbound};

const PATIENCE: Duration = Duration::from_secs(20);

fn with_operators(config: &mut Config) {
    config.operators = operators();
}

/// A server with one call whose opening is being heard.
async fn one_call(world: &World) -> (Server, Leg) {
    let server = world.server_with("", with_operators).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    (server, leg)
}

/// The one call that goes on, once it is in this phase.
async fn until_phase(desk: &Desk, phase: &str) -> Value {
    let begin = Instant::now();
    loop {
        let told = desk.get("/calls/live").await;
        let call = &told.body["calls"][0];
        if call["phase"] == phase {
            return call.clone();
        }
        assert!(begin.elapsed() < PATIENCE, "{call} does not come to {phase}");
        support::pause().await;
    }
}

#[tokio::test]
async fn a_live_call_is_listed_as_it_stands() {
    let world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, BEN);
    let first = desk.get("/calls/live").await;
    let call = &first.body["calls"][0];
    assert_eq!(first.body["calls"].as_array().unwrap().len(), 1);
    assert_eq!((call["call"].as_str(), call["company"].as_str()), (Some(CALL), Some("summit")));
    assert_eq!((call["language"].as_str(), &call["function"]), (Some("en"), &Value::Null));
    let later = leg.playing(until_phase(&desk, "listening")).await;
    assert!(later["lasted_ms"].as_u64() >= call["lasted_ms"].as_u64());
    leg.stop().await;
    server.end_reason(CALL).await;
    assert_eq!(desk.get("/calls/live").await.body, json!({ "calls": [] }));
}

#[tokio::test]
async fn a_function_that_runs_is_shown_by_its_name() {
    let world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, BEN);
    // The middleware of these tests accepts connections and never answers.
    let arguments = r#"{"loan_number":"100234","date_of_birth":"1980-01-01","zip":"62701"}"#;
    world.ask("one", "lookup_loan", arguments);
    let call = leg.playing(until_phase(&desk, "function_pending")).await;
    assert_eq!(call["function"], "lookup_loan");
}

#[tokio::test]
async fn an_operator_ends_a_call_once_and_the_caller_hears_goodbye_f_op_05() {
    let mut world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, ANN);
    let heard = leg.heard;
    let told = desk.post(&format!("/calls/{CALL}/hangup"), json!({})).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    assert_eq!(told.body, json!({ "call": CALL, "asked": "hang-up" }));
    // Goodbye is not over before the carrier's side has played it.
    until_phase(&desk, "farewell").await;
    let again = desk.post(&format!("/calls/{CALL}/hangup"), json!({})).await;
    assert_eq!((again.status, again.reason()), (StatusCode::CONFLICT, "ending"));
    let asked = leg.playing(world.posted()).await;
    assert_eq!(asked, [("Status".to_owned(), "completed".to_owned())]);
    assert!(leg.heard > heard, "goodbye is said before");
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "operator_hangup");
    let gone = desk.post(&format!("/calls/{CALL}/hangup"), json!({})).await;
    assert_eq!((gone.status, gone.reason()), (StatusCode::NOT_FOUND, "no-call"));
}

/// F-TR-08: only who stands on the company's list is ever called.
#[tokio::test]
async fn an_operator_hands_a_call_to_somebody_of_the_company_s_list_f_tr_08() {
    let mut world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, ANN);
    let companies = desk.get("/companies").await.body;
    let target = companies["companies"][0]["transfer_targets"][0].as_str().unwrap();
    let path = format!("/calls/{CALL}/transfer");
    let unknown = desk.post(&path, json!({ "target": "+15555550123" })).await;
    assert_eq!((unknown.status, unknown.reason()), (StatusCode::UNPROCESSABLE_ENTITY, "field"));
    assert!(unknown.body["detail"].as_str().unwrap().contains(target), "{unknown:?}");
    assert!(!unknown.body.to_string().contains("5555550123"), "what was sent is not quoted");
    let told = desk.post(&path, json!({ "target": target })).await;
    assert_eq!(told.body, json!({ "call": CALL, "asked": "transfer" }));
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    let again = desk.post(&path, json!({ "target": target })).await;
    assert_eq!(again.reason(), "ending");
}

#[tokio::test]
async fn one_call_is_given_a_deadline_and_the_server_takes_others() {
    let mut world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, ANN);
    let told = desk.post(&format!("/calls/{CALL}/drain"), json!({ "within_ms": 15_000 })).await;
    assert_eq!(told.body, json!({ "call": CALL, "asked": "drain" }));
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    assert_eq!(server.get("/ready").await, StatusCode::OK);
}

/// I-32, F-PR-01.
#[tokio::test]
async fn an_operator_lets_the_server_end_as_a_signal_does_f_pr_01() {
    let mut world = World::begin().await;
    // It is handed over 15 s before the end, so a second from now.
    let mut server = world
        .server_with("", |config| {
            with_operators(config);
            config.drain_limit = Duration::from_secs(16);
        })
        .await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    let told = Desk::at(server.address, ANN).post("/drain", json!({})).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    assert_eq!(told.body, json!({ "asked": "drain-server", "live": 1, "limit_ms": 16_000 }));
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    assert_eq!(server.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    let health = Desk::at(server.address, BEN).get("/health").await.body;
    assert_eq!((&health["draining"], &health["ready"]), (&json!(true), &json!(false)));
    let ended = tokio::time::timeout(PATIENCE, leg.playing(&mut server.serving)).await;
    ended.expect("the server ends in time").unwrap().unwrap();
}

#[tokio::test]
async fn health_tells_of_everything_that_the_server_depends_on() {
    let world = World::begin().await;
    let (server, _leg) = one_call(&world).await;
    let health = Desk::at(server.address, BEN).get("/health").await.body;
    assert_eq!(health["database"], true);
    assert_eq!(health["calls"], json!({ "live": 1, "max": 10 }));
    assert_eq!(health["spool"], json!({ "waiting": 0, "refused": 0 }));
    assert_eq!(health["breakers"]["carrier"], "closed");
}

/// I-10, F-OP-04: a company's operator learns nothing of another company, not even whether a call is there.
#[tokio::test]
async fn an_operator_of_one_company_sees_and_touches_nothing_of_another_one_i_10() {
    let mut world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, EVE);
    assert_eq!(desk.get("/calls/live").await.body, json!({ "calls": [] }));
    assert_eq!(desk.get("/companies").await.body, json!({ "companies": [] }));
    assert_eq!(desk.get("/health").await.body["calls"]["live"], 0);
    let nobody = CALL.replace("11", "77");
    for (deed, body) in [
        ("hangup", json!({})),
        ("transfer", json!({ "target": "front-desk" })),
        ("drain", json!({ "within_ms": 0 })),
    ] {
        let theirs = desk.post(&format!("/calls/{CALL}/{deed}"), body.clone()).await;
        let nobodys = desk.post(&format!("/calls/{nobody}/{deed}"), body).await;
        assert_eq!(theirs.reason(), "no-call");
        assert_eq!(theirs.body, nobodys.body);
    }
    let all = desk.post("/drain", json!({})).await;
    assert_eq!((all.status, all.reason()), (StatusCode::FORBIDDEN, "scope"));
    assert!(!server.app.is_draining());
    leg.stop().await;
    assert_eq!(server.end_reason(CALL).await, "caller_hangup");
    assert!(world.asked_nothing_more());
}

#[tokio::test]
async fn a_call_on_record_is_listed_shown_and_told() {
    let world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    let desk = Desk::at(server.address, BEN);
    let live = desk.get("/calls?status=live").await.body;
    assert_eq!((&live["calls"][0]["call"], &live["next"]), (&json!(CALL), &Value::Null));
    let early = desk.get(&format!("/calls/{CALL}/story")).await;
    assert_eq!((early.status, early.reason()), (StatusCode::NOT_FOUND, "no-journal"));
    leg.stop().await;
    server.end_reason(CALL).await;

    let told =
        desk.get("/calls?company=summit&reason=caller_hangup&since=2020-01-01T00:00:00Z").await;
    assert_eq!(told.body["calls"].as_array().unwrap().len(), 1);
    assert_eq!(desk.get("/calls?until=2020-01-01T00:00:00Z").await.body["calls"], json!([]));
    let record = desk.get(&format!("/calls/{CALL}")).await.body;
    assert_eq!(record["end_reason"], "caller_hangup");
    let story = desk.get(&format!("/calls/{CALL}/story")).await.body;
    let steps = server.app.store().journal(CALL).await.unwrap();
    assert_eq!(story, json!(call_core::story::story(&steps)));
    let journal = desk.get(&format!("/calls/{CALL}/journal")).await.body;
    let lines = journal.as_str().unwrap().lines();
    let read: Vec<Step> = lines.skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, steps);
    assert_eq!(record["summary"]["steps"], json!(steps.len()));

    let nobody = desk.get(&format!("/calls/{}", CALL.replace("11", "77"))).await;
    assert_eq!((nobody.status, nobody.reason()), (StatusCode::NOT_FOUND, "no-record"));
    // I-10: what is told to a company's operator of another company's call is told of no call.
    let elsewhere = Desk::at(server.address, EVE);
    for path in ["", "/story", "/journal"] {
        let theirs = elsewhere.get(&format!("/calls/{CALL}{path}")).await;
        assert_eq!(theirs.body, nobody.body);
    }
    for query in ["", "?company=summit", "?company=elsewhere"] {
        let theirs = elsewhere.get(&format!("/calls{query}")).await.body;
        assert_eq!(theirs, json!({ "calls": [], "next": null }), "{query}");
    }
}

#[tokio::test]
async fn the_story_is_told_as_json_to_whoever_wants_that() {
    let world = World::begin().await;
    let (server, mut leg) = one_call(&world).await;
    leg.stop().await;
    server.end_reason(CALL).await;
    let path = format!("/calls/{CALL}/story");
    let url = format!("http://{}/api/v1{path}", server.address);
    let request = reqwest::Client::new().get(url).bearer_auth(BEN);
    let told = told(request.header("Accept", "application/json"), &Method::GET, &path).await;
    let lines = told.body["story"].as_array().unwrap();
    assert!(lines[0].as_str().unwrap().contains("answered"), "{lines:?}");
    assert!(lines.last().unwrap().as_str().unwrap().contains("caller_hangup"), "{lines:?}");
}

#[tokio::test]
async fn what_cannot_be_asked_of_the_records_is_named_by_its_field() {
    let server = Server::start_with(with_operators).await;
    let desk = Desk::at(server.address, BEN);
    for (query, field) in [
        ("since=yesterday", "since"),
        ("until=2026-03-01", "until"),
        ("status=dead", "status"),
        ("count=0", "count"),
        ("count=501", "count"),
        ("after=x", "after"),
        ("said=hello", "since"),
    ] {
        let told = desk.get(&format!("/calls?{query}")).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(told.body["field"], field, "{query}");
    }
    let unknown = desk.get("/calls?phone=15550100001").await;
    assert_eq!(unknown.reason(), "field");
    assert!(!unknown.body.to_string().contains("1555") && unknown.body["field"].is_null());
    assert_eq!(desk.get("/calls?count=1&count=2").await.reason(), "query");
}

/// Each path of the description is asked for, and the routes in the code are those of the description.
#[tokio::test]
async fn every_route_is_described_and_everything_described_is_there() {
    let server = Server::start_with(with_operators).await;
    let desk = Desk::at(server.address, ANN);
    let description: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(desk.get("/openapi.json").await.body, description);
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        described.insert(path.as_str());
        for method in methods.as_object().unwrap().keys() {
            // The last that is asked for: a server that ends answers no more.
            if path == "/drain" {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{sid}", CALL);
            let told = desk.ask(method.clone(), &path, Some("{}".to_owned())).await;
            assert!(!["no-route", "method"].contains(&told.reason()), "{method} {path}: {told:?}");
        }
    }
    assert_eq!(desk.post("/drain", json!({})).await.status, StatusCode::ACCEPTED);
    let code = include_str!("../src/api.rs");
    let routes = code.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert_eq!(
        routes.collect::<BTreeSet<_>>(),
        described,
        "the code (left), the description (right)"
    );
}

#[test]
fn the_description_names_nothing_that_is_not_in_it() {
    let description: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut names = 0;
    for reference in OPENAPI.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
        names += 1;
    }
    assert!(names > 20);
}
