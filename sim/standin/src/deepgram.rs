//! A fake Deepgram: the Voice Agent's WebSocket, and the endpoints for text to speech and for summaries.
//!
//! The agent follows the scenario's script. Sessions whose settings have the same call's SID among
//! their tags are sessions of one call: they share the rest of the script, and what was heard.
//! Without such a tag every session is a call of its own. It is as strict as the real service: a
//! wrong first message, audio before the settings, an unknown field, or fifteen seconds of nothing
//! end the session with the real error codes.

mod calls;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use call_core::{CallTime, Millis};
use call_transports::deepgram::{
    AGENT_PATH, AUTHORIZATION_SCHEME, ClientMessage, READ_PATH, ReadAnswer, ReadRequest, Refusal,
    SPEAK_PATH, SpeakFailure, SpeakRequest, decode_client, encode_server,
};
use sim::Scenario;
use sim::cast::agent::{AgentSays, CONNECT_MS};
use sim::cast::hearing::Hearing;
use sim::cast::{Agent, voice};

use crate::clock::{Clock, pause};
use calls::{Calls, Minded};

/// The agent of a scenario.
#[derive(Debug, Clone)]
pub struct Deepgram {
    service: Arc<Service>,
}

#[derive(Debug)]
struct Service {
    scenario: Arc<Scenario>,
    key: String,
    calls: Calls,
    /// Lines that were asked for.
    lines: AtomicU32,
    /// Whether it sums up nothing, whoever asks.
    does_not_read: AtomicBool,
    /// Texts that were to be summed up, by whoever had the key.
    read: Mutex<Vec<String>>,
}

impl Deepgram {
    /// A service that asks for this API key.
    pub fn new(scenario: Arc<Scenario>, key: &str) -> Self {
        let calls = Calls::new(Arc::clone(&scenario));
        let service = Service {
            scenario,
            key: key.to_owned(),
            calls,
            lines: AtomicU32::new(0),
            does_not_read: AtomicBool::new(false),
            read: Mutex::default(),
        };
        Self { service: Arc::new(service) }
    }

    /// From now on it sums up texts, or fails whoever asks for that.
    pub fn reads(&self, does: bool) {
        self.service.does_not_read.store(!does, Ordering::Relaxed);
    }

    /// The texts that it was given to be summed up so far, also those that it failed.
    pub fn was_given(&self) -> Vec<String> {
        self.service.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its routes.
    pub fn router(self) -> Router {
        Router::new()
            .route(AGENT_PATH, get(converse))
            .route(SPEAK_PATH, post(speak))
            .route(READ_PATH, post(read))
            .with_state(self.service)
    }
}

impl Service {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given.and_then(|value| value.split_once(' ')) == Some((AUTHORIZATION_SCHEME, &self.key))
    }
}

/// Its summary is the number of lines and words, which is true of every text.
async fn read(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    body: String,
) -> Response {
    if !service.admits(&headers) {
        return unknown_key();
    }
    let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let text = match ReadRequest::parse(query, &body) {
        Ok(request) => request.text.into_revealed(),
        Err(refusal) => return failure(StatusCode::BAD_REQUEST, refusal),
    };
    let (lines, words) = (text.lines().count(), text.split_whitespace().count());
    service.read.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    if service.does_not_read.load(Ordering::Relaxed) {
        return failed();
    }
    let answer = ReadAnswer::new(format!("They talked: {lines} turns, {words} words."));
    ([(header::CONTENT_TYPE, "application/json")], answer.encode()).into_response()
}

async fn speak(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    body: String,
) -> Response {
    if !service.admits(&headers) {
        return unknown_key();
    }
    let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = match SpeakRequest::parse(query, &body) {
        Ok(request) => request,
        Err(refusal) => return failure(StatusCode::BAD_REQUEST, refusal),
    };
    let line = service.lines.fetch_add(1, Ordering::Relaxed) + 1;
    let (takes, fails) = voice::speaking(&service.scenario.faults, line);
    pause(takes).await;
    if fails {
        return failed();
    }
    let audio = voice::speak(request.text.reveal());
    ([(header::CONTENT_TYPE, "audio/mulaw")], audio).into_response()
}

fn unknown_key() -> Response {
    let refusal = Refusal { code: "INVALID_AUTH", description: "Invalid credentials.".into() };
    failure(StatusCode::UNAUTHORIZED, refusal)
}

fn failed() -> Response {
    let description = "The service failed.".into();
    let refusal = Refusal { code: "INTERNAL_SERVER_ERROR", description };
    failure(StatusCode::INTERNAL_SERVER_ERROR, refusal)
}

fn failure(status: StatusCode, refusal: Refusal) -> Response {
    let body = SpeakFailure::from(refusal).encode();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn converse(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !service.admits(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let refusal = service.calls.refusal();
    if refusal == Some(0) {
        return std::future::pending().await;
    }
    // Opening a session over the network takes its time, before the socket is open.
    pause(Millis(CONNECT_MS)).await;
    if let Some(status) = refusal {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return status.into_response();
    }
    upgrade
        .read_buffer_size(4_096)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move { Session::open(&service).play(socket).await })
}

/// An agent's session, and the call that it belongs to once that is known.
struct Session<'a> {
    service: &'a Service,
    clock: Clock,
    agent: Agent,
    is_set: bool,
    call: Option<Minded>,
}

impl<'a> Session<'a> {
    fn open(service: &'a Service) -> Self {
        // Which session of which call it is comes with its settings; before them it only greets.
        let agent = Agent::new(CallTime::ZERO, 1, Hearing::new([]), service.scenario.mind());
        Self { service, clock: Clock::start(), agent, is_set: false, call: None }
    }

    async fn play(mut self, mut socket: WebSocket) {
        loop {
            tokio::select! {
                biased;
                () = self.clock.sleep_until(self.agent.poll_timeout()) => {
                    while let Some(says) = self.agent.due(self.clock.now()) {
                        if !send(&mut socket, says).await {
                            return self.end();
                        }
                    }
                }
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.hear(&message).await,
                    Some(Err(_)) | None => return self.end(),
                },
            }
        }
    }

    async fn hear(&mut self, message: &Message) {
        match message {
            Message::Text(text) => {
                let message = decode_client(text);
                if let Ok(ClientMessage::Settings(settings)) = &message {
                    self.join(&settings.tags).await;
                }
                self.agent.receive(self.clock.now(), message);
            }
            Message::Binary(audio) => self.agent.receive_audio(self.clock.now(), audio),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }

    /// The settings say to which call the session belongs. Further ones are an error, but not here.
    async fn join(&mut self, tags: &[String]) {
        if std::mem::replace(&mut self.is_set, true) {
            return;
        }
        match calls::named(tags) {
            Some(call) => {
                let (session, hearing, mind, minded) = self.service.calls.join(call).await;
                self.agent.is_of_call(session, hearing, mind);
                self.call = Some(minded);
            }
            None => {
                let scenario = &self.service.scenario;
                self.agent.is_of_call(1, scenario.hearing(), scenario.mind());
            }
        }
    }

    /// The session is over; what outlives it is there for the next.
    fn end(self) {
        if let Some(call) = self.call {
            call.give_back(self.agent.into_mind());
        }
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
