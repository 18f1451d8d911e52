//! A fake Deepgram: the Voice Agent's WebSocket and the text-to-speech endpoint.
//!
//! Every connection is a new agent that follows the scenario's script. It is as strict as the real
//! service: a wrong first message, audio before the settings, an unknown field, or fifteen seconds
//! of nothing end the session with the real error codes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use call_core::CallTime;
use call_transports::deepgram::{
    AGENT_PATH, AUTHORIZATION_SCHEME, Refusal, SPEAK_PATH, SpeakFailure, SpeakRequest,
    decode_client, encode_server,
};
use sim::Scenario;
use sim::cast::agent::{AgentSays, CONNECT_MS};
use sim::cast::{Agent, voice};

use crate::clock::Clock;

/// The agent of a scenario.
#[derive(Debug, Clone)]
pub struct Deepgram {
    scenario: Arc<Scenario>,
    key: Arc<str>,
}

impl Deepgram {
    /// A service that asks for this API key.
    pub fn new(scenario: Arc<Scenario>, key: &str) -> Self {
        Self { scenario, key: key.into() }
    }

    /// Its routes.
    pub fn router(self) -> Router {
        Router::new()
            .route(AGENT_PATH, get(converse))
            .route(SPEAK_PATH, post(speak))
            .with_state(self)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given.and_then(|value| value.split_once(' ')) == Some((AUTHORIZATION_SCHEME, &self.key))
    }
}

async fn speak(
    State(deepgram): State<Deepgram>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    body: String,
) -> Response {
    if !deepgram.admits(&headers) {
        let refusal = Refusal { code: "INVALID_AUTH", description: "Invalid credentials.".into() };
        return failure(StatusCode::UNAUTHORIZED, refusal);
    }
    let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    match SpeakRequest::parse(query, &body) {
        Ok(request) => {
            tokio::time::sleep(Duration::from_millis(voice::SPEAK_LATENCY_MS)).await;
            let audio = voice::speak(request.text.reveal());
            ([(header::CONTENT_TYPE, "audio/mulaw")], audio).into_response()
        }
        Err(refusal) => failure(StatusCode::BAD_REQUEST, refusal),
    }
}

fn failure(status: StatusCode, refusal: Refusal) -> Response {
    let body = SpeakFailure::from(refusal).encode();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn converse(
    State(deepgram): State<Deepgram>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !deepgram.admits(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // Opening a session over the network takes its time, before the socket is open.
    tokio::time::sleep(Duration::from_millis(CONNECT_MS)).await;
    upgrade
        .read_buffer_size(4_096)
        .write_buffer_size(0)
        .on_upgrade(move |socket| session(socket, deepgram.scenario))
}

async fn session(mut socket: WebSocket, scenario: Arc<Scenario>) {
    let clock = Clock::start();
    let mut agent = Agent::new(CallTime::ZERO, 1, scenario.hearing(), scenario.mind());
    loop {
        tokio::select! {
            biased;
            () = clock.sleep_until(agent.poll_timeout()) => {
                while let Some(says) = agent.due(clock.now()) {
                    if !send(&mut socket, says).await {
                        return;
                    }
                }
            }
            message = socket.recv() => match message {
                Some(Ok(message)) => hear(&mut agent, clock, &message),
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn hear(agent: &mut Agent, clock: Clock, message: &Message) {
    match message {
        Message::Text(text) => agent.receive(clock.now(), decode_client(text)),
        Message::Binary(audio) => agent.receive_audio(clock.now(), audio),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
    }
}

/// Whether the session goes on.
async fn send(socket: &mut WebSocket, says: AgentSays) -> bool {
    let message = match says {
        AgentSays::Text(message) => Message::Text(encode_server(&message).into()),
        AgentSays::Audio(audio) => Message::Binary(audio.into()),
        AgentSays::Close => Message::Close(None),
    };
    let goes_on = !matches!(message, Message::Close(_));
    socket.send(message).await.is_ok() && goes_on
}
