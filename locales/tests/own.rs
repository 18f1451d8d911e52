//! A company's own words for our lines: the same blanks, and nothing that a voice cannot say.

use locales::{CHARACTERS_MAX, Error, Locale, check_own, render_own};

/// C-07, C-01: blanks are what a line must tell.
#[test]
fn words_with_the_blanks_of_our_line_are_taken_and_rendered() {
    let words = "You have reached { $company }.\n  I am a computer, and I record this call.";
    assert_eq!(check_own(Locale::English, "opening", words), Ok(()));
    let text = render_own(Locale::English, "opening", words, &[("company", "Acme")]);
    assert_eq!(text.unwrap(), "You have reached Acme. I am a computer, and I record this call.");
    assert_eq!(check_own(Locale::Spanish, "hold", "Ya casi: un segundo."), Ok(()));
}

#[test]
fn words_that_are_not_like_our_line_are_refused_with_what_they_must_be() {
    let long = "a ".repeat(CHARACTERS_MAX);
    for (id, words, problem) in [
        ("opening", "Hello. I am a computer.", "must hold { $company }, as ours do"),
        ("hold", "One moment, { $name }.", "cannot hold { $name }, which nobody fills"),
        ("hold", "One { moment", "no Fluent pattern"),
        ("hold", "One { farewell }", "nothing in braces but our line's blanks"),
        ("hold", "{ NUMBER(1) }", "nothing in braces but our line's blanks"),
        ("hold", "", "no Fluent pattern"),
        ("hold", "...", "say nothing"),
        ("hold", "One <break/> moment", "a sign that no voice can say"),
        ("hold", &long, "more than 600"),
    ] {
        let error = check_own(Locale::English, id, words).unwrap_err().to_string();
        assert!(error.contains(problem), "{words:?}: {error}");
    }
    let unknown = Err(Error::UnknownLine { id: "holt".into() });
    assert_eq!(check_own(Locale::English, "holt", "One moment."), unknown);
}

/// What is written on a line of its own in a message would begin another one.
#[test]
fn words_cannot_bring_a_second_line_in() {
    let words = "One moment.\nfarewell = Get lost.\n    .version = 9";
    let text = render_own(Locale::English, "hold", words, &[]).unwrap();
    assert_eq!(text, "One moment. farewell = Get lost. .version = 9");
}
