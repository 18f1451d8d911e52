//! What an agent hears, thinks and speaks with.
//!
//! The same shapes appear in the settings and in the updates of a running session. Deepgram's
//! model and voice names are open sets; the names of providers are not.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{FunctionDefinition, Spoken};

/// Speech recognition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Who recognises. There is no list to fall back on.
    pub provider: ListenProvider,
}

/// Who recognises speech.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ListenProvider {
    /// Deepgram, the only one there is.
    Deepgram(DeepgramListen),
}

/// The two families of recognition. The version is always said, never left to a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum DeepgramListen {
    /// Recognition with fixed end-of-turn rules.
    #[serde(rename = "v1")]
    Nova(Nova),
    /// Recognition that judges the end of a turn itself.
    #[serde(rename = "v2")]
    Flux(Flux),
}

/// A Nova model, `version: "v1"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nova {
    /// For example `nova-3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A language tag or `multi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Words to recognise that a general model might miss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyterms: Vec<String>,
    /// Writes numbers and dates as people write them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_format: Option<bool>,
}

/// A Flux model, `version: "v2"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flux {
    /// For example `flux-general-en` or `flux-general-multi`.
    pub model: String,
    /// Languages to expect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub language_hints: Vec<String>,
    /// Confidence that confirms the end of a turn, 0.5 to 1.0; 1.0 leaves it to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eot_threshold: Option<f64>,
    /// Confidence at which the model is asked speculatively, 0.3 to 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eager_eot_threshold: Option<f64>,
    /// Milliseconds of silence that end a turn whatever the confidence, 500 to 60000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eot_timeout_ms: Option<u32>,
    /// Words to recognise that a general model might miss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyterms: Vec<String>,
}

/// One model with its instructions and functions. Each entry of a list is complete in itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Think {
    /// Who runs the model.
    pub provider: ThinkProvider,
    /// An endpoint other than the provider's; beside `provider`, not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The system prompt; the service cuts it at 25000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Spoken>,
    /// What the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<FunctionDefinition>,
}

/// Who runs a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThinkProvider {
    /// For example `open_ai`. The reader knows the names of the reference and refuses others.
    #[serde(rename = "type", deserialize_with = "known_think_provider")]
    pub kind: String,
    /// The model, an open set that differs from account to account.
    pub model: String,
    /// 0 to 2, for some providers 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// How much the model reasons before it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_mode: Option<ReasoningMode>,
    /// The version of the provider's interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// How much a model reasons before it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningMode {
    /// Not at all.
    None,
    /// As little as it can.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much, which a caller hears as silence.
    High,
}

/// One voice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speak {
    /// Who speaks.
    pub provider: SpeakProvider,
    /// An endpoint other than the provider's; beside `provider`, not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SpeakProvider {
    /// Deepgram's own voices.
    Deepgram {
        /// The family of the voice; absent means v1.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<Version>,
        /// The voice, for example `aura-2-thalia-en`.
        model: String,
        /// 1.0 is the natural speed; the range depends on the family.
        #[serde(skip_serializing_if = "Option::is_none")]
        speed: Option<f64>,
        /// -2 to 2, Flux only.
        #[serde(skip_serializing_if = "Option::is_none")]
        expressivity: Option<i8>,
    },
}

/// The two families of Deepgram's interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// Nova and Aura.
    V1,
    /// Flux.
    V2,
}

/// An HTTP endpoint that Deepgram calls. Its headers may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where.
    pub url: String,
    /// Sent along.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Spoken>,
}

/// One thing, or several in order of preference. One and a list of one mean the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrList<T> {
    /// A bare object.
    One(T),
    /// A list, tried from the front at every turn.
    List(Vec<T>),
}

// By hand rather than untagged, so that a refusal names the field and not merely the enum.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Shape<T> {
            type Value = OneOrList<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrList::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrList::List)
            }
        }

        deserializer.deserialize_any(Shape(PhantomData))
    }
}

fn known_think_provider<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let kind = String::deserialize(deserializer)?;
    if THINK_PROVIDERS.contains(&kind.as_str()) {
        return Ok(kind);
    }
    Err(de::Error::unknown_variant(&kind, &THINK_PROVIDERS))
}

const THINK_PROVIDERS: [&str; 7] =
    ["open_ai", "anthropic", "google", "groq", "aws_bedrock", "nvidia", "deepgram"];
