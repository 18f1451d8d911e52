//! The agent: Deepgram's side of a call. Hears the caller's audio, follows the scenario's script,
//! asks for functions, speaks in bursts faster than real time, and refuses what the real service
//! refuses.
//!
//! Behaviour as documented for the Voice Agent API, times as seen by others: see
//! `docs/deepgram.md`.

use std::collections::{BTreeSet, VecDeque};

use call_core::playout::BYTES_PER_MS;
use call_core::{CallTime, Language, Millis};
use call_transports::deepgram::{
    CancelledCall, ClientMessage, FunctionCall, HistoryEntry, Injection, Refusal, Role,
    ServerMessage, Settings, Spoken,
};

use super::hearing::{Hearing, Noticed};
use super::schedule::Schedule;
use super::voice;
use crate::faults::{Fault, When};
use crate::seed::Seed;

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
/// Acknowledgements.
const ACK_MS: u64 = 300;
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

/// What an agent brings into a session, and what outlives the session: the rest of its script, the
/// misdeeds to come, and how far it has come.
#[derive(Debug, Clone)]
pub struct Mind {
    script: VecDeque<Reply>,
    faults: Vec<Fault>,
    seed: Seed,
    calls: u64,
    replies: u32,
    spoken: u32,
    heard: u32,
    asked: u32,
    injections: u32,
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
        }
    }

    fn does(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
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
    /// Asks for a function, and waits for the answer.
    Calls {
        /// The function's name.
        name: String,
        /// Its arguments, as JSON text.
        arguments: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Later {
    Say(AgentSays),
    /// The caller's words are understood.
    Understood(String, Option<Language>),
    /// The session breaks: with an error code, or without a word.
    Breaks(Option<String>),
    /// The next thing in the plan.
    Proceed,
    /// A line of the client's begins, beside the plan.
    Injected(String),
    /// A sentence begins: the rest of them follow.
    Sentences(VecDeque<String>),
}

/// The agent's side of one session.
#[derive(Debug)]
pub struct Agent {
    hearing: Hearing,
    mind: Mind,
    session: u32,
    later: Schedule<Later>,
    settings: Option<Box<Settings>>,
    applied: bool,
    closed: bool,
    /// What is left to do in this turn.
    plan: VecDeque<Doing>,
    speaking: bool,
    /// The caller has begun to speak, and is not understood yet.
    caller_speaks: Option<CallTime>,
    waits_for: BTreeSet<String>,
    last_heard: CallTime,
}

impl Agent {
    /// The n-th session of a call, whose socket was opened at `at`.
    pub fn new(at: CallTime, session: u32, hearing: Hearing, mind: Mind) -> Self {
        let mut later = Schedule::default();
        let request_id = "8c1f2a6e-0000-4000-8000-000000000001".to_owned();
        let welcome = AgentSays::text(ServerMessage::Welcome { request_id });
        later.add(at + Millis(WELCOME_MS), Later::Say(welcome));
        Self {
            hearing,
            mind,
            session,
            later,
            settings: None,
            applied: false,
            closed: false,
            plan: VecDeque::new(),
            speaking: false,
            caller_speaks: None,
            waits_for: BTreeSet::new(),
            last_heard: at,
        }
    }

    /// A session says which call it belongs to with its settings, and no sooner. From here on it is
    /// the n-th of that call.
    pub fn is_of_call(&mut self, session: u32, hearing: Hearing, mind: Mind) {
        (self.session, self.hearing, self.mind) = (session, hearing, mind);
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
                self.settings = Some(settings);
                if !self.mind.does(&Fault::AgentNeverReady { session: self.session }) {
                    self.say(at + Millis(APPLIED_MS), ServerMessage::SettingsApplied);
                }
            }
            _ if self.settings.is_none() => {
                let why = "Settings must be the first message.";
                self.fail(at, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", why);
            }
            ClientMessage::FunctionCallResponse { id, name, content } => {
                if self.waits_for.remove(&id) {
                    let echo = ServerMessage::FunctionCallResponse { id: Some(id), name, content };
                    self.say(at + Millis(38), echo);
                    if self.waits_for.is_empty() {
                        self.later.add(at + Millis(AFTER_TOOL_MS), Later::Proceed);
                    }
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
            ClientMessage::UpdateThink { .. } => {
                self.say(at + Millis(ACK_MS), ServerMessage::ThinkUpdated);
            }
            ClientMessage::InjectUserMessage { content } => {
                // It is a turn of the caller's, whoever speaks.
                self.give_up_speech(&mut None);
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
                Later::Proceed => self.proceed(at, Millis(0), Millis(0)),
                Later::Sentences(sentences) => self.sentence(at, sentences, true),
                Later::Injected(text) => self.sentence(at, VecDeque::from([text]), false),
            }
        }
        None
    }

    fn spoken(&mut self, at: CallTime, says: &AgentSays) {
        match says {
            AgentSays::Text(message) => match **message {
                ServerMessage::SettingsApplied => self.applied = true,
                ServerMessage::UserStartedSpeaking => {
                    self.caller_speaks = Some(at);
                    self.stop_speaking();
                }
                ServerMessage::AgentAudioDone => self.speaking = false,
                _ => {}
            },
            AgentSays::Close => self.closed = true,
            AgentSays::Audio(_) => {}
        }
    }

    /// The caller speaks: whatever is being said or planned is given up.
    fn stop_speaking(&mut self) {
        let mut late = self.mind.faults.iter().find_map(|fault| match fault {
            Fault::AgentSendsLate { frames } => Some(*frames),
            _ => None,
        });
        self.give_up_speech(&mut late);
    }

    /// Whatever is being said or planned is given up, but for so many frames.
    fn give_up_speech(&mut self, late: &mut Option<u32>) {
        if !self.speaking && self.plan.is_empty() {
            return;
        }
        self.speaking = false;
        self.plan.clear();
        self.later.retain(|later| match later {
            Later::Say(AgentSays::Audio(_)) => match late {
                Some(frames @ 1..) => {
                    *frames -= 1;
                    true
                }
                _ => false,
            },
            Later::Sentences(_) | Later::Injected(_) | Later::Proceed => false,
            Later::Say(AgentSays::Text(message)) => !matches!(
                **message,
                ServerMessage::AgentAudioDone
                    | ServerMessage::ConversationText { role: Role::Assistant, .. }
                    | ServerMessage::FunctionCallRequest { .. }
            ),
            Later::Say(AgentSays::Close) | Later::Understood(..) | Later::Breaks(_) => true,
        });
    }

    /// A line of the client's is to be spoken: into silence, behind what is being said, or instead
    /// of it. While the caller speaks only the last of these is done.
    fn inject(&mut self, at: CallTime, words: &str, behavior: Injection) {
        self.mind.injections += 1;
        let number = self.mind.injections;
        let within =
            |from: &u32, count: &u32| (*from..from.saturating_add(*count)).contains(&number);
        let mut refused = false;
        for fault in &self.mind.faults {
            match fault {
                Fault::InjectionIgnored { from, count } if within(from, count) => return,
                Fault::InjectionRefused { from, count } => refused |= within(from, count),
                _ => {}
            }
        }
        let caller_speaks =
            self.caller_speaks.is_some_and(|since| at.since(since) < Millis(CALLER_MS));
        refused |= match behavior {
            Injection::Default => caller_speaks || self.speaking,
            Injection::Queue => caller_speaks,
            Injection::Interrupt => false,
        };
        if refused {
            let message = Some("Somebody is speaking.".to_owned());
            return self.say(at + Millis(ACK_MS), ServerMessage::InjectionRefused { message });
        }
        if behavior == Injection::Interrupt {
            self.give_up_speech(&mut None);
        }
        if self.speaking {
            self.plan.push_back(Doing::Injected(words.to_owned()));
        } else {
            self.speaking = true;
            self.later.add(at + Millis(INJECTED_MS), Later::Injected(words.to_owned()));
        }
    }

    fn understood(&mut self, at: CallTime, words: String, language: Option<Language>) {
        self.caller_speaks = None;
        self.say(at, ServerMessage::EndOfTurn { trigger: Some("model".to_owned()) });
        if self.mind.does(&Fault::AgentMumbles) {
            self.say(at, ServerMessage::Unknown { kind: "SomethingNewer".to_owned() });
        }
        let text = words.to_lowercase();
        self.conversation(at, Role::User, words, language);
        let script = &mut self.mind.script;
        let place = script.iter().position(|reply| text.contains(&reply.hears.to_lowercase()));
        if let Some(reply) = place.and_then(|place| script.remove(place)) {
            self.mind.replies += 1;
            if self.mind.does(&Fault::AgentSilent { reply: self.mind.replies }) {
                return;
            }
            self.plan = reply.does.into();
            self.proceed(at, Millis(REPLY_MS), Millis(TOOL_MS));
        }
    }

    /// Whatever is to go wrong at this moment is planned.
    fn mischief(&mut self, at: CallTime, moment: When) {
        for fault in self.mind.faults.clone() {
            match fault {
                Fault::AgentGone { when, after_ms } if when == moment => {
                    self.later.add(at + Millis(after_ms), Later::Breaks(None));
                }
                Fault::AgentError { when, after_ms, code } if when == moment => {
                    self.later.add(at + Millis(after_ms), Later::Breaks(Some(code)));
                }
                Fault::AgentWarns { when, code } if when == moment => {
                    let description = "Something is slow.".to_owned();
                    self.say(at, ServerMessage::Warning { code, description });
                }
                _ => {}
            }
        }
    }

    /// Does the next thing in the plan: speech after `to_speech`, a function after `to_function`.
    fn proceed(&mut self, at: CallTime, to_speech: Millis, to_function: Millis) {
        match self.plan.pop_front() {
            Some(Doing::Says(text)) => {
                let sentences = voice::sentences(&text).into_iter().map(str::to_owned).collect();
                self.later.add(at + to_speech, Later::Sentences(sentences));
                self.speaking = true;
                self.mind.spoken += 1;
                self.mischief(at + to_speech, When::Speaking(self.mind.spoken));
            }
            Some(Doing::Injected(text)) => {
                self.speaking = true;
                self.later.add(at, Later::Sentences(VecDeque::from([text])));
            }
            Some(Doing::Calls { name, arguments }) => {
                self.ask(at + to_function, &name, &arguments);
                if self.mind.does(&Fault::AgentAsksAgain) && name == "make_payment" {
                    self.ask(at + to_function + Millis(AGAIN_MS), &name, &arguments);
                }
            }
            None => {}
        }
    }

    fn ask(&mut self, at: CallTime, name: &str, arguments: &str) {
        self.mind.calls += 1;
        let id = format!("call_{}", self.mind.calls);
        self.waits_for.insert(id.clone());
        let call = FunctionCall {
            id: id.clone(),
            name: name.to_owned(),
            arguments: Spoken::from(arguments),
            client_side: true,
            thought_signature: None,
        };
        let request = ServerMessage::FunctionCallRequest { functions: vec![call] };
        self.say(at, request.clone());
        self.mind.asked += 1;
        self.mischief(at, When::Asking(self.mind.asked));
        if self.mind.does(&Fault::AgentRepeatsCalls) {
            self.say(at + Millis(AGAIN_MS), request);
        }
        let cancels = self.mind.faults.iter().find_map(|fault| match fault {
            Fault::AgentCancels { after_ms } => Some(*after_ms),
            _ => None,
        });
        if let Some(after_ms) = cancels {
            self.waits_for.remove(&id);
            let functions = vec![CancelledCall { id, name: name.to_owned() }];
            self.say(at + Millis(after_ms), ServerMessage::FunctionCallCancelled { functions });
        }
    }

    /// Speaks one sentence in a burst; the next one follows when this one would have been played,
    /// and after the last one, with `goes_on`, whatever else is planned.
    fn sentence(&mut self, at: CallTime, mut sentences: VecDeque<String>, goes_on: bool) {
        let Some(text) = sentences.pop_front() else { return };
        let audio = voice::speak(&text);
        let length = Millis(audio.len() as u64 / BYTES_PER_MS);
        self.conversation(at, Role::Assistant, text, None);
        let mut sent = 0;
        while sent < audio.len() {
            let size = self.mind.seed.between(80, 1_000) as usize;
            let frame = &audio[sent..audio.len().min(sent + size)];
            let burst = Millis(sent as u64 / BYTES_PER_MS / BURST);
            self.later.add(at + burst, Later::Say(AgentSays::Audio(frame.to_vec())));
            sent += frame.len();
        }
        if !sentences.is_empty() {
            self.later.add(at + length, Later::Sentences(sentences));
            return;
        }
        let sent_at = at + Millis(length.0 / BURST + 10);
        if !self.mind.does(&Fault::AgentOmitsDone) {
            self.say(sent_at, ServerMessage::AgentAudioDone);
        }
        if self.mind.does(&Fault::AgentRepeatsDone) {
            self.say(sent_at + Millis(AGAIN_MS), ServerMessage::AgentAudioDone);
        }
        if goes_on && !self.plan.is_empty() {
            self.later.add(sent_at, Later::Proceed);
        }
    }

    fn conversation(
        &mut self,
        at: CallTime,
        role: Role,
        words: String,
        language: Option<Language>,
    ) {
        let text = ServerMessage::ConversationText {
            role: role.clone(),
            content: Spoken::from(words.clone()),
            conversational_behavior: Some("default".to_owned()),
            languages_hinted: Vec::new(),
            languages: language.map(|language| language.tag().to_owned()).into_iter().collect(),
        };
        self.say(at, text);
        let history = |s: &Settings| s.flags.as_ref().and_then(|flags| flags.history);
        if self.settings.as_deref().and_then(history) != Some(false) {
            let entry = HistoryEntry::Said { role, content: Spoken::from(words) };
            self.say(at + Millis(1), ServerMessage::History(entry));
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
mod tests {
    use super::*;

    fn at(millis: u64) -> CallTime {
        CallTime::from_millis(millis)
    }

    fn agent() -> Agent {
        let mind = Mind::new(Vec::new(), Vec::new(), Seed::new(1));
        Agent::new(at(0), 1, Hearing::new([]), mind)
    }

    fn codes(agent: &mut Agent, now: u64) -> Vec<String> {
        let mut codes = Vec::new();
        while let Some(says) = agent.due(at(now)) {
            match says {
                AgentSays::Text(message) => {
                    if let ServerMessage::Error { code, .. } = *message {
                        codes.push(code);
                    }
                }
                AgentSays::Close => codes.push("closed".to_owned()),
                AgentSays::Audio(_) => {}
            }
        }
        codes
    }

    #[test]
    fn audio_before_the_settings_ends_the_session() {
        let mut agent = agent();
        agent.receive_audio(at(10), &[0xFF; 160]);
        assert_eq!(codes(&mut agent, 100), ["NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "closed"]);
    }

    /// F-DG-09.
    #[test]
    fn a_client_that_says_nothing_for_fifteen_seconds_is_dropped() {
        let mut agent = agent();
        assert!(codes(&mut agent, 14_999).is_empty());
        assert_eq!(codes(&mut agent, 15_005), ["CLIENT_MESSAGE_TIMEOUT", "closed"]);
        assert_eq!(agent.poll_timeout(), None);
    }
}
