//! Functions and identity: what may run, what is answered, and what is learnt about the caller.

mod support;

use call_core::{
    Brief, Effect, Fact, LineId, Millis, Phase,
    brief::FunctionLimits,
    call::Timer,
    effect::{Answer, Function},
    input::{FunctionAsk, FunctionOutcome},
    step::{Audience, IdentityCheck, IdentityLevel, Refusal},
};

use support::{
    Desk, OPENING, agent_ready, agent_says, answers, ask, asks, began, caller_says, checked, cut,
    done, effects, ended, facts, fired, hangup, heard, ignored, line, line_ready, lines, lookup,
    noise, performed, phases, queued, result_of, sentence, withdraws,
};

// Functions.

/// F-DG-18.
#[test]
fn an_unknown_function_is_refused_and_answered() {
    refused_as(Refusal::Unknown, ask("f1", "wire_money"), Brief::example());
}

/// F-DG-18.
#[test]
fn a_function_that_the_company_does_not_offer_is_refused_and_answered() {
    let brief = Brief { functions: vec!["hangup_call".into()], ..Brief::example() };
    refused_as(Refusal::NotOffered, lookup("f1"), brief);
}

/// A company may bound how often a function is run in one call, and how long.
#[test]
fn a_function_is_run_no_more_often_and_no_longer_than_its_company_lets_it() {
    let limits = FunctionLimits { budget: Some(Millis(3_000)), calls_max: Some(2) };
    let brief =
        Brief { function_limits: [("lookup_loan".to_owned(), limits)].into(), ..Brief::example() };
    let mut desk = Desk::thinking_with(brief);
    desk.at(11_000, asks(&[lookup("f1")]));
    // As long as it may by itself, and not as all lookups may.
    let steps = desk.at(14_100, asks(&[lookup("f2")]));
    assert_eq!(answers(&steps), [("f1".into(), Answer::TimedOut)]);
    assert_eq!(performed(&steps), ["f2"]);
    desk.at(14_200, done("f2"));
    let steps = desk.at(14_300, asks(&[lookup("f3")]));
    assert_eq!(answers(&steps), [("f3".into(), Answer::Refused(Refusal::TooOften))]);
    assert_eq!(performed(&steps), Vec::<String>::new());
}

/// F-DG-19.
#[test]
fn bad_arguments_are_refused_and_answered() {
    let ask = FunctionAsk { fault: Some("account_last4 is missing".into()), ..lookup("f1") };
    refused_as(Refusal::BadArguments, ask, Brief::example());
}

#[test]
fn a_function_that_may_run_is_performed_and_its_result_answers_the_request() {
    let mut desk = Desk::thinking();
    let steps = desk.at(11_000, asks(&[lookup("f1")]));
    let [Effect::Perform { id, function: Function::LookupLoan, .. }] = &effects(&steps)[..] else {
        panic!("{:?}", effects(&steps))
    };
    assert_eq!(id, "f1");
    assert_eq!(phases(&steps), [Phase::FunctionPending]);
    let steps = desk.at(12_000, done("f1"));
    assert_eq!(answers(&steps), [("f1".into(), result_of("f1"))]);
    assert_eq!(phases(&steps), [Phase::Thinking]);
}

/// F-DG-16.
#[test]
fn an_id_that_is_repeated_is_performed_once_and_answered_again_in_the_same_words() {
    let mut desk = Desk::function_pending();
    assert_eq!(effects(&desk.at(11_100, asks(&[lookup("f1")]))), [], "it runs already");
    let first = answers(&desk.at(12_000, done("f1")));
    let steps = desk.at(12_500, asks(&[lookup("f1")]));
    assert_eq!(answers(&steps), first);
    assert_eq!(facts(&steps), []);
    assert_eq!(performed(&desk.journal), ["f1"]);
}

/// I-15: the agent was answered and speaks next.
#[test]
fn an_agent_that_was_answered_again_owes_words_again() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, done("f1"));
    desk.at(12_500, asks(&[lookup("f1")]));
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// F-DG-22, I-16.
#[test]
fn a_slow_function_is_filled_in_for_then_timed_out_and_its_late_result_reaches_nobody() {
    let mut desk = Desk::function_pending();
    let steps = desk.until(14_000);
    assert_eq!(fired(&steps), [(14_000, Timer::Filler)]);
    assert_eq!(lines(&steps), [LineId::Hold]);
    assert_eq!(phases(&desk.plays(line(2), 15_200, 17_000)), [Phase::FunctionPending]);
    let steps = desk.until(19_000);
    assert_eq!(fired(&steps), [(19_000, Timer::FunctionLimit)]);
    assert_eq!(answers(&steps), [("f1".into(), Answer::TimedOut)]);
    assert_eq!(phases(&steps), [Phase::Thinking]);
    let late = desk.at(20_000, done("f1"));
    assert_eq!((effects(&late), facts(&late), phases(&late)), (vec![], vec![], vec![]));
    assert!(ignored(&desk.at(20_500, done("f1"))), "and once only");
}

#[test]
fn a_function_is_timed_out_while_somebody_speaks_too() {
    let mut desk = Desk::function_pending();
    desk.at(11_500, agent_says(1, "Let me see."));
    desk.at(11_500, began(sentence(1)));
    let steps = desk.until(19_000);
    assert_eq!(answers(&steps), [("f1".into(), Answer::TimedOut)]);
    assert_eq!(desk.phase(), Phase::Speaking);
}

#[test]
fn a_function_that_was_withdrawn_is_not_answered() {
    let mut desk = Desk::function_pending();
    let steps = desk.at(12_000, withdraws("f1"));
    assert_eq!(effects(&steps), []);
    assert_eq!(phases(&steps), [Phase::Listening]);
    assert!(ignored(&desk.at(13_000, done("f1"))));
    assert_eq!(answers(&desk.journal), []);
}

#[test]
fn the_callers_voice_does_not_cancel_a_function() {
    let mut desk = Desk::function_pending();
    desk.at(11_500, agent_says(1, "Let me see."));
    desk.at(11_500, began(sentence(1)));
    desk.at(11_800, noise());
    assert_eq!(phases(&desk.at(11_800, cut(sentence(1), 300, 900))), [Phase::FunctionPending]);
    assert_eq!(answers(&desk.at(12_000, done("f1"))), [("f1".into(), result_of("f1"))]);
}

/// F-DG-20.
#[test]
fn of_several_functions_asked_for_together_each_is_answered_once() {
    let mut desk = Desk::thinking();
    let steps = desk.at(11_000, asks(&[lookup("f1"), ask("f2", "wire_money"), lookup("f3")]));
    assert_eq!(performed(&steps), ["f1", "f3"]);
    assert_eq!(answers(&steps), [("f2".into(), Answer::Refused(Refusal::Unknown))]);
    assert_eq!(phases(&desk.at(12_000, done("f3"))), [], "the other one still runs");
    assert_eq!(phases(&desk.at(13_000, done("f1"))), [Phase::Thinking]);
    let ids: Vec<_> = answers(&desk.journal).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["f2", "f3", "f1"]);
}

/// I-29.
#[test]
fn at_most_eight_functions_run_at_once() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, checked("f1", &[("date_of_birth", true), ("zip", true)], &[]));
    desk.at(12_500, caller_says("And my other loans?"));
    let many: Vec<_> = (1..=8).map(|number| lookup(&format!("g{number}"))).collect();
    assert_eq!(performed(&desk.at(13_000, asks(&many))).len(), 8);
    desk.at(13_500, caller_says("And the one in Ohio?"));
    let steps = desk.at(14_000, asks(&[lookup("g9")]));
    assert_eq!(answers(&steps), [("g9".into(), Answer::Refused(Refusal::TooManyOpen))]);
}

/// What was refused counts, too: none is forgotten, or it could run twice.
#[test]
fn a_call_takes_256_requests_and_then_only_the_one_to_hang_up() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, checked("f1", &[("date_of_birth", true), ("zip", true)], &[]));
    let mut at = 12_000;
    let mut then = |desk: &mut Desk, ask: FunctionAsk| {
        at += 20;
        desk.at(at, caller_says("And then?"));
        desk.at(at + 10, asks(&[ask]))
    };
    for number in 2..=255 {
        then(&mut desk, ask(&format!("f{number}"), "wire_money"));
    }
    assert_eq!(performed(&then(&mut desk, lookup("f256"))), ["f256"]);
    let steps = then(&mut desk, lookup("f257"));
    assert_eq!(answers(&steps), [("f257".into(), Answer::Refused(Refusal::TooManyOpen))]);
    // A refusal is not kept any more, and stays one.
    assert_eq!(answers(&then(&mut desk, lookup("f257"))), answers(&steps));
    assert_eq!(phases(&then(&mut desk, hangup("f258"))), [Phase::Farewell]);
}

// Before the opening is over.

/// F-HU-08, C-01: nothing is looked up for a caller who has not heard whom they talk to.
#[test]
fn a_function_asked_for_during_the_opening_is_decided_about_when_it_is_over() {
    let mut desk = greeting();
    let steps = desk.at(2_000, asks(&[lookup("f1"), ask("f2", "wire_money")]));
    assert_eq!((effects(&steps), facts(&steps), phases(&steps)), (vec![], vec![], vec![]));
    let steps = desk.at(5_000, heard(OPENING, 4_000));
    assert_eq!(performed(&steps), ["f1"]);
    assert_eq!(answers(&steps), [("f2".into(), Answer::Refused(Refusal::Unknown))]);
    assert_eq!(phases(&steps), [Phase::FunctionPending]);
    assert_eq!(answers(&desk.at(6_000, done("f1"))), [("f1".into(), result_of("f1"))]);
    assert_eq!(performed(&desk.journal), ["f1"]);
}

/// F-HU-08, F-TW-20: an opening that was perhaps heard is over; one that was cut is not.
#[test]
fn an_opening_is_over_for_functions_when_it_is_over_for_the_call() {
    let mut desk = greeting();
    desk.at(2_000, asks(&[lookup("f1")]));
    let steps = desk.until(7_000);
    assert_eq!(fired(&steps), [(7_000, Timer::PlaybackMark)]);
    assert_eq!(performed(&steps), ["f1"]);

    let mut desk = greeting();
    desk.at(2_000, asks(&[lookup("f1")]));
    let steps = desk.at(3_000, cut(OPENING, 2_000, 4_000));
    assert_eq!((performed(&steps), lines(&steps)), (vec![], vec![LineId::Opening]));
    let steps = desk.plays(line(2), 3_200, 7_200);
    assert_eq!(performed(&steps), ["f1"]);
    assert_eq!(steps.last().map(|step| step.at.as_millis()), Some(7_200), "not before");
}

/// F-HU-08.
#[test]
fn an_agent_that_hangs_up_during_the_opening_does_so_after_it() {
    let mut desk = greeting();
    assert_eq!(phases(&desk.at(2_000, asks(&[hangup("f1")]))), []);
    let steps = desk.at(5_000, heard(OPENING, 4_000));
    assert_eq!(answers(&steps), [("f1".into(), Answer::Done)]);
    assert_eq!((phases(&steps), lines(&steps)), (vec![Phase::Farewell], vec![LineId::Farewell]));
}

#[test]
fn a_function_that_was_withdrawn_during_the_opening_is_forgotten() {
    let mut desk = greeting();
    desk.at(2_000, asks(&[lookup("f1"), lookup("f2")]));
    desk.at(2_500, withdraws("f1"));
    let steps = desk.at(5_000, heard(OPENING, 4_000));
    assert_eq!(performed(&steps), ["f2"]);
    assert_eq!(answers(&desk.at(6_000, done("f2"))), [("f2".into(), result_of("f2"))]);

    let mut desk = greeting();
    desk.at(2_000, asks(&[lookup("f1")]));
    desk.at(2_500, withdraws("f1"));
    let steps = desk.at(5_000, heard(OPENING, 4_000));
    assert_eq!(phases(&steps), [Phase::Listening], "nobody owes anything");
    let asked = |fact: &Fact| matches!(fact, Fact::FunctionAsked { .. });
    assert!(!facts(&desk.journal).iter().any(asked));
}

/// F-DG-16, I-29.
#[test]
fn at_most_eight_functions_are_kept_during_the_opening_each_of_them_once() {
    let mut desk = greeting();
    let many: Vec<_> = (1..=6).map(|number| ask(&format!("f{number}"), "wire_money")).collect();
    desk.at(2_000, asks(&many));
    desk.at(2_500, asks(&many));
    let more: Vec<_> = (5..=10).map(|number| ask(&format!("f{number}"), "wire_money")).collect();
    let full = ["f9", "f10"].map(|id| (id.into(), Answer::Refused(Refusal::TooManyOpen)));
    assert_eq!(answers(&desk.at(3_000, asks(&more))), full, "none is left without an answer");
    let steps = desk.at(5_000, heard(OPENING, 4_000));
    let ids: Vec<_> = answers(&steps).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"]);
    assert_eq!(phases(&steps), [Phase::Thinking], "the agent must say so");
    assert_eq!(answers(&desk.until(9_000)), [], "they are decided about once");
}

// Who is calling.

#[test]
fn two_factors_that_match_verify_the_caller_and_what_left_our_hands_is_on_record() {
    let mut desk = Desk::function_pending();
    let factors = [("date_of_birth", true), ("zip", true)];
    let steps = desk.at(12_000, checked("f1", &factors, &["balance"]));
    let step = |factor: &str| Fact::IdentityStep(IdentityCheck { factor: factor.into(), ok: true });
    assert_eq!(
        facts(&steps)[1..],
        [
            step("date_of_birth"),
            step("zip"),
            Fact::IdentityVerified { level: IdentityLevel::Verified },
            Fact::Disclosed { fields: vec!["balance".into()], to: Audience::Model },
        ]
    );
}

#[test]
fn what_leaves_our_hands_is_on_record_also_when_identity_was_settled_before() {
    let mut desk = Desk::function_pending();
    let steps = desk.at(12_000, ended("f1", FunctionOutcome::Done, &[], &["balance"]));
    let disclosed = Fact::Disclosed { fields: vec!["balance".into()], to: Audience::Model };
    assert_eq!(facts(&steps).last(), Some(&disclosed));
}

#[test]
fn a_factor_that_does_not_match_verifies_nobody() {
    let mut desk = Desk::function_pending();
    let factors = [("date_of_birth", true), ("zip", false)];
    let facts = facts(&desk.at(12_000, checked("f1", &factors, &[])));
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::IdentityVerified { .. })));
}

/// F-HU-03.
#[test]
fn identity_may_be_tried_three_times() {
    let mut desk = Desk::thinking();
    for (at, id) in [(11_000, "f1"), (12_000, "f2"), (13_000, "f3")] {
        assert_eq!(performed(&desk.at(at, asks(&[lookup(id)]))), [id]);
        desk.at(at + 500, checked(id, &[("zip", false)], &[]));
    }
    let steps = desk.at(14_000, asks(&[lookup("f4")]));
    assert_eq!(performed(&steps), [""; 0]);
    assert_eq!(answers(&steps), [("f4".into(), Answer::Refused(Refusal::TooManyTries))]);
}

// Helpers.

/// A desk whose agent is ready and whose opening plays from 00:01.000 to 00:05.000.
fn greeting() -> Desk {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    desk.at(1_000, queued(OPENING, 4_000, 5_000));
    assert_eq!(desk.phase(), Phase::Greeting);
    desk
}

fn refused_as(why: Refusal, ask: FunctionAsk, brief: Brief) {
    let mut desk = Desk::listening_with(brief);
    let steps = desk.at(11_000, asks(&[ask]));
    assert_eq!(performed(&steps), [""; 0]);
    assert_eq!(answers(&steps), [("f1".into(), Answer::Refused(why.clone()))]);
    let refused = Fact::FunctionRefused { id: "f1".into(), why };
    assert!(facts(&steps).contains(&refused));
    assert_eq!(desk.phase(), Phase::Thinking, "the agent must say so");
}
