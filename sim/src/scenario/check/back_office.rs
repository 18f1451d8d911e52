//! The back office: loans that can be looked up, writes that can be asked for.

use std::collections::BTreeSet;

use call_core::effect::Function;
use call_transports::functions::loan_lookup;

use super::{Check, MS_MAX};
use crate::scenario::near;
use crate::scenario::tree::{Found, Node};

impl Check<'_> {
    pub(super) fn back_office(&mut self, back_office: &Node) {
        self.range(back_office.field("takes_ms"), 0, MS_MAX, "ms");
        let mut numbers = BTreeSet::new();
        for loan in back_office.field("loans").map_or(&[][..], Node::items) {
            self.loan(loan, &mut numbers);
        }
        for write in back_office.field("writes").map_or(&[][..], Node::items) {
            self.write(write);
        }
    }

    fn loan(&mut self, loan: &Node, numbers: &mut BTreeSet<String>) {
        let places = [
            ("number", "loan_number"),
            ("date_of_birth", "date_of_birth"),
            ("zip", "zip"),
            ("due_date", "date_of_birth"),
        ];
        for (field, as_if) in places {
            let Some(node) = loan.field(field) else { continue };
            let Some(text) = self.text(node) else { continue };
            // Whatever a lookup could not ask for is of no use here either.
            if let Err(why) = looked_up_as(as_if, text) {
                let why = why.replace(as_if, field);
                let expected = why.split_once(" must be ").map_or("", |(_, expected)| expected);
                let found = match is_written_as_date(text) && expected.contains("YYYY") {
                    true => {
                        Found::new(node.head(), format!("there is no day {text}"), "no such day")
                    }
                    false => Found::new(node.head(), &why[..], format!("expected {expected}")),
                };
                self.found.push(found);
            } else if field == "number" && !numbers.insert(text.to_owned()) {
                let what = format!("there are two loans with the number {text}");
                self.found.push(Found::new(node.head(), what, "never found"));
            }
        }
        self.words(loan.field("first_name"), "a first name");
    }

    fn write(&mut self, write: &Node) {
        self.range(write.field("takes_ms"), 0, MS_MAX, "ms");
        if let Some(name) = write.field("name")
            && let Some(function) = self.name::<Function>(name, "function")
            && !function.is_write()
        {
            let writes = Function::ALL.into_iter().filter(|function| function.is_write());
            let names: Vec<_> = writes.map(Function::name).collect();
            let what = format!("{} writes nothing", function.name());
            let found = Found::new(name.head(), what, "not a function that writes");
            self.found.push(found.help(near::advice("", &names)));
        }
        if let Some([why]) = write.field("answer").map(Node::items) {
            self.words(Some(why), "the reason of a refusal");
        }
    }
}

/// Whether a text has the form of a date, whatever its month and day.
fn is_written_as_date(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(form)
}

/// Whether the middleware could be asked for this value of this field.
fn looked_up_as(field: &str, value: &str) -> Result<(), String> {
    let mut lookup = serde_json::json!({
        "loan_number": "0000",
        "date_of_birth": "2000-01-01",
        "zip": "00000",
    });
    lookup[field] = value.into();
    loan_lookup(&lookup.to_string()).map(|_| ())
}
