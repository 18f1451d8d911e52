//! The pure state machine of a phone call.
//!
//! A call is a value. It is told what happened ([`Input`]) and when ([`CallTime`]), and answers
//! with everything that came of it ([`Step`]): the states it left and entered, the facts that
//! became true, and the effects that somebody else must carry out ([`Effect`]). It has no clock,
//! no sockets, no random numbers and no log; the steps are the log, and the same inputs give the
//! same steps on every machine.
//!
//! ```
//! use call_core::{Brief, Call, CallTime, Input, input::Carrier};
//!
//! let (mut call, first) = Call::new(Brief::example());
//! assert!(!first.effects.is_empty(), "a new call asks for its agent and its opening line");
//!
//! let steps = call.step(CallTime::from_millis(900), Input::Carrier(Carrier::Stopped));
//! assert!(call.phase().is_ended());
//! assert_eq!(steps.len(), 1);
//! ```
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
