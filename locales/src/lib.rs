//! The words that we speak ourselves, in English and Spanish.
//!
//! The lines live in `en/lines.ftl` and `es/lines.ftl` and are part of the binary. Every line has
//! an id and a version, so that the record of a call can name exactly what was said. A line is
//! rendered whole or not at all: a caller never hears a gap where a name should be.
//!
//! ```
//! use locales::{Locale, render};
//!
//! let line = render(Locale::Spanish, "farewell", &[("company", "Banco Azul")])?;
//! assert_eq!(line.text, "Gracias por llamar a Banco Azul. Hasta luego.");
//! assert_eq!(line.version, 1);
//! # Ok::<(), locales::Error>(())
//! ```
//!
//! Amounts and digits are given to the lines in words; see [`spoken`].

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::resolver::ResolverError;
use fluent_bundle::resolver::errors::ReferenceKind;
use fluent_bundle::{FluentArgs, FluentError, FluentMessage, FluentResource};
use unic_langid::LanguageIdentifier;

mod error;
mod own;
mod recordings;
pub mod spoken;

pub use error::Error;
pub use own::{CHARACTERS_MAX, check_own, render_own};
pub use recordings::{Recording, recording};

/// A language that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locale {
    /// English as spoken in the United States.
    English,
    /// Spanish as spoken in Mexico and the United States.
    Spanish,
}

/// A line, ready to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The words.
    pub text: String,
    /// The version of the line that they come from.
    pub version: u32,
}

impl Locale {
    /// Every language that we speak.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The language tag: "en" or "es".
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../en/lines.ftl"),
            Self::Spanish => include_str!("../es/lines.ftl"),
        }
    }

    fn bundle(self) -> &'static Bundle {
        static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::English));
        static SPANISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::Spanish));
        match self {
            Self::English => &ENGLISH,
            Self::Spanish => &SPANISH,
        }
    }
}

/// Renders the line `id` with its arguments, which must be exactly the ones that the line names
/// and must not be blank.
///
/// # Errors
///
/// [`Error`] names the line and, where one is to blame, the argument.
pub fn render(locale: Locale, id: &str, arguments: &[(&str, &str)]) -> Result<Rendered, Error> {
    let bundle = locale.bundle();
    let message = bundle.get_message(id).ok_or_else(|| Error::UnknownLine { id: id.to_owned() })?;
    check_arguments(bundle, &message, id, arguments)?;

    let arguments: FluentArgs<'_> = arguments.iter().copied().collect();
    let (text, problems) = format(bundle, &message, &arguments);
    if let Some(problem) = problems.into_iter().next() {
        return Err(Error::Broken { id: id.to_owned(), problem: problem.to_string() });
    }
    let version = version(bundle, &message).ok_or_else(|| Error::Broken {
        id: id.to_owned(),
        problem: "its version is not a number".to_owned(),
    })?;
    Ok(Rendered { text, version })
}

/// The ids of all lines, in the order of the files. Both languages have the same.
pub fn ids() -> impl Iterator<Item = &'static str> {
    let begins_line = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let lines = Locale::English.source().lines().filter(move |line| begins_line(line));
    lines.filter_map(|line| line.split_once('=').map(|(id, _)| id.trim_end()))
}

/// The names of the arguments that the line `id` needs; `None` when there is no such line.
pub fn arguments(locale: Locale, id: &str) -> Option<Vec<String>> {
    let bundle = locale.bundle();
    bundle.get_message(id).map(|message| variables(bundle, &message))
}

type Bundle = FluentBundle<FluentResource>;

fn bundle(locale: Locale) -> Bundle {
    let language: LanguageIdentifier =
        locale.tag().parse().expect("our language tags are well formed");
    let resource = FluentResource::try_new(locale.source().to_owned())
        .expect("the embedded lines parse, which a test proves");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks for the direction of writing would be handed to a voice.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("no line has the id of another, which a test proves");
    bundle
}

fn check_arguments(
    bundle: &Bundle,
    message: &FluentMessage<'_>,
    id: &str,
    given: &[(&str, &str)],
) -> Result<(), Error> {
    let needed = variables(bundle, message);
    let filled = |name: &str| given.iter().any(|(known, value)| *known == name && !is_blank(value));
    if let Some(missing) = needed.iter().find(|name| !filled(name)) {
        return Err(Error::MissingArgument { id: id.to_owned(), argument: missing.clone() });
    }
    let names = || given.iter().map(|(name, _)| *name);
    let unknown = names().find(|name| !needed.iter().any(|known| known == name));
    let twice = || names().find(|name| names().filter(|other| other == name).count() > 1);
    match unknown.or_else(twice) {
        Some(name) => {
            Err(Error::UnexpectedArgument { id: id.to_owned(), argument: name.to_owned() })
        }
        None => Ok(()),
    }
}

fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

/// Fluent does not list the variables of a message, but it names each one that it misses.
fn variables(bundle: &Bundle, message: &FluentMessage<'_>) -> Vec<String> {
    let (_, problems) = format(bundle, message, &FluentArgs::new());
    let missed = problems.into_iter().filter_map(|problem| match problem {
        FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { id })) => {
            Some(id)
        }
        _ => None,
    });
    let mut names: Vec<String> = missed.collect();
    names.sort();
    names.dedup();
    names
}

fn format(
    bundle: &Bundle,
    message: &FluentMessage<'_>,
    arguments: &FluentArgs<'_>,
) -> (String, Vec<FluentError>) {
    let Some(pattern) = message.value() else {
        return (String::new(), Vec::new());
    };
    let mut problems = Vec::new();
    let text = bundle.format_pattern(pattern, Some(arguments), &mut problems);
    // The files are wrapped for reading; speech is one line.
    (text.split_whitespace().collect::<Vec<_>>().join(" "), problems)
}

fn version(bundle: &Bundle, message: &FluentMessage<'_>) -> Option<u32> {
    let pattern = message.get_attribute("version")?.value();
    let mut problems = Vec::new();
    let text = bundle.format_pattern(pattern, None, &mut problems);
    if problems.is_empty() { text.parse().ok() } else { None }
}
