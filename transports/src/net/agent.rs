//! The agent's socket: how it is opened, and a small poll-based face to read and write it.
//!
//! Nothing outside this file knows which WebSocket library is underneath.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use call_core::input::AgentLoss;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::breaker::{Breaker, Verdict};
use super::chance::between;
use super::http::{Scheme, authorization, endpoint};
use super::{Error, install_crypto};
use crate::deepgram::{AGENT_PATH, AUTHORIZATION_SCHEME, MESSAGE_BYTES_MAX};
use crate::outbox::Outbox;

/// T_DG_CONNECT: so often, and so long each time.
const TRIES: u32 = 2;
const TRY: Duration = Duration::from_secs(3);

/// Between them. Chance decides, so that calls that were refused together do not come back together
/// (F-DG-03).
const PAUSE_MS: (u32, u32) = (200, 300);

/// The library's own buffers are many times larger, and it clears them before every read.
const BUFFER_BYTES: usize = 2_048;

/// Opens sessions with the agent's provider.
#[derive(Clone)]
pub struct AgentConnector {
    url: Url,
    authorization: HeaderValue,
    breaker: Arc<Breaker>,
}

impl AgentConnector {
    /// A connector to `url`, below which the path of the agent may be left out.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the URL is not `wss` (`ws` on this machine) or the key cannot stand
    /// in a header.
    #[allow(clippy::needless_pass_by_value, reason = "the caller's copy of a key ends here")]
    pub fn new(url: &str, api_key: SecretString) -> Result<Self, Error> {
        install_crypto();
        let url = endpoint("DEEPGRAM_AGENT_URL", url, Scheme::WebSocket, AGENT_PATH)?;
        let authorization = authorization("DEEPGRAM_API_KEY", AUTHORIZATION_SCHEME, &api_key)?;
        let breaker = Arc::new(Breaker::new("the agent's provider"));
        Ok(Self { url, authorization, breaker })
    }

    /// How its breaker stands. All clones have the same one.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Opens a session, in at most two tries of three seconds; in none while the provider is known
    /// to be down.
    ///
    /// # Errors
    ///
    /// Why there is no session, as the call is told. Refused credentials are not tried twice.
    pub async fn connect(&self) -> Result<AgentSocket, AgentLoss> {
        let mut loss = AgentLoss::Unreachable;
        for attempt in 1..=TRIES {
            if attempt > 1 {
                sleep(between(PAUSE_MS)).await;
            }
            let Some(asking) = self.breaker.ask() else {
                tracing::warn!("the agent's provider is down and was not asked");
                break;
            };
            let opened = timeout(TRY, self.open()).await;
            asking.tell(verdict(opened.as_ref().ok()));
            let error = match opened {
                Ok(Ok(link)) => return Ok(AgentSocket::new(link)),
                Ok(Err(error)) => error,
                Err(_) => {
                    tracing::warn!(attempt, "the agent's provider did not answer in time");
                    loss = AgentLoss::Unreachable;
                    continue;
                }
            };
            match error {
                tungstenite::Error::Http(answer) => {
                    let status = answer.status().as_u16();
                    loss = AgentLoss::Refused(status);
                    if matches!(status, 401 | 403) {
                        tracing::error!(status, "the agent's provider refuses our key");
                        break;
                    }
                    tracing::warn!(attempt, status, "the agent's provider refused a session");
                }
                error => {
                    loss = AgentLoss::Unreachable;
                    let why = reason(&error);
                    tracing::warn!(attempt, why, "the agent's provider could not be reached");
                }
            }
        }
        Err(loss)
    }

    async fn open(&self) -> Result<Link, tungstenite::Error> {
        let mut request = self.url.as_str().into_client_request()?;
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        // Audio goes out in small pieces at an even pace: none of them may wait for the next.
        let no_delay = true;
        let (link, _) = connect_async_with_config(request, Some(config), no_delay).await?;
        Ok(link)
    }
}

impl fmt::Debug for AgentConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentConnector").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

type Link = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What an agent's session says.
#[derive(Debug)]
pub enum AgentFrame {
    /// A text message.
    Text(AgentText),
    /// Audio.
    Audio(Bytes),
    /// Nothing any more: the session is over.
    Ended,
}

/// A text message of the agent's. It holds what people say, so it does not print.
pub struct AgentText(Utf8Bytes);

impl AgentText {
    /// The text itself. The caller answers for where it goes.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for AgentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«private»")
    }
}

/// An open session. Nothing here waits: what cannot be written now is queued, and
/// [`AgentSocket::poll_flush`] writes as much as the socket takes.
pub struct AgentSocket {
    link: Link,
    outbox: Outbox<Message>,
    is_unflushed: bool,
    is_over: bool,
    is_closed: bool,
}

impl AgentSocket {
    fn new(link: Link) -> Self {
        let outbox = Outbox::default();
        Self { link, outbox, is_unflushed: false, is_over: false, is_closed: false }
    }

    /// The next frame, [`AgentFrame::Ended`] for ever after the last.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<AgentFrame> {
        while !self.is_over {
            match ready!(self.link.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => {
                    return Poll::Ready(AgentFrame::Text(AgentText(text)));
                }
                Some(Ok(Message::Binary(audio))) => return Poll::Ready(AgentFrame::Audio(audio)),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    tracing::debug!(code, "the agent's provider closes the session");
                    self.is_over = true;
                }
                // The library answers pings itself.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(why = reason(&error), "the agent's socket broke");
                    self.is_over = true;
                }
                None => self.is_over = true,
            }
        }
        Poll::Ready(AgentFrame::Ended)
    }

    /// Queues a text message.
    pub fn queue_text(&mut self, text: String) {
        self.outbox.push_control(Message::text(text));
    }

    /// Queues audio.
    pub fn queue_audio(&mut self, audio: &[u8]) {
        self.outbox.push_audio(Message::binary(Bytes::copy_from_slice(audio)), audio.len());
    }

    /// Writes what is queued, as far as the socket takes it. Ready when nothing is left, or when
    /// nothing can be written any more; then [`AgentSocket::poll_next`] tells that the session is
    /// over.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_over {
            return Poll::Ready(());
        }
        if self.outbox.is_overfull() {
            self.lost(cx, "too many messages wait");
            return Poll::Ready(());
        }
        let written = ready!(self.poll_write(cx));
        if let Err(error) = written {
            self.lost(cx, reason(&error));
        }
        Poll::Ready(())
    }

    /// Ends the session in good order: ready when our closing frame is written, be it the first
    /// or the answer. What is still queued is dropped.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.is_over = true;
        if !self.is_closed {
            // An error means that there is nothing left to close.
            let _ = ready!(self.link.poll_close_unpin(cx));
            self.is_closed = true;
        }
        Poll::Ready(())
    }

    /// How many bytes of the caller's audio wait for the socket.
    pub const fn waiting_bytes(&self) -> u64 {
        self.outbox.audio_bytes()
    }

    /// How many bytes of the caller's audio were dropped because the socket took nothing.
    pub const fn shed_bytes(&self) -> u64 {
        self.outbox.shed_bytes()
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        while !self.outbox.is_empty() {
            ready!(self.link.poll_ready_unpin(cx))?;
            if let Some(message) = self.outbox.pop() {
                self.link.start_send_unpin(message)?;
                self.is_unflushed = true;
            }
        }
        if self.is_unflushed {
            ready!(self.link.poll_flush_unpin(cx))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn lost(&mut self, cx: &Context<'_>, why: &'static str) {
        tracing::debug!(why, "the agent's socket takes nothing any more");
        self.is_over = true;
        // Whoever reads must come by again to learn of it.
        cx.waker().wake_by_ref();
    }
}

impl fmt::Debug for AgentSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSocket").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}

/// What came of opening a session; nothing if it took too long.
fn verdict(opened: Option<&Result<Link, tungstenite::Error>>) -> Verdict {
    match opened {
        Some(Ok(_)) => Verdict::Well,
        Some(Err(tungstenite::Error::Http(answer))) => {
            let status = answer.status().as_u16();
            match Verdict::of_status(status, None) {
                // It is there, and opens no sessions.
                Verdict::Well => Verdict::Failed,
                verdict => verdict,
            }
        }
        Some(Err(_)) | None => Verdict::Failed,
    }
}

/// What went wrong, in words that quote nothing of what was sent or received.
fn reason(error: &tungstenite::Error) -> &'static str {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => "closed",
        tungstenite::Error::Io(_) => "the connection failed",
        tungstenite::Error::Tls(_) => "TLS failed",
        tungstenite::Error::Capacity(_) => "a message is too large",
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => "not the protocol",
        tungstenite::Error::Url(_) => "the URL is unusable",
        tungstenite::Error::Http(_) | tungstenite::Error::HttpFormat(_) => "not an upgrade",
        _ => "failed",
    }
}
