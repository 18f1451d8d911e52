//! `server audit`: looks at the audit log.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use call_transports::net;
use clap::Subcommand;
use secrecy::SecretString;

use super::{given, print};
use crate::audit::verify::{Extent, Log, Report, verify};
use crate::config::{AUDIT_DIR, path};
use crate::store::Store;

/// Looks at the audit log
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(VerifyArgs),
}

/// Proves that the audit log is as it was written, or says where it is not
///
/// Reads every entry of every log in the folder, and says which file, line and entry is wrong, and how:
/// changed, removed, exchanged, doubled, torn off. Servers may write meanwhile.
///
/// Whether the end of a log was cut off, or all of it was written anew, cannot be told from the files
/// alone: with DATABASE_URL they are compared with what the servers published there. A log whose first
/// days are over may begin later: what was removed stands in a log and in the database.
///
///   server audit verify                        # the log of this machine
///   server audit verify /backup/offhook-audit  # a copy of it
///
/// Ends with 0 if nothing is wrong, 1 if something is, 2 if it could not be looked at.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
struct VerifyArgs {
    /// The folder of the logs [default: offhook-audit]
    #[arg(value_name = "DIR", env = "AUDIT_DIR", hide_env_values = true, value_parser = path())]
    folder: Option<PathBuf>,

    /// The database that the servers publish to
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretString>,

    /// Other machines have logs of their own: do not miss those that were published and are not here
    #[arg(long)]
    partial: bool,
}

/// Does what was asked for.
pub async fn run(args: Args) -> ExitCode {
    let Command::Verify(args) = args.command;
    match look(args).await {
        Ok(report) if report.findings.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(WRONG),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(NOT_LOOKED_AT)
        }
    }
}

async fn look(args: VerifyArgs) -> anyhow::Result<Report> {
    let VerifyArgs { folder, database_url, partial } = args;
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new(AUDIT_DIR).to_owned());
    let extent = if partial { Extent::Some } else { Extent::All };
    let store = match database_url.as_ref().and_then(given) {
        Some(url) => {
            net::install_crypto();
            Some(Store::open_to_look(url).await?)
        }
        None => None,
    };
    let mut looked = look_once(&folder, store.as_ref(), extent).await;
    let is_right = |looked: &Looked| looked.report.findings.is_empty();
    if !looked.as_ref().is_ok_and(is_right) {
        // A server may have removed a file whose time was over while it was looked at.
        looked = look_once(&folder, store.as_ref(), extent).await;
    }
    if let Some(store) = store {
        store.close().await;
    }
    let Looked { report, waiting } = looked?;
    if report.logs.is_empty() && report.findings.is_empty() {
        anyhow::bail!("there is no audit log in {}", folder.display());
    }
    print(&told(&report, waiting))?;
    Ok(report)
}

/// What one look found.
struct Looked {
    report: Report,
    /// How much of what was done waits for a server to write it into its log; nothing where the database
    /// is not known.
    waiting: Option<u64>,
}

async fn look_once(folder: &Path, store: Option<&Store>, extent: Extent) -> anyhow::Result<Looked> {
    let (mut published, mut waiting) = (None, None);
    if let Some(store) = store {
        published = Some(store.published().await?);
        waiting = Some(store.notes_waiting().await?);
    }
    let place = folder.to_owned();
    let report =
        tokio::task::spawn_blocking(move || verify(&place, published.as_ref(), extent)).await?;
    let report = report.with_context(|| format!("{} cannot be read", folder.display()))?;
    Ok(Looked { report, waiting })
}

fn told(report: &Report, waiting: Option<u64>) -> String {
    let known = waiting.is_some();
    let mut told = String::new();
    for log in &report.logs {
        told += &format!("{}\n", line(log, known));
    }
    for finding in &report.findings {
        told += &format!("WRONG  {finding}\n");
    }
    if let Some(waiting @ 1..) = waiting {
        told += &format!(
            "{waiting} acts of operators, or deletions, stand in the database and in no log yet: a \
             server that runs writes them within seconds.\n"
        );
    }
    if !known {
        told += "Not compared with what was published: without DATABASE_URL nobody can tell whether an \
                 end was cut off, or who removed a beginning.\n";
    }
    told + &match report.findings.len() {
        0 => "Nothing is wrong.\n".to_owned(),
        1 => "1 thing is wrong.\n".to_owned(),
        count => format!("{count} things are wrong.\n"),
    }
}

/// One log, in a line.
fn line(log: &Log, known: bool) -> String {
    let mut line = format!("{}: {} entries in {} files", log.log, log.entries, log.files);
    if log.begins > 1 {
        line += &format!(", begins with entry {}", log.begins);
    }
    if known {
        let (heads, behind) = (log.heads, log.unpublished);
        line += &format!(", compared with {heads} published heads, {behind} entries behind them");
    }
    if log.recovered > 0 {
        line += &format!(", {} crashes that tore a line", log.recovered);
    }
    if log.losses > 0 {
        line += &format!(", {} gaps that it tells of itself", log.losses);
    }
    if log.is_written {
        line += ", being written";
    }
    line
}

const WRONG: u8 = 1;

const NOT_LOOKED_AT: u8 = 2;
