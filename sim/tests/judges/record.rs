//! The record: causes, languages, and what was heard.

use call_core::call::Timer;
use call_core::effect::Function;
use call_core::input::{Agent, Input, Playback};
use call_core::{Cause, Effect, Fact, Language, LineId, Millis};
use sim::cast::carrier::Account;
use sim::judge::HEARD_IS_NOT_SAID;

use crate::spoilt::{OPENING, Spoilt, answers, heard, performs, prepares};

// I-25

#[test]
fn a_line_played_before_it_was_made_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let play = Effect::Play { utterance: OPENING };
    let step = call.find(|step| step.effects.contains(&play));
    call.take_effect(step, &play);
    call.steps[0].effects.push(play);
    call.breaks(&["I-25"]);
}

#[test]
fn speech_of_which_nobody_knows_whether_it_was_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.take_fact(|fact| matches!(fact, Fact::Heard { utterance, .. } if utterance.is_agents()));
    call.breaks(&["I-25"]);
}

#[test]
fn speech_that_is_heard_and_perhaps_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let end = call.find(|step| step.effects.contains(&Effect::LeaveStream));
    call.steps[end].facts.push(Fact::HeardUnknown { utterance: OPENING });
    call.breaks(&["I-25"]);
}

#[test]
fn an_answer_nobody_asked_for_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| answers(step, "lookup_loan"));
    let answer = call.steps[step].effects.iter().find(|e| matches!(e, Effect::Answer { .. }));
    let answer = answer.cloned();
    call.steps[step].effects.extend(answer);
    call.breaks(&["I-25"]);
}

#[test]
fn a_function_run_under_another_name_than_asked_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let ask = call.find(|step| performs(step, Function::LookupLoan).is_some());
    let Cause::Input(Input::Agent(Agent::Asked(asks))) = &mut call.steps[ask].cause else {
        panic!("a function is performed when it is asked for");
    };
    asks[0].name = "hangup_call".to_owned();
    call.breaks(&["I-25"]);
}

#[test]
fn words_of_the_callers_that_nobody_said_are_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let (step, fact) = call.fact(|fact| matches!(fact, Fact::CallerLine { .. }));
    call.steps[step + 1].facts.push(fact);
    call.breaks(&["I-25"]);
}

#[test]
fn a_disclosure_that_no_function_made_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let (step, fact) = call.fact(|fact| matches!(fact, Fact::Disclosed { .. }));
    call.steps[step + 1].facts.push(fact);
    call.breaks(&["I-25"]);
}

// I-34

#[test]
fn a_line_asked_for_in_another_language_is_a_breach() {
    let mut call = Spoilt::named("pago_tarde");
    let step = call.find(|step| prepares(step, LineId::Farewell));
    for effect in &mut call.steps[step].effects {
        if let Effect::Prepare { language, .. } = effect {
            *language = Language::English;
        }
    }
    call.breaks(&["I-34"]);
}

#[test]
fn a_line_with_words_of_another_language_is_a_breach() {
    let mut call = Spoilt::named("pago_tarde");
    for fact in call.steps.iter_mut().flat_map(|step| &mut step.facts) {
        if let Fact::LineRendered { line: LineId::Farewell, text, .. } = fact {
            *text = "Thank you for calling Acme Home Loans. Goodbye.".to_owned();
        }
    }
    call.breaks(&["I-34"]);
}

#[test]
fn an_agent_who_is_to_speak_another_language_than_the_call_is_a_breach() {
    let mut call = Spoilt::named("pago_tarde");
    let open = |effect: &Effect| matches!(effect, Effect::OpenAgent { .. });
    let step = call.find(|step| step.effects.iter().any(open));
    for effect in &mut call.steps[step].effects {
        if let Effect::OpenAgent { language, .. } = effect {
            *language = Language::English;
        }
    }
    call.breaks(&["I-34"]);
}

// C-07

#[test]
fn a_change_of_language_without_a_notice_is_a_breach() {
    let mut call = Spoilt::named("s17_language_switch");
    let step = call.find(|step| prepares(step, LineId::Notice));
    let prepare = |effect: &Effect| matches!(effect, Effect::Prepare { .. });
    let late: Vec<_> = call.steps[step].effects.extract_if(.., |e| prepare(e)).collect();
    // It is asked for, and not at once.
    let mut next = crate::spoilt::step(call.steps[step].at, Cause::Timer(Timer::KeyGap));
    next.effects = late;
    call.steps.insert(step + 1, next);
    call.breaks(&["C-07"]);
}

#[test]
fn a_notice_that_is_never_heard_in_the_language_of_the_talk_is_a_breach() {
    let mut call = Spoilt::named("s17_switch_in_function");
    let asked = call.find(|step| prepares(step, LineId::Notice));
    let notice = call.steps[asked].effects.iter().find_map(|effect| match effect {
        Effect::Prepare { utterance, .. } => Some(*utterance),
        _ => None,
    });
    let notice = notice.expect("the step asks for it");
    let news = call.find(|step| heard(step, notice));
    call.steps.remove(news);
    // Nor is there a mark that one behind it could prove lost.
    let queued = call.find(|step| {
        let Cause::Input(Input::Playback(news)) = &step.cause else { return false };
        matches!(news, Playback::Queued { utterance, .. } if *utterance == notice)
    });
    call.steps.remove(queued);
    // Speech whose end nobody knows holds the floor, too.
    call.breaks(&["C-07", "I-15", "I-25"]);
}

// Heard is not said

#[test]
fn speech_that_the_carrier_threw_away_and_that_counts_as_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.account.insert(OPENING.to_string(), Account::Cleared);
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn speech_that_the_carrier_never_got_and_that_counts_as_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    call.account.remove(&OPENING.to_string());
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn a_sentence_that_the_agent_had_not_finished_and_that_counts_as_heard_is_a_breach() {
    let mut call = Spoilt::named("variants/operator_hangs_up_mid_sentence");
    let cut = call.find(|step| step.facts.iter().any(|fact| matches!(fact, Fact::Cut { .. })));
    let step = &mut call.steps[cut];
    let Some(Fact::Cut { utterance, audio, .. }) = step.facts.first().cloned() else {
        panic!("{:?}", step.facts);
    };
    step.facts[0] = Fact::Heard { utterance, audio };
    step.cause = Cause::Input(Input::Playback(Playback::Heard { utterance, audio }));
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn a_sentence_that_was_cut_and_counts_as_whole_is_a_breach() {
    let mut call = Spoilt::named("caller_interrupts");
    let cut = call.find(|step| step.facts.iter().any(|fact| matches!(fact, Fact::Cut { .. })));
    call.change_cut(cut, |heard, audio| *heard = Millis(audio.0 + 1));
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn more_heard_of_a_cut_sentence_than_time_has_passed_is_a_breach() {
    let mut call = Spoilt::named("caller_interrupts");
    let cut = call.find(|step| step.facts.iter().any(|fact| matches!(fact, Fact::Cut { .. })));
    call.change_cut(cut, |heard, _| heard.0 += 100);
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn speech_heard_sooner_than_it_lasts_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let step = call.find(|step| heard(step, OPENING));
    if let Cause::Input(Input::Playback(Playback::Heard { audio, .. })) =
        &mut call.steps[step].cause
    {
        audio.0 += 1_000;
    }
    for fact in &mut call.steps[step].facts {
        if let Fact::Heard { audio, .. } = fact {
            audio.0 += 1_000;
        }
    }
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

#[test]
fn speech_that_counts_as_heard_in_advance_of_the_ear_is_a_breach() {
    let mut call = Spoilt::named("s22_agent_lost_speaking");
    let cut = call.find(|step| step.facts.iter().any(|fact| matches!(fact, Fact::Cut { .. })));
    let before = call.steps[cut - 1].at;
    assert!(before < call.steps[cut].at, "what was handed over is played out first");
    call.steps[cut].at = before;
    call.breaks(&[HEARD_IS_NOT_SAID]);
}

// F-HU-08

#[test]
fn a_disclosure_before_the_opening_was_heard_is_a_breach() {
    let mut call = Spoilt::named("late_payment");
    let heard = call.find(|step| heard(step, OPENING));
    let mut late = call.steps.remove(heard);
    // Nor is there a mark that one behind it could prove lost.
    let queued = call.find(|step| {
        let Cause::Input(Input::Playback(news)) = &step.cause else { return false };
        matches!(news, Playback::Queued { utterance: OPENING, .. })
    });
    call.steps.remove(queued);
    let told = call.find(|step| step.facts.iter().any(|f| matches!(f, Fact::Disclosed { .. })));
    late.at = call.steps[told].at;
    call.steps.insert(told + 1, late);
    call.breaks(&["F-HU-08"]);
}
