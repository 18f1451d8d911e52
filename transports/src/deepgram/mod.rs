//! Deepgram: the Voice Agent messages in both directions, and the requests for text to speech and for
//! summaries of texts.
//!
//! Everything here is pure. [`encode_client`] and [`decode_server`] serve the bridge,
//! [`decode_client`] and [`encode_server`] serve the stand-in, so both ends of a test speak
//! through one codec. The two decoders differ on purpose: what the service sends is read
//! leniently, because it may grow at any time; what a client sends is read as strictly as the
//! service reads it, because an unknown field ends a real session.
//!
//! Facts come from Deepgram's Voice Agent and text-to-speech references and from the types of
//! its official SDKs; what is only known from published call logs is said where it matters.
//!
//! ```
//! use call_transports::deepgram::{ClientMessage, ServerMessage, decode_server, encode_client};
//!
//! assert_eq!(decode_server(r#"{"type":"AgentAudioDone"}"#), Ok(ServerMessage::AgentAudioDone));
//! assert_eq!(encode_client(&ClientMessage::KeepAlive), r#"{"type":"KeepAlive"}"#);
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

mod client;
mod history;
mod provider;
mod read;
mod server;
mod settings;
mod speak;

pub use client::{ClientMessage, Injection, decode_client, encode_client};
pub use history::{CompletedCall, HistoryEntry, Role};
pub use provider::{
    DeepgramListen, Endpoint, Flux, Listen, ListenProvider, Nova, OneOrList, ReasoningMode, Speak,
    SpeakProvider, Think, ThinkProvider, Version,
};
pub use read::{READ_PATH, ReadAnswer, ReadRequest, ReadResults, ReadSummary};
pub use server::{
    CancelledCall, Error, FunctionCall, Latencies, Problem, ServerMessage, decode_server,
    encode_server,
};
pub use settings::{
    Agent, AgentProfile, Audio, AudioInput, AudioOutput, Container, Context, Encoding, Flags,
    FunctionDefinition, FunctionEndpoint, Settings,
};
pub use speak::{SPEAK_PATH, SpeakFailure, SpeakRequest};

/// The path of the agent socket, the same on every regional host.
pub const AGENT_PATH: &str = "/v1/agent/converse";

/// The word before an API key in the `Authorization` header. Short-lived tokens use `Bearer`
/// instead; a key sent as `Bearer` is answered with 401 (official SDKs).
pub const AUTHORIZATION_SCHEME: &str = "Token";

/// The longest text message read from the service, in bytes. The limit is ours: Deepgram
/// documents none.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The rate of all telephone audio here, in samples per second. One µ-law sample is one byte.
pub const SAMPLE_RATE_HZ: u32 = 8_000;

/// Text that may hold personal data or a secret: words of a call, arguments, prompts, headers.
///
/// `Debug` shows `«private»` and there is no `Display`, so reading it is always a call to
/// [`Spoken::reveal`] that a search can find. On the wire it is an ordinary string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spoken(String);

impl Spoken {
    /// The text itself. The caller answers for where it goes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text itself, without a copy. The caller answers for where it goes.
    #[must_use]
    pub fn into_revealed(self) -> String {
        self.0
    }
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«private»")
    }
}

impl From<String> for Spoken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Spoken {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why a stand-in turns a client message down, in the service's own vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct Refusal {
    /// The code the service would answer with, for example `UNPARSABLE_CLIENT_MESSAGE`.
    pub code: &'static str,
    /// What is wrong, for a developer to read. Names fields, never quotes values.
    pub description: String,
}

impl From<Refusal> for ServerMessage {
    fn from(refusal: Refusal) -> Self {
        Self::Error { code: refusal.code.to_owned(), description: refusal.description }
    }
}

/// What the end of a session by [`ServerMessage::Error`] calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorAction {
    /// The service or a provider behind it failed: a new session may succeed. How often and how
    /// soon is the call's decision.
    Reconnect,
    /// Our settings are refused. The same settings fail again, for every call: tell a person.
    Configuration,
    /// We broke the protocol. The same message fails again: a person must repair the code.
    OurBug,
}

/// Sorts the `code` of a terminal error.
///
/// The set of codes is open (Deepgram's list of agent errors); a code nobody has heard of says
/// nothing against a new session, so it counts as [`ErrorAction::Reconnect`].
#[must_use]
pub fn error_action(code: &str) -> ErrorAction {
    match code {
        "INVALID_SETTINGS" | "INVALID_AGENT_ID" | "AGENT_ID_NOT_SUPPORTED" => {
            ErrorAction::Configuration
        }
        "UNPARSABLE_CLIENT_MESSAGE"
        | "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"
        | "SETTINGS_ALREADY_APPLIED"
        | "USER_AUDIO_FORMAT" => ErrorAction::OurBug,
        _ => ErrorAction::Reconnect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_say_does_not_print() {
        let said = Spoken::from("my account is 4471");
        assert_eq!(format!("{said:?}"), "«private»");
        assert_eq!(said.reveal(), "my account is 4471");
    }

    #[test]
    fn refused_settings_are_never_tried_again_f_dg_06() {
        assert_eq!(error_action("INVALID_SETTINGS"), ErrorAction::Configuration);
        assert_eq!(error_action("INVALID_AGENT_ID"), ErrorAction::Configuration);
        assert_eq!(error_action("UNPARSABLE_CLIENT_MESSAGE"), ErrorAction::OurBug);
        assert_eq!(error_action("SETTINGS_ALREADY_APPLIED"), ErrorAction::OurBug);
        assert_eq!(error_action("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"), ErrorAction::OurBug);
        assert_eq!(error_action("USER_AUDIO_FORMAT"), ErrorAction::OurBug);
    }

    #[test]
    fn faults_of_the_service_and_unheard_of_codes_merit_a_new_session_f_dg_07() {
        for code in [
            "INTERNAL_SERVER_ERROR",
            "CLIENT_MESSAGE_TIMEOUT",
            "FAILED_TO_START_LISTENING",
            "FAILED_TO_LISTEN",
            "ASR_CONNECTION_CLOSED",
            "ASR_DRIVER_TIMEOUT",
            "FAILED_TO_SPEAK",
            "FAILED_TO_THINK",
            "SERVER_GOING_AWAY",
            "NON_EXISTENT_FUNCTION_CALLED",
            "MAXIMUM_SESSION_LENGTH_REACHED",
            "A_CODE_FROM_NEXT_YEAR",
            "",
        ] {
            assert_eq!(error_action(code), ErrorAction::Reconnect, "{code}");
        }
    }
}
