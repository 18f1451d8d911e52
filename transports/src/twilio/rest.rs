//! Hanging up, redirecting and looking at a live call by REST: the requests as text, and what the
//! answers mean.
//!
//! Facts: Twilio documentation, the Call resource of the API of 2010-04-01, and its error
//! dictionary. Sending is the business of the sockets.

use std::borrow::Cow;

use serde::Deserialize;

use super::status::is_last;
use super::webhook::{CallStatus, encode_form};
use super::{Scalar, Sid, object};

/// The form body that ends a call, whatever the call is doing. Posted to [`call_path`].
pub const HANG_UP_BODY: &str = "Status=completed";

/// The longest document that a request takes, in characters (`Twiml` of the Call resource).
pub const TWIML_CHARACTERS_MAX: usize = 4_000;

/// The form body that gives a live call this document instead of the one that it runs: a stream of
/// that one ends. Posted to [`call_path`]. Nothing if the document is too long.
#[must_use]
pub fn redirect_body(document: &str) -> Option<String> {
    let fits = document.chars().count() <= TWIML_CHARACTERS_MAX;
    fits.then(|| encode_form(&[("Twiml".to_owned(), document.to_owned())]))
}

/// The path, below the host of the API, where a live call is updated by POST and looked at by GET.
///
/// Twilio keeps the account's SID in the path also when the request is authenticated by an API key.
#[must_use]
pub fn call_path(account: &Sid, call: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}/Calls/{call}.json")
}

/// The path, below the host of the API, of an account itself. To be got.
#[must_use]
pub fn account_path(account: &Sid) -> String {
    format!("/2010-04-01/Accounts/{account}.json")
}

/// Whether the account of this answer may make calls: its `status` is `active`, and not `suspended`
/// or `closed` (the Account resource of the API of 2010-04-01). Nothing if it is no such answer.
#[must_use]
pub fn account_is_active(body: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct AccountBody<'a> {
        #[serde(borrow)]
        status: Cow<'a, str>,
    }

    let body: AccountBody<'_> = object(str::from_utf8(body).ok()?).ok()?;
    Some(body.status == "active")
}

/// What came of the request to hang up, or of one to redirect the call: Twilio answers both alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUpOutcome {
    /// Twilio did it.
    Done,
    /// There was no live call left, which is what we wanted if we wanted it to end.
    AlreadyOver,
    /// Too many requests, or trouble at Twilio. Hanging up twice is harmless, so repeat it later; a
    /// redirection that may have been carried out is another matter (F-TR-09).
    TryAgain,
    /// Our credentials or our account are not accepted. Repeating will not help; tell a person.
    Denied,
    /// Twilio refused for another reason.
    Failed {
        /// The HTTP status.
        status: u16,
        /// Twilio's own error code, when the body named one.
        code: Option<u64>,
    },
}

/// Judges the answer to a request to hang up or to redirect.
///
/// The code in the body is consulted where it can be read; a body that is not JSON leaves the
/// judgement to the HTTP status (F-TR-13).
#[must_use]
pub fn hang_up_outcome(status: u16, body: &[u8]) -> HangUpOutcome {
    let code = error_code(body);
    match (status, code) {
        (200..=299, _) => HangUpOutcome::Done,
        (401 | 403, _) => HangUpOutcome::Denied,
        (404, _) | (400, Some(NOT_FOUND | NOT_IN_PROGRESS)) => HangUpOutcome::AlreadyOver,
        (429 | 500..=599, _) | (400, Some(TOO_MANY_CALLS)) => HangUpOutcome::TryAgain,
        _ => HangUpOutcome::Failed { status, code },
    }
}

/// How a call stands, as Twilio says when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is going on, or was not long ago: Twilio calls this answer eventually consistent.
    Live,
    /// It is over.
    Over {
        /// How long it was, in whole seconds (`duration`), where Twilio says so.
        seconds: Option<u64>,
    },
    /// Twilio knows no such call: it was never there, is another account's, or ended long ago.
    Unknown,
}

/// How a call stands, by the answer to a request for it. Nothing where that cannot be told.
#[must_use]
pub fn standing(status: u16, body: &[u8]) -> Option<Standing> {
    #[derive(Deserialize)]
    struct CallBody<'a> {
        #[serde(borrow, default)]
        status: Scalar<'a>,
        #[serde(borrow, default)]
        duration: Scalar<'a>,
    }

    match status {
        404 => Some(Standing::Unknown),
        200..=299 => {
            let body: CallBody<'_> = object(str::from_utf8(body).ok()?).ok()?;
            let word = body.status.text().ok()??;
            Some(match is_last(&CallStatus::from(&*word))? {
                true => Standing::Over { seconds: body.duration.number().ok().flatten() },
                false => Standing::Live,
            })
        }
        _ => None,
    }
}

fn error_code(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct ErrorBody<'a> {
        #[serde(borrow, default)]
        code: Scalar<'a>,
    }

    let body: ErrorBody<'_> = object(str::from_utf8(body).ok()?).ok()?;
    body.code.number().ok().flatten()
}

/// The resource does not exist: a wrong SID, another account, or a call that ended long ago.
const NOT_FOUND: u64 = 20404;
/// The call is not in progress, so that it cannot be changed.
const NOT_IN_PROGRESS: u64 = 21220;
/// The account runs as many calls as it may.
const TOO_MANY_CALLS: u64 = 10004;
