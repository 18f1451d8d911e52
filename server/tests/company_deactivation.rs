//! A company is taken off the line, and comes back: on both databases, on every server, and whatever its
//! calls do meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;
mod support;

use std::fs;
use std::time::{Duration, Instant};

use call_transports::twilio::media::FromTwilio;
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::{Reason, Verb};
use places::{Place, places};
use server::company::Tenant;
use server::company::versions::{self, Command, Error};
use server::store::Store;
use support::{
    AUTH_TOKEN, CONNECTED, INBOUND, Server, Socket, pause, say, start, stop, token_of, with,
};

const ACME: &str = include_str!("../../scenarios/companies/acme.toml");
const ACMES: &str = "+15550100099";
const DECLINED: [Verb; 1] = [Verb::Reject { reason: Reason::Rejected }];

/// S38, I-36: whoever is on the line, or on the way to it, stays with the version of the call.
#[tokio::test]
async fn a_deactivated_company_gets_no_new_calls_and_keeps_those_that_go_on_s38_i_36() {
    let (going_on, admitted) = (sid(1), sid(2));
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        make_active(&store, &acme(1)).await;
        let (one, other) = (server(&place).await, server(&place).await);
        let stream = one.inbound(&call(&going_on)).await;
        let mut talk = begin(&one, &going_on, &token_of(&stream)).await;
        let stream = one.inbound(&call(&admitted)).await;

        assert_eq!(versions::deactivate(&store, "acme", "a test").await.unwrap(), Some(1));
        for server in [&one, &other] {
            until(|| server.app.companies().by_number(ACMES).is_none()).await;
            assert_eq!(server.verbs(INBOUND, &call(&sid(3))).await, DECLINED);
        }
        let signature = sign(AUTH_TOKEN, "wss://voice.example.test/twilio/acme/en", &[]);
        let nobodys = other.open_as("/twilio/acme/en", Some(&signature)).await;
        assert!(nobodys.is_err_and(|error| error.to_string().contains("404")), "no calls there");
        // Twilio asks once more where no answer reached it.
        assert_eq!(token_of(&one.inbound(&call(&admitted)).await), token_of(&stream));
        let mut late = begin(&one, &admitted, &token_of(&stream)).await;
        for (call, socket) in [(&going_on, &mut talk), (&admitted, &mut late)] {
            say(socket, &stopped(call)).await;
            assert_eq!(one.end_reason(call).await, "caller_hangup");
            let record = store.call(call).await.unwrap().unwrap();
            assert_eq!((&*record.company, record.config_version), ("acme", 1));
        }

        assert_eq!(versions::deactivate(&store, "acme", "a test").await.unwrap(), None);
        activate(&store, None).await.unwrap();
        for server in [&one, &other] {
            until(|| server.app.companies().by_number(ACMES).is_some()).await;
            server.inbound(&call(&sid(4))).await;
        }
        for server in [one, other] {
            let folder = server.app.config().audit.clone();
            server.app.audit().server_stopped(server.app.store()).await;
            let kinds = kinds(&folder);
            let end = kinds.iter().position(|kind| kind == "configuration_deactivated");
            let again = kinds.iter().position(|kind| kind == "configuration_activated");
            assert!(end.is_some() && again > end, "{kinds:?}");
        }
    }
}

#[tokio::test]
async fn what_was_active_is_brought_back_and_no_start_of_a_server_does_it() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        for version in [1, 2] {
            make_active(&store, &acme(version)).await;
        }
        let off = async || versions::deactivate(&store, "acme", "night").await.unwrap();
        let back = async || versions::rollback(&store, "acme", "night").await.unwrap().version;
        assert_eq!((off().await, off().await), (Some(2), None));
        // Not even with a version that nobody has seen yet.
        for version in [2, 3] {
            let started = Server::start_with(|config| {
                config.database_url = place.url().into();
                config.companies = vec![acme(version)];
            });
            assert!(started.await.app.companies().companies().is_empty(), "v{version}");
        }
        assert_eq!((back().await, back().await, back().await), (2, 1, 2));
        assert_eq!(off().await, Some(2));
        let history = store.activations("acme").await.unwrap();
        let told: Vec<_> = history.iter().map(|past| (past.version, &*past.command)).collect();
        let expected = [(2, "deactivate"), (2, "rollback"), (1, "rollback"), (2, "rollback")];
        assert_eq!(told[..4], expected);
        assert_eq!(history[0].actor, "night");

        // Whoever takes its numbers has them.
        let text = ACME.replacen("id = \"acme\"", "id = \"heir\"", 1);
        make_active(&store, &Tenant::parse("heir.toml", &text).unwrap()).await;
        let refused = activate(&store, Some(1)).await.unwrap_err();
        assert!(matches!(refused, Error::Claimed { by, .. } if by == "heir"));
        let nobody = versions::deactivate(&store, "nobody", "night").await;
        assert!(matches!(nobody, Err(Error::NoCompany(_))));
    }
}

/// I-36: the tables keep when it was, and by whom.
#[tokio::test]
async fn the_database_itself_keeps_when_a_company_was_deactivated_i_36() {
    for place in places().await {
        let store = Store::open(place.url()).await.unwrap();
        make_active(&store, &acme(1)).await;
        versions::deactivate(&store, "acme", "night").await.unwrap();
        for change in [
            "UPDATE company_activation SET actor = 'me'",
            "DELETE FROM company_activation",
            "INSERT INTO company_activation VALUES ('acme', 3, 1, 0, 'vanish', 'me')",
            "INSERT INTO company_activation VALUES ('acme', 3, 9, 0, 'deactivate', 'me')",
        ] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
    }
}

/// The kinds of the entries in all logs below a folder, in order.
fn kinds(folder: &std::path::Path) -> Vec<String> {
    let logs = fs::read_dir(folder).unwrap().map(|log| log.unwrap().path());
    let files = logs.flat_map(|log| fs::read_dir(log).unwrap().map(|file| file.unwrap().path()));
    let files = files.filter(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
    let mut kinds = Vec::new();
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            kinds.push(entry["kind"].as_str().unwrap().to_owned());
        }
    }
    kinds
}

fn acme(version: u32) -> Tenant {
    let text = ACME.replacen("version = 1", &format!("version = {version}"), 1);
    Tenant::parse("acme.toml", &text).unwrap()
}

async fn make_active(store: &Store, tenant: &Tenant) {
    versions::import(store, std::slice::from_ref(tenant), "a test").await.unwrap();
    let (id, version) = (&tenant.company().id, tenant.company().version);
    let command = Command::Activate;
    versions::activate(store, id, Some(version.into()), command, "a test").await.unwrap();
}

async fn activate(store: &Store, version: Option<i64>) -> Result<versions::Standing, Error> {
    versions::activate(store, "acme", version, Command::Activate, "a test").await
}

async fn server(place: &Place) -> Server {
    Server::start_with(|config| {
        config.database_url = place.url().into();
        config.companies = Vec::new();
    })
    .await
}

fn sid(number: u8) -> String {
    format!("CA{number:032}")
}

fn call(sid: &str) -> support::Form {
    with(&support::voice_inbound(), "CallSid", sid)
}

async fn begin(server: &Server, sid: &str, token: &str) -> Socket {
    let mut steps = server.app.watch().subscribe();
    let mut socket = server.open("/twilio/acme/en").await;
    say(&mut socket, &CONNECTED).await;
    let mut start = start(token);
    start.call_sid = sid.to_owned();
    say(&mut socket, &FromTwilio::Start(start)).await;
    steps.recv().await.unwrap();
    socket
}

fn stopped(sid: &str) -> FromTwilio<'static> {
    let FromTwilio::Stop { account_sid, .. } = stop() else { panic!("it is a stop") };
    FromTwilio::Stop { account_sid, call_sid: Some(sid.to_owned().into()) }
}

async fn until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(20), "it does not become so");
        pause().await;
    }
}
