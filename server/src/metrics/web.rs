//! `/metrics`, on an address of its own, and the counting of requests to the other routes.
//!
//! The proxy that Twilio comes in by passes every path on. Numbers about a company's calls are
//! nobody's business out there, so they are not among those paths: whoever scrapes comes in by
//! another door, which is shut unless `METRICS_ADDR` opens it.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::app::App;
use crate::times::now_us;

/// Answers scrapers until the process ends.
///
/// # Errors
/// When the listener fails.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new().route("/metrics", get(metrics)).with_state(app);
    axum::serve(listener, router).await
}

async fn metrics(State(app): State<App>) -> Response {
    let services = app.services();
    // Whoever scrapes must learn that the database is down, and not wait for it.
    let backlogs = timeout(LOOK_UP, app.store().backlogs()).await;
    let backlogs = backlogs.ok().and_then(Result::ok);
    app.metrics().backlogs(backlogs.as_deref(), now_us());
    let (kept, writes) = (services.speaker.kept(), app.store().writes());
    app.metrics().audit(&services.audit.report());
    match app.metrics().text(app.live(), &kept, writes, &services.breakers()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Counts a request by the route that took it. Paths that are no route of ours are `other`, however
/// many somebody thinks up.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let came = Instant::now();
    let answer = next.run(request).await;
    let path = path.as_ref().map_or("other", MatchedPath::as_str);
    app.metrics().webhook(path, answer.status().as_u16(), came.elapsed());
    answer
}

/// How long a scrape waits for the store.
const LOOK_UP: Duration = Duration::from_millis(500);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
