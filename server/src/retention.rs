//! Deleting what is left of calls when its time is over.
//!
//! A company says for each class of data how many days it is kept, and no company may go below the floors
//! that the law sets ([`Retention`]). Once a day the server deletes what is older, the oldest first,
//! unless it is held. It never runs where audio does: it is a task of its own, takes a few calls at a
//! time, and pauses after each. A lease keeps two servers from doing it for one company at once.
//!
//! The tables refuse by themselves what is younger than its floor and what is held; a sweep that is
//! wrong about the time, or meets a hold that was just placed, deletes nothing.
//!
//! Each transaction that deletes leaves a note for the audit log. The files of that log go in
//! [`cuts`].

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use call_core::company::{Company, Retention};
use tokio::time::sleep;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{SERVER, cuts};
use crate::company::registry::{Fault, Registry};
use crate::metrics::Metrics;
use crate::store::{Class, Counted, Due, Error, Store};
use crate::times::{now_us, whole_us};

pub use media::delete_media;

mod media;

/// How many days each class is kept after the end of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Days {
    retention: Retention,
}

/// What a sweep of one company came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// All that was due is gone: of how many calls, in the order of [`Class::ALL`].
    Done([u64; Class::ALL.len()]),
    /// Somebody else is at it, or it was done not long ago.
    NotOurs,
    /// Somebody else went on with it, because we were too slow.
    Lost,
}

/// Who sweeps, and what the time is.
#[derive(Debug, Clone)]
pub struct Sweeper {
    holder: String,
    /// For the record.
    by: String,
    /// So long is a company left alone that was swept.
    again: Duration,
}

impl Days {
    /// Those of a company.
    pub fn of(company: &Company) -> Self {
        Self { retention: company.retention }
    }

    /// How long a class is kept. The record tells how old the rest is, so it outlives all of it.
    pub fn kept(&self, class: Class) -> u32 {
        let Retention { call, journal, recording, caller, .. } = self.retention;
        match class {
            Class::Recording => recording,
            Class::Caller => caller,
            Class::Journal => journal,
            Class::Call => call.max(journal).max(recording).max(caller),
        }
    }

    /// What is due of a company at a time.
    fn due<'a>(&self, company: &'a str, by: &'a str, class: Class, now_us: i64) -> Due<'a> {
        let kept_us = i64::from(self.kept(class)) * DAY_US + whole_us(SKEW);
        Due { company, class, until_us: now_us.saturating_sub(kept_us), by }
    }
}

impl Sweeper {
    /// One that leaves a company alone for `again` after it was swept.
    pub fn new(again: Duration) -> Self {
        let by = BY_ITSELF.to_owned();
        Self { holder: Uuid::new_v4().simple().to_string(), by, again }
    }

    /// The same, at somebody's command.
    #[must_use]
    pub fn by(self, by: &str) -> Self {
        Self { by: by.to_owned(), ..self }
    }

    /// Deletes what is due of a company, unless somebody else is at it.
    ///
    /// # Errors
    /// Where the database fails. What was deleted until then stays deleted and noted.
    pub async fn sweep(&self, store: &Store, company: &str, days: Days) -> Result<Swept, Error> {
        let begin_us = now_us();
        if !self.lease(store, company, begin_us).await? {
            return Ok(Swept::NotOurs);
        }
        let swept = self.delete(store, company, days, begin_us).await;
        let done_us = matches!(swept, Ok(Swept::Done(_))).then_some(begin_us);
        store.leave_sweep(company, &self.holder, done_us).await?;
        swept
    }

    async fn delete(
        &self,
        store: &Store,
        company: &str,
        days: Days,
        begin_us: i64,
    ) -> Result<Swept, Error> {
        let mut counts = [0; Class::ALL.len()];
        for (class, count) in Class::ALL.into_iter().zip(&mut counts) {
            let due = days.due(company, &self.by, class, begin_us);
            if class == Class::Recording {
                *count += self.delete_lost(store, &due).await?;
            }
            let (mut from_us, mut refused) = (0, 0);
            loop {
                let deleted = match store.delete_due(&due, from_us, now_us()).await {
                    Ok(deleted) => deleted,
                    // Held in the same moment, most likely: the next look leaves it out.
                    Err(error) if refused < REFUSED_MAX => {
                        warn!(company, %error, "a few calls were not deleted just now");
                        refused += 1;
                        sleep(PAUSE).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                *count += deleted.how_many;
                let Some(next_us) = deleted.next_us else { break };
                from_us = next_us;
                sleep(PAUSE).await;
                if !self.lease(store, company, begin_us).await? {
                    return Ok(Swept::Lost);
                }
            }
        }
        Ok(Swept::Done(counts))
    }

    /// Recordings whose calls have no record, and so no end that their age could count from.
    async fn delete_lost(&self, store: &Store, due: &Due<'_>) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            match store.delete_lost_recordings(due, now_us()).await? {
                0 => return Ok(gone),
                more => gone += more,
            }
            sleep(PAUSE).await;
        }
    }

    async fn lease(&self, store: &Store, company: &str, begin_us: i64) -> Result<bool, Error> {
        let now_us = now_us();
        let until_us = now_us.saturating_add(whole_us(LEASE));
        let before_us = begin_us.saturating_sub(whole_us(self.again));
        store.lease_sweep(company, &self.holder, (now_us, until_us), before_us).await
    }
}

/// How much is due of a company, and how much of that is held, in the order of [`Class::ALL`].
///
/// # Errors
/// Where the database fails.
pub async fn count(
    store: &Store,
    company: &str,
    days: Days,
) -> Result<[Counted; Class::ALL.len()], Error> {
    let mut counts = [Counted { due: 0, held: 0 }; Class::ALL.len()];
    for (class, count) in Class::ALL.into_iter().zip(&mut counts) {
        *count = store.count_due(&days.due(company, BY_ITSELF, class, now_us())).await?;
    }
    Ok(counts)
}

/// The days of a company, as long as they are known for certain: a company that is not served, or in an
/// earlier version than its active one, may have said longer ones.
pub fn days_of(companies: &Registry, company: &str) -> Option<Days> {
    let is_in_doubt = |(id, fault): &(String, Fault)| id == company && *fault == Fault::Unreadable;
    if companies.faults().iter().any(is_in_doubt) {
        return None;
    }
    companies.company(company).map(|tenant| Days::of(tenant.company()))
}

/// A company of which something is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// The company's short name.
    pub company: String,
    /// How long; nothing where that is not known, and nothing may be deleted.
    pub days: Option<Days>,
}

/// The companies of which something is kept, by their short names. Recordings may be of one that was never
/// known here, because the carrier only repeats the name that it was given; then the defaults count.
///
/// # Errors
/// Where the database fails.
pub async fn keepers(store: &Store, companies: &Registry) -> Result<Vec<Keeper>, Error> {
    let with_calls: BTreeSet<String> = store.companies_with_calls().await?.into_iter().collect();
    let until_us = Days::default().due(SERVER, BY_ITSELF, Class::Recording, now_us()).until_us;
    let mut all = with_calls.clone();
    all.extend(store.companies_with_lost_recordings(until_us).await?);
    let mut keepers = Vec::new();
    for company in all {
        let mut days = days_of(companies, &company);
        if days.is_none()
            && !with_calls.contains(&company)
            && store.versions(Some(&company)).await?.is_empty()
        {
            days = Some(Days::default());
        }
        keepers.push(Keeper { company, days });
    }
    Ok(keepers)
}

/// Sweeps all companies, and the audit log, once a day as long as the server lives.
pub(crate) async fn follow(app: &App) {
    let sweeper = Sweeper::new(AGAIN);
    let mut log_swept: Option<Instant> = None;
    loop {
        // Not at once: a server that starts has better things to do.
        sleep(LOOK).await;
        look(app, &sweeper).await;
        if log_swept.is_none_or(|at| at.elapsed() >= AGAIN) {
            shorten_log(app).await;
            log_swept = Some(Instant::now());
        }
    }
}

async fn look(app: &App, sweeper: &Sweeper) {
    let (store, metrics) = (app.store(), app.metrics());
    match keepers(store, app.companies()).await {
        Ok(keepers) => {
            for Keeper { company, days } in keepers {
                let Some(days) = days else {
                    warn!(company, "nothing is deleted: how long it is kept is not known");
                    continue;
                };
                sweep_one(store, metrics, sweeper, &company, days).await;
            }
        }
        Err(error) => failed(metrics, &error),
    }
    match delete_media(store, &app.services().carrier, BY_ITSELF).await {
        Ok(0) => {}
        Ok(gone) => info!(gone, "sound was deleted at the carrier"),
        Err(error) => failed(metrics, &error),
    }
}

/// Removes what is over of the audit log. It is done by servers alone, because each has a log of its own.
async fn shorten_log(app: &App) {
    let kept = |company: &str| days_of(app.companies(), company).map(|days| days.retention.audit);
    let root = &app.config().audit;
    match cuts::remove_old(app.audit(), root, app.store(), &kept, now_us()).await {
        Ok(0) => {}
        Ok(files) => {
            app.metrics().deleted(SERVER, "audit", files);
            info!(files, "days of the audit log were removed: their time was over");
        }
        Err(error) => {
            app.metrics().sweep_failed();
            error!(%error, "what is over of the audit log cannot be removed now");
        }
    }
}

async fn sweep_one(store: &Store, metrics: &Metrics, sweeper: &Sweeper, company: &str, days: Days) {
    match sweeper.sweep(store, company, days).await {
        Ok(Swept::Done(counts)) => {
            let [recordings, callers, journals, calls] = counts;
            for (class, count) in Class::ALL.into_iter().zip(counts) {
                metrics.deleted(company, class.word(), count);
            }
            if counts.iter().any(|count| *count > 0) {
                info!(company, calls, journals, recordings, callers, "deleted: its time was over");
            }
        }
        Ok(Swept::NotOurs | Swept::Lost) => {}
        Err(error) => failed(metrics, &error),
    }
}

fn failed(metrics: &Metrics, error: &Error) {
    metrics.sweep_failed();
    error!(%error, "what is due cannot be deleted now");
}

const DAY_US: i64 = 86_400 * 1_000_000;

/// Who deletes where nobody commands it.
const BY_ITSELF: &str = "server";

/// So much longer is everything kept. The tables go by the database's clock, and refuse a transaction as
/// a whole that asks too early: one call would keep the others.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// How often it is looked for companies whose turn it is.
const LOOK: Duration = Duration::from_secs(15 * 60);

/// How long a company is left alone that was swept.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a few calls may take, after which others may go on.
const LEASE: Duration = Duration::from_secs(120);

/// After each transaction, so that those who write records come between.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a transaction may fail in one class before that is for good.
const REFUSED_MAX: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_outlives_all_that_it_dates() {
        let retention = Retention { call: 1_096, journal: 3_000, ..Retention::default() };
        let days = Days { retention };
        assert_eq!(days.kept(Class::Journal), 3_000);
        assert_eq!(days.kept(Class::Call), 3_000);
        let due = days.due("acme", BY_ITSELF, Class::Call, 3_001 * DAY_US);
        assert_eq!(due.until_us, DAY_US - whole_us(SKEW));
    }
}
