//! What the command line can do beside serving calls, each in a file of its own; and what these commands
//! have in common.

use std::io::{self, Write as _};

use anyhow::anyhow;
use call_transports::net::{self, TwilioRest};
use call_transports::twilio::Sid;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{DATABASE_URL, TWILIO_API_URL};
use crate::store::{self, Store};

pub mod audit;
pub mod calls;
pub mod company;
pub mod hold;
pub mod keys;
pub mod outbox;
pub mod retention;

/// The database that a command works on.
#[derive(Debug, clap::Args)]
struct Database {
    /// The database as the server opens it
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "URL",
        default_value = DATABASE_URL
    )]
    database_url: SecretString,
}

impl Database {
    /// Opens a database that is there. No file is made and no table changed: whoever mistypes an address
    /// must not be told that nothing is there.
    async fn look(&self) -> Result<Store, store::Error> {
        net::install_crypto();
        Store::open_to_look(self.url()).await
    }

    /// The same, but a SQLite file is made, or brought up to date.
    async fn open(&self) -> Result<Store, store::Error> {
        net::install_crypto();
        Store::open(self.url()).await
    }

    fn url(&self) -> &str {
        given(&self.database_url).unwrap_or(DATABASE_URL)
    }
}

/// The carrier's account, for commands that ask for something there.
#[derive(Debug, clap::Args)]
struct Account {
    /// The Twilio account
    #[arg(long, env, hide_env_values = true, value_name = "SID")]
    twilio_account_sid: Option<String>,
    /// Its auth token
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    twilio_auth_token: Option<SecretString>,
    /// Where Twilio's REST interface is [default: https://api.twilio.com]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    twilio_api_url: Option<String>,
}

impl Account {
    /// Nothing where no account is given.
    fn carrier(&self) -> anyhow::Result<Option<TwilioRest>> {
        let some = |text: &&str| !text.is_empty();
        let account = self.twilio_account_sid.as_deref().map(str::trim).filter(some);
        let tokens = self.twilio_auth_token.as_ref().and_then(given);
        let (Some(account), Some(tokens)) = (account, tokens) else { return Ok(None) };
        let url = self.twilio_api_url.as_deref().map(str::trim).filter(some);
        let account = Sid::parse(account).filter(|sid| sid.kind() == "AC");
        let account = account
            .ok_or_else(|| anyhow!("TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits"))?;
        // The first one signs what we ask for.
        let token = tokens.split(',').next().unwrap_or_default().trim();
        Ok(Some(TwilioRest::new(url.unwrap_or(TWILIO_API_URL), account, token.into())?))
    }
}

/// Who gives a command.
#[derive(Debug, clap::Args)]
struct By {
    /// Who does it, for the record
    #[arg(long = "by", env = "USER", hide_env_values = true, value_name = "NAME")]
    #[arg(default_value = NOBODY, value_parser = one_line)]
    by: String,
}

impl By {
    fn name(&self) -> &str {
        Some(self.by.trim()).filter(|name| !name.is_empty()).unwrap_or(NOBODY)
    }
}

/// A value that was given. An empty variable counts as none, as where the server reads it.
fn given(value: &SecretString) -> Option<&str> {
    Some(value.expose_secret().trim()).filter(|value| !value.is_empty())
}

/// Words that are shown in a line of a list, where they must not look like lines of their own.
fn one_line(text: &str) -> Result<String, &'static str> {
    let is_one = !text.chars().any(char::is_control);
    is_one.then(|| text.to_owned()).ok_or("must be one line of plain letters and signs")
}

/// Whoever stops reading has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A time to the second, in UTC.
pub(crate) fn time(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us)
        .map_or_else(|_| at_us.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

const NOBODY: &str = "unknown";
