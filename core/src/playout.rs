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

use crate::input::Playback;
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
    /// It was given up half-way: how long it would have been.
    given_up: Option<u64>,
}

impl Stretch {
    /// What was heard of it when it is cut now. What is not whole does not count as whole, however
    /// little is missing.
    fn heard_of_cut(&self, now: u64) -> Millis {
        let (heard, whole) = (self.heard_by(now), self.whole());
        let heard_ms = length(heard);
        if heard < whole && heard_ms == length(whole) { heard_ms.less(Millis(1)) } else { heard_ms }
    }

    /// How many bytes it would have been.
    fn whole(&self) -> u64 {
        self.given_up.unwrap_or(self.sent + self.held + self.overflowed)
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
        let whole = stretch.whole();
        Some(if stretch.given_up.is_some() || whole > stretch.sent {
            Playback::Cut { utterance, heard: audio, audio: length(whole) }
        } else {
            Playback::Heard { utterance, audio }
        })
    }

    /// Everything on its way is stopped: what the caller heard of each utterance. Whatever is
    /// held must be thrown away, and the carrier told to clear.
    pub fn clear(&mut self, at: CallTime) -> Vec<Playback> {
        let now = position(at);
        let said = self.defect.is(Sabotage::HeardAsSaid);
        let cuts = self
            .stretches
            .drain(..)
            .map(|stretch| Playback::Cut {
                utterance: stretch.utterance,
                heard: if said { length(stretch.sent) } else { stretch.heard_of_cut(now) },
                audio: length(stretch.whole()),
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
    /// but for one that the agent is saying.
    pub fn cut_reply(&mut self, at: CallTime) -> GivenUp {
        let mut given_up = GivenUp::default();
        let (mut held, mut cut) = (self.held, self.conserved.cut);
        let open = self.open.map(|(utterance, _)| utterance);
        self.stretches.retain_mut(|stretch| {
            let whole = stretch.marked && stretch.held == 0;
            let agents = stretch.utterance.is_agents() || open == Some(stretch.utterance);
            if whole || !agents || stretch.given_up.is_some() {
                return true;
            }
            let audio = stretch.whole();
            held -= stretch.held;
            cut += stretch.held;
            stretch.held = 0;
            given_up.utterances.push(stretch.utterance);
            if stretch.sent > 0 {
                stretch.given_up = Some(audio);
                given_up.want_marks.push(stretch.utterance);
                return true;
            }
            let (utterance, heard) = (stretch.utterance, Millis(0));
            given_up.cuts.push(Playback::Cut { utterance, heard, audio: length(audio) });
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
        if matches!(self.gate, Gate::Cut(_)) {
            self.gate = Gate::Open;
        }
    }

    /// The agent may not speak for the rest of the call.
    pub const fn mute_agent(&mut self) {
        self.gate = Gate::Muted;
    }

    /// Whether audio of the agent's would be dropped now: its turn was cut, or it is muted.
    pub fn agent_is_silenced(&self, at: CallTime) -> bool {
        match self.gate {
            Gate::Open => false,
            Gate::Cut(since) => at.since(since) <= LATE_AUDIO,
            Gate::Muted => true,
        }
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
mod tests {
    use alloc::vec;

    use super::*;

    const SENTENCE: UtteranceId = UtteranceId::Agent(1);

    fn at(millis: u64) -> CallTime {
        CallTime::from_millis(millis)
    }

    fn play(playout: &mut Playout, when: u64, bytes: usize) {
        assert_eq!(playout.admit(at(when), SENTENCE, bytes), Admit::Forward);
        playout.forward(at(when), SENTENCE, bytes);
    }

    #[test]
    fn speech_is_heard_when_its_mark_returns_and_not_before() {
        let mut playout = Playout::new();
        play(&mut playout, 100, 8_000);
        let queued = playout.mark(at(110), SENTENCE);
        assert_eq!(
            queued,
            Playback::Queued { utterance: SENTENCE, audio: Millis(1_000), until: at(1_100) }
        );
        let heard = playout.mark_returned(SENTENCE);
        assert_eq!(heard, Some(Playback::Heard { utterance: SENTENCE, audio: Millis(1_000) }));
        assert_eq!(playout.mark_returned(SENTENCE), None, "F-TW-22: a repeated mark is no news");
    }

    /// F-TW-21, F-DG-14.
    #[test]
    fn cut_speech_counts_as_heard_only_so_far_as_it_was_played() {
        let mut playout = Playout::new();
        play(&mut playout, 0, 4_000);
        // The carrier runs dry at 500 ms; the next piece begins when it arrives.
        play(&mut playout, 700, 8_000);
        let cut = playout.clear(at(1_000));
        assert_eq!(
            cut,
            [Playback::Cut { utterance: SENTENCE, heard: Millis(800), audio: Millis(1_500) }]
        );
        assert_eq!(playout.mark_returned(SENTENCE), None, "its mark returns because of the cut");
    }

    /// F-DG-28.
    #[test]
    fn late_audio_of_a_cut_turn_is_dropped_until_the_next_turn_begins() {
        let mut playout = Playout::new();
        play(&mut playout, 0, 800);
        playout.clear(at(50));
        assert_eq!(playout.admit(at(60), SENTENCE, 160), Admit::Drop);
        playout.agent_turn_began();
        assert_eq!(playout.admit(at(70), UtteranceId::Agent(2), 160), Admit::Forward);
    }

    /// F-HU-08, S02.
    #[test]
    fn a_reply_waits_behind_our_line_and_can_be_given_up_without_cutting_the_line() {
        let line = UtteranceId::Line(1);
        let mut playout = Playout::new();
        assert_eq!(playout.admit(at(0), line, 8_000), Admit::Forward);
        playout.forward(at(0), line, 8_000);
        playout.mark(at(0), line);
        assert_eq!(playout.admit(at(100), SENTENCE, 1_600), Admit::Hold { first: true });
        assert_eq!(playout.poll_timeout(Some(SENTENCE)), Some(at(1_000)), "when the line ends");
        let nothing = Playback::Cut { utterance: SENTENCE, heard: Millis(0), audio: Millis(200) };
        let utterances = vec![SENTENCE];
        let given_up = GivenUp { utterances, cuts: vec![nothing], want_marks: Vec::new() };
        assert_eq!(playout.cut_reply(at(500)), given_up);
        assert_eq!(playout.held(), 0);
        assert!(playout.mark_returned(line).is_some(), "the line is still on its way");
    }

    /// A reply of three sentences at 00:00.500: the first was handed over with its mark, of the
    /// second 1 s of 2.5 s was handed over, and the third waits.
    fn given_up_half_way() -> Playout {
        let [second, third] = [2, 3].map(UtteranceId::Agent);
        let mut playout = Playout::new();
        play(&mut playout, 0, 8_000);
        playout.mark(at(0), SENTENCE);
        assert_eq!(playout.admit(at(0), second, 8_000), Admit::Forward);
        playout.forward(at(0), second, 8_000);
        assert_eq!(playout.admit(at(0), second, 12_000), Admit::Hold { first: false });
        assert_eq!(playout.admit(at(0), third, 4_000), Admit::Hold { first: true });
        let nothing = Playback::Cut { utterance: third, heard: Millis(0), audio: Millis(500) };
        let given_up = GivenUp {
            utterances: vec![second, third],
            cuts: vec![nothing],
            want_marks: vec![second],
        };
        assert_eq!(playout.cut_reply(at(500)), given_up);
        assert_eq!((playout.held(), playout.conserved().cut), (0, 16_000));
        let again = playout.cut_reply(at(600));
        assert_eq!(again, GivenUp::default(), "it is given up once");
        let queued = playout.mark(at(600), second);
        let audio = Millis(1_000);
        assert_eq!(queued, Playback::Queued { utterance: second, audio, until: at(2_000) });
        playout
    }

    /// F-TW-21, F-DG-14: what was handed over behind a line cannot be taken back, and is heard.
    #[test]
    fn a_sentence_that_was_given_up_half_way_is_cut_when_the_mark_behind_its_half_returns() {
        let second = UtteranceId::Agent(2);
        let mut playout = given_up_half_way();
        let first = playout.mark_returned(SENTENCE);
        assert_eq!(first, Some(Playback::Heard { utterance: SENTENCE, audio: Millis(1_000) }));
        let (heard, audio) = (Millis(1_000), Millis(2_500));
        let cut = Playback::Cut { utterance: second, heard, audio };
        assert_eq!(playout.mark_returned(second), Some(cut));
        assert_eq!(playout.mark_returned(second), None);
        assert_eq!(playout.clear(at(2_100)), [], "nothing is left");
    }

    /// F-TW-21.
    #[test]
    fn a_sentence_that_was_given_up_half_way_may_be_cut_before_its_half_was_heard() {
        let second = UtteranceId::Agent(2);
        let mut playout = given_up_half_way();
        assert!(playout.mark_returned(SENTENCE).is_some());
        let (heard, audio) = (Millis(300), Millis(2_500));
        assert_eq!(playout.clear(at(1_300)), [Playback::Cut { utterance: second, heard, audio }]);
        assert_eq!(playout.mark_returned(second), None, "its mark returns because of the cut");
    }

    #[test]
    fn a_missing_turn_start_does_not_mute_the_agent_for_good() {
        let mut playout = Playout::new();
        playout.clear(at(0));
        assert_eq!(playout.admit(at(2_000), SENTENCE, 160), Admit::Drop);
        assert_eq!(playout.admit(at(2_001), SENTENCE, 160), Admit::Forward);
    }

    /// F-DG-29: the end of it was dropped.
    #[test]
    fn a_sentence_that_found_no_room_was_not_heard_in_full() {
        let mut playout = Playout::new();
        play(&mut playout, 0, 16_000);
        assert_eq!(playout.admit(at(0), SENTENCE, 240_000), Admit::Hold { first: false });
        assert_eq!(playout.admit(at(0), SENTENCE, 8_000), Admit::Overflow);
        playout.forward(at(1_000), SENTENCE, 240_000);
        playout.mark(at(1_000), SENTENCE);
        let (heard, audio) = (Millis(32_000), Millis(33_000));
        let cut = Playback::Cut { utterance: SENTENCE, heard, audio };
        assert_eq!(playout.mark_returned(SENTENCE), Some(cut));
    }

    /// F-TW-26, S27.
    #[test]
    fn speech_waits_while_the_carrier_takes_nothing_and_can_be_taken_back() {
        let mut playout = Playout::new();
        play(&mut playout, 0, 800);
        playout.carrier_blocked(at(50), Some(at(50)));
        assert_eq!(playout.admit(at(50), SENTENCE, 8_000), Admit::Hold { first: false });
        assert_eq!(playout.poll_timeout(Some(SENTENCE)), None, "nobody can say when");
        assert!(!playout.has_room(at(3_000), SENTENCE));
        let (heard, audio) = (Millis(100), Millis(1_100));
        let mut cut = playout.clone();
        assert_eq!(cut.clear(at(3_000)), [Playback::Cut { utterance: SENTENCE, heard, audio }]);
        playout.carrier_blocked(at(3_000), None);
        assert!(playout.has_room(at(3_000), SENTENCE));
    }

    /// F-TW-26: speech that went into a blocked socket before anybody noticed is not heard before
    /// the carrier reads it.
    #[test]
    fn speech_that_lay_unread_is_heard_only_after_it_was_read() {
        let mut playout = Playout::new();
        play(&mut playout, 1_000, 8_000);
        playout.carrier_blocked(at(1_000), Some(at(1_000)));
        playout.carrier_blocked(at(1_600), None);
        let (heard, audio) = (Millis(300), Millis(1_000));
        let cut = [Playback::Cut { utterance: SENTENCE, heard, audio }];
        assert_eq!(playout.clear(at(1_900)), cut, "not 900 ms");

        let mut playout = Playout::new();
        play(&mut playout, 1_000, 8_000);
        playout.carrier_blocked(at(1_200), Some(at(1_200)));
        playout.carrier_blocked(at(1_600), None);
        let heard = Millis(900);
        let cut = [Playback::Cut { utterance: SENTENCE, heard, audio }];
        assert_eq!(playout.clear(at(1_900)), cut, "it was read before");
    }

    /// F-DG-29, I-30.
    #[test]
    fn fast_speech_waits_within_a_bound_and_no_byte_is_lost_from_the_count() {
        let mut playout = Playout::new();
        let mut held = 0;
        for _ in 0..400 {
            match playout.admit(at(0), SENTENCE, 800) {
                Admit::Forward => {
                    assert!(playout.forward(at(0), SENTENCE, 800).is_some() || held == 0);
                }
                Admit::Hold { .. } => held += 800,
                Admit::Drop => unreachable!("the gate is open"),
                Admit::Overflow => {}
            }
        }
        assert_eq!(playout.held(), held);
        assert_eq!(held, 30_000 * BYTES_PER_MS);
        let sum = playout.conserved();
        assert_eq!(sum.offered, sum.forwarded + sum.dropped + sum.overflowed + sum.cut + held);
        assert_eq!(
            playout.poll_timeout(Some(SENTENCE)),
            Some(at(1)),
            "room again as soon as some was played"
        );
    }
}
