//! Whether the carrier's stream still lives: the same decision over sockets and in the simulator.

use call_core::{CallTime, Millis};

/// T_GAP: nothing came for this long, so ask whether anybody is there.
const GAP: Millis = Millis::from_secs(3);

/// T_DEAD: nothing came for this long, not even an answer, so nobody is there (F-TW-09).
const DEAD: Millis = Millis::from_secs(10);

/// Nothing was taken for this long, so nobody reads (F-TW-26).
const BLOCKED: Millis = Millis::from_secs(5);

/// What is to be done about a stream that is too quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask whether anybody is there.
    Probe,
    /// It carries nothing any more, and did so last at that time.
    Dead(CallTime),
}

/// When the carrier's stream showed life.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// The stream is there, and nobody has left it.
    is_open: bool,
    heard_at: CallTime,
    is_probed: bool,
    blocked_since: Option<CallTime>,
}

impl Watch {
    /// A stream that begins now.
    pub(super) const fn new(at: CallTime) -> Self {
        Self { is_open: true, heard_at: at, is_probed: false, blocked_since: None }
    }

    /// Whether the stream has not ended.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Something came.
    pub(super) const fn heard(&mut self, at: CallTime) {
        self.heard_at = at;
        self.is_probed = false;
    }

    /// Since when the stream takes nothing, if so.
    pub(super) const fn blocked(&mut self, since: Option<CallTime>) {
        self.blocked_since = since;
    }

    /// The stream has ended, in whatever way: its silence means nothing.
    pub(super) const fn over(&mut self) {
        self.is_open = false;
        self.blocked_since = None;
    }

    /// When to look again.
    pub(super) fn poll_timeout(&self) -> Option<CallTime> {
        if !self.is_open {
            return None;
        }
        let silence = self.heard_at + if self.is_probed { DEAD } else { GAP };
        let blocked = self.blocked_since.map(|since| since + BLOCKED);
        Some(blocked.map_or(silence, |blocked| blocked.min(silence)))
    }

    /// What is due by now.
    pub(super) fn due(&mut self, at: CallTime) -> Option<Due> {
        if !self.is_open {
            return None;
        }
        if let Some(since) = self.blocked_since.filter(|since| at >= *since + BLOCKED) {
            return Some(Due::Dead(since));
        }
        if at >= self.heard_at + DEAD {
            return Some(Due::Dead(self.heard_at));
        }
        if at >= self.heard_at + GAP && !self.is_probed {
            self.is_probed = true;
            return Some(Due::Probe);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> CallTime {
        CallTime::from_millis(millis)
    }

    /// F-TW-09.
    #[test]
    fn a_stream_is_asked_after_three_seconds_and_dead_after_ten() {
        let mut watch = Watch::new(at(500));
        assert_eq!((watch.poll_timeout(), watch.due(at(3_499))), (Some(at(3_500)), None));
        assert_eq!(watch.due(at(3_500)), Some(Due::Probe));
        assert_eq!((watch.poll_timeout(), watch.due(at(10_499))), (Some(at(10_500)), None));
        assert_eq!(watch.due(at(10_500)), Some(Due::Dead(at(500))));
    }

    /// F-TW-09.
    #[test]
    fn an_answer_is_life() {
        let mut watch = Watch::new(at(0));
        assert_eq!(watch.due(at(3_000)), Some(Due::Probe));
        watch.heard(at(3_100));
        assert_eq!(
            (watch.poll_timeout(), watch.due(at(10_000))),
            (Some(at(6_100)), Some(Due::Probe))
        );
    }

    /// F-TW-26, S27.
    #[test]
    fn a_stream_that_takes_nothing_for_five_seconds_is_dead_although_it_talks() {
        let mut watch = Watch::new(at(0));
        watch.blocked(Some(at(1_000)));
        watch.heard(at(5_990));
        assert_eq!((watch.poll_timeout(), watch.due(at(5_999))), (Some(at(6_000)), None));
        assert_eq!(watch.due(at(6_000)), Some(Due::Dead(at(1_000))));
        watch.blocked(None);
        assert_eq!(watch.due(at(6_000)), None);
    }

    #[test]
    fn a_stream_that_has_ended_is_not_missed() {
        let mut watch = Watch::new(at(0));
        watch.over();
        assert_eq!((watch.poll_timeout(), watch.due(at(60_000))), (None, None));
    }
}
