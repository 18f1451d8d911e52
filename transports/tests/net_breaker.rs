//! What is known to be down is not waited for: the clients against providers that fail.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use call_core::input::{AgentLoss, HungUp};
use call_transports::middleware::LoanLookup;
use call_transports::net::{
    AgentConnector, BreakerReport, Error, Middleware, Redirected, Speaker, Standing, TwilioRest,
};
use call_transports::twilio::Sid;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// F-MW-19, F-MW-01.
#[tokio::test]
async fn a_middleware_that_is_down_is_tried_out_by_one_and_waited_for_by_nobody() {
    let provider = Provider::start("503 Down", "").await;
    let middleware = Middleware::new(&provider.http(), key()).unwrap();
    for _ in 0..10 {
        assert_eq!(middleware.lookup("acme", &lookup()).await, None);
    }
    assert_eq!(provider.asked(), 5, "the others were spared");
    let BreakerReport { standing, opened, spared } = middleware.breaker().report();
    assert_eq!((standing, opened), (Standing::Open, 1));
    assert_eq!(spared, 8, "one that was asked once, and seven that were not at all");

    // It comes back. Somebody finds out once the pause is over: 4 to 6 seconds.
    provider.answers("200 OK", r#"{"date_of_birth_matches":false,"zip_matches":false}"#);
    let since = Instant::now();
    while middleware.lookup("acme", &lookup()).await.is_none() {
        assert!(since.elapsed() < Duration::from_secs(8), "it is never tried out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(since.elapsed() >= Duration::from_secs(3), "it is left alone for a while");
    assert_eq!(provider.asked(), 6);
    assert_eq!(middleware.breaker().report().standing, Standing::Closed);
}

/// F-MW-14: our key is wrong for every call, and no call is to find that out by itself.
#[tokio::test]
async fn a_key_that_is_refused_is_not_shown_again_by_the_next_call() {
    let provider = Provider::start("401 No", "").await;
    let middleware = Middleware::new(&provider.http(), key()).unwrap();
    for _ in 0..10 {
        assert_eq!(middleware.lookup("acme", &lookup()).await, None);
    }
    assert_eq!(provider.asked(), 1);
}

/// F-MW-15.
#[tokio::test]
async fn a_middleware_that_says_when_to_come_again_is_not_asked_before() {
    let provider = Provider::start("429 Busy\r\nretry-after: 7", "").await;
    let middleware = Middleware::new(&provider.http(), key()).unwrap();
    assert_eq!(middleware.lookup("acme", &lookup()).await, None);
    tokio::time::sleep(Duration::from_millis(6_300)).await;
    assert_eq!(middleware.lookup("acme", &lookup()).await, None);
    assert_eq!(provider.asked(), 1, "sooner than 7 s, and later than any pause of our own");
}

/// F-DG-03: a provider that is full refuses the first calls one by one, and then no call waits for it.
#[tokio::test]
async fn an_agent_s_provider_that_is_full_is_not_asked_by_every_new_call() {
    let provider = Provider::start("429 Full", "").await;
    let agent = AgentConnector::new(&provider.ws(), key()).unwrap();
    for _ in 0..3 {
        agent.connect().await.unwrap_err();
    }
    assert_eq!(provider.asked(), 5, "two tries of two calls and one of the third");
    let since = Instant::now();
    // A call has its own clone.
    assert_eq!(agent.clone().connect().await.unwrap_err(), AgentLoss::Unreachable);
    assert!(since.elapsed() < Duration::from_millis(100), "it does not wait");
    assert_eq!(provider.asked(), 5);
    assert_eq!(agent.breaker().report().standing, Standing::Open);
}

/// F-DG-02.
#[tokio::test]
async fn an_agent_s_provider_that_refuses_our_key_is_not_asked_by_the_next_call() {
    let provider = Provider::start("401 No", "").await;
    let agent = AgentConnector::new(&provider.ws(), key()).unwrap();
    assert_eq!(agent.connect().await.unwrap_err(), AgentLoss::Refused(401));
    assert_eq!(agent.connect().await.unwrap_err(), AgentLoss::Unreachable);
    assert_eq!(provider.asked(), 1);
}

/// F-DG-01: nothing listens there, and a line of ours comes from its next rung at once.
#[tokio::test]
async fn a_voice_that_is_down_is_not_waited_for() {
    let provider = Provider::start("500 Down", "").await;
    let speaker = Speaker::new(&provider.http(), key()).unwrap();
    for _ in 0..5 {
        speaker.speak("a-voice", "Goodbye.").await.unwrap_err();
    }
    let error = speaker.speak("a-voice", "Goodbye.").await.unwrap_err();
    assert!(matches!(error, Error::Down { .. }), "{error}");
    assert_eq!((provider.asked(), speaker.kept().asked), (5, 5));
}

#[tokio::test]
async fn a_voice_that_there_is_not_says_nothing_about_the_others() {
    let provider = Provider::start("400 No", "").await;
    let speaker = Speaker::new(&provider.http(), key()).unwrap();
    for _ in 0..10 {
        speaker.speak("no-voice", "Goodbye.").await.unwrap_err();
    }
    assert_eq!((provider.asked(), speaker.breaker().report().opened), (10, 0));
}

/// F-TR-03, F-TR-05.
#[tokio::test]
async fn a_carrier_that_is_down_is_asked_for_nothing_and_every_call_knows_at_once() {
    for (status, asked) in [("503 Down", 5), ("401 No", 1)] {
        let provider = Provider::start(status, "").await;
        let twilio = twilio(&provider);
        for _ in 0..2 {
            assert_eq!(twilio.hang_up(&call()).await, HungUp::Failed);
        }
        let since = Instant::now();
        assert_eq!(twilio.hang_up(&call()).await, HungUp::Failed);
        let redirected = twilio.redirect(&call(), "<Response/>", || false).await;
        assert_eq!(redirected, Redirected::Refused);
        assert!(since.elapsed() < Duration::from_millis(200), "{status}: it does not wait");
        assert_eq!(provider.asked(), asked, "{status}");
    }
}

/// F-TR-09: what became of a request that may have arrived is asked for, breaker or not.
#[tokio::test]
async fn a_document_in_doubt_is_looked_for_although_the_carrier_counts_as_down() {
    let provider = Provider::start("503 Down", "").await;
    let twilio = twilio(&provider);
    // Four failures; the document's is the fifth.
    assert_eq!(twilio.hang_up(&call()).await, HungUp::Failed);
    let once = twilio.redirect(&call(), "<Response/>", || true).await;
    assert_eq!(once, Redirected::Accepted, "its stream ended, so it was taken");
    let before = provider.asked();
    provider.answers("503 Down", "");
    let unsure = twilio.redirect(&call(), "<Response/>", || false).await;
    assert_eq!(unsure, Redirected::Refused);
    assert_eq!(twilio.breaker().report().standing, Standing::Open);
    assert!(provider.asked() >= before + 3, "it looked at the call again and again");
}

fn key() -> SecretString {
    SecretString::from("k3y")
}

fn call() -> Sid {
    Sid::parse("CA00000000000000000000000000000001").unwrap()
}

fn twilio(provider: &Provider) -> TwilioRest {
    let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
    TwilioRest::new(&provider.http(), account, key()).unwrap()
}

fn lookup() -> LoanLookup {
    LoanLookup {
        loan_number: "100234".to_owned(),
        date_of_birth: "1980-03-04".to_owned(),
        zip: "62701".to_owned(),
    }
}

/// Answers everybody alike, and counts them.
struct Provider {
    address: String,
    asked: Arc<AtomicU32>,
    answer: tokio::sync::watch::Sender<String>,
}

impl Provider {
    async fn start(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicU32::new(0));
        let (answer, given) = tokio::sync::watch::channel(whole(status, body));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = given.borrow().clone();
                tokio::spawn(async move {
                    let mut request = [0; 4_000];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                    // What is closed with something unread in it is reset.
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                });
            }
        });
        Self { address, asked, answer }
    }

    fn answers(&self, status: &str, body: &str) {
        self.answer.send_replace(whole(status, body));
    }

    fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    fn ws(&self) -> String {
        format!("ws://{}", self.address)
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn whole(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}
