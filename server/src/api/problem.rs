//! Why a request is refused, in JSON (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal. Its words are ours: nothing of what was sent stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    /// One word, for programs.
    reason: &'static str,
    /// A sentence, for people.
    detail: Cow<'static, str>,
    /// The field of the request that is wrong, if it is one.
    field: Option<&'static str>,
}

impl Problem {
    pub(super) const TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "token",
        "This needs an operator's secret: Authorization: Bearer.",
    );
    pub(super) const THROTTLED: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "throttled",
        "Too many tokens were wrong. A right one is taken at any time.",
    );
    pub(super) const ROLE: Self =
        Self::new(StatusCode::FORBIDDEN, "role", "This operator may look, and not act.");
    pub(super) const SCOPE: Self = Self::new(
        StatusCode::FORBIDDEN,
        "scope",
        "This is about all companies; this operator is one company's.",
    );
    pub(super) const NO_ROUTE: Self = Self::new(
        StatusCode::NOT_FOUND,
        "no-route",
        "There is nothing here. /api/v1/openapi.json lists what is.",
    );
    pub(super) const METHOD: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "This wants another method: see Allow.",
    );
    pub(super) const NO_CALL: Self =
        Self::new(StatusCode::NOT_FOUND, "no-call", "No such call is going on.");
    pub(super) const NO_RECORD: Self =
        Self::new(StatusCode::NOT_FOUND, "no-record", "No such call is on record.");
    pub(super) const NO_JOURNAL: Self = Self::new(
        StatusCode::NOT_FOUND,
        "no-journal",
        "The call has no journal: it is not over, or whoever had it wrote none.",
    );
    pub(super) const HEARING: Self = Self::new(
        StatusCode::FORBIDDEN,
        "role",
        "This operator may not hear recordings: that needs the role review.",
    );
    pub(super) const NO_RECORDING: Self =
        Self::new(StatusCode::NOT_FOUND, "no-recording", "The call has no such recording.");
    pub(super) const NO_SOUND: Self = Self::new(
        StatusCode::NOT_FOUND,
        "no-sound",
        "The recording has no sound: nothing is in it, or it was said to lie at a strange address.",
    );
    pub(super) const MAKING: Self =
        Self::new(StatusCode::CONFLICT, "making", "The recording is still being made.");
    pub(super) const GONE: Self = Self::new(
        StatusCode::GONE,
        "gone",
        "The carrier does not have the sound any more, although nobody here had it deleted.",
    );
    pub(super) const CARRIER: Self = Self::new(
        StatusCode::BAD_GATEWAY,
        "carrier",
        "The carrier does not hand out the sound. The server's log says why.",
    );
    pub(super) const AUDIT: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "audit",
        "The audit log takes nothing, and nothing is heard that it does not tell of.",
    );
    pub(super) const LISTENERS: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "listeners",
        "As many recordings are being fetched as may be at once.",
    );
    pub(super) const DATABASE: Self =
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database", "The database does not tell.");
    pub(super) const QUERY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "query",
        "The query cannot be read, or has a field twice.",
    );
    pub(super) const ENDING: Self = Self::new(
        StatusCode::CONFLICT,
        "ending",
        "The call is ending, or being handed over, already.",
    );
    pub(super) const BUSY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "The call has more news than it has taken.",
    );
    pub(super) const KIND: Self =
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind", "The body must be application/json.");
    pub(super) const LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "large",
        "The body must not be larger than 4 KiB.",
    );
    pub(super) const SLOW: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow", "The body did not come in time.");
    pub(super) const JSON: Self =
        Self::new(StatusCode::BAD_REQUEST, "json", "The body must be one JSON object.");

    const fn new(status: StatusCode, reason: &'static str, detail: &'static str) -> Self {
        Self { status, reason, detail: Cow::Borrowed(detail), field: None }
    }

    /// A recording is gone, because its time was over.
    pub(super) fn deleted(at: &str) -> Self {
        let detail = format!("The recording was deleted at {at}, because its time was over.");
        Self { detail: detail.into(), ..Self::new(StatusCode::GONE, "deleted", "") }
    }

    /// A field of the request is not what it must be.
    pub(super) fn field(field: &'static str, must: impl Into<Cow<'static, str>>) -> Self {
        let (status, reason) = (StatusCode::UNPROCESSABLE_ENTITY, "field");
        Self { status, reason, detail: must.into(), field: Some(field) }
    }

    /// A field of the request is none that we know. It is not named: its name may be anything.
    pub(super) fn unknown_field(known: &[&str]) -> Self {
        let detail = match known {
            [] => "The body has a field; it must have none.".to_owned(),
            known => format!("There is an unknown field. Known are: {}.", known.join(", ")),
        };
        let (status, reason) = (StatusCode::UNPROCESSABLE_ENTITY, "field");
        Self { status, reason, detail: detail.into(), field: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut told = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "reason": self.reason,
        });
        if let Some(field) = self.field {
            told["field"] = field.into();
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, told.to_string()).into_response();
        // What these statuses have to say by HTTP's own rules.
        let more = match self.status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::TOO_MANY_REQUESTS => Some((header::RETRY_AFTER, "10")),
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
