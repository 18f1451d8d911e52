//! Has a call recorded at the carrier, and not while a number is keyed in. The call never waits for it.

use std::sync::Arc;

use call_core::Effect;
use call_transports::net::Recorded;
use call_transports::twilio::Sid;
use tokio::sync::watch;

use super::Services;

/// Says what the recording of a call is to hold, as long as the call lasts.
pub(super) struct Recorder(watch::Sender<Recorded>);

impl Recorder {
    /// Begins to have a call recorded. What becomes of it is told to `callback`.
    pub(super) fn begin(services: Arc<Services>, call: Sid, callback: String) -> Self {
        let (wanted, changes) = watch::channel(Recorded::Sound);
        tokio::spawn(record(services, call, callback, changes));
        Self(wanted)
    }

    /// What the effect means for the recording: the tones of a number are the number.
    pub(super) fn notice(&self, effect: &Effect) {
        match effect {
            Effect::CollectKeys => self.0.send_replace(Recorded::Silence),
            Effect::GiveKeys { .. } => self.0.send_replace(Recorded::Sound),
            _ => return,
        };
    }
}

/// One request after the other, so that they arrive in order. Of several changes that come meanwhile the
/// last counts.
async fn record(
    services: Arc<Services>,
    call: Sid,
    callback: String,
    mut wanted: watch::Receiver<Recorded>,
) {
    let carrier = &services.carrier;
    if !carrier.start_recording(&call, &callback).await {
        return;
    }
    let mut held = Recorded::Sound;
    loop {
        let want = *wanted.borrow_and_update();
        if want != held && carrier.change_recording(&call, want).await {
            held = want;
        }
        // The carrier ends a recording with its call.
        if wanted.changed().await.is_err() {
            return;
        }
    }
}
