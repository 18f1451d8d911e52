//! The body of a request: one small JSON object, whose fields are all known.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::problem::Problem;
use crate::app::App;

/// The fields that a request came with.
pub(super) struct Body(Map<String, Value>);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let kind = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Problem::KIND);
        }
        let body = timeout(BODY_LIMIT, to_bytes(body, BODY_BYTES_MAX)).await;
        let body = body.map_err(|_| Problem::SLOW)?.map_err(|_| Problem::LARGE)?;
        // The library's words would quote what was sent.
        serde_json::from_slice(&body).map(Self).map_err(|_| Problem::JSON)
    }
}

impl Body {
    /// Refuses fields that are not among these.
    pub(super) fn has_only(&self, known: &[&str]) -> Result<(), Problem> {
        let is_known = self.0.keys().all(|name| known.contains(&name.as_str()));
        if is_known { Ok(()) } else { Err(Problem::unknown_field(known)) }
    }

    /// A field that must be a text.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Problem> {
        let text = self.0.get(field).and_then(Value::as_str);
        text.ok_or_else(|| Problem::field(field, format!("`{field}` must be a text.")))
    }

    /// A field that must be a whole number in a range.
    pub(super) fn whole(
        &self,
        field: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<u64, Problem> {
        let number = self.0.get(field).and_then(Value::as_u64);
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (least, most) = range.into_inner();
            Problem::field(
                field,
                format!("`{field}` must be a whole number from {least} to {most}."),
            )
        })
    }
}

const BODY_BYTES_MAX: usize = 4 * 1_024;

/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(5);
