//! The carrier's socket: reading, writing, and since when it takes nothing. Whether it still lives
//! is decided in the bridge.

use std::error::Error as _;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use call_core::CallTime;
use call_transports::outbox::Outbox;
use call_transports::twilio::media::ToTwilio;
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

/// What is written around a message's audio, in bytes, and a little more.
const ENVELOPE_BYTES: usize = 96;

/// What a carrier's socket says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A text message.
    Text(Utf8Bytes),
    /// Binary data, which means nothing here.
    Binary,
    /// A sign of life that says nothing more.
    Alive,
    /// Nothing any more.
    Ended,
}

/// One end of a media stream. Nothing here waits.
pub(super) struct CarrierLeg<S = WebSocket> {
    socket: S,
    stream_sid: String,
    outbox: Outbox<Message>,
    is_unflushed: bool,
    /// The socket had no room when it was asked last.
    has_no_room: bool,
    /// Since when the socket has taken nothing although something waits.
    blocked_since: Option<CallTime>,
    state: State,
    close_code: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing can be read any more, because what came was no WebSocket message of a size that we
    /// take. A closing frame can still be written.
    Unreadable,
    /// A closing frame was sent or received; what still comes is thrown away.
    Closing,
    /// As before, and nothing can be read, not even the other side's closing frame.
    ClosingUnread,
    Over,
}

impl<S> CarrierLeg<S>
where
    S: Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Unpin,
{
    /// A leg on an open socket.
    pub(super) fn new(socket: S, stream_sid: String) -> Self {
        Self {
            socket,
            stream_sid,
            outbox: Outbox::default(),
            is_unflushed: false,
            has_no_room: false,
            blocked_since: None,
            state: State::Open,
            close_code: close_code::NORMAL,
        }
    }

    /// The stream's name.
    pub(super) fn stream_sid(&self) -> &str {
        &self.stream_sid
    }

    /// Queues a message. A `clear` makes the audio that still waits here stale; marks keep their
    /// places. A socket that is closed takes nothing.
    pub(super) fn say(&mut self, message: &ToTwilio<'_>) {
        if self.state != State::Open {
            return;
        }
        let audio_bytes = match message {
            ToTwilio::Media { payload } => payload.len(),
            ToTwilio::Mark { .. } | ToTwilio::Clear => 0,
        };
        let mut text = String::with_capacity(ENVELOPE_BYTES + audio_bytes.div_ceil(3) * 4);
        message.encode(&self.stream_sid, &mut text);
        let text = Message::Text(text.into());
        match message {
            ToTwilio::Media { .. } => self.outbox.push_audio(text, audio_bytes),
            ToTwilio::Mark { .. } => self.outbox.push_control(text),
            ToTwilio::Clear => {
                self.outbox.drop_audio();
                self.outbox.push_control(text);
            }
        }
    }

    /// The next frame, [`Frame::Ended`] for ever after the last.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Frame> {
        if self.state != State::Open {
            return Poll::Ready(Frame::Ended);
        }
        let frame = ready!(self.socket.poll_next_unpin(cx));
        match frame {
            Some(Ok(Message::Text(text))) => Poll::Ready(Frame::Text(text)),
            Some(Ok(Message::Binary(_))) => Poll::Ready(Frame::Binary),
            // The library answers pings.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Poll::Ready(Frame::Alive),
            Some(Ok(Message::Close(_))) => {
                // The library has an answer ready, which is written when the call leaves.
                self.is_unflushed = true;
                self.state = State::Closing;
                Poll::Ready(Frame::Ended)
            }
            Some(Err(error)) => {
                self.state = match fault_code(&error) {
                    Some(code) => {
                        tracing::warn!(
                            code,
                            "security: the media socket sends what no carrier sends"
                        );
                        self.close_code = code;
                        // What waits here is for nobody.
                        while self.outbox.pop().is_some() {}
                        State::Unreadable
                    }
                    None => State::Over,
                };
                Poll::Ready(Frame::Ended)
            }
            None => {
                self.state = State::Over;
                Poll::Ready(Frame::Ended)
            }
        }
    }

    /// Writes what waits, as far as the socket takes it. When that fails, the next frame is the
    /// last.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, now: CallTime) {
        if self.state != State::Open {
            return;
        }
        match self.poll_write(cx) {
            _ if self.outbox.is_overfull() => self.lose(cx, "too many messages wait"),
            Poll::Ready(Ok(())) => self.blocked_since = None,
            Poll::Ready(Err(_)) => self.lose(cx, "the socket broke"),
            Poll::Pending => {
                self.blocked_since.get_or_insert(now);
            }
        }
    }

    /// Since when the socket has taken nothing although something waits.
    pub(super) const fn blocked_since(&self) -> Option<CallTime> {
        self.blocked_since
    }

    /// Queues a ping.
    pub(super) fn ping(&mut self) {
        self.outbox.push_control(Message::Ping(Bytes::new()));
    }

    /// Gives the socket up because of what it sends.
    pub(super) fn give_up(&mut self) {
        tracing::warn!("security: the media socket sends what no carrier sends");
        self.close_code = close_code::POLICY;
    }

    /// Writes what waits and a closing frame. Ready when it is written.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let State::Open | State::Unreadable = self.state {
            let frame = CloseFrame { code: self.close_code, reason: Utf8Bytes::default() };
            let written = ready!(self.poll_write(cx)).and_then(|()| {
                self.is_unflushed = true;
                self.socket.start_send_unpin(Message::Close(Some(frame)))
            });
            self.state = match (written, self.state) {
                (Err(_), _) => State::Over,
                (Ok(()), State::Unreadable) => State::ClosingUnread,
                (Ok(()), _) => State::Closing,
            };
        }
        if self.state != State::Over && self.is_unflushed {
            if ready!(self.socket.poll_flush_unpin(cx)).is_err() {
                self.state = State::Over;
            }
            self.is_unflushed = false;
        }
        Poll::Ready(())
    }

    /// After [`CarrierLeg::poll_close`]: ready when the other side has closed too, or never where
    /// nothing can be read of it, so that whoever waits does so up to a limit.
    ///
    /// A connection that is dropped while something still comes in is reset, and then our closing
    /// frame may never arrive.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state == State::ClosingUnread {
            return Poll::Pending;
        }
        while self.state == State::Closing {
            if !matches!(ready!(self.socket.poll_next_unpin(cx)), Some(Ok(_))) {
                self.state = State::Over;
            }
        }
        Poll::Ready(())
    }

    /// How many bytes of speech wait for the socket.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.outbox.audio_bytes()
    }

    /// Closes and waits for the other side to close, after its stream has ended. What waits here is
    /// for nobody.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state == State::Open {
            self.outbox.drop_audio();
            while self.outbox.pop().is_some() {}
        }
        ready!(self.poll_close(cx));
        self.poll_closed(cx)
    }

    /// How many bytes of speech were dropped because the socket took nothing.
    pub(super) fn shed_bytes(&self) -> u64 {
        self.outbox.shed_bytes()
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        while !self.outbox.is_empty() {
            let room = self.socket.poll_ready_unpin(cx);
            let had_no_room = std::mem::replace(&mut self.has_no_room, room.is_pending());
            ready!(room)?;
            if had_no_room {
                // It took something after all, however slowly.
                self.blocked_since = None;
            }
            if let Some(message) = self.outbox.pop() {
                self.socket.start_send_unpin(message)?;
                self.is_unflushed = true;
            }
        }
        if self.is_unflushed {
            ready!(self.socket.poll_flush_unpin(cx))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn lose(&mut self, cx: &Context<'_>, why: &'static str) {
        tracing::warn!(why, "the media socket is lost");
        self.state = State::Over;
        // Whoever reads must come by again to learn of it.
        cx.waker().wake_by_ref();
    }
}

/// What a socket is closed with that cannot be read any more, because the other side broke the rules
/// of WebSockets or our limits. Nothing where it is the connection that broke.
///
/// The library looks at the size that a frame or a message claims before it reserves memory for it.
pub(crate) fn fault_code(error: &axum::Error) -> Option<u16> {
    match error.source()?.downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(close_code::SIZE),
        tungstenite::Error::Utf8(_) => Some(close_code::INVALID),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(close_code::PROTOCOL),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
