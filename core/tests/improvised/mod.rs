//! Scripts for calls, improvised.
//!
//! Half of a script obliges (it does what the call asked for, as decent carriers, agents and back
//! offices do), half of it is anything at all. So scripts come deep into calls and still misbehave
//! everywhere.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use call_core::{
    Brief, Call, CallTime, Cause, Effect, Input, Language, Limits, Millis, Step, UtteranceId,
    company::FarewellPolicy,
    effect::Function,
    input::{
        Agent, AgentLoss, Carrier, CutReason, FunctionAsk, FunctionEnded, FunctionOutcome, HungUp,
        Key, Line, Operator, Playback, Tones, Transfer,
    },
    step::IdentityCheck,
};

/// What one call was told, and when. Times may go back, as no clock's should.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) brief: Brief,
    pub(crate) told: Vec<(CallTime, Input)>,
    pub(crate) last: CallTime,
}

impl Script {
    pub(crate) fn journal(&self) -> Vec<Step> {
        let (mut call, first) = Call::new(self.brief.clone());
        let mut journal = vec![first];
        for (at, input) in &self.told {
            journal.extend(call.step(*at, input.clone()));
        }
        journal.extend(call.wake(self.last));
        journal
    }

    /// The journal, and everything that time alone brings.
    pub(crate) fn to_its_end(&self) -> Vec<Step> {
        let mut journal = self.journal();
        let (mut call, _) = Call::new(self.brief.clone());
        for (at, input) in &self.told {
            call.step(*at, input.clone());
        }
        call.wake(self.last);
        while let Some((due, _)) = call.poll_timeout() {
            journal.extend(call.wake(due));
        }
        journal
    }
}

/// What shall happen next.
#[derive(Debug, Clone)]
enum Wish {
    /// Something that the call waits for.
    Oblige(usize),
    /// Something else.
    Tell(Input),
}

/// How long nothing happens before.
#[derive(Debug, Clone, Copy)]
enum Pause {
    Millis(u64),
    /// Until the next deadline, to the millisecond.
    Deadline,
    /// A clock that goes back.
    Back(u64),
}

pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    let plan = vec((pauses(), wishes()), 0..80);
    (briefs(), any::<bool>(), plan).prop_map(|(brief, deep, plan)| improvise(brief, deep, plan))
}

fn improvise(brief: Brief, deep: bool, plan: Vec<(Pause, Wish)>) -> Script {
    let (call, first) = Call::new(brief.clone());
    let mut stage =
        Stage { call, now: CallTime::ZERO, awaited: Awaited::default(), told: Vec::new() };
    stage.awaited.learn(&first);
    if deep {
        prelude().into_iter().for_each(|input| stage.tell(stage.now, input));
    }
    for (pause, wish) in plan {
        let at = match pause {
            Pause::Millis(millis) => stage.now + Millis(millis),
            Pause::Deadline => stage.call.poll_timeout().map_or(stage.now, |(due, _)| due),
            Pause::Back(millis) => {
                CallTime::from_millis(stage.now.as_millis().saturating_sub(millis))
            }
        };
        let input = match wish {
            Wish::Oblige(pick) => stage.awaited.take(pick),
            Wish::Tell(input) => Some(input),
        };
        match input {
            Some(input) => stage.tell(at, input),
            None => stage.now = stage.now.max(at),
        }
    }
    Script { brief, told: stage.told, last: stage.now }
}

/// A call for which a script is being improvised.
struct Stage {
    call: Call,
    now: CallTime,
    awaited: Awaited,
    told: Vec<(CallTime, Input)>,
}

impl Stage {
    fn tell(&mut self, at: CallTime, input: Input) {
        self.now = self.now.max(at);
        self.told.push((at, input.clone()));
        let steps = self.call.step(at, input);
        steps.iter().for_each(|step| self.awaited.learn(step));
        // What is stopped is told of at once.
        if steps.iter().any(|step| step.effects.contains(&Effect::Clear)) {
            self.awaited.cuts().into_iter().for_each(|cut| self.tell(self.now, cut));
        }
    }
}

/// Brings a call to where payments are made: greeted, connected, verified.
fn prelude() -> Vec<Input> {
    let utterance = UtteranceId::Line(1);
    let audio = Millis(2_000);
    let lookup = FunctionAsk {
        id: "f0".into(),
        name: "lookup_loan".into(),
        arguments: "{}".into(),
        fingerprint: "00".into(),
        target: None,
        tones: None,
        fault: None,
    };
    vec![
        Input::Agent(Agent::Ready),
        Input::Line(ready(utterance)),
        Input::Playback(Playback::Began { utterance }),
        Input::Playback(Playback::Heard { utterance, audio }),
        Input::Agent(Agent::Asked(vec![lookup])),
        Input::Function(FunctionEnded {
            id: "f0".into(),
            outcome: FunctionOutcome::Done,
            identity: both_factors(),
            disclosed: Vec::new(),
        }),
    ]
}

/// What the call has a right to be told.
#[derive(Default)]
struct Awaited(Vec<Input>);

impl Awaited {
    fn take(&mut self, pick: usize) -> Option<Input> {
        if self.0.is_empty() { None } else { Some(self.0.remove(pick % self.0.len())) }
    }

    /// All speech that is on its way is cut.
    fn cuts(&mut self) -> Vec<Input> {
        let (heard, audio) = (Millis(1_000), Millis(2_000));
        let mut cuts = Vec::new();
        self.0.retain(|awaited| match awaited {
            Input::Playback(
                Playback::Began { utterance }
                | Playback::Queued { utterance, .. }
                | Playback::Heard { utterance, .. },
            ) => {
                let utterance = *utterance;
                let why = CutReason::Stopped;
                let cut = Playback::Cut { utterance, heard, audio, whole: true, why };
                cuts.push(Input::Playback(cut));
                false
            }
            _ => true,
        });
        cuts
    }

    fn learn(&mut self, step: &Step) {
        match &step.cause {
            Cause::Input(Input::Playback(news)) => {
                self.0.extend(next_news(news, step.at).map(Input::Playback));
            }
            // Its audio follows its words.
            Cause::Input(
                Input::Line(Line::Spoken { utterance, .. })
                | Input::Agent(Agent::Said { utterance, .. }),
            ) => {
                self.0.push(Input::Playback(Playback::Began { utterance: *utterance }));
            }
            Cause::Input(Input::Carrier(Carrier::Transfer(Transfer::Accepted))) => {
                self.0.push(Input::Carrier(Carrier::Stopped));
                self.0.push(Input::Carrier(Carrier::Transfer(Transfer::Busy)));
                self.0.push(Input::Carrier(Carrier::Joined));
            }
            Cause::Input(Input::Carrier(Carrier::Tones(Tones::Accepted))) => {
                self.0.push(Input::Carrier(Carrier::Stopped));
                self.0.push(Input::Carrier(Carrier::Joined));
            }
            _ => {}
        }
        for effect in &step.effects {
            self.0.extend(confirmation(effect));
        }
    }
}

/// What becomes of speech next, if nothing comes between.
fn next_news(news: &Playback, at: CallTime) -> Option<Playback> {
    let audio = Millis(2_000);
    match news {
        Playback::Waits { utterance } => Some(Playback::Began { utterance: *utterance }),
        Playback::Began { utterance } => {
            Some(Playback::Queued { utterance: *utterance, audio, until: at + audio })
        }
        Playback::Queued { utterance, .. } => {
            Some(Playback::Heard { utterance: *utterance, audio })
        }
        _ => None,
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
    let factor = |name: &str| IdentityCheck { factor: name.into(), ok: true };
    vec![factor("date_of_birth"), factor("zip")]
}

fn ready(utterance: UtteranceId) -> Line {
    Line::Ready { utterance, text: "Words.".into(), version: 1, audio: Millis(2_000) }
}

fn spoken(utterance: UtteranceId) -> Line {
    Line::Spoken { utterance, text: "Words.".into(), version: 1 }
}

fn briefs() -> impl Strategy<Value = Brief> {
    let every: Vec<_> = Function::ALL.into_iter().map(|f| f.name().to_string()).collect();
    let offered = prop_oneof![3 => Just(every.clone()), 1 => subsequence(every, 0..=5)];
    let targets = subsequence(vec!["front-desk".to_string(), "hardship".to_string()], 0..=2);
    let languages = subsequence(Language::ALL.to_vec(), 1..=2);
    let farewell =
        prop_oneof![1 => Just(FarewellPolicy::Lock), 2 => Just(FarewellPolicy::ReopenOnce)];
    let limits = prop_oneof![Just(Limits::default()), limits()];
    (offered, targets, languages, farewell, limits).prop_map(
        |(functions, transfer_targets, languages, farewell, limits)| Brief {
            functions,
            transfer_targets,
            languages,
            farewell,
            limits,
            ..Brief::example()
        },
    )
}

/// Limits that some company may want, in any proportion to each other.
fn limits() -> impl Strategy<Value = Limits> {
    let length = || (500_u64..=40_000).prop_map(Millis);
    let call = (5_000_u64..=1_800_000).prop_map(Millis);
    (proptest::array::uniform23(length()), call).prop_map(|(lengths, call)| {
        let mut lengths = lengths.into_iter();
        let mut length = || lengths.next().expect("one for each limit");
        let limits = Limits {
            patience: length(),
            key_gap: length(),
            reconnect: length(),
            reconnect_gap: length(),
            agent_speech: length(),
            transfer: length(),
            tones: length(),
            call_warning: length(),
            pay: length(),
            agent_ready: length(),
            line_ready: length(),
            line_injected: length(),
            silence_prompt: length(),
            long_turn: length(),
            silence_farewell: length(),
            filler: length(),
            cut_short: length(),
            reply: length(),
            agent_audio_done: length(),
            mark: length(),
            lookup: length(),
            farewell: length(),
            hang_up: length(),
            call,
        };
        assert_eq!(lengths.next(), None, "no more than limits");
        limits
    })
}

fn pauses() -> impl Strategy<Value = Pause> {
    prop_oneof![
        6 => (0_u64..=400).prop_map(Pause::Millis),
        3 => (0_u64..=5_000).prop_map(Pause::Millis),
        1 => (0_u64..=70_000).prop_map(Pause::Millis),
        2 => Just(Pause::Deadline),
        1 => (0_u64..=5_000).prop_map(Pause::Back),
    ]
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        5 => (0_usize..8).prop_map(Wish::Oblige),
        4 => talk().prop_map(Wish::Tell),
        1 => mishaps().prop_map(Wish::Tell),
    ]
}

/// What people say: nothing, an assent, a question, and what changes a call.
const WORDS: [&str; 9] = [
    "",
    "Goodbye!",
    "Yes.",
    "OK, bye.",
    "How much is it?",
    "Wait, one more thing.",
    "Quiero hacer mi pago.",
    "Hold on.",
    "A representative please.",
];

/// What happens all the time.
fn talk() -> impl Strategy<Value = Input> {
    let said = || proptest::sample::select(&WORDS[..]).prop_map(String::from);
    let language = proptest::option::of(proptest::sample::select(&Language::ALL[..]));
    let sentences = || (1_u32..5).prop_map(UtteranceId::Agent);
    prop_oneof![
        2 => Just(Input::Agent(Agent::CallerStarted)),
        2 => (said(), language).prop_map(|(text, language)| {
            Input::Agent(Agent::CallerSaid { text, language, since_sound: None })
        }),
        2 => (sentences(), said())
            .prop_map(|(utterance, text)| Input::Agent(Agent::Said { utterance, text })),
        2 => sentences().prop_map(|utterance| Input::Playback(Playback::Began { utterance })),
        2 => Just(Input::Agent(Agent::AudioDone)),
        2 => vec(asks(), 0..3).prop_map(|asks| Input::Agent(Agent::Asked(asks))),
        2 => Just(Input::Carrier(Carrier::Sound)),
        2 => keys().prop_map(|key| Input::Carrier(Carrier::Key(key))),
    ]
}

/// What happens too.
fn mishaps() -> impl Strategy<Value = Input> {
    let hung_up = prop_oneof![Just(HungUp::Done), Just(HungUp::Failed)];
    prop_oneof![
        1 => Just(Input::Carrier(Carrier::Stopped)),
        1 => Just(Input::Carrier(Carrier::Lost)),
        1 => Just(Input::Carrier(Carrier::Dead)),
        1 => hung_up.prop_map(|how| Input::Carrier(Carrier::HungUp(how))),
        1 => Just(Input::Agent(Agent::Ready)),
        3 => losses().prop_map(|loss| Input::Agent(Agent::Lost(loss))),
        4 => transfer_news().prop_map(|news| Input::Carrier(Carrier::Transfer(news))),
        1 => Just(Input::Carrier(Carrier::Joined)),
        1 => Just(Input::Carrier(Carrier::Completed)),
        2 => proptest::sample::select(vec![Tones::Accepted, Tones::Refused, Tones::Gone])
            .prop_map(|news| Input::Carrier(Carrier::Tones(news))),
        2 => operators().prop_map(Input::Operator),
        1 => Just(Input::Agent(Agent::Warned("SLOW".into()))),
        4 => vec(ids(), 0..3).prop_map(|ids| Input::Agent(Agent::Withdrew(ids))),
        4 => functions_ended().prop_map(Input::Function),
        6 => utterances().prop_map(|utterance| Input::Line(ready(utterance))),
        6 => utterances().prop_map(|utterance| Input::Line(Line::Failed { utterance })),
        6 => utterances().prop_map(|utterance| Input::Line(Line::Refused { utterance })),
        2 => utterances().prop_map(|utterance| Input::Line(spoken(utterance))),
        20 => playback().prop_map(Input::Playback),
    ]
}

fn playback() -> impl Strategy<Value = Playback> {
    let lengths = || (0_u64..5_000).prop_map(Millis);
    let times = (0_u64..100_000).prop_map(CallTime::from_millis);
    prop_oneof![
        utterances().prop_map(|utterance| Playback::Waits { utterance }),
        utterances().prop_map(|utterance| Playback::Began { utterance }),
        (utterances(), lengths(), times).prop_map(|(utterance, audio, until)| Playback::Queued {
            utterance,
            audio,
            until
        }),
        (utterances(), lengths())
            .prop_map(|(utterance, audio)| Playback::Heard { utterance, audio }),
        (utterances(), lengths(), lengths(), any::<bool>()).prop_map(
            |(utterance, heard, audio, whole)| Playback::Cut {
                utterance,
                heard,
                audio,
                whole,
                why: CutReason::Stopped,
            }
        ),
        Just(Playback::Dry),
    ]
}

fn functions_ended() -> impl Strategy<Value = FunctionEnded> {
    let outcome = prop_oneof![
        Just(FunctionOutcome::Done),
        Just(FunctionOutcome::Failed("unavailable".into()))
    ];
    let check = any::<bool>().prop_map(|ok| IdentityCheck { factor: "zip".into(), ok });
    let disclosed = subsequence(vec!["balance".to_string()], 0..=1);
    (ids(), outcome, vec(check, 0..3), disclosed).prop_map(|(id, outcome, identity, disclosed)| {
        FunctionEnded { id, outcome, identity, disclosed }
    })
}

fn asks() -> impl Strategy<Value = FunctionAsk> {
    let names = prop_oneof![
        6 => Just("lookup_loan"),
        8 => Just("make_payment"),
        1 => Just("transfer_call"),
        4 => Just("play_dtmf"),
        2 => Just("hangup_call"),
        1 => Just("fly"),
    ];
    let fingerprints = prop_oneof![3 => Just("00"), 1 => Just("01")];
    let target = proptest::option::of(targets());
    let fault = proptest::option::weighted(0.1, Just("account is missing".to_string()));
    (ids(), names, fingerprints, target, fault).prop_map(
        |(id, name, fingerprint, target, fault)| FunctionAsk {
            id,
            name: name.into(),
            arguments: "{}".into(),
            fingerprint: fingerprint.into(),
            target,
            tones: Some(3),
            fault,
        },
    )
}

fn targets() -> impl Strategy<Value = String> {
    prop_oneof![Just("front-desk"), Just("hardship"), Just("the-moon")].prop_map(String::from)
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![8 => Just(Key::Digit), 1 => Just(Key::Star), 1 => Just(Key::Pound)]
}

fn losses() -> impl Strategy<Value = AgentLoss> {
    prop_oneof![
        Just(AgentLoss::Closed),
        Just(AgentLoss::Unreachable),
        Just(AgentLoss::Refused(401)),
        Just(AgentLoss::Refused(429)),
        Just(AgentLoss::Error("INTERNAL".into())),
        Just(AgentLoss::Hopeless("INVALID_SETTINGS".into())),
    ]
}

fn transfer_news() -> impl Strategy<Value = Transfer> {
    proptest::sample::select(&Transfer::ALL[..])
}

fn operators() -> impl Strategy<Value = Operator> {
    prop_oneof![
        3 => (0_u64..100_000).prop_map(|within| Operator::Drain { within: Millis(within) }),
        1 => Just(Operator::HangUp),
        1 => targets().prop_map(|target| Operator::Transfer { target }),
    ]
}

fn ids() -> impl Strategy<Value = String> {
    (1_u32..6).prop_map(|number| format!("f{number}"))
}

fn utterances() -> impl Strategy<Value = UtteranceId> {
    prop_oneof![(1_u32..8).prop_map(UtteranceId::Line), (1_u32..5).prop_map(UtteranceId::Agent),]
}
