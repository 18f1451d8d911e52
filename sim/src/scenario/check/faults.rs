//! Misdeeds of the cast. What their fields may be follows from the fields' names, which mean the
//! same in every misdeed.

use super::{Check, MS_MAX, plain};
use crate::scenario::tree::{Body, Found, Node};

impl Check<'_> {
    pub(super) fn fault(&mut self, fault: &Node) {
        let Body::Fields(fields) = &fault.body else { return };
        let no_answer = fault.name.as_ref().is_some_and(|name| name.text == "AgentRefuses");
        for field in fields {
            let value = plain(&field.value);
            match field.name.text.as_str() {
                "status" => self.status(value, no_answer),
                "code" => self.words(Some(value), "an error code"),
                "ms" => self.range(Some(value), 0, MS_MAX, "ms"),
                name if name.ends_with("_ms") => self.range(Some(value), 0, MS_MAX, "ms"),
                name if COUNTED.contains(&name) => {
                    self.range(Some(value), 1, u32::MAX.into(), "");
                }
                "when" => {
                    if let [which] = value.items() {
                        self.range(Some(which), 1, u32::MAX.into(), "");
                    }
                }
                _ => {}
            }
        }
    }

    /// An HTTP status that refuses something.
    fn status(&mut self, node: &Node, no_answer: bool) {
        let Some(status) = self.number(node) else { return };
        if (400..=599).contains(&status) || (no_answer && status == 0) {
            return;
        }
        let what = format!("{status} is not an HTTP status that refuses anything");
        let or_none = if no_answer { ", or 0 for no answer" } else { "" };
        let label = format!("expected 400 to 599{or_none}");
        self.found.push(Found::new(node.head(), what, label));
    }
}

/// What is counted from 1.
pub(in crate::scenario) const COUNTED: [&str; 7] =
    ["session", "reply", "from", "count", "times", "frames", "line"];
