//! What is on its way to the caller's ear: a pure gate beside the machine.
//!
//! The machine never sees audio. This part sees times and lengths of it, never bytes: it decides
//! whether audio may go on to the carrier now, must wait, or is dropped, and it counts what the
//! carrier has still to play. From that it knows what the caller *heard*, to the millisecond, when
//! speech is cut.
//!
//! The carrier plays 8 bytes of µ-law a millisecond. Positions on its time line are therefore kept
//! in bytes since the start of the call: eight for each millisecond.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::input::{CutReason, Playback};
use crate::line::UtteranceId;
use crate::sabotage::{Defect, Sabotage};
use crate::time::{CallTime, Millis};

/// Bytes of µ-law audio in a millisecond, at 8,000 samples a second.
pub const BYTES_PER_MS: u64 = 8;

/// How far ahead of the caller's ear the carrier is kept supplied. Enough to ride over a stall of
/// ours, little enough that a cut stays cheap.
const LEAD: Millis = Millis(2_000);

/// How long the carrier may have nothing left to play before that means anything. An agent that
/// speaks no faster than real time is this late, now and then, with every frame; looking after each
/// of them would cost as much as the frame.
const DRY: Millis = Millis(100);

/// The most audio that waits in our hands: 30 seconds (fault F-DG-29).
const HELD_MAX: u64 = 30_000 * BYTES_PER_MS;

/// After a cut, audio of the cut turn may still arrive. It is dropped until the agent begins a
/// new turn, or for this long, so that a missing word of the agent's cannot mute it for good.
const LATE_AUDIO: Millis = Millis(2_000);

/// Once the agent may say no more, what it has said to its end is still heard if that takes no longer
/// than this. Our last words wait behind it, and they have 15 seconds (T_FAREWELL).
const LAST_WORDS: Millis = Millis(8_000);

/// The most stretches of speech that are remembered while they wait for their marks.
const STRETCHES_MAX: usize = 64;

/// What is to be done with a piece of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Hand it to the carrier.
    Forward,
    /// Keep it behind whatever is kept already, until [`Playout::has_room`].
    Hold {
        /// It is the first of its utterance.
        first: bool,
    },
    /// Drop it: it belongs to a cut turn, or the agent is muted.
    Drop,
    /// Drop it: more than 30 seconds are waiting.
    Overflow,
}

/// Bytes that came in, and what became of them. What is not in the last four is being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conserved {
    /// Bytes offered.
    pub offered: u64,
    /// Bytes handed to the carrier.
    pub forwarded: u64,
    /// Bytes dropped at the gate.
    pub dropped: u64,
    /// Bytes dropped because too much was waiting.
    pub overflowed: u64,
    /// Bytes that waited and were cut.
    pub cut: u64,
}

#[derive(Debug, Clone)]
struct Stretch {
    utterance: UtteranceId,
    /// Bytes handed to the carrier.
    sent: u64,
    /// Bytes that wait in our hands.
    held: u64,
    /// Bytes that found no room. What lacks them was not heard in full.
    overflowed: u64,
    /// Bytes of earlier pieces, which were played before the last piece began.
    played_before: u64,
    /// Where on the carrier's time line the last unbroken piece begins, and its length.
    piece: (u64, u64),
    marked: bool,
    /// It was given up half-way: how long it is, as far as that is known.
    given_up: Option<Extent>,
}

/// How long speech is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    /// Bytes of it that came.
    came: u64,
    /// They are all of it.
    whole: bool,
}

impl Stretch {
    /// What was heard of it when it is cut now. What is not whole does not count as whole, however
    /// little is missing.
    fn heard_of_cut(&self, now: u64) -> Millis {
        let (heard, came) = (self.heard_by(now), self.came());
        let heard_ms = length(heard);
        if heard < came && heard_ms == length(came) { heard_ms.less(Millis(1)) } else { heard_ms }
    }

    /// How many bytes of it came.
    fn came(&self) -> u64 {
        self.given_up.map_or(self.sent + self.held + self.overflowed, |extent| extent.came)
    }

    /// Its length, where `open` is the sentence of which more may come.
    fn extent(&self, open: Option<UtteranceId>) -> Extent {
        let now = Extent { came: self.came(), whole: open != Some(self.utterance) };
        self.given_up.unwrap_or(now)
    }

    /// All of it is at the carrier, and there is no more of it.
    fn is_handed_over(&self, open: Option<UtteranceId>) -> bool {
        self.held == 0 && self.extent(open) == Extent { came: self.sent, whole: true }
    }

    fn heard_by(&self, now: u64) -> u64 {
        let (start, length) = self.piece;
        self.played_before + now.saturating_sub(start).min(length)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// Closed by a cut, at that time.
    Cut(CallTime),
    /// Closed by a cut of which the agent knows nothing: it goes on with its reply.
    UntilTurn,
    Muted,
}

/// What became of a reply that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenUp {
    /// Every sentence of it.
    pub utterances: Vec<UtteranceId>,
    /// Those of which the caller heard and will hear nothing.
    pub cuts: Vec<Playback>,
    /// Those of which something is still on its way: they end there, and want a mark.
    pub want_marks: Vec<UtteranceId>,
}

/// The state of one call's speech to the caller.
#[derive(Debug, Clone)]
pub struct Playout {
    /// Where on its time line the carrier runs out of audio.
    runs_out: u64,
    /// Where the last line of ours ends. Until then the agent's audio waits in our hands: what
    /// was handed over behind a line could not be taken back without cutting the line.
    line_ends: u64,
    stretches: VecDeque<Stretch>,
    held: u64,
    gate: Gate,
    /// The agent's sentence that still gets audio, and whether it was reported dry.
    open: Option<(UtteranceId, bool)>,
    /// Since when on its time line the carrier has taken nothing, and how many bytes were handed
    /// over since: they lie unread.
    blocked: Option<(u64, u64)>,
    /// When something was handed over last, and how many bytes at that moment.
    latest: (u64, u64),
    conserved: Conserved,
    defect: Defect,
}

impl Default for Playout {
    fn default() -> Self {
        Self::new()
    }
}

impl Playout {
    /// Nothing on its way.
    pub const fn new() -> Self {
        Self {
            runs_out: 0,
            line_ends: 0,
            stretches: VecDeque::new(),
            held: 0,
            gate: Gate::Open,
            open: None,
            blocked: None,
            latest: (0, 0),
            conserved: Conserved { offered: 0, forwarded: 0, dropped: 0, overflowed: 0, cut: 0 },
            defect: Defect::NONE,
        }
    }

    /// Nothing on its way, and a deliberate defect.
    #[cfg(feature = "sabotage")]
    pub const fn sabotaged(sabotage: Sabotage) -> Self {
        let mut playout = Self::new();
        playout.defect = Defect::of(sabotage);
        playout
    }

    /// Decides about `len` bytes of an utterance. After [`Admit::Forward`] call
    /// [`Playout::forward`]; after [`Admit::Hold`] keep the bytes in order.
    pub fn admit(&mut self, at: CallTime, utterance: UtteranceId, len: usize) -> Admit {
        let len = len as u64;
        self.conserved.offered += len;
        if utterance.is_agents() {
            if self.agent_is_silenced(at) {
                let counted = !self.defect.is(Sabotage::ForgetsAudio);
                self.conserved.dropped += if counted { len } else { 0 };
                return Admit::Drop;
            }
            self.agent_turn_began();
        }
        if self.held + len > HELD_MAX {
            self.conserved.overflowed += len;
            let begun = self.stretches.iter_mut().find(|s| s.utterance == utterance);
            if let Some(stretch) = begun {
                stretch.overflowed += len;
            }
            return Admit::Overflow;
        }
        if utterance.is_agents() {
            self.open = Some((utterance, false));
        }
        let waits = self.held > 0 || !self.has_room(at, utterance);
        let stretch = self.stretch(utterance);
        if waits {
            let first = stretch.sent == 0 && stretch.held == 0;
            stretch.held += len;
            self.held += len;
            return Admit::Hold { first };
        }
        Admit::Forward
    }

    /// Audio that is no part of the conversation came in and is dropped.
    pub const fn refuse(&mut self, len: usize) {
        self.conserved.offered += len as u64;
        self.conserved.dropped += len as u64;
    }

    /// The agent is saying a line of ours: more audio of it may come.
    pub const fn line_goes_on(&mut self, utterance: UtteranceId) {
        self.open = Some((utterance, false));
    }

    /// Whether audio of this utterance may go on to the carrier now.
    pub const fn has_room(&self, at: CallTime, utterance: UtteranceId) -> bool {
        let now = position(at);
        if self.blocked.is_some() {
            return false;
        }
        let after_line = !utterance.is_agents() || self.line_ends <= now;
        after_line && self.runs_out < now + LEAD.0 * BYTES_PER_MS
    }

    /// Since when the carrier has taken nothing; nothing if it takes what it is sent. Meanwhile all
    /// speech waits in our hands: what lies unread in a socket is neither on the carrier's time line
    /// nor to be taken back. What went there before anybody noticed is played only afterwards.
    pub fn carrier_blocked(&mut self, at: CallTime, since: Option<CallTime>) {
        match (self.blocked, since) {
            (None, Some(since)) => {
                let (when, bytes) = self.latest;
                let since = position(since);
                self.blocked = Some((since, if when >= since { bytes } else { 0 }));
            }
            (Some((_, unread)), None) => {
                self.blocked = None;
                self.read_late(position(at), unread);
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// The carrier reads the last bytes that it was handed only now.
    fn read_late(&mut self, now: u64, unread: u64) {
        let late = (now + unread).saturating_sub(self.runs_out);
        if unread == 0 || late == 0 {
            return;
        }
        let from = self.runs_out - unread.min(self.runs_out);
        for stretch in &mut self.stretches {
            let (start, length) = stretch.piece;
            if start + length > from {
                stretch.piece.0 += late;
            }
        }
        if self.line_ends > from {
            self.line_ends += late;
        }
        self.runs_out += late;
    }

    /// Accounts for audio that was admitted and is handed to the carrier now. Returns news if it
    /// is the first of its utterance.
    pub fn forward(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        len: usize,
    ) -> Option<Playback> {
        let len = len as u64;
        let now = position(at);
        self.latest = (now, if self.latest.0 == now { self.latest.1 + len } else { len });
        let start = self.runs_out.max(now);
        self.runs_out = start + len;
        if !utterance.is_agents() {
            self.line_ends = self.runs_out;
        }
        self.conserved.forwarded += len;
        let stretch = self.stretch(utterance);
        let began = stretch.sent == 0;
        stretch.sent += len;
        let released = stretch.held.min(len);
        stretch.held -= released;
        let (piece_start, piece_length) = stretch.piece;
        if piece_start + piece_length == start {
            stretch.piece.1 += len;
        } else {
            stretch.played_before += piece_length;
            stretch.piece = (start, len);
        }
        self.held -= released;
        began.then_some(Playback::Began { utterance })
    }

    /// The mark behind an utterance's last audio is handed to the carrier now.
    pub fn mark(&mut self, at: CallTime, utterance: UtteranceId) -> Playback {
        let until = self.runs_out.max(position(at));
        let stretch = self.stretch(utterance);
        stretch.marked = true;
        let audio = length(stretch.sent);
        Playback::Queued {
            utterance,
            audio,
            until: CallTime::from_millis(until.div_ceil(BYTES_PER_MS)),
        }
    }

    /// The agent's sentence gets no more audio: its name, if one was open.
    pub fn close_sentence(&mut self) -> Option<UtteranceId> {
        self.open.take().map(|(utterance, _)| utterance)
    }

    /// The carrier returned a mark. A mark that came back because of a cut, a second time, or
    /// that we never sent, is no news.
    pub fn mark_returned(&mut self, utterance: UtteranceId) -> Option<Playback> {
        let place = self.stretches.iter().position(|s| s.utterance == utterance && s.marked)?;
        let stretch = self.stretches.remove(place)?;
        let audio = length(stretch.sent);
        let why = match stretch.given_up {
            Some(_) => CutReason::GivenUp,
            None if stretch.came() > stretch.sent => CutReason::NoRoom,
            None => return Some(Playback::Heard { utterance, audio }),
        };
        let Extent { came, whole } = stretch.extent(None);
        Some(Playback::Cut { utterance, heard: audio, audio: length(came), whole, why })
    }

    /// Everything on its way is stopped: what the caller heard of each utterance. Whatever is
    /// held must be thrown away, and the carrier told to clear.
    pub fn clear(&mut self, at: CallTime) -> Vec<Playback> {
        match self.blocked {
            Some((since, _)) => self.cut_all(at, since, CutReason::StoppedUnread),
            None => self.cut_all(at, position(at), CutReason::Stopped),
        }
    }

    /// The stream has ended, and everything on its way with it.
    pub fn stream_ended(&mut self, at: CallTime) -> Vec<Playback> {
        self.cut_all(at, position(at), CutReason::StreamEnded)
    }

    /// The stream has carried nothing since then. What was handed over to its end was heard or not:
    /// nothing is told of it. Of everything else, what was played by then.
    pub fn stream_dead(&mut self, since: CallTime) -> Vec<Playback> {
        let open = self.open.map(|(utterance, _)| utterance);
        self.stretches.retain(|stretch| !stretch.is_handed_over(open));
        self.cut_all(since, position(since), CutReason::StreamDead)
    }

    /// What is known to have been heard was played by `heard_until` on the carrier's time line.
    fn cut_all(&mut self, at: CallTime, heard_until: u64, why: CutReason) -> Vec<Playback> {
        let now = position(at);
        let said = self.defect.is(Sabotage::HeardAsSaid);
        let open = self.open.map(|(utterance, _)| utterance);
        let cuts = self
            .stretches
            .drain(..)
            .map(|stretch| {
                let Extent { came, whole } = stretch.extent(open);
                Playback::Cut {
                    utterance: stretch.utterance,
                    heard: if said {
                        length(stretch.sent)
                    } else {
                        stretch.heard_of_cut(heard_until)
                    },
                    audio: length(came),
                    whole,
                    why,
                }
            })
            .collect();
        self.conserved.cut += self.held;
        self.held = 0;
        self.open = None;
        self.runs_out = self.runs_out.min(now);
        self.line_ends = self.line_ends.min(now);
        if self.gate == Gate::Open {
            self.gate = Gate::Cut(at);
        }
        cuts
    }

    /// The agent's reply is given up, and what was handed over of it is played out. Sentences of
    /// which nothing was handed over are cut now; the others when what they have was heard: they
    /// want a mark. Whatever is held of the agent's must be thrown away. Our lines are not touched,
    /// but for one that the agent is saying. Of an agent that is muted, what it has said to its end and
    /// is heard soon is not given up.
    pub fn cut_reply(&mut self, at: CallTime) -> GivenUp {
        let mut given_up = GivenUp::default();
        let (mut held, mut cut) = (self.held, self.conserved.cut);
        let open = self.open.map(|(utterance, _)| utterance);
        let soon = position(at) + LAST_WORDS.0 * BYTES_PER_MS;
        let (mut ends, muted) = (self.runs_out.max(position(at)), self.gate == Gate::Muted);
        self.stretches.retain_mut(|stretch| {
            let agents = stretch.utterance.is_agents() || open == Some(stretch.utterance);
            let is_over = stretch.given_up.is_some() && stretch.held == 0;
            let last_words = muted
                && stretch.extent(open).whole
                && stretch.overflowed == 0
                && ends + stretch.held <= soon;
            if is_over || !agents || last_words || stretch.is_handed_over(open) {
                ends += stretch.held;
                return true;
            }
            let extent = stretch.extent(open);
            held -= stretch.held;
            cut += stretch.held;
            stretch.held = 0;
            given_up.utterances.push(stretch.utterance);
            if stretch.sent > 0 {
                stretch.given_up = Some(extent);
                given_up.want_marks.push(stretch.utterance);
                return true;
            }
            given_up.cuts.push(Playback::Cut {
                utterance: stretch.utterance,
                heard: Millis(0),
                audio: length(extent.came),
                whole: extent.whole,
                why: CutReason::GivenUp,
            });
            false
        });
        self.held = held;
        self.conserved.cut = cut;
        self.open = None;
        if self.gate == Gate::Open {
            self.gate = Gate::Cut(at);
        }
        given_up
    }

    /// The agent began a new turn: its audio may pass again.
    pub fn agent_turn_began(&mut self) {
        if matches!(self.gate, Gate::Cut(_) | Gate::UntilTurn) {
            self.gate = Gate::Open;
        }
    }

    /// Nobody tells the agent of the cut that was just made: nothing more of its reply may pass, however
    /// long that is.
    pub fn agent_is_not_told(&mut self) {
        if matches!(self.gate, Gate::Cut(_)) {
            self.gate = Gate::UntilTurn;
        }
    }

    /// The agent has sent all of its reply.
    pub fn agent_reply_over(&mut self) {
        if self.gate == Gate::UntilTurn {
            self.gate = Gate::Open;
        }
    }

    /// The agent may not speak for the rest of the call. What it has said so far is played, but the
    /// sentence that it has not finished will not count as heard.
    pub fn mute_agent(&mut self) {
        self.gate = Gate::Muted;
        let open = self.open.map(|(utterance, _)| utterance);
        for stretch in self.stretches.iter_mut().filter(|s| open == Some(s.utterance)) {
            stretch.given_up = Some(stretch.extent(open));
        }
    }

    /// Whether audio of the agent's would be dropped now: its turn was cut, or it is muted.
    pub fn agent_is_silenced(&self, at: CallTime) -> bool {
        match self.gate {
            Gate::Open => false,
            Gate::Cut(since) => at.since(since) <= LATE_AUDIO,
            Gate::UntilTurn | Gate::Muted => true,
        }
    }

    /// Whether the agent may not speak for the rest of the call.
    pub fn agent_is_muted(&self) -> bool {
        self.gate == Gate::Muted
    }

    /// The agent may speak again.
    pub const fn unmute_agent(&mut self) {
        self.gate = Gate::Open;
    }

    /// Reports once that the carrier has had nothing left to play for a moment, although the agent's
    /// sentence is not over.
    pub fn dry(&mut self, at: CallTime) -> Option<Playback> {
        let is_dry = self.held == 0 && self.dry_from() <= position(at);
        let (_, told) = self.open.as_mut().filter(|(_, told)| is_dry && !told)?;
        *told = true;
        Some(Playback::Dry)
    }

    /// When to look again: held audio, of which `next` goes first, may go on, or the carrier runs
    /// dry.
    pub fn poll_timeout(&self, next: Option<UtteranceId>) -> Option<CallTime> {
        if let Some(utterance) = next {
            if self.blocked.is_some() {
                return None;
            }
            let room = self.runs_out.saturating_sub(LEAD.0 * BYTES_PER_MS) / BYTES_PER_MS + 1;
            let line_over = self.line_ends.div_ceil(BYTES_PER_MS);
            let room = if utterance.is_agents() { room.max(line_over) } else { room };
            return Some(CallTime::from_millis(room));
        }
        match self.open {
            Some((_, false)) => Some(CallTime::from_millis(self.dry_from().div_ceil(BYTES_PER_MS))),
            _ => None,
        }
    }

    /// Where on its time line the carrier is dry.
    const fn dry_from(&self) -> u64 {
        self.runs_out + DRY.0 * BYTES_PER_MS
    }

    /// What became of every byte so far.
    pub const fn conserved(&self) -> Conserved {
        self.conserved
    }

    /// Bytes that wait in our hands.
    pub const fn held(&self) -> u64 {
        self.held
    }

    fn stretch(&mut self, utterance: UtteranceId) -> &mut Stretch {
        let place = self.stretches.iter().position(|s| s.utterance == utterance);
        let place = place.unwrap_or_else(|| {
            if self.stretches.len() == STRETCHES_MAX {
                self.stretches.pop_front();
            }
            self.stretches.push_back(Stretch {
                utterance,
                sent: 0,
                held: 0,
                overflowed: 0,
                played_before: 0,
                piece: (0, 0),
                marked: false,
                given_up: None,
            });
            self.stretches.len() - 1
        });
        &mut self.stretches[place]
    }
}

const fn position(at: CallTime) -> u64 {
    at.as_millis() * BYTES_PER_MS
}

const fn length(bytes: u64) -> Millis {
    Millis(bytes / BYTES_PER_MS)
}

#[cfg(test)]
mod tests;
