//! Chance in the simulator: a tree of seeds, so that one new draw does not reshuffle the rest.

/// A source of numbers that follow from its seed alone (SplitMix64).
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// A source that starts from this number.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source of its own for a purpose: what others draw does not change what it draws.
    pub fn branch(&self, purpose: &str) -> Self {
        // FNV-1a: short, and the same on every machine.
        let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Self(self.0 ^ hash)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number in a range, its end included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}
