//! Does what must still be done about calls that are over: sums up what was said, by a provider.
//!
//! It is a task of its own, does a few things at a time, and no call waits for it. What fails is tried
//! again after pauses that grow, for more than a day, and then given up. What a server that ends had begun
//! is another's at once; what one that was killed had begun is another's when its lease runs out.

use std::time::Duration;

use call_core::Language;
use call_core::redact::mask_text;
use call_core::summary::{conversation, summary};
use call_transports::net::{self, Reader, Standing, chance};
use futures::future::join_all;
use tokio::time::sleep;
use tracing::{debug, error, info, warn};

use crate::app::App;
use crate::metrics::Metrics;
use crate::store::{End, Error, Scope, Store, SummaryText, Work};
use crate::times::{now_us, whole_us};

/// Does what is due as long as the server lives.
pub(crate) async fn follow(app: &App) {
    let worker =
        Worker { store: app.store(), reader: &app.services().reader, metrics: app.metrics() };
    let mut is_well = true;
    loop {
        let worked = worker.round(now_us()).await;
        if let Err(error) = &worked
            && is_well
        {
            error!(%error, "the store does not say what is to be done about calls that are over");
        }
        is_well = worked.is_ok();
        // While its provider is not asked, nothing can be done about what else is due.
        let is_down = worker.reader.breaker().report().standing == Standing::Open;
        if worked.is_ok_and(|how_much| how_much == AT_ONCE) && !is_down {
            continue;
        }
        sleep(with_chance(LOOK)).await;
    }
}

/// Gives back what the server had begun when it was asked to end.
pub(crate) async fn leave(app: &App) {
    match app.store().give_back_work().await {
        Ok(0) => {}
        Ok(how_much) => info!(how_much, "work that was begun is left to others"),
        Err(error) => warn!(%error, "work that was begun waits until its lease runs out"),
    }
}

/// Whoever does what is due.
#[derive(Debug, Clone, Copy)]
pub struct Worker<'a> {
    /// Where it stands.
    pub store: &'a Store,
    /// Who sums up.
    pub reader: &'a Reader,
    /// What is counted.
    pub metrics: &'a Metrics,
}

/// How a try came out.
enum Outcome {
    Ended(End),
    /// It failed for a reason that may pass, and perhaps somebody said when.
    Again(Option<Duration>),
    /// Its provider is known to be down, and was not asked.
    NotTried,
}

impl Worker<'_> {
    /// Does some of what is due at a time, in microseconds since 1970-01-01 UTC. How much was begun.
    ///
    /// # Errors
    /// Where the store does not say what is due.
    pub async fn round(&self, now_us: i64) -> Result<usize, Error> {
        let work = self.store.take_work(AT_ONCE, now_us, LEASE).await?;
        join_all(work.iter().map(|work| self.do_one(work, now_us))).await;
        Ok(work.len())
    }

    async fn do_one(&self, work: &Work, now_us: i64) {
        let tried = if work.attempts > ATTEMPTS_MAX {
            // Whoever had it last died over it, and so did others.
            Outcome::Again(None)
        } else {
            self.sum_up(work).await
        };
        let (is_ours, outcome) = match tried {
            Outcome::Ended(end) => (self.store.end_summary(work, &end, now_us).await, word(&end)),
            Outcome::NotTried => {
                let until_us = now_us.saturating_add(whole_us(with_chance(PAUSES[0])));
                (self.store.hand_back(work, until_us).await, NOT_TRIED)
            }
            Outcome::Again(told) => match pause(work.attempts, told) {
                Some(pause) => {
                    let until_us = now_us.saturating_add(whole_us(pause));
                    (self.store.put_off(work, until_us).await, "again")
                }
                None => {
                    let end = End::Failed(GAVE_UP);
                    (self.store.end_summary(work, &end, now_us).await, word(&end))
                }
            },
        };
        let call = &work.key;
        match is_ours {
            Ok(true) => {
                self.metrics.outbox(outcome);
                debug!(call, outcome, "the summary of a call was tried");
                if outcome == GIVEN_UP {
                    error!(call, attempts = work.attempts, "the summary of a call is given up");
                }
            }
            Ok(false) => debug!(call, "a summary became another server's meanwhile"),
            // The lease runs out, and it is done again.
            Err(error) => warn!(call, %error, "what came of a summary cannot be kept"),
        }
    }

    async fn sum_up(&self, work: &Work) -> Outcome {
        let none = |why| Outcome::Ended(End::Done(SummaryText::without(why)));
        let scope = Scope::Company(&work.company);
        let steps = match self.store.journal_of(scope, &work.key).await {
            Ok(steps) => steps,
            Err(Error::Garbled { .. }) => return Outcome::Ended(End::Failed("journal")),
            Err(error) => {
                warn!(call = work.key, %error, "the journal of a call cannot be read now");
                return Outcome::Again(None);
            }
        };
        // The provider takes English only.
        if summary(&steps).languages.iter().any(|language| *language != Language::English) {
            return none("language");
        }
        let told = conversation(&steps);
        if told.is_empty() {
            return none("no_words");
        }
        match self.reader.summarize(&told).await {
            // What somebody else writes is masked like what anybody says.
            Ok(text) => {
                let text = mask_text(text.reveal().trim());
                Outcome::Ended(End::Done(SummaryText::Text(text)))
            }
            Err(net::Error::Down { .. }) => Outcome::NotTried,
            Err(error) => {
                warn!(call = work.key, attempts = work.attempts, %error, "a call is not summed up");
                after(&error)
            }
        }
    }
}

/// What a failure leads to: a text that is refused today is refused tomorrow.
fn after(error: &net::Error) -> Outcome {
    match error {
        net::Error::Refused { status: 400 | 413 | 422, .. } => {
            Outcome::Ended(End::Failed("refused"))
        }
        net::Error::Refused { retry_after, .. } => Outcome::Again(*retry_after),
        _ => Outcome::Again(None),
    }
}

/// How long to wait after so many attempts; nothing after the last. Whoever is asked may want more.
fn pause(attempts: i64, told: Option<Duration>) -> Option<Duration> {
    let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let pause = PAUSES.get(place)?.max(&told.unwrap_or_default()).min(&DAY).to_owned();
    Some(with_chance(pause))
}

/// Up to a quarter more, so that those who failed together do not come back together.
fn with_chance(pause: Duration) -> Duration {
    pause * chance(100..=125) / 100
}

const fn word(end: &End) -> &'static str {
    match end {
        End::Done(_) => "done",
        End::Failed(_) => GIVEN_UP,
    }
}

/// How many things are done at once.
const AT_ONCE: usize = 4;

/// How long one thing is this server's: longer than the provider and the store together may take.
pub const LEASE: Duration = Duration::from_secs(120);

/// How often is looked for what is due.
const LOOK: Duration = Duration::from_secs(5);

const HOUR: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// After each attempt but the last.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
    HOUR,
    Duration::from_secs(6 * 60 * 60),
    DAY,
];

const ATTEMPTS_MAX: i64 = PAUSES.len() as i64 + 1;

/// What is counted where work is given up.
const GIVEN_UP: &str = "failed";

/// What is counted where its provider was not asked.
const NOT_TRIED: &str = "not-tried";

/// Why work is given up after the last attempt.
const GAVE_UP: &str = "gave_up";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_day_and_then_there_is_none() {
        let mut least = Duration::ZERO;
        for attempts in 1..ATTEMPTS_MAX {
            let pause = pause(attempts, None).unwrap();
            assert!(pause > least && pause <= DAY + DAY / 4, "{attempts} {pause:?}");
            least = pause;
        }
        assert_eq!(pause(ATTEMPTS_MAX, None), None);
        assert_eq!(pause(ATTEMPTS_MAX + 1, Some(DAY)), None);
    }

    #[test]
    fn whoever_is_asked_may_want_more_time_and_no_more_than_a_day() {
        assert!(pause(1, Some(HOUR)).unwrap() >= HOUR);
        assert!(pause(1, Some(100 * DAY)).unwrap() <= DAY + DAY / 4);
    }
}
