//! The conversation so far: as events it tells, in the settings it reminds.

use serde::{Deserialize, Serialize};

use super::Spoken;

/// One entry of a conversation, the same in an event and in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HistoryWire", into = "HistoryWire")]
pub enum HistoryEntry {
    /// Somebody said something.
    Said {
        /// Who.
        role: Role,
        /// The words.
        content: Spoken,
    },
    /// Functions were called and answered.
    Calls(Vec<CompletedCall>),
}

/// A function call with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompletedCall {
    /// The id it was requested under.
    pub id: String,
    /// The function.
    pub name: String,
    /// Whether the client ran it.
    pub client_side: bool,
    /// JSON in a string, as the model wrote it.
    pub arguments: Spoken,
    /// The answer.
    pub response: Spoken,
    /// An opaque token of some models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Role {
    /// The caller.
    User,
    /// The agent.
    Assistant,
    /// A role this version does not know. Not accepted in settings.
    Other(String),
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        match name.as_str() {
            "user" => Self::User,
            "assistant" => Self::Assistant,
            _ => Self::Other(name),
        }
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        match role {
            Role::User => "user".to_owned(),
            Role::Assistant => "assistant".to_owned(),
            Role::Other(name) => name,
        }
    }
}

/// Both shapes of an entry in one, as they share a `type`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryWire {
    #[serde(rename = "type")]
    kind: HistoryKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Spoken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_calls: Option<Vec<CompletedCall>>,
}

#[derive(Serialize, Deserialize)]
enum HistoryKind {
    History,
}

impl From<HistoryEntry> for HistoryWire {
    fn from(entry: HistoryEntry) -> Self {
        let (role, content, function_calls) = match entry {
            HistoryEntry::Said { role, content } => (Some(role), Some(content), None),
            HistoryEntry::Calls(calls) => (None, None, Some(calls)),
        };
        Self { kind: HistoryKind::History, role, content, function_calls }
    }
}

impl TryFrom<HistoryWire> for HistoryEntry {
    type Error = &'static str;

    fn try_from(wire: HistoryWire) -> Result<Self, Self::Error> {
        match (wire.role, wire.content, wire.function_calls) {
            (Some(Role::Other(_)), ..) => Err("expected role user or assistant"),
            (Some(role), Some(content), None) => Ok(Self::Said { role, content }),
            (None, None, Some(calls)) => Ok(Self::Calls(calls)),
            _ => Err("expected role and content, or function_calls"),
        }
    }
}
