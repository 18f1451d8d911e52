//! The agent's session: who it is told to be, what it asks for, and what it is answered.

use call_core::effect::Answer;
use call_core::input::{Agent, Input};
use call_core::{CallTime, Language};

use super::conversation::{Asker, OPEN_MAX};
use super::{AgentLeg, Bridge, Outlet};
use crate::deepgram::{AgentProfile, ClientMessage, FunctionCall, Role, Settings};
use crate::functions;

impl Bridge {
    pub(super) fn agent_ready(&mut self, at: CallTime, out: &mut impl Outlet) {
        if self.agent != AgentLeg::Opening {
            return;
        }
        self.agent = AgentLeg::Ready;
        self.last_to_agent = at;
        self.voice.sounds_matter_no_more();
        self.voice.agent_ready(out);
        out.input(Input::Agent(Agent::Ready));
        for content in self.conversation.untold() {
            self.tell_agent(at, ClientMessage::InjectUserMessage { content }, out);
        }
    }

    /// Tells a new session who it is, and, if it takes over from a lost one, what was said so far.
    pub(super) fn introduce(&mut self, at: CallTime, out: &mut impl Outlet) {
        let profile = self.profiles.get(&self.language).or_else(|| self.profiles.values().next());
        let Some(profile) = profile.filter(|_| !self.introduced).cloned() else { return };
        self.introduced = true;
        let context = self.conversation.so_far();
        let settings = Settings::telephone(AgentProfile { context, ..profile });
        self.tell_agent(at, ClientMessage::Settings(Box::new(settings)), out);
    }

    pub(super) fn forget_agent(&mut self) {
        self.agent = AgentLeg::Gone;
        self.voice.agent_gone();
    }

    pub(super) fn tell_agent(
        &mut self,
        at: CallTime,
        message: ClientMessage,
        out: &mut impl Outlet,
    ) {
        if self.agent != AgentLeg::Gone {
            self.last_to_agent = at;
            out.to_agent(message);
        }
    }

    /// The agent goes on in another language: its prompt and its voice.
    pub(super) fn change_language(
        &mut self,
        at: CallTime,
        language: Language,
        out: &mut impl Outlet,
    ) {
        self.language = language;
        let Some(profile) = self.profiles.get(&language).cloned() else { return };
        let agent = Settings::telephone(profile).agent;
        if self.agent != AgentLeg::Ready {
            return;
        }
        if let Some(think) = agent.think {
            self.tell_agent(at, ClientMessage::UpdateThink { think }, out);
        }
        if let Some(speak) = agent.speak {
            self.tell_agent(at, ClientMessage::UpdateSpeak { speak }, out);
        }
    }

    pub(super) fn give_keys(&mut self, at: CallTime, digits: u32, out: &mut impl Outlet) {
        self.voice.keys_over();
        if let Some(token) = self.keypad.complete(digits) {
            let content = format!(
                "(I keyed in {digits} digits. You may use them in a function's arguments by the \
                 name {token}.)"
            );
            // Another session must know the name, too.
            self.conversation.said(Role::User, &content);
            self.inject(at, content, out);
        }
    }

    /// Says something to the agent in the caller's place, and knows its echo.
    pub(super) fn inject(&mut self, at: CallTime, content: String, out: &mut impl Outlet) {
        let content = self.conversation.injected(content);
        if self.agent == AgentLeg::Ready {
            self.tell_agent(at, ClientMessage::InjectUserMessage { content }, out);
        } else {
            self.conversation.tell_later(content);
        }
    }

    pub(super) fn functions_asked(&mut self, calls: Vec<FunctionCall>, out: &mut impl Outlet) {
        let ours = calls.into_iter().filter(|call| call.client_side);
        let asks: Vec<_> = ours
            .map(|mut call| {
                if functions::is_too_long(&call.arguments) {
                    // It is refused, and nothing of it is kept but how it was asked for.
                    let ask = functions::ask(&call, &self.fingerprint_key);
                    (call.name, call.arguments) = (ask.name.clone(), "{}".into());
                    self.conversation.asked(&call);
                    return ask;
                }
                let written = call.arguments.clone();
                call.arguments = self.keypad.fill_in(call.arguments);
                let mut ask = functions::ask(&call, &self.fingerprint_key);
                if written != call.arguments && ask.tones.is_none() {
                    // A keyed number of three digits could not be masked: its name is on record.
                    ask.arguments = functions::shown(&written);
                }
                // A name that a model made up may be of any length.
                call.name.clone_from(&ask.name);
                self.conversation.asked(&call);
                if self.arguments.len() < OPEN_MAX {
                    self.arguments.entry(call.id).or_insert(call.arguments);
                }
                ask
            })
            .collect();
        if !asks.is_empty() {
            out.input(Input::Agent(Agent::Asked(asks)));
        }
    }

    pub(super) fn answer(
        &mut self,
        at: CallTime,
        id: &str,
        name: &str,
        answer: &Answer,
        out: &mut impl Outlet,
    ) {
        let kept = match answer {
            Answer::Result { of } => self.results.get(of).cloned(),
            Answer::Done
            | Answer::Refused(_)
            | Answer::NotDone
            | Answer::TimedOut
            | Answer::Unknown => None,
        };
        let content = kept.unwrap_or_else(|| functions::answer_content(answer).into());
        self.arguments.remove(id);
        match self.conversation.answered(id, content.reveal(), self.introduced) {
            Asker::Present => {
                let (id, name) = (id.to_owned(), name.to_owned());
                let response = ClientMessage::FunctionCallResponse { id, name, content };
                self.tell_agent(at, response, out);
            }
            // It will read it in the conversation so far.
            Asker::Next => {}
            Asker::Gone => {
                let content = format!("(The result of {name} is there: {})", content.reveal());
                self.inject(at, content, out);
            }
        }
    }
}
