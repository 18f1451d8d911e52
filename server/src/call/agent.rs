//! The agent's session in the life of a call: not asked for, opening, open, over.

use std::task::{Context, Poll};

use call_core::input::AgentLoss;
use call_transports::net::{AgentFrame, AgentSocket};
use futures::future::{BoxFuture, FutureExt as _};

/// The agent's side of a call.
pub(super) enum AgentLeg {
    /// Nobody asked for an agent yet.
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

/// What became of an agent's session.
pub(super) enum News {
    /// It is open now.
    Opened,
    /// It could not be opened.
    Failed(AgentLoss),
    /// It says something.
    Frame(AgentFrame),
}

impl AgentLeg {
    /// The next news.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<News> {
        match self {
            Self::Opening(opening) => opening.poll_unpin(cx).map(|opened| match opened {
                Ok(socket) => {
                    *self = Self::Open(socket);
                    News::Opened
                }
                Err(loss) => {
                    *self = Self::Over;
                    News::Failed(loss)
                }
            }),
            Self::Open(socket) => socket.poll_next(cx).map(News::Frame),
            Self::Unasked | Self::Closing(_) | Self::Over => Poll::Pending,
        }
    }

    /// Queues a text message; without an open session it goes nowhere.
    pub(super) fn say(&mut self, text: String) {
        if let Self::Open(socket) = self {
            socket.queue_text(text);
        }
    }

    /// Queues audio; without an open session it goes nowhere.
    pub(super) fn hear(&mut self, audio: &[u8]) {
        if let Self::Open(socket) = self {
            socket.queue_audio(audio);
        }
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) {
        if let Self::Open(socket) = self {
            // What is left is written when the socket wakes us.
            let _ = socket.poll_flush(cx);
        }
    }

    /// Lets nothing of the session through any more. [`AgentLeg::poll_close`] ends it.
    pub(super) fn close(&mut self) {
        *self = match std::mem::replace(self, Self::Over) {
            Self::Open(socket) | Self::Closing(socket) => Self::Closing(socket),
            Self::Unasked | Self::Opening(_) | Self::Over => Self::Over,
        };
    }

    /// Ends the session in good order. Ready when there is none.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.close();
        match self {
            Self::Closing(socket) => socket.poll_close(cx),
            _ => Poll::Ready(()),
        }
    }

    /// How many bytes of the caller's audio wait for the socket.
    pub(super) fn waiting_bytes(&self) -> u64 {
        match self {
            Self::Open(socket) => socket.waiting_bytes(),
            Self::Unasked | Self::Opening(_) | Self::Closing(_) | Self::Over => 0,
        }
    }

    /// How many bytes of the caller's audio were dropped because the socket took nothing.
    pub(super) fn shed_bytes(&self) -> u64 {
        match self {
            Self::Open(socket) | Self::Closing(socket) => socket.shed_bytes(),
            Self::Unasked | Self::Opening(_) | Self::Over => 0,
        }
    }
}
