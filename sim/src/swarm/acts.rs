//! What people do at moments that are not in the scenario: the caller hangs up or presses keys, an
//! operator takes a hand. It is done in the call, and written into the call's file.

use std::fmt;
use std::io;

use call_core::input::Operator;
use call_core::{CallTime, Millis};

use crate::audio::FRAME_MS;
use crate::cast::caller::{Act, Cue};
use crate::scenario::{Scenario, Turn};

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The caller hangs up, before this turn of the file's.
    HangsUp {
        /// The turn, from 0; behind the last one it is how many there are.
        turn: usize,
        /// Milliseconds after the turn before, or after the stream began.
        later_ms: u64,
    },
    /// The caller presses keys, before this turn of the file's.
    Keys {
        /// The turn, from 0; behind the last one it is how many there are.
        turn: usize,
        /// Milliseconds after the turn before, or after the stream began.
        later_ms: u64,
        /// The keys.
        digits: String,
        /// Milliseconds between two of them.
        gap_ms: u64,
    },
    /// An operator takes a hand.
    Operator {
        /// When, in milliseconds since the call was answered.
        at_ms: u64,
        /// What the operator wants.
        wants: Operator,
    },
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HangsUp { turn, later_ms } => {
                write!(f, "the caller hangs up before turn {}, after {later_ms} ms", turn + 1)
            }
            Self::Keys { turn, later_ms, digits, gap_ms } => write!(
                f,
                "the caller presses {digits} before turn {}, after {later_ms} ms, {gap_ms} ms apart",
                turn + 1
            ),
            Self::Operator { at_ms, wants } => match wants {
                Operator::Drain { within } => {
                    write!(f, "an operator drains at {at_ms} ms, within {} ms", within.0)
                }
                Operator::HangUp => write!(f, "an operator hangs up at {at_ms} ms"),
                Operator::Transfer { target } => {
                    write!(f, "an operator transfers to {target} at {at_ms} ms")
                }
            },
        }
    }
}

impl Deed {
    /// The name under which it is counted.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::HangsUp { .. } => "CallerHangsUp",
            Self::Keys { .. } => "CallerPressesKeys",
            Self::Operator { wants: Operator::Drain { .. }, .. } => "OperatorDrains",
            Self::Operator { wants: Operator::HangUp, .. } => "OperatorHangsUp",
            Self::Operator { wants: Operator::Transfer { .. }, .. } => "OperatorTransfers",
        }
    }

    /// The same with one number less, the simplest first.
    pub(super) fn smaller(&self, less: fn(u64) -> Vec<u64>) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut with = |number: u64, change: &dyn Fn(&mut Self, u64)| {
            for less in less(number) {
                let mut deed = self.clone();
                change(&mut deed, less);
                smaller.push(deed);
            }
        };
        match self {
            Self::HangsUp { later_ms, .. } | Self::Keys { later_ms, .. } => {
                with(*later_ms, &|deed, less| {
                    if let Self::HangsUp { later_ms, .. } | Self::Keys { later_ms, .. } = deed {
                        *later_ms = less;
                    }
                });
            }
            Self::Operator { at_ms, .. } => with(*at_ms, &|deed, less| {
                if let Self::Operator { at_ms, .. } = deed {
                    *at_ms = less;
                }
            }),
        }
        if let Self::Keys { digits, .. } = self {
            with(digits.len() as u64, &|deed, less| {
                if let Self::Keys { digits, .. } = deed {
                    digits.truncate(less.max(1) as usize);
                }
            });
        }
        smaller.retain(|deed| deed != self);
        smaller
    }

    /// Before which turn it is, if it is the caller who does it.
    const fn turn(&self) -> Option<usize> {
        match self {
            Self::HangsUp { turn, .. } | Self::Keys { turn, .. } => Some(*turn),
            Self::Operator { .. } => None,
        }
    }

    fn act(&self) -> Option<Turn> {
        let turn = |later_ms: u64, act| Turn {
            cue: Cue::Later(later_ms),
            act,
            words: String::new(),
            language: None,
        };
        match self {
            Self::HangsUp { later_ms, .. } => Some(turn(*later_ms, Act::HangsUp)),
            Self::Keys { later_ms, digits, gap_ms, .. } => {
                let gap = (gap_ms / FRAME_MS).max(1);
                Some(turn(*later_ms, Act::Keys(digits.chars().collect(), gap)))
            }
            Self::Operator { .. } => None,
        }
    }

    /// As it stands in a scenario file.
    fn text(&self) -> String {
        match self {
            Self::HangsUp { later_ms, .. } => format!("HangsUp(after: Later({later_ms}))"),
            Self::Keys { later_ms, digits, gap_ms, .. } => {
                format!("Keys(digits: {digits:?}, gap_ms: {gap_ms}, after: Later({later_ms}))")
            }
            Self::Operator { at_ms, wants } => match wants {
                Operator::Drain { within: Millis(within) } => {
                    format!("Drain(at_ms: {at_ms}, within_ms: {within})")
                }
                Operator::HangUp => format!("HangUp(at_ms: {at_ms})"),
                Operator::Transfer { target } => {
                    format!("Transfer(at_ms: {at_ms}, target: {target:?})")
                }
            },
        }
    }
}

/// Adds deeds to a scenario.
pub(super) fn act_out(deeds: &[&Deed], scenario: &mut Scenario) {
    for (turn, deed) in inserted(deeds) {
        let turn = turn.min(scenario.turns.len());
        scenario.turns.splice(turn..turn, deed.act());
    }
    for deed in deeds {
        if let Deed::Operator { at_ms, wants } = deed {
            scenario.operator.push((CallTime::from_millis(*at_ms), wants.clone()));
        }
    }
}

/// The deeds of the caller and their turns, the last first: so nothing inserted moves the others.
fn inserted<'a>(deeds: &[&'a Deed]) -> Vec<(usize, &'a Deed)> {
    let mut acts: Vec<_> = deeds.iter().filter_map(|deed| Some((deed.turn()?, *deed))).collect();
    acts.sort_by_key(|(turn, _)| *turn);
    acts.reverse();
    acts
}

/// Adds deeds to the text of a scenario file, as [`Template::text`](crate::scenario::Template)
/// writes it: one entry of a list begins with each line of the list's own depth.
///
/// # Errors
///
/// When the text is not laid out so.
pub(super) fn write_into(deeds: &[&Deed], text: &str) -> io::Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (turn, deed) in inserted(deeds) {
        insert(&mut lines, "        turns: [", Some(turn), &deed.text())?;
    }
    for deed in deeds.iter().filter(|deed| deed.turn().is_none()) {
        insert(&mut lines, "    operator: [", None, &deed.text())?;
    }
    Ok(lines.join("\n") + "\n")
}

/// Inserts an entry into the list that begins with this line: before the entry of this number, or
/// behind the last one.
fn insert(
    lines: &mut Vec<String>,
    list: &str,
    number: Option<usize>,
    entry: &str,
) -> io::Result<()> {
    let no_list = || io::Error::other(format!("no list `{}` to write into", list.trim()));
    let begin = lines.iter().position(|line| line.starts_with(list)).ok_or_else(no_list)?;
    let indent = &list[..list.len() - list.trim_start().len()];
    let end = format!("{indent}],");
    if lines[begin] == format!("{list}],") {
        lines.splice(begin..=begin, [list.to_owned(), end.clone()]);
    }
    let length = lines[begin..].iter().position(|line| *line == end).ok_or_else(no_list)?;
    let depth = format!("{indent}    ");
    let starts = |line: &&String| {
        line.strip_prefix(&depth).is_some_and(|rest| !rest.starts_with([' ', ')']))
    };
    let inside = &lines[begin + 1..begin + length];
    let places: Vec<usize> = (0..inside.len()).filter(|at| starts(&&inside[*at])).collect();
    let place = number.and_then(|number| places.get(number)).map_or(length, |place| place + 1);
    lines.insert(begin + place, format!("{depth}{entry},"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Scenario(
    caller: (
        turns: [
            Says(
                words: \"One.\",
            ),
            Noise(
                ms: 200,
            ),
        ],
    ),
    operator: [],
)
";

    #[test]
    fn deeds_are_written_before_their_turns_and_in_their_order() {
        let keys = |turn, digits: &str| Deed::Keys {
            turn,
            later_ms: 10,
            digits: digits.to_owned(),
            gap_ms: 40,
        };
        let end = Deed::HangsUp { turn: 2, later_ms: 30 };
        let drain = Deed::Operator { at_ms: 5, wants: Operator::HangUp };
        let (one, two) = (keys(1, "1"), keys(1, "2"));
        let text = write_into(&[&drain, &one, &end, &two], TEXT).expect("it is laid out so");
        let places = ["One.", "\"1\"", "\"2\"", "Noise", "HangsUp(after: Later(30))", "HangUp(at"];
        let places = places.map(|words| text.find(words).expect("it was written"));
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn a_text_without_the_lists_is_an_error() {
        let deed = Deed::HangsUp { turn: 0, later_ms: 0 };
        assert!(write_into(&[&deed], "Scenario()").is_err());
    }
}
