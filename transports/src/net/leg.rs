//! The agent's session in the life of a call: not asked for, opening, open, over.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use call_core::CallTime;
use call_core::input::AgentLoss;
use futures::future::{BoxFuture, FutureExt as _};

use super::{AgentConnector, AgentFrame, AgentSocket};
use crate::bridge::{Bridge, Outlet};
use crate::deepgram::decode_server;

/// The agent's side of a call, for whichever world plays it. Nothing here waits.
#[derive(Default)]
pub enum AgentLeg {
    /// Nobody asked for an agent yet.
    #[default]
    Unasked,
    /// A session is being opened.
    Opening(BoxFuture<'static, Result<AgentSocket, AgentLoss>>),
    /// A session is open.
    Open(AgentSocket),
    /// The session is being closed; what it says counts no more.
    Closing(AgentSocket),
    /// There is no session any more.
    Over,
}

impl fmt::Debug for AgentLeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unasked => "Unasked",
            Self::Opening(_) => "Opening",
            Self::Open(_) => "Open",
            Self::Closing(_) => "Closing",
            Self::Over => "Over",
        })
    }
}

/// What became of an agent's session.
#[derive(Debug)]
pub enum AgentNews {
    /// It is open now.
    Opened,
    /// It could not be opened.
    Failed(AgentLoss),
    /// It says something, or has ended by itself.
    Frame(AgentFrame),
}

impl AgentNews {
    /// Tells the bridge. A message that cannot be read is left out; a world that counts such
    /// messages decodes them itself.
    pub fn tell(self, at: CallTime, bridge: &mut Bridge, out: &mut impl Outlet) {
        match self {
            Self::Opened => {}
            Self::Failed(loss) => bridge.agent_lost(loss, out),
            Self::Frame(AgentFrame::Text(text)) => {
                if let Ok(message) = decode_server(text.as_str()) {
                    bridge.from_agent(at, message, out);
                }
            }
            Self::Frame(AgentFrame::Audio(audio)) => bridge.agent_audio(at, &audio, out),
            Self::Frame(AgentFrame::Ended) => bridge.agent_lost(AgentLoss::Closed, out),
        }
    }
}

impl AgentLeg {
    /// A session that is being opened.
    pub fn open(connector: AgentConnector) -> Self {
        Self::Opening(async move { connector.connect().await }.boxed())
    }

    /// Waits for the next news, and writes meanwhile what waits. It may be dropped and called again.
    pub async fn next(&mut self) -> AgentNews {
        poll_fn(|cx| {
            self.poll_flush(cx);
            self.poll_next(cx)
        })
        .await
    }

    /// The next news.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<AgentNews> {
        match self {
            Self::Opening(opening) => opening.poll_unpin(cx).map(|opened| match opened {
                Ok(socket) => {
                    *self = Self::Open(socket);
                    AgentNews::Opened
                }
                Err(loss) => {
                    *self = Self::Over;
                    AgentNews::Failed(loss)
                }
            }),
            Self::Open(socket) => socket.poll_next(cx).map(|frame| {
                if matches!(frame, AgentFrame::Ended) {
                    self.close();
                }
                AgentNews::Frame(frame)
            }),
            Self::Unasked | Self::Closing(_) | Self::Over => Poll::Pending,
        }
    }

    /// Queues a text message; without an open session it goes nowhere.
    pub fn say(&mut self, text: String) {
        if let Self::Open(socket) = self {
            socket.queue_text(text);
        }
    }

    /// Queues audio; without an open session it goes nowhere.
    pub fn hear(&mut self, audio: &[u8]) {
        if let Self::Open(socket) = self {
            socket.queue_audio(audio);
        }
    }

    /// Writes what waits, as far as the socket takes it.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) {
        if let Self::Open(socket) = self {
            // What is left is written when the socket wakes us.
            let _ = socket.poll_flush(cx);
        }
    }

    /// Lets nothing of the session through any more. [`AgentLeg::poll_close`] ends it.
    pub fn close(&mut self) {
        *self = match std::mem::replace(self, Self::Over) {
            Self::Open(socket) | Self::Closing(socket) => Self::Closing(socket),
            Self::Unasked | Self::Opening(_) | Self::Over => Self::Over,
        };
    }

    /// Ends the session in good order. Ready when there is none.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.close();
        match self {
            Self::Closing(socket) => socket.poll_close(cx),
            _ => Poll::Ready(()),
        }
    }

    /// How many bytes of the caller's audio wait for the socket.
    pub fn waiting_bytes(&self) -> u64 {
        match self {
            Self::Open(socket) => socket.waiting_bytes(),
            Self::Unasked | Self::Opening(_) | Self::Closing(_) | Self::Over => 0,
        }
    }

    /// How many bytes of the caller's audio were dropped because the socket took nothing.
    pub fn shed_bytes(&self) -> u64 {
        match self {
            Self::Open(socket) | Self::Closing(socket) => socket.shed_bytes(),
            Self::Unasked | Self::Opening(_) | Self::Over => 0,
        }
    }
}
