//! Recordings of our lines, part of the binary: for when nobody can speak them.
//!
//! They are made by `cargo xtask audio` from the words in the Fluent files. The version of the
//! words is in a file's name, and a test compares it: a recording cannot lag behind its words.

use crate::{Locale, arguments, render};

/// A line, spoken long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The words that were spoken. Where the line has blanks, they are other words than the line's.
    pub text: String,
    /// The version of these words.
    pub version: u32,
    /// The speech: µ-law, 8,000 samples a second.
    pub audio: &'static [u8],
}

/// The recording of the line `id`; `None` when there is no such line.
pub fn recording(locale: Locale, id: &str) -> Option<Recording> {
    let without_blanks = format!("{id}-recorded");
    let has_other_words = arguments(locale, &without_blanks).is_some();
    let id = if has_other_words { &without_blanks } else { id };
    let words = render(locale, id, &[]).ok()?;
    let file = format!("{id}-{}", words.version);
    let (_, english, spanish) = FILES.iter().find(|(name, ..)| *name == file)?;
    let audio = match locale {
        Locale::English => english,
        Locale::Spanish => spanish,
    };
    Some(Recording { text: words.text, version: words.version, audio })
}

macro_rules! files {
    ($($name:literal,)*) => {
        [$((
            $name,
            include_bytes!(concat!("../recordings/en/", $name, ".ulaw")),
            include_bytes!(concat!("../recordings/es/", $name, ".ulaw")),
        )),*]
    };
}

/// Each file's name, and its bytes in English and in Spanish.
const FILES: [(&str, &[u8], &[u8]); 14] = files![
    "cut-short-1",
    "farewell-recorded-1",
    "go-on-1",
    "goodbye-silence-recorded-1",
    "hear-me-1",
    "hold-1",
    "nobody-free-1",
    "notice-1",
    "one-minute-1",
    "opening-recorded-1",
    "still-there-1",
    "take-your-time-1",
    "transferring-1",
    "trouble-2",
];
