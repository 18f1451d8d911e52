//! The agent: Deepgram's side of a call. Hears the caller's audio, follows the scenario's script,
//! asks for functions, speaks in bursts faster than real time, and refuses what the real service
//! refuses.
//!
//! Behaviour as documented for the Voice Agent API, times as seen by others: see
//! `docs/deepgram.md`.

mod mind;
mod turn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use call_core::redact::mask_text;
use call_core::{CallTime, Language, Millis};
use call_transports::deepgram::{
    CancelledCall, ClientMessage, FunctionCall, HistoryEntry, OneOrList, Refusal, ServerMessage,
    Settings, Think,
};

use super::hearing::{Hearing, Noticed};
use super::schedule::Schedule;
use crate::faults::{Fault, When};

pub use mind::{Call, Doing, Mind, Reply};

/// From the request to connect to the open socket.
pub const CONNECT_MS: u64 = 62;
/// From the open socket to `Welcome`.
const WELCOME_MS: u64 = 5;
/// From `Settings` to `SettingsApplied`.
const APPLIED_MS: u64 = 160;
/// From the beginning of speech to `UserStartedSpeaking`.
const STARTED_MS: u64 = 100;
/// From the end of speech to the caller's words.
const WORDS_MS: u64 = 350;
/// From the caller's words to a function request.
const TOOL_MS: u64 = 600;
/// From the caller's words to the first audio of a reply.
const REPLY_MS: u64 = 950;
/// From a function's answer to the first audio of what follows.
const AFTER_TOOL_MS: u64 = 650;
/// From an injected line to its words and its first audio.
const INJECTED_MS: u64 = 300;
/// A caller who made a sound and says no word counts as speaking for so long.
const CALLER_MS: u64 = 2_000;
/// From a function's answer to its echo.
const ECHO_MS: u64 = 38;
/// Acknowledgements.
const ACK_MS: u64 = 300;
/// What belongs to a reply that was cut comes so long behind the voice that cut it.
const AFTER_CUT_MS: u64 = 120;
/// From an error to the end of the session.
const CLOSE_MS: u64 = 5;
/// A client that says nothing for this long is dropped.
const IDLE_MS: u64 = 15_000;
/// What is done once too often comes so much later.
const AGAIN_MS: u64 = 30;
/// Within a sentence, audio comes this many times faster than it plays.
const BURST: u64 = 4;

/// With which HTTP status the n-th session of a call is refused, if it is; 0 stands for no answer.
pub fn refusal(faults: &[Fault], session: u32) -> Option<u16> {
    faults.iter().find_map(|fault| match fault {
        Fault::AgentRefuses { session: refused, status } if *refused == session => Some(*status),
        _ => None,
    })
}

/// How long the n-th session of a call takes to open, and from its settings to `SettingsApplied`.
pub fn takes(faults: &[Fault], session: u32) -> (Millis, Millis) {
    let slow = faults.iter().find_map(|fault| match fault {
        Fault::AgentSlow { session: slow, connect_ms, applied_ms } if *slow == session => {
            Some((Millis(*connect_ms), Millis(*applied_ms)))
        }
        _ => None,
    });
    slow.unwrap_or((Millis(CONNECT_MS), Millis(APPLIED_MS)))
}

/// What the agent says on its socket.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentSays {
    /// A text message.
    Text(Box<ServerMessage>),
    /// A frame of audio.
    Audio(Vec<u8>),
    /// The socket is closed.
    Close,
}

#[derive(Debug, Clone, PartialEq)]
enum Later {
    Say(AgentSays),
    /// The caller's words are understood.
    Understood(String, Option<Language>),
    /// The session breaks: with an error code, or without a word.
    Breaks(Option<String>),
    /// Functions are asked for, in one request.
    Asks(Vec<FunctionCall>),
    /// Functions are taken back, whatever became of them.
    Cancels(Vec<CancelledCall>),
    /// The next thing in the plan.
    Proceed,
    /// A sentence begins: the rest of them follow.
    Sentences(VecDeque<String>),
    /// The last of what is being said was sent.
    Sent,
}

/// A function that was asked for and is not answered.
#[derive(Debug, Clone)]
struct Awaited {
    name: String,
    /// The present turn goes on only behind the answer.
    by_turn: bool,
}

/// The agent's side of one session.
#[derive(Debug)]
pub struct Agent {
    hearing: Hearing,
    mind: Mind,
    session: u32,
    later: Schedule<Later>,
    settings: Option<Box<Settings>>,
    /// The functions that it was told of.
    functions: BTreeSet<String>,
    applied: bool,
    closed: bool,
    /// What is left to do in this turn.
    plan: VecDeque<Doing>,
    speaking: bool,
    /// The caller has begun to speak, and is not understood yet.
    caller_speaks: Option<CallTime>,
    /// Functions that are not answered, by id.
    waits_for: BTreeMap<String, Awaited>,
    last_heard: CallTime,
}

impl Agent {
    /// The n-th session of a call, whose socket was opened at `at`.
    pub fn new(at: CallTime, session: u32, hearing: Hearing, mind: Mind) -> Self {
        let mut later = Schedule::default();
        if !mind.does(&Fault::AgentNoWelcome { session }) {
            let request_id = "8c1f2a6e-0000-4000-8000-000000000001".to_owned();
            let welcome = AgentSays::text(ServerMessage::Welcome { request_id });
            later.add(at + Millis(WELCOME_MS), Later::Say(welcome));
        }
        Self {
            hearing,
            mind,
            session,
            later,
            settings: None,
            functions: BTreeSet::new(),
            applied: false,
            closed: false,
            plan: VecDeque::new(),
            speaking: false,
            caller_speaks: None,
            waits_for: BTreeMap::new(),
            last_heard: at,
        }
    }

    /// A session says which call it belongs to with its settings, and no sooner. From here on it is
    /// the n-th of that call.
    pub fn is_of_call(&mut self, session: u32, hearing: Hearing, mind: Mind) {
        (self.session, self.hearing, self.mind) = (session, hearing, mind);
    }

    /// What it brought into the session, as far as it has come.
    pub const fn mind(&self) -> &Mind {
        &self.mind
    }

    /// The session is over: what outlives it.
    pub fn into_mind(self) -> Mind {
        self.mind
    }

    /// A text message from the client, as strictly read.
    pub fn receive(&mut self, at: CallTime, message: Result<ClientMessage, Refusal>) {
        self.last_heard = at;
        let message = match message {
            Ok(message) => message,
            Err(refusal) => return self.fail(at, refusal.code, &refusal.description),
        };
        match message {
            ClientMessage::Settings(_) if self.settings.is_some() => {
                self.fail(at, "SETTINGS_ALREADY_APPLIED", "Settings were sent before.");
            }
            ClientMessage::Settings(settings) => {
                self.learn(settings.agent.think.as_ref());
                self.settings = Some(settings);
                if !self.mind.does(&Fault::AgentNeverReady { session: self.session }) {
                    let (_, applied) = takes(&self.mind.faults, self.session);
                    self.say(at + applied, ServerMessage::SettingsApplied);
                }
                self.mischief(at, When::Settling(self.session));
            }
            _ if self.settings.is_none() => {
                let why = "Settings must be the first message.";
                self.fail(at, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", why);
            }
            ClientMessage::FunctionCallResponse { id, name, content } => {
                self.mind.told.push(mask_text(content.reveal()));
                // An answer that nobody waits for is dropped.
                let Some(awaited) = self.waits_for.remove(&id) else { return };
                let echo = ServerMessage::FunctionCallResponse { id: Some(id), name, content };
                self.say(at + Millis(ECHO_MS), echo);
                if awaited.by_turn && !self.turn_waits() {
                    self.later.add(at + Millis(AFTER_TOOL_MS), Later::Proceed);
                }
            }
            ClientMessage::UpdatePrompt { .. } => {
                self.say(at + Millis(ACK_MS), ServerMessage::PromptUpdated);
            }
            ClientMessage::InjectAgentMessage { message, behavior } => {
                self.inject(at, message.reveal(), behavior);
            }
            ClientMessage::UpdateSpeak { .. } => {
                self.say(at + Millis(ACK_MS), ServerMessage::SpeakUpdated);
            }
            ClientMessage::UpdateListen { .. } => {
                self.say(at + Millis(ACK_MS), ServerMessage::ListenUpdated);
            }
            ClientMessage::UpdateThink { think } => {
                self.learn(Some(&think));
                self.say(at + Millis(ACK_MS), ServerMessage::ThinkUpdated);
            }
            ClientMessage::InjectUserMessage { content } => {
                // It is a turn of the caller's, whoever speaks.
                if self.speaking || !self.plan.is_empty() {
                    self.give_up(0);
                }
                self.mind.told.push(mask_text(content.reveal()));
                let words = content.reveal().to_owned();
                self.later.add(at + Millis(WORDS_MS), Later::Understood(words, None));
            }
            ClientMessage::KeepAlive | ClientMessage::ForceEndTurn => {}
        }
    }

    /// Audio of the caller's.
    pub fn receive_audio(&mut self, at: CallTime, audio: &[u8]) {
        self.last_heard = at;
        if !self.applied {
            let why = "A binary message came before the settings were applied.";
            self.fail(at, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", why);
            return;
        }
        for noticed in self.hearing.listen(audio) {
            match noticed {
                Noticed::SpeechBegan => {
                    let at = at + Millis(STARTED_MS);
                    self.say(at, ServerMessage::UserStartedSpeaking);
                    self.mind.heard += 1;
                    self.mischief(at, When::Hearing(self.mind.heard));
                }
                Noticed::Words(words, language) => {
                    self.later.add(at + Millis(WORDS_MS), Later::Understood(words, language));
                }
            }
        }
    }

    /// When the agent wants to be woken.
    pub fn poll_timeout(&self) -> Option<CallTime> {
        if self.closed {
            return None;
        }
        let idle = self.last_heard + Millis(IDLE_MS);
        Some(self.later.poll_timeout().map_or(idle, |at| at.min(idle)))
    }

    /// The next thing the agent says, if it is due.
    pub fn due(&mut self, now: CallTime) -> Option<AgentSays> {
        while !self.closed {
            let idle = self.last_heard + Millis(IDLE_MS);
            if now >= idle {
                self.last_heard = now;
                self.fail(idle, "CLIENT_MESSAGE_TIMEOUT", "No client message arrived in time.");
            }
            // Whatever follows is counted from the time for which a thing was planned, so that a
            // late wake-up does not add up.
            let at = self.later.poll_timeout()?;
            match self.later.due(now)? {
                Later::Say(says) => {
                    self.spoken(at, &says);
                    return Some(says);
                }
                Later::Understood(words, language) => self.understood(at, words, language),
                Later::Breaks(Some(code)) => self.fail(at, &code, "This session breaks."),
                Later::Breaks(None) => {
                    self.closed = true;
                    return Some(AgentSays::Close);
                }
                Later::Asks(calls) if !self.knows(&calls) => {
                    let why = "The model called a function that does not exist.";
                    self.fail(at, "NON_EXISTENT_FUNCTION_CALLED", why);
                }
                Later::Asks(calls) => {
                    self.asked(at, &calls);
                    return Some(AgentSays::text(ServerMessage::FunctionCallRequest {
                        functions: calls,
                    }));
                }
                Later::Cancels(functions) => {
                    self.forget(&functions);
                    return Some(AgentSays::text(ServerMessage::FunctionCallCancelled {
                        functions,
                    }));
                }
                Later::Proceed => self.go_on(at),
                Later::Sentences(sentences) => self.sentence(at, sentences),
                Later::Sent => {
                    self.speaking = false;
                    self.go_on(at);
                }
            }
        }
        None
    }

    fn spoken(&mut self, at: CallTime, says: &AgentSays) {
        match says {
            AgentSays::Text(message) => match **message {
                ServerMessage::SettingsApplied => {
                    self.applied = true;
                    if self.mind.does(&Fault::AgentTellsHistory) {
                        self.tell_history(at);
                    }
                }
                ServerMessage::UserStartedSpeaking => {
                    self.caller_speaks = Some(at);
                    self.interrupted(at);
                }
                _ => {}
            },
            AgentSays::Close => self.closed = true,
            AgentSays::Audio(_) => {}
        }
    }

    /// Takes over which functions there are.
    fn learn(&mut self, think: Option<&OneOrList<Think>>) {
        let thinks = match think {
            Some(OneOrList::One(think)) => std::slice::from_ref(think),
            Some(OneOrList::List(thinks)) => thinks,
            None => &[],
        };
        let functions = thinks.iter().flat_map(|think| &think.functions);
        self.functions = functions.map(|function| function.name.clone()).collect();
    }

    fn knows(&self, calls: &[FunctionCall]) -> bool {
        calls.iter().all(|call| self.functions.contains(&call.name))
    }

    /// What the session was told of the conversation is told back.
    fn tell_history(&mut self, at: CallTime) {
        let context = self.settings.as_ref().and_then(|settings| settings.agent.context.clone());
        for entry in context.into_iter().flat_map(|context| context.messages) {
            if let HistoryEntry::Said { role, content } = entry {
                self.conversation(at, role, content, None);
            }
        }
    }

    fn say(&mut self, at: CallTime, message: ServerMessage) {
        self.later.add(at, Later::Say(AgentSays::text(message)));
    }

    /// Ends the session as the service does: an error, then the end of the socket.
    fn fail(&mut self, at: CallTime, code: &str, description: &str) {
        self.later.retain(|_| false);
        let (code, description) = (code.to_owned(), description.to_owned());
        self.say(at, ServerMessage::Error { code, description });
        self.later.add(at + Millis(CLOSE_MS), Later::Say(AgentSays::Close));
    }
}

impl AgentSays {
    fn text(message: ServerMessage) -> Self {
        Self::Text(Box::new(message))
    }
}

#[cfg(test)]
mod tests;
