//! What an agent brings into a session, and what outlives the session.

use std::collections::VecDeque;

use crate::faults::Fault;
use crate::seed::Seed;

/// The rest of an agent's script, the misdeeds to come, and how far it has come.
#[derive(Debug, Clone)]
pub struct Mind {
    pub(super) script: VecDeque<Reply>,
    pub(super) faults: Vec<Fault>,
    pub(super) seed: Seed,
    /// Names of requests that were given away.
    pub(super) calls: u64,
    pub(super) replies: u32,
    pub(super) spoken: u32,
    pub(super) heard: u32,
    pub(super) asked: u32,
    pub(super) injections: u32,
    /// What was said to it in the caller's place and by answers, masked.
    pub(super) told: Vec<String>,
}

impl Mind {
    /// An agent that will follow this script, and commit these misdeeds.
    pub fn new(script: Vec<Reply>, faults: Vec<Fault>, seed: Seed) -> Self {
        let script = script.into();
        Self {
            script,
            faults,
            seed,
            calls: 0,
            replies: 0,
            spoken: 0,
            heard: 0,
            asked: 0,
            injections: 0,
            told: Vec::new(),
        }
    }

    /// What it was told in the caller's place and by answers, masked as in the record.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    pub(super) fn does(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// The turn that follows these words: the first one that fits, which is used up by it.
    pub(super) fn reply_to(&mut self, words: &str) -> Option<Reply> {
        let words = words.to_lowercase();
        let fits = |reply: &Reply| words.contains(&reply.hears.to_lowercase());
        self.script.iter().position(fits).and_then(|place| self.script.remove(place))
    }
}

/// A turn of the agent's script.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The turn begins when the caller has said something with these words in it.
    pub hears: String,
    /// What the agent then does, in order.
    pub does: Vec<Doing>,
}

/// One thing that the agent does in its turn.
#[derive(Debug, Clone)]
pub enum Doing {
    /// Speaks.
    Says(String),
    /// Says a line that the client injected.
    Injected(String),
    /// Asks for functions, all in one request, and waits for the answers.
    Calls(Vec<Call>),
}

/// A function that the agent asks for.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
}
