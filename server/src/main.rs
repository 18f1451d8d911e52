//! The command line of the server.

use std::process::ExitCode;

use anyhow::Context as _;
use call_transports::net;
use clap::{Parser, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use server::app::{self, App};
use server::check::{self, Standing};
use server::command::{calls, company, hold, keys, outbox, retention};
use server::config::{Config, Faults, Flags};
use server::store::Store;
use server::{command, metrics, telemetry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tracing::{error, info};

/// Answers telephone calls with a voice agent: Twilio Media Streams on one side, a Deepgram Voice
/// Agent on the other.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server; the same as no command
    Run(Flags),
    /// Reads the configuration and the company file, and says what is wrong with them
    Check(CheckArgs),
    Company(company::Args),
    Migrate(MigrateArgs),
    Calls(calls::Args),
    Hold(hold::Args),
    Keys(keys::Args),
    Outbox(outbox::Args),
    Retention(retention::Args),
    Audit(command::audit::Args),
    /// Plays calls against embedded stand-ins, with no account anywhere
    #[cfg(feature = "demo")]
    Demo(server::demo::Args),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Also tries out each credential and address that the configuration names
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Makes the tables of the database, or brings them up to this version
///
/// A SQLite file needs none of this: the server brings it up to date when it starts. In PostgreSQL the
/// tables belong to a role of their own, so that no mistake of the server's can show one company the
/// rows of another. Make two roles and a database first:
///
///   CREATE ROLE offhook_owner LOGIN PASSWORD '…';
///   CREATE ROLE offhook LOGIN PASSWORD '…';
///   CREATE DATABASE offhook OWNER offhook_owner;
///
/// Run this before the server of a new version starts, and again after you have given the server
/// another role.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
struct MigrateArgs {
    /// The database as the server opens it
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    database_url: SecretString,

    /// The same database as the owner of its tables opens it
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    database_owner_url: Option<SecretString>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { command, flags } = CommandLine::parse();
    let outcome = match command.unwrap_or(Command::Run(flags)) {
        Command::Run(flags) => run(&flags).await,
        Command::Check(arguments) => Ok(check(&arguments).await),
        Command::Company(arguments) => company::run(arguments).await,
        Command::Migrate(arguments) => migrate(&arguments).await,
        Command::Calls(arguments) => calls::run(&arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Hold(arguments) => hold::run(&arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Keys(arguments) => keys::run(&arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Outbox(arguments) => outbox::run(&arguments).await,
        Command::Retention(arguments) => retention::run(&arguments).await,
        Command::Audit(arguments) => Ok(command::audit::run(arguments).await),
        #[cfg(feature = "demo")]
        Command::Demo(args) => server::demo::run(args).await,
    };
    outcome.unwrap_or_else(|error| {
        // With its causes, on one line.
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let config = match Config::read(flags) {
        Ok(config) => config,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let _log = telemetry::start(config.log_format, config.collector.as_deref())?;
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        anyhow::Error::new(error).context(format!("LISTEN_ADDR: cannot listen on {listen}"))
    })?;
    let app = tokio::select! {
        app = app::open(config, &listener) => app?,
        // There is nobody to wait for.
        () = app::shutdown_signal() => return Ok(ExitCode::SUCCESS),
    };
    count(&app).await?;
    let ahead = app.clone();
    tokio::spawn(async move { ahead.prepare_lines().await });
    info!(%listen, "ready for calls");
    app::serve(app.clone(), listener, end_asked_for(app)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Lets scrapers in, where that is wanted.
async fn count(app: &App) -> anyhow::Result<()> {
    let Some(address) = app.config().metrics else { return Ok(()) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        anyhow::Error::new(error).context(format!("METRICS_ADDR: cannot listen on {address}"))
    })?;
    info!(%address, "metrics are served");
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = metrics::serve(app, listener).await {
            error!(%error, "metrics are no longer served");
        }
    });
    Ok(())
}

/// The first signal lets calls end, or an operator. Whoever sends a second one does not want to wait for
/// that, and has them ended; whoever sends a third one does not even want to wait for their goodbyes.
async fn end_asked_for(app: App) {
    let (asked, is_asked) = oneshot::channel();
    // In a task of its own: the server may begin to end before it looks here.
    tokio::spawn(async move {
        tokio::select! {
            () = app::shutdown_signal() => {}
            () = app.asked_to_end() => {}
        }
        // Nobody waits any more where an operator was first.
        let _ = asked.send(());
        app::shutdown_signal().await;
        app.hurry();
        app::shutdown_signal().await;
        std::process::exit(CUT_OFF);
    });
    // It goes only with the process.
    let _ = is_asked.await;
}

async fn check(arguments: &CheckArgs) -> ExitCode {
    match Config::read(&arguments.flags) {
        Ok(config) => {
            println!("The configuration is complete.");
            for tenant in &config.companies {
                print!("{}", company::told(tenant));
            }
            if config.companies.is_empty() {
                println!("It names no company: those that are active in the database are served.");
            }
            if config.data_keys.is_none() {
                println!("Callers' numbers are kept masked only: DATA_KEYS is not set.");
            }
            for stranger in check::strangers(&config) {
                println!(
                    "OPERATOR_TOKENS: {stranger} (in COMPANY_FILE; --online looks in the database)"
                );
            }
            println!("  webhook {}", config.public_url.of("/twilio/inbound_call"));
            if arguments.online { try_out(&config).await } else { ExitCode::SUCCESS }
        }
        Err(faults) => refuse(&faults),
    }
}

async fn migrate(arguments: &MigrateArgs) -> anyhow::Result<ExitCode> {
    net::install_crypto();
    // An empty variable counts as none.
    let owner = arguments.database_owner_url.as_ref().map(ExposeSecret::expose_secret);
    let owner = owner.filter(|url| !url.trim().is_empty());
    let url = arguments.database_url.expose_secret();
    let migrated = Store::migrate(url, owner).await;
    if owner.is_none() && url.starts_with("postgres") {
        migrated.context(
            "DATABASE_OWNER_URL is not set, and only the owner of the tables may change them",
        )?;
    } else {
        migrated?;
    }
    println!("The tables are those of this version.");
    Ok(ExitCode::SUCCESS)
}

async fn try_out(config: &Config) -> ExitCode {
    println!();
    let findings = check::online(config, check::PATIENCE).await;
    for finding in &findings {
        println!("{finding}");
    }
    let is_wrong = findings.iter().any(|finding| finding.standing == Standing::Wrong);
    if is_wrong { ExitCode::from(NOT_WORKING) } else { ExitCode::SUCCESS }
}

fn refuse(faults: &Faults) -> ExitCode {
    eprintln!("{faults}");
    ExitCode::from(MISCONFIGURED)
}

const MISCONFIGURED: u8 = 2;

/// The configuration is complete, and something that it names does not work.
const NOT_WORKING: u8 = 3;

/// What shells report for a process that was interrupted.
const CUT_OFF: i32 = 130;
