//! What a client says, encoded exactly and decoded as strictly as the service does it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use call_transports::deepgram::{
    ClientMessage, Injection, ServerMessage, decode_client, encode_client,
};
use serde_json::{Value, json};

/// Recorded messages the types do not cover, each with the reason and what the refusal says.
const NOT_MODELLED: [(&str, &str, &str); 4] = [
    (
        "client.InjectAgentMessage.dynamic.json",
        "a line the model composes is no line of ours, and the feature is by invitation",
        "unknown field `is_dynamic`",
    ),
    (
        "client.Settings.saved-agent.json",
        "a saved agent admits no prompt, functions or context of the call at hand",
        "expected struct Agent",
    ),
    ("client.UpdateThink_Live.json", "the feature is by invitation", "expected one of `Settings`"),
    (
        "client.__customToThinkProvider.json",
        "only for model endpoints of one's own, which we do not run",
        "expected one of `Settings`",
    ),
];

#[test]
fn every_recorded_message_we_model_survives_the_way_in_and_out() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 15, "the fixtures are there");
    for (name, text) in fixtures {
        if NOT_MODELLED.iter().any(|(other, ..)| *other == name) {
            continue;
        }
        let message = decode_client(&text).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(json_of(&encode_client(&message)), json_of(&text), "{name}");
    }
}

#[test]
fn the_newest_kinds_are_refused_like_inventions() {
    for (name, reason, description) in NOT_MODELLED {
        let refusal = decode_client(&fixture(name)).expect_err(reason);
        assert_eq!(refusal.code, "UNPARSABLE_CLIENT_MESSAGE", "{name}");
        assert!(refusal.description.starts_with(description), "{name}: {refusal}");
    }
}

#[test]
fn messages_have_exactly_the_fields_of_the_wire() {
    let inject = |behavior| ClientMessage::InjectAgentMessage { message: "Hi.".into(), behavior };
    let expectations = [
        (ClientMessage::KeepAlive, json!({"type": "KeepAlive"})),
        (ClientMessage::ForceEndTurn, json!({"type": "ForceEndTurn"})),
        (inject(Injection::Default), json!({"type": "InjectAgentMessage", "message": "Hi."})),
        (
            inject(Injection::Queue),
            json!({"type": "InjectAgentMessage", "message": "Hi.", "behavior": "queue"}),
        ),
        (
            inject(Injection::Interrupt),
            json!({"type": "InjectAgentMessage", "message": "Hi.", "behavior": "interrupt"}),
        ),
        (
            ClientMessage::InjectUserMessage { content: "Hi.".into() },
            json!({"type": "InjectUserMessage", "content": "Hi."}),
        ),
        (
            ClientMessage::UpdatePrompt { prompt: "Hi.".into() },
            json!({"type": "UpdatePrompt", "prompt": "Hi."}),
        ),
        (
            ClientMessage::FunctionCallResponse {
                id: "call_1".to_owned(),
                name: "lookup".to_owned(),
                content: "{}".into(),
            },
            json!({
                "type": "FunctionCallResponse", "id": "call_1", "name": "lookup", "content": "{}"
            }),
        ),
    ];
    for (message, expected) in expectations {
        let text = encode_client(&message);
        assert_eq!(json_of(&text), expected);
        assert_eq!(decode_client(&text), Ok(message));
    }
}

#[test]
fn injection_by_default_may_also_be_said_aloud() {
    let spoken = r#"{"type":"InjectAgentMessage","message":"Hi.","behavior":"default"}"#;
    let message = "Hi.".into();
    let behavior = Injection::Default;
    let expected = ClientMessage::InjectAgentMessage { message, behavior };
    assert_eq!(decode_client(spoken), Ok(expected));
}

#[test]
fn an_unknown_field_anywhere_ends_the_session() {
    let (mut places, mut settings) = (0, json_of(&fixture("client.Settings.context-replay.json")));
    settings["agent"]["greeting"] = json!("Hello.");
    let messages = fixtures().into_iter().map(|(_, text)| json_of(&text)).chain([settings]);
    for message in messages.filter(|message| decode_client(&message.to_string()).is_ok()) {
        for place in objects(&message, "") {
            let mut bent = message.clone();
            let object = bent.pointer_mut(&place).and_then(Value::as_object_mut);
            object.expect("the place is an object").insert("extra".to_owned(), json!(1));
            let refusal = decode_client(&bent.to_string()).expect_err(&place);
            assert!(refusal.description.contains("`extra`"), "{place}: {refusal}");
            places += 1;
        }
    }
    assert!(places > 60, "only {places} places were tried");
}

#[test]
fn the_well_known_inventions_are_refused_by_name() {
    for (place, field) in [
        ("/agent/think/0/functions/0", "client_side"),
        ("/agent/think/0", "timeout"),
        ("/agent/think/0/provider", "endpoint"),
        ("/agent/speak/0/provider", "endpoint"),
        ("/agent/speak/0/provider", "language"),
        ("/agent/listen/provider", "language_hint"),
        ("/audio/input", "container"),
        ("/agent", "think_live"),
        ("", "settings"),
    ] {
        let mut settings = json_of(&fixture("client.Settings.json"));
        settings.pointer_mut(place).expect("the place exists")[field] = json!(true);
        let refusal = decode_client(&settings.to_string()).expect_err(field);
        assert_eq!(refusal.code, "UNPARSABLE_CLIENT_MESSAGE");
        assert!(refusal.description.contains(&format!("`{field}`")), "{place}: {refusal}");
    }
}

#[test]
fn a_value_of_the_wrong_json_type_or_an_unheard_of_name_is_refused() {
    for (place, value) in [
        ("/agent/listen/provider/eot_timeout_ms", json!("4000")),
        ("/agent/listen/provider/version", json!("v3")),
        ("/agent/think/0/provider/type", json!("openai")),
        ("/agent/think/0/provider/temperature", json!("0.4")),
        ("/agent/think/0/functions/1/defer_until_eot", json!("true")),
        ("/agent/speak/0/provider/version", json!(1)),
        ("/agent/speak/0", json!("aura-2-thalia-en")),
        ("/agent/greeting", json!({"text": "Hello."})),
        ("/audio/input/sample_rate", json!("8000")),
        ("/audio/output/encoding", json!("ulaw")),
        ("/mip_opt_out", json!("true")),
        ("/type", json!("SettingsConfiguration")),
    ] {
        let mut settings = json_of(&fixture("client.Settings.json"));
        *settings.pointer_mut(place).expect("the place exists") = value;
        let refusal = decode_client(&settings.to_string()).expect_err(place);
        assert_eq!(refusal.code, "UNPARSABLE_CLIENT_MESSAGE");
    }
    for text in ["", "[object Blob]", "[]", "null", "{}", r#"{"type":3}"#, r#"{"type":"Close"}"#] {
        assert!(decode_client(text).is_err(), "{text}");
    }
}

#[test]
fn a_history_entry_is_either_said_by_a_known_role_or_a_list_of_calls() {
    for entry in [
        json!({"type": "History", "role": "supervisor", "content": "Hi."}),
        json!({"type": "History", "role": "user"}),
        json!({"type": "History", "role": "user", "content": "Hi.", "function_calls": []}),
        json!({"type": "ConversationText", "role": "user", "content": "Hi."}),
        json!({"role": "user", "content": "Hi."}),
    ] {
        let mut settings = json_of(&fixture("client.Settings.context-replay.json"));
        settings["agent"]["context"]["messages"][0] = entry.clone();
        assert!(decode_client(&settings.to_string()).is_err(), "{entry}");
    }
}

#[test]
fn names_from_before_the_first_version_are_refused() {
    for text in [
        r#"{"type":"InjectAgentMessage","content":"Hi."}"#,
        r#"{"type":"InjectUserMessage","message":"Hi."}"#,
        r#"{"type":"UpdateSpeak","model":"aura-2-orion-en"}"#,
        r#"{"type":"UpdateInstructions","instructions":"Be brief."}"#,
        r#"{"type":"FunctionCallResponse","function_call_id":"1","output":"{}"}"#,
        r#"{"type":"FunctionCallResponse","id":"1","name":"f","content":{}}"#,
        r#"{"type":"FunctionCallResponse","name":"f","content":"{}"}"#,
    ] {
        assert!(decode_client(text).is_err(), "{text}");
    }
}

#[test]
fn a_refusal_quotes_no_value_and_travels_as_an_error_of_the_server() {
    let text = r#"{"type":"InjectUserMessage","content":{"account 4471":1}}"#;
    let refusal = decode_client(text).unwrap_err();
    assert_eq!(refusal.description, "expected a string");
    let text = r#"{"type":"InjectAgentMessage","message":"x","behavior":"account 4471"}"#;
    let refusal = decode_client(text).unwrap_err();
    assert!(!refusal.description.contains("4471"), "{refusal}");
    let error = ServerMessage::from(refusal.clone());
    let code = "UNPARSABLE_CLIENT_MESSAGE".to_owned();
    assert_eq!(error, ServerMessage::Error { code, description: refusal.description });
}

#[test]
fn no_words_of_a_call_are_printed() {
    for (name, text) in fixtures() {
        let printed = format!("{:?}", decode_client(&text));
        for private in ["Robin", "kitchen", "Thursday", "4471", "keypad", "s-14", "answer the"] {
            assert!(!printed.contains(private), "{name}: {printed}");
        }
    }
}

/// The places of all objects in a message but those of a JSON Schema, where anything goes.
fn objects(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let inner = map.iter().filter(|(name, _)| *name != "parameters");
            let inner = inner.flat_map(|(name, value)| objects(value, &format!("{place}/{name}")));
            [place.to_owned()].into_iter().chain(inner).collect()
        }
        Value::Array(list) => {
            let entries = list.iter().enumerate();
            entries.flat_map(|(at, value)| objects(value, &format!("{place}/{at}"))).collect()
        }
        _ => Vec::new(),
    }
}

fn fixtures() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder()).expect("the fixtures lie beside the tests");
    let names = entries.map(|entry| entry.expect("a readable folder").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let ours: BTreeSet<_> =
        names.filter(|name| name.starts_with("client.") && name.ends_with(".json")).collect();
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
