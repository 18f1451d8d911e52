//! `server demo`: the real server, called by stand-ins over real sockets, on this machine alone.
//!
//! The stand-ins speak the providers' protocols; the server is configured with their addresses as
//! it would be with the providers', and does not know the difference.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use call_core::Step;
use call_core::story::Teller;
use call_transports::net;
use call_transports::twilio::Sid;
use sim::Scenario;
use sim::cast::agent::Doing;
use sim::faults::Fault;
use sim::scenario::Expectation;
use sim::verdict::{Known, Verdict, judge};
use standin::twilio::Number;
use standin::{Operator, Twilio};
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::app::{self, App};
use crate::company;
use crate::config::{self, Config, LogFormat, PublicUrl};
use crate::store::{CallRecord, Recording};

mod stage;

use stage::{Addresses, Kept};

/// What the demonstration is to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The call to place
    #[arg(long, value_name = "FILE", default_value = "scenarios/late_payment.ron")]
    scenario: PathBuf,

    /// Place so many calls at once; the story of the first is told
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1_000))]
    calls: u16,

    /// End after the calls, with status 0 if every verdict held and 1 if not
    #[arg(long)]
    once: bool,
}

/// A server, its stand-ins, and the scenario they follow.
pub struct Demo {
    app: App,
    scenario: Arc<Scenario>,
    twilio: Twilio,
    operator: Operator,
    addresses: Addresses,
    stop: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

/// A call that was placed over real sockets.
#[derive(Debug)]
pub struct Placed {
    /// The journal, as the store keeps it.
    pub steps: Vec<Step>,
    /// The judgements.
    pub verdicts: Vec<Verdict>,
    /// The call's record.
    pub record: CallRecord,
    /// Its recordings, as the carrier has told of them.
    pub recordings: Vec<Recording>,
}

impl Demo {
    /// Starts everything on loopback addresses of its own.
    ///
    /// # Errors
    /// When a listener or the store cannot be opened.
    pub async fn start(scenario: Arc<Scenario>, database_url: &str) -> anyhow::Result<Self> {
        let temporary = std::env::temp_dir();
        let kept = Kept {
            database_url: database_url.to_owned(),
            spool: temporary.join("offhook-demo-spool"),
            audit: temporary.join("offhook-demo-audit"),
        };
        Self::start_with(scenario, kept).await
    }

    async fn start_with(scenario: Arc<Scenario>, kept: Kept) -> anyhow::Result<Self> {
        net::install_crypto();
        let keys = stage::Keys::new();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let twilio = Twilio::new(keys.account.clone(), &keys.auth_token, http.clone());
        let listener = stage::listener(&scenario)?;
        let addresses = Addresses {
            server: listener.local_addr()?,
            operator: keys.operator.clone(),
            twilio: serve(twilio.router()).await?,
            deepgram: serve(standin::Deepgram::new(Arc::clone(&scenario), &keys.deepgram).router())
                .await?,
            middleware: serve(
                standin::Middleware::new(Arc::clone(&scenario), &keys.middleware).router(),
            )
            .await?,
        };
        let operator = Operator::new(http, addresses.api(), keys.operator.clone().into());
        let config = stage::config(&scenario, &addresses, keys, kept)?;
        let app = App::new(config).await?;
        let stop = CancellationToken::new();
        let shutdown = stop.clone().cancelled_owned();
        let serving = tokio::spawn(app::serve(app.clone(), listener, shutdown));
        Ok(Self { app, scenario, twilio, operator, addresses, stop, serving })
    }

    /// The server.
    pub fn server(&self) -> &App {
        &self.app
    }

    /// The stand-in for the carrier.
    pub fn carrier(&self) -> &Twilio {
        &self.twilio
    }

    /// Places one call, tells every step as it happens, and waits for the record.
    ///
    /// # Errors
    /// When the server does not take the call, or leaves no record of it.
    pub async fn call(&self, mut tell: impl FnMut(&Step)) -> anyhow::Result<Placed> {
        let sid = stage::new_call();
        let mut steps = self.app.watch().subscribe();
        let public = &self.app.config().public_url;
        let number = Number {
            voice: public.of("/twilio/inbound_call"),
            status: Some(public.of("/twilio/call-status")),
        };
        let (twilio, scenario, call) = (self.twilio.clone(), self.scenario.clone(), sid.clone());
        // In a task of its own, so that many calls do not wait for each other.
        let mut placing = tokio::spawn(async move { twilio.call(&call, &number, &scenario).await });
        let mut operator = None;
        let outcome = loop {
            tokio::select! {
                outcome = &mut placing => break outcome??,
                step = steps.recv() => match step {
                    Ok((call, step)) if call == sid.as_str() => {
                        operator.get_or_insert_with(|| self.attend(sid.clone()));
                        tell(&step);
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => anyhow::bail!("the server is gone"),
                },
            }
        };
        // One who still waits has come too late.
        if let Some(operator) = operator.filter(AbortOnDropHandle::is_finished) {
            operator.await?.context("the operator")?;
        }
        while let Ok((call, step)) = steps.try_recv() {
            if call == sid.as_str() {
                tell(&step);
            }
        }
        let record = self.record(&sid).await?;
        let steps = self.app.store().journal(sid.as_str()).await?;
        let recordings = self.app.store().recordings(sid.as_str()).await?;
        let carrier = outcome.carrier.context("no stream was opened for the call")?;
        let status = self.app.tokens().status(&sid).map(|status| status.as_str().to_owned());
        // The stand-ins accept no writes.
        let status = status.as_deref().unwrap_or_default();
        let known = Known { carrier: &carrier, written: 0, status, told: &[] };
        let verdicts = judge(&steps, &self.scenario.expect, &known);
        Ok(Placed { steps, verdicts, record, recordings })
    }

    /// Lets the operator do what the scenario says to a call that begins now.
    fn attend(&self, call: Sid) -> AbortOnDropHandle<anyhow::Result<()>> {
        let (operator, deeds) = (self.operator.clone(), self.scenario.operator.clone());
        AbortOnDropHandle::new(tokio::spawn(async move { operator.attend(&call, deeds).await }))
    }

    /// The call's record, once it is closed.
    async fn record(&self, sid: &Sid) -> anyhow::Result<CallRecord> {
        let patience = Instant::now() + RECORD_LIMIT;
        loop {
            let record = self.app.store().call(sid.as_str()).await?;
            match record {
                Some(record) if record.ended.is_some() => return Ok(record),
                _ if Instant::now() > patience => anyhow::bail!("the call has no closed record"),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Ends the server in order.
    ///
    /// # Errors
    /// When the server failed.
    pub async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.serving.await?
    }
}

/// Why a scenario cannot be played over sockets; nothing if it can.
///
/// Its company may offer functions that the server cannot run, as long as nobody asks for them: they
/// are left out then.
pub fn unplayable(scenario: &Scenario) -> Option<String> {
    if scenario.expect.iter().any(|asked| matches!(asked, Expectation::AgentTold(_))) {
        return Some("it asks what the agent was told, which only the simulator knows".to_owned());
    }
    let asked = scenario.script.iter().flat_map(|reply| &reply.does);
    let unserved = asked.flat_map(|doing| match doing {
        Doing::Calls(calls) => &calls[..],
        Doing::Says(_) | Doing::Injected(_) => &[],
    });
    let mut unserved = unserved
        .map(|call| &call.name)
        .filter(|name| scenario.company.functions.contains(*name) && !company::performs(name));
    unserved.next().map(|name| format!("its agent asks for {name}, which no server can run yet"))
}

/// Why a scenario cannot be played by several calls at once; nothing if it can.
fn is_for_one(scenario: &Scenario) -> Option<&'static str> {
    let nameless =
        |fault: &Fault| matches!(fault, Fault::AgentRefuses { .. } | Fault::SpeakFails { .. });
    scenario.faults.iter().any(nameless).then_some(
        "sessions are refused in it, or lines fail, and such requests do not say for which call",
    )
}

/// Shows a call, or the first of several, and unless only that is wanted stays for whoever wants to
/// look around.
///
/// # Errors
/// When something does not start, or a call cannot be placed.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let scenario = match Scenario::load(&args.scenario) {
        Ok(scenario) => Arc::new(scenario),
        Err(problem) => {
            eprintln!("{:?}", miette::Report::new(*problem));
            return Ok(ExitCode::from(2));
        }
    };
    let several = (args.calls > 1).then(|| is_for_one(&scenario)).flatten();
    if let Some(why) = unplayable(&scenario).or(several.map(str::to_owned)) {
        eprintln!("error: {} cannot be played like this: {why}", args.scenario.display());
        return Ok(ExitCode::from(2));
    }
    let folder = std::env::temp_dir().join("offhook-demo");
    // Each demonstration begins with nothing; the last one may have been of another version.
    let _ = std::fs::remove_dir_all(&folder);
    DirBuilder::new().mode(0o700).create(&folder).context("the folder of the demonstration")?;
    let demo = Demo::start_with(Arc::clone(&scenario), Kept::below(&folder)).await?;
    println!("{}", demo.addresses);
    println!("\n# {}\n", scenario.title);
    let mut teller = Teller::default();
    let first = demo.call(|step| {
        for line in teller.tell(step) {
            println!("{line}");
        }
    });
    let others = (1..args.calls).map(|_| demo.call(|_| {}));
    let (first, others) = futures::join!(first, futures::future::join_all(others));
    let mut held = stage::report(&first?, &args.scenario, &folder);
    for (number, placed) in (2..).zip(others) {
        held &= stage::report_one(number, args.calls, &placed?);
    }
    if !args.once {
        println!("\nThe server is still there; Ctrl-C ends it.");
        app::shutdown_signal().await;
    }
    demo.end().await?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Serves a stand-in on an address of its own.
async fn serve(router: Router) -> anyhow::Result<std::net::SocketAddr> {
    use axum::serve::ListenerExt as _;
    let listener = TcpListener::bind(LOOPBACK).await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| {
        // Without it frames would only be late, which the story would show.
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

const LOOPBACK: &str = "127.0.0.1:0";

/// A call whose caller is gone goes on here until nothing that could come back can: longest for tones.
const RECORD_LIMIT: Duration = Duration::from_secs(45);
