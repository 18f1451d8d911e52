//! How calls end: goodbye, hanging up, limits, the server's stop, and what is over.

mod support;

use call_core::{
    Brief, Effect, EndReason, Fact, Limits, LineId, Millis, Move, Phase, Step,
    call::Timer,
    effect::Answer,
    input::{CutReason, HungUp, Transfer},
    step::Refusal,
};

use support::{
    Desk, FRONT_DESK, OPENING, agent_lost, agent_ready, agent_says, answers, asks, audio_done,
    began, caller_says, checked, cut, digit, done, drain, dry, effects, facts, fired, hangup,
    heard, hung_up, ignored, joined, line, line_failed, line_ready, lines, lookup, noise,
    operator_hangs_up, operator_transfers, outcomes, people, performed, phases, queued, reason,
    reopening, result_of, sentence, sound, stopped, stream_dead, stream_lost, transfer_is,
    transfers, waits, withdraws,
};

// The end.

#[test]
fn an_agent_that_asks_to_hang_up_is_answered_and_goodbye_is_said() {
    let mut desk = Desk::thinking();
    let steps = desk.at(11_000, asks(&[hangup("f1")]));
    let [answer, mute, end, Effect::Prepare { utterance, line: LineId::Farewell, .. }] =
        &effects(&steps)[..]
    else {
        panic!("{:?}", effects(&steps))
    };
    let done = Effect::Answer { id: "f1".into(), name: "hangup_call".into(), answer: Answer::Done };
    assert_eq!(
        [answer, mute, end],
        [&done, &Effect::MuteAgent, &Effect::EndSentence],
        "the agent says no more"
    );
    assert_eq!(*utterance, line(2));
    let steps = desk.plays(line(2), 11_200, 13_000);
    assert_eq!(phases(&steps), [Phase::HangingUp]);
    assert_eq!(effects(&steps).last(), Some(&Effect::HangUp));
    let steps = desk.at(13_200, hung_up(HungUp::Done));
    assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream]);
    assert_eq!(reason(&steps), Some(EndReason::AgentHangup));
    assert_eq!(
        steps[0].moves,
        [Move { from: Phase::HangingUp, to: Phase::Ended }],
        "the call is over, and its log says why"
    );
}

/// I-12.
#[test]
fn nobody_hangs_up_before_goodbye_and_all_that_was_said_before_were_heard() {
    let mut desk = Desk::speaking();
    desk.at(12_000, asks(&[hangup("f1")]));
    desk.at(12_000, queued(sentence(1), 3_000, 14_000));
    desk.at(12_200, line_ready(line(2)));
    desk.at(12_200, began(line(2)));
    desk.at(12_200, queued(line(2), 2_000, 16_000));
    assert_eq!(effects(&desk.at(14_000, heard(sentence(1), 3_000))), []);
    let steps = desk.at(16_000, heard(line(2), 2_000));
    assert_eq!(effects(&steps).last(), Some(&Effect::HangUp));
}

/// I-12.
#[test]
fn a_farewell_that_is_never_heard_is_waited_for_15_seconds() {
    let mut desk = Desk::farewell();
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    assert_eq!(effects(&desk.until(25_999)), []);
    let steps = desk.until(26_000);
    assert_eq!(fired(&steps), [(26_000, Timer::FarewellLimit)]);
    assert_eq!(effects(&steps), [Effect::HangUp]);
}

/// F-TW-20.
#[test]
fn a_farewell_whose_mark_is_lost_is_over_two_seconds_after_it_should_have_been() {
    let mut desk = Desk::farewell();
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    desk.at(11_200, queued(line(2), 2_000, 13_200));
    let steps = desk.until(15_200);
    assert_eq!(fired(&steps), [(15_200, Timer::PlaybackMark)]);
    assert_eq!(effects(&steps).last(), Some(&Effect::HangUp));
}

/// I-11: these limits once made a call that said goodbye for ever.
#[test]
fn goodbye_is_said_once_even_if_its_line_would_be_ready_after_its_limit() {
    let limits = Limits {
        farewell: Millis(500),
        line_ready: Millis(20_000),
        hang_up: Millis(20_000),
        ..Limits::default()
    };
    let mut desk = Desk::with(Brief { limits, ..Brief::example() });
    desk.at(1_000, agent_lost());
    let steps = desk.until(60_000);
    assert_eq!(phases(&steps), [Phase::HangingUp, Phase::Ended]);
}

/// I-35.
#[test]
fn a_line_that_fails_or_is_cut_while_we_hang_up_changes_nothing_any_more() {
    for news in [line_failed(line(2)), cut(line(2), 100, 2_000)] {
        let mut desk = Desk::farewell();
        desk.at(11_200, line_ready(line(2)));
        desk.at(11_200, began(line(2)));
        desk.until(26_000);
        assert_eq!(desk.phase(), Phase::HangingUp);
        let steps = desk.at(26_500, news);
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
        assert_eq!(phases(&desk.until(60_000)), [Phase::Ended]);
    }
}

#[test]
fn a_carrier_that_does_not_hang_up_is_waited_for_10_seconds() {
    let mut desk = Desk::hanging_up();
    let steps = desk.until(60_000);
    assert_eq!(fired(&steps), [(23_000, Timer::HangUpLimit)]);
    assert_eq!(reason(&steps), Some(EndReason::AgentHangup));
}

#[test]
fn a_carrier_that_fails_to_hang_up_ends_the_call_all_the_same() {
    let mut desk = Desk::hanging_up();
    let steps = desk.at(13_500, hung_up(HungUp::Failed));
    assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream]);
}

#[test]
fn a_function_asked_for_while_the_call_ends_is_refused() {
    let mut desk = Desk::farewell();
    let steps = desk.at(11_500, asks(&[lookup("f2")]));
    assert_eq!(performed(&steps), [""; 0]);
    assert_eq!(answers(&steps), [("f2".into(), Answer::Refused(Refusal::Ending))]);
}

/// F-DG-22, F-TW-25.
#[test]
fn a_function_that_ends_while_the_call_ends_is_recorded_and_told_to_nobody() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, asks(&[hangup("f2")]));
    let steps = desk.at(13_000, done("f1"));
    assert_eq!(effects(&steps), []);
    assert!(matches!(&facts(&steps)[..], [Fact::FunctionDone { .. }]));
}

/// F-TW-24, F-TW-25, I-19.
///
/// But where the stream was asked to leave: see the tests of tones.
#[test]
fn the_carriers_stop_ends_the_call_in_every_phase() {
    let phases = every_phase().into_iter();
    for (phase, make) in phases.filter(|(phase, _)| *phase != Phase::PlayingTones) {
        let mut desk = make();
        assert_eq!(desk.phase(), phase);
        let at = desk.now() + 100;
        let steps = desk.at(at, stopped());
        assert_eq!(desk.phase(), Phase::Ended, "from {phase}");
        if phase != Phase::Ended {
            assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream], "from {phase}");
            assert!(reason(&steps).is_some(), "from {phase}");
        }
        assert_eq!(desk.next(), None, "from {phase}");
        assert!(ignored(&desk.at(at + 100, stopped())), "from {phase}");
    }
}

#[test]
fn a_caller_who_hangs_up_first_is_the_reason_and_our_own_hang_up_keeps_its_own() {
    assert_eq!(reason(&Desk::listening().at(9_000, stopped())), Some(EndReason::CallerHangup));
    assert_eq!(reason(&Desk::farewell().at(13_000, stopped())), Some(EndReason::CallerHangup));
    assert_eq!(reason(&Desk::hanging_up().at(14_000, stopped())), Some(EndReason::AgentHangup));
}

/// F-TW-08.
#[test]
fn a_broken_stream_ends_the_call() {
    let steps = Desk::speaking().at(12_000, stream_lost());
    assert_eq!(reason(&steps), Some(EndReason::StreamLost));
    assert_eq!(facts(&steps)[0], Fact::HeardUnknown { utterance: sentence(1) });
}

/// F-TW-08: what waited behind other speech was not heard, and nobody needs to prove it.
#[test]
fn speech_that_never_began_before_the_end_was_not_heard() {
    let mut desk = Desk::speaking();
    desk.at(11_500, agent_says(2, "And there is more."));
    desk.at(11_500, waits(sentence(2)));
    let facts = facts(&desk.at(12_000, stream_lost()));
    let (utterance, heard, audio) = (sentence(2), Millis(0), Millis(0));
    let why = CutReason::StreamEnded;
    let unheard = Fact::Cut { utterance, heard, audio, whole: false, why };
    assert_eq!(facts[..2], [Fact::HeardUnknown { utterance: sentence(1) }, unheard]);
}

/// F-DG-29, I-12: our last words do not wait for what the agent has still to say, unless it is the agent
/// that asks to hang up.
#[test]
fn only_an_agent_that_asks_to_hang_up_is_waited_for() {
    let cuts = |steps: &[Step]| effects(steps).contains(&Effect::CutReply);
    assert!(cuts(&Desk::speaking().at(12_000, operator_hangs_up())));
    assert!(!cuts(&Desk::speaking().at(12_000, asks(&[hangup("f1")]))));
    let mut desk = Desk::speaking_with(people());
    assert!(cuts(&desk.at(12_000, operator_transfers(FRONT_DESK))));
}

/// S27, F-TW-09, F-TW-26: the carrier may hold the call open for a stream that is dead, so it is told
/// by another way, once.
#[test]
fn a_dead_stream_makes_us_hang_up_without_a_word() {
    for (phase, make) in every_phase() {
        let mut desk = make();
        let at = desk.now() + 100;
        let steps = desk.at(at, stream_dead());
        let asks = effects(&steps).contains(&Effect::HangUp);
        let is_over = matches!(phase, Phase::HangingUp | Phase::Ended);
        // Once a transfer was asked for, the stream is not the call any more.
        if phase == Phase::Transferring && !asks {
            continue;
        }
        assert_eq!(asks, !is_over, "from {phase}");
        assert_eq!(lines(&steps), [], "from {phase}: nobody would hear it");
        let why =
            if phase == Phase::HangingUp { EndReason::AgentHangup } else { EndReason::StreamLost };
        let steps = desk.at(at + 100, hung_up(HungUp::Failed));
        if phase != Phase::Ended {
            assert_eq!(reason(&steps), Some(why), "from {phase}");
        }
        assert_eq!(desk.phase(), Phase::Ended, "from {phase}");
    }
}

/// I-19.
#[test]
fn after_the_end_nothing_happens() {
    let mut desk = Desk::ended();
    let inputs = [
        agent_ready(),
        agent_lost(),
        noise(),
        caller_says("Hello?"),
        agent_says(1, "Hello."),
        audio_done(),
        asks(&[lookup("f9")]),
        withdraws("f1"),
        line_ready(line(2)),
        line_failed(line(2)),
        began(sentence(1)),
        heard(line(2), 2_000),
        cut(line(2), 100, 2_000),
        dry(),
        done("f1"),
        hung_up(HungUp::Done),
        transfer_is(Transfer::Busy),
        joined(),
        digit(),
        drain(60_000),
        operator_hangs_up(),
        stopped(),
        stream_lost(),
    ];
    for input in inputs {
        assert!(ignored(&desk.at(15_000, input.clone())), "{input:?}");
    }
    assert!(desk.until(3_600_000).is_empty());
}

/// I-11.
#[test]
fn the_longest_call_depends_on_nothing_but_the_clock() {
    let mut desk = Desk::listening();
    let mut at = 5_000;
    for turn in 1.. {
        desk.at(at + 1_000, noise());
        desk.at(at + 2_000, caller_says("And then?"));
        desk.agent_speaks(turn, at + 3_000, at + 9_000);
        at += 10_000;
        if matches!(desk.phase(), Phase::Farewell | Phase::HangingUp | Phase::Ended) {
            break;
        }
    }
    let fired = fired(&desk.journal);
    assert!(fired.contains(&(1_740_000, Timer::CallWarning)), "{fired:?}");
    assert!(fired.contains(&(1_800_000, Timer::CallLimit)), "{fired:?}");
    assert_eq!(lines(&desk.journal), [LineId::Opening, LineId::OneMinute, LineId::Farewell]);
    desk.until(2_000_000);
    assert_eq!(reason(&desk.journal), Some(EndReason::TimeLimit));
}

// Called off.

/// S20: the reopening policy.
#[test]
fn words_call_a_farewell_off_once_where_the_company_wants_that() {
    let mut desk = Desk::farewell_with(reopening());
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    assert_eq!(effects(&desk.at(12_000, noise())), [], "a voice alone calls nothing off");
    let steps = desk.at(12_500, caller_says("Oh wait, one more thing."));
    assert_eq!(effects(&steps), [Effect::Clear, Effect::UnmuteAgent]);
    assert_eq!(phases(&desk.at(12_500, cut(line(2), 1_300, 2_000))), [Phase::Thinking]);
    assert_eq!(lines(&desk.journal), [LineId::Opening, LineId::Farewell], "it is not repeated");
    assert_eq!(phases(&desk.agent_speaks(1, 13_500, 15_000)), [Phase::Speaking, Phase::Listening]);

    desk.at(16_000, asks(&[hangup("f2")]));
    assert_eq!(desk.phase(), Phase::Farewell);
    let steps = desk.at(16_500, caller_says("And another one."));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]), "not a second time");
    assert_eq!(phases(&desk.plays(line(3), 16_600, 18_000)), [Phase::HangingUp]);
}

/// S20: the locking policy.
#[test]
fn words_do_not_call_a_farewell_off_where_the_company_does_not_want_that() {
    let mut desk = Desk::farewell();
    let steps = desk.at(11_500, caller_says("Oh wait, one more thing."));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
    assert!(matches!(&facts(&steps)[..], [Fact::CallerLine { .. }]), "it stays on record");
}

/// S20.
#[test]
fn a_goodbye_does_not_call_a_farewell_off() {
    for words in ["OK, bye.", "Thank you.", "Sí, gracias. Adiós."] {
        let mut desk = Desk::farewell_with(reopening());
        let steps = desk.at(11_500, caller_says(words));
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]), "{words}");
    }
}

/// S01: a caller who speaks in the last second was not silent.
#[test]
fn a_silent_caller_who_speaks_in_the_farewell_is_served() {
    let mut desk = Desk::listening_with(reopening());
    desk.until(30_000);
    desk.plays(line(2), 30_100, 32_000);
    desk.until(67_000);
    assert_eq!(desk.phase(), Phase::Farewell);
    assert_eq!(phases(&desk.at(67_500, caller_says("I am here."))), [Phase::Thinking]);
    desk.agent_speaks(1, 68_000, 70_000);
    assert_eq!(desk.next(), Some((95_000, Timer::SilencePrompt)), "silence begins anew");
}

/// S20: hanging up is not called off any more.
#[test]
fn words_after_the_farewell_are_on_record_and_too_late() {
    let mut desk = Desk::farewell_with(reopening());
    desk.plays(line(2), 11_200, 13_000);
    let steps = desk.at(13_100, caller_says("Oh wait!"));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
    assert!(matches!(&facts(&steps)[..], [Fact::CallerLine { .. }]));
}

/// A farewell because of a failure, a limit or an operator is not the caller's to call off.
#[test]
fn only_an_ordinary_goodbye_can_be_called_off() {
    let mut desk = Desk::listening_with(reopening());
    desk.at(10_000, operator_hangs_up());
    let steps = desk.at(10_500, caller_says("But I have a question!"));
    assert_eq!(phases(&steps), []);
}

/// F-DG-20: the agent still waits for its answer, and speaks about it when it is heard again.
#[test]
fn a_function_that_ended_during_a_farewell_is_answered_when_it_is_called_off() {
    let mut desk = Desk::thinking_with(reopening());
    desk.at(11_000, asks(&[lookup("f1"), hangup("f2")]));
    assert_eq!(answers(&desk.at(11_500, done("f1"))), []);
    let steps = desk.at(12_000, caller_says("Oh wait, one more thing."));
    assert_eq!(answers(&steps), [("f1".into(), result_of("f1"))]);
}

/// F-HU-03: guessing is not free because the guess ends in a goodbye.
#[test]
fn what_a_lookup_teaches_is_learnt_while_the_call_ends() {
    let mut desk = Desk::thinking_with(reopening());
    desk.at(11_000, asks(&[lookup("f1"), lookup("f2"), lookup("f3"), hangup("f4")]));
    for id in ["f1", "f2", "f3"] {
        let steps = desk.at(11_500, checked(id, &[("zip", false)], &[]));
        assert!(facts(&steps).iter().any(|fact| matches!(fact, Fact::IdentityStep(_))), "{id}");
    }
    desk.at(12_000, caller_says("Oh wait, one more thing."));
    let steps = desk.at(13_000, asks(&[lookup("f5")]));
    assert_eq!(answers(&steps), [("f5".into(), Answer::Refused(Refusal::TooManyTries))]);
}

/// I-11, S20: a goodbye that is said in several ways is still a goodbye.
#[test]
fn a_sentence_that_was_let_through_in_a_farewell_does_not_hold_the_floor_for_ever_afterwards() {
    let mut desk = Desk::farewell_with(reopening());
    desk.at(11_100, began(sentence(1)));
    desk.at(11_500, caller_says("Oh wait, one more thing."));
    desk.at(11_500, cut(sentence(1), 400, 900));
    assert_eq!(desk.phase(), Phase::Thinking, "the agent owes a reply, and its limit runs");
}

/// I-11: what was due during the farewell is not forgotten because it is called off.
#[test]
fn a_farewell_in_which_the_longest_call_is_reached_is_not_called_off() {
    let limits = Limits { call: Millis(11_500), call_warning: Millis(1), ..Limits::default() };
    let mut desk = Desk::farewell_with(Brief { limits, ..reopening() });
    assert_eq!(phases(&desk.at(12_000, caller_says("Oh wait, one more thing."))), []);
    desk.until(60_000);
    assert_eq!(reason(&desk.journal), Some(EndReason::AgentHangup));
}

/// I-32: nor that the server stops.
#[test]
fn a_farewell_in_which_the_server_stops_is_not_called_off() {
    let mut desk = Desk::farewell_with(reopening());
    desk.at(11_100, drain(15_400));
    assert_eq!(fired(&desk.until(11_500)), [(11_500, Timer::DrainLimit)]);
    assert_eq!(phases(&desk.at(12_000, caller_says("Oh wait, one more thing."))), []);
}

// The longest call.

/// S30.
#[test]
fn a_caller_is_told_a_minute_before_the_longest_call_is_reached() {
    let limits = Limits { call: Millis(80_000), ..Limits::default() };
    let mut desk = Desk::thinking_with(Brief { limits, ..Brief::example() });
    desk.agent_speaks(1, 11_000, 13_000);
    let steps = desk.until(20_000);
    assert_eq!(fired(&steps), [(20_000, Timer::CallWarning)]);
    assert_eq!(lines(&steps), [LineId::OneMinute]);
    assert_eq!(phases(&desk.plays(line(2), 20_100, 22_000)), [Phase::Listening]);
}

/// S30.
#[test]
fn nobody_is_told_that_a_minute_is_left_of_a_call_that_is_ending() {
    let limits = Limits { call: Millis(72_000), ..Limits::default() };
    let mut desk = Desk::farewell_with(Brief { limits, ..Brief::example() });
    let steps = desk.until(12_000);
    assert_eq!(fired(&steps), [(12_000, Timer::CallWarning)]);
    assert_eq!(lines(&steps), []);
}

// The server stops.

/// F-PR-01, I-32, S25.
#[test]
fn a_call_goes_on_until_15_seconds_before_the_server_stops_and_then_to_a_person() {
    let mut desk = Desk::speaking_with(people());
    let steps = desk.at(12_000, drain(60_000));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]), "nobody notices");
    let steps = desk.until(57_000);
    assert_eq!(fired(&steps), [(57_000, Timer::DrainLimit)]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
    desk.at(57_000, queued(sentence(1), 1_000, 57_500));
    desk.at(57_500, heard(sentence(1), 1_000));
    assert_eq!(transfers(&desk.plays(line(2), 57_600, 59_000)), [FRONT_DESK]);
}

/// F-PR-01.
#[test]
fn where_there_is_nobody_a_call_is_bid_goodbye_before_the_server_stops() {
    let mut desk = Desk::thinking();
    desk.at(10_500, drain(16_000));
    let steps = desk.until(11_500);
    assert_eq!(lines(&steps), [LineId::Trouble]);
    desk.plays(line(2), 11_600, 13_000);
    assert_eq!(reason(&desk.at(13_100, hung_up(HungUp::Done))), Some(EndReason::Drained));
}

/// F-PR-02: the last word counts.
#[test]
fn a_second_word_that_the_server_stops_may_shorten_the_time() {
    let mut desk = Desk::thinking();
    desk.at(10_500, drain(300_000));
    desk.at(10_600, drain(5_000));
    assert_eq!(fired(&desk.until(10_600)), [(10_600, Timer::DrainLimit)]);
    assert_eq!(desk.phase(), Phase::Farewell);
}

/// I-32.
#[test]
fn a_call_that_ends_by_itself_in_time_does_not_notice_that_the_server_stops() {
    let mut desk = Desk::thinking();
    desk.at(10_500, drain(300_000));
    desk.at(11_000, asks(&[hangup("f1")]));
    desk.plays(line(2), 11_200, 13_000);
    assert_eq!(reason(&desk.at(13_100, hung_up(HungUp::Done))), Some(EndReason::AgentHangup));
    assert!(desk.call.is_over());
}

/// F-PR-02, I-06.
#[test]
fn a_server_that_stops_does_not_interrupt_a_payment() {
    let brief = Brief { transfer_targets: Vec::new(), ..people() };
    let mut desk = Desk::paying_with(brief);
    desk.at(13_500, drain(15_000));
    desk.plays(line(2), 13_600, 15_000);
    desk.at(15_100, hung_up(HungUp::Done));
    assert!(!desk.call.is_over(), "the payment has not come out yet");
    let steps = desk.at(16_000, done("p1"));
    assert_eq!(outcomes(&steps), [("p1".into(), "done".into())]);
    assert!(desk.call.is_over());
}

// The operator.

#[test]
fn an_operator_may_end_a_call_with_a_goodbye() {
    for make in [Desk::new, Desk::listening, Desk::speaking, Desk::reconnecting] {
        let mut desk = make();
        let at = desk.now() + 100;
        let steps = desk.at(at, operator_hangs_up());
        assert_eq!(phases(&steps), [Phase::Farewell]);
        assert_eq!(lines(&steps), [LineId::Farewell]);
        desk.until(at + 60_000);
        assert_eq!(reason(&desk.journal), Some(EndReason::OperatorHangup));
    }
}

#[test]
fn an_operator_may_hand_a_call_to_anybody_on_the_companys_list_and_to_nobody_else() {
    let mut desk = Desk::listening_with(people());
    assert!(ignored(&desk.at(10_000, operator_transfers("the-moon"))));
    let steps = desk.at(10_500, operator_transfers("hardship"));
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(transfers(&desk.plays(line(2), 10_700, 12_000)), ["hardship"]);
}

/// I-35.
#[test]
fn an_operator_does_not_interrupt_a_call_that_is_ending() {
    for make in [Desk::farewell, Desk::hanging_up, Desk::transferring, Desk::ended] {
        let mut desk = make();
        let at = desk.now() + 100;
        assert!(ignored(&desk.at(at, operator_hangs_up())), "{}", desk.phase());
        assert!(ignored(&desk.at(at, operator_transfers(FRONT_DESK))), "{}", desk.phase());
    }
}

// A goodbye that nobody follows, and a question into one.

/// S21: it was heard in full, and nothing follows.
#[test]
fn an_agent_that_takes_its_leave_and_forgets_to_hang_up_is_helped() {
    let mut desk = parted();
    assert_eq!(desk.next(), Some((17_000, Timer::Goodbye)));
    let steps = desk.until(17_000);
    assert_eq!(phases(&steps), [Phase::Farewell]);
    assert_eq!(lines(&steps), [LineId::Farewell]);
    desk.plays(line(2), 17_100, 19_000);
    assert_eq!(reason(&desk.at(19_100, hung_up(HungUp::Done))), Some(EndReason::AgentHangup));
}

#[test]
fn the_callers_goodbye_is_waited_for_and_calls_nothing_off() {
    for words in ["Bye.", "Yes, thank you, goodbye."] {
        let mut desk = parted();
        desk.at(14_000, noise());
        assert_eq!(desk.next(), Some((18_000, Timer::Goodbye)), "a voice");
        desk.at(16_000, sound());
        assert_eq!(phases(&desk.at(17_000, caller_says(words))), [], "{words}");
        assert_eq!(desk.next(), Some((21_000, Timer::Goodbye)));
        assert_eq!(phases(&desk.until(21_000)), [Phase::Farewell]);
    }
    // Into the agent's goodbye, which was not heard to its end then.
    let mut desk = Desk::thinking();
    desk.at(11_000, agent_says(1, "Thank you for calling, goodbye."));
    desk.at(11_000, began(sentence(1)));
    desk.at(12_000, noise());
    desk.at(12_000, cut(sentence(1), 1_000, 2_000));
    desk.at(13_000, caller_says("Okay, bye."));
    assert_eq!(desk.next(), Some((17_000, Timer::Goodbye)), "and not the question to go on");
}

#[test]
fn a_talk_that_goes_on_after_a_goodbye_is_not_ended() {
    let goes_on: [fn(&mut Desk); 4] = [
        |desk| drop(desk.at(14_000, caller_says("And on Saturdays?"))),
        |desk| drop(desk.at(14_000, digit())),
        |desk| drop(desk.at(14_000, asks(&[lookup("f1")]))),
        |desk| {
            desk.at(14_000, agent_says(2, "Or is there anything else?"));
            desk.at(14_000, began(sentence(2)));
            desk.at(14_000, audio_done());
            desk.at(14_000, queued(sentence(2), 2_000, 16_000));
            desk.at(16_000, heard(sentence(2), 2_000));
        },
    ];
    for goes_on in goes_on {
        let mut desk = parted();
        goes_on(&mut desk);
        assert!(fired(&desk.until(25_000)).iter().all(|(_, timer)| *timer != Timer::Goodbye));
    }
    let mut desk = Desk::thinking();
    desk.agent_speaks(1, 11_000, 13_000);
    assert_eq!(desk.next().map(|(_, timer)| timer), Some(Timer::SilencePrompt), "no goodbye");
}

/// S20: the words of a voice that began in the farewell are waited for, where they may call it off.
#[test]
fn nobody_hangs_up_on_a_question_that_has_begun() {
    let mut desk = Desk::farewell_with(reopening());
    desk.at(12_500, noise());
    assert_eq!(phases(&desk.plays(line(2), 11_200, 13_000)), []);
    assert_eq!(desk.next(), Some((16_500, Timer::Goodbye)));
    desk.at(15_000, sound());
    assert_eq!(desk.next(), Some((19_000, Timer::Goodbye)));
    let steps = desk.at(16_000, caller_says("Oh wait, one more thing."));
    assert_eq!(phases(&steps), [Phase::Thinking]);
    assert!(effects(&steps).contains(&Effect::UnmuteAgent));
    desk.agent_speaks(1, 17_000, 18_000);
    assert_eq!(desk.next().map(|(_, timer)| timer), Some(Timer::SilencePrompt));
}

/// S20: and noise is not waited for without end.
#[test]
fn a_farewell_waits_for_words_no_longer_than_it_may_take_itself() {
    let mut desk = Desk::farewell_with(reopening());
    desk.at(12_500, noise());
    desk.plays(line(2), 11_200, 13_000);
    let steps = desk.until(16_500);
    assert_eq!(fired(&steps), [(16_500, Timer::Goodbye)]);
    assert_eq!(phases(&steps), [Phase::HangingUp]);

    let mut desk = Desk::farewell_with(reopening());
    desk.at(12_500, noise());
    desk.plays(line(2), 11_200, 13_000);
    let mut steps = Vec::new();
    for at in (13_500..27_000).step_by(500) {
        steps.extend(desk.at(at, sound()));
    }
    assert_eq!(fired(&steps), [(26_000, Timer::FarewellLimit)], "asked to hang up at 11 s");

    let mut desk = Desk::farewell_with(reopening());
    desk.at(12_500, noise());
    desk.plays(line(2), 11_200, 13_000);
    assert_eq!(phases(&desk.at(14_000, caller_says("Okay, bye."))), [Phase::HangingUp]);

    let mut desk = Desk::farewell_with(people());
    desk.at(12_500, noise());
    let steps = desk.plays(line(2), 11_200, 13_000);
    assert_eq!(phases(&steps), [Phase::HangingUp], "a goodbye that stands");
}

// Helpers.

/// A desk whose agent said goodbye, heard in full at 00:13.000, and asked for nothing.
fn parted() -> Desk {
    let mut desk = Desk::thinking();
    desk.at(11_000, agent_says(1, "Thank you for calling, goodbye."));
    desk.at(11_000, began(sentence(1)));
    desk.at(11_000, audio_done());
    desk.at(11_000, queued(sentence(1), 2_000, 13_000));
    assert_eq!(phases(&desk.at(13_000, heard(sentence(1), 2_000))), [Phase::Listening]);
    desk
}

/// Every phase, and a call that has just come there.
fn every_phase() -> [(Phase, fn() -> Desk); 12] {
    let greeting = || {
        let mut desk = Desk::new();
        desk.at(400, line_ready(OPENING));
        desk.at(400, began(OPENING));
        desk.at(900, agent_ready());
        desk
    };
    let connecting = || {
        let mut desk = Desk::new();
        desk.at(400, line_ready(OPENING));
        desk
    };
    let made = [
        (Phase::Connecting, connecting as fn() -> Desk),
        (Phase::Greeting, greeting),
        (Phase::Listening, Desk::listening),
        (Phase::Thinking, Desk::thinking),
        (Phase::Speaking, Desk::speaking),
        (Phase::FunctionPending, Desk::function_pending),
        (Phase::Reconnecting, Desk::reconnecting),
        (Phase::PlayingTones, Desk::playing_tones),
        (Phase::Farewell, Desk::farewell),
        (Phase::Transferring, Desk::transferring),
        (Phase::HangingUp, Desk::hanging_up),
        (Phase::Ended, Desk::ended),
    ];
    assert_eq!(made.map(|(phase, _)| phase), Phase::ALL);
    made
}
