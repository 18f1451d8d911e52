//! One call: the webhook, the stream, and what follows it.

use anyhow::{Context as _, bail, ensure};
use call_transports::twilio::Sid;
use call_transports::twilio::media::{
    FromTwilio, MediaFormat, Start, decode_to_twilio, encode_from_twilio,
};
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::{self, Stream, Verb};
use call_transports::twilio::webhook::{
    CallStatus, Direction, InboundCall, PhoneNumber, encode_form,
};
use futures::{SinkExt as _, StreamExt as _};
use sim::Scenario;
use sim::cast::{Carrier, CarrierSays};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::rest::HangUp;
use super::{Account, Outcome};
use crate::clock::Clock;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Documents may redirect; not for ever.
const REDIRECTS_MAX: usize = 10;

pub(super) async fn place(
    account: &Account,
    call_sid: &Sid,
    webhook: &str,
    scenario: &Scenario,
    mut requests: mpsc::Receiver<HangUp>,
) -> anyhow::Result<Outcome> {
    let mut caller = InboundCall {
        call_sid: call_sid.clone(),
        account_sid: account.sid.clone(),
        from: PhoneNumber::new(scenario.from.clone()),
        to: PhoneNumber::new(scenario.to.clone()),
        status: CallStatus::Ringing,
        direction: Direction::Inbound,
        api_version: "2010-04-01".to_owned(),
    };
    let mut outcome = Outcome { carrier: None, verbs: Vec::new() };
    let mut document = fetch(account, webhook, &caller).await?;
    for _ in 0..REDIRECTS_MAX {
        let mut next = None;
        for verb in document {
            match &verb {
                Verb::Connect(stream) => {
                    caller.status = CallStatus::InProgress;
                    let carrier =
                        connect(account, call_sid, stream, scenario, &mut requests).await?;
                    let over = carrier.is_over();
                    outcome.carrier = Some(carrier);
                    if over {
                        return Ok(outcome);
                    }
                }
                Verb::Redirect { url } => next = Some(url.clone()),
                Verb::Say { .. } => {}
                _ => {
                    outcome.verbs.push(verb);
                    return Ok(outcome);
                }
            }
            outcome.verbs.push(verb);
            if next.is_some() {
                break;
            }
        }
        match next {
            Some(url) => document = fetch(account, &url, &caller).await?,
            // Nothing left to do: the call ends.
            None => return Ok(outcome),
        }
    }
    bail!("more than {REDIRECTS_MAX} redirects")
}

/// A signed webhook request, and the document that answers it.
async fn fetch(account: &Account, url: &str, caller: &InboundCall) -> anyhow::Result<Vec<Verb>> {
    let form = caller.to_form();
    let response = account
        .http
        .post(url)
        .header("X-Twilio-Signature", sign(&account.auth_token, url, &form))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encode_form(&form))
        .send()
        .await
        .with_context(|| format!("the webhook {url} cannot be reached"))?;
    ensure!(response.status().is_success(), "the webhook answered {}", response.status());
    let body = response.text().await?;
    twiml::parse(&body).context("the webhook's answer is not TwiML")
}

/// Opens a stream and carries the call over it, until one side ends it.
async fn connect(
    account: &Account,
    call_sid: &Sid,
    stream: &Stream,
    scenario: &Scenario,
    requests: &mut mpsc::Receiver<HangUp>,
) -> anyhow::Result<Carrier> {
    let mut request = stream.url().into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("User-Agent", "Twilio.TmeWs/1.0".parse()?);
    let signature = sign(&account.auth_token, stream.url(), &[]);
    headers.insert("X-Twilio-Signature", signature.parse()?);
    let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
    let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true)
        .await
        .context("the stream was refused (Twilio's error 31920)")?;
    let mut line = Line::open(account, call_sid, stream, socket).await?;
    let clock = Clock::start();
    let mut carrier = Carrier::new(scenario.caller(), scenario.faults.clone());
    let mut scratch = Vec::new();
    let mut answers: Vec<oneshot::Sender<(u16, String)>> = Vec::new();
    while carrier.is_open() || !answers.is_empty() {
        tokio::select! {
            biased;
            () = clock.sleep_until(carrier.poll_timeout(clock.now())) => {
                while let Some(says) = carrier.due(clock.now()) {
                    match says {
                        CarrierSays::HungUp { status, body } => {
                            if let Some(answer) = answers.pop() {
                                let _ = answer.send((status, body));
                            }
                        }
                        // The connection breaks: nothing is said, not even goodbye.
                        CarrierSays::Break => return Ok(carrier),
                        says => line.say(says).await,
                    }
                }
            }
            message = line.socket.next(), if carrier.is_open() => match message {
                Some(Ok(Message::Text(text))) => {
                    match decode_to_twilio(&text, &mut scratch) {
                        Ok((_, message)) => carrier.receive(clock.now(), &message),
                        // Warning 31951: the message is ignored.
                        Err(error) => tracing::warn!(%error, "message not compliant"),
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => carrier.stream_closed(),
                Some(Ok(_)) => {}
            },
            Some(HangUp(answer)) = requests.recv() => {
                answers.insert(0, answer);
                carrier.hang_up(clock.now());
            }
        }
    }
    Ok(carrier)
}

/// The open socket of a stream.
struct Line {
    socket: Socket,
    stream_sid: String,
    account_sid: String,
    call_sid: String,
    text: String,
}

impl Line {
    async fn open(
        account: &Account,
        call_sid: &Sid,
        stream: &Stream,
        socket: Socket,
    ) -> anyhow::Result<Self> {
        let stream_sid = format!("MZ{}", &call_sid.as_str()[2..]);
        let parameters = stream.parameters().iter();
        let start = Start {
            stream_sid: stream_sid.clone(),
            call_sid: call_sid.as_str().to_owned(),
            account_sid: account.sid.as_str().to_owned(),
            media_format: MediaFormat::telephone(),
            custom_parameters: parameters
                .map(|parameter| (parameter.name().to_owned(), parameter.value().to_owned()))
                .collect(),
            tracks: vec!["inbound".to_owned()],
        };
        let mut line = Self {
            socket,
            stream_sid,
            account_sid: account.sid.as_str().to_owned(),
            call_sid: call_sid.as_str().to_owned(),
            text: String::new(),
        };
        line.send(&FromTwilio::Connected { protocol: "Call".into(), version: "1.0.0".into() }, 0)
            .await?;
        line.send(&FromTwilio::Start(start), 1).await?;
        Ok(line)
    }

    async fn say(&mut self, says: CarrierSays) {
        let (account_sid, call_sid) = (self.account_sid.clone(), self.call_sid.clone());
        let sent = match says {
            CarrierSays::Stop { sequence } => {
                let (account_sid, call_sid) = (Some(account_sid.into()), Some(call_sid.into()));
                self.send(&FromTwilio::Stop { account_sid, call_sid }, sequence).await
            }
            CarrierSays::Close => self.socket.close(None).await.map_err(anyhow::Error::from),
            says => match says.on_stream() {
                Some(said) => self.send(&said.message, said.sequence.unwrap_or_default()).await,
                None => Ok(()),
            },
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the stream's socket is gone");
        }
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
