//! Nothing of another company, call or stream is ever reached: two companies on one server, and everything
//! that somebody of the one may try on the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::collections::BTreeSet;

use call_transports::twilio::media::FromTwilio;
use call_transports::twilio::webhook::decode_form;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use server::api::{OPENAPI, Operators};
use server::company::Tenant;
use server::config::Config;
use support::operators::Desk;
use support::{
    ACCOUNT, AFTER_STREAM, CONNECTED, Form, Server, Socket, close_code, pause, say, start, stop,
    token_of, voice_inbound, with,
};

const POLICY: Option<u16> = Some(1008);
const ACMES: &str = "CA00000000000000000000000000000051";
const OTHERS: &str = "CA00000000000000000000000000000052";
const NOBODYS: &str = "CA00000000000000000000000000000053";

/// May act on the other company's calls.
const EVE: &str = "eve-0123456789abcdef0123456789abcdef";

/// May hear its recordings.
const VAL: &str = "val-0123456789abcdef0123456789abcdef";

/// I-10, F-TW-18, F-TW-28: of all ways to put a token, a call, an account and a path together, one opens a
/// stream, and it opens one.
#[tokio::test]
async fn a_token_opens_its_own_call_on_its_own_path_and_nothing_else() {
    let server = server().await;
    let (mut acmes, mut others) = (String::new(), String::new());
    for (token, form) in [(&mut acmes, of_acme()), (&mut others, of_other())] {
        *token = token_of(&server.inbound(&form).await);
    }
    let foreign_account = ACCOUNT.replace("01", "02");
    let mut refused = 0;
    for token in [&acmes, &others] {
        for call in [ACMES, OTHERS, NOBODYS] {
            for company in ["acme", "other"] {
                for account in [ACCOUNT, &foreign_account] {
                    let is_acmes = (token, call, company) == (&acmes, ACMES, "acme");
                    let is_others = (token, call, company) == (&others, OTHERS, "other");
                    if (is_acmes || is_others) && account == ACCOUNT {
                        continue;
                    }
                    let mut socket = begin(&server, company, call, account, token).await;
                    let told = (token == &acmes, call, company, account);
                    assert_eq!(close_code(&mut socket).await, POLICY, "{told:?}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((refused, server.app.live()), (22, 0));
    assert_eq!(server.app.store().unended().await.unwrap(), []);
    // None of that has cost anybody the right one, which opens one stream.
    for (company, call, token) in [("acme", ACMES, &acmes), ("other", OTHERS, &others)] {
        let mut socket = begin(&server, company, call, ACCOUNT, token).await;
        is_live(&server, call).await;
        let mut second = begin(&server, company, call, ACCOUNT, token).await;
        assert_eq!(close_code(&mut second).await, POLICY);
        say(&mut socket, &stop()).await;
        assert_eq!(server.end_reason(call).await, "caller_hangup");
        let record = server.app.store().call(call).await.unwrap().unwrap();
        assert_eq!(record.company, company);
    }
}

/// I-10, F-OP-04: an operator of one company is answered of another's call as of a call that is not, on every
/// path that there is, while the call goes on and when it is on record.
#[tokio::test]
async fn every_path_answers_of_anothers_call_as_of_none() {
    let server = server().await;
    let token = token_of(&server.inbound(&of_acme()).await);
    let mut socket = begin(&server, "acme", ACMES, ACCOUNT, &token).await;
    is_live(&server, ACMES).await;
    let live = tried(&server).await;
    assert_eq!(server.app.live(), 1, "nothing was done to it");
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(ACMES).await, "caller_hangup");
    assert_eq!(tried(&server).await, live);
    assert!(live.len() >= 6, "{live:?}");
}

/// Tries every described path that names a call. Returns them.
async fn tried(server: &Server) -> BTreeSet<String> {
    let [eve, val] = [EVE, VAL].map(|secret| Desk::at(server.address, secret));
    let description: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut tried = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        if !path.contains("{sid}") {
            continue;
        }
        let desk = if path.ends_with("/media") { &val } else { &eve };
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for body in ["{}", r#"{"target":"front-desk"}"#, r#"{"within_ms":0}"#] {
                let at = |sid| path.replace("{sid}", sid);
                let body = || Some(body.to_owned());
                let theirs = desk.ask(method.clone(), &at(ACMES), body()).await;
                let nobodys = desk.ask(method.clone(), &at(NOBODYS), body()).await;
                assert_eq!(theirs.status, nobodys.status, "{method} {path}");
                assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method} {path}");
                assert_eq!(theirs.body, nobodys.body, "{method} {path}");
            }
        }
        tried.insert(path.clone());
    }
    tried
}

/// I-10: a recording belongs to the company of its call, whoever an address names.
#[tokio::test]
async fn a_recording_is_not_taken_for_another_company_than_its_calls() {
    let server = server().await;
    let token = token_of(&server.inbound(&of_acme()).await);
    let body = include_str!("../../transports/fixtures/twilio/webhooks/recording_completed.form");
    let told = with(&decode_form(body.trim_end().as_bytes()).unwrap(), "CallSid", ACMES);
    let at = |company| format!("/twilio/recording_callback?company={company}");
    let refused = async || {
        assert_eq!(server.post(&at("other"), &told).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(server.app.store().recordings(ACMES).await.unwrap(), []);
    };
    // Announced, going on, and over.
    refused().await;
    let mut socket = begin(&server, "acme", ACMES, ACCOUNT, &token).await;
    is_live(&server, ACMES).await;
    refused().await;
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(ACMES).await, "caller_hangup");
    refused().await;
    assert_eq!(server.post(&at("acme"), &told).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.app.store().recordings(ACMES).await.unwrap().len(), 1);
}

/// I-31: what the carrier tells of one call touches no other, of the same company or of another.
#[tokio::test]
async fn what_is_told_of_one_call_touches_no_other() {
    let server = server().await;
    let mut sockets = Vec::new();
    for (company, form) in [("acme", of_acme()), ("other", of_other())] {
        let token = token_of(&server.inbound(&form).await);
        let call = if company == "acme" { ACMES } else { OTHERS };
        sockets.push(begin(&server, company, call, ACCOUNT, &token).await);
        is_live(&server, call).await;
    }
    // Twilio names the call; what else the form says is whoever's.
    let mixed = with(&with(&of_other(), "CallSid", ACMES), "CallStatus", "completed");
    for path in ["/twilio/after_dial", "/twilio/dialled", AFTER_STREAM, "/twilio/call-status"] {
        assert!(server.post(path, &mixed).await.0.is_success(), "{path}");
    }
    assert_eq!(close_code(&mut sockets[0]).await, Some(1000));
    assert_eq!(server.end_reason(ACMES).await, "caller_hangup");
    assert_eq!(server.app.live(), 1);
    let other = server.app.store().call(OTHERS).await.unwrap().unwrap();
    assert_eq!((&*other.company, other.ended), ("other", None));
    say(&mut sockets[1], &stop()).await;
    assert_eq!(server.end_reason(OTHERS).await, "caller_hangup");
}

async fn server() -> Server {
    Server::start_with(|config: &mut Config| {
        let acme = include_str!("../../scenarios/companies/acme.toml");
        let other = acme.replacen("id = \"acme\"", "id = \"other\"", 1).replacen(
            "+15550100099",
            "+15550100055",
            1,
        );
        config.companies =
            [acme, &other].map(|text| Tenant::parse("company.toml", text).unwrap()).into();
        config.operators =
            Operators::parse(&format!("eve:operate@other:{EVE},val:review@other:{VAL}")).unwrap();
    })
    .await
}

fn of_acme() -> Form {
    with(&voice_inbound(), "CallSid", ACMES)
}

fn of_other() -> Form {
    with(&with(&voice_inbound(), "CallSid", OTHERS), "To", "+15550100055")
}

async fn begin(server: &Server, company: &str, call: &str, account: &str, token: &str) -> Socket {
    let mut socket = server.open(&format!("/twilio/{company}/en")).await;
    say(&mut socket, &CONNECTED).await;
    let mut start = start(token);
    (start.call_sid, start.account_sid) = (call.to_owned(), account.to_owned());
    say(&mut socket, &FromTwilio::Start(start)).await;
    socket
}

async fn is_live(server: &Server, call: &str) {
    while server.app.store().call(call).await.unwrap().is_none() {
        pause().await;
    }
}
