//! What was measured, and how it is summed up.

use std::collections::BTreeMap;

/// One frame of the caller's on its way there and back. Times in nanoseconds; 0 means never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stamp {
    /// The caller's frame was sent.
    pub(crate) sent: u64,
    /// The agent had it.
    pub(crate) heard: u64,
    /// The agent sent it back.
    pub(crate) echoed: u64,
    /// The carrier had it.
    pub(crate) back: u64,
}

/// What became of the frames that count, and how long they took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) both_ways: Times,
    pub(crate) to_agent: Times,
    pub(crate) to_caller: Times,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
}

impl Tally {
    /// Counts what became of frames.
    pub(crate) fn add(&mut self, stamps: &[Stamp]) {
        for stamp in stamps.iter().filter(|stamp| stamp.sent > 0) {
            self.sent += 1;
            if stamp.back == 0 {
                self.lost += 1;
                continue;
            }
            let (there, here) = (stamp.heard - stamp.sent, stamp.back - stamp.echoed);
            self.to_agent.add(there);
            self.to_caller.add(here);
            self.both_ways.add(there + here);
        }
    }
}

/// Times, counted by the microsecond: a run of an hour measures tens of millions of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    /// How many there are of each number of microseconds.
    counts: BTreeMap<u64, usize>,
}

impl Times {
    /// Counts a time in nanoseconds.
    pub(crate) fn add(&mut self, time: u64) {
        *self.counts.entry((time + 500) / 1_000).or_default() += 1;
    }

    /// How they are spread.
    pub(crate) fn spread(&self) -> Spread {
        let count: usize = self.counts.values().sum();
        // The smallest time that so many of a thousand do not exceed.
        let at = |per_mille: usize| {
            let place = (count * per_mille).div_ceil(1_000).max(1);
            let mut passed = 0;
            let mut times = self.counts.iter();
            let found = times.find(|(_, count)| {
                passed += **count;
                passed >= place
            });
            found.map_or(0.0, |(us, _)| *us as f64 / 1e3)
        };
        Spread { count, p50: at(500), p99: at(990), p999: at(999), max: at(1_000) }
    }
}

/// How a set of times is spread, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_times_that_were_measured() {
        let mut times = Times::default();
        assert_eq!(times.spread(), Spread::default());
        times.add(3_000_400);
        assert_eq!(times.spread().p50, 3.0);
        let mut times = Times::default();
        (1..=1_000).rev().for_each(|ms| times.add(ms * 1_000_000));
        let (p50, p99, p999, max) = (500.0, 990.0, 999.0, 1_000.0);
        assert_eq!(times.spread(), Spread { count: 1_000, p50, p99, p999, max });
        // Many that are the same weigh as many.
        (0..999_000).for_each(|_| times.add(2_000));
        let spread = times.spread();
        assert_eq!((spread.count, spread.p50, spread.p999), (1_000_000, 0.002, 0.002));
        assert_eq!(spread.max, 1_000.0);
    }

    #[test]
    fn the_agents_own_time_does_not_count_and_a_frame_that_never_came_back_is_lost() {
        let back = Stamp { sent: 1_000_000, heard: 2_000_000, echoed: 9_000_000, back: 9_500_000 };
        let lost = Stamp { back: 0, ..back };
        let mut tally = Tally::default();
        tally.add(&[back, lost, Stamp::default()]);
        assert_eq!((tally.sent, tally.lost), (2, 1));
        let longest = |times: &Times| times.spread().max;
        assert_eq!((longest(&tally.to_agent), longest(&tally.to_caller)), (1.0, 0.5));
        assert_eq!(longest(&tally.both_ways), 1.5);
    }
}
