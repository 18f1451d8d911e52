//! The one loop, and the one trait, that production and simulation share.

use alloc::vec::Vec;
use core::future::Future;

use crate::call::Call;
use crate::input::Input;
use crate::step::Step;
use crate::time::CallTime;

/// The next thing a call is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stimulus {
    /// Something happened.
    Input(CallTime, Input),
    /// The deadline that was asked for has passed.
    Due(CallTime),
}

/// Where the next thing comes from, and who carries effects out.
///
/// The server's world is sockets and a clock; the simulator's is a heap of events, and is always
/// ready, so it needs no runtime.
pub trait World: Send {
    /// Waits for the next thing to happen, at the latest until `deadline`. Times never go back.
    fn next(&mut self, deadline: Option<CallTime>) -> impl Future<Output = Stimulus> + Send;

    /// Carries a step's effects out, and keeps the step where steps are kept.
    fn perform(&mut self, step: Step) -> impl Future<Output = ()> + Send;
}

/// Runs a call to its end: `first` is the step that [`Call::new`] returned.
///
/// The future must not be dropped half-way: a dropped call has no end in its journal.
pub async fn run<W: World>(mut call: Call, first: Step, world: &mut W) -> Call {
    world.perform(first).await;
    while !call.is_over() {
        let steps: Vec<Step> = match world.next(call.poll_timeout().map(|(at, _)| at)).await {
            Stimulus::Input(at, input) => call.step(at, input),
            Stimulus::Due(at) => call.wake(at),
        };
        for step in steps {
            world.perform(step).await;
        }
    }
    call
}
