//! What was measured, and how it is summed up.

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
    pub(crate) both_ways: Spread,
    pub(crate) to_agent: Spread,
    pub(crate) to_caller: Spread,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
}

impl Tally {
    /// Sums up.
    pub(crate) fn of<'a>(stamps: impl Iterator<Item = &'a Stamp>) -> Self {
        let mut tally = Self::default();
        let (mut both, mut up, mut down) = (Vec::new(), Vec::new(), Vec::new());
        for stamp in stamps.filter(|stamp| stamp.sent > 0) {
            tally.sent += 1;
            if stamp.back == 0 {
                tally.lost += 1;
                continue;
            }
            let (there, here) = (stamp.heard - stamp.sent, stamp.back - stamp.echoed);
            up.push(there);
            down.push(here);
            both.push(there + here);
        }
        tally.both_ways = Spread::of(both);
        tally.to_agent = Spread::of(up);
        tally.to_caller = Spread::of(down);
        tally
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

impl Spread {
    /// Of times in nanoseconds.
    pub(crate) fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        // The smallest time that so many of a thousand do not exceed.
        let at = |per_mille: usize| {
            let place = (times.len() * per_mille).div_ceil(1_000).max(1) - 1;
            times.get(place).map_or(0.0, |time| *time as f64 / 1e6)
        };
        Self { count: times.len(), p50: at(500), p99: at(990), p999: at(999), max: at(1_000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_times_that_were_measured() {
        let spread = Spread::of((1..=1_000).rev().map(|ms| ms * 1_000_000).collect());
        let (p50, p99, p999, max) = (500.0, 990.0, 999.0, 1_000.0);
        assert_eq!(spread, Spread { count: 1_000, p50, p99, p999, max });
        assert_eq!(Spread::of(Vec::new()), Spread::default());
        assert_eq!(Spread::of(vec![3_000_000]).p50, 3.0);
    }

    #[test]
    fn the_agents_own_time_does_not_count_and_a_frame_that_never_came_back_is_lost() {
        let back = Stamp { sent: 1_000_000, heard: 2_000_000, echoed: 9_000_000, back: 9_500_000 };
        let lost = Stamp { back: 0, ..back };
        let tally = Tally::of([back, lost, Stamp::default()].iter());
        assert_eq!((tally.sent, tally.lost), (2, 1));
        assert_eq!((tally.to_agent.max, tally.to_caller.max), (1.0, 0.5));
        assert_eq!(tally.both_ways.max, 1.5);
    }
}
