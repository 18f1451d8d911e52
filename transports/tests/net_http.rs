//! The HTTP clients against a provider of a few lines: it answers with what it is told to, and
//! keeps what it was asked.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use call_core::input::HungUp;
use call_transports::middleware::LoanLookup;
use call_transports::net::{Error, Middleware, Reader, Recorded, Redirected, Speaker, TwilioRest};
use call_transports::twilio::Sid;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn hanging_up_asks_exactly_what_the_carrier_wants() {
    let provider = Provider::answering([answer(200, "{}")]).await;
    assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Done);

    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with(
        "POST /2010-04-01/Accounts/AC00000000000000000000000000000001\
         /Calls/CA00000000000000000000000000000001.json HTTP/1.1"
    ));
    // The account and the token, as base64.
    let credentials = "authorization: Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTprM3k=";
    assert!(asked[0].contains(credentials), "{}", asked[0]);
    assert!(asked[0].contains("content-type: application/x-www-form-urlencoded"));
    assert!(asked[0].ends_with("Status=completed"));
}

#[tokio::test]
async fn a_carrier_that_is_busy_is_asked_again_f_tr_02() {
    let provider = Provider::answering([answer(429, ""), answer(200, "{}")]).await;
    assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Done);
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_carrier_in_trouble_is_asked_three_times_and_no_more_f_tr_03() {
    let provider = Provider::answering([500, 502, 503, 200].map(|status| answer(status, ""))).await;
    let begin = Instant::now();
    assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Failed);
    assert_eq!(provider.asked().len(), 3);
    assert!(begin.elapsed() >= Duration::from_millis(800), "no hot loop");
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let provider = Provider::answering([String::new(), answer(200, "{}")]).await;
    assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Done);
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_call_that_is_over_already_counts_as_hung_up_i_35() {
    for (status, body) in [(404, r#"{"code":20404}"#), (400, r#"{"code":21220}"#)] {
        let provider = Provider::answering([answer(status, body)]).await;
        assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Done, "{body}");
        assert_eq!(provider.asked().len(), 1);
    }
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again_f_tr_05() {
    for status in [401, 403, 400, 302] {
        let provider = Provider::answering([answer(status, "")]).await;
        assert_eq!(twilio(&provider).hang_up(&call()).await, HungUp::Failed, "{status}");
        assert_eq!(provider.asked().len(), 1);
    }
}

#[tokio::test]
async fn another_document_is_given_by_a_post_to_the_call_f_tr_04_f_tr_06_f_tr_13() {
    use Redirected::{Accepted, Gone, Refused};
    for (status, body, outcome) in [
        (200, "{}", Accepted),
        (200, "not JSON", Accepted),
        (400, r#"{"code":21220}"#, Gone),
        (404, r#"{"code":20404}"#, Gone),
        (404, "", Gone),
        (400, r#"{"code":12100}"#, Refused),
        (401, "", Refused),
        (403, "", Refused),
    ] {
        let provider = Provider::answering([answer(status, body)]).await;
        assert_eq!(redirect(&provider, false).await, outcome, "{status} {body}");
        let asked = provider.asked();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with("POST /2010-04-01/Accounts/AC"), "{}", asked[0]);
        assert!(asked[0].ends_with("Twiml=%3CResponse%2F%3E"), "{}", asked[0]);
    }
    let provider = Provider::answering([answer(200, "{}")]).await;
    let long = "x".repeat(4_001);
    assert_eq!(twilio(&provider).redirect(&call(), &long, || false).await, Refused);
    assert_eq!(provider.asked().len(), 0);
}

#[tokio::test]
async fn a_document_that_was_certainly_not_taken_is_given_again_f_tr_02() {
    let provider = Provider::answering([answer(429, ""), answer(200, "{}")]).await;
    assert_eq!(redirect(&provider, false).await, Redirected::Accepted);
    assert_eq!(provider.asked().len(), 2);
}

/// F-TR-03, F-TR-09.
#[tokio::test]
async fn a_call_is_looked_at_before_a_document_is_given_again() {
    let lives = || answer(200, r#"{"status":"in-progress"}"#);
    for unanswered in [String::new(), answer(503, "")] {
        let provider = Provider::answering([unanswered, lives(), answer(200, "{}")]).await;
        assert_eq!(redirect(&provider, false).await, Redirected::Accepted);
        let asked = provider.asked();
        let methods: Vec<_> =
            asked.iter().map(|request| request.split(' ').next().unwrap()).collect();
        assert_eq!(methods, ["POST", "GET", "POST"]);
        assert!(asked[1].starts_with("GET /2010-04-01/Accounts/AC"), "{}", asked[1]);
    }
}

/// F-TR-09.
#[tokio::test]
async fn a_document_whose_answer_is_lost_is_not_given_twice() {
    let lives = || answer(200, r#"{"status":"in-progress"}"#);
    let over = || answer(200, r#"{"status":"completed"}"#);
    for (look, has_left, outcome) in [
        // Its stream ended, so it runs.
        (lives(), true, Redirected::Accepted),
        (answer(503, ""), true, Redirected::Accepted),
        (over(), true, Redirected::Gone),
        (answer(404, ""), false, Redirected::Gone),
    ] {
        let provider = Provider::answering([String::new(), look]).await;
        assert_eq!(redirect(&provider, has_left).await, outcome);
        assert_eq!(provider.asked().len(), 2);
    }
    // Nobody can tell, so nothing is repeated.
    let blind = [String::new(), answer(503, ""), answer(200, "{}"), answer(200, "{}")];
    let provider = Provider::answering(blind).await;
    assert_eq!(redirect(&provider, false).await, Redirected::Refused);
    let posts = provider.asked().iter().filter(|request| request.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn a_recording_is_begun_once_even_if_the_answer_is_lost() {
    let begun = [
        (vec![answer(201, "{}")], true, 1),
        (vec![answer(429, ""), answer(201, "{}")], true, 2),
        // It may be recorded, so it counts as recorded and is not recorded twice.
        (vec![answer(500, ""), answer(201, "{}")], true, 1),
        (vec![String::new(), answer(201, "{}")], true, 1),
        (vec![answer(400, r#"{"code":21220}"#)], false, 1),
        (vec![answer(401, "")], false, 1),
    ];
    for (answers, is_recorded, asked) in begun {
        let provider = Provider::answering(answers.clone()).await;
        let callback = "https://voice.example.test/twilio/recording_callback";
        let outcome = twilio(&provider).start_recording(&call(), callback).await;
        assert_eq!((outcome, provider.asked().len()), (is_recorded, asked), "{answers:?}");
        let path = "/Calls/CA00000000000000000000000000000001/Recordings.json HTTP/1.1";
        assert!(provider.asked()[0].contains(path), "{}", provider.asked()[0]);
    }
}

#[tokio::test]
async fn a_pause_is_asked_for_until_it_is_granted_and_at_most_three_times() {
    let changed = [
        (vec![500, 429, 200], true, 3),
        (vec![500, 500, 500, 200], false, 3),
        (vec![404], false, 1),
        (vec![403], false, 1),
    ];
    for (answers, is_done, asked) in changed {
        let provider = Provider::answering(answers.iter().map(|s| answer(*s, ""))).await;
        let outcome = twilio(&provider).change_recording(&call(), Recorded::Silence).await;
        assert_eq!((outcome, provider.asked().len()), (is_done, asked), "{answers:?}");
        let first = &provider.asked()[0];
        assert!(first.contains("/Recordings/Twilio.CURRENT.json HTTP/1.1"), "{first}");
        assert!(first.ends_with("Status=paused&PauseBehavior=silence"), "{first}");
    }
}

#[tokio::test]
async fn a_line_is_asked_for_once_and_remembered_by_voice_and_words() {
    let provider = Provider::answering([answer(200, "one"), answer(200, "two")]).await;
    let speaker = speaker(&provider);
    assert_eq!(speaker.speak("a-voice", "Goodbye.").await.unwrap(), b"one");
    assert_eq!(speaker.speak("a-voice", "Goodbye.").await.unwrap(), b"one");
    assert_eq!(speaker.speak("another-voice", "Goodbye.").await.unwrap(), b"two");

    let asked = provider.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].starts_with(
        "POST /v1/speak?model=a-voice&encoding=mulaw&sample_rate=8000&container=none HTTP/1.1"
    ));
    assert!(asked[0].contains("authorization: Token k3y"));
    assert!(asked[0].ends_with(r#"{"text":"Goodbye."}"#));
}

#[tokio::test]
async fn a_failed_line_is_an_error_that_says_who_and_is_not_remembered() {
    let refused = answer(400, r#"{"err_code":"Bad Request","err_msg":"Goodbye."}"#);
    let provider = Provider::answering([refused, answer(200, "one")]).await;
    let speaker = speaker(&provider);
    let error = speaker.speak("a-voice", "Goodbye.").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 400, .. }));
    assert!(!format!("{error} {error:?}").contains("Goodbye"));
    assert_eq!(speaker.speak("a-voice", "Goodbye.").await.unwrap(), b"one");
}

#[tokio::test]
async fn silence_noise_and_endless_speech_are_refused() {
    let minute = 60 * 8_000;
    let provider = Provider::answering([
        answer(200, ""),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}".into(),
        answer(200, &"x".repeat(minute + 1)),
        // Without a length, until the connection ends.
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(minute + 1)),
        answer(200, &"x".repeat(minute)),
    ])
    .await;
    let speaker = speaker(&provider);
    for _ in 0..4 {
        let error = speaker.speak("a-voice", "Goodbye.").await.unwrap_err();
        assert!(matches!(error, Error::Garbled { .. }), "{error}");
    }
    assert_eq!(speaker.speak("a-voice", "Goodbye.").await.unwrap().len(), minute);
    assert!(matches!(speaker.speak("a-voice", " \n").await, Err(Error::Pointless { .. })));
    assert_eq!(provider.asked().len(), 5, "nothing is not worth a request");
}

#[tokio::test]
async fn a_text_is_summed_up_by_one_request() {
    let summary = r#"{"metadata":{},"results":{"summary":{"text":"They greet."}}}"#;
    let provider = Provider::answering([answer(200, summary)]).await;
    let reader = Reader::new(&provider.url, key()).unwrap();
    let text = reader.summarize("Caller: \"Hello\"").await.unwrap();
    assert_eq!(text.reveal(), "They greet.");
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    let line = "POST /v1/read?summarize=true&mip_opt_out=true&language=en HTTP/1.1";
    assert!(asked[0].starts_with(line), "{}", asked[0]);
    assert!(asked[0].contains("authorization: Token k3y"), "{}", asked[0]);
    assert!(asked[0].contains("content-type: application/json"), "{}", asked[0]);
    assert!(asked[0].ends_with(r#"{"text":"Caller: \"Hello\""}"#), "{}", asked[0]);
}

#[tokio::test]
async fn a_summary_that_fails_is_an_error_that_quotes_nothing() {
    let long = format!(r#"{{"results":{{"summary":{{"text":"{}"}}}}}}"#, "s3cret ".repeat(10_000));
    let empty = r#"{"results":{"summary":{"text":" "}}}"#;
    for (status, body) in
        [(200, "s3cret"), (200, "{}"), (200, empty), (200, &long), (400, "s3cret"), (503, "s3cret")]
    {
        let provider = Provider::answering([answer(status, body)]).await;
        let reader = Reader::new(&provider.url, key()).unwrap();
        let error = reader.summarize("s3cret").await.unwrap_err();
        let is_told = match status {
            200 => matches!(error, Error::Garbled { .. }),
            _ => matches!(error, Error::Refused { status: told, .. } if told == status),
        };
        assert!(is_told && !format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_reader_that_fails_again_and_again_is_not_asked() {
    let provider = Provider::answering((0..5).map(|_| answer(500, ""))).await;
    let reader = Reader::new(&provider.url, key()).unwrap();
    for _ in 0..5 {
        assert!(matches!(reader.summarize("Hello").await, Err(Error::Refused { .. })));
    }
    assert!(matches!(reader.summarize("Hello").await, Err(Error::Down { .. })));
    assert!(matches!(reader.summarize(" ").await, Err(Error::Pointless { .. })));
    assert_eq!(provider.asked().len(), 5);
}

#[tokio::test]
async fn a_lookup_is_asked_and_answered() {
    let body = r#"{"date_of_birth_matches":true,"zip_matches":false,"hint":"1980"}"#;
    let provider = Provider::answering([answer(200, body)]).await;
    let found = middleware(&provider).lookup("acme", &lookup()).await.unwrap();
    assert!(found.date_of_birth_matches && !found.zip_matches && found.loan.is_none());

    let asked = provider.asked();
    assert!(asked[0].starts_with("POST /v1/loans/lookup HTTP/1.1"));
    assert!(asked[0].contains("authorization: Bearer k3y"));
    // I-10: whose loans are meant.
    assert!(asked[0].contains("offhook-company: acme"), "{}", asked[0]);
    assert!(
        asked[0]
            .ends_with(r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"62701"}"#)
    );
}

#[tokio::test]
async fn an_answer_that_is_of_no_use_is_no_answer_f_mw_06_f_mw_13() {
    let too_long = format!(r#"{{"x":"{}"}}"#, "x".repeat(64 * 1024));
    for unusable in [
        answer(200, ""),
        answer(200, "{}"),
        answer(200, "not JSON"),
        answer(200, &too_long),
        answer(404, "{}"),
        answer(401, "{}"),
        "HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ] {
        let provider = Provider::answering([unusable]).await;
        assert_eq!(middleware(&provider).lookup("acme", &lookup()).await, None);
        assert_eq!(provider.asked().len(), 1);
    }
}

/// F-MW-06: the longest answer that is taken, with or without its length told, and one byte more.
#[tokio::test]
async fn an_answer_of_64_kib_is_taken_and_one_byte_more_is_not() {
    let head = r#"{"date_of_birth_matches":true,"zip_matches":true,"x":""#;
    let of = |bytes: usize| format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2));
    for (bytes, is_taken) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        let body = of(bytes);
        assert_eq!(body.len(), bytes);
        let unannounced = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}");
        for answer in [answer(200, &body), unannounced] {
            let provider = Provider::answering([answer]).await;
            let found = middleware(&provider).lookup("acme", &lookup()).await;
            assert_eq!(found.is_some(), is_taken, "{bytes}");
        }
    }
}

#[tokio::test]
async fn a_lookup_is_repeated_once_after_a_fault_of_the_middleware_f_mw_04() {
    let body = r#"{"date_of_birth_matches":true,"zip_matches":true}"#;
    let provider = Provider::answering([answer(503, ""), answer(200, body)]).await;
    assert!(middleware(&provider).lookup("acme", &lookup()).await.is_some());

    let provider = Provider::answering([answer(503, ""), answer(503, ""), answer(200, body)]).await;
    assert!(middleware(&provider).lookup("acme", &lookup()).await.is_none());
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn nobody_there_is_no_answer_f_mw_01() {
    let address = nobody().await;
    let middleware = Middleware::new(&format!("http://{address}"), key()).unwrap();
    assert_eq!(middleware.lookup("acme", &lookup()).await, None);
    let speaker = Speaker::new(&format!("http://{address}"), key()).unwrap();
    let error = speaker.speak("a-voice", "Goodbye.").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(!format!("{error:?}").contains("model="), "no URL in an error");
}

#[test]
fn a_wrong_setting_is_named_and_not_shown() {
    let errors = [
        Middleware::new("http://example.com", key()).unwrap_err(),
        Speaker::new("not a url k3y", key()).unwrap_err(),
        TwilioRest::new("https://k3y@example.com", account(), key()).unwrap_err(),
        TwilioRest::new("https://example.com", account(), SecretString::from("")).unwrap_err(),
    ];
    let settings = ["MIDDLEWARE_URL", "DEEPGRAM_SPEAK_URL", "TWILIO_API_URL", "TWILIO_AUTH_TOKEN"];
    for (error, name) in errors.iter().zip(settings) {
        assert!(error.to_string().starts_with(name), "{error}");
        assert!(!format!("{error} {error:?}").contains("k3y"), "{error}");
    }
}

fn key() -> SecretString {
    SecretString::from("k3y")
}

fn account() -> Sid {
    Sid::parse("AC00000000000000000000000000000001").unwrap()
}

fn call() -> Sid {
    Sid::parse("CA00000000000000000000000000000001").unwrap()
}

fn lookup() -> LoanLookup {
    LoanLookup {
        loan_number: "100234".to_owned(),
        date_of_birth: "1980-03-04".to_owned(),
        zip: "62701".to_owned(),
    }
}

fn twilio(provider: &Provider) -> TwilioRest {
    TwilioRest::new(&provider.url, account(), key()).unwrap()
}

async fn redirect(provider: &Provider, has_left: bool) -> Redirected {
    twilio(provider).redirect(&call(), "<Response/>", || has_left).await
}

fn speaker(provider: &Provider) -> Speaker {
    Speaker::new(&provider.url, key()).unwrap()
}

fn middleware(provider: &Provider) -> Middleware {
    Middleware::new(&provider.url, key()).unwrap()
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Takes one request a connection.
struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// A provider that gives these answers in turn. To an empty one, it hangs up.
    async fn answering(answers: impl IntoIterator<Item = String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers.into_iter().collect();
        let keep = Arc::clone(&asked);
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let request = read(&mut stream).await;
                keep.lock().unwrap().push(request);
                // A client that takes no more has gone, and that is its right.
                let _ = stream.get_mut().write_all(answer.as_bytes()).await;
                let _ = stream.get_mut().shutdown().await;
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> String {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let begin = request.len();
        stream.read_line(&mut request).await.unwrap();
        let line = request[begin..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    request + str::from_utf8(&body).unwrap()
}
