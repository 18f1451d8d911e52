//! TwiML: the XML documents that tell Twilio what to do with a call.
//!
//! [`Document`] writes the few verbs that we answer with, [`parse`] reads them back for the
//! stand-in. A call executes one document at a time; [`Verb::Connect`] holds it until the socket is
//! closed, and then the next verb runs.
//!
//! Facts: Twilio documentation, TwiML reference of Connect, Stream, Redirect, Say, Play, Pause, Dial,
//! Number, Hangup and Reject, and error pages 12100 (document that does not parse) and 11750 (document
//! too large).

use std::fmt::Write as _;

pub use dial::{Dial, RINGS};
pub use parse::parse;
pub use stream::{PARAMETER_CHARACTERS, Parameter, Stream};
pub use tones::{TONES_MAX, Tones};

mod dial;
mod parse;
mod stream;
mod tones;

/// The largest document that Twilio takes over HTTP, in bytes: 64 kB, counted in thousands.
pub const DOCUMENT_BYTES_MAX: usize = 64_000;

/// A document in the making: verbs in the order in which they run.
///
/// ```
/// use call_transports::twilio::twiml::{Document, Parameter, Stream};
///
/// let stream = Stream::new("wss://voice.example.test/media")?
///     .with(Parameter::new("token", "t-1")?);
/// let xml = Document::new()
///     .connect(stream)
///     .redirect("https://voice.example.test/voice?again=1&why=end")
///     .render()?;
/// assert_eq!(
///     xml,
///     concat!(
///         r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect>"#,
///         r#"<Stream url="wss://voice.example.test/media">"#,
///         r#"<Parameter name="token" value="t-1"/></Stream></Connect>"#,
///         r#"<Redirect method="POST">https://voice.example.test/voice?again=1&amp;why=end"#,
///         r#"</Redirect></Response>"#,
///     )
/// );
/// # Ok::<(), call_transports::twilio::twiml::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    verbs: Vec<Verb>,
}

impl Document {
    /// A document that does nothing, which hangs up.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any verb.
    #[must_use]
    pub fn then(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Adds [`Verb::Connect`].
    #[must_use]
    pub fn connect(self, stream: Stream) -> Self {
        self.then(Verb::Connect(stream))
    }

    /// Adds [`Verb::Redirect`].
    #[must_use]
    pub fn redirect(self, url: impl Into<String>) -> Self {
        self.then(Verb::Redirect { url: url.into() })
    }

    /// Adds [`Verb::Say`] with Twilio's usual voice for the language.
    #[must_use]
    pub fn say(self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.then(Verb::Say { language: language.into(), voice: None, text: text.into() })
    }

    /// Adds [`Verb::Tones`].
    #[must_use]
    pub fn tones(self, tones: Tones) -> Self {
        self.then(Verb::Tones(tones))
    }

    /// Adds [`Verb::Dial`].
    #[must_use]
    pub fn dial(self, dial: Dial) -> Self {
        self.then(Verb::Dial(dial))
    }

    /// Adds [`Verb::Pause`].
    #[must_use]
    pub fn pause(self, seconds: u32) -> Self {
        self.then(Verb::Pause { seconds })
    }

    /// Adds [`Verb::Hangup`].
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.then(Verb::Hangup)
    }

    /// Adds [`Verb::Reject`].
    #[must_use]
    pub fn reject(self, reason: Reason) -> Self {
        self.then(Verb::Reject { reason })
    }

    /// Writes the document, to be sent as `text/xml`.
    ///
    /// # Errors
    /// [`Error::Character`] or [`Error::DocumentTooLong`].
    pub fn render(&self) -> Result<String, Error> {
        let mut out = String::from(r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#);
        for verb in &self.verbs {
            verb.render(&mut out)?;
        }
        out.push_str("</Response>");
        if out.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::DocumentTooLong);
        }
        Ok(out)
    }
}

/// One thing for Twilio to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// Opens a bidirectional media stream and waits until its socket is closed.
    Connect(Stream),
    /// Asks this URL by POST for another document and goes on there.
    Redirect {
        /// Absolute, or relative to the URL of this document.
        url: String,
    },
    /// Speaks a text.
    Say {
        /// The language, as in `es-US`.
        language: String,
        /// One of Twilio's voices, or its usual one for the language.
        voice: Option<String>,
        /// What is said, as plain text.
        text: String,
    },
    /// Plays the tones of telephone keys.
    Tones(Tones),
    /// Calls a person and joins both calls.
    Dial(Dial),
    /// Waits in silence.
    Pause {
        /// For so long, in seconds.
        seconds: u32,
    },
    /// Ends the call.
    Hangup,
    /// Declines the call without answering it. Has an effect as the first verb only.
    Reject {
        /// What the caller hears.
        reason: Reason,
    },
}

impl Verb {
    fn render(&self, out: &mut String) -> Result<(), Error> {
        match self {
            Verb::Connect(stream) => stream.render(out)?,
            Verb::Redirect { url } => {
                out.push_str("<Redirect method=\"POST\">");
                push_escaped(url, out)?;
                out.push_str("</Redirect>");
            }
            Verb::Say { language, voice, text } => {
                out.push_str("<Say");
                push_attribute("language", language, out)?;
                if let Some(voice) = voice {
                    push_attribute("voice", voice, out)?;
                }
                out.push('>');
                push_escaped(text, out)?;
                out.push_str("</Say>");
            }
            Verb::Tones(tones) => {
                out.push_str("<Play");
                push_attribute("digits", tones.reveal(), out)?;
                out.push_str("/>");
            }
            Verb::Dial(dial) => dial.render(out)?,
            Verb::Pause { seconds } => {
                write!(out, "<Pause length=\"{seconds}\"/>")
                    .expect("a string takes all that is written to it");
            }
            Verb::Hangup => out.push_str("<Hangup/>"),
            Verb::Reject { reason: Reason::Rejected } => out.push_str("<Reject/>"),
            Verb::Reject { reason: Reason::Busy } => out.push_str("<Reject reason=\"busy\"/>"),
        }
        Ok(())
    }
}

/// What the caller of a declined call hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// That the number is not in service.
    Rejected,
    /// A busy tone.
    Busy,
}

/// What is wrong with a document, or with a part of one. Never repeats what the document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Name and value of a parameter are too long together.
    #[error("a parameter has {PARAMETER_CHARACTERS} characters or more")]
    ParameterTooLong,
    /// The URL of a stream is one that Twilio would not connect to as written.
    #[error("the URL of a stream must be wss, with a host and without a query")]
    StreamUrl,
    /// The document is larger than Twilio takes.
    #[error("the document has more than {DOCUMENT_BYTES_MAX} bytes")]
    DocumentTooLong,
    /// A text has a character that XML cannot express.
    #[error("a text has a character that XML cannot express")]
    Character,
    /// The document is not well-formed XML, or uses more of XML than TwiML needs.
    #[error("the document does not parse at byte {at}: {what}")]
    Malformed {
        /// Where, in bytes from the start.
        at: usize,
        /// What was expected or found there.
        what: &'static str,
    },
    /// An element or text stands where it must not, or is not one that we know.
    #[error("{inside} holds something that does not belong there")]
    Unexpected {
        /// The element around it.
        inside: &'static str,
    },
    /// An element or attribute that must be there is not.
    #[error("{inside} has no {missing}")]
    Missing {
        /// The element that needs it.
        inside: &'static str,
        /// The attribute or element that it needs.
        missing: &'static str,
    },
    /// An attribute has a value that we cannot act on.
    #[error("{inside} has an unusable {attribute}")]
    Attribute {
        /// The element.
        inside: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
}

fn push_attribute(name: &str, value: &str, out: &mut String) -> Result<(), Error> {
    write!(out, " {name}=\"").expect("a string takes all that is written to it");
    push_escaped(value, out)?;
    out.push('"');
    Ok(())
}

/// Escapes for text and attributes alike. Line ends and tabs become references, because XML would
/// otherwise turn them into other white space.
fn push_escaped(text: &str, out: &mut String) -> Result<(), Error> {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            other if is_xml(other) => out.push(other),
            _ => return Err(Error::Character),
        }
    }
    Ok(())
}

/// The characters that XML 1.0 can express.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        || character > '\u{ffff}'
}
