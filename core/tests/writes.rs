//! Functions that change something outside: never cancelled, never done twice for one meaning,
//! and always with an outcome on record.

mod support;

use call_core::{
    Brief, Effect, EndReason, Limits, LineId, Millis, Phase,
    call::Timer,
    effect::{Answer, Function},
    input::{HungUp, Transfer},
    step::Refusal,
};

use support::{
    Desk, agent_lost, agent_ready, agent_says, answers, asks, began, caller_says, checked, cut,
    done, effects, failed, fired, hangup, hung_up, ignored, line, lines, lookup, noise, outcomes,
    pay, pay_another, people, performed, phases, reason, result_of, sentence, stopped, transfer,
    transfer_is, withdraws,
};

#[test]
fn a_payment_of_a_verified_caller_is_performed_under_a_key_of_its_meaning() {
    let mut desk = Desk::verified();
    let steps = desk.at(13_000, asks(&[pay("p1"), pay_another("p2")]));
    let keys = effects(&steps).into_iter().map(|effect| match effect {
        Effect::Perform { function: Function::MakePayment, key, .. } => key,
        other => panic!("{other:?}"),
    });
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.len(), 2, "two meanings");
    assert_ne!(keys[0], keys[1]);
    assert!(keys.iter().all(|key| key.starts_with(&Brief::example().call)), "{keys:?}");
}

#[test]
fn a_payment_of_a_caller_who_is_not_verified_is_refused() {
    let steps = Desk::thinking_with(people()).at(11_000, asks(&[pay("p1")]));
    assert_eq!(performed(&steps), [""; 0]);
    assert_eq!(answers(&steps), [("p1".into(), Answer::Refused(Refusal::NotVerified))]);
}

// Once for each meaning.

/// I-01, F-DG-17, S09.
#[test]
fn a_payment_that_is_asked_for_again_while_it_runs_is_performed_once_and_both_are_answered() {
    let mut desk = Desk::paying();
    assert_eq!(effects(&desk.at(14_000, asks(&[pay("p2")]))), []);
    let steps = desk.at(15_000, done("p1"));
    let both = [("p1".into(), result_of("p1")), ("p2".into(), result_of("p1"))];
    assert_eq!(answers(&steps), both);
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert_eq!(performed(&desk.journal), ["f1", "p1"]);
}

/// I-01, F-DG-17.
#[test]
fn a_payment_that_is_asked_for_again_afterwards_gets_the_first_outcome() {
    for (outcome, word) in [(done("p1"), "done"), (failed("p1", "declined"), "declined")] {
        let mut desk = Desk::paying();
        assert_eq!(outcomes(&desk.at(14_000, outcome)), [("p1".into(), word.into())]);
        let steps = desk.at(15_000, asks(&[pay("p2")]));
        assert_eq!(answers(&steps), [("p2".into(), result_of("p1"))]);
        assert_eq!(performed(&desk.journal), ["f1", "p1"]);
    }
}

/// F-DG-16, F-DG-17.
#[test]
fn the_same_id_and_another_id_may_both_come_back() {
    let mut desk = Desk::paying();
    desk.at(13_500, asks(&[pay("p1"), pay("p2"), pay("p2")]));
    desk.at(14_000, done("p1"));
    let steps = desk.at(15_000, asks(&[pay("p2"), pay("p1")]));
    let both = [("p2".into(), result_of("p1")), ("p1".into(), result_of("p1"))];
    assert_eq!(answers(&steps), both);
    assert_eq!(answers(&desk.journal).len(), 1 + 2 + 2, "the lookup, the outcome, the repetition");
}

/// I-01: a payment of another meaning is another payment.
#[test]
fn a_payment_of_another_meaning_is_performed_too() {
    let mut desk = Desk::paying();
    assert_eq!(performed(&desk.at(14_000, asks(&[pay_another("p2")]))), ["p2"]);
}

// Never cancelled.

/// I-06, S11, C-16: what came of it is told all the same, so that the agent says nothing else.
#[test]
fn a_payment_that_was_withdrawn_goes_on_and_its_outcome_is_told() {
    let mut desk = Desk::paying();
    let steps = desk.at(14_000, withdraws("p1"));
    assert_eq!((effects(&steps), outcomes(&steps)), (vec![], vec![]));
    assert_eq!(desk.phase(), Phase::FunctionPending, "it still runs");
    let steps = desk.at(15_000, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert_eq!(answers(&steps), [("p1".into(), result_of("p1"))]);
    assert_eq!(desk.phase(), Phase::Thinking, "the agent is to say so");

    let mut desk = Desk::paying();
    desk.at(14_000, withdraws("p1"));
    assert_eq!(answers(&desk.until(33_000)), [("p1".into(), Answer::Unknown)]);
}

/// I-01, I-06.
#[test]
fn a_payment_that_was_withdrawn_and_is_asked_for_again_is_the_same_payment() {
    let mut desk = Desk::paying();
    desk.at(14_000, withdraws("p1"));
    desk.at(14_500, asks(&[pay("p2")]));
    assert_eq!(answers(&desk.at(15_000, done("p1"))), [("p2".into(), result_of("p1"))]);
    assert_eq!(performed(&desk.journal), ["f1", "p1"]);
}

/// F-DG-20: who takes a request back wants no answer to it, also where it only joined another.
#[test]
fn a_repetition_that_was_withdrawn_is_not_answered() {
    let mut desk = Desk::paying();
    desk.at(14_000, asks(&[pay("p2")]));
    desk.at(14_500, withdraws("p2"));
    assert_eq!(answers(&desk.at(15_000, done("p1"))), [("p1".into(), result_of("p1"))]);
}

/// S11.
#[test]
fn the_callers_voice_does_not_cancel_a_payment() {
    let mut desk = Desk::paying();
    desk.at(13_500, agent_says(1, "I am sending it."));
    desk.at(13_500, began(sentence(1)));
    desk.at(14_000, noise());
    desk.at(14_000, cut(sentence(1), 500, 1_500));
    desk.at(14_500, caller_says("Wait, stop."));
    assert_eq!(answers(&desk.at(15_000, done("p1"))), [("p1".into(), result_of("p1"))]);
}

// Unknown.

/// S09, S10, I-04.
#[test]
fn a_payment_that_takes_longer_than_20_seconds_is_unknown_and_its_late_outcome_is_recorded() {
    let mut desk = Desk::paying();
    let steps = desk.until(33_000);
    assert_eq!(fired(&steps).last(), Some(&(33_000, Timer::FunctionLimit)));
    assert_eq!(answers(&steps), [("p1".into(), Answer::Unknown)], "it may have happened");
    assert_eq!(outcomes(&steps), [("p1".into(), "unknown".into())]);
    let steps = desk.at(33_400, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done (late)".into())]);
    assert_eq!(effects(&steps), []);
    assert!(ignored(&desk.at(35_000, done("p1"))), "once");
}

/// I-01, F-DG-16, F-DG-17, S09.
#[test]
fn a_payment_of_unknown_outcome_is_never_performed_again() {
    for late in [false, true] {
        let mut desk = Desk::paying();
        desk.at(20_000, asks(&[pay("p2")]));
        let steps = desk.until(33_000);
        let both = [("p1".into(), Answer::Unknown), ("p2".into(), Answer::Unknown)];
        assert_eq!(answers(&steps), both);
        if late {
            desk.at(34_000, done("p1"));
        }
        let steps = desk.at(35_000, asks(&[pay("p3"), pay("p1"), pay("p2"), pay("p3")]));
        let known = if late { result_of("p1") } else { Answer::Unknown };
        let again = ["p3", "p1", "p2", "p3"].map(|id| (id.into(), known.clone()));
        assert_eq!(answers(&steps), again, "late: {late}");
        assert_eq!(performed(&desk.journal), ["f1", "p1"]);
    }
}

/// S07, I-16: somebody says something meanwhile, and silence does not count.
#[test]
fn a_slow_payment_is_filled_in_for() {
    let mut desk = Desk::paying();
    let steps = desk.until(17_000);
    assert_eq!((fired(&steps), lines(&steps)), (vec![(16_000, Timer::Filler)], vec![LineId::Hold]));
    desk.plays(line(2), 17_100, 18_500);
    let steps = desk.until(22_500);
    assert_eq!((fired(&steps), lines(&steps)), (vec![(22_500, Timer::Filler)], vec![LineId::Hold]));
}

// To its outcome, whatever becomes of the call.

/// M-14, S08, F-TW-25, I-06, I-19.
#[test]
fn a_caller_who_hangs_up_during_a_payment_ends_the_call_and_not_the_payment() {
    let mut desk = Desk::paying();
    let steps = desk.at(14_000, stopped());
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
    assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream]);
    assert_eq!(outcomes(&steps), []);
    assert!(!desk.call.is_over(), "the payment is under way");
    let steps = desk.at(18_000, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert_eq!(effects(&steps), []);
    assert!(desk.call.is_over());
}

/// M-14, S08.
#[test]
fn a_payment_that_is_never_heard_of_is_unknown_after_20_seconds_and_the_call_is_over() {
    let mut desk = Desk::paying();
    desk.at(14_000, stopped());
    assert_eq!(desk.next(), Some((33_000, Timer::FunctionLimit)));
    let steps = desk.until(33_000);
    assert_eq!(outcomes(&steps), [("p1".into(), "unknown".into())]);
    assert_eq!(effects(&steps), []);
    assert!(desk.call.is_over());
}

/// I-13, F-TW-25: reads are over with the call, writes are not.
#[test]
fn a_lookup_is_given_up_with_the_call_and_a_payment_beside_it_is_not() {
    let mut desk = Desk::paying();
    desk.at(13_500, asks(&[lookup("f2")]));
    let steps = desk.at(14_000, stopped());
    assert_eq!(outcomes(&steps), [("f2".into(), "unknown".into())]);
    assert!(ignored(&desk.at(14_500, done("f2"))));
    assert_eq!(outcomes(&desk.at(15_000, done("p1"))), [("p1".into(), "done".into())]);
}

/// I-19: what is learnt after the end is the outcome of a payment, and nothing else.
#[test]
fn a_late_lookup_teaches_nothing_after_the_end() {
    let mut desk = Desk::function_pending();
    desk.until(19_000);
    desk.at(19_500, stopped());
    assert!(ignored(&desk.at(20_000, checked("f1", &[("zip", true)], &["balance"]))));
}

/// I-06, F-DG-20.
#[test]
fn a_payment_that_was_withdrawn_has_its_outcome_on_record_after_the_end_too() {
    let mut desk = Desk::paying();
    desk.at(13_500, withdraws("p1"));
    desk.at(14_000, stopped());
    assert!(!desk.call.is_over());
    assert_eq!(outcomes(&desk.at(15_000, done("p1"))), [("p1".into(), "done".into())]);
}

/// A desk whose longest call is reached at 00:15.000, while the payment `p1` runs.
fn paying_overtime() -> Desk {
    let limits = Limits { call: Millis(15_000), call_warning: Millis(15_000), ..Limits::default() };
    let mut desk = Desk::paying_with(Brief { limits, ..people() });
    let steps = desk.until(15_000);
    assert_eq!(fired(&steps), [(15_000, Timer::CallLimit)]);
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]), "no goodbye yet");
    desk
}

/// S30, I-06, C-16: a payment under way is not abandoned, and what came of it is told before goodbye.
#[test]
fn a_payment_under_way_at_the_longest_call_comes_to_its_outcome_before_the_end() {
    let mut desk = paying_overtime();
    assert_eq!(lines(&desk.until(16_000)), [LineId::Hold]);
    desk.plays(line(2), 16_100, 17_500);
    assert_eq!(answers(&desk.at(19_000, done("p1"))), [("p1".into(), result_of("p1"))]);
    assert_eq!(desk.phase(), Phase::Thinking);
    let steps = desk.agent_speaks(1, 20_000, 23_000);
    assert_eq!(phases(&steps), [Phase::Speaking, Phase::Farewell]);
    assert_eq!(steps.last().map(|step| step.at.as_millis()), Some(23_000), "once it was heard");
    desk.plays(line(3), 23_200, 25_000);
    assert_eq!(reason(&desk.at(25_100, hung_up(HungUp::Done))), Some(EndReason::TimeLimit));
    assert!(desk.call.is_over());
}

/// S30, I-11: nor is it waited for longer than it may take, or told longer than a reply may take.
#[test]
fn what_came_of_a_payment_at_the_longest_call_is_waited_for_within_bounds() {
    let mut desk = paying_overtime();
    assert_eq!(answers(&desk.until(33_000)), [("p1".into(), Answer::Unknown)]);
    desk.agent_speaks(1, 34_000, 36_000);
    assert_eq!(desk.phase(), Phase::Farewell);

    let mut desk = paying_overtime();
    desk.at(19_000, done("p1"));
    desk.at(20_000, agent_says(1, "It is done. Now let me tell you about our offers."));
    desk.at(20_000, began(sentence(1)));
    let steps = desk.until(31_000);
    assert_eq!(fired(&steps).last(), Some(&(31_000, Timer::CallLimit)), "12 s after the outcome");
    assert_eq!(phases(&steps).last(), Some(&Phase::Farewell));
}

/// S30, I-11, S09: meanwhile nothing else is begun, and the same payment is still the same.
#[test]
fn nothing_is_begun_beyond_the_longest_call() {
    let mut desk = paying_overtime();
    let steps = desk.at(16_000, asks(&[pay("p2"), pay_another("p3"), lookup("f2")]));
    assert_eq!(performed(&steps), [""; 0]);
    let refused = ["p3", "f2"].map(|id| (id.into(), Answer::Refused(Refusal::Ending)));
    assert_eq!(answers(&steps), refused);
    assert_eq!(answers(&desk.at(17_000, done("p1"))).len(), 2, "p1, and p2 that joined it");
}

/// S30: an outcome that is known and was not told yet is told.
#[test]
fn an_outcome_that_is_about_to_be_told_at_the_longest_call_is_told() {
    let limits = Limits { call: Millis(15_000), call_warning: Millis(15_000), ..Limits::default() };
    let mut desk = Desk::paying_with(Brief { limits, ..people() });
    desk.at(14_500, done("p1"));
    assert_eq!(phases(&desk.until(15_000)), [], "the agent is about to speak");
    assert_eq!(phases(&desk.agent_speaks(1, 15_500, 17_000)), [Phase::Speaking, Phase::Farewell]);
}

/// S11, S22c: an outcome that comes between two sessions is told to the one that comes.
#[test]
fn an_outcome_that_comes_while_another_session_is_awaited_is_told_to_it() {
    let mut desk = Desk::paying();
    desk.at(14_000, agent_lost());
    desk.plays(line(2), 14_200, 14_900);
    assert_eq!(answers(&desk.at(15_000, done("p1"))), []);
    let steps = desk.at(15_500, agent_ready());
    assert_eq!(answers(&steps), [("p1".into(), result_of("p1"))]);
    assert_eq!(lines(&steps), [], "the agent goes on, and not the caller");
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// S18, S19: an outcome that comes while a telephone rings is told when the caller is back.
#[test]
fn an_outcome_that_comes_while_a_person_is_called_is_told_behind_it() {
    let mut desk = Desk::paying();
    desk.at(13_500, asks(&[transfer("f2")]));
    assert_eq!(answers(&desk.at(14_000, done("p1"))), []);
    desk.plays(line(2), 14_100, 16_000);
    let steps = desk.at(16_500, transfer_is(Transfer::Refused));
    assert_eq!(answers(&steps), [("p1".into(), result_of("p1"))]);
    desk.plays(line(3), 16_700, 18_000);
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// I-06, S30: a goodbye that is over is not followed by silence until the payment has come out.
#[test]
fn a_farewell_is_not_made_longer_by_a_payment() {
    let mut desk = Desk::paying();
    desk.at(13_500, asks(&[hangup("f2")]));
    let steps = desk.plays(line(2), 13_700, 15_500);
    assert_eq!(phases(&steps), [Phase::HangingUp]);
    assert_eq!(steps.last().map(|step| step.at.as_millis()), Some(15_500), "at once");
    assert_eq!(effects(&steps).last(), Some(&Effect::HangUp));
    assert_eq!(reason(&desk.at(15_700, hung_up(HungUp::Done))), Some(EndReason::AgentHangup));
    assert!(!desk.call.is_over());
    let steps = desk.at(17_000, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert_eq!(effects(&steps), [], "nobody is told");
    assert!(desk.call.is_over());
}

/// I-06: nor is it put on record less because the carrier is being asked to hang up.
#[test]
fn a_payment_that_ends_while_we_hang_up_is_on_record() {
    let mut desk = Desk::paying();
    desk.at(13_500, asks(&[hangup("f2")]));
    desk.plays(line(2), 13_700, 15_500);
    let steps = desk.at(15_600, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
    desk.at(15_700, hung_up(HungUp::Done));
    assert!(desk.call.is_over());
}

/// S30.
#[test]
fn a_farewell_is_not_made_longer_by_a_lookup() {
    let mut desk = Desk::thinking();
    desk.at(11_000, asks(&[lookup("f1"), hangup("f2")]));
    assert_eq!(phases(&desk.plays(line(2), 11_200, 13_000)), [Phase::HangingUp]);
}

/// I-06.
#[test]
fn a_payment_that_ends_during_a_transfer_or_a_farewell_is_on_record() {
    for way in [transfer("f2"), hangup("f2")] {
        let mut desk = Desk::paying();
        desk.at(13_500, asks(&[way]));
        let steps = desk.at(14_000, done("p1"));
        assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
        assert_eq!(phases(&steps), []);
    }
}

// Known late.

/// S10: what became known late is known, and may be told once somebody asks again.
#[test]
fn a_payment_whose_outcome_came_late_is_answered_with_it_when_it_is_asked_for_again() {
    for outcome in [done("p1"), failed("p1", "declined")] {
        for id in ["p1", "p2"] {
            let mut desk = Desk::paying();
            desk.until(33_000);
            desk.at(34_000, outcome.clone());
            let steps = desk.at(35_000, asks(&[pay(id)]));
            assert_eq!(answers(&steps), [(id.into(), result_of("p1"))]);
            assert_eq!(performed(&desk.journal), ["f1", "p1"]);
        }
    }
}

/// S10: also who asked, under another id, while it was unknown, and was told so.
#[test]
fn a_repetition_that_was_answered_with_unknown_is_answered_with_the_late_outcome_afterwards() {
    let mut desk = Desk::paying();
    desk.at(20_000, asks(&[pay("p0"), pay("p2")]));
    desk.at(20_500, withdraws("p0"));
    desk.until(33_000);
    let steps = desk.at(33_100, asks(&[pay("p3")]));
    assert_eq!(answers(&steps), [("p3".into(), Answer::Unknown)]);
    desk.at(33_400, done("p1"));
    let steps = desk.at(33_450, asks(&[pay("p0"), pay("p2"), pay("p3"), pay("p4")]));
    let known = ["p2", "p3", "p4"].map(|id| (id.into(), result_of("p1")));
    assert_eq!(answers(&steps), known, "p0 was taken back");
    assert_eq!(performed(&desk.journal), ["f1", "p1"]);
}

/// I-01: what became known of one payment is not said of another.
#[test]
fn a_late_outcome_is_not_that_of_a_payment_of_another_meaning() {
    let mut desk = Desk::paying();
    desk.at(13_000, asks(&[pay_another("p2")]));
    desk.until(33_000);
    desk.at(33_400, done("p1"));
    let steps = desk.at(33_450, asks(&[pay_another("p3"), pay_another("p2"), pay("p4")]));
    let each = [
        ("p3".into(), Answer::Unknown),
        ("p2".into(), Answer::Unknown),
        ("p4".into(), result_of("p1")),
    ];
    assert_eq!(answers(&steps), each);
}
