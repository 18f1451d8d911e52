//! Digits that the caller keys in. They stay here: the machine counts them, the model gets a name
//! for them, and only a function's arguments are filled in with them.

use std::collections::{BTreeMap, VecDeque};

use call_core::input::Key;

use crate::deepgram::Spoken;

/// The numbers that were keyed in during one call.
#[derive(Default)]
pub(super) struct Keypad {
    pressed: String,
    /// A number is being keyed in.
    collects: bool,
    numbers: BTreeMap<String, String>,
    /// The last messages of the stream that reported a key.
    reported: VecDeque<u64>,
}

/// So many keys are remembered to tell a repeated one.
const REPORTED_MAX: usize = 16;

impl Keypad {
    /// A key was reported, in the message of this number. The same message again is no second key
    /// (F-TW-23); without a number nobody can tell.
    pub(super) fn reported(&mut self, report: Option<u64>, digit: char) -> Option<Key> {
        if let Some(report) = report {
            if self.reported.contains(&report) {
                return None;
            }
            if self.reported.len() == REPORTED_MAX {
                self.reported.pop_front();
            }
            self.reported.push_back(report);
        }
        self.press(digit)
    }

    /// Another stream begins, whose messages are numbered anew.
    pub(super) fn restart(&mut self) {
        self.reported.clear();
    }

    /// A key was pressed. Nothing for one that is on no caller's telephone.
    fn press(&mut self, digit: char) -> Option<Key> {
        match digit {
            '0'..='9' => {
                self.pressed.push(digit);
                Some(Key::Digit)
            }
            '*' => {
                self.pressed.clear();
                Some(Key::Star)
            }
            '#' => Some(Key::Pound),
            _ => None,
        }
    }

    /// A number is begun with the last key. Those before it were pressed when nobody wanted any.
    pub(super) fn begin(&mut self) {
        self.collects = true;
        self.pressed = self.pressed.pop().into_iter().collect();
    }

    /// Whether a number is being keyed in.
    pub(super) const fn collects(&self) -> bool {
        self.collects
    }

    /// The number is complete: the name that stands for it. Nothing if there are no digits.
    pub(super) fn complete(&mut self, digits: u32) -> Option<String> {
        self.collects = false;
        let pressed = std::mem::take(&mut self.pressed);
        if digits == 0 || pressed.is_empty() {
            return None;
        }
        let name = format!("keyed-{}", self.numbers.len() + 1);
        self.numbers.insert(name.clone(), pressed);
        Some(name)
    }

    /// Puts numbers where a function's arguments name them.
    pub(super) fn fill_in(&self, arguments: Spoken) -> Spoken {
        if !self.numbers.keys().any(|name| arguments.reveal().contains(name.as_str())) {
            return arguments;
        }
        let filled =
            self.numbers.iter().rev().fold(arguments.into_revealed(), |text, (name, digits)| {
                text.replace(&format!("\"{name}\""), &format!("\"{digits}\""))
            });
        Spoken::from(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-TW-23, I-22, I-29.
    #[test]
    fn a_key_counts_once_for_each_message_that_reports_it() {
        let mut keypad = Keypad::default();
        for sequence in 1..=100 {
            assert_eq!(keypad.reported(Some(sequence), '7'), Some(Key::Digit));
            assert_eq!(keypad.reported(Some(sequence), '7'), None);
        }
        assert_eq!(keypad.reported.len(), REPORTED_MAX);
        assert_eq!(keypad.reported(None, '7'), Some(Key::Digit));
        assert_eq!(keypad.reported(None, '7'), Some(Key::Digit), "nobody can tell");
        keypad.restart();
        assert_eq!(keypad.reported(Some(100), '7'), Some(Key::Digit), "of another stream");
    }

    /// S16.
    #[test]
    fn a_number_is_named_and_filled_in_only_where_its_name_stands() {
        let mut keypad = Keypad::default();
        for digit in "12*021#".chars() {
            keypad.press(digit);
        }
        assert_eq!(keypad.complete(3).as_deref(), Some("keyed-1"));
        assert_eq!(keypad.complete(3), None, "there is nothing");
        let filled = keypad.fill_in(Spoken::from(r#"{"a":"keyed-1","b":"keyed-11"}"#));
        assert_eq!(filled.reveal(), r#"{"a":"021","b":"keyed-11"}"#);
    }
}
