//! `server check --online`: tries out what the configuration names, before a caller does.
//!
//! Each credential and each address is used once, in a way that changes nothing and costs next to
//! nothing. What is said of them names the variable, what is wrong and how to mend it, and never a
//! value.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use call_core::input::AgentLoss;
use call_transports::net::{
    Account, AgentConnector, Error, Middleware, Reader, Speaker, TwilioRest, install_crypto,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::api::Stranger;
use crate::company::Tenant;
use crate::company::registry::Registry;
use crate::config::Config;
use crate::store::{self, Store};

/// How something that was tried out stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Well,
    /// It could not be tried out from here; perhaps it works.
    Unsure,
    /// It does not work: calls would fail.
    Wrong,
}

/// What was found out about one variable. Prints as a line, or two where there is something to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The variable in the environment.
    pub variable: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// How to mend it; empty where there is nothing to mend.
    pub mend: &'static str,
}

impl Finding {
    fn well(variable: &'static str, found: impl Into<String>) -> Self {
        Self { variable, standing: Standing::Well, found: found.into(), mend: "" }
    }

    fn unsure(variable: &'static str, found: impl Into<String>, mend: &'static str) -> Self {
        Self { variable, standing: Standing::Unsure, found: found.into(), mend }
    }

    fn wrong(variable: &'static str, found: impl Into<String>, mend: &'static str) -> Self {
        Self { variable, standing: Standing::Wrong, found: found.into(), mend }
    }

    /// What a failed request means: whether the key is to blame, the address, or whoever is there.
    fn of(error: &Error, key: Blame, address: Blame) -> Self {
        match error {
            Error::Refused { status: 401 | 403, .. } => {
                Self::wrong(key.0, format!("{error}: it is not accepted"), key.1)
            }
            Error::Refused { status: 429 | 500..=599, .. } => Self::wrong(
                address.0,
                error.to_string(),
                "It is there and in trouble: try again, or tell whoever runs it.",
            ),
            _ => Self::wrong(address.0, error.to_string(), address.1),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = match self.standing {
            Standing::Well => "ok    ",
            Standing::Unsure => "unsure",
            Standing::Wrong => "WRONG ",
        };
        write!(f, "{standing}  {:<20}  {}", self.variable, self.found)?;
        if !self.mend.is_empty() {
            write!(f, "\n        {:<20}  {}", "", self.mend)?;
        }
        Ok(())
    }
}

/// A variable that may be to blame, and how to mend it.
type Blame = (&'static str, &'static str);

/// Tries everything out, all at once, and waits for none of it longer than `patience`.
pub async fn online(config: &Config, patience: Duration) -> Vec<Finding> {
    install_crypto();
    // One after the other: each that opens a new SQLite file makes its tables.
    let operators = operators(config, patience).await;
    let (tenants, sound) = timeout(patience, companies(config)).await.unwrap_or_default();
    let (store, twilio, voices, reading, agent, middleware, public) = tokio::join!(
        within(patience, "DATABASE_URL", MEND_STORE, store(config.database_url.expose_secret())),
        twilio(config, patience),
        voices(config, &tenants, patience),
        reading(config, &tenants, patience),
        within(patience, "DEEPGRAM_AGENT_URL", MEND_AGENT, agent(config)),
        middlewares(config, &tenants, patience),
        public_url(config, patience),
    );
    let mut findings = sound;
    findings.push(store);
    findings.extend(operators);
    findings.extend(twilio);
    findings.extend(voices);
    findings.extend(reading);
    findings.push(agent);
    findings.extend(middleware);
    findings.push(public);
    findings
}

/// Names operators for companies that are none, as far as files tell: what is in the database is not looked
/// at without [`online`].
pub fn strangers(config: &Config) -> Vec<Stranger> {
    let names: BTreeSet<_> =
        config.companies.iter().map(|tenant| tenant.company().id.clone()).collect();
    // Without files, all companies are in the database.
    if names.is_empty() { Vec::new() } else { config.operators.strangers(&names) }
}

/// The finding, or that there was none in time.
async fn within(
    patience: Duration,
    variable: &'static str,
    mend: &'static str,
    finding: impl Future<Output = Finding>,
) -> Finding {
    let late = |_| Finding::wrong(variable, "did not answer in time", mend);
    timeout(patience, finding).await.unwrap_or_else(late)
}

/// The companies of the configuration, or else those that are active in the database. Why that cannot be
/// opened is said elsewhere.
async fn companies(config: &Config) -> (Vec<Tenant>, Vec<Finding>) {
    let sound = |variable: &'static str, tenant: &Tenant| {
        let company = tenant.company();
        Finding::well(variable, format!("{} v{} is sound", company.id, company.version))
    };
    if !config.companies.is_empty() {
        let findings = config.companies.iter().map(|tenant| sound("COMPANY_FILE", tenant));
        return (config.companies.clone(), findings.collect());
    }
    let variable = "DATABASE_URL";
    let Ok(store) = Store::open(config.database_url.expose_secret()).await else {
        return Default::default();
    };
    let registry = Registry::load(&store).await;
    store.close().await;
    let Ok(registry) = registry else { return Default::default() };
    let tenants: Vec<Tenant> =
        registry.companies().into_iter().map(|listed| (*listed.tenant).clone()).collect();
    let mut findings: Vec<_> = tenants.iter().map(|tenant| sound(variable, tenant)).collect();
    for (company, fault) in registry.faults() {
        let found = format!("{company} cannot be served as it is active ({})", fault.word());
        findings.push(Finding::wrong(variable, found, MEND_COMPANY));
    }
    if findings.is_empty() {
        let found = "holds no active company: every call would be declined";
        findings.push(Finding::wrong(variable, found, MEND_NOBODY));
    }
    (tenants, findings)
}

async fn store(url: &str) -> Finding {
    let variable = "DATABASE_URL";
    let store = match Store::open(url).await {
        Ok(store) => store,
        // Which sentence it is depends on the kind of error; none of them holds the address.
        Err(error) => return Finding::wrong(variable, error.to_string(), MEND_STORE),
    };
    let written = store.try_to_write().await;
    store.close().await;
    match written {
        Ok(()) => Finding::well(variable, "opens, is up to date and takes writes"),
        Err(error @ store::Error::Query(_)) => {
            Finding::wrong(variable, format!("opens and takes no writes: {error}"), MEND_STORE)
        }
        Err(error) => Finding::wrong(variable, error.to_string(), MEND_STORE),
    }
}

/// Whether those who may use the operators' interface are for companies that there are, in the database or
/// in what is imported when the server starts.
async fn operators(config: &Config, patience: Duration) -> Vec<Finding> {
    if config.operators.is_empty() {
        return Vec::new();
    }
    let names = async {
        let store = Store::open(config.database_url.expose_secret()).await.ok()?;
        let names = store.company_names().await;
        store.close().await;
        names.ok()
    };
    // Why the database does not answer is said elsewhere.
    let Ok(Some(mut names)) = timeout(patience, names).await else { return Vec::new() };
    names.extend(config.companies.iter().map(|tenant| tenant.company().id.clone()));
    let strangers = config.operators.strangers(&names).into_iter();
    strangers.map(|one| Finding::wrong("OPERATOR_TOKENS", one.to_string(), MEND_STRANGER)).collect()
}

/// Each auth token by itself: requests use the first, and the second one soon will.
async fn twilio(config: &Config, patience: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, token) in config.twilio.auth_tokens.iter().enumerate() {
        let which = if place == 0 { "the auth token" } else { "the second auth token" };
        let finding = account(config, token.clone(), which);
        findings.push(within(patience, "TWILIO_API_URL", MEND_TWILIO, finding).await);
    }
    findings
}

async fn account(config: &Config, token: SecretString, which: &str) -> Finding {
    let token_blame = ("TWILIO_AUTH_TOKEN", MEND_TOKEN);
    let url_blame = ("TWILIO_API_URL", MEND_TWILIO);
    let twilio = &config.twilio;
    let carrier = match TwilioRest::new(&twilio.api_url, twilio.account.clone(), token) {
        Ok(carrier) => carrier,
        Err(error) => return Finding::of(&error, token_blame, url_blame),
    };
    match carrier.account().await {
        Ok(Account::Active) => Finding::well(
            "TWILIO_AUTH_TOKEN",
            format!("{which} opens the account, which is active"),
        ),
        Ok(Account::Inactive) => Finding::wrong(
            "TWILIO_ACCOUNT_SID",
            "the account is suspended or closed",
            "See the Twilio console for what it wants.",
        ),
        Err(Error::Refused { status: 404, .. }) => Finding::wrong(
            "TWILIO_ACCOUNT_SID",
            "there is no such account behind this token",
            "Copy SID and auth token from the same page of the Twilio console.",
        ),
        Err(error) => Finding::of(&error, token_blame, url_blame),
    }
}

/// Has a word spoken by each voice of the company: that needs the key, the address and the voice.
async fn voices(config: &Config, tenants: &[Tenant], patience: Duration) -> Vec<Finding> {
    let blame = (("DEEPGRAM_API_KEY", MEND_KEY), ("DEEPGRAM_SPEAK_URL", MEND_SPEAK));
    let deepgram = &config.deepgram;
    let speaker = match Speaker::new(&deepgram.speak_url, deepgram.api_key.clone()) {
        Ok(speaker) => speaker,
        Err(error) => return vec![Finding::of(&error, blame.0, blame.1)],
    };
    let mut findings = Vec::new();
    let agents = tenants.iter().flat_map(|tenant| {
        let company = tenant.company();
        company.agents.iter().map(|(language, agent)| (&company.id, language, agent))
    });
    for (company, language, agent) in agents {
        let speaking = async {
            match speaker.prepare(&agent.voice, "Yes.").await {
                Ok(_) => Finding::well(
                    "DEEPGRAM_API_KEY",
                    format!("the voice for {language} of {company} speaks with this key"),
                ),
                Err(Error::Refused { status: status @ (400 | 404 | 422), .. }) => Finding::wrong(
                    "COMPANY_FILE",
                    format!(
                        "the voice for {language} of {company} does not speak (status {status})"
                    ),
                    "Name a voice that Deepgram has, in agents.*.voice.",
                ),
                Err(error) => Finding::of(&error, blame.0, blame.1),
            }
        };
        let finding = within(patience, "DEEPGRAM_SPEAK_URL", MEND_SPEAK, speaking).await;
        let goes_on = finding.standing == Standing::Well || finding.variable == "COMPANY_FILE";
        findings.push(finding);
        if !goes_on {
            // The other voices would be told the same.
            break;
        }
    }
    findings
}

/// Has a sentence summed up, if some company wants its calls to be.
async fn reading(config: &Config, tenants: &[Tenant], patience: Duration) -> Option<Finding> {
    tenants.iter().find(|tenant| tenant.company().summaries)?;
    let deepgram = &config.deepgram;
    let asking = async {
        let reader = Reader::new(&deepgram.read_url, deepgram.api_key.clone())?;
        reader.summarize("Caller: Good morning. Agent: Good morning.").await
    };
    let finding = async {
        match asking.await {
            Ok(_) => Finding::well("DEEPGRAM_READ_URL", "sums up a text with this key"),
            Err(error) => Finding::of(
                &error,
                ("DEEPGRAM_API_KEY", MEND_KEY),
                ("DEEPGRAM_READ_URL", MEND_SPEAK),
            ),
        }
    };
    Some(within(patience, "DEEPGRAM_READ_URL", MEND_SPEAK, finding).await)
}

/// Opens a session and leaves it: without settings it never begins.
async fn agent(config: &Config) -> Finding {
    let deepgram = &config.deepgram;
    let connector = match AgentConnector::new(&deepgram.agent_url, deepgram.api_key.clone()) {
        Ok(connector) => connector,
        Err(error) => return Finding::wrong("DEEPGRAM_AGENT_URL", error.to_string(), MEND_AGENT),
    };
    match connector.connect().await {
        Ok(mut session) => {
            // It was open, which is all that was to be found out.
            std::future::poll_fn(|cx| session.poll_close(cx)).await;
            Finding::well("DEEPGRAM_AGENT_URL", "opens a session with this key")
        }
        Err(AgentLoss::Refused(status @ (401 | 403))) => Finding::wrong(
            "DEEPGRAM_API_KEY",
            format!("the voice agent answered with status {status}: it is not accepted"),
            MEND_KEY,
        ),
        Err(AgentLoss::Refused(status)) => Finding::wrong(
            "DEEPGRAM_AGENT_URL",
            format!("answered with status {status} and opens no session"),
            MEND_AGENT,
        ),
        Err(_) => Finding::wrong("DEEPGRAM_AGENT_URL", "could not be reached", MEND_AGENT),
    }
}

/// Asks for a loan that nobody has, of each company.
async fn middlewares(config: &Config, tenants: &[Tenant], patience: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tenant in tenants {
        let finding = middleware(config, &tenant.company().id);
        findings.push(within(patience, "MIDDLEWARE_URL", MEND_MIDDLEWARE, finding).await);
        if findings.last().is_some_and(|finding| finding.standing != Standing::Well) {
            // It is one and the same for all of them.
            break;
        }
    }
    findings
}

async fn middleware(config: &Config, company: &str) -> Finding {
    let key =
        ("MIDDLEWARE_API_KEY", "Ask whoever runs the company's middleware for the right one.");
    let address = ("MIDDLEWARE_URL", MEND_MIDDLEWARE);
    let there = &config.middleware;
    let client = match Middleware::new(&there.url, there.api_key.clone()) {
        Ok(client) => client,
        Err(error) => return Finding::of(&error, key, address),
    };
    match client.try_out(company).await {
        Ok(true) => Finding::well(
            "MIDDLEWARE_URL",
            format!("answers a lookup of nobody's loan at {company} with no match"),
        ),
        Ok(false) => Finding::wrong(
            "MIDDLEWARE_URL",
            "says that the details of nobody's loan match",
            "Whoever runs it must mend it: callers would be verified who are not.",
        ),
        Err(error) => Finding::of(&error, key, address),
    }
}

/// Asks our own address from outside, if a server is there. That this machine cannot reach it need not
/// mean that Twilio cannot.
async fn public_url(config: &Config, patience: Duration) -> Finding {
    let variable = "PUBLIC_URL";
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(patience)
        .build();
    let Ok(client) = client else {
        return Finding::unsure(variable, "this machine cannot make requests", MEND_PUBLIC);
    };
    match client.get(config.public_url.of("/health")).send().await {
        Ok(answer) if answer.status().is_success() => {
            Finding::well(variable, "leads to a server that says it lives")
        }
        Ok(answer) => Finding::unsure(
            variable,
            format!("leads to something that answers with status {}", answer.status().as_u16()),
            "It should be this server, once it runs. Look at the proxy in front of it.",
        ),
        Err(error) if error.is_timeout() => {
            Finding::unsure(variable, "did not answer in time", MEND_PUBLIC)
        }
        Err(_) => Finding::unsure(variable, "could not be reached from here", MEND_PUBLIC),
    }
}

/// How long each of them may take.
pub const PATIENCE: Duration = Duration::from_secs(8);

const MEND_STORE: &str = "Name a file in a folder that exists and that the server may write to.";
const MEND_COMPANY: &str =
    "Activate a sound version: `server company history` shows those that were.";
const MEND_NOBODY: &str =
    "Import and activate a company (`server company --help`), or set COMPANY_FILE.";
const MEND_STRANGER: &str =
    "Write its short name behind the @; `server company list` shows those that were imported.";
const MEND_TOKEN: &str = "Copy it from the first page of the Twilio console.";
const MEND_TWILIO: &str =
    "Look at the address and at the network; leave it away for Twilio itself.";
const MEND_KEY: &str = "Make one in the Deepgram console, under API keys.";
const MEND_SPEAK: &str =
    "Look at the address and at the network; leave it away for Deepgram itself.";
const MEND_AGENT: &str =
    "Look at the address and at the network; leave it away for Deepgram itself.";
const MEND_MIDDLEWARE: &str = "Look at the address, at the network, and whether it speaks the protocol of docs/middleware.md.";
const MEND_PUBLIC: &str = "Look at the name, the certificate and the proxy. From here it may be closed and yet be open to \
     Twilio.";
