//! A fake middleware: the back office of a scenario, over HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use call_transports::middleware::{COMPANY_HEADER, LOOKUP_PATH, LoanLookup};
use sim::Scenario;

use crate::clock::pause;

/// The middleware of a scenario's company.
#[derive(Debug, Clone)]
pub struct Middleware {
    scenario: Arc<Scenario>,
    key: Arc<str>,
}

impl Middleware {
    /// A middleware that asks for this key, and answers for the scenario's company alone.
    pub fn new(scenario: Arc<Scenario>, key: &str) -> Self {
        Self { scenario, key: key.into() }
    }

    /// Its routes.
    pub fn router(self) -> Router {
        Router::new().route(LOOKUP_PATH, post(lookup)).with_state(self)
    }
}

async fn lookup(
    State(middleware): State<Middleware>,
    headers: HeaderMap,
    Json(lookup): Json<LoanLookup>,
) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(&middleware.key) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // Its loans are this company's, and whoever asks for another's gets nothing of them (I-10).
    let company = headers.get(COMPANY_HEADER).and_then(|value| value.to_str().ok());
    if company != Some(&*middleware.scenario.company.id) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let back_office = &middleware.scenario.back_office;
    pause(back_office.takes).await;
    Json(back_office.lookup(&lookup)).into_response()
}
