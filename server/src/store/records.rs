//! How the record of a call begins and ends.

use call_core::CallTime;
use call_core::brief::{Brief, Direction};
use call_core::step::{Cause, Fact, JOURNAL_VERSION, Step};

use sqlx::FromRow;

use super::database::{Scope, Transaction};
use super::repeats::repeated;
use super::{Error, Store, journal, outbox, whole};

/// The reason in the record of a call that we lost by a fault of our own.
pub const INTERNAL: &str = "internal";

/// The reason in the record of a call that nobody here saw the end of, and that is over by the
/// carrier's word.
pub const ORPHANED: &str = "orphaned";

/// The same, where the carrier does not know the call or does not answer.
pub const UNCONFIRMED: &str = "unconfirmed";

/// What came of closing a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It ended as it was told: just now, or by the same words before.
    Now,
    /// It had ended otherwise before, and stays as it was.
    Before,
    /// Another process has the call now. Nothing was written.
    Elsewhere,
}

/// Who closes the record of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closer {
    /// The process that the call began in.
    Owner,
    /// The process that has what a dead one left of the call.
    Heir,
    /// A process that knows no more of the call than that nobody has it.
    Sweeper,
}

impl Closer {
    /// The epoch that is written under.
    const fn epoch(self) -> i64 {
        match self {
            Self::Owner => FIRST_EPOCH,
            Self::Heir | Self::Sweeper => FIRST_EPOCH + 1,
        }
    }

    /// Closes the row if it is this one's to close. The same statement takes the call over, so nobody
    /// can come between.
    const fn statement(self) -> &'static str {
        match self {
            Self::Owner => {
                "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, \
                duration_ms = $2, end_reason = $3 \
                WHERE sid = $1 AND status = 'live' AND epoch = 1 AND owner = $4"
            }
            Self::Heir => {
                "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, \
                duration_ms = $2, end_reason = $3, epoch = 2, owner = $4 \
                WHERE sid = $1 AND status = 'live' AND epoch = 1"
            }
            Self::Sweeper => {
                "UPDATE call SET status = 'ended', ended_us = started_us + $2 * 1000, \
                duration_ms = $2, end_reason = $3, epoch = epoch + 1, owner = $4 \
                WHERE sid = $1 AND status = 'live'"
            }
        }
    }
}

impl Store {
    /// Opens the record of a call, as this process's. A call that has one keeps it as it is.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn begin_call(&self, brief: &Brief) -> Result<(), Error> {
        self.writes.opened.outcome(repeated(|| self.open_record(brief)).await)
    }

    async fn open_record(&self, brief: &Brief) -> Result<(), Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief, self.instance()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the record of a call that began in this process, and keeps its journal, both or neither.
    /// The first step must be the one that the call began with; a record that is missing is made from
    /// it. A record that was closed before stays as it is, and gets the journal if it has none: a
    /// journal that comes late is no less true. Where another process has the call, nothing is written.
    ///
    /// # Errors
    /// [`Error::Headless`], [`Error::Garbled`] or [`Error::Query`].
    pub async fn end_call(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        let closed = self.close_record(Closer::Owner, sid, steps).await;
        self.writes.closed.outcome(closed)
    }

    /// Likewise, for a call that began in a process that is dead, and whose journal this one has. It
    /// takes the call over, unless somebody did before.
    ///
    /// # Errors
    /// [`Error::Headless`], [`Error::Garbled`] or [`Error::Query`].
    pub async fn end_left_call(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        self.writes.closed.outcome(self.close_record(Closer::Heir, sid, steps).await)
    }

    /// Keeps the journal of a call that began in a process that is dead, if the record of the call has its
    /// end: nothing is closed here, because the call may go on at the carrier. Until then nothing is kept
    /// but the record, so that it is asked for.
    ///
    /// # Errors
    /// [`Error::Headless`], [`Error::Garbled`] or [`Error::Query`].
    pub async fn keep_left_journal(&self, sid: &str, steps: &[Step]) -> Result<Closing, Error> {
        let brief = brief_of(sid, steps)?;
        self.writes.closed.outcome(repeated(|| self.keep_journal_of_ended(brief, steps)).await)
    }

    async fn keep_journal_of_ended(&self, brief: &Brief, steps: &[Step]) -> Result<Closing, Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief, self.instance()).await?;
        let statement = "SELECT status FROM call WHERE sid = $1";
        let rows: Vec<(String,)> = transaction.rows(statement, &[(&brief.call).into()]).await?;
        let closing = if rows.iter().any(|(status,)| status == "live") {
            Closing::Elsewhere
        } else {
            keep_journal(&mut transaction, brief, FIRST_EPOCH, steps).await?;
            Closing::Before
        };
        transaction.commit().await?;
        Ok(closing)
    }

    async fn close_record(
        &self,
        closer: Closer,
        sid: &str,
        steps: &[Step],
    ) -> Result<Closing, Error> {
        let brief = brief_of(sid, steps)?;
        let end = end_of(steps);
        repeated(|| self.close_with(closer, brief, end, steps)).await
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
        let end = End { at, reason: INTERNAL };
        let close = || self.close_with(Closer::Owner, brief, end, steps);
        self.writes.closed.outcome(repeated(close).await)
    }

    async fn close_with(
        &self,
        closer: Closer,
        brief: &Brief,
        end: End,
        steps: &[Step],
    ) -> Result<Closing, Error> {
        let mut transaction = self.begin(brief).await?;
        insert_call(&mut transaction, brief, self.instance()).await?;
        let closing = self.close_row(&mut transaction, closer, &brief.call, end).await?;
        let epoch = match closing {
            Closing::Now => closer.epoch(),
            // Of the process that had the call, whoever closed its record.
            Closing::Before => FIRST_EPOCH,
            Closing::Elsewhere => return Ok(Closing::Elsewhere),
        };
        keep_journal(&mut transaction, brief, epoch, steps).await?;
        transaction.commit().await?;
        Ok(closing)
    }

    /// Closes the record of a call that nobody has any more, after so long in whole seconds by the
    /// carrier's word; without that word its length stands as 0. There is no journal then.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn close_orphan(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        self.writes.closed.outcome(repeated(|| self.close_nobodys(sid, seconds)).await)
    }

    async fn close_nobodys(&self, sid: &str, seconds: Option<u64>) -> Result<Closing, Error> {
        let at = CallTime::from_millis(seconds.unwrap_or(0).saturating_mul(MILLIS_PER_SECOND));
        let end = End { at, reason: orphan_reason(seconds) };
        let mut transaction = self.database.begin(Scope::Every).await?;
        let closing = self.close_row(&mut transaction, Closer::Sweeper, sid, end).await?;
        transaction.commit().await?;
        Ok(closing)
    }

    async fn close_row(
        &self,
        transaction: &mut Transaction,
        closer: Closer,
        sid: &str,
        end: End,
    ) -> Result<Closing, Error> {
        let duration_ms = whole(end.at.as_millis());
        let values = [sid.into(), duration_ms.into(), end.reason.into(), self.instance().into()];
        if transaction.run(closer.statement(), &values).await? == 1 {
            return Ok(Closing::Now);
        }
        let statement = "SELECT status, duration_ms, end_reason, owner FROM call WHERE sid = $1";
        let rows: Vec<Standing> = transaction.rows(statement, &[sid.into()]).await?;
        Ok(match rows.as_slice() {
            [call] if call.status == "live" => Closing::Elsewhere,
            [call] if call.is_closed_by(self.instance(), duration_ms, end.reason) => Closing::Now,
            _ => Closing::Before,
        })
    }
}

/// Keeps the journal of an ended call where there is none yet.
async fn keep_journal(
    transaction: &mut Transaction,
    brief: &Brief,
    epoch: i64,
    steps: &[Step],
) -> Result<(), Error> {
    if !journal::is_kept(transaction, &brief.call).await? {
        journal::keep(transaction, brief, epoch, steps).await?;
        if !steps.is_empty() {
            outbox::queue_summary(transaction, brief).await?;
        }
    }
    Ok(())
}

/// What a call began with, if this is its journal.
fn brief_of<'a>(sid: &str, steps: &'a [Step]) -> Result<&'a Brief, Error> {
    match steps.first().map(|step| &step.cause) {
        Some(Cause::Started(brief)) if brief.call == sid => Ok(brief),
        _ => Err(Error::Headless),
    }
}

/// How a call ended: so long after it began, and why.
#[derive(Debug, Clone, Copy)]
struct End {
    at: CallTime,
    reason: &'static str,
}

/// How a record stands that could not be closed.
#[derive(FromRow)]
struct Standing {
    status: String,
    duration_ms: Option<i64>,
    end_reason: Option<String>,
    owner: Option<String>,
}

impl Standing {
    /// Whether it was closed by these words already, of which the answer may have been lost.
    fn is_closed_by(&self, instance: &str, duration_ms: i64, reason: &str) -> bool {
        self.owner.as_deref() == Some(instance)
            && self.duration_ms == Some(duration_ms)
            && self.end_reason.as_deref() == Some(reason)
    }
}

/// Why the record of a call ends that nobody has any more, by whether the carrier knows its length.
pub(crate) const fn orphan_reason(seconds: Option<u64>) -> &'static str {
    if seconds.is_some() { ORPHANED } else { UNCONFIRMED }
}

/// When a call ended and why, as its steps tell it.
fn end_of(steps: &[Step]) -> End {
    let end = |step: &Step| {
        let reason = step.facts.iter().find_map(|fact| match fact {
            Fact::CallEnded { reason } => Some(reason.word()),
            _ => None,
        });
        reason.map(|reason| End { at: step.at, reason })
    };
    let last = steps.last().map_or(CallTime::ZERO, |step| step.at);
    steps.iter().rev().find_map(end).unwrap_or(End { at: last, reason: INTERNAL })
}

pub(super) async fn insert_call(
    transaction: &mut Transaction,
    brief: &Brief,
    owner: &str,
) -> Result<(), Error> {
    let statement = "INSERT INTO call (sid, company, config_version, prompt_hash, language, \
        direction, from_masked, to_masked, started_us, journal_version, owner) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (sid) DO NOTHING";
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
        owner.into(),
    ];
    transaction.run(statement, &values).await?;
    Ok(())
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

const MICROS_PER_MILLI: u64 = 1_000;

const MILLIS_PER_SECOND: u64 = 1_000;

/// A call begins under this epoch, which the statements above name.
const FIRST_EPOCH: i64 = 1;
