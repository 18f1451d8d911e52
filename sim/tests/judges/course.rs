//! The course of a call: timers, ends, order, repetition, sessions, and the carrier.

use call_core::call::Timer;
use call_core::effect::Function;
use call_core::input::{Agent, Carrier, Input, Line};
use call_core::step::EndReason;
use call_core::{CallTime, Cause, Effect, Fact, Language, LineId, Phase, UtteranceId};

use crate::spoilt::{OPENING, Spoilt, heard, performs, prepare, step};

// I-14

#[test]
fn a_timer_behind_the_end_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.append(Cause::Timer(Timer::Filler));
    call.breaks(&["I-14"]);
}

#[test]
fn the_limit_of_a_function_that_does_not_run_is_a_breach_behind_the_end() {
    let mut call = Spoilt::named("late_payment");
    call.append(Cause::Timer(Timer::FunctionLimit));
    call.breaks(&["I-14"]);
}

// I-18

#[test]
fn a_call_without_an_end_on_record_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.take_fact(|fact| matches!(fact, Fact::CallEnded { .. }));
    call.breaks(&["I-18"]);
}

#[test]
fn a_call_that_ends_twice_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.append(Cause::Input(Input::Carrier(Carrier::Stopped)));
    call.steps[step].facts.push(Fact::CallEnded { reason: EndReason::CallerHangup });
    call.breaks(&["I-18"]);
}

// I-19

#[test]
fn an_effect_behind_the_end_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.append(Cause::Input(Input::Agent(Agent::AudioDone)));
    call.steps[step].effects.push(Effect::EndSentence);
    call.breaks(&["I-19"]);
}

#[test]
fn words_on_record_behind_the_end_are_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.append(Cause::Input(Input::Agent(Agent::AudioDone)));
    call.steps[step].facts.push(Fact::MomentAsked);
    call.breaks(&["I-19"]);
}

#[test]
fn leaving_the_end_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.append(Cause::Input(Input::Agent(Agent::AudioDone)));
    let (from, to) = (Phase::Ended, Phase::Listening);
    call.steps[step].moves.push(call_core::Move { from, to });
    call.breaks(&["I-19"]);
}

// I-20

#[test]
fn time_that_goes_back_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let ready = call.find(|step| step.cause == Cause::Input(Input::Agent(Agent::Ready)));
    call.steps[ready].at = CallTime::from_millis(1);
    call.breaks(&["I-20"]);
}

#[test]
fn an_ignored_input_that_changes_something_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let done = call.find(|step| !step.ignored && !step.facts.is_empty() && step.at.as_millis() > 0);
    call.steps[done].ignored = true;
    assert!(call.judge().iter().all(|breach| breach.invariant == "I-20"));
    call.breaks(&["I-20"]);
}

// I-21

#[test]
fn a_journal_with_another_effect_than_its_inputs_have_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    assert_eq!(call.replay_breaches(), []);
    let step = call.find(|step| step.effects.contains(&Effect::CloseAgent));
    call.take_effect(step, &Effect::CloseAgent);
    let breaches = call.replay_breaches();
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].invariant, "I-21");
    assert_eq!(breaches[0].at, Some(call.steps[step].at));
}

#[test]
fn a_journal_that_lacks_a_timer_that_fired_is_a_breach() {
    let mut call = Spoilt::named("caller_silent");
    let prompt = call.find(|step| step.cause == Cause::Timer(Timer::SilencePrompt));
    call.steps.remove(prompt);
    assert_eq!(call.replay_breaches().len(), 1);
}

// I-22

#[test]
fn news_that_is_acted_on_twice_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let heard = call.find(|step| heard(step, OPENING));
    let mut again = call.steps[heard].clone();
    again.facts.clear();
    again.moves.clear();
    call.steps.insert(heard + 1, again);
    call.breaks(&["I-22"]);
}

/// F-DG-16.
#[test]
fn tones_that_are_played_twice_under_one_id_are_a_breach() {
    let mut call = Spoilt::named("s37_tones_refused");
    let plays = |effect: &Effect| matches!(effect, Effect::PlayTones { .. });
    let step = call.find(|step| step.effects.iter().any(plays));
    let tones = call.steps[step].effects.iter().find(|effect| plays(effect)).cloned();
    call.steps[step].effects.extend(tones);
    call.breaks(&["I-22"]);
}

#[test]
fn a_request_that_is_performed_twice_under_one_id_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let ask = call.find(|step| performs(step, Function::LookupLoan).is_some());
    let effect = performs(&call.steps[ask], Function::LookupLoan).cloned();
    call.steps[ask].effects.extend(effect);
    call.breaks(&["I-22"]);
}

// I-24

#[test]
fn a_session_that_is_never_closed_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| step.effects.contains(&Effect::CloseAgent));
    call.take_effect(step, &Effect::CloseAgent);
    call.breaks(&["I-24"]);
}

#[test]
fn a_second_session_beside_an_open_one_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let open = Effect::OpenAgent { language: Language::English, resume: false };
    call.steps[0].effects.push(open);
    call.breaks(&["I-24"]);
}

// I-35

#[test]
fn hanging_up_twice_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| step.effects.contains(&Effect::HangUp));
    call.steps[step].effects.insert(0, Effect::HangUp);
    call.breaks(&["I-35"]);
}

#[test]
fn hanging_up_a_call_that_is_being_handed_over_is_a_breach() {
    let mut call = Spoilt::named("s19_transfer");
    let end = call.find(|step| step.effects.contains(&Effect::LeaveStream));
    let (utterance, line) = (UtteranceId::Line(90), LineId::Farewell);
    call.steps[end - 1].effects.push(prepare(90, line));
    // The farewell cannot be spoken, so hanging up without it is in order; but not now.
    let news = Input::Line(Line::Failed { utterance });
    let mut failed = step(call.steps[end - 1].at, Cause::Input(news));
    failed.facts.push(Fact::LineFailed { utterance, line, by: call_core::Rung::Spoken });
    failed.effects.push(Effect::HangUp);
    call.steps.insert(end, failed);
    call.breaks(&["I-35"]);
}
