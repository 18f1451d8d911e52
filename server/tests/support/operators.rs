//! What operators ask of a server. Every answer is held against the description that the server gives.

use std::net::SocketAddr;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::api::{OPENAPI, Operators, PATH};

/// May act on everybody's calls.
pub(crate) const ANN: &str = "ann-0123456789abcdef0123456789abcdef";

/// May look at everybody's calls.
pub(crate) const BEN: &str = "ben-0123456789abcdef0123456789abcdef";

/// May act on the calls of one company, which is not that of the tests.
pub(crate) const EVE: &str = "eve-0123456789abcdef0123456789abcdef";

/// Those three.
pub(crate) fn operators() -> Operators {
    let list = format!("ann:operate:{ANN},ben:read:{BEN},eve:operate@elsewhere:{EVE}");
    Operators::parse(&list).unwrap()
}

/// Somebody with a token, right or wrong.
pub(crate) struct Desk {
    address: SocketAddr,
    token: String,
    http: reqwest::Client,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Told {
    /// The word of a problem.
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }
}

impl Desk {
    pub(crate) fn at(address: SocketAddr, token: &str) -> Self {
        call_transports::net::install_crypto();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, token: token.to_owned(), http }
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Told {
        self.ask(Method::POST, path, Some(body.to_string())).await
    }

    /// Asks for a path below the interface's.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Told {
        let url = format!("http://{}{PATH}{path}", self.address);
        let mut request = self.http.request(method.clone(), url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        told(request, &method, path).await
    }
}

/// Sends a request and holds the answer against the description.
pub(crate) async fn told(request: reqwest::RequestBuilder, method: &Method, path: &str) -> Told {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    let is_json = kind.ends_with("json");
    let body = if is_json { serde_json::from_str(&text).unwrap() } else { Value::String(text) };
    let schema = described(method, path, status, &kind);
    if let Err(fault) = jsonschema::validate(&schema, &body) {
        panic!("{method} {path} {status}: {fault} in {body}");
    }
    Told { status, body }
}

/// What an answer must look like. Whatever is no route, or no method of one, is a problem.
fn described(method: &Method, path: &str, status: StatusCode, kind: &str) -> Value {
    let all: Value = serde_json::from_str(OPENAPI).unwrap();
    let under = |reference: String| json!({ "$ref": reference, "components": all["components"] });
    let paths = all["paths"].as_object().unwrap();
    let path = path.split('?').next().unwrap();
    // A path that is spelt out comes before one with a blank.
    let route = paths.get(path).or_else(|| {
        paths.iter().find(|(template, _)| fits(template, path)).map(|(_, route)| route)
    });
    let operation = route.and_then(|route| route.get(method.as_str().to_lowercase()));
    let Some(operation) = operation else {
        assert!(status.is_client_error(), "{method} {path} is answered and not described");
        return under("#/components/schemas/Problem".to_owned());
    };
    let mut response = &operation["responses"][status.as_str()];
    assert!(!response.is_null(), "{method} {path} is answered by {status}, which is not described");
    if let Some(reference) = response["$ref"].as_str() {
        response = all.pointer(&reference[1..]).unwrap();
    }
    let mut schema = response["content"][kind]["schema"].clone();
    assert!(schema.is_object(), "{method} {path} {status}: {kind} is not described");
    schema["components"] = all["components"].clone();
    schema
}

/// Whether a path is one of this template's.
fn fits(template: &str, path: &str) -> bool {
    let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(part), Some(other)) if part.starts_with('{') && !other.is_empty() => {}
            (Some(part), Some(other)) if part == other => {}
            _ => return false,
        }
    }
}
