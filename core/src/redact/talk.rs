//! What two people say in turn: numbers that go on over several turns.

use alloc::string::String;

use super::mask;
use super::pieces::Pieces;
use super::runs::Before;

/// Masks a conversation turn by turn, with what spans its turns.
///
/// A speaker who ends a turn in digits and begins the next one with digits dictates one number, whatever
/// the other one says in between. A turn that says anything else ends it; hours at the end of a turn
/// ("from eight to six") begin no number, and a house in a street goes on with none. Where the agent speaks of a
/// date of birth, a day and a month in the caller's next turn are one, even without their year.
///
/// ```
/// use call_core::redact::Talk;
///
/// let mut talk = Talk::default();
/// assert_eq!(talk.caller("It's one two three."), "It's one two three.");
/// assert_eq!(talk.agent("Uh-huh."), "Uh-huh.");
/// assert_eq!(talk.caller("Then four five six."), "Then [3 digits].");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Talk {
    caller: usize,
    agent: usize,
    birth: bool,
}

impl Talk {
    /// Masks a turn of the caller's.
    pub fn caller(&mut self, text: &str) -> String {
        let birth = core::mem::take(&mut self.birth);
        let (masked, open) = mask(text, Before { digits: self.caller, birth });
        self.caller = open;
        masked
    }

    /// Masks a sentence of the agent's.
    pub fn agent(&mut self, text: &str) -> String {
        self.birth |= Pieces::of(text).speaks_of_birth();
        let (masked, open) = mask(text, Before { digits: self.agent, birth: false });
        self.agent = open;
        masked
    }
}
