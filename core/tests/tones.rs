//! Tones to the other side: the stream leaves for them, and the same call goes on behind them.

mod support;

use call_core::{
    Effect, EndReason, Fact, LineId, Phase,
    call::Timer,
    effect::Answer,
    input::{FunctionAsk, HungUp, Tones},
    step::Refusal,
};

use support::{
    Desk, FRONT_DESK, agent_lost, agent_ready, answers, asks, audio_done, began, caller_says,
    completed, cut, done, drain, effects, facts, fired, hangup, heard, hung_up, ignored, joined,
    line, lines, lookup, noise, operator_hangs_up, operator_transfers, outcomes, pay, people,
    phases, queued, reason, sentence, stopped, stream_dead, stream_lost, toned, tones, tones_are,
    transfer_to, transfers, withdraws,
};

/// A desk whose stream left for tones at 00:11.200.
fn away() -> Desk {
    let mut desk = Desk::playing_tones();
    desk.at(11_100, tones_are(Tones::Accepted));
    assert!(phases(&desk.at(11_200, stopped())).is_empty(), "the call goes on");
    desk
}

fn one(id: &str, answer: Answer) -> Vec<(String, Answer)> {
    vec![(id.to_string(), answer)]
}

/// F-TR-12, F-TW-29, S37.
#[test]
fn the_stream_leaves_for_tones_and_the_call_goes_on_when_it_is_back() {
    let mut desk = away();
    assert!(desk.until(20_000).is_empty(), "nobody is silent, and nothing is owed");
    let steps = desk.at(20_000, joined());
    assert_eq!(outcomes(&steps), [("f1".to_string(), "done".to_string())]);
    assert_eq!(answers(&steps), one("f1", Answer::Done));
    assert_eq!(phases(&steps), [Phase::Listening], "the other side has the floor");
    assert_eq!(lines(&steps), [], "there is no second greeting");
    let unmuted = effects(&steps).iter().position(|effect| *effect == Effect::UnmuteAgent);
    assert_eq!(unmuted, Some(0), "the agent may be heard before it is answered");
    desk.agent_speaks(1, 21_000, 23_000);
    assert_eq!(desk.next(), Some((47_000, Timer::SilencePrompt)), "silence began anew");
}

/// F-TR-12, I-11: while no session listens, nobody would go on with the call behind tones.
#[test]
fn no_tones_are_played_while_another_session_is_awaited() {
    let mut desk = Desk::reconnecting();
    let steps = desk.at(13_000, asks(&[tones("f1")]));
    assert_eq!(answers(&steps), one("f1", Answer::Refused(Refusal::TooManyOpen)));
    assert_eq!(desk.phase(), Phase::Reconnecting);
    desk.plays(line(2), 13_200, 14_500);
    assert_eq!(lines(&desk.at(15_000, agent_ready())), [LineId::GoOn]);
    assert_eq!(phases(&desk.plays(line(3), 15_200, 16_500)), [Phase::Listening]);
}

/// I-13: the carrier alone says what became of tones.
#[test]
fn a_result_of_the_back_office_is_no_outcome_of_tones() {
    let mut desk = away();
    let steps = desk.at(15_000, done("f1"));
    assert!(ignored(&steps) && outcomes(&steps).is_empty(), "{steps:?}");
    assert_eq!(answers(&desk.at(20_000, joined())), one("f1", Answer::Done));
}

/// I-13: nor may anybody else say so while the call is hung up.
#[test]
fn a_result_under_the_id_of_tones_is_none_while_the_call_is_hung_up() {
    let mut desk = Desk::playing_tones();
    desk.at(11_100, stream_dead());
    assert_eq!(desk.phase(), Phase::HangingUp);
    let steps = desk.at(11_200, done("f1"));
    assert!(ignored(&steps) && outcomes(&steps).is_empty(), "{steps:?}");
}

/// F-TR-12: the order of the `stop` and the carrier's answer is not promised.
#[test]
fn the_stop_may_come_before_the_answer() {
    let mut desk = Desk::playing_tones();
    assert!(phases(&desk.at(11_050, stopped())).is_empty());
    desk.at(11_100, tones_are(Tones::Accepted));
    assert_eq!(desk.next(), Some((41_050, Timer::TonesLimit)), "counted from the first sign");
    assert_eq!(phases(&desk.at(14_000, joined())), [Phase::Listening]);
}

/// F-TR-12: a stream that is broken and not stopped.
#[test]
fn a_stream_that_breaks_for_tones_is_waited_for_as_well() {
    let mut desk = Desk::playing_tones();
    assert!(phases(&desk.at(11_050, stream_lost())).is_empty());
    assert_eq!(phases(&desk.at(14_000, joined())), [Phase::Listening]);
}

/// What is on its way would be cut by the stream's end.
#[test]
fn what_the_agent_said_is_heard_before_the_carrier_is_asked() {
    let mut desk = Desk::speaking_with(people());
    desk.at(11_200, audio_done());
    desk.at(11_200, queued(sentence(1), 2_000, 13_000));
    let steps = desk.at(11_300, asks(&[tones("f1")]));
    assert_eq!(phases(&steps), [Phase::PlayingTones]);
    assert_eq!(toned(&steps), []);
    assert!(effects(&steps).contains(&Effect::MuteAgent));
    assert_eq!(toned(&desk.at(13_000, heard(sentence(1), 2_000))), [("f1".to_string(), 3)]);
}

/// F-TW-09, F-TR-12: the stream that the tones ended may do so without a word.
#[test]
fn a_stream_that_is_dead_while_tones_are_played_is_waited_for() {
    let mut desk = Desk::playing_tones();
    desk.at(11_100, tones_are(Tones::Accepted));
    assert_eq!(effects(&desk.at(21_500, stream_dead())), []);
    assert_eq!(answers(&desk.at(28_000, joined())), one("f1", Answer::Done));
    assert_eq!(desk.phase(), Phase::Listening);
}

/// F-TR-03: a stream that ended, and no tones: it was the caller who left, and nobody is talked to.
#[test]
fn a_stream_that_ended_without_tones_is_the_end() {
    let ends = [(stopped(), EndReason::CallerHangup), (stream_lost(), EndReason::StreamLost)];
    for (end, why) in ends {
        let mut desk = Desk::playing_tones();
        desk.at(11_050, end);
        let steps = desk.at(11_500, tones_are(Tones::Refused));
        assert_eq!(outcomes(&steps), [("f1".to_string(), "not-done".to_string())]);
        assert_eq!(reason(&steps), Some(why));
    }
}

/// C-07: also where the call turns elsewhere before the carrier was asked.
#[test]
fn a_notice_that_waits_for_tones_is_said_where_they_are_given_up() {
    let mut desk = Desk::speaking_with(people());
    let spanish = support::caller_says_in(call_core::Language::Spanish, "Quiero hacer mi pago.");
    assert_eq!(lines(&desk.at(11_200, spanish)), [LineId::Notice]);
    desk.at(11_300, asks(&[tones("f1")]));
    assert_eq!(lines(&desk.at(11_400, agent_lost())), [LineId::Notice]);
    assert_eq!(desk.phase(), Phase::Reconnecting);
}

#[test]
fn speech_that_does_not_end_is_waited_for_within_a_bound() {
    let mut desk = Desk::speaking_with(people());
    desk.at(11_300, asks(&[tones("f1")]));
    let steps = desk.until(26_300);
    assert_eq!(fired(&steps), [(26_300, Timer::TonesLimit)]);
    assert_eq!(toned(&steps).len(), 1);
    desk.at(26_400, tones_are(Tones::Accepted));
    desk.at(26_500, cut(sentence(1), 2_000, 9_000));
    assert!(phases(&desk.at(26_500, stopped())).is_empty());
    assert_eq!(phases(&desk.at(28_000, joined())), [Phase::Listening]);
}

/// F-TR-11.
#[test]
fn what_is_no_sequence_of_tones_is_refused_before_anything_is_asked() {
    let mut desk = Desk::thinking_with(people());
    let fault = Some("digits must be keys".to_string());
    let steps = desk.at(11_000, asks(&[FunctionAsk { fault, tones: None, ..tones("f1") }]));
    assert_eq!(answers(&steps), one("f1", Answer::Refused(Refusal::BadArguments)));
    assert_eq!(toned(&steps), []);
    assert_eq!(desk.phase(), Phase::Thinking);
}

#[test]
fn a_company_that_offers_no_tones_has_none_played() {
    let mut desk = Desk::thinking();
    let steps = desk.at(11_000, asks(&[tones("f1")]));
    assert_eq!(answers(&steps), one("f1", Answer::Refused(Refusal::NotOffered)));
}

/// F-TR-03, F-TR-04.
#[test]
fn the_agent_is_told_when_the_carrier_refuses() {
    let mut desk = Desk::playing_tones();
    let steps = desk.at(11_100, tones_are(Tones::Refused));
    assert_eq!(outcomes(&steps), [("f1".to_string(), "not-done".to_string())]);
    assert_eq!(answers(&steps), one("f1", Answer::NotDone));
    assert_eq!(phases(&steps), [Phase::Thinking]);
}

/// T_REST.
#[test]
fn the_agent_is_told_when_the_carrier_does_not_answer() {
    let mut desk = Desk::playing_tones();
    let steps = desk.until(21_000);
    assert_eq!(fired(&steps), [(21_000, Timer::TonesLimit)]);
    assert_eq!(answers(&steps), one("f1", Answer::NotDone));
    assert_eq!(phases(&steps), [Phase::Thinking]);
}

/// F-TW-29.
#[test]
fn a_stream_that_does_not_come_back_ends_the_call() {
    let mut desk = away();
    let steps = desk.until(41_100);
    assert_eq!(fired(&steps), [(41_100, Timer::TonesLimit)]);
    assert_eq!(reason(&steps), Some(EndReason::StreamLost));
    assert_eq!(outcomes(&steps), [("f1".to_string(), "unknown".to_string())]);
}

/// F-WH-13: there is no stream that could say so.
#[test]
fn a_caller_who_hangs_up_during_tones_is_known_by_the_status() {
    let mut desk = away();
    assert_eq!(reason(&desk.at(13_000, completed())), Some(EndReason::CallerHangup));
    assert!(ignored(&desk.at(13_100, completed())), "twice is once");
}

#[test]
fn a_caller_who_was_gone_before_is_known_by_the_answer() {
    let mut desk = Desk::playing_tones();
    desk.at(11_050, stopped());
    let steps = desk.at(11_100, tones_are(Tones::Gone));
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
}

/// F-TR-12: before the carrier was asked, a `stop` is the end of the call.
#[test]
fn a_stop_before_the_request_is_the_end() {
    let mut desk = Desk::speaking_with(people());
    desk.at(11_300, asks(&[tones("f1")]));
    let steps = desk.at(12_000, stopped());
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
    assert_eq!(outcomes(&steps), [("f1".to_string(), "not-done".to_string())]);
}

/// F-DG-16, I-22: one id, one sequence of tones; the answer is repeated, the tones are not.
#[test]
fn a_request_that_is_repeated_is_answered_from_the_ledger() {
    let mut desk = away();
    assert_eq!(effects(&desk.at(12_000, asks(&[tones("f1")]))), [], "it is being done");
    desk.at(14_000, joined());
    let steps = desk.at(14_100, asks(&[tones("f1")]));
    assert_eq!((answers(&steps), toned(&steps)), (one("f1", Answer::Done), vec![]));
}

/// A menu may want the same key twice: another request is another wish, unlike a payment.
#[test]
fn the_same_tones_under_another_id_are_played_again() {
    let mut desk = away();
    desk.at(14_000, joined());
    assert_eq!(toned(&desk.at(14_500, asks(&[tones("f2")]))), [("f2".to_string(), 3)]);
}

#[test]
fn what_is_asked_for_meanwhile_is_decided_when_the_stream_is_back() {
    let mut desk = Desk::thinking_with(people());
    let steps = desk.at(11_000, asks(&[tones("f1"), lookup("f2"), tones("f3")]));
    assert_eq!(toned(&steps), [("f1".to_string(), 3)]);
    desk.at(11_100, tones_are(Tones::Accepted));
    desk.at(11_200, stopped());
    assert_eq!(effects(&desk.at(12_000, asks(&[hangup("f4")]))), []);
    let steps = desk.at(14_000, joined());
    assert_eq!(support::performed(&steps), ["f2"]);
    let refused = ("f3".to_string(), Answer::Refused(Refusal::TooManyOpen));
    assert!(answers(&steps).contains(&refused), "a lookup runs: {steps:?}");
    assert_eq!(phases(&steps), [Phase::Farewell], "and the agent wants to hang up");
}

#[test]
fn two_sequences_in_one_request_are_played_one_after_the_other() {
    let mut desk = Desk::thinking_with(people());
    desk.at(11_000, asks(&[tones("f1"), tones("f2")]));
    desk.at(11_050, stopped());
    let steps = desk.at(14_000, joined());
    assert_eq!(answers(&steps), one("f1", Answer::Done));
    assert_eq!(toned(&steps), [("f2".to_string(), 3)]);
    assert_eq!(desk.phase(), Phase::PlayingTones);
    desk.at(14_050, stopped());
    assert_eq!(answers(&desk.at(17_000, joined())), one("f2", Answer::Done));
}

/// A payment's outcome must not come while nobody can be told of it.
#[test]
fn tones_are_refused_while_something_runs() {
    let mut desk = Desk::verified();
    desk.at(13_000, asks(&[pay("f2")]));
    let steps = desk.at(13_100, asks(&[tones("f3")]));
    assert_eq!(answers(&steps), one("f3", Answer::Refused(Refusal::TooManyOpen)));
    desk.at(14_000, done("f2"));
    assert_eq!(toned(&desk.at(15_000, asks(&[tones("f4")]))).len(), 1);
}

#[test]
fn tones_that_were_not_asked_for_yet_can_be_taken_back() {
    let mut desk = Desk::speaking_with(people());
    desk.at(11_300, asks(&[tones("f1")]));
    let steps = desk.at(11_400, withdraws("f1"));
    assert_eq!(outcomes(&steps), [("f1".to_string(), "withdrawn".to_string())]);
    assert_eq!(phases(&steps), [Phase::Speaking]);
    assert!(effects(&steps).contains(&Effect::UnmuteAgent));
    assert_eq!(answers(&steps), []);
}

#[test]
fn tones_that_are_played_cannot_be_taken_back_and_are_not_answered_then() {
    let mut desk = away();
    assert_eq!(effects(&desk.at(12_000, withdraws("f1"))), []);
    let steps = desk.at(14_000, joined());
    assert_eq!(outcomes(&steps), [("f1".to_string(), "done".to_string())]);
    assert_eq!((answers(&steps), phases(&steps)), (vec![], vec![Phase::Listening]));
}

/// The caller's words reach us with a delay, even when the stream has gone.
#[test]
fn words_that_come_late_are_on_record_and_change_nothing() {
    let mut desk = away();
    let steps = desk.at(11_500, caller_says("A representative please."));
    assert!(matches!(facts(&steps)[..], [Fact::CallerLine { .. }]), "{steps:?}");
    assert_eq!(effects(&steps), []);
    assert!(effects(&desk.at(11_600, noise())).is_empty());
}

/// F-DG-08.
#[test]
fn an_agent_that_is_lost_meanwhile_is_replaced_when_the_stream_is_back() {
    let mut desk = away();
    assert_eq!(effects(&desk.at(12_000, agent_lost())), [Effect::CutReply]);
    let steps = desk.at(14_000, joined());
    assert_eq!(answers(&steps), one("f1", Answer::Done), "the next one reads it");
    assert_eq!(phases(&steps), [Phase::Reconnecting]);
    assert_eq!(lines(&steps), [], "the caller is asked to hold if it takes longer");
    assert_eq!(phases(&desk.at(14_500, agent_ready())), [Phase::Listening]);
}

#[test]
fn an_agent_that_is_lost_before_the_request_is_replaced_at_once() {
    let mut desk = Desk::speaking_with(people());
    desk.at(11_300, asks(&[tones("f1")]));
    let steps = desk.at(11_400, agent_lost());
    assert_eq!(phases(&steps), [Phase::Reconnecting]);
    assert_eq!(answers(&steps), one("f1", Answer::NotDone));
}

/// What ends the call waits for the stream: nobody would hear the goodbye.
#[test]
fn an_operator_who_ends_the_call_is_heard_when_the_stream_is_back() {
    let mut desk = away();
    assert_eq!(effects(&desk.at(12_000, operator_hangs_up())), []);
    let steps = desk.at(14_000, joined());
    assert_eq!(phases(&steps), [Phase::Farewell]);
    desk.plays(line(2), 14_100, 16_000);
    let steps = desk.at(16_100, hung_up(HungUp::Done));
    assert_eq!(reason(&steps), Some(EndReason::OperatorHangup));
}

#[test]
fn an_operators_transfer_and_a_drain_wait_for_the_stream_too() {
    let mut desk = away();
    desk.at(12_000, operator_transfers("hardship"));
    assert_eq!(phases(&desk.at(14_000, joined())), [Phase::Transferring]);
    let mut desk = away();
    desk.at(12_000, drain(15_500));
    assert!(phases(&desk.until(13_000)).is_empty());
    assert_eq!(phases(&desk.at(14_000, joined())), [Phase::Transferring]);
    desk.plays(line(2), 14_100, 16_000);
    assert_eq!(transfers(&desk.journal), [FRONT_DESK]);
}

/// Tones and a transfer in one breath: the first one is done, then the other.
#[test]
fn a_transfer_asked_for_behind_tones_comes_behind_them() {
    let mut desk = Desk::thinking_with(people());
    desk.at(11_000, asks(&[tones("f1"), transfer_to("f2", "hardship")]));
    desk.at(11_050, stopped());
    assert_eq!(phases(&desk.at(14_000, joined())), [Phase::Transferring]);
}

/// C-07: a notice that the stream's end cut off is said again, and only when it can be heard.
#[test]
fn a_line_that_must_be_heard_is_said_again_behind_the_tones() {
    let mut desk = Desk::thinking_with(people());
    let spanish = support::caller_says_in(call_core::Language::Spanish, "Quiero hacer mi pago.");
    assert_eq!(lines(&desk.at(10_500, spanish)), [LineId::Notice]);
    let steps = desk.at(10_600, asks(&[tones("f1")]));
    assert_eq!(toned(&steps).len(), 1, "it was not on its way yet");
    desk.at(10_700, stopped());
    assert_eq!(lines(&desk.at(14_000, joined())), [LineId::Notice]);
    desk.at(14_100, began(line(3)));
    assert_eq!(desk.phase(), Phase::Speaking);
}

/// F-WH-13, M-13: whatever the call is doing.
#[test]
fn a_call_that_the_carrier_calls_over_is_over() {
    for mut desk in [Desk::listening(), Desk::speaking(), Desk::function_pending(), away()] {
        let at = desk.now() + 100;
        let steps = desk.at(at, completed());
        assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
        assert!(effects(&steps).contains(&Effect::LeaveStream), "both sockets are closed");
        assert!(effects(&steps).contains(&Effect::CloseAgent));
        assert!(ignored(&desk.at(at + 100, stopped())), "its stop is no news");
    }
    let mut desk = Desk::hanging_up();
    let steps = desk.at(13_100, completed());
    assert_eq!(reason(&steps), Some(EndReason::AgentHangup), "that is what we asked for");
}
