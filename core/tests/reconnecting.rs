//! The agent is lost in the middle of a call, and another session takes the conversation over.

mod support;

use call_core::{
    Effect, EndReason, Fact, Language, LineId, Phase,
    call::Timer,
    effect::Answer,
    input::{AgentLoss, HungUp},
};

use support::{
    Desk, OPENING, agent_lost, agent_lost_by, agent_ready, answers, asks, began, caller_says,
    caller_says_in, cut, done, effects, facts, fired, heard, hung_up, ignored, line, line_failed,
    line_ready, lines, lookup, noise, pay, people, performed, phases, queued, reason, recorded,
    result_of, sentence, sound, stopped,
};

/// M-09, F-DG-07, S22.
#[test]
fn a_lost_agent_is_replaced_by_another_session_while_the_caller_is_asked_to_hold() {
    let mut desk = Desk::listening();
    let steps = desk.at(11_000, agent_lost());
    assert_eq!(phases(&steps), [Phase::Reconnecting]);
    let open = Effect::OpenAgent { language: Language::English, resume: true };
    assert!(effects(&steps).contains(&open));
    assert_eq!(lines(&desk.until(12_000)), [LineId::Hold]);
    desk.plays(line(2), 12_200, 13_500);
    let steps = desk.at(14_000, agent_ready());
    assert_eq!(lines(&steps), [LineId::GoOn]);
    assert_eq!(phases(&desk.plays(line(3), 14_200, 15_500)), [Phase::Listening]);
    desk.at(17_000, caller_says("As I said, how much?"));
    assert_eq!(phases(&desk.agent_speaks(1, 18_000, 19_000)), [Phase::Speaking, Phase::Listening]);
}

/// M-09: the required opening is said once in a call, however many sessions it takes.
#[test]
fn no_second_opening_is_ever_said() {
    for make in [Desk::listening, Desk::thinking, Desk::speaking, Desk::function_pending] {
        let mut desk = make();
        desk.at(12_000, agent_lost());
        desk.at(12_500, done("f1"));
        desk.until(13_000);
        assert_eq!(desk.phase(), Phase::Reconnecting);
        desk.at(14_000, agent_ready());
        desk.until(40_000);
        let openings = lines(&desk.journal).into_iter().filter(|line| *line == LineId::Opening);
        assert_eq!(openings.count(), 1);
        let starts = facts(&desk.journal).into_iter();
        assert_eq!(starts.filter(|fact| matches!(fact, Fact::CallStarted { .. })).count(), 1);
    }
}

/// I-15.
#[test]
fn the_callers_silence_does_not_count_while_we_reconnect() {
    let mut desk = Desk::reconnecting();
    desk.plays(line(2), 12_200, 13_500);
    desk.at(17_000, agent_ready());
    desk.plays(line(3), 17_200, 19_000);
    assert_eq!(desk.next(), Some((38_000, Timer::SilencePrompt)), "6 s before, 19 s to go");
}

/// F-DG-08.
#[test]
fn what_a_lost_agent_was_saying_is_cut_and_the_caller_is_asked_to_hold() {
    let mut desk = Desk::speaking();
    let steps = desk.at(11_000, agent_lost());
    assert!(effects(&steps).contains(&Effect::CutReply));
    let steps = desk.at(11_100, cut(sentence(1), 100, 3_000));
    assert!(matches!(&facts(&steps)[..], [Fact::Cut { .. }]), "it does not count as said");
    assert_eq!(lines(&desk.until(12_100)), [LineId::Hold], "a second after it");
    desk.plays(line(2), 12_200, 13_500);
    desk.at(14_000, agent_ready());
    assert_eq!(phases(&desk.plays(line(3), 14_200, 15_500)), [Phase::Listening]);
}

/// S22: our clip is not the agent's, and goes on.
#[test]
fn an_opening_that_is_playing_when_the_agent_is_lost_is_heard_to_its_end() {
    let mut desk = Desk::new();
    desk.at(400, line_ready(OPENING));
    desk.at(400, began(OPENING));
    desk.at(900, agent_ready());
    desk.at(900, queued(OPENING, 4_000, 4_400));
    let steps = desk.at(2_000, agent_lost());
    assert_eq!(lines(&steps), [], "the caller hears something already");
    assert_eq!(phases(&desk.at(3_000, agent_ready())), [Phase::Greeting]);
    assert_eq!(phases(&desk.at(4_400, heard(OPENING, 4_000))), [Phase::Listening]);
    assert_eq!(lines(&desk.journal), [LineId::Opening], "there was nothing to go on with");
}

/// M-10, F-DG-07.
#[test]
fn a_second_loss_within_60_seconds_hands_the_call_to_a_person() {
    let mut desk = Desk::reconnecting();
    desk.at(13_000, agent_ready());
    desk.at(30_000, caller_says("Let me see."));
    desk.agent_speaks(1, 31_000, 33_000);
    let steps = desk.at(70_999, agent_lost());
    assert_eq!(phases(&steps).last(), Some(&Phase::Transferring));
    assert!(!effects(&steps).iter().any(|effect| matches!(effect, Effect::OpenAgent { .. })));
}

/// F-DG-07.
#[test]
fn a_second_loss_later_is_mended_too_and_a_third_is_not() {
    let mut desk = Desk::reconnecting();
    desk.at(13_000, agent_ready());
    desk.plays(line(3), 13_200, 15_000);
    desk.at(30_000, caller_says("Let me see."));
    desk.agent_speaks(1, 31_000, 33_000);
    desk.plays(line(4), 58_100, 60_000);
    assert_eq!(phases(&desk.at(72_000, agent_lost())), [Phase::Reconnecting]);
    desk.at(73_000, agent_ready());
    desk.at(74_000, caller_says("Are you still there?"));
    desk.agent_speaks(2, 75_000, 100_000);
    desk.at(120_000, caller_says("Are you still there now?"));
    desk.agent_speaks(3, 121_000, 140_000);
    assert_eq!(phases(&desk.at(150_000, agent_lost())), [Phase::Transferring]);
}

/// F-DG-02, F-DG-06.
#[test]
fn a_loss_that_another_session_would_not_mend_is_not_tried_again() {
    let hopeless = [
        AgentLoss::Hopeless("INVALID_SETTINGS".into()),
        AgentLoss::Refused(401),
        AgentLoss::Refused(402),
        AgentLoss::Refused(403),
    ];
    for loss in hopeless {
        let mut desk = Desk::listening_with(people());
        let steps = desk.at(12_000, agent_lost_by(loss.clone()));
        assert_eq!(phases(&steps), [Phase::Transferring], "{loss:?}");
        let mut desk = Desk::listening();
        let steps = desk.at(12_000, agent_lost_by(loss.clone()));
        assert_eq!(lines(&steps), [LineId::Trouble], "{loss:?}: there is nobody");
        desk.plays(line(2), 12_200, 14_000);
        let steps = desk.at(14_100, hung_up(HungUp::Done));
        assert_eq!(reason(&steps), Some(EndReason::AgentFailed), "{loss:?}");
    }
}

/// S22, F-DG-03.
#[test]
fn a_session_that_does_not_come_hands_the_call_to_a_person() {
    let mut desk = Desk::reconnecting();
    desk.plays(line(2), 12_200, 13_500);
    let steps = desk.until(19_000);
    assert_eq!(fired(&steps), [(17_500, Timer::Filler), (19_000, Timer::AgentReady)]);
    assert_eq!(phases(&steps), [Phase::Transferring]);
    let last = effects(&steps[steps.len() - 1..]);
    assert_eq!(last[0], Effect::CloseAgent, "nobody waits for it any more (I-24)");

    let mut desk = Desk::reconnecting();
    let steps = desk.at(13_000, agent_lost_by(AgentLoss::Refused(429)));
    assert_eq!(phases(&steps), [Phase::Transferring]);
}

/// F-DG-22, F-DG-20, S22.
#[test]
fn a_function_that_ends_while_we_reconnect_is_answered_once() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, agent_lost());
    let steps = desk.at(13_000, done("f1"));
    assert_eq!((answers(&steps), phases(&steps)), (vec![], vec![]));
    let steps = desk.at(14_000, agent_ready());
    assert_eq!(answers(&steps), [("f1".into(), result_of("f1"))], "the next session is told");
    assert_eq!(lines(&steps), [], "and goes on with it");
    assert!(ignored(&desk.at(16_000, done("f1"))));
    assert_eq!(performed(&desk.journal), ["f1"]);
    assert_eq!(answers(&desk.journal).len(), 1);
}

/// S22.
#[test]
fn a_function_that_ends_after_we_reconnected_is_answered_once() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, agent_lost());
    desk.plays(line(2), 12_200, 13_000);
    desk.at(13_000, agent_ready());
    desk.plays(line(3), 13_200, 14_500);
    assert_eq!(desk.phase(), Phase::FunctionPending);
    assert_eq!(answers(&desk.at(15_000, done("f1"))), [("f1".into(), result_of("f1"))]);
    assert_eq!(answers(&desk.journal).len(), 1);
}

/// F-DG-20, I-13: what was asked for in the opening waits for its end, and that may come while the
/// agent is lost.
#[test]
fn a_function_asked_for_in_the_opening_is_performed_when_another_session_is_there() {
    let mut desk = Desk::new();
    desk.at(400, line_ready(OPENING));
    desk.at(400, began(OPENING));
    desk.at(900, agent_ready());
    desk.at(900, queued(OPENING, 4_000, 4_400));
    assert_eq!(performed(&desk.at(1_800, asks(&[lookup("f1")]))), [""; 0]);
    desk.at(2_000, agent_lost());
    desk.at(4_400, heard(OPENING, 4_000));
    let steps = desk.at(5_000, agent_ready());
    assert_eq!(performed(&steps), ["f1"]);
    assert_eq!(lines(&steps), [], "they wait for its result");
}

/// F-DG-22.
#[test]
fn a_function_that_is_too_slow_while_we_reconnect_is_answered_once() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, agent_lost());
    assert_eq!(answers(&desk.until(19_000)), []);
    assert_eq!(desk.phase(), Phase::Reconnecting);
    let steps = desk.at(19_500, agent_ready());
    assert_eq!(answers(&steps), [("f1".into(), Answer::TimedOut)]);
}

/// S22: a payment is not performed again, whatever the new session asks for.
#[test]
fn a_payment_survives_the_loss_of_the_agent_that_asked_for_it() {
    let mut desk = Desk::paying();
    desk.at(14_000, agent_lost());
    desk.at(15_000, agent_ready());
    desk.plays(line(3), 15_200, 16_500);
    desk.at(17_000, asks(&[pay("p2")]));
    let steps = desk.at(18_000, done("p1"));
    let both = [("p1".into(), result_of("p1")), ("p2".into(), result_of("p1"))];
    assert_eq!(answers(&steps), both);
    assert_eq!(performed(&desk.journal), ["f1", "p1"]);
}

/// S22: a farewell is just finished.
#[test]
fn an_agent_that_is_lost_in_a_farewell_is_not_missed() {
    let mut desk = Desk::farewell();
    let steps = desk.at(11_100, agent_lost());
    assert_eq!(phases(&steps), []);
    assert_eq!(phases(&desk.plays(line(2), 11_200, 13_000)), [Phase::HangingUp]);
}

#[test]
fn a_new_session_is_opened_in_the_language_of_the_call() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says_in(Language::Spanish, "Quiero pagar mi préstamo."));
    desk.plays(line(2), 10_200, 13_000);
    let steps = desk.at(13_500, agent_lost());
    let open = Effect::OpenAgent { language: Language::Spanish, resume: true };
    assert!(effects(&steps).contains(&open));
}

#[test]
fn a_caller_who_hangs_up_while_we_reconnect_has_hung_up() {
    let steps = Desk::reconnecting().at(13_000, stopped());
    assert_eq!(reason(&steps), Some(EndReason::CallerHangup));
}

/// S22: a loss that is mended at once is not spoken of.
#[test]
fn a_caller_who_lost_nothing_is_told_nothing() {
    let mut desk = Desk::listening_with(people());
    desk.at(11_000, agent_lost());
    let steps = desk.at(11_300, agent_ready());
    assert_eq!((lines(&steps), phases(&steps)), (vec![], vec![Phase::Listening]));
    // A line that was asked for and has not begun is not wanted any more.
    let mut desk = Desk::reconnecting();
    let steps = desk.at(12_050, agent_ready());
    assert_eq!(effects(&steps), [Effect::Withdraw { utterance: line(2) }]);
}

/// S22: nor a caller who waits for a function.
#[test]
fn a_caller_for_whom_a_function_runs_is_not_asked_to_go_on() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, agent_lost());
    desk.until(13_000);
    desk.plays(line(2), 13_100, 14_500);
    let steps = desk.at(15_000, agent_ready());
    assert_eq!((lines(&steps), phases(&steps)), (vec![], vec![Phase::FunctionPending]));
}

/// F-DG-08: what the agent was saying is perhaps not all there was.
#[test]
fn a_caller_who_lost_the_rest_of_a_reply_is_asked_whether_to_say_it_again() {
    let mut desk = Desk::speaking();
    desk.at(11_500, agent_lost());
    desk.at(11_700, agent_ready());
    desk.at(12_500, cut(sentence(1), 1_500, 3_000));
    assert_eq!(desk.phase(), Phase::Listening);
    assert_eq!(desk.next(), Some((16_500, Timer::CutShort)));
}

/// I-17: nobody else hears that they speak.
#[test]
fn a_caller_who_speaks_while_no_agent_listens_is_not_spoken_over() {
    let mut desk = Desk::listening_with(people());
    desk.at(10_500, noise());
    desk.at(11_000, agent_lost());
    for at in (11_400..14_000).step_by(500) {
        assert_eq!(effects(&desk.at(at, sound())), []);
    }
    let steps = desk.at(14_300, agent_ready());
    assert_eq!((lines(&steps), phases(&steps)), (vec![], vec![Phase::Listening]));
    assert_eq!(desk.next(), Some((18_300, Timer::CutShort)), "should nothing come of it");
    // Whoever was quiet by then is told that we did not hear them.
    let mut desk = Desk::listening_with(people());
    desk.at(10_500, noise());
    desk.at(11_000, agent_lost());
    assert_eq!(lines(&desk.at(11_900, agent_ready())), [LineId::GoOn]);
}

/// I-16, F-DG-08: our opening goes on, and then there is nobody.
#[test]
fn a_caller_is_asked_to_hold_when_the_opening_is_over_and_no_agent_is_there() {
    let mut desk = Desk::new();
    desk.at(400, line_ready(OPENING));
    desk.at(400, began(OPENING));
    desk.at(900, agent_ready());
    desk.at(900, queued(OPENING, 4_000, 4_400));
    desk.at(4_000, agent_lost());
    assert_eq!(lines(&desk.at(4_400, heard(OPENING, 4_000))), []);
    assert_eq!(lines(&desk.until(5_400)), [LineId::Hold]);
    desk.plays(line(2), 5_500, 7_000);
    assert_eq!(lines(&desk.at(8_000, agent_ready())), [LineId::GoOn]);
}

/// F-DG-01, F-DG-05: the first agent may be as long in coming.
#[test]
fn a_caller_is_asked_to_hold_while_the_first_agent_is_not_there() {
    let mut desk = Desk::new();
    desk.plays(OPENING, 400, 2_400);
    desk.at(4_000, sound());
    assert_eq!(desk.next(), Some((8_000, Timer::Filler)), "four seconds from the last sound");
    assert_eq!(lines(&desk.until(8_000)), [LineId::Hold]);
    desk.plays(line(2), 8_100, 9_500);
    let steps = desk.at(10_000, agent_ready());
    assert_eq!((lines(&steps), phases(&steps)), (vec![LineId::GoOn], vec![Phase::Speaking]));
}

/// I-16.
#[test]
fn a_hold_line_that_fails_while_we_reconnect_is_a_recording() {
    let mut desk = Desk::reconnecting();
    let steps = desk.at(12_500, line_failed(line(2)));
    assert_eq!((recorded(&steps), phases(&steps)), (vec![LineId::Hold], vec![]));
    desk.plays(line(3), 12_500, 12_900);
    assert_eq!(phases(&desk.at(13_000, agent_ready())), [Phase::Speaking]);
}
