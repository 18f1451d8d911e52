//! What the agent server says, decoded and encoded.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use call_transports::deepgram::{
    Error, FunctionCall, Latencies, MESSAGE_BYTES_MAX, Problem, Role, ServerMessage, decode_server,
    encode_server,
};
use serde_json::{Value, json};

#[test]
fn every_recorded_message_survives_the_way_in_and_out() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 30, "the fixtures are there");
    let mut unknown = BTreeSet::new();
    for (name, text) in fixtures {
        let message = decode_server(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = encode_server(&message);
        assert_eq!(decode_server(&again).as_ref(), Ok(&message), "{name}");
        match message {
            ServerMessage::Unknown { kind } => {
                unknown.insert(kind);
            }
            _ => assert_eq!(json_of(&again), json_of(&text), "{name}"),
        }
    }
    let expected = ["FrustrationDetected", "ThinkLiveUpdated", "__customFromThinkProvider"];
    assert_eq!(unknown, expected.map(str::to_owned).into());
}

#[test]
fn an_unknown_type_is_data_and_not_a_fault_f_dg_26() {
    let unknown = ServerMessage::Unknown { kind: "NextYear".to_owned() };
    let text = r#"{"type":"NextYear","content":{"deep":[1,2,3]}}"#;
    assert_eq!(decode_server(text).as_ref(), Ok(&unknown));
    assert_eq!(encode_server(&unknown), r#"{"type":"NextYear"}"#);
}

#[test]
fn unknown_fields_change_nothing_f_dg_26() {
    for (name, text) in fixtures() {
        let mut grown = json_of(&text);
        grown["a_field_from_next_year"] = json!({"content": "x"});
        assert_eq!(decode_server(&grown.to_string()), decode_server(&text), "{name}");
    }
}

#[test]
fn text_that_is_not_a_message_is_an_error_and_never_a_panic_f_dg_27() {
    for text in ["", "{", "not json", "{\"type\":\"Welc", "\u{0}", "{'type':'Welcome'}"] {
        assert_eq!(decode_server(text), Err(Error::NotJson), "{text}");
    }
    for text in ["[]", "null", "3", "\"Welcome\"", "{}", r#"{"type":7}"#, r#"{"type":null}"#] {
        assert_eq!(decode_server(text), Err(Error::Untyped), "{text}");
    }
    let deep = format!(r#"{{"type":"History","x":{}"#, "[".repeat(200_000));
    assert_eq!(decode_server(&deep), Err(Error::NotJson));
}

#[test]
fn one_byte_over_the_limit_is_too_large_f_dg_27() {
    let padded = |bytes: usize| {
        let frame = r#"{"type":"AgentAudioDone","x":""}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
    };
    let largest = padded(MESSAGE_BYTES_MAX);
    assert_eq!(decode_server(&largest), Ok(ServerMessage::AgentAudioDone));
    let bytes = MESSAGE_BYTES_MAX + 1;
    assert_eq!(decode_server(&padded(bytes)), Err(Error::TooLarge { bytes }));
}

#[test]
fn a_known_type_without_what_it_needs_is_named_but_not_quoted() {
    let text = r#"{"type":"ConversationText","role":"user","content":["account 4471"]}"#;
    let error = decode_server(text).unwrap_err();
    let problem = Problem::Shape { field: "content", expected: "text" };
    assert_eq!(error, Error::Unusable { kind: "ConversationText".to_owned(), problem });
    assert_eq!(error.to_string(), "ConversationText is unusable: `content` is not text");

    let text = r#"{"type":"FunctionCallRequest","functions":[{"id":"1","name":"f"}]}"#;
    let error = decode_server(text).unwrap_err();
    assert_eq!(error.to_string(), "FunctionCallRequest is unusable: `arguments` is missing");

    let error = decode_server(r#"{"type":"Welcome","request_id":null}"#).unwrap_err();
    assert_eq!(error.to_string(), "Welcome is unusable: `request_id` is missing");

    for functions in [json!(null), json!({}), json!(["x"]), json!("x")] {
        let text = json!({"type": "FunctionCallCancelled", "functions": functions}).to_string();
        assert!(decode_server(&text).is_err(), "{text}");
    }
}

#[test]
fn dropping_any_field_of_any_message_is_an_answer_and_never_a_panic_f_dg_27() {
    for (name, text) in fixtures() {
        let whole = json_of(&text);
        for field in whole.as_object().unwrap().keys().filter(|field| *field != "type") {
            for value in [json!(null), json!(-1), json!("x"), json!([{}]), json!({})] {
                let mut bent = whole.clone();
                bent[field] = value;
                if let Err(error) = decode_server(&bent.to_string()) {
                    assert!(matches!(error, Error::Unusable { .. }), "{name} {field}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_request_that_is_not_for_us_says_so_f_dg_21() {
    let functions = calls(&fixture("server.FunctionCallRequest.server-side.json"));
    assert!(functions.iter().all(|call| !call.client_side));
    let functions = calls(&fixture("server.FunctionCallRequest.json"));
    assert!(functions.iter().all(|call| call.client_side));
}

#[test]
fn a_request_that_does_not_say_whom_it_is_for_is_unusable_f_dg_21() {
    for marker in ["", r#","client_side":null"#, r#","client_side":"true""#] {
        let call = format!(r#"{{"id":"1","name":"pay","arguments":"{{}}"{marker}}}"#);
        let text = format!(r#"{{"type":"FunctionCallRequest","functions":[{call}]}}"#);
        assert!(decode_server(&text).is_err(), "{text}");
    }
}

#[test]
fn arguments_arrive_as_the_model_wrote_them_whatever_they_are_f_dg_19() {
    for arguments in ["", "{}", "{\"amount\":", "NaN", "{\"amount\":-1e400}", "[[[[", "\u{202e}"] {
        let text = json!({"type": "FunctionCallRequest", "functions": [
            {"id": "1", "name": "pay", "arguments": arguments, "client_side": true}
        ]});
        assert_eq!(calls(&text.to_string())[0].arguments.reveal(), arguments);
    }
}

#[test]
fn latencies_are_read_from_numbers_and_from_text() {
    let text = r#"{"type":"LatencyReport","stt_latency":0,"tts_latency":"0.106",
                   "total_latency":0.751,"ttt_tool_latency":"soon","ttt_text_latency":"NaN"}"#;
    let expected = Latencies {
        stt_latency: Some(0.0),
        tts_latency: Some(0.106),
        total_latency: Some(0.751),
        ..Latencies::default()
    };
    assert_eq!(decode_server(text), Ok(ServerMessage::LatencyReport(expected)));

    let text = r#"{"type":"AgentStartedSpeaking","total_latency":"0.751","tts_latency":0.106}"#;
    let expected = ServerMessage::AgentStartedSpeaking {
        total_latency: Some(0.751),
        tts_latency: Some(0.106),
        ttt_latency: None,
    };
    assert_eq!(decode_server(text), Ok(expected));
}

#[test]
fn a_refusal_without_a_reason_and_an_end_of_turn_without_a_trigger_are_understood() {
    let refused = decode_server(r#"{"type":"InjectionRefused"}"#);
    assert_eq!(refused, Ok(ServerMessage::InjectionRefused { message: None }));
    let ended = decode_server(r#"{"type":"EndOfTurn"}"#);
    assert_eq!(ended, Ok(ServerMessage::EndOfTurn { trigger: None }));
}

#[test]
fn an_unknown_role_keeps_its_name_and_a_bent_decoration_costs_no_transcript() {
    let text = r#"{"type":"ConversationText","role":"supervisor","content":"hello",
                   "languages":"en","conversational_behavior":3}"#;
    let expected = ServerMessage::ConversationText {
        role: Role::Other("supervisor".to_owned()),
        content: "hello".into(),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    };
    assert_eq!(decode_server(text), Ok(expected));
}

#[test]
fn no_words_of_a_call_are_printed() {
    for (name, text) in fixtures() {
        let printed = format!("{:?}", decode_server(&text));
        for private in ["kitchen tap", "send someone", "diary", "fuga", "2026-11", "+1555", "s-14"]
        {
            assert!(!printed.contains(private), "{name}: {printed}");
        }
    }
}

fn calls(text: &str) -> Vec<FunctionCall> {
    match decode_server(text) {
        Ok(ServerMessage::FunctionCallRequest { functions }) => functions,
        other => panic!("not a request: {other:?}"),
    }
}

fn fixtures() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder()).expect("the fixtures lie beside the tests");
    let names = entries.map(|entry| entry.expect("a readable folder").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let ours: BTreeSet<_> =
        names.filter(|name| name.starts_with("server.") && name.ends_with(".json")).collect();
    ours.into_iter().map(|name| (name.clone(), fixture(&name))).collect()
}

fn fixture(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("the fixtures are text")
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/deepgram"))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("the fixtures are JSON")
}
