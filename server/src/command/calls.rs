//! `server calls`: which calls there were, and what remains of one.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};
use call_core::story;
use call_core::summary::Outcome;
use call_transports::journal;
use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::json;

use self::recordings::Wanted;
use super::{Database, keys, print, time};
use crate::store::{CallRecord, Cursor, Filter, PAGE_MAX, Scope, Status, Store, StoredJournal};

pub(crate) mod record;
mod recordings;

/// Looks at the records of calls: which there were, what was said, what became of them
///
/// It reads the database and changes nothing in it, so it may be asked while servers run. What callers
/// dictated is masked in it, as everywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  server calls list --since 24h
  server calls list --company acme --reason agent_failed --since 2026-03-01
  server calls list --said 'payment plan' --since 7d --json
  server calls show CA5ef8732a3c49700934481addd5ce1659
  server calls story CA5ef8732a3c49700934481addd5ce1659
  server calls export CA5ef8732a3c49700934481addd5ce1659 --file call.jsonl
  sim replay call.jsonl
  server calls recordings CA5ef8732a3c49700934481addd5ce1659 --save heard

Exit status: 0 done, 1 there is no such call or the database does not answer, 2 asked wrongly.")]
pub struct Args {
    #[command(flatten)]
    database: Database,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Show(Show),
    Story(Story),
    Export(Export),
    Recordings(Wanted),
}

/// Lists calls, the newest first
///
/// Every condition that is given must hold. A page ends with the words that bring the next one.
#[derive(Debug, clap::Args)]
struct List {
    /// Only calls with this company, by its short name
    #[arg(long, value_name = "COMPANY")]
    company: Option<String>,

    /// Only calls that began then or later: a time (2026-03-01T15:00:00Z), a day in UTC (2026-03-01),
    /// or so long ago (90m, 24h, 7d) [default: no limit, with --said 30d]
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,

    /// Only calls that began before then
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,

    /// Only calls that go on, or that are over
    #[arg(long, value_name = "STATUS")]
    status: Option<GivenStatus>,

    /// Only calls that ended for this reason: caller_hangup, agent_failed, orphaned, …
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,

    /// Only calls of which this is the most that came: nothing, talked, disclosed, transferred, paid,
    /// payment_unknown
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,

    /// Only calls in which these words were said or heard, whatever their case and accents. It reads
    /// what was said in every call that is otherwise meant: the closer the times, the faster
    #[arg(long, value_name = "WORDS")]
    said: Option<String>,

    #[command(flatten)]
    from: keys::From,

    /// Goes on where a page ended
    #[arg(long, value_name = "PLACE")]
    after: Option<Cursor>,

    /// How many calls a page holds, 500 at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    count: u32,

    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Shows the record of a call: who, when, how it ended, and what there is of it
#[derive(Debug, clap::Args)]
struct Show {
    /// The carrier's name of the call
    #[arg(value_name = "SID")]
    call: String,

    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Tells the story of a call, as a reviewer reads it
///
/// It is made from the journal, by the same code as the simulator's: `sim replay` of the exported
/// journal tells the same. The README of the project says how to read it.
#[derive(Debug, clap::Args)]
struct Story {
    /// The carrier's name of the call
    #[arg(value_name = "SID")]
    call: String,
}

/// Writes the journal of a call, for `sim replay` and for programs
///
/// It is JSON Lines: first the version, then each step of the call as it was written, byte by byte.
#[derive(Debug, clap::Args)]
struct Export {
    /// The carrier's name of the call
    #[arg(value_name = "SID")]
    call: String,

    /// Writes into this file, which must not exist yet, and not to the standard output
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GivenStatus {
    Live,
    Ended,
}

/// A time as people give it, in microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy)]
struct When(i64);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = if let Ok(at) = text.parse::<Timestamp>() {
            Some(at)
        } else if let Ok(day) = text.parse::<Date>() {
            day.to_zoned(TimeZone::UTC).ok().map(|begin| begin.timestamp())
        } else {
            ago(text)
        };
        let wrong = "is neither a time (2026-03-01T15:00:00Z) nor a day (2026-03-01) nor a length \
                     of time before now (90m, 24h, 7d)";
        at.map(|at| Self(at.as_microsecond())).ok_or(wrong)
    }
}

fn outcome(word: &str) -> Result<Outcome, &'static str> {
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.word() == word);
    known.ok_or("is no outcome; --help names them all")
}

fn ago(text: &str) -> Option<Timestamp> {
    let length: Span = text.parse().ok()?;
    let length = length.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (length >= SignedDuration::ZERO).then(|| Timestamp::now().checked_sub(length).ok())?
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be read, or holds nothing of the kind.
pub async fn run(arguments: &Args) -> anyhow::Result<()> {
    let store = arguments.database.look().await?;
    let done = match &arguments.what {
        What::List(list) => print(&list.run(&store).await?),
        What::Show(show) => print(&show.run(&store).await?),
        What::Story(Story { call }) => print(&tell(&store, call).await?),
        What::Export(export) => export.run(&store).await,
        What::Recordings(wanted) => wanted.run(&store).await,
    };
    store.close().await;
    done
}

impl List {
    async fn run(&self, store: &Store) -> anyhow::Result<String> {
        let mut filter = self.filter()?;
        filter.from = self.from.indexes(store, self.company.as_deref()).await?;
        let page = store.calls(&filter).await?;
        if self.json {
            let calls: Vec<_> = page.calls.iter().map(record::object).collect();
            let next = page.next.map(|next| next.to_string());
            return Ok(format!("{}\n", json!({ "calls": calls, "next": next })));
        }
        if page.calls.is_empty() {
            return Ok("There is no such call.\n".to_owned());
        }
        let mut text = format!("{HEAD}\n");
        for call in &page.calls {
            let (length, end) = match &call.ended {
                Some(ended) => (record::length(ended.duration_ms), &*ended.reason),
                None => ("-".to_owned(), "goes on"),
            };
            let _ = writeln!(
                text,
                "{}  {:<34}  {:<12}  {:<4}  {length:>9}  {end}",
                time(call.started_us),
                call.sid,
                call.company,
                call.language.tag(),
            );
        }
        if let Some(next) = page.next {
            let _ = writeln!(text, "\nThere are more: --after {next}");
        }
        Ok(text)
    }

    fn filter(&self) -> anyhow::Result<Filter> {
        let bound = match &self.said {
            Some(_) if self.since.is_none() => {
                Some(SAID_SINCE.parse().map_err(|error: &str| anyhow!(error))?)
            }
            _ => self.since,
        };
        Ok(Filter {
            company: self.company.clone(),
            since_us: bound.map(|When(at)| at),
            until_us: self.until.map(|When(at)| at),
            status: self.status.map(|status| match status {
                GivenStatus::Live => Status::Live,
                GivenStatus::Ended => Status::Ended,
            }),
            reason: self.reason.clone(),
            outcome: self.outcome,
            said: self.said.clone(),
            from: Vec::new(),
            after: self.after.clone(),
            count: self.count,
        })
    }
}

impl Show {
    async fn run(&self, store: &Store) -> anyhow::Result<String> {
        let call = found(store, &self.call).await?;
        let summary = store.summary_of(Scope::Every, &call.sid).await?;
        let text = store.summary_text_of(Scope::Every, &call.sid).await?;
        let recordings = store.recordings_of(Scope::Every, &call.sid).await?;
        let more = record::More { summary, text, recordings };
        if self.json {
            let told = record::object_with(&call, &more);
            return Ok(format!("{told:#}\n"));
        }
        Ok(record::text(&call, &more))
    }
}

async fn tell(store: &Store, sid: &str) -> anyhow::Result<String> {
    let call = found(store, sid).await?;
    let steps = store.journal_of(Scope::Every, sid).await.with_context(|| {
        format!(
            "the journal of {sid} is written in version {}; `calls export` hands it on as it is, for \
             the version of this program that wrote it",
            call.journal_version
        )
    })?;
    if steps.is_empty() {
        bail!(without_journal(&call));
    }
    Ok(story::story(&steps))
}

impl Export {
    async fn run(&self, store: &Store) -> anyhow::Result<()> {
        let call = found(store, &self.call).await?;
        let Some(kept) = store.stored_journal_of(Scope::Every, &call.sid).await? else {
            bail!(without_journal(&call));
        };
        let StoredJournal { version, steps } = &kept;
        let lines = || steps.iter().map(String::as_str);
        let Some(file) = &self.file else {
            let mut text = Vec::new();
            journal::write_lines(*version, lines(), &mut text)?;
            return print(&String::from_utf8(text)?);
        };
        let open = create(file).with_context(|| format!("{} cannot be made", file.display()))?;
        journal::write_lines(*version, lines(), BufWriter::new(open))
            .with_context(|| format!("{} cannot be written", file.display()))?;
        print(&format!("{} steps of {} are in {}\n", steps.len(), call.sid, file.display()))
    }
}

/// What was said is for nobody else on this machine.
fn create(file: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

async fn found(store: &Store, sid: &str) -> anyhow::Result<CallRecord> {
    let call = store.call(sid).await?;
    call.ok_or_else(|| anyhow!("there is no call {sid} in this database; `calls list` shows which"))
}

fn without_journal(call: &CallRecord) -> String {
    let sid = &call.sid;
    match &call.ended {
        None => format!("the call {sid} has no journal here yet: it is not over"),
        Some(ended) => format!(
            "the call {sid} has no journal: its record ended as `{}`, and whoever had the call has \
             written none",
            ended.reason
        ),
    }
}

const HEAD: &str =
    "began                 call                                company       lang     length  end";

/// How far back words are looked for where nobody says it.
const SAID_SINCE: &str = "30d";
