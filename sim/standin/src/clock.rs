//! An actor's time, read off a real clock.

use call_core::{CallTime, Millis};
use tokio::time::Instant;

/// A clock that began when the actor did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> CallTime {
        let elapsed = self.start.elapsed().as_millis();
        CallTime::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// Waits until then; for ever if there is nothing to wait for.
    pub(crate) async fn sleep_until(self, at: Option<CallTime>) {
        match at {
            Some(at) => {
                let then = self.start + std::time::Duration::from_millis(at.as_millis());
                tokio::time::sleep_until(then).await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Lets so much time pass.
pub(crate) async fn pause(length: Millis) {
    tokio::time::sleep(std::time::Duration::from_millis(length.0)).await;
}
