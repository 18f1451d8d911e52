//! What passes between the log and the database. How far the log has come goes there: what was cut off or
//! written anew can be told from that. What was done elsewhere, by a command or in a transaction, comes
//! from there, as notes that wait for a log.

use std::time::{Duration, Instant};

use tracing::warn;

use super::{Audit, Head};
use crate::store::{Error, Store};
use crate::times::now_us;

/// Publishes the end of every day and, each minute in which something was written, how far the log has
/// come; and writes down what was done elsewhere, for ever.
pub async fn publish(audit: &Audit, store: &Store) {
    let mut publisher = Publisher::default();
    loop {
        publisher.tell_notes(audit, store).await;
        let is_due = publisher.published_at.is_none_or(|at| at.elapsed() >= PAUSE);
        if is_due {
            publisher.publish(audit, store).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Remembers what was published.
#[derive(Debug, Default)]
pub struct Publisher {
    /// What the database did not take yet.
    waiting: Vec<Head>,
    last: Option<Head>,
    published_at: Option<Instant>,
    /// The database did not say what was done elsewhere. It is told once.
    is_untold: bool,
}

impl Publisher {
    /// Publishes what is new. Whether all of it is published: then what stood in the log before cannot be
    /// cut off unnoticed.
    pub async fn publish(&mut self, audit: &Audit, store: &Store) -> bool {
        self.published_at = Some(Instant::now());
        let Some(settled) = audit.settled().await else {
            warn!("the audit log is not on the disk, so its end is not published");
            return false;
        };
        let known = self.waiting.last().or(self.last.as_ref()).map_or(0, |head| head.seq);
        self.waiting.extend(settled.day_ends.into_iter().filter(|head| head.seq > known));
        self.waiting.truncate(WAITING_MAX);
        if self.last.as_ref() != Some(&settled.head) {
            self.waiting.retain(|head| head.day != settled.head.day);
            self.waiting.push(settled.head);
        }
        while let Some(head) = self.waiting.first() {
            if let Err(error) = store.publish_head(head).await {
                warn!(%error, "the end of the audit log cannot be published now");
                return false;
            }
            self.last = Some(self.waiting.remove(0));
        }
        true
    }

    /// Writes into the log what was done elsewhere. A note goes once its entry is on the disk and
    /// published; a server that dies before that leaves it to the next one, who writes it once more.
    pub async fn tell_notes(&mut self, audit: &Audit, store: &Store) {
        let told = loop {
            match self.tell_some(audit, store).await {
                Ok(NOTES_AT_ONCE) => {}
                told => break told,
            }
        };
        let was_untold = std::mem::replace(&mut self.is_untold, told.is_err());
        if let Err(error) = told
            && !was_untold
        {
            warn!(%error, "the database does not say what is to be put on record");
        }
    }

    /// How many were told; none where they could not be.
    async fn tell_some(&mut self, audit: &Audit, store: &Store) -> Result<usize, Error> {
        // What waits for the disk is not to wait there several times over.
        if !audit.is_well() {
            return Ok(0);
        }
        let notes = store.take_notes(NOTES_AT_ONCE, now_us(), LEASE).await?;
        if notes.is_empty() {
            return Ok(0);
        }
        let lost = audit.lost();
        for note in &notes {
            audit.append(note.entry.clone());
        }
        if !self.publish(audit, store).await || audit.lost() != lost {
            return Ok(0);
        }
        store.notes_told(&notes).await?;
        Ok(notes.len())
    }
}

/// Between two looks for what was done elsewhere.
const LOOK: Duration = Duration::from_secs(5);

/// Between two publications.
const PAUSE: Duration = Duration::from_secs(60);

/// Ends of days that may wait for the database.
const WAITING_MAX: usize = 400;

/// How many notes are written before they are published.
const NOTES_AT_ONCE: usize = 100;

/// After this, another server may write what one has taken.
const LEASE: Duration = Duration::from_secs(60);
