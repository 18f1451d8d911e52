//! Sockets and HTTP clients: the agent's session, the carrier's REST interface, speech for our own
//! lines, summaries of calls, and the middleware.
//!
//! Everything here is mechanics around the pure parts of this crate: what is written and how an
//! answer reads is decided there. What is decided here is how long to wait and how often to try.
//! Keys and passwords are taken in the clear only to make a request; no error and no log line
//! holds one, nor a URL, nor what anybody said.

mod agent;
mod breaker;
mod carrier;
mod chance;
mod error;
mod http;
mod leg;
mod middleware;
mod read;
mod recording;
mod sound;
mod speak;

pub use agent::{AgentConnector, AgentFrame, AgentSocket, AgentText};
pub use breaker::{Breaker, BreakerReport, Standing};
pub use carrier::{Account, Redirected, TwilioRest};
pub use chance::chance;
pub use error::Error;
pub use leg::{AgentLeg, AgentNews};
pub use middleware::Middleware;
pub use read::Reader;
pub use recording::{MediaDeletion, Recorded};
pub use sound::{NoSound, Sound, SoundRules};
pub use speak::{Kept, Speaker};

/// Makes `ring` the cryptography of every TLS connection of this process. Calling it again
/// changes nothing, and a choice that was made before stands.
///
/// The clients here call it themselves; a program calls it first so that nothing else chooses.
pub fn install_crypto() {
    // An error only says that the choice was made already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
