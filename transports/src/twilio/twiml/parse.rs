//! Reading a document, as strictly as Twilio reads XML and only as far as TwiML needs it: elements,
//! attributes, text, comments and references to characters.

use std::time::Duration;

use super::{
    DOCUMENT_BYTES_MAX, Dial, Error, Parameter, RINGS, Reason, Stream, Tones, Verb, is_xml,
};
use crate::twilio::webhook::PhoneNumber;

/// Reads a document, for the stand-in.
///
/// Attributes that we do not use are ignored, as Twilio ignores what it does not know. A verb that
/// this module cannot write is an error.
///
/// # Errors
/// [`Error`] says where the document does not parse, or which element is not as it must be.
///
/// ```
/// use call_transports::twilio::twiml::{Error, Verb, parse};
///
/// assert_eq!(parse("<Response><Hangup/></Response>"), Ok(vec![Verb::Hangup]));
/// let unescaped = parse("<Response><Redirect>/voice?a=1&b=2</Redirect></Response>");
/// assert!(matches!(unescaped, Err(Error::Malformed { at: 31, .. })));
/// ```
pub fn parse(document: &str) -> Result<Vec<Verb>, Error> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(Error::DocumentTooLong);
    }
    let root = Reader { text: document, at: 0 }.document()?;
    if root.name != "Response" {
        return Err(Error::Missing { inside: "the document", missing: "Response" });
    }
    root.elements("Response")?.iter().map(verb).collect()
}

fn verb(element: &Element<'_>) -> Result<Verb, Error> {
    match element.name {
        "Connect" => match element.elements("Connect")? {
            [noun] if noun.name == "Stream" => Ok(Verb::Connect(stream(noun)?)),
            [] => Err(Error::Missing { inside: "Connect", missing: "Stream" }),
            _ => Err(Error::Unexpected { inside: "Connect" }),
        },
        "Redirect" => match element.attribute("method") {
            None | Some("POST") => {
                Ok(Verb::Redirect { url: element.text("Redirect")?.trim().to_owned() })
            }
            Some(_) => Err(Error::Attribute { inside: "Redirect", attribute: "method" }),
        },
        "Say" => Ok(Verb::Say {
            language: element.required("Say", "language")?.to_owned(),
            voice: element.attribute("voice").map(str::to_owned),
            text: element.text("Say")?.to_owned(),
        }),
        "Play" => {
            element.nothing("Play")?;
            let tones = Tones::parse(element.required("Play", "digits")?);
            let unusable = Error::Attribute { inside: "Play", attribute: "digits" };
            tones.map(Verb::Tones).ok_or(unusable)
        }
        "Dial" => dial(element).map(Verb::Dial),
        "Pause" => {
            element.nothing("Pause")?;
            Ok(Verb::Pause { seconds: element.seconds("Pause", "length")?.unwrap_or(1) })
        }
        "Hangup" => element.nothing("Hangup").map(|()| Verb::Hangup),
        "Reject" => {
            element.nothing("Reject")?;
            match element.attribute("reason") {
                None | Some("rejected") => Ok(Verb::Reject { reason: Reason::Rejected }),
                Some("busy") => Ok(Verb::Reject { reason: Reason::Busy }),
                Some(_) => Err(Error::Attribute { inside: "Reject", attribute: "reason" }),
            }
        }
        _ => Err(Error::Unexpected { inside: "Response" }),
    }
}

fn stream(element: &Element<'_>) -> Result<Stream, Error> {
    let mut stream = Stream::new(element.required("Stream", "url")?)?;
    for child in element.elements("Stream")? {
        if child.name != "Parameter" {
            return Err(Error::Unexpected { inside: "Stream" });
        }
        child.nothing("Parameter")?;
        let name = child.required("Parameter", "name")?;
        let value = child.required("Parameter", "value")?;
        stream = stream.with(Parameter::new(name, value)?);
    }
    Ok(stream)
}

/// Twilio also takes a bare number, several at once, and other nouns; we write none of these.
fn dial(element: &Element<'_>) -> Result<Dial, Error> {
    let number = match element.elements("Dial")? {
        [noun] if noun.name == "Number" => noun,
        [] => return Err(Error::Missing { inside: "Dial", missing: "Number" }),
        _ => return Err(Error::Unexpected { inside: "Dial" }),
    };
    if !matches!(element.attribute("method"), None | Some("POST")) {
        return Err(Error::Attribute { inside: "Dial", attribute: "method" });
    }
    let action = element.required("Dial", "action")?;
    let rings = element.seconds("Dial", "timeout")?;
    let rings = rings.map_or(RINGS, |seconds| Duration::from_secs(u64::from(seconds)));
    let dial = Dial::new(PhoneNumber::new(number.text("Number")?.trim()), action).ringing(rings);
    Ok(match (number.attribute("statusCallback"), number.attribute("statusCallbackEvent")) {
        (Some(url), Some(events)) if events.split(' ').any(|event| event == "answered") => {
            dial.told_when_answered(url)
        }
        _ => dial,
    })
}

struct Element<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, String)>,
    children: Vec<Element<'a>>,
    text: String,
}

impl<'a> Element<'a> {
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes.find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, inside: &'static str, attribute: &'static str) -> Result<&str, Error> {
        self.attribute(attribute).ok_or(Error::Missing { inside, missing: attribute })
    }

    /// An attribute that is a number of seconds.
    fn seconds(&self, inside: &'static str, attribute: &'static str) -> Result<Option<u32>, Error> {
        let number = self.attribute(attribute).map(str::parse).transpose();
        number.map_err(|_| Error::Attribute { inside, attribute })
    }

    /// The children, where text between them is only for the eye.
    fn elements(&self, inside: &'static str) -> Result<&[Element<'a>], Error> {
        if !self.text.trim_ascii().is_empty() {
            return Err(Error::Unexpected { inside });
        }
        Ok(&self.children)
    }

    fn text(&self, inside: &'static str) -> Result<&str, Error> {
        if !self.children.is_empty() {
            return Err(Error::Unexpected { inside });
        }
        Ok(&self.text)
    }

    fn nothing(&self, inside: &'static str) -> Result<(), Error> {
        let empty = self.elements(inside)?.is_empty();
        empty.then_some(()).ok_or(Error::Unexpected { inside })
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Element<'a>, Error> {
        if self.take("<?xml") {
            self.declaration()?;
        }
        self.between()?;
        if !self.take("<") {
            return Err(self.bad("an element was expected"));
        }
        let root = self.tree()?;
        self.between()?;
        if self.at < self.text.len() {
            return Err(self.bad("nothing may follow the document"));
        }
        Ok(root)
    }

    /// Reads the declaration after its `<?xml`: a version, then perhaps an encoding and whether the
    /// document stands alone, in this order.
    fn declaration(&mut self) -> Result<(), Error> {
        let mut parts = ["version", "encoding", "standalone"].into_iter();
        let mut is_first = true;
        loop {
            let spaced = self.space();
            if !is_first && self.take("?>") {
                return Ok(());
            }
            let at = self.at;
            let bad = Error::Malformed { at, what: "the declaration is not one of XML 1" };
            let part = self.name().map_err(|_| bad)?;
            if !spaced || (is_first && part != "version") || !parts.any(|known| known == part) {
                return Err(bad);
            }
            self.space();
            self.expect("=", "an attribute needs a value")?;
            self.space();
            if !is_declared(part, &self.attribute_value()?) {
                return Err(bad);
            }
            is_first = false;
        }
    }

    /// Reads the root element, whose `<` is already taken, and all below it. The open elements are
    /// on a list and not on the stack, and there cannot be many of them.
    fn tree(&mut self) -> Result<Element<'a>, Error> {
        let mut open: Vec<Element<'a>> = Vec::new();
        let (mut element, mut closed) = self.start_tag()?;
        loop {
            if closed {
                let Some(parent) = open.last_mut() else { return Ok(element) };
                parent.children.push(element);
            } else if open.len() == DEPTH_MAX {
                return Err(self.bad("elements are nested too deeply"));
            } else {
                open.push(element);
            }
            let parent = open.last_mut().expect("the root is open until it is returned");
            self.text_and_comments(&mut parent.text)?;
            if self.take("</") {
                self.end_tag(parent.name)?;
                element = open.pop().expect("the parent was just looked at");
                closed = true;
            } else {
                self.expect("<", "an end tag is missing")?;
                (element, closed) = self.start_tag()?;
            }
        }
    }

    /// Reads a tag after its `<`; says whether it closes itself.
    fn start_tag(&mut self) -> Result<(Element<'a>, bool), Error> {
        let name = self.name()?;
        let mut attributes: Vec<(&str, String)> = Vec::new();
        loop {
            let spaced = self.space();
            if self.take("/>") || self.take(">") {
                let closed = self.text[..self.at].ends_with("/>");
                let element =
                    Element { name, attributes, children: Vec::new(), text: String::new() };
                return Ok((element, closed));
            }
            if !spaced {
                return Err(self.bad("white space must separate attributes"));
            }
            let attribute = self.name()?;
            if attributes.iter().any(|(known, _)| *known == attribute) {
                return Err(self.bad("an attribute is there twice"));
            }
            self.space();
            self.expect("=", "an attribute needs a value")?;
            self.space();
            attributes.push((attribute, self.attribute_value()?));
        }
    }

    fn end_tag(&mut self, open: &str) -> Result<(), Error> {
        let at = self.at;
        if self.name()? != open {
            return Err(Error::Malformed { at, what: "the end tag of another element" });
        }
        self.space();
        self.expect(">", "an end tag must end")
    }

    fn attribute_value(&mut self) -> Result<String, Error> {
        let quote = if self.take("\"") {
            '"'
        } else {
            self.expect("'", "the value of an attribute must be quoted")?;
            '\''
        };
        let mut value = String::new();
        loop {
            match self.next("an attribute does not end")? {
                end if end == quote => return Ok(value),
                '<' => return Err(self.bad("< must be escaped in an attribute")),
                '&' => value.push(self.reference()?),
                '\t' | '\n' | '\r' => value.push(' '),
                other => value.push(other),
            }
        }
    }

    fn text_and_comments(&mut self, text: &mut String) -> Result<(), Error> {
        loop {
            if self.take("<!--") {
                self.comment()?;
            } else if self.rest().starts_with('<') {
                return Ok(());
            } else if self.rest().starts_with("]]>") {
                return Err(self.bad("]]> must be escaped in text"));
            } else {
                match self.next("an element does not end")? {
                    '&' => text.push(self.reference()?),
                    other => text.push(other),
                }
            }
        }
    }

    /// Reads a reference after its `&`.
    fn reference(&mut self) -> Result<char, Error> {
        let at = self.at;
        let bad = Error::Malformed { at, what: "& must begin a reference that XML knows" };
        let end = self.rest().bytes().take(REFERENCE_BYTES_MAX).position(|byte| byte == b';');
        let name = &self.rest()[..end.ok_or(bad)?];
        self.at += name.len() + 1;
        let number = |digits: &str, radix| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let code = plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten();
            code.and_then(char::from_u32).filter(|code| is_xml(*code))
        };
        let character = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(digits), _) => number(digits, 16),
                (None, Some(digits)) => number(digits, 10),
                (None, None) => None,
            },
        };
        character.ok_or(bad)
    }

    /// Skips what may stand outside the root element.
    fn between(&mut self) -> Result<(), Error> {
        loop {
            self.space();
            if !self.take("<!--") {
                return Ok(());
            }
            self.comment()?;
        }
    }

    fn name(&mut self) -> Result<&'a str, Error> {
        let rest = self.rest();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        let end = rest.bytes().position(|byte| !is_name(byte)).unwrap_or(rest.len());
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(self.bad("a name was expected"));
        }
        self.at += end;
        Ok(&rest[..end])
    }

    fn next(&mut self, otherwise: &'static str) -> Result<char, Error> {
        let Some(character) = self.rest().chars().next() else { return Err(self.bad(otherwise)) };
        if !is_xml(character) {
            return Err(Error::Character);
        }
        self.at += character.len_utf8();
        Ok(character)
    }

    fn space(&mut self) -> bool {
        let before = self.at;
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at > before
    }

    /// Skips a comment after its `<!--`.
    fn comment(&mut self) -> Result<(), Error> {
        while !self.take("--") {
            self.next("a comment does not end")?;
        }
        self.expect(">", "-- must not stand in a comment")
    }

    fn expect(&mut self, literal: &str, otherwise: &'static str) -> Result<(), Error> {
        if self.take(literal) { Ok(()) } else { Err(self.bad(otherwise)) }
    }

    fn take(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn bad(&self, what: &'static str) -> Error {
        Error::Malformed { at: self.at, what }
    }
}

/// Whether a part of the declaration may have this value.
fn is_declared(part: &str, value: &str) -> bool {
    match part {
        "version" => value.strip_prefix("1.").is_some_and(|minor| {
            !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
        }),
        "encoding" => {
            value.starts_with(|first: char| first.is_ascii_alphabetic())
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        _ => matches!(value, "yes" | "no"),
    }
}

/// TwiML of ours is four elements deep.
const DEPTH_MAX: usize = 8;

/// The longest reference is `#x10FFFF;`, give or take some zeros.
const REFERENCE_BYTES_MAX: usize = 12;
