//! The pure state machine of a phone call.
//!
//! A call is a value. It is told what happened ([`Input`]) and when ([`CallTime`]), and answers
//! with everything that came of it ([`Step`]): the states it left and entered, the facts that
//! became true, and the effects that somebody else must carry out ([`Effect`]). It has no clock,
//! no sockets, no random numbers and no log; the steps are the log, and the same inputs give the
//! same steps on every machine.
//!
//! A call that is driven by hand:
//!
//! ```
//! use call_core::input::{Agent, Carrier, Input, Line, Playback};
//! use call_core::story::story;
//! use call_core::{Brief, Call, CallTime, Effect, Millis};
//!
//! let (mut call, first) = Call::new(Brief::example());
//! let asked = first.effects.iter().find_map(|effect| match effect {
//!     Effect::Prepare { utterance, .. } => Some(*utterance),
//!     _ => None,
//! });
//! let opening = asked.expect("a new call asks for its opening line, and for its agent");
//!
//! let (text, audio) = ("Thank you for calling.".to_owned(), Millis(2_000));
//! let caller_said = Agent::CallerSaid { text: "Wrong number.".to_owned(), language: None, since_sound: None };
//! let until = CallTime::from_millis(2_400);
//! let mut journal = vec![first];
//! for (at, input) in [
//!     (400, Input::Line(Line::Ready { utterance: opening, text, version: 1, audio })),
//!     (400, Input::Playback(Playback::Began { utterance: opening })),
//!     (400, Input::Playback(Playback::Queued { utterance: opening, audio, until })),
//!     (900, Input::Agent(Agent::Ready)),
//!     // The carrier's mark came back: said becomes heard.
//!     (2_400, Input::Playback(Playback::Heard { utterance: opening, audio })),
//!     (4_000, Input::Agent(Agent::CallerStarted)),
//!     (5_500, Input::Agent(caller_said)),
//!     (6_000, Input::Carrier(Carrier::Stopped)),
//! ] {
//!     journal.extend(call.step(CallTime::from_millis(at), input));
//! }
//! assert!(call.is_over());
//! assert_eq!(
//!     story(&journal),
//!     r#"
//! 00:00.000  call    answered: +1******0101 to +1******0199, Acme Home Loans (acme v1), English
//! 00:00.000  call    recording off
//! 00:00.900  agent   ready  -> greeting
//! 00:02.400  heard   us: "Thank you for calling." (opening v1)  [in full, 2.0 s]  -> listening
//! 00:04.000  caller  begins to speak
//! 00:05.500  caller  "Wrong number."  -> thinking
//! 00:06.000  call    ended: caller_hangup  -> ended
//! "#
//!     .trim_start()
//! );
//! ```
//!
//! Nobody drives a real call by hand: a [`World`] says what happens next and carries effects out,
//! and [`run`] is the loop between the two. `docs/transports.md` shows a whole world in one file.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`brief`] | what a call knows when it begins, and its limits |
//! | [`call`] | the machine, its phases and its timers |
//! | [`company`] | a company's configuration, of which briefs are made |
//! | [`drive`] | the one loop, and the trait of the world around it |
//! | [`input`], [`effect`] | what can happen to a call, and what it wants done |
//! | [`step`] | the journal: everything that came of one input |
//! | [`story`] | the journal as a reviewer reads it |
//! | [`summary`] | what a call amounts to
//! | [`line`](mod@line) | languages, the lines that are ours, and names of utterances |
//! | [`playout`], [`ears`] | the gates for audio, to the caller and to the agent: pure, and beside the machine |
//! | [`redact`] | masks for what a caller says |
//! | [`phrases`] | the few things a caller says that the call itself understands |
//! | [`time`] | times and lengths in milliseconds |
//!
//! The crate is `no_std`, so a clock, a socket, a thread or a map with a random order does not
//! even resolve here.
#![no_std]

extern crate alloc;

pub mod brief;
pub mod call;
pub mod company;
pub mod drive;
pub mod ears;
pub mod effect;
pub mod input;
pub mod line;
pub mod phrases;
pub mod playout;
pub mod redact;
#[cfg(feature = "sabotage")]
pub mod sabotage;
#[cfg(not(feature = "sabotage"))]
#[allow(dead_code, unreachable_pub, reason = "only hooks name them, and none is built in")]
mod sabotage;
pub mod step;
pub mod story;
pub mod summary;
pub mod time;

pub use brief::{Brief, Limits};
pub use call::{Call, Phase};
pub use drive::{Stimulus, World, run};
pub use effect::Effect;
pub use input::Input;
pub use line::{Language, LineId, Rung, UtteranceId};
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
pub use step::{Cause, EndReason, Fact, Move, Step};
pub use time::{CallTime, Millis};

/// Whether deliberate defects are built in (feature `sabotage`). Whoever takes real calls refuses
/// to be built with them.
pub const CAN_BE_SABOTAGED: bool = cfg!(feature = "sabotage");
