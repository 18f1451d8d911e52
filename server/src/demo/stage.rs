//! What the demonstration is set up with: addresses, keys, configuration; and what it reports.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use call_transports::deepgram::AGENT_PATH;
use call_transports::twilio::Sid;
use secrecy::SecretString;
use sim::Scenario;
use sim::faults::Fault;
use tokio::net::{TcpListener, TcpSocket};
use uuid::Uuid;

use super::{Config, LogFormat, Placed, PublicUrl, config};
use crate::api::{self, Operators};
use crate::company::{Tenant, performs};

/// Where the server keeps what remains of calls.
pub(super) struct Kept {
    pub(super) database_url: String,
    pub(super) spool: PathBuf,
    pub(super) audit: PathBuf,
}

impl Kept {
    /// In a folder of the demonstration's own.
    pub(super) fn below(folder: &Path) -> Self {
        Self {
            database_url: format!("sqlite://{}", folder.join("calls.db").display()),
            spool: folder.join("spool"),
            audit: folder.join("audit"),
        }
    }
}

/// Where everybody listens. Prints as a small table.
pub(super) struct Addresses {
    pub(super) server: SocketAddr,
    pub(super) twilio: SocketAddr,
    pub(super) deepgram: SocketAddr,
    pub(super) middleware: SocketAddr,
    /// The token of the operators' interface. It is drawn anew at every start.
    pub(super) operator: String,
}

impl Addresses {
    /// Where the operators' interface is.
    pub(super) fn api(&self) -> String {
        format!("http://{}{}", self.server, api::PATH)
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "server      http://{}", self.server)?;
        writeln!(f, "twilio      http://{} (stand-in)", self.twilio)?;
        writeln!(f, "deepgram    ws://{} (stand-in)", self.deepgram)?;
        writeln!(f, "middleware  http://{} (stand-in)", self.middleware)?;
        write!(f, "operators   {} (token {})", self.api(), self.operator)
    }
}

/// The keys that server and stand-ins share, drawn anew at every start.
pub(super) struct Keys {
    pub(super) account: Sid,
    pub(super) auth_token: String,
    pub(super) deepgram: String,
    pub(super) middleware: String,
    pub(super) operator: String,
}

impl Keys {
    pub(super) fn new() -> Self {
        let key = || Uuid::new_v4().simple().to_string();
        Self {
            account: sid("AC"),
            auth_token: key(),
            deepgram: key(),
            middleware: key(),
            operator: key(),
        }
    }
}

/// A name for a call that no other call has.
pub(super) fn new_call() -> Sid {
    sid("CA")
}

fn sid(kind: &str) -> Sid {
    Sid::parse(&format!("{kind}{}", Uuid::new_v4().simple()))
        .expect("a UUID is 32 hexadecimal digits")
}

/// Where the server listens. Where the carrier does not always read, the kernel keeps little of what is
/// sent to it, as if the carrier were near: else it takes seconds until anything is noticed.
pub(super) fn listener(scenario: &Scenario) -> anyhow::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    let blocks = |fault: &Fault| matches!(fault, Fault::CarrierBlocks { .. });
    if scenario.faults.iter().any(blocks) {
        socket.set_send_buffer_size(SMALL)?;
    }
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    Ok(socket.listen(BACKLOG)?)
}

const SMALL: u32 = 2_048;

const BACKLOG: u32 = 1_024;

/// The server's configuration: that of production, with other addresses.
pub(super) fn config(
    scenario: &Scenario,
    addresses: &Addresses,
    keys: Keys,
    kept: Kept,
) -> anyhow::Result<Config> {
    let mut company = scenario.company.clone();
    company.functions.retain(|name| performs(name));
    // Which language a call begins in is the company's.
    company.language = scenario.language;
    let tenant = Tenant::new(company).context("the scenario's company is not sound")?;
    let public_url = PublicUrl::parse(&format!("http://{}", addresses.server))
        .context("a loopback address is a public URL")?;
    let operators = Operators::parse(&format!("demo:operate:{}", keys.operator)).ok();
    Ok(Config {
        listen: addresses.server,
        metrics: None,
        public_url,
        database_url: kept.database_url.into(),
        spool: kept.spool,
        audit: kept.audit,
        twilio: config::Twilio {
            account: keys.account,
            auth_tokens: vec![SecretString::from(keys.auth_token)],
            api_url: format!("http://{}", addresses.twilio),
            media_hosts: Vec::new(),
        },
        deepgram: config::Deepgram {
            api_key: SecretString::from(keys.deepgram),
            agent_url: format!("ws://{}{AGENT_PATH}", addresses.deepgram),
            speak_url: format!("http://{}", addresses.deepgram),
            read_url: format!("http://{}", addresses.deepgram),
        },
        middleware: config::Middleware {
            url: format!("http://{}", addresses.middleware),
            api_key: SecretString::from(keys.middleware),
        },
        companies: vec![tenant],
        operators: operators.context("a UUID is a sound secret")?,
        calls_max: 1_000,
        log_format: LogFormat::Text,
        collector: None,
        fingerprint_key: Uuid::new_v4().into_bytes().repeat(2).into(),
        data_keys: None,
        start_limit: config::START_LIMIT,
        token_life: config::TOKEN_LIFE,
        drain_limit: config::DRAIN_LIMIT,
        orphan_limit: config::ORPHAN_LIMIT,
    })
}

/// Prints verdicts and record, and where to look further. Whether every verdict held.
pub(super) fn report(placed: &Placed, scenario: &Path, folder: &Path) -> bool {
    println!();
    for verdict in &placed.verdicts {
        println!("{}  {}", if verdict.held { "held  " } else { "FAILED" }, verdict.asked);
    }
    let record = &placed.record;
    println!("\nThe call's record:");
    println!("  call      {}", record.sid);
    if let Some(ended) = &record.ended {
        println!("  lasted    {} ms", ended.duration_ms);
        println!("  ended     {}", ended.reason);
    }
    println!("  steps     {}", placed.steps.len());
    println!("\nWhere to look further:");
    print!("{}", further(&record.sid, scenario, folder));
    held(placed)
}

/// The commands that tell more of a call, to be copied as they stand.
fn further(sid: &str, scenario: &Path, folder: &Path) -> String {
    let Kept { database_url, audit, .. } = Kept::below(folder);
    let (audit, scenario) = (audit.display(), scenario.display());
    let journal = folder.join(sid).with_extension("jsonl");
    let journal = journal.display();
    let server = "cargo run -q -p server --";
    format!(
        "  export DATABASE_URL={database_url}
  {server} calls list                  # which calls there are
  {server} calls story {sid}   # what the caller heard
  {server} calls show {sid}    # its record
  {server} calls export {sid} --file {journal}
  cargo run -q -p sim -- replay {journal}   # the same bytes again?
  {server} audit verify {audit}   # was anything changed?
  cargo run -q -p sim -- {scenario}   # the same call in virtual time
"
    )
}

/// Prints a line for one of several calls. Whether every verdict held.
pub(super) fn report_one(number: u16, calls: u16, placed: &Placed) -> bool {
    let Placed { verdicts, record, steps, .. } = placed;
    let held = held(placed);
    let word = if held { "held  " } else { "FAILED" };
    let ended = record.ended.as_ref().map_or("without an end", |ended| ended.reason.as_str());
    let (steps, all) = (steps.len(), verdicts.len());
    let count = verdicts.iter().filter(|verdict| verdict.held).count();
    println!("{word}  call {number} of {calls}: {ended}, {steps} steps, {count} of {all} verdicts");
    held
}

fn held(placed: &Placed) -> bool {
    placed.verdicts.iter().all(|verdict| verdict.held)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::command::{audit, calls};

    #[derive(clap::Parser)]
    #[command(no_binary_name = true)]
    enum Told {
        Calls(calls::Args),
        Audit(audit::Args),
    }

    #[test]
    fn the_commands_that_are_told_can_be_given_as_they_stand() {
        let told = further("CA1", Path::new("scenarios/hours.ron"), Path::new("/tmp/offhook-demo"));
        let of_server = told.lines().filter_map(|line| line.split_once("-p server -- "));
        let mut how_many = 0;
        for (_, words) in of_server {
            let words = words.split('#').next().unwrap_or_default().split_whitespace();
            let command = Told::try_parse_from(words.clone());
            assert!(command.is_ok(), "{words:?}: {:?}", command.err());
            how_many += 1;
        }
        assert_eq!(how_many, 5, "{told}");
        assert!(
            told.contains("export DATABASE_URL=sqlite:///tmp/offhook-demo/calls.db\n"),
            "{told}"
        );
    }
}
