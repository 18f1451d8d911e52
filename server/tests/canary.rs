//! A whole call in which everything is planted that must not come out, and then a look at whatever
//! comes out of the server: its log at its most talkative, its metrics, its answers, its files and their
//! names, its database as it lies there, and the journal and story that are made of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
#[path = "canary/stage.rs"]
mod stage;
mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use call_transports::twilio::media::{FromTwilio, Media, ToTwilio, Track, decode_to_twilio};
use call_transports::twilio::twiml::{Verb, parse};
use futures::StreamExt as _;
use reqwest::StatusCode;
use server::store::{Scope, Store};
use sqlx::{Connection as _, PgConnection};
use stage::{ENGLISH, SPANISH, Tongue};
use support::process::{self, Process, free};
use support::{
    AUTH_TOKEN, CALL, CONNECTED, Door, FORM, INBOUND, Socket, say, scrape, start, token_of,
    voice_inbound, with,
};
use tokio_tungstenite::tungstenite;

/// What the caller dictates and keys in, the model repeats, the middleware knows, and what is
/// configured.
const PLANTED: [&str; 24] = [
    "100234778",
    "234778",
    "4111111111111111",
    "4111 1111",
    "1980-03-04",
    "62701",
    "five five one eight",
    "eight four",
    "two nine three seven",
    "triple zero",
    "zero zero zero",
    "March fourth",
    "cuatro de marzo",
    "ocho cuatro",
    "dos nueve tres siete",
    "cero cero cero",
    "80355317",
    "5550100177",
    "c4n4ry-twilio",
    "c4n4ry-deepgram",
    "c4n4ry-middleware",
    AUTH_TOKEN,
    FINGERPRINT_KEY,
    "no loan",
];

const FINGERPRINT_KEY: &str = "c4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fec4fe";

/// The company's own words, which are kept with its versions and in the audit log.
const PROMPT: &str = "What-the-prompt-says";

/// A name has no shape. It is kept with what was said, and stands nowhere else.
const NAME: &str = "quintanilla";

/// I-26, C-18: in English, on SQLite, with a log for people.
#[tokio::test]
async fn nothing_that_was_planted_in_a_call_comes_out_i_26() {
    let folder = tempfile::tempdir().unwrap();
    let database = process::database(folder.path());
    let call = whole_call(folder.path(), ENGLISH, "text", &database).await;
    for expected in [CALL, "TRACE", "the call ends", "a call comes in", "company=\"acme\""] {
        assert!(call.log.contains(expected), "{expected} is not in the log:\n{}", call.log);
    }
    for expected in [
        "offhook_calls_ended_total{reason=\"agent_hangup\",company=\"acme\",language=\"en\"} 1",
        "offhook_functions_total{function=\"lookup_loan\",outcome=\"done\",company=\"acme\",language=\"en\"} 1",
        "offhook_functions_total{function=\"other\",outcome=\"refused\",company=\"acme\",language=\"en\"} 1",
        "offhook_http_requests_total{path=\"/twilio/inbound_call\",status=\"200\"} 1",
        "offhook_http_requests_total{path=\"/twilio/{company}/{language}\",status=\"403\"} 1",
        "offhook_http_requests_total{path=\"other\",status=\"404\"} 1",
        "offhook_carrier_requests_total{kind=\"hang_up\",outcome=\"done\",company=\"acme\",language=\"en\"} 1",
        "offhook_store_writes_total{kind=\"close\",outcome=\"done\"} 1",
        "offhook_outbox_total{kind=\"summary\",outcome=\"done\"} 1",
        "offhook_calls_live 0",
    ] {
        let text = &call.metrics;
        assert!(text.lines().any(|line| line == expected), "{expected} is not in\n{text}");
    }
    let turns = "offhook_turn_seconds_count{stage=\"thinking\",course=\"functions\"";
    assert!(call.metrics.contains(turns), "{}", call.metrics);
    assert!(!call.metrics.contains(CALL), "a call is no label");
    let [told] = &call.told[..] else { panic!("one summary is asked for: {:?}", call.told.len()) };
    assert!(told.contains("Caller: I am Maria Quintanilla. My loan is [9 digits]"), "{told}");
    call.assert_clean(&database).await;
}

/// I-26, C-18: in Spanish, on PostgreSQL, with a log for machines.
#[tokio::test]
async fn nothing_that_was_planted_in_a_spanish_call_comes_out_i_26() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::Database::new().await;
    let (url, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&url, Some(&owner)).await.unwrap();
    let mut call = whole_call(folder.path(), SPANISH, "json", &url).await;
    for expected in ["\"message\":\"the call ends\"", "\"level\":\"TRACE\""] {
        assert!(call.log.contains(expected), "{expected} is not in the log:\n{}", call.log);
    }
    assert!(call.told.is_empty(), "the provider takes English only");
    let tables = dump(&database.url("postgres")).await;
    assert!(tables.contains(CALL), "all tables are looked at");
    call.kept.push(("every table".to_owned(), tables));
    call.assert_clean(&url).await;
}

/// I-26: a panic in the midst of a call says where it was, and nothing of what the code was about to say.
#[test]
fn a_panic_is_logged_without_its_words_i_26() {
    const ROLE: &str = "CANARY_PANICS";
    if std::env::var_os(ROLE).is_some() {
        let _log = server::telemetry::start(server::config::LogFormat::Text, None).unwrap();
        let words = "loan 100234778 of Maria Quintanilla".to_owned();
        let thread = std::thread::spawn(move || {
            let nothing = words.strip_suffix("nobody").ok_or(&words);
            nothing.expect("the caller said");
        });
        assert!(thread.join().is_err());
        return;
    }
    let name = "a_panic_is_logged_without_its_words_i_26";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(ROLE, "1").env("RUST_LOG", "trace");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a task panicked") && said.contains("canary.rs"), "{said}");
    for planted in ["100234778", "Quintanilla", "the caller said"] {
        assert!(!said.contains(planted), "{planted} came out: {said}");
    }
}

/// All that is left of a call.
struct Traces {
    /// What whoever sums calls up was told.
    told: Vec<String>,
    log: String,
    /// What the collector was sent, with signs between its words.
    traces: String,
    metrics: String,
    /// What strangers and the carrier were answered.
    answers: Vec<(String, String)>,
    /// What keeps the conversation: what it is called, and what is in it.
    kept: Vec<(String, String)>,
    token: String,
}

impl Traces {
    /// Nothing that was planted is in anything, nor in what is made of the record.
    async fn assert_clean(mut self, database: &str) {
        let store = Store::open(database).await.unwrap();
        let steps = store.journal(CALL).await.unwrap();
        let summary = store.summary_text_of(Scope::Every, CALL).await.unwrap().unwrap();
        store.close().await;
        self.kept.push(("the summary".to_owned(), format!("{summary:?}")));
        let told =
            self.told.iter().map(|told| ("what the reader is told".to_owned(), told.clone()));
        self.kept.extend(told);
        let story = call_core::story::story(&steps);
        assert!(story.contains("[9 digits]") && story.contains("[date]"), "{story}");
        self.kept.push(("the story".to_owned(), story));
        self.kept.push(("the journal".to_owned(), serde_json::to_string(&steps).unwrap()));
        assert!(self.kept.iter().any(|(_, bytes)| bytes.contains("[16 digits]")));
        let is_in = |part: &str| {
            let mut files = self.kept.iter().filter(|(what, _)| what.contains(part));
            files.any(|(_, text)| text.contains(PROMPT))
        };
        assert!(is_in("/audit/") && !is_in("/spool/"), "what is proven is there");
        for (what, text) in &self.kept {
            for planted in PLANTED {
                let place = place(text, planted).map(|line| excerpt(line, planted));
                assert_eq!(place, None, "{planted} is in {what}");
            }
            assert_eq!(place(&what.to_lowercase(), NAME), None, "in the name of a file");
        }
        for expected in [CALL, "acme", "offhook", "the call ends"] {
            assert!(self.traces.contains(expected), "{expected} is not in the traces");
        }
        let said =
            [("the log", &self.log), ("the traces", &self.traces), ("/metrics", &self.metrics)];
        let answers = self.answers.iter().map(|(what, answer)| (&**what, answer));
        for (what, out) in said.into_iter().chain(answers) {
            for planted in PLANTED.into_iter().chain([NAME, "Quintanilla", PROMPT]) {
                let place = place(out, planted).map(|line| excerpt(line, planted));
                assert_eq!(place, None, "{planted} came out in {what}");
            }
        }
        for out in [&self.log, &self.traces] {
            assert_eq!(place(out, &self.token), None, "a token is a key");
        }
    }
}

/// The line in which it stands. Digits among more digits are another number.
fn place<'t>(text: &'t str, planted: &str) -> Option<&'t str> {
    let is_number = planted.bytes().all(|b| b.is_ascii_digit());
    let (start, _) = text.match_indices(planted).find(|(start, _)| {
        let before = text[..*start].chars().next_back();
        let after = text[start + planted.len()..].chars().next();
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        !is_number || (!digit(before) && !digit(after))
    })?;
    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
    text[line..].lines().next()
}

/// What stands around it.
fn excerpt<'t>(line: &'t str, planted: &str) -> &'t str {
    let at = line.find(planted).unwrap_or(0);
    &line[line.floor_char_boundary(at.saturating_sub(300))..line.ceil_char_boundary(at + 100)]
}

/// A server in a process of its own, with keys and words that are to be seen nowhere, and a call.
async fn whole_call(folder: &Path, tongue: Tongue, format: &str, database: &str) -> Traces {
    let (world, told, collected) = stage::open(tongue).await;
    let log = folder.join("log");
    let scraped = free();
    let company = folder.join("company.toml");
    fs::write(&company, planted_company(tongue)).unwrap();
    let variables = [
        ("RUST_LOG", "trace".to_owned()),
        ("LOG_FORMAT", format.to_owned()),
        ("METRICS_ADDR", scraped.to_string()),
        ("DATABASE_URL", database.to_owned()),
        ("COMPANY_FILE", company.display().to_string()),
        ("TWILIO_API_URL", format!("http://{world}")),
        ("TWILIO_AUTH_TOKEN", format!("c4n4ry-twilio,{AUTH_TOKEN}")),
        ("DEEPGRAM_SPEAK_URL", format!("http://{world}")),
        ("DEEPGRAM_READ_URL", format!("http://{world}")),
        ("DEEPGRAM_AGENT_URL", format!("ws://{world}/v1/agent/converse")),
        ("DEEPGRAM_API_KEY", "c4n4ry-deepgram".to_owned()),
        ("MIDDLEWARE_URL", format!("http://{world}")),
        ("MIDDLEWARE_API_KEY", "c4n4ry-middleware".to_owned()),
        ("FINGERPRINT_KEY", FINGERPRINT_KEY.to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{world}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let errors = Stdio::from(File::create(&log).unwrap());
    let mut server = Process::start_in(folder, "exec \"$0\"", errors, &variables).await;
    let door = Door::to(server.address);
    let (token, mut answers) = strangers(&door).await;
    let mut socket = door.open(&format!("/twilio/acme/{}", tongue.tag)).await;
    say(&mut socket, &CONNECTED).await;
    say(&mut socket, &FromTwilio::Start(start(&token))).await;
    // While the call goes on, its journal lies in the spool.
    let mut kept = listen(&mut socket, folder).await;
    let since = Instant::now();
    for sign in ["a call is over and on record", "the summary of a call was tried"] {
        while !fs::read_to_string(&log).unwrap().contains(sign) {
            assert!(since.elapsed() < Duration::from_secs(30), "{sign} does not come");
            support::pause().await;
        }
    }
    // The span of the call, with what was logged in it.
    while !contains(&collected.lock().unwrap(), "the call ends") {
        assert!(since.elapsed() < Duration::from_secs(30), "no trace comes");
        support::pause().await;
    }
    let metrics = scrape(scraped).await;
    let (status, answer) = door.text("/metrics").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "not by the public door");
    answers.push(("an answer to somebody".to_owned(), answer));
    // As it lies there, with whatever was not yet written into the file itself.
    kept.extend(files(folder));
    server.kill();
    kept.extend(files(folder));
    kept.retain(|(name, _)| !name.ends_with("/log") && !name.ends_with("/company.toml"));
    let log = fs::read_to_string(&log).unwrap();
    let told = told.lock().unwrap().clone();
    let traces = String::from_utf8_lossy(&collected.lock().unwrap()).into_owned();
    Traces { told, log, traces, metrics, answers, kept, token }
}

fn planted_company(tongue: Tongue) -> String {
    let text = include_str!("../../scenarios/companies/acme.toml");
    let text = text.replace("language = \"en\"", &format!("language = \"{}\"", tongue.tag));
    let text = text.replace("recording = \"off\"", "recording = \"off\"\nsummaries = true");
    text.replace("prompt = \"\"\"\n", &format!("prompt = \"\"\"\n{PROMPT}. "))
}

/// Somebody guesses, too. Then the call comes in: its token, and what everybody was answered.
async fn strangers(door: &Door) -> (String, Vec<(String, String)>) {
    let form = with(&voice_inbound(), "From", "+15550100177");
    let mut answers = Vec::new();
    let (_, answer) =
        door.post_as("/twilio/call-status", "x=4111111111111111", FORM, Some("bad")).await;
    answers.push(answer);
    answers.push(door.text("/twilio/100234778/4111111111111111").await.1);
    answers.push(door.text("/quintanilla/62701").await.1);
    let (status, document) = door.post(INBOUND, &form).await;
    assert_eq!(status, StatusCode::OK);
    let verbs = parse(&document).unwrap();
    let Some(Verb::Connect(stream)) = verbs.first() else { panic!("it is connected: {verbs:?}") };
    answers.push(document);
    let name = |answer| ("an answer to somebody".to_owned(), answer);
    (token_of(stream), answers.into_iter().map(name).collect())
}

/// The caller: says something when the opening is over, hears everything to its end, and keys in a
/// number when the agent has answered. The files as they are then.
async fn listen(socket: &mut Socket, folder: &Path) -> Vec<(String, String)> {
    let mut scratch = Vec::new();
    let (mut chunk, mut of_agent) = (0, 0);
    let mut kept = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        let tungstenite::Message::Text(text) = message else { continue };
        let (_, message) = decode_to_twilio(text.as_str(), &mut scratch).unwrap();
        let ToTwilio::Mark { name } = message else { continue };
        let name = name.into_owned();
        of_agent += u32::from(name.starts_with("agent"));
        say(socket, &FromTwilio::Mark { name: name.into() }).await;
        chunk += 1;
        let (track, payload) = (Track::Inbound, &[0x00; 160][..]);
        let (chunk, timestamp_ms) = (Some(chunk), None);
        let media = Media { track, chunk, timestamp_ms, payload };
        say(socket, &FromTwilio::Media(media)).await;
        // The first is what it says between the caller's words.
        if of_agent == 2 && kept.is_empty() {
            for digit in "80355317#".chars() {
                say(socket, &FromTwilio::Dtmf { digit }).await;
            }
            kept = files(folder);
            assert!(kept.iter().any(|(name, _)| name.contains("spool")), "{kept:?}");
        }
    }
    kept
}

fn contains(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Every file below a folder: its path, and its bytes.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            // A journal may be put away meanwhile.
            let bytes = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

/// Every row of every table, as text.
async fn dump(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut text = String::new();
    for table in tables {
        let rows = format!("SELECT row_to_json(t)::text FROM {table} t");
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
        text.push_str(&rows.join("\n"));
    }
    text
}
