//! Joins a carrier's stream to an agent's session, around the call machine.
//!
//! Audio and provider messages come in here; audio goes on to the other side past the gates of
//! `call-core`, and what the machine must know comes out as [`Input`]s. The machine's effects
//! that concern speech and the agent come back in through [`Bridge::perform`]. There is no socket
//! and no clock in it: the server's world and the simulator's world are built around this same
//! part.

use std::collections::{BTreeMap, VecDeque};

use call_core::ears::{Ears, Listen};
use call_core::effect::Effect;
use call_core::input::{Agent, AgentLoss, Carrier, FunctionEnded, Input, Line};
use call_core::playout::{BYTES_PER_MS, Conserved, Playout};
use call_core::redact::mask_text;
use call_core::{CallTime, Language, Millis, UtteranceId};

use crate::deepgram::{
    AgentProfile, ClientMessage, ErrorAction, Role, ServerMessage, Spoken, error_action,
};
use crate::functions;
use crate::twilio::media::{FromTwilio, ToTwilio};

/// µ-law silence.
const SILENCE: u8 = 0xFF;

/// Our lines go to the carrier in pieces of 100 ms.
const CLIP_PIECE: usize = 100 * BYTES_PER_MS as usize;

/// T_KEEPALIVE: the agent's provider is never left longer than this without a message (F-DG-09).
const KEEP_ALIVE: Millis = Millis(8_000);

mod conversation;
mod keypad;
mod session;
mod speech;

use conversation::Conversation;
use keypad::Keypad;

/// Where a bridge's output goes. Nothing of it may wait: a socket that cannot take more queues.
pub trait Outlet {
    /// To the carrier.
    fn to_carrier(&mut self, message: ToTwilio<'_>);
    /// The caller's audio, to the agent.
    fn audio_to_agent(&mut self, audio: &[u8]);
    /// A message to the agent.
    fn to_agent(&mut self, message: ClientMessage);
    /// To the machine, behind whatever it was told before.
    fn input(&mut self, input: Input);
}

/// A line of ours that is ready to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The words.
    pub text: String,
    /// Version of the words.
    pub version: u32,
    /// The speech: µ-law, 8,000 samples a second.
    pub audio: Vec<u8>,
}

enum Waiting {
    Audio(UtteranceId, Vec<u8>),
    Mark(UtteranceId),
}

impl Waiting {
    const fn utterance(&self) -> UtteranceId {
        match self {
            Self::Audio(utterance, _) | Self::Mark(utterance) => *utterance,
        }
    }
}

/// The sentence that the agent is speaking.
struct Sentence {
    utterance: UtteranceId,
    has_words: bool,
}

/// One carrier stream and one agent session, joined.
pub struct Bridge {
    /// What the agent is told to be, in each language.
    profiles: BTreeMap<Language, AgentProfile>,
    language: Language,
    conversation: Conversation,
    keypad: Keypad,
    fingerprint_key: Vec<u8>,
    playout: Playout,
    ears: Ears,
    /// Speech that waits until the carrier has played some of what it has.
    waiting: VecDeque<Waiting>,
    /// Caller audio that waits for the agent.
    unheard: VecDeque<Vec<u8>>,
    clips: BTreeMap<UtteranceId, Vec<u8>>,
    sentence: Option<Sentence>,
    sentences: u32,
    agent: AgentLeg,
    /// Whether the present session was told its settings.
    introduced: bool,
    last_to_agent: CallTime,
    /// Raw arguments of functions asked for, by request id.
    arguments: BTreeMap<String, Spoken>,
    /// Results for the model, by request id.
    results: BTreeMap<String, Spoken>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AgentLeg {
    Opening,
    Ready,
    Gone,
}

impl Bridge {
    /// A bridge for one call. `profiles` is what the agent is told to be in each language;
    /// `fingerprint_key` keys the fingerprints of function arguments.
    pub fn new(profiles: BTreeMap<Language, AgentProfile>, fingerprint_key: Vec<u8>) -> Self {
        Self {
            profiles,
            language: Language::English,
            conversation: Conversation::default(),
            keypad: Keypad::default(),
            fingerprint_key,
            playout: Playout::new(),
            ears: Ears::default(),
            waiting: VecDeque::new(),
            unheard: VecDeque::new(),
            clips: BTreeMap::new(),
            sentence: None,
            sentences: 0,
            agent: AgentLeg::Gone,
            introduced: false,
            last_to_agent: CallTime::ZERO,
            arguments: BTreeMap::new(),
            results: BTreeMap::new(),
        }
    }

    /// A message of the carrier's stream.
    pub fn from_carrier(&mut self, at: CallTime, message: &FromTwilio<'_>, out: &mut impl Outlet) {
        match message {
            FromTwilio::Media(media) => self.caller_audio(at, media.payload, out),
            FromTwilio::Mark { name } => {
                let utterance = UtteranceId::from_mark(name);
                if let Some(news) = utterance.and_then(|u| self.playout.mark_returned(u)) {
                    out.input(Input::Playback(news));
                }
            }
            FromTwilio::Stop { .. } => self.carrier_ended(at, Carrier::Stopped, out),
            FromTwilio::Dtmf { digit } => {
                if let Some(key) = self.keypad.press(*digit) {
                    out.input(Input::Carrier(Carrier::Key(key)));
                }
            }
            // The rest tells nothing that a running call needs.
            _ => {}
        }
    }

    /// The carrier's stream is over. What was on its way to the caller is cut.
    pub fn carrier_ended(&mut self, at: CallTime, how: Carrier, out: &mut impl Outlet) {
        self.cut_speech(at, out);
        out.input(Input::Carrier(how));
    }

    /// A text message of the agent's session.
    pub fn from_agent(&mut self, at: CallTime, message: ServerMessage, out: &mut impl Outlet) {
        match message {
            ServerMessage::Welcome { .. } => self.introduce(at, out),
            ServerMessage::SettingsApplied => self.agent_ready(at, out),
            ServerMessage::UserStartedSpeaking => out.input(Input::Agent(Agent::CallerStarted)),
            ServerMessage::ConversationText { role, content, languages, .. } => match role {
                Role::User if self.conversation.is_echo(content.reveal()) => {
                    self.playout.agent_turn_began();
                }
                Role::User => {
                    self.playout.agent_turn_began();
                    self.conversation.said(Role::User, content.reveal());
                    let language = languages.first().and_then(|tag| Language::from_tag(tag));
                    let text = mask_text(content.reveal());
                    out.input(Input::Agent(Agent::CallerSaid { text, language }));
                }
                Role::Assistant => self.agent_words(at, content.reveal(), out),
                Role::Other(_) => {}
            },
            ServerMessage::AgentAudioDone => {
                self.end_sentence(at, out);
                out.input(Input::Agent(Agent::AudioDone));
            }
            ServerMessage::FunctionCallRequest { functions } => {
                self.playout.agent_turn_began();
                self.functions_asked(functions, out);
            }
            ServerMessage::FunctionCallCancelled { functions } => {
                let ids = functions.into_iter().map(|call| call.id).collect();
                out.input(Input::Agent(Agent::Withdrew(ids)));
            }
            ServerMessage::EndOfTurn { .. }
            | ServerMessage::AgentThinking { .. }
            | ServerMessage::AgentStartedSpeaking { .. } => self.playout.agent_turn_began(),
            ServerMessage::Warning { code, .. } => {
                out.input(Input::Agent(Agent::Warned(mask_text(&code))));
            }
            ServerMessage::Error { code, .. } => {
                let shown = mask_text(&code);
                let loss = match error_action(&code) {
                    ErrorAction::Reconnect => AgentLoss::Error(shown),
                    ErrorAction::Configuration | ErrorAction::OurBug => AgentLoss::Hopeless(shown),
                };
                self.agent_lost(loss, out);
            }
            // Acknowledgements, echoes, measurements and whatever is newer than this code.
            _ => {}
        }
    }

    /// Audio of the agent's.
    pub fn agent_audio(&mut self, at: CallTime, audio: &[u8], out: &mut impl Outlet) {
        if self.agent != AgentLeg::Ready || audio.is_empty() {
            return;
        }
        let utterance = match &self.sentence {
            Some(sentence) => sentence.utterance,
            None if self.playout.agent_is_silenced(at) => UtteranceId::Agent(self.sentences),
            None => self.begin_sentence(false),
        };
        self.speech(at, utterance, audio, out);
    }

    /// The agent's session is over, or could not be had. Told to the machine once.
    pub fn agent_lost(&mut self, loss: AgentLoss, out: &mut impl Outlet) {
        if self.agent != AgentLeg::Gone {
            self.agent = AgentLeg::Gone;
            // Another may come, and wants to hear what was said meanwhile.
            self.ears.agent_awaited();
            out.input(Input::Agent(Agent::Lost(loss)));
        }
    }

    /// A line of ours that was asked for is ready, or cannot be had.
    pub fn line_ready(
        &mut self,
        utterance: UtteranceId,
        clip: Option<Clip>,
        out: &mut impl Outlet,
    ) {
        let news = match clip {
            Some(Clip { text, version, audio }) if !audio.is_empty() => {
                let length = Millis(audio.len() as u64 / BYTES_PER_MS);
                self.clips.insert(utterance, audio);
                Line::Ready { utterance, text: mask_text(&text), version, audio: length }
            }
            _ => Line::Failed { utterance },
        };
        out.input(Input::Line(news));
    }

    /// The raw arguments of a function that was asked for. They must not be logged.
    pub fn arguments(&self, id: &str) -> Option<&str> {
        self.arguments.get(id).map(Spoken::reveal)
    }

    /// A function ended: its result is kept for the model, and the machine is told.
    pub fn function_ended(&mut self, ended: functions::Ended, out: &mut impl Outlet) {
        let functions::Ended { input, content } = ended;
        let FunctionEnded { id, .. } = &input;
        self.results.insert(id.clone(), Spoken::from(content));
        out.input(Input::Function(input));
    }

    /// Carries out an effect that concerns speech or the agent's conversation. Others (opening
    /// and closing the session, preparing lines, running functions, hanging up) are the world's.
    pub fn perform(&mut self, at: CallTime, effect: &Effect, out: &mut impl Outlet) {
        match effect {
            Effect::Play { utterance } => self.play(at, *utterance, out),
            Effect::Clear => {
                self.cut_speech(at, out);
                out.to_carrier(ToTwilio::Clear);
            }
            Effect::CutReply => self.cut_reply(at, out),
            Effect::EndSentence => self.end_sentence(at, out),
            Effect::MuteAgent => self.playout.mute_agent(),
            Effect::UnmuteAgent => self.playout.unmute_agent(),
            Effect::OpenAgent { language, .. } => {
                self.language = *language;
                self.agent = AgentLeg::Opening;
                self.introduced = false;
                self.sentence = None;
            }
            Effect::SetLanguage { language } => self.change_language(at, *language, out),
            Effect::CollectKeys => {
                self.keypad.begin();
                self.ears.keying(true);
            }
            Effect::GiveKeys { digits } => self.give_keys(at, *digits, out),
            Effect::Answer { id, name, answer } => self.answer(at, id, name, answer, out),
            Effect::TellAgent { text, .. } => {
                self.conversation.said(Role::Assistant, text);
                let prompt = format!("You have just said to the caller, word for word: {text}");
                self.tell_agent(at, ClientMessage::UpdatePrompt { prompt: prompt.into() }, out);
            }
            Effect::CloseAgent => self.forget_agent(),
            Effect::Prepare { .. }
            | Effect::Perform { .. }
            | Effect::PlayTones { .. }
            | Effect::Transfer { .. }
            | Effect::HangUp
            | Effect::LeaveStream => {}
        }
    }

    /// What became of every byte of speech to the caller, and how many bytes wait here.
    pub fn speech_to_caller(&self) -> (Conserved, u64) {
        let waiting = self.waiting.iter().map(|waiting| match waiting {
            Waiting::Audio(_, audio) => audio.len() as u64,
            Waiting::Mark(_) => 0,
        });
        (self.playout.conserved(), waiting.sum())
    }

    /// What became of every byte of the caller's voice, and how many bytes wait here.
    pub fn voice_to_agent(&self) -> (&Ears, u64) {
        (&self.ears, self.unheard.iter().map(|audio| audio.len() as u64).sum())
    }

    /// When the bridge wants to be woken. Nothing when only news can move it.
    pub fn poll_timeout(&self) -> Option<CallTime> {
        let speech = self.playout.poll_timeout(self.next_waiting());
        let keep_alive = (self.agent == AgentLeg::Ready).then(|| self.last_to_agent + KEEP_ALIVE);
        speech.into_iter().chain(keep_alive).min()
    }

    /// Does what is due: audio that waited goes on, a dry sentence is reported, an idle agent is
    /// kept alive.
    pub fn wake(&mut self, at: CallTime, out: &mut impl Outlet) {
        while self.next_waiting().is_some_and(|next| self.playout.has_room(at, next)) {
            match self.waiting.pop_front() {
                Some(Waiting::Audio(utterance, audio)) => {
                    self.hand_over(at, utterance, &audio, out);
                }
                Some(Waiting::Mark(utterance)) => self.put_mark(at, utterance, out),
                None => break,
            }
        }
        if let Some(news) = self.playout.dry(at) {
            out.input(Input::Playback(news));
        }
        if self.agent == AgentLeg::Ready && at >= self.last_to_agent + KEEP_ALIVE {
            self.tell_agent(at, ClientMessage::KeepAlive, out);
        }
    }

    fn caller_audio(&mut self, at: CallTime, audio: &[u8], out: &mut impl Outlet) {
        match self.ears.admit(audio.len()) {
            Listen::Forward => {
                self.last_to_agent = at;
                out.audio_to_agent(audio);
            }
            Listen::Hold => self.unheard.push_back(audio.to_vec()),
            Listen::HoldAndShed => {
                self.unheard.push_back(audio.to_vec());
                while let Some(oldest) = self.unheard.pop_front() {
                    if !self.ears.shed(oldest.len()) {
                        break;
                    }
                }
            }
            Listen::Silence => {
                self.last_to_agent = at;
                out.audio_to_agent(&vec![SILENCE; audio.len()]);
            }
            Listen::Drop => {}
        }
    }
}
