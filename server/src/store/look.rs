//! Which calls there are, and the record of one.

use std::fmt;
use std::str::FromStr;

use call_core::Language;
use call_core::brief::Direction;
use call_core::summary::{self, Outcome};
use sqlx::{AssertSqlSafe, FromRow};

use super::database::{Scope, Value};
use super::{Error, Store};
use crate::sealed::BlindIndex;

/// Which calls are asked for: those to which everything applies that is said here.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Calls with the company of this short name. Nobody else's rows are read then.
    pub company: Option<String>,
    /// Calls that began at this time or later, in microseconds since 1970-01-01 UTC.
    pub since_us: Option<i64>,
    /// Calls that began before this time.
    pub until_us: Option<i64>,
    /// Calls that are going on, or over.
    pub status: Option<Status>,
    /// Calls that ended for this reason: `caller_hangup`.
    pub reason: Option<String>,
    /// Calls of which this is the most that came.
    pub outcome: Option<Outcome>,
    /// Calls in which these words were said or heard, whatever their case and accents. Read through in
    /// the text of every call that is otherwise meant, so [`since_us`](Self::since_us) must say how far
    /// back that is.
    pub said: Option<String>,
    /// Calls whose caller's number stands under one of these. Empty: whoever called.
    pub from: Vec<BlindIndex>,
    /// Calls that come after this one, in the order of pages.
    pub after: Option<Cursor>,
    /// How many calls a page holds, from 1 to [`PAGE_MAX`]; what is beyond counts as the nearest.
    pub count: u32,
}

/// The most calls of a page.
pub const PAGE_MAX: u32 = 500;

/// Whether a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has no end yet.
    Live,
    /// It is over.
    Ended,
}

impl Status {
    /// The word in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }
}

/// Some of the calls that were asked for, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The calls.
    pub calls: Vec<CallRecord>,
    /// Where the next page begins; nothing when this is the last one.
    pub next: Option<Cursor>,
}

/// A place in the order of pages: behind one call. Prints and parses as one word, `1772463600000000-CA…`.
/// Calls that begin meanwhile do not move it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    started_us: i64,
    sid: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.started_us, self.sid)
    }
}

/// A text that is no [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place in a list of calls; take the one that a page ends with")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (started, sid) = text.split_once('-').ok_or(NoCursor)?;
        let started_us = started.parse().map_err(|_| NoCursor)?;
        Ok(Self { started_us, sid: sid.to_owned() })
    }
}

impl Store {
    /// A page of the calls that a filter lets through, the newest first.
    ///
    /// # Errors
    /// [`Error::Unbounded`], [`Error::Query`] or [`Error::Garbled`].
    pub async fn calls(&self, filter: &Filter) -> Result<Page, Error> {
        if filter.said.is_some() && filter.since_us.is_none() {
            return Err(Error::Unbounded);
        }
        let count = filter.count.clamp(1, PAGE_MAX);
        let said = filter.said.as_deref().map(pattern);
        let mut query = Where::default();
        if let Some(company) = &filter.company {
            query.and("company = ", company.into());
        }
        if let Some(since) = filter.since_us {
            query.and("started_us >= ", since.into());
        }
        if let Some(until) = filter.until_us {
            query.and("started_us < ", until.into());
        }
        if let Some(status) = filter.status {
            query.and("status = ", status.word().into());
        }
        if let Some(reason) = &filter.reason {
            query.and("end_reason = ", reason.into());
        }
        if let Some(outcome) = filter.outcome {
            query.and(OUTCOME, outcome.word().into());
            query.text.push(')');
        }
        if let Some(said) = &said {
            query.and(SAID, said.into());
            query.text.push_str(" ESCAPE '\\')");
        }
        if let Some((first, others)) = filter.from.split_first() {
            query.and(FROM, first.as_str().into());
            for other in others {
                query.value(", ", other.as_str().into());
            }
            query.text.push_str("))");
        }
        if let Some(Cursor { started_us, sid }) = &filter.after {
            query.and("(started_us, sid) < (", (*started_us).into());
            query.value(", ", sid.into());
            query.text.push(')');
        }
        let mut statement = format!("SELECT {COLUMNS} FROM call{}", query.text);
        // One more than is shown, to know whether there is a next page.
        statement.push_str(&format!(" ORDER BY started_us DESC, sid DESC LIMIT {}", count + 1));
        let scope = filter.company.as_deref().map_or(Scope::Every, Scope::Company);
        // Values are bound; what is put together here are words of this file.
        let rows: Vec<CallRow> =
            self.database.read(scope, AssertSqlSafe(statement), &query.values).await?;
        let mut calls = rows.into_iter().map(CallRow::record).collect::<Result<Vec<_>, _>>()?;
        let is_more = calls.len() > count as usize;
        calls.truncate(count as usize);
        let next = calls.last().filter(|_| is_more).map(CallRecord::cursor);
        Ok(Page { calls, next })
    }

    /// The record of a call.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn call(&self, sid: &str) -> Result<Option<CallRecord>, Error> {
        self.call_of(Scope::Every, sid).await
    }

    /// The record of a call within a scope.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn call_of(&self, scope: Scope<'_>, sid: &str) -> Result<Option<CallRecord>, Error> {
        let statement =
            format!("SELECT {COLUMNS} FROM call WHERE sid = $1 AND $2 IN (company, '*')");
        let values = [sid.into(), scope.word().into()];
        let rows: Vec<CallRow> =
            self.database.read(scope, AssertSqlSafe(statement), &values).await?;
        rows.into_iter().next().map(CallRow::record).transpose()
    }

    /// The calls without an end, the oldest first: those that are going on, and those that a
    /// process took with it when it died.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn unended(&self) -> Result<Vec<CallRecord>, Error> {
        let statement =
            format!("SELECT {COLUMNS} FROM call WHERE status = 'live' ORDER BY started_us");
        let rows: Vec<CallRow> =
            self.database.read(Scope::Every, AssertSqlSafe(statement), &[]).await?;
        rows.into_iter().map(CallRow::record).collect()
    }
}

/// The conditions of a filter, and their values.
#[derive(Default)]
struct Where<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

impl<'a> Where<'a> {
    fn and(&mut self, condition: &'static str, value: Value<'a>) {
        self.text.push_str(if self.values.is_empty() { " WHERE " } else { " AND " });
        self.value(condition, value);
    }

    fn value(&mut self, before: &'static str, value: Value<'a>) {
        self.values.push(value);
        self.text.push_str(&format!("{before}${}", self.values.len()));
    }
}

const OUTCOME: &str = "EXISTS (SELECT 1 FROM summary WHERE summary.call_sid = call.sid \
    AND summary.outcome = ";

const SAID: &str = "EXISTS (SELECT 1 FROM summary WHERE summary.call_sid = call.sid \
    AND summary.said LIKE ";

const FROM: &str = "sid IN (SELECT call_sid FROM caller WHERE number_index IN (";

/// What LIKE is given to find words anywhere in a text. No sign of the words means anything else.
fn pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for letter in summary::fold(words.trim()).chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The record of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The carrier's name of the call.
    pub sid: String,
    /// The company's short name.
    pub company: String,
    /// Version of the company's configuration.
    pub config_version: u32,
    /// Hash of the prompt in use.
    pub prompt_hash: String,
    /// The language the call began in.
    pub language: Language,
    /// Who placed the call.
    pub direction: Direction,
    /// The other party's number, masked.
    pub from_masked: String,
    /// The number that was dialled, masked.
    pub to_masked: String,
    /// When the call was answered, in microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    /// Version of the shapes that its journal is written in.
    pub journal_version: u32,
    /// Under which epoch its record stands: 1, and one more for each process that took it over.
    pub epoch: i64,
    /// How it ended; nothing while it lasts.
    pub ended: Option<Ended>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
    /// How long the call was, in milliseconds.
    pub duration_ms: i64,
    /// Why, in a word: `caller_hangup`.
    pub reason: String,
}

/// The columns of a [`CallRow`], by name: the next version may add others while this one runs, and what
/// was prepared for all columns would fail then (F-PR-12).
pub(super) const COLUMNS: &str = "call.sid, call.company, call.config_version, call.prompt_hash, \
    call.language, call.direction, call.from_masked, call.to_masked, call.started_us, \
    call.journal_version, call.epoch, call.ended_us, call.duration_ms, call.end_reason";

/// A row of `call`, as it is in the table.
#[derive(FromRow)]
pub(super) struct CallRow {
    sid: String,
    company: String,
    config_version: i64,
    prompt_hash: String,
    language: String,
    direction: String,
    from_masked: String,
    to_masked: String,
    started_us: i64,
    journal_version: i64,
    epoch: i64,
    ended_us: Option<i64>,
    duration_ms: Option<i64>,
    end_reason: Option<String>,
}

impl CallRow {
    pub(super) fn record(self) -> Result<CallRecord, Error> {
        let unknown = |what| Error::Garbled { what, source: None };
        let ended = self.ended_us.zip(self.duration_ms).zip(self.end_reason);
        Ok(CallRecord {
            sid: self.sid,
            company: self.company,
            config_version: u32::try_from(self.config_version)
                .map_err(|_| unknown("configuration's version"))?,
            prompt_hash: self.prompt_hash,
            language: Language::from_tag(&self.language).ok_or_else(|| unknown("language"))?,
            direction: match &*self.direction {
                "inbound" => Direction::Inbound,
                "outbound" => Direction::Outbound,
                _ => return Err(unknown("direction")),
            },
            from_masked: self.from_masked,
            to_masked: self.to_masked,
            started_us: self.started_us,
            journal_version: u32::try_from(self.journal_version)
                .map_err(|_| unknown("journal's version"))?,
            epoch: self.epoch,
            ended: ended.map(|((at_us, duration_ms), reason)| Ended { at_us, duration_ms, reason }),
        })
    }
}

impl CallRecord {
    /// The place behind this call in the order of pages.
    pub fn cursor(&self) -> Cursor {
        Cursor { started_us: self.started_us, sid: self.sid.clone() }
    }
}
