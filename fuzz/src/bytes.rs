//! Choices, made from a fuzzer's bytes in order.

/// Bytes that are used up one after the other. Where there are none left, all are nought.
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number of two bytes.
    pub(crate) fn long(&mut self) -> u64 {
        u64::from(u16::from_le_bytes([self.next(), self.next()]))
    }

    /// A number from nought on, below this one.
    pub(crate) fn below(&mut self, end: u8) -> u8 {
        self.next() % end
    }

    /// True for so many of the 256 values of a byte.
    pub(crate) fn in_256(&mut self, chances: u8) -> bool {
        self.next() < chances
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.next()) % choices.len()]
    }
}
