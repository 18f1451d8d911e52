//! A server that keeps nothing of its calls: no record, no journal in the spool, nothing in the audit
//! log.
//!
//! It is for load runs, which have it beside one of the same build that keeps everything, to see what
//! keeping costs. It can be chosen where the feature `unrecorded` is built in, which is not in what is
//! shipped; and even then by no server that a carrier can reach.

use crate::config::PublicUrl;

/// A server that keeps nothing of its calls was chosen, and carriers can reach it.
#[derive(Debug, thiserror::Error)]
#[error(
    "UNRECORDED: a server that keeps nothing of its calls is for load runs, and PUBLIC_URL is not of \
     this machine"
)]
pub struct Reachable;

/// Whether nothing is kept of calls: `UNRECORDED=1` in the environment.
#[cfg(feature = "unrecorded")]
pub(crate) fn is_chosen() -> bool {
    static CHOSEN: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        std::env::var_os("UNRECORDED").is_some_and(|value| value == "1")
    });
    *CHOSEN
}

/// Whether nothing is kept of calls: never, because that is not built in.
#[cfg(not(feature = "unrecorded"))]
pub(crate) const fn is_chosen() -> bool {
    false
}

/// Refuses to keep nothing of calls that may be real.
pub(crate) fn check(public_url: &PublicUrl) -> Result<(), Reachable> {
    let is_refused = is_chosen() && is_reachable(public_url);
    if is_refused { Err(Reachable) } else { Ok(()) }
}

/// Whether carriers may come in there: without TLS it can only be an address of this machine.
fn is_reachable(public_url: &PublicUrl) -> bool {
    !public_url.of("").starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_carrier_reaches_a_server_that_keeps_nothing() {
        let is_reachable = |url| is_reachable(&PublicUrl::parse(url).unwrap());
        assert!(is_reachable("https://voice.example.test"));
        assert!(is_reachable("https://localhost:8443"));
        assert!(!is_reachable("http://127.0.0.1:8080"));
    }
}
