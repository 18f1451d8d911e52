//! Our own lines, spoken before anybody calls and kept for the next call.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use call_core::{Fact, LineId, Rung};
use call_transports::net::{Kept, Speaker, install_crypto};
use call_transports::twilio::media::FromTwilio;
use server::clips::{self, Fixed, Round};
use server::company::Tenant;
use server::company::versions::{self, Command};
use support::{CONNECTED, Server, Socket, pause, say, start, stop, token_of, voice_inbound, with};
use tokio::net::TcpListener;

const LINE_BYTES: usize = 1_600;

#[tokio::test]
async fn every_fixed_line_is_asked_for_once_and_a_few_at_a_time() {
    let voice = Voice::start().await;
    let speaker = voice.speaker();
    let lines = clips::fixed(&support::acme());
    let all = lines.len();
    let round = clips::prepare(&speaker, &lines).await;
    assert_eq!(round, Round { spoken: all, kept: 0, failed: 0 });
    assert_eq!(voice.props.asked.load(SeqCst), all);
    assert_eq!(voice.props.most_at_once.load(SeqCst), 2);
    assert_eq!(clips::prepare(&speaker, &lines).await, Round { spoken: 0, kept: all, failed: 0 });
    for Fixed { voice, text } in &lines {
        assert_eq!(speaker.speak(voice, text).await.unwrap().len(), LINE_BYTES);
    }
    assert_eq!(voice.props.asked.load(SeqCst), all, "a line that is there is not asked for");
    let kept = Kept {
        found: all as u64,
        asked: all as u64,
        failed: 0,
        clips: all,
        bytes: all * LINE_BYTES,
    };
    assert_eq!(speaker.kept(), kept);
}

#[tokio::test]
async fn a_voice_that_fails_fills_nothing_and_is_asked_again() {
    let voice = Voice::start().await;
    let speaker = voice.speaker();
    let lines = &clips::fixed(&support::acme())[..3];
    voice.props.fails.store(503, SeqCst);
    assert_eq!(clips::prepare(&speaker, lines).await, Round { spoken: 0, kept: 0, failed: 3 });
    assert_eq!((speaker.kept().clips, speaker.kept().bytes), (0, 0));
    assert_eq!((speaker.kept().asked, speaker.kept().failed), (3, 3));
    voice.props.fails.store(0, SeqCst);
    assert_eq!(clips::prepare(&speaker, lines).await, Round { spoken: 3, kept: 0, failed: 0 });
    assert_eq!(voice.props.asked.load(SeqCst), 6);
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_shown_for_every_line() {
    let voice = Voice::start().await;
    let lines = clips::fixed(&support::acme());
    voice.props.fails.store(401, SeqCst);
    let round = clips::prepare(&voice.speaker(), &lines).await;
    assert_eq!(round, Round { spoken: 0, kept: 0, failed: lines.len() });
    assert!(voice.props.asked.load(SeqCst) <= 3, "{}", voice.props.asked.load(SeqCst));
}

#[tokio::test]
async fn the_second_call_does_not_ask_for_the_opening_again() {
    let voice = Voice::start().await;
    let server = voice.server().await;
    play(&server, "CA00000000000000000000000000000011").await;
    assert_eq!(voice.props.asked.load(SeqCst), 1);
    play(&server, "CA00000000000000000000000000000012").await;
    assert_eq!(voice.props.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn no_call_asks_for_a_line_that_was_spoken_ahead() {
    let voice = Voice::start().await;
    let server = voice.server().await;
    server.app.prepare_lines().await;
    let ahead = voice.props.asked.load(SeqCst);
    assert_eq!(ahead, 2 * LineId::ALL.len());
    voice.props.fails.store(503, SeqCst);
    play(&server, "CA00000000000000000000000000000011").await;
    assert_eq!(voice.props.asked.load(SeqCst), ahead, "not even a voice that is away is missed");
}

#[tokio::test]
async fn the_lines_of_a_version_that_becomes_active_are_spoken_ahead() {
    let voice = Voice::start().await;
    let server = voice.server().await;
    let mut company = support::acme().company().clone();
    company.version = 2;
    company.name = "Acme Loans".to_owned();
    let acme = [Tenant::new(company).unwrap()];
    let store = server.app.store();
    versions::import(store, &acme, "a test").await.unwrap();
    versions::activate(store, "acme", None, Command::Activate, "a test").await.unwrap();
    let all = clips::fixed(&acme[0]).len();
    while voice.props.asked.load(SeqCst) < all {
        pause().await;
    }
    while server.app.companies().company("acme").unwrap().company().version != 2 {
        pause().await;
    }
    play(&server, "CA00000000000000000000000000000011").await;
    assert_eq!(voice.props.asked.load(SeqCst), all, "no call asks for them again");
}

/// A call up to its opening, which is spoken.
async fn play(server: &Server, call: &str) {
    let mut steps = server.app.watch().subscribe();
    let stream = server.inbound(&with(&voice_inbound(), "CallSid", call)).await;
    let mut socket: Socket = server.open("/twilio/acme/en").await;
    say(&mut socket, &CONNECTED).await;
    let mut start = start(&token_of(&stream));
    start.call_sid = call.to_owned();
    say(&mut socket, &FromTwilio::Start(start)).await;
    let by = loop {
        let (_, step) = steps.recv().await.unwrap();
        let rendered = step.facts.iter().find_map(|fact| match fact {
            Fact::LineRendered { line: LineId::Opening, by, .. } => Some(*by),
            _ => None,
        });
        if let Some(by) = rendered {
            break by;
        }
    };
    assert_eq!(by, Rung::Spoken);
    say(&mut socket, &stop()).await;
    assert_eq!(server.end_reason(call).await, "caller_hangup");
}

/// A voice that counts.
struct Voice {
    address: SocketAddr,
    props: Arc<Props>,
}

#[derive(Default)]
struct Props {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    /// The status that it fails with; none if 0.
    fails: AtomicU16,
}

impl Voice {
    async fn start() -> Self {
        install_crypto();
        let props = Arc::new(Props::default());
        let router = Router::new().route("/v1/speak", post(speak)).with_state(Arc::clone(&props));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, props }
    }

    fn speaker(&self) -> Speaker {
        Speaker::new(&format!("http://{}", self.address), "key".into()).unwrap()
    }

    async fn server(&self) -> Server {
        let url = format!("http://{}", self.address);
        Server::start_with(|config| config.deepgram.speak_url = url).await
    }
}

async fn speak(State(props): State<Arc<Props>>) -> (StatusCode, Vec<u8>) {
    props.asked.fetch_add(1, SeqCst);
    let now = props.at_once.fetch_add(1, SeqCst) + 1;
    props.most_at_once.fetch_max(now, SeqCst);
    pause().await;
    props.at_once.fetch_sub(1, SeqCst);
    match props.fails.load(SeqCst) {
        0 => (StatusCode::OK, vec![0x7F; LINE_BYTES]),
        status => (StatusCode::from_u16(status).unwrap(), Vec::new()),
    }
}
