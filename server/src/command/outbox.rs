//! `server outbox`: what is still to be done about calls that are over, and what was given up.

use std::process::ExitCode;

use anyhow::bail;

use super::{By, Database, print, time};
use crate::store::{Again, Scope, Standing, Store, Undone};
use crate::times::now_us;

/// Lists work about calls that are over, and takes up again what was given up
///
/// What fails is tried again for more than a day, and then given up: a summary, while its provider was
/// down or refused it. Such work stays where it is until somebody takes it up again; servers that run do it
/// within seconds then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  server outbox list
  server outbox retry 17 18
  server outbox retry --all-given-up --company acme

Exit status: 0 done, 1 there is no such work or the database does not answer, 2 asked wrongly.")]
pub struct Args {
    #[command(flatten)]
    database: Database,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Lists what was given up, the oldest first: its number, kind, company, call, tries and why
    List {
        /// Only work of this company
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
        /// Instead, what waits, and when it is tried next
        #[arg(long)]
        waiting: bool,
    },
    /// Takes up again what was given up, as if it had just been queued
    Retry {
        /// The numbers of the work
        #[arg(value_name = "ID", required_unless_present = "all_given_up")]
        ids: Vec<i64>,
        /// All that was given up
        #[arg(long, conflicts_with = "ids")]
        all_given_up: bool,
        /// Of all, only work of this company
        #[arg(long, value_name = "COMPANY", requires = "all_given_up")]
        company: Option<String>,
        #[command(flatten)]
        by: By,
    },
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be used, or there is no such work.
pub async fn run(arguments: &Args) -> anyhow::Result<ExitCode> {
    let store = arguments.database.look().await?;
    let done = act(&store, &arguments.what).await;
    store.close().await;
    print(&done?)?;
    Ok(ExitCode::SUCCESS)
}

async fn act(store: &Store, what: &What) -> anyhow::Result<String> {
    match what {
        What::List { company, waiting } => {
            let standing = if *waiting { Standing::Waiting } else { Standing::GivenUp };
            // One more than is shown tells that there are more.
            let mut undone = store.undone(scope(company.as_deref()), standing, SHOWN + 1).await?;
            let are_more = undone.len() > SHOWN;
            undone.truncate(SHOWN);
            let mut told: String = undone.iter().map(line).collect();
            if are_more {
                told += &format!("These are the oldest {SHOWN}; there are more.\n");
            }
            let nothing = if *waiting { "Nothing waits.\n" } else { "Nothing was given up.\n" };
            Ok(if told.is_empty() { nothing.to_owned() } else { told })
        }
        What::Retry { ids, company, by, .. } if ids.is_empty() => {
            let all = Again::All(scope(company.as_deref()));
            let count = store.take_up_again(all, by.name(), now_us()).await?;
            Ok(format!("Taken up again: {count}\n"))
        }
        What::Retry { ids, by, .. } => {
            let mut unknown = Vec::new();
            for id in ids {
                if store.take_up_again(Again::One(*id), by.name(), now_us()).await? == 0 {
                    unknown.push(id.to_string());
                }
            }
            let count = ids.len() - unknown.len();
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                bail!(
                    "taken up again: {count}; not given up: {unknown}. `server outbox list` tells what is"
                );
            }
            Ok(format!("Taken up again: {count}\n"))
        }
    }
}

/// To the store, a star stands for all companies; no company has that name.
fn scope(company: Option<&str>) -> Scope<'_> {
    company.map_or(Scope::Every, Scope::Company)
}

fn line(work: &Undone) -> String {
    let Undone { id, kind, company, attempts, .. } = work;
    let about = work.call_sid.as_deref().unwrap_or("no call");
    let stands = match (work.ended_us, &work.failed) {
        (Some(at_us), Some(why)) => format!("given up {}: {why}", time(at_us)),
        _ => format!("next {}", time(work.not_before_us)),
    };
    let queued = time(work.queued_us);
    format!(
        "{id:>6}  {kind:<8}  {company:<12}  {about:<34}  queued {queued}  tries {attempts}  {stands}\n"
    )
}

/// The most that is listed at once.
const SHOWN: usize = 500;
