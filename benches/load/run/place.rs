//! Placing a call as Twilio does: the signed webhook, its document, the signed upgrade, `start`.
//!
//! And reporting one over. All of it simply waits for its answers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use call_transports::twilio::Sid;
use call_transports::twilio::media::{FromTwilio, MediaFormat, Start, encode_from_twilio};
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::{self, Verb};
use call_transports::twilio::webhook::{
    CallStatus, Direction, InboundCall, PhoneNumber, encode_form,
};

use super::Keys;
use super::call::call_sid;
use super::process::{NUMBER, Subject};
use super::wire::{self, Opcode, Side};

/// Where calls go.
pub(crate) struct Door {
    pub(crate) subject: Subject,
    pub(crate) address: SocketAddr,
    pub(crate) keys: Keys,
}

/// A stream that has begun.
pub(crate) struct Placed {
    pub(crate) number: u32,
    pub(crate) socket: TcpStream,
    pub(crate) stream_sid: String,
    /// What came behind the answer to the upgrade.
    pub(crate) unread: Vec<u8>,
    /// Whether an opening is heard before the agent.
    pub(crate) has_opening: bool,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl Door {
    /// Waits until calls are taken.
    pub(crate) fn wait(&self) -> Result<()> {
        let begin = Instant::now();
        loop {
            let is_open = match self.subject {
                Subject::Bare => TcpStream::connect(self.address).is_ok(),
                Subject::Server(_) => {
                    let answer = ask(self.address, "GET /ready HTTP/1.1", "", "");
                    answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
                }
            };
            if is_open {
                return Ok(());
            }
            ensure!(begin.elapsed() < PATIENCE, "nobody takes calls at {}", self.address);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Places a call.
    pub(crate) fn place(&self, number: u32) -> Result<Placed> {
        let stream_sid = format!("MZ{number:032x}");
        let (url, parameters) = match self.subject {
            Subject::Bare => (format!("ws://{}/", self.address), Vec::new()),
            Subject::Server(_) => self.document(number)?,
        };
        let place = url.strip_prefix("ws://").context("the stream is for another machine")?;
        let (host, path) = place.split_once('/').context("the stream's URL has no path")?;
        let signature = sign(&self.keys.auth_token, &url, &[]);
        let signed = format!("X-Twilio-Signature: {signature}\r\nUser-Agent: Twilio.TmeWs/1.0\r\n");
        let mut socket = connect(self.address)?;
        socket.write_all(wire::upgrade(host, &format!("/{path}"), &signed).as_bytes())?;
        let unread = switched(&mut socket)?;
        let start = Start {
            stream_sid: stream_sid.clone(),
            call_sid: call_sid(number),
            account_sid: self.keys.account.as_str().to_owned(),
            media_format: MediaFormat::telephone(),
            custom_parameters: parameters.into_iter().collect(),
            tracks: vec!["inbound".to_owned()],
        };
        let connected = FromTwilio::Connected { protocol: "Call".into(), version: "1.0.0".into() };
        let mut out = Vec::new();
        for (sequence, message) in [connected, FromTwilio::Start(start)].iter().enumerate() {
            let mut text = String::new();
            encode_from_twilio(message, &stream_sid, sequence as u64, &mut text);
            wire::push(&mut out, Side::Client, Opcode::Text, text.as_bytes());
        }
        socket.write_all(&out)?;
        let has_opening = self.subject != Subject::Bare;
        Ok(Placed { number, socket, stream_sid, unread, has_opening })
    }

    /// The stream's URL and parameters, from the document that answers the webhook.
    fn document(&self, number: u32) -> Result<(String, Vec<(String, String)>)> {
        let form = self.call(number, CallStatus::Ringing)?.to_form();
        let answer = self.webhook("/twilio/inbound_call", &form)?;
        let (head, document) = answer.split_once("\r\n\r\n").context("the answer has a head")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "the webhook answered {head}");
        for verb in twiml::parse(document)? {
            if let Verb::Connect(stream) = verb {
                let both = |parameter: &twiml::Parameter| {
                    (parameter.name().to_owned(), parameter.value().to_owned())
                };
                let parameters = stream.parameters().iter().map(both).collect();
                return Ok((stream.url().to_owned(), parameters));
            }
        }
        bail!("the call was not taken: {document}")
    }

    /// Reports that a call is over. The loop is told by its socket alone.
    pub(crate) fn completed(&self, number: u32) -> Result<()> {
        if self.subject == Subject::Bare {
            return Ok(());
        }
        let mut form = self.call(number, CallStatus::Completed)?.to_form();
        form.push(("SequenceNumber".to_owned(), "0".to_owned()));
        let answer = self.webhook("/twilio/call-status", &form)?;
        ensure!(answer.starts_with("HTTP/1.1 204"), "the status callback answered {answer}");
        Ok(())
    }

    /// What the carrier tells of a call wherever it tells something.
    fn call(&self, number: u32, status: CallStatus) -> Result<InboundCall> {
        Ok(InboundCall {
            call_sid: Sid::parse(&call_sid(number)).context("it is a SID")?,
            account_sid: self.keys.account.clone(),
            from: PhoneNumber::new("+15550100111"),
            to: PhoneNumber::new(NUMBER),
            status,
            direction: Direction::Inbound,
            api_version: "2010-04-01".to_owned(),
        })
    }

    /// A signed form, and the whole answer.
    fn webhook(&self, path: &str, form: &[(String, String)]) -> Result<String> {
        let url = format!("http://{}{path}", self.address);
        let signature = sign(&self.keys.auth_token, &url, form);
        let more = format!(
            "X-Twilio-Signature: {signature}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        ask(self.address, &format!("POST {path} HTTP/1.1"), &more, &encode_form(form))
    }
}

/// What the server has counted, as scrapers get it.
pub(crate) fn scrape(metrics: SocketAddr) -> Result<String> {
    ask(metrics, "GET /metrics HTTP/1.1", "", "")
}

/// One request, and the whole answer.
fn ask(address: SocketAddr, line: &str, more: &str, body: &str) -> Result<String> {
    let mut socket = connect(address)?;
    let length = body.len();
    let head = format!(
        "{line}\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n"
    );
    socket.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Waits for the answer to an upgrade, and returns what came behind it.
fn switched(socket: &mut TcpStream) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut piece = [0; 1_024];
    loop {
        let length = socket.read(&mut piece)?;
        ensure!(length > 0, "the stream was refused");
        answer.extend_from_slice(&piece[..length]);
        let Some(head) = wire::head(&answer) else { continue };
        ensure!(head.starts_with("HTTP/1.1 101"), "the stream was refused: {head}");
        let length = head.len();
        return Ok(answer.split_off(length));
    }
}
