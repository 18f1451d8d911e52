//! Time: the end, the last words, silence, dead air, and speech that a voice stops.

use call_core::call::Timer;
use call_core::input::{Agent, AgentLoss, Input, Line, Playback};
use call_core::{CallTime, Cause, Effect, Fact, LineId, Millis, Step, UtteranceId};

use crate::spoilt::{Spoilt, prepare, prepares, said_by_caller, step};

// I-11

#[test]
fn a_call_that_goes_on_behind_its_longest_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.limits().call = Millis::from_secs(20);
    call.breaks(&["I-11"]);
}

#[test]
fn a_silent_caller_who_is_kept_for_too_long_is_a_breach() {
    let mut call = Spoilt::named("caller_silent");
    call.limits().silence_farewell = Millis::from_secs(40);
    call.breaks(&["I-11"]);
}

// I-12

#[test]
fn hanging_up_before_the_farewell_was_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let heard = call.find(|step| step.effects.contains(&Effect::HangUp));
    let hang_up = call.take_effect(heard, &Effect::HangUp);
    let queued = call.steps[..heard]
        .iter()
        .rposition(|step| {
            matches!(step.cause, Cause::Input(Input::Playback(Playback::Queued { .. })))
        })
        .expect("the farewell's mark was put");
    call.steps[queued].effects.push(hang_up);
    call.breaks(&["I-12"]);
}

#[test]
fn leaving_the_stream_in_the_middle_of_the_talk_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let said = call.find(said_by_caller);
    let end = call.find(|step| step.effects.contains(&Effect::LeaveStream));
    // The call is over with that.
    let last = call.steps[end].clone();
    call.steps.truncate(said);
    let at = call.steps[said - 1].at;
    call.steps.push(Step { at, cause: Cause::Timer(Timer::CallLimit), ..last });
    let broken: Vec<_> = call.judge().iter().map(|breach| breach.invariant).collect();
    assert!(broken.contains(&"I-12"), "{broken:?}");
}

#[test]
fn handing_over_before_the_announcement_was_heard_is_a_breach() {
    let mut call = Spoilt::named("s19_transfer");
    let transfer = |effect: &Effect| matches!(effect, Effect::Transfer { .. });
    let heard = call.find(|step| step.effects.iter().any(transfer));
    let effect = call.steps[heard].effects.iter().find(|e| transfer(e)).cloned();
    let effect = call.take_effect(heard, &effect.expect("it was just seen"));
    let asked = call.find(|step| prepares(step, LineId::Transferring));
    call.steps[asked].effects.push(effect);
    call.breaks(&["I-12"]);
}

#[test]
fn hanging_up_without_a_word_is_a_breach() {
    let mut call = Spoilt::named("s19_transfer_refused");
    let step = call.find(|step| step.effects.contains(&Effect::UnmuteAgent));
    let end = call.find(|step| step.effects.contains(&Effect::HangUp));
    call.take_effect(end, &Effect::HangUp);
    call.steps[step].effects.push(Effect::HangUp);
    // So early, it is also long before the end.
    call.breaks(&["I-12", "I-13"]);
}

// I-15

#[test]
fn a_caller_called_silent_who_has_just_spoken_is_a_breach() {
    let mut call = Spoilt::named("caller_silent");
    let prompt = call.find(|step| step.cause == Cause::Timer(Timer::SilencePrompt));
    let at = CallTime::from_millis(call.steps[prompt].at.as_millis() - 5_000);
    let said = Agent::CallerSaid { text: "Okay.".to_owned(), language: None, since_sound: None };
    let mut step = step(at, Cause::Input(Input::Agent(said)));
    let (started, ended) = (at, at);
    step.facts.push(Fact::CallerLine { started, ended, language: None, text: "Okay.".to_owned() });
    call.steps.insert(prompt, step);
    call.breaks(&["I-15"]);
}

#[test]
fn a_caller_called_silent_while_a_line_is_made_is_a_breach() {
    let mut call = Spoilt::named("caller_silent");
    let prompt = call.find(|step| step.cause == Cause::Timer(Timer::SilencePrompt));
    let mut cough = step(
        CallTime::from_millis(call.steps[prompt].at.as_millis() - 2_000),
        Cause::Input(Input::Agent(Agent::AudioDone)),
    );
    cough.effects.push(prepare(90, LineId::OneMinute));
    call.steps.insert(prompt, cough);
    // The line fails in good order, a moment after the prompt.
    let line = Input::Line(Line::Failed { utterance: UtteranceId::Line(90) });
    let mut failed = step(call.steps[prompt + 1].at, Cause::Input(line));
    failed.facts.push(Fact::LineFailed {
        utterance: UtteranceId::Line(90),
        line: LineId::OneMinute,
        by: call_core::Rung::Spoken,
    });
    call.steps.insert(prompt + 2, failed);
    call.breaks(&["I-15"]);
}

#[test]
fn a_prompt_that_comes_too_late_is_a_breach_where_no_voice_was_heard() {
    let mut call = Spoilt::named("caller_silent");
    call.limits().silence_prompt = Millis::from_secs(4);
    call.breaks(&["I-15"]);
}

// I-16

#[test]
fn a_caller_who_is_owed_a_reply_and_hears_nothing_for_nine_seconds_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let said = call.find(said_by_caller);
    call.later(said + 1, Millis::from_secs(8));
    call.breaks(&["I-16"]);
}

/// F-DG-15.
#[test]
fn a_caller_whose_cough_cut_the_agent_and_who_hears_nothing_for_nine_seconds_is_a_breach() {
    let mut call = Spoilt::named("cough_cuts_the_agent");
    let asked = call.find(|step| step.cause == Cause::Timer(Timer::CutShort));
    call.later(asked, Millis::from_secs(5));
    call.breaks(&["I-16"]);
}

// I-17

#[test]
fn going_on_over_the_callers_voice_is_a_breach() {
    let mut call = Spoilt::named("caller_interrupts");
    let step = call.find(|step| step.effects.contains(&Effect::Clear));
    call.take_effect(step, &Effect::Clear);
    call.breaks(&["I-17"]);
}

#[test]
fn saying_something_before_speech_is_stopped_is_a_breach() {
    let mut call = Spoilt::named("caller_interrupts");
    let step = call.find(|step| step.effects.contains(&Effect::Clear));
    call.steps[step].effects.insert(0, prepare(90, LineId::OneMinute));
    call.breaks(&["I-17"]);
}

#[test]
fn stopping_speech_although_nobody_spoke_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| step.cause == Cause::Input(Input::Agent(Agent::Ready)));
    call.steps[step].effects.push(Effect::Clear);
    call.breaks(&["I-17"]);
}

#[test]
fn keeping_a_reply_that_the_caller_speaks_over_behind_our_line_is_a_breach() {
    let mut call = Spoilt::named("s03_cough_in_opening");
    let cough = Cause::Input(Input::Agent(Agent::CallerStarted));
    let over_opening = call.find(|step| step.cause == cough);
    let said = Agent::Said { utterance: UtteranceId::Agent(90), text: "Well.".to_owned() };
    let at = call.steps[over_opening].at;
    call.steps.insert(over_opening, step(at, Cause::Input(Input::Agent(said))));
    call.breaks(&["I-17"]);
}

/// A voice is heard just before something is done for want of one.
#[track_caller]
fn voice_before(name: &str, timer: Timer) -> Spoilt {
    let mut call = Spoilt::named(name);
    let due = call.find(|step| step.cause == Cause::Timer(timer));
    voice_at(&mut call, due);
    call
}

fn voice_at(call: &mut Spoilt, place: usize) {
    let at = call.steps[place].at;
    call.steps.insert(place, step(at, Cause::Input(Input::Agent(Agent::CallerStarted))));
}

#[test]
fn whatever_is_done_over_a_caller_who_speaks_is_a_breach() {
    voice_before("s07_slow_function", Timer::Filler).breaks(&["I-17"]);
    voice_before("cough_cuts_the_agent", Timer::CutShort).breaks(&["I-17"]);
    voice_before("agent_says_nothing", Timer::ReplyLimit).breaks(&["I-17"]);
    voice_before("caller_silent", Timer::SilencePrompt).breaks(&["I-17"]);
    voice_before("caller_silent", Timer::SilenceFarewell).breaks(&["I-17"]);
}

/// S21.
#[test]
fn a_call_that_is_called_over_and_nobody_said_goodbye_is_a_breach() {
    let name = "variants/s21_goodbye_without_hanging_up";
    voice_before(name, Timer::Goodbye).breaks(&["I-15", "I-17"]);
    let mut call = Spoilt::named(name);
    for step in &mut call.steps {
        if let Cause::Input(Input::Agent(Agent::Said { text, .. })) = &mut step.cause {
            "Good.".clone_into(text);
        }
        for fact in &mut step.facts {
            if let Fact::AgentLine { text, .. } = fact {
                "Good.".clone_into(text);
            }
        }
    }
    call.breaks(&["I-15"]);
}

/// S20.
#[test]
fn hanging_up_on_a_question_where_it_may_be_asked_is_a_breach() {
    let mut call = Spoilt::named("variants/s21_goodbye_without_hanging_up");
    let end = call.find(|step| step.effects.contains(&Effect::HangUp));
    voice_at(&mut call, end);
    call.breaks(&["I-12"]);
    let mut call = Spoilt::named("s20_farewell_lock");
    let end = call.find(|step| step.effects.contains(&Effect::HangUp));
    voice_at(&mut call, end);
    call.breaks(&[]);
}

/// I-16: somebody must do something when the agent is gone.
#[test]
fn a_call_without_an_agent_that_is_left_alone_is_a_breach() {
    let mut call = Spoilt::named("caller_silent");
    let prompt = call.find(|step| step.cause == Cause::Timer(Timer::SilencePrompt));
    let at = call.steps[prompt - 1].at;
    let lost = Cause::Input(Input::Agent(Agent::Lost(AgentLoss::Closed)));
    call.steps.insert(prompt, step(at, lost));
    call.breaks(&["I-15", "I-16"]);
}
