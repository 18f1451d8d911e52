//! `server company`: imports companies, and makes versions of them active.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use call_core::company::Recording;

use super::{By, Database, print, time};
use crate::company::versions::{self, Command as Why, Error, Standing};
use crate::company::{Errors, Tenant};
use crate::store::{Kept, Store, Version};

/// Imports companies into the database, and makes versions of them active
///
/// A company is a TOML file: its name, numbers, voices, prompts, functions and limits. docs/companies.md
/// describes every field. An imported file is a version, and never changes; one version of a company is
/// active, and new calls are held under it. Servers that run take an activated version up by themselves
/// within a second or two. Calls that go on keep theirs to their end.
///
///   server company validate acme.toml     says what is wrong with a file, and touches nothing
///   server company import acme.toml       keeps it; nothing changes for callers
///   server company activate acme          new calls are held under the highest version
///   server company rollback acme          … and again under the one before
///   server company deactivate acme        its numbers are nobody's; calls that go on end by themselves
///
/// Exit status: 0 done; 1 the database cannot be used; 2 the command line or a file is wrong; 3 refused.
/// Unless it is 0, nothing was changed.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Reads files and says everything that is wrong with them, with line and column
    Validate(Files),
    /// Keeps files as versions, all of them or none. The same content again is kept once
    Import(Import),
    /// Makes a version active: new calls are held under it
    Activate(Activate),
    /// Lists the companies, their versions and which of them is active
    List(Database),
    /// Prints a version as it was imported
    Show(Show),
    /// Lists which version became active when, by which command and whom, the last first
    History(Named),
    /// Makes the version active that was active before the present one. Twice leads back. After
    /// `deactivate`, makes active again what was
    Rollback(Changed),
    /// Takes a company off the line: its numbers are declined as nobody's are, within a second or two.
    /// Calls that go on keep their version to their end. `activate` or `rollback` brings it back
    Deactivate(Changed),
}

#[derive(Debug, clap::Args)]
struct Files {
    /// The company files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Import {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, clap::Args)]
struct Activate {
    /// The company's short name
    #[arg(value_parser = short_name)]
    id: String,
    /// The version [default: the highest that was imported]
    version: Option<u32>,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The company's short name
    #[arg(value_parser = short_name)]
    id: String,
    /// The version [default: the active one, or else the highest]
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Instead, lists the functions that it offers: whether each reads or writes, how often one call may
    /// run it, and how many milliseconds it may take
    #[arg(long)]
    functions: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The company's short name
    #[arg(value_parser = short_name)]
    id: String,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Changed {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    by: By,
}

/// One company's. To the store, a star stands for all of them.
fn short_name(text: &str) -> Result<String, &'static str> {
    let is_one = !text.is_empty() && text != "*";
    is_one.then(|| text.to_owned()).ok_or("must be the short name of one company")
}

/// Why a command did nothing.
#[derive(Debug)]
enum Failed {
    /// Files are faulty.
    Files(Vec<Errors>),
    /// What was asked for is refused, or the store failed.
    Versions(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Versions(error)
    }
}

impl From<crate::store::Error> for Failed {
    fn from(error: crate::store::Error) -> Self {
        Self::Versions(error.into())
    }
}

/// Runs a command.
///
/// # Errors
/// Where the database cannot be used.
pub async fn run(arguments: Args) -> anyhow::Result<ExitCode> {
    match act(arguments.command).await {
        Ok(told) => {
            print(&told)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Failed::Files(files)) => {
            for errors in files {
                eprintln!("{errors}");
            }
            Ok(ExitCode::from(WRONG))
        }
        Err(Failed::Versions(Error::Store(error))) => Err(error.into()),
        Err(Failed::Versions(refused)) => {
            eprintln!("error: {refused}");
            Ok(ExitCode::from(REFUSED))
        }
    }
}

async fn act(command: Command) -> Result<String, Failed> {
    match command {
        Command::Validate(Files { files }) => Ok(read(&files)?.iter().map(told).collect()),
        Command::Import(Import { files, database, by }) => {
            let tenants = read(&files.files)?;
            let store = database.open().await?;
            let kept = versions::import(&store, &tenants, by.name()).await?;
            Ok(tenants.iter().zip(kept).map(|(tenant, kept)| imported(tenant, kept)).collect())
        }
        Command::Activate(Activate { id, version, database, by }) => {
            let store = database.look().await?;
            let version = version.map(i64::from);
            let standing =
                versions::activate(&store, &id, version, Why::Activate, by.name()).await?;
            Ok(activated(&id, standing))
        }
        Command::Rollback(Changed { named: Named { id, database }, by }) => {
            let store = database.look().await?;
            Ok(activated(&id, versions::rollback(&store, &id, by.name()).await?))
        }
        Command::Deactivate(Changed { named: Named { id, database }, by }) => {
            let store = database.look().await?;
            Ok(match versions::deactivate(&store, &id, by.name()).await? {
                Some(version) => format!("{id} v{version}: active no more\n"),
                None => format!("{id}: not active\n"),
            })
        }
        Command::List(database) => list(&database.look().await?).await,
        Command::Show(Show { id, version, functions, database }) => {
            let store = database.look().await?;
            let row = version_of(&store, &id, version.map(i64::from)).await?;
            if functions { list_functions(&store, &row).await } else { show(&store, &row).await }
        }
        Command::History(Named { id, database }) => history(&database.look().await?, &id).await,
    }
}

/// All files, or everything that is wrong with all of them.
fn read(files: &[PathBuf]) -> Result<Vec<Tenant>, Failed> {
    let (mut tenants, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        match Tenant::load(Path::new(file)) {
            Ok(tenant) => tenants.push(tenant),
            Err(found) => errors.push(found),
        }
    }
    if errors.is_empty() { Ok(tenants) } else { Err(Failed::Files(errors)) }
}

/// What a company is, for whoever is to check it.
pub fn told(tenant: &Tenant) -> String {
    let company = tenant.company();
    let languages: Vec<_> = company.agents.keys().map(ToString::to_string).collect();
    let mut told = format!("{} ({} v{})\n", company.name, company.id, company.version);
    told += &format!("  answers {}\n", company.numbers.join(", "));
    told += &format!("  speaks {}\n", languages.join(", "));
    let kept = company.retention.all().map(|(class, _, days)| format!("{class} {days}"));
    told += &format!("  must be kept, in days: {}\n", kept.join(", "));
    if company.recording == Recording::On {
        told += "  records every call, at Twilio\n";
    }
    told
}

fn imported(tenant: &Tenant, kept: Kept) -> String {
    let company = tenant.company();
    let how = match kept {
        Kept::New => "imported",
        Kept::Same | Kept::Other => "imported before, with the same content",
    };
    format!("{} v{}: {how}\n", company.id, company.version)
}

fn activated(id: &str, standing: Standing) -> String {
    let how = if standing.is_new { "active now" } else { "active already" };
    format!("{id} v{}: {how}\n", standing.version)
}

async fn list(store: &Store) -> Result<String, Failed> {
    let rows = store.versions(None).await?;
    let mut told = String::new();
    for of_company in rows.chunk_by(|one, other| one.company == other.company) {
        let Some(first) = of_company.first() else { continue };
        let active = of_company.iter().find(|row| row.active == 1);
        let active = match active {
            Some(row) => format!("v{}", row.version),
            None => match store.activations(&first.company).await?.first() {
                Some(end) if end.is_end() => {
                    format!("none, deactivated {} by {}", time(end.at_us), end.actor)
                }
                _ => "none".to_owned(),
            },
        };
        let all: Vec<_> = of_company.iter().map(|row| format!("v{}", row.version)).collect();
        let _ = writeln!(told, "{}  active {active}  imported {}", first.company, all.join(", "));
    }
    Ok(if told.is_empty() { "No company was imported.\n".to_owned() } else { told })
}

async fn version_of(store: &Store, id: &str, version: Option<i64>) -> Result<Version, Failed> {
    let rows = store.versions(Some(id)).await?;
    let Some(last) = rows.last() else { return Err(Error::NoCompany(id.to_owned()).into()) };
    let wanted = match version {
        Some(version) => rows.iter().find(|row| row.version == version),
        None => rows.iter().find(|row| row.active == 1).or(Some(last)),
    };
    wanted.cloned().ok_or_else(|| {
        let there: Vec<_> = rows.iter().map(|row| format!("v{}", row.version)).collect();
        let (company, version) = (id.to_owned(), version.unwrap_or_default());
        Error::NoVersion { company, version, there: there.join(", ") }.into()
    })
}

/// As it was imported, so that it can be written to a file and edited.
async fn show(store: &Store, row: &Version) -> Result<String, Failed> {
    let content = store.content(&row.company, row.version).await?;
    Ok(content.unwrap_or_default())
}

async fn list_functions(store: &Store, row: &Version) -> Result<String, Failed> {
    let functions = store.functions(&row.company, row.version).await?;
    let line = |(name, level, calls_max, budget_ms): &(String, String, Option<i64>, i64)| {
        let calls = calls_max.map_or("any".to_owned(), |most| most.to_string());
        format!("{name:<16}  {level:<5}  runs in a call: {calls:<4}  budget: {budget_ms} ms\n")
    };
    Ok(functions.iter().map(line).collect())
}

async fn history(store: &Store, id: &str) -> Result<String, Failed> {
    // Whether there is such a company at all.
    version_of(store, id, None).await?;
    let mut told = String::new();
    for past in store.activations(id).await? {
        let at = time(past.at_us);
        let _ = writeln!(told, "{at}  v{}  {}  by {}", past.version, past.command, past.actor);
    }
    Ok(if told.is_empty() { format!("No version of {id} was ever active.\n") } else { told })
}

/// The command line or a file is wrong.
const WRONG: u8 = 2;

/// What was asked for cannot be.
const REFUSED: u8 = 3;
