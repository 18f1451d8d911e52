//! Functions and identity: what may run, what is answered, and what is learnt about the caller.

mod support;

use call_core::{
    Brief, Effect, Fact, LineId, Phase,
    call::Timer,
    effect::{Answer, Function},
    input::{FunctionAsk, FunctionOutcome},
    step::{Audience, IdentityCheck, IdentityLevel, Refusal},
};

use support::{
    Desk, agent_says, answers, ask, asks, began, checked, cut, done, effects, ended, facts, fired,
    ignored, line, lines, lookup, noise, performed, phases, sentence, withdraws,
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
    let perform = Effect::Perform { id: "f1".into(), function: Function::LookupLoan };
    assert_eq!(effects(&steps), [perform]);
    assert_eq!(phases(&steps), [Phase::FunctionPending]);
    let steps = desk.at(12_000, done("f1"));
    assert_eq!(answers(&steps), [("f1".into(), Answer::Result)]);
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
    let steps = desk.until(15_000);
    assert_eq!(fired(&steps), [(15_000, Timer::Filler)]);
    assert_eq!(lines(&steps), [LineId::Hold]);
    assert_eq!(phases(&desk.plays(line(2), 15_200, 17_000)), [Phase::FunctionPending]);
    let steps = desk.until(19_000);
    assert_eq!(fired(&steps), [(19_000, Timer::FunctionLimit)]);
    assert_eq!(answers(&steps), [("f1".into(), Answer::TimedOut)]);
    assert_eq!(phases(&steps), [Phase::Thinking]);
    assert!(ignored(&desk.at(20_000, done("f1"))));
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
    assert_eq!(answers(&desk.at(12_000, done("f1"))), [("f1".into(), Answer::Result)]);
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
    let many: Vec<_> = (1..=9).map(|number| lookup(&format!("g{number}"))).collect();
    let steps = desk.at(13_000, asks(&many));
    assert_eq!(performed(&steps).len(), 8);
    assert_eq!(answers(&steps), [("g9".into(), Answer::Refused(Refusal::TooManyOpen))]);
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

fn refused_as(why: Refusal, ask: FunctionAsk, brief: Brief) {
    let mut desk = Desk::listening_with(brief);
    let steps = desk.at(11_000, asks(&[ask]));
    assert_eq!(performed(&steps), [""; 0]);
    assert_eq!(answers(&steps), [("f1".into(), Answer::Refused(why.clone()))]);
    let refused = Fact::FunctionRefused { id: "f1".into(), why };
    assert!(facts(&steps).contains(&refused));
    assert_eq!(desk.phase(), Phase::Thinking, "the agent must say so");
}
