//! One call from its stream's beginning to its record.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use axum::extract::ws::WebSocket;
use call_core::company::Recording;
use call_core::step::{Fact, Step};
use call_core::{Brief, CallTime, Language};
use call_transports::twilio::Sid;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use crate::app::App;
use crate::audit::Entry;
use crate::call::{self, LINE_MAX, Setup, View};
use crate::company;
use crate::http::{Documents, RECORDING};
use crate::store::{Caller, Closing, INTERNAL, Store};
use crate::times::whole_ms;
use crate::tokens::{Ending, Grant};
use crate::unrecorded;

/// Plays a call and keeps what remains of it.
///
/// A call waits in this future as long as it lasts, and a future keeps room for whatever it may ever
/// hold. So what comes before the call is done here at once, and what comes after it gets its room
/// then.
pub(super) fn conduct(
    app: App,
    socket: WebSocket,
    grant: Grant,
    stream_sid: String,
) -> impl Future<Output = ()> + Send {
    let tenant = &grant.tenant;
    let brief = tenant.brief(&grant, utc_now_ms());
    let company = tenant.company();
    let profile = |language: &Language| {
        let mut profile = company::profile(company, *language)?;
        // So that the provider's own records of a call can be found again.
        profile.tags.push(grant.call.to_string());
        Some((*language, profile))
    };
    let (line, news) = mpsc::channel(LINE_MAX);
    let view = View::new(grant.language);
    app.tokens().attach(&grant.call, line.clone(), view.clone());
    app.tell_if_draining(&line);
    // What holds the line now is the list of calls.
    drop(line);
    let setup = Setup {
        brief: brief.clone(),
        voices: company.agents.iter().map(|(l, agent)| (*l, agent.voice.clone())).collect(),
        profiles: company.agents.keys().filter_map(profile).collect(),
        call_sid: grant.call.clone(),
        stream_sid,
        fingerprint_key: app.config().fingerprint_key.expose_secret().to_vec(),
        over: app.tokens().over(&grant.call),
        news,
        view,
        departure: Box::new(Documents::new(app.clone(), grant.clone())),
        recording: (company.recording == Recording::On)
            .then(|| app.config().public_url.of(&format!("{RECORDING}?company={}", company.id))),
        journal: (!unrecorded::is_chosen()).then(|| app.spool().begin(grant.call.clone())),
    };
    // In a place of its own, or this task would keep the same room as the call's.
    let play = Box::pin(call::play(socket, setup, app.services(), Some(app.watch().clone())));
    async move {
        if unrecorded::is_chosen() {
            keep_nothing(&app, &grant.call, play).await;
        } else {
            keep(&app, &grant, &brief, play).await;
        }
    }
}

/// Lets a call play in a task of its own, and keeps nothing of it.
async fn keep_nothing(
    app: &App,
    call: &Sid,
    play: impl Future<Output = Vec<Step>> + Send + 'static,
) {
    let seat = Seat { app, call };
    if let Ok(steps) = app.tasks().spawn(play).await {
        seat.leave(ending(&steps));
    }
}

/// Lets a call play in a task of its own, and keeps its record. A panic in the call ends this call
/// and no other.
async fn keep(
    app: &App,
    grant: &Grant,
    brief: &Brief,
    play: impl Future<Output = Vec<Step>> + Send + 'static,
) {
    let call = &grant.call;
    let seat = Seat { app, call };
    let caller = caller(app, grant, brief);
    let began = Instant::now();
    // A channel, because whoever holds the handle of a task holds its memory, too.
    let (opened, is_opened) = oneshot::channel();
    let (store, of_call, of_caller) = (app.store().clone(), brief.clone(), caller.clone());
    app.tasks().spawn(async move {
        let is_kept = open_record(&store, &of_call).await
            && keep_caller(&store, &of_call, of_caller.as_ref()).await;
        // Nobody waits any more where this task is cut off.
        let _ = opened.send(is_kept);
    });
    let outcome = match app.tasks().spawn(play).await {
        Ok(steps) => {
            seat.leave(ending(&steps));
            Outcome::Played(steps)
        }
        Err(fault) => {
            // The words of a panic may quote the call, so they are not asked for.
            error!(%call, panicked = fault.is_panic(), "a call was lost to a fault");
            seat.leave(Ending::Unplanned);
            app.audit().append(Entry::call_lost(&brief.company, &brief.call, INTERNAL));
            Outcome::Lost(CallTime::from_millis(whole_ms(began.elapsed())))
        }
    };
    // The record is closed after it was opened, or after that has failed.
    let is_kept = is_opened.await.unwrap_or(false);
    if Box::pin(close_record(app, call, brief, &outcome)).await {
        if !is_kept {
            Box::pin(keep_caller(app.store(), brief, caller.as_ref())).await;
        }
        app.spool().forget(call);
    } else {
        error!(%call, "the record of a call cannot be closed now; its journal waits in the spool");
        app.spool().leave(call.clone());
    }
}

enum Outcome {
    /// The call ended, and these are its steps.
    Played(Vec<Step>),
    /// The call was lost to a fault, so long after it began.
    Lost(CallTime),
}

/// The call's place among those that are going on. It becomes free however this task ends.
struct Seat<'a> {
    app: &'a App,
    call: &'a Sid,
}

impl Seat<'_> {
    /// Only the first ending of a call counts, so the one below changes nothing then.
    fn leave(self, ending: Ending) {
        self.app.call_is_over(self.call, ending);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.app.call_is_over(self.call, Ending::Unplanned);
    }
}

/// Whether the caller may still have to be told something.
fn ending(steps: &[Step]) -> Ending {
    let facts = steps.iter().rev().flat_map(|step| &step.facts);
    let reason = facts.into_iter().find_map(|fact| match fact {
        Fact::CallEnded { reason } => Some(*reason),
        _ => None,
    });
    reason.map_or(Ending::Unplanned, Ending::of)
}

async fn open_record(store: &Store, brief: &Brief) -> bool {
    let opened = store.begin_call(brief).await;
    if let Err(error) = &opened {
        error!(call = brief.call, %error, "the record of a call cannot be opened yet");
    }
    opened.is_ok()
}

/// The caller's number, sealed. Nothing without keys, and where the caller withholds the number or the
/// company keeps it for no time.
fn caller(app: &App, grant: &Grant, brief: &Brief) -> Option<Caller> {
    let keys = app.config().data_keys.as_ref()?;
    let number = grant.from.reveal();
    let is_kept = grant.tenant.company().retention.caller > 0;
    (is_kept && company::is_e164(number))
        .then(|| Caller::new(keys, &brief.company, &brief.call, number))
}

/// Whether nothing is left to be kept.
async fn keep_caller(store: &Store, brief: &Brief, caller: Option<&Caller>) -> bool {
    let Some(caller) = caller else { return true };
    let kept = store.keep_caller(&brief.company, &brief.call, caller).await;
    if let Err(error) = &kept {
        error!(call = brief.call, %error, "the caller's sealed number cannot be kept");
    }
    kept.is_ok()
}

/// Whether the call is on record. A few tries, because most databases that fail are back soon; after
/// that, others offer the journal to it.
async fn close_record(app: &App, call: &Sid, brief: &Brief, outcome: &Outcome) -> bool {
    let store = app.store();
    let steps = match outcome {
        Outcome::Played(steps) => Cow::Borrowed(steps),
        // Its own went down with it.
        Outcome::Lost(_) => Cow::Owned(app.spool().steps(call).await.unwrap_or_default()),
    };
    for pause in PAUSES {
        let closed = match outcome {
            Outcome::Played(_) => store.end_call(&brief.call, &steps).await,
            Outcome::Lost(at) => store.fail_call(brief, *at, &steps).await,
        };
        match closed {
            Ok(Closing::Now) => info!(%call, "a call is over and on record"),
            Ok(Closing::Before) => warn!(%call, "the record of a call was closed before"),
            Ok(Closing::Elsewhere) => {
                warn!(%call, "another server has taken a call over that ended here");
                return false;
            }
            Err(error) => {
                error!(%call, %error, "the record of a call cannot be closed");
                tokio::time::sleep(pause).await;
                continue;
            }
        }
        return true;
    }
    false
}

fn utc_now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// After each failure to close a record.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::ZERO];

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use call_transports::twilio::signature::sign;
    use call_transports::twilio::twiml::{Verb, parse};
    use call_transports::twilio::webhook::{PhoneNumber, encode_form};
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::config::{Config, Flags};
    use crate::sealed::DataKeys;
    use crate::store::callers;
    use crate::tokens::{Admission, Admitted, Claim};

    #[tokio::test]
    async fn a_panic_ends_its_call_with_a_record_and_no_other_call() {
        let app = App::new(config()).await.unwrap();
        let (lost, other) = (admit(&app, 1), admit(&app, 2));
        let brief = lost.tenant.brief(&lost, 1_000);
        keep(&app, &lost, &brief, async { panic!("what a caller said") }).await;
        let record = app.store().call(lost.call.as_str()).await.unwrap().unwrap();
        assert_eq!(record.ended.unwrap().reason, INTERNAL);
        assert_eq!(app.tokens().ending(&lost.call), Some(Ending::Unplanned));
        assert!(app.tokens().is_live(&other.call));

        let brief = other.tenant.brief(&other, 1_000);
        let (_, first) = call_core::Call::new(brief.clone());
        keep(&app, &other, &brief, async { vec![first] }).await;
        assert_eq!(app.store().journal(other.call.as_str()).await.unwrap().len(), 1);
        assert_eq!(app.live(), 0);
    }

    /// What waits for the call as long as it lasts; the call itself has a place of its own.
    #[tokio::test]
    async fn what_waits_for_a_call_has_no_room_for_what_comes_after_it() {
        let app = App::new(config()).await.unwrap();
        let grant = admit(&app, 1);
        let brief = grant.tenant.brief(&grant, 1_000);
        let waiting = keep(&app, &grant, &brief, async { Vec::new() });
        assert!(size_of_val(&waiting) < 2_048, "{} bytes", size_of_val(&waiting));
    }

    #[tokio::test]
    async fn a_call_of_which_nothing_is_kept_ends_as_any_other() {
        let app = App::new(config()).await.unwrap();
        let (over, lost) = (admit(&app, 1), admit(&app, 2));
        let (_, first) = call_core::Call::new(over.tenant.brief(&over, 1_000));
        keep_nothing(&app, &over.call, async { vec![first] }).await;
        keep_nothing(&app, &lost.call, async { panic!("what a caller said") }).await;
        assert_eq!(app.live(), 0);
        for call in [&over.call, &lost.call] {
            assert_eq!(app.tokens().ending(call), Some(Ending::Unplanned));
            assert!(app.store().call(call.as_str()).await.unwrap().is_none());
            assert!(app.spool().steps(call).await.is_err());
        }
    }

    /// F-PR-06: the stream is lost with its call, so Twilio goes on in its document and asks us.
    #[tokio::test]
    async fn the_caller_of_a_call_that_was_lost_to_a_panic_hears_words_from_every_document() {
        let app = App::new(config()).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = crate::http::router(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for (number, path) in [(1, "/twilio/after_stream"), (2, "/twilio/after_dial")] {
            let lost = admit(&app, number);
            let brief = lost.tenant.brief(&lost, 1_000);
            app.tokens().dial(&lost.call);
            keep(&app, &lost, &brief, async { panic!("what a caller said") }).await;
            let form = [
                ("CallSid".to_owned(), lost.call.to_string()),
                ("DialCallStatus".to_owned(), "busy".to_owned()),
            ];
            let signature = sign("key", &format!("https://voice.example.test{path}"), &form);
            let request = http.post(format!("http://{address}{path}")).body(encode_form(&form));
            let request = request.header("Content-Type", "application/x-www-form-urlencoded");
            let answer = request.header("X-Twilio-Signature", signature).send().await.unwrap();
            let verbs = parse(&answer.text().await.unwrap()).unwrap();
            assert!(matches!(verbs[..], [Verb::Say { .. }, Verb::Hangup]), "{path} {verbs:?}");
        }
    }

    /// I-26: sealed, and only where there are keys, a number, and a company that keeps it.
    #[tokio::test]
    async fn the_callers_number_is_kept_sealed_with_its_call_i_26() {
        let keys = "a:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let keys = DataKeys::parse(&keys.into()).unwrap();
        for (keys, from, is_kept) in [
            (Some(keys.clone()), "+15550100101", true),
            (Some(keys), "anonymous", false),
            (None, "+15550100101", false),
        ] {
            let app = App::new(Config { data_keys: keys.clone(), ..config() }).await.unwrap();
            let grant = Grant { from: PhoneNumber::new(from), ..admit(&app, 1) };
            let brief = grant.tenant.brief(&grant, 1_000);
            let (_, first) = call_core::Call::new(brief.clone());
            keep(&app, &grant, &brief, async { vec![first] }).await;
            let kept = app.store().caller(&brief.call).await.unwrap();
            assert_eq!(kept.is_some(), is_kept, "{from}");
            let (Some((company, sealed)), Some(keys)) = (kept, keys) else { continue };
            let number = keys.open(&callers::place(&company, &brief.call), &sealed).unwrap();
            assert_eq!(number.expose_secret(), from);
        }
    }

    fn config() -> Config {
        let key = || Some("key".to_owned().into());
        let here = || Some("http://127.0.0.1:9".to_owned());
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let flags = Flags {
            public_url: Some("https://voice.example.test".to_owned()),
            database_url: Some("sqlite::memory:".into()),
            spool_dir: Some(std::env::temp_dir().join("offhook-tests-spool")),
            audit_dir: Some(std::env::temp_dir().join("offhook-tests-audit")),
            twilio_account_sid: Some(ACCOUNT.to_owned()),
            twilio_auth_token: key(),
            deepgram_api_key: key(),
            middleware_url: here(),
            middleware_api_key: key(),
            company_file: Some(root.join("../scenarios/companies/acme.toml")),
            ..Flags::default()
        };
        Config::read(&flags).unwrap()
    }

    fn admit(app: &App, number: u8) -> Grant {
        let grant = Grant {
            call: Sid::parse(&format!("CA{number:032}")).unwrap(),
            account: Sid::parse(ACCOUNT).unwrap(),
            tenant: app.companies().company("acme").unwrap(),
            language: Language::English,
            from: PhoneNumber::new("+15550100101"),
            to: PhoneNumber::new("+15550100099"),
        };
        let now = Instant::now();
        let Admission::Granted(token) = app.tokens().admit(grant.clone(), None, now) else {
            panic!("there is room for the call");
        };
        let claim = Claim {
            call: grant.call.as_str(),
            account: ACCOUNT,
            company: "acme",
            language: grant.language.tag(),
        };
        let Ok(Admitted::Begins(grant)) = app.tokens().redeem(token.reveal(), &claim, now) else {
            panic!("the call begins");
        };
        grant
    }

    const ACCOUNT: &str = "AC00000000000000000000000000000001";
}
