//! Joins a carrier's stream to an agent's session, around the call machine.
//!
//! Audio and provider messages come in here; audio goes on to the other side past the gates of
//! `call-core`, and what the machine must know comes out as [`Input`]s. The machine's effects
//! that concern speech and the agent come back in through [`Bridge::perform`]. There is no socket
//! and no clock in it: the server's world and the simulator's world are built around this same
//! part.

use std::collections::{BTreeMap, VecDeque};

use call_core::ears::Ears;
use call_core::effect::Effect;
use call_core::input::{Agent, AgentLoss, Carrier, FunctionEnded, Input, Key, Line};
use call_core::playout::{BYTES_PER_MS, Conserved, Playout};
use call_core::redact::{Talk, mask_code, mask_text};
use call_core::{CallTime, Language, Millis, UtteranceId};

use crate::carrier::order::{Counts, Order};
use crate::carrier::{FromCarrier, ToCarrier};
use crate::deepgram::{
    AgentProfile, ClientMessage, ErrorAction, Role, ServerMessage, Spoken, error_action,
};
use crate::functions;

/// Our lines go to the carrier in pieces of 100 ms.
const CLIP_PIECE: usize = 100 * BYTES_PER_MS as usize;

/// T_KEEPALIVE: the agent's provider is never left longer than this without a message (F-DG-09).
const KEEP_ALIVE: Millis = Millis(8_000);

mod conversation;
mod injection;
mod keypad;
mod ring;
mod session;
mod speech;
mod voice;
mod watch;

use conversation::Conversation;
use injection::Injections;
pub use injection::Words;
use keypad::Keypad;
use ring::Ring;
use voice::Voice;
use watch::{Due, Watch};

/// Where a bridge's output goes. Nothing of it may wait: a socket that cannot take more queues.
pub trait Outlet {
    /// To the carrier.
    fn to_carrier(&mut self, message: ToCarrier<'_>);
    /// Asks the carrier's side of the socket whether it is there: a ping. Its answer is told by
    /// [`Bridge::carrier_alive`].
    fn probe_carrier(&mut self);
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

impl Clip {
    /// A line in these words and this sound.
    pub fn new(text: String, version: u32, audio: &[u8]) -> Self {
        Self { text, version, audio: audio.to_vec() }
    }
}

enum Waiting {
    /// So many bytes.
    Audio(UtteranceId, usize),
    Mark(UtteranceId),
}

impl Waiting {
    const fn utterance(&self) -> UtteranceId {
        match self {
            Self::Audio(utterance, _) | Self::Mark(utterance) => *utterance,
        }
    }
}

/// The sentence that the agent is speaking; perhaps it is a line of ours.
struct Sentence {
    utterance: UtteranceId,
    has_words: bool,
    /// Its audio may be heard.
    wanted: bool,
}

/// One carrier stream and one agent session, joined.
pub struct Bridge {
    /// What the agent is told to be, in each language.
    profiles: BTreeMap<Language, AgentProfile>,
    language: Language,
    conversation: Conversation,
    /// Masks what both sides say, with what spans their turns.
    talk: Talk,
    injections: Injections,
    keypad: Keypad,
    fingerprint_key: Vec<u8>,
    watch: Watch,
    order: Order,
    voice: Voice,
    playout: Playout,
    /// Speech that waits until the carrier has played some of what it has, and its bytes.
    waiting: VecDeque<Waiting>,
    held: Ring,
    /// A piece that is taken out of the ring.
    piece: Vec<u8>,
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
            talk: Talk::default(),
            injections: Injections::default(),
            keypad: Keypad::default(),
            fingerprint_key,
            watch: Watch::new(CallTime::ZERO),
            order: Order::default(),
            voice: Voice::default(),
            playout: Playout::new(),
            waiting: VecDeque::new(),
            held: Ring::default(),
            piece: Vec::new(),
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

    /// Gives the bridge of a call that has not begun a deliberate defect.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(&mut self, sabotage: call_core::Sabotage) {
        self.playout = Playout::sabotaged(sabotage);
    }

    /// What the carrier's stream tells. After the stream's end nothing is taken from it.
    pub fn from_carrier(&mut self, at: CallTime, told: FromCarrier<'_>, out: &mut impl Outlet) {
        if !self.watch.is_open() {
            return;
        }
        self.watch.heard(at);
        match told {
            FromCarrier::Audio(audio) => {
                let Self { order, voice, .. } = self;
                order.take(at, &audio, &mut |piece| voice.hear(at, piece, out));
            }
            FromCarrier::Played(utterance) => {
                if let Some(news) = self.playout.mark_returned(utterance) {
                    out.input(Input::Playback(news));
                }
            }
            FromCarrier::Stopped => self.carrier_ended(at, Carrier::Stopped, out),
            FromCarrier::Key { digit, report } => {
                if let Some(key) = self.keypad.reported(report, digit) {
                    if self.keypad.is_collecting() && key != Key::Pound {
                        self.voice.key_followed();
                    }
                    out.input(Input::Carrier(Carrier::Key(key)));
                }
            }
            FromCarrier::Other => {}
        }
    }

    /// The carrier's stream is over. What was on its way to the caller is cut. Told once.
    pub fn carrier_ended(&mut self, at: CallTime, how: Carrier, out: &mut impl Outlet) {
        if !self.watch.is_open() {
            return;
        }
        self.watch.over();
        let cuts = match how {
            Carrier::Dead => self.playout.stream_dead(at),
            _ => self.playout.stream_ended(at),
        };
        self.speech_is_cut(cuts, out);
        out.input(Input::Carrier(how));
    }

    /// The carrier says that the whole call is over, whether or not a stream of it is open
    /// (F-WH-13).
    pub fn call_over(&mut self, at: CallTime, out: &mut impl Outlet) {
        if self.watch.is_open() {
            self.carrier_ended(at, Carrier::Completed, out);
        } else {
            out.input(Input::Carrier(Carrier::Completed));
        }
    }

    /// Another stream of the same call begins, after the first has ended. It counts for itself.
    pub fn carrier_joined(&mut self, at: CallTime, out: &mut impl Outlet) {
        self.watch = Watch::new(at);
        self.order.restart();
        self.keypad.restart();
        self.playout.carrier_blocked(at, None);
        out.input(Input::Carrier(Carrier::Joined));
    }

    /// The other side of the carrier's socket gave a sign of life that is no message, such as the
    /// answer to [`Outlet::probe_carrier`].
    pub fn carrier_alive(&mut self, at: CallTime) {
        self.watch.heard(at);
    }

    /// Since when the carrier takes nothing although something waits for it; nothing if it takes
    /// what it is sent. Meanwhile speech waits here, where it can still be taken back.
    pub fn carrier_blocked(&mut self, at: CallTime, since: Option<CallTime>) {
        if self.watch.is_open() {
            self.watch.blocked(since);
            self.playout.carrier_blocked(at, since);
        }
    }

    /// A text message of the agent's session.
    pub fn from_agent(&mut self, at: CallTime, message: ServerMessage, out: &mut impl Outlet) {
        match message {
            ServerMessage::Welcome { .. } => self.introduce(at, out),
            ServerMessage::SettingsApplied => self.agent_ready(at, out),
            ServerMessage::UserStartedSpeaking => {
                self.voice.sounds_matter(at);
                self.conversation.goes_on();
                out.input(Input::Agent(Agent::CallerStarted));
            }
            ServerMessage::ConversationText { role, content, .. }
                if self.conversation.is_told_back(&role, &content) => {}
            ServerMessage::ConversationText { role, content, languages, .. } => {
                let words = conversation::bounded(&content);
                match role {
                    Role::User if self.conversation.is_echo(words) => self.turn_began(),
                    Role::User => {
                        self.turn_began();
                        self.conversation.said(Role::User, words);
                        let language = languages.first().and_then(|tag| Language::from_tag(tag));
                        let text = self.talk.caller(words);
                        self.voice.sounds_matter_no_more();
                        let since_sound = self.voice.since_sound(at);
                        out.input(Input::Agent(Agent::CallerSaid { text, language, since_sound }));
                    }
                    Role::Assistant => self.agent_words(at, words, out),
                    Role::Other(_) => {}
                }
            }
            ServerMessage::AgentAudioDone => {
                self.playout.agent_reply_over();
                self.end_sentence(at, out);
                out.input(Input::Agent(Agent::AudioDone));
            }
            ServerMessage::FunctionCallRequest { functions } => {
                self.turn_began();
                self.functions_asked(functions, out);
            }
            ServerMessage::FunctionCallCancelled { functions } => {
                let ids: Vec<String> = functions.into_iter().map(|call| call.id).collect();
                self.conversation.taken_back(&ids);
                self.voice.sounds_matter(at);
                out.input(Input::Agent(Agent::Withdrew(ids)));
            }
            ServerMessage::EndOfTurn { .. }
            | ServerMessage::AgentThinking { .. }
            | ServerMessage::AgentStartedSpeaking { .. } => self.turn_began(),
            ServerMessage::InjectionRefused { .. } => self.injection_refused(out),
            ServerMessage::Warning { code, .. } => {
                // It comes beside the refusal, or in its place.
                if code.starts_with("INJECT_AGENT_MESSAGE_DURING") {
                    self.injection_refused(out);
                }
                out.input(Input::Agent(Agent::Warned(mask_code(&code))));
            }
            ServerMessage::Error { code, .. } => {
                let shown = mask_code(&code);
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
        let wanted = self.sentence.as_ref().is_none_or(|sentence| sentence.wanted);
        if self.agent != AgentLeg::Ready || !wanted {
            // Before the settings are accepted nobody has asked for it (F-DG-25).
            self.playout.refuse(audio.len());
            return;
        }
        if audio.is_empty() {
            return;
        }
        let utterance = match &self.sentence {
            Some(sentence) => sentence.utterance,
            None if self.playout.agent_is_silenced(at) => UtteranceId::Agent(self.sentences),
            None => self.begin_sentence(false),
        };
        self.speech(at, utterance, audio, out);
        if !utterance.is_agents() {
            self.playout.line_goes_on(utterance);
        }
    }

    /// The agent's session is over, or could not be had. Told to the machine once.
    pub fn agent_lost(&mut self, loss: AgentLoss, out: &mut impl Outlet) {
        if self.agent != AgentLeg::Gone {
            self.agent = AgentLeg::Gone;
            // Another may come, and wants to hear what was said meanwhile.
            self.voice.ears.agent_awaited();
            self.session_lost(loss, out);
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
                let cuts = self.playout.clear(at);
                if self.keypad.is_collecting() {
                    self.playout.agent_is_not_told();
                }
                self.speech_is_cut(cuts, out);
                out.to_carrier(ToCarrier::Clear);
                self.voice.sounds_matter(at);
            }
            Effect::Withdraw { utterance } => self.withdraw(at, *utterance),
            Effect::CutReply => {
                self.cut_reply(at, out);
                // Nothing has to follow what a muted agent gives up.
                if self.agent == AgentLeg::Ready && !self.playout.agent_is_muted() {
                    self.voice.sounds_matter(at);
                }
            }
            Effect::EndSentence => self.end_sentence(at, out),
            Effect::MuteAgent => self.playout.mute_agent(),
            Effect::UnmuteAgent => self.playout.unmute_agent(),
            Effect::OpenAgent { language, .. } => {
                self.language = *language;
                self.agent = AgentLeg::Opening;
                self.voice.sounds_matter(at);
                self.introduced = false;
                self.sentence = None;
                self.voice.ears.agent_awaited();
            }
            Effect::SetLanguage { language } => self.change_language(at, *language, out),
            Effect::CollectKeys => {
                self.keypad.begin();
                self.voice.key_began(at);
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
            | Effect::Inject { .. }
            | Effect::UseRecording { .. }
            | Effect::Perform { .. }
            | Effect::PlayTones { .. }
            | Effect::Transfer { .. }
            | Effect::HangUp => {}
            Effect::LeaveStream => self.watch.over(),
        }
    }

    /// What became of every byte of speech to the caller, and how many bytes wait here.
    pub fn speech_to_caller(&self) -> (Conserved, u64) {
        (self.playout.conserved(), self.held.len() as u64)
    }

    /// What became of every byte of the caller's voice, and how many bytes wait here.
    pub fn voice_to_agent(&self) -> (&Ears, u64) {
        (&self.voice.ears, self.voice.held())
    }

    /// What became of the caller's audio while it was put in order, and how many bytes wait there.
    pub fn caller_order(&self) -> (Counts, u64) {
        (self.order.counts(), self.order.held())
    }

    /// When the bridge wants to be woken. Nothing when only news can move it.
    pub fn poll_timeout(&self) -> Option<CallTime> {
        let speech = self.playout.poll_timeout(self.next_waiting());
        let keep_alive = (self.agent == AgentLeg::Ready).then(|| self.agent_idle_at());
        let of_carrier = [self.watch.poll_timeout(), self.order.poll_timeout()];
        of_carrier.into_iter().chain([speech, keep_alive]).flatten().min()
    }

    /// Does what is due: audio that waited goes on, a dry sentence is reported, an idle agent is
    /// kept alive, a carrier that is silent is asked and then given up.
    pub fn wake(&mut self, at: CallTime, out: &mut impl Outlet) {
        let Self { order, voice, .. } = self;
        order.wake(at, &mut |piece| voice.hear(at, piece, out));
        match self.watch.due(at) {
            Some(Due::Probe) => out.probe_carrier(),
            // What was handed over since then may never have arrived.
            Some(Due::Dead(since)) => self.carrier_ended(since, Carrier::Dead, out),
            None => {}
        }
        while self.next_waiting().is_some_and(|next| self.playout.has_room(at, next)) {
            match self.waiting.pop_front() {
                Some(Waiting::Audio(utterance, length)) => {
                    let mut piece = std::mem::take(&mut self.piece);
                    self.held.pop_into(length, &mut piece);
                    self.hand_over(at, utterance, &piece, out);
                    self.piece = piece;
                }
                Some(Waiting::Mark(utterance)) => self.put_mark(at, utterance, out),
                None => break,
            }
        }
        if let Some(news) = self.playout.dry(at) {
            out.input(Input::Playback(news));
        }
        if self.agent == AgentLeg::Ready && at >= self.agent_idle_at() {
            self.tell_agent(at, ClientMessage::KeepAlive, out);
        }
    }

    /// When the agent was left long enough without a message.
    fn agent_idle_at(&self) -> CallTime {
        self.last_to_agent.max(self.voice.sent_at) + KEEP_ALIVE
    }
}
