//! A whole call in which everything is planted that must not come out, and then a look at whatever
//! comes out of the server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{get, post};
use call_transports::deepgram::{
    ClientMessage, FunctionCall, Role, ServerMessage, decode_client, encode_server,
};
use call_transports::twilio::media::{FromTwilio, Media, ToTwilio, Track, decode_to_twilio};
use futures::StreamExt as _;
use reqwest::StatusCode;
use server::company::Tenant;
use support::{
    AUTH_TOKEN, CALL, CONNECTED, Server, Socket, say, start, token_of, voice_inbound, with,
};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite;
use tracing_subscriber::fmt::MakeWriter;

/// What the caller dictates, the model repeats, the middleware knows, and what is configured.
const PLANTED: [&str; 15] = [
    "100234778",
    "4111111111111111",
    "4111 1111",
    "1980-03-04",
    "62701",
    "Quintanilla",
    "quintanilla",
    "24310",
    "5550100177",
    "c4n4ry-twilio",
    "c4n4ry-deepgram",
    "c4n4ry-middleware",
    AUTH_TOKEN,
    "0707070707070707",
    "What-the-prompt-says",
];

/// I-26, for the log and the metrics. The journal has its own tests; here it is looked at as it lies
/// in the file, for digits and keys.
#[tokio::test]
async fn nothing_that_was_planted_in_a_call_comes_out_i_26() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("calls.db");
    let world = world().await;
    let server = planted(&database, world).await;

    // Somebody guesses, too.
    let form = with(&voice_inbound(), "From", "+15550100177");
    server.post_as("/twilio/call-status", "x=4111111111111111", support::FORM, Some("bad")).await;
    server.get("/twilio/100234778/4111111111111111").await;
    server.get("/quintanilla/62701").await;
    let token = token_of(&server.inbound(&form).await);
    let mut socket = server.open("/twilio/acme/en").await;
    say(&mut socket, &CONNECTED).await;
    say(&mut socket, &FromTwilio::Start(start(&token))).await;
    listen(&mut socket).await;
    assert_eq!(server.end_reason(CALL).await, "agent_hangup");

    let text = server.metrics().await;
    assert_eq!(server.get("/metrics").await, StatusCode::NOT_FOUND, "not by the public door");
    let log = log.text();
    for (what, out) in [("the log", &log), ("/metrics", &text)] {
        for planted in PLANTED.into_iter().chain([&*token]) {
            let place = out.lines().find(|line| line.contains(planted));
            assert_eq!(place, None, "{planted} came out in {what}");
        }
    }
    assert!(!text.contains(CALL), "a call is no label");

    // What is to come out did.
    for expected in [CALL, "the call ends", "a call comes in", "company=\"acme\""] {
        assert!(log.contains(expected), "{expected} is not in the log:\n{log}");
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
        "offhook_calls_live 0",
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected} is not in\n{text}");
    }
    assert!(text.contains("offhook_turn_seconds_count{stage=\"thinking\",course=\"functions\""));

    server.app.store().close().await;
    let file = std::fs::read(&database).unwrap();
    let file = String::from_utf8_lossy(&file);
    // The company's configuration is kept as it was imported, in its own place and in no other.
    let acme = server.app.companies().company("acme").unwrap();
    assert!(file.contains(acme.text()));
    let file = file.replace(acme.text(), "");
    assert!(file.contains("[9 digits]"), "the journal is there, and masked");
    for planted in PLANTED.iter().filter(|word| !word.to_lowercase().contains("quintanilla")) {
        assert!(!file.contains(planted), "{planted} is in the file");
    }
}

/// A server with keys and words that are to be seen nowhere.
async fn planted(database: &Path, world: SocketAddr) -> Server {
    Server::start_on(database, |config| {
        config.twilio.api_url = format!("http://{world}");
        config.twilio.auth_tokens = vec!["c4n4ry-twilio".into(), AUTH_TOKEN.into()];
        config.deepgram.speak_url = format!("http://{world}");
        config.deepgram.agent_url = format!("ws://{world}");
        config.deepgram.api_key = "c4n4ry-deepgram".into();
        config.middleware.url = format!("http://{world}");
        config.middleware.api_key = "c4n4ry-middleware".into();
        config.fingerprint_key = b"0707070707070707".to_vec();
        let mut company = config.companies[0].company().clone();
        for agent in company.agents.values_mut() {
            agent.prompt = "What-the-prompt-says".to_owned();
        }
        config.companies = vec![Tenant::new(company).unwrap()];
    })
    .await
}

/// The caller: says something when the opening is over, and hears everything to its end.
async fn listen(socket: &mut Socket) {
    let mut scratch = Vec::new();
    let mut chunk = 0;
    while let Some(Ok(message)) = socket.next().await {
        let tungstenite::Message::Text(text) = message else { continue };
        let (_, message) = decode_to_twilio(text.as_str(), &mut scratch).unwrap();
        if let ToTwilio::Mark { name } = message {
            let name = name.into_owned();
            say(socket, &FromTwilio::Mark { name: name.into() }).await;
            chunk += 1;
            let (track, payload) = (Track::Inbound, &[0x00; 160][..]);
            let (chunk, timestamp_ms) = (Some(chunk), None);
            let media = Media { track, chunk, timestamp_ms, payload };
            say(socket, &FromTwilio::Media(media)).await;
        }
    }
}

/// Voice, agent, carrier and middleware at once.
async fn world() -> SocketAddr {
    let router = Router::new()
        .route("/v1/speak", post(async || vec![0x7F_u8; 800]))
        .route("/v1/agent/converse", get(converse))
        .route("/v1/loans/lookup", post(async || LOAN))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(async || "{}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn converse(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        let mut has_heard = false;
        let mut says = vec![ServerMessage::Welcome { request_id: "r".to_owned() }];
        loop {
            for message in says.drain(..) {
                let text = Message::Text(encode_server(&message).into());
                if socket.send(text).await.is_err() {
                    return;
                }
                if matches!(&message, ServerMessage::ConversationText { role: Role::Assistant, .. })
                {
                    let _ = socket.send(Message::Binary(vec![0x7F; 800].into())).await;
                }
            }
            says = match socket.recv().await {
                Some(Ok(Message::Text(text))) => match decode_client(text.as_str()).unwrap() {
                    ClientMessage::Settings(_) => vec![ServerMessage::SettingsApplied],
                    ClientMessage::FunctionCallResponse { id, .. } if id == "1" => reply(),
                    _ => Vec::new(),
                },
                Some(Ok(Message::Binary(_))) if !has_heard => {
                    has_heard = true;
                    heard()
                }
                Some(Ok(_)) => Vec::new(),
                Some(Err(_)) | None => return,
            };
        }
    })
}

fn heard() -> Vec<ServerMessage> {
    let words = "I am Maria Quintanilla. My loan is 100234778, I was born on 1980-03-04, my zip is \
                 62701, and my card is 4111 1111 1111 1111.";
    let arguments = r#"{"loan_number":"100234778","date_of_birth":"1980-03-04","zip":"62701"}"#;
    vec![
        ServerMessage::UserStartedSpeaking,
        said(Role::User, words),
        ServerMessage::FunctionCallRequest {
            functions: vec![
                function("1", "lookup_loan", arguments),
                function("2", "lookup_quintanilla_100234778", r#"{"card":"4111111111111111"}"#),
                function("3", "lookup_loan", r#"{"loan_number":"4111111111111111"}"#),
            ],
        },
    ]
}

fn reply() -> Vec<ServerMessage> {
    vec![
        said(Role::Assistant, "Thank you, Maria Quintanilla. You owe $243.10 on 100234778."),
        ServerMessage::AgentAudioDone,
        ServerMessage::Warning {
            code: "SLOW_THINK_REQUEST".to_owned(),
            description: "while thinking about 4111111111111111 of Maria Quintanilla".to_owned(),
        },
        ServerMessage::FunctionCallRequest { functions: vec![function("4", "hangup_call", "{}")] },
    ]
}

fn said(role: Role, words: &str) -> ServerMessage {
    ServerMessage::ConversationText {
        role,
        content: words.into(),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    }
}

fn function(id: &str, name: &str, arguments: &str) -> FunctionCall {
    FunctionCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.into(),
        client_side: true,
        thought_signature: None,
    }
}

const LOAN: &str = r#"{"date_of_birth_matches":true,"zip_matches":true,"loan":{"first_name":"Maria Quintanilla","due_cents":24310,"due_date":"2026-02-28","days_late":2},"card":"4111111111111111"}"#;

/// Everything that was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
