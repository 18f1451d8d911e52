//! Handing the call to a person: announced, asked for, and either done or undone.

mod support;

use call_core::{
    Brief, Effect, EndReason, Fact, Language, Limits, LineId, Millis, Phase,
    call::Timer,
    effect::Answer,
    input::{AgentLoss, FunctionAsk, HungUp, Transfer},
    step::Refusal,
};

use support::{
    Desk, FRONT_DESK, OPENING, agent_lost, agent_lost_by, agent_ready, answers, asks, began,
    caller_says, caller_says_in, checked, cut, cut_fact, done, drain, effects, facts, fired,
    hangup, heard, hung_up, ignored, joined, line, line_ready, lines, lookup, noise,
    operator_transfers, pay, people, performed, phases, queued, reason, result_of, sentence,
    stopped, stream_dead, stream_lost, tones, transfer, transfer_is, transfer_to, transfers,
    withdraws,
};

// Asking.

/// S19, I-12.
#[test]
fn a_transfer_is_announced_and_asked_for_once_the_announcement_was_heard() {
    let mut desk = Desk::thinking_with(people());
    let steps = desk.at(11_000, asks(&[transfer("f1")]));
    assert_eq!(answers(&steps), [("f1".into(), Answer::Done)]);
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
    assert!(effects(&steps).contains(&Effect::MuteAgent), "the agent says no more");
    let steps = desk.plays(line(2), 11_200, 13_000);
    assert_eq!(transfers(&steps), [FRONT_DESK]);
    assert_eq!(steps.last().map(|step| step.at.as_millis()), Some(13_000), "not before");
}

/// I-12.
#[test]
fn an_announcement_that_is_never_heard_is_waited_for_15_seconds() {
    let mut desk = Desk::transferring();
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    assert_eq!(transfers(&desk.until(25_999)), [""; 0]);
    let steps = desk.until(26_000);
    assert_eq!(fired(&steps), [(26_000, Timer::FarewellLimit)]);
    assert_eq!(transfers(&steps), [FRONT_DESK]);
    let steps = desk.at(26_500, heard(line(2), 2_000));
    assert_eq!(transfers(&steps), [""; 0], "it was asked for already");
}

/// I-12, F-TR-04: only the end of the stream cuts it, and of that we hear next.
#[test]
fn an_announcement_that_was_cut_is_not_said_again_and_its_limit_goes_on() {
    let make = || {
        let mut desk = Desk::transferring();
        desk.at(11_200, line_ready(line(2)));
        desk.at(11_200, began(line(2)));
        let steps = desk.at(12_000, cut(line(2), 800, 2_000));
        let fact = cut_fact(line(2), 800, 2_000);
        assert_eq!(facts(&steps), [fact]);
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
        assert_eq!(desk.next(), Some((26_000, Timer::FarewellLimit)));
        desk
    };
    let mut desk = make();
    assert_eq!(reason(&desk.at(12_000, stopped())), Some(EndReason::CallerHangup));
    assert_eq!(transfers(&desk.journal), [""; 0], "a caller who is gone is not handed over");
    let steps = make().until(26_000);
    assert_eq!(fired(&steps), [(26_000, Timer::FarewellLimit)]);
    assert_eq!((transfers(&steps), lines(&steps)), (vec![FRONT_DESK.to_string()], vec![]));
}

/// F-HU-08: the announcement is a required line.
#[test]
fn the_callers_voice_does_not_stop_the_announcement() {
    let mut desk = Desk::transferring();
    desk.at(11_200, line_ready(line(2)));
    desk.at(11_200, began(line(2)));
    assert_eq!(effects(&desk.at(12_000, noise())), []);
    let steps = desk.at(12_500, caller_says("Thank you so much."));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
}

/// F-TR-08.
#[test]
fn only_people_of_the_companys_list_are_transferred_to() {
    let mut desk = Desk::thinking_with(people());
    let steps = desk.at(11_000, asks(&[transfer_to("f1", "+15550100")]));
    let refused = Answer::Refused(Refusal::NoSuchTarget);
    assert_eq!(answers(&steps), [("f1".into(), refused.clone())]);
    assert_eq!(desk.phase(), Phase::Thinking, "the agent must say so");
    desk.at(11_500, asks(&[transfer_to("f2", "hardship")]));
    assert_eq!(transfers(&desk.plays(line(2), 11_700, 13_000)), ["hardship"]);

    let brief = Brief { transfer_targets: Vec::new(), ..people() };
    let steps = Desk::thinking_with(brief).at(11_000, asks(&[transfer("f1")]));
    assert_eq!(answers(&steps), [("f1".into(), refused)], "there is nobody at all");
}

/// F-TR-10, F-DG-16, I-35.
#[test]
fn a_transfer_that_is_asked_for_twice_is_one_transfer() {
    let mut desk = Desk::thinking_with(people());
    let steps = desk.at(11_000, asks(&[transfer("f1"), transfer_to("f2", "hardship")]));
    let ending = Answer::Refused(Refusal::Ending);
    assert_eq!(answers(&steps), [("f1".into(), Answer::Done), ("f2".into(), ending)]);
    let steps = desk.at(11_500, asks(&[transfer("f3"), transfer("f1")]));
    assert_eq!(answers(&steps), [("f3".into(), Answer::Refused(Refusal::Ending))]);
    desk.at(11_600, operator_transfers("hardship"));
    desk.plays(line(2), 11_700, 13_000);
    desk.at(13_500, transfer_is(Transfer::Accepted));
    desk.until(60_000);
    assert_eq!(transfers(&desk.journal), [FRONT_DESK]);
}

#[test]
fn what_the_agent_said_before_is_heard_before_the_carrier_is_asked() {
    let mut desk = Desk::speaking_with(people());
    desk.at(12_000, asks(&[transfer("f1")]));
    desk.at(12_000, queued(sentence(1), 3_000, 14_000));
    desk.at(12_200, line_ready(line(2)));
    desk.at(12_200, began(line(2)));
    desk.at(12_200, queued(line(2), 2_000, 16_000));
    assert_eq!(effects(&desk.at(14_000, heard(sentence(1), 3_000))), []);
    assert_eq!(transfers(&desk.at(16_000, heard(line(2), 2_000))), [FRONT_DESK]);
}

// Done.

/// S19: the carrier leaves us in order to call somebody else.
#[test]
fn the_end_of_our_stream_after_a_transfer_was_taken_is_not_the_end_of_the_call() {
    for end in [stopped(), stream_lost()] {
        let mut desk = Desk::handing_over();
        desk.at(13_500, transfer_is(Transfer::Accepted));
        let steps = desk.at(13_600, end);
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
        assert!(!steps[0].ignored);
    }
}

#[test]
fn a_person_who_takes_the_call_ends_it_for_us() {
    let mut desk = Desk::handed_over();
    let steps = desk.at(20_000, transfer_is(Transfer::Completed));
    let target = FRONT_DESK.to_string();
    assert_eq!(facts(&steps)[0], Fact::Transfer { target, result: Transfer::Completed });
    assert_eq!(reason(&steps), Some(EndReason::Transferred));
    assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream], "nobody hangs up");
}

/// F-TR-04, F-TR-06.
#[test]
fn a_caller_who_was_gone_before_has_hung_up() {
    let steps = Desk::handing_over().at(13_500, transfer_is(Transfer::Gone));
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
}

#[test]
fn a_caller_who_hangs_up_before_the_carrier_was_asked_has_hung_up() {
    let steps = Desk::transferring().at(11_500, stopped());
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
}

/// I-11.
#[test]
fn a_transfer_that_is_never_heard_of_again_ends_the_call_after_60_seconds() {
    let mut desk = Desk::handed_over();
    let steps = desk.until(200_000);
    assert_eq!(fired(&steps), [(73_500, Timer::TransferLimit)]);
    assert_eq!(reason(&steps), Some(EndReason::TransferFailed));
}

// Undone.

/// S19, F-TR-07.
#[test]
fn a_caller_whom_nobody_answered_comes_back_and_is_told_so() {
    for outcome in [Transfer::Busy, Transfer::NoAnswer, Transfer::Failed] {
        let mut desk = Desk::handed_over();
        assert_eq!(effects(&desk.at(40_000, transfer_is(outcome))), [], "the stream is not back");
        let steps = desk.at(40_500, joined());
        assert_eq!(lines(&steps), [LineId::NobodyFree]);
        assert!(effects(&steps).contains(&Effect::UnmuteAgent));
        assert_eq!(phases(&steps), [Phase::Speaking]);
        assert_eq!(phases(&desk.plays(line(3), 40_700, 43_000)), [Phase::Listening]);
        assert_eq!(desk.next(), Some((68_000, Timer::SilencePrompt)), "silence begins anew");
        desk.at(44_000, caller_says("Then take my payment."));
        assert_eq!(
            phases(&desk.agent_speaks(1, 45_000, 47_000)),
            [Phase::Speaking, Phase::Listening]
        );
    }
}

/// F-TW-29: the caller may be back on another stream before the end of the first is told, if it ever is.
/// What was on its way there is not on its way here.
#[test]
fn what_was_on_its_way_in_the_stream_before_does_not_hold_the_floor_in_the_next() {
    let mut desk = Desk::handed_over();
    desk.at(30_000, began(sentence(9)));
    let steps = desk.at(40_000, joined());
    assert!(facts(&steps).contains(&Fact::HeardUnknown { utterance: sentence(9) }));
    assert_eq!(phases(&desk.plays(line(3), 40_700, 43_000)), [Phase::Listening]);
}

#[test]
fn a_caller_may_come_back_before_the_outcome_is_known() {
    let mut desk = Desk::handed_over();
    assert_eq!(lines(&desk.at(40_000, joined())), [LineId::NobodyFree]);
    assert!(ignored(&desk.at(40_100, transfer_is(Transfer::Busy))), "it is no news");
    assert_eq!(desk.phase(), Phase::Speaking);
}

/// F-TR-03, F-TR-05.
#[test]
fn a_transfer_that_the_carrier_refuses_brings_the_talk_back() {
    let mut desk = Desk::handing_over();
    let steps = desk.at(13_500, transfer_is(Transfer::Refused));
    assert_eq!(lines(&steps), [LineId::NobodyFree]);
    assert_eq!(phases(&desk.plays(line(3), 13_700, 15_000)), [Phase::Listening]);
    assert_eq!(reason(&desk.at(20_000, stopped())), Some(EndReason::CallerHangup));
}

/// F-TR-10.
#[test]
fn a_request_that_the_carrier_does_not_answer_counts_as_failed_after_10_seconds() {
    let mut desk = Desk::handing_over();
    let steps = desk.until(23_000);
    assert_eq!(fired(&steps), [(23_000, Timer::TransferLimit)]);
    let failed = Fact::Transfer { target: FRONT_DESK.into(), result: Transfer::Failed };
    assert!(facts(&steps).contains(&failed));
    // After ten seconds of nothing the caller does not wait for a voice to be made (I-16).
    let (line, language) = (LineId::NobodyFree, Language::English);
    let at_once = Effect::UseRecording { utterance: support::line(3), line, language };
    assert!(effects(&steps).contains(&at_once));
}

/// I-35: the first one came back.
#[test]
fn after_one_transfer_came_to_nothing_another_may_be_asked_for() {
    let mut desk = Desk::handing_over();
    desk.at(13_500, transfer_is(Transfer::Refused));
    desk.plays(line(3), 13_700, 15_000);
    desk.at(16_000, asks(&[transfer_to("f2", "hardship")]));
    desk.plays(line(4), 16_200, 18_000);
    assert_eq!(transfers(&desk.journal), [FRONT_DESK, "hardship"]);
    desk.at(18_200, transfer_is(Transfer::Accepted));
    assert_eq!(phases(&desk.at(18_300, stopped())), []);
}

/// S22, S19, F-DG-08: whoever comes back hears that nobody was free, and talks to another session.
#[test]
fn an_agent_that_is_lost_during_a_transfer_is_replaced_when_the_caller_is_back() {
    let mut desk = Desk::handed_over();
    desk.at(20_000, agent_lost());
    let steps = desk.at(40_000, joined());
    assert_eq!(lines(&steps), [LineId::NobodyFree]);
    assert_eq!(phases(&steps), [Phase::Reconnecting]);
    let opened = |effect: &Effect| matches!(effect, Effect::OpenAgent { resume: true, .. });
    assert!(effects(&steps).iter().any(opened));
    desk.plays(line(3), 40_200, 43_000);
    let steps = desk.at(43_100, agent_ready());
    assert_eq!((lines(&steps), phases(&steps)), (vec![], vec![Phase::Listening]));

    let mut desk = Desk::handing_over();
    desk.at(13_200, agent_lost());
    assert_eq!(phases(&desk.at(13_500, transfer_is(Transfer::Refused))), [Phase::Reconnecting]);
}

/// F-DG-02, F-DG-07: as anywhere else, a session that another one would not mend is not tried again.
#[test]
fn a_caller_who_comes_back_to_no_agent_and_no_other_session_is_bid_goodbye() {
    let mut desk = Desk::handed_over();
    desk.at(20_000, agent_lost_by(AgentLoss::Refused(401)));
    let steps = desk.at(40_000, joined());
    assert_eq!(lines(&steps), [LineId::Trouble]);
    desk.plays(line(3), 40_200, 42_000);
    assert_eq!(reason(&desk.at(42_100, hung_up(HungUp::Done))), Some(EndReason::AgentFailed));
}

/// I-24, S22: a session that is still awaited when the caller is back is given up for another.
#[test]
fn a_session_that_is_still_awaited_behind_a_transfer_is_left_for_another() {
    for told in [false, true] {
        let mut desk = Desk::with(people());
        desk.plays(OPENING, 200, 4_000);
        desk.at(5_000, operator_transfers(FRONT_DESK));
        desk.plays(line(2), 5_100, 7_000);
        if told {
            let closed = effects(&desk.until(11_000));
            assert_eq!(closed, [Effect::CloseAgent], "it took longer than it may");
        }
        let steps = desk.at(if told { 12_000 } else { 7_500 }, transfer_is(Transfer::Refused));
        let closes = effects(&steps).iter().filter(|e| **e == Effect::CloseAgent).count();
        assert_eq!(closes, usize::from(!told));
        assert_eq!(phases(&steps), [Phase::Reconnecting]);
    }
}

/// F-HU-08, C-01: a transfer that came to nothing does not stand for the opening.
#[test]
fn an_opening_that_a_transfer_cut_off_is_said_when_the_caller_is_back() {
    let mut desk = Desk::with(people());
    desk.at(500, agent_ready());
    desk.at(600, asks(&[lookup("f1")]));
    assert_eq!(lines(&desk.at(1_000, operator_transfers(FRONT_DESK))), [LineId::Transferring]);
    desk.plays(line(2), 1_200, 3_000);
    let steps = desk.at(3_500, transfer_is(Transfer::Refused));
    assert_eq!(lines(&steps), [LineId::NobodyFree, LineId::Opening]);
    assert_eq!(desk.phase(), Phase::Greeting);
    assert_eq!(performed(&desk.plays(line(3), 3_700, 5_000)), [""; 0]);
    assert_eq!(performed(&desk.plays(line(4), 5_000, 9_000)), ["f1"]);
}

/// C-07: the notice that another language asks for is owed until it was heard.
#[test]
fn a_notice_that_a_transfer_cut_off_is_said_when_the_caller_is_back() {
    let spanish = |text| caller_says_in(Language::Spanish, text);
    let mut desk = Desk::thinking_with(people());
    desk.at(10_200, caller_says("A representative please."));
    let steps = desk.at(10_500, spanish("Quiero hablar con un representante."));
    assert_eq!(lines(&steps), [LineId::Notice, LineId::Transferring]);
    desk.plays(line(3), 10_700, 13_000);
    desk.at(13_500, transfer_is(Transfer::Accepted));
    desk.at(13_600, stopped());
    let steps = desk.at(20_000, joined());
    assert_eq!(lines(&steps), [LineId::NobodyFree, LineId::Notice]);

    // Nor are words in another language lost that come while we announce it (C-12).
    let mut desk = Desk::transferring();
    let steps = desk.at(11_100, spanish("Sí, quiero hablar con alguien."));
    assert_eq!(lines(&steps), [LineId::Transferring], "again, in the caller's language");
    desk.plays(line(3), 11_200, 13_000);
    let steps = desk.at(13_500, transfer_is(Transfer::Refused));
    assert_eq!(lines(&steps), [LineId::NobodyFree, LineId::Notice]);
}

/// I-11: a warning that fell due while a telephone rang is given as long as it is true.
#[test]
fn a_minute_that_began_during_a_transfer_is_told_when_the_caller_is_back() {
    for (back, told) in [(25_000, true), (51_000, false)] {
        let limits = Limits { call: Millis(80_000), ..Limits::default() };
        let mut desk = Desk::thinking_with(Brief { limits, ..people() });
        desk.at(11_000, asks(&[transfer("f1")]));
        desk.plays(line(2), 11_100, 13_000);
        desk.at(13_500, transfer_is(Transfer::Accepted));
        desk.at(13_600, stopped());
        assert_eq!(fired(&desk.until(20_000)), [(20_000, Timer::CallWarning)]);
        let lines = lines(&desk.at(back, joined()));
        assert_eq!(lines.contains(&LineId::OneMinute), told, "{lines:?}");
    }
}

/// F-DG-20, F-DG-22: a result that nobody could speak about is given when the talk goes on, and
/// what it discloses leaves our hands then.
#[test]
fn what_ends_during_a_transfer_is_told_to_the_agent_when_the_caller_is_back() {
    let disclosed = |steps: &[call_core::Step]| {
        facts(steps).iter().any(|fact| matches!(fact, Fact::Disclosed { .. }))
    };
    let verified = |fact: &Fact| matches!(fact, Fact::IdentityVerified { .. });
    let mut desk = Desk::thinking_with(people());
    desk.at(11_000, asks(&[lookup("f1"), transfer("f2")]));
    let steps = desk.at(12_000, checked("f1", &[("zip", true), ("date_of_birth", true)], &["due"]));
    assert!(facts(&steps).iter().any(verified), "what is learnt is learnt now");
    assert_eq!((answers(&steps), disclosed(&steps)), (vec![], false));
    desk.plays(line(2), 12_200, 13_000);
    let steps = desk.at(13_500, transfer_is(Transfer::Refused));
    assert_eq!(answers(&steps), [("f1".into(), result_of("f1"))]);
    assert!(disclosed(&steps));
    desk.plays(line(3), 13_700, 15_000);
    assert_eq!(desk.phase(), Phase::Thinking, "the agent is to speak about it");

    // Where a person takes the call, nothing left our hands.
    let mut desk = Desk::thinking_with(people());
    desk.at(11_000, asks(&[lookup("f1"), transfer("f2")]));
    desk.at(12_000, checked("f1", &[("zip", true), ("date_of_birth", true)], &["due"]));
    desk.plays(line(2), 12_200, 13_000);
    desk.at(13_500, transfer_is(Transfer::Accepted));
    desk.at(20_000, transfer_is(Transfer::Completed));
    assert!(!disclosed(&desk.journal));
}

/// F-DG-22: who takes a request back while a person is called gets no answer to it.
#[test]
fn a_lookup_that_is_taken_back_during_a_transfer_is_not_answered_behind_it() {
    for ends_first in [false, true] {
        let mut desk = Desk::thinking_with(people());
        desk.at(11_000, asks(&[lookup("f1"), transfer("f2")]));
        if ends_first {
            desk.at(11_500, done("f1"));
        }
        assert!(!ignored(&desk.at(12_000, withdraws("f1"))));
        if !ends_first {
            assert!(ignored(&desk.at(12_100, done("f1"))));
        }
        desk.plays(line(2), 12_200, 13_000);
        assert_eq!(answers(&desk.at(13_500, transfer_is(Transfer::Refused))), []);
    }
}

/// F-DG-20: behind the end of the talk nothing is begun, and everything is answered.
#[test]
fn whatever_is_asked_for_behind_a_transfer_or_a_hangup_is_refused() {
    for end in [transfer("e"), hangup("e")] {
        let mut desk = Desk::verified();
        let all = [end, pay("p"), tones("t"), transfer("x"), hangup("h"), lookup("l")];
        let steps = desk.at(13_000, asks(&all));
        assert_eq!(performed(&steps), [""; 0]);
        let refused = ["p", "t", "x", "h", "l"].map(|id| (id, Answer::Refused(Refusal::Ending)));
        let refused = refused.map(|(id, answer)| (id.to_string(), answer));
        let answers = answers(&steps);
        assert_eq!(answers[0], ("e".into(), Answer::Done));
        assert_eq!(answers[1..], refused);
    }
}

/// F-DG-20: the talk goes on, and the agent still waits for its answer.
#[test]
fn a_function_that_ended_during_the_transfer_was_answered_once_when_the_talk_goes_on() {
    let mut desk = Desk::thinking_with(people());
    desk.at(11_000, asks(&[lookup("f1"), transfer("f2")]));
    desk.at(12_000, done("f1"));
    desk.plays(line(2), 12_200, 13_000);
    desk.at(13_500, transfer_is(Transfer::Refused));
    desk.plays(line(3), 13_700, 15_000);
    let of_f1: Vec<_> = answers(&desk.journal).into_iter().filter(|(id, _)| id == "f1").collect();
    assert_eq!(of_f1, [("f1".into(), result_of("f1"))]);
}

/// A sentence that began to play behind the announcement had its end while nobody listened for it.
#[test]
fn a_sentence_that_was_let_through_late_does_not_hold_the_floor_for_ever_afterwards() {
    let mut desk = Desk::transferring();
    desk.at(11_100, began(sentence(1)));
    desk.at(11_100, queued(sentence(1), 1_000, 12_100));
    desk.at(12_100, heard(sentence(1), 1_000));
    desk.plays(line(2), 12_200, 13_000);
    desk.at(13_500, transfer_is(Transfer::Refused));
    assert_eq!(phases(&desk.plays(line(3), 13_700, 15_000)), [Phase::Listening]);
}

// In need.

/// F-DG-01, F-DG-02, S23.
#[test]
fn a_call_that_cannot_go_on_is_handed_to_a_person() {
    let mut desk = Desk::with(people());
    let steps = desk.at(1_900, agent_lost_by(AgentLoss::Refused(401)));
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(transfers(&desk.plays(line(2), 2_200, 4_000)), [FRONT_DESK]);
    desk.at(4_500, transfer_is(Transfer::Accepted));
    desk.at(4_600, stopped());
    let steps = desk.at(9_000, transfer_is(Transfer::Completed));
    assert_eq!(reason(&steps), Some(EndReason::Transferred));
}

/// F-DG-24.
#[test]
fn an_agent_that_owes_a_reply_too_long_is_replaced_by_a_person() {
    let mut desk = Desk::thinking_with(people());
    desk.plays(line(2), 14_100, 16_000);
    desk.plays(line(3), 20_100, 21_500);
    let steps = desk.until(22_000);
    assert_eq!(fired(&steps), [(22_000, Timer::ReplyLimit)]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
}

/// I-11: a person who could not be had is not asked for a second time in the same need.
#[test]
fn where_nobody_takes_a_call_that_cannot_go_on_it_ends_with_words() {
    let mut desk = Desk::with(people());
    desk.at(1_900, agent_lost_by(AgentLoss::Refused(401)));
    desk.plays(line(2), 2_200, 4_000);
    let steps = desk.at(4_500, transfer_is(Transfer::Refused));
    assert_eq!(phases(&steps), [Phase::Farewell]);
    assert_eq!(lines(&steps), [LineId::Trouble]);
    desk.plays(line(3), 4_700, 6_000);
    assert_eq!(reason(&desk.at(6_100, hung_up(HungUp::Done))), Some(EndReason::AgentFailed));
    assert_eq!(transfers(&desk.journal), [FRONT_DESK]);
}

// Other ends on the way.

/// F-PR-01, I-35: the call is being put into other hands already.
#[test]
fn a_server_that_stops_during_a_transfer_does_not_ask_for_another() {
    for at in [11_500, 13_200, 14_000] {
        let mut desk = Desk::transferring();
        desk.at(11_100, drain(15_000 + at - 11_100));
        desk.plays(line(2), 11_200, 13_000);
        desk.at(13_500, transfer_is(Transfer::Accepted));
        desk.until(20_000);
        assert_eq!(transfers(&desk.journal), [FRONT_DESK], "drained at {at}");
        let steps = desk.at(21_000, transfer_is(Transfer::Completed));
        assert_eq!(reason(&steps), Some(EndReason::Transferred), "drained at {at}");
    }
}

#[test]
fn a_caller_who_comes_back_when_the_server_stops_is_bid_goodbye() {
    let mut desk = Desk::handed_over();
    desk.at(14_000, drain(16_000));
    desk.until(15_000);
    assert_eq!(lines(&desk.at(16_000, joined())), [LineId::Trouble]);
    desk.plays(line(3), 16_200, 18_000);
    assert_eq!(reason(&desk.at(18_100, hung_up(HungUp::Done))), Some(EndReason::Drained));
}

/// I-35, I-11: nobody hangs up on a caller for whom a person's telephone rings; the transfer's own
/// limit holds, and there is no way back into the talk.
#[test]
fn the_longest_call_does_not_interrupt_a_transfer_and_leaves_no_way_back_from_it() {
    let make = || {
        let limits = Limits { call: Millis(15_000), ..Limits::default() };
        let mut desk = Desk::thinking_with(Brief { limits, ..people() });
        desk.at(11_000, asks(&[transfer("f1")]));
        desk.plays(line(2), 11_200, 13_000);
        desk.at(13_500, transfer_is(Transfer::Accepted));
        desk.at(13_600, stopped());
        let steps = desk.until(15_000);
        assert_eq!((fired(&steps), effects(&steps)), (vec![(15_000, Timer::CallLimit)], vec![]));
        desk
    };
    let steps = make().at(20_000, transfer_is(Transfer::Completed));
    assert_eq!(reason(&steps), Some(EndReason::Transferred));
    assert_eq!(reason(&make().until(100_000)), Some(EndReason::TransferFailed));
    let mut desk = make();
    assert_eq!(phases(&desk.at(20_000, joined())), [Phase::Farewell]);
    desk.plays(line(3), 20_200, 22_000);
    assert_eq!(reason(&desk.at(22_100, hung_up(HungUp::Done))), Some(EndReason::TimeLimit));
}

#[test]
fn news_of_a_transfer_that_nobody_asked_for_changes_nothing() {
    for news in Transfer::ALL {
        assert!(ignored(&Desk::listening().at(10_000, transfer_is(news))), "{news:?}");
        assert!(ignored(&Desk::transferring().at(11_100, transfer_is(news))), "{news:?}");
    }
    assert!(ignored(&Desk::listening().at(10_000, joined())));
    assert!(ignored(&Desk::handing_over().at(13_100, joined())), "nobody has left");
}

/// F-DG-19.
#[test]
fn a_transfer_with_bad_arguments_is_refused() {
    let ask = FunctionAsk { fault: Some("target is missing".into()), ..transfer("f1") };
    let steps = Desk::thinking_with(people()).at(11_000, asks(&[ask]));
    assert_eq!(answers(&steps), [("f1".into(), Answer::Refused(Refusal::BadArguments))]);
}

// The stream's end overtakes the carrier's answer.

/// S19, F-TR-09: the carrier acts before it answers, so its stop may overtake its yes.
#[test]
fn a_stream_that_ends_before_the_carrier_has_answered_may_be_the_transfer_itself() {
    for end in [stopped(), stream_lost()] {
        let mut desk = Desk::handing_over();
        let steps = desk.at(13_400, end);
        assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]), "it is not yet the end");
        assert_eq!(desk.next(), Some((23_000, Timer::TransferLimit)), "10 s as before");
        desk.at(13_500, transfer_is(Transfer::Accepted));
        assert_eq!(desk.next(), Some((73_500, Timer::TransferLimit)));
        let steps = desk.at(20_000, transfer_is(Transfer::Completed));
        assert_eq!(reason(&steps), Some(EndReason::Transferred));
    }
}

/// I-13, F-WH-04: what the carrier says twice is on record once, and prolongs nothing.
#[test]
fn news_of_a_transfer_that_are_told_twice_count_once() {
    let mut desk = Desk::handing_over();
    desk.at(13_400, transfer_is(Transfer::Accepted));
    desk.at(13_500, stopped());
    let due = desk.next();
    assert!(ignored(&desk.at(20_000, transfer_is(Transfer::Accepted))));
    assert_eq!(desk.next(), due);
    desk.at(30_000, transfer_is(Transfer::NoAnswer));
    for news in [Transfer::NoAnswer, Transfer::Failed, Transfer::Accepted] {
        assert!(ignored(&desk.at(30_100, transfer_is(news))), "{news:?}");
    }
    assert_eq!(lines(&desk.at(30_500, joined())), [LineId::NobodyFree]);
}

/// S19, F-TR-07: it was the transfer itself, and nobody answered.
#[test]
fn a_caller_whose_stream_ended_before_the_carriers_answer_may_come_back() {
    let mut desk = Desk::handing_over();
    desk.at(13_400, stopped());
    desk.at(13_500, transfer_is(Transfer::Accepted));
    desk.at(40_000, transfer_is(Transfer::NoAnswer));
    assert_eq!(lines(&desk.at(40_500, joined())), [LineId::NobodyFree]);
    assert_eq!(phases(&desk.plays(line(3), 40_700, 43_000)), [Phase::Listening]);
    assert_eq!(reason(&desk.at(50_000, stopped())), Some(EndReason::CallerHangup));
}

/// F-TR-03, F-TR-06: there is nobody to go back to.
#[test]
fn a_stream_that_stopped_without_a_transfer_was_the_caller_who_hung_up_and_a_lost_one_was_not() {
    let ends = [(stopped(), EndReason::CallerHangup), (stream_lost(), EndReason::StreamLost)];
    for (end, why) in ends {
        for news in [Transfer::Refused, Transfer::Failed, Transfer::Gone] {
            let why = if news == Transfer::Gone { EndReason::CallerHangup } else { why };
            let mut desk = Desk::handing_over();
            desk.at(13_400, end.clone());
            let steps = desk.at(13_500, transfer_is(news));
            let fact = Fact::Transfer { target: FRONT_DESK.into(), result: news };
            assert!(facts(&steps).contains(&fact), "{news:?}");
            assert_eq!(reason(&steps), Some(why), "{news:?}");
            assert_eq!(effects(&steps), [Effect::CloseAgent, Effect::LeaveStream], "{news:?}");
            assert_eq!(desk.next(), None, "{news:?}");
        }
    }
}

/// F-TW-09, F-TR-03: the carrier holds a call open whose stream is dead.
#[test]
fn a_stream_that_died_without_a_transfer_is_hung_up() {
    let mut desk = Desk::handing_over();
    desk.at(14_000, stream_dead());
    let steps = desk.at(15_000, transfer_is(Transfer::Refused));
    assert!(effects(&steps).contains(&Effect::HangUp), "{steps:?}");
    assert_eq!(phases(&steps), [Phase::HangingUp]);
    assert_eq!(reason(&desk.at(15_100, hung_up(HungUp::Done))), Some(EndReason::StreamLost));
}

/// F-TR-10, I-11.
#[test]
fn a_stream_that_ended_and_a_carrier_that_does_not_answer_are_the_end_after_10_seconds() {
    let mut desk = Desk::handing_over();
    desk.at(13_400, stopped());
    assert_eq!(phases(&desk.until(22_999)), []);
    let steps = desk.until(23_000);
    assert_eq!(fired(&steps), [(23_000, Timer::TransferLimit)]);
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
    assert_eq!(lines(&steps), [], "nobody is there to hear it");
    assert!(ignored(&desk.at(23_500, transfer_is(Transfer::Accepted))), "too late");
}

/// F-TR-10, F-TW-09: what became of the transfer is on record, as it is where the stream is there.
#[test]
fn a_stream_that_died_and_a_carrier_that_does_not_answer_are_a_failed_transfer_on_record() {
    let mut desk = Desk::handing_over();
    desk.at(14_000, stream_dead());
    let steps = desk.until(23_000);
    let failed = |fact: &Fact| matches!(fact, Fact::Transfer { result: Transfer::Failed, .. });
    assert!(steps.iter().flat_map(|step| &step.facts).any(failed), "{steps:?}");
    assert_eq!(phases(&steps), [Phase::HangingUp]);
}

/// F-TR-04: in the need of ours too.
#[test]
fn a_caller_who_hangs_up_while_a_person_is_asked_for_in_need_has_hung_up() {
    let mut desk = Desk::with(people());
    desk.at(1_900, agent_lost_by(AgentLoss::Refused(401)));
    desk.plays(line(2), 2_200, 4_000);
    desk.at(4_200, stopped());
    let steps = desk.at(4_500, transfer_is(Transfer::Refused));
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
}

// Again.

/// F-DG-07: nobody was free then, which says nothing about now.
#[test]
fn a_call_that_cannot_go_on_is_handed_to_a_person_though_nobody_was_free_before() {
    let mut desk = Desk::handing_over();
    desk.at(13_500, transfer_is(Transfer::Refused));
    desk.plays(line(3), 13_700, 15_000);
    let mut at = 16_000;
    for number in 1..=30 {
        desk.at(at, caller_says("And then?"));
        desk.agent_speaks(number, at + 1_000, at + 9_000);
        at += 10_000;
    }
    let steps = desk.at(at, agent_lost_by(AgentLoss::Refused(401)));
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(transfers(&desk.plays(line(4), at + 200, at + 2_000)), [FRONT_DESK]);
    desk.at(at + 2_500, transfer_is(Transfer::Accepted));
    desk.at(at + 2_600, stopped());
    let steps = desk.at(at + 9_000, transfer_is(Transfer::Completed));
    assert_eq!(reason(&steps), Some(EndReason::Transferred));
}

/// What was true of the first transfer is not taken for the second's.
#[test]
fn a_stream_that_ends_during_the_second_announcement_is_the_caller_who_hung_up() {
    let mut desk = Desk::handed_over();
    desk.at(20_000, transfer_is(Transfer::Busy));
    desk.at(20_500, joined());
    desk.plays(line(3), 20_700, 23_000);
    desk.at(24_000, asks(&[transfer("f2")]));
    assert_eq!(desk.phase(), Phase::Transferring);
    assert_eq!(reason(&desk.at(24_500, stopped())), Some(EndReason::CallerHangup));
}
