//! Drives the calls: one thread, all sockets, and a timer that is exact enough for 20 ms.
//!
//! It plays the carrier and the agent of every call. Whatever it is late by is its *slip*, which is
//! measured, because a driver that falls behind measures itself.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use call_transports::twilio::media::{ToTwilio, decode_to_twilio};
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use super::call::{Call, FRAME, Manner, TURN};
use super::exchange::Exchange;
use super::label::{FRAME_BYTES, Kind, Label, noise};
use super::link::Link;
use super::place::{Door, Placed};
use super::provider::{self, Answer};
use super::tally::{Tally, Times};
use super::wire::{self, Opcode, Side};

mod act;
mod turns;

use act::Deed;

/// Whose a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Carrier {
        call: usize,
    },
    /// A connection to the providers that is not a session yet.
    Request,
    /// A session, and whose call it is once that was heard.
    Session {
        call: Option<usize>,
    },
}

/// All calls of one run.
pub(crate) struct Drive {
    poll: Poll,
    timer: OwnedFd,
    providers: TcpListener,
    links: Vec<Option<(Link, Whose)>>,
    /// Where calls come from; nothing before the first.
    exchange: Option<Exchange>,
    /// Calls that are being placed, by the offsets of their frames.
    coming: VecDeque<u64>,
    /// All calls, by their numbers, also those that are over.
    pub(crate) calls: Vec<Call>,
    /// How long a call is before another takes its place; nothing while none does.
    turn: Option<u64>,
    /// How many calls are over.
    pub(crate) ended: u64,
    /// What became of the frames that count, of calls that are over.
    tally: Tally,
    deeds: BinaryHeap<Reverse<(u64, usize, Deed)>>,
    begin: Instant,
    scratch: Vec<u8>,
    audio: [u8; FRAME_BYTES],
    /// The carrier's audio is decoded into this.
    payload: Vec<u8>,
    text: String,
    /// Frames that are sent now count.
    pub(crate) counts: bool,
    /// Frames of either direction that crossed.
    pub(crate) crossed: u64,
    /// How late the frames that count were sent.
    pub(crate) slips: Times,
    /// From the caller's voice to `clear`.
    pub(crate) clears: Times,
    /// Frames of a reply that came although it was cleared.
    pub(crate) stale: u64,
    /// Frames of cut replies that came before, to see that there were any.
    pub(crate) replied: u64,
}

const TIMER: Token = Token(usize::MAX);
const PROVIDERS: Token = Token(usize::MAX - 1);
const EXCHANGE: Token = Token(usize::MAX - 2);

impl Drive {
    /// No calls yet.
    pub(crate) fn new() -> Result<Self> {
        let mut providers = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let poll = Poll::new()?;
        let registry = poll.registry();
        registry.register(&mut providers, PROVIDERS, Interest::READABLE)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            timer,
            providers,
            links: Vec::new(),
            exchange: None,
            coming: VecDeque::new(),
            calls: Vec::new(),
            turn: None,
            ended: 0,
            tally: Tally::default(),
            deeds: BinaryHeap::new(),
            begin: Instant::now(),
            scratch: vec![0; 16_384],
            audio: noise(),
            payload: Vec::new(),
            text: String::new(),
            counts: false,
            crossed: 0,
            slips: Times::default(),
            clears: Times::default(),
            stale: 0,
            replied: 0,
        })
    }

    /// Where the providers are.
    pub(crate) fn providers(&self) -> Result<SocketAddr> {
        Ok(self.providers.local_addr()?)
    }

    /// Calls are placed at this door from now on.
    pub(crate) fn open(&mut self, door: Door) -> Result<()> {
        let waker = Waker::new(self.poll.registry(), EXCHANGE)?;
        self.exchange = Some(Exchange::open(door, waker)?);
        Ok(())
    }

    /// Has another call placed, of which the frames come `offset` after those of the first. It comes
    /// while the others go on.
    pub(crate) fn place(&mut self, offset: Duration) -> Result<()> {
        let number = self.calls.len() + self.coming.len();
        self.coming.push_back(offset.as_nanos() as u64 % FRAME);
        self.exchange()?.place(number as u32)
    }

    fn exchange(&self) -> Result<&Exchange> {
        self.exchange.as_ref().context("there is no door to place calls at")
    }

    /// Takes in the calls that were placed.
    fn take_in(&mut self) -> Result<()> {
        while let Some(placed) = self.exchange()?.placed() {
            self.begin(placed?)?;
        }
        Ok(())
    }

    fn begin(&mut self, placed: Placed) -> Result<()> {
        let Placed { number, socket, stream_sid, unread, has_opening } = placed;
        let offset = self.coming.pop_front().context("nobody has placed this call")?;
        socket.set_nonblocking(true)?;
        let whose = Whose::Carrier { call: self.calls.len() };
        let place = self.add(TcpStream::from_std(socket), Side::Client, whose)?;
        if let Some(Some((link, _))) = self.links.get_mut(place) {
            link.give_back(unread, 0);
        }
        self.calls.push(Call::new(number, place, stream_sid, offset));
        let number = number as usize;
        if !has_opening {
            self.calls[number].opening_over(0);
        }
        let now = self.now();
        let first = now.next_multiple_of(FRAME) + offset;
        for (at, deed) in [(first, Deed::Speak), (first, Deed::Talk), (first + TURN, Deed::Turn)] {
            self.deeds.push(Reverse((at, number, deed)));
        }
        if let Some(turn) = self.turn {
            self.ends(number, now + turn);
        }
        Ok(())
    }

    /// Lets the calls go on for so long.
    pub(crate) fn run(&mut self, length: Duration) -> Result<()> {
        let end = self.now() + length.as_nanos() as u64;
        let mut events = Events::with_capacity(64);
        loop {
            let now = self.now();
            if now >= end {
                return Ok(());
            }
            let mut due = end;
            while let Some(Reverse((at, _, _))) = self.deeds.peek() {
                if *at > self.now() {
                    due = due.min(*at);
                    break;
                }
                if let Some(Reverse((at, call, deed))) = self.deeds.pop() {
                    self.act(at, call, deed)?;
                }
            }
            self.sleep_until(due)?;
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    TIMER => {}
                    PROVIDERS => self.accept()?,
                    EXCHANGE => self.take_in()?,
                    Token(place) => self.serve(place, event)?,
                }
            }
        }
    }

    /// Nanoseconds since the beginning; never 0, which means never.
    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64 + 1
    }

    /// Timers of poll have milliseconds, and these have to be better.
    fn sleep_until(&self, due: u64) -> Result<()> {
        let left = due.saturating_sub(self.now()).max(1);
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: (left / 1_000_000_000).try_into()?,
            tv_nsec: (left % 1_000_000_000).try_into()?,
        };
        let once = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    fn add(&mut self, socket: TcpStream, side: Side, whose: Whose) -> Result<usize> {
        let mut link = Link::new(socket, side)?;
        let (place, both) = (self.links.len(), Interest::READABLE | Interest::WRITABLE);
        self.poll.registry().register(link.socket(), Token(place), both)?;
        self.links.push(Some((link, whose)));
        Ok(place)
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            match self.providers.accept() {
                Ok((socket, _)) => self.add(socket, Side::Server, Whose::Request)?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
        }
    }

    fn serve(&mut self, place: usize, event: &Event) -> Result<()> {
        let Some(Some((_, whose))) = self.links.get(place) else { return Ok(()) };
        let whose = *whose;
        match self.read(place, event) {
            // However the server closes its sockets then.
            Err(_) if self.is_over(whose) => {
                self.links[place] = None;
                Ok(())
            }
            served => served,
        }
    }

    /// Reads a link and acts on what came.
    fn read(&mut self, place: usize, event: &Event) -> Result<()> {
        let Some(Some((link, whose))) = self.links.get_mut(place) else { return Ok(()) };
        if event.is_writable() {
            link.flush()?;
        }
        if !event.is_readable() {
            return Ok(());
        }
        let whose = *whose;
        let Some(mut taken) = link.take(&mut self.scratch, event.is_read_closed()) else {
            ensure!(whose == Whose::Request, "a call was given up: {whose:?}");
            self.links[place] = None;
            return Ok(());
        };
        let mut done = 0;
        if whose == Whose::Request && !self.request(place, &taken, &mut done)? {
            return self.leave(place, taken, done);
        }
        while let Some(frame) = wire::next(&mut taken[done..])? {
            let payload = &mut taken[done..][frame.payload.clone()];
            match (whose, frame.opcode) {
                (Whose::Carrier { call }, Opcode::Text) => self.carrier_gets(call, payload)?,
                (_, Opcode::Binary) => self.hear(place, payload)?,
                (_, Opcode::Text) => {
                    if let Some(answer) = provider::reply(payload) {
                        self.send(place, Opcode::Text, answer.as_bytes())?;
                    }
                }
                (_, Opcode::Ping) => self.send(place, Opcode::Pong, payload)?,
                (_, Opcode::Close) => bail!("a call was closed: {whose:?}"),
                (_, Opcode::Pong) => {}
            }
            done += frame.payload.end;
        }
        self.leave(place, taken, done)
    }

    fn leave(&mut self, place: usize, taken: Vec<u8>, done: usize) -> Result<()> {
        if let Some(Some((link, _))) = self.links.get_mut(place) {
            link.give_back(taken, done);
        }
        Ok(())
    }

    /// Answers requests. Whether the connection is a session now.
    fn request(&mut self, place: usize, bytes: &[u8], done: &mut usize) -> Result<bool> {
        let Some(Some((link, whose))) = self.links.get_mut(place) else { return Ok(false) };
        loop {
            match provider::answer(&bytes[*done..]) {
                Answer::Later => return Ok(false),
                Answer::Http(answer, taken) => {
                    *done += taken;
                    link.queue_bytes(&answer);
                    link.flush()?;
                }
                Answer::Session(answer, taken) => {
                    *done += taken;
                    link.queue_bytes(&answer);
                    link.queue(Opcode::Text, provider::welcome().as_bytes());
                    link.flush()?;
                    *whose = Whose::Session { call: None };
                    return Ok(true);
                }
            }
        }
    }

    /// The agent hears a frame, and sends it back.
    fn hear(&mut self, place: usize, audio: &[u8]) -> Result<()> {
        let now = self.now();
        let Some(label) = Label::read(audio) else { return Ok(()) };
        self.crossed += 1;
        let number = label.call as usize;
        let call = self.calls.get_mut(number).context("there is no such call")?;
        if call.agent.is_none() {
            call.agent = Some(place);
            if let Some(Some((_, whose))) = self.links.get_mut(place) {
                *whose = Whose::Session { call: Some(number) };
            }
        }
        ensure!(call.agent == Some(place), "a call is heard by another call's agent");
        if call.is_over {
            return Ok(());
        }
        call.heard(label.number, now);
        if call.manner == Manner::Echoes {
            let now = self.now();
            self.calls[number].echoed(label.number, now);
            self.send(place, Opcode::Binary, audio)?;
        }
        Ok(())
    }

    /// The carrier gets a message.
    fn carrier_gets(&mut self, number: usize, text: &[u8]) -> Result<()> {
        let now = self.now();
        let call = &mut self.calls[number];
        if call.is_over {
            return Ok(());
        }
        let (_, message) = decode_to_twilio(str::from_utf8(text)?, &mut self.payload)?;
        match message {
            ToTwilio::Media { payload } => {
                call.play(now, payload.len());
                match Label::read(payload) {
                    Some(Label { number, kind: Kind::Echo, .. }) => {
                        self.crossed += 1;
                        call.back(number, now);
                    }
                    Some(Label { kind: Kind::Cut, .. }) if call.is_cleared => self.stale += 1,
                    Some(Label { kind: Kind::Cut, .. }) => self.replied += 1,
                    None => {}
                }
            }
            ToTwilio::Mark { name } => {
                let due = call.mark(now, name.into_owned());
                self.deeds.push(Reverse((due, number, Deed::Mark)));
            }
            ToTwilio::Clear => {
                call.clear(now);
                if let Some(voice) = call.voice_at.take() {
                    self.clears.add(now - voice);
                }
                self.deeds.push(Reverse((now, number, Deed::Mark)));
            }
        }
        Ok(())
    }

    fn send(&mut self, place: usize, opcode: Opcode, payload: &[u8]) -> Result<()> {
        let Some(Some((link, _))) = self.links.get_mut(place) else { return Ok(()) };
        link.queue(opcode, payload);
        Ok(link.flush()?)
    }
}
