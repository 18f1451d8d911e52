//! The configuration: read from flags and the environment, checked whole, and only then used.
//!
//! Everything that is missing or wrong is told at once, each with what it must be and how to mend
//! it, and never with its value: the value may be a secret.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use call_transports::twilio::Sid;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use uuid::Uuid;

use crate::api::Operators;
use crate::company::{self, Tenant};
use crate::sealed::{DataKeys, from_hex};
use crate::store;
use crate::telemetry::HAS_TRACES;

pub use flags::Flags;
pub(crate) use flags::path;
pub use url::PublicUrl;
pub(crate) use url::hosts;

mod flags;
mod url;

/// Everything the server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where it listens for those who count; nowhere if nothing.
    pub metrics: Option<SocketAddr>,
    /// How the world reaches it.
    pub public_url: PublicUrl,
    /// Where the records are kept. May hold a password.
    pub database_url: SecretString,
    /// The folder for journals that are not in the database yet.
    pub spool: PathBuf,
    /// The folder for the audit log.
    pub audit: PathBuf,
    /// The carrier.
    pub twilio: Twilio,
    /// The agent, and the voice of our own lines.
    pub deepgram: Deepgram,
    /// The company's own systems.
    pub middleware: Middleware,
    /// The companies that are imported when the server starts. Those that it serves stand in the
    /// database.
    pub companies: Vec<Tenant>,
    /// Who may use the operators' interface; nobody, and there is none.
    pub operators: Operators,
    /// The most calls at once.
    pub calls_max: usize,
    /// The form of the log.
    pub log_format: LogFormat,
    /// Base URL of the collector that traces go to; they go nowhere if nothing.
    pub collector: Option<String>,
    /// Key of the fingerprints in journals. With another key, equal arguments have other
    /// fingerprints.
    pub fingerprint_key: SecretSlice<u8>,
    /// What callers' numbers are kept sealed with. Without it they are not kept.
    pub data_keys: Option<DataKeys>,
    /// From the opening of a stream's socket until its `start` was checked.
    pub start_limit: Duration,
    /// How long a stream's token may wait for its stream.
    pub token_life: Duration,
    /// How long calls may go on after the server was asked to end.
    pub drain_limit: Duration,
    /// How long a record may have no end although nobody has its call, before the carrier is asked;
    /// and how often it is asked then.
    pub orphan_limit: Duration,
}

/// The carrier's account.
#[derive(Debug, Clone)]
pub struct Twilio {
    /// The account.
    pub account: Sid,
    /// The account's auth tokens. Requests signed with any of them are believed; our own requests
    /// use the first.
    pub auth_tokens: Vec<SecretString>,
    /// Base URL of the REST interface.
    pub api_url: String,
    /// Where the sound of recordings may lie besides: hosts, perhaps with ports.
    pub media_hosts: Vec<String>,
}

/// The agent's provider.
#[derive(Debug, Clone)]
pub struct Deepgram {
    /// The key.
    pub api_key: SecretString,
    /// URL of the agent's WebSocket.
    pub agent_url: String,
    /// Base URL of the speech interface.
    pub speak_url: String,
    /// Base URL of the interface that sums up texts.
    pub read_url: String,
}

/// The company's middleware.
#[derive(Debug, Clone)]
pub struct Middleware {
    /// Base URL.
    pub url: String,
    /// The key.
    pub api_key: SecretString,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object in a line, for programs.
    Json,
}

/// One thing wrong with the configuration. Prints the variable, what it must be and how to mend
/// it, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable in the environment; the flag has the same name in small letters.
    pub variable: &'static str,
    /// Whether it is missing or wrong, and what it must be.
    pub problem: String,
    /// How to mend it.
    pub mend: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}. {}", self.variable, self.problem, self.mend)
    }
}

/// Everything wrong with the configuration. Prints one fault on each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// How long a stream may take to begin.
pub const START_LIMIT: Duration = Duration::from_secs(5);

/// How long a token may wait for its stream.
pub const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// How long calls may go on after the server was asked to end.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(300);

/// T_ORPHAN: how long a record without an end may be nobody's.
pub const ORPHAN_LIMIT: Duration = Duration::from_secs(300);

/// The folder for the audit log where none is named.
pub const AUDIT_DIR: &str = "offhook-audit";

impl Config {
    /// Checks the flags, and reads the company file that they name.
    ///
    /// # Errors
    /// [`Faults`] holds everything that is missing or wrong.
    pub fn read(flags: &Flags) -> Result<Self, Faults> {
        let mut check = Check { faults: Vec::new() };
        let listen = check.listen(flags.listen_addr.as_deref());
        let metrics = check.metrics(flags.metrics_addr.as_deref(), listen);
        let public_url = check.public_url(flags.public_url.as_deref());
        let database_url = check.database_url(flags.database_url.as_ref());
        let account = check.account(flags.twilio_account_sid.as_deref());
        let auth_tokens = check.auth_tokens(flags.twilio_auth_token.as_ref());
        let api_url =
            check.url("TWILIO_API_URL", flags.twilio_api_url.as_deref(), Some(TWILIO_API_URL));
        let media_hosts = check.media_hosts(flags.twilio_media_hosts.as_deref());
        let api_key = check.key("DEEPGRAM_API_KEY", flags.deepgram_api_key.as_ref());
        let agent_url = check.agent_url(flags.deepgram_agent_url.as_deref());
        let speak_url = flags.deepgram_speak_url.as_deref();
        let speak_url = check.url("DEEPGRAM_SPEAK_URL", speak_url, Some(DEEPGRAM_SPEAK_URL));
        let read_url = flags.deepgram_read_url.as_deref();
        let read_url = check.url("DEEPGRAM_READ_URL", read_url, Some(DEEPGRAM_READ_URL));
        let middleware_url = check.url("MIDDLEWARE_URL", flags.middleware_url.as_deref(), None);
        let middleware_key = check.key("MIDDLEWARE_API_KEY", flags.middleware_api_key.as_ref());
        let companies = check.companies(flags.company_file.as_deref());
        let operators = check.operators(flags.operator_tokens.as_ref());
        let calls_max = check.calls_max(flags.max_calls.as_deref());
        let log_format = check.log_format(flags.log_format.as_deref());
        let collector = check.collector(flags.otel_exporter_otlp_endpoint.as_deref());
        let fingerprint_key = check.fingerprint_key(flags.fingerprint_key.as_ref());
        let data_keys = check.data_keys(flags.data_keys.as_ref());
        let whole = || {
            Some(Self {
                listen: listen?,
                metrics: metrics?,
                public_url: public_url?,
                database_url: database_url?,
                spool: folder(flags.spool_dir.as_deref(), SPOOL_DIR),
                audit: folder(flags.audit_dir.as_deref(), AUDIT_DIR),
                twilio: Twilio {
                    account: account?,
                    auth_tokens: auth_tokens?,
                    api_url: api_url?,
                    media_hosts: media_hosts?,
                },
                deepgram: Deepgram {
                    api_key: api_key?,
                    agent_url: agent_url?,
                    speak_url: speak_url?,
                    read_url: read_url?,
                },
                middleware: Middleware { url: middleware_url?, api_key: middleware_key? },
                companies: companies?,
                operators: operators?,
                calls_max: calls_max?,
                log_format: log_format?,
                collector: collector?,
                fingerprint_key: fingerprint_key?.into(),
                data_keys: data_keys?,
                start_limit: START_LIMIT,
                token_life: TOKEN_LIFE,
                drain_limit: DRAIN_LIMIT,
                orphan_limit: ORPHAN_LIMIT,
            })
        };
        whole().ok_or(Faults(check.faults))
    }
}

/// An empty name counts as none.
fn folder(given: Option<&Path>, default: &str) -> PathBuf {
    let given = given.filter(|folder| !folder.as_os_str().is_empty());
    given.unwrap_or(Path::new(default)).to_owned()
}

/// Whatever is wrong is written down here, and the reading goes on.
struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn fault<T>(&mut self, variable: &'static str, problem: String) -> Option<T> {
        let (_, mend) = flags::about(variable);
        self.faults.push(Fault { variable, problem, mend });
        None
    }

    fn missing<T>(&mut self, variable: &'static str) -> Option<T> {
        let (must, _) = flags::about(variable);
        self.fault(variable, format!("is not set; it {must}"))
    }

    /// What was made of a value; if nothing, the value is wrong.
    fn right<T>(&mut self, variable: &'static str, value: Option<T>) -> Option<T> {
        let (must, _) = flags::about(variable);
        value.or_else(|| self.fault(variable, must.to_owned()))
    }

    /// The value that was given, or the default. An empty one counts as none.
    fn given<'a>(
        &mut self,
        variable: &'static str,
        value: Option<&'a str>,
        default: Option<&'a str>,
    ) -> Option<&'a str> {
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        value.or(default).or_else(|| self.missing(variable))
    }

    fn listen(&mut self, value: Option<&str>) -> Option<SocketAddr> {
        let value = self.given("LISTEN_ADDR", value, Some(LISTEN_ADDR))?;
        self.right("LISTEN_ADDR", value.parse().ok())
    }

    /// None is a choice; the address that the world comes in by is a mistake.
    fn metrics(
        &mut self,
        value: Option<&str>,
        listen: Option<SocketAddr>,
    ) -> Option<Option<SocketAddr>> {
        match value.map(str::trim).filter(|value| !value.is_empty()) {
            None => Some(None),
            Some(value) => {
                let address = value.parse().ok().filter(|address| Some(*address) != listen);
                self.right("METRICS_ADDR", address).map(Some)
            }
        }
    }

    fn public_url(&mut self, value: Option<&str>) -> Option<PublicUrl> {
        let value = self.given("PUBLIC_URL", value, None)?;
        self.right("PUBLIC_URL", PublicUrl::parse(value))
    }

    fn database_url(&mut self, value: Option<&SecretString>) -> Option<SecretString> {
        let value = value.map(ExposeSecret::expose_secret);
        let value = self.given("DATABASE_URL", value, Some(DATABASE_URL))?;
        self.right("DATABASE_URL", store::is_address(value).then(|| value.into()))
    }

    fn account(&mut self, value: Option<&str>) -> Option<Sid> {
        let value = self.given("TWILIO_ACCOUNT_SID", value, None)?;
        self.right("TWILIO_ACCOUNT_SID", Sid::parse(value).filter(|sid| sid.kind() == "AC"))
    }

    fn auth_tokens(&mut self, value: Option<&SecretString>) -> Option<Vec<SecretString>> {
        let value = value.map(ExposeSecret::expose_secret);
        let value = self.given("TWILIO_AUTH_TOKEN", value, None)?;
        let token = |text: &str| is_key(text.trim()).then(|| SecretString::from(text.trim()));
        self.right("TWILIO_AUTH_TOKEN", value.split(',').map(token).collect())
    }

    fn key(
        &mut self,
        variable: &'static str,
        value: Option<&SecretString>,
    ) -> Option<SecretString> {
        let value = value.map(ExposeSecret::expose_secret);
        let value = self.given(variable, value, None)?;
        self.right(variable, is_key(value).then(|| value.into()))
    }

    fn url(
        &mut self,
        variable: &'static str,
        value: Option<&str>,
        default: Option<&str>,
    ) -> Option<String> {
        let value = self.given(variable, value, default)?;
        let url = url::secure(value, "https", "http");
        self.right(variable, url.map(|url| url.trim_end_matches('/').to_owned()))
    }

    /// None is a choice.
    fn media_hosts(&mut self, value: Option<&str>) -> Option<Vec<String>> {
        match value.map(str::trim).filter(|value| !value.is_empty()) {
            None => Some(Vec::new()),
            Some(value) => self.right("TWILIO_MEDIA_HOSTS", hosts(value)),
        }
    }

    fn agent_url(&mut self, value: Option<&str>) -> Option<String> {
        let value = self.given("DEEPGRAM_AGENT_URL", value, Some(DEEPGRAM_AGENT_URL))?;
        let url = url::secure(value, "wss", "ws");
        self.right("DEEPGRAM_AGENT_URL", url.map(str::to_owned))
    }

    /// None is a choice: the companies that are active in the database are served.
    fn companies(&mut self, value: Option<&Path>) -> Option<Vec<Tenant>> {
        let value = value.filter(|path| !path.as_os_str().is_empty());
        let Some(path) = value else { return Some(Vec::new()) };
        match company::load(path) {
            Ok(tenants) => Some(tenants),
            Err(errors) => {
                // Each mistake is a line of its own, so that none hides behind another.
                self.faults.extend(errors.0.iter().map(|error| Fault {
                    variable: "COMPANY_FILE",
                    problem: format!("names a faulty file: {error}"),
                    mend: "Mend it there; scenarios/companies/acme.toml is a sound one.",
                }));
                None
            }
        }
    }

    /// None is a choice.
    fn operators(&mut self, value: Option<&SecretString>) -> Option<Operators> {
        let value = value.map(|value| value.expose_secret().trim()).unwrap_or_default();
        if value.is_empty() {
            return Some(Operators::default());
        }
        match Operators::parse(value) {
            Ok(operators) => Some(operators),
            Err(unfit) => self.fault("OPERATOR_TOKENS", format!("is wrong: {unfit}")),
        }
    }

    fn calls_max(&mut self, value: Option<&str>) -> Option<usize> {
        let value = self.given("MAX_CALLS", value, Some(CALLS_MAX))?;
        let number = value.parse().ok().filter(|number| (1..=10_000).contains(number));
        self.right("MAX_CALLS", number)
    }

    fn log_format(&mut self, value: Option<&str>) -> Option<LogFormat> {
        let format = match self.given("LOG_FORMAT", value, Some("text"))? {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        self.right("LOG_FORMAT", format)
    }

    /// None is a choice.
    fn collector(&mut self, value: Option<&str>) -> Option<Option<String>> {
        let variable = "OTEL_EXPORTER_OTLP_ENDPOINT";
        if value.is_none_or(|value| value.trim().is_empty()) {
            return Some(None);
        }
        if !HAS_TRACES {
            return self.fault(variable, "needs a server built with the feature `otel`".to_owned());
        }
        self.url(variable, value, None).map(Some)
    }

    fn fingerprint_key(&mut self, value: Option<&SecretString>) -> Option<Vec<u8>> {
        let value = value.map(|value| value.expose_secret().trim()).unwrap_or_default();
        if value.is_empty() {
            return Some(random_key());
        }
        let key = from_hex(value).filter(|key| key.len() >= FINGERPRINT_KEY_BYTES_MIN);
        self.right("FINGERPRINT_KEY", key)
    }

    fn data_keys(&mut self, value: Option<&SecretString>) -> Option<Option<DataKeys>> {
        let Some(value) = value.filter(|value| !value.expose_secret().trim().is_empty()) else {
            return Some(None);
        };
        match DataKeys::parse(value) {
            Ok(keys) => Some(Some(keys)),
            Err(fault) => self.fault("DATA_KEYS", fault.to_string()),
        }
    }
}

/// A key for one run of the server.
fn random_key() -> Vec<u8> {
    // 122 random bits in each.
    [(); 3].into_iter().flat_map(|()| Uuid::new_v4().into_bytes()).collect()
}

/// Whether a text can travel in a header as it is.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

const LISTEN_ADDR: &str = "127.0.0.1:8080";
/// Where records are kept where nothing is said.
pub(crate) const DATABASE_URL: &str = "sqlite://offhook.db";
const SPOOL_DIR: &str = "offhook-spool";
/// Where Twilio is.
pub(crate) const TWILIO_API_URL: &str = "https://api.twilio.com";
const DEEPGRAM_AGENT_URL: &str = "wss://agent.deepgram.com/v1/agent/converse";
const DEEPGRAM_SPEAK_URL: &str = "https://api.deepgram.com";
const DEEPGRAM_READ_URL: &str = "https://api.deepgram.com";
const CALLS_MAX: &str = "100";
const FINGERPRINT_KEY_BYTES_MIN: usize = 32;
