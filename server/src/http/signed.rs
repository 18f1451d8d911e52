//! Form bodies that Twilio signed.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use call_transports::twilio::signature::Verifier;
use call_transports::twilio::webhook::decode_form;
use tokio::time::timeout;
use tracing::warn;

use crate::app::App;
use crate::config::PublicUrl;

/// The fields of a form whose signature is right. Whoever sends another one gets a status and an
/// empty body: 403 for the signature, 408, 413, 415 or 400 for a body that nobody could check.
pub(crate) struct Signed(pub(crate) Vec<(String, String)>);

/// The header with the signature.
pub(crate) const SIGNATURE: &str = "x-twilio-signature";

/// Whoever can tell whether Twilio has signed something.
pub(crate) trait Believes: Sync {
    /// The address that is signed.
    fn public_url(&self) -> &PublicUrl;

    /// Who checks it.
    fn verifier(&self) -> &Verifier;
}

impl Believes for App {
    fn public_url(&self) -> &PublicUrl {
        &self.config().public_url
    }

    fn verifier(&self) -> &Verifier {
        self.verifier()
    }
}

impl<S: Believes> FromRequest<S> for Signed {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &S) -> Result<Self, StatusCode> {
        let (head, body) = request.into_parts();
        if !is_form(&head.headers) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let body = timeout(BODY_LIMIT, to_bytes(body, BODY_BYTES_MAX)).await;
        let body = body.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let form = decode_form(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = state.public_url().of(path);
        let signature = head.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        match state.verifier().verify_form(&url, &form, signature.unwrap_or_default()) {
            Ok(()) => Ok(Self(form)),
            Err(error) => {
                let path = head.uri.path();
                warn!(target: "security", path, %error, "a webhook was refused");
                Err(StatusCode::FORBIDDEN)
            }
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(5);
