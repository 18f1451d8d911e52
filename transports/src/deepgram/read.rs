//! The text-intelligence request, for summing up what was said in a call.
//!
//! `POST /v1/read` with the parameters of [`ReadRequest::QUERY`], `Content-Type: application/json`,
//! `Authorization: Token …` and the body of [`ReadRequest::body`]. Success answers a [`ReadAnswer`] in
//! JSON, failure an HTTP status with a [`SpeakFailure`](super::SpeakFailure). Names are those of
//! Deepgram's page on text summarization, which says that it takes English only.

use serde::{Deserialize, Serialize};

use super::{Refusal, Spoken};

/// The path of the text-intelligence endpoint.
pub const READ_PATH: &str = "/v1/read";

/// A text to be summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// The words.
    pub text: Spoken,
}

/// What the endpoint answers. It holds more, which is of no use here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAnswer {
    /// What was made of the text.
    pub results: ReadResults,
}

/// What was made of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadResults {
    /// Its summary.
    pub summary: ReadSummary,
}

/// The summary of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSummary {
    /// The sentences.
    pub text: Spoken,
}

impl ReadRequest {
    /// The query parameters. The text is to be kept no longer than it takes, as in the agent's sessions.
    pub const QUERY: [(&'static str, &'static str); 3] =
        [("summarize", "true"), ("mip_opt_out", "true"), ("language", "en")];

    /// The JSON body. It holds the words.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("one text field is always JSON")
    }

    /// Reads a request as a stand-in: `query` percent-decoded, `body` as received.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with the code `Bad Request`, to be answered with status 400, for a query that is
    /// not [`ReadRequest::QUERY`] and for a body that is not exactly one text with words in it.
    pub fn parse<'a>(
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &str,
    ) -> Result<Self, Refusal> {
        let bad_request =
            |what: &str| Refusal { code: "Bad Request", description: what.to_owned() };
        let mut query: Vec<_> = query.into_iter().collect();
        query.sort_unstable_by(|one, other| other.cmp(one));
        if query != Self::QUERY {
            let must =
                "`summarize` and `mip_opt_out` must be true, `language` en, and nothing else";
            return Err(bad_request(must));
        }
        let request: Self = serde_json::from_str(body)
            .map_err(|_| bad_request("the body is not a JSON object with one `text`"))?;
        if request.text.reveal().trim().is_empty() {
            return Err(bad_request("`text` is empty"));
        }
        Ok(request)
    }
}

impl ReadAnswer {
    /// An answer with this summary.
    #[must_use]
    pub fn new(text: impl Into<Spoken>) -> Self {
        Self { results: ReadResults { summary: ReadSummary { text: text.into() } } }
    }

    /// Reads the body of an answer; nothing where there is no summary in it.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Writes the body of an answer.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("text fields are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_and_no_other() {
        let request = ReadRequest { text: "Caller: \"Hello\"".into() };
        assert_eq!(ReadRequest::parse(ReadRequest::QUERY, &request.body()), Ok(request.clone()));
        let body = request.body();
        for query in [
            &[][..],
            &[("summarize", "true")],
            &[("summarize", "true"), ("language", "en")],
            &[("summarize", "v2"), ("mip_opt_out", "true"), ("language", "en")],
            &[("summarize", "true"), ("mip_opt_out", "true"), ("language", "es")],
            &[
                ("summarize", "true"),
                ("mip_opt_out", "true"),
                ("language", "en"),
                ("topics", "true"),
            ],
        ] {
            assert!(ReadRequest::parse(query.iter().copied(), &body).is_err(), "{query:?}");
        }
        for body in ["", "{}", r#"{"text":" "}"#, r#"{"text":"a","url":"b"}"#, r#"{"url":"b"}"#] {
            assert!(ReadRequest::parse(ReadRequest::QUERY, body).is_err(), "{body}");
        }
    }

    /// The answer of Deepgram's page on text summarization, with other words.
    #[test]
    fn an_answer_is_read_with_all_that_it_holds_besides() {
        let body = br#"{"metadata":{"request_id":"r","language":"en","summary_info":
            {"model_uuid":"m","input_tokens":133,"output_tokens":57}},
            "results":{"summary":{"text":"They talked."}}}"#;
        assert_eq!(ReadAnswer::decode(body), Some(ReadAnswer::new("They talked.")));
        for body in [&b"{}"[..], br#"{"results":{}}"#, b"They talked."] {
            assert_eq!(ReadAnswer::decode(body), None);
        }
    }
}
