//! The text-to-speech request: what we send is what a stand-in reads.

use call_transports::deepgram::{Refusal, SpeakFailure, SpeakRequest};

const FORMAT: [(&str, &str); 3] =
    [("encoding", "mulaw"), ("sample_rate", "8000"), ("container", "none")];

#[test]
fn a_line_is_asked_for_as_telephone_audio() {
    let query = line().query();
    let expected = [
        ("model", "aura-2-thalia-en"),
        ("encoding", "mulaw"),
        ("sample_rate", "8000"),
        ("container", "none"),
    ];
    assert_eq!(query.each_ref().map(|(name, value)| (*name, value.as_str())), expected);
    assert_eq!(line().body(), r#"{"text":"One \"moment\"."}"#);
}

#[test]
fn a_stand_in_reads_the_line_that_was_asked_for() {
    let query = line().query();
    let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(SpeakRequest::parse(pairs, &line().body()), Ok(line()));
}

#[test]
fn audio_a_telephone_cannot_play_is_refused() {
    let complaint = |query: &[(&str, &str)]| {
        let refusal = SpeakRequest::parse(query.iter().copied(), &line().body()).unwrap_err();
        assert_eq!(refusal.code, "Bad Request");
        refusal.description
    };
    let model = [("model", "aura-2-thalia-en")];
    assert_eq!(complaint(&model), "missing parameter `encoding`");
    assert_eq!(complaint(&FORMAT), "missing parameter `model`");
    assert_eq!(complaint(&[("encoding", "mp3")]), "`encoding` is not mulaw");
    let wav = [("encoding", "mulaw"), ("sample_rate", "8000"), ("container", "wav")];
    assert_eq!(complaint(&wav), "`container` is not none");
    let fast = [("encoding", "mulaw"), ("sample_rate", "24000")];
    assert_eq!(complaint(&fast), "`sample_rate` is not 8000");
    assert_eq!(complaint(&[("voice", "x")]), "unknown parameter `voice`");
    assert_eq!(complaint(&[("model", "x"), ("model", "y")]), "repeated parameter `model`");
}

#[test]
fn a_body_that_is_not_exactly_one_text_is_refused_without_being_quoted() {
    for body in ["", "{}", r#"{"text":4471}"#, r#"{"text":"4471","speed":1}"#, r#"{"text":" "}"#] {
        let query = FORMAT.into_iter().chain([("model", "aura-2-thalia-en")]);
        let refusal = SpeakRequest::parse(query, body).expect_err(body);
        assert!(!refusal.description.contains("4471"), "{refusal}");
    }
}

#[test]
fn both_shapes_of_failure_are_understood() {
    let newer = r#"{"err_code":"Bad Request","err_msg":"no text","request_id":"r-1"}"#;
    let failure = SpeakFailure::decode(newer).unwrap();
    assert_eq!(failure.encode(), newer);
    let other = r#"{"category":"INVALID_JSON","message":"no","details":"x","request_id":"r-1"}"#;
    assert_eq!(SpeakFailure::decode(other).unwrap().err_code, "INVALID_JSON");
    assert_eq!(SpeakFailure::decode("<html>"), None);

    let refusal = Refusal { code: "Bad Request", description: "no text".to_owned() };
    let encoded = SpeakFailure::from(refusal).encode();
    assert_eq!(encoded, r#"{"err_code":"Bad Request","err_msg":"no text"}"#);
}

#[test]
fn a_request_does_not_print_its_words() {
    assert!(!format!("{:?}", line()).contains("moment"));
}

fn line() -> SpeakRequest {
    SpeakRequest { voice: "aura-2-thalia-en".to_owned(), text: "One \"moment\".".into() }
}
