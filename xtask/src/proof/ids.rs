//! The ids themselves: what looks like one, in a text and in the name of a test.

use std::fmt;

/// An id as the catalogue writes it: `F-DG-08`, `I-06`, `S19`, `T_MARK`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(String);

impl Id {
    /// The id that a word is, if it is one. A letter behind a scenario's number names a part of it.
    /// The number 99 is given to nothing: a test that needs an id of nobody's takes it.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let whole = match word.as_bytes() {
            [b'F', b'-', family @ .., b'-', _, _] => {
                let family = family.len() == 2 && family.iter().all(u8::is_ascii_uppercase);
                (family && ends_with_number(word)).then_some(word)
            }
            [b'I' | b'M' | b'C', b'-', _, _] | [b'S', _, _] => {
                ends_with_number(word).then_some(word)
            }
            [b'S', _, _, b'a'..=b'z'] => {
                let scenario = &word[..3];
                ends_with_number(scenario).then_some(scenario)
            }
            [b'T', b'_', name @ ..] => {
                let capital = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
                (!name.is_empty() && name.iter().all(capital)).then_some(word)
            }
            _ => None,
        };
        whole.filter(|id| !id.ends_with("99")).map(|id| Self(id.to_owned()))
    }

    /// Every id in a text.
    pub(super) fn in_text(text: &str) -> impl Iterator<Item = Self> {
        let apart = |c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c));
        text.split(apart).filter_map(|word| Self::of_word(word.trim_matches('-')))
    }

    /// Every id in the name of a test, where it is written small: `…_f_dg_08_i_06`.
    pub(super) fn in_name(name: &str) -> impl Iterator<Item = Self> {
        let words: Vec<String> = name.split('_').map(str::to_ascii_uppercase).collect();
        let starts = 0..words.len();
        starts
            .filter_map(|start| {
                [3, 2].into_iter().find_map(|length| {
                    let words = words.get(start..start + length)?;
                    // Of two words, only those that begin with a letter of their own are ids.
                    Self::of_word(&words.join("-")).filter(|_| words[0].len() == 1)
                })
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// What it belongs to: `F-DG`, `I`, `S`, `T`.
    pub(super) fn family(&self) -> &str {
        let end = if self.0.starts_with('F') { 4 } else { 1 };
        &self.0[..end]
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn ends_with_number(word: &str) -> bool {
    word.bytes().rev().take(2).all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_text(text: &str) -> Vec<String> {
        Id::in_text(text).map(|id| id.to_string()).collect()
    }

    fn in_name(name: &str) -> Vec<String> {
        Id::in_name(name).map(|id| id.to_string()).collect()
    }

    #[test]
    fn ids_are_found_in_a_text() {
        let text = "S19a, F-TR-07 and I-06: after `T_DG_READY`, (M-09).";
        assert_eq!(in_text(text), ["S19", "F-TR-07", "I-06", "T_DG_READY", "M-09"]);
    }

    #[test]
    fn what_only_looks_like_an_id_is_none() {
        let text = "UTC-05 S1 S123 F-dg-01 F-DGX-01 I-6 AI-06 T_ PORT_MAX I-06x AND-I-06 I-99";
        assert_eq!(in_text(text), [""; 0]);
    }

    #[test]
    fn ids_are_found_in_the_name_of_a_test() {
        let name = "a_socket_is_given_up_f_tw_09_i_11_and_c_18";
        assert_eq!(in_name(name), ["F-TW-09", "I-11", "C-18"]);
        assert_eq!(in_name("a_call_of_12_minutes_that_i_made"), [""; 0]);
    }
}
