//! The time of a call, and its one sleep.

use std::pin::Pin;
use std::task::{Context, Poll};

use call_core::CallTime;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

/// Tells the time of one call. The clock, not the sleep, decides what is due; the sleep only sees
/// to it that somebody looks.
pub(super) struct Clock {
    start: Instant,
    sleep: Pin<Box<Sleep>>,
    /// When the sleep ends, unless it has been used up.
    armed: Option<CallTime>,
}

impl Clock {
    /// A clock that starts now.
    pub(super) fn start() -> Self {
        let start = Instant::now();
        Self { start, sleep: Box::pin(sleep_until(start)), armed: None }
    }

    /// Whole milliseconds since the start.
    pub(super) fn now(&self) -> CallTime {
        CallTime::from_millis(self.start.elapsed().as_millis() as u64)
    }

    /// Ready when it is time to look at the clock again, at the latest at `deadline`. Without a
    /// deadline it is never ready.
    ///
    /// A deadline that moves away leaves the sleep where it is: looking once too often costs less
    /// than moving the sleep with every frame that puts a deadline off.
    pub(super) fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Option<CallTime>,
    ) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.sleep.as_mut().reset(self.start + Duration::from_millis(deadline.as_millis()));
            self.armed = Some(deadline);
        }
        self.sleep.as_mut().poll(cx).map(|()| self.armed = None)
    }
}
