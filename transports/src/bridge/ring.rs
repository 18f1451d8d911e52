//! Audio that waits, in memory that is used again and again.

use std::collections::VecDeque;

/// Bytes in the order in which they came. Once it has grown to what a call needs, audio that
/// comes and goes allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
}

impl Ring {
    /// Puts audio behind whatever waits.
    pub(super) fn push(&mut self, audio: &[u8]) {
        self.bytes.extend(audio);
    }

    /// Takes the oldest bytes into a buffer, which is overwritten.
    pub(super) fn pop_into(&mut self, length: usize, audio: &mut Vec<u8>) {
        audio.clear();
        let (front, back) = self.bytes.as_slices();
        let (of_front, of_back) = (length.min(front.len()), length.saturating_sub(front.len()));
        audio.extend_from_slice(&front[..of_front]);
        audio.extend_from_slice(&back[..of_back]);
        self.bytes.drain(..length);
    }

    /// Drops the oldest bytes.
    pub(super) fn drop_front(&mut self, length: usize) {
        self.bytes.drain(..length);
    }

    /// Puts the oldest bytes behind all others.
    pub(super) fn front_to_back(&mut self, length: usize) {
        self.bytes.rotate_left(length);
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}
