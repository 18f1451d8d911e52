//! What is expected: names that there are, and nothing that cannot come true.
//!
//! Words that nobody says are not told here. They are a matter of the call: the expectation fails,
//! and the verdict says what came instead.

use call_core::effect::Function;
use call_core::{EndReason, LineId, Phase};

use super::Check;
use crate::scenario::near;
use crate::scenario::tree::{Body, Found, Node};

impl Check<'_> {
    pub(super) fn expectations(&mut self, tree: &Node) {
        let expected = tree.field("expect").map_or(&[][..], Node::items);
        for one in expected {
            let name = one.name.as_ref().map(|name| name.text.as_str());
            match (name, one.items()) {
                (Some("Heard" | "Cut" | "NeverHeard"), [words]) => {
                    self.words(Some(words), "what is heard");
                    self.line(words, tree);
                }
                (Some("CallerSaid"), [words]) => {
                    self.words(Some(words), "what the caller said");
                }
                (Some("Ended"), [word]) => {
                    self.name::<EndReason>(word, "end reason");
                }
                (Some("Phase"), [word]) => {
                    self.name::<Phase>(word, "phase");
                }
                (Some("Function"), [function, outcome]) => self.function(function, outcome, tree),
                (Some("Written"), [count]) => self.range(Some(count), 0, 1_000_000, ""),
                _ => {}
            }
        }
        self.contradictions(expected);
    }

    /// A word that looks like the id of a line of ours, and is none.
    fn line(&mut self, node: &Node, tree: &Node) {
        let Some(word) = self.text(node) else { return };
        let plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
        let ids = LineId::ALL.map(LineId::key);
        if word.is_empty() || !word.chars().all(plain) || ids.contains(&word) || said(tree, word) {
            return;
        }
        if near::nearest(word, &ids).is_some() {
            let what = format!("there is no line `{word}`, and nobody says the word");
            let found = Found::new(node.head(), what, "no such line");
            self.found.push(found.help(near::advice(word, &ids)));
        }
    }

    fn function(&mut self, name: &Node, outcome: &Node, tree: &Node) {
        let function = self.name::<Function>(name, "function");
        let Some(word) = self.text(outcome) else { return };
        let Some(function) = function else { return };
        if let Some(company) = self.company
            && !company.functions.contains(function.name())
        {
            let what = format!("{} does not offer {}", company.name, function.name());
            let offered: Vec<_> = company.functions.iter().map(String::as_str).collect();
            let help = format!("its file offers: {}", offered.join(", "));
            self.found.push(Found::new(name.head(), what, "never done there").help(help));
            return;
        }
        let Some(outcomes) = outcomes(function, tree) else {
            return self.words(Some(outcome), "an outcome");
        };
        let outcomes: Vec<_> = outcomes.iter().map(String::as_str).collect();
        if !outcomes.contains(&word) {
            let what = format!("{} never ends as `{word}`", function.name());
            let found = Found::new(outcome.head(), what, "no such outcome");
            self.found.push(found.help(near::advice(word, &outcomes)));
        }
    }

    /// Expectations of which one at most can come true.
    fn contradictions(&mut self, expected: &[Node]) {
        let name = |node: &Node| node.name.as_ref().map(|name| name.text.clone());
        for (number, one) in expected.iter().enumerate() {
            for before in &expected[..number] {
                let ([a], [b]) = (before.items(), one.items()) else { continue };
                if [a, b].iter().any(|n| self.sound(n).is_none() || self.wrong.contains(&n.id())) {
                    continue;
                }
                let (a, b) = (value(a), value(b));
                let what = match (name(before).as_deref(), name(one).as_deref()) {
                    (Some("Ended"), Some("Ended")) if a != b => "a call ends only once",
                    (Some("Written"), Some("Written")) if a != b => {
                        "there is only one number of writes"
                    }
                    (Some("Heard" | "Cut"), Some("NeverHeard"))
                    | (Some("NeverHeard"), Some("Heard" | "Cut"))
                        if a == b =>
                    {
                        "the same words are heard and never heard"
                    }
                    _ => continue,
                };
                let line = "cannot hold together with one above";
                self.found.push(Found::new(one.span.clone(), what, line));
                break;
            }
        }
    }
}

fn value(node: &Node) -> Option<&str> {
    match &node.body {
        Body::Text(text) | Body::Number(text) => Some(text),
        _ => None,
    }
}

/// How a function may end in this scenario; nothing where that is not known beforehand.
fn outcomes(function: Function, tree: &Node) -> Option<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if function == Function::LookupLoan {
        let all = ["done", "not-verified", "unavailable", "timed-out", "withdrawn", "unknown"];
        return Some(words(&all));
    }
    if function == Function::HangupCall || function == Function::TransferCall {
        return Some(words(&["done"]));
    }
    if !function.is_write() {
        return None;
    }
    let mut outcomes: Vec<String> = words(&["done", "unknown", "done (late)"]);
    let writes = tree.field("back_office").and_then(|office| office.field("writes"));
    for write in writes.map_or(&[][..], Node::items) {
        if let Some(Body::Text(why)) =
            write.field("answer").and_then(|answer| answer.items().first()).map(|why| &why.body)
        {
            outcomes.push(why.clone());
            outcomes.push(format!("{why} (late)"));
        }
    }
    Some(outcomes)
}

/// Whether the agent says a word.
fn said(tree: &Node, word: &str) -> bool {
    let replies = tree.field("agent").map_or(&[][..], Node::items);
    let doings = replies.iter().flat_map(|reply| reply.field("does").map_or(&[][..], Node::items));
    doings.flat_map(Node::items).any(|text| matches!(&text.body, Body::Text(t) if t.contains(word)))
}
