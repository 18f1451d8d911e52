//! Deleting sound at the carrier, once what we knew of it is gone.

use std::time::Duration;

use call_transports::net::{MediaDeletion, TwilioRest};
use call_transports::twilio::Sid;
use tokio::time::sleep;
use tracing::warn;

use super::{PAUSE, REFUSED_MAX};
use crate::store::{Error, Store};
use crate::times::{now_us, whole_us};

/// Deletes at the carrier what is listed for it, until nothing is due or the carrier is in trouble. Says
/// how much is gone; `by` is who has it done, for the record. What is due is read anew before each
/// request, so that a hold that was placed meanwhile is seen.
///
/// What the carrier does not delete is asked for again after a pause that grows to a week, for ever: it is
/// to be gone.
///
/// # Errors
/// Where the database fails.
pub async fn delete_media(store: &Store, carrier: &TwilioRest, by: &str) -> Result<u64, Error> {
    let (mut gone, mut failed) = (0, 0);
    while let Some(media) = store.media_due(now_us()).await? {
        // What is no name of a recording cannot be asked for, and was never one.
        let deleted = match Sid::parse(&media.recording_sid) {
            Some(recording) => carrier.delete_recording(&recording).await,
            None => MediaDeletion::Gone,
        };
        let again_us = now_us().saturating_add(whole_us(pause(media.attempts)));
        match deleted {
            MediaDeletion::Gone => match store.media_gone(&media, by, now_us()).await {
                Ok(()) => gone += 1,
                // Held while we asked, most likely: it stays listed, and is found gone once released.
                Err(error) if failed < REFUSED_MAX => {
                    warn!(%error, "sound is gone at the carrier, and still listed");
                    failed += 1;
                }
                Err(error) => return Err(error),
            },
            MediaDeletion::Refused => store.put_off_media(&media, again_us).await?,
            // Perhaps it is in trouble with this one alone: the others are to come first next time.
            MediaDeletion::NotNow => {
                store.put_off_media(&media, again_us).await?;
                return Ok(gone);
            }
        }
        sleep(PAUSE).await;
    }
    Ok(gone)
}

/// How long to leave alone what was asked for so often in vain.
fn pause(attempts: i64) -> Duration {
    let doubled = u32::try_from(attempts).unwrap_or(DOUBLED_MAX).min(DOUBLED_MAX);
    (FIRST * 2_u32.pow(doubled)).min(LONGEST)
}

const FIRST: Duration = Duration::from_secs(10 * 60);

const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// After so many doublings any pause is the longest.
const DOUBLED_MAX: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_week() {
        assert_eq!(pause(0), FIRST);
        for attempts in 1..20 {
            let (before, now) = (pause(attempts - 1), pause(attempts));
            assert!(now > before || now == LONGEST, "{attempts} {now:?}");
        }
        assert_eq!(pause(i64::MAX), LONGEST);
    }
}
