//! What is asked for: writes once, outcomes of everything, bounded numbers, and audio.

use call_core::call::Timer;
use call_core::effect::Function;
use call_core::input::{Agent, Input};
use call_core::{Cause, Effect, Fact, LineId, Millis};
use sim::judge::{AudioTotals, Flow};

use crate::spoilt::{Spoilt, answers, performs, prepare, said_by_caller};

// I-01

#[test]
fn a_write_performed_a_second_time_under_another_id_is_a_breach() {
    let mut call = Spoilt::named("s08_hangup_in_payment");
    let ask = call.find(|step| performs(step, Function::MakePayment).is_some());
    let Cause::Input(Input::Agent(Agent::Asked(asks))) = &mut call.steps[ask].cause else {
        panic!("a write is performed when it is asked for");
    };
    let mut again = asks[0].clone();
    again.id = "call_again".to_owned();
    asks.push(again);
    let Some(Effect::Perform { function, key, .. }) =
        performs(&call.steps[ask], Function::MakePayment).cloned()
    else {
        panic!("it is performed there");
    };
    let twin = Effect::Perform { id: "call_again".to_owned(), function, key };
    call.steps[ask].effects.push(twin);
    // Both come to the same outcome, so that nothing but the second performance is wrong.
    call.echo_outcomes("call_again");
    call.breaks(&["I-01"]);
}

// I-13

#[test]
fn a_function_whose_outcome_is_not_on_record_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.take_fact(|fact| matches!(fact, Fact::FunctionDone { name, .. } if name == "lookup_loan"));
    call.breaks(&["I-13"]);
}

#[test]
fn a_function_with_two_outcomes_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let done =
        |fact: &Fact| matches!(fact, Fact::FunctionDone { name, .. } if name == "lookup_loan");
    let (step, fact) = call.fact(done);
    call.steps[step + 1].facts.push(fact);
    call.breaks(&["I-13"]);
}

#[test]
fn a_line_of_which_nothing_comes_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(said_by_caller);
    call.steps[step].effects.push(prepare(90, LineId::Hold));
    // Nobody can speak while it is awaited, so no silence counts either.
    call.breaks(&["I-13"]);
}

#[test]
fn a_request_without_an_answer_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| answers(step, "lookup_loan"));
    call.steps[step].effects.retain(|effect| !matches!(effect, Effect::Answer { .. }));
    // What is disclosed without an answer left our hands by no way that anybody knows.
    call.breaks(&["I-13", "I-25"]);
}

/// C-16, S11: what came of a payment is told also to an agent that took it back.
#[test]
fn a_payment_that_was_taken_back_and_is_not_told_is_a_breach() {
    let mut call = Spoilt::named("s11_barge_in_at_result");
    let step = call.find(|step| answers(step, "make_payment"));
    call.steps[step].effects.retain(|effect| !matches!(effect, Effect::Answer { .. }));
    call.breaks(&["I-13"]);
}

#[test]
fn a_session_that_is_given_up_and_left_open_is_a_breach() {
    let mut call = Spoilt::named("s23_never_ready");
    let step = call.find(|step| step.cause == Cause::Timer(Timer::AgentReady));
    call.steps[step].effects.retain(|effect| *effect != Effect::CloseAgent);
    call.breaks(&["I-24"]);
}

#[test]
fn a_transfer_of_which_nothing_comes_is_a_breach() {
    let mut call = Spoilt::named("s19_transfer_busy");
    call.take_facts(|fact| matches!(fact, Fact::Transfer { .. }));
    call.breaks(&["I-13"]);
}

#[test]
fn tones_of_which_nothing_comes_are_a_breach() {
    for name in ["s37_tones", "s37_tones_refused", "s37_tones_no_return"] {
        let mut call = Spoilt::named(name);
        call.take_facts(
            |fact| matches!(fact, Fact::FunctionDone { name, .. } if name == "play_dtmf"),
        );
        call.breaks(&["I-13"]);
    }
}

#[test]
fn a_stream_that_comes_back_too_late_from_tones_is_a_breach() {
    let mut call = Spoilt::named("s37_tones");
    call.limits().tones = Millis(500);
    call.breaks(&["I-13"]);
}

#[test]
fn a_hang_up_after_which_the_call_goes_on_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let end = call.find(|step| step.effects.contains(&Effect::LeaveStream));
    call.later(end, Millis::from_secs(11));
    call.breaks(&["I-13"]);
}

#[test]
fn a_session_that_never_answers_is_a_breach() {
    let mut call = Spoilt::named("s23_never_ready");
    call.limits().agent_ready = Millis::from_secs(9);
    call.breaks(&["I-13"]);
}

// I-29

#[test]
fn nine_lines_at_once_are_a_breach() {
    let mut call = Spoilt::named("late_payment");
    // They are asked for just before the farewell, which gives them up in time.
    let mute = call.find(|step| step.effects.contains(&Effect::MuteAgent));
    let lines = (90..99).map(|number| prepare(number, LineId::OneMinute));
    call.steps[mute - 1].effects.extend(lines);
    call.breaks(&["I-29"]);
}

// I-30

#[test]
fn audio_that_gets_lost_on_the_way_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let sound = Flow { offered: 900, forwarded: 700, dropped: 150, held: 50, received: Some(700) };
    let sound_both_ways =
        AudioTotals { to_caller: Some(sound), to_agent: Some(sound), ..AudioTotals::default() };
    call.audio = sound_both_ways;
    assert_eq!(call.judge(), []);
    call.audio.to_caller = Some(Flow { held: 49, ..sound });
    call.breaks(&["I-30"]);
    call.audio = sound_both_ways;
    call.audio.to_agent = Some(Flow { received: Some(701), ..sound });
    call.breaks(&["I-30"]);
}

/// S19, S37: nobody speaks to a caller who is with somebody else.
#[test]
fn speech_that_is_sent_when_the_stream_has_left_is_a_breach() {
    let mut call = Spoilt::named("s19_transfer");
    call.audio.astray = 160;
    call.breaks(&["I-30"]);
}

#[test]
fn more_than_thirty_seconds_of_speech_that_wait_are_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.audio.most_waiting = 240_000;
    assert_eq!(call.judge(), []);
    call.audio.most_waiting += 1;
    call.breaks(&["I-29"]);
}
