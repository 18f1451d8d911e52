//! The running server: what all requests share, and how it begins and ends.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use call_core::Millis;
use call_core::input::Operator;
use call_transports::net;
use call_transports::twilio::Sid;
use call_transports::twilio::signature::Verifier;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::audit::{self, Audit, Kind};
use crate::call::{Line, News, Services, Watch};
use crate::clips;
use crate::company::registry::{self, Registry};
use crate::company::{Tenant, versions};
use crate::config::Config;
use crate::http;
use crate::metrics::Metrics;
use crate::orphans;
use crate::outbox;
use crate::retention;
use crate::spool::{self, Spool};
use crate::store::{self, Store};
use crate::tokens::{Ending, Tokens};
use crate::unrecorded::{self, Reachable};
use crate::untold;

pub use waiting::open;

mod connections;
mod waiting;

/// Everything that requests share. Cloning is cheap and gives the same one.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: Config,
    store: Store,
    companies: Registry,
    spool: Spool,
    services: Arc<Services>,
    verifier: Verifier,
    tokens: Mutex<Tokens>,
    /// Says that some call ended.
    call_ended: watch::Sender<()>,
    watch: Watch,
    /// Everything that a call owns.
    tasks: TaskTracker,
    draining: AtomicBool,
    /// Cancelled by an operator who wants the server to end.
    ending: CancellationToken,
    /// Cancelled by whoever does not want to wait for the calls.
    hurry: CancellationToken,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The spool cannot be used.
    #[error("SPOOL_DIR: journals cannot be written there")]
    Spool(#[source] io::Error),
    /// The audit log cannot be used.
    #[error("AUDIT_DIR: no audit log can be written there")]
    Audit(#[source] io::Error),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The address that it listens on cannot be shared.
    #[error("LISTEN_ADDR: cannot be listened on")]
    Listener(#[source] io::Error),
    /// The companies of the configuration cannot be imported, or not be activated.
    #[error("COMPANY_FILE: its companies cannot be served")]
    Companies(#[source] versions::Error),
    /// A provider cannot be asked with what was configured.
    #[error(transparent)]
    Provider(#[from] net::Error),
    /// Calls that may be real would leave nothing behind.
    #[error(transparent)]
    Unrecorded(#[from] Reachable),
}

impl App {
    /// Opens the store and makes the clients of the providers. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn new(config: Config) -> Result<Self, Error> {
        net::install_crypto();
        unrecorded::check(&config.public_url)?;
        let store = Store::open(config.database_url.expose_secret()).await?;
        versions::start_with(&store, &config.companies).await.map_err(Error::Companies)?;
        let companies = Registry::load(&store).await?;
        for stranger in config.operators.strangers(&store.company_names().await?) {
            warn!("OPERATOR_TOKENS: {stranger}");
        }
        if companies.companies().is_empty() {
            warn!("no company is active: every call is declined until one is");
        }
        if config.data_keys.is_none() {
            warn!(
                "DATA_KEYS is not set: callers' numbers are kept masked only, and calls are not found by them"
            );
        }
        let spool = Spool::open(&config.spool).map_err(Error::Spool)?;
        let audit = Audit::open(&config.audit).map_err(Error::Audit)?;
        let services = Arc::new(services(&config, audit)?);
        services.metrics.companies(&companies);
        let left = store.unended().await?.len();
        if left > 0 {
            warn!(calls = left, "the store holds calls without an end; the carrier will be asked");
        }
        let auth_tokens = config.twilio.auth_tokens.iter();
        Ok(Self(Arc::new(Inner {
            verifier: Verifier::new(auth_tokens.map(ExposeSecret::expose_secret)),
            tokens: Mutex::new(Tokens::new(config.calls_max, config.token_life)),
            call_ended: watch::Sender::new(()),
            watch: broadcast::Sender::new(STEPS_KEPT),
            tasks: TaskTracker::new(),
            draining: AtomicBool::new(false),
            ending: CancellationToken::new(),
            hurry: CancellationToken::new(),
            config,
            store,
            companies,
            spool,
            services,
        })))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The records of all calls.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The companies that are served.
    pub fn companies(&self) -> &Registry {
        &self.0.companies
    }

    /// The journals that are not in the store yet.
    pub fn spool(&self) -> &Spool {
        &self.0.spool
    }

    /// What is put on record for good. Operators' actions and changes of the configuration belong there.
    pub fn audit(&self) -> &Audit {
        &self.0.services.audit
    }

    /// The steps of all calls as they happen. Subscribe before a call begins to miss nothing.
    pub fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.services.metrics
    }

    /// How many calls are going on.
    pub fn live(&self) -> usize {
        self.tokens().live()
    }

    /// Whether the server has been told to end and takes no new calls.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Has our own lines spoken ahead of calls, of all companies. Nothing waits for it.
    pub async fn prepare_lines(&self) {
        for listed in self.companies().companies() {
            self.prepare_lines_of(&listed.tenant).await;
        }
    }

    /// The same for one company.
    pub(crate) async fn prepare_lines_of(&self, tenant: &Tenant) {
        clips::prepare_all(&self.0.services.speaker, tenant).await;
    }

    /// Everything outside that calls make use of.
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.0.services)
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// The calls and their tokens. A panic elsewhere leaves them whole: no change to them panics
    /// half way.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn call_is_over(&self, call: &Sid, ending: Ending) {
        self.tokens().end(call, ending, Instant::now());
        self.0.call_ended.send_replace(());
    }

    /// How a call ended, waiting for its end a little if it is live. Nothing if it did not end, or
    /// is not known.
    pub(crate) async fn ending(&self, call: &Sid, patience: Duration) -> Option<Ending> {
        let mut ended = self.0.call_ended.subscribe();
        let over = async {
            while self.tokens().is_live(call) {
                if ended.changed().await.is_err() {
                    break;
                }
            }
        };
        // Whether it ended in time is read below.
        let _ = timeout(patience, over).await;
        self.tokens().ending(call)
    }

    /// Lets the server end, as a signal does.
    pub fn end(&self) {
        self.0.ending.cancel();
    }

    /// Ready once [`end`](Self::end) was called.
    pub async fn asked_to_end(&self) {
        self.0.ending.cancelled().await;
    }

    /// Has the calls that still go on handed to a person or told goodbye now, once the server is asked
    /// to end.
    pub fn hurry(&self) {
        self.0.hurry.cancel();
    }

    /// Takes no new calls and waits for those that are going on. Each is told how long it may, and says
    /// its goodbye in time.
    async fn drain(&self) {
        let limit = self.config().drain_limit;
        self.0.draining.store(true, Ordering::Relaxed);
        self.0.tasks.close();
        self.tell_calls(limit);
        info!(calls = self.live(), "no new calls; those that are going on may end");
        let over = timeout(limit, self.all_over());
        let hurried = async {
            self.0.hurry.cancelled().await;
            self.tell_calls(HURRY);
            info!(calls = self.live(), "calls are handed over or end now");
            tokio::time::sleep(HURRY).await;
        };
        let is_over = tokio::select! {
            over = over => over.is_ok(),
            () = hurried => false,
        };
        if !is_over {
            let (live, dialling) = (self.live(), self.tokens().dialling());
            if dialling > 0 {
                // Their documents are with the carrier, and need nobody here.
                warn!(
                    calls = dialling,
                    "calls go on at the carrier, which calls a person for them"
                );
            }
            if live > dialling {
                let calls = live - dialling;
                error!(calls, "calls are cut off, because they took too long to end");
            }
        }
    }

    /// Ready when no call goes on, and none is about to begin that was told to.
    async fn all_over(&self) {
        loop {
            self.0.tasks.wait().await;
            if !self.tokens().expects_a_stream(Instant::now()) {
                return;
            }
            tokio::time::sleep(EXPECTING).await;
        }
    }

    /// Tells every call that it may go on for so long.
    fn tell_calls(&self, within: Duration) {
        for line in self.tokens().lines() {
            tell_to_drain(&line, within);
        }
    }

    /// Tells a call that begins while the server ends, as far as it is.
    pub(crate) fn tell_if_draining(&self, line: &Line) {
        if self.is_draining() {
            let is_hurried = self.0.hurry.is_cancelled();
            tell_to_drain(line, if is_hurried { HURRY } else { self.config().drain_limit });
        }
    }
}

/// Serves until `shutdown`, or until an operator wants the server to end. Then the calls that are going
/// on may end, up to the configured limit; while they do, their webhooks are still answered and new
/// calls hear an apology.
///
/// # Errors
/// None now; a way of serving that can fail would tell so.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    begin_audit(&app);
    let router = http::router(app.clone());
    let serving = connections::serve(listener, router, connections::HEAD_LIMIT, stop.clone());
    let ending = async {
        tokio::select! {
            () = shutdown => {}
            () = app.asked_to_end() => {}
        }
        app.drain().await;
        stop.cancel();
        // Whoever is slow to read an answer now has had its time.
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        () = serving => {}
        () = ending => {}
        () = notice_stalls(app.metrics()) => {}
        () = orphans::beat(&app) => {}
        () = orphans::close(&app) => {}
        () = untold::ask(&app) => {}
        () = retention::follow(&app) => {}
        () = outbox::follow(&app) => {}
        () = registry::follow(&app) => {}
        () = spool::drain(app.spool(), app.store()) => {}
        () = audit::publish(app.audit(), app.store()) => {}
    }
    spool::drain_once(app.spool(), app.store()).await;
    outbox::leave(&app).await;
    app.audit().server_stopped(app.store()).await;
    app.store().close().await;
    Ok(())
}

/// Measures how late a timer is that nothing but a stalled event loop can hold up (F-PR-10). Calls
/// notice a stall only by what comes late to them.
async fn notice_stalls(metrics: &Metrics) {
    loop {
        let due = tokio::time::Instant::now() + LOOK_AT_LOOP;
        tokio::time::sleep_until(due).await;
        metrics.loop_late(due.elapsed());
    }
}

/// Waits until the process is asked to end: Ctrl-C, or SIGTERM where there is such a thing.
pub async fn shutdown_signal() {
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            error!(%error, "Ctrl-C cannot be noticed");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => {
            error!(%error, "SIGTERM cannot be noticed");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Puts on record that this server begins, and what it serves.
fn begin_audit(app: &App) {
    app.audit().server_started();
    for listed in app.companies().companies() {
        app.audit().configuration(Kind::ConfigurationInUse, listed.tenant.company());
    }
}

fn services(config: &Config, audit: Audit) -> Result<Services, net::Error> {
    let Config { twilio, deepgram, middleware, .. } = config;
    let auth_token = twilio.auth_tokens.first().cloned().unwrap_or_default();
    let (account, key) = (twilio.account.clone(), &deepgram.api_key);
    Ok(Services {
        agent: net::AgentConnector::new(&deepgram.agent_url, key.clone())?,
        speaker: net::Speaker::new(&deepgram.speak_url, key.clone())?,
        reader: net::Reader::new(&deepgram.read_url, key.clone())?,
        carrier: net::TwilioRest::new(&twilio.api_url, account, auth_token)?
            .with_sound(net::SoundRules::from_hosts(twilio.media_hosts.clone())),
        middleware: net::Middleware::new(&middleware.url, middleware.api_key.clone())?,
        metrics: Metrics::new(),
        audit,
    })
}

fn tell_to_drain(line: &Line, within: Duration) {
    let within = Millis(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
    // A call that takes no more news is ending.
    let _ = line.try_send(News::Operator(Operator::Drain { within }));
}

/// How long to wait before looking again whether a stream that is expected has come.
const EXPECTING: Duration = Duration::from_millis(100);

/// How long calls take to be handed over or told goodbye, where nobody wants to wait for them.
const HURRY: Duration = Duration::from_secs(15);

/// How many steps a slow watcher may be behind.
const STEPS_KEPT: usize = 1_024;

/// How often the event loop is looked at.
const LOOK_AT_LOOP: Duration = Duration::from_millis(250);

const LAST_ANSWERS: Duration = Duration::from_secs(5);
