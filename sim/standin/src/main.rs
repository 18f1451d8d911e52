//! `standin`: fake providers as commands.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use call_transports::twilio::Sid;
use clap::{Args, Parser, Subcommand};
use sim::Scenario;
use standin::twilio::{Number, RecordingMisdeed};
use standin::{Deepgram, Middleware, Twilio};
use tokio::net::TcpListener;

/// Fake Twilio, Deepgram and middleware that follow a scenario file, for trying any voice server
/// without the real ones.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    who: Who,
}

#[derive(Debug, Subcommand)]
enum Who {
    /// Places one call to a voice webhook, and serves the REST interface meanwhile.
    Twilio {
        #[command(flatten)]
        common: Common,
        /// The voice webhook of the number that is called.
        #[arg(long, default_value = "http://127.0.0.1:8080/twilio/inbound_call")]
        webhook: String,
        /// Who is told when the call is over; nobody, if this is left out.
        #[arg(long, value_name = "URL")]
        status_callback: Option<String>,
        /// What goes wrong with a recording; nothing, if this is left out.
        #[arg(long, value_name = "MISDEED")]
        recording_misdeed: Option<RecordingMisdeed>,
        /// The account's SID: AC and 32 hexadecimal digits.
        #[arg(long, env = "TWILIO_ACCOUNT_SID")]
        account_sid: String,
        /// The account's auth token.
        #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true)]
        auth_token: String,
    },
    /// Serves the Voice Agent's WebSocket and the text-to-speech endpoint.
    Deepgram {
        #[command(flatten)]
        common: Common,
        /// The API key that clients must have.
        #[arg(long, env = "DEEPGRAM_API_KEY", hide_env_values = true)]
        api_key: String,
    },
    /// Serves the company's middleware.
    Middleware {
        #[command(flatten)]
        common: Common,
        /// The key that clients must have.
        #[arg(long, env = "MIDDLEWARE_API_KEY", hide_env_values = true)]
        api_key: String,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// The scenario to follow.
    #[arg(long, default_value = "scenarios/late_payment.ron")]
    scenario: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

impl Common {
    async fn open(&self) -> anyhow::Result<(Arc<Scenario>, TcpListener)> {
        let scenario =
            Scenario::load(&self.scenario).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        println!("listening on {}", listener.local_addr()?);
        Ok((Arc::new(scenario), listener))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().who).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(who: Who) -> anyhow::Result<()> {
    match who {
        Who::Deepgram { common, api_key } => {
            let (scenario, listener) = common.open().await?;
            axum::serve(listener, Deepgram::new(scenario, &api_key).router()).await?;
        }
        Who::Middleware { common, api_key } => {
            let (scenario, listener) = common.open().await?;
            axum::serve(listener, Middleware::new(scenario, &api_key).router()).await?;
        }
        Who::Twilio {
            common,
            webhook,
            status_callback,
            recording_misdeed,
            account_sid,
            auth_token,
        } => {
            let (scenario, listener) = common.open().await?;
            let account = Sid::parse(&account_sid)
                .context("the account SID must be AC and 32 hexadecimal digits")?;
            let call = Sid::parse("CA00000000000000000000000000000001").context("a sound SID")?;
            call_transports::net::install_crypto();
            let twilio = Twilio::new(account, &auth_token, reqwest::Client::new());
            if let Some(misdeed) = recording_misdeed {
                twilio.misbehave(misdeed);
            }
            tokio::spawn(axum::serve(listener, twilio.router()).into_future());
            let number = Number { voice: webhook, status: status_callback };
            let outcome = twilio.call(&call, &number, &scenario).await?;
            println!("the call is over; it ran: {:?}", outcome.verbs);
        }
    }
    Ok(())
}
