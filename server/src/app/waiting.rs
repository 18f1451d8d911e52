//! The time before there is a server: the database does not answer yet.
//!
//! A server that ends because its database is away leaves its callers to the fallback of the number, and
//! whoever runs it with one more thing that is down. So it waits instead, and callers hear our own apology
//! meanwhile. What waiting does not mend (a wrong password, tables of another version, a faulty file) still
//! ends it, with words of what to do.

use std::io;
use std::net;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{App, Error, connections};
use crate::company::versions;
use crate::config::Config;
use crate::http;
use crate::store;

/// Makes a server, and waits for a database that is away as long as it takes. Whoever comes in meanwhile by
/// the listener is answered that no calls are taken yet.
///
/// # Errors
/// [`Error`] where waiting would mend nothing.
pub async fn open(config: Config, listener: &TcpListener) -> Result<App, Error> {
    let mut room = None;
    let mut told = None;
    loop {
        // Nobody is kept waiting either for a database that does not even refuse.
        let patience = sleep_until(Instant::now() + PATIENCE);
        let mut opening = Box::pin(App::new(config.clone()));
        let opened = tokio::select! {
            opened = &mut opening => opened,
            () = patience, if room.is_none() => {
                room = Some(Room::open(&config, listener)?);
                opening.await
            }
        };
        let error = match opened {
            Err(error) if error.may_pass() => error,
            opened => {
                if told.is_some() && opened.is_ok() {
                    info!("the database answers: calls are taken from now on");
                }
                return opened;
            }
        };
        if told.is_none_or(|at: Instant| at.elapsed() >= TELL_AGAIN) {
            told = Some(Instant::now());
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            error!(
                %error, cause,
                "no calls are taken until the database answers: callers hear an apology, /ready says 503"
            );
        }
        if room.is_none() {
            room = Some(Room::open(&config, listener)?);
        }
        sleep(AGAIN).await;
    }
}

impl Error {
    /// Whether the database may do it at another time, with nothing changed here.
    fn may_pass(&self) -> bool {
        match self {
            Self::Store(error) | Self::Companies(versions::Error::Store(error)) => {
                store::may_pass(error)
            }
            _ => false,
        }
    }
}

/// Answers by the same address as the server will. Closed when it is dropped; what it has begun to answer it
/// answers.
struct Room(CancellationToken);

impl Room {
    fn open(config: &Config, listener: &TcpListener) -> Result<Self, Error> {
        let stop = CancellationToken::new();
        let listener = another(listener).map_err(Error::Listener)?;
        let router = http::waiting(config);
        tokio::spawn(connections::serve(listener, router, connections::HEAD_LIMIT, stop.clone()));
        Ok(Self(stop))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The same listener once more: what waits at its door is taken by either of them.
fn another(listener: &TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(net::TcpListener::from(listener.as_fd().try_clone_to_owned()?))
}

/// How long opening may take before callers are answered without: a third of what Twilio waits for a webhook.
/// Whoever calls while a server starts as it should hears it ring a little longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(2);

/// How often the log tells that it is still so.
const TELL_AGAIN: Duration = Duration::from_secs(60);
