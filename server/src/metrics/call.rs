//! One call, counted: its steps while it lasts, and its audio when it is over.

use std::borrow::Cow;

use call_core::{CallTime, Cause, Fact, Step};
use call_transports::bridge::Bridge;
use prometheus_client::metrics::gauge::Gauge;

use super::measure::Meter;
use super::{Metrics, of, whole};
use crate::store::INTERNAL;

/// Counts one call.
#[derive(Debug)]
pub struct CallMeter {
    metrics: Metrics,
    meter: Meter,
    company: String,
    /// It has begun and not ended.
    is_open: bool,
    depths: Depths,
    /// What is added to each of them, found once: audio passes here.
    queues: [Gauge; 5],
}

/// How many bytes of audio wait at this moment, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depths {
    /// Speech to the caller, before the gate.
    pub speech: u64,
    /// Speech to the caller, for the carrier's socket.
    pub carrier_socket: u64,
    /// The caller's voice, for an earlier piece.
    pub order: u64,
    /// The caller's voice, for an agent that listens.
    pub voice: u64,
    /// The caller's voice, for the agent's socket.
    pub agent_socket: u64,
}

impl Depths {
    /// What waits in a bridge. What waits for its sockets the bridge does not know.
    pub fn of(bridge: &Bridge) -> Self {
        let (_, speech) = bridge.speech_to_caller();
        let (_, voice) = bridge.voice_to_agent();
        let (_, order) = bridge.caller_order();
        Self { speech, voice, order, ..Self::default() }
    }

    const fn named(self) -> [(&'static str, u64); 5] {
        [
            ("speech", self.speech),
            ("carrier_socket", self.carrier_socket),
            ("order", self.order),
            ("voice", self.voice),
            ("agent_socket", self.agent_socket),
        ]
    }
}

/// What a call leaves behind besides its journal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Bytes of speech that the carrier's socket could not take.
    pub shed_to_carrier: u64,
    /// Bytes of the caller's voice that the agent's socket could not take.
    pub shed_to_agent: u64,
    /// Messages of the carrier's that were of no use.
    pub ignored_of_carrier: u64,
    /// Messages of the agent's that were of no use.
    pub ignored_of_agent: u64,
}

impl CallMeter {
    /// A call that is about to begin.
    pub fn new(metrics: &Metrics) -> Self {
        let depths = Depths::default();
        let queue = |(name, _)| {
            let queued = &metrics.counters().queued;
            queued.get_or_create(&of(&[("queue", name)])).clone()
        };
        Self {
            metrics: metrics.clone(),
            meter: Meter::default(),
            company: String::new(),
            is_open: false,
            depths,
            queues: depths.named().map(queue),
        }
    }

    /// A step was made, and its effects were carried out by `done`.
    pub fn step(&mut self, step: &Step, done: CallTime) {
        if let Cause::Started(brief) = &step.cause {
            self.company.clone_from(&brief.company);
            self.is_open = true;
        }
        self.is_open &= !step.facts.iter().any(|fact| matches!(fact, Fact::CallEnded { .. }));
        for told in self.meter.take(step, done) {
            self.metrics.record(&self.company, self.meter.language(), &told);
        }
    }

    /// So much waits now.
    pub fn waits(&mut self, now: Depths) {
        if now == self.depths {
            return;
        }
        let before = std::mem::replace(&mut self.depths, now);
        let depths = before.named().into_iter().zip(now.named());
        for (gauge, ((_, before), (_, now))) in self.queues.iter().zip(depths) {
            gauge.inc_by(whole(now) - whole(before));
        }
    }

    /// The call is over.
    pub fn over(&mut self, bridge: &Bridge, tally: &Tally) {
        let (speech, _) = bridge.speech_to_caller();
        let (ears, _) = bridge.voice_to_agent();
        let (order, _) = bridge.caller_order();
        let families = self.metrics.counters();
        let add = |family: &super::Counters, words: &[(&'static str, &'static str)], count: u64| {
            if count > 0 {
                let mut labels = of(words);
                labels.push(("company", Cow::Owned(self.company.clone())));
                family.get_or_create(&labels).inc_by(count);
            }
        };
        for (direction, bytes) in [("to_caller", speech.offered), ("to_agent", order.offered)] {
            add(&families.audio_bytes, &[("direction", direction)], bytes);
        }
        for (direction, reason, bytes) in [
            ("to_caller", "silenced", speech.dropped),
            ("to_caller", "overflow", speech.overflowed),
            ("to_caller", "cut", speech.cut),
            ("to_caller", "socket", tally.shed_to_carrier),
            ("to_agent", "repeated", order.repeated),
            ("to_agent", "late", order.late),
            ("to_agent", "unused", order.unused),
            ("to_agent", "gate", ears.dropped),
            ("to_agent", "socket", tally.shed_to_agent),
        ] {
            let words = [("direction", direction), ("reason", reason)];
            add(&families.audio_dropped, &words, bytes);
        }
        families.audio_filled.inc_by(order.filled);
        let ignored = [("carrier", tally.ignored_of_carrier), ("agent", tally.ignored_of_agent)];
        for (from, frames) in ignored {
            add(&families.frames_ignored, &[("from", from)], frames);
        }
    }
}

impl Drop for CallMeter {
    /// However a call ends, nothing of it waits any more. One that is lost to a fault of ours has no
    /// end in its steps, and is counted as its record names it.
    fn drop(&mut self) {
        self.waits(Depths::default());
        if self.is_open {
            self.metrics.call_lost(&self.company, self.meter.language(), INTERNAL);
        }
    }
}

#[cfg(test)]
mod tests {
    use call_core::input::Carrier;
    use call_core::{Brief, Call, Input};
    use call_transports::net::Kept;

    use super::*;
    use crate::store::Writes;

    #[test]
    fn a_call_that_is_lost_to_a_fault_has_an_end_too() {
        let metrics = Metrics::new();
        let ends = || {
            let text = metrics.text(0, &Kept::default(), &Writes::default(), &[]).unwrap();
            let ends = text.lines().filter(|line| line.starts_with("offhook_calls_ended_total"));
            ends.map(str::to_owned).collect::<Vec<_>>()
        };
        let (mut call, first) = Call::new(Brief::example());
        let mut lost = CallMeter::new(&metrics);
        lost.step(&first, CallTime::ZERO);
        drop(lost);
        let labels = r#"company="acme",language="en"} 1"#;
        let internal = format!("offhook_calls_ended_total{{reason=\"internal\",{labels}");
        assert_eq!(ends(), [internal]);
        let mut whole = CallMeter::new(&metrics);
        whole.step(&first, CallTime::ZERO);
        for step in call.step(CallTime::from_millis(900), Input::Carrier(Carrier::Stopped)) {
            whole.step(&step, step.at);
        }
        drop(whole);
        assert_eq!(ends().len(), 2, "one end for each: {:?}", ends());
        assert!(ends().iter().all(|line| line.ends_with(" 1")));
    }

    #[test]
    fn what_waits_is_added_up_over_calls_and_gone_with_them() {
        let metrics = Metrics::new();
        let speech = || {
            let text = metrics.text(0, &Kept::default(), &Writes::default(), &[]).unwrap();
            let line = text.lines().find(|line| line.contains("queue=\"speech\"")).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        let (mut one, mut other) = (CallMeter::new(&metrics), CallMeter::new(&metrics));
        one.waits(Depths { speech: 800, ..Depths::default() });
        other.waits(Depths { speech: 160, ..Depths::default() });
        assert_eq!(speech(), "960");
        one.waits(Depths { speech: 400, voice: 80, ..Depths::default() });
        assert_eq!(speech(), "560");
        drop(one);
        assert_eq!(speech(), "160");
        drop(other);
        assert_eq!(speech(), "0");
    }
}
