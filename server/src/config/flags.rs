//! The flags as they are given, unchecked, and what people are told about them.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use secrecy::SecretString;

/// The configuration as it was given. Nothing is checked here, so that everything wrong can be
/// told at once. Prints without secrets.
#[allow(rustdoc::bare_urls, reason = "these words are read on the command line too")]
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Configuration (each flag may be a variable instead)")]
pub struct Flags {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env, hide_env_values = true, value_name = "ADDRESS:PORT")]
    pub listen_addr: Option<String>,

    /// Address and port for /metrics, another one than LISTEN_ADDR and not to be reached from outside
    /// [default: none]
    #[arg(long, env, hide_env_values = true, value_name = "ADDRESS:PORT")]
    pub metrics_addr: Option<String>,

    /// How Twilio reaches this server: https:// and a host, without a path. Webhook signatures are
    /// checked against it
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// Where the records of calls are kept: a SQLite file, which is made if it is missing, or
    /// postgres://USER:PASSWORD@HOST/DATABASE, which `server migrate` prepares
    /// [default: sqlite://offhook.db]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Folder on the local disk for the journals of calls that are not in the database yet; made if it
    /// is missing. Servers on one machine may share it [default: offhook-spool]
    #[arg(long, env, hide_env_values = true, value_name = "FOLDER", value_parser = path())]
    pub spool_dir: Option<PathBuf>,

    /// Folder on a disk that stays for the audit log; made if it is missing. Servers on one machine may
    /// share it. `server audit verify` looks at it [default: offhook-audit]
    #[arg(long, env, hide_env_values = true, value_name = "FOLDER", value_parser = path())]
    pub audit_dir: Option<PathBuf>,

    /// The Twilio account: AC and 32 hexadecimal digits
    #[arg(long, env, hide_env_values = true, value_name = "SID")]
    pub twilio_account_sid: Option<String>,

    /// The account's auth token. While it is being replaced, both with a comma between them: the
    /// first signs our own requests. Secrets are safer in the environment than in a flag
    #[arg(long, env, hide_env_values = true, value_name = "SECRET[,SECRET]")]
    pub twilio_auth_token: Option<SecretString>,

    /// Where Twilio's REST interface is [default: https://api.twilio.com]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub twilio_api_url: Option<String>,

    /// Where Twilio may send us on to for the sound of a recording, besides itself: hosts with commas
    /// between them, such as that of a store of your own. They do not get the auth token [default: none]
    #[arg(long, env, hide_env_values = true, value_name = "HOST[,HOST]")]
    pub twilio_media_hosts: Option<String>,

    /// The key of the Deepgram project
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    pub deepgram_api_key: Option<SecretString>,

    /// Where the voice agent is [default: wss://agent.deepgram.com/v1/agent/converse]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub deepgram_agent_url: Option<String>,

    /// Where our own lines are turned into speech [default: https://api.deepgram.com]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub deepgram_speak_url: Option<String>,

    /// Where calls are summed up in a few sentences, for companies that want it
    /// [default: https://api.deepgram.com]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub deepgram_read_url: Option<String>,

    /// Where the company's own systems are
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub middleware_url: Option<String>,

    /// The key that the company's systems ask for
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    pub middleware_api_key: Option<SecretString>,

    /// The TOML file with a company's name, numbers, voices and prompts, or a folder of such files. It is
    /// imported and activated when the server starts, if it was not imported before
    /// [default: none; companies come in by `server company import`]
    #[arg(long, env, hide_env_values = true, value_name = "FILE", value_parser = path())]
    pub company_file: Option<PathBuf>,

    /// Who may use the operators' interface, /api/v1: name:role:secret or name:role@company:secret, with
    /// commas between. The roles are read, review and operate; a secret has 32 characters or more
    /// [default: none, and no such interface]
    #[arg(long, env, hide_env_values = true, value_name = "NAME:ROLE:SECRET,…")]
    pub operator_tokens: Option<SecretString>,

    /// The most calls at once; further callers hear an apology [default: 100]
    #[arg(long, env, hide_env_values = true, value_name = "NUMBER")]
    pub max_calls: Option<String>,

    /// The form of the log: text or json [default: text]
    #[arg(long, env, hide_env_values = true, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Base URL of a collector that takes traces by OTLP over HTTP, such as http://127.0.0.1:4318.
    /// [default: none]
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub otel_exporter_otlp_endpoint: Option<String>,

    /// Key of the fingerprints that journals hold in place of what callers say, as 64 or more
    /// hexadecimal digits. Without it every start has a random one, and journals from different
    /// starts cannot be compared by fingerprint
    #[arg(long, env, hide_env_values = true, value_name = "SECRET")]
    pub fingerprint_key: Option<SecretString>,

    /// Keys that callers' numbers are sealed with in the database, each a name and 64 hexadecimal
    /// digits: 2026-a:<64 digits>[,…]. The first seals, all of them open. Without keys, numbers are
    /// kept masked only, and calls of a caller cannot be found by number
    #[arg(long, env, hide_env_values = true, value_name = "SECRET[,SECRET]")]
    pub data_keys: Option<SecretString>,
}

/// Any path, also an empty one: an empty variable counts as none, which clap's own reader of paths does not
/// know.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// What a variable must be, and how to mend it.
pub(super) fn about(variable: &str) -> (&'static str, &'static str) {
    match variable {
        "LISTEN_ADDR" => (
            "must be an address and a port, such as 127.0.0.1:8080",
            "Set it, or leave it away for that one.",
        ),
        "METRICS_ADDR" => (
            "must be an address and a port of its own, such as 127.0.0.1:9464",
            "Set it to where scrapers come in, or leave it away to count for nobody.",
        ),
        "PUBLIC_URL" => (
            "must be https:// and a host, without a path (http:// only for this machine)",
            "Set it to where Twilio sends its webhooks.",
        ),
        "DATABASE_URL" => (
            "must be sqlite: and a file, or postgres://USER:PASSWORD@HOST/DATABASE",
            "Set it to sqlite://offhook.db or to a PostgreSQL database, or leave it away.",
        ),
        "TWILIO_ACCOUNT_SID" => (
            "must be AC and 32 hexadecimal digits",
            "Copy it from the first page of the Twilio console.",
        ),
        "TWILIO_AUTH_TOKEN" => (
            "must be one auth token, or two with a comma between them",
            "Copy it from the first page of the Twilio console.",
        ),
        "DEEPGRAM_AGENT_URL" => (
            "must be a wss:// URL without a query (ws:// only for this machine)",
            "Leave it away for Deepgram itself.",
        ),
        "TWILIO_MEDIA_HOSTS" => (
            "must be the name of a host, or several of them with commas between",
            "Name where the account keeps its recordings, or leave it away for Twilio itself.",
        ),
        "TWILIO_API_URL" => (URL, "Leave it away for Twilio itself."),
        "DEEPGRAM_SPEAK_URL" => (URL, "Leave it away for Deepgram itself."),
        "DEEPGRAM_READ_URL" => (URL, "Leave it away for Deepgram itself."),
        "MIDDLEWARE_URL" => (URL, "Set it to the base URL of the company's middleware."),
        "DEEPGRAM_API_KEY" => (KEY, "Make one in the Deepgram console, under API keys."),
        "MIDDLEWARE_API_KEY" => (KEY, "Ask whoever runs the company's middleware for one."),
        "OPERATOR_TOKENS" => (
            "must be name:role:secret, or several of them with commas between",
            "The role is read, review or operate, for one company read@acme; make a secret with `openssl rand -hex 32`.",
        ),
        "MAX_CALLS" => (
            "must be a number from 1 to 10000",
            "Set it to what the machine can carry, or leave it away for 100.",
        ),
        "LOG_FORMAT" => ("must be text or json", "Set it, or leave it away for text."),
        "OTEL_EXPORTER_OTLP_ENDPOINT" => (URL, "Leave it away to send no traces."),
        "FINGERPRINT_KEY" => (
            "must be 64 or more hexadecimal digits, two for each byte",
            "Make one with `openssl rand -hex 32`, or leave it away.",
        ),
        "DATA_KEYS" => (
            "must be keys with their names",
            "Set it to a name, a colon and what `openssl rand -hex 32` says, or leave it away.",
        ),
        _ => ("must be something else", "See --help."),
    }
}

const URL: &str = "must be an https:// URL without a query (http:// only for this machine)";
const KEY: &str = "must be a key of letters, digits and signs, without spaces";
