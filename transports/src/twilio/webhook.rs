//! Form bodies of Twilio's webhooks, and the inbound call that one of them announces.
//!
//! Facts: Twilio documentation, parameters of the voice webhook. New fields appear without notice
//! and are part of the signature, so a form is decoded whole, in its order and with its repeats.

use std::fmt;

use super::Sid;

/// The most fields that a form may have. Twilio sends about forty.
pub const FIELDS_MAX: usize = 200;

/// Decodes a body of type `application/x-www-form-urlencoded`, once.
///
/// Order and repeated names are kept, since the signature is computed over all of them. Values that
/// are percent-encoded inside, such as `CallToken`, stay so.
///
/// # Errors
/// [`Error::Percent`], [`Error::Encoding`] and [`Error::TooManyFields`].
///
/// ```
/// use call_transports::twilio::webhook::decode_form;
///
/// let fields = decode_form(b"CallStatus=ringing&CallerName=DOE+JANE").unwrap();
/// assert_eq!(fields[1], ("CallerName".to_owned(), "DOE JANE".to_owned()));
/// ```
pub fn decode_form(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() == FIELDS_MAX {
            return Err(Error::TooManyFields);
        }
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[pair.len()..]),
        };
        fields.push((decode_component(name)?, decode_component(value)?));
    }
    Ok(fields)
}

/// Encodes fields as a form body, in their order. The reverse of [`decode_form`].
#[must_use]
pub fn encode_form(fields: &[(String, String)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        encode_component(name, &mut body);
        body.push('=');
        encode_component(value, &mut body);
    }
    body
}

/// What makes a webhook unusable. Names fields, never their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("the form has a percent sign without two hexadecimal digits")]
    Percent,
    /// A name or value is not UTF-8 once decoded.
    #[error("the form is not UTF-8")]
    Encoding,
    /// More than [`FIELDS_MAX`] fields.
    #[error("the form has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// A required field is not there.
    #[error("the field {field} is missing")]
    Missing {
        /// The name of the field.
        field: &'static str,
    },
    /// A field that must be unique is there more than once, and we do not choose.
    #[error("the field {field} is there more than once")]
    Repeated {
        /// The name of the field.
        field: &'static str,
    },
    /// A field that must name an account or a call does not.
    #[error("the field {field} is not a SID of its kind")]
    Sid {
        /// The name of the field.
        field: &'static str,
    },
}

/// The part of a voice webhook that we act on. Fields we do not know are accepted and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundCall {
    /// The call, for all its life (`CallSid`, kind `CA`).
    pub call_sid: Sid,
    /// The account that the number belongs to (`AccountSid`, kind `AC`).
    pub account_sid: Sid,
    /// Who calls (`From`): usually E.164, but also `anonymous`, `client:name` or a SIP address.
    pub from: PhoneNumber,
    /// What was dialled (`To`); empty when the call comes from an app.
    pub to: PhoneNumber,
    /// Where the call stands (`CallStatus`): ringing at first, in progress after a redirect.
    pub status: CallStatus,
    /// Who started it (`Direction`).
    pub direction: Direction,
    /// The version of the webhook (`ApiVersion`), a date.
    pub api_version: String,
}

impl InboundCall {
    /// Reads the fields of a decoded form.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Repeated`] or [`Error::Sid`], each with the name of the field.
    pub fn from_form(form: &[(String, String)]) -> Result<Self, Error> {
        Ok(Self {
            call_sid: call_sid(form)?,
            account_sid: sid(form, "AccountSid", "AC")?,
            from: PhoneNumber::new(only(form, "From")?),
            to: PhoneNumber::new(only(form, "To")?),
            status: CallStatus::from(only(form, "CallStatus")?),
            direction: Direction::from(only(form, "Direction")?),
            api_version: only(form, "ApiVersion")?.to_owned(),
        })
    }

    /// The form that Twilio would send for this call, for the stand-in. It has `Caller` and `Called`
    /// too, which repeat `From` and `To` on the wire.
    #[must_use]
    pub fn to_form(&self) -> Vec<(String, String)> {
        let fields = [
            ("AccountSid", self.account_sid.as_str()),
            ("ApiVersion", &self.api_version),
            ("CallSid", self.call_sid.as_str()),
            ("From", self.from.reveal()),
            ("Caller", self.from.reveal()),
            ("To", self.to.reveal()),
            ("Called", self.to.reveal()),
            ("Direction", self.direction.as_str()),
            ("CallStatus", self.status.as_str()),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

/// The call that a form is about (`CallSid`, kind `CA`).
///
/// # Errors
/// [`Error::Missing`], [`Error::Repeated`] or [`Error::Sid`].
pub fn call_sid(form: &[(String, String)]) -> Result<Sid, Error> {
    sid(form, "CallSid", "CA")
}

/// Where a call stands, as `CallStatus` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallStatus {
    /// Created and waiting for its turn.
    Queued,
    /// On its way to the network.
    Initiated,
    /// Not yet answered.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended after it was answered.
    Completed,
    /// Ended: the other side was busy.
    Busy,
    /// Ended: it could not be connected.
    Failed,
    /// Ended: nobody answered.
    NoAnswer,
    /// Ended: withdrawn before it was answered.
    Canceled,
    /// A word that we do not know; never a reason to refuse the webhook.
    Other(String),
}

impl CallStatus {
    /// The word that Twilio uses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            CallStatus::Queued => "queued",
            CallStatus::Initiated => "initiated",
            CallStatus::Ringing => "ringing",
            CallStatus::InProgress => "in-progress",
            CallStatus::Completed => "completed",
            CallStatus::Busy => "busy",
            CallStatus::Failed => "failed",
            CallStatus::NoAnswer => "no-answer",
            CallStatus::Canceled => "canceled",
            CallStatus::Other(word) => word,
        }
    }
}

impl From<&str> for CallStatus {
    fn from(word: &str) -> Self {
        match word {
            "queued" => CallStatus::Queued,
            "initiated" => CallStatus::Initiated,
            "ringing" => CallStatus::Ringing,
            "in-progress" => CallStatus::InProgress,
            "completed" => CallStatus::Completed,
            "busy" => CallStatus::Busy,
            "failed" => CallStatus::Failed,
            "no-answer" => CallStatus::NoAnswer,
            "canceled" => CallStatus::Canceled,
            other => CallStatus::Other(other.to_owned()),
        }
    }
}

/// Who started a call, as `Direction` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called our number.
    Inbound,
    /// We created the call by REST.
    OutboundApi,
    /// A document dialled it, as the second leg of another call.
    OutboundDial,
    /// A word that we do not know.
    Other(String),
}

impl Direction {
    /// The word that Twilio uses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Direction::Inbound => "inbound",
            Direction::OutboundApi => "outbound-api",
            Direction::OutboundDial => "outbound-dial",
            Direction::Other(word) => word,
        }
    }
}

impl From<&str> for Direction {
    fn from(word: &str) -> Self {
        match word {
            "inbound" => Direction::Inbound,
            "outbound-api" => Direction::OutboundApi,
            "outbound-dial" => Direction::OutboundDial,
            other => Direction::Other(other.to_owned()),
        }
    }
}

/// A phone number, or whatever Twilio put in its place. It is personal data, so it prints masked.
///
/// A long number prints as its first two characters, six stars and its last four. Everything else
/// (short numbers, `client:` and `sip:` addresses, words for a withheld number) prints as stars
/// alone, because the edges would give most of it away.
///
/// ```
/// use call_transports::twilio::webhook::PhoneNumber;
///
/// let number = PhoneNumber::new("+15550100199");
/// assert_eq!(number.to_string(), "+1******0199");
/// assert_eq!(number.reveal(), "+15550100199");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Wraps the text as Twilio sent it; any text is possible.
    pub fn new(number: impl Into<String>) -> Self {
        Self(number.into())
    }

    /// The text in clear. Each call of this is a place where personal data is used on purpose.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.strip_prefix('+').unwrap_or(&self.0);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && self.0.len() >= PRINTED_LENGTH_MIN {
            write!(f, "{}******{}", &self.0[..2], &self.0[self.0.len() - 4..])
        } else {
            f.write_str("******")
        }
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(super) fn only<'f>(
    form: &'f [(String, String)],
    field: &'static str,
) -> Result<&'f str, Error> {
    let mut values = form.iter().filter(|(name, _)| name == field).map(|(_, value)| value);
    let value = values.next().ok_or(Error::Missing { field })?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Error::Repeated { field }),
    }
}

pub(super) fn sid(
    form: &[(String, String)],
    field: &'static str,
    kind: &str,
) -> Result<Sid, Error> {
    let sid = Sid::parse(only(form, field)?).filter(|sid| sid.kind() == kind);
    sid.ok_or(Error::Sid { field })
}

fn decode_component(encoded: &[u8]) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>().ok_or(Error::Percent)?;
                bytes.push(hex(digits[0])? << 4 | hex(digits[1])?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::Encoding)
}

fn hex(digit: u8) -> Result<u8, Error> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(Error::Percent),
    }
}

fn encode_component(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX_DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(HEX_DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

const HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// At least this many characters, so that the edges hide at least four of them.
const PRINTED_LENGTH_MIN: usize = 10;
