//! What waits to be written to a socket: a bounded queue in which audio and control differ.

use std::collections::VecDeque;

use call_core::playout::BYTES_PER_MS;

/// The most audio that waits, in bytes: 5 seconds.
const AUDIO_BYTES_MAX: usize = 5_000 * BYTES_PER_MS as usize;

/// The most control messages that wait.
const CONTROLS_MAX: usize = 256;

/// Messages in the order in which they must be written.
///
/// A socket that takes nothing must not make memory grow, nor make a call wait. Audio that is
/// late is worth nothing, so the oldest of it is dropped and counted. A control message is never
/// dropped; when too many of them wait, the link is as good as lost, which the owner must act on.
#[derive(Debug)]
pub struct Outbox<M> {
    waiting: VecDeque<(Kind, M)>,
    audio_bytes: usize,
    controls: usize,
    shed_bytes: u64,
    stale_bytes: u64,
    is_overfull: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Audio { bytes: usize },
    Control,
}

impl<M> Default for Outbox<M> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            audio_bytes: 0,
            controls: 0,
            shed_bytes: 0,
            stale_bytes: 0,
            is_overfull: false,
        }
    }
}

impl<M> Outbox<M> {
    /// Puts a message that holds `bytes` of audio behind whatever waits.
    pub fn push_audio(&mut self, message: M, bytes: usize) {
        self.waiting.push_back((Kind::Audio { bytes }, message));
        self.audio_bytes += bytes;
        while self.audio_bytes > AUDIO_BYTES_MAX {
            let oldest = self.waiting.iter().position(|(kind, _)| *kind != Kind::Control);
            let Some((Kind::Audio { bytes }, _)) = oldest.and_then(|at| self.waiting.remove(at))
            else {
                break;
            };
            self.audio_bytes -= bytes;
            self.shed_bytes += bytes as u64;
        }
    }

    /// Puts a control message behind whatever waits. It overtakes nothing.
    pub fn push_control(&mut self, message: M) {
        if self.controls == CONTROLS_MAX {
            self.is_overfull = true;
            return;
        }
        self.controls += 1;
        self.waiting.push_back((Kind::Control, message));
    }

    /// Drops all audio that waits, because it is not wanted any more.
    pub fn drop_audio(&mut self) {
        self.waiting.retain(|(kind, _)| *kind == Kind::Control);
        self.stale_bytes += self.audio_bytes as u64;
        self.audio_bytes = 0;
    }

    /// Takes the next message to be written.
    pub fn pop(&mut self) -> Option<M> {
        let (kind, message) = self.waiting.pop_front()?;
        match kind {
            Kind::Audio { bytes } => self.audio_bytes -= bytes,
            Kind::Control => self.controls -= 1,
        }
        Some(message)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a control message found no room: the link is lost.
    pub const fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// How many bytes of audio wait.
    pub const fn audio_bytes(&self) -> u64 {
        self.audio_bytes as u64
    }

    /// How many bytes of audio were dropped because they were not wanted any more.
    pub const fn stale_bytes(&self) -> u64 {
        self.stale_bytes
    }

    /// How many bytes of audio were dropped because too much waited.
    pub const fn shed_bytes(&self) -> u64 {
        self.shed_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| outbox.pop()).collect()
    }

    #[test]
    fn messages_leave_in_the_order_in_which_they_came() {
        let mut outbox = Outbox::default();
        outbox.push_audio("audio 1", 160);
        outbox.push_control("mark 1");
        outbox.push_audio("audio 2", 160);
        assert_eq!(drain(&mut outbox), ["audio 1", "mark 1", "audio 2"]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_oldest_audio_is_shed_and_counted_when_more_than_five_seconds_wait_f_tw_26() {
        let mut outbox = Outbox::default();
        outbox.push_control("mark 0");
        outbox.push_audio("audio 1", AUDIO_BYTES_MAX - 160);
        outbox.push_audio("audio 2", 160);
        assert_eq!(outbox.shed_bytes(), 0);
        outbox.push_audio("audio 3", 1);
        assert_eq!(outbox.shed_bytes(), (AUDIO_BYTES_MAX - 160) as u64);
        assert_eq!(drain(&mut outbox), ["mark 0", "audio 2", "audio 3"]);
    }

    #[test]
    fn one_piece_of_more_than_five_seconds_is_shed_itself() {
        let mut outbox = Outbox::default();
        outbox.push_audio("audio", AUDIO_BYTES_MAX + 1);
        assert_eq!(outbox.shed_bytes(), (AUDIO_BYTES_MAX + 1) as u64);
        assert!(outbox.is_empty());
    }

    #[test]
    fn dropping_audio_leaves_control_in_order_and_counts_nothing() {
        let mut outbox = Outbox::default();
        outbox.push_audio("audio 1", 160);
        outbox.push_control("mark 1");
        outbox.push_audio("audio 2", 160);
        outbox.drop_audio();
        outbox.push_control("clear");
        assert_eq!(outbox.shed_bytes(), 0);
        assert_eq!(drain(&mut outbox), ["mark 1", "clear"]);
        outbox.push_audio("audio 3", AUDIO_BYTES_MAX);
        assert_eq!(outbox.shed_bytes(), 0, "room was made");
    }

    #[test]
    fn one_control_message_too_many_means_a_lost_link() {
        let mut outbox = Outbox::default();
        for _ in 0..CONTROLS_MAX {
            outbox.push_control("mark");
        }
        assert!(!outbox.is_overfull());
        outbox.push_control("one more");
        assert!(outbox.is_overfull());
    }
}
