//! The two languages say the same things (C-07, I-34), and never with a hole.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;
use locales::{Error, Locale, Rendered, arguments, ids, render};

const ENGLISH: &str = include_str!("../en/lines.ftl");
const SPANISH: &str = include_str!("../es/lines.ftl");

#[test]
fn both_languages_have_the_same_lines_variables_and_versions_c_07_i_34() {
    assert_eq!(shapes(ENGLISH), shapes(SPANISH));
}

#[test]
fn the_list_of_ids_names_every_line_of_the_files() {
    let listed: BTreeSet<&str> = ids().collect();
    assert_eq!(listed.len(), ids().count(), "an id is listed twice");
    assert_eq!(listed, shapes(ENGLISH).keys().map(String::as_str).collect());
}

#[test]
fn the_lines_that_a_call_needs_are_there() {
    let needed = [
        ("opening", &["company"][..]),
        ("still-there", &[]),
        ("cut-short", &[]),
        ("hold", &[]),
        ("trouble", &[]),
        ("farewell", &["company"]),
        ("goodbye-silence", &["company"]),
        ("language-name", &[]),
    ];
    for (id, variables) in needed {
        for locale in Locale::ALL {
            assert_eq!(arguments(locale, id).unwrap(), variables, "{id}");
        }
    }
}

#[test]
fn the_arguments_of_a_line_are_its_variables() {
    for (id, shape) in shapes(ENGLISH) {
        let asked: BTreeSet<String> =
            arguments(Locale::English, &id).unwrap().into_iter().collect();
        assert_eq!(asked, shape.variables, "{id}");
    }
}

#[test]
fn every_line_is_rendered_in_both_languages_and_can_be_spoken() {
    for locale in Locale::ALL {
        for id in ids() {
            let Rendered { text, version } = complete(locale, id);
            assert!(!text.is_empty() && version > 0, "{id}");
            let unspeakable = ['{', '}', '\u{2068}', '\u{2069}', '\n', '$', '<', '>'];
            assert!(!text.contains(unspeakable) && !text.contains("  "), "{id}: {text}");
        }
    }
}

#[test]
fn no_two_languages_share_their_words_c_07() {
    for id in ids() {
        assert_ne!(complete(Locale::English, id).text, complete(Locale::Spanish, id).text, "{id}");
    }
}

#[test]
fn the_opening_says_who_what_and_that_it_may_be_recorded_c_01_c_03_c_04() {
    let english = complete(Locale::English, "opening").text;
    let spanish = complete(Locale::Spanish, "opening").text;
    for word in ["Acme", "automated assistant", "recorded", "help"] {
        assert!(english.contains(word), "{word}");
    }
    for word in ["Acme", "asistente automatizado", "grabada", "ayudar"] {
        assert!(spanish.contains(word), "{word}");
    }
}

#[test]
fn a_missing_or_blank_argument_is_an_error_and_never_a_hole() {
    for arguments in [&[][..], &[("company", "")], &[("company", " \t")]] {
        let error = render(Locale::English, "opening", arguments).unwrap_err();
        assert_eq!(
            error,
            Error::MissingArgument { id: "opening".into(), argument: "company".into() }
        );
        assert_eq!(error.to_string(), "the line `opening` needs the argument `company`");
    }
}

#[test]
fn an_argument_that_a_line_does_not_use_is_refused() {
    let unexpected = |id: &str, argument: &str| {
        Err(Error::UnexpectedArgument { id: id.into(), argument: argument.into() })
    };
    assert_eq!(render(Locale::Spanish, "hold", &[("name", "Ana")]), unexpected("hold", "name"));
    let twice = [("company", "Acme"), ("company", "Other")];
    assert_eq!(render(Locale::Spanish, "farewell", &twice), unexpected("farewell", "company"));
}

#[test]
fn an_unknown_line_is_an_error() {
    for id in ["", "no-such-line", "Opening", "opening.version", "-term"] {
        let error = render(Locale::English, id, &[]).unwrap_err();
        assert_eq!(error, Error::UnknownLine { id: id.into() });
    }
}

#[test]
fn tags_name_languages_both_ways() {
    for locale in Locale::ALL {
        assert_eq!(Locale::from_tag(locale.tag()), Some(locale));
    }
    assert_eq!(Locale::from_tag("fr"), None);
    assert_eq!(Locale::from_tag("EN"), None);
}

#[test]
fn lines_are_rendered_from_many_threads_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| complete(Locale::Spanish, "opening"));
        }
    });
}

fn complete(locale: Locale, id: &str) -> Rendered {
    let names = arguments(locale, id).expect("the line exists");
    let filled: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "Acme")).collect();
    render(locale, id, &filled).expect("every argument is filled")
}

/// What two languages must have in common about a line.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    variables: BTreeSet<String>,
    attributes: BTreeMap<String, String>,
}

fn shapes(source: &str) -> BTreeMap<String, Shape> {
    let resource = parser::parse(source).expect("the file parses");
    let mut shapes = BTreeMap::new();
    for entry in &resource.body {
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            other => panic!("only messages and comments belong here: {other:?}"),
        };
        let text = |pattern: &Pattern<&str>| match &pattern.elements[..] {
            [PatternElement::TextElement { value }] => (*value).to_owned(),
            other => panic!("an attribute is plain text: {other:?}"),
        };
        let attributes: BTreeMap<String, String> = message
            .attributes
            .iter()
            .map(|attribute| (attribute.id.name.to_owned(), text(&attribute.value)))
            .collect();
        assert!(attributes.contains_key("version"), "{} has no version", message.id.name);
        let pattern = message.value.as_ref().expect("a line has words");
        let shape = Shape { variables: variables(pattern), attributes };
        let before = shapes.insert(message.id.name.to_owned(), shape);
        assert!(before.is_none(), "{} is there twice", message.id.name);
    }
    shapes
}

/// The variables of a line. Anything richer than a variable would hide what is spoken.
fn variables(pattern: &Pattern<&str>) -> BTreeSet<String> {
    let variable = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { .. } => None,
        PatternElement::Placeable {
            expression: Expression::Inline(InlineExpression::VariableReference { id }),
        } => Some(id.name.to_owned()),
        PatternElement::Placeable { expression } => {
            panic!("a line holds text and variables only: {expression:?}")
        }
    };
    pattern.elements.iter().filter_map(variable).collect()
}
