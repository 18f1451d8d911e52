//! The state of a call as somebody sees it who reads its journal: inputs, effects and times.

use std::collections::BTreeMap;

use call_core::call::Timer;
use call_core::effect::{Answer, Effect, Function};
use call_core::input::{Agent, Carrier, Input, Key, Playback};
use call_core::phrases::{meaning, parting};
use call_core::{Brief, CallTime, Cause, Fact, Limits, LineId, Millis, Step, UtteranceId};

/// A line of ours between being asked for and being settled.
pub(super) struct OurLine {
    pub(super) line: LineId,
}

/// Speech on its way to the caller.
pub(super) struct Speech {
    /// Some of it was handed to the carrier.
    audible: bool,
    /// When the carrier should have played it; nothing while more of it is to come.
    pub(super) until: Option<CallTime>,
}

/// A function that runs.
pub(super) struct Running {
    pub(super) writes: bool,
    pub(super) limit: CallTime,
}

/// A voice of which no words have come.
#[derive(Clone, Copy)]
struct Voice {
    began: CallTime,
    sounded: CallTime,
}

/// Whoever was heard so short a time ago is speaking: the line is told to sound every half second.
const SPEAKS: Millis = Millis(900);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    Awaited,
    Ready,
    None,
}

/// What is open at a moment of a call.
pub(super) struct Scene {
    pub(super) limits: Limits,
    pub(super) lines: BTreeMap<UtteranceId, OurLine>,
    pub(super) speech: BTreeMap<UtteranceId, Speech>,
    pub(super) functions: BTreeMap<String, Running>,
    /// How long the caller was silent while nobody else held the floor, since the caller last said
    /// or keyed in something.
    pub(super) silence: Millis,
    /// Whether the caller asked for a moment.
    pub(super) patient: bool,
    /// How often the caller was asked for a sign of life in this silence.
    pub(super) prompts: u32,
    /// Since when the caller hears nothing although something is owed.
    dead_since: Option<CallTime>,
    now: CallTime,
    /// A voice was heard to begin, of which no words have come.
    voice: Option<Voice>,
    /// The agent's latest sentence that takes leave, and whether it was heard in full and nothing that
    /// wants an answer followed.
    parting: Option<UtteranceId>,
    goodbye: bool,
    session: Session,
    /// The agent speaks, and has not said that all of it was sent.
    mid_reply: bool,
    reply_owed: bool,
    /// A voice took from the caller what the agent said or did for them, and neither words nor
    /// anything of ours followed.
    cut_short: bool,
    /// The call is being ended or handed over: the agent has nothing more to say.
    closing: bool,
    /// The caller is not ours any more, or not at the moment.
    away: bool,
    ended: bool,
}

impl Scene {
    pub(super) fn new(brief: &Brief) -> Self {
        Self {
            limits: brief.limits.clone(),
            lines: BTreeMap::new(),
            speech: BTreeMap::new(),
            functions: BTreeMap::new(),
            silence: Millis(0),
            patient: false,
            prompts: 0,
            dead_since: None,
            now: CallTime::ZERO,
            voice: None,
            parting: None,
            goodbye: false,
            session: Session::None,
            mid_reply: false,
            reply_owed: false,
            cut_short: false,
            closing: false,
            away: false,
            ended: false,
        }
    }

    /// Lets time pass up to a step that is not applied yet.
    pub(super) fn advance(&mut self, at: CallTime) {
        if self.waits_for_caller() {
            self.silence = self.silence + at.since(self.now);
        }
        self.now = self.now.max(at);
    }

    /// How far the scene has come.
    pub(super) const fn now(&self) -> CallTime {
        self.now
    }

    /// Takes in what a step tells.
    pub(super) fn apply(&mut self, step: &Step) {
        self.advance(step.at);
        let cut_short = step.cause == Cause::Input(Input::Agent(Agent::CallerStarted))
            && self.in_talk()
            && self.reply_under_way();
        match &step.cause {
            Cause::Started(_) => {}
            Cause::Timer(timer) => self.due(*timer),
            Cause::Input(Input::Agent(news)) => self.agent(news, step.ignored),
            Cause::Input(Input::Carrier(news)) => self.carrier(news, step.ignored),
            Cause::Input(Input::Playback(news)) if !step.ignored => self.playback(news),
            Cause::Input(Input::Function(ended)) => {
                self.functions.remove(&ended.id);
            }
            Cause::Input(Input::Playback(_) | Input::Line(_) | Input::Operator(_)) => {}
        }
        for fact in &step.facts {
            if let Fact::LineFailed { utterance, .. } = fact {
                self.lines.remove(utterance);
            }
        }
        self.cut_short |= cut_short;
        for effect in &step.effects {
            self.effect(effect, &step.cause);
        }
        self.watch_air();
    }

    /// Whether nobody but the caller holds the floor, in a conversation.
    pub(super) fn waits_for_caller(&self) -> bool {
        self.in_talk() && !self.somebody_speaks() && self.functions.is_empty() && !self.reply_owed
    }

    /// How long the caller has heard nothing by now although something is owed.
    pub(super) fn dead_air(&self) -> Millis {
        self.dead_since.map_or(Millis(0), |since| self.now.since(since))
    }

    /// Whether a voice that is heard now should stop speech, and whether a line that must be heard
    /// to its end is among it.
    pub(super) fn may_be_cut(&self) -> Option<Cuttable> {
        if !self.in_talk() {
            return None;
        }
        let required = self.lines.values().any(|line| line.line.is_required());
        let agents = self.speech.keys().any(|utterance| utterance.is_agents());
        match required {
            false if !self.speech.is_empty() => Some(Cuttable::All),
            true if agents || self.mid_reply => Some(Cuttable::Reply),
            _ => None,
        }
    }

    /// How long the caller may be silent before the prompt, and before the farewell.
    pub(super) fn silence_limits(&self) -> (Millis, Millis) {
        let limits = &self.limits;
        if self.patient {
            (Millis(limits.patience.0 / 2), limits.patience)
        } else {
            (limits.silence_prompt, limits.silence_farewell)
        }
    }

    /// How long the caller may be silent before the prompt is overdue: it waits for a voice that
    /// may yet become words, and no longer than three quarters of the way to the farewell.
    pub(super) fn prompt_latest(&self) -> Millis {
        let (prompt, farewell) = self.silence_limits();
        if self.voice.is_some() { prompt.max(Millis(farewell.0 / 4 * 3)) } else { prompt }
    }

    /// How long the caller may be silent before the farewell is overdue: it waits for a voice that may
    /// yet become words, and no longer than a farewell may take.
    pub(super) fn farewell_latest(&self) -> Millis {
        let (_, farewell) = self.silence_limits();
        let waits = |voice: &Voice| self.now.since(voice.sounded) <= self.limits.cut_short;
        let grace = self.voice.filter(waits).map_or(Millis(0), |_| self.limits.farewell);
        farewell + grace
    }

    /// For how long a caller has been speaking who speaks now, as far as their words have not come.
    pub(super) fn speaks_for(&self) -> Option<Millis> {
        let voice = self.voice.filter(|voice| self.now.since(voice.sounded) < SPEAKS)?;
        Some(self.now.since(voice.began))
    }

    /// Whether there is an agent who hears the caller.
    pub(super) fn agent_listens(&self) -> bool {
        self.session == Session::Ready
    }

    /// Whether the agent has taken its leave, and nothing was heard of the caller for long enough.
    pub(super) fn parted(&self) -> bool {
        let quiet = self.voice.is_none_or(|v| self.now.since(v.sounded) >= self.limits.cut_short);
        self.goodbye && quiet && self.silence >= self.limits.cut_short
    }

    /// Whether caller and agent are on the line, and talk.
    pub(super) fn in_talk(&self) -> bool {
        self.session == Session::Ready && !self.closing && !self.away && !self.ended
    }

    fn somebody_speaks(&self) -> bool {
        self.mid_reply || !self.lines.is_empty() || !self.speech.is_empty()
    }

    fn something_owed(&self) -> bool {
        // Whether another session is awaited or not: somebody must do something.
        let replaced = self.session != Session::Ready && !self.closing;
        let owed = self.reply_owed && !self.closing;
        let cut_short = self.cut_short && !self.patient && self.in_talk();
        let open = replaced || owed || cut_short || !self.functions.is_empty();
        !self.away && !self.ended && open
    }

    /// Whether a voice that is heard now takes something from the caller.
    fn reply_under_way(&self) -> bool {
        self.mid_reply
            || self.speech.keys().any(|utterance| utterance.is_agents())
            || self.lines.values().any(|line| {
                matches!(line.line, LineId::CutShort | LineId::GoOn | LineId::NobodyFree)
            })
            || self.reply_owed
            || !self.functions.is_empty()
    }

    /// Something follows a cut: words, keys, a function, speech.
    fn followed(&mut self) {
        self.cut_short = false;
    }

    /// A sound of the caller's: whoever speaks is not waiting for us, for as long as a reply may be owed.
    fn sound(&mut self) {
        let now = self.now;
        let speaks = self.voice.is_some_and(|v| now.since(v.sounded) < self.limits.cut_short);
        if let Some(voice) = self.voice.as_mut().filter(|_| speaks) {
            voice.sounded = now;
        }
        let long = self.voice.is_some_and(|v| now.since(v.began) > self.limits.reply);
        let cut_short = self.cut_short && !self.reply_owed && self.functions.is_empty();
        if cut_short || (speaks && !long) || self.session != Session::Ready {
            self.dead_since = None;
        }
    }

    /// A voice begins, or goes on: it is the same one while no time for words has passed.
    fn voice(&mut self) {
        let now = self.now;
        let goes_on = self.voice.filter(|v| now.since(v.sounded) < self.limits.cut_short);
        let began = goes_on.map_or(now, |voice| voice.began);
        self.voice = Some(Voice { began, sounded: now });
        self.sound();
    }

    /// Notes since when the caller hears nothing although something is owed. Speech whose end is
    /// known falls silent then, whenever its mark comes back.
    fn watch_air(&mut self) {
        let now = self.now;
        let goes_on = self.speech.values().any(|s| s.audible && s.until.is_none());
        let ends = self.speech.values().filter_map(|speech| speech.until).max();
        if goes_on || !self.something_owed() {
            self.dead_since = None;
        } else if let Some(end) = ends.filter(|end| *end > now) {
            self.dead_since = Some(end);
        } else {
            self.dead_since.get_or_insert(now);
        }
    }

    /// The caller did something: silence begins anew.
    fn caller_active(&mut self, patient: bool) {
        self.silence = Millis(0);
        self.patient = patient;
        self.prompts = 0;
        self.goodbye = false;
    }

    fn due(&mut self, timer: Timer) {
        let now = self.now;
        match timer {
            Timer::PlaybackMark => {
                let mark = self.limits.mark;
                self.marks_are_lost(|until| until + mark <= now);
            }
            Timer::AgentAudioDone => self.mid_reply = false,
            Timer::FunctionLimit => self.functions.retain(|_, running| running.limit > now),
            Timer::SilencePrompt => self.prompts += 1,
            _ => {}
        }
    }

    /// Nothing more is heard of speech that should have been played at such times.
    fn marks_are_lost(&mut self, is_lost: impl Fn(CallTime) -> bool) {
        let lines = &mut self.lines;
        self.speech.retain(|utterance, speech| {
            let lost = speech.until.is_some_and(&is_lost);
            if lost {
                lines.remove(utterance);
            }
            !lost
        });
    }

    fn agent(&mut self, news: &Agent, ignored: bool) {
        match news {
            // Said again of a session that is there, it tells nothing.
            Agent::Ready if self.session == Session::Awaited && !self.ended => {
                self.session = Session::Ready;
                // What a lost session owed, the new one does not know that it owes it.
                self.reply_owed = false;
            }
            Agent::Lost(_) => {
                self.session = Session::None;
                self.followed();
                self.mid_reply = false;
            }
            Agent::CallerStarted => {
                self.mid_reply = false;
                self.voice();
            }
            Agent::AudioDone => self.mid_reply = false,
            Agent::CallerSaid { text, .. } if !ignored => {
                let meaning = meaning(text);
                let listening = self.waits_for_caller();
                let cut_short = self.cut_short;
                let parting = self.goodbye || (cut_short && self.parting.is_some());
                self.voice = None;
                self.caller_active(meaning.moment);
                self.goodbye = parting && meaning.empty;
                if !meaning.empty {
                    self.parting = None;
                }
                // An assent leaves a reply owed that was owed before; a yes into silence is more, unless
                // it was said into a reply or behind a goodbye.
                let answers = meaning.yes && listening && !cut_short && !parting;
                let owed = !meaning.empty || answers;
                self.cut_short = cut_short && !owed && !parting;
                if owed || meaning.moment {
                    self.reply_owed = owed && !meaning.moment;
                }
                self.dead_since = None;
            }
            Agent::Said { utterance, text } if !ignored => {
                self.mid_reply = true;
                self.reply_owed = false;
                match parting(text) {
                    Some(true) => self.parting = Some(*utterance),
                    Some(false) => (self.parting, self.goodbye) = (None, false),
                    None => {}
                }
            }
            Agent::Asked(asks) if !ignored && !asks.is_empty() => {
                self.reply_owed = false;
                self.followed();
                (self.parting, self.goodbye) = (None, false);
            }
            Agent::Withdrew(ids) if !ignored => {
                // What the caller wanted is given up.
                self.cut_short |= ids.iter().any(|id| self.functions.contains_key(id));
                self.functions.retain(|id, running| running.writes || !ids.contains(id));
            }
            _ => {}
        }
    }

    fn carrier(&mut self, news: &Carrier, ignored: bool) {
        match news {
            Carrier::Stopped | Carrier::Lost | Carrier::Dead | Carrier::Completed => {
                self.away = true;
                self.speech.clear();
                self.lines.clear();
            }
            Carrier::Joined => {
                self.away = false;
                if !ignored {
                    // What was on its way in the stream before it is nobody's to hear, whether or not
                    // that one's end was told.
                    self.speech.clear();
                    self.lines.clear();
                }
            }
            Carrier::Key(Key::Digit | Key::Star) if !ignored && self.in_talk() => {
                self.caller_active(false);
                self.followed();
                self.dead_since = None;
            }
            // Without an agent nobody else tells a voice.
            Carrier::Sound if self.session != Session::Ready => self.voice(),
            Carrier::Sound => self.sound(),
            _ => {}
        }
    }

    fn playback(&mut self, news: &Playback) {
        match news {
            Playback::Waits { utterance } => self.speech_comes(*utterance, false),
            Playback::Began { utterance } => self.speech_comes(*utterance, true),
            Playback::Queued { utterance, until, .. } => {
                if let Some(speech) = self.speech.get_mut(utterance) {
                    speech.until = Some(*until);
                }
            }
            Playback::Heard { utterance, .. } | Playback::Cut { utterance, .. } => {
                let whole = matches!(news, Playback::Heard { .. });
                self.goodbye |= whole && self.parting == Some(*utterance);
                let until = self.speech.remove(utterance).and_then(|speech| speech.until);
                self.lines.remove(utterance);
                if let (Playback::Heard { .. }, Some(heard)) = (news, until) {
                    self.marks_are_lost(|until| until <= heard);
                }
            }
            Playback::Dry => {}
        }
    }

    fn speech_comes(&mut self, utterance: UtteranceId, audible: bool) {
        let known = self.speech.contains_key(&utterance);
        let speech = Speech { audible: false, until: None };
        self.speech.entry(utterance).or_insert(speech).audible |= audible;
        if utterance.is_agents() && !known {
            self.followed();
            self.mid_reply = !self.closing;
            self.reply_owed = false;
        }
    }

    fn effect(&mut self, effect: &Effect, cause: &Cause) {
        match effect {
            Effect::OpenAgent { .. } => self.session = Session::Awaited,
            Effect::CloseAgent => self.session = Session::None,
            Effect::Prepare { utterance, line, .. }
            | Effect::Inject { utterance, line, .. }
            | Effect::UseRecording { utterance, line, .. } => {
                self.lines.insert(*utterance, OurLine { line: *line });
                // One moment follows no cut.
                self.cut_short &= *line == LineId::Hold;
                // Whatever was owed, the caller is asked what they want.
                self.reply_owed &= *line != LineId::CutShort;
            }
            Effect::Withdraw { utterance } => drop(self.lines.remove(utterance)),
            Effect::Clear => {
                self.mid_reply = false;
                let (speech, closing) = (&self.speech, self.closing);
                self.lines.retain(|utterance, line| {
                    speech.contains_key(utterance) || (line.line.is_required() && !closing)
                });
            }
            Effect::CutReply => self.mid_reply = false,
            Effect::MuteAgent => {
                self.closing = true;
                self.followed();
                self.mid_reply = false;
                self.reply_owed = false;
                let speech = &self.speech;
                self.lines.retain(|utterance, _| speech.contains_key(utterance));
            }
            Effect::UnmuteAgent => {
                self.closing = false;
                self.away = false;
                if !matches!(cause, Cause::Input(Input::Agent(Agent::CallerSaid { .. }))) {
                    // The call comes back to us: everything begins anew.
                    self.caller_active(false);
                    self.reply_owed = false;
                }
            }
            Effect::Perform { id, function, .. } => {
                let writes = function.is_write();
                let budget = if writes { self.limits.pay } else { self.limits.lookup };
                let running = Running { writes, limit: self.now + budget };
                self.functions.insert(id.clone(), running);
            }
            // Behind tones the other side has the floor.
            Effect::Answer { name, answer: Answer::Done, .. }
                if Function::from_name(name) == Some(Function::PlayDtmf) => {}
            Effect::Answer { .. } => self.reply_owed = !self.closing,
            Effect::GiveKeys { digits } => self.reply_owed |= *digits > 0,
            Effect::HangUp | Effect::Transfer { .. } | Effect::PlayTones { .. } => self.away = true,
            Effect::LeaveStream => self.ended = true,
            _ => {}
        }
    }
}

/// What a voice stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cuttable {
    /// All speech.
    All,
    /// The agent's reply, behind a line that must be heard to its end.
    Reply,
}
