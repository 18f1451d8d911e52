//! Records of calls that nobody has any more get their one end from the carrier.

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use call_core::input::Transfer;
use call_core::{Brief, Fact};
use call_transports::twilio::twiml::Verb;
use call_transports::twilio::webhook::decode_form;
use jiff::Timestamp;
use server::config::Config;
use server::spool;
use server::store::{CallRecord, Ended, ORPHANED, Store, UNCONFIRMED};
use support::world::{Leg, World};
use support::{CALL, STREAM, Server, pause, say, stop, token_of, voice_inbound, with};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// F-WH-14, F-PR-03.
#[test]
fn a_call_whose_process_died_is_closed_once_the_carrier_says_that_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("calls.db");
    let process = tokio::runtime::Runtime::new().expect("a runtime");
    process.block_on(async {
        // Nobody may take the socket away before the process dies.
        let server = Server::start_on(&database, |_| {}).await;
        std::mem::forget(server.call().await);
        while record(&server.app.store().clone(), CALL).await.is_none() {
            pause().await;
        }
        std::mem::forget(server);
    });
    // Whatever was going on is not even dropped in order.
    process.shutdown_background();

    let process = tokio::runtime::Runtime::new().expect("a runtime");
    process.block_on(async {
        let carrier = Carrier::begin(200, r#"{"status":"in-progress"}"#).await;
        let server = carrier.server(&database).await;
        let store = server.app.store();
        carrier.is_asked(3).await;
        assert_eq!(store.unended().await.expect("records").len(), 1, "it goes on elsewhere");

        carrier.says(200, r#"{"status":"completed","duration":"42"}"#);
        let ended = end_of(store, CALL).await;
        assert_eq!((&*ended.reason, ended.duration_ms), (ORPHANED, 42_000));
        assert_eq!(store.journal(CALL).await.expect("a journal"), []);

        // It is over once: nobody asks again, and nothing changes any more.
        let asked = carrier.asked();
        carrier.says(200, r#"{"status":"completed","duration":"99"}"#);
        tokio::time::sleep(10 * LIMIT).await;
        assert_eq!(carrier.asked(), asked);
        assert_eq!(end_of(store, CALL).await, ended);
    });
}

/// F-PR-01, F-PR-03: the document that calls a person is with the carrier, and needs nobody here. A process
/// that ends meanwhile cuts nothing off, and the one that finds its journal does not say that it did.
#[test]
fn a_call_for_which_a_person_is_called_outlives_its_process_f_pr_01() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("calls.db");
    let process = tokio::runtime::Runtime::new().expect("a runtime");
    process.block_on(async {
        let mut world = World::begin().await;
        let limit = |config: &mut Config| config.drain_limit = Duration::from_secs(1);
        let mut server = Server::start_on(&database, world.of_company("", limit)).await;
        let token = token_of(&server.inbound(&voice_inbound()).await);
        let mut leg = Leg::open(&server, STREAM, &token).await;
        leg.hears_a_line().await;
        server.end();
        let verbs = leg.playing(world.document()).await;
        assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
        leg.stop().await;
        (&mut server.serving).await.expect("no panic").expect("it ends in order");
        assert!(world.asked_nothing_more(), "nobody hangs the call up");
    });
    process.shutdown_background();

    let process = tokio::runtime::Runtime::new().expect("a runtime");
    process.block_on(async {
        let carrier = Carrier::begin(200, r#"{"status":"in-progress"}"#).await;
        // It serves who is active already.
        let server = carrier.server_with(&database, |config| config.companies.clear()).await;
        let store = server.app.store();
        // The person answers, and they talk.
        let dialled =
            include_str!("../../transports/fixtures/twilio/webhooks/dial_leg_ringing.form");
        let dialled = decode_form(dialled.trim_end().as_bytes()).expect("a form");
        let answered = with(&dialled, "CallStatus", "in-progress");
        assert_eq!(server.post("/twilio/dialled", &answered).await.0, StatusCode::NO_CONTENT);
        carrier.is_asked(3).await;
        assert_eq!(store.unended().await.expect("records").len(), 1, "it goes on there");
        assert_eq!(server.app.spool().waiting().len(), 1);
        let mut form = voice_inbound();
        form.push(("DialCallStatus".to_owned(), "completed".to_owned()));
        assert_eq!(server.verbs("/twilio/after_dial", &form).await, [Verb::Hangup]);

        carrier.says(200, r#"{"status":"completed","duration":"420"}"#);
        let ended = end_of(store, CALL).await;
        assert_eq!((&*ended.reason, ended.duration_ms), (ORPHANED, 420_000));
        spool::drain_once(server.app.spool(), store).await;
        let journal = store.journal(CALL).await.expect("a journal");
        let accepted = journal.iter().flat_map(|step| &step.facts);
        let is_accepted =
            |fact: &Fact| matches!(fact, Fact::Transfer { result: Transfer::Accepted, .. });
        assert_eq!(accepted.filter(|fact| is_accepted(fact)).count(), 1);
        assert_eq!(server.app.spool().waiting(), []);
        assert_eq!(end_of(store, CALL).await, ended);
    });
}

/// F-WH-14.
#[tokio::test]
async fn a_call_that_the_carrier_does_not_know_ends_without_a_length() {
    let (database, _folder) = with_record(now_ms()).await;
    let carrier = Carrier::begin(404, r#"{"code":20404}"#).await;
    let server = carrier.server(&database).await;
    let ended = end_of(server.app.store(), CALL).await;
    assert_eq!((&*ended.reason, ended.duration_ms), (UNCONFIRMED, 0));
}

/// F-WH-14: while the carrier does not answer, a record stays open, for as long as a call can last.
#[tokio::test]
async fn a_carrier_that_does_not_answer_is_asked_for_a_day() {
    let (database, _folder) = with_record(now_ms()).await;
    let old = "CA00000000000000000000000000000012";
    let store = Store::open(&url(&database)).await.expect("a store");
    store.begin_call(&brief(old, now_ms() - 25 * 60 * 60 * 1_000)).await.expect("a record");
    let carrier = Carrier::begin(500, "").await;
    let server = carrier.server(&database).await;
    assert_eq!(end_of(server.app.store(), old).await.reason, UNCONFIRMED);
    carrier.is_asked(4).await;
    let open = server.app.store().unended().await.expect("records");
    assert_eq!(open.iter().map(|record| &*record.sid).collect::<Vec<_>>(), [CALL]);
}

/// F-WH-14: what the carrier says of a call that is going on here ends nothing.
#[tokio::test]
async fn a_call_that_goes_on_here_is_nobodys_orphan() {
    let carrier = Carrier::begin(200, r#"{"status":"completed","duration":"1"}"#).await;
    let folder = tempfile::tempdir().expect("a folder");
    let server = carrier.server(&folder.path().join("calls.db")).await;
    let mut socket = server.call().await;
    tokio::time::sleep(10 * LIMIT).await;
    assert_eq!(carrier.asked(), 0);
    say(&mut socket, &stop()).await;
    assert_eq!(end_of(server.app.store(), CALL).await.reason, "caller_hangup");
    assert!(!server.app.store().journal(CALL).await.expect("a journal").is_empty());
}

/// So short is T_ORPHAN here.
const LIMIT: Duration = Duration::from_millis(40);

/// The carrier's REST interface, which is only asked how calls stand.
struct Carrier {
    address: std::net::SocketAddr,
    props: Arc<Props>,
}

struct Props {
    answer: Mutex<(u16, &'static str)>,
    asked: AtomicU32,
}

impl Carrier {
    async fn begin(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let props =
            Arc::new(Props { answer: Mutex::new((status, body)), asked: AtomicU32::new(0) });
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(look))
            .with_state(Arc::clone(&props));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, props }
    }

    async fn server(&self, database: &Path) -> Server {
        self.server_with(database, |_| {}).await
    }

    async fn server_with(&self, database: &Path, change: impl FnOnce(&mut Config)) -> Server {
        let api_url = format!("http://{}", self.address);
        Server::start_on(database, |config| {
            config.twilio.api_url = api_url;
            config.orphan_limit = LIMIT;
            change(config);
        })
        .await
    }

    fn says(&self, status: u16, body: &'static str) {
        *self.props.answer.lock().expect("no panic") = (status, body);
    }

    fn asked(&self) -> u32 {
        self.props.asked.load(Ordering::SeqCst)
    }

    async fn is_asked(&self, times: u32) {
        while self.asked() < times {
            pause().await;
        }
    }
}

async fn look(State(props): State<Arc<Props>>) -> (StatusCode, &'static str) {
    props.asked.fetch_add(1, Ordering::SeqCst);
    let (status, body) = *props.answer.lock().expect("no panic");
    (StatusCode::from_u16(status).expect("a status"), body)
}

/// A database in which one call is live.
async fn with_record(started_ms: u64) -> (std::path::PathBuf, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("calls.db");
    let store = Store::open(&url(&database)).await.expect("a store");
    store.begin_call(&brief(CALL, started_ms)).await.expect("a record");
    store.close().await;
    (database, folder)
}

fn brief(call: &str, utc_start_ms: u64) -> Brief {
    Brief { call: call.to_owned(), utc_start_ms, ..Brief::example() }
}

fn url(database: &Path) -> String {
    format!("sqlite://{}", database.display())
}

fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).expect("after 1970")
}

async fn record(store: &Store, call: &str) -> Option<CallRecord> {
    store.call(call).await.expect("the store answers")
}

async fn end_of(store: &Store, call: &str) -> Ended {
    let ended = async {
        loop {
            if let Some(ended) = record(store, call).await.and_then(|record| record.ended) {
                return ended;
            }
            pause().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends")
}
