//! What the build says of lines that differ between the languages.

#[path = "../build/check.rs"]
mod check;

use check::faults;

const LINE: &str = "hold = One moment.\n    .version = 1\n";

fn told(english: &str, spanish: &str) -> Vec<String> {
    faults([("en/lines.ftl", english), ("es/lines.ftl", spanish)])
}

/// C-07, I-34.
#[test]
fn lines_that_differ_between_languages_are_told_with_their_place_c_07() {
    let more = format!("{LINE}\nbye = Bye, {{ $company }}.\n    .version = 1\n");
    assert_eq!(told(&more, &more), [""; 0]);
    assert_eq!(told(&more, LINE), ["en/lines.ftl:4: `bye` is not in es/lines.ftl; add it there"]);
    assert_eq!(told(LINE, &more), ["es/lines.ftl:4: `bye` is not in en/lines.ftl; add it there"]);
    let other = more.replace("$company", "$name");
    let what = "en/lines.ftl:4: `bye` has the blanks [company], and [name] in es/lines.ftl; they must \
                be the same";
    assert_eq!(told(&more, &other), [what]);
    let newer = LINE.replace('1', "2");
    let what = "en/lines.ftl:1: `hold` has another version in es/lines.ftl; raise both together";
    assert_eq!(told(LINE, &newer), [what]);
}

#[test]
fn what_no_line_may_be_is_told_with_its_place() {
    for (text, what) in [
        (format!("{LINE}{LINE}"), ":1: `hold` is there twice; take one of them out"),
        ("hold = One\n".to_owned(), ":1: `hold` has no version; write `.version = 1`"),
        ("hold = One\n    .version = one\n".to_owned(), ":1: `hold` has no version"),
        ("\nhold =\n    .version = 1\n".to_owned(), ":2: `hold` has no words"),
        (format!("{LINE}-brand = Acme\n"), ":3: a term; write its words where they are used"),
        (format!("{LINE}\nhold one\n"), ":4: "),
        (
            "hold = { $n ->\n    [one] One\n   *[other] Some\n }\n    .version = 1\n".to_owned(),
            ":1: `hold` holds more than text and variables; write another line",
        ),
    ] {
        let told = told(&text, &text);
        let whole = format!("en/lines.ftl{what}");
        assert!(told.iter().any(|told| told.starts_with(&whole)), "{whole}: {told:?}");
    }
}
