//! Where calls are placed and reported over: on a thread of its own, because it waits for answers,
//! and the frames of all other calls must not.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use anyhow::{Context as _, Result};
use mio::Waker;

use super::place::{Door, Placed};

/// What is to be done about a call, which is named by its number.
enum Order {
    Place(u32),
    Completed(u32),
}

/// Does one thing after the other, in the order in which they were asked for.
pub(crate) struct Exchange {
    orders: Sender<Order>,
    placed: Receiver<Result<Placed>>,
}

impl Exchange {
    /// Places calls at this door, and wakes whoever waits for them.
    pub(crate) fn open(door: Door, waker: Waker) -> Result<Self> {
        let (orders, wanted) = mpsc::channel();
        let (done, placed) = mpsc::channel();
        thread::Builder::new().name("exchange".to_owned()).spawn(move || {
            for order in wanted {
                let outcome = match order {
                    Order::Place(number) => door.place(number).map(Some),
                    Order::Completed(number) => door.completed(number).map(|()| None),
                };
                if let Some(outcome) = outcome.transpose() {
                    // Nobody waits any more when the run is over.
                    let _ = done.send(outcome);
                    let _ = waker.wake();
                }
            }
        })?;
        Ok(Self { orders, placed })
    }

    /// Has a call placed.
    pub(crate) fn place(&self, number: u32) -> Result<()> {
        self.orders.send(Order::Place(number)).context("nobody places calls")
    }

    /// Has it reported that a call is over.
    pub(crate) fn completed(&self, number: u32) -> Result<()> {
        self.orders.send(Order::Completed(number)).context("nobody reports calls")
    }

    /// The next call that was placed, or what went wrong. Nothing if there is no news.
    pub(crate) fn placed(&self) -> Option<Result<Placed>> {
        self.placed.try_recv().ok()
    }
}
