//! Recordings: what is asked of Twilio, and what its callbacks say.

use call_transports::twilio::Sid;
use call_transports::twilio::recording::{
    PAUSE_BODY, RESUME_BODY, RecordingCallback, RecordingStatus, change_path, delete_path,
    deletion_is_done, list_path, media_path, start_body, start_path, told_in_list,
};
use call_transports::twilio::webhook::{Error, decode_form};

#[test]
fn a_recording_is_begun_with_both_sides_apart_and_every_change_told() {
    let (account, call) = (account(), sid("CA00000000000000000000000000000011"));
    let below = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls";
    let call_path = format!("{below}/CA00000000000000000000000000000011");
    assert_eq!(start_path(&account, &call), format!("{call_path}/Recordings.json"));
    let current = format!("{call_path}/Recordings/Twilio.CURRENT.json");
    assert_eq!(change_path(&account, &call), current);
    let ours = start_body("https://voice.example.test/twilio/recording");
    let ours = decode_form(ours.as_bytes()).expect("a form");
    let body = include_str!("../fixtures/twilio/rest/recording_create.form");
    for field in decode_form(body.trim_end().as_bytes()).expect("a form") {
        assert!(ours.contains(&field), "{field:?}");
    }
    assert!(ours.contains(&("Trim".to_owned(), "do-not-trim".to_owned())));
    assert_eq!((PAUSE_BODY, RESUME_BODY).0, "Status=paused&PauseBehavior=silence");
    assert_eq!(RESUME_BODY, "Status=in-progress");
}

#[test]
fn a_recording_is_deleted_below_the_account_and_gone_is_gone() {
    let path = delete_path(&account(), &sid("RE00000000000000000000000000000031"));
    let below = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Recordings";
    assert_eq!(path, format!("{below}/RE00000000000000000000000000000031.json"));
    assert!(deletion_is_done(204) && deletion_is_done(404));
    for status in [301, 400, 401, 403, 429, 500, 503] {
        assert!(!deletion_is_done(status), "{status}");
    }
}

#[test]
fn a_callback_is_read_and_written() {
    for (body, status, seconds) in [
        (PROGRESS, RecordingStatus::InProgress, None),
        (COMPLETED, RecordingStatus::Completed, Some(42)),
        (ABSENT, RecordingStatus::Absent, None),
    ] {
        let callback = callback(body);
        assert_eq!((callback.status, callback.seconds), (Some(status), seconds));
        assert_eq!(RecordingCallback::from_form(&callback.to_form()), Ok(callback));
    }
}

#[test]
fn a_callback_that_leaves_something_out_or_says_it_twice_is_not_read() {
    let form = decode_form(COMPLETED.trim_end().as_bytes()).expect("a form");
    for field in ["AccountSid", "CallSid", "RecordingSid", "RecordingStatus"] {
        let less: Vec<_> = form.iter().filter(|(name, _)| name != field).cloned().collect();
        assert_eq!(RecordingCallback::from_form(&less), Err(Error::Missing { field }));
    }
    for field in ["RecordingSid", "RecordingUrl", "RecordingDuration"] {
        let mut more = form.clone();
        more.push((field.to_owned(), "x".to_owned()));
        assert_eq!(RecordingCallback::from_form(&more), Err(Error::Repeated { field }));
    }
    let path = COMPLETED.replace("RecordingSid=RE", "RecordingSid=..%2F");
    let path = decode_form(path.trim_end().as_bytes()).expect("a form");
    assert_eq!(RecordingCallback::from_form(&path), Err(Error::Sid { field: "RecordingSid" }));
}

/// A list says of each recording what Twilio's answer to its creation said, and how it stands by now.
#[test]
fn a_list_of_recordings_tells_what_callbacks_would_have() {
    let made = include_str!("../fixtures/twilio/rest/recording_created_201.json");
    let over = made
        .replace("\"duration\": null", "\"duration\": \"42\"")
        .replace("\"status\": \"in-progress\"", "\"status\": \"completed\"");
    let other = made.replace("CA00000000000000000000000000000011", "CA0");
    let odd = made.replace("\"status\": \"in-progress\"", "\"status\": \"processing\"");
    let list = format!("{{\"page\": 0, \"recordings\": [{over}, {other}, {odd}]}}");
    let (account, call) = (account(), sid("CA00000000000000000000000000000011"));
    let told = told_in_list(&account, &call, list.as_bytes()).expect("a list");
    let [over, odd] = &told[..] else { panic!("another call's is left out: {told:?}") };
    let expected = RecordingCallback { url: None, ..callback(COMPLETED) };
    assert_eq!((over, odd.status), (&expected, None));
    assert_eq!(told_in_list(&account, &call, b"{\"recordings\": []}"), Some(vec![]));
    for garbled in [&b""[..], b"[]", b"{}", b"{\"recordings\": [{}]}"] {
        assert_eq!(told_in_list(&account, &call, garbled), None);
    }
    let path = list_path(&account, &call);
    assert!(path.ends_with("/Calls/CA00000000000000000000000000000011/Recordings.json"), "{path}");
}

/// F-WH-15.
#[test]
fn the_sound_lies_at_one_address_and_every_other_is_foreign() {
    let callback = callback(COMPLETED);
    let path = media_path(&callback.account, &callback.recording);
    let at = |url: &str| RecordingCallback { url: Some(url.to_owned()), ..callback.clone() };
    let api = "http://127.0.0.1:9000";
    assert_eq!(callback.lies_at(api), Some(path.clone()));
    assert_eq!(at(&format!("{api}{path}")).lies_at(api), Some(path.clone()));
    for foreign in [
        format!("https://evil.example{path}"),
        format!("http://api.twilio.com{path}"),
        format!("https://api.twilio.com.evil.example{path}"),
        format!("https://api.twilio.com@evil.example{path}"),
        format!("https://api.twilio.com:444{path}"),
        format!("https://api.twilio.com{path}?to=evil"),
        format!("https://api.twilio.com{path}/../../x"),
        format!("https://api.twilio.com{}", path.replace("RE0", "RE1")),
        "file:///etc/passwd".to_owned(),
        "http://169.254.169.254/".to_owned(),
        String::new(),
    ] {
        assert_eq!(at(&foreign).lies_at(api), None, "{foreign}");
    }
}

fn callback(body: &str) -> RecordingCallback {
    let form = decode_form(body.trim_end().as_bytes()).expect("a form");
    RecordingCallback::from_form(&form).expect("a callback")
}

fn account() -> Sid {
    sid("AC00000000000000000000000000000001")
}

fn sid(text: &str) -> Sid {
    Sid::parse(text).expect("a SID")
}

const PROGRESS: &str = include_str!("../fixtures/twilio/webhooks/recording_in_progress.form");
const COMPLETED: &str = include_str!("../fixtures/twilio/webhooks/recording_completed.form");
const ABSENT: &str = include_str!("../fixtures/twilio/webhooks/recording_absent.form");
