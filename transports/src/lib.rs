//! Everything that speaks to the outside, apart from what decides.
//!
//! Each provider is a pure codec beside a socket. Without the feature `net` the crate holds only
//! the pure part, and the simulator plays calls with these very parts, so what it proves holds on
//! the wire.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`bridge`] | joins a carrier's stream to an agent's session, around the call machine |
//! | [`carrier`] | what any carrier and the bridge say to each other; the caller's audio put in order |
//! | [`twilio`] | Twilio's media streams, webhooks, documents and signatures |
//! | [`deepgram`] | Deepgram's Voice Agent and its text-to-speech |
//! | [`middleware`] | what is asked of a company's systems |
//! | [`functions`] | what an agent can call: descriptions, arguments, results |
//! | [`journal`] | journals as files
//! | [`outbox`] | what waits to be written to a socket |
//! | `net` | sockets and HTTP clients, with the feature `net` |
//!
//! A codec reads what a provider sends and writes what it is sent:
//!
//! ```
//! use call_core::UtteranceId;
//! use call_transports::carrier::{FromCarrier, ToCarrier};
//! use call_transports::twilio::media::{ToTwilio, decode_from_twilio};
//!
//! let text = r#"{"event":"media","sequenceNumber":"4","streamSid":"MZ1","media":
//!     {"track":"inbound","chunk":"3","timestamp":"112","payload":"/////w=="}}"#;
//! let mut scratch = Vec::new();
//! let message = decode_from_twilio(text, &mut scratch)?;
//! let FromCarrier::Audio(audio) = message.meaning() else { panic!("it is audio") };
//! assert_eq!((audio.chunk, audio.payload), (Some(3), &[0xFF; 4][..]));
//!
//! let mut answer = String::new();
//! ToTwilio::from(ToCarrier::Mark(UtteranceId::Line(1))).encode("MZ1", &mut answer);
//! assert_eq!(answer, r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"line-1"}}"#);
//! # Ok::<(), call_transports::twilio::media::Error>(())
//! ```
//!
//! The bridge has no socket and no clock. Here its two sides are lists, and a line of ours goes its
//! way to the caller's ear:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use call_core::input::{Input, Playback};
//! use call_core::{CallTime, Effect, Language, Millis, UtteranceId};
//! use call_transports::bridge::{Bridge, Clip, Outlet};
//! use call_transports::carrier::{FromCarrier, ToCarrier};
//! use call_transports::deepgram::{AgentProfile, ClientMessage};
//!
//! #[derive(Default)]
//! struct Sides {
//!     carrier: Vec<String>,
//!     agent: Vec<ClientMessage>,
//!     machine: Vec<Input>,
//! }
//!
//! impl Outlet for Sides {
//!     fn to_carrier(&mut self, message: ToCarrier<'_>) {
//!         self.carrier.push(match message {
//!             ToCarrier::Audio(audio) => format!("{} bytes", audio.len()),
//!             ToCarrier::Mark(utterance) => format!("mark {utterance}"),
//!             ToCarrier::Clear => "clear".to_owned(),
//!         });
//!     }
//!     fn probe_carrier(&mut self) {}
//!     fn audio_to_agent(&mut self, _audio: &[u8]) {}
//!     fn to_agent(&mut self, message: ClientMessage) {
//!         self.agent.push(message);
//!     }
//!     fn input(&mut self, input: Input) {
//!         self.machine.push(input);
//!     }
//! }
//!
//! let profiles = BTreeMap::from([(Language::English, AgentProfile::example())]);
//! let (mut bridge, mut sides) = (Bridge::new(profiles, Vec::new()), Sides::default());
//! let (line, at) = (UtteranceId::Line(1), CallTime::from_millis);
//!
//! let clip = Clip::new("Thank you for calling.".to_owned(), 1, &[0x55; 1_600]);
//! bridge.line_ready(line, Some(clip), &mut sides);
//! bridge.perform(at(0), &Effect::Play { utterance: line }, &mut sides);
//! assert_eq!(sides.carrier, ["800 bytes", "800 bytes", "mark line-1"]);
//!
//! // What was said counts as heard when the carrier gives the mark back, and not before.
//! let heard = Input::Playback(Playback::Heard { utterance: line, audio: Millis(200) });
//! assert!(!sides.machine.contains(&heard));
//! bridge.from_carrier(at(200), FromCarrier::Played(line), &mut sides);
//! assert_eq!(sides.machine.last(), Some(&heard));
//! ```
//!
//! Another carrier is a codec and a socket that speak the words of [`carrier`]: `docs/transports.md`
//! tells how, with a worked example.

pub mod bridge;
pub mod carrier;
pub mod deepgram;
pub mod functions;
pub mod journal;
pub mod middleware;
#[cfg(feature = "net")]
pub mod net;
pub mod outbox;
pub mod twilio;
