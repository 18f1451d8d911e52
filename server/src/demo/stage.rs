//! What the demonstration is set up with: addresses, keys, configuration; and what it reports.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use call_transports::deepgram::AGENT_PATH;
use call_transports::twilio::Sid;
use secrecy::SecretString;
use sim::Scenario;
use uuid::Uuid;

use super::{Config, LogFormat, Placed, PublicUrl, config};
use crate::company::Tenant;

/// Where everybody listens. Prints as a small table.
pub(super) struct Addresses {
    pub(super) server: SocketAddr,
    pub(super) twilio: SocketAddr,
    pub(super) deepgram: SocketAddr,
    pub(super) middleware: SocketAddr,
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "server      http://{}", self.server)?;
        writeln!(f, "twilio      http://{} (stand-in)", self.twilio)?;
        writeln!(f, "deepgram    ws://{} (stand-in)", self.deepgram)?;
        write!(f, "middleware  http://{} (stand-in)", self.middleware)
    }
}

/// The keys that server and stand-ins share, drawn anew at every start.
pub(super) struct Keys {
    pub(super) account: Sid,
    pub(super) auth_token: String,
    pub(super) deepgram: String,
    pub(super) middleware: String,
}

impl Keys {
    pub(super) fn new() -> Self {
        let key = || Uuid::new_v4().simple().to_string();
        Self { account: sid("AC"), auth_token: key(), deepgram: key(), middleware: key() }
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

/// The server's configuration: that of production, with other addresses.
pub(super) fn config(
    scenario: &Scenario,
    addresses: &Addresses,
    keys: Keys,
    database_url: &str,
) -> anyhow::Result<Config> {
    let tenant =
        Tenant::new(scenario.company.clone()).context("the scenario's company is not sound")?;
    let public_url = PublicUrl::parse(&format!("http://{}", addresses.server))
        .context("a loopback address is a public URL")?;
    Ok(Config {
        listen: addresses.server,
        metrics: None,
        public_url,
        database_url: database_url.to_owned(),
        twilio: config::Twilio {
            account: keys.account,
            auth_tokens: vec![SecretString::from(keys.auth_token)],
            api_url: format!("http://{}", addresses.twilio),
        },
        deepgram: config::Deepgram {
            api_key: SecretString::from(keys.deepgram),
            agent_url: format!("ws://{}{AGENT_PATH}", addresses.deepgram),
            speak_url: format!("http://{}", addresses.deepgram),
        },
        middleware: config::Middleware {
            url: format!("http://{}", addresses.middleware),
            api_key: SecretString::from(keys.middleware),
        },
        tenant,
        calls_max: 100,
        log_format: LogFormat::Text,
        fingerprint_key: Uuid::new_v4().into_bytes().repeat(2),
        start_limit: config::START_LIMIT,
        token_life: config::TOKEN_LIFE,
        drain_limit: config::DRAIN_LIMIT,
    })
}

/// Prints verdicts and record. Whether every verdict held.
pub(super) fn report(placed: &Placed, database: &Path) -> bool {
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
    println!("  records   {} (tables call and conversation_log)", database.display());
    println!("  the same call in virtual time: cargo run -p sim scenarios/late_payment.ron");
    placed.verdicts.iter().all(|verdict| verdict.held)
}
