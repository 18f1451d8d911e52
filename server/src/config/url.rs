//! URLs that we are given: secure ones, or ones of this machine.

use std::fmt;

use reqwest::Url;

/// How the world reaches the server: a scheme and a host, perhaps a port, and nothing else.
///
/// Signatures are checked against this, and never against what a request says about its host: a
/// proxy may change that, and so may anybody outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
}

impl PublicUrl {
    /// Reads a public URL. The scheme must be `https`; `http` is for this machine itself.
    ///
    /// ```
    /// use server::config::PublicUrl;
    ///
    /// let url = PublicUrl::parse("https://voice.example.com/").expect("a public URL");
    /// assert_eq!(url.of("/health?a=b"), "https://voice.example.com/health?a=b");
    /// assert_eq!(url.of_stream("/twilio/acme/en"), "wss://voice.example.com/twilio/acme/en");
    /// assert_eq!(PublicUrl::parse("http://voice.example.com"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let origin = secure(text, "https", "http")?.trim_end_matches('/');
        let (_, host) = origin.split_once("://")?;
        (!host.contains('/')).then(|| Self { origin: origin.to_owned() })
    }

    /// The public URL of a path with its query, which are taken as they are.
    pub fn of(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.origin)
    }

    /// The public URL of a WebSocket.
    pub fn of_stream(&self, path_and_query: &str) -> String {
        let rest = self.origin.strip_prefix("http").unwrap_or(&self.origin);
        format!("ws{rest}{path_and_query}")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// The text itself, if it is a URL of the secure scheme, or one of the plain scheme on this
/// machine. Credentials, queries and fragments are refused.
pub(super) fn secure<'a>(text: &'a str, secure: &str, plain: &str) -> Option<&'a str> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme)?;
    ((scheme == secure || scheme == plain && is_here) && !has_more).then_some(text)
}

/// Hosts with commas between them, each perhaps with a port; nothing if one of them is no host. In small
/// letters, and without the port that HTTPS has anyway, as URLs tell them.
pub(crate) fn hosts(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|one| host(one.trim())).collect()
}

fn host(text: &str) -> Option<String> {
    let url = Url::parse(&format!("https://{text}/")).ok()?;
    let name = url.host_str()?;
    let name = match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    // Whatever else a URL can hold was in the text, too.
    let plain = text.to_ascii_lowercase();
    (plain == name || plain == format!("{name}:443")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_a_secure_origin() {
        for good in ["https://a.example", "https://a.example:8443/", "http://localhost:8080"] {
            assert!(PublicUrl::parse(good).is_some(), "{good}");
        }
        let bad = [
            "a.example",
            "http://a.example",
            "http://127.0.0.1.a.example",
            "https://",
            "https://a.example/voice",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://me:secret@a.example",
            "wss://a.example",
            "",
        ];
        for bad in bad {
            assert_eq!(PublicUrl::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_are_names_with_or_without_a_port_and_nothing_else() {
        let both = Some(vec!["sound.example".to_owned(), "127.0.0.1:9000".to_owned()]);
        assert_eq!(hosts("Sound.example:443, 127.0.0.1:9000"), both);
        for bad in
            ["", "a,", "https://a.example", "a.example/x", "me@a.example", "a b", "*.a.example?"]
        {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_stream_is_as_secure_as_the_public_url() {
        let stream = |url| PublicUrl::parse(url).unwrap().of_stream("/x");
        assert_eq!(stream("https://a.example"), "wss://a.example/x");
        assert_eq!(stream("http://127.0.0.1:80"), "ws://127.0.0.1:80/x");
    }
}
