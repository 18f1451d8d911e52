//! The sound of a recording, against a provider of a few lines that hands it out in every way it should
//! not.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use call_transports::net::{Error, NoSound, Sound, SoundRules, TwilioRest};
use call_transports::twilio::Sid;
use call_transports::twilio::recording::SoundFormat::{Mp3, Wav};
use call_transports::twilio::recording::sound_bytes_max;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const PATH: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001\
                    /Recordings/RE00000000000000000000000000000031";

/// The account and the token, as base64.
const CREDENTIALS: &str =
    "authorization: Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTprM3k=";

#[tokio::test]
async fn sound_comes_whole_and_in_the_form_that_was_asked_for() {
    let body = "RIFF and so on. ".repeat(20_000);
    for (format, kind) in [(Wav, "audio/x-wav"), (Mp3, "audio/mpeg")] {
        let provider = Provider::answering([found(kind, &body)]).await;
        let sound = provider.client().sound(&recording(), format, Some(42)).await.unwrap();
        assert_eq!(sound.bytes(), Some(body.len() as u64));
        assert_eq!(all(sound).await.unwrap(), body.as_bytes());
        let asked = provider.asked();
        let line = format!("GET {PATH}.{} HTTP/1.1", format.word());
        assert!(asked.len() == 1 && asked[0].starts_with(&line), "{asked:?}");
        assert!(asked[0].contains(CREDENTIALS));
    }
}

/// F-WH-15: an answer that sends us on is a sender's word, too. Nobody comes to an address that is
/// neither the carrier's nor listed.
#[tokio::test]
async fn nobody_follows_the_carrier_to_an_address_that_is_not_allowed() {
    let bait = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = bait.local_addr().unwrap();
    let port = address.port();
    for to in [
        format!("http://{address}{PATH}.wav"),
        format!("//{address}/x"),
        format!("http://localhost:{port}/x"),
        format!("http://user@{address}/x"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://evil.example/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
        String::new(),
    ] {
        let provider = Provider::answering([sent_on(&to)]).await;
        // The host is listed, and not at this port.
        let rules = SoundRules { hosts: vec!["127.0.0.1:1".to_owned()], ..SoundRules::default() };
        let client = provider.client().with_sound(rules);
        let refused = client.sound(&recording(), Wav, None).await.unwrap_err();
        // An empty address is the one that was asked, once more.
        let is_refused = matches!(refused, NoSound::Elsewhere) || to.is_empty();
        assert!(is_refused, "{to}: {refused}");
        assert!(!format!("{refused:?}").contains("evil"), "no address in an error");
    }
    assert!(timeout(Duration::from_millis(200), bait.accept()).await.is_err(), "somebody came");
}

/// F-WH-15: our credentials are the carrier's, wherever else the sound lies.
#[tokio::test]
async fn a_listed_host_is_asked_and_gets_no_credentials() {
    let other = Provider::answering([found("audio/wav", "sound")]).await;
    let elsewhere = sent_on(&format!("{}/bucket/sound?signature=x", other.url));
    let nearby = sent_on("/elsewhere?x=y");
    let provider = Provider::answering([nearby, elsewhere]).await;
    let host = other.url.strip_prefix("http://").unwrap().to_owned();
    let rules = SoundRules { hosts: vec![host], ..SoundRules::default() };
    let sound = provider.client().with_sound(rules).sound(&recording(), Wav, None).await;
    assert_eq!(all(sound.unwrap()).await.unwrap(), b"sound");
    let asked = provider.asked();
    assert!(asked.len() == 2 && asked.iter().all(|request| request.contains(CREDENTIALS)));
    assert!(asked[1].starts_with("GET /elsewhere?x=y "), "{}", asked[1]);
    let asked = other.asked();
    assert!(asked[0].starts_with("GET /bucket/sound?signature=x "), "{}", asked[0]);
    assert!(!asked[0].to_lowercase().contains("authorization"), "{}", asked[0]);
}

#[tokio::test]
async fn a_carrier_that_sends_us_round_in_circles_is_left() {
    let provider = Provider::answering((0..9).map(|_| sent_on(&format!("{PATH}.wav")))).await;
    let refused = provider.client().sound(&recording(), Wav, None).await.unwrap_err();
    assert!(matches!(refused, NoSound::Provider(Error::Garbled { .. })), "{refused}");
    assert_eq!(provider.asked().len(), 4);
}

#[tokio::test]
async fn what_is_no_sound_is_not_taken_for_it() {
    let long = found("audio/wav", &"x".repeat(1_000_000));
    for (answer, is_gone) in [
        (answer(404, "application/json", r#"{"code":20404}"#), true),
        (answer(410, "text/plain", ""), true),
        (answer(401, "application/json", ""), false),
        (answer(500, "text/plain", ""), false),
        (answer(204, "audio/wav", ""), false),
        (found("text/html", "<html>"), false),
        (found("audio/mpeg", "another form"), false),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx".to_owned(), false),
        // A recording of a second cannot be so long, and nobody reads it to find out.
        (long, false),
        (String::new(), false),
    ] {
        let provider = Provider::answering([answer.clone()]).await;
        let refused = provider.client().sound(&recording(), Wav, Some(1)).await.unwrap_err();
        assert_eq!(matches!(refused, NoSound::Gone), is_gone, "{answer}: {refused}");
        assert!(!format!("{refused:?}").contains("k3y"));
    }
}

#[tokio::test]
async fn sound_that_never_ends_is_cut_where_such_a_recording_must_end() {
    let provider = Provider::endless(Duration::ZERO).await;
    let mut sound = provider.client().sound(&recording(), Wav, Some(3)).await.unwrap();
    let mut bytes = 0;
    let error = loop {
        match sound.piece().await {
            Ok(piece) => bytes += piece.unwrap().len() as u64,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Garbled { .. }), "{error}");
    assert!(bytes <= sound_bytes_max(Some(3)), "{bytes}");
    let four_hours = 4 * 60 * 60 * 32_000;
    assert!(sound_bytes_max(None) > four_hours && sound_bytes_max(None) < 3 * four_hours);
    assert_eq!(sound_bytes_max(Some(u64::MAX)), sound_bytes_max(None));
}

#[tokio::test]
async fn sound_that_comes_too_slowly_is_given_up() {
    let short = Duration::from_millis(200);
    // Neither an answer, nor a next piece.
    for provider in [Provider::silent("").await, Provider::silent(BEGIN).await] {
        let rules = SoundRules { begin: short, gap: short, ..SoundRules::default() };
        let begin = Instant::now();
        let error = match provider.client().with_sound(rules).sound(&recording(), Wav, None).await {
            Ok(sound) => all(sound).await.unwrap_err(),
            Err(NoSound::Provider(error)) => error,
            Err(other) => panic!("{other}"),
        };
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
    // A piece now and then, for ever.
    let provider = Provider::endless(Duration::from_millis(20)).await;
    let rules = SoundRules { whole: short, ..SoundRules::default() };
    let sound = provider.client().with_sound(rules).sound(&recording(), Wav, None).await;
    let error = all(sound.unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn sound_that_breaks_off_is_not_taken_for_whole() {
    let torn = format!("{BEGIN}content-length: 100\r\n\r\nonly this");
    let provider = Provider::answering([torn]).await;
    let sound = provider.client().sound(&recording(), Wav, None).await.unwrap();
    assert!(all(sound).await.is_err());
}

#[tokio::test]
async fn a_few_are_fetched_at_once_and_whoever_comes_then_comes_again() {
    let provider = Provider::endless(Duration::from_millis(20)).await;
    let client = provider.client();
    let mut sounds = Vec::new();
    for _ in 0..4 {
        sounds.push(client.sound(&recording(), Wav, None).await.unwrap());
    }
    let refused = client.sound(&recording(), Wav, None).await.unwrap_err();
    assert!(matches!(refused, NoSound::Busy), "{refused}");
    sounds.pop();
    client.sound(&recording(), Wav, None).await.unwrap();
}

async fn all(mut sound: Sound) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(piece) = sound.piece().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

fn recording() -> Sid {
    Sid::parse("RE00000000000000000000000000000031").unwrap()
}

fn found(kind: &str, body: &str) -> String {
    answer(200, kind, body)
}

fn answer(status: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn sent_on(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
    )
}

const BEGIN: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: audio/wav\r\n";

/// Takes one request a connection.
struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// How a provider answers.
#[derive(Clone)]
enum Way {
    /// With this and no more.
    Whole(String),
    /// With this, and then with nothing although the connection stays.
    Held(String),
    /// With sound for ever, after each piece a pause.
    Endless(Duration),
}

impl Provider {
    /// Gives these answers in turn. To an empty one, it hangs up.
    async fn answering(answers: impl IntoIterator<Item = String>) -> Self {
        Self::going(answers.into_iter().map(Way::Whole).collect()).await
    }

    async fn silent(begin: &str) -> Self {
        let rest = if begin.is_empty() { "" } else { "\r\nsome sound" };
        Self::going(vec![Way::Held(format!("{begin}{rest}"))]).await
    }

    async fn endless(pause: Duration) -> Self {
        Self::going(vec![Way::Endless(pause); 9]).await
    }

    async fn going(ways: Vec<Way>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&asked);
        tokio::spawn(async move {
            for way in ways {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let request = read(&mut stream).await;
                keep.lock().unwrap().push(request);
                tokio::spawn(give(stream, way));
            }
        });
        Self { url, asked }
    }

    fn client(&self) -> TwilioRest {
        let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
        TwilioRest::new(&self.url, account, "k3y".into()).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn give(mut stream: BufReader<TcpStream>, way: Way) {
    let stream = stream.get_mut();
    match way {
        // A client that takes no more has gone, and that is its right.
        Way::Whole(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Way::Held(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            sleep(Duration::from_secs(60)).await;
        }
        Way::Endless(pause) => {
            let begin = format!("{BEGIN}\r\n");
            let mut sent = stream.write_all(begin.as_bytes()).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 4_096]).await;
                sleep(pause).await;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        stream.read_line(&mut request).await.unwrap();
    }
    request
}
