//! Everything that speaks to the outside, apart from what decides.
//!
//! Each provider is a pure codec beside a socket. Without the feature `net` the crate holds only
//! the pure part: codecs in both directions ([`twilio`], [`deepgram`], [`middleware`]), the
//! functions that an agent can call ([`functions`]), what waits for a socket ([`outbox`]), and the [`bridge`] that joins a carrier's
//! stream to an agent's session around the call machine. The simulator plays calls with these
//! very parts, so what it proves holds on the wire.
//!
//! The feature `net` adds the sockets and HTTP clients, in [`net`].

pub mod bridge;
pub mod carrier;
pub mod deepgram;
pub mod functions;
pub mod middleware;
#[cfg(feature = "net")]
pub mod net;
pub mod outbox;
pub mod twilio;
