//! What the machine wants done, carried out by the cast.

use std::collections::BTreeMap;

use call_core::effect::{Effect, Function};
use call_core::input::{AgentLoss, Carrier, Input, Tones};
use call_core::{Language, LineId, Millis};
use call_transports::bridge::{Clip, Outlet as _, Words};
use call_transports::functions;
use call_transports::twilio::rest::redirect_body;
use call_transports::twilio::twiml::{Document, Stream};
use locales::{Locale, Rendered};

use super::{Desk, Job};
use crate::cast::agent::CONNECT_MS;
use crate::cast::voice;
use crate::faults::Fault;

/// A try to connect to the agent is given up after this long; there are two.
const CONNECT_LIMIT_MS: u64 = 3_000;

fn worded(
    line: LineId,
    language: Language,
    arguments: &BTreeMap<String, String>,
) -> Option<Rendered> {
    let locale = Locale::from_tag(language.tag())?;
    let arguments: Vec<_> = arguments.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    locales::render(locale, line.key(), &arguments).ok()
}

impl Desk {
    pub(super) fn effect(&mut self, effect: &Effect) {
        let now = self.legs.now;
        self.bridge.perform(now, effect, &mut self.legs);
        match effect {
            Effect::OpenAgent { .. } => self.connect(),
            Effect::CloseAgent => {
                self.end_session();
                self.jobs.retain(|job| !matches!(job, Job::AgentConnected(_)));
            }
            Effect::Prepare { utterance, line, language, arguments } => {
                let clip = worded(*line, *language, arguments).map(|rendered| Clip {
                    audio: voice::speak(&rendered.text),
                    text: rendered.text,
                    version: rendered.version,
                });
                let (takes, fails) = self.speaking_fault();
                let clip = clip.filter(|_| !fails);
                self.jobs.add(now + takes, Job::LineReady(*utterance, clip));
            }
            Effect::Inject { utterance, line, language, arguments, interrupt } => {
                let words = worded(*line, *language, arguments)
                    .map(|Rendered { text, version }| Words { text, version });
                self.bridge.inject_line(now, *utterance, words, *interrupt, &mut self.legs);
            }
            Effect::UseRecording { utterance, line, language } => {
                let locale = Locale::from_tag(language.tag());
                let recording = locale.and_then(|locale| locales::recording(locale, line.key()));
                let clip = recording.map(|recording| Clip {
                    text: recording.text,
                    version: recording.version,
                    audio: recording.audio.to_vec(),
                });
                self.bridge.line_ready(*utterance, clip, &mut self.legs);
            }
            Effect::Perform { id, function, key } => self.run_function(id, *function, key),
            Effect::HangUp => self.legs.carrier.hang_up(now),
            Effect::Transfer { .. } => self.legs.carrier.transfer(now),
            Effect::PlayTones { id, .. } => self.play_tones(id),
            Effect::LeaveStream => self.legs.carrier.stream_closed(),
            _ => {}
        }
    }

    fn connect(&mut self) {
        self.end_session();
        self.sessions += 1;
        let refused = self.scenario.faults.iter().find_map(|fault| match fault {
            Fault::AgentRefuses { session, status } if *session == self.sessions => Some(*status),
            _ => None,
        });
        let now = self.legs.now;
        let (takes, outcome) = match refused {
            None => (CONNECT_MS, Ok(())),
            Some(0) => (2 * CONNECT_LIMIT_MS, Err(AgentLoss::Unreachable)),
            Some(status) => (CONNECT_MS, Err(AgentLoss::Refused(status))),
        };
        self.jobs.add(now + Millis(takes), Job::AgentConnected(outcome));
    }

    /// How long the next line takes to be spoken, and whether it fails.
    fn speaking_fault(&mut self) -> (Millis, bool) {
        self.lines += 1;
        let mut takes = voice::SPEAK_LATENCY_MS;
        let mut fails = false;
        for fault in &self.scenario.faults {
            match fault {
                Fault::SpeakSlow { ms } => takes = *ms,
                Fault::SpeakFails { from, count } => {
                    fails |= (*from..from.saturating_add(*count)).contains(&self.lines);
                }
                _ => {}
            }
        }
        (Millis(takes), fails)
    }

    /// As a server does: the call gets a document with the tones and a new stream behind them.
    fn play_tones(&mut self, id: &str) {
        let tones = self.bridge.arguments(id).and_then(|text| functions::tones(text).ok());
        let stream = Stream::new("wss://voice.example.test/twilio");
        let document = tones
            .zip(stream.ok())
            .and_then(|(tones, stream)| Document::new().tones(tones).connect(stream).render().ok());
        match document.filter(|document| redirect_body(document).is_some()) {
            Some(document) => self.legs.carrier.redirect(self.legs.now, &document),
            // Nothing can be asked of the carrier.
            None => self.legs.input(Input::Carrier(Carrier::Tones(Tones::Refused))),
        }
    }

    fn run_function(&mut self, id: &str, function: Function, key: &str) {
        let now = self.legs.now;
        let back_office = &mut self.scenario.back_office;
        match function {
            Function::LookupLoan => {
                let arguments = self.bridge.arguments(id);
                let lookup = arguments.and_then(|text| functions::loan_lookup(text).ok());
                let answer = lookup.map(|lookup| back_office.lookup(&lookup));
                let ended = functions::lookup_ended(id, answer);
                self.jobs.add(now + back_office.takes, Job::FunctionEnded(ended));
            }
            Function::MakePayment => {
                if let Some((takes, outcome)) = back_office.write(function.name(), key) {
                    let outcome = outcome.as_ref().map(|()| "A1B2C3").map_err(String::as_str);
                    let ended = functions::write_ended(id, outcome);
                    self.jobs.add(now + takes, Job::FunctionEnded(ended));
                }
            }
            // The machine does these itself.
            Function::TransferCall | Function::PlayDtmf | Function::HangupCall => {}
        }
    }
}
