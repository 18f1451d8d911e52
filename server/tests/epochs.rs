//! A call is one process's at a time, and whoever has it no longer writes nothing for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::time::Duration;

use call_core::input::Carrier;
use call_core::{Brief, Call, CallTime, Cause, Input, Step};
use places::{Place, call, places};
use server::store::{Closing, INTERNAL, ORPHANED, Store};

/// I-18: process A has lost sight of the database, B has closed the record, A comes back. The record
/// stays as B wrote it. What A knows of the call is kept with it, under A's epoch: nobody else has it.
#[tokio::test]
async fn whoever_comes_after_a_takeover_changes_no_record_i_18() {
    for place in places().await {
        let (a, b) = two(&place).await;
        let (brief, steps) = call();
        a.begin_call(&brief).await.unwrap();
        assert_eq!(b.close_orphan(&brief.call, Some(7)).await.unwrap(), Closing::Now);
        let record = b.call(&brief.call).await.unwrap().unwrap();
        assert_eq!((record.epoch, &*record.ended.as_ref().unwrap().reason), (2, ORPHANED));

        assert_eq!(a.end_call(&brief.call, &steps).await.unwrap(), Closing::Before);
        assert_eq!(b.call(&brief.call).await.unwrap().unwrap(), record);
        assert_eq!(b.journal(&brief.call).await.unwrap(), steps);
        assert_eq!(epochs(&place).await, ["call 2", "step 1", "summary 1"]);
        // And now there is a journal, which nobody changes.
        let other = shorter(&steps);
        assert_eq!(b.end_left_call(&brief.call, &other).await.unwrap(), Closing::Before);
        assert_eq!(b.journal(&brief.call).await.unwrap(), steps);
    }
}

/// F-PR-01, I-18: whoever finds the journal of a call that may go on elsewhere closes nothing, and adds the
/// journal when the record has its end. A record that was never opened is opened, or nobody would ask for it.
#[tokio::test]
async fn a_journal_alone_ends_no_call_that_may_go_on_elsewhere_f_pr_01() {
    for place in places().await {
        let (a, b) = two(&place).await;
        let (brief, steps) = call();
        for is_open in [true, false] {
            let brief = Brief { call: format!("CA{:032}", u8::from(is_open)), ..brief.clone() };
            let mut steps = steps.clone();
            steps[0].cause = Cause::Started(Box::new(brief.clone()));
            if is_open {
                a.begin_call(&brief).await.unwrap();
            }
            let left = async || b.keep_left_journal(&brief.call, &steps).await.unwrap();
            assert_eq!(left().await, Closing::Elsewhere);
            let record = b.call(&brief.call).await.unwrap().unwrap();
            assert_eq!((record.epoch, record.ended), (1, None));
            assert_eq!(b.journal(&brief.call).await.unwrap(), []);

            assert_eq!(b.close_orphan(&brief.call, Some(7)).await.unwrap(), Closing::Now);
            let record = b.call(&brief.call).await.unwrap().unwrap();
            assert_eq!((left().await, left().await), (Closing::Before, Closing::Before));
            assert_eq!(b.call(&brief.call).await.unwrap().unwrap(), record);
            assert_eq!(b.journal(&brief.call).await.unwrap(), steps);
        }
        assert!(b.keep_left_journal(&brief.call, &steps[1..]).await.is_err(), "it has no head");
    }
}

/// I-18: A writes late, while another process has the call and goes on with it.
#[tokio::test]
async fn whoever_has_a_call_no_longer_writes_nothing_for_it_i_18() {
    for place in places().await {
        let (a, _) = two(&place).await;
        let (brief, steps) = call();
        a.begin_call(&brief).await.unwrap();
        place.try_to("UPDATE call SET epoch = 2, owner = 'b'").await.unwrap();
        let live = a.call(&brief.call).await.unwrap();
        assert_eq!(a.end_call(&brief.call, &steps).await.unwrap(), Closing::Elsewhere);
        assert_eq!(a.end_left_call(&brief.call, &steps).await.unwrap(), Closing::Elsewhere);
        let failed = a.fail_call(&brief, CallTime::ZERO, &steps).await.unwrap();
        assert_eq!(failed, Closing::Elsewhere);
        assert_eq!(a.call(&brief.call).await.unwrap(), live);
        assert_eq!(epochs(&place).await, ["call 2"]);
        // Nor does the database let anybody take it back.
        for change in [
            "UPDATE call SET epoch = 1",
            "UPDATE call SET owner = 'a'",
            "UPDATE call SET epoch = 1, owner = 'a'",
        ] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
    }
}

/// I-18, F-PR-03: what a dead process left is closed by the one that has its spool, once, under the next
/// epoch.
#[tokio::test]
async fn an_heir_closes_the_record_under_an_epoch_of_its_own_i_18() {
    for place in places().await {
        let (a, b) = two(&place).await;
        let (brief, steps) = call();
        a.begin_call(&brief).await.unwrap();
        let left = &steps[..1];
        assert_eq!(b.end_left_call(&brief.call, left).await.unwrap(), Closing::Now);
        assert_eq!(epochs(&place).await, ["call 2", "step 2", "summary 2"]);
        // A is not dead after all.
        assert_eq!(a.end_call(&brief.call, &steps).await.unwrap(), Closing::Before);
        assert_eq!(b.journal(&brief.call).await.unwrap(), left);
        assert_eq!(b.call(&brief.call).await.unwrap().unwrap().ended.unwrap().reason, INTERNAL);
    }
}

/// I-18: of all who may close a record at once, one does, and the others leave it alone.
#[tokio::test]
async fn a_record_is_closed_once_however_many_close_it_at_once_i_18() {
    for place in places().await {
        for round in 0..8 {
            let (a, b) = two(&place).await;
            let (mut brief, _) = call();
            brief.call = format!("CA{round:032}");
            let (_, steps) = places::call_of(brief.clone());
            a.begin_call(&brief).await.unwrap();
            let sid = &brief.call;
            let (owner, heir, sweeper, again) = tokio::join!(
                a.end_call(sid, &steps),
                b.end_left_call(sid, &steps[..1]),
                b.close_orphan(sid, Some(3)),
                a.close_orphan(sid, None),
            );
            let closings = [owner, heir, sweeper, again].map(Result::unwrap);
            let now = closings.iter().filter(|closing| **closing == Closing::Now);
            assert_eq!(now.count(), 1, "{closings:?}");
            assert!(!closings.contains(&Closing::Elsewhere), "{closings:?}");
            let journal = b.journal(sid).await.unwrap();
            assert!(journal == steps || journal == steps[..1], "one of them, whole");
        }
    }
}

/// The calls of a process that says that it lives are left to it; those of a silent one are not.
#[tokio::test]
async fn the_calls_of_a_living_process_are_its_own() {
    for place in places().await {
        let (a, b) = two(&place).await;
        let (brief, _) = call();
        a.begin_call(&brief).await.unwrap();
        let limit = Duration::from_secs(60);
        assert_eq!(b.unended_here(limit).await.unwrap().len(), 1, "A has never said a word");
        a.beat("wss://a.example/twilio").await.unwrap();
        a.beat("wss://a.example/twilio").await.unwrap();
        assert_eq!(b.unended_here(limit).await.unwrap(), []);
        assert_eq!(a.unended_here(limit).await.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(b.unended_here(Duration::from_millis(10)).await.unwrap().len(), 1);
        let servers = "SELECT instance || ' ' || stream_url FROM stream_server";
        assert_eq!(
            place.lines(servers).await,
            [format!("{} wss://a.example/twilio", a.instance())]
        );
    }
}

async fn two(place: &Place) -> (Store, Store) {
    let (a, b) = (Store::open(place.url()).await.unwrap(), Store::open(place.url()).await.unwrap());
    assert_ne!(a.instance(), b.instance());
    (a, b)
}

/// Another end of the same call.
fn shorter(steps: &[Step]) -> Vec<Step> {
    let Cause::Started(brief) = &steps[0].cause else { panic!("no beginning") };
    let (mut call, first) = Call::new((**brief).clone());
    let mut other = vec![first];
    other.extend(call.step(CallTime::from_millis(300), Input::Carrier(Carrier::Lost)));
    other
}

async fn epochs(place: &Place) -> Vec<String> {
    place
        .lines(
            "SELECT 'call ' || epoch FROM call UNION SELECT 'step ' || epoch FROM conversation_log \
             UNION SELECT 'summary ' || epoch FROM summary ORDER BY 1",
        )
        .await
}
