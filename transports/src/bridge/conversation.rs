//! What was said so far, for a session that takes over from a lost one.
//!
//! It is kept as it was said, unmasked, because the model needs it; it lives and dies with the
//! call and is never written anywhere.

use std::collections::{BTreeSet, VecDeque};

use crate::deepgram::{CompletedCall, FunctionCall, HistoryEntry, Role, Spoken};

/// The most entries that a new session is told.
const ENTRIES_MAX: usize = 200;

/// The most bytes that are taken of one turn's words, and of a sentence of the agent's. Nobody speaks
/// so long; a provider may still send it.
const ENTRY_BYTES_MAX: usize = 8 * 1_024;

/// The most requests that may wait for their answers. It is more than the machine lets in.
pub(super) const OPEN_MAX: usize = 256;

/// A model's signature under a request that is longer than this is not kept.
const SIGNATURE_BYTES_MAX: usize = 64 * 1_024;

/// What is taken of the words that a provider sends: no more than an entry may be long.
pub(super) fn bounded(words: &Spoken) -> &str {
    let words = words.reveal();
    &words[..words.floor_char_boundary(ENTRY_BYTES_MAX)]
}

/// Who waits for the answer to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The session that is there.
    Present,
    /// None yet: the next one will be told with everything else.
    Next,
    /// Nobody that is there: the session that asked was lost, or took the request back. The one that is
    /// there must learn it in another way.
    Gone,
}

/// The conversation of one call.
#[derive(Default)]
pub(super) struct Conversation {
    entries: VecDeque<HistoryEntry>,
    /// Requests that are not answered, and whether the session that is there waits for it.
    open: Vec<(FunctionCall, bool)>,
    /// What we said in the caller's place; it comes back as if the caller had said it.
    echoes: BTreeSet<String>,
    /// What the present session was told and has not told back.
    told: VecDeque<HistoryEntry>,
    untold: Vec<Spoken>,
}

impl Conversation {
    pub(super) fn said(&mut self, role: Role, words: &str) {
        self.add(HistoryEntry::Said { role, content: Spoken::from(words) });
    }

    pub(super) fn asked(&mut self, call: &FunctionCall) {
        if let Some((_, ours)) = self.open.iter_mut().find(|(open, _)| open.id == call.id) {
            // Whoever asks again wants the answer.
            *ours = true;
            return;
        }
        if self.open.len() == OPEN_MAX {
            return;
        }
        let mut call = call.clone();
        call.thought_signature.take_if(|signature| signature.len() > SIGNATURE_BYTES_MAX);
        self.open.push((call, true));
    }

    /// The session takes requests back: their answers would be foreign to it (F-DG-22).
    pub(super) fn taken_back(&mut self, ids: &[String]) {
        for (_, ours) in self.open.iter_mut().filter(|(call, _)| ids.contains(&call.id)) {
            *ours = false;
        }
    }

    /// A function is answered. `introduced` says whether the present session, if there is one, was
    /// told the conversation so far.
    pub(super) fn answered(&mut self, id: &str, content: &str, introduced: bool) -> Asker {
        let place = self.open.iter().position(|(call, _)| call.id == id);
        let Some(place) = place else { return Asker::Present };
        let (call, ours) = self.open.remove(place);
        self.add(HistoryEntry::Calls(vec![CompletedCall {
            id: call.id,
            name: call.name,
            client_side: true,
            arguments: call.arguments,
            response: Spoken::from(content),
            thought_signature: call.thought_signature,
        }]));
        match (ours, introduced) {
            (true, true) => Asker::Present,
            (_, false) => Asker::Next,
            (false, true) => Asker::Gone,
        }
    }

    /// What a new session is told. Whatever was asked before was asked by another.
    pub(super) fn so_far(&mut self) -> Vec<HistoryEntry> {
        for (_, ours) in &mut self.open {
            *ours = false;
        }
        let said = |entry: &&HistoryEntry| matches!(entry, HistoryEntry::Said { .. });
        self.told = self.entries.iter().filter(said).cloned().collect();
        self.entries.iter().cloned().collect()
    }

    /// Whether these words are what a new session was told, told back in the same order (F-DG-30).
    /// The first that are not end it: from then on they are news, however often they were said.
    pub(super) fn is_told_back(&mut self, role: &Role, words: &Spoken) -> bool {
        let told = self.told.pop_front().is_some_and(|told| match told {
            HistoryEntry::Said { role: of, content } => of == *role && content == *words,
            HistoryEntry::Calls(_) => false,
        });
        if !told {
            self.told.clear();
        }
        told
    }

    /// Somebody speaks: whatever is told from now on is news.
    pub(super) fn goes_on(&mut self) {
        self.told.clear();
    }

    pub(super) fn injected(&mut self, words: String) -> Spoken {
        self.echoes.insert(words.clone());
        Spoken::from(words)
    }

    pub(super) fn tell_later(&mut self, words: Spoken) {
        self.untold.push(words);
    }

    pub(super) fn untold(&mut self) -> Vec<Spoken> {
        std::mem::take(&mut self.untold)
    }

    /// Whether the caller's words are our own, come back.
    pub(super) fn is_echo(&mut self, words: &str) -> bool {
        self.echoes.remove(words)
    }

    fn add(&mut self, entry: HistoryEntry) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}
