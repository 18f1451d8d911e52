//! What the machine wants done, carried out by the cast.

use std::collections::BTreeMap;

use call_core::company::Company;
use call_core::effect::{Effect, Function};
use call_core::input::{AgentLoss, Carrier, Input, Tones};
use call_core::{Language, LineId, Millis};
use call_transports::bridge::{Clip, Outlet as _, Words};
use call_transports::functions;
use call_transports::twilio::rest::redirect_body;
use call_transports::twilio::twiml::{Document, Stream};
use locales::{Locale, Rendered};

use super::carrier::Errand;
use super::{Desk, Job};
use crate::cast::agent::{CONNECT_MS, refusal, takes};
use crate::cast::voice;

/// A try to connect to the agent is given up after this long. There are two, with a pause between
/// them, but where credentials are refused there is one.
const CONNECT_LIMIT_MS: u64 = 3_000;
const CONNECT_PAUSE_MS: u64 = 250;

/// A line that takes longer to be spoken comes too late, and is not kept.
const SPEAK_LIMIT: Millis = Millis::from_secs(2);

fn worded(
    company: &Company,
    line: LineId,
    language: Language,
    arguments: &BTreeMap<String, String>,
) -> Option<Rendered> {
    let locale = Locale::from_tag(language.tag())?;
    let arguments: Vec<_> = arguments.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    match company.lines.get(&language).and_then(|own| own.get(&line)) {
        Some(own) => {
            let text = locales::render_own(locale, line.key(), own, &arguments).ok()?;
            Some(Rendered { text, version: company.version })
        }
        None => locales::render(locale, line.key(), &arguments).ok(),
    }
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
                let words = worded(&self.scenario.company, *line, *language, arguments);
                let (takes, clip) = self.speak(words);
                self.jobs.add(now + takes, Job::LineReady(*utterance, clip));
            }
            Effect::Inject { utterance, line, language, arguments, interrupt } => {
                let words = worded(&self.scenario.company, *line, *language, arguments)
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
            Effect::HangUp => self.ask_carrier(Errand::HangUp),
            Effect::Transfer { .. } => self.ask_carrier(Errand::Transfer),
            Effect::PlayTones { id, .. } => {
                id.clone_into(&mut self.tones);
                self.ask_carrier(Errand::Tones);
            }
            Effect::LeaveStream => self.legs.carrier.left(now),
            _ => {}
        }
    }

    fn connect(&mut self) {
        self.end_session();
        self.sessions += 1;
        let refused = refusal(&self.scenario.faults, self.sessions);
        let now = self.legs.now;
        let (opens, _) = takes(&self.scenario.faults, self.sessions);
        let unreachable = 2 * CONNECT_LIMIT_MS + CONNECT_PAUSE_MS;
        let (takes, outcome) = match refused {
            Some(0) => (unreachable, Err(AgentLoss::Unreachable)),
            None if opens.0 >= CONNECT_LIMIT_MS => (unreachable, Err(AgentLoss::Unreachable)),
            None => (opens.0, Ok(())),
            Some(status @ (401 | 403)) => (CONNECT_MS, Err(AgentLoss::Refused(status))),
            Some(status) => (2 * CONNECT_MS + CONNECT_PAUSE_MS, Err(AgentLoss::Refused(status))),
        };
        self.jobs.add(now + Millis(takes), Job::AgentConnected(outcome));
    }

    /// How long a line takes to be spoken, and its speech. As in a server, what was spoken once is
    /// kept and not asked for again, unless it came too late.
    fn speak(&mut self, words: Option<Rendered>) -> (Millis, Option<Clip>) {
        let Some(Rendered { text, version }) = words else { return (Millis(0), None) };
        let clip = Clip { audio: voice::speak(&text), text, version };
        if self.spoken.contains(&clip.text) {
            return (Millis(0), Some(clip));
        }
        self.lines += 1;
        let (takes, fails) = voice::speaking(&self.scenario.faults, self.lines);
        if fails {
            return (takes, None);
        }
        if takes < SPEAK_LIMIT {
            self.spoken.insert(clip.text.clone());
        }
        (takes, Some(clip))
    }

    /// As a server does: the call gets a document with the tones and a new stream behind them.
    pub(super) fn play_tones(&mut self) {
        let arguments = self.bridge.arguments(&self.tones);
        let tones = arguments.and_then(|text| functions::tones(text).ok());
        let stream = Stream::new("wss://voice.example.test/twilio");
        let document = tones
            .zip(stream.ok())
            .and_then(|(tones, stream)| Document::new().tones(tones).connect(stream).render().ok());
        match document.filter(|document| redirect_body(document).is_some()) {
            Some(document) => self.legs.carrier.redirect(self.legs.now, &document),
            None => {
                // Nothing can be asked of the carrier.
                self.answered(Errand::Tones);
                self.legs.input(Input::Carrier(Carrier::Tones(Tones::Refused)));
            }
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
