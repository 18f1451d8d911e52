//! The valid name that somebody may have meant.

/// The longest list of names that is told in full beside a near one.
const FEW: usize = 12;

/// The name that is nearest to a word; nothing where none is near enough to be meant.
pub(super) fn nearest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let meant = plain(word);
    if meant.is_empty() || meant.chars().count() > 64 {
        return None;
    }
    // `do` for `does`, or the other way round.
    let begins = |name: &&&str| {
        let name = plain(name);
        meant.len() > 1 && (name.starts_with(&meant) || meant.starts_with(&name))
    };
    let slip = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&meant, &plain(name)), *name))
        .filter(|(steps, name)| *steps <= ((name.chars().count() + 1) / 3).max(1))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name);
    // `hangup` for the one name that has it in it.
    let holds = || {
        let mut names = names.iter().filter(|name| meant.len() > 3 && plain(name).contains(&meant));
        names.next().filter(|_| names.next().is_none())
    };
    slip.or_else(|| names.iter().find(begins).or_else(holds).copied())
}

/// What to say about a word that is none of these names.
pub(super) fn advice(word: &str, names: &[&str]) -> String {
    let list = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(word, names) {
        Some(name) if names.len() == 1 || names.len() > FEW => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? Known here: {}", list()),
        None if names.is_empty() => "nothing may stand here".to_owned(),
        None if names.len() == 1 => format!("it can only be {}", list()),
        None => format!("known here: {}", list()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_another_word_finds_none() {
        let names = ["lookup_loan", "make_payment", "hangup_call"];
        assert_eq!(nearest("lookup_laon", &names), Some("lookup_loan"));
        assert_eq!(nearest("lookuploan", &names), Some("lookup_loan"));
        assert_eq!(nearest("Hangup-Call", &names), Some("hangup_call"));
        assert_eq!(nearest("buy_house", &names), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest("do", &["hears", "does"]), Some("does"));
        assert_eq!(nearest("sead", &["title", "seed"]), Some("seed"));
        assert_eq!(nearest("loan", &names), Some("lookup_loan"));
        assert_eq!(nearest("call", &["hangup_call", "transfer_call"]), None, "which of them?");
    }
}
