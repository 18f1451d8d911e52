//! What a call amounts to, worked out from its journal: for records, and for those who look for a call.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::line::UtteranceId;
use crate::redact::plain_letter;
use crate::step::{Fact, Step};
use crate::time::Millis;

/// All that was said in a call, a line for each turn: what the caller said, and what the caller heard
/// or perhaps heard, if only in part. What nobody heard is not in it. Masked, as journals are, and
/// [folded](fold) for whoever looks for words.
pub fn said(steps: &[Step]) -> String {
    let mut words: BTreeMap<UtteranceId, &str> = BTreeMap::new();
    let mut said = String::new();
    for fact in steps.iter().flat_map(|step| &step.facts) {
        let text = match fact {
            Fact::LineRendered { utterance, text, .. }
            | Fact::AgentLine { utterance, text, .. } => {
                words.insert(*utterance, text);
                None
            }
            Fact::CallerLine { text, .. } => Some(&**text),
            Fact::Cut { heard: Millis(0), .. } => None,
            Fact::Heard { utterance, .. }
            | Fact::Cut { utterance, .. }
            | Fact::HeardUnknown { utterance } => words.remove(utterance),
            _ => None,
        };
        if let Some(text) = text {
            said.push_str(&fold(text));
            said.push('\n');
        }
    }
    said
}

/// A text in small letters without accents, so that `prestamo` finds `Préstamo`.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(plain_letter).collect()
}
