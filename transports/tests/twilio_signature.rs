//! What the signature check believes, and what it refuses.

use call_transports::twilio::signature::{Refused, Verifier, sign};

#[test]
fn every_known_vector_is_judged_as_its_library_judges_it() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/twilio/signatures.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let text = |field: &str| vector[field].as_str().unwrap_or_default();
        let verifier = Verifier::new([text("token")]);
        let verdict = if text("kind") == "json" {
            verifier.verify_json(text("url"), text("body").as_bytes(), text("signature"))
        } else {
            let params = vector["params"].as_object().unwrap();
            let owned = |(name, value): (&String, &serde_json::Value)| {
                (name.clone(), value.as_str().unwrap().to_owned())
            };
            let form: Vec<_> = params.iter().map(owned).collect();
            verifier.verify_form(text("url"), &form, text("signature"))
        };
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(verdict.is_ok(), valid, "{}: {verdict:?}", text("id"));
    }
}

/// The expected signature comes from another implementation of HMAC over text put together by hand:
/// names in byte order, equal values once, the rest sorted, an empty value adding its name.
#[test]
fn repeated_fields_are_signed_once_for_each_different_value() {
    let fields = form(&[
        ("name", "ñ &"),
        ("StatusCallbackEvent", "completed"),
        ("StatusCallbackEvent", "answered"),
        ("Digits", ""),
        ("StatusCallbackEvent", "completed"),
    ]);
    let signature = sign("12345", "https://voice.example.test/status", &fields);
    assert_eq!(signature, "nhAFiZRS4ulOeAgzJdiT0Bvriy8=");
    let verifier = Verifier::new(["12345"]);
    assert_eq!(
        verifier.verify_form("https://voice.example.test/status", &fields, &signature),
        Ok(())
    );
}

/// F-WH-02: a proxy may show another port, and Twilio signs with or without one.
#[test]
fn the_port_may_be_there_or_not() {
    let verifier = Verifier::new(["token"]);
    let public = "https://voice.example.test/voice?company=a%20b";
    let default = "https://voice.example.test:443/voice?company=a%20b";
    let other = "https://voice.example.test:8443/voice?company=a%20b";
    let signed = |url| sign("token", url, &[]);
    assert_eq!(verifier.verify_form(public, &[], &signed(default)), Ok(()));
    assert_eq!(verifier.verify_form(default, &[], &signed(public)), Ok(()));
    assert_eq!(verifier.verify_form(other, &[], &signed(public)), Ok(()));
    assert_eq!(verifier.verify_form(other, &[], &signed(other)), Ok(()));
    assert_eq!(verifier.verify_form(public, &[], &signed(other)), Err(Refused::Mismatch));
    let plain = "http://[::1]:80/voice";
    assert_eq!(verifier.verify_form("http://[::1]/voice", &[], &signed(plain)), Ok(()));
}

/// F-WH-02: another scheme, host, path or query is another request.
#[test]
fn nothing_but_the_port_may_differ() {
    let verifier = Verifier::new(["token"]);
    let signature = sign("token", "https://voice.example.test/voice?a=b%20c", &[]);
    for other in [
        "http://voice.example.test/voice?a=b%20c",
        "https://voice.example.org/voice?a=b%20c",
        "https://voice.example.test/voice/?a=b%20c",
        "https://voice.example.test/voice?a=b+c",
        "https://voice.example.test/voice",
    ] {
        assert_eq!(verifier.verify_form(other, &[], &signature), Err(Refused::Mismatch), "{other}");
    }
}

#[test]
fn credentials_and_fragment_are_not_part_of_what_is_signed() {
    let signature = sign("token", "https://voice.example.test/voice", &[]);
    let configured = "https://user:password@voice.example.test/voice#rc=2";
    assert_eq!(Verifier::new(["token"]).verify_form(configured, &[], &signature), Ok(()));
}

/// F-WH-08: Twilio adds fields without notice and signs them too.
#[test]
fn an_unknown_field_is_part_of_the_signature() {
    let verifier = Verifier::new(["token"]);
    let url = "https://voice.example.test/voice";
    let known = form(&[("CallSid", "CA1")]);
    let more = form(&[("CallSid", "CA1"), ("Novelty", "1")]);
    let signature = sign("token", url, &more);
    assert_eq!(verifier.verify_form(url, &more, &signature), Ok(()));
    assert_eq!(verifier.verify_form(url, &known, &signature), Err(Refused::Mismatch));
}

#[test]
fn an_upgrade_is_believed_in_every_form_that_twilio_may_sign() {
    let verifier = Verifier::new(["token"]);
    let upgrade =
        |url: &str, signed: &str| verifier.verify_upgrade(url, &sign("token", signed, &[]));
    for scheme in ["wss", "https"] {
        for port in ["", ":443", ":8443"] {
            for slash in ["", "/"] {
                let signed = format!("{scheme}://voice.example.test{port}/media{slash}");
                assert_eq!(upgrade("wss://voice.example.test:8443/media", &signed), Ok(()));
                assert_eq!(upgrade("https://voice.example.test:8443/media/", &signed), Ok(()));
            }
        }
    }
    let root = "wss://voice.example.test";
    assert_eq!(upgrade(root, "wss://voice.example.test/"), Ok(()));
    assert_eq!(upgrade(root, "ws://voice.example.test"), Err(Refused::Mismatch));
    assert_eq!(upgrade(root, "wss://voice.example.test/media"), Err(Refused::Mismatch));
}

#[test]
fn both_tokens_are_believed_while_one_is_being_replaced() {
    let verifier = Verifier::new(["old", "new"]);
    let url = "wss://voice.example.test/media";
    assert_eq!(verifier.verify_upgrade(url, &sign("old", url, &[])), Ok(()));
    assert_eq!(verifier.verify_upgrade(url, &sign("new", url, &[])), Ok(()));
    assert_eq!(verifier.verify_upgrade(url, &sign("other", url, &[])), Err(Refused::Mismatch));
}

#[test]
fn nobody_is_believed_without_a_token() {
    let url = "wss://voice.example.test/media";
    let empty = Verifier::new([""]);
    assert_eq!(empty.verify_upgrade(url, &sign("", url, &[])), Err(Refused::NoToken));
    assert_eq!(
        Verifier::new(Vec::<String>::new()).verify_upgrade(url, "AA=="),
        Err(Refused::NoToken)
    );
}

#[test]
fn a_signature_that_is_not_one_is_refused() {
    let verifier = Verifier::new(["token"]);
    let url = "https://voice.example.test/voice";
    assert_eq!(verifier.verify_form(url, &[], ""), Err(Refused::Garbled));
    assert_eq!(verifier.verify_form(url, &[], "not base64!"), Err(Refused::Garbled));
    let whole = sign("token", url, &[]);
    let part = sign("token", url, &[])[..whole.len() - 4].to_owned();
    assert_eq!(verifier.verify_form(url, &[], &part), Err(Refused::Mismatch));
    assert_eq!(verifier.verify_form("no URL at all", &[], &whole), Err(Refused::Mismatch));
}

#[test]
fn a_json_body_must_be_the_one_whose_hash_is_signed() {
    let verifier = Verifier::new(["token"]);
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"; // of {}
    let url = format!("https://voice.example.test/event?a=1&bodySHA256={hash}");
    let signature = sign("token", &url, &[]);
    assert_eq!(verifier.verify_json(&url, b"{}", &signature), Ok(()));
    assert_eq!(verifier.verify_json(&url, b"{ }", &signature), Err(Refused::BodyHashMismatch));
    let bare = "https://voice.example.test/event";
    let signature = sign("token", bare, &[]);
    assert_eq!(verifier.verify_json(bare, b"{}", &signature), Err(Refused::BodyHashMissing));
    let twice = format!("{url}&bodySHA256={hash}");
    let signature = sign("token", &twice, &[]);
    assert_eq!(verifier.verify_json(&twice, b"{}", &signature), Err(Refused::BodyHashMissing));
}

#[test]
fn a_verifier_prints_without_its_tokens() {
    let printed = format!("{:?}", Verifier::new(["hunter2"]));
    assert!(printed.contains("«secret»") && !printed.contains("hunter2"), "{printed}");
}

fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
