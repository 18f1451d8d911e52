//! What came of calling a person for a caller, as the webhooks around `<Dial>` tell it.
//!
//! Facts: Twilio documentation, TwiML reference of Dial (request to `action`) and Number (status
//! callbacks of the second leg).

use call_core::input::Transfer;

use super::Sid;
use super::webhook::CallStatus;

/// How dialling ended, out of the form of a request to `action`. Nothing where the form does not say.
///
/// `answered` is what a conference is reported with. A leg that was withdrawn and words that we do not
/// know mean that nobody took the call.
///
/// ```
/// use call_core::input::Transfer;
/// use call_transports::twilio::dialled::outcome;
///
/// let form = [("DialCallStatus".to_owned(), "no-answer".to_owned())];
/// assert_eq!(outcome(&form), Some(Transfer::NoAnswer));
/// assert_eq!(outcome(&[]), None);
/// ```
#[must_use]
pub fn outcome(form: &[(String, String)]) -> Option<Transfer> {
    Some(match only(form, "DialCallStatus")? {
        "completed" | "answered" => Transfer::Completed,
        "busy" => Transfer::Busy,
        "no-answer" => Transfer::NoAnswer,
        _ => Transfer::Failed,
    })
}

/// The caller's call, where a status callback tells that the person who was dialled for it has
/// answered. Nothing for every other callback.
#[must_use]
pub fn answered(form: &[(String, String)]) -> Option<Sid> {
    let parent = Sid::parse(only(form, "ParentCallSid")?).filter(|sid| sid.kind() == "CA")?;
    let status = CallStatus::from(only(form, "CallStatus")?);
    (status == CallStatus::InProgress).then_some(parent)
}

/// The value of a field that is there once.
fn only<'f>(form: &'f [(String, String)], field: &str) -> Option<&'f str> {
    let mut values = form.iter().filter(|(name, _)| name == field).map(|(_, value)| value.as_str());
    values.next().filter(|_| values.next().is_none())
}
