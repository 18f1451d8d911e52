//! The carrier: Twilio's side of a call. Plays what it is sent at the speed of a telephone, echoes
//! marks when the audio before them was played, sends the caller's voice frame by frame, and keeps
//! its own account of what the caller could hear.
//!
//! Behaviour as documented for Twilio Media Streams: see `docs/twilio.md`.

mod rest;
mod says;

use std::collections::{BTreeMap, VecDeque};

use call_core::CallTime;
use call_core::Millis;
use call_core::playout::BYTES_PER_MS;
use call_transports::twilio::media::ToTwilio;
use call_transports::twilio::status::StatusCallback;
use call_transports::twilio::webhook::CallStatus;

use super::caller::{Caller, Moment};
use super::schedule::Schedule;
use crate::audio::FRAME_MS;
use crate::faults::Fault;
use crate::heard::Tape;

pub use rest::Asked;
pub use says::{CarrierSays, Dialled};

/// The first frame comes this long after the stream began; its time stamp says so too.
const FIRST_FRAME_MS: u64 = 73;
/// A person and the caller talk for this long.
pub const TALK_MS: u64 = 2_000;
/// A ping is answered after this long.
const PONG_MS: u64 = 40;
/// A status callback comes this long after what it tells of.
const CALLBACK_MS: u64 = 150;
/// Marks that nobody sent: one as we would name it, and one as nobody would.
const UNKNOWN_MARKS: [&str; 2] = ["line-999", "\u{2603}"];
/// The socket closes this long after `stop`.
const CLOSE_MS: u64 = 30;

/// What became of the audio before a mark, by the carrier's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// It was played to its end.
    Played,
    /// It was thrown away, or some of it was.
    Cleared,
}

/// The carrier's side of one call.
#[derive(Debug)]
pub struct Carrier {
    caller: Caller,
    /// Where on the time line, in bytes, the queue runs out.
    runs_out: u64,
    /// Marks that wait: where their audio ends.
    marks: VecDeque<(u64, String)>,
    /// Marks that will not come back, for the account alone.
    unmarked: VecDeque<(u64, String)>,
    frames: u64,
    /// Frames that were numbered on this stream, and messages; `start` was the first of those.
    chunks: u64,
    sequence: u64,
    /// Frames that wait to be sent together.
    bunch: Vec<CarrierSays>,
    later: Schedule<CarrierSays>,
    stream_open: bool,
    /// When the present stream began.
    stream_began: CallTime,
    /// Another document runs: no frames are sent.
    on_hold: bool,
    call_over: bool,
    account: BTreeMap<String, Account>,
    played: u64,
    received: u64,
    faults: Vec<Fault>,
    marks_seen: u32,
    asked: Asked,
    tones: Vec<String>,
    tape: Option<Tape>,
}

impl Carrier {
    /// A stream that begins now, with these misdeeds to come.
    pub fn new(caller: Caller, faults: Vec<Fault>) -> Self {
        let mut later = Schedule::default();
        for fault in &faults {
            if let Fault::StreamBreaks { at_ms } = fault {
                later.add(CallTime::from_millis(*at_ms), CarrierSays::Break);
            }
        }
        let mut carrier = Self {
            caller,
            runs_out: 0,
            marks: VecDeque::new(),
            unmarked: VecDeque::new(),
            frames: 0,
            chunks: 0,
            sequence: 1,
            bunch: Vec::new(),
            later,
            stream_open: true,
            stream_began: CallTime::ZERO,
            on_hold: false,
            call_over: false,
            account: BTreeMap::new(),
            played: 0,
            received: 0,
            faults,
            marks_seen: 0,
            asked: Asked::default(),
            tones: Vec::new(),
            tape: None,
        };
        carrier.progress();
        carrier
    }

    /// Keeps the sound of the call from now on.
    pub fn record(&mut self) {
        self.tape = Some(Tape::default());
    }

    /// The sound of the call so far, where it was kept.
    pub const fn take_tape(&mut self) -> Option<Tape> {
        self.tape.take()
    }

    /// A message from the server.
    pub fn receive(&mut self, at: CallTime, message: &ToTwilio<'_>) {
        if let ToTwilio::Media { payload } = message {
            self.received += payload.len() as u64;
        }
        if !self.has_stream() || self.is_half_open(at) {
            return;
        }
        let now = position(at);
        match message {
            ToTwilio::Media { payload } => {
                let start = self.runs_out.max(now);
                if let Some(tape) = &mut self.tape {
                    tape.queued(start, payload);
                }
                self.runs_out = start + payload.len() as u64;
                self.played += payload.len() as u64;
            }
            ToTwilio::Mark { name } => {
                self.marks_seen += 1;
                if !self.mark_is_lost() {
                    self.marks.push_back((self.runs_out.max(now), name.to_string()));
                } else {
                    self.unmarked.push_back((self.runs_out.max(now), name.to_string()));
                }
            }
            ToTwilio::Clear => {
                if let Some(tape) = &mut self.tape {
                    tape.cleared(now);
                }
                self.played -= self.runs_out.saturating_sub(now);
                self.runs_out = self.runs_out.min(now);
                for (end, name) in self.unmarked.drain(..) {
                    let account = if end <= now { Account::Played } else { Account::Cleared };
                    self.account.insert(name, account);
                }
                let mut marks: Vec<_> = self.marks.drain(..).collect();
                if self.faults.contains(&Fault::MarksShuffled) {
                    marks.reverse();
                }
                for (end, name) in marks {
                    let account = if end <= now { Account::Played } else { Account::Cleared };
                    self.account.insert(name.clone(), account);
                    self.later.add(at, CarrierSays::Mark { sequence: 0, name });
                }
            }
        }
    }

    fn mark_is_lost(&self) -> bool {
        self.faults.iter().any(|fault| match fault {
            Fault::MarksLost { from, count } => {
                (*from..from.saturating_add(*count)).contains(&self.marks_seen)
            }
            _ => false,
        })
    }

    /// Somebody asks whether it is there.
    pub fn pinged(&mut self, at: CallTime) {
        if self.has_stream() && !self.is_half_open(at) {
            self.later.add(at + Millis(PONG_MS), CarrierSays::Pong);
        }
    }

    /// Whether it reads what it is sent.
    pub fn reads(&self, at: CallTime) -> bool {
        self.reads_again(at).is_none()
    }

    /// When it goes on reading, if it does not read now.
    fn reads_again(&self, at: CallTime) -> Option<CallTime> {
        let blocked = self.faults.iter().filter_map(|fault| match fault {
            Fault::CarrierBlocks { at_ms, for_ms } => {
                let since = CallTime::from_millis(*at_ms);
                Some((since, since + Millis(*for_ms)))
            }
            _ => None,
        });
        blocked
            .filter(|(since, until)| (*since..*until).contains(&at))
            .map(|(_, until)| until)
            .max()
    }

    /// Whether the stream carries nothing any more, though neither side was told. Another stream
    /// is another connection.
    pub fn is_half_open(&self, at: CallTime) -> bool {
        let broken = |fault: &Fault| match fault {
            Fault::HalfOpen { at_ms } => {
                let since = CallTime::from_millis(*at_ms);
                since >= self.stream_began && at >= since
            }
            _ => false,
        };
        self.faults.iter().any(broken)
    }

    /// What was played of tones, request by request.
    pub fn tones(&self) -> &[String] {
        &self.tones
    }

    /// Status callbacks that are still to come, and will arrive.
    pub fn callbacks(&mut self) -> Vec<StatusCallback> {
        let are_lost = self.faults.contains(&Fault::CallbacksLost);
        let mut left = Vec::new();
        while let Some(what) = self.later.due(CallTime::from_millis(u64::MAX)) {
            if let CarrierSays::Status(told) = what
                && !are_lost
            {
                left.push(told);
            }
        }
        left
    }

    /// The server closed the stream's socket.
    pub fn stream_closed(&mut self) {
        self.stream_open = false;
        self.marks.clear();
        self.unmarked.clear();
        let elsewhere = |what: &CarrierSays| {
            matches!(what, CarrierSays::HungUp { .. } | CarrierSays::Status(_))
        };
        self.later.retain(elsewhere);
    }

    /// The server leaves the stream for good. The next verb of the document hangs up; on a dead
    /// connection nobody at the carrier learns that there is one.
    pub fn left(&mut self, at: CallTime) {
        if self.is_half_open(at) {
            self.stream_closed();
        } else {
            self.document_ended(at);
        }
    }

    /// The call ends now because its document did. There is no stream then.
    pub fn document_ended(&mut self, at: CallTime) {
        self.stream_closed();
        let talked = self.later.any(|what| matches!(what, CarrierSays::Status(told) if told.status == CallStatus::Completed));
        if !self.call_over && !talked {
            self.completed(at);
        }
        self.call_over = true;
    }

    /// Whether nothing is left to be said: no answer, no end of a stream, no callback.
    pub fn is_idle(&self) -> bool {
        self.later.poll_timeout().is_none()
    }

    /// Whether the stream's socket is still open on this side.
    pub const fn is_open(&self) -> bool {
        self.stream_open
    }

    /// Whether there is a stream: it was neither closed nor left for another document.
    pub const fn has_stream(&self) -> bool {
        self.stream_open && !self.on_hold
    }

    /// Whether the stream has ended and the server was told so, and has not left it itself.
    pub fn is_away(&self, at: CallTime) -> bool {
        self.stream_open && self.on_hold && !self.is_half_open(at)
    }

    /// Whether the call is over, not only its stream.
    pub const fn is_over(&self) -> bool {
        self.call_over
    }

    /// When the carrier wants to be woken. `now` matters only while it does not read.
    pub fn poll_timeout(&self, now: CallTime) -> Option<CallTime> {
        let frame = self.sends_frames().then(|| self.next_frame());
        let mark = self.marks.front().map(|(end, _)| moment(*end));
        [frame, mark, self.later.poll_timeout(), self.reads_again(now)].into_iter().flatten().min()
    }

    /// The next thing the carrier says, if it is due.
    pub fn due(&mut self, now: CallTime) -> Option<CarrierSays> {
        loop {
            let mut says = self.next(now)?;
            if let CarrierSays::Mark { sequence, .. } | CarrierSays::Stop { sequence } = &mut says {
                *sequence = self.number();
            }
            // On a dead connection it says so to nobody.
            if !(says.needs_stream() && self.is_half_open(now)) {
                return Some(says);
            }
        }
    }

    fn next(&mut self, now: CallTime) -> Option<CarrierSays> {
        if let Some((end, _)) = self.marks.front()
            && moment(*end) <= now
        {
            let (_, name) = self.marks.pop_front()?;
            self.account.insert(name.clone(), Account::Played);
            let mark = CarrierSays::Mark { sequence: 0, name };
            if self.faults.contains(&Fault::MarksTwice) {
                self.later.add(now, mark.clone());
            }
            if self.faults.contains(&Fault::MarksUnknown) {
                for name in UNKNOWN_MARKS {
                    self.later.add(now, CarrierSays::Mark { sequence: 0, name: name.to_owned() });
                }
            }
            return Some(mark);
        }
        while let Some((end, _)) = self.unmarked.front()
            && moment(*end) <= now
        {
            let (_, name) = self.unmarked.pop_front()?;
            self.account.insert(name, Account::Played);
        }
        if let Some(what) = self.later.due(now) {
            match what {
                CarrierSays::Joined => self.joined(now),
                CarrierSays::Stop { .. } | CarrierSays::Break => self.stopped(now),
                CarrierSays::Close => self.stream_open = false,
                CarrierSays::Status(StatusCallback { status: CallStatus::Completed, .. }) => {
                    self.call_over = true;
                }
                _ => {}
            }
            // What it tells comes to pass, whether or not anybody learns of it.
            let is_lost = matches!(what, CarrierSays::Status(_))
                && self.faults.contains(&Fault::CallbacksLost);
            return if is_lost { self.next(now) } else { Some(what) };
        }
        while self.sends_frames() && self.next_frame() <= now {
            if let Some(says) = self.moment_of_caller(now) {
                return Some(says);
            }
        }
        self.later.due(now)
    }

    /// The caller's new stream begins.
    fn joined(&mut self, now: CallTime) {
        self.stream_open = true;
        self.stream_began = now;
        self.on_hold = false;
        // Frames, messages and time are counted anew.
        (self.frames, self.chunks, self.sequence) = (0, 0, 1);
        self.bunch.clear();
        if let Some(tape) = &mut self.tape {
            tape.resumed();
        }
    }

    /// The stream ends. Whatever was queued is never played.
    fn stopped(&mut self, now: CallTime) {
        self.on_hold = !self.call_over;
        let now = position(now);
        self.played -= self.runs_out.saturating_sub(now);
        if let Some(tape) = &mut self.tape {
            tape.stopped(now);
        }
        self.runs_out = self.runs_out.min(now);
        for (end, name) in self.marks.drain(..).chain(self.unmarked.drain(..)) {
            let account = if end <= now { Account::Played } else { Account::Cleared };
            self.account.insert(name, account);
        }
    }

    /// What became of the audio before each mark.
    pub const fn account(&self) -> &BTreeMap<String, Account> {
        &self.account
    }

    /// How many bytes of speech were sent to it, whatever became of them.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// How much speech the caller's telephone played, or still will unless it is cleared.
    pub const fn played(&self) -> Millis {
        Millis(self.played / BYTES_PER_MS)
    }

    const fn sends_frames(&self) -> bool {
        self.has_stream() && !self.call_over
    }

    /// What comes of the caller's next 20 ms, if anything is sent of it now.
    fn moment_of_caller(&mut self, now: CallTime) -> Option<CarrierSays> {
        let at = self.next_frame();
        let hears_speech = self.runs_out > position(at);
        match self.caller.next(at, hears_speech) {
            Moment::Sound(audio) => {
                if let Some(tape) = &mut self.tape {
                    tape.sent(position(at), audio);
                }
                let audio = Box::new(*audio);
                self.frames += 1;
                self.chunks += 1;
                let (chunk, timestamp_ms) = (self.chunks, at.since(self.stream_began).0);
                let sequence = self.number();
                self.frame(now, CarrierSays::Frame { sequence, chunk, timestamp_ms, audio })
            }
            Moment::Key(digit) => {
                self.frames += 1;
                let key = CarrierSays::Key { sequence: self.number(), digit };
                if self.faults.contains(&Fault::KeysTwice) {
                    self.later.add(now, key.clone());
                }
                Some(key)
            }
            Moment::HangsUp => {
                self.end_call(at);
                if let Some(tape) = &mut self.tape {
                    // Whatever is played until the stream ends, nobody hears it.
                    tape.stopped(position(at));
                }
                self.next(now)
            }
        }
    }

    /// Sends a frame as the faults will have it: now, later, twice, not at all, or with others.
    fn frame(&mut self, now: CallTime, frame: CarrierSays) -> Option<CarrierSays> {
        let number = self.chunks;
        let hits = |from: u64, count: u64| (from..from.saturating_add(count)).contains(&number);
        let (mut times, mut late, mut bunched) = (1, None, None);
        for fault in &self.faults {
            match *fault {
                Fault::FramesLost { from, count } if hits(from, count) => return None,
                Fault::FramesTwice { from, count } if hits(from, count) => times = 2,
                Fault::FramesLate { from, count, late_ms } if hits(from, count) => {
                    late = Some(late_ms);
                }
                Fault::FramesBunched { from, count, by }
                | Fault::FramesShuffled { from, count, by }
                    if hits(from, count) =>
                {
                    let is_last = (number - from) % by.max(1) + 1 == by.max(1)
                        || number + 1 == from.saturating_add(count);
                    bunched = Some((is_last, matches!(fault, Fault::FramesShuffled { .. })));
                }
                _ => {}
            }
        }
        let (is_last, shuffled) = match (late, bunched) {
            (Some(late_ms), _) => {
                for _ in 0..times {
                    self.later.add(now + Millis(late_ms), frame.clone());
                }
                return None;
            }
            (None, None) if times == 1 => return Some(frame),
            (None, bunched) => bunched.unwrap_or((true, false)),
        };
        self.bunch.extend(std::iter::repeat_n(frame, times));
        if !is_last {
            return None;
        }
        if shuffled {
            self.bunch.reverse();
        }
        for frame in self.bunch.drain(..) {
            self.later.add(now, frame);
        }
        self.later.due(now)
    }

    /// The next message's place in the stream.
    const fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn stop_late(&self) -> Millis {
        let late = self.faults.iter().find_map(|fault| match fault {
            Fault::StopLate { ms } => Some(Millis(*ms)),
            _ => None,
        });
        late.unwrap_or(Millis(0))
    }

    /// The call's course, as its first callbacks tell it. A number that is called has none of them,
    /// unless they are asked for.
    fn progress(&mut self) {
        if self.faults.contains(&Fault::CallbacksDisordered) {
            // The order of their arrival; numbered in the order in which they were sent.
            for (place, sequence) in [(1, 2), (2, 0), (3, 2), (4, 1), (5, 0), (6, 1)] {
                self.callback(CallTime::from_millis(place * CALLBACK_MS), sequence);
            }
        }
    }

    /// The call is over, and its callbacks say so.
    fn completed(&mut self, at: CallTime) {
        self.callback(at + Millis(CALLBACK_MS), 3);
        if self.faults.contains(&Fault::CallbacksDisordered) {
            self.callback(at + Millis(2 * CALLBACK_MS), 2);
            self.callback(at + Millis(3 * CALLBACK_MS), 3);
        }
    }

    fn callback(&mut self, at: CallTime, sequence: u32) {
        let late = self.faults.iter().find_map(|fault| match fault {
            Fault::CallbacksLate { ms } => Some(Millis(*ms)),
            _ => None,
        });
        let status = match sequence {
            0 => CallStatus::Initiated,
            1 => CallStatus::Ringing,
            2 => CallStatus::InProgress,
            _ => CallStatus::Completed,
        };
        let told = StatusCallback { status, sequence: Some(sequence) };
        self.later.add(at + late.unwrap_or(Millis(0)), CarrierSays::Status(told));
    }

    fn end_call(&mut self, at: CallTime) {
        let stop = at + self.stop_late();
        self.later.add(stop, CarrierSays::Stop { sequence: 0 });
        self.later.add(stop + Millis(CLOSE_MS), CarrierSays::Close);
        self.completed(at);
        self.call_over = true;
    }

    const fn next_frame(&self) -> CallTime {
        let since = FIRST_FRAME_MS + self.frames * FRAME_MS;
        CallTime::from_millis(self.stream_began.as_millis() + since)
    }
}

const fn position(at: CallTime) -> u64 {
    at.as_millis() * BYTES_PER_MS
}

const fn moment(position: u64) -> CallTime {
    CallTime::from_millis(position.div_ceil(BYTES_PER_MS))
}

#[cfg(test)]
mod tests;
