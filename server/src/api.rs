//! The interface for those who look after the server: what goes on, what went on, and what can be done
//! about it.
//!
//! Everything below `/api/v1` needs a bearer token (RFC 6750) of the configured list; without such a
//! list there is nothing there. An operator of one company sees and touches nothing of another one
//! (I-10). Whatever is refused is answered by a problem in JSON (RFC 9457), which quotes nothing that
//! was sent. `docs/api.md` is the guide, `openapi.json` the description for programs.
//!
//! | module | holds |
//! |---|---|
//! | `operators` | the list: names, roles, companies |
//! | `guard` | who gets in |
//! | `live` | the calls that are going on, and what is done to them |
//! | `records` | the calls on record, and what remains of them |
//! | `recordings` | what there is of a call to be heard |
//! | `overview` | how the server is, and whom it serves |
//! | `body` | what a request says |
//! | `problem` | what a refusal says |

mod body;
mod guard;
mod live;
mod operators;
mod overview;
mod problem;
mod recordings;
mod records;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use guard::Guard;
use problem::Problem;

pub use operators::{Operator, Operators, Role, Scope, Stranger, Unfit};

/// Where the interface is.
pub const PATH: &str = "/api/v1";

/// The description of all that is here, in the words of OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// All ways in, below [`PATH`].
pub(crate) fn router(app: App) -> Router<App> {
    let guard = Arc::new(Guard::new(app));
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/health", get(overview::health))
        .route("/companies", get(overview::companies))
        .route("/drain", post(live::drain_server))
        .route("/calls", get(records::list))
        .route("/calls/live", get(live::list))
        .route("/calls/{sid}", get(records::show))
        .route("/calls/{sid}/story", get(records::story))
        .route("/calls/{sid}/journal", get(records::journal))
        .route("/calls/{sid}/recordings", get(recordings::list))
        .route("/calls/{sid}/recordings/{recording}/media", get(recordings::media))
        .route("/calls/{sid}/hangup", post(live::hang_up))
        .route("/calls/{sid}/transfer", post(live::transfer))
        .route("/calls/{sid}/drain", post(live::drain))
        .fallback(async || Problem::NO_ROUTE)
        .method_not_allowed_fallback(async || Problem::METHOD)
        .layer(middleware::from_fn_with_state(guard, guard::admit))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
