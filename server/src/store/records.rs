//! How the record of a call begins and ends.

use call_core::CallTime;
use call_core::brief::{Brief, Direction};
use call_core::step::{Cause, Fact, JOURNAL_VERSION, Step};

use super::database::{Scope, Transaction};
use super::{Error, Store, journal, whole};

/// The reason in the record of a call that we lost by a fault of our own.
pub const INTERNAL: &str = "internal";

/// The reason in the record of a call that nobody here saw the end of, and that is over by the
/// carrier's word.
pub const ORPHANED: &str = "orphaned";

/// The same, where the carrier does not know the call or does not answer.
pub const UNCONFIRMED: &str = "unconfirmed";

/// Whether a record was closed just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It was, and the journal was kept.
    Now,
    /// It had been closed before, and stays as it was.
    Before,
}

impl Store {
    /// Opens the record of a call. A call that has one keeps it as it is.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn begin_call(&self, brief: &Brief) -> Result<(), Error> {
        self.writes.opened.outcome(self.open_record(brief).await)
    }

    async fn open_record(&self, brief: &Brief) -> Result<(), Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the record of a call and keeps its journal, both or neither. The first step must be
    /// the one that the call began with; a record that is missing is made from it. A record that was
    /// closed before stays as it is, and gets the journal if it has none.
    ///
    /// # Errors
    /// [`Error::Headless`], [`Error::Garbled`] or [`Error::Query`].
    pub async fn end_call(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_record(sid, steps).await)
    }

    async fn close_record(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        let brief = match steps.first().map(|step| &step.cause) {
            Some(Cause::Started(brief)) if brief.call == sid => brief,
            _ => return Err(Error::Headless),
        };
        self.close_with(brief, end_of(steps), steps).await
    }

    /// Closes the record of a call that we lost by a fault of our own, `at` into the call, with as
    /// much of its journal as there is.
    ///
    /// # Errors
    /// [`Error::Garbled`] or [`Error::Query`].
    pub async fn fail_call(
        &self,
        brief: &Brief,
        at: CallTime,
        steps: &[Step],
    ) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_with(brief, (at, INTERNAL), steps).await)
    }

    async fn close_with(
        &self,
        brief: &Brief,
        (at, reason): (CallTime, &str),
        steps: &[Step],
    ) -> Result<Closing, Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief).await?;
        let closing = close(&mut transaction, &brief.call, at, reason).await?;
        if closing == Closing::Now || !journal::is_kept(&mut transaction, &brief.call).await? {
            journal::keep(&mut transaction, brief, steps).await?;
        }
        transaction.commit().await?;
        Ok(closing)
    }

    /// Closes the record of a call that nobody has any more, after so long in whole seconds by the
    /// carrier's word; without that word its length stands as 0. There is no journal then.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn close_orphan(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_nobodys(sid, seconds).await)
    }

    async fn close_nobodys(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        let at = CallTime::from_millis(seconds.unwrap_or(0).saturating_mul(MILLIS_PER_SECOND));
        let reason = orphan_reason(seconds);
        let mut transaction = self.database.begin(Scope::Every).await?;
        let closing = close(&mut transaction, sid, at, reason).await?;
        transaction.commit().await?;
        Ok(closing)
    }
}

/// Why the record of a call ends that nobody has any more, by whether the carrier knows its length.
pub(crate) const fn orphan_reason(seconds: Option<u64>) -> &'static str {
    if seconds.is_some() { ORPHANED } else { UNCONFIRMED }
}

/// When a call ended and why, as its steps tell it.
fn end_of(steps: &[Step]) -> (CallTime, &'static str) {
    let end = |step: &Step| {
        let reason = step.facts.iter().find_map(|fact| match fact {
            Fact::CallEnded { reason } => Some(reason.word()),
            _ => None,
        });
        reason.map(|reason| (step.at, reason))
    };
    let last = steps.last().map_or(CallTime::ZERO, |step| step.at);
    steps.iter().rev().find_map(end).unwrap_or((last, INTERNAL))
}

pub(super) async fn insert_call(transaction: &mut Transaction, brief: &Brief) -> Result<(), Error> {
    let statement = "INSERT INTO call (sid, company, config_version, prompt_hash, language, \
        direction, from_masked, to_masked, started_us, journal_version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (sid) DO NOTHING";
    let values = [
        (&brief.call).into(),
        (&brief.company).into(),
        brief.config_version.into(),
        (&brief.prompt_hash).into(),
        brief.language.tag().into(),
        direction_word(brief.direction).into(),
        (&brief.from).into(),
        (&brief.to).into(),
        whole(brief.utc_start_ms.saturating_mul(MICROS_PER_MILLI)).into(),
        JOURNAL_VERSION.into(),
    ];
    transaction.run(statement, &values).await?;
    Ok(())
}

async fn close(
    transaction: &mut Transaction,
    sid: &str,
    at: CallTime,
    reason: &str,
) -> Result<Closing, Error> {
    let statement = "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, \
        duration_ms = $2, end_reason = $3 WHERE sid = $1 AND status = 'live'";
    let values = [sid.into(), whole(at.as_millis()).into(), reason.into()];
    let closed = transaction.run(statement, &values).await?;
    Ok(if closed == 1 { Closing::Now } else { Closing::Before })
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

const MICROS_PER_MILLI: u64 = 1_000;

const MILLIS_PER_SECOND: u64 = 1_000;
