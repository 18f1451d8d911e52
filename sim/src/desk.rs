//! The simulator's world: virtual time, and the cast at one table.
//!
//! Nothing here waits. Time jumps to the next thing that anybody does, so an hour of talk takes
//! milliseconds, and the same file gives the same call on every machine.

use std::collections::VecDeque;
use std::path::Path;

use call_core::company::{AgentConfig, CallDetails};
use call_core::effect::{Effect, Function};
use call_core::input::{Carrier as CarrierNews, HungUp, Input};
use call_core::redact::mask_phone;
use call_core::story::story;
use call_core::{Call, CallTime, Millis, Step, Stimulus, UtteranceId, World};
use call_transports::bridge::{Bridge, Clip, Outlet};
use call_transports::deepgram::{AgentProfile, ClientMessage, decode_client, encode_client};
use call_transports::functions::{self, Ended};
use call_transports::twilio::media::{FromTwilio, Media, ToTwilio, Track};
use call_transports::twilio::rest::{HangUpOutcome, hang_up_outcome};
use futures::FutureExt as _;
use locales::Locale;

use crate::cast::agent::{Agent, AgentSays, CONNECT_MS};
use crate::cast::carrier::{Carrier, CarrierSays};
use crate::cast::schedule::Schedule;
use crate::cast::voice;
use crate::scenario::{Problem, Scenario};
use crate::verdict::{Verdict, judge};

/// Simulated calls are answered at this moment: 2 March 2026, 15:00 UTC.
const UTC_START_MS: u64 = 1_772_463_600_000;

/// Simulated fingerprints are keyed too, always with the same key.
const FINGERPRINT_KEY: &[u8] = b"the simulator's key is no secret";

/// A call that was played.
#[derive(Debug)]
pub struct Played {
    /// What the call was about.
    pub title: String,
    /// The journal.
    pub steps: Vec<Step>,
    /// The judgements.
    pub verdicts: Vec<Verdict>,
}

impl Played {
    /// The story of the call.
    pub fn story(&self) -> String {
        story(&self.steps)
    }

    /// Whether every verdict held.
    pub fn held(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.held)
    }
}

/// Reads a scenario file and plays it.
///
/// # Errors
///
/// When the file, its company or its recordings are not sound.
pub fn play(path: &Path) -> Result<Played, Box<Problem>> {
    Ok(play_scenario(Scenario::load(path)?))
}

/// Plays a scenario.
pub fn play_scenario(scenario: Scenario) -> Played {
    let brief = scenario.company.brief(CallDetails {
        call: "CA00000000000000000000000000000001".to_owned(),
        from: mask_phone(&scenario.from),
        to: mask_phone(&scenario.to),
        language: scenario.language,
        utc_start_ms: UTC_START_MS,
        prompt_hash: "simulated".to_owned(),
    });
    let (call, first) = Call::new(brief);
    let mut desk = Desk::new(scenario);
    call_core::run(call, first, &mut desk)
        .now_or_never()
        .expect("the simulator's world is always ready");
    let verdicts = judge(&desk.steps, &desk.scenario.expect, &desk.legs.carrier);
    Played { title: desk.scenario.title, steps: desk.steps, verdicts }
}

/// The profile that the company's agent would be given. The simulated agent follows its script.
fn profile(company: &str, agent: &AgentConfig) -> AgentProfile {
    AgentProfile {
        tags: vec![company.to_owned()],
        listen_model: agent.listen_model.clone(),
        language_hints: Vec::new(),
        keyterms: agent.keyterms.clone(),
        think_provider: agent.think_provider.clone(),
        think_model: agent.think_model.clone(),
        prompt: agent.prompt.clone(),
        voice: agent.voice.clone(),
        functions: Vec::new(),
        context: Vec::new(),
    }
}

/// Work that takes a while.
enum Job {
    AgentConnected,
    LineReady(UtteranceId, Option<Clip>),
    FunctionEnded(Ended),
}

struct Desk {
    scenario: Scenario,
    bridge: Bridge,
    legs: Legs,
    jobs: Schedule<Job>,
    steps: Vec<Step>,
}

/// The two legs of the call, as the bridge reaches them.
struct Legs {
    now: CallTime,
    carrier: Carrier,
    agent: Option<Agent>,
    inputs: VecDeque<Input>,
}

impl Outlet for Legs {
    fn to_carrier(&mut self, message: ToTwilio<'_>) {
        self.carrier.receive(self.now, &message);
    }

    fn audio_to_agent(&mut self, audio: &[u8]) {
        if let Some(agent) = &mut self.agent {
            agent.receive_audio(self.now, audio);
        }
    }

    fn to_agent(&mut self, message: ClientMessage) {
        if let Some(agent) = &mut self.agent {
            // As it would be on the wire, so that the agent refuses what the real one refuses.
            agent.receive(self.now, decode_client(&encode_client(&message)));
        }
    }

    fn input(&mut self, input: Input) {
        self.inputs.push_back(input);
    }
}

impl Desk {
    fn new(scenario: Scenario) -> Self {
        let agent = scenario
            .company
            .agent(scenario.language)
            .expect("a scenario is only sound with an agent in its language");
        let profile = profile(&scenario.company.id, agent);
        Self {
            bridge: Bridge::new(profile, FINGERPRINT_KEY.to_vec()),
            legs: Legs {
                now: CallTime::ZERO,
                carrier: Carrier::new(scenario.caller()),
                agent: None,
                inputs: VecDeque::new(),
            },
            jobs: Schedule::default(),
            steps: Vec::new(),
            scenario,
        }
    }

    /// When anybody at the table does something next.
    fn next_event(&self) -> Option<CallTime> {
        let agent = self.legs.agent.as_ref().and_then(Agent::poll_timeout);
        [
            self.legs.carrier.poll_timeout(),
            agent,
            self.jobs.poll_timeout(),
            self.bridge.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Lets everybody do what is due now.
    fn turn_around(&mut self) {
        let now = self.legs.now;
        while let Some(says) = self.legs.carrier.due(now) {
            self.carrier_says(says);
        }
        while let Some(says) = self.legs.agent.as_mut().and_then(|agent| agent.due(now)) {
            self.agent_says(says);
        }
        while let Some(job) = self.jobs.due(now) {
            self.finished(job);
        }
        self.bridge.wake(now, &mut self.legs);
    }

    fn carrier_says(&mut self, says: CarrierSays) {
        let now = self.legs.now;
        let message = match says {
            CarrierSays::Frame { chunk, timestamp_ms, audio } => {
                let media = Media {
                    track: Track::Inbound,
                    chunk: Some(chunk),
                    timestamp_ms: Some(timestamp_ms),
                    payload: audio.as_slice(),
                };
                self.bridge.from_carrier(now, &FromTwilio::Media(media), &mut self.legs);
                return;
            }
            CarrierSays::Mark(name) => FromTwilio::Mark { name: name.into() },
            CarrierSays::Stop => FromTwilio::Stop { account_sid: None, call_sid: None },
            CarrierSays::Close => return,
            CarrierSays::HungUp { status, body } => {
                let how = match hang_up_outcome(status, body.as_bytes()) {
                    HangUpOutcome::Done | HangUpOutcome::AlreadyOver => HungUp::Done,
                    _ => HungUp::Failed,
                };
                self.legs.input(Input::Carrier(CarrierNews::HungUp(how)));
                return;
            }
        };
        self.bridge.from_carrier(now, &message, &mut self.legs);
    }

    fn agent_says(&mut self, says: AgentSays) {
        let now = self.legs.now;
        match says {
            AgentSays::Text(message) => self.bridge.from_agent(now, *message, &mut self.legs),
            AgentSays::Audio(audio) => self.bridge.agent_audio(now, &audio, &mut self.legs),
            AgentSays::Close => {
                self.legs.agent = None;
                self.bridge.agent_lost(call_core::input::AgentLoss::Closed, &mut self.legs);
            }
        }
    }

    fn finished(&mut self, job: Job) {
        match job {
            Job::AgentConnected => self.legs.agent = Some(self.scenario.agent(self.legs.now)),
            Job::LineReady(utterance, clip) => {
                self.bridge.line_ready(utterance, clip, &mut self.legs);
            }
            Job::FunctionEnded(ended) => self.bridge.function_ended(ended, &mut self.legs),
        }
    }

    fn effect(&mut self, effect: &Effect) {
        let now = self.legs.now;
        self.bridge.perform(now, effect, &mut self.legs);
        match effect {
            Effect::OpenAgent { .. } => {
                self.jobs.add(now + Millis(CONNECT_MS), Job::AgentConnected);
            }
            Effect::CloseAgent => self.legs.agent = None,
            Effect::Prepare { utterance, line, language, arguments } => {
                let locale = Locale::from_tag(language.tag());
                let arguments: Vec<_> =
                    arguments.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let rendered = locale.and_then(|l| locales::render(l, line.key(), &arguments).ok());
                let clip = rendered.map(|rendered| Clip {
                    audio: voice::speak(&rendered.text),
                    text: rendered.text,
                    version: rendered.version,
                });
                let at = now + Millis(voice::SPEAK_LATENCY_MS);
                self.jobs.add(at, Job::LineReady(*utterance, clip));
            }
            Effect::Perform { id, function } => self.run_function(id, *function),
            Effect::HangUp => self.legs.carrier.hang_up(now),
            Effect::LeaveStream => self.legs.carrier.stream_closed(),
            _ => {}
        }
    }

    fn run_function(&mut self, id: &str, function: Function) {
        let answer = match function {
            Function::LookupLoan => self
                .bridge
                .arguments(id)
                .and_then(|arguments| functions::loan_lookup(arguments).ok())
                .map(|lookup| self.scenario.back_office.lookup(&lookup)),
            // The machine does this one itself.
            Function::HangupCall => return,
        };
        let at = self.legs.now + self.scenario.back_office.takes;
        self.jobs.add(at, Job::FunctionEnded(functions::lookup_ended(id, answer)));
    }
}

impl World for Desk {
    async fn next(&mut self, deadline: Option<CallTime>) -> Stimulus {
        loop {
            if let Some(input) = self.legs.inputs.pop_front() {
                return Stimulus::Input(self.legs.now, input);
            }
            let event = self.next_event();
            let at = match (deadline, event) {
                (Some(deadline), Some(event)) if event < deadline => event,
                (Some(deadline), _) => {
                    self.legs.now = self.legs.now.max(deadline);
                    return Stimulus::Due(self.legs.now);
                }
                (None, Some(event)) => event,
                (None, None) => unreachable!("a live call always has its longest duration armed"),
            };
            self.legs.now = self.legs.now.max(at);
            self.turn_around();
        }
    }

    async fn perform(&mut self, step: Step) {
        for effect in &step.effects {
            self.effect(effect);
        }
        self.steps.push(step);
    }
}
