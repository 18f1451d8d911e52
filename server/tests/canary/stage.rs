//! Everybody whom a server speaks to, in one place and with too much to say: a voice, an agent, the
//! carrier's REST interface and a middleware. What the caller dictates, they echo.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use call_transports::deepgram::{
    ClientMessage, FunctionCall, Role, ServerMessage, decode_client, encode_server,
};
use tokio::net::TcpListener;

/// What is said in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tongue {
    pub(crate) tag: &'static str,
    /// The caller's turns, and between them what the agent says.
    turns: &'static [(Role, &'static str)],
    /// What the agent says when it knows the loan.
    replies: &'static [&'static str],
}

pub(crate) const ENGLISH: Tongue = Tongue {
    tag: "en",
    turns: &[
        (
            Role::User,
            "I am Maria Quintanilla. My loan is 100234778, I was born on 1980-03-04, my zip is \
             62701, and my card is 4111 1111 1111 1111.",
        ),
        (Role::User, "My social is five five one."),
        (Role::Assistant, "Uh-huh."),
        (Role::User, "Then eight four."),
        (Role::User, "Two nine three seven, that is it."),
        (Role::User, "The routing number is zero two one, yes, let me see, triple zero two one."),
    ],
    replies: &[
        "Thank you, Maria Quintanilla. You owe $243.10 on 100234778.",
        "You were born on March fourth.",
        "Your routing number is zero two one,",
        "zero zero zero two one.",
    ],
};

pub(crate) const SPANISH: Tongue = Tongue {
    tag: "es",
    turns: &[
        (
            Role::User,
            "Soy Maria Quintanilla. Mi préstamo es 100234778, nací el cuatro de marzo de mil \
             novecientos ochenta, mi código es 62701 y mi tarjeta 4111 1111 1111 1111.",
        ),
        (Role::User, "Mi seguro social es cinco cinco uno."),
        (Role::Assistant, "Ajá."),
        (Role::User, "Luego ocho cuatro."),
        (Role::User, "Dos nueve tres siete, es todo."),
        (Role::User, "La ruta es cero dos uno, sí, a ver, cero cero cero dos uno."),
    ],
    replies: &[
        "Gracias, Maria Quintanilla. Debe $243.10 del 100234778.",
        "Usted nació el cuatro de marzo.",
        "Su ruta es cero dos uno,",
        "cero cero cero dos uno.",
    ],
};

/// A sentence where a word is expected.
const SENTENCE: &str = "no loan 100234778 of Maria Quintanilla, card 4111111111111111";

/// What whoever sums calls up was told.
pub(crate) type Told = Arc<Mutex<Vec<String>>>;

/// What the collector of traces was sent.
pub(crate) type Collected = Arc<Mutex<Vec<u8>>>;

pub(crate) async fn open(tongue: Tongue) -> (SocketAddr, Told, Collected) {
    let (told, collected) = (Told::default(), Collected::default());
    let collector = Arc::clone(&collected);
    let collect = async move |body: Bytes| collector.lock().unwrap().extend_from_slice(&body);
    let reader = Arc::clone(&told);
    let read = async move |body: String| {
        reader.lock().unwrap().push(body);
        SUMMARY
    };
    let router = Router::new()
        .route("/v1/read", post(read))
        .route("/v1/traces", post(collect))
        .route("/v1/speak", post(async || vec![0x7F_u8; 800]))
        .route("/v1/agent/converse", get(converse))
        .route("/v1/loans/lookup", post(look_up))
        .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(async || ANSWER))
        .with_state(tongue);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, told, collected)
}

async fn look_up(body: String) -> (StatusCode, &'static str) {
    if body.contains("80355317") {
        return (StatusCode::INTERNAL_SERVER_ERROR, SENTENCE);
    }
    (StatusCode::OK, LOAN)
}

async fn converse(State(tongue): State<Tongue>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| session(socket, tongue).await)
}

async fn session(mut socket: WebSocket, tongue: Tongue) {
    let mut has_heard = false;
    let mut says = vec![told(&ServerMessage::Welcome { request_id: SENTENCE.to_owned() })];
    loop {
        for text in says.drain(..) {
            let has_audio = text.contains("\"assistant\"");
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
            if has_audio {
                let _ = socket.send(Message::Binary(vec![0x7F; 800].into())).await;
            }
        }
        says = match socket.recv().await {
            Some(Ok(Message::Text(text))) => match decode_client(text.as_str()).unwrap() {
                ClientMessage::Settings(_) => vec![told(&ServerMessage::SettingsApplied)],
                ClientMessage::InjectUserMessage { content }
                    if content.reveal().contains("keyed-1") =>
                {
                    let arguments = ARGUMENTS.replace("100234778", "keyed-1");
                    vec![asks(&[("5", "lookup_loan", &arguments)])]
                }
                ClientMessage::FunctionCallResponse { id, .. } if id == "1" => replies(tongue),
                ClientMessage::FunctionCallResponse { id, .. } if id == "5" => goodbye(),
                _ => Vec::new(),
            },
            Some(Ok(Message::Binary(_))) if !has_heard => {
                has_heard = true;
                heard(tongue)
            }
            Some(Ok(_)) => Vec::new(),
            Some(Err(_)) | None => return,
        };
    }
}

fn heard(tongue: Tongue) -> Vec<String> {
    let turns = tongue.turns.iter().map(|(role, words)| said(role.clone(), words));
    let card = r#"{"card":"4111111111111111"}"#;
    let parts = r#"{"loan_number":["100","234","778"],"zip":62701}"#;
    let asked = asks(&[
        ("1", "lookup_loan", ARGUMENTS),
        ("2", "lookup_quintanilla_100234778", card),
        ("3", "lookup_loan", r#"{"loan_number":"4111111111111111"}"#),
        ("6", "lookup_loan", parts),
    ]);
    [told(&ServerMessage::UserStartedSpeaking)].into_iter().chain(turns).chain([asked]).collect()
}

/// The agent answers, and what its service sends beside that cannot be understood.
fn replies(tongue: Tongue) -> Vec<String> {
    let words = tongue.replies.iter().map(|words| said(Role::Assistant, words));
    let warning = ServerMessage::Warning {
        code: "SLOW_THINK_REQUEST".to_owned(),
        description: SENTENCE.to_owned(),
    };
    let sentence = ServerMessage::Warning { code: SENTENCE.to_owned(), description: String::new() };
    let beside = [
        told(&ServerMessage::AgentAudioDone),
        told(&warning),
        told(&sentence),
        format!("{{\"type\":\"{SENTENCE}\",\"of\":\"{SENTENCE}\"}}"),
        format!("{{\"type\":\"ConversationText\",\"role\":7,\"content\":\"{SENTENCE}\"}}"),
        SENTENCE.to_owned(),
    ];
    words.chain(beside).collect()
}

fn goodbye() -> Vec<String> {
    let error =
        ServerMessage::Error { code: SENTENCE.to_owned(), description: SENTENCE.to_owned() };
    vec![asks(&[("4", "hangup_call", "{}")]), told(&error)]
}

fn told(message: &ServerMessage) -> String {
    encode_server(message)
}

fn said(role: Role, words: &str) -> String {
    told(&ServerMessage::ConversationText {
        role,
        content: words.into(),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    })
}

fn asks(functions: &[(&str, &str, &str)]) -> String {
    let call = |(id, name, arguments): &(&str, &str, &str)| FunctionCall {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        arguments: (*arguments).into(),
        client_side: true,
        thought_signature: None,
    };
    let functions = functions.iter().map(call).collect();
    told(&ServerMessage::FunctionCallRequest { functions })
}

const ARGUMENTS: &str = r#"{"loan_number":"100234778","date_of_birth":"1980-03-04","zip":"62701"}"#;

const LOAN: &str = r#"{"date_of_birth_matches":true,"zip_matches":true,"loan":{"first_name":"Maria Quintanilla","due_cents":24310,"due_date":"2026-02-28","days_late":2},"card":"4111111111111111"}"#;

/// As if it had known all that was dictated.
pub(crate) const SUMMARY: &str = r#"{"results":{"summary":{"text":"Maria Quintanilla paid 4111 1111 1111 1111 for 100234778; her social is five five one eight four two nine three seven."}}}"#;

const ANSWER: &str = r#"{"status":"completed","message":"Maria Quintanilla, 100234778"}"#;
