//! What a call is told: what it waits for, or anything.

use call_core::effect::{Effect, Function};
use call_core::input::{
    Agent, AgentLoss, Carrier, CutReason, FunctionAsk, FunctionEnded, FunctionOutcome, HungUp, Key,
    Line, Operator, Playback, Tones, Transfer,
};
use call_core::step::IdentityCheck;
use call_core::{CallTime, Cause, Input, Language, Millis, Step, UtteranceId};

use crate::bytes::Bytes;

/// How long everything lasts that is said.
const AUDIO: Millis = Millis(2_000);

/// What people say: nothing, an assent, a question, and what changes a call.
const WORDS: [&str; 8] = [
    "",
    "Yes.",
    "OK, bye.",
    "How much is it?",
    "Wait, one more thing.",
    "Quiero hacer mi pago.",
    "Hold on.",
    "A representative please.",
];

/// Our own playout has told the next thing about speech by then.
const PLAYOUT_MAX: Millis = Millis::from_secs(5);

/// How the carrier answers a request to transfer.
const ANSWERS: [Transfer; 5] =
    [Transfer::Accepted, Transfer::Accepted, Transfer::Accepted, Transfer::Refused, Transfer::Gone];

/// How it answers a request to play tones.
const TONES: [Tones; 4] = [Tones::Accepted, Tones::Accepted, Tones::Refused, Tones::Gone];

/// What a transfer comes to that it took. It tells so once.
const OUTCOMES: [Transfer; 4] =
    [Transfer::Completed, Transfer::Busy, Transfer::NoAnswer, Transfer::Failed];

/// What the call has a right to be told, in the order in which it came about.
#[derive(Default)]
pub(super) struct Awaited(Vec<Due>);

struct Due {
    /// When it comes at the latest; nothing if it may never come.
    by: Option<CallTime>,
    input: Input,
}

impl Awaited {
    /// One of the things that may come now.
    pub(super) fn take(&mut self, bytes: &mut Bytes<'_>) -> Option<Input> {
        let pick = usize::from(bytes.below(8));
        if self.0.is_empty() {
            return None;
        }
        let place = pick % self.0.len();
        // A line may be told to be ready twice.
        if let Input::Line(line @ Line::Ready { .. }) = &self.0[place].input
            && bytes.in_256(32)
        {
            return Some(Input::Line(line.clone()));
        }
        Some(match self.0.remove(place).input {
            Input::Carrier(Carrier::Transfer(Transfer::Accepted)) => {
                Input::Carrier(Carrier::Transfer(bytes.pick(&ANSWERS)))
            }
            Input::Carrier(Carrier::Transfer(Transfer::Busy)) => {
                Input::Carrier(Carrier::Transfer(bytes.pick(&OUTCOMES)))
            }
            Input::Carrier(Carrier::Tones(_)) => Input::Carrier(Carrier::Tones(bytes.pick(&TONES))),
            Input::Line(Line::Spoken { utterance, .. }) => Input::Line(match bytes.below(8) {
                0 => Line::Refused { utterance },
                1 => Line::Failed { utterance },
                _ => spoken(utterance),
            }),
            input => input,
        })
    }

    /// Speech was stopped: what would have become of it does not, and it was cut.
    fn cut(&mut self, at: CallTime, stopped: impl Fn(UtteranceId) -> bool) {
        for due in &mut self.0 {
            if let Input::Playback(news) = &due.input
                && let Some(utterance) = utterance_of(news).filter(|name| stopped(*name))
            {
                let (heard, why) = (Millis(0), CutReason::Stopped);
                let news = Playback::Cut { utterance, heard, audio: AUDIO, whole: true, why };
                *due = Due { by: Some(at + PLAYOUT_MAX), input: Input::Playback(news) };
            }
        }
    }

    /// The first of the things that must come by this time.
    pub(super) fn overdue(&mut self, at: CallTime) -> Option<(CallTime, Input)> {
        let due = self.0.iter().filter_map(|due| due.by).min().filter(|by| *by <= at)?;
        let place = self.0.iter().position(|other| other.by == Some(due))?;
        Some((due, self.0.remove(place).input))
    }

    pub(super) fn learn(&mut self, step: &Step) {
        match &step.cause {
            Cause::Input(Input::Playback(news)) => {
                let input = next_news(news, step.at).map(Input::Playback);
                let by = Some(step.at + PLAYOUT_MAX);
                self.0.extend(input.map(|input| Due { by, input }));
            }
            // Its audio follows its words, if they were asked for.
            Cause::Input(Input::Line(Line::Spoken { utterance, .. })) if !step.ignored => {
                let input = Input::Playback(Playback::Began { utterance: *utterance });
                self.0.push(Due { by: Some(step.at + PLAYOUT_MAX), input });
            }
            Cause::Input(Input::Carrier(Carrier::Tones(Tones::Accepted))) => {
                self.carrier(Carrier::Stopped);
                self.carrier(Carrier::Joined);
            }
            Cause::Input(Input::Carrier(Carrier::Transfer(Transfer::Accepted))) => {
                self.carrier(Carrier::Stopped);
                self.carrier(Carrier::Transfer(Transfer::Busy));
            }
            // The caller is led back by our answer to this news, so never before it.
            Cause::Input(Input::Carrier(Carrier::Transfer(
                Transfer::Busy | Transfer::NoAnswer | Transfer::Failed,
            ))) => self.carrier(Carrier::Joined),
            _ => {}
        }
        for effect in &step.effects {
            match effect {
                Effect::Clear => self.cut(step.at, |_| true),
                Effect::CutReply => self.cut(step.at, UtteranceId::is_agents),
                _ => {}
            }
            let playout = matches!(effect, Effect::Play { .. });
            let by = playout.then(|| step.at + PLAYOUT_MAX);
            self.0.extend(confirmation(effect).map(|input| Due { by, input }));
        }
    }

    fn carrier(&mut self, news: Carrier) {
        self.0.push(Due { by: None, input: Input::Carrier(news) });
    }
}

/// What becomes of speech next, if nothing comes between.
fn next_news(news: &Playback, at: CallTime) -> Option<Playback> {
    match *news {
        Playback::Waits { utterance } => Some(Playback::Began { utterance }),
        Playback::Began { utterance } => {
            Some(Playback::Queued { utterance, audio: AUDIO, until: at + AUDIO })
        }
        Playback::Queued { utterance, audio, .. } => Some(Playback::Heard { utterance, audio }),
        _ => None,
    }
}

fn utterance_of(news: &Playback) -> Option<UtteranceId> {
    match *news {
        Playback::Waits { utterance }
        | Playback::Began { utterance }
        | Playback::Queued { utterance, .. }
        | Playback::Heard { utterance, .. }
        | Playback::Cut { utterance, .. } => Some(utterance),
        Playback::Dry => None,
    }
}

/// What confirms an effect.
fn confirmation(effect: &Effect) -> Option<Input> {
    match effect {
        Effect::OpenAgent { .. } => Some(Input::Agent(Agent::Ready)),
        Effect::Prepare { utterance, .. } | Effect::UseRecording { utterance, .. } => {
            Some(Input::Line(ready(*utterance)))
        }
        Effect::Inject { utterance, .. } => Some(Input::Line(spoken(*utterance))),
        Effect::Play { utterance } => {
            Some(Input::Playback(Playback::Began { utterance: *utterance }))
        }
        Effect::Perform { id, function, .. } => Some(Input::Function(FunctionEnded {
            id: id.clone(),
            outcome: FunctionOutcome::Done,
            identity: if function.is_write() { Vec::new() } else { both_factors() },
            disclosed: Vec::new(),
        })),
        Effect::HangUp => Some(Input::Carrier(Carrier::HungUp(HungUp::Done))),
        Effect::PlayTones { .. } => Some(Input::Carrier(Carrier::Tones(Tones::Accepted))),
        Effect::Transfer { .. } => Some(Input::Carrier(Carrier::Transfer(Transfer::Accepted))),
        _ => None,
    }
}

fn both_factors() -> Vec<IdentityCheck> {
    ["date_of_birth", "zip"].map(|factor| IdentityCheck { factor: factor.into(), ok: true }).into()
}

fn ready(utterance: UtteranceId) -> Line {
    Line::Ready { utterance, text: "Words.".into(), version: 1, audio: AUDIO }
}

fn spoken(utterance: UtteranceId) -> Line {
    Line::Spoken { utterance, text: "Words.".into(), version: 1 }
}

/// Anything that can happen to a call, whether or not it can happen now. What becomes of lines of
/// ours only we tell ourselves, and only of those that were asked for: they can fail at any time here,
/// and all else of them is [`Awaited`].
pub(super) fn any(bytes: &mut Bytes<'_>) -> Input {
    match bytes.below(23) {
        0..=2 => Input::Agent(Agent::CallerStarted),
        3 | 4 => Input::Agent(Agent::CallerSaid {
            text: bytes.pick(&WORDS).to_owned(),
            language: bytes.pick(&[None, Some(Language::English), Some(Language::Spanish)]),
            since_sound: None,
        }),
        5 | 6 => Input::Agent(Agent::Said {
            utterance: sentence(bytes),
            text: bytes.pick(&WORDS).to_owned(),
        }),
        7 => Input::Playback(Playback::Began { utterance: sentence(bytes) }),
        8 => Input::Agent(Agent::AudioDone),
        9..=11 => Input::Agent(Agent::Asked((0..=bytes.below(2)).map(|_| ask(bytes)).collect())),
        12 => Input::Carrier(Carrier::Key(bytes.pick(&[
            Key::Digit,
            Key::Digit,
            Key::Digit,
            Key::Star,
            Key::Pound,
        ]))),
        13 => Input::Agent(Agent::Withdrew((0..bytes.below(3)).map(|_| id(bytes)).collect())),
        14 => Input::Function(FunctionEnded {
            id: id(bytes),
            outcome: match bytes.below(2) {
                0 => FunctionOutcome::Done,
                _ => FunctionOutcome::Failed("unavailable".into()),
            },
            identity: vec![IdentityCheck { factor: "zip".into(), ok: bytes.in_256(128) }],
            disclosed: Vec::new(),
        }),
        15 => Input::Line(match bytes.below(2) {
            0 => Line::Refused { utterance: utterance(bytes) },
            _ => Line::Failed { utterance: utterance(bytes) },
        }),
        16..=19 => Input::Playback(playback(bytes)),
        20 => Input::Operator(operator(bytes)),
        21 => Input::Agent(agent_trouble(bytes)),
        _ => Input::Carrier(carrier(bytes)),
    }
}

fn sentence(bytes: &mut Bytes<'_>) -> UtteranceId {
    UtteranceId::Agent(1 + u32::from(bytes.below(5)))
}

fn utterance(bytes: &mut Bytes<'_>) -> UtteranceId {
    match bytes.below(12) {
        line @ 0..8 => UtteranceId::Line(1 + u32::from(line)),
        other => UtteranceId::Agent(u32::from(other) - 7),
    }
}

fn id(bytes: &mut Bytes<'_>) -> String {
    format!("f{}", bytes.below(6))
}

fn ask(bytes: &mut Bytes<'_>) -> FunctionAsk {
    let [lookup, pay, transfer, tones, hang_up] = Function::ALL.map(Function::name);
    FunctionAsk {
        id: id(bytes),
        name: bytes.pick(&[lookup, pay, transfer, tones, hang_up, "fly"]).into(),
        arguments: "{}".into(),
        fingerprint: bytes.pick(&["00", "00", "01"]).into(),
        target: bytes.pick(&[None, Some("front-desk"), Some("the-moon")]).map(Into::into),
        tones: bytes.pick(&[None, Some(0), Some(3), Some(32)]),
        fault: if bytes.in_256(16) { Some("account is missing".into()) } else { None },
    }
}

fn playback(bytes: &mut Bytes<'_>) -> Playback {
    let (kind, utterance) = (bytes.below(6), sentence(bytes));
    let mut length = || Millis(u64::from(bytes.next()) * 20);
    match kind {
        0 => Playback::Waits { utterance },
        1 => Playback::Began { utterance },
        2 => Playback::Queued { utterance, audio: length(), until: CallTime::ZERO + length() },
        3 => Playback::Heard { utterance, audio: length() },
        4 => Playback::Cut {
            utterance,
            heard: length(),
            audio: length(),
            whole: true,
            why: CutReason::Stopped,
        },
        _ => Playback::Dry,
    }
}

fn operator(bytes: &mut Bytes<'_>) -> Operator {
    match bytes.below(3) {
        0 => Operator::Drain { within: Millis(bytes.long()) },
        1 => Operator::HangUp,
        _ => Operator::Transfer { target: bytes.pick(&["front-desk", "the-moon"]).into() },
    }
}

fn agent_trouble(bytes: &mut Bytes<'_>) -> Agent {
    match bytes.below(8) {
        0 => Agent::Ready,
        1 => Agent::Warned("SLOW".into()),
        2 => Agent::Lost(AgentLoss::Unreachable),
        3 => Agent::Lost(AgentLoss::Refused(401)),
        4 => Agent::Lost(AgentLoss::Refused(429)),
        5 => Agent::Lost(AgentLoss::Error("INTERNAL".into())),
        6 => Agent::Lost(AgentLoss::Hopeless("INVALID_SETTINGS".into())),
        _ => Agent::Lost(AgentLoss::Closed),
    }
}

fn carrier(bytes: &mut Bytes<'_>) -> Carrier {
    match bytes.below(9) {
        0 => Carrier::Stopped,
        1 => Carrier::Lost,
        2 => Carrier::Dead,
        3 => Carrier::Completed,
        4 => Carrier::Joined,
        5 => Carrier::HungUp(HungUp::Done),
        6 => Carrier::HungUp(HungUp::Failed),
        7 => Carrier::Tones(bytes.pick(&TONES)),
        _ => Carrier::Transfer(bytes.pick(&Transfer::ALL)),
    }
}
