//! A server that is to end, and the calls that go on then: none is cut off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::time::{Duration, Instant};

use call_transports::twilio::twiml::Verb;
use support::world::{Leg, World};
use support::{STREAM, Server, token_of, voice_inbound};

/// F-PR-01: a call that outlasts the end of its server is handed to a person in time.
#[tokio::test]
async fn a_call_that_goes_on_is_handed_over_before_the_server_ends_f_pr_01() {
    // It is handed over 15 s before the end, so a second from now.
    is_handed_over(Duration::from_secs(16), Server::end).await;
}

/// F-PR-02: a second word to end does not wait for the deadline, and hands calls over all the same.
#[tokio::test]
async fn whoever_is_in_a_hurry_has_calls_handed_over_at_once_f_pr_02() {
    is_handed_over(Duration::from_secs(300), |server| {
        server.end();
        server.app.hurry();
    })
    .await;
}

/// A call whose stream begins when the server is about to end is told so, too.
#[tokio::test]
async fn a_stream_that_begins_late_is_handed_over_as_well_f_pr_01() {
    let mut world = World::begin().await;
    let limit = Duration::from_secs(16);
    let mut server = world.server_with("", |config| config.drain_limit = limit).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    server.end();
    while !server.app.is_draining() {
        support::pause().await;
    }
    let mut leg = Leg::open(&server, STREAM, &token).await;
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
}

async fn is_handed_over(limit: Duration, end: impl FnOnce(&mut Server)) {
    let mut world = World::begin().await;
    let mut server = world.server_with("", |config| config.drain_limit = limit).await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    leg.hears_a_line().await;
    let begin = Instant::now();
    end(&mut server);
    let verbs = leg.playing(world.document()).await;
    assert!(matches!(verbs[..], [Verb::Dial(_)]), "{verbs:?}");
    assert!(begin.elapsed() < Duration::from_secs(10), "and not only when all is cut off");
    assert_eq!(server.app.live(), 1, "until somebody has the caller, we have");
}
