//! The yardstick: a loop that forwards and does nothing else.
//!
//! One thread waits for all sockets at once. A frame of the caller's is looked for by a search in
//! the text, decoded and passed on; audio of the agent's goes the other way. There is no JSON parser,
//! no state machine, no order, no gate and no record: whatever a bridge costs beyond this is what it
//! does beyond this.

use std::net::{SocketAddr, TcpListener as StdListener};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::link::Link;
use super::wire::{self, Opcode, Side};

/// One side of a call.
struct End {
    link: Link,
    /// The other side's place.
    peer: usize,
    whose: Whose,
    is_open: bool,
    /// The carrier's name of the stream.
    stream: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Carrier,
    Agent,
}

/// Carriers come in at the listener, agents are called at an address.
pub(crate) struct Bare {
    poll: Poll,
    listener: TcpListener,
    agent: SocketAddr,
    /// Carrier and agent of each call, one behind the other; little is left of a call that is over.
    ends: Vec<Option<Box<End>>>,
    scratch: Vec<u8>,
    /// Audio of the caller's.
    audio: Vec<u8>,
    /// A message to the carrier.
    text: String,
}

const LISTENER: Token = Token(usize::MAX);

impl Bare {
    /// A loop that serves here.
    pub(crate) fn new(listener: StdListener, agent: SocketAddr) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (scratch, audio) = (vec![0; 4_096], vec![0; 4_096]);
        Ok(Self { poll, listener, agent, ends: Vec::new(), scratch, audio, text: String::new() })
    }

    /// Forwards until something fails that is not a call's.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut events = Events::with_capacity(256);
        loop {
            if let Err(error) = self.poll.poll(&mut events, None) {
                if error.kind() == std::io::ErrorKind::Interrupted {
                    continue;
                }
                return Err(error.into());
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(place) => {
                        if let Err(error) = self.serve(place, event) {
                            eprintln!("a call ends: {error:#}");
                            self.end(place);
                        }
                    }
                }
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let carrier = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let place = self.ends.len();
            let agent = TcpStream::connect(self.agent)?;
            self.add(carrier, Side::Server, place + 1, Whose::Carrier)?;
            self.add(agent, Side::Client, place, Whose::Agent)?;
        }
    }

    fn add(&mut self, socket: TcpStream, side: Side, peer: usize, whose: Whose) -> Result<()> {
        let mut link = Link::new(socket, side)?;
        let (token, both) = (Token(self.ends.len()), Interest::READABLE | Interest::WRITABLE);
        self.poll.registry().register(link.socket(), token, both)?;
        if whose == Whose::Agent {
            let host = self.agent.to_string();
            link.queue_bytes(wire::upgrade(&host, "/v1/agent/converse", "").as_bytes());
        }
        let end = End { link, peer, whose, is_open: false, stream: String::new() };
        self.ends.push(Some(Box::new(end)));
        Ok(())
    }

    fn serve(&mut self, place: usize, event: &Event) -> Result<()> {
        let Some(Some(end)) = self.ends.get_mut(place) else { return Ok(()) };
        if event.is_writable() {
            end.link.flush()?;
        }
        if !event.is_readable() {
            return Ok(());
        }
        let mut taken = end
            .link
            .take(&mut self.scratch, event.is_read_closed())
            .context("the other side left")?;
        let mut done = 0;
        if !end.is_open {
            let Some(head) = wire::head(&taken) else {
                end.link.give_back(taken, 0);
                return Ok(());
            };
            match end.whose {
                Whose::Carrier => end.link.queue_bytes(wire::switch(head).as_bytes()),
                Whose::Agent => end.link.queue(Opcode::Text, br#"{"type":"Settings"}"#),
            }
            end.link.flush()?;
            end.is_open = true;
            done = head.len();
        }
        let (whose, peer) = (end.whose, end.peer);
        while let Some(frame) = wire::next(&mut taken[done..])? {
            let payload = &taken[done..][frame.payload.clone()];
            match (whose, frame.opcode) {
                (Whose::Carrier, Opcode::Text) => self.carrier_text(place, peer, payload)?,
                (Whose::Agent, Opcode::Binary) => self.agent_audio(peer, payload)?,
                (Whose::Agent, Opcode::Text) => self.agent_text(peer, payload)?,
                (_, Opcode::Close) => bail!("the other side closed"),
                _ => {}
            }
            done += frame.payload.end;
        }
        if let Some(Some(end)) = self.ends.get_mut(place) {
            end.link.give_back(taken, done);
        }
        Ok(())
    }

    fn carrier_text(&mut self, place: usize, peer: usize, text: &[u8]) -> Result<()> {
        let text = str::from_utf8(text)?;
        if let Some(payload) = value(text, "\"payload\":\"") {
            let length = STANDARD.decode_slice(payload, &mut self.audio)?;
            if let Some(Some(agent)) = self.ends.get_mut(peer).filter(|end| is_open(end)) {
                agent.link.queue(Opcode::Binary, &self.audio[..length]);
                agent.link.flush()?;
            }
        } else if let (Some(stream), Some(Some(end))) =
            (value(text, "\"streamSid\":\""), self.ends.get_mut(place))
        {
            stream.clone_into(&mut end.stream);
        }
        Ok(())
    }

    fn agent_audio(&mut self, peer: usize, audio: &[u8]) -> Result<()> {
        let Some(Some(carrier)) = self.ends.get_mut(peer) else { return Ok(()) };
        let text = &mut self.text;
        text.clear();
        text.push_str(r#"{"event":"media","streamSid":""#);
        text.push_str(&carrier.stream);
        text.push_str(r#"","media":{"payload":""#);
        STANDARD.encode_string(audio, text);
        text.push_str(r#""}}"#);
        carrier.link.queue(Opcode::Text, text.as_bytes());
        Ok(carrier.link.flush()?)
    }

    fn agent_text(&mut self, peer: usize, text: &[u8]) -> Result<()> {
        let Some(Some(carrier)) = self.ends.get_mut(peer) else { return Ok(()) };
        if str::from_utf8(text)?.contains("\"UserStartedSpeaking\"") {
            let clear = format!(r#"{{"event":"clear","streamSid":"{}"}}"#, carrier.stream);
            carrier.link.queue(Opcode::Text, clear.as_bytes());
            carrier.link.flush()?;
        }
        Ok(())
    }

    /// Closes both sides of a call by dropping them.
    fn end(&mut self, place: usize) {
        if let Some(end) = self.ends[place].take() {
            self.ends[end.peer] = None;
        }
    }
}

fn is_open(end: &Option<Box<End>>) -> bool {
    end.as_ref().is_some_and(|end| end.is_open)
}

/// The text behind these words, up to the next quotation mark.
fn value<'a>(text: &'a str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(behind)?;
    rest.split_once('"').map(|(value, _)| value)
}
