//! The text-to-speech request, for lines spoken without an agent session.
//!
//! `POST /v1/speak` with the parameters of [`SpeakRequest::query`], `Content-Type:
//! application/json`, `Authorization: Token …` and the body of [`SpeakRequest::body`]. Success
//! answers raw µ-law bytes, failure an HTTP status with a [`SpeakFailure`] in JSON. Names are
//! those of Deepgram's text-to-speech reference and of its page on API errors.

use serde::{Deserialize, Serialize};

use super::{Refusal, SAMPLE_RATE_HZ, Spoken};

/// The path of the text-to-speech endpoint.
pub const SPEAK_PATH: &str = "/v1/speak";

/// One line to be spoken as telephone audio: µ-law, 8000 samples a second, no container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakRequest {
    /// The voice, for example `aura-2-thalia-en`; `model` on the wire.
    pub voice: String,
    /// The words.
    pub text: Spoken,
}

/// Why the endpoint refused, as it says so in the body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeakFailure {
    /// A short name. Some errors of the API call it `category`.
    #[serde(alias = "category")]
    pub err_code: String,
    /// For people. Some errors of the API call it `message`.
    #[serde(alias = "message", default)]
    pub err_msg: String,
    /// Names the request when talking to Deepgram about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl SpeakRequest {
    /// The query parameters, not yet percent-encoded.
    #[must_use]
    pub fn query(&self) -> [(&'static str, String); 4] {
        [
            ("model", self.voice.clone()),
            ("encoding", ENCODING.to_owned()),
            ("sample_rate", SAMPLE_RATE_HZ.to_string()),
            ("container", CONTAINER.to_owned()),
        ]
    }

    /// The JSON body. It holds the words.
    #[must_use]
    pub fn body(&self) -> String {
        let body = Body { text: self.text.clone() };
        serde_json::to_string(&body).expect("one text field is always JSON")
    }

    /// Reads a request as a stand-in: `query` percent-decoded, `body` as received.
    ///
    /// The format parameters must be there: left out, the service answers with another format
    /// than a telephone can play.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with the code `Bad Request`, to be answered with status 400, for a missing,
    /// repeated, unknown or unsuitable parameter and for a body that is not exactly one text.
    pub fn parse<'a>(
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &str,
    ) -> Result<Self, Refusal> {
        let [mut model, mut encoding, mut rate, mut container] = [None; 4];
        for (name, value) in query {
            let slot = match name {
                "model" => &mut model,
                "encoding" => &mut encoding,
                "sample_rate" => &mut rate,
                "container" => &mut container,
                _ => return Err(bad_request(format!("unknown parameter `{name}`"))),
            };
            if slot.replace(value).is_some() {
                return Err(bad_request(format!("repeated parameter `{name}`")));
            }
        }
        demand("encoding", encoding, ENCODING)?;
        demand("sample_rate", rate, &SAMPLE_RATE_HZ.to_string())?;
        demand("container", container, CONTAINER)?;
        let Some(voice) = model.filter(|model| !model.is_empty()) else {
            return Err(bad_request("missing parameter `model`".to_owned()));
        };
        let Ok(Body { text }) = serde_json::from_str(body) else {
            return Err(bad_request("the body is not a JSON object with one `text`".to_owned()));
        };
        if text.reveal().trim().is_empty() {
            return Err(bad_request("`text` is empty".to_owned()));
        }
        Ok(Self { voice: voice.to_owned(), text })
    }
}

impl SpeakFailure {
    /// Reads the body of an error answer; nothing if it is not one of the known shapes.
    #[must_use]
    pub fn decode(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// Writes the body of an error answer.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("text fields are always JSON")
    }
}

impl From<Refusal> for SpeakFailure {
    fn from(refusal: Refusal) -> Self {
        Self { err_code: refusal.code.to_owned(), err_msg: refusal.description, request_id: None }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    text: Spoken,
}

fn demand(name: &str, found: Option<&str>, wanted: &str) -> Result<(), Refusal> {
    match found {
        Some(value) if value == wanted => Ok(()),
        Some(_) => Err(bad_request(format!("`{name}` is not {wanted}"))),
        None => Err(bad_request(format!("missing parameter `{name}`"))),
    }
}

fn bad_request(description: String) -> Refusal {
    Refusal { code: "Bad Request", description }
}

const ENCODING: &str = "mulaw";
const CONTAINER: &str = "none";
