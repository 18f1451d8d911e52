//! The simulator's world: virtual time, and the cast at one table.
//!
//! Nothing here waits. Time jumps to the next thing that anybody does, so an hour of talk takes
//! milliseconds, and the same file gives the same call on every machine.

mod carrier;
mod effects;
mod legs;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use call_core::company::{AgentConfig, CallDetails, Company};
use call_core::effect::Function;
use call_core::input::{AgentLoss, Input, Operator};
use call_core::redact::mask_phone;
use call_core::story::story;
use call_core::{CallTime, EndReason, Fact, Language, Limits, Step, Stimulus, UtteranceId, World};
use call_transports::bridge::{Bridge, Clip, Outlet as _};
use call_transports::carrier::order;
use call_transports::deepgram::AgentProfile;
use call_transports::functions::{Ended, definition};
use call_transports::outbox::Outbox;
use call_transports::twilio::status::Progress;
use futures::FutureExt as _;

use crate::cast::agent::{Agent, AgentSays, Mind};
use crate::cast::carrier::{Account, Carrier};
use crate::cast::hearing::Hearing;
use crate::cast::schedule::Schedule;
use crate::heard::Tape;
use crate::judge::{AudioTotals, Breach, Evidence, Flow, judge_all};
use crate::machine::Machine;
use crate::scenario::{Problem, Scenario};
use crate::verdict::{Known, Verdict, judge};
use carrier::{Errand, Errands};
use legs::Legs;
use watch::Watch;

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
    /// The carrier's own account of the audio before each mark.
    pub account: BTreeMap<String, Account>,
    /// What became of every byte of audio.
    pub audio: AudioTotals,
    /// What became of the caller's audio while it was put in order.
    pub order: order::Counts,
    /// Bytes of speech that found no room before the caller's ear.
    pub overflowed: u64,
    /// How many writes the back office accepted.
    pub written: usize,
    /// The call as heard, where [`Options::tape`] asked for it.
    pub tape: Option<Tape>,
    /// Why the desk stopped a call that had not ended by itself.
    pub runaway: Option<Breach>,
    /// The machine that it was played with.
    pub machine: Machine,
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

    /// What is known of the call, for judges.
    pub fn evidence(&self) -> Evidence<'_> {
        let Self { steps, account, audio, machine, .. } = self;
        Evidence { steps, account, audio: *audio, machine: *machine }
    }

    /// Every invariant that did not hold.
    pub fn breaches(&self) -> Vec<Breach> {
        self.runaway.iter().cloned().chain(judge_all(&self.evidence())).collect()
    }

    /// Why the call ended; nothing if it did not.
    pub fn ended(&self) -> Option<EndReason> {
        self.steps.iter().flat_map(|step| &step.facts).find_map(|fact| match fact {
            Fact::CallEnded { reason } => Some(*reason),
            _ => None,
        })
    }

    /// How long the call was.
    pub fn lasted(&self) -> CallTime {
        self.steps.last().map_or(CallTime::ZERO, |step| step.at)
    }
}

/// How a call is played, and what is kept of it besides its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Keep the sound, as the caller's telephone sent and played it.
    pub tape: bool,
    /// The machine that it is played with.
    pub machine: Machine,
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
    play_with(scenario, Options::default())
}

/// Plays a scenario, and keeps what these options ask for.
pub fn play_with(scenario: Scenario, options: Options) -> Played {
    let brief = scenario.company.brief(CallDetails {
        call: "CA00000000000000000000000000000001".to_owned(),
        from: mask_phone(&scenario.from),
        to: mask_phone(&scenario.to),
        language: scenario.language,
        utc_start_ms: UTC_START_MS,
        prompt_hash: "simulated".to_owned(),
    });
    let mut desk = Desk::new(scenario, &brief.limits);
    if options.tape {
        desk.legs.carrier.record();
    }
    options.machine.spoil(&mut desk.bridge);
    let (call, first) = options.machine.call(brief);
    let ended = call_core::run(call, first, &mut desk).now_or_never();
    assert!(
        ended.is_some() || desk.runaway.is_some(),
        "the simulator's world is always ready, unless it stopped the call"
    );
    let written = desk.scenario.back_office.accepted.len();
    // We have left the stream, and the document ends behind it: the carrier is the last to end the call.
    // Its callbacks go on when that is long over.
    desk.legs.carrier.document_ended(desk.legs.now);
    for told in desk.legs.carrier.callbacks() {
        desk.progress.take_in(&told);
    }
    let status = desk.progress.status().map_or("", |status| status.as_str()).to_owned();
    let mind = desk.legs.agent.as_ref().map(Agent::mind).or(desk.mind.as_ref());
    let told = mind.map_or(&[][..], Mind::told);
    let known = Known { carrier: &desk.legs.carrier, written, status: &status, told };
    let verdicts = judge(&desk.steps, &desk.scenario.expect, &known);
    let account = desk.legs.carrier.account().clone();
    let tape = desk.legs.carrier.take_tape();
    let audio = desk.audio();
    let (order, _) = desk.bridge.caller_order();
    let (speech, _) = desk.bridge.speech_to_caller();
    let overflowed = speech.overflowed + desk.legs.unread.shed_bytes();
    let Desk { scenario, steps, runaway, .. } = desk;
    Played {
        title: scenario.title,
        steps,
        verdicts,
        account,
        audio,
        order,
        overflowed,
        written,
        tape,
        runaway,
        machine: options.machine,
    }
}

/// The profiles that the company's agents would be given. The simulated agent follows its script.
fn profiles(company: &Company) -> BTreeMap<Language, AgentProfile> {
    let offered = company.functions.iter().filter_map(|name| Function::from_name(name));
    let functions: Vec<_> = offered.map(definition).collect();
    let profile = |agent: &AgentConfig| AgentProfile {
        tags: vec![company.id.clone()],
        listen_model: agent.listen_model.clone(),
        language_hints: Vec::new(),
        keyterms: agent.keyterms.clone(),
        think_provider: agent.think_provider.clone(),
        think_model: agent.think_model.clone(),
        prompt: agent.prompt.clone(),
        voice: agent.voice.clone(),
        functions: functions.clone(),
        context: Vec::new(),
    };
    company.agents.iter().map(|(language, agent)| (*language, profile(agent))).collect()
}

/// Work that takes a while.
enum Job {
    /// A session is open, or the agent cannot be had.
    AgentConnected(Result<(), AgentLoss>),
    LineReady(UtteranceId, Option<Clip>),
    FunctionEnded(Ended),
    /// The carrier is asked once more.
    AskCarrier(Errand),
    /// Nobody waits any longer for the carrier's answer.
    Unanswered(Errand),
    /// What became of a request that was not answered is looked at.
    Look(Errand),
    Operator(Operator),
}

impl Desk {
    /// What became of every byte, by the bridge's count and by the carrier's.
    fn audio(&self) -> AudioTotals {
        let (speech, waiting) = self.bridge.speech_to_caller();
        // What lies before a carrier that does not read has not gone on, though it left the bridge.
        let unread = &self.legs.unread;
        let given_up = unread.shed_bytes() + unread.stale_bytes();
        let to_caller = Flow {
            offered: speech.offered,
            forwarded: speech.forwarded - given_up - unread.audio_bytes(),
            dropped: speech.dropped + speech.overflowed + speech.cut + given_up,
            held: waiting + unread.audio_bytes(),
            received: Some(self.legs.carrier.received()),
        };
        let (order, early) = self.bridge.caller_order();
        let (voice, unheard) = self.bridge.voice_to_agent();
        let to_agent = Flow {
            offered: order.offered + order.filled,
            forwarded: voice.forwarded,
            dropped: voice.dropped + order.repeated + order.late + order.unused,
            held: unheard + early,
            // Silence in the place of audible keys is not the caller's voice.
            received: Some(self.legs.heard.saturating_sub(voice.silenced)),
        };
        AudioTotals {
            to_caller: Some(to_caller),
            to_agent: Some(to_agent),
            astray: self.legs.astray,
            most_waiting: self.most_waiting,
        }
    }
}

struct Desk {
    scenario: Scenario,
    bridge: Bridge,
    legs: Legs,
    jobs: Schedule<Job>,
    steps: Vec<Step>,
    /// The agent's mind between two sessions.
    mind: Option<Mind>,
    hearing: Hearing,
    sessions: u32,
    lines: u32,
    /// Lines of ours that were spoken, by their words.
    spoken: BTreeSet<String>,
    /// What the carrier was asked for.
    errands: Errands,
    /// The tones that were asked for last: the id that they are kept under.
    tones: String,
    /// Where the call stands by the carrier's callbacks.
    progress: Progress,
    watch: Watch,
    runaway: Option<Breach>,
    /// The most bytes of speech that waited for the carrier at once.
    most_waiting: u64,
}

impl Desk {
    fn new(scenario: Scenario, limits: &Limits) -> Self {
        let profiles = profiles(&scenario.company);
        let mut jobs = Schedule::default();
        for (at, operator) in &scenario.operator {
            jobs.add(*at, Job::Operator(operator.clone()));
        }
        Self {
            bridge: Bridge::new(profiles, FINGERPRINT_KEY.to_vec()),
            legs: Legs {
                now: CallTime::ZERO,
                carrier: Carrier::new(scenario.caller(), scenario.faults.clone()),
                unread: Outbox::default(),
                unread_since: None,
                agent: None,
                inputs: VecDeque::new(),
                heard: 0,
                astray: 0,
            },
            jobs,
            steps: Vec::new(),
            mind: Some(scenario.mind()),
            hearing: scenario.hearing(),
            sessions: 0,
            lines: 0,
            spoken: BTreeSet::new(),
            errands: Errands::default(),
            tones: String::new(),
            progress: Progress::default(),
            watch: Watch::new(limits),
            runaway: None,
            most_waiting: 0,
            scenario,
        }
    }

    /// When anybody at the table does something next.
    fn next_event(&self) -> Option<CallTime> {
        let agent = self.legs.agent.as_ref().and_then(Agent::poll_timeout);
        [
            self.legs.carrier.poll_timeout(self.legs.now),
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
        self.legs.flush();
        while let Some(says) = self.legs.carrier.due(now) {
            self.carrier_says(says);
        }
        while let Some(says) = self.legs.agent.as_mut().and_then(|agent| agent.due(now)) {
            self.agent_says(says);
        }
        while let Some(job) = self.jobs.due(now) {
            self.finished(job);
        }
        self.bridge.carrier_blocked(self.legs.now, self.legs.unread_since);
        self.bridge.wake(now, &mut self.legs);
        let (_, waiting) = self.bridge.speech_to_caller();
        self.most_waiting = self.most_waiting.max(waiting + self.legs.unread.audio_bytes());
        self.bridge.carrier_blocked(self.legs.now, self.legs.unread_since);
    }

    /// The session is over; the agent's mind outlives it.
    fn end_session(&mut self) {
        if let Some(agent) = self.legs.agent.take() {
            self.mind = Some(agent.into_mind());
        }
    }

    fn agent_says(&mut self, says: AgentSays) {
        let now = self.legs.now;
        match says {
            AgentSays::Text(message) => self.bridge.from_agent(now, *message, &mut self.legs),
            AgentSays::Audio(audio) => self.bridge.agent_audio(now, &audio, &mut self.legs),
            AgentSays::Close => {
                self.end_session();
                self.bridge.agent_lost(AgentLoss::Closed, &mut self.legs);
            }
        }
    }

    fn finished(&mut self, job: Job) {
        match job {
            Job::AgentConnected(Ok(())) => {
                if let Some(mind) = self.mind.take() {
                    let hearing = self.hearing.clone();
                    let agent = Agent::new(self.legs.now, self.sessions, hearing, mind);
                    self.legs.agent = Some(agent);
                }
            }
            Job::AgentConnected(Err(loss)) => self.bridge.agent_lost(loss, &mut self.legs),
            Job::AskCarrier(errand) => self.ask_carrier(errand),
            Job::Unanswered(errand) => self.unanswered(errand),
            Job::Look(errand) => self.look(errand),
            Job::Operator(operator) => self.legs.input(Input::Operator(operator)),
            Job::LineReady(utterance, clip) => {
                self.bridge.line_ready(utterance, clip, &mut self.legs);
            }
            Job::FunctionEnded(ended) => self.bridge.function_ended(ended, &mut self.legs),
        }
    }
}

impl World for Desk {
    async fn next(&mut self, deadline: Option<CallTime>) -> Stimulus {
        loop {
            if let Some(breach) = self.watch.look(self.legs.now, self.steps.len()) {
                // Whoever drives the call sees that it waits for ever, and takes it off the desk.
                self.runaway = Some(breach);
                return std::future::pending().await;
            }
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
        self.bridge.carrier_blocked(self.legs.now, self.legs.unread_since);
        self.steps.push(step);
    }
}
