//! Calls on real sockets, with a small world on the other side: one server that is carrier,
//! agent, voice and middleware at once.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::Message;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use call_core::Effect;
use call_core::step::{EndReason, Fact};
use call_transports::deepgram::{
    ClientMessage, FunctionCall, ServerMessage, decode_client, encode_server,
};
use call_transports::net::{AgentFrame, AgentSocket};
use call_transports::twilio::media::{
    FromTwilio, Media, MediaFormat, Start, ToTwilio, Track, decode_to_twilio, encode_from_twilio,
};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

const CALL: &str = "CA00000000000000000000000000000001";
const STREAM: &str = "MZ00000000000000000000000000000001";
const LINE_BYTES: usize = 1_600;

#[tokio::test]
async fn a_call_goes_from_opening_through_lookup_and_farewell_to_hanging_up() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;

    // The opening and the farewell are heard, and the carrier hangs up when asked.
    let mut marks = Vec::new();
    let mut audio = 0;
    while let Some(message) = carrier.next().await {
        match message {
            Said::Audio(bytes) => audio += bytes,
            Said::Clear => {}
            Said::Mark(name) => {
                carrier.say(&FromTwilio::Mark { name: name.clone().into() }).await;
                // The caller speaks up after the opening.
                carrier.speak().await;
                marks.push(name);
            }
        }
    }
    let steps = stage.steps().await;
    assert_eq!(marks, ["line-1", "line-2"]);
    assert_eq!(audio, 2 * LINE_BYTES);
    assert_eq!(ended(&steps), Some(&EndReason::AgentHangup));
    assert!(steps.iter().flat_map(|step| &step.facts).any(
        |fact| matches!(fact, Fact::FunctionDone { outcome, .. } if outcome == "not-verified")
    ));
    assert_eq!(stage.props.hang_ups.load(Ordering::SeqCst), 1);
    assert_eq!(stage.props.lookups.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stream_that_breaks_ends_the_call_f_tw_08() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    carrier.next().await.expect("the opening begins");
    drop(carrier);
    assert_eq!(ended(&stage.steps().await), Some(&EndReason::StreamLost));
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_call_once() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    carrier.next().await.expect("the opening begins");
    carrier.say(&FromTwilio::Stop { account_sid: None, call_sid: None }).await;
    while carrier.next().await.is_some() {}
    let steps = stage.steps().await;
    assert_eq!(ended(&steps), Some(&EndReason::CallerHangup));
    assert_eq!(steps.iter().filter(|step| ended(std::slice::from_ref(step)).is_some()).count(), 1);
    assert_eq!(stage.props.hang_ups.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_agent_that_refuses_us_leads_to_a_decent_end_f_dg_02() {
    let mut stage = Stage::set(AgentMood::Refusing).await;
    let mut carrier = stage.ring().await;
    let mut marks = 0;
    while let Some(message) = carrier.next().await {
        if let Said::Mark(name) = message {
            carrier.say(&FromTwilio::Mark { name: name.into() }).await;
            marks += 1;
        }
    }
    assert_eq!(ended(&stage.steps().await), Some(&EndReason::AgentFailed));
    assert!(marks > 0, "the caller hears a word of ours");
}

#[tokio::test]
async fn ten_binary_frames_end_the_stream_f_tw_13() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    for _ in 0..10 {
        carrier.socket.queue_audio(&[0; 160]);
    }
    carrier.flush().await;
    while carrier.next().await.is_some() {}
    assert_eq!(ended(&stage.steps().await), Some(&EndReason::StreamLost));
}

#[tokio::test]
async fn a_stream_that_begins_twice_is_one_stream_f_tw_03() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    carrier.next().await.expect("the opening begins");
    carrier.say(&FromTwilio::Start(beginning(CALL))).await;
    carrier.say(&FromTwilio::Stop { account_sid: None, call_sid: None }).await;
    while carrier.next().await.is_some() {}
    let steps = stage.steps().await;
    assert_eq!(ended(&steps), Some(&EndReason::CallerHangup));
    let effects = steps.iter().flat_map(|step| &step.effects);
    let sessions = effects.filter(|effect| matches!(effect, Effect::OpenAgent { .. }));
    assert_eq!(sessions.count(), 1);
}

#[tokio::test]
async fn a_stream_that_begins_again_for_another_call_is_closed_f_tw_03() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    carrier.next().await.expect("the opening begins");
    carrier.say(&FromTwilio::Start(beginning("CA00000000000000000000000000000002"))).await;
    while carrier.next().await.is_some() {}
    assert_eq!(ended(&stage.steps().await), Some(&EndReason::StreamLost));
}

/// In real time, because sockets are: it takes ten seconds.
#[tokio::test]
async fn a_carrier_that_says_nothing_and_answers_no_ping_is_hung_up_by_rest_s27_f_tw_09() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    // It is there and never looks.
    let carrier = stage.ring().await;
    let steps = tokio::time::timeout(Duration::from_secs(20), stage.played.recv()).await;
    let steps = steps.expect("the call ends").expect("the call was played");
    assert_eq!(ended(&steps), Some(&EndReason::StreamLost));
    let lasted = steps.last().expect("there are steps").at.as_millis();
    assert!((10_000..12_000).contains(&lasted), "{lasted} ms");
    assert_eq!(stage.props.hang_ups.load(Ordering::SeqCst), 1);
    drop(carrier);
}

#[tokio::test]
async fn what_belongs_to_another_stream_is_ignored_f_tw_19() {
    let mut stage = Stage::set(AgentMood::Obliging).await;
    let mut carrier = stage.ring().await;
    let mut text = String::new();
    let stop = FromTwilio::Stop { account_sid: None, call_sid: None };
    encode_from_twilio(&stop, "MZ00000000000000000000000000000002", 2, &mut text);
    carrier.socket.queue_text(text);
    carrier.flush().await;
    carrier.next().await.expect("the call goes on");
    drop(carrier);
    assert_eq!(ended(&stage.steps().await), Some(&EndReason::StreamLost));
}

fn ended(steps: &[Step]) -> Option<&EndReason> {
    steps.iter().flat_map(|step| &step.facts).find_map(|fact| match fact {
        Fact::CallEnded { reason } => Some(reason),
        _ => None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AgentMood {
    Obliging,
    Refusing,
}

struct Props {
    mood: AgentMood,
    services: Arc<Services>,
    played: mpsc::Sender<Vec<Step>>,
    hang_ups: AtomicU32,
    lookups: AtomicU32,
}

struct Stage {
    address: String,
    props: Arc<Props>,
    played: mpsc::Receiver<Vec<Step>>,
}

impl Stage {
    async fn set(mood: AgentMood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let key = || SecretString::from("key");
        let http = format!("http://{address}");
        let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
        let services = Arc::new(Services {
            agent: AgentConnector::new(&format!("ws://{address}"), key()).unwrap(),
            speaker: Speaker::new(&http, key()).unwrap(),
            reader: Reader::new(&http, key()).unwrap(),
            carrier: TwilioRest::new(&http, account, key()).unwrap(),
            middleware: Middleware::new(&http, key()).unwrap(),
            metrics: Metrics::new(),
            audit: Audit::open(&std::env::temp_dir().join("offhook-tests-audit")).unwrap(),
        });
        let (sender, played) = mpsc::channel(1);
        let (hang_ups, lookups) = (AtomicU32::new(0), AtomicU32::new(0));
        let props = Arc::new(Props { mood, services, played: sender, hang_ups, lookups });
        let router = Router::new()
            .route("/carrier/v1/agent/converse", any(media_socket))
            .route("/v1/agent/converse", any(agent_socket))
            .route("/v1/speak", post(async || vec![0x7f_u8; LINE_BYTES]))
            .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(hang_up))
            .route("/v1/loans/lookup", post(look_up))
            .with_state(Arc::clone(&props));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, props, played }
    }

    /// The carrier opens its stream. Its client is the agent's: a WebSocket is a WebSocket.
    async fn ring(&self) -> Carrier {
        let url = format!("ws://{}/carrier", self.address);
        let connector = AgentConnector::new(&url, SecretString::from("key")).unwrap();
        Carrier { socket: connector.connect().await.unwrap(), sequence: 1 }
    }

    async fn steps(&mut self) -> Vec<Step> {
        let steps = tokio::time::timeout(Duration::from_secs(10), self.played.recv()).await;
        steps.expect("the call ends").expect("the call was played")
    }
}

struct Carrier {
    socket: AgentSocket,
    sequence: u64,
}

enum Said {
    Audio(usize),
    Mark(String),
    Clear,
}

impl Carrier {
    async fn next(&mut self) -> Option<Said> {
        match poll_fn(|cx| self.socket.poll_next(cx)).await {
            AgentFrame::Text(text) => {
                let mut scratch = Vec::new();
                let (stream, message) = decode_to_twilio(text.as_str(), &mut scratch)
                    .expect("we speak as strictly as the carrier listens");
                assert_eq!(stream, STREAM);
                Some(match message {
                    ToTwilio::Media { payload } => Said::Audio(payload.len()),
                    ToTwilio::Mark { name } => Said::Mark(name.into_owned()),
                    ToTwilio::Clear => Said::Clear,
                })
            }
            AgentFrame::Audio(_) => panic!("no binary frames for a carrier"),
            AgentFrame::Ended => {
                poll_fn(|cx| self.socket.poll_close(cx)).await;
                None
            }
        }
    }

    async fn say(&mut self, message: &FromTwilio<'_>) {
        self.sequence += 1;
        let mut text = String::new();
        encode_from_twilio(message, STREAM, self.sequence, &mut text);
        self.socket.queue_text(text);
        self.flush().await;
    }

    async fn speak(&mut self) {
        let media =
            Media { track: Track::Inbound, chunk: None, timestamp_ms: None, payload: &[0x55; 160] };
        self.say(&FromTwilio::Media(media)).await;
    }

    async fn flush(&mut self) {
        poll_fn(|cx| self.socket.poll_flush(cx)).await;
    }
}

async fn media_socket(State(props): State<Arc<Props>>, upgrade: WebSocketUpgrade) -> Response {
    tune(upgrade).on_upgrade(async move |socket| {
        let steps = play(socket, setup(), Arc::clone(&props.services), None).await;
        props.played.send(steps).await.unwrap();
    })
}

fn beginning(call_sid: &str) -> Start {
    Start {
        stream_sid: STREAM.to_owned(),
        call_sid: call_sid.to_owned(),
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        media_format: MediaFormat::telephone(),
        custom_parameters: BTreeMap::new(),
        tracks: Vec::new(),
    }
}

fn setup() -> Setup {
    Setup {
        journal: None,
        brief: Brief::example(),
        voices: BTreeMap::from([(Language::English, "a-voice".to_owned())]),
        profiles: BTreeMap::from([(
            Language::English,
            AgentProfile {
                tags: Vec::new(),
                listen_model: "nova-3".to_owned(),
                language_hints: vec!["en".to_owned()],
                keyterms: Vec::new(),
                think_provider: "open_ai".to_owned(),
                think_model: "a-model".to_owned(),
                prompt: "Be brief.".to_owned(),
                voice: "a-voice".to_owned(),
                functions: Vec::new(),
                context: Vec::new(),
            },
        )]),
        call_sid: Sid::parse(CALL).unwrap(),
        stream_sid: STREAM.to_owned(),
        fingerprint_key: b"key".to_vec(),
        over: CancellationToken::new(),
        news: mpsc::channel(LINE_MAX).1,
        view: View::new(Language::English),
        departure: Box::new(Nowhere),
        recording: None,
    }
}

/// A company with nobody to transfer to and nothing to press keys for.
struct Nowhere;

impl Departure for Nowhere {
    fn dial(&self, _: &str) -> Option<String> {
        None
    }

    fn tones(&self, _: call_transports::twilio::twiml::Tones) -> Option<String> {
        None
    }

    fn stay(&self) {}
}

/// Looks a loan up when the caller has spoken, and hangs up when it has the answer.
async fn agent_socket(State(props): State<Arc<Props>>, upgrade: WebSocketUpgrade) -> Response {
    if props.mood == AgentMood::Refusing {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(async move |mut socket| {
        let mut reply = Some(ServerMessage::Welcome { request_id: "r".to_owned() });
        let mut has_heard = false;
        loop {
            if let Some(reply) = reply.take()
                && socket.send(Message::Text(encode_server(&reply).into())).await.is_err()
            {
                return;
            }
            reply = match socket.recv().await {
                Some(Ok(Message::Text(text))) => match decode_client(text.as_str()).unwrap() {
                    ClientMessage::Settings(_) => Some(ServerMessage::SettingsApplied),
                    ClientMessage::FunctionCallResponse { id, .. } if id == "1" => {
                        Some(ask("2", "hangup_call", "{}"))
                    }
                    _ => None,
                },
                Some(Ok(Message::Binary(_))) if !has_heard => {
                    has_heard = true;
                    let arguments =
                        r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"62701"}"#;
                    Some(ask("1", "lookup_loan", arguments))
                }
                Some(Ok(_)) => None,
                Some(Err(_)) | None => return,
            };
        }
    })
}

fn ask(id: &str, name: &str, arguments: &str) -> ServerMessage {
    ServerMessage::FunctionCallRequest {
        functions: vec![FunctionCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.into(),
            client_side: true,
            thought_signature: None,
        }],
    }
}

async fn hang_up(State(props): State<Arc<Props>>) -> &'static str {
    props.hang_ups.fetch_add(1, Ordering::SeqCst);
    "{}"
}

async fn look_up(State(props): State<Arc<Props>>) -> &'static str {
    props.lookups.fetch_add(1, Ordering::SeqCst);
    r#"{"date_of_birth_matches":false,"zip_matches":false}"#
}
