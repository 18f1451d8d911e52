//! The caller's silence: when it counts, and what comes of it.

mod support;

use call_core::{
    Brief, Effect, EndReason, Fact, Limits, LineId, Millis, Phase, Step, call::Timer, input::HungUp,
};

use support::{
    Desk, agent_says, asks, audio_done, began, caller_says, cut, digit, done, effects, facts,
    fired, heard, hung_up, ignored, line, line_ready, lines, lookup, noise, phases, pound, queued,
    reason, sentence, sound,
};

/// F-HU-04.
#[test]
fn a_silent_caller_is_asked_after_25_seconds() {
    let mut desk = Desk::listening();
    assert!(desk.until(29_999).is_empty());
    let steps = desk.until(30_000);
    assert_eq!(fired(&steps), [(30_000, Timer::SilencePrompt)]);
    assert_eq!(lines(&steps), [LineId::StillThere]);
    assert_eq!(phases(&steps), [Phase::Speaking]);
}

/// F-HU-04.
#[test]
fn a_caller_who_is_silent_for_60_seconds_in_all_is_bid_goodbye_and_the_prompt_resets_nothing() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.plays(line(2), 30_100, 32_000);
    assert_eq!(desk.next(), Some((67_000, Timer::SilenceFarewell)), "25 s before, 35 s to go");
    let steps = desk.until(67_000);
    assert_eq!(lines(&steps), [LineId::GoodbyeSilence]);
    assert_eq!(effects(&desk.plays(line(3), 67_200, 69_000)).last(), Some(&Effect::HangUp));
    assert_eq!(reason(&desk.at(69_100, hung_up(HungUp::Done))), Some(EndReason::NoInput));
}

/// I-15.
#[test]
fn time_in_which_the_agent_speaks_is_not_silence() {
    let mut desk = Desk::listening();
    desk.agent_speaks(1, 15_000, 21_000);
    assert_eq!(desk.next(), Some((36_000, Timer::SilencePrompt)), "10 s before, 15 s to go");
}

/// I-15, F-HU-04.
#[test]
fn time_in_which_we_owe_something_is_not_silence() {
    let mut desk = Desk::listening();
    desk.at(15_000, asks(&[lookup("f1")]));
    // Nothing was heard since 00:05.000: a filler is due as soon as there may be one.
    assert_eq!(desk.next(), Some((15_500, Timer::Filler)), "a function runs");
    desk.until(15_500);
    desk.plays(line(2), 15_600, 16_600);
    assert_eq!(desk.next(), Some((20_600, Timer::Filler)), "it still runs");
    assert_eq!(phases(&desk.at(17_000, done("f1"))), [Phase::Thinking]);
    assert_eq!(desk.next(), Some((20_600, Timer::Filler)), "the agent owes words");
    desk.agent_speaks(1, 18_000, 20_000);
    assert_eq!(desk.next(), Some((35_000, Timer::SilencePrompt)), "10 s before, 15 s to go");
}

#[test]
fn words_reset_the_silence_and_let_the_prompt_be_asked_again() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.plays(line(2), 30_100, 32_000);
    desk.at(40_000, caller_says("I am here."));
    desk.agent_speaks(1, 41_000, 43_000);
    assert_eq!(desk.next(), Some((68_000, Timer::SilencePrompt)));
    assert_eq!(lines(&desk.until(68_000)), [LineId::StillThere]);
    desk.plays(line(3), 68_100, 70_000);
    assert_eq!(desk.next(), Some((105_000, Timer::SilenceFarewell)));
}

/// F-HU-04, F-DG-15, S04: it delays the prompt, to three quarters of the way at most, and the farewell
/// for as long as a farewell may take.
#[test]
fn noise_does_not_reset_the_silence() {
    let mut desk = Desk::listening();
    for at in (6_000..30_000).step_by(1_000) {
        assert_eq!(effects(&desk.at(at, noise())), []);
    }
    assert_eq!(desk.next(), Some((50_000, Timer::SilencePrompt)));
    assert_eq!(lines(&desk.until(50_000)), [LineId::StillThere]);
    desk.plays(line(2), 50_100, 52_000);
    for at in (52_000..67_000).step_by(1_000) {
        assert_eq!(effects(&desk.at(at, noise())), []);
    }
    assert_eq!(
        desk.next(),
        Some((70_000, Timer::SilenceFarewell)),
        "4 s for the words of the last"
    );
    for at in (67_000..82_000).step_by(1_000) {
        assert_eq!(effects(&desk.at(at, noise())), []);
    }
    assert_eq!(desk.next(), Some((82_000, Timer::SilenceFarewell)), "45 s before, and 30 s");
}

/// S01, S20: whoever begins to speak before we say goodbye is heard out, and the silence was none.
#[test]
fn a_goodbye_waits_for_a_voice_that_has_begun() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.plays(line(2), 30_100, 32_000);
    assert_eq!(desk.next(), Some((67_000, Timer::SilenceFarewell)));
    desk.at(66_500, noise());
    for at in (66_600..71_000).step_by(500) {
        assert_eq!(effects(&desk.at(at, sound())), []);
    }
    assert_eq!(
        phases(&desk.at(72_000, caller_says("I am back. What do I owe?"))),
        [Phase::Thinking]
    );
    desk.agent_speaks(1, 73_000, 75_000);
    assert_eq!(desk.next(), Some((100_000, Timer::SilencePrompt)));
}

/// S04: a cough delays it by no more than its words would need.
#[test]
fn a_goodbye_waits_four_seconds_for_the_words_of_a_cough() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.plays(line(2), 30_100, 32_000);
    desk.at(60_000, noise());
    assert_eq!(desk.next(), Some((67_000, Timer::SilenceFarewell)), "that is long ago");
    desk.at(66_000, noise());
    assert_eq!(desk.next(), Some((70_000, Timer::SilenceFarewell)));
    assert_eq!(phases(&desk.until(70_000)), [Phase::Farewell]);
}

// A long turn: its words come only when it is over.

/// I-15, F-HU-04.
#[test]
fn a_caller_who_speaks_for_half_a_minute_is_not_asked_whether_they_are_there() {
    let mut desk = Desk::listening();
    desk.at(7_000, noise());
    assert_eq!(desk.next(), Some((42_000, Timer::SilencePrompt)), "35 s from the voice on");
    assert_eq!(phases(&desk.at(38_000, caller_says("That was a long story."))), [Phase::Thinking]);
    desk.agent_speaks(1, 39_000, 41_000);
    assert_eq!(desk.next(), Some((66_000, Timer::SilencePrompt)), "25 s again, without a voice");
}

/// I-15: a voice that was heard before the caller had the floor.
#[test]
fn a_caller_who_began_over_our_speech_may_go_on_for_as_long() {
    let mut desk = Desk::speaking();
    desk.at(12_000, noise());
    assert_eq!(phases(&desk.at(12_000, cut(sentence(1), 1_000, 2_000))), [Phase::Listening]);
    for at in (12_500..46_000).step_by(500) {
        desk.at(at, sound());
    }
    assert_eq!(desk.next(), Some((47_000, Timer::SilencePrompt)));
}

/// S04: the first cough does not buy a television more than its bound.
#[test]
fn a_prompt_waits_no_longer_than_three_quarters_of_the_way_to_the_farewell() {
    let mut desk = Desk::listening();
    desk.at(29_000, noise());
    assert_eq!(desk.next(), Some((50_000, Timer::SilencePrompt)), "not 64 s");
    desk.until(50_000);
    desk.at(50_100, line_ready(line(2)));
    assert_eq!(desk.next().map(|(_, timer)| timer), Some(Timer::LineReady));
}

#[test]
fn a_voice_shortly_before_does_not_hasten_the_prompt() {
    let mut desk = Desk::listening_with(Brief {
        limits: Limits { long_turn: Millis(1_000), ..Limits::default() },
        ..Brief::example()
    });
    desk.at(10_000, noise());
    assert_eq!(desk.next(), Some((30_000, Timer::SilencePrompt)));
}

#[test]
fn noise_stops_the_prompt_and_the_silence_goes_on() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.at(30_100, line_ready(line(2)));
    desk.at(30_100, began(line(2)));
    assert_eq!(effects(&desk.at(30_600, noise())), [Effect::Clear]);
    let steps = desk.at(30_600, cut(line(2), 500, 2_000));
    assert_eq!(phases(&steps), [Phase::Listening]);
    assert_eq!(lines(&steps), [], "a prompt need not be heard to its end");
    assert_eq!(desk.next(), Some((65_600, Timer::SilenceFarewell)));
}

#[test]
fn a_caller_line_tells_when_the_caller_began_to_speak() {
    let mut desk = Desk::listening();
    desk.at(8_000, noise());
    desk.at(8_500, noise());
    let steps = desk.at(10_000, caller_says("Hello?"));
    let [Fact::CallerLine { started, ended, .. }] = &facts(&steps)[..] else { panic!("{steps:?}") };
    assert_eq!((started.as_millis(), ended.as_millis()), (8_000, 10_000));
}

/// I-03: what agreed to something began when it began, and not with a cough long before.
#[test]
fn a_noise_of_which_nothing_came_does_not_begin_the_words_that_come_later() {
    let started = |steps: &[Step]| match &facts(steps)[..] {
        [Fact::CallerLine { started, .. }] => started.as_millis(),
        other => panic!("{other:?}"),
    };
    let mut desk = Desk::listening();
    desk.at(8_000, noise());
    desk.at(8_300, sound());
    desk.at(12_300, noise());
    assert_eq!(started(&desk.at(14_000, caller_says("Hello?"))), 12_300);
    // A pause in a turn is no end of it.
    let mut desk = Desk::listening();
    desk.at(8_000, noise());
    desk.at(10_000, sound());
    desk.at(13_900, noise());
    assert_eq!(started(&desk.at(15_000, caller_says("My number is, let me see, here."))), 8_000);
    // Nor does a cough begin what was said behind our question what it was.
    let mut desk = Desk::speaking();
    desk.at(12_000, noise());
    desk.at(12_000, cut(sentence(1), 1_000, 2_000));
    desk.until(16_000);
    desk.plays(line(2), 16_100, 18_000);
    assert_eq!(started(&desk.at(20_000, caller_says("Again, please."))), 20_000);
}

// Dead air.

/// I-16: what the caller hears nothing for is counted from the last sound, in whatever state.
#[test]
fn dead_air_counts_from_the_callers_last_words_not_from_the_function() {
    let mut desk = Desk::thinking();
    desk.at(12_500, asks(&[lookup("f1")]));
    assert_eq!(desk.next(), Some((14_000, Timer::Filler)), "words at 10 s");
    desk.at(13_000, done("f1"));
    assert_eq!(desk.phase(), Phase::Thinking);
    assert_eq!(desk.next(), Some((15_000, Timer::Filler)), "a reply to it may be coming");
    let mut desk = Desk::thinking();
    desk.at(11_000, asks(&[lookup("f1")]));
    desk.at(11_500, done("f1"));
    assert_eq!(desk.next(), Some((14_000, Timer::Filler)), "a result is no sound");
}

/// S07, F-MW-07: whoever speaks is not waiting for us.
#[test]
fn nobody_says_one_moment_over_a_caller_who_speaks() {
    let mut desk = Desk::function_pending();
    desk.at(13_000, noise());
    for at in (13_500..18_000).step_by(500) {
        assert_eq!(effects(&desk.at(at, sound())), []);
    }
    assert_eq!(desk.next(), Some((19_000, Timer::FunctionLimit)));
    desk.at(18_500, caller_says("And I have moved."));
    desk.until(19_000);
    assert_eq!(desk.next(), Some((22_500, Timer::Filler)));
}

/// S07: never one moment behind the result.
#[test]
fn a_filler_that_has_not_begun_is_not_said_behind_the_result() {
    let mut desk = Desk::function_pending();
    assert_eq!(lines(&desk.until(14_000)), [LineId::Hold]);
    let steps = desk.at(14_050, done("f1"));
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(2) }));
    assert_eq!(phases(&steps), [Phase::Thinking]);
    assert!(ignored(&desk.at(14_100, line_ready(line(2)))), "it comes too late");
    assert_eq!(desk.next(), Some((16_050, Timer::Filler)), "the agent may be about to speak");
    // As long as another function runs, the caller waits for it.
    let mut desk = Desk::thinking();
    desk.at(11_000, asks(&[lookup("f1"), lookup("f2")]));
    desk.until(14_000);
    assert_eq!(phases(&desk.at(14_050, done("f1"))), []);
    assert_eq!(phases(&desk.plays(line(2), 14_100, 15_000)), [Phase::FunctionPending]);
}

#[test]
fn dead_air_counts_from_the_end_of_what_was_heard() {
    let mut desk = Desk::speaking();
    desk.at(11_500, audio_done());
    desk.at(11_500, queued(sentence(1), 2_000, 13_000));
    desk.at(12_000, asks(&[lookup("f1")]));
    assert_eq!(phases(&desk.at(13_000, heard(sentence(1), 2_000))), [Phase::FunctionPending]);
    assert_eq!(desk.next(), Some((17_000, Timer::Filler)));
    desk.until(17_000);
    desk.plays(line(2), 17_100, 18_000);
    assert_eq!(desk.next(), Some((20_000, Timer::FunctionLimit)));
    desk.until(20_000);
    assert_eq!(desk.next(), Some((22_000, Timer::Filler)), "the filler was heard until 18 s");
}

#[test]
fn dead_air_counts_from_the_cut_of_what_was_being_heard() {
    let mut desk = Desk::function_pending();
    desk.at(11_500, agent_says(1, "Let me see."));
    desk.at(11_500, began(sentence(1)));
    desk.at(12_200, noise());
    assert_eq!(phases(&desk.at(12_200, cut(sentence(1), 700, 900))), [Phase::FunctionPending]);
    assert_eq!(desk.next(), Some((16_200, Timer::Filler)));
}

#[test]
fn dead_air_counts_from_the_callers_last_key() {
    let mut desk = Desk::listening();
    desk.at(10_000, digit());
    desk.at(10_700, digit());
    assert_eq!(phases(&desk.at(11_500, pound())), [Phase::Thinking]);
    assert_eq!(desk.next(), Some((15_500, Timer::Filler)));
}
