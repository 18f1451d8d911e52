//! The signature that proves a request to come from Twilio.
//!
//! Twilio signs the URL it asked for and the fields of a form body with the account's auth token,
//! by HMAC-SHA1, and sends the result as base64 in the header `X-Twilio-Signature` (Twilio
//! documentation, security of webhooks). The URL must be the *public* one, built from
//! configuration: whatever a proxy says about host and scheme is not to be believed (F-WH-02).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Signs a request as Twilio does, for the stand-in: the URL exactly as given, then the fields.
///
/// A GET, an upgrade and a JSON body have no fields.
#[must_use]
pub fn sign(token: &str, url: &str, form: &[(String, String)]) -> String {
    let mac = keyed(token).chain_update(url).chain_update(signed_fields(form));
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Why a request is not believed. Meant for our log; the sender learns nothing but 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No auth token is configured, so nobody is believed.
    #[error("no auth token is configured to check signatures with")]
    NoToken,
    /// The signature is empty or not base64.
    #[error("the signature is not base64")]
    Garbled,
    /// The signature fits no token and no form of the URL.
    #[error("the signature belongs to another request or another token")]
    Mismatch,
    /// The URL of a JSON request does not carry exactly one `bodySHA256`.
    #[error("the URL does not say the hash of the body")]
    BodyHashMissing,
    /// The body is not the one whose hash was signed.
    #[error("the body is not the one that was signed")]
    BodyHashMismatch,
}

/// Checks signatures against the auth tokens of the account.
///
/// Two tokens are normal while one is being replaced. Empty tokens are left out, and a verifier
/// without any refuses everything. It prints without its tokens.
///
/// ```
/// use call_transports::twilio::signature::{Refused, Verifier, sign};
///
/// let verifier = Verifier::new(["old", "new"]);
/// let signature = sign("new", "https://voice.example.test/voice", &[]);
/// let public = "https://voice.example.test:443/voice";
/// assert_eq!(verifier.verify_form(public, &[], &signature), Ok(()));
/// assert_eq!(verifier.verify_form(public, &[], "bm9uc2Vuc2U="), Err(Refused::Mismatch));
/// ```
#[derive(Debug)]
pub struct Verifier {
    tokens: Vec<Token>,
}

impl Verifier {
    /// A verifier that believes whoever knows one of these tokens.
    pub fn new<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let tokens = tokens.into_iter().map(|token| Token(token.into()));
        Self { tokens: tokens.filter(|token| !token.0.is_empty()).collect() }
    }

    /// Checks a webhook with a form body; a GET is one without fields.
    ///
    /// `url` is the public URL with the query as it was sent. `form` holds *all* fields, also those
    /// that we do not know, decoded once. Twilio is not consistent about the port, so the URL is
    /// tried as given, without a port, and with the default one.
    ///
    /// # Errors
    /// [`Refused`] says why the request is not believed.
    pub fn verify_form(
        &self,
        url: &str,
        form: &[(String, String)],
        signature: &str,
    ) -> Result<(), Refused> {
        self.verify(&request_candidates(url), &signed_fields(form), signature)
    }

    /// Checks the upgrade of a media stream, which is a GET and signed without fields.
    ///
    /// Twilio documents that the `wss` URL of the stream is signed, perhaps with a slash added.
    /// What else its notes leave open is tried as well: `wss` and `https`, the path with and
    /// without a final slash, no port, the default port and the given one.
    ///
    /// # Errors
    /// [`Refused`] says why the request is not believed.
    pub fn verify_upgrade(&self, url: &str, signature: &str) -> Result<(), Refused> {
        self.verify(&upgrade_candidates(url), "", signature)
    }

    /// Checks a request with a JSON body: the URL is signed and carries the SHA-256 of the body in
    /// its query, under the name `bodySHA256`. `body` is the body as it was received.
    ///
    /// # Errors
    /// [`Refused`] says why the request is not believed.
    pub fn verify_json(&self, url: &str, body: &[u8], signature: &str) -> Result<(), Refused> {
        self.verify(&request_candidates(url), "", signature)?;
        let signed = body_hash(url).ok_or(Refused::BodyHashMissing)?;
        let actual = format!("{:x}", Sha256::digest(body));
        let same = actual.eq_ignore_ascii_case(signed);
        same.then_some(()).ok_or(Refused::BodyHashMismatch)
    }

    fn verify(&self, urls: &[String], fields: &str, signature: &str) -> Result<(), Refused> {
        if self.tokens.is_empty() {
            return Err(Refused::NoToken);
        }
        let signature = STANDARD.decode(signature).map_err(|_| Refused::Garbled)?;
        if signature.is_empty() {
            return Err(Refused::Garbled);
        }
        for Token(token) in &self.tokens {
            for url in urls {
                let mac = keyed(token).chain_update(url).chain_update(fields);
                if mac.verify_slice(&signature).is_ok() {
                    return Ok(());
                }
            }
        }
        Err(Refused::Mismatch)
    }
}

fn keyed(token: &str) -> Hmac<Sha1> {
    Hmac::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length")
}

/// Names in byte order, each followed by its value. A repeated name appears once for each of its
/// different values, and those are sorted too. An empty value still adds its name.
fn signed_fields(form: &[(String, String)]) -> String {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form {
        values.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in values {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

fn request_candidates(url: &str) -> Vec<String> {
    let Some(url) = Url::parse(url) else { return vec![url.to_owned()] };
    let mut candidates = Vec::new();
    for port in [url.port, None, Some(url.default_port())] {
        push_new(&mut candidates, url.with(url.scheme, port, url.path));
    }
    candidates
}

fn upgrade_candidates(url: &str) -> Vec<String> {
    let Some(url) = Url::parse(url) else { return vec![url.to_owned()] };
    let schemes = if url.is_secure() { ["wss", "https"] } else { ["ws", "http"] };
    let slashed = match url.path.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{}/", url.path),
    };
    let mut candidates = Vec::new();
    for scheme in schemes {
        for path in [url.path, &slashed] {
            for port in [url.port, None, Some(url.default_port())] {
                push_new(&mut candidates, url.with(scheme, port, path));
            }
        }
    }
    candidates
}

fn push_new(candidates: &mut Vec<String>, candidate: String) {
    if !candidates.contains(&candidate) {
        candidates.push(candidate);
    }
}

fn body_hash(url: &str) -> Option<&str> {
    let query = Url::parse(url)?.query.strip_prefix('?')?;
    let mut hashes = query.split('&').filter_map(|pair| pair.strip_prefix("bodySHA256="));
    let hash = hashes.next()?;
    hashes.next().is_none().then_some(hash)
}

/// The parts of a URL that the signature varies over. Credentials and fragment are left out, as
/// Twilio leaves them out of what it signs. Nothing is decoded or written in another way.
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    /// With its question mark, or empty.
    query: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let url = url.split_once('#').map_or(url, |(before, _)| before);
        let (scheme, rest) = url.split_once("://")?;
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if is_port(port) => (host, Some(port)),
            _ => (authority, None),
        };
        Some(Self { scheme, host, port, path, query })
    }

    fn is_secure(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("https") || self.scheme.eq_ignore_ascii_case("wss")
    }

    fn default_port(&self) -> &'static str {
        if self.is_secure() { "443" } else { "80" }
    }

    fn with(&self, scheme: &str, port: Option<&str>, path: &str) -> String {
        let Self { host, query, .. } = self;
        match port {
            Some(port) => format!("{scheme}://{host}:{port}{path}{query}"),
            None => format!("{scheme}://{host}{path}{query}"),
        }
    }
}

/// An auth token: whoever reads it can forge every request, so it does not print.
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«secret»")
    }
}
