//! The settings of an agent session: the first message, once.
//!
//! The types hold what this workspace sends. A field of the service that is not modelled here
//! (own model endpoints' credentials, compressed audio, voices of other makers, saved agents) is
//! refused by the strict reader like an invented one. Shapes follow the official SDK types.

use std::collections::BTreeMap;
use std::fmt;

use call_core::effect::Function;
use serde::{Deserialize, Serialize};

use super::{
    DeepgramListen, Flux, HistoryEntry, Listen, ListenProvider, Nova, OneOrList, SAMPLE_RATE_HZ,
    Speak, SpeakProvider, Spoken, Think, ThinkProvider, Version,
};

/// How a session hears, thinks and speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Labels for Deepgram's usage records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Turns on `AgentStartedSpeaking`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experimental: Option<bool>,
    /// Keeps the call out of Deepgram's model improvement program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mip_opt_out: Option<bool>,
    /// Switches of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Flags>,
    /// Audio formats.
    pub audio: Audio,
    /// The agent itself.
    pub agent: Agent,
}

/// What an agent needs to know before it takes a telephone call.
#[derive(Clone, PartialEq)]
pub struct AgentProfile {
    /// Labels for Deepgram's usage records.
    pub tags: Vec<String>,
    /// The recognition model; a name that starts with `flux` is a Flux model, any other a Nova.
    pub listen_model: String,
    /// Languages to expect, as language tags. See [`Settings::telephone`].
    pub language_hints: Vec<String>,
    /// Words to recognise that a general model might miss.
    pub keyterms: Vec<String>,
    /// Who runs the model, for example `open_ai`.
    pub think_provider: String,
    /// The model.
    pub think_model: String,
    /// The system prompt. Not shown by `Debug`.
    pub prompt: String,
    /// A Deepgram voice, `aura-…` or `flux-…`.
    pub voice: String,
    /// What the model may call. Endpoints in here are not sent.
    pub functions: Vec<FunctionDefinition>,
    /// The conversation before this session, when it replaces a lost one.
    pub context: Vec<HistoryEntry>,
}

impl AgentProfile {
    /// A profile for examples and tests: an English agent that can end the call.
    #[must_use]
    pub fn example() -> Self {
        Self {
            tags: Vec::new(),
            listen_model: "flux-general-multi".to_owned(),
            language_hints: vec!["en".to_owned()],
            keyterms: Vec::new(),
            think_provider: "open_ai".to_owned(),
            think_model: "gpt-4o-mini".to_owned(),
            prompt: "You answer the telephone of a company that services loans. Be brief."
                .to_owned(),
            voice: "aura-2-thalia-en".to_owned(),
            functions: vec![crate::functions::definition(Function::HangupCall)],
            context: Vec::new(),
        }
    }
}

impl Settings {
    /// The settings of a telephone call.
    ///
    /// Bare µ-law in both directions, so that nothing on the way transcodes (`container` is said
    /// of the output only: the input has no such field, and an invented one ends the session); out
    /// of the model improvement program; no history events, because they repeat the transcript;
    /// no greeting, because the call decides what is said first; and functions without an
    /// endpoint, so that every effect passes through us.
    ///
    /// Hints reach only a multilingual Flux model, which alone takes them. A Nova model gets the
    /// one language hinted, or `multi` when there are several.
    #[must_use]
    pub fn telephone(profile: AgentProfile) -> Self {
        let listen = profile.listen();
        let functions = profile.functions.into_iter();
        let think = Think {
            provider: ThinkProvider {
                kind: profile.think_provider,
                model: profile.think_model,
                temperature: None,
                reasoning_mode: None,
                version: None,
            },
            endpoint: None,
            prompt: Some(profile.prompt.into()),
            functions: functions.map(FunctionDefinition::on_our_side).collect(),
        };
        let speak = Speak {
            provider: SpeakProvider::Deepgram {
                version: Some(if is_flux(&profile.voice) { Version::V2 } else { Version::V1 }),
                model: profile.voice,
                speed: None,
                expressivity: None,
            },
            endpoint: None,
        };
        let messages = profile.context;
        Self {
            tags: profile.tags,
            experimental: None,
            mip_opt_out: Some(true),
            flags: Some(Flags { history: Some(false) }),
            audio: Audio::telephone(),
            agent: Agent {
                language: None,
                greeting: None,
                context: (!messages.is_empty()).then_some(Context { messages }),
                listen: Some(listen),
                think: Some(OneOrList::One(think)),
                speak: Some(OneOrList::One(speak)),
            },
        }
    }
}

impl AgentProfile {
    fn listen(&self) -> Listen {
        let (model, hints) = (self.listen_model.clone(), &self.language_hints);
        let keyterms = self.keyterms.clone();
        let listen = if is_flux(&model) {
            let language_hints = if model.contains("multi") { hints.clone() } else { Vec::new() };
            DeepgramListen::Flux(Flux {
                model,
                language_hints,
                eot_threshold: None,
                eager_eot_threshold: None,
                eot_timeout_ms: None,
                keyterms,
            })
        } else {
            let language = match hints.as_slice() {
                [] => None,
                [only] => Some(only.clone()),
                [_, _, ..] => Some("multi".to_owned()),
            };
            DeepgramListen::Nova(Nova {
                model: Some(model),
                language,
                keyterms,
                smart_format: None,
            })
        };
        Listen { provider: ListenProvider::Deepgram(listen) }
    }
}

impl fmt::Debug for AgentProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentProfile")
            .field("tags", &self.tags)
            .field("listen_model", &self.listen_model)
            .field("think_provider", &self.think_provider)
            .field("think_model", &self.think_model)
            .field("voice", &self.voice)
            .field("functions", &self.functions.len())
            .field("context", &self.context.len())
            .finish_non_exhaustive()
    }
}

/// Switches of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flags {
    /// Whether the server sends `History` events; it does unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<bool>,
}

/// Audio formats. A direction left out is linear16 at 24000 samples a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audio {
    /// From the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<AudioInput>,
    /// To the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<AudioOutput>,
}

impl Audio {
    fn telephone() -> Self {
        Self {
            input: Some(AudioInput { encoding: Encoding::Mulaw, sample_rate: SAMPLE_RATE_HZ }),
            output: Some(AudioOutput {
                encoding: Some(Encoding::Mulaw),
                sample_rate: Some(SAMPLE_RATE_HZ),
                container: Some(Container::None),
            }),
        }
    }
}

/// The format of the caller's audio. It has no container: sending one is a protocol error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioInput {
    /// How samples are coded.
    pub encoding: Encoding,
    /// Samples per second.
    pub sample_rate: u32,
}

/// The format of the agent's audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioOutput {
    /// How samples are coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Samples per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// What the samples are wrapped in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}

/// How samples are coded. The service knows compressed codings too; a telephone does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// One byte a sample, North America and Japan.
    Mulaw,
    /// One byte a sample, elsewhere.
    Alaw,
    /// Two bytes a sample, little-endian.
    Linear16,
}

/// What samples are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Nothing.
    None,
    /// A RIFF file.
    Wav,
    /// An Ogg stream.
    Ogg,
}

/// The agent: what it hears with, thinks with and speaks with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Deprecated by the service, and an error together with Flux.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Spoken word for word as soon as the session stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Spoken>,
    /// The conversation before this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// Speech recognition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<Listen>,
    /// The model, or models in order of preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<OneOrList<Think>>,
    /// The voice, or voices in order of preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speak: Option<OneOrList<Speak>>,
}

/// The conversation before this session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Oldest first.
    pub messages: Vec<HistoryEntry>,
}

/// A function the model may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionDefinition {
    /// Its name.
    pub name: String,
    /// When to call it, for the model.
    pub description: String,
    /// A JSON Schema of its arguments.
    pub parameters: serde_json::Value,
    /// Holds the call back until the caller's turn is confirmed: for whatever cannot be undone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub defer_until_eot: bool,
    /// Where Deepgram runs it; absent, the client does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<FunctionEndpoint>,
}

impl FunctionDefinition {
    fn on_our_side(self) -> Self {
        Self { endpoint: None, ..self }
    }
}

/// Where Deepgram runs a function itself. Its headers may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionEndpoint {
    /// Where.
    pub url: String,
    /// The HTTP method.
    pub method: String,
    /// Sent along.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Spoken>,
}

fn is_flux(model: &str) -> bool {
    model.starts_with("flux")
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{ClientMessage, CompletedCall, Role, decode_client, encode_client};
    use super::*;

    #[test]
    fn a_telephone_agent_asks_for_exactly_this() {
        let settings = Settings::telephone(profile("flux-general-multi", &["en", "es"]));
        let expected = json!({
            "type": "Settings",
            "tags": ["northside", "loan-line"],
            "mip_opt_out": true,
            "flags": {"history": false},
            "audio": {
                "input": {"encoding": "mulaw", "sample_rate": 8000},
                "output": {"encoding": "mulaw", "sample_rate": 8000, "container": "none"}
            },
            "agent": {
                "context": {"messages": [
                    {"type": "History", "role": "user", "content": "What do I owe?"},
                    {"type": "History", "function_calls": [{
                        "id": "call_1", "name": "lookup_loan", "client_side": true,
                        "arguments": "{}", "response": "{\"due\":\"120.00\"}"
                    }]}
                ]},
                "listen": {"provider": {
                    "type": "deepgram", "version": "v2", "model": "flux-general-multi",
                    "language_hints": ["en", "es"], "keyterms": ["escrow"]
                }},
                "think": {
                    "provider": {"type": "open_ai", "model": "gpt-4.1-mini"},
                    "prompt": "Be brief.",
                    "functions": [{
                        "name": "take_payment",
                        "description": "Takes one payment.",
                        "parameters": {"type": "object", "properties": {}},
                        "defer_until_eot": true
                    }]
                },
                "speak": {"provider": {
                    "type": "deepgram", "version": "v1", "model": "aura-2-thalia-en"
                }}
            }
        });
        assert_eq!(wire(&settings), expected);
    }

    #[test]
    fn the_strict_reader_accepts_what_a_telephone_agent_asks_for() {
        let settings = Box::new(Settings::telephone(profile("nova-3", &["en"])));
        let message = ClientMessage::Settings(settings);
        assert_eq!(decode_client(&encode_client(&message)), Ok(message));
    }

    #[test]
    fn language_hints_go_only_where_the_model_takes_them() {
        let listen = |model: &str, hints: &[&str]| {
            let settings =
                Settings::telephone(AgentProfile { keyterms: Vec::new(), ..profile(model, hints) });
            wire(&settings)["agent"]["listen"]["provider"].take()
        };
        let flux = json!({"type": "deepgram", "version": "v2", "model": "flux-general-en"});
        assert_eq!(listen("flux-general-en", &["en"]), flux);
        assert_eq!(listen("nova-3", &[])["language"], Value::Null);
        assert_eq!(listen("nova-3", &["es"])["language"], "es");
        assert_eq!(listen("nova-3", &["en", "es"])["language"], "multi");
        assert_eq!(listen("nova-3", &["es"])["version"], "v1");
    }

    #[test]
    fn a_flux_voice_is_asked_for_under_its_own_version() {
        let profile = AgentProfile { voice: "flux-kit-en".to_owned(), ..profile("nova-3", &[]) };
        let speak = wire(&Settings::telephone(profile))["agent"]["speak"].take();
        let provider = json!({"type": "deepgram", "version": "v2", "model": "flux-kit-en"});
        assert_eq!(speak, json!({ "provider": provider }));
    }

    #[test]
    fn neither_profile_nor_settings_print_the_prompt_or_the_conversation() {
        let profile = profile("nova-3", &["en"]);
        let settings = Settings::telephone(profile.clone());
        for printed in [format!("{profile:?}"), format!("{settings:?}")] {
            for private in ["Be brief", "What do I owe", "120.00", "secret"] {
                assert!(!printed.contains(private), "{private} in {printed}");
            }
        }
    }

    fn wire(settings: &Settings) -> Value {
        let message = ClientMessage::Settings(Box::new(settings.clone()));
        serde_json::from_str(&encode_client(&message)).unwrap()
    }

    fn profile(listen_model: &str, hints: &[&str]) -> AgentProfile {
        AgentProfile {
            tags: vec!["northside".to_owned(), "loan-line".to_owned()],
            listen_model: listen_model.to_owned(),
            language_hints: hints.iter().map(|&hint| hint.to_owned()).collect(),
            keyterms: vec!["escrow".to_owned()],
            think_provider: "open_ai".to_owned(),
            think_model: "gpt-4.1-mini".to_owned(),
            prompt: "Be brief.".to_owned(),
            voice: "aura-2-thalia-en".to_owned(),
            functions: vec![FunctionDefinition {
                name: "take_payment".to_owned(),
                description: "Takes one payment.".to_owned(),
                parameters: json!({"type": "object", "properties": {}}),
                defer_until_eot: true,
                endpoint: Some(FunctionEndpoint {
                    url: "https://example.org/pay".to_owned(),
                    method: "POST".to_owned(),
                    headers: BTreeMap::from([("x-key".to_owned(), Spoken::from("secret"))]),
                }),
            }],
            context: vec![
                HistoryEntry::Said { role: Role::User, content: "What do I owe?".into() },
                HistoryEntry::Calls(vec![CompletedCall {
                    id: "call_1".to_owned(),
                    name: "lookup_loan".to_owned(),
                    client_side: true,
                    arguments: "{}".into(),
                    response: r#"{"due":"120.00"}"#.into(),
                    thought_signature: None,
                }]),
            ],
        }
    }
}
