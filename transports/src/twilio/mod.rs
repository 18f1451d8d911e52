//! Twilio Programmable Voice, as text and bytes.
//!
//! Everything here is pure: what a phone call says and hears on the wire, without a socket or a
//! clock. The sockets of the feature `net` and the stand-in of the simulator speak through the same
//! functions, so that both ends are proved by one set of tests.
//!
//! | module | speaks |
//! |---|---|
//! | [`media`] | the WebSocket messages of a media stream, both directions |
//! | [`signature`] | the signature on every request that Twilio makes |
//! | [`twiml`] | the documents that answer a voice webhook |
//! | [`webhook`] | form bodies and the inbound call they describe |
//! | [`status`] | status callbacks, in whatever order they come |
//! | [`dialled`] | what came of calling a person |
//! | [`recording`] | recordings of calls: beginning one, pausing it, and what became of it |
//! | [`rest`] | the requests that hang up or redirect a live call, and what their answers mean |

pub mod dialled;
pub mod media;
pub mod recording;
pub mod rest;
pub mod signature;
pub mod status;
pub mod twiml;
pub mod webhook;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The name that Twilio gives to a thing: two letters for its kind, then 32 hexadecimal digits.
///
/// `AC` is an account, `CA` a call, `MZ` a media stream (Twilio documentation, glossary of string
/// identifiers). A value of this type can stand in a path without escaping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(String);

impl Sid {
    /// Reads a SID, or returns `None` when the text has another form.
    ///
    /// ```
    /// use call_transports::twilio::Sid;
    ///
    /// let call = Sid::parse("CA00000000000000000000000000000011").expect("a well-formed SID");
    /// assert_eq!(call.kind(), "CA");
    /// assert_eq!(Sid::parse("CA11/../Accounts"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, digits) = text.as_bytes().split_at_checked(2)?;
        let well_formed = kind.iter().all(u8::is_ascii_alphabetic)
            && digits.len() == 32
            && digits.iter().all(u8::is_ascii_hexdigit);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The two letters that say what is named.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0[..2]
    }

    /// The whole name, as Twilio writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not the object that was expected.
pub(crate) enum Misfit {
    /// It is not JSON, or another kind of JSON.
    NotAnObject,
    /// It is an object, with a field unknown, repeated or of another kind than it must be.
    Fields,
}

/// Reads an object. Without the check, an array would be taken for the fields in their order.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Misfit> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Misfit::NotAnObject);
    }
    serde_json::from_str(text)
        .map_err(|error| if error.is_data() { Misfit::Fields } else { Misfit::NotAnObject })
}

/// One JSON value read without prejudice: Twilio writes most numbers as strings, and a change of
/// that habit must not end a call. Reading it never fails; the codec judges it and names the field.
#[derive(Debug, Default)]
pub(crate) enum Scalar<'a> {
    /// The field is missing or null.
    #[default]
    Absent,
    /// A string, borrowed from the message unless it contains escapes.
    Text(Cow<'a, str>),
    /// A whole number that is not negative.
    Number(u64),
    /// Anything else.
    Other,
}

/// A [`Scalar`] is there and is not what the field needs.
#[derive(Debug)]
pub(crate) struct Unusable;

impl<'a> Scalar<'a> {
    /// The text, or the number written out.
    pub(crate) fn text(self) -> Result<Option<Cow<'a, str>>, Unusable> {
        match self {
            Scalar::Absent => Ok(None),
            Scalar::Text(text) => Ok(Some(text)),
            Scalar::Number(number) => Ok(Some(Cow::Owned(number.to_string()))),
            Scalar::Other => Err(Unusable),
        }
    }

    /// The number, or the text read as one.
    pub(crate) fn number(&self) -> Result<Option<u64>, Unusable> {
        match self {
            Scalar::Absent => Ok(None),
            Scalar::Text(text) => text.parse().map(Some).map_err(|_| Unusable),
            Scalar::Number(number) => Ok(Some(*number)),
            Scalar::Other => Err(Unusable),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
