//! Joins a carrier's stream to an agent's session, around the call machine.
//!
//! Audio and provider messages come in here; audio goes on to the other side past the gates of
//! `call-core`, and what the machine must know comes out as [`Input`]s. The machine's effects
//! that concern speech and the agent come back in through [`Bridge::perform`]. There is no socket
//! and no clock in it: the server's world and the simulator's world are built around this same
//! part.

use std::collections::{BTreeMap, VecDeque};

use call_core::ears::{Ears, Listen};
use call_core::effect::{Answer, Effect};
use call_core::input::{Agent, AgentLoss, Carrier, FunctionEnded, Input, Line, Playback};
use call_core::playout::{Admit, BYTES_PER_MS, Playout};
use call_core::redact::mask_text;
use call_core::{CallTime, Language, Millis, UtteranceId};

use crate::deepgram::{AgentProfile, ClientMessage, Role, ServerMessage, Settings, Spoken};
use crate::functions;
use crate::twilio::media::{FromTwilio, ToTwilio};

/// Our lines go to the carrier in pieces of 100 ms.
const CLIP_PIECE: usize = 100 * BYTES_PER_MS as usize;

/// T_KEEPALIVE: the agent's provider is never left longer than this without a message (F-DG-09).
const KEEP_ALIVE: Millis = Millis(8_000);

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
    profile: Option<AgentProfile>,
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
    /// A bridge for one call. `profile` is what the agent is told to be; `fingerprint_key` keys
    /// the fingerprints of function arguments.
    pub fn new(profile: AgentProfile, fingerprint_key: Vec<u8>) -> Self {
        Self {
            profile: Some(profile),
            fingerprint_key,
            playout: Playout::new(),
            ears: Ears::default(),
            waiting: VecDeque::new(),
            unheard: VecDeque::new(),
            clips: BTreeMap::new(),
            sentence: None,
            sentences: 0,
            agent: AgentLeg::Opening,
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
            // Keys are collected later; the rest tells nothing that a running call needs.
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
            ServerMessage::Welcome { .. } => {
                if let Some(profile) = self.profile.take() {
                    let settings = Box::new(Settings::telephone(profile));
                    self.tell_agent(at, ClientMessage::Settings(settings), out);
                }
            }
            ServerMessage::SettingsApplied => self.agent_ready(at, out),
            ServerMessage::UserStartedSpeaking => out.input(Input::Agent(Agent::CallerStarted)),
            ServerMessage::ConversationText { role, content, languages, .. } => match role {
                Role::User => {
                    self.playout.agent_turn_began();
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
                self.agent_lost(AgentLoss::Error(mask_text(&code)), out);
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
            self.forget_agent();
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
            Effect::Answer { id, name, answer } => self.answer(at, id, name, answer, out),
            Effect::TellAgent { text, .. } => {
                let prompt = format!("You have just said to the caller, word for word: {text}");
                self.tell_agent(at, ClientMessage::UpdatePrompt { prompt: prompt.into() }, out);
            }
            Effect::CloseAgent => self.forget_agent(),
            Effect::OpenAgent { .. }
            | Effect::Prepare { .. }
            | Effect::Perform { .. }
            | Effect::HangUp
            | Effect::LeaveStream => {}
        }
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

    /// Whose speech goes on to the carrier next.
    fn next_waiting(&self) -> Option<UtteranceId> {
        self.waiting.front().map(Waiting::utterance)
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
            Listen::Drop => {}
        }
    }

    fn agent_ready(&mut self, at: CallTime, out: &mut impl Outlet) {
        if self.agent != AgentLeg::Opening {
            return;
        }
        self.agent = AgentLeg::Ready;
        self.ears.agent_ready();
        self.last_to_agent = at;
        for audio in self.unheard.drain(..) {
            out.audio_to_agent(&audio);
        }
        out.input(Input::Agent(Agent::Ready));
    }

    fn forget_agent(&mut self) {
        self.agent = AgentLeg::Gone;
        self.ears.agent_gone();
        self.unheard.clear();
    }

    fn tell_agent(&mut self, at: CallTime, message: ClientMessage, out: &mut impl Outlet) {
        if self.agent != AgentLeg::Gone {
            self.last_to_agent = at;
            out.to_agent(message);
        }
    }

    /// The agent's words usually come just before their audio, for a greeting just after it.
    fn agent_words(&mut self, at: CallTime, words: &str, out: &mut impl Outlet) {
        if self.playout.agent_is_silenced(at) {
            // A late sentence of a cut turn: its audio is dropped too.
            return;
        }
        let utterance = match &mut self.sentence {
            Some(sentence) if !sentence.has_words => {
                sentence.has_words = true;
                sentence.utterance
            }
            _ => {
                self.end_sentence(at, out);
                self.begin_sentence(true)
            }
        };
        out.input(Input::Agent(Agent::Said { utterance, text: mask_text(words) }));
    }

    fn begin_sentence(&mut self, has_words: bool) -> UtteranceId {
        self.sentences += 1;
        let utterance = UtteranceId::Agent(self.sentences);
        self.sentence = Some(Sentence { utterance, has_words });
        utterance
    }

    fn end_sentence(&mut self, at: CallTime, out: &mut impl Outlet) {
        self.sentence = None;
        if let Some(utterance) = self.playout.close_sentence() {
            self.mark(at, utterance, out);
        }
    }

    fn play(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        let Some(audio) = self.clips.remove(&utterance) else { return };
        for piece in audio.chunks(CLIP_PIECE) {
            self.speech(at, utterance, piece, out);
        }
        self.mark(at, utterance, out);
    }

    fn speech(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        audio: &[u8],
        out: &mut impl Outlet,
    ) {
        match self.playout.admit(at, utterance, audio.len()) {
            Admit::Forward => self.hand_over(at, utterance, audio, out),
            Admit::Hold => self.waiting.push_back(Waiting::Audio(utterance, audio.to_vec())),
            Admit::Drop | Admit::Overflow => {}
        }
    }

    fn hand_over(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        audio: &[u8],
        out: &mut impl Outlet,
    ) {
        let news = self.playout.forward(at, utterance, audio.len());
        out.to_carrier(ToTwilio::Media { payload: audio });
        if let Some(news) = news {
            out.input(Input::Playback(news));
        }
    }

    fn mark(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        if self.waiting.is_empty() {
            self.put_mark(at, utterance, out);
        } else {
            self.waiting.push_back(Waiting::Mark(utterance));
        }
    }

    fn put_mark(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        let news = self.playout.mark(at, utterance);
        out.to_carrier(ToTwilio::Mark { name: utterance.to_string().into() });
        out.input(Input::Playback(news));
    }

    fn cut_speech(&mut self, at: CallTime, out: &mut impl Outlet) {
        self.waiting.clear();
        self.sentence = None;
        for cut in self.playout.clear(at) {
            out.input(Input::Playback(cut));
        }
    }

    fn cut_reply(&mut self, at: CallTime, out: &mut impl Outlet) {
        self.sentence = None;
        let cuts = self.playout.cut_reply(at);
        let cut = |utterance| {
            cuts.iter()
                .any(|news| matches!(news, Playback::Cut { utterance: u, .. } if *u == utterance))
        };
        self.waiting.retain(|waiting| !cut(waiting.utterance()));
        for news in cuts {
            out.input(Input::Playback(news));
        }
    }

    fn functions_asked(
        &mut self,
        calls: Vec<crate::deepgram::FunctionCall>,
        out: &mut impl Outlet,
    ) {
        let ours = calls.into_iter().filter(|call| call.client_side);
        let asks: Vec<_> = ours
            .map(|call| {
                let ask = functions::ask(&call, &self.fingerprint_key);
                self.arguments.entry(call.id).or_insert(call.arguments);
                ask
            })
            .collect();
        if !asks.is_empty() {
            out.input(Input::Agent(Agent::Asked(asks)));
        }
    }

    fn answer(
        &mut self,
        at: CallTime,
        id: &str,
        name: &str,
        answer: &Answer,
        out: &mut impl Outlet,
    ) {
        let kept = match answer {
            Answer::Result => self.results.get(id).cloned(),
            Answer::Done | Answer::Refused(_) | Answer::TimedOut => None,
        };
        let content = kept.unwrap_or_else(|| functions::answer_content(answer).into());
        self.arguments.remove(id);
        let response =
            ClientMessage::FunctionCallResponse { id: id.into(), name: name.into(), content };
        self.tell_agent(at, response, out);
    }
}
