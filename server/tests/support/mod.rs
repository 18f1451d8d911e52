//! A server on a real port with a real database, and what it takes to speak to it as Twilio does.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use call_transports::net::install_crypto;
use call_transports::twilio::Sid;
use call_transports::twilio::media::{FromTwilio, MediaFormat, Start, encode_from_twilio};
use call_transports::twilio::signature::sign;
use call_transports::twilio::twiml::{Stream, Verb, parse};
use call_transports::twilio::webhook::{decode_form, encode_form};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use server::api::Operators;
use server::app::{self, App};
use server::company::Tenant;
use server::config::{self, Config, LogFormat, PublicUrl};
use server::metrics;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{self, ClientRequestBuilder, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) mod operators;
pub(crate) mod process;
pub(crate) mod world;

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const CALL: &str = "CA00000000000000000000000000000011";
pub(crate) const STREAM: &str = "MZ00000000000000000000000000000001";
pub(crate) const AUTH_TOKEN: &str = "old-and-replaced-soon";
pub(crate) const PUBLIC: &str = "https://voice.example.test";
pub(crate) const INBOUND: &str = "/twilio/inbound_call";
pub(crate) const AFTER_STREAM: &str = "/twilio/after_stream";

pub(crate) type Form = Vec<(String, String)>;
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A running server. Its providers accept connections and never answer.
pub(crate) struct Server {
    pub(crate) app: App,
    /// What may be asked of it.
    pub(crate) door: Door,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<anyhow::Result<()>>,
    _deaf: TcpListener,
    _folder: Option<TempDir>,
}

/// The way into a server, for Twilio and whoever claims to be it.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
}

impl Deref for Server {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::start_on(&folder.path().join("calls.db"), change).await;
        server._folder = Some(folder);
        server
    }

    /// With a database that outlives the server.
    pub(crate) async fn start_on(database: &Path, change: impl FnOnce(&mut Config)) -> Self {
        install_crypto();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = config(address, deaf.local_addr().unwrap(), database);
        change(&mut config);
        let app = App::new(config).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(app::serve(app.clone(), listener, shutdown));
        let door = Door::to(address);
        Self { app, door, stop: Some(stop), serving, _deaf: deaf, _folder: None }
    }

    /// Asks the server to end. `serving` tells when it has.
    pub(crate) fn end(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A call that has come in and whose stream has begun.
    pub(crate) async fn call(&self) -> Socket {
        let mut steps = self.app.watch().subscribe();
        let socket = self.door.call().await;
        steps.recv().await.unwrap();
        socket
    }

    /// What scrapers are told.
    pub(crate) async fn metrics(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(metrics::serve(self.app.clone(), listener));
        scrape(address).await
    }

    /// Why a call ended, once it is on record.
    pub(crate) async fn end_reason(&self, call: &str) -> String {
        loop {
            let record = self.app.store().call(call).await.unwrap();
            if let Some(ended) = record.and_then(|record| record.ended) {
                return ended.reason;
            }
            pause().await;
        }
    }
}

impl Door {
    pub(crate) fn to(address: SocketAddr) -> Self {
        install_crypto();
        Self { address, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> StatusCode {
        let url = format!("http://{}{path}", self.address);
        self.http.get(url).send().await.unwrap().status()
    }

    /// What a path says to anybody.
    pub(crate) async fn text(&self, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// A webhook that Twilio signed.
    pub(crate) async fn post(&self, path: &str, form: &Form) -> (StatusCode, String) {
        let signature = sign(AUTH_TOKEN, &format!("{PUBLIC}{path}"), form);
        self.post_as(path, encode_form(form), FORM, Some(&signature)).await
    }

    pub(crate) async fn post_as(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
        kind: &str,
        signature: Option<&str>,
    ) -> (StatusCode, String) {
        let request = self.http.post(format!("http://{}{path}", self.address));
        let mut request = request.header("Content-Type", kind).body(body);
        // What a proxy adds, and what anybody outside may add too.
        request = request.header("X-Forwarded-Host", "evil.example").header("Forwarded", "x");
        if let Some(signature) = signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// What a webhook is answered with, verb by verb.
    pub(crate) async fn verbs(&self, path: &str, form: &Form) -> Vec<Verb> {
        let (status, document) = self.post(path, form).await;
        assert_eq!(status, StatusCode::OK);
        parse(&document).unwrap()
    }

    /// The stream that an inbound call is told to open.
    pub(crate) async fn inbound(&self, form: &Form) -> Stream {
        let verbs = self.verbs(INBOUND, form).await;
        let [Verb::Connect(stream), Verb::Redirect { url }] = &verbs[..] else {
            panic!("the call is not connected: {verbs:?}");
        };
        assert_eq!(*url, format!("{PUBLIC}{AFTER_STREAM}"));
        stream.clone()
    }

    /// Opens the media socket as Twilio does.
    pub(crate) async fn open(&self, path: &str) -> Socket {
        let url = format!("wss://voice.example.test{path}");
        let signature = sign(AUTH_TOKEN, &url, &[]);
        self.open_as(path, Some(&signature)).await.unwrap()
    }

    pub(crate) async fn open_as(
        &self,
        path: &str,
        signature: Option<&str>,
    ) -> Result<Socket, tungstenite::Error> {
        let uri = format!("ws://{}{path}", self.address).parse().unwrap();
        let mut request = ClientRequestBuilder::new(uri);
        if let Some(signature) = signature {
            request = request.with_header("X-Twilio-Signature", signature);
        }
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    }

    /// A call that has come in and whose stream has been opened.
    pub(crate) async fn call(&self) -> Socket {
        let stream = self.inbound(&voice_inbound()).await;
        let mut socket = self.open("/twilio/acme/en").await;
        say(&mut socket, &CONNECTED).await;
        say(&mut socket, &FromTwilio::Start(start(&token_of(&stream)))).await;
        socket
    }
}

/// Whatever is served there for scrapers.
pub(crate) async fn scrape(address: SocketAddr) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("http://{address}/metrics")).send().await.unwrap();
    answer.text().await.unwrap()
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) const CONNECTED: FromTwilio<'static> = FromTwilio::Connected {
    protocol: std::borrow::Cow::Borrowed("Call"),
    version: std::borrow::Cow::Borrowed("1.0.0"),
};

pub(crate) fn start(token: &str) -> Start {
    Start {
        stream_sid: STREAM.to_owned(),
        call_sid: CALL.to_owned(),
        account_sid: ACCOUNT.to_owned(),
        media_format: MediaFormat::telephone(),
        custom_parameters: [("token".to_owned(), token.to_owned())].into(),
        tracks: vec!["inbound".to_owned()],
    }
}

pub(crate) fn stop() -> FromTwilio<'static> {
    FromTwilio::Stop { account_sid: Some(ACCOUNT.into()), call_sid: Some(CALL.into()) }
}

pub(crate) async fn say(socket: &mut Socket, message: &FromTwilio<'_>) {
    say_on(socket, STREAM, message).await;
}

pub(crate) async fn say_on(socket: &mut Socket, stream: &str, message: &FromTwilio<'_>) {
    let mut text = String::new();
    encode_from_twilio(message, stream, 1, &mut text);
    socket.send(Message::text(text)).await.unwrap();
}

/// The code that a socket is closed with, after whatever else comes.
pub(crate) async fn close_code(socket: &mut Socket) -> Option<u16> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

pub(crate) fn token_of(stream: &Stream) -> String {
    let parameter = stream.parameters().iter().find(|parameter| parameter.name() == "token");
    parameter.unwrap().value().to_owned()
}

/// An inbound call as Twilio announces it, with all that we do not need.
pub(crate) fn voice_inbound() -> Form {
    let body = include_str!("../../../transports/fixtures/twilio/webhooks/voice_inbound.form");
    decode_form(body.trim_end().as_bytes()).unwrap()
}

/// The same form with another value in one field.
pub(crate) fn with(form: &Form, field: &str, value: &str) -> Form {
    let other = |(name, old): &(String, String)| {
        let value = if name == field { value.to_owned() } else { old.clone() };
        (name.clone(), value)
    };
    form.iter().map(other).collect()
}

pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

pub(crate) fn acme() -> Tenant {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Tenant::load(&root.join("../scenarios/companies/acme.toml")).unwrap()
}

pub(crate) fn config(listen: SocketAddr, providers: SocketAddr, database: &Path) -> Config {
    Config {
        listen,
        metrics: None,
        public_url: PublicUrl::parse(PUBLIC).unwrap(),
        database_url: format!("sqlite://{}", database.display()).into(),
        spool: database.with_extension("spool"),
        audit: database.with_extension("audit"),
        twilio: config::Twilio {
            account: Sid::parse(ACCOUNT).unwrap(),
            auth_tokens: vec!["new".into(), AUTH_TOKEN.into()],
            api_url: format!("http://{providers}"),
            media_hosts: Vec::new(),
        },
        deepgram: config::Deepgram {
            api_key: "key".into(),
            agent_url: format!("ws://{providers}/v1/agent/converse"),
            speak_url: format!("http://{providers}"),
            read_url: format!("http://{providers}"),
        },
        middleware: config::Middleware {
            url: format!("http://{providers}"),
            api_key: "key".into(),
        },
        companies: vec![acme()],
        operators: Operators::default(),
        calls_max: 10,
        log_format: LogFormat::Text,
        collector: None,
        fingerprint_key: vec![7; 32].into(),
        data_keys: None,
        start_limit: config::START_LIMIT,
        token_life: config::TOKEN_LIFE,
        drain_limit: config::DRAIN_LIMIT,
        orphan_limit: config::ORPHAN_LIMIT,
    }
}
