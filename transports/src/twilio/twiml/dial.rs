use std::fmt::Write as _;
use std::time::Duration;

use super::{Error, push_attribute, push_escaped};
use crate::twilio::webhook::PhoneNumber;

/// How long a person's telephone rings, where a document does not say (Twilio documentation, Dial,
/// attribute `timeout`).
pub const RINGS: Duration = Duration::from_secs(30);

/// Calls one person and joins both calls. When that has come to an end, in whatever way, the document
/// at [`Dial::action`] takes over: no verb behind this one runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    number: PhoneNumber,
    action: String,
    rings: Duration,
    answered: Option<String>,
}

impl Dial {
    /// Calls this number for [`RINGS`], and asks this URL what is next. In a document that is sent by
    /// REST the URL must be absolute (Twilio error page 15004).
    #[must_use]
    pub fn new(number: PhoneNumber, action: impl Into<String>) -> Self {
        Self { number, action: action.into(), rings: RINGS, answered: None }
    }

    /// Rings so long, in whole seconds.
    #[must_use]
    pub fn ringing(mut self, rings: Duration) -> Self {
        self.rings = Duration::from_secs(rings.as_secs());
        self
    }

    /// Has this URL told when the person answers (`statusCallback` of `<Number>`, for the event
    /// `answered`): the other outcomes come when the talk is over, which may be an hour later.
    #[must_use]
    pub fn told_when_answered(mut self, url: impl Into<String>) -> Self {
        self.answered = Some(url.into());
        self
    }

    /// Who is called.
    #[must_use]
    pub const fn number(&self) -> &PhoneNumber {
        &self.number
    }

    /// What is asked for the next document, by POST.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// How long the telephone rings.
    #[must_use]
    pub const fn rings(&self) -> Duration {
        self.rings
    }

    /// What is told by POST when the person answers.
    #[must_use]
    pub fn answered(&self) -> Option<&str> {
        self.answered.as_deref()
    }

    pub(super) fn render(&self, out: &mut String) -> Result<(), Error> {
        write!(out, "<Dial timeout=\"{}\"", self.rings.as_secs())
            .expect("a string takes all that is written to it");
        push_attribute("action", &self.action, out)?;
        out.push_str(" method=\"POST\"><Number");
        if let Some(url) = &self.answered {
            push_attribute("statusCallback", url, out)?;
            out.push_str(" statusCallbackEvent=\"answered\"");
        }
        out.push('>');
        push_escaped(self.number.reveal(), out)?;
        out.push_str("</Number></Dial>");
        Ok(())
    }
}
