//! `server retention`: deletes what is left of calls when its time is over.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::{Account, By, Database, print, time};
use crate::audit::{Entry, SERVER};
use crate::company::registry::Registry;
use crate::retention::{Days, Keeper, Sweeper, Swept, count, delete_media, keepers};
use crate::store::{Class, Listed, Store};

/// Deletes what is left of calls when its time is over, as servers do by themselves once a day
///
/// How long each class of data is kept stands in the table `[retention]` of a company's active version. A
/// company without one is left alone, because how long its data is kept is not known then. What is held
/// (`server hold`) stays. What is deleted, and by whom, goes into the audit log. Days of that log itself are
/// removed by servers alone.
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
        by: By,
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
        What::Run { dry_run, company, by, account } => {
            let by = Some(by.name()).filter(|_| !dry_run);
            sweep(&store, by, company.as_deref(), account).await
        }
        What::Log { company } => log(&store, company.as_deref()).await,
    };
    store.close().await;
    done
}

/// Only counts where nobody is to delete.
async fn sweep(
    store: &Store,
    by: Option<&str>,
    only: Option<&str>,
    account: &Account,
) -> anyhow::Result<ExitCode> {
    // Looked at first: where it is wrong, nothing is deleted.
    let carrier = account.carrier()?;
    let companies = Registry::load(store).await?;
    let mut keepers = keepers(store, &companies).await?;
    if let Some(only) = only {
        keepers.retain(|keeper| keeper.company == only);
    }
    if keepers.is_empty() {
        let whose = if only.is_some() { "No company of this name" } else { "No company" };
        print(&format!("{whose} has calls on record.\n"))?;
    }
    if let Some(by) = by {
        let company = only.unwrap_or(SERVER);
        store.note(&Entry::of_operator(by, "retention_run", company, &json!({}))).await?;
    }
    let mut is_all = true;
    for Keeper { company, days } in keepers {
        let Some(days) = days else {
            is_all = false;
            let why = "because no sound version of it is active";
            print(&format!("{company}: left alone, {why}\n"))?;
            continue;
        };
        print(&format!("{company}\n"))?;
        match by {
            None => tell_due(store, &company, days).await?,
            Some(by) => is_all &= delete(store, &company, days, by).await?,
        }
    }
    if let (Some(by), Some(carrier)) = (by, carrier) {
        let gone = delete_media(store, &carrier, by).await?;
        print(&format!("{gone} recordings were deleted at the carrier\n"))?;
    }
    let Listed { all, held, refused } = store.media_listed().await?;
    if all > 0 {
        print(&format!(
            "{all} recordings are to be deleted at the carrier, of which {held} are held and {refused} \
             were asked for in vain\n"
        ))?;
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

async fn delete(store: &Store, company: &str, days: Days, by: &str) -> anyhow::Result<bool> {
    match Sweeper::new(Duration::ZERO).by(by).sweep(store, company, days).await? {
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
