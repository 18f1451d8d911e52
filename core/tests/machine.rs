//! What the call machine does, one sentence each. Faults (`F-…`) and invariants (`I-…`) are named
//! where a test stands for one.

mod support;

use call_core::{
    CallTime, Effect, EndReason, Fact, Language, LineId, Millis, Phase, Rung,
    call::{Timer, chart},
    effect::Answer,
    input::{Agent, AgentLoss, HungUp, Input},
    step::Refusal,
};

use support::{
    Desk, OPENING, agent_ready, agent_says, answers, asks, audio_done, began, caller_says, checked,
    cut, cut_fact, dry, effects, facts, fired, hangup, heard, hung_up, ignored, line, line_ready,
    lines, lookup, noise, performed, phases, queued, reason, recorded, sentence, stopped, waits,
};

// The beginning.

#[test]
fn a_new_call_asks_for_its_agent_and_its_opening_line() {
    let desk = Desk::new();
    let [
        Effect::OpenAgent { language: Language::English, resume: false },
        Effect::Prepare { utterance, line, .. },
    ] = &desk.journal[0].effects[..]
    else {
        panic!("{:?}", desk.journal[0].effects)
    };
    assert_eq!((*utterance, *line), (OPENING, LineId::Opening));
    assert_eq!(desk.phase(), Phase::Connecting);
}

#[test]
fn a_ready_line_is_played_at_once() {
    let mut desk = Desk::new();
    let steps = desk.at(400, line_ready(OPENING));
    assert_eq!(effects(&steps), [Effect::Play { utterance: OPENING }]);
    assert!(matches!(&facts(&steps)[..], [Fact::LineRendered { line: LineId::Opening, .. }]));
    assert_eq!(desk.phase(), Phase::Connecting, "the opening may play before the agent is ready");
}

#[test]
fn an_agent_that_is_ready_before_the_opening_was_heard_finds_the_call_greeting() {
    let mut desk = Desk::new();
    assert_eq!(phases(&desk.at(900, agent_ready())), [Phase::Greeting]);
    let steps = desk.plays(OPENING, 1_000, 5_000);
    assert_eq!(phases(&steps), [Phase::Listening]);
    assert_eq!(steps.last().map(|step| step.at), Some(CallTime::from_millis(5_000)));
}

#[test]
fn an_agent_that_is_ready_after_the_opening_was_heard_finds_the_call_listening() {
    let mut desk = Desk::new();
    assert_eq!(phases(&desk.plays(OPENING, 1_000, 5_000)), []);
    assert_eq!(phases(&desk.at(6_000, agent_ready())), [Phase::Listening]);
}

#[test]
fn the_agent_is_told_of_a_line_that_it_could_not_hear() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    let steps = desk.plays(OPENING, 1_000, 5_000);
    let told = Effect::TellAgent { utterance: OPENING, text: "words of line-1".into() };
    assert_eq!(effects(&steps).last(), Some(&told));
}

/// F-HU-08.
#[test]
fn noise_during_the_opening_does_not_stop_it() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    let steps = desk.at(2_000, noise());
    assert_eq!(effects(&steps), []);
    assert_eq!(desk.phase(), Phase::Greeting);
}

#[test]
fn a_reply_that_waits_behind_the_opening_is_given_up_when_the_caller_speaks() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    desk.at(1_500, agent_says(1, "Hello."));
    assert_eq!(effects(&desk.at(2_000, noise())), [Effect::CutReply], "the opening goes on");
    desk.at(2_000, queued(OPENING, 4_000, 5_000));
    assert_eq!(phases(&desk.at(5_000, heard(OPENING, 4_000))), [Phase::Listening]);
}

/// F-HU-08.
#[test]
fn an_opening_that_was_cut_is_said_again() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    let steps = desk.at(2_000, cut(OPENING, 1_000, 4_000));
    assert_eq!(lines(&steps), [LineId::Opening]);
    assert_eq!(phases(&steps), []);
    assert_eq!(phases(&desk.plays(line(2), 2_500, 6_500)), [Phase::Listening]);
}

#[test]
fn words_during_the_opening_are_kept_and_owe_a_reply_after_it() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    desk.at(2_000, noise());
    let steps = desk.at(3_000, caller_says("I want to pay."));
    let said = Fact::CallerLine {
        started: CallTime::from_millis(2_000),
        ended: CallTime::from_millis(3_000),
        language: None,
        text: "I want to pay.".into(),
    };
    assert_eq!(facts(&steps), [said]);
    assert_eq!(desk.phase(), Phase::Greeting);
    desk.at(3_000, queued(OPENING, 4_000, 5_000));
    assert_eq!(phases(&desk.at(5_000, heard(OPENING, 4_000))), [Phase::Thinking]);
}

/// F-TW-20: a call does not greet for ever because a mark was lost.
#[test]
fn an_opening_whose_mark_is_lost_counts_as_perhaps_heard_and_the_call_goes_on() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    desk.at(1_000, queued(OPENING, 4_000, 5_000));
    let steps = desk.until(7_000);
    assert_eq!(facts(&steps), [Fact::HeardUnknown { utterance: OPENING }]);
    assert_eq!(phases(&steps), [Phase::Listening]);
}

/// F-DG-04, F-DG-05: and the caller is asked to hold before.
#[test]
fn an_agent_that_is_not_ready_in_time_ends_the_call_with_words() {
    let mut desk = Desk::new();
    desk.plays(OPENING, 1_000, 5_000);
    let steps = desk.until(9_000);
    assert_eq!(lines(&steps), [LineId::Hold], "four seconds of nothing");
    desk.plays(line(2), 9_000, 10_500);
    let steps = desk.until(11_000);
    assert_eq!(fired(&steps), [(11_000, Timer::AgentReady)]);
    assert_eq!(lines(&steps), [LineId::Trouble]);
    assert_eq!(phases(&steps), [Phase::Farewell]);
}

/// F-DG-01, F-DG-02, F-DG-03.
#[test]
fn an_agent_that_cannot_be_had_ends_the_call_with_words() {
    for loss in [AgentLoss::Unreachable, AgentLoss::Refused(401), AgentLoss::Refused(429)] {
        let mut desk = Desk::new();
        let steps = desk.at(2_000, Input::Agent(Agent::Lost(loss)));
        assert_eq!(lines(&steps), [LineId::Trouble]);
        let steps = desk.plays(line(2), 2_500, 6_000);
        assert_eq!(effects(&steps).last(), Some(&Effect::HangUp));
        assert_eq!(reason(&desk.at(6_100, hung_up(HungUp::Done))), Some(EndReason::AgentFailed));
    }
}

#[test]
fn a_line_that_is_not_ready_in_time_is_said_in_another_way() {
    let mut desk = Desk::new();
    let steps = desk.until(2_000);
    assert_eq!(fired(&steps), [(2_000, Timer::LineReady)]);
    let (utterance, line) = (OPENING, LineId::Opening);
    assert_eq!(facts(&steps), [Fact::LineFailed { utterance, line, by: Rung::Spoken }]);
    assert_eq!(recorded(&steps), [LineId::Opening]);
    assert!(ignored(&desk.at(2_100, line_ready(OPENING))), "it is not wanted any more");
}

// Speech.

/// F-DG-14, F-TW-21.
#[test]
fn the_callers_voice_stops_the_agent_and_only_the_part_played_counts_as_heard() {
    let mut desk = Desk::speaking();
    assert_eq!(effects(&desk.at(12_000, noise())), [Effect::Clear]);
    let steps = desk.at(12_000, cut(sentence(1), 1_000, 3_000));
    assert_eq!(facts(&steps), [cut_fact(sentence(1), 1_000, 3_000)]);
    assert_eq!(phases(&steps), [Phase::Listening]);
    let late = desk.at(12_050, heard(sentence(1), 3_000));
    assert!(ignored(&late), "the mark came back because of the cut");
}

#[test]
fn a_line_that_is_still_being_made_is_not_played_after_the_caller_spoke() {
    let mut desk = Desk::thinking();
    assert_eq!(lines(&desk.until(14_000)), [LineId::Hold]);
    let steps = desk.at(14_500, noise());
    assert_eq!(effects(&steps), [Effect::Clear]);
    assert_eq!(phases(&steps), [Phase::Thinking], "the reply is still owed");
    assert!(ignored(&desk.at(15_000, line_ready(line(2)))));
}

/// F-HU-08: goodbye is a required line.
#[test]
fn the_callers_voice_does_not_stop_the_farewell() {
    let mut desk = Desk::farewell();
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    assert_eq!(effects(&desk.at(12_000, noise())), []);
    let steps = desk.at(12_500, caller_says("Wait!"));
    assert_eq!(effects(&steps), []);
    assert!(matches!(&facts(&steps)[..], [Fact::CallerLine { .. }]), "yet it stays on record");
    assert_eq!(desk.phase(), Phase::Farewell);
}

/// I-11, I-12: only the end of the stream cuts it, and of that we hear next.
#[test]
fn a_farewell_that_was_cut_is_not_said_again_and_its_limit_goes_on() {
    let make = || {
        let mut desk = Desk::farewell();
        desk.at(11_200, line_ready(line(2)));
        desk.at(11_200, began(line(2)));
        let steps = desk.at(12_000, cut(line(2), 800, 2_000));
        let fact = cut_fact(line(2), 800, 2_000);
        assert_eq!(facts(&steps), [fact]);
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
        assert_eq!(desk.next(), Some((26_000, Timer::FarewellLimit)));
        desk
    };
    assert_eq!(reason(&make().at(12_000, stopped())), Some(EndReason::CallerHangup));
    let mut desk = make();
    let steps = desk.until(26_000);
    assert_eq!(fired(&steps), [(26_000, Timer::FarewellLimit)]);
    assert_eq!((effects(&steps), phases(&steps)), (vec![Effect::HangUp], vec![Phase::HangingUp]));
}

/// F-DG-12.
#[test]
fn speech_is_over_when_it_was_heard_not_when_the_agent_has_sent_it() {
    let mut desk = Desk::speaking();
    assert_eq!(phases(&desk.at(11_500, audio_done())), []);
    assert_eq!(phases(&desk.at(11_600, audio_done())), []);
    desk.at(11_600, queued(sentence(1), 2_000, 13_000));
    let steps = desk.at(13_000, heard(sentence(1), 2_000));
    assert_eq!(facts(&steps), [Fact::Heard { utterance: sentence(1), audio: Millis(2_000) }]);
    assert_eq!(phases(&steps), [Phase::Listening]);
}

/// F-DG-12.
#[test]
fn the_agents_end_of_audio_alone_never_hangs_up() {
    let mut desk = Desk::farewell();
    for at in [11_100, 11_200, 11_300] {
        assert_eq!(effects(&desk.at(at, audio_done())), []);
    }
    assert_eq!(desk.phase(), Phase::Farewell);
}

/// F-DG-11.
#[test]
fn a_sentence_whose_end_is_never_told_ends_after_one_and_a_half_dry_seconds() {
    let mut desk = Desk::speaking();
    desk.at(13_000, dry());
    assert!(desk.until(14_499).is_empty());
    let steps = desk.until(14_500);
    assert_eq!(fired(&steps), [(14_500, Timer::AgentAudioDone)]);
    assert_eq!(effects(&steps), [Effect::EndSentence]);
    assert_eq!(desk.phase(), Phase::Speaking, "its mark is not back yet");
    desk.at(14_500, queued(sentence(1), 2_000, 14_500));
    assert_eq!(phases(&desk.at(14_600, heard(sentence(1), 2_000))), [Phase::Listening]);
}

#[test]
fn a_sentence_whose_end_is_told_after_it_ran_dry_is_not_ended_twice() {
    let mut desk = Desk::speaking();
    desk.at(13_000, dry());
    desk.at(13_500, audio_done());
    desk.at(13_500, queued(sentence(1), 2_000, 13_500));
    assert_eq!(phases(&desk.at(13_600, heard(sentence(1), 2_000))), [Phase::Listening]);
    assert_eq!(effects(&desk.until(20_000)), []);
}

/// F-DG-11: dry means that no audio came since.
#[test]
fn a_sentence_that_begins_after_the_last_one_ran_dry_is_not_cut_short() {
    let mut desk = Desk::speaking();
    desk.at(13_000, dry());
    desk.at(14_000, agent_says(2, "And fifty cents."));
    desk.at(14_100, began(sentence(2)));
    assert_eq!(effects(&desk.until(16_000)), []);
}

/// F-TW-20.
#[test]
fn a_mark_that_never_returns_leaves_speech_perhaps_heard() {
    let mut desk = Desk::speaking();
    desk.at(11_500, audio_done());
    desk.at(11_500, queued(sentence(1), 2_000, 13_000));
    assert!(desk.until(14_999).is_empty());
    let steps = desk.until(15_000);
    assert_eq!(fired(&steps), [(15_000, Timer::PlaybackMark)]);
    assert_eq!(facts(&steps), [Fact::HeardUnknown { utterance: sentence(1) }]);
    assert_eq!(phases(&steps), [Phase::Listening]);
    assert!(ignored(&desk.at(15_100, heard(sentence(1), 2_000))), "too late to prove anything");
}

/// F-TW-20: marks come back in order.
#[test]
fn a_mark_that_comes_back_tells_that_the_one_before_it_is_lost() {
    let mut desk = Desk::speaking();
    desk.at(11_500, queued(sentence(1), 2_000, 13_000));
    desk.at(12_500, agent_says(2, "And there is more."));
    desk.at(12_500, began(sentence(2)));
    desk.at(12_600, audio_done());
    desk.at(12_600, queued(sentence(2), 1_000, 14_000));
    let steps = desk.at(14_000, heard(sentence(2), 1_000));
    let (first, audio) = (sentence(1), Millis(1_000));
    let both =
        [Fact::HeardUnknown { utterance: first }, Fact::Heard { utterance: sentence(2), audio }];
    assert_eq!(facts(&steps), both);
    assert_eq!(phases(&steps), [Phase::Listening]);
    assert!(ignored(&desk.at(14_100, heard(first, 2_000))), "too late to prove anything");
}

/// F-TW-20: each mark has its own time, however much speech follows.
#[test]
fn a_mark_is_missed_in_time_although_other_speech_follows_its_own() {
    let mut desk = Desk::speaking();
    desk.at(11_500, queued(sentence(1), 2_000, 13_000));
    desk.at(12_900, agent_says(2, "And there is more."));
    desk.at(12_900, began(sentence(2)));
    desk.at(13_100, queued(sentence(2), 9_000, 22_000));
    let steps = desk.until(15_000);
    assert_eq!(fired(&steps), [(15_000, Timer::PlaybackMark)]);
    assert_eq!(facts(&steps), [Fact::HeardUnknown { utterance: sentence(1) }]);
    assert_eq!(phases(&steps), [], "the other one is still on its way");
    assert_eq!(desk.next(), Some((24_000, Timer::PlaybackMark)));
}

/// F-TW-22.
#[test]
fn a_mark_that_is_unknown_or_repeated_changes_nothing() {
    let mut desk = Desk::listening();
    assert!(ignored(&desk.at(5_100, heard(OPENING, 4_000))));
    assert!(ignored(&desk.at(5_200, heard(sentence(7), 4_000))));
    assert!(ignored(&desk.at(5_300, queued(sentence(7), 4_000, 9_000))));
    assert!(ignored(&desk.at(5_400, cut(sentence(7), 1_000, 4_000))));
}

/// F-DG-13: nobody announced this speech; its first audio does.
#[test]
fn speech_begins_with_its_first_audio_even_if_nobody_announced_it() {
    let mut desk = Desk::thinking();
    assert_eq!(phases(&desk.at(11_000, began(sentence(1)))), [Phase::Speaking]);
}

/// S07, I-15: a short reply may be sent, to its end, before the line in front of it was played.
#[test]
fn a_reply_that_waits_behind_our_line_is_a_reply_and_the_floor_is_free_once_it_was_heard() {
    let mut desk = Desk::thinking();
    assert_eq!(lines(&desk.until(14_000)), [LineId::Hold]);
    desk.at(14_100, line_ready(line(2)));
    desk.at(14_100, began(line(2)));
    desk.at(14_100, queued(line(2), 2_000, 16_100));
    desk.at(14_200, agent_says(1, "No."));
    desk.at(14_200, waits(sentence(1)));
    desk.at(14_300, audio_done());
    assert_eq!(phases(&desk.at(16_100, heard(line(2), 2_000))), [], "the reply comes now");
    desk.at(16_100, began(sentence(1)));
    desk.at(16_100, queued(sentence(1), 500, 16_600));
    assert_eq!(phases(&desk.at(16_600, heard(sentence(1), 500))), [Phase::Listening]);
}

// What the agent owes.

/// F-DG-24, I-16.
#[test]
fn an_agent_that_owes_a_reply_is_filled_in_for_and_given_up_after_12_seconds() {
    let mut desk = Desk::thinking();
    let steps = desk.until(14_000);
    assert_eq!(fired(&steps), [(14_000, Timer::Filler)]);
    assert_eq!(lines(&steps), [LineId::Hold]);
    assert_eq!(phases(&desk.plays(line(2), 14_100, 16_000)), [Phase::Thinking]);
    assert_eq!(lines(&desk.until(20_000)), [LineId::Hold]);
    desk.plays(line(3), 20_100, 21_500);
    let steps = desk.until(22_000);
    assert_eq!(fired(&steps), [(22_000, Timer::ReplyLimit)]);
    assert_eq!(lines(&steps), [LineId::Trouble]);
    desk.plays(line(4), 22_200, 25_000);
    assert_eq!(reason(&desk.at(25_100, hung_up(HungUp::Done))), Some(EndReason::AgentFailed));
}

#[test]
fn an_agent_that_replies_owes_nothing() {
    let mut desk = Desk::thinking();
    assert_eq!(phases(&desk.agent_speaks(1, 11_000, 13_000)), [Phase::Speaking, Phase::Listening]);
    assert_eq!(desk.next(), Some((38_000, Timer::SilencePrompt)));
}

/// F-DG-24.
#[test]
fn a_warning_of_the_agents_changes_nothing() {
    let mut desk = Desk::thinking();
    let steps = desk.at(12_000, Input::Agent(Agent::Warned("SLOW_THINK_REQUEST".into())));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
    assert!(!steps[0].ignored, "it stays in the story");
}

// What must not be left hanging.

/// F-HU-03.
#[test]
fn identity_may_not_be_tried_more_often_by_asking_all_at_once() {
    let mut desk = Desk::thinking();
    let many: Vec<_> = (1..=6).map(|number| lookup(&format!("f{number}"))).collect();
    desk.at(11_000, asks(&many));
    assert!(performed(&desk.journal).len() <= 3, "{:?}", performed(&desk.journal));
}

/// F-HU-03.
#[test]
fn a_try_that_failed_too_late_is_a_try_all_the_same() {
    let mut desk = Desk::thinking();
    for (at, id) in [(11_000, "f1"), (20_000, "f2"), (29_000, "f3")] {
        desk.at(at, asks(&[lookup(id)]));
        desk.at(at + 8_500, checked(id, &[("zip", false)], &[]));
        assert!(answers(&desk.journal).contains(&(id.into(), Answer::TimedOut)));
    }
    let steps = desk.at(38_000, asks(&[lookup("f4")]));
    assert_eq!(answers(&steps), [("f4".into(), Answer::Refused(Refusal::TooManyTries))]);
}

/// I-16, F-DG-24.
#[test]
fn an_agent_that_announces_words_and_sends_no_audio_still_owes_them() {
    let mut desk = Desk::thinking();
    desk.at(11_000, agent_says(1, "One hundred dollars."));
    desk.until(60_000);
    assert_ne!(desk.phase(), Phase::Speaking, "nobody has spoken for 49 seconds");
}

/// I-16: `effect.rs` promises that a timer gives `Play` up.
#[test]
fn a_line_that_never_begins_to_play_is_given_up() {
    let mut desk = Desk::new();
    desk.at(400, line_ready(OPENING));
    desk.at(900, agent_ready());
    desk.until(120_000);
    assert_ne!(desk.phase(), Phase::Greeting);
}

/// F-DG-24.
#[test]
fn a_caller_who_goes_on_speaking_gives_the_agent_more_time() {
    let mut desk = Desk::thinking();
    desk.plays(line(2), 14_100, 16_000);
    desk.plays(line(3), 20_100, 21_000);
    desk.at(21_500, caller_says("And how much in all?"));
    let steps = desk.until(22_500);
    assert!(!phases(&steps).contains(&Phase::Farewell), "it had one second");
}

/// I-13.
#[test]
fn every_function_that_was_allowed_has_an_end_on_record() {
    let mut desk = Desk::function_pending();
    let steps = desk.at(12_000, stopped());
    assert!(facts(&steps).iter().any(|fact| matches!(fact, Fact::FunctionDone { .. })));
}

/// The agent's wish to end the call is not one more function at work.
#[test]
fn an_agent_may_hang_up_however_many_functions_run() {
    let mut desk = Desk::thinking();
    let many: Vec<_> = (1..=8).map(|number| lookup(&format!("f{number}"))).collect();
    desk.at(11_000, asks(&many));
    desk.at(11_500, asks(&[hangup("f9")]));
    assert_eq!(desk.phase(), Phase::Farewell);
}

// Time.

/// A clock that goes back is taken for one that stands still, also by timers that are overdue.
#[test]
fn a_time_before_the_last_one_counts_as_the_last_one() {
    let make = || {
        let mut desk = Desk::speaking();
        desk.at(15_000, audio_done());
        desk.at(15_000, queued(sentence(1), 500, 12_000));
        assert_eq!(desk.next(), Some((14_000, Timer::PlaybackMark)), "it is due already");
        desk
    };
    let steps = make().at(13_000, noise());
    assert_eq!(fired(&steps), [(15_000, Timer::PlaybackMark)]);
    assert_eq!(steps, make().at(15_000, noise()));
}

// The picture.

#[test]
fn the_statechart_looks_like_this() {
    assert_eq!(
        chart(),
        "\
top
├─ in_call
│  ├─ connecting        waits for the agent; the opening may already play
│  ├─ reconnecting      hold line; a new session with the conversation so far
│  ├─ playing_tones     the stream has left for tones, and comes back
│  ├─ conversing
│  │  ├─ greeting          until the required opening was heard
│  │  ├─ listening         the caller has the floor; silence counts
│  │  ├─ thinking          the agent owes a reply
│  │  ├─ speaking          until the carrier's mark says played
│  │  └─ function_pending  a function runs
│  └─ ending
│     ├─ farewell          until heard, or its deadline
│     ├─ transferring      until the carrier tells the outcome; back if nobody answers
│     └─ hanging_up        until the carrier confirms, or its deadline
└─ ended             absorbing
"
    );
}
