//! The calls that are going on: what is seen of them, and what operators do to them.
//!
//! Nothing here decides about a call. What an operator wants is news to its machine, as everything
//! else is, and stands in its journal.

use std::cmp::Reverse;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use call_core::Millis;
use call_core::call::Phase;
use call_core::effect::Function;
use call_core::input::Operator as Wish;
use call_transports::twilio::Sid;
use serde_json::{Value, json};
use tokio::sync::mpsc::error::TrySendError;
use tracing::info;

use super::body::Body;
use super::operators::{Operator, Scope};
use super::problem::Problem;
use crate::app::App;
use crate::audit::{Entry, Kind, SERVER};
use crate::call::News;
use crate::metrics::ApiRefusal;
use crate::times::whole_ms;
use crate::tokens::LiveCall;

/// The calls that are going on, the longest first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
) -> Json<Value> {
    let mut calls = app.tokens().live_calls(|company| operator.scope.covers(company));
    calls.sort_by_key(|call| Reverse(call.view.lasted()));
    Json(json!({ "calls": calls.iter().map(shown).collect::<Vec<_>>() }))
}

fn shown(live: &LiveCall) -> Value {
    let sight = live.view.sight();
    json!({
        "call": live.call.as_str(),
        "company": live.company(),
        "language": sight.language.tag(),
        "phase": sight.phase.to_string(),
        "function": sight.function.map(Function::name),
        "lasted_ms": whole_ms(live.view.lasted()),
    })
}

/// Goodbye is said, and the call is hung up.
pub(super) async fn hang_up(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
) -> Result<Accepted, Problem> {
    let live = find(&app, &operator, &sid)?;
    ask(&app, &operator, &live, Wish::HangUp)
}

/// The call is handed to somebody whom its company names for that.
pub(super) async fn transfer(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
    body: Result<Body, Problem>,
) -> Result<Accepted, Problem> {
    let live = find(&app, &operator, &sid)?;
    let body = body?;
    body.has_only(&["target"])?;
    let target = body.text("target")?.to_owned();
    // Those of the version that the call is held under, as its machine has them.
    let targets = &live.tenant.company().transfer;
    if !targets.contains_key(&target) {
        let names: Vec<_> = targets.keys().map(String::as_str).collect();
        let must = match &names[..] {
            [] => "The company has nobody to transfer a call to.".to_owned(),
            targets => format!("`target` must be one of: {}.", targets.join(", ")),
        };
        return Err(Problem::field("target", must));
    }
    ask(&app, &operator, &live, Wish::Transfer { target })
}

/// The call may go on for so long, as if the server was to end then.
pub(super) async fn drain(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
    body: Result<Body, Problem>,
) -> Result<Accepted, Problem> {
    let live = find(&app, &operator, &sid)?;
    let body = body?;
    body.has_only(&["within_ms"])?;
    let within = Millis(body.whole("within_ms", 0..=WITHIN_MS_MAX)?);
    ask(&app, &operator, &live, Wish::Drain { within })
}

/// The server takes no new calls and ends when those that are going on have, as at the first signal.
pub(super) async fn drain_server(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
) -> Result<Response, Problem> {
    may_operate(&app, &operator)?;
    if operator.scope != Scope::Every {
        return Err(Problem::SCOPE);
    }
    act(&app, &Deed { operator: &operator, what: "drain-server", call: None }, || {
        app.end();
        Ok(())
    })?;
    let limit_ms = whole_ms(app.config().drain_limit);
    let told = json!({ "asked": "drain-server", "live": app.live(), "limit_ms": limit_ms });
    Ok((StatusCode::ACCEPTED, Json(told)).into_response())
}

/// A call that is going on and that this operator may act on.
fn find(app: &App, operator: &Operator, sid: &str) -> Result<LiveCall, Problem> {
    may_operate(app, operator)?;
    let live = Sid::parse(sid).and_then(|sid| app.tokens().live_call(&sid));
    // Another company's call is answered as one that there is not.
    live.filter(|live| operator.scope.covers(live.company())).ok_or(Problem::NO_CALL)
}

fn may_operate(app: &App, operator: &Operator) -> Result<(), Problem> {
    if operator.may_operate() {
        return Ok(());
    }
    app.metrics().api_refused(ApiRefusal::Role);
    Err(Problem::ROLE)
}

/// Tells a call what an operator wants of it.
fn ask(app: &App, operator: &Operator, live: &LiveCall, wish: Wish) -> Result<Accepted, Problem> {
    let what = match wish {
        Wish::HangUp => "hang-up",
        Wish::Transfer { .. } => "transfer",
        Wish::Drain { .. } => "drain",
    };
    // The machine would ignore it, and nobody would tell the operator.
    let ends = matches!(
        live.view.sight().phase,
        Phase::Farewell | Phase::Transferring | Phase::HangingUp | Phase::Ended
    );
    if ends && what != "drain" {
        return Err(Problem::ENDING);
    }
    act(app, &Deed { operator, what, call: Some(live) }, || {
        live.line.try_send(News::Operator(wish)).map_err(|error| match error {
            TrySendError::Full(_) => Problem::BUSY,
            TrySendError::Closed(_) => Problem::NO_CALL,
        })
    })?;
    Ok(Accepted { call: live.call.clone(), asked: what })
}

/// Something that an operator does.
struct Deed<'a> {
    operator: &'a Operator,
    what: &'static str,
    /// The call that it is done to; nothing if it is the server.
    call: Option<&'a LiveCall>,
}

/// Does what an operator wants. Whatever operators do goes through here, so that all of it is on record.
fn act(
    app: &App,
    deed: &Deed<'_>,
    doing: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    let outcome = doing();
    app.metrics().operator_acted(deed.what);
    let company = deed.call.map_or(SERVER, LiveCall::company);
    let (operator, done) = (deed.operator.name.as_str(), outcome.is_ok());
    let body = json!({ "operator": operator, "wants": deed.what, "done": done });
    let entry = Entry::new(Kind::Operator, company, body);
    app.audit().append(match deed.call {
        Some(live) => entry.of_call(live.call.as_str()),
        None => entry,
    });
    info!(
        target: "operators",
        operator = deed.operator.name,
        what = deed.what,
        call = deed.call.map(|live| live.call.as_str()),
        company = deed.call.map(LiveCall::company),
        done = outcome.is_ok(),
        "an operator acts"
    );
    outcome
}

/// A call was told. What comes of it stands in its story.
pub(super) struct Accepted {
    call: Sid,
    asked: &'static str,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let told = json!({ "call": self.call.as_str(), "asked": self.asked });
        (StatusCode::ACCEPTED, Json(told)).into_response()
    }
}

/// An hour: longer than any call.
const WITHIN_MS_MAX: u64 = 60 * 60 * 1_000;
