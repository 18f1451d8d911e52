//! How far a log has come, published to the database: what was cut off or written anew can be told
//! from there.

use std::time::Duration;

use tracing::warn;

use super::{Audit, Head};
use crate::store::Store;

/// Publishes the end of every day and, each minute in which something was written, how far the log has
/// come, for ever.
pub async fn publish(audit: &Audit, store: &Store) {
    let mut publisher = Publisher::default();
    loop {
        publisher.publish(audit, store).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Publishes how far the log has come, for a process that writes a few entries and ends.
pub async fn publish_once(audit: &Audit, store: &Store) {
    Publisher::default().publish(audit, store).await;
}

/// Remembers what was published.
#[derive(Debug, Default)]
struct Publisher {
    /// What the database did not take yet.
    waiting: Vec<Head>,
    last: Option<Head>,
}

impl Publisher {
    /// Publishes what is new.
    async fn publish(&mut self, audit: &Audit, store: &Store) {
        let Some(settled) = audit.settled().await else {
            return warn!("the audit log is not on the disk, so its end is not published");
        };
        self.waiting.extend(settled.day_ends);
        self.waiting.truncate(WAITING_MAX);
        if self.last.as_ref() != Some(&settled.head) {
            self.waiting.retain(|head| head.day != settled.head.day);
            self.waiting.push(settled.head);
        }
        while let Some(head) = self.waiting.first() {
            if let Err(error) = store.publish_head(head).await {
                return warn!(%error, "the end of the audit log cannot be published now");
            }
            self.last = Some(self.waiting.remove(0));
        }
    }
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(60);

/// Ends of days that may wait for the database.
const WAITING_MAX: usize = 400;
