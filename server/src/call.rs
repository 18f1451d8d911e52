//! One call: the task that joins the carrier's socket, the agent's socket, and everything that is
//! asked for in between, around the call machine.
//!
//! A call is a single task. Audio and messages of both sides stay in the order in which they
//! came, nothing is handed from task to task, and no write is ever waited for: a socket that
//! takes nothing is a fact to decide on.
//!
//! | module | holds |
//! |---|---|
//! | `world` | what the machine sees of the world: the next thing to happen, and effects carried out |
//! | `departure` | the stream leaves for a person or for tones, and another one comes back |
//! | `out` | where the bridge's output goes |
//! | `carrier` | the carrier's socket: reading, writing, whether it takes what is written |
//! | `hygiene` | how many bad frames are borne with |
//! | `jobs` | speaking lines, running functions, what is asked of the carrier |
//! | `recorder` | the recording at the carrier, and its pauses |
//! | `clock` | the time of a call, and its one sleep |
//! | `wakes` | which of all that has to be looked at |
//! | `log` | what is logged of a step |
//! | `view` | what is seen of a call from outside |

mod carrier;
mod clock;
mod departure;
mod hygiene;
mod jobs;
mod log;
mod out;
mod recorder;
mod view;
mod wakes;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use call_core::{Brief, Call, Language, Step};
use call_transports::bridge::Bridge;
use call_transports::deepgram::AgentProfile;
use call_transports::net::{
    AgentConnector, BreakerReport, Middleware, Reader, Speaker, TwilioRest,
};
use call_transports::twilio::Sid;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::audit::{Audit, CallAudit};
use crate::metrics::Metrics;
use crate::spool::Journal;
pub(crate) use carrier::fault_code;
pub use departure::{Departure, LINE_MAX, Line, News};
use recorder::Recorder;
pub use view::{Sight, View};
use world::Live;

/// The library's own buffers are many times larger, and it clears them before every read.
const BUFFER_BYTES: usize = 2_048;

/// The longest message taken from the carrier. A second of audio is a quarter of it.
const MESSAGE_BYTES_MAX: usize = 64 * 1_024;

/// Everything outside that calls make use of. One for all calls.
#[derive(Debug)]
pub struct Services {
    /// Opens agent sessions.
    pub agent: AgentConnector,
    /// Speaks our own lines.
    pub speaker: Speaker,
    /// Sums up what was said, after calls.
    pub reader: Reader,
    /// Hangs up, and gives calls other documents.
    pub carrier: TwilioRest,
    /// Knows the loans.
    pub middleware: Middleware,
    /// Counts.
    pub metrics: Metrics,
    /// Keeps on record what was decided.
    pub audit: Audit,
}

impl Services {
    /// How the breaker of each provider stands, by the provider's word in metrics.
    pub fn breakers(&self) -> Breakers {
        [
            ("agent", self.agent.breaker().report()),
            ("speech", self.speaker.breaker().report()),
            ("reading", self.reader.breaker().report()),
            ("carrier", self.carrier.breaker().report()),
            ("middleware", self.middleware.breaker().report()),
        ]
    }
}

/// How the breaker of each provider stands.
pub type Breakers = [(&'static str, BreakerReport); 5];

/// What is particular to one call.
pub struct Setup {
    /// What the machine is told at birth.
    pub brief: Brief,
    /// The voice that speaks our own lines in each language: the agent's.
    pub voices: BTreeMap<Language, String>,
    /// What the agent is told to be in each language.
    pub profiles: BTreeMap<Language, AgentProfile>,
    /// The carrier's name of the call.
    pub call_sid: Sid,
    /// The carrier's name of the stream.
    pub stream_sid: String,
    /// Keys the fingerprints of function arguments.
    pub fingerprint_key: Vec<u8>,
    /// Cancelled when the carrier's callbacks say that the call is over.
    pub over: CancellationToken,
    /// What reaches the call beside its sockets. A call of which nobody holds the line gets no other
    /// stream.
    pub news: mpsc::Receiver<News>,
    /// How it is seen from outside.
    pub view: View,
    /// What its stream can leave for.
    pub departure: Box<dyn Departure>,
    /// Who is told what becomes of the call's recording; it is not recorded if there is nobody.
    pub recording: Option<String>,
    /// Where its steps are written down as they happen; nowhere if nothing.
    pub journal: Option<Journal>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("call_sid", &self.call_sid).finish_non_exhaustive()
    }
}

/// Where steps are shown while calls run: the call and its step. Lossy, for those who watch.
pub type Watch = tokio::sync::broadcast::Sender<(String, Arc<Step>)>;

/// Sets up a media socket before it is upgraded: small buffers, and a bound on what is taken.
///
/// The listener must have set `TCP_NODELAY` on the connection already.
pub fn tune(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
}

/// Plays a call to its end and returns its journal. The socket's first messages, `connected` and
/// `start`, were read and checked before.
///
/// The future must not be dropped before it is ready: a dropped call has no end in its journal.
pub fn play(
    socket: WebSocket,
    setup: Setup,
    services: Arc<Services>,
    watch: Option<Watch>,
) -> impl Future<Output = Vec<Step>> + Send {
    let span = log::span(&setup.call_sid, &setup.brief);
    async move {
        let (call, first, mut live) = begin(socket, setup, services, watch);
        call_core::run(call, first, live.as_mut()).await;
        live.leave().await
    }
    .instrument(span)
}

/// A call's machine, and its world. The world is large and stays in one place: a future keeps room
/// for whatever is moved in it, at each place where it was.
fn begin(
    socket: WebSocket,
    setup: Setup,
    services: Arc<Services>,
    watch: Option<Watch>,
) -> (Call, Step, Box<Live>) {
    let Setup { brief, voices, profiles, call_sid, stream_sid, fingerprint_key, .. } = setup;
    let Setup { over, news, view, departure, recording, journal, .. } = setup;
    let recorder = recording
        .map(|callback| Recorder::begin(Arc::clone(&services), call_sid.clone(), callback));
    let prompts = profiles.values().map(|profile| profile.prompt.clone()).collect();
    let audit = CallAudit::new(services.audit.clone(), &brief, prompts);
    let (call, first) = Call::new(brief.clone());
    let bridge = Bridge::new(profiles, fingerprint_key);
    let names = world::Names {
        call: call_sid,
        wording: brief,
        stream: stream_sid,
        voices,
        over,
        news,
        view,
        departure,
        recorder,
        journal,
        audit,
    };
    (call, first, Box::new(Live::new(socket, names, bridge, services, watch)))
}

#[cfg(test)]
mod tests;
