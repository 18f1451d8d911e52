//! A company's own words for a line of ours.
//!
//! They are a Fluent pattern with the blanks of our line, all of them and no others, so whatever our line
//! tells by them is told. What else must be said is for the company and its lawyers to know.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use crate::{Bundle, Error, Locale, check_arguments, format, variables};

/// The longest line, in characters: a minute of speech that nobody can stop.
pub const CHARACTERS_MAX: usize = 600;

/// Words of a company's for the line `id`, with its arguments.
///
/// # Errors
///
/// [`Error`], as for a line of ours.
pub fn render_own(
    locale: Locale,
    id: &str,
    words: &str,
    arguments: &[(&str, &str)],
) -> Result<String, Error> {
    let bundle = bundle(locale, id, words)?;
    let message = bundle.get_message(id).ok_or_else(|| broken(id, UNREADABLE))?;
    check_arguments(&bundle, &message, id, arguments)?;
    let arguments: FluentArgs<'_> = arguments.iter().copied().collect();
    let (text, problems) = format(&bundle, &message, &arguments);
    match problems.into_iter().next() {
        Some(_) => Err(broken(id, "its words may hold nothing in braces but our line's blanks")),
        None => Ok(text),
    }
}

/// Whether a company's words may stand for the line `id`.
///
/// # Errors
///
/// [`Error`] says what is wrong with them, and what they must be.
pub fn check_own(locale: Locale, id: &str, words: &str) -> Result<(), Error> {
    let needed =
        crate::arguments(locale, id).ok_or_else(|| Error::UnknownLine { id: id.to_owned() })?;
    let bundle = bundle(locale, id, words)?;
    let message = bundle.get_message(id).ok_or_else(|| broken(id, UNREADABLE))?;
    let own = variables(&bundle, &message);
    if let Some(name) = needed.iter().find(|name| !own.contains(name)) {
        return Err(broken(id, &std::format!("its words must hold {{ ${name} }}, as ours do")));
    }
    if let Some(name) = own.iter().find(|name| !needed.contains(name)) {
        return Err(broken(
            id,
            &std::format!("its words cannot hold {{ ${name} }}, which nobody fills"),
        ));
    }
    let filled: Vec<(&str, &str)> = needed.iter().map(|name| (name.as_str(), "Acme")).collect();
    let text = render_own(locale, id, words, &filled)?;
    let count = text.chars().count();
    if count > CHARACTERS_MAX {
        let problem = std::format!("its words have {count} characters, more than {CHARACTERS_MAX}");
        return Err(broken(id, &problem));
    }
    if !text.chars().any(char::is_alphabetic) {
        return Err(broken(id, "its words say nothing"));
    }
    if text.chars().any(|c| c.is_control() || "<>{}[]*_#".contains(c)) {
        return Err(broken(id, "its words hold a sign that no voice can say, such as <, [ or *"));
    }
    Ok(())
}

const UNREADABLE: &str = "its words are no Fluent pattern: a blank is written { $company }";

/// The words alone in a bundle of their own. In one line they cannot begin another message.
fn bundle(locale: Locale, id: &str, words: &str) -> Result<Bundle, Error> {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let resource = FluentResource::try_new(std::format!("{id} = {words}"))
        .map_err(|_| broken(id, UNREADABLE))?;
    let language = locale.tag().parse().expect("our language tags are well formed");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).map_err(|_| broken(id, UNREADABLE))?;
    Ok(bundle)
}

fn broken(id: &str, problem: &str) -> Error {
    Error::Broken { id: id.to_owned(), problem: problem.to_owned() }
}
