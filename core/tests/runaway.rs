//! Talk that leads nowhere: an agent that does not stop, a loop of functions, a line full of
//! noise.

mod support;

use call_core::{
    Effect, EndReason, LineId, Phase, Step, call::Timer, input::HungUp, step::Refusal,
};

use support::{
    Desk, agent_says, answers, ask, asks, began, caller_says, cut, done, effects, fired, hangup,
    heard, hung_up, line, line_ready, lines, lookup, noise, people, phases, queued, reason,
    sentence,
};

// Speech without end.

/// F-DG-31.
#[test]
fn an_agent_that_speaks_for_90_seconds_is_stopped_and_a_person_takes_over() {
    let mut desk = Desk::speaking_with(people());
    assert_eq!(effects(&desk.until(100_999)), []);
    let steps = desk.until(101_000);
    assert_eq!(fired(&steps), [(101_000, Timer::AgentSpeech)]);
    assert_eq!(effects(&steps)[0], Effect::Clear);
    assert_eq!(lines(&steps), [LineId::Transferring]);
    assert_eq!(phases(&steps), [Phase::Transferring]);
}

/// F-DG-31: it is one speech also where its sentences are heard one by one.
#[test]
fn an_agent_that_speaks_for_90_seconds_sentence_by_sentence_is_stopped_too() {
    let mut desk = Desk::speaking_with(people());
    for number in 2..30 {
        let at = 11_000 + u64::from(number) * 3_000;
        if desk.phase() != Phase::Speaking {
            break;
        }
        desk.at(at, agent_says(number, "And another thing."));
        desk.at(at, began(sentence(number)));
        desk.at(at, queued(sentence(number - 1), 3_000, at));
        desk.at(at, heard(sentence(number - 1), 3_000));
    }
    desk.until(101_000);
    assert_eq!(desk.phase(), Phase::Transferring);
}

/// F-DG-31: behind a line of ours it is the same speech.
#[test]
fn an_agent_that_begins_behind_a_line_of_ours_is_watched_all_the_same() {
    let mut desk = Desk::thinking_with(people());
    assert_eq!(lines(&desk.until(14_000)), [LineId::Hold]);
    desk.at(14_100, line_ready(line(2)));
    desk.at(14_100, began(line(2)));
    desk.at(14_200, agent_says(1, "Well."));
    desk.at(14_200, queued(line(2), 1_000, 15_200));
    desk.at(15_200, heard(line(2), 1_000));
    desk.at(15_200, began(sentence(1)));
    let steps = desk.until(110_000);
    assert_eq!(fired(&steps)[0], (104_200, Timer::AgentSpeech));
}

/// F-DG-31, I-11: words into the agent's speech begin its time anew, and do not end the watch.
#[test]
fn an_agent_that_stays_in_mid_reply_behind_the_callers_words_is_stopped_too() {
    let mut desk = Desk::speaking_with(people());
    desk.at(12_000, caller_says("And your address?"));
    desk.at(12_100, queued(sentence(1), 1_200, 12_900));
    desk.at(12_900, heard(sentence(1), 1_200));
    assert_eq!(fired(&desk.until(110_000))[0], (102_000, Timer::AgentSpeech));
}

#[test]
fn where_there_is_nobody_a_runaway_agent_is_the_end_of_the_call() {
    let mut desk = Desk::speaking();
    assert_eq!(lines(&desk.until(101_000)), [LineId::Trouble]);
    desk.at(101_000, cut(sentence(1), 80_000, 90_000));
    desk.plays(line(2), 101_200, 103_000);
    let steps = desk.at(103_100, hung_up(HungUp::Done));
    assert_eq!(reason(&steps), Some(EndReason::AgentFailed));
}

#[test]
fn the_callers_words_give_the_agent_another_90_seconds() {
    let mut desk = Desk::speaking();
    desk.at(60_000, noise());
    desk.at(60_000, cut(sentence(1), 40_000, 50_000));
    desk.at(61_000, caller_says("And what about June?"));
    desk.at(62_000, agent_says(2, "In June."));
    desk.at(62_000, began(sentence(2)));
    assert_eq!(phases(&desk.until(151_999)), []);
    assert_eq!(fired(&desk.until(152_000)), [(152_000, Timer::AgentSpeech)]);
}

/// F-HU-04, F-DG-31: a silent caller is not a speaking agent.
#[test]
fn time_in_which_the_caller_has_the_floor_is_not_the_agents_speech() {
    let mut desk = Desk::thinking_with(people());
    desk.agent_speaks(1, 11_000, 45_000);
    desk.until(70_000);
    desk.plays(line(2), 70_100, 72_000);
    let steps = desk.until(107_000);
    assert_eq!(fired(&steps), [(107_000, Timer::SilenceFarewell)]);
    assert_eq!(lines(&steps), [LineId::GoodbyeSilence]);
}

// Functions without end.

/// F-DG-31.
#[test]
fn more_than_eight_functions_in_a_turn_are_a_loop_and_a_person_takes_over() {
    let mut desk = Desk::verified();
    for number in 1..=8_u64 {
        let id = format!("g{number}");
        let at = 13_000 + number * 100;
        desk.at(at, asks(&[lookup(&id)]));
        desk.at(at + 50, done(&id));
    }
    assert_eq!(desk.phase(), Phase::Thinking);
    let steps = desk.at(14_000, asks(&[lookup("g9")]));
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
}

/// F-DG-31: a refused function is one too.
#[test]
fn functions_that_are_refused_count_in_a_turn() {
    let mut desk = Desk::thinking();
    for number in 1..=8 {
        desk.at(11_000, asks(&[ask(&format!("g{number}"), "fly")]));
    }
    assert_eq!(desk.phase(), Phase::Thinking);
    let steps = desk.at(11_500, asks(&[ask("g9", "fly")]));
    assert_eq!(phases(&steps), [Phase::Farewell]);
    assert_eq!(lines(&steps), [LineId::Trouble]);
    let refused = call_core::effect::Answer::Refused(Refusal::Unknown);
    assert_eq!(answers(&steps), [("g9".into(), refused)], "each is answered");
}

/// F-DG-16.
#[test]
fn a_request_that_is_repeated_is_not_one_more() {
    let mut desk = Desk::thinking();
    for at in 11_000..11_020 {
        desk.at(at, asks(&[ask("g1", "fly")]));
    }
    assert_eq!(desk.phase(), Phase::Thinking);
}

#[test]
fn the_callers_words_allow_eight_more() {
    let mut desk = Desk::verified();
    for number in 1..=16_u64 {
        let id = format!("g{number}");
        desk.at(13_000 + number, asks(&[lookup(&id)]));
        desk.at(13_000 + number, done(&id));
        if number == 8 {
            desk.at(13_000 + number, caller_says("And now?"));
        }
    }
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// S21: the goodbye is what was asked for, however often.
#[test]
fn an_agent_that_asks_to_hang_up_many_times_is_answered_each_time_and_heard_once() {
    let mut desk = Desk::thinking();
    let many: Vec<_> = (1..=300).map(|number| hangup(&format!("h{number}"))).collect();
    let steps = desk.at(11_000, asks(&many));
    assert_eq!(answers(&steps).len(), 300);
    assert_eq!(lines(&steps), [LineId::Farewell]);
    assert_eq!(phases(&steps), [Phase::Farewell]);
}

// Noise without end.

/// F-DG-15, S40: what is longer was cut three times, so a word or two are tried, and then a person.
#[test]
fn three_cuts_in_a_row_without_a_word_lead_to_a_short_prompt_and_a_fourth_to_a_person() {
    let mut desk = Desk::thinking_with(people());
    for number in 1..=2 {
        noise_cuts(&mut desk, number);
        assert_eq!(desk.phase(), Phase::Listening, "cut {number}");
    }
    let steps = noise_cuts(&mut desk, 3);
    assert_eq!(lines(&steps), [LineId::HearMe]);
    assert_eq!(effects(&steps)[0], Effect::Clear, "what was cut stops first");
    let at = desk.now() + 200;
    desk.at(at, line_ready(line(2)));
    desk.at(at, began(line(2)));
    let steps = desk.at(at + 100, noise());
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
}

/// F-DG-15: a short prompt that came through, and words after it, end the row.
#[test]
fn a_caller_who_answers_the_short_prompt_goes_on_with_the_agent() {
    let mut desk = Desk::thinking_with(people());
    for number in 1..=3 {
        noise_cuts(&mut desk, number);
    }
    let at = desk.now() + 200;
    desk.plays(line(2), at, at + 900);
    assert_eq!(desk.phase(), Phase::Listening);
    desk.at(at + 2_000, caller_says("Yes, I hear you."));
    for number in 4..=5 {
        noise_cuts(&mut desk, number);
        assert_eq!(desk.phase(), Phase::Listening, "cut {number}");
    }
}

/// F-DG-15.
#[test]
fn words_between_the_cuts_make_them_an_ordinary_talk() {
    let mut desk = Desk::thinking_with(people());
    for number in 1..=12 {
        noise_cuts(&mut desk, number);
        let at = desk.now() + 500;
        desk.at(at, caller_says("No, the other one."));
    }
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// S03, S04: a cough while nobody speaks cuts nothing.
#[test]
fn noise_in_silence_is_no_cut() {
    let mut desk = Desk::listening_with(people());
    for at in (6_000..26_000).step_by(1_000) {
        desk.at(at, noise());
    }
    assert_eq!(desk.phase(), Phase::Listening);
}

// Helpers.

/// The agent begins a sentence, and a noise cuts it after a second.
fn noise_cuts(desk: &mut Desk, number: u32) -> Vec<Step> {
    let at = desk.now() + 1_000;
    desk.at(at, agent_says(number, "One hundred dollars."));
    desk.at(at, began(sentence(number)));
    let steps = desk.at(at + 1_000, noise());
    desk.at(at + 1_000, cut(sentence(number), 1_000, 3_000));
    steps
}
