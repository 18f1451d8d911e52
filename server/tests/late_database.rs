//! A server is started while its database is away: callers hear something, and calls are taken as soon as it
//! is there. In a program of its own, because it takes the whole PostgreSQL down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
mod support;

use std::process::Stdio;
use std::time::Duration;

use call_transports::twilio::twiml::{Verb, parse};
use call_transports::twilio::webhook::encode_form;
use reqwest::StatusCode;
use server::app;
use server::config::Config;
use server::store::Store;
use support::process::Process;
use support::{AFTER_STREAM, Door, FORM, INBOUND, voice_inbound};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// The process as it is run: it neither ends by itself, nor keeps whoever wants it to end waiting.
#[tokio::test]
async fn a_process_that_waits_for_its_database_lives_until_it_is_asked_to_end_f_db_01() {
    let database = ("DATABASE_URL", "postgres://offhook@127.0.0.1:9/offhook".to_owned());
    let mut process = Process::start("exec \"$0\"", Stdio::null(), &[database]).await;
    let door = Door::to(process.address);
    // Longer than the database is tried for at once.
    for _ in 0..7 {
        assert_eq!(door.get("/health").await, StatusCode::OK);
        assert_eq!(door.get("/ready").await, StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let verbs = door.verbs(INBOUND, &voice_inbound()).await;
    assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{verbs:?}");
    assert!(process.end().success());
}

#[tokio::test]
async fn a_server_waits_for_its_database_and_callers_hear_why_meanwhile_f_db_01() {
    let database = postgres::Database::new().await;
    let (url, owner) = (database.url("offhook"), database.url("offhook_owner"));
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let nobody = "127.0.0.1:9".parse().unwrap();
    let at = |url: String| Config {
        database_url: url.into(),
        ..support::config(address, nobody, &folder.path().join("unused"))
    };

    // What waiting does not mend is told at once.
    for (url, told) in [
        (url.clone(), "`server migrate`"),
        (database.url("stranger"), "know user and password"),
        (url.replace("/calls_", "/nowhere_"), "cannot be opened"),
    ] {
        let opened = timeout(Duration::from_secs(20), app::open(at(url), &listener)).await.unwrap();
        let Err(error) = opened else { panic!("it starts") };
        assert!(error.to_string().contains(told), "{error}");
    }

    Store::migrate(&url, Some(&owner)).await.unwrap();
    postgres::Database::crash().await;
    let config = at(url);
    let opening = tokio::spawn(async move { (app::open(config, &listener).await, listener) });
    let door = Door::to(address);
    assert_eq!(door.get("/health").await, StatusCode::OK);
    let (status, told) = door.text("/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains("\"ready\":false") && told.contains("\"store\":false"), "{told}");

    for path in [INBOUND, AFTER_STREAM, "/twilio/after_dial"] {
        let verbs = door.verbs(path, &voice_inbound()).await;
        let [Verb::Say { text, .. }, Verb::Hangup] = &verbs[..] else { panic!("{verbs:?}") };
        assert!(!text.is_empty());
        let form = encode_form(&voice_inbound());
        let (status, told) = door.post_as(path, form, FORM, Some("bm9uZQ==")).await;
        assert_eq!((status, &*told), (StatusCode::FORBIDDEN, ""), "nobody else is answered");
    }
    let mut talked = voice_inbound();
    talked.push(("DialCallStatus".to_owned(), "completed".to_owned()));
    assert_eq!(door.verbs("/twilio/after_dial", &talked).await, [Verb::Hangup]);
    for path in ["/twilio/acme/en", "/api/v1/calls"] {
        assert_eq!(door.get(path).await, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert!(!opening.is_finished());

    postgres::Database::recover().await;
    let (app, listener) = timeout(Duration::from_secs(30), opening).await.unwrap().unwrap();
    let serving = app::serve(app.unwrap(), listener, std::future::pending());
    let asking = async {
        let (_, document) = door.post(INBOUND, &voice_inbound()).await;
        assert!(matches!(parse(&document).unwrap()[..], [Verb::Connect(_), Verb::Redirect { .. }]));
        assert_eq!(door.get("/ready").await, StatusCode::OK);
    };
    tokio::select! {
        served = serving => panic!("{served:?}"),
        () = asking => {}
    }
}
