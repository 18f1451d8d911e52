//! What the agent server says: read leniently, written exactly.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{CompletedCall, HistoryEntry, MESSAGE_BYTES_MAX, Role, Spoken};

/// One text message of the agent server. Audio comes in binary frames and is not here.
///
/// Acknowledgements carry no id: they answer in order, and some never come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ServerMessage {
    /// The socket is open; settings may be sent.
    Welcome {
        /// Names this session when talking to Deepgram about it.
        request_id: String,
    },
    /// The settings hold; audio may be sent.
    SettingsApplied,
    /// One confirmed turn of the caller, or about one sentence of the agent.
    ConversationText {
        /// Who speaks.
        role: Role,
        /// The words.
        content: Spoken,
        /// `default`, `backchannel`, `presence_check`, `filler` or newer; older servers send
        /// nothing, which means `default`.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversational_behavior: Option<String>,
        /// The hints that were in force; only from the multilingual Flux model.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        languages_hinted: Vec<String>,
        /// The languages recognised; only from the multilingual Flux model.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        languages: Vec<String>,
    },
    /// The caller began to speak: what is still queued of the agent's voice is stale.
    UserStartedSpeaking,
    /// Flux ended the caller's turn. Sent by the hosted service, but in no published schema
    /// (seen by maintainers of the official SDKs), so nothing in it is required.
    EndOfTurn {
        /// `model`, `timeout` or `manual`.
        #[serde(skip_serializing_if = "Option::is_none")]
        trigger: Option<String>,
    },
    /// Reasoning that is not spoken; many models never cause it.
    AgentThinking {
        /// The reasoning.
        content: Spoken,
    },
    /// The model wants functions run.
    FunctionCallRequest {
        /// One answer is owed for each entry that is `client_side`.
        functions: Vec<FunctionCall>,
    },
    /// Calls already requested are no longer wanted; answers to them are dropped.
    FunctionCallCancelled {
        /// The calls in question.
        functions: Vec<CancelledCall>,
    },
    /// The result of a function that Deepgram ran, or the echo of an answer of ours.
    FunctionCallResponse {
        /// The call answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The function.
        name: String,
        /// Its result.
        content: Spoken,
    },
    /// The first audio of an utterance follows. Only with `experimental` settings. Seconds.
    AgentStartedSpeaking {
        /// End of the caller's utterance to first audio.
        #[serde(skip_serializing_if = "Option::is_none")]
        total_latency: Option<f64>,
        /// The voice's share.
        #[serde(skip_serializing_if = "Option::is_none")]
        tts_latency: Option<f64>,
        /// The model's share.
        #[serde(skip_serializing_if = "Option::is_none")]
        ttt_latency: Option<f64>,
    },
    /// The last byte of the utterance was *sent*. The caller has yet to hear the end of it.
    AgentAudioDone,
    /// Measurements, usually one field in each of many messages.
    LatencyReport(Latencies),
    /// Our [`InjectAgentMessage`](super::ClientMessage::InjectAgentMessage) was not spoken.
    InjectionRefused {
        /// The reason; required by the schema, absent in Deepgram's example.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// The prompt was extended.
    PromptUpdated,
    /// The voice was changed.
    SpeakUpdated,
    /// The model was changed. Known to be missing although the change was accepted.
    ThinkUpdated,
    /// The recognition was changed.
    ListenUpdated,
    /// Something to log; the session goes on.
    Warning {
        /// Machine-readable, an open set.
        code: String,
        /// For people.
        description: String,
    },
    /// The session is over; [`error_action`](super::error_action) says what that calls for.
    Error {
        /// Machine-readable, an open set.
        code: String,
        /// For people.
        description: String,
    },
    /// The conversation so far, entry by entry; repeats what
    /// [`ConversationText`](ServerMessage::ConversationText) said.
    #[serde(untagged)]
    History(HistoryEntry),
    /// A message this version does not know. Data, not a fault.
    #[serde(untagged)]
    Unknown {
        /// Its `type`.
        #[serde(rename = "type")]
        kind: String,
    },
}

/// One function the model wants run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionCall {
    /// Opaque; the answer repeats it.
    pub id: String,
    /// The function, not necessarily a defined one.
    pub name: String,
    /// JSON in a string, written by a model: possibly empty, possibly not JSON at all.
    pub arguments: Spoken,
    /// Whether the client is to run it. If not, the entry is for information only.
    pub client_side: bool,
    /// An opaque token of some models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
}

/// One call that is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelledCall {
    /// The id it was requested under.
    pub id: String,
    /// The function.
    pub name: String,
}

/// Measurements of one report, in seconds. Absent means not measured now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// Audio received to transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stt_latency: Option<f64>,
    /// Model asked to first token of any kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttt_token_latency: Option<f64>,
    /// Model asked to first token of speech.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttt_text_latency: Option<f64>,
    /// Model asked to first token of a function call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttt_tool_latency: Option<f64>,
    /// Model asked to first token of reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttt_thinking_latency: Option<f64>,
    /// First token of speech to first audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tts_latency: Option<f64>,
    /// End of the caller's utterance to first audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_latency: Option<f64>,
}

/// Why a text is not a usable message. Never quotes the text, which is personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Longer than [`MESSAGE_BYTES_MAX`]; not looked at.
    #[error("a message of {bytes} bytes, more than the {MESSAGE_BYTES_MAX} allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON, cut short, or nested too deeply.
    #[error("not readable as JSON")]
    NotJson,
    /// JSON, but not an object with a text `type`.
    #[error("no message type")]
    Untyped,
    /// A type we know, without what we need from it.
    #[error("{kind} is unusable: {problem}")]
    Unusable {
        /// The `type` of the message.
        kind: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with one field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The field is absent or null.
    #[error("`{field}` is missing")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// The field is there in another shape.
    #[error("`{field}` is not {expected}")]
    Shape {
        /// Its name.
        field: &'static str,
        /// The shape we can use.
        expected: &'static str,
    },
}

/// Reads one text message of the agent server.
///
/// Unknown types become [`ServerMessage::Unknown`], unknown fields are passed over, and a
/// decoration of an unexpected shape reads as absent: only what a message cannot do without can
/// make it unusable.
///
/// # Errors
///
/// [`Error`] says which message is unusable and why; it is safe to log.
pub fn decode_server(text: &str) -> Result<ServerMessage, Error> {
    if text.len() > MESSAGE_BYTES_MAX {
        return Err(Error::TooLarge { bytes: text.len() });
    }
    let message: Value = serde_json::from_str(text).map_err(|_| Error::NotJson)?;
    let Value::Object(map) = &message else { return Err(Error::Untyped) };
    let Some(Value::String(kind)) = map.get("type") else { return Err(Error::Untyped) };
    let fields = Fields { kind, map };

    Ok(match kind.as_str() {
        "Welcome" => ServerMessage::Welcome { request_id: fields.text("request_id")? },
        "SettingsApplied" => ServerMessage::SettingsApplied,
        "ConversationText" => fields.conversation_text()?,
        "History" => ServerMessage::History(fields.history()?),
        "UserStartedSpeaking" => ServerMessage::UserStartedSpeaking,
        "EndOfTurn" => ServerMessage::EndOfTurn { trigger: fields.text_if_any("trigger") },
        "AgentThinking" => ServerMessage::AgentThinking { content: fields.spoken("content")? },
        "FunctionCallRequest" => ServerMessage::FunctionCallRequest {
            functions: fields.each("functions", Fields::function_call)?,
        },
        "FunctionCallCancelled" => ServerMessage::FunctionCallCancelled {
            functions: fields.each("functions", Fields::cancelled_call)?,
        },
        "FunctionCallResponse" => ServerMessage::FunctionCallResponse {
            id: fields.text_if_any("id"),
            name: fields.text("name")?,
            content: fields.spoken("content")?,
        },
        "AgentStartedSpeaking" => ServerMessage::AgentStartedSpeaking {
            total_latency: fields.seconds("total_latency"),
            tts_latency: fields.seconds("tts_latency"),
            ttt_latency: fields.seconds("ttt_latency"),
        },
        "AgentAudioDone" => ServerMessage::AgentAudioDone,
        "LatencyReport" => ServerMessage::LatencyReport(fields.latencies()),
        "InjectionRefused" => {
            ServerMessage::InjectionRefused { message: fields.text_if_any("message") }
        }
        "PromptUpdated" => ServerMessage::PromptUpdated,
        "SpeakUpdated" => ServerMessage::SpeakUpdated,
        "ThinkUpdated" => ServerMessage::ThinkUpdated,
        "ListenUpdated" => ServerMessage::ListenUpdated,
        "Warning" => {
            let (code, description) = fields.code_and_description()?;
            ServerMessage::Warning { code, description }
        }
        "Error" => {
            let (code, description) = fields.code_and_description()?;
            ServerMessage::Error { code, description }
        }
        _ => ServerMessage::Unknown { kind: kind.clone() },
    })
}

/// Writes one text message as the agent server would.
#[must_use]
pub fn encode_server(message: &ServerMessage) -> String {
    serde_json::to_string(message).expect("a server message has only text keys and plain values")
}

/// The fields of one object, read by name. Every complaint is made of static words.
#[derive(Clone, Copy)]
struct Fields<'a> {
    kind: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn conversation_text(&self) -> Result<ServerMessage, Error> {
        Ok(ServerMessage::ConversationText {
            role: Role::from(self.text("role")?),
            content: self.spoken("content")?,
            conversational_behavior: self.text_if_any("conversational_behavior"),
            languages_hinted: self.texts("languages_hinted"),
            languages: self.texts("languages"),
        })
    }

    fn history(&self) -> Result<HistoryEntry, Error> {
        if self.map.contains_key("function_calls") {
            let calls = self.each("function_calls", Fields::completed_call)?;
            return Ok(HistoryEntry::Calls(calls));
        }
        let role = Role::from(self.text("role")?);
        Ok(HistoryEntry::Said { role, content: self.spoken("content")? })
    }

    fn function_call(&self) -> Result<FunctionCall, Error> {
        Ok(FunctionCall {
            id: self.text("id")?,
            name: self.text("name")?,
            arguments: self.spoken("arguments")?,
            client_side: self.flag("client_side")?,
            thought_signature: self.text_if_any("thought_signature"),
        })
    }

    fn cancelled_call(&self) -> Result<CancelledCall, Error> {
        Ok(CancelledCall { id: self.text("id")?, name: self.text("name")? })
    }

    fn completed_call(&self) -> Result<CompletedCall, Error> {
        Ok(CompletedCall {
            id: self.text("id")?,
            name: self.text("name")?,
            client_side: self.flag("client_side")?,
            arguments: self.spoken("arguments")?,
            response: self.spoken("response")?,
            thought_signature: self.text_if_any("thought_signature"),
        })
    }

    fn latencies(&self) -> Latencies {
        Latencies {
            stt_latency: self.seconds("stt_latency"),
            ttt_token_latency: self.seconds("ttt_token_latency"),
            ttt_text_latency: self.seconds("ttt_text_latency"),
            ttt_tool_latency: self.seconds("ttt_tool_latency"),
            ttt_thinking_latency: self.seconds("ttt_thinking_latency"),
            tts_latency: self.seconds("tts_latency"),
            total_latency: self.seconds("total_latency"),
        }
    }

    /// An error without a description is still an error, so only the code is indispensable.
    fn code_and_description(&self) -> Result<(String, String), Error> {
        Ok((self.text("code")?, self.text_if_any("description").unwrap_or_default()))
    }

    fn each<T>(
        &self,
        field: &'static str,
        read: impl Fn(&Fields<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let wrong = || self.unusable(Problem::Shape { field, expected: "a list of objects" });
        let entries = self.present(field)?.as_array().ok_or_else(wrong)?;
        entries
            .iter()
            .map(|entry| {
                read(&Fields { kind: self.kind, map: entry.as_object().ok_or_else(wrong)? })
            })
            .collect()
    }

    fn text(&self, field: &'static str) -> Result<String, Error> {
        match self.present(field)? {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.unusable(Problem::Shape { field, expected: "text" })),
        }
    }

    fn spoken(&self, field: &'static str) -> Result<Spoken, Error> {
        self.text(field).map(Spoken::from)
    }

    fn flag(&self, field: &'static str) -> Result<bool, Error> {
        let wrong = || self.unusable(Problem::Shape { field, expected: "true or false" });
        self.present(field)?.as_bool().ok_or_else(wrong)
    }

    fn text_if_any(&self, field: &str) -> Option<String> {
        self.map.get(field)?.as_str().map(str::to_owned)
    }

    fn texts(&self, field: &str) -> Vec<String> {
        let entries = self.map.get(field).and_then(Value::as_array);
        entries.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Seconds travel as numbers; an older schema has them as text.
    fn seconds(&self, field: &str) -> Option<f64> {
        let seconds = match self.map.get(field)? {
            Value::String(text) => text.trim().parse().ok()?,
            value => value.as_f64()?,
        };
        f64::is_finite(seconds).then_some(seconds)
    }

    fn present(&self, field: &'static str) -> Result<&'a Value, Error> {
        match self.map.get(field) {
            None | Some(Value::Null) => Err(self.unusable(Problem::Missing { field })),
            Some(value) => Ok(value),
        }
    }

    fn unusable(&self, problem: Problem) -> Error {
        Error::Unusable { kind: self.kind.to_owned(), problem }
    }
}
