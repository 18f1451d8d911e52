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
//! The audit log is not touched here: [`audit_days_over`] tells which of its days may go.

use std::time::Duration;

use call_core::company::{Company, Retention};
use call_transports::net::{MediaDeletion, TwilioRest};
use call_transports::twilio::Sid;
use jiff::{Span, civil};
use tokio::time::sleep;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::app::App;
use crate::company::registry::{Fault, Registry};
use crate::metrics::Metrics;
use crate::store::{Class, Counted, Due, Error, Store};
use crate::times::{now_us, whole_us};

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
    fn due<'a>(&self, company: &'a str, class: Class, now_us: i64) -> Due<'a> {
        let kept_us = i64::from(self.kept(class)) * DAY_US;
        Due { company, class, until_us: now_us.saturating_sub(kept_us) }
    }
}

impl Sweeper {
    /// One that leaves a company alone for `again` after it was swept.
    pub fn new(again: Duration) -> Self {
        Self { holder: Uuid::new_v4().simple().to_string(), again }
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
            let due = days.due(company, class, begin_us);
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
        *count = store.count_due(&days.due(company, class, now_us())).await?;
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

/// Deletes at the carrier what is listed for it, until there is nothing left or the carrier is in
/// trouble. Says how much is gone. The list is read anew before each request, so that a hold that was
/// placed meanwhile is seen.
///
/// # Errors
/// Where the database fails.
pub async fn delete_media(store: &Store, carrier: &TwilioRest) -> Result<u64, Error> {
    let (mut gone, mut passed, mut refused) = (0, 0, 0);
    loop {
        let Some(media) = store.media_due().await?.into_iter().nth(passed) else {
            return Ok(gone);
        };
        // What is no name of a recording cannot be asked for, and was never one.
        let deleted = match Sid::parse(&media.recording_sid) {
            Some(recording) => carrier.delete_recording(&recording).await,
            None => MediaDeletion::Gone,
        };
        match deleted {
            MediaDeletion::Gone => match store.media_gone(&media, now_us()).await {
                Ok(()) => gone += 1,
                // Held while we asked, most likely: it stays listed, and is found gone once released.
                Err(error) if refused < REFUSED_MAX => {
                    warn!(%error, "sound is gone at the carrier, and still listed");
                    refused += 1;
                }
                Err(error) => return Err(error),
            },
            // The next time it is asked for again.
            MediaDeletion::Refused => passed += 1,
            MediaDeletion::NotNow => return Ok(gone),
        }
        sleep(PAUSE).await;
    }
}

/// Which whole days of the audit log may go: all before the one that is returned, which is the first to
/// stay. Whoever deletes days deletes them from the oldest on and in one piece, and keeps the last hash
/// of the last one that went as the beginning of the chain: then what stays can still be verified.
/// Holds are on calls, and audit files hold many calls, so no day goes on which a held call of any
/// company had begun or later: `oldest_held` is that day.
pub fn audit_days_over(
    today: civil::Date,
    days: u32,
    oldest_held: Option<civil::Date>,
) -> civil::Date {
    let days = days.max(Retention::DAYS_MIN);
    let first = today.saturating_sub(Span::new().days(i64::from(days)));
    oldest_held.map_or(first, |held| held.min(first))
}

/// Sweeps all companies once a day as long as the server lives.
pub(crate) async fn follow(app: &App) {
    let sweeper = Sweeper::new(AGAIN);
    loop {
        // Not at once: a server that starts has better things to do.
        sleep(LOOK).await;
        look(app, &sweeper).await;
    }
}

async fn look(app: &App, sweeper: &Sweeper) {
    let (store, metrics) = (app.store(), app.metrics());
    match store.companies_with_calls().await {
        Ok(companies) => {
            for company in companies {
                let Some(days) = days_of(app.companies(), &company) else {
                    warn!(company, "nothing is deleted: how long it is kept is not known");
                    continue;
                };
                sweep_one(store, metrics, sweeper, &company, days).await;
            }
        }
        Err(error) => failed(metrics, &error),
    }
    match delete_media(store, &app.services().carrier).await {
        Ok(0) => {}
        Ok(gone) => info!(gone, "sound was deleted at the carrier"),
        Err(error) => failed(metrics, &error),
    }
}

async fn sweep_one(store: &Store, metrics: &Metrics, sweeper: &Sweeper, company: &str, days: Days) {
    match sweeper.sweep(store, company, days).await {
        Ok(Swept::Done(counts)) => {
            let [recordings, callers, journals, calls] = counts;
            for (class, count) in Class::ALL.into_iter().zip(counts) {
                metrics.deleted(company, class, count);
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
        let due = days.due("acme", Class::Call, 3_001 * DAY_US);
        assert_eq!(due.until_us, DAY_US);
    }

    #[test]
    fn no_day_of_the_audit_log_goes_before_its_floor_or_with_a_held_call() {
        let today = civil::date(2026, 11, 23);
        assert_eq!(audit_days_over(today, 1_096, None), civil::date(2023, 11, 23));
        assert_eq!(audit_days_over(today, 1, None), civil::date(2023, 11, 23));
        let held = Some(civil::date(2020, 2, 1));
        assert_eq!(audit_days_over(today, 1_096, held), civil::date(2020, 2, 1));
        let held = Some(civil::date(2025, 2, 1));
        assert_eq!(audit_days_over(today, 1_096, held), civil::date(2023, 11, 23));
    }
}
