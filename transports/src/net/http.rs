//! What the HTTP clients have in common.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Error, install_crypto};

/// Connecting takes no longer than this, so that a dead host leaves time for a second try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A client as all providers get it: no redirects, because a key must not follow one; no proxy
/// out of the environment, because a call must not depend on who started the process.
pub(super) fn client() -> Result<Client, Error> {
    install_crypto();
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(Error::Client)
}

/// Which schemes a setting may have.
#[derive(Clone, Copy)]
pub(super) enum Scheme {
    /// `https`, or `http` on this machine.
    Http,
    /// `wss`, or `ws` on this machine.
    WebSocket,
}

/// The address of `path` below the URL of a setting. A setting that names the path already is
/// taken as it is.
pub(super) fn endpoint(
    setting: &'static str,
    url: &str,
    scheme: Scheme,
    path: &str,
) -> Result<Url, Error> {
    let refuse = |problem| Error::Setting { setting, problem };
    let mut url = Url::parse(url.trim()).map_err(|_| refuse("must be a whole URL"))?;
    let (secure, plain, problem) = match scheme {
        Scheme::Http => ("https", "http", "must start with https:// (http:// for localhost only)"),
        Scheme::WebSocket => ("wss", "ws", "must start with wss:// (ws:// for localhost only)"),
    };
    if url.scheme() != secure && !(url.scheme() == plain && is_this_machine(&url)) {
        return Err(refuse(problem));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refuse("must name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must end with its path"));
    }
    let base = url.path().trim_end_matches('/').to_owned();
    let whole = if base.ends_with(path) { base } else { base + path };
    url.set_path(&whole);
    Ok(url)
}

/// A header with a secret in it, which does not print.
pub(super) fn authorization(
    setting: &'static str,
    scheme: &str,
    secret: &SecretString,
) -> Result<HeaderValue, Error> {
    let secret = secret.expose_secret().trim();
    if secret.is_empty() {
        return Err(Error::Setting { setting, problem: "must not be empty" });
    }
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}"))
        .map_err(|_| Error::Setting { setting, problem: "must be plain ASCII on one line" })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The body of an answer, if it is not longer than `bytes_max`.
pub(super) async fn body(
    provider: &'static str,
    mut response: Response,
    bytes_max: usize,
) -> Result<Vec<u8>, Error> {
    let too_long = Error::Garbled { provider, problem: "more than we take" };
    // The announced length is no promise, but a lie about it costs nothing to believe.
    if response.content_length().is_some_and(|length| length > bytes_max as u64) {
        return Err(too_long);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| Error::of(provider, error))? {
        if body.len() + piece.len() > bytes_max {
            return Err(too_long);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Whether a URL's host is this machine by its name or its address.
pub(super) fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_below_the_base_unless_it_stands_there_already() {
        for (base, whole) in [
            ("https://api.example.com", "https://api.example.com/v1/speak"),
            ("https://api.example.com/", "https://api.example.com/v1/speak"),
            ("https://api.example.com/eu/", "https://api.example.com/eu/v1/speak"),
            ("https://api.example.com/v1/speak", "https://api.example.com/v1/speak"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/v1/speak"),
            ("http://[::1]:9000", "http://[::1]:9000/v1/speak"),
        ] {
            let url = endpoint("SPEAK_URL", base, Scheme::Http, "/v1/speak").expect(base);
            assert_eq!(url.as_str(), whole);
        }
    }

    #[test]
    fn an_address_that_would_send_a_key_in_the_clear_is_refused_by_the_name_of_its_setting() {
        for (url, scheme) in [
            ("http://api.example.com", Scheme::Http),
            ("http://127.0.0.1.example.com", Scheme::Http),
            ("ftp://localhost", Scheme::Http),
            ("ws://agent.example.com", Scheme::WebSocket),
            ("https://agent.example.com", Scheme::WebSocket),
            ("agent.example.com", Scheme::WebSocket),
            ("https://us3r:s3cret@api.example.com", Scheme::Http),
            ("https://api.example.com?key=s3cret", Scheme::Http),
        ] {
            let error = endpoint("SOME_URL", url, scheme, "/x").expect_err(url).to_string();
            assert!(error.starts_with("SOME_URL must "), "{error}");
            assert!(!error.contains("s3cret") && !error.contains("us3r"), "{error}");
        }
    }

    #[test]
    fn a_key_in_a_header_does_not_print() {
        let key = SecretString::from("k3y");
        let header = authorization("API_KEY", "Token", &key).expect("a sound key");
        assert!(!format!("{header:?}").contains("k3y"));
        for bad in ["", " ", "two\nlines"] {
            let error = authorization("API_KEY", "Token", &SecretString::from(bad));
            assert!(error.is_err_and(|error| error.to_string().starts_with("API_KEY must ")));
        }
    }
}
