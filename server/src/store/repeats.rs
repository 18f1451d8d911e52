//! Changes that are made again, because something came between that is over soon.
//!
//! Every change of ours can be made twice: its rows have keys, and what is there already is not there
//! twice. So where nobody knows whether a change was made, making it again tells, and makes it.

use std::time::{Duration, Instant};

use call_transports::net::chance;
use tokio::time::sleep;

use super::Error;

/// Makes a change, and makes it again where another transaction got in its way (F-DB-06): at most
/// three times, within two seconds. Where the connection broke, nobody knows how far the change came
/// (F-DB-07), or the connection was dead before it (F-DB-11): it is made once more then, on another.
pub(super) async fn repeated<T, F>(mut change: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let since = Instant::now();
    let (mut conflicts, mut breaks) = (0, 0);
    loop {
        let error = match change().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        match Mishap::of(&error) {
            Some(Mishap::Conflict) if conflicts < CONFLICTS_MAX => conflicts += 1,
            Some(Mishap::Break) if breaks < BREAKS_MAX => breaks += 1,
            _ => return Err(error),
        }
        let pause = pause(conflicts);
        if since.elapsed() + pause > LIMIT {
            return Err(error);
        }
        sleep(pause).await;
    }
}

/// What may have come between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// Another transaction. This one was taken back whole.
    Conflict,
    /// The connection. Whether this one was taken back is not known.
    Break,
}

impl Mishap {
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Query(sqlx::Error::Io(_)) => Some(Self::Break),
            Error::Query(sqlx::Error::Database(error)) => match &*error.code()? {
                // serialization_failure, deadlock_detected, and unique_violation, where two write the
                // same row and the next try finds it there (PostgreSQL, appendix A; F-DB-05);
                // SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT, SQLITE_LOCKED (sqlite.org/rescode.html).
                "40001" | "40P01" | "23505" | "5" | "517" | "6" => Some(Self::Conflict),
                // admin_shutdown, crash_shutdown, and the class of connection exceptions.
                code if code == "57P01" || code == "57P02" || code.starts_with("08") => {
                    Some(Self::Break)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Chance keeps two that met once from meeting again.
fn pause(conflicts: u32) -> Duration {
    PAUSE * 2_u32.pow(conflicts) + Duration::from_millis(chance(0..=PAUSE_CHANCE_MS).into())
}

const CONFLICTS_MAX: u32 = 3;

const BREAKS_MAX: u32 = 1;

/// After this nothing is begun again.
const LIMIT: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(10);

const PAUSE_CHANCE_MS: u32 = 40;
