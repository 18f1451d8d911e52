//! Recordings that nobody told us of to their end: the callback was lost, or came while the store took
//! nothing. The carrier does not tell twice, so it is asked (F-WH-11).
//!
//! A call is asked about that ended at least T_ORPHAN ago, that was to be recorded, and of whose recording
//! no end is known; as often as that, for a day. Whatever the carrier lists is kept as its callbacks are. A
//! call that it lists nothing of was not recorded, and is not asked about again by this process.

use std::collections::BTreeSet;

use call_transports::twilio::Sid;
use call_transports::twilio::recording::media_path;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::app::App;
use crate::store::UntoldCall;
use crate::times::{now_us, whole_us};

/// Asks as long as the server lives.
pub(crate) async fn ask(app: &App) {
    let mut unrecorded = BTreeSet::new();
    loop {
        sleep(app.config().orphan_limit).await;
        look(app, &mut unrecorded).await;
    }
}

async fn look(app: &App, unrecorded: &mut BTreeSet<String>) {
    let now_us = now_us();
    let until_us = now_us.saturating_sub(whole_us(app.config().orphan_limit));
    let calls = match app.store().untold_recordings(now_us.saturating_sub(DAY_US), until_us).await {
        Ok(calls) => calls,
        Err(error) => {
            error!(%error, "the store does not say of which recordings no end is known");
            return;
        }
    };
    // Those that are a day old are forgotten here, too.
    unrecorded.retain(|sid| calls.iter().any(|call| call.sid == *sid));
    let asked = calls.iter().filter(|call| !unrecorded.contains(&call.sid)).take(ASKED_MAX);
    let mut nothing = Vec::new();
    for call in asked {
        if settle(app, call).await == Some(0) {
            nothing.push(call.sid.clone());
        }
    }
    unrecorded.extend(nothing);
}

/// Keeps what the carrier lists. How many recordings that are; nothing where it does not say.
async fn settle(app: &App, untold: &UntoldCall) -> Option<usize> {
    let call = Sid::parse(&untold.sid)?;
    let listed = app.services().carrier.recordings_of(&call).await?;
    if listed.is_empty() {
        warn!(%call, "a call was to be recorded, and the carrier has no recording of it");
    }
    for told in &listed {
        let Some(status) = told.status else { continue };
        // We asked at the carrier's own address, so that is where it lies.
        let path = media_path(&told.account, &told.recording);
        let kept = app.store().keep_recording(&untold.company, told, status, Some(&path)).await;
        let (recording, status) = (&told.recording, status.as_str());
        match kept {
            Ok(is_news) => {
                info!(%call, %recording, status, is_news, "the carrier was asked for a recording");
            }
            Err(error) => {
                error!(%call, %recording, %error, "what is told of a recording cannot be kept");
            }
        }
    }
    Some(listed.len())
}

/// How long it is asked.
const DAY_US: i64 = 86_400 * 1_000_000;

/// The most requests of one look: after an outage there may be as many calls as there were in it.
const ASKED_MAX: usize = 100;
