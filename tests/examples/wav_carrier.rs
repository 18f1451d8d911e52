//! Another carrier: a WAV file calls the agent, and the call becomes another WAV file, on the left
//! what the caller said and on the right what the caller heard. Explained in `docs/transports.md`.
//! `DEEPGRAM_API_KEY=… cargo run -p e2e --example wav_carrier -- caller.wav call.wav`

use std::{collections::VecDeque, env, future::poll_fn, path::Path, time::Duration};

use anyhow::{Result, bail};
use call_core::input::{Carrier, HungUp, Input};
use call_core::{Brief, Call, CallTime, Effect, Language, Step, Stimulus, UtteranceId, World};
use call_transports::bridge::{Bridge, Clip, Outlet};
use call_transports::carrier::{Audio, FromCarrier, ToCarrier};
use call_transports::deepgram::{AgentProfile, ClientMessage, encode_client};
use call_transports::functions::lookup_ended;
use call_transports::net::{AgentConnector, AgentLeg};
use sim::audio::{FRAME_BYTES, FRAME_MS, Recording, mulaw};
use sim::heard::Tape;
use tokio::time::{Interval, interval};

/// Both legs of a call, as the bridge reaches them. The telephone's frames are the clock.
#[derive(Default)]
struct Legs {
    now: CallTime,
    agent: AgentLeg,
    /// What the caller's telephone has played and will play, and where in it the marks lie.
    played: Vec<u8>,
    marks: VecDeque<(usize, UtteranceId)>,
    inputs: VecDeque<Input>,
}

impl Outlet for Legs {
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        let now = self.now.as_millis() as usize * 8;
        match message {
            ToCarrier::Audio(audio) => {
                self.played.resize(now.max(self.played.len()), mulaw::SILENCE);
                self.played.extend(audio);
            }
            ToCarrier::Mark(utterance) => self.marks.push_back((self.played.len(), utterance)),
            ToCarrier::Clear => {
                self.played.truncate(now);
                self.marks.clear();
            }
        }
    }

    /// A file that speaks fifty times a second is never asked whether it is there.
    fn probe_carrier(&mut self) {}

    fn audio_to_agent(&mut self, audio: &[u8]) {
        self.agent.hear(audio);
    }

    fn to_agent(&mut self, message: ClientMessage) {
        self.agent.say(encode_client(&message));
    }

    fn input(&mut self, input: Input) {
        self.inputs.push_back(input);
    }
}

/// The world of a call, in real time.
struct WavWorld {
    bridge: Bridge,
    legs: Legs,
    caller: Vec<[u8; FRAME_BYTES]>,
    frames: Interval,
    connector: AgentConnector,
    steps: Vec<Step>,
}

impl World for WavWorld {
    async fn next(&mut self, deadline: Option<CallTime>) -> Stimulus {
        let Self { bridge, legs, caller, frames, .. } = self;
        loop {
            bridge.wake(legs.now, legs);
            if let Some(input) = legs.inputs.pop_front() {
                return Stimulus::Input(legs.now, input);
            }
            if deadline.is_some_and(|due| due <= legs.now) {
                return Stimulus::Due(legs.now);
            }
            tokio::select! {
                news = legs.agent.next() => news.tell(legs.now, bridge, legs),
                _ = frames.tick() => {
                    let frame = caller.get((legs.now.as_millis() / FRAME_MS) as usize);
                    legs.now = CallTime::from_millis(legs.now.as_millis() + FRAME_MS);
                    let played = legs.now.as_millis() as usize * 8;
                    while let Some((_, mark)) = legs.marks.pop_front_if(|mark| mark.0 <= played) {
                        bridge.from_carrier(legs.now, FromCarrier::Played(mark), legs);
                    }
                    let payload = frame.unwrap_or(&[mulaw::SILENCE; FRAME_BYTES]);
                    let audio = FromCarrier::Audio(Audio { payload, ..Audio::default() });
                    bridge.from_carrier(legs.now, audio, legs);
                }
            }
        }
    }

    async fn perform(&mut self, step: Step) {
        let Self { bridge, legs, connector, .. } = self;
        for effect in &step.effects {
            bridge.perform(legs.now, effect, legs);
            match effect {
                Effect::OpenAgent { .. } => legs.agent = AgentLeg::open(connector.clone()),
                Effect::CloseAgent => legs.agent.close(),
                // Nobody speaks our lines here, so each comes down to its recording.
                Effect::Prepare { utterance, .. } | Effect::Inject { utterance, .. } => {
                    bridge.line_ready(*utterance, None, legs);
                }
                Effect::UseRecording { utterance, line, .. } => {
                    let line = locales::recording(locales::Locale::English, line.key());
                    let clip = line.map(|line| Clip::new(line.text, line.version, line.audio));
                    bridge.line_ready(*utterance, clip, legs);
                }
                Effect::Perform { id, .. } => bridge.function_ended(lookup_ended(id, None), legs),
                Effect::HangUp => legs.input(Input::Carrier(Carrier::HungUp(HungUp::Done))),
                _ => {} // The bridge's; or not offered here, and given up at its limit.
            }
        }
        self.steps.push(step);
    }
}

/// Holds a call in which the caller says what is in one file, and writes the other.
pub(crate) async fn call(connector: AgentConnector, says: &Path, tape: &Path) -> Result<Vec<Step>> {
    let bridge = Bridge::new([(Language::English, AgentProfile::example())].into(), Vec::new());
    let (caller, legs, steps) = (Recording::load(says)?.frames, Legs::default(), Vec::new());
    let frames = interval(Duration::from_millis(FRAME_MS));
    let mut world = WavWorld { bridge, legs, caller, frames, connector, steps };
    let (call, first) = Call::new(Brief::example());
    call_core::run(call, first, &mut world).await;
    poll_fn(|cx| world.legs.agent.poll_close(cx)).await;
    let mut sound = Tape::default();
    sound.sent(0, world.caller.as_flattened());
    sound.queued(0, &world.legs.played);
    sound.write(tape)?;
    Ok(world.steps)
}

#[tokio::main]
async fn main() -> Result<()> {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let [says, tape] = &paths[..] else { bail!("which WAV file calls, and which is written?") };
    let key = env::var("DEEPGRAM_API_KEY")?.into();
    let agent = AgentConnector::new("wss://agent.deepgram.com", key)?;
    print!("{}", call_core::story::story(&call(agent, says.as_ref(), tape.as_ref()).await?));
    Ok(())
}
