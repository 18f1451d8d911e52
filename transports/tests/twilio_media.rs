//! The messages of a media stream, as Twilio sends them and as it takes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use call_transports::twilio::media::{
    Envelope, Error, FrameKind, FromTwilio, Media, MediaFormat, PAYLOAD_BYTES_MAX, Start, ToTwilio,
    Track, decode_from_twilio, decode_to_twilio, encode_from_twilio,
};

const STREAM: &str = "MZ00000000000000000000000000000021";

const INBOUND: [&str; 8] = [
    include_str!("../fixtures/twilio/messages/inbound/connected.json"),
    include_str!("../fixtures/twilio/messages/inbound/start.json"),
    include_str!("../fixtures/twilio/messages/inbound/start_no_parameters.json"),
    include_str!("../fixtures/twilio/messages/inbound/media.json"),
    include_str!("../fixtures/twilio/messages/inbound/media_silence.json"),
    include_str!("../fixtures/twilio/messages/inbound/dtmf.json"),
    include_str!("../fixtures/twilio/messages/inbound/mark.json"),
    include_str!("../fixtures/twilio/messages/inbound/stop.json"),
];

const OUTBOUND: [&str; 4] = [
    include_str!("../fixtures/twilio/messages/outbound/clear.json"),
    include_str!("../fixtures/twilio/messages/outbound/mark.json"),
    include_str!("../fixtures/twilio/messages/outbound/media.json"),
    include_str!("../fixtures/twilio/messages/outbound/media_long.json"),
];

#[test]
fn the_small_messages_of_a_call_are_read() {
    let read = |text, sequence, message| {
        let stream_sid = Some(Cow::Borrowed(STREAM));
        assert_eq!(decode(text, &mut Vec::new()), Ok(Envelope { stream_sid, sequence, message }));
    };
    read(INBOUND[5], Some(57), FromTwilio::Dtmf { digit: '5' });
    read(INBOUND[6], Some(88), FromTwilio::Mark { name: "turn-1/end".into() });
    let stop = FromTwilio::Stop {
        account_sid: Some("AC00000000000000000000000000000001".into()),
        call_sid: Some("CA00000000000000000000000000000011".into()),
    };
    read(INBOUND[7], Some(412), stop);
    let connected = FromTwilio::Connected { protocol: "Call".into(), version: "1.0.0".into() };
    let envelope = Envelope { stream_sid: None, sequence: None, message: connected };
    assert_eq!(decode(INBOUND[0], &mut Vec::new()), Ok(envelope));
}

#[test]
fn a_start_says_who_calls_and_how_the_audio_looks() {
    let mut scratch = Vec::new();
    let envelope = decode(INBOUND[1], &mut scratch).unwrap();
    assert_eq!(envelope.sequence, Some(1));
    let parameters = [("lang", "en-US"), ("session", "s-0001")];
    assert_eq!(envelope.message, FromTwilio::Start(start(&parameters)));
    let bare = decode(INBOUND[2], &mut scratch).unwrap();
    assert_eq!(bare.message, FromTwilio::Start(start(&[])));
}

#[test]
fn audio_lands_in_the_scratch_buffer_and_text_stays_in_the_message() {
    let mut scratch = Vec::with_capacity(512);
    let (home, room) = (scratch.as_ptr(), scratch.capacity());
    for (text, chunk, timestamp_ms) in [(INBOUND[3], 1, 73), (INBOUND[4], 2, 93)] {
        let envelope = decode(text, &mut scratch).unwrap();
        assert_eq!(envelope.sequence, Some(chunk + 1));
        assert!(matches!(envelope.stream_sid, Some(Cow::Borrowed(STREAM))));
        let FromTwilio::Media(media) = envelope.message else { panic!("this is audio") };
        assert_eq!((media.track, media.payload.len()), (Track::Inbound, 160));
        assert_eq!((media.chunk, media.timestamp_ms), (Some(chunk), Some(timestamp_ms)));
        assert_eq!(media.payload.as_ptr(), home);
        assert_eq!(media.payload[0], 0xff);
    }
    assert_eq!(scratch.capacity(), room);
}

/// F-TW-12.
#[test]
fn audio_of_any_size_up_to_a_second_is_accepted() {
    let mut scratch = Vec::new();
    for length in [0, 1, 2, 159, 4_000, PAYLOAD_BYTES_MAX] {
        let payload = vec![0x7f; length];
        let text = written(&FromTwilio::Media(media(&payload)), 2);
        let read = decode(&text, &mut scratch).unwrap();
        assert_eq!(read.message, FromTwilio::Media(media(&payload)));
    }
    for length in [PAYLOAD_BYTES_MAX + 1, PAYLOAD_BYTES_MAX + 2, 100_000] {
        let payload = vec![0x7f; length];
        let text = written(&FromTwilio::Media(media(&payload)), 2);
        assert_eq!(decode(&text, &mut scratch), Err(Error::TooLong));
    }
}

/// F-TW-11: no part of a broken payload is handed on.
#[test]
fn a_payload_that_is_not_base64_is_its_own_error() {
    for payload in ["/8i5sKyp/8i5sKy", "////*///", "/8i5\\n/8i5", "=", "/w", "\u{e9}"] {
        let text = format!(r#"{{"event":"media","media":{{"payload":"{payload}"}}}}"#);
        assert_eq!(decode(&text, &mut Vec::new()), Err(Error::Base64), "{payload}");
    }
}

/// F-TW-14.
#[test]
fn text_that_is_not_a_whole_object_is_an_error_and_never_a_panic() {
    let deep = format!(r#"{{"event":"media","media":{}"#, "[".repeat(60_000));
    let closed = format!("{deep}{}}}", "]".repeat(60_000));
    for text in ["", "null", "7", "\"media\"", "[\"media\"]", "{", "{}x", "not JSON", &deep] {
        assert_eq!(decode(text, &mut Vec::new()), Err(Error::NotJson), "{text:.20}");
    }
    let field = Error::Field { frame: FrameKind::Media, field: "media" };
    assert_eq!(decode(&closed, &mut Vec::new()), Err(field));
    let unknown = closed.replace("event\":\"media", "event\":\"novel");
    assert!(decode(&unknown, &mut Vec::new()).is_ok());
    for text in INBOUND.iter().chain(&OUTBOUND) {
        for (end, _) in text.trim_end().char_indices() {
            assert_eq!(decode(&text[..end], &mut Vec::new()), Err(Error::NotJson));
            assert!(decode_to_twilio(&text[..end], &mut Vec::new()).is_err());
        }
    }
}

/// F-TW-14.
#[test]
fn a_message_that_says_the_same_thing_twice_is_an_error() {
    let text = r#"{"event":"mark","event":"stop","mark":{"name":"a"}}"#;
    assert_eq!(decode(text, &mut Vec::new()), Err(Error::NotJson));
    let text = r#"{"event":"mark","mark":{"name":"a","name":"b"}}"#;
    let field = Error::Field { frame: FrameKind::Mark, field: "mark" };
    assert_eq!(decode(text, &mut Vec::new()), Err(field));
}

/// F-TW-15: also when the event uses names that we know for other things.
#[test]
fn an_unknown_event_is_told_as_such() {
    for text in [
        r#"{"event":"novel","streamSid":"MZ1","sequenceNumber":"9","novel":{"a":[1,{}]}}"#,
        r#"{"event":"novel","streamSid":"MZ1","sequenceNumber":9,"media":7,"start":[],"stop":""}"#,
    ] {
        let mut scratch = Vec::new();
        let envelope = decode(text, &mut scratch).unwrap();
        assert_eq!(envelope.message, FromTwilio::Unknown { event: "novel".into() });
        assert_eq!((envelope.stream_sid, envelope.sequence), (Some("MZ1".into()), Some(9)));
    }
    let mut scratch = Vec::new();
    let ours = decode(OUTBOUND[0], &mut scratch).unwrap();
    assert_eq!(ours.message, FromTwilio::Unknown { event: "clear".into() });
}

/// F-TW-16.
#[test]
fn numbers_may_be_strings_and_strings_may_be_numbers() {
    let mut other = Vec::new();
    let mut scratch = Vec::new();
    for (text, from, to) in [
        (INBOUND[3], r#""sequenceNumber": "2""#, r#""sequenceNumber": 2"#),
        (INBOUND[3], r#""chunk": "1""#, r#""chunk": 1"#),
        (INBOUND[3], r#""timestamp": "73""#, r#""timestamp": 73"#),
        (INBOUND[1], r#""sampleRate": 8000"#, r#""sampleRate": "8000""#),
        (INBOUND[1], r#""channels": 1"#, r#""channels": "1""#),
        (INBOUND[5], r#""digit": "5""#, r#""digit": 5"#),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replace(from, to);
        assert_eq!(decode(text, &mut scratch), decode(&changed, &mut other), "{to}");
    }
    let mark = decode(r#"{"event":"mark","mark":{"name":7}}"#, &mut scratch).unwrap();
    assert_eq!(mark.message, FromTwilio::Mark { name: "7".into() });
}

/// F-TW-16, F-TW-15: what is missing or null and not needed is `None`; what is new is skipped.
#[test]
fn a_cosmetic_change_does_not_make_a_message_unusable() {
    let mut scratch = Vec::new();
    for text in [
        r#"{"event":"media","media":{"payload":"/w=="}}"#,
        r#"{"event":"media","sequenceNumber":null,"streamSid":null,"new":{"media":[1]},
            "media":{"track":null,"chunk":null,"timestamp":null,"payload":"/w==","new":true}}"#,
    ] {
        let media = Media { chunk: None, timestamp_ms: None, ..media(&[0xff]) };
        let message = FromTwilio::Media(media);
        let envelope = Envelope { stream_sid: None, sequence: None, message };
        assert_eq!(decode(text, &mut scratch), Ok(envelope));
    }
    let escaped = INBOUND[3].replace('/', "\\/");
    let plain = decode(INBOUND[3], &mut scratch).unwrap();
    assert_eq!(decode(&escaped, &mut Vec::new()), Ok(plain));
    for body in ["", r#","stop":null"#, r#","stop":7"#, r#","stop":{"callSid":[7]}"#] {
        let text = format!(r#"{{"event":"stop"{body}}}"#);
        let stop = FromTwilio::Stop { account_sid: None, call_sid: None };
        assert_eq!(decode(&text, &mut scratch).unwrap().message, stop);
    }
    let bare = INBOUND[1].replace("\"streamSid\": \"MZ00000000000000000000000000000021\",\n", "");
    let bare = bare.replace("\"tracks\"", "\"new\"").replace("\"customParameters\"", "\"newer\"");
    let FromTwilio::Start(read) = decode(&bare, &mut scratch).unwrap().message else {
        panic!("this is a start")
    };
    assert_eq!(read, Start { tracks: Vec::new(), ..start(&[]) });
}

/// F-TW-16.
#[test]
fn an_unusable_message_names_the_field_and_not_its_value() {
    use FrameKind as Kind;
    for (text, frame, field) in [
        (r#"{}"#, Kind::Unknown, "event"),
        (r#"{"event":null}"#, Kind::Unknown, "event"),
        (r#"{"event":["media"]}"#, Kind::Unknown, "event"),
        (r#"{"event":"media"}"#, Kind::Media, "media"),
        (r#"{"event":"media","media":null}"#, Kind::Media, "media"),
        (r#"{"event":"media","media":["inbound",1,1,"/w=="]}"#, Kind::Media, "media"),
        (r#"{"event":"media","media":{}}"#, Kind::Media, "payload"),
        (r#"{"event":"media","media":{"payload":1234}}"#, Kind::Media, "payload"),
        (r#"{"event":"media","media":{"track":"secret","payload":""}}"#, Kind::Media, "track"),
        (r#"{"event":"media","media":{"chunk":"secret","payload":""}}"#, Kind::Media, "chunk"),
        (r#"{"event":"media","media":{"chunk":-1,"payload":""}}"#, Kind::Media, "chunk"),
        (r#"{"event":"media","media":{"timestamp":1.5,"payload":""}}"#, Kind::Media, "timestamp"),
        (r#"{"event":"mark","sequenceNumber":{},"mark":{}}"#, Kind::Mark, "sequenceNumber"),
        (r#"{"event":"mark","streamSid":true,"mark":{}}"#, Kind::Mark, "streamSid"),
        (r#"{"event":"mark","mark":{}}"#, Kind::Mark, "name"),
        (r#"{"event":"dtmf","dtmf":{"digit":"secret"}}"#, Kind::Dtmf, "digit"),
        (r#"{"event":"dtmf","dtmf":{"digit":""}}"#, Kind::Dtmf, "digit"),
        (r#"{"event":"dtmf","dtmf":{"digit":"x"}}"#, Kind::Dtmf, "digit"),
        (r#"{"event":"start","start":{}}"#, Kind::Start, "streamSid"),
        (r#"{"event":"start","start":{"streamSid":"MZ"}}"#, Kind::Start, "callSid"),
    ] {
        let error = decode(text, &mut Vec::new()).unwrap_err();
        assert_eq!(error, Error::Field { frame, field }, "{text}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains(field), "{error}");
    }
    for field in ["callSid", "accountSid", "mediaFormat", "encoding", "sampleRate", "channels"] {
        let text = INBOUND[1].replace(&format!("\"{field}\""), "\"other\"");
        let error = Error::Field { frame: Kind::Start, field };
        assert_eq!(decode(&text, &mut Vec::new()), Err(error), "{field}");
    }
}

#[test]
fn every_message_of_twilio_is_written_as_it_was_recorded() {
    for text in INBOUND {
        let mut scratch = Vec::new();
        let envelope = decode(text, &mut scratch).unwrap();
        let again = written(&envelope.message, envelope.sequence.unwrap_or(99));
        let recorded: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&again).unwrap(), recorded);
    }
}

#[test]
fn what_the_stand_in_writes_is_read_back_the_same() {
    let awkward = "quote \" back \\ line \n bell \u{7} ñ 😀 \u{2028} </script>";
    for message in [
        FromTwilio::Start(start(&[(awkward, awkward), ("", "")])),
        FromTwilio::Mark { name: awkward.into() },
        FromTwilio::Unknown { event: awkward.into() },
        FromTwilio::Connected { protocol: awkward.into(), version: "2".into() },
        FromTwilio::Stop { account_sid: None, call_sid: Some(awkward.into()) },
        FromTwilio::Dtmf { digit: '#' },
        FromTwilio::Media(Media { track: Track::Outbound, chunk: None, ..media(b"abc") }),
    ] {
        let mut scratch = Vec::new();
        let text = written(&message, u64::MAX);
        let envelope = decode(&text, &mut scratch).unwrap();
        assert_eq!(envelope.message, message);
        let connected = matches!(message, FromTwilio::Connected { .. });
        assert_eq!(envelope.sequence, (!connected).then_some(u64::MAX));
        assert_eq!(envelope.stream_sid.is_none(), connected);
    }
}

#[test]
fn our_messages_have_exactly_the_recorded_shape() {
    for text in OUTBOUND {
        let mut scratch = Vec::new();
        let (stream, message) = decode_to_twilio(text, &mut scratch).unwrap();
        assert_eq!(stream, STREAM);
        let mut again = String::from("kept ");
        message.encode(&stream, &mut again);
        let again = again.strip_prefix("kept ").unwrap();
        let recorded: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(again).unwrap(), recorded);
        assert_eq!(decode_to_twilio(again, &mut Vec::new()), Ok((stream, message)));
    }
}

#[test]
fn our_audio_may_have_any_length_and_our_marks_any_name() {
    for length in [0, 1, 3, 160, PAYLOAD_BYTES_MAX + 1] {
        let payload = vec![0xff; length];
        let message = ToTwilio::Media { payload: &payload };
        assert_eq!(taken(&message, &mut Vec::new(), &mut String::new()), message);
    }
    let message = ToTwilio::Mark { name: "\"\\\n\u{1f} ñ😀".into() };
    assert_eq!(taken(&message, &mut Vec::new(), &mut String::new()), message);
}

/// Twilio ignores all of these with its warning 31951.
#[test]
fn the_stand_in_refuses_what_twilio_refuses() {
    use FrameKind as Kind;
    let field = |frame, field| Error::Field { frame, field };
    let extra = |frame| Error::ExtraField { frame };
    for (text, error) in [
        ("clear", Error::NotJson),
        (r#"["clear","MZ1"]"#, Error::NotJson),
        (r#"{"streamSid":"MZ1"}"#, field(Kind::Unknown, "event")),
        (r#"{"event":"pause","streamSid":"MZ1"}"#, Error::UnknownEvent),
        (r#"{"event":"stop","streamSid":"MZ1"}"#, Error::UnknownEvent),
        (r#"{"event":"clear"}"#, field(Kind::Clear, "streamSid")),
        (r#"{"event":"clear","streamSid":7}"#, field(Kind::Clear, "streamSid")),
        (r#"{"event":"clear","stream_sid":"MZ1"}"#, extra(Kind::Unknown)),
        (r#"{"event":"clear","streamSid":"MZ1","mark":null}"#, extra(Kind::Clear)),
        (r#"{"event":"clear","streamSid":"MZ1","streamSid":"MZ1"}"#, extra(Kind::Unknown)),
        (r#"{"event":"mark","streamSid":"MZ1"}"#, field(Kind::Mark, "mark")),
        (r#"{"event":"mark","streamSid":"MZ1","mark":"a"}"#, field(Kind::Mark, "mark")),
        (r#"{"event":"mark","streamSid":"MZ1","mark":["a"]}"#, field(Kind::Mark, "mark")),
        (r#"{"event":"mark","streamSid":"MZ1","mark":{}}"#, field(Kind::Mark, "name")),
        (r#"{"event":"mark","streamSid":"MZ1","mark":{"name":7}}"#, field(Kind::Mark, "name")),
        (r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"a","id":1}}"#, extra(Kind::Mark)),
        (r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"a"},"media":{}}"#, extra(Kind::Mark)),
        (r#"{"event":"media","streamSid":"MZ1","media":{}}"#, field(Kind::Media, "payload")),
        (r#"{"event":"media","streamSid":"MZ1","media":{"payload":"*"}}"#, Error::Base64),
        (
            r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/w==","track":"outbound"}}"#,
            extra(Kind::Media),
        ),
    ] {
        assert_eq!(decode_to_twilio(text, &mut Vec::new()), Err(error), "{text}");
    }
}

#[test]
fn digits_parameters_and_audio_do_not_print() {
    let digit = format!("{:?}", FromTwilio::Dtmf { digit: '7' });
    assert!(!digit.contains('7'), "{digit}");
    let printed = format!("{:?}", FromTwilio::Start(start(&[("token", "hunter2")])));
    assert!(printed.contains("token") && !printed.contains("hunter2"), "{printed}");
    let printed = format!("{:?}", FromTwilio::Media(media(&[250; 3])));
    assert!(printed.contains("payload_bytes: 3") && !printed.contains("250"), "{printed}");
    let printed = format!("{:?}", ToTwilio::Media { payload: &[250; 3] });
    assert!(printed.contains("payload_bytes: 3") && !printed.contains("250"), "{printed}");
}

fn decode<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> Result<Envelope<'a>, Error> {
    decode_from_twilio(text, scratch)
}

fn written(message: &FromTwilio<'_>, sequence: u64) -> String {
    let mut out = String::new();
    encode_from_twilio(message, STREAM, sequence, &mut out);
    out
}

fn taken<'a>(
    message: &ToTwilio<'_>,
    scratch: &'a mut Vec<u8>,
    out: &'a mut String,
) -> ToTwilio<'a> {
    message.encode(STREAM, out);
    let (stream, message) = decode_to_twilio(out, scratch).expect("what we write is compliant");
    assert_eq!(stream, STREAM);
    message
}

fn media(payload: &[u8]) -> Media<'_> {
    Media { track: Track::Inbound, chunk: Some(1), timestamp_ms: Some(73), payload }
}

fn start(parameters: &[(&str, &str)]) -> Start {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Start {
        stream_sid: STREAM.to_owned(),
        call_sid: "CA00000000000000000000000000000011".to_owned(),
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        media_format: MediaFormat::telephone(),
        custom_parameters: parameters.iter().map(owned).collect::<BTreeMap<_, _>>(),
        tracks: vec!["inbound".to_owned()],
    }
}
