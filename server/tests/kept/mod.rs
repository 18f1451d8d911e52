//! Calls that are over, with all that can be kept of one, and a carrier that keeps their sound.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use call_core::brief::Brief;
use call_transports::net::{TwilioRest, install_crypto};
use call_transports::twilio::Sid;
use call_transports::twilio::recording::{RecordingCallback, RecordingStatus};
use serde_json::Value;
use server::sealed::DataKeys;
use server::store::{Caller, NewHold, Placed, Store};
use server::times::now_us;
use tokio::net::TcpListener;

use crate::places::call_of;

/// 2015-01-01 UTC: over for longer than anything is kept here.
pub(crate) const OLD_MS: u64 = 1_420_070_400_000;

/// An ended call with all that a call can have.
pub(crate) async fn keep(store: &Store, company: &str, number: usize, utc_start_ms: u64) {
    keep_as(store, company, number, utc_start_ms, RecordingStatus::Completed).await;
}

pub(crate) async fn keep_as(
    store: &Store,
    company: &str,
    number: usize,
    utc_start_ms: u64,
    status: RecordingStatus,
) {
    let brief =
        Brief { call: sid(number), company: company.to_owned(), utc_start_ms, ..Brief::example() };
    let (brief, steps) = call_of(brief);
    store.end_call(&brief.call, &steps).await.unwrap();
    let caller = Caller::new(&keys(), company, &brief.call, "+15550100101");
    store.keep_caller(company, &brief.call, &caller).await.unwrap();
    store.keep_recording(company, &told(number, status), status, None).await.unwrap();
}

pub(crate) fn keys() -> DataKeys {
    let keys = "a:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    DataKeys::parse(&keys.into()).unwrap()
}

/// What the carrier tells of the recording of a call.
pub(crate) fn told(number: usize, status: RecordingStatus) -> RecordingCallback {
    RecordingCallback {
        account: Sid::parse(ACCOUNT).unwrap(),
        call: Sid::parse(&sid(number)).unwrap(),
        recording: Sid::parse(&recording(number)).unwrap(),
        status: Some(status),
        seconds: Some(1),
        started: None,
        url: None,
    }
}

pub(crate) fn word(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) async fn hold(store: &Store, company: &str, call: Option<usize>) -> i64 {
    let call = call.map(sid);
    let hold =
        NewHold { company, call: call.as_deref(), reason: "case 1", by: "x", at_us: now_us() };
    match store.place_hold(&hold).await.unwrap() {
        Placed::Now(id) | Placed::OnSound(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn there(store: &Store, number: usize) -> bool {
    store.call(&sid(number)).await.unwrap().is_some()
}

/// A carrier that answers what it is told to, and keeps what it was asked for.
pub(crate) async fn carrier() -> (TwilioRest, Asked, Arc<Mutex<StatusCode>>) {
    install_crypto();
    let (asked, status) = (Asked::default(), Arc::new(Mutex::new(StatusCode::OK)));
    let state = (Arc::clone(&asked), Arc::clone(&status));
    let answer = async |State((asked, status)): State<(Asked, Arc<Mutex<StatusCode>>)>,
                        method: Method,
                        uri: Uri| {
        asked.lock().unwrap().push((method, uri.path().to_owned()));
        *status.lock().unwrap()
    };
    let router = Router::new().fallback(answer).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let account = Sid::parse(ACCOUNT).unwrap();
    (TwilioRest::new(&url, account, "token".into()).unwrap(), asked, status)
}

/// A carrier that answers by what it is asked for.
pub(crate) async fn carrier_that(answer: fn(&str) -> StatusCode) -> (TwilioRest, Asked) {
    install_crypto();
    let asked = Asked::default();
    let state = Arc::clone(&asked);
    let answer = move |State(asked): State<Asked>, method: Method, uri: Uri| async move {
        let status = answer(uri.path());
        asked.lock().unwrap().push((method, uri.path().to_owned()));
        status
    };
    let router = Router::new().fallback(answer).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let account = Sid::parse(ACCOUNT).unwrap();
    (TwilioRest::new(&url, account, "token".into()).unwrap(), asked)
}

pub(crate) type Asked = Arc<Mutex<Vec<(Method, String)>>>;

pub(crate) fn sid(number: usize) -> String {
    format!("CA{number:032}")
}

pub(crate) fn recording(number: usize) -> String {
    format!("RE{number:032}")
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(now_us() / 1_000).unwrap()
}

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
