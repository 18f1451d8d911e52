//! Lines of ours that the agent is asked to say in its session.
//!
//! The service names no injection: what it takes up comes back as the agent's own words, followed
//! by their audio, and what it refuses it refuses without saying which. So the words are kept, and
//! known again when they come.

use std::collections::VecDeque;

use call_core::input::{Agent, AgentLoss, Input, Line};
use call_core::redact::mask_text;
use call_core::{CallTime, Millis, UtteranceId};

use super::{AgentLeg, Bridge, Outlet, Sentence};
use crate::deepgram::{ClientMessage, Injection, Role, Spoken};

/// The words of a line of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub text: String,
    /// Their version.
    pub version: u32,
}

/// A line that was withdrawn may still be said for this long; after that, the same words are the
/// agent's own.
const LATE: Millis = Millis::from_secs(5);

/// Injections that are kept at most; a call has one or two at a time.
const KEPT_MAX: usize = 8;

/// One line that the agent was asked to say.
struct Asked {
    utterance: UtteranceId,
    words: Words,
    /// What of it has not come back yet, with single spaces.
    rest: String,
    begun: bool,
    withdrawn: Option<CallTime>,
}

/// Every line that the present session was asked to say.
#[derive(Default)]
pub(super) struct Injections(VecDeque<Asked>);

/// Words of the agent's that are a line of ours.
struct Known {
    utterance: UtteranceId,
    wanted: bool,
    /// The whole line, where these are its first words.
    begins: Option<Words>,
}

impl Injections {
    fn asked(&mut self, utterance: UtteranceId, words: Words) {
        if self.0.len() == KEPT_MAX {
            self.0.pop_front();
        }
        let rest = single_spaced(&words.text);
        self.0.push_back(Asked { utterance, words, rest, begun: false, withdrawn: None });
    }

    /// The line that these words belong to: a whole one, or its next sentence.
    fn recognise(&mut self, at: CallTime, words: &str) -> Option<Known> {
        self.0.retain(|asked| asked.withdrawn.is_none_or(|since| at.since(since) <= LATE));
        let words = single_spaced(words);
        let next = |asked: &Asked| {
            let rest = asked.rest.strip_prefix(&words)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start().to_owned())
        };
        let place = self.0.iter().position(|asked| !words.is_empty() && next(asked).is_some())?;
        let asked = self.0.get_mut(place)?;
        asked.rest = next(asked)?;
        let begins = (!asked.begun).then(|| asked.words.clone());
        asked.begun = true;
        let known = Known { utterance: asked.utterance, wanted: asked.withdrawn.is_none(), begins };
        if asked.rest.is_empty() {
            self.0.remove(place);
        }
        Some(known)
    }

    /// The oldest line that is waited for is refused.
    fn refused(&mut self) -> Option<UtteranceId> {
        let place = self.0.iter().position(|asked| !asked.begun && asked.withdrawn.is_none())?;
        self.0.remove(place).map(|asked| asked.utterance)
    }

    fn withdraw(&mut self, at: CallTime, utterance: UtteranceId) {
        for asked in self.0.iter_mut().filter(|asked| asked.utterance == utterance) {
            asked.withdrawn.get_or_insert(at);
        }
    }

    /// The line gets no more words.
    pub(super) fn over(&mut self, utterance: UtteranceId) {
        self.0.retain(|asked| asked.utterance != utterance);
    }
}

impl Bridge {
    /// Asks the agent to say a line of ours, which could be worded or not. With `interrupt` it is
    /// said instead of what the agent is saying, otherwise behind it.
    pub fn inject_line(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        words: Option<Words>,
        interrupt: bool,
        out: &mut impl Outlet,
    ) {
        let Some(words) = words.filter(|_| self.agent == AgentLeg::Ready) else {
            return out.input(Input::Line(Line::Failed { utterance }));
        };
        let message = Spoken::from(words.text.clone());
        let behavior = if interrupt { Injection::Interrupt } else { Injection::Queue };
        self.injections.asked(utterance, words);
        self.tell_agent(at, ClientMessage::InjectAgentMessage { message, behavior }, out);
    }

    /// Whether the agent's words are a line of ours. Its audio then counts as that line's.
    pub(super) fn injected_words(
        &mut self,
        at: CallTime,
        words: &str,
        out: &mut impl Outlet,
    ) -> bool {
        let Some(Known { utterance, wanted, begins }) = self.injections.recognise(at, words) else {
            return false;
        };
        if self.sentence.as_ref().is_none_or(|sentence| sentence.utterance != utterance) {
            self.end_sentence(at, out);
            self.sentence = Some(Sentence { utterance, has_words: true, wanted });
        }
        self.conversation.said(Role::Assistant, words);
        if let (Some(Words { text, version }), true) = (begins, wanted) {
            let text = mask_text(&text);
            out.input(Input::Line(Line::Spoken { utterance, text, version }));
        }
        true
    }

    pub(super) fn injection_refused(&mut self, out: &mut impl Outlet) {
        if let Some(utterance) = self.injections.refused() {
            out.input(Input::Line(Line::Refused { utterance }));
        }
    }

    pub(super) fn withdraw(&mut self, at: CallTime, utterance: UtteranceId) {
        self.clips.remove(&utterance);
        self.injections.withdraw(at, utterance);
        if let Some(sentence) = &mut self.sentence {
            sentence.wanted &= sentence.utterance != utterance;
        }
    }

    /// The session is gone, and with it whatever it was to say for us.
    pub(super) fn session_lost(&mut self, loss: AgentLoss, out: &mut impl Outlet) {
        while let Some(utterance) = self.injections.refused() {
            out.input(Input::Line(Line::Failed { utterance }));
        }
        self.injections = Injections::default();
        out.input(Input::Agent(Agent::Lost(loss)));
    }
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
