//! Providers that answer: an agent that does what a test tells it, a voice, and the carrier's REST
//! interface. And one end of a media stream that plays what it is sent.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message as AgentMessage, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, post};
use call_transports::deepgram::{
    ClientMessage, FunctionCall, Role, ServerMessage, decode_client, encode_server,
};
use call_transports::twilio::media::{FromTwilio, ToTwilio, decode_to_twilio};
use call_transports::twilio::twiml::{Verb, parse};
use call_transports::twilio::webhook::decode_form;
use futures::{SinkExt as _, StreamExt as _};
use server::company::Tenant;
use server::config::Config;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{CONNECTED, Door, Form, Server, Socket, close_code, say_on, start, stop};

/// The company of these tests: it offers persons and tones.
pub(crate) const PATH: &str = "/twilio/summit/en";

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

const LINE_BYTES: usize = 800;

/// All that a server needs, on one port.
pub(crate) struct World {
    address: SocketAddr,
    says: mpsc::UnboundedSender<AgentMessage>,
    answers: mpsc::UnboundedReceiver<(String, String)>,
    posted: mpsc::UnboundedReceiver<Form>,
    props: Arc<Props>,
}

struct Props {
    /// What the agent is to say, for the first session.
    script: Mutex<Option<mpsc::UnboundedReceiver<AgentMessage>>>,
    answers: mpsc::UnboundedSender<(String, String)>,
    posted: mpsc::UnboundedSender<Form>,
    replies: Mutex<VecDeque<Reply>>,
    sessions: AtomicU32,
    open: AtomicU32,
    caller: Mutex<Vec<u8>>,
}

/// How the carrier answers to REST.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: &'static str,
    /// Not before this.
    pub(crate) after: Option<oneshot::Receiver<()>>,
}

impl World {
    pub(crate) async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (says, script) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let (asked, posted) = mpsc::unbounded_channel();
        let props = Arc::new(Props {
            script: Mutex::new(Some(script)),
            answers: answered,
            posted: asked,
            replies: Mutex::default(),
            sessions: AtomicU32::new(0),
            open: AtomicU32::new(0),
            caller: Mutex::default(),
        });
        let router = Router::new()
            .route("/v1/agent/converse", any(agent))
            .route("/v1/speak", post(async || vec![0x7f_u8; LINE_BYTES]))
            .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(update))
            .with_state(Arc::clone(&props));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, says, answers, posted, props }
    }

    /// A server of a company that can hand calls over, in this world.
    pub(crate) async fn server(&self, limits: &str) -> Server {
        self.server_with(limits, |_| {}).await
    }

    /// The same, with something else in its configuration.
    pub(crate) async fn server_with(
        &self,
        limits: &str,
        change: impl FnOnce(&mut Config),
    ) -> Server {
        Server::start_with(self.of_company(limits, change)).await
    }

    /// Makes a configuration that of such a company in this world.
    pub(crate) fn of_company(
        &self,
        limits: &str,
        change: impl FnOnce(&mut Config),
    ) -> impl FnOnce(&mut Config) {
        let (address, limits) = (self.address, limits.to_owned());
        move |config| {
            at(config, address, &limits);
            change(config);
        }
    }

    /// Where all of them are.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The company of these tests, as the text of its file.
    pub(crate) fn company(limits: &str) -> String {
        let company = include_str!("../../../scenarios/companies/summit.toml")
            .replace("+15550100077", "+15550100099")
            .replace("\"make_payment\", ", "");
        format!("{company}\n[limits]\n{limits}\n")
    }

    /// The carrier's next answer to REST. Without one it agrees.
    pub(crate) fn carrier_replies(&self, reply: Reply) {
        self.props.replies.lock().unwrap().push_back(reply);
    }

    /// The agent asks for a function.
    pub(crate) fn ask(&self, id: &str, name: &str, arguments: &str) {
        let call = FunctionCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.into(),
            client_side: true,
            thought_signature: None,
        };
        self.tells(&ServerMessage::FunctionCallRequest { functions: vec![call] });
    }

    /// The agent's provider tells something.
    pub(crate) fn tells(&self, message: &ServerMessage) {
        self.sends(AgentMessage::Text(encode_server(message).into()));
    }

    /// The agent's provider sends this frame, whatever it is.
    pub(crate) fn sends(&self, frame: AgentMessage) {
        self.says.send(frame).unwrap();
    }

    /// The agent says that the caller said this, so often.
    pub(crate) fn hears(&self, words: &str, times: usize) {
        for _ in 0..times {
            let told = ServerMessage::ConversationText {
                role: Role::User,
                content: words.into(),
                conversational_behavior: None,
                languages_hinted: Vec::new(),
                languages: Vec::new(),
            };
            self.tells(&told);
        }
    }

    /// What the agent is answered to a function.
    pub(crate) async fn answer(&mut self) -> (String, String) {
        timeout(PATIENCE, self.answers.recv()).await.unwrap().unwrap()
    }

    /// What is asked of the carrier for a call.
    pub(crate) async fn posted(&mut self) -> Form {
        timeout(PATIENCE, self.posted.recv()).await.unwrap().unwrap()
    }

    /// The document that the carrier is given for a call.
    pub(crate) async fn document(&mut self) -> Vec<Verb> {
        let form = self.posted().await;
        let [(name, document)] = &form[..] else { panic!("not one field") };
        assert_eq!(name, "Twiml");
        parse(document).unwrap()
    }

    /// Whether nothing more was asked of the carrier.
    pub(crate) fn asked_nothing_more(&mut self) -> bool {
        self.posted.try_recv().is_err()
    }

    pub(crate) fn sessions(&self) -> u32 {
        self.props.sessions.load(Ordering::SeqCst)
    }

    /// How many sessions of the agent's are open.
    pub(crate) fn open_sessions(&self) -> u32 {
        self.props.open.load(Ordering::SeqCst)
    }

    /// All of the caller's voice that has come to the agent.
    pub(crate) fn caller(&self) -> Vec<u8> {
        self.props.caller.lock().unwrap().clone()
    }
}

fn at(config: &mut Config, providers: SocketAddr, limits: &str) {
    let company = World::company(limits);
    config.companies = vec![Tenant::parse("summit.toml", &company).unwrap()];
    config.twilio.api_url = format!("http://{providers}");
    config.deepgram.agent_url = format!("ws://{providers}/v1/agent/converse");
    config.deepgram.speak_url = format!("http://{providers}");
}

async fn agent(State(props): State<Arc<Props>>, upgrade: WebSocketUpgrade) -> Response {
    props.sessions.fetch_add(1, Ordering::SeqCst);
    let script = props.script.lock().unwrap().take();
    upgrade.on_upgrade(async move |socket| {
        if let Some(script) = script {
            props.open.fetch_add(1, Ordering::SeqCst);
            session(socket, script, &props).await;
            props.open.fetch_sub(1, Ordering::SeqCst);
        }
    })
}

async fn session(
    mut socket: WebSocket,
    mut script: mpsc::UnboundedReceiver<AgentMessage>,
    props: &Props,
) {
    let mut is_ready = false;
    let written = |message| Some(AgentMessage::Text(encode_server(&message).into()));
    let mut next = written(ServerMessage::Welcome { request_id: "r".to_owned() });
    loop {
        if let Some(frame) = next.take()
            && socket.send(frame).await.is_err()
        {
            return;
        }
        tokio::select! {
            frame = script.recv(), if is_ready => next = frame,
            frame = socket.recv() => match frame {
                Some(Ok(AgentMessage::Text(text))) => match decode_client(text.as_str()).unwrap() {
                    ClientMessage::Settings(_) => {
                        is_ready = true;
                        next = written(ServerMessage::SettingsApplied);
                    }
                    ClientMessage::FunctionCallResponse { id, content, .. } => {
                        // A test that is over asks for no answers.
                        let _ = props.answers.send((id, content.reveal().to_owned()));
                    }
                    _ => {}
                },
                Some(Ok(AgentMessage::Binary(audio))) => {
                    props.caller.lock().unwrap().extend_from_slice(&audio);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

async fn update(State(props): State<Arc<Props>>, body: String) -> (StatusCode, &'static str) {
    let reply = props.replies.lock().unwrap().pop_front();
    // A test that is over asks for nothing.
    let _ = props.posted.send(decode_form(body.as_bytes()).unwrap());
    let Some(Reply { status, body, after }) = reply else { return (StatusCode::OK, "{}") };
    if let Some(after) = after {
        let _ = after.await;
    }
    (StatusCode::from_u16(status).unwrap(), body)
}

/// The carrier's end of a media stream. It plays what it is sent in no time.
pub(crate) struct Leg {
    socket: Socket,
    stream: &'static str,
    is_open: bool,
    /// Bytes of speech that came.
    pub(crate) heard: usize,
    /// How many of them had come whenever all that was not played yet was taken back.
    pub(crate) cleared: Vec<usize>,
}

impl Leg {
    /// Opens a stream that shows this token.
    pub(crate) async fn open(server: &Door, stream: &'static str, token: &str) -> Self {
        let mut socket = server.open(PATH).await;
        say_on(&mut socket, stream, &CONNECTED).await;
        let mut start = start(token);
        start.stream_sid = stream.to_owned();
        say_on(&mut socket, stream, &FromTwilio::Start(start)).await;
        Self { socket, stream, is_open: true, heard: 0, cleared: Vec::new() }
    }

    /// Plays what comes until this is ready.
    pub(crate) async fn playing<T>(&mut self, until: impl Future<Output = T>) -> T {
        let mut until = pin!(until);
        loop {
            if !self.is_open {
                return timeout(PATIENCE, until).await.unwrap();
            }
            let frame = tokio::select! {
                biased;
                done = &mut until => return done,
                frame = timeout(PATIENCE, self.socket.next()) => frame.unwrap(),
            };
            match frame {
                Some(Ok(Message::Text(text))) => self.take(&text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => self.is_open = false,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Plays until this much more speech has come.
    pub(crate) async fn hears_a_line(&mut self) {
        let before = self.heard;
        while self.heard < before + LINE_BYTES {
            assert!(self.is_open, "the stream is over");
            let frame = timeout(PATIENCE, self.socket.next()).await.unwrap();
            match frame {
                Some(Ok(Message::Text(text))) => self.take(&text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => self.is_open = false,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn take(&mut self, text: &str) {
        let mut scratch = Vec::new();
        let (stream, message) = decode_to_twilio(text, &mut scratch).unwrap();
        assert_eq!(stream, self.stream);
        match message {
            ToTwilio::Media { payload } => self.heard += payload.len(),
            ToTwilio::Mark { name } => {
                let name = name.into_owned().into();
                say_on(&mut self.socket, self.stream, &FromTwilio::Mark { name }).await;
            }
            ToTwilio::Clear => self.cleared.push(self.heard),
        }
    }

    /// Sends a frame, whatever it is.
    pub(crate) async fn send(&mut self, frame: Message) {
        self.socket.send(frame).await.unwrap();
    }

    /// The stream is over; the code that we close it with.
    pub(crate) async fn stop(&mut self) -> Option<u16> {
        say_on(&mut self.socket, self.stream, &stop()).await;
        // Speech that was on its way by then was handed on, too.
        let mut scratch = Vec::new();
        loop {
            match timeout(PATIENCE, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => {
                    let (_, message) = decode_to_twilio(&text, &mut scratch).unwrap();
                    if let ToTwilio::Media { payload } = message {
                        self.heard += payload.len();
                    }
                }
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn closed(&mut self) -> Option<u16> {
        timeout(PATIENCE, close_code(&mut self.socket)).await.unwrap()
    }
}
