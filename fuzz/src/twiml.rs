//! TwiML, both ways. Any bytes as a document: what we read is XML to a real parser, too, and is the
//! same after it was written. And any text in a document of ours: it comes out of a real parser as
//! it went in.

use std::time::Duration;

use call_transports::twilio::twiml::{
    Dial, Document, Error, Parameter, Reason, Stream, Tones, Verb, parse,
};
use call_transports::twilio::webhook::PhoneNumber;

use crate::bytes::Bytes;

/// Reads the bytes as a document, and writes a document of the same bytes.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    read(text);
    write(text);
}

fn read(text: &str) {
    match parse(text) {
        Ok(verbs) => {
            if let Err(strict) = roxmltree::Document::parse(text) {
                assert!(is_about_namespaces(&strict, text), "we read what is not XML: {strict}");
            }
            let document = verbs.iter().cloned().fold(Document::new(), Document::then);
            match document.render() {
                Ok(written) => assert_eq!(parse(&written), Ok(verbs), "{written}"),
                // References are longer than what they stand for.
                Err(error) => assert_eq!(error, Error::DocumentTooLong),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    }
}

fn write(text: &str) {
    let mut bytes = Bytes::new(text.as_bytes());
    let choices = bytes.next();
    // A character may have been torn from its bytes.
    let half = text.floor_char_boundary(text.len() / 2);
    let (one, other) = text.split_at(half);
    let stream = Stream::new("wss://voice.example.test/media").expect("a plain URL");
    let parameter = Parameter::new(one, other);
    let stream = parameter.map_or(stream.clone(), |parameter| stream.with(parameter));
    let tones = Tones::parse(one);
    let dial = Dial::new(PhoneNumber::new(one), other).ringing(Duration::from_secs(5));
    let dial = if choices & 1 == 0 { dial } else { dial.told_when_answered(one) };
    let voice = (choices & 2 == 0).then(|| one.to_owned());
    let mut document = Document::new()
        .connect(stream.clone())
        .then(Verb::Say { language: other.to_owned(), voice: voice.clone(), text: one.to_owned() })
        .redirect(other)
        .dial(dial)
        .pause(u32::from(choices))
        .reject(if choices & 4 == 0 { Reason::Busy } else { Reason::Rejected })
        .hang_up();
    if let Some(tones) = tones.clone() {
        document = document.tones(tones);
    }
    let written = match document.render() {
        Ok(written) => written,
        Err(Error::DocumentTooLong) => return,
        Err(error) => {
            assert_eq!(error, Error::Character);
            assert!(text.chars().any(|c| !is_xml(c)), "XML can express all of it");
            return;
        }
    };
    let tree = roxmltree::Document::parse(&written).expect("what we write is XML");
    let root = tree.root_element();
    let element = |name: &str| {
        root.descendants().find(|node| node.has_tag_name(name)).expect("every verb is there")
    };
    let inner = |name: &str| element(name).text().unwrap_or_default().to_owned();
    let attribute = |name: &str, key: &str| element(name).attribute(key).map(str::to_owned);
    assert_eq!(root.children().count(), 7 + usize::from(tones.is_some()), "no verb came in");
    if let [parameter] = stream.parameters() {
        assert_eq!(attribute("Parameter", "name").as_deref(), Some(parameter.name()));
        assert_eq!(attribute("Parameter", "value").as_deref(), Some(parameter.value()));
    }
    assert_eq!(inner("Say"), one);
    assert_eq!(attribute("Say", "language").as_deref(), Some(other));
    assert_eq!(attribute("Say", "voice"), voice);
    assert_eq!(inner("Redirect"), other);
    assert_eq!(inner("Number"), one);
    assert_eq!(attribute("Dial", "action").as_deref(), Some(other));
    let answered = (choices & 1 == 1).then_some(one);
    assert_eq!(attribute("Number", "statusCallback").as_deref(), answered);
}

/// To XML itself a colon is a letter like others; TwiML has no namespaces.
fn is_about_namespaces(error: &roxmltree::Error, text: &str) -> bool {
    use roxmltree::Error;
    if let Error::InvalidName(at) = error {
        // Behind its colon a name begins anew, where there are namespaces.
        let line = text.lines().nth(at.row as usize - 1).unwrap_or_default();
        let name: String = line.chars().skip(at.col as usize - 1).collect();
        return name
            .split(['=', ' ', '\t', '>', '/'])
            .next()
            .is_some_and(|name| name.contains(':'));
    }
    matches!(
        error,
        Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::DuplicatedAttribute(..)
    )
}

/// What XML 1.0 can express, by its own table.
const fn is_xml(character: char) -> bool {
    matches!(character as u32,
        0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}
