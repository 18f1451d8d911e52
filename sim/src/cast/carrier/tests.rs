use super::*;
use crate::faults::Unanswered;

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn marks(carrier: &mut Carrier, now: u64) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(what) = carrier.due(at(now)) {
        if let CarrierSays::Mark { name, .. } = what {
            names.push(name);
        }
    }
    names
}

#[test]
fn a_mark_comes_back_when_the_audio_before_it_was_played() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.receive(at(0), &ToTwilio::Media { payload: &[0; 8_000] });
    carrier.receive(at(0), &ToTwilio::Mark { name: "one".into() });
    assert!(marks(&mut carrier, 999).is_empty());
    assert_eq!(marks(&mut carrier, 1_000), ["one"]);
    assert_eq!(carrier.account()["one"], Account::Played);
}

#[test]
fn a_clear_returns_every_mark_at_once_and_the_account_knows_the_difference() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.receive(at(0), &ToTwilio::Media { payload: &[0; 8_000] });
    carrier.receive(at(0), &ToTwilio::Mark { name: "one".into() });
    carrier.receive(at(400), &ToTwilio::Clear);
    assert_eq!(marks(&mut carrier, 400), ["one"]);
    assert_eq!(carrier.account()["one"], Account::Cleared);
    assert_eq!(carrier.played(), Millis(400));
}

#[test]
fn hanging_up_twice_is_answered_with_not_found() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.hang_up(at(0));
    carrier.hang_up(at(0));
    let mut statuses = Vec::new();
    while let Some(what) = carrier.due(at(200)) {
        if let CarrierSays::HungUp { status, .. } = what {
            statuses.push(status);
        }
    }
    assert_eq!(statuses, [200, 404]);
}

/// S19, S37: while somebody else talks to the caller, or tones are played, there is no stream.
#[test]
fn speech_is_not_played_while_another_document_runs() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.transfer(at(0));
    while carrier.due(at(1_000)).is_some() {}
    assert!(!carrier.has_stream());
    carrier.receive(at(1_000), &ToTwilio::Media { payload: &[0; 8_000] });
    carrier.receive(at(1_000), &ToTwilio::Mark { name: "one".into() });
    assert_eq!((carrier.played(), carrier.received()), (Millis(0), 8_000));
    while carrier.due(at(20_000)).is_some() {}
    assert!(carrier.account().is_empty(), "the mark never comes back");
}

/// F-TW-29: the new stream counts its messages, pieces and time anew.
#[test]
fn a_stream_that_comes_back_begins_at_the_beginning() {
    let fails = Fault::TransferFails { how: Unanswered::Busy, rings_ms: 1_003 };
    let mut carrier = Carrier::new(Caller::new(Vec::new()), vec![fails]);
    carrier.transfer(at(0));
    let mut firsts = Vec::new();
    while let Some(now) = carrier.poll_timeout(at(0)).filter(|now| *now < at(2_000)) {
        while let Some(says) = carrier.due(now) {
            if let CarrierSays::Frame { chunk: 1, timestamp_ms, sequence, .. } = says {
                firsts.push((sequence, timestamp_ms));
            }
        }
    }
    assert_eq!(firsts, [(2, 73), (2, 73)]);
}

/// S39: behind the stream our document hangs up.
#[test]
fn a_call_whose_stream_we_leave_is_over_and_its_callback_says_so() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.left(at(5_000));
    assert!(carrier.is_over());
    let told: Vec<_> = carrier.callbacks().into_iter().map(|told| told.status).collect();
    assert_eq!(told, [CallStatus::Completed]);
    let dead = vec![Fault::HalfOpen { at_ms: 1_000 }];
    let mut carrier = Carrier::new(Caller::new(Vec::new()), dead);
    carrier.left(at(5_000));
    assert!(!carrier.is_over() && carrier.callbacks().is_empty(), "nobody there heard of it");
}

/// F-TR-09: somebody is called, and no answer says so.
#[test]
fn a_lost_answer_to_a_transfer_keeps_nobody_from_being_called() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), vec![Fault::TransferReplyLost]);
    carrier.transfer(at(0));
    let mut answers = 0;
    let mut dialled = 0;
    while let Some(says) = carrier.due(at(20_000)) {
        answers += u32::from(matches!(says, CarrierSays::Transferred { .. }));
        dialled += u32::from(matches!(says, CarrierSays::Dialled(Dialled::Completed)));
    }
    assert_eq!((answers, dialled, carrier.asked().dialled), (0, 1, 1));
}
