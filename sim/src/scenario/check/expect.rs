//! What is expected: names that there are, and nothing that cannot come true.
//!
//! Words that nobody says are not told here. They are a matter of the call: the expectation fails,
//! and the verdict says what came instead.

use std::collections::BTreeSet;

use call_core::effect::Function;
use call_core::redact::mask_text;
use call_core::step::Refusal;
use call_core::{EndReason, LineId, Phase};
use locales::Locale;

use super::Check;
use crate::scenario::read::integer;
use crate::scenario::tree::{Body, Found, Node};
use crate::scenario::{Request, near};

/// Where an answered call may stand by its status callbacks.
const STATUSES: [&str; 4] = ["initiated", "ringing", "in-progress", "completed"];

/// Words for a request that our own gate refuses; none of them is an outcome.
const REFUSALS: [&str; 8] = [
    "refused",
    "not-verified",
    "not-offered",
    "unknown-function",
    "bad-arguments",
    "too-many-tries",
    "too-many-at-once",
    "the-caller-is-not-verified",
];

/// Why our own gate refuses a function.
const REASONS: [Refusal; 9] = [
    Refusal::Unknown,
    Refusal::NotOffered,
    Refusal::BadArguments,
    Refusal::TooManyTries,
    Refusal::TooManyOpen,
    Refusal::Ending,
    Refusal::NoSuchTarget,
    Refusal::NotVerified,
    Refusal::TooOften,
];

impl Check<'_> {
    pub(super) fn expectations(&mut self, tree: &Node) {
        let expected = tree.field("expect").map_or(&[][..], Node::items);
        for one in expected {
            let name = one.name.as_ref().map(|name| name.text.as_str());
            match (name, one.items()) {
                (Some("Heard" | "Cut" | "NeverHeard"), [words]) => self.audible(words, tree),
                (Some("Times"), [words, count]) => {
                    self.audible(words, tree);
                    self.range(Some(count), 0, 1_000_000, "");
                }
                (Some("Before"), [one, other]) => {
                    self.audible(one, tree);
                    self.audible(other, tree);
                }
                (Some("Refused"), [function, why]) => {
                    self.name::<Function>(function, "function");
                    self.one_of(why, "reason of a refusal", &REASONS.map(|why| why.word()));
                }
                (Some("AgentTold"), [words]) => {
                    self.words(Some(words), "what the agent was told");
                    self.unmasked(words, &[], "the agent is told");
                }
                (Some("Asked"), [what, count]) => {
                    let names = Request::ALL.map(Request::name);
                    self.one_of(what, "request to the carrier", &names);
                    self.range(Some(count), 0, 1_000_000, "");
                }
                (Some("CallerSaid"), [words]) => {
                    self.words(Some(words), "what the caller said");
                    self.unmasked(words, &caller_says(tree), "the caller says");
                }
                (Some("Status"), [word]) => self.call_status(word),
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

    /// Our line of an id, or words that somebody says to the caller.
    fn audible(&mut self, words: &Node, tree: &Node) {
        self.words(Some(words), "what is heard");
        self.line(words, tree);
        self.unmasked(words, &agent_says(tree), "the agent says");
    }

    /// A text that is one of these.
    fn one_of(&mut self, node: &Node, what: &str, names: &[&str]) {
        let Some(word) = self.text(node) else { return };
        if !names.contains(&word) {
            let label = format!("no such {}", what.split(' ').next().unwrap_or_default());
            let found = Found::new(node.head(), format!("there is no {what} `{word}`"), label);
            self.found.push(found.help(near::advice(word, names)));
            self.wrong.insert(node.id());
        }
    }

    /// A word that looks like the id of a line of ours, and is none.
    fn line(&mut self, node: &Node, tree: &Node) {
        let Some(word) = self.text(node) else { return };
        let plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
        let ids = LineId::ALL.map(LineId::key);
        let is_id = word.is_empty() || !word.chars().all(plain) || ids.contains(&word);
        if is_id || said(tree, word) || self.is_ours(word) {
            return;
        }
        if near::nearest(word, &ids).is_some() {
            let what = format!("there is no line `{word}`, and nobody says the word");
            let found = Found::new(node.head(), what, "no such line");
            self.found.push(found.help(near::advice(word, &ids)));
        }
    }

    /// Whether a word stands in a line of ours, or of the company's own.
    fn is_ours(&self, word: &str) -> bool {
        let name = self.company.map_or("us", |company| company.name.as_str());
        let holds = |locale: Locale, id: &'static str| {
            let needed = locales::arguments(locale, id).unwrap_or_default();
            let arguments: Vec<_> = needed.iter().map(|needed| (needed.as_str(), name)).collect();
            locales::render(locale, id, &arguments).is_ok_and(|line| line.text.contains(word))
        };
        let own = self.company.into_iter().flat_map(|company| company.lines.values());
        let mut own = own.flat_map(|lines| lines.values());
        Locale::ALL.into_iter().any(|locale| locales::ids().any(|id| holds(locale, id)))
            || own.any(|words| words.contains(word))
    }

    /// Words that the record masks: nothing is ever found that has them in it.
    fn unmasked(&mut self, node: &Node, said: &[&str], who: &str) {
        let Some(words) = self.text(node) else { return };
        let masked = mask_text(words);
        // "1234" is masked for itself, and kept in "$1234".
        if masked == words || said.iter().any(|said| mask_text(said).contains(words)) {
            return;
        }
        let whole = said.iter().find(|said| said.contains(words)).map(|said| mask_text(said));
        let help = match whole {
            Some(whole) if !whole.contains(&masked) => {
                format!("what {who} there is masked as a whole: write \"{whole}\"")
            }
            _ => format!("write \"{masked}\""),
        };
        let what = "these words are masked in the record, and are never found there";
        self.found.push(Found::new(node.head(), what, "masked in the record").help(help));
    }

    fn call_status(&mut self, node: &Node) {
        let Some(word) = self.text(node) else { return };
        if !STATUSES.contains(&word) {
            let what = format!("a call that was answered never stands as `{word}`");
            let found = Found::new(node.head(), what, "no such status");
            self.found.push(found.help(near::advice(word, &STATUSES)));
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
        let outcomes = outcomes(function, tree);
        let outcomes: Vec<_> = outcomes.iter().map(String::as_str).collect();
        if !outcomes.contains(&word) {
            let what = format!("{} never ends as `{word}`", function.name());
            let found = Found::new(outcome.head(), what, "no such outcome");
            let refusal = word.trim().to_lowercase().replace(['_', ' '], "-");
            let near = near::nearest(word, &outcomes).is_some();
            let help = if REFUSALS.contains(&refusal.as_str()) && !near {
                let what = match function.is_write() {
                    true => {
                        "a payment that our gate refuses has no outcome: the back office is \
                             not asked, which `Written(0)` proves."
                    }
                    false => "a request that our gate refuses has no outcome.",
                };
                let list = near::advice("", &outcomes);
                format!("{what} It ends as {}", list.trim_start_matches("known here: "))
            } else {
                near::advice(word, &outcomes)
            };
            self.found.push(found.help(help));
        }
    }

    /// Expectations of which one at most can come true.
    fn contradictions(&mut self, expected: &[Node]) {
        let (mut ended, mut written) = (None, None);
        let (mut heard, mut never) = (BTreeSet::new(), BTreeSet::new());
        for one in expected {
            let [value] = one.items() else { continue };
            if self.sound(value).is_none() || self.wrong.contains(&value.id()) {
                continue;
            }
            let name = one.name.as_ref().map(|name| name.text.as_str());
            let what = match (name, &value.body) {
                (Some("Ended"), Body::Text(reason)) => {
                    let before = ended.replace(reason);
                    before.filter(|before| *before != reason).map(|_| "a call ends only once")
                }
                (Some("Written"), Body::Number(count)) => {
                    let count = integer(count);
                    let before = written.replace(count);
                    let other = before.filter(|before| *before != count);
                    other.map(|_| "there is only one number of writes")
                }
                (Some("Heard" | "Cut"), Body::Text(words)) => {
                    heard.insert(words);
                    never.contains(words).then_some(HEARD_AND_NOT)
                }
                (Some("NeverHeard"), Body::Text(words)) => {
                    never.insert(words);
                    heard.contains(words).then_some(HEARD_AND_NOT)
                }
                _ => None,
            };
            if let Some(what) = what {
                let line = "cannot hold together with one above";
                self.found.push(Found::new(one.span.clone(), what, line));
            }
        }
    }
}

const HEARD_AND_NOT: &str = "the same words are heard and never heard";

/// How a function may end in this scenario.
fn outcomes(function: Function, tree: &Node) -> Vec<String> {
    let always: &[&str] = match function {
        Function::LookupLoan => {
            &["done", "not-verified", "unavailable", "timed-out", "withdrawn", "unknown"]
        }
        Function::HangupCall | Function::TransferCall => &["done"],
        Function::PlayDtmf => &["done", "not-done", "withdrawn", "unknown"],
        Function::MakePayment => &["done", "unknown", "done (late)"],
    };
    let mut outcomes: Vec<String> = always.iter().map(|word| (*word).to_owned()).collect();
    if !function.is_write() {
        return outcomes;
    }
    let writes = tree.field("back_office").and_then(|office| office.field("writes"));
    for write in writes.map_or(&[][..], Node::items) {
        if let Some(Body::Text(why)) =
            write.field("answer").and_then(|answer| answer.items().first()).map(|why| &why.body)
        {
            outcomes.push(why.clone());
            outcomes.push(format!("{why} (late)"));
        }
    }
    outcomes
}

/// Whether the agent says a word.
fn said(tree: &Node, word: &str) -> bool {
    agent_says(tree).iter().any(|text| text.contains(word))
}

/// What stands in the agent's replies.
fn agent_says(tree: &Node) -> Vec<&str> {
    let replies = tree.field("agent").map_or(&[][..], Node::items);
    let doings = replies.iter().flat_map(|reply| reply.field("does").map_or(&[][..], Node::items));
    doings.flat_map(Node::items).filter_map(text).collect()
}

/// What the caller says, turn by turn.
fn caller_says(tree: &Node) -> Vec<&str> {
    let turns = tree.field("caller").and_then(|caller| caller.field("turns"));
    let turns = turns.map_or(&[][..], Node::items);
    turns.iter().filter_map(|turn| turn.field("words").and_then(text)).collect()
}

fn text(node: &Node) -> Option<&str> {
    match &node.body {
        Body::Text(text) => Some(text),
        _ => None,
    }
}
