//! `server hold`: keeps calls although their time is over.

use std::fmt::Write as _;

use anyhow::bail;

use super::{By, Database, one_line, print, time};
use crate::store::{Hold, NewHold, Placed, Released, Store};
use crate::times::now_us;

/// Keeps what remains of calls although its time is over, for a dispute or a court
///
/// From the moment a hold is placed until it is released, nothing of what it holds is deleted, here or at
/// the carrier. A hold is on one call or on all calls of a company. Several may hold the same call; each
/// is released by itself. Holds are never deleted. Who placed and who released one stands in the audit log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  server hold place --company acme --call CA5ef8732a3c49700934481addd5ce1659 --reason 'case 2026-17'
  server hold place --company acme --reason 'case 2026-18'
  server hold list --company acme
  server hold release 3

Exit status: 0 done, 1 there is no such call or hold or the database does not answer, 2 asked wrongly.")]
pub struct Args {
    #[command(flatten)]
    database: Database,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Places a hold on a call, or on all calls of a company
    Place {
        /// The company's short name
        #[arg(long, value_name = "COMPANY")]
        company: String,
        /// The carrier's name of the call [default: all calls of the company]
        #[arg(long, value_name = "SID")]
        call: Option<String>,
        /// Which matter it is for, in 200 letters at most. No names of persons: it is kept for ever
        #[arg(long, value_name = "WORDS", value_parser = one_line)]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Releases a hold: what no other one holds is deleted when its time is over
    Release {
        /// The number of the hold
        #[arg(value_name = "HOLD")]
        id: i64,
        #[command(flatten)]
        by: By,
    },
    /// Lists the holds, the oldest first
    List {
        /// Only holds on calls of this company
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
        /// Those that were released, too
        #[arg(long)]
        all: bool,
    },
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be used, or there is no such call or hold.
pub async fn run(arguments: &Args) -> anyhow::Result<()> {
    let store = arguments.database.look().await?;
    let done = act(&store, &arguments.what).await;
    store.close().await;
    print(&done?)
}

async fn act(store: &Store, what: &What) -> anyhow::Result<String> {
    match what {
        What::Place { company, call, reason, by } => {
            let (reason, by) = (reason.trim(), by.name());
            if reason.is_empty() || reason.chars().count() > REASON_MAX {
                bail!("--reason must be 1 to {REASON_MAX} letters");
            }
            let call = call.as_deref();
            let hold = NewHold { company, call, reason, by, at_us: now_us() };
            match store.place_hold(&hold).await? {
                Placed::Now(id) => Ok(format!("Hold {id} is placed.\n")),
                Placed::OnSound(id) => Ok(format!(
                    "Hold {id} is placed. The call is gone; what is held is its sound at the carrier.\n"
                )),
                Placed::NoCall => {
                    bail!("{company} has no such call; `server calls list` tells which")
                }
                Placed::NoCompany => bail!("there is no company {company}, and no call of one"),
            }
        }
        What::Release { id, by } => match store.release_hold(*id, by.name(), now_us()).await? {
            Released::Now => Ok(format!("Hold {id} is released.\n")),
            Released::Before => Ok(format!("Hold {id} was released before.\n")),
            Released::Unknown => bail!("there is no hold {id}; `server hold list` tells which"),
        },
        What::List { company, all } => {
            let holds = store.holds(company.as_deref()).await?;
            let shown = holds.iter().filter(|hold| *all || hold.released_us.is_none());
            let told: String = shown.map(line).collect();
            Ok(if told.is_empty() { "Nothing is held.\n".to_owned() } else { told })
        }
    }
}

fn line(hold: &Hold) -> String {
    let what = hold.call_sid.as_deref().unwrap_or("all calls");
    let mut line = format!(
        "{:>4}  {:<12}  {what:<34}  since {} by {}  {}",
        hold.id,
        hold.company,
        time(hold.placed_us),
        hold.placed_by,
        hold.reason
    );
    if let (Some(at_us), Some(by)) = (hold.released_us, &hold.released_by) {
        let _ = write!(line, "  released {} by {by}", time(at_us));
    }
    line + "\n"
}

/// As the tables say.
const REASON_MAX: usize = 200;
