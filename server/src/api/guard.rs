//! Who gets in: whoever shows the secret of an operator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::warn;

use super::operators::Operator;
use super::problem::Problem;
use crate::app::App;
use crate::metrics::ApiRefusal;

/// Everything that is asked about a request before it is answered.
pub(super) struct Guard {
    app: App,
    failures: Mutex<Failures>,
}

impl Guard {
    pub(super) fn new(app: App) -> Self {
        Self { app, failures: Mutex::new(Failures::new(Instant::now())) }
    }

    /// A right token is taken however many wrong ones came: who sends those must not shut the
    /// operators out. What wrong ones cost is bounded, because only the first of them are logged.
    fn operator(&self, headers: &HeaderMap) -> Result<Operator, Problem> {
        let secret = bearer(headers);
        if let Some(operator) = secret.and_then(|secret| self.app.config().operators.find(secret)) {
            return Ok(operator.clone());
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let (problem, refusal) = match failures.count(Instant::now()) {
            Count::Few => {
                warn!(target: "security", "a request to the operators' interface had no right token");
                (Problem::TOKEN, ApiRefusal::Token)
            }
            Count::JustTooMany => {
                warn!(target: "security", "more of them are refused unlogged for a while");
                (Problem::THROTTLED, ApiRefusal::Throttled)
            }
            Count::TooMany => (Problem::THROTTLED, ApiRefusal::Throttled),
        };
        self.app.metrics().api_refused(refusal);
        Err(problem)
    }
}

/// Lets operators in, and hands on who it is.
pub(super) async fn admit(
    State(guard): State<Arc<Guard>>,
    mut request: Request,
    next: Next,
) -> Response {
    match guard.operator(request.headers()) {
        Ok(operator) => {
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The token of the one header that may carry it. The scheme's case does not matter (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Wrong tokens of the last while, of everybody together: behind a proxy all come from one address.
#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Count {
    Few,
    JustTooMany,
    TooMany,
}

impl Failures {
    fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    fn count(&mut self, now: Instant) -> Count {
        if now.duration_since(self.since) >= WHILE {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        match self.count {
            ..=FAILURES_MAX => Count::Few,
            count if count == FAILURES_MAX + 1 => Count::JustTooMany,
            _ => Count::TooMany,
        }
    }
}

/// So many wrong tokens in a while are answered and logged one by one.
const FAILURES_MAX: u32 = 20;

const WHILE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tokens_are_counted_for_a_while() {
        let begin = Instant::now();
        let mut failures = Failures::new(begin);
        for _ in 0..FAILURES_MAX {
            assert_eq!(failures.count(begin), Count::Few);
        }
        assert_eq!(failures.count(begin), Count::JustTooMany);
        assert_eq!(failures.count(begin + WHILE / 2), Count::TooMany);
        assert_eq!(failures.count(begin + WHILE), Count::Few);
    }
}
