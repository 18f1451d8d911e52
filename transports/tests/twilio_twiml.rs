//! The documents that answer Twilio, written and read back.

use call_transports::twilio::twiml::{
    DOCUMENT_BYTES_MAX, Dial, Document, Error, Parameter, RINGS, Reason, Stream, Verb, parse,
};
use call_transports::twilio::webhook::PhoneNumber;

const AWKWARD: &str = "a & b < c > d \"e\" 'f' ]]> &amp; ñ 😀 \t\n\r tab & lines";

#[test]
fn every_verb_is_read_back_as_it_was_written() {
    let stream = Stream::new("wss://voice.example.test/media/a'b&c")
        .unwrap()
        .with(parameter("token", AWKWARD))
        .with(parameter(AWKWARD, ""));
    let voice = Some("Polly.Joanna-Neural".to_owned());
    let verbs = [
        Verb::Say { language: "en-US".to_owned(), voice, text: AWKWARD.to_owned() },
        Verb::Connect(stream),
        Verb::Connect(Stream::new("wss://voice.example.test/media").unwrap()),
        Verb::Redirect { url: "https://voice.example.test/voice?a=1&b=%20".to_owned() },
        Verb::Say { language: "es-US".to_owned(), voice: None, text: String::new() },
        Verb::Dial(dial("https://voice.example.test/dialled?a=1&b").ringing(RINGS / 2)),
        Verb::Dial(dial("/dialled").told_when_answered("https://voice.example.test/leg?'&")),
        Verb::Pause { seconds: 3 },
        Verb::Reject { reason: Reason::Rejected },
        Verb::Reject { reason: Reason::Busy },
        Verb::Hangup,
    ];
    let document = verbs.iter().cloned().fold(Document::new(), Document::then);
    assert_eq!(parse(&document.render().unwrap()), Ok(verbs.to_vec()));
}

#[test]
fn the_builder_says_what_the_verbs_say() {
    let document = Document::new()
        .connect(Stream::new("wss://voice.example.test/media").unwrap())
        .redirect("/voice")
        .say("en-US", "Goodbye.")
        .hang_up()
        .reject(Reason::Busy);
    assert_eq!(
        document.render().unwrap(),
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#,
            r#"<Connect><Stream url="wss://voice.example.test/media"/></Connect>"#,
            r#"<Redirect method="POST">/voice</Redirect>"#,
            r#"<Say language="en-US">Goodbye.</Say><Hangup/><Reject reason="busy"/></Response>"#,
        )
    );
}

#[test]
fn recorded_documents_are_read_and_unused_attributes_ignored() {
    let stream =
        Stream::new("wss://voice.example.test/media").unwrap().with(parameter("session", "s-0001"));
    let say = |voice: Option<&str>, text: &str| Verb::Say {
        language: "en-US".to_owned(),
        voice: voice.map(str::to_owned),
        text: text.to_owned(),
    };
    for (document, verbs) in [
        (
            include_str!("../fixtures/twilio/twiml/connect_stream.xml"),
            vec![Verb::Connect(stream.clone()), Verb::Hangup],
        ),
        (
            include_str!("../fixtures/twilio/twiml/say_hangup.xml"),
            vec![say(None, "Goodbye."), Verb::Hangup],
        ),
        (
            include_str!("../fixtures/twilio/twiml/greet_then_connect.xml"),
            vec![
                say(Some("Polly.Joanna-Neural"), "One moment."),
                Verb::Connect(stream),
                Verb::Hangup,
            ],
        ),
        (
            include_str!("../fixtures/twilio/twiml/reject_busy.xml"),
            vec![Verb::Reject { reason: Reason::Busy }],
        ),
        (include_str!("../fixtures/twilio/twiml/empty.xml"), Vec::new()),
    ] {
        assert_eq!(parse(document), Ok(verbs), "{document}");
    }
    let queue = include_str!("../fixtures/twilio/twiml/dial_queue.xml");
    assert_eq!(parse(queue), Err(Error::Unexpected { inside: "Dial" }));
}

#[test]
fn a_recorded_dial_is_read_whole_and_its_number_does_not_print() {
    let verbs = parse(include_str!("../fixtures/twilio/twiml/dial_number.xml")).unwrap();
    let [Verb::Dial(dial)] = &verbs[..] else { panic!("no dial: {verbs:?}") };
    assert_eq!(dial.number().reveal(), "+15550100002");
    assert_eq!(dial.action(), "https://voice.example.test/twilio/dialed");
    assert_eq!(dial.rings().as_secs(), 15);
    assert_eq!(dial.answered(), Some("https://voice.example.test/twilio/leg"));
    assert!(!format!("{verbs:?}").contains("5550100002"));
    for unusable in [
        "<Dial action=\"/a\">+15550100002</Dial>",
        "<Dial action=\"/a\"/>",
        "<Dial><Number>+15550100002</Number></Dial>",
        "<Dial action=\"/a\" timeout=\"soon\"><Number>+15550100002</Number></Dial>",
        "<Dial action=\"/a\" method=\"GET\"><Number>+15550100002</Number></Dial>",
        "<Dial action=\"/a\"><Number>1</Number><Number>2</Number></Dial>",
        "<Pause length=\"long\"/>",
    ] {
        assert!(parse(&format!("<Response>{unusable}</Response>")).is_err(), "{unusable}");
    }
}

#[test]
fn white_space_comments_and_references_are_read_as_xml_means_them() {
    let document = "<!-- a --> <Response \n>\n  <!-- b -->\
        <Say voice = 'x' language='&#101;n&#x2D;US'>a<!-- c -->&#65;&#x1F600;&apos;</Say >\
        <Redirect>\n /voice \n</Redirect><Hangup></Hangup>\n</Response>\n<!-- d -->\n";
    let say = Verb::Say {
        language: "en-US".to_owned(),
        voice: Some("x".to_owned()),
        text: "aA😀'".to_owned(),
    };
    let redirect = Verb::Redirect { url: "/voice".to_owned() };
    assert_eq!(parse(document), Ok(vec![say, redirect, Verb::Hangup]));
}

#[test]
fn a_document_that_twilio_cannot_parse_is_malformed() {
    for document in [
        "",
        "   ",
        "Goodbye",
        "<",
        "<Response",
        "<Response>",
        "<Response/",
        "<Response/><Response/>",
        "<Response/>x",
        " <?xml version=\"1.0\"?><Response/>",
        "<?xml version=\"1.0\"",
        "<?xml ?><Response/>",
        "<?xml version=\"1.0\" nonsense?><Response/>",
        "<?xml version=\"2.0\"?><Response/>",
        "<?xml encoding=\"UTF-8\" version=\"1.0\"?><Response/>",
        "<?xml version=\"1.0\" encoding=\"UTF 8\"?><Response/>",
        "<?xml version=\"1.0\" standalone=\"maybe\"?><Response/>",
        "<!DOCTYPE x><Response/>",
        "<Response><![CDATA[x]]></Response>",
        "<Response><Hangup></Response></Hangup>",
        "<Response><Hangup></Response>",
        "<Response></response>",
        "<Response><Say language=\"en\">a & b</Say></Response>",
        "<Response><Say language=\"en\">a &b; c</Say></Response>",
        "<Response><Say language=\"en\">&nbsp;</Say></Response>",
        "<Response><Say language=\"en\">&#0;</Say></Response>",
        "<Response><Say language=\"en\">&#+65;</Say></Response>",
        "<Response><Say language=\"en\">&#xD800;</Say></Response>",
        "<Response><Say language=\"a & b\"/></Response>",
        "<Response><Say language=\"a < b\"/></Response>",
        "<Response><Say language=en/></Response>",
        "<Response><Say language/></Response>",
        "<Response><Say language=\"en\"voice=\"x\"/></Response>",
        "<Response><Say language=\"en\" language=\"es\"/></Response>",
        "<Response><Say language=\"en/></Response>",
        "<Response><!-- </Response>",
        "<Response><!-- a -- b --></Response>",
        "<Response><Say language=\"en\">a ]]> b</Say></Response>",
        "<Response>< Hangup/></Response>",
        "<Response><1/></Response>",
    ] {
        let read = parse(document);
        assert!(matches!(read, Err(Error::Malformed { .. })), "{document} {read:?}");
    }
    assert!(matches!(parse(&"<Response>".repeat(5_000)), Err(Error::Malformed { .. })));
    assert_eq!(parse("<Response>\u{1}</Response>"), Err(Error::Character));
}

#[test]
fn every_beginning_of_a_document_is_an_error_and_never_a_panic() {
    let document = Document::new()
        .connect(
            Stream::new("wss://voice.example.test/ñ").unwrap().with(parameter("ñ", "😀 & more")),
        )
        .say("es-US", "Adiós & gracias")
        .render()
        .unwrap();
    for (end, _) in document.char_indices() {
        assert!(parse(&document[..end]).is_err(), "{}", &document[..end]);
    }
}

#[test]
fn an_element_out_of_its_place_is_named_by_where_it_stands() {
    let unexpected = |inside| Error::Unexpected { inside };
    let missing = |inside, missing| Error::Missing { inside, missing };
    let unusable = |inside, attribute| Error::Attribute { inside, attribute };
    for (inner, error) in [
        ("Goodbye", unexpected("Response")),
        ("<Record/>", unexpected("Response")),
        ("<Play>x</Play>", unexpected("Play")),
        ("<Play/>", missing("Play", "digits")),
        ("<Play digits=\"1,2\"/>", unusable("Play", "digits")),
        ("<hangup/>", unexpected("Response")),
        ("<Hangup>now</Hangup>", unexpected("Hangup")),
        ("<Reject><Hangup/></Reject>", unexpected("Reject")),
        ("<Reject reason=\"rude\"/>", unusable("Reject", "reason")),
        ("<Say>x</Say>", missing("Say", "language")),
        ("<Say language=\"en\">x<break/></Say>", unexpected("Say")),
        ("<Redirect method=\"GET\">/voice</Redirect>", unusable("Redirect", "method")),
        ("<Connect/>", missing("Connect", "Stream")),
        ("<Connect><Hangup/></Connect>", unexpected("Connect")),
        ("<Connect>x</Connect>", unexpected("Connect")),
        ("<Connect><Stream/></Connect>", missing("Stream", "url")),
        ("<Connect><Stream url=\"wss://h\"><Hangup/></Stream></Connect>", unexpected("Stream")),
        (
            "<Connect><Stream url=\"wss://h\"/><Stream url=\"wss://h\"/></Connect>",
            unexpected("Connect"),
        ),
        (
            "<Connect><Stream url=\"wss://h\"><Parameter name=\"a\"/></Stream></Connect>",
            missing("Parameter", "value"),
        ),
        ("<Connect><Stream url=\"https://h\"/></Connect>", Error::StreamUrl),
    ] {
        assert_eq!(parse(&format!("<Response>{inner}</Response>")), Err(error), "{inner}");
    }
    assert_eq!(parse("<Answer/>"), Err(missing("the document", "Response")));
}

#[test]
fn a_stream_goes_to_a_secure_url_without_a_query() {
    for url in ["wss://voice.example.test/media", "wss://h:8443", "ws://localhost:8080/media"] {
        assert_eq!(Stream::new(url).unwrap().url(), url);
    }
    for url in [
        "",
        "/media",
        "wss://",
        "wss:///media",
        "https://voice.example.test/media",
        "ws://voice.example.test/media",
        "ws://localhost.example.test/media",
        "wss://voice.example.test/media?token=1",
        "wss://voice.example.test/media#top",
        "wss://voice.example.test/a b",
    ] {
        assert_eq!(Stream::new(url), Err(Error::StreamUrl), "{url}");
    }
}

#[test]
fn a_parameter_has_fewer_than_five_hundred_characters() {
    assert!(Parameter::new("name", "ñ".repeat(495)).is_ok());
    assert_eq!(Parameter::new("name", "ñ".repeat(496)), Err(Error::ParameterTooLong));
    assert_eq!(Parameter::new("n".repeat(500), ""), Err(Error::ParameterTooLong));
}

#[test]
fn a_document_larger_than_twilio_takes_is_not_sent_and_not_read() {
    let frame = Document::new().say("en-US", "").render().unwrap().len();
    let fits = Document::new().say("en-US", "x".repeat(DOCUMENT_BYTES_MAX - frame));
    assert_eq!(fits.render().map(|xml| xml.len()), Ok(DOCUMENT_BYTES_MAX));
    let over = Document::new().say("en-US", "x".repeat(DOCUMENT_BYTES_MAX - frame + 1));
    assert_eq!(over.render(), Err(Error::DocumentTooLong));
    assert_eq!(parse(&" ".repeat(DOCUMENT_BYTES_MAX + 1)), Err(Error::DocumentTooLong));
}

#[test]
fn a_text_that_xml_cannot_express_is_refused() {
    for text in ["\0", "\u{8}", "\u{1b}", "\u{ffff}"] {
        assert_eq!(Document::new().say("en-US", text).render(), Err(Error::Character));
    }
}

#[test]
fn the_value_of_a_parameter_does_not_print() {
    let printed = format!("{:?}", parameter("token", "hunter2"));
    assert!(printed.contains("token") && !printed.contains("hunter2"), "{printed}");
}

fn parameter(name: &str, value: &str) -> Parameter {
    Parameter::new(name, value).expect("the parameter is short")
}

fn dial(action: &str) -> Dial {
    Dial::new(PhoneNumber::new("+15550100002"), action)
}
