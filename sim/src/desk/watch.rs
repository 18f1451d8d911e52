//! Sees that a simulated call comes to an end, so that a machine that runs away is a finding and
//! not a simulator that hangs.

use call_core::{CallTime, Limits, Millis};

use crate::judge::Breach;

/// No call makes so many steps.
const STEPS_MAX: usize = 100_000;

/// So often nothing happens at one moment.
const TURNS_MAX: u32 = 100_000;

/// Beyond the longest call, everything that its end may wait for, and a minute.
const SLACK: Millis = Millis::from_secs(60);

/// Counts what a call has used up.
pub(super) struct Watch {
    latest: CallTime,
    now: CallTime,
    turns: u32,
}

impl Watch {
    pub(super) fn new(limits: &Limits) -> Self {
        let Limits { call, farewell, hang_up, tones, transfer, pay, .. } = limits;
        let away = *hang_up + *tones + *hang_up + *transfer;
        let ending = *farewell + *farewell + away + *hang_up + *pay;
        Self { latest: CallTime::ZERO + *call + ending + SLACK, now: CallTime::ZERO, turns: 0 }
    }

    /// Looks at the call before its next turn: what it has to be stopped for, if anything.
    pub(super) fn look(&mut self, now: CallTime, steps: usize) -> Option<Breach> {
        self.turns = if now == self.now { self.turns + 1 } else { 0 };
        self.now = now;
        let what = if now > self.latest {
            "the call has not ended by itself and was stopped".to_owned()
        } else if steps > STEPS_MAX {
            format!("the call made {steps} steps and was stopped")
        } else if self.turns > TURNS_MAX {
            "time stands still, and the call was stopped".to_owned()
        } else {
            return None;
        };
        Some(Breach { invariant: "I-11", at: Some(now), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_goes_on_after_its_latest_end_is_stopped() {
        let limits = Limits::default();
        let mut watch = Watch::new(&limits);
        assert_eq!(watch.look(CallTime::ZERO + limits.call, 1_000), None);
        let later = CallTime::ZERO + limits.call + limits.call;
        assert_eq!(watch.look(later, 1_000).map(|breach| breach.invariant), Some("I-11"));
    }

    #[test]
    fn a_call_that_makes_steps_without_end_or_stands_still_is_stopped() {
        let mut watch = Watch::new(&Limits::default());
        assert!(watch.look(CallTime::ZERO, STEPS_MAX + 1).is_some());
        let mut looks = 0;
        while watch.look(CallTime::from_millis(5), 1).is_none() {
            looks += 1;
        }
        assert_eq!(looks, TURNS_MAX + 1);
        assert_eq!(watch.look(CallTime::from_millis(6), 1), None);
    }
}
