//! Company files as nobody should write them: whatever stands there, the server is told of a company
//! that it can serve, or where in the file it cannot.

use std::path::Path;

use call_core::Language;
use server::company::{Error, Tenant, profile};

#[test]
fn a_spoilt_company_file_is_a_company_or_a_mistake_at_a_place_in_it() {
    let (mut served, mut faulty, mut several) = (0, 0, 0);
    for name in ["acme", "summit"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies");
        let text = std::fs::read_to_string(path.join(format!("{name}.toml"))).expect("it is there");
        // One line of a prompt is spoilt as well as a hundred.
        let text: String =
            text.split_inclusive('\n').filter(|line| !line.starts_with("- ")).collect();
        // No server can make payments yet, and nothing else of that file would be looked at.
        for spoilt in spoilt(&text.replace("\"make_payment\", ", "")) {
            match Tenant::parse("acme.toml", &spoilt) {
                Ok(tenant) => {
                    served += 1;
                    is_sound(&tenant);
                }
                Err(errors) => {
                    assert!(!errors.0.is_empty(), "a refusal says why");
                    errors.0.iter().for_each(|error| lies_in(error, &spoilt));
                    faulty += 1;
                    several += usize::from(errors.0.len() > 1);
                }
            }
        }
    }
    assert!(served > 100 && faulty > 100 && several > 20, "{served} {faulty} {several}");
}

fn is_sound(tenant: &Tenant) {
    let company = tenant.company();
    assert_eq!(company.faults(), []);
    assert!(Tenant::new(company.clone()).is_some(), "it is sound when read elsewhere, too");
    assert!(!company.numbers.is_empty(), "somebody can call it");
    for language in Language::ALL {
        assert!(!tenant.agent(language).prompt.trim().is_empty(), "an agent for every call");
    }
    assert!(profile(company, company.language).is_some(), "an agent in its own language");
}

fn lies_in(error: &Error, text: &str) {
    let Error::Faulty { place, what, .. } = error else {
        panic!("a text is not a file that cannot be read: {error}")
    };
    assert!(!what.is_empty());
    assert!(error.to_string().starts_with(&format!("acme.toml:{place}: ")), "{error}");
    let line = text.split('\n').nth(place.line - 1).expect("the line is in the text");
    assert!(place.column <= line.chars().count() + 1, "{error}: behind the end of its line");
}

/// The text with pieces of each line left out, doubled, or replaced by what means something in TOML, and
/// torn off anywhere.
fn spoilt(text: &str) -> Vec<String> {
    const PIECES: [&str; 14] =
        ["", "=", "\"", "\"\"\"", "[", "]", "[[", "{", ".", "\\", "#", "-1", "ñ", "\u{0}"];
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let (before, after) = (lines[..at].concat(), lines[at + 1..].concat());
        all.push(format!("{before}{line}{line}{after}"));
        all.push(format!("{before}{after}"));
        let quote = line.find('"').unwrap_or(2);
        let ends = [0, line.find('=').unwrap_or(1), quote, quote + 1, quote + 3, line.len() / 2];
        for (number, end) in ends.into_iter().enumerate() {
            let end = line.floor_char_boundary(end.min(line.len()));
            for piece in PIECES {
                all.push(format!("{before}{}{piece}{}{after}", &line[..end], &line[end..]));
            }
            let piece = PIECES[(at + number) % PIECES.len()];
            all.push(format!("{before}{}{piece}{after}", &line[..end]));
            all.push(format!("{before}{}", &line[..end]));
        }
    }
    all
}
