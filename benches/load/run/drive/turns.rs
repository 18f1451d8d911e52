//! Calls that come and go: each ends when it is so long, and another takes its place.

use std::cmp::Reverse;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::act::Deed;
use super::{Drive, Whose};
use crate::run::ACCOUNT;
use crate::run::call::{Call, FRAME, MS};
use crate::run::tally::Tally;
use crate::run::wire::Opcode;

impl Drive {
    /// The caller of this call hangs up then.
    pub(super) fn ends(&mut self, number: usize, at: u64) {
        self.calls[number].ends = Some(at);
        self.deeds.push(Reverse((at, number, Deed::HangUp)));
    }

    /// From now on callers hang up when a call is so long, and others take their places. Those that
    /// are there end one after the other, evenly.
    pub(crate) fn take_turns(&mut self, length: Duration) {
        let (now, turn) = (self.now(), length.as_nanos() as u64);
        self.turn = Some(turn);
        let calls = self.calls.len() as u64;
        for number in 0..calls {
            self.ends(number as usize, now + turn * (number + 1) / calls);
        }
    }

    /// Nobody hangs up any more.
    pub(crate) const fn stay(&mut self) {
        self.turn = None;
    }

    /// What became of all frames that count. None counts any more.
    pub(crate) fn tally(&mut self) -> Tally {
        for call in &mut self.calls {
            self.tally.add(&call.take_stamps());
        }
        std::mem::take(&mut self.tally)
    }

    /// How many sockets are still open of calls that are over.
    pub(crate) fn left_open(&self) -> usize {
        self.links.iter().flatten().filter(|(_, whose)| self.is_over(*whose)).count()
    }

    /// How long the calls that go on have taken so far, together.
    pub(crate) fn live_seconds(&self) -> f64 {
        let live = self.calls.iter().filter(|call| !call.is_over);
        let frames: u64 = live.map(|call| u64::from(call.frames)).sum();
        Duration::from_nanos(frames * FRAME).as_secs_f64()
    }

    /// Whether it belongs to a call that is over.
    pub(super) fn is_over(&self, whose: Whose) -> bool {
        match whose {
            Whose::Carrier { call } | Whose::Session { call: Some(call) } => {
                self.calls.get(call).is_some_and(|call| call.is_over)
            }
            Whose::Request | Whose::Session { call: None } => false,
        }
    }

    /// The stream of a call ends with it, and another call takes its place.
    pub(super) fn hang_up(&mut self, number: usize) -> Result<()> {
        let now = self.now();
        let call = &mut self.calls[number];
        if !call.is_up() {
            // A driver that was kept from running for long has not looked what came meanwhile.
            let late = now.saturating_sub(call.ends.unwrap_or(now));
            let Call { frames, echoes, .. } = call;
            ensure!(
                late < UP_LIMIT,
                "call {number} came to its end and was never up: {frames} frames, {echoes} echoes"
            );
            self.deeds.push(Reverse((now + 200 * MS, number, Deed::HangUp)));
            return Ok(());
        }
        let (carrier, offset) = (call.carrier, call.offset);
        let mut text = String::new();
        call.stop(ACCOUNT, &mut text);
        self.tally.add(&call.take_stamps());
        self.ended += 1;
        if let Some(Some((link, _))) = self.links.get_mut(carrier) {
            link.queue(Opcode::Text, text.as_bytes());
            link.queue(Opcode::Close, &NORMAL.to_be_bytes());
            link.flush()?;
        }
        self.exchange()?.completed(number as u32)?;
        self.place(Duration::from_nanos(offset))
    }
}

/// A call that is not up so long after its caller was to hang up never will be.
const UP_LIMIT: u64 = 10_000 * MS;

/// RFC 6455, section 7.4.1: what the connection was for is done.
const NORMAL: u16 = 1_000;
