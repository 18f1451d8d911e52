//! Chance, for lengths of pauses: those who failed together must not come back together.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A number within these bounds, another one each time. Nobody's secret may hang on it.
pub fn chance(bounds: RangeInclusive<u32>) -> u32 {
    let (least, most) = bounds.into_inner();
    // Every state of the standard library's hasher has keys of its own.
    let drawn = RandomState::new().hash_one(());
    let span = u64::from(most.saturating_sub(least)) + 1;
    least.saturating_add(u32::try_from(drawn % span).unwrap_or_default())
}

/// A pause within these bounds, in milliseconds.
pub(super) fn between((least_ms, most_ms): (u32, u32)) -> Duration {
    Duration::from_millis(chance(least_ms..=most_ms).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_lies_within_its_bounds_and_reaches_all_of_them() {
        let mut drawn = [false; 3];
        for _ in 0..1_000 {
            let number = chance(7..=9);
            assert!((7..=9).contains(&number), "{number}");
            drawn[number as usize - 7] = true;
        }
        assert_eq!(drawn, [true; 3]);
        assert_eq!(chance(5..=5), 5);
        chance(0..=u32::MAX);
    }
}
