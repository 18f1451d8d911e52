//! A part of the calls is played a second time, among other calls and by another thread, and must
//! give the same bytes: what happens in one call changes no other (I-31).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use call_core::Step;

use crate::journal;

/// One call of so many is played again.
const EVERY: u64 = 16;

/// Whether this seed's call is played again.
pub(super) const fn is_played_again(seed: u64) -> bool {
    seed.is_multiple_of(EVERY)
}

/// The bytes of a journal, in one number (FNV-1a).
pub(super) fn digest(steps: &[Step]) -> u64 {
    let mut bytes = Vec::new();
    journal::write(steps, &mut bytes).expect("a vector takes all that is written to it");
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Plays these seeds again, the last first, by new threads. Returns those whose journal is another
/// one than the first time.
pub(super) fn differing(
    first: &BTreeMap<u64, u64>,
    threads: usize,
    play: &(dyn Fn(u64) -> u64 + Sync),
) -> Vec<u64> {
    let seeds: Vec<_> = first.iter().rev().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differ = Vec::new();
        while let Some((seed, digest)) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            if play(**seed) != **digest {
                differ.push(**seed);
            }
        }
        differ
    };
    let mut differ: Vec<u64> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined.flat_map(|result| result.expect("panics of calls are caught")).collect()
    });
    differ.sort_unstable();
    differ
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// I-31: a call that counts the calls before it is found.
    #[test]
    fn a_call_that_depends_on_the_calls_before_it_is_found() {
        let played = AtomicU64::new(0);
        let depends = |seed| seed + played.fetch_add(1, Ordering::Relaxed);
        let first = [1, 2, 3, 4].map(|seed| (seed, depends(seed))).into();
        assert_eq!(differing(&first, 1, &depends), [1, 2, 3, 4]);
    }

    #[test]
    fn a_call_that_depends_on_its_seed_alone_is_the_same_again() {
        let first = [1, 2, 3, 4].map(|seed| (seed, seed * 7)).into();
        assert!(differing(&first, 2, &|seed| seed * 7).is_empty());
        assert_eq!(differing(&first, 2, &|seed| if seed == 3 { 0 } else { seed * 7 }), [3]);
    }
}
