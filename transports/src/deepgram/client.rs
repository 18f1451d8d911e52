//! What a client says: written exactly, read as strictly as the service reads it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Listen, OneOrList, Refusal, Settings, Speak, Spoken, Think};

/// One text message to the agent server. Audio goes in binary frames and is not here.
///
/// There is no message for closing, muting or keypad tones; a session ends with its socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message, exactly once, after `Welcome`.
    Settings(Box<Settings>),
    /// Holds an idle session open. Never answered.
    KeepAlive,
    /// The result of a function the model asked for.
    FunctionCallResponse {
        /// The id of the request.
        id: String,
        /// The function.
        name: String,
        /// Always text, customarily JSON.
        content: Spoken,
    },
    /// Words for the agent to speak exactly as they are.
    InjectAgentMessage {
        /// The words. The field really is `message`: two of Deepgram's pages say `content` and
        /// disagree with its schema and with every SDK.
        message: Spoken,
        /// What becomes of speech that is under way.
        #[serde(default, skip_serializing_if = "Injection::is_default")]
        behavior: Injection,
    },
    /// Words treated as a turn of the caller; they come back as `ConversationText`.
    InjectUserMessage {
        /// The words.
        content: Spoken,
    },
    /// Appends to the prompt (Deepgram's page on the message; seen in live tests).
    UpdatePrompt {
        /// What to append.
        prompt: Spoken,
    },
    /// Changes the voice.
    UpdateSpeak {
        /// The new voice, or voices in order of preference.
        speak: OneOrList<Speak>,
    },
    /// Changes the recognition. What is left out stays, except hints, which are then cleared.
    UpdateListen {
        /// The new recognition.
        listen: Listen,
    },
    /// Changes the model. Prompt and functions are replaced with it.
    UpdateThink {
        /// The new model, or models in order of preference.
        think: OneOrList<Think>,
    },
    /// Ends the caller's turn now. Flux only; older deployments close the session over it.
    ForceEndTurn,
}

/// What an injected line does while somebody is speaking (Deepgram's page on injection).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Injection {
    /// Spoken only into silence, otherwise refused.
    #[default]
    Default,
    /// Spoken after what the agent is saying; refused while the caller speaks.
    Queue,
    /// Replaces what the agent is saying.
    Interrupt,
}

impl Injection {
    fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

/// Writes one message exactly as the service wants it, without a field too many.
#[must_use]
pub fn encode_client(message: &ClientMessage) -> String {
    serde_json::to_string(message).expect("a client message has only text keys and plain values")
}

/// Reads one message as strictly as the service does, for stand-ins.
///
/// The newest kinds and the fields this workspace never sends are not modelled and therefore
/// refused too.
///
/// # Errors
///
/// A [`Refusal`] with the code `UNPARSABLE_CLIENT_MESSAGE` for text that is not JSON, for an
/// unknown type or field and for a value of the wrong JSON type. The service ends the session
/// after it.
pub fn decode_client(text: &str) -> Result<ClientMessage, Refusal> {
    let refuse = |error: serde_json::Error| unparsable(describe(&error));
    let message: Value =
        serde_json::from_str(text).map_err(|_| unparsable("not readable as JSON".to_owned()))?;
    if let Some(field) = field_beside_a_bare_type(&message) {
        return Err(unparsable(format!("unknown field `{field}`")));
    }
    ClientMessage::deserialize(message).map_err(refuse)
}

/// Serde lets extra fields pass beside a tag that stands alone; the service does not.
fn field_beside_a_bare_type(message: &Value) -> Option<&str> {
    let bare = matches!(message.get("type")?.as_str()?, "KeepAlive" | "ForceEndTurn");
    let mut names = message.as_object()?.keys().map(String::as_str);
    bare.then(|| names.find(|name| *name != "type")).flatten()
}

fn unparsable(description: String) -> Refusal {
    Refusal { code: "UNPARSABLE_CLIENT_MESSAGE", description }
}

/// Serde's complaint without the values it quotes: a description travels into other logs.
fn describe(error: &serde_json::Error) -> String {
    let complaint = error.to_string();
    let about_a_name = ["unknown field", "missing field", "duplicate field"];
    if about_a_name.iter().any(|start| complaint.starts_with(start)) {
        return complaint;
    }
    match complaint.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "matches none of the expected formats".to_owned(),
    }
}
