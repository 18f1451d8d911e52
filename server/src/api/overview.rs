//! How the server is, and whom it serves.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::operators::{Operator, Scope};
use crate::app::App;

/// How everything is that the server depends on.
pub(super) async fn health(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
) -> Json<Value> {
    let is_draining = app.is_draining();
    // How many calls others have is nobody's to know (I-10).
    let live = match &operator.scope {
        Scope::Every => app.live(),
        Scope::Company(own) => app.tokens().live_calls(|id| id == own).len(),
    };
    let database = timeout(LOOK_UP, app.store().is_well()).await.unwrap_or(false);
    let breakers: BTreeMap<_, _> = app
        .services()
        .breakers()
        .into_iter()
        .map(|(provider, report)| (provider, report.standing.word()))
        .collect();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": database && !is_draining,
        "draining": is_draining,
        "calls": { "live": live, "max": app.config().calls_max },
        "database": database,
        "spool": { "waiting": app.spool().waiting().len(), "refused": app.spool().refused() },
        "breakers": breakers,
    }))
}

/// The companies that are served, as far as the operator may know of them.
pub(super) async fn companies(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
) -> Json<Value> {
    let listed = app.companies().companies();
    let seen: Vec<_> = listed
        .iter()
        .filter(|listed| operator.scope.covers(&listed.tenant.company().id))
        .map(|listed| {
            let company = listed.tenant.company();
            let faults: Vec<_> = listed.faults.iter().map(|fault| fault.word()).collect();
            let languages: Vec<_> = company.agents.keys().map(|language| language.tag()).collect();
            let targets: Vec<_> = company.transfer.keys().collect();
            let live = app.tokens().live_calls(|id| id == company.id).len();
            json!({
                "id": company.id,
                "name": company.name,
                "version": company.version,
                "numbers": company.numbers,
                "languages": languages,
                "transfer_targets": targets,
                "faults": faults,
                "calls": { "live": live, "max": company.calls_max },
            })
        })
        .collect();
    Json(json!({ "companies": seen }))
}

/// How long the database may take to say that it is well.
const LOOK_UP: Duration = Duration::from_secs(2);
