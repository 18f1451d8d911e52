//! `server retention`: deletes what is left of calls when its time is over.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use super::{Account, Database, print, time};
use crate::company::registry::Registry;
use crate::retention::{Days, Sweeper, Swept, count, days_of, delete_media};
use crate::store::{Class, Store};

/// Deletes what is left of calls when its time is over, as servers do by themselves once a day
///
/// How long each class of data is kept stands in the table `[retention]` of a company's active version. A
/// company without one is left alone, because how long its data is kept is not known then. What is held
/// (`server hold`) stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  server retention run --dry-run
  server retention run --company acme
  server retention log

Exit status: 0 done, 1 the database does not answer, 2 asked wrongly, 3 something was left.")]
pub struct Args {
    #[command(flatten)]
    database: Database,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Deletes what is due now. Sound at the carrier is deleted, too, where the account is given;
    /// otherwise a server does it
    Run {
        /// Deletes nothing, and tells of how many calls something would be
        #[arg(long)]
        dry_run: bool,
        /// Only what is this company's
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
        #[command(flatten)]
        account: Account,
    },
    /// Lists how much was deleted when, the newest first
    Log {
        /// Only what was this company's
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
    },
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be used.
pub async fn run(arguments: &Args) -> anyhow::Result<ExitCode> {
    let store = arguments.database.look().await?;
    let done = match &arguments.what {
        What::Run { dry_run, company, account } => {
            sweep(&store, *dry_run, company.as_deref(), account).await
        }
        What::Log { company } => log(&store, company.as_deref()).await,
    };
    store.close().await;
    done
}

async fn sweep(
    store: &Store,
    dry_run: bool,
    only: Option<&str>,
    account: &Account,
) -> anyhow::Result<ExitCode> {
    // Looked at first: where it is wrong, nothing is deleted.
    let carrier = account.carrier()?;
    let companies = Registry::load(store).await?;
    let mut with_calls = store.companies_with_calls().await?;
    if let Some(only) = only {
        with_calls.retain(|company| company == only);
    }
    if with_calls.is_empty() {
        let whose = if only.is_some() { "No company of this name" } else { "No company" };
        print(&format!("{whose} has calls on record.\n"))?;
    }
    let mut is_all = true;
    for company in with_calls {
        let Some(days) = days_of(&companies, &company) else {
            is_all = false;
            let why = "because no sound version of it is active";
            print(&format!("{company}: left alone, {why}\n"))?;
            continue;
        };
        print(&format!("{company}\n"))?;
        if dry_run {
            tell_due(store, &company, days).await?;
        } else {
            is_all &= delete(store, &company, days).await?;
        }
    }
    if !dry_run && let Some(carrier) = carrier {
        let gone = delete_media(store, &carrier).await?;
        print(&format!("{gone} recordings were deleted at the carrier\n"))?;
    }
    Ok(if is_all { ExitCode::SUCCESS } else { ExitCode::from(LEFT) })
}

async fn tell_due(store: &Store, company: &str, days: Days) -> anyhow::Result<()> {
    for (class, count) in Class::ALL.into_iter().zip(count(store, company, days).await?) {
        let (kept, word) = (days.kept(class), class.word());
        let (due, held) = (count.due, count.held);
        print(&format!("  {word:<9}  kept {kept:>5} days  due {due:>6}  held {held:>6}\n"))?;
    }
    Ok(())
}

async fn delete(store: &Store, company: &str, days: Days) -> anyhow::Result<bool> {
    match Sweeper::new(Duration::ZERO).sweep(store, company, days).await? {
        Swept::Done(counts) => {
            for (class, count) in Class::ALL.into_iter().zip(counts) {
                let (kept, word) = (days.kept(class), class.word());
                print(&format!("  {word:<9}  kept {kept:>5} days  deleted {count:>6}\n"))?;
            }
            Ok(true)
        }
        Swept::NotOurs | Swept::Lost => {
            print("  a server is at it\n")?;
            Ok(false)
        }
    }
}

async fn log(store: &Store, company: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut told = String::new();
    for line in store.deletions(company).await? {
        let (at, until) = (time(line.at_us), time(line.until_us));
        let (company, class, how_many) = (line.company, line.class, line.how_many);
        let _ =
            writeln!(told, "{at}  {company:<12}  {class:<9}  {how_many:>6}  ended before {until}");
    }
    print(if told.is_empty() { "Nothing was deleted.\n" } else { &told })?;
    Ok(ExitCode::SUCCESS)
}

/// Something was left.
const LEFT: u8 = 3;
