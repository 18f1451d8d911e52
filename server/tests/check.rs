//! `server check --online` against a small world of providers: right, wrong, away and silent.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use secrecy::ExposeSecret as _;
use server::api::Operators;
use server::check::{Finding, PATIENCE, Standing, online};
use server::company::{Tenant, versions};
use server::config::{Config, PublicUrl};
use server::store::Store;
use support::ACCOUNT;
use tempfile::TempDir;
use tokio::net::TcpListener;

const TOKEN: &str = "s3cret-twilio";
const DEEPGRAM: &str = "s3cret-deepgram";
const MIDDLEWARE: &str = "s3cret-middleware";

#[tokio::test]
async fn everything_that_works_is_said_to() {
    let world = World::start(|_| {}).await;
    let findings = online(&world.config(), PATIENCE).await;
    for finding in &findings {
        assert_eq!(finding.standing, Standing::Well, "{finding}");
    }
    for variable in [
        "COMPANY_FILE",
        "DATABASE_URL",
        "TWILIO_AUTH_TOKEN",
        "DEEPGRAM_API_KEY",
        "DEEPGRAM_AGENT_URL",
        "MIDDLEWARE_URL",
        "PUBLIC_URL",
    ] {
        assert!(findings.iter().any(|finding| finding.variable == variable), "{variable}");
    }
    assert_eq!(findings.iter().filter(|f| f.variable == "DEEPGRAM_API_KEY").count(), 2);
}

#[tokio::test]
async fn a_wrong_key_is_named_with_how_to_mend_it_and_never_shown() {
    let world = World::start(|_| {}).await;
    let mut config = world.config();
    config.twilio.auth_tokens = vec!["wr0ng".into(), TOKEN.into()];
    config.deepgram.api_key = "wr0ng".into();
    config.middleware.api_key = "wr0ng".into();
    let findings = online(&config, PATIENCE).await;
    for variable in ["TWILIO_AUTH_TOKEN", "DEEPGRAM_API_KEY", "MIDDLEWARE_API_KEY"] {
        let finding = wrong(&findings, variable);
        assert!(finding.found.contains("401"), "{finding}");
        assert!(!finding.mend.is_empty());
    }
    // The second token is looked at by itself.
    let second = findings.iter().find(|f| f.found.contains("the second auth token")).unwrap();
    assert_eq!(second.standing, Standing::Well);
    assert_no_value(&findings, &world);
}

#[tokio::test]
async fn what_cannot_be_reached_is_named_by_its_address() {
    let world = World::start(|_| {}).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = providers_at(world.config(), nobody);
    let findings = online(&config, PATIENCE).await;
    for variable in ["TWILIO_API_URL", "DEEPGRAM_SPEAK_URL", "DEEPGRAM_AGENT_URL", "MIDDLEWARE_URL"]
    {
        let finding = wrong(&findings, variable);
        assert!(finding.found.contains("could not be reached"), "{finding}");
    }
    let public = findings.iter().find(|finding| finding.variable == "PUBLIC_URL").unwrap();
    assert_eq!(public.standing, Standing::Unsure, "Twilio may reach what we cannot");
    assert_no_value(&findings, &world);
}

#[tokio::test]
async fn what_does_not_answer_is_not_waited_for() {
    let world = World::start(|_| {}).await;
    // It takes connections and says nothing.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = providers_at(world.config(), deaf.local_addr().unwrap());
    let began = Instant::now();
    let findings = online(&config, Duration::from_millis(300)).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for variable in ["TWILIO_API_URL", "DEEPGRAM_SPEAK_URL", "DEEPGRAM_AGENT_URL", "MIDDLEWARE_URL"]
    {
        let finding = wrong(&findings, variable);
        assert!(finding.found.contains("in time"), "{finding}");
    }
}

#[tokio::test]
async fn an_account_that_is_closed_and_one_that_is_not_there_are_told_apart() {
    let closed = World::start(|props| props.account = "suspended").await;
    let finding = wrong(&online(&closed.config(), PATIENCE).await, "TWILIO_ACCOUNT_SID");
    assert!(finding.found.contains("suspended or closed"), "{finding}");
    let absent = World::start(|props| props.account = "").await;
    let finding = wrong(&online(&absent.config(), PATIENCE).await, "TWILIO_ACCOUNT_SID");
    assert!(finding.found.contains("no such account"), "{finding}");
}

#[tokio::test]
async fn a_voice_that_does_not_speak_is_the_company_s_and_not_the_key_s() {
    let world = World::start(|props| props.speak = StatusCode::BAD_REQUEST).await;
    let findings = online(&world.config(), PATIENCE).await;
    let finding = wrong(&findings, "COMPANY_FILE");
    assert!(finding.found.contains("400") && finding.mend.contains("voice"), "{finding}");
    assert!(!findings.iter().any(|finding| finding.variable == "DEEPGRAM_API_KEY"));
}

/// Without a file it is the database that says whose calls are taken.
#[tokio::test]
async fn companies_of_the_database_are_tried_out_where_no_file_names_any() {
    let world = World::start(|_| {}).await;
    let mut config = world.config();
    let acme = config.companies.pop().unwrap();
    let is_nobody = |finding: &&Finding| finding.found.contains("holds no active company");
    let findings = online(&config, PATIENCE).await;
    let nobody = findings.iter().find(is_nobody).unwrap();
    assert_eq!((nobody.variable, nobody.standing), ("DATABASE_URL", Standing::Wrong));
    let store = Store::open(config.database_url.expose_secret()).await.unwrap();
    versions::start_with(&store, &[acme]).await.unwrap();
    let findings = online(&config, PATIENCE).await;
    assert!(findings.iter().all(|finding| finding.standing == Standing::Well), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.found == "acme v1 is sound"));
    assert_eq!(findings.iter().filter(|f| f.variable == "DEEPGRAM_API_KEY").count(), 2);
}

/// I-28.
#[tokio::test]
async fn an_operator_for_a_company_that_is_none_is_named_with_the_nearest_i_28() {
    let world = World::start(|_| {}).await;
    let mut config = world.config();
    let secret = "0123456789abcdef0123456789abcdef";
    let list = format!("ben:read@acmee:{secret},kim:read@acme:{secret}x,ann:read:{secret}y");
    config.operators = Operators::parse(&list).unwrap();
    for _ in ["before its company is imported", "afterwards"] {
        let findings = online(&config, PATIENCE).await;
        let finding = wrong(&findings, "OPERATOR_TOKENS").to_string();
        assert!(finding.contains("`ben` is for the company `acmee`"), "{finding}");
        assert!(finding.contains("did you mean `acme`?"), "{finding}");
        assert!(!format!("{findings:?}").contains(secret));
        let store = Store::open(config.database_url.expose_secret()).await.unwrap();
        versions::import(&store, &config.companies, "a test").await.unwrap();
        config.companies.clear();
    }
}

#[tokio::test]
async fn whoever_sums_calls_up_is_asked_where_a_company_wants_that() {
    let world = World::start(|_| {}).await;
    let asked = |findings: &[Finding]| {
        let of_reader = findings.iter().filter(|f| f.variable == "DEEPGRAM_READ_URL");
        of_reader.map(|finding| finding.standing).collect::<Vec<_>>()
    };
    let mut config = world.config();
    assert_eq!(asked(&online(&config, PATIENCE).await), []);
    let text = config.companies[0].text().replacen("version = ", "summaries = true\nversion = ", 1);
    config.companies = vec![Tenant::parse("acme.toml", &text).unwrap()];
    assert_eq!(asked(&online(&config, PATIENCE).await), [Standing::Well]);
    config.deepgram.read_url = format!("http://{}/nowhere", world.address);
    let finding = wrong(&online(&config, PATIENCE).await, "DEEPGRAM_READ_URL");
    assert!(finding.found.contains("404"), "{finding}");
    assert_no_value(&[finding], &world);
    config.deepgram.read_url = format!("http://{}", world.address);
    config.deepgram.api_key = "wr0ng".into();
    let findings = online(&config, PATIENCE).await;
    assert_eq!(asked(&findings), [], "the key is to blame");
    let blamed = |f: &&Finding| f.variable == "DEEPGRAM_API_KEY" && f.found.contains("reading");
    assert!(findings.iter().find(blamed).is_some_and(|f| f.standing == Standing::Wrong));
}

#[tokio::test]
async fn a_middleware_that_knows_nobody_s_loan_is_wrong() {
    let world = World::start(|props| props.matches = true).await;
    let finding = wrong(&online(&world.config(), PATIENCE).await, "MIDDLEWARE_URL");
    assert!(finding.found.contains("nobody's loan match"), "{finding}");
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_named() {
    let world = World::start(|_| {}).await;
    let mut config = world.config();
    config.database_url =
        format!("sqlite://{}/nowhere/calls.db", world.folder.path().display()).into();
    let finding = wrong(&online(&config, PATIENCE).await, "DATABASE_URL");
    assert!(finding.found.contains("cannot be opened"), "{finding}");
    // Trying it out leaves no record.
    online(&world.config(), PATIENCE).await;
    let store = Store::open(world.config().database_url.expose_secret()).await.unwrap();
    assert_eq!(store.unended().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_ends_with_0_if_all_works_and_with_3_if_not() {
    let world = World::start(|_| {}).await;
    for (key, status) in [(DEEPGRAM, 0), ("wr0ng", 3)] {
        let command = world.command(key);
        let output = tokio::task::spawn_blocking(move || { command }.output()).await.unwrap();
        let output = output.unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{told}");
        assert_eq!(told.contains("WRONG   DEEPGRAM_API_KEY"), status == 3, "{told}");
        assert!(told.contains("ok      TWILIO_AUTH_TOKEN"), "{told}");
        assert!(!told.contains("s3cret") && !told.contains("wr0ng"), "{told}");
    }
}

fn wrong(findings: &[Finding], variable: &str) -> Finding {
    let wrong = |f: &&Finding| f.variable == variable && f.standing == Standing::Wrong;
    findings.iter().find(wrong).unwrap_or_else(|| panic!("{variable}: {findings:?}")).clone()
}

fn assert_no_value(findings: &[Finding], world: &World) {
    for finding in findings {
        let shown = format!("{finding} {finding:?}");
        let port = world.address.port().to_string();
        for value in ["s3cret", "wr0ng", ACCOUNT, "127.0.0.1", &port] {
            assert!(!shown.contains(value), "{value} is in {shown}");
        }
    }
}

fn providers_at(mut config: Config, address: SocketAddr) -> Config {
    config.twilio.api_url = format!("http://{address}");
    config.deepgram.speak_url = format!("http://{address}");
    config.deepgram.read_url = format!("http://{address}");
    config.deepgram.agent_url = format!("ws://{address}/v1/agent/converse");
    config.middleware.url = format!("http://{address}");
    config.public_url = PublicUrl::parse(&format!("http://{address}")).unwrap();
    config
}

/// All providers at once, each with its key.
struct World {
    address: SocketAddr,
    folder: TempDir,
}

struct Props {
    /// The account's status; empty if there is none.
    account: &'static str,
    speak: StatusCode,
    matches: bool,
}

impl World {
    async fn start(change: impl FnOnce(&mut Props)) -> Self {
        let mut props = Props { account: "active", speak: StatusCode::OK, matches: false };
        change(&mut props);
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}", get(account))
            .route("/v1/speak", post(speak))
            .route("/v1/read", post(read))
            .route("/v1/agent/converse", get(converse))
            .route("/v1/loans/lookup", post(lookup))
            .route("/health", get(async || StatusCode::OK))
            .with_state(Arc::new(props));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, folder: tempfile::tempdir().unwrap() }
    }

    fn config(&self) -> Config {
        let config =
            support::config(self.address, self.address, &self.folder.path().join("calls.db"));
        let mut config = providers_at(config, self.address);
        config.twilio.auth_tokens = vec![TOKEN.into()];
        config.deepgram.api_key = DEEPGRAM.into();
        config.middleware.api_key = MIDDLEWARE.into();
        config
    }

    /// The command line, with this world in its environment.
    fn command(&self, deepgram: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        let http = format!("http://{}", self.address);
        let company =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/companies/acme.toml").to_owned();
        command.args(["check", "--online"]).env_clear().envs([
            ("PUBLIC_URL", http.clone()),
            ("DATABASE_URL", format!("sqlite://{}/c.db", self.folder.path().display())),
            ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
            ("TWILIO_API_URL", http.clone()),
            ("DEEPGRAM_API_KEY", deepgram.to_owned()),
            ("DEEPGRAM_AGENT_URL", format!("ws://{}", self.address)),
            ("DEEPGRAM_SPEAK_URL", http.clone()),
            ("MIDDLEWARE_URL", http),
            ("MIDDLEWARE_API_KEY", MIDDLEWARE.to_owned()),
            ("COMPANY_FILE", company),
        ]);
        command
    }
}

fn shows(headers: &HeaderMap, expected: &str) -> bool {
    headers.get("authorization").is_some_and(|given| given == expected)
}

async fn account(
    State(props): State<Arc<Props>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Response {
    let basic = reqwest::Client::new().get("http://localhost").basic_auth(ACCOUNT, Some(TOKEN));
    let basic = basic.build().unwrap().headers()["authorization"].clone();
    if headers.get("authorization") != Some(&basic) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if props.account.is_empty() || account != format!("{ACCOUNT}.json") {
        return StatusCode::NOT_FOUND.into_response();
    }
    format!(r#"{{"sid":"{ACCOUNT}","status":"{}","type":"Full"}}"#, props.account).into_response()
}

async fn speak(State(props): State<Arc<Props>>, headers: HeaderMap) -> Response {
    if !shows(&headers, &format!("Token {DEEPGRAM}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    (props.speak, vec![0x7F_u8; 160]).into_response()
}

async fn read(headers: HeaderMap) -> Response {
    if !shows(&headers, &format!("Token {DEEPGRAM}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    r#"{"results":{"summary":{"text":"They greet each other."}}}"#.into_response()
}

async fn converse(headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !shows(&headers, &format!("Token {DEEPGRAM}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(async |mut socket| while socket.recv().await.is_some() {})
}

async fn lookup(State(props): State<Arc<Props>>, headers: HeaderMap) -> Response {
    if !shows(&headers, &format!("Bearer {MIDDLEWARE}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let matches = props.matches;
    format!(r#"{{"date_of_birth_matches":{matches},"zip_matches":{matches}}}"#).into_response()
}
