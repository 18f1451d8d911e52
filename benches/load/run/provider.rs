//! A fake Deepgram: the agent that repeats what it hears, and a voice for the server's own lines.
//!
//! What it says it says in the messages of the protocol. It understands no more than a load run
//! needs: that settings came, and audio.

use call_transports::deepgram::{AGENT_PATH, Role, SPEAK_PATH, ServerMessage, encode_server};

use super::wire;

/// What is to be answered on a connection that is not a session yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Bytes for the request, which took so many bytes; further requests may follow.
    Http(Vec<u8>, usize),
    /// Likewise, and from here on it is a session.
    Session(Vec<u8>, usize),
    /// The request is not whole.
    Later,
}

/// Answers the request at the front of what was read.
pub(crate) fn answer(bytes: &[u8]) -> Answer {
    let Some(head) = wire::head(bytes) else { return Answer::Later };
    let length: usize = wire::field(head, "Content-Length").parse().unwrap_or(0);
    let taken = head.len() + length;
    if bytes.len() < taken {
        return Answer::Later;
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.starts_with(AGENT_PATH) {
        return Answer::Session(wire::switch(head).into_bytes(), taken);
    }
    if path.starts_with(SPEAK_PATH) {
        let length = LINE.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: audio/mulaw\r\nContent-Length: {length}\r\n\r\n"
        );
        return Answer::Http([head.as_bytes(), &LINE].concat(), taken);
    }
    let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    Answer::Http(none.into(), taken)
}

/// A line of the server's own is 200 ms of silence.
const LINE: [u8; 1_600] = [0xFF; 1_600];

/// The first message of a session.
pub(crate) fn welcome() -> String {
    encode_server(&ServerMessage::Welcome { request_id: "load".to_owned() })
}

/// The answer to a text of the client's, if it wants one.
pub(crate) fn reply(text: &[u8]) -> Option<String> {
    let is_settings = str::from_utf8(text).ok()?.starts_with(r#"{"type":"Settings""#);
    is_settings.then(|| encode_server(&ServerMessage::SettingsApplied))
}

/// The caller has said something, and the agent begins to say something.
pub(crate) fn turn() -> [String; 2] {
    let text = |role, words: &str| {
        encode_server(&ServerMessage::ConversationText {
            role,
            content: words.into(),
            conversational_behavior: None,
            languages_hinted: Vec::new(),
            languages: Vec::new(),
        })
    };
    [text(Role::User, ASKED), text(Role::Assistant, ANSWERED)]
}

/// As long as what is said in calls.
const ASKED: &str = "Can you tell me what I still owe this month, and by when it is due?";
const ANSWERED: &str = "You owe two hundred dollars this month, and they are due on the first.";

/// The caller has begun to speak.
pub(crate) fn voice() -> String {
    encode_server(&ServerMessage::UserStartedSpeaking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_when_it_is_whole() {
        let speak = b"POST /v1/speak?model=a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(answer(&speak[..speak.len() - 1]), Answer::Later);
        let Answer::Http(bytes, taken) = answer(speak) else { panic!("it is no session") };
        assert!(bytes.starts_with(b"HTTP/1.1 200") && bytes.ends_with(&LINE));
        assert_eq!(taken, speak.len());
        let other = answer(b"GET /else HTTP/1.1\r\n\r\n");
        assert!(matches!(other, Answer::Http(bytes, 22) if bytes.starts_with(b"HTTP/1.1 404")));
    }

    #[test]
    fn an_upgrade_begins_a_session_that_asks_for_settings() {
        let upgrade = wire::upgrade("127.0.0.1:1", AGENT_PATH, "");
        assert!(matches!(answer(upgrade.as_bytes()), Answer::Session(..)));
        assert!(reply(br#"{"type":"Settings","agent":{}}"#).is_some());
        assert_eq!(reply(br#"{"type":"KeepAlive"}"#), None);
    }
}
