//! `server keys`: the keys that callers' numbers are sealed with.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow, bail};
use secrecy::{ExposeSecret as _, SecretString};

use super::{By, Database, given, print};
use crate::company::is_e164;
use crate::sealed::{BlindIndex, DataKeys};
use crate::store::{Store, callers};

/// Shows which keys have sealed callers' numbers, and replaces them
///
/// To replace a key, put a new one in front of it in DATA_KEYS, everywhere, and start the servers anew;
/// then run `server keys rotate`. When it says that no other key is needed, the old one can be taken out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  server keys list
  server keys rotate
  server keys open CA5ef8732a3c49700934481addd5ce1659

Exit status: 0 done, 1 not all could be done or the database does not answer, 2 asked wrongly.")]
pub struct Args {
    #[command(flatten)]
    database: Database,

    /// The keys, as the server has them
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECRET[,SECRET]")]
    data_keys: Option<SecretString>,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Lists how many numbers each key has sealed
    List,
    /// Seals all numbers with the first key that another one has sealed. It may be stopped and run again
    Rotate {
        /// How many numbers are sealed in one transaction
        #[arg(long, value_name = "NUMBER", default_value_t = 200)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
        batch: u32,
        #[command(flatten)]
        by: By,
    },
    /// Prints the full number of a call's caller. Who had it printed goes into the audit log first
    Open {
        /// The carrier's name of the call
        #[arg(value_name = "SID")]
        call: String,
        #[command(flatten)]
        by: By,
    },
}

/// A caller to be looked for.
#[derive(Debug, clap::Args)]
pub(super) struct From {
    /// Only calls of this caller: the number in E.164 form (+15550100101). It needs DATA_KEYS
    #[arg(long = "from", value_name = "NUMBER")]
    number: Option<SecretString>,

    /// The keys that callers' numbers are sealed with, as the server has them
    #[arg(long, env, hide_env_values = true, value_name = "SECRET[,SECRET]")]
    data_keys: Option<SecretString>,
}

/// Does what was asked for.
///
/// # Errors
/// When the database cannot be read, or not all could be done.
pub async fn run(arguments: &Args) -> anyhow::Result<()> {
    let store = arguments.database.look().await?;
    let done = act(&store, arguments).await;
    store.close().await;
    print(&done?)
}

async fn act(store: &Store, arguments: &Args) -> anyhow::Result<String> {
    let data_keys = arguments.data_keys.as_ref();
    match &arguments.what {
        What::List if data_keys.and_then(given).is_none() => list(store, None).await,
        What::List => list(store, Some(&keys(data_keys)?)).await,
        What::Rotate { batch, by } => rotate(store, &keys(data_keys)?, *batch, by.name()).await,
        What::Open { call, by } => open(store, &keys(data_keys)?, call, by.name()).await,
    }
}

fn keys(data_keys: Option<&SecretString>) -> anyhow::Result<DataKeys> {
    let keys = data_keys.filter(|keys| given(keys).is_some());
    let keys = keys.ok_or_else(|| anyhow!("DATA_KEYS is not set, and nothing opens without"))?;
    DataKeys::parse(keys).context("DATA_KEYS")
}

async fn list(store: &Store, keys: Option<&DataKeys>) -> anyhow::Result<String> {
    let mut told = String::new();
    for row in store.sealed_with().await? {
        let standing = match keys {
            Some(keys) if keys.first_id() == row.key_id => "  seals",
            Some(keys) if keys.ids().any(|id| id == row.key_id) => "  opens",
            Some(_) => "  NOT IN DATA_KEYS: these numbers do not open",
            None => "",
        };
        let _ = writeln!(told, "{:<16}  {} numbers{standing}", row.key_id, row.how_many);
    }
    Ok(if told.is_empty() { "No number is kept.\n".to_owned() } else { told })
}

async fn rotate(store: &Store, keys: &DataKeys, batch: u32, by: &str) -> anyhow::Result<String> {
    let (mut done, mut spoilt, mut after) = (0, 0, String::new());
    loop {
        let resealed = store.reseal(keys, &after, batch, by).await?;
        done += resealed.done;
        spoilt += resealed.spoilt;
        match resealed.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let mut told = format!("{done} numbers were sealed anew with {}.\n", keys.first_id());
    let left: Vec<_> = store.sealed_with().await?;
    let left: Vec<_> = left.iter().filter(|row| row.key_id != keys.first_id()).collect();
    for row in &left {
        let _ = writeln!(told, "{:<16}  {} numbers are left", row.key_id, row.how_many);
    }
    if !left.is_empty() {
        print(&told)?;
        match spoilt {
            0 => bail!("a server still seals with an old key; run this again once none does"),
            _ => bail!("{spoilt} numbers could not be opened: keep the old keys in DATA_KEYS"),
        }
    }
    told += "No other key is needed any more.\n";
    Ok(told)
}

async fn open(store: &Store, keys: &DataKeys, call: &str, by: &str) -> anyhow::Result<String> {
    let kept = store.caller_to_open(call, by).await?;
    let (company, sealed) = kept.ok_or_else(|| anyhow!("no number is kept of a call {call}"))?;
    let number = keys.open(&callers::place(&company, call), &sealed);
    let number = number.with_context(|| format!("the caller's number of {call}"))?;
    Ok(format!("{}\n", number.expose_secret()))
}

impl From {
    /// What the caller stands under in the database; empty where nobody in particular is looked for.
    pub(super) async fn indexes(
        &self,
        store: &Store,
        company: Option<&str>,
    ) -> anyhow::Result<Vec<BlindIndex>> {
        let Some(number) = &self.number else { return Ok(Vec::new()) };
        let keys = keys(self.data_keys.as_ref())?;
        let is_sign = |c: &char| !matches!(c, ' ' | '-' | '(' | ')' | '.');
        let number: String = number.expose_secret().chars().filter(is_sign).collect();
        if !is_e164(&number) {
            bail!("--from must be in E.164 form: a plus sign and 8 to 15 digits");
        }
        let companies = match company {
            Some(company) => vec![company.to_owned()],
            None => store.companies_with_calls().await?,
        };
        let indexes = companies.iter().flat_map(|company| keys.indexes(company, &number));
        let indexes: Vec<_> = indexes.collect();
        // No filter at all would be another question.
        if indexes.is_empty() { Ok(keys.indexes("", &number)) } else { Ok(indexes) }
    }
}
