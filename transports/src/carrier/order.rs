//! The caller's audio, put back in the order in which it was spoken: a pure part beside the codecs.
//!
//! Twilio numbers the pieces of a track from 1. Over one connection they come in order, and then
//! every piece goes on at once and nothing is kept here. A piece that comes too early waits for
//! those before it, at most [`WINDOW`]; what is still missing then is replaced by as much silence,
//! so that the agent's sense of time stays right. A piece that comes twice goes on once, one that
//! comes too late is dropped, and everything is counted.

use call_core::playout::BYTES_PER_MS;
use call_core::{CallTime, Millis};

use super::Audio;

/// The longest that a piece waits for one before it (F-TW-06).
pub const WINDOW: Millis = Millis(100);

/// The most silence that stands for pieces that are missing in a row (F-TW-07).
pub const GAP_MAX: Millis = Millis(2_000);

/// The most pieces that wait.
const PIECES_MAX: usize = 32;

/// So many pieces in a row that are late or repeated: the carrier has begun to count anew.
const STALE_RUN_MAX: u32 = 50;

/// A stream whose first piece has a higher number than this is one that we met half-way.
const FIRST_MAX: u64 = 6;

/// What goes on to the agent's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A piece of the caller's audio.
    Audio(&'a [u8]),
    /// So many bytes of silence, for pieces that are missing.
    Silence(usize),
}

/// What became of the caller's audio before the agent's side, in bytes, and how often what went
/// wrong. `offered + filled = passed + repeated + late + unused +` [`Order::held`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Bytes that came.
    pub offered: u64,
    /// Bytes of silence that stand for what is missing.
    pub filled: u64,
    /// Bytes that went on, silence included.
    pub passed: u64,
    /// Bytes that came a second time.
    pub repeated: u64,
    /// Bytes that came when they were not waited for any more.
    pub late: u64,
    /// Bytes that waited when their stream ended.
    pub unused: u64,
    /// How many pieces came too early and went on in their place.
    pub reordered: u64,
    /// How often pieces were missing.
    pub gaps: u64,
}

/// A piece that came too early.
#[derive(Debug)]
struct Early {
    chunk: u64,
    timestamp_ms: Option<u64>,
    came: CallTime,
    audio: Vec<u8>,
}

/// The order of one stream's pieces. Its memory is bounded, and is reused: a piece costs no
/// allocation.
#[derive(Debug)]
pub struct Order {
    /// The number that is due; 1 at the beginning.
    next: u64,
    /// Which of the 64 numbers before `next` went on, the last one in the lowest bit.
    passed: u64,
    has_begun: bool,
    /// Where the last piece ended on the carrier's time line, in milliseconds, if it says so.
    ends_at: Option<u64>,
    /// Bytes in the last piece.
    length: usize,
    /// Sorted by number.
    early: Vec<Early>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    stale_run: u32,
    counts: Counts,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            next: 1,
            passed: 0,
            has_begun: false,
            ends_at: None,
            length: 0,
            early: Vec::new(),
            spare: Vec::new(),
            stale_run: 0,
            counts: Counts::default(),
        }
    }
}

impl Order {
    /// Takes a piece, and lets pass whatever is due now. One without a number passes as it is.
    pub fn take(&mut self, at: CallTime, audio: &Audio<'_>, pass: &mut impl FnMut(Piece<'_>)) {
        self.counts.offered += audio.payload.len() as u64;
        self.wake(at, pass);
        let Some(chunk) = audio.chunk else {
            return self.pass(audio.payload, pass);
        };
        if !self.has_begun && chunk > FIRST_MAX && self.early.is_empty() {
            self.next = chunk;
        }
        if chunk < self.next && !self.is_news(chunk, audio.payload.len()) {
            return;
        }
        self.stale_run = 0;
        if chunk == self.next {
            self.go_on(chunk, audio.timestamp_ms, audio.payload, pass);
            self.release(pass);
            return;
        }
        if let Err(place) = self.early.binary_search_by_key(&chunk, |early| early.chunk) {
            self.keep(at, place, chunk, audio);
            if self.early.len() > PIECES_MAX {
                self.skip(pass);
            }
        } else {
            self.counts.repeated += audio.payload.len() as u64;
        }
    }

    /// When a missing piece is given up.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<CallTime> {
        self.early.iter().map(|early| early.came).min().map(|came| came + WINDOW)
    }

    /// Gives up what was waited for too long.
    pub fn wake(&mut self, at: CallTime, pass: &mut impl FnMut(Piece<'_>)) {
        while self.poll_timeout().is_some_and(|due| due <= at) {
            self.skip(pass);
        }
    }

    /// Another stream of the same call begins, which counts for itself.
    pub fn restart(&mut self) {
        for Early { audio, .. } in self.early.drain(..) {
            self.counts.unused += audio.len() as u64;
            self.spare.push(audio);
        }
        (self.next, self.passed, self.has_begun) = (1, 0, false);
        (self.ends_at, self.length, self.stale_run) = (None, 0, 0);
    }

    /// What became of everything so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes that wait.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.early.iter().map(|early| early.audio.len() as u64).sum()
    }

    /// Counts a piece whose number has passed already. Whether it is to be taken all the same: a
    /// carrier that counts anew must not make the agent deaf for good.
    fn is_news(&mut self, chunk: u64, length: usize) -> bool {
        self.stale_run += 1;
        if self.stale_run > STALE_RUN_MAX {
            self.restart();
            self.next = chunk;
            return true;
        }
        let age = self.next - chunk;
        let passed = (1..=64).contains(&age) && self.passed >> (age - 1) & 1 == 1;
        let counter = if passed { &mut self.counts.repeated } else { &mut self.counts.late };
        *counter += length as u64;
        false
    }

    fn keep(&mut self, at: CallTime, place: usize, chunk: u64, piece: &Audio<'_>) {
        let mut audio = self.spare.pop().unwrap_or_default();
        audio.clear();
        audio.extend_from_slice(piece.payload);
        let timestamp_ms = piece.timestamp_ms;
        self.early.insert(place, Early { chunk, timestamp_ms, came: at, audio });
    }

    /// Lets silence pass for what is missing before the first early piece, and then that piece.
    fn skip(&mut self, pass: &mut impl FnMut(Piece<'_>)) {
        let Some(first) = self.early.first() else { return };
        let missing = first.chunk - self.next;
        let by_count = missing.saturating_mul(self.length.max(first.audio.len()) as u64);
        let by_time = match (self.ends_at, first.timestamp_ms) {
            (Some(end), Some(begin)) => begin.saturating_sub(end).saturating_mul(BYTES_PER_MS),
            _ => by_count,
        };
        let silence = by_time.min(GAP_MAX.0 * BYTES_PER_MS);
        self.counts.gaps += 1;
        self.counts.filled += silence;
        self.counts.passed += silence;
        self.passed = if missing < 64 { self.passed << missing } else { 0 };
        self.next = first.chunk;
        if silence > 0 {
            pass(Piece::Silence(silence as usize));
        }
        self.release(pass);
    }

    /// Lets pass what is early no more.
    fn release(&mut self, pass: &mut impl FnMut(Piece<'_>)) {
        while self.early.first().is_some_and(|early| early.chunk == self.next) {
            let Early { chunk, timestamp_ms, audio, .. } = self.early.remove(0);
            self.counts.reordered += 1;
            self.go_on(chunk, timestamp_ms, &audio, pass);
            self.spare.push(audio);
        }
    }

    fn go_on(
        &mut self,
        chunk: u64,
        timestamp_ms: Option<u64>,
        audio: &[u8],
        pass: &mut impl FnMut(Piece<'_>),
    ) {
        self.has_begun = true;
        self.next = chunk.saturating_add(1);
        self.passed = self.passed << 1 | 1;
        self.length = audio.len();
        self.ends_at =
            timestamp_ms.map(|begin| begin.saturating_add(audio.len() as u64 / BYTES_PER_MS));
        self.pass(audio, pass);
    }

    fn pass(&mut self, audio: &[u8], pass: &mut impl FnMut(Piece<'_>)) {
        self.counts.passed += audio.len() as u64;
        pass(Piece::Audio(audio));
    }
}
