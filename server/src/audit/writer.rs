//! The thread that writes.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::oneshot;
use tracing::{error, info};

use super::chain::Chain;
use super::{Entry, Kind, ORDERS_MAX, Order, SERVER, Settled, State};

/// Writes what it is given, and what waited while the disk took nothing.
pub(super) struct Writer<'a> {
    chain: Chain,
    state: &'a State,
    waiting: VecDeque<Entry>,
    /// When the disk refused something last; nothing if it takes what it is given.
    refused_at: Option<Instant>,
    synced_at: Instant,
}

impl<'a> Writer<'a> {
    pub(super) fn new(chain: Chain, state: &'a State) -> Self {
        let synced_at = Instant::now();
        Self { chain, state, waiting: VecDeque::new(), refused_at: None, synced_at }
    }

    /// Ends when nobody can give orders any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let first = orders.recv_timeout(self.pause());
            let is_over = matches!(first, Err(RecvTimeoutError::Disconnected));
            let mut asked = Vec::new();
            for order in first.into_iter().chain(orders.try_iter().take(BATCH)) {
                match order {
                    Order::Write(_) if self.waiting.len() == ORDERS_MAX => self.state.lose(),
                    Order::Write(entry) => self.waiting.push_back(entry),
                    Order::Settle(settled) => asked.push(settled),
                }
            }
            let may_try = self.refused_at.is_none_or(|at| at.elapsed() >= RETRY);
            if may_try || is_over {
                let written = self.write_all(!asked.is_empty() || is_over);
                self.tell(written);
            }
            self.answer(asked);
            if is_over {
                return;
            }
        }
    }

    /// How long nothing has to be done unless somebody asks.
    fn pause(&self) -> Duration {
        match self.refused_at {
            Some(at) => RETRY.saturating_sub(at.elapsed()),
            None if self.chain.is_synced() => IDLE,
            None => SYNC.saturating_sub(self.synced_at.elapsed()),
        }
    }

    fn write_all(&mut self, must_stay: bool) -> io::Result<()> {
        let mut must_stay = must_stay;
        while let Some(entry) = self.waiting.front() {
            self.chain.append(entry)?;
            self.state.written.fetch_add(1, Ordering::Relaxed);
            must_stay |= entry.kind.is_urgent();
            self.waiting.pop_front();
        }
        let untold = self.state.untold.load(Ordering::Relaxed);
        if untold > 0 {
            let lost = Entry::new(Kind::Lost, SERVER, json!({ "entries": untold }));
            self.chain.append(&lost)?;
            self.state.untold.fetch_sub(untold, Ordering::Relaxed);
            must_stay = true;
        }
        if must_stay || self.synced_at.elapsed() >= SYNC {
            self.chain.sync()?;
            self.synced_at = Instant::now();
        }
        Ok(())
    }

    fn tell(&mut self, written: io::Result<()>) {
        match written {
            Ok(()) => {
                if self.refused_at.take().is_some() {
                    info!("the audit log is written again");
                }
            }
            Err(error) => {
                if self.refused_at.replace(Instant::now()).is_none() {
                    error!(
                        %error,
                        "the disk does not take the audit log: calls go on, and nothing is done that \
                         must be proven later"
                    );
                }
            }
        }
        self.state.is_failing.store(self.refused_at.is_some(), Ordering::Relaxed);
    }

    /// Whoever asks while something waits, or could not be kept, gets no answer.
    fn answer(&mut self, asked: Vec<oneshot::Sender<Settled>>) {
        let is_kept = self.refused_at.is_none() && self.waiting.is_empty();
        for settled in asked {
            if is_kept && let Some(head) = self.chain.head() {
                // Who does not wait any more will ask again.
                let _ = settled.send(Settled { head, day_ends: self.chain.day_ends() });
            }
        }
    }
}

/// So many orders are taken before anything is written.
const BATCH: usize = 256;

/// After a disk refused something.
const RETRY: Duration = Duration::from_secs(1);

/// How long an entry may be on the disk without being there to stay, unless it is urgent.
const SYNC: Duration = Duration::from_secs(1);

/// Anything long: nothing has to be done.
const IDLE: Duration = Duration::from_secs(3_600);
