//! A media stream's socket.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use call_transports::twilio::media::{FromTwilio, MediaFormat, Start, encode_from_twilio};
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::Stream;
use futures::{SinkExt as _, StreamExt as _};
use sim::cast::CarrierSays;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Account;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The socket is closed so long after `stop`.
const CLOSE: Duration = Duration::from_millis(30);

/// The other side has so long to close its own end.
const CLOSED: Duration = Duration::from_secs(1);

/// How the other side of a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Always.
    Always,
    /// Not always. What nobody reads stays with whoever sends it, and not in our own buffers, so
    /// that it is noticed soon.
    AtTimes,
}

/// The kernel's buffer for what is not read at times, in bytes.
const SMALL: u32 = 2_048;

async fn connect(request: Request, reads: Reads) -> anyhow::Result<Socket> {
    let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
    if reads == Reads::Always {
        let (socket, _) =
            tokio_tungstenite::connect_async_with_config(request, Some(config), true).await?;
        return Ok(socket);
    }
    let uri = request.uri().clone();
    let place = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
    let mut addresses = tokio::net::lookup_host(place).await?;
    let address = addresses.next().context("the stream's host has no address")?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(SMALL)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = MaybeTlsStream::Plain(stream);
    let (socket, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

/// The open socket of a stream.
pub(super) struct Line {
    socket: Socket,
    stream_sid: String,
    account_sid: String,
    call_sid: String,
    text: String,
}

impl Line {
    /// Opens the n-th stream of a call.
    pub(super) async fn open(
        account: &Account,
        call_sid: &str,
        number: u32,
        stream: &Stream,
        reads: Reads,
    ) -> anyhow::Result<Self> {
        let mut request = stream.url().into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("User-Agent", "Twilio.TmeWs/1.0".parse()?);
        let signature = sign(&account.auth_token, stream.url(), &[]);
        headers.insert("X-Twilio-Signature", signature.parse()?);
        let socket = connect(request, reads)
            .await
            .context("the stream was refused (Twilio's error 31920)")?;
        let mut line = Self {
            socket,
            stream_sid: format!("MZ{number:02x}{}", &call_sid[4..]),
            account_sid: account.sid.as_str().to_owned(),
            call_sid: call_sid.to_owned(),
            text: String::new(),
        };
        let parameters = stream.parameters().iter();
        let start = Start {
            stream_sid: line.stream_sid.clone(),
            call_sid: line.call_sid.clone(),
            account_sid: line.account_sid.clone(),
            media_format: MediaFormat::telephone(),
            custom_parameters: parameters
                .map(|parameter| (parameter.name().to_owned(), parameter.value().to_owned()))
                .collect(),
            tracks: vec!["inbound".to_owned()],
        };
        line.send(&FromTwilio::Connected { protocol: "Call".into(), version: "1.0.0".into() }, 0)
            .await?;
        line.send(&FromTwilio::Start(start), 1).await?;
        Ok(line)
    }

    /// The next message; nothing when the server has closed the socket.
    pub(super) fn next(
        &mut self,
    ) -> impl Future<Output = Option<Result<Message, tungstenite::Error>>> + '_ {
        self.socket.next()
    }

    /// Says what belongs on a stream. A socket that is gone is noticed by whoever reads it.
    pub(super) async fn say(&mut self, says: &CarrierSays) {
        let sent = match says {
            CarrierSays::Stop { sequence } => {
                let stop = FromTwilio::Stop {
                    account_sid: Some(self.account_sid.clone().into()),
                    call_sid: Some(self.call_sid.clone().into()),
                };
                self.send(&stop, *sequence).await
            }
            says => match says.on_stream() {
                Some(said) => self.send(&said.message, said.sequence.unwrap_or_default()).await,
                None => Ok(()),
            },
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the stream's socket is gone");
        }
    }

    /// Closes the socket behind `stop`, while the call goes on.
    pub(super) fn close(mut self) {
        tokio::spawn(async move {
            tokio::time::sleep(CLOSE).await;
            if self.socket.close(None).await.is_ok() {
                let gone = async { while let Some(Ok(_)) = self.socket.next().await {} };
                // A side that does not close its end in time is cut off.
                let _ = tokio::time::timeout(CLOSED, gone).await;
            }
        });
    }

    async fn send(&mut self, message: &FromTwilio<'_>, sequence: u64) -> anyhow::Result<()> {
        self.text.clear();
        encode_from_twilio(message, &self.stream_sid, sequence, &mut self.text);
        let text = Bytes::copy_from_slice(self.text.as_bytes());
        let text = text.try_into().context("what the codec writes is UTF-8")?;
        self.socket.send(Message::Text(text)).await?;
        Ok(())
    }
}
