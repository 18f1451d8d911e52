//! `server retention`: deletes what is left of calls when its time is over.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use call_transports::net::{self, TwilioRest};
use call_transports::twilio::Sid;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

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
    /// The database as the server opens it
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "URL",
        default_value = "sqlite://offhook.db"
    )]
    database_url: SecretString,

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

#[derive(Debug, clap::Args)]
struct Account {
    /// The Twilio account
    #[arg(long, env, hide_env_values = true, value_name = "SID")]
    twilio_account_sid: Option<String>,
    /// Its auth token
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    twilio_auth_token: Option<SecretString>,
    /// Where Twilio's REST interface is
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    #[arg(default_value = "https://api.twilio.com", hide_default_value = true)]
    twilio_api_url: String,
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be used.
pub async fn run(arguments: &Args) -> anyhow::Result<ExitCode> {
    net::install_crypto();
    let store = Store::open_to_look(arguments.database_url.expose_secret()).await?;
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
    let companies = Registry::load(store).await?;
    let mut is_all = true;
    for company in store.companies_with_calls().await? {
        if only.is_some_and(|only| only != company) {
            continue;
        }
        let Some(days) = days_of(&companies, &company) else {
            is_all = false;
            println!("{company}: left alone, because no sound version of it is active");
            continue;
        };
        println!("{company}");
        if dry_run {
            tell_due(store, &company, days).await?;
        } else {
            is_all &= delete(store, &company, days).await?;
        }
    }
    if !dry_run && let Some(carrier) = account.carrier()? {
        println!("{} recordings were deleted at the carrier", delete_media(store, &carrier).await?);
    }
    Ok(if is_all { ExitCode::SUCCESS } else { ExitCode::from(LEFT) })
}

async fn tell_due(store: &Store, company: &str, days: Days) -> anyhow::Result<()> {
    for (class, count) in Class::ALL.into_iter().zip(count(store, company, days).await?) {
        let (kept, word) = (days.kept(class), class.word());
        println!("  {word:<9}  kept {kept:>5} days  due {:>6}  held {:>6}", count.due, count.held);
    }
    Ok(())
}

async fn delete(store: &Store, company: &str, days: Days) -> anyhow::Result<bool> {
    match Sweeper::new(Duration::ZERO).sweep(store, company, days).await? {
        Swept::Done(counts) => {
            for (class, count) in Class::ALL.into_iter().zip(counts) {
                println!(
                    "  {:<9}  kept {:>5} days  deleted {count:>6}",
                    class.word(),
                    days.kept(class)
                );
            }
            Ok(true)
        }
        Swept::NotOurs | Swept::Lost => {
            println!("  a server is at it");
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
    print!("{}", if told.is_empty() { "Nothing was deleted.\n" } else { &told });
    Ok(ExitCode::SUCCESS)
}

impl Account {
    /// Nothing where no account is given.
    fn carrier(&self) -> anyhow::Result<Option<TwilioRest>> {
        let (Some(account), Some(tokens)) = (&self.twilio_account_sid, &self.twilio_auth_token)
        else {
            return Ok(None);
        };
        let account = Sid::parse(account).filter(|sid| sid.kind() == "AC");
        let account =
            account.ok_or_else(|| anyhow!("TWILIO_ACCOUNT_SID must be AC and 32 digits"))?;
        // The first one signs what we ask for.
        let token = tokens.expose_secret().split(',').next().unwrap_or_default().trim();
        Ok(Some(TwilioRest::new(&self.twilio_api_url, account, token.into())?))
    }
}

fn time(at_us: i64) -> String {
    let at = Timestamp::from_microsecond(at_us);
    at.map_or_else(|_| at_us.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// Something was left.
const LEFT: u8 = 3;
