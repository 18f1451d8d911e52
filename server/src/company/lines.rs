//! A company's own words for our lines.

use call_core::company::Company;
use locales::Locale;

/// What is wrong with them: the field, and what it must be.
pub(super) fn faults(company: &Company) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (language, lines) in &company.lines {
        let table = format!("lines.{}", language.tag());
        if !company.agents.contains_key(language) {
            let what =
                format!("there is no agent in this language; add [agents.{}]", language.tag());
            faults.push((table, what));
            continue;
        }
        let Some(locale) = Locale::from_tag(language.tag()) else { continue };
        for (line, words) in lines {
            let field = format!("{table}.{line}");
            if let Err(error) = locales::check_own(locale, line.key(), words) {
                faults.push((field.clone(), error.to_string()));
            }
            // A call may go on in the other language, and must not change its terms there.
            let has = |other| company.lines.get(other).is_some_and(|own| own.contains_key(line));
            if let Some(other) = company.agents.keys().find(|other| !has(other)) {
                let tag = other.tag();
                let what = format!("has no counterpart: add `{line}` to [lines.{tag}] too");
                faults.push((field, what));
            }
        }
    }
    faults
}
