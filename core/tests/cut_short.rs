//! A voice cuts the agent short, and nothing follows: it was a cough.

mod support;

use call_core::{
    Brief, Effect, Input, Language, Limits, LineId, Millis, Phase, call::Timer, input::Agent,
};

use support::{
    Desk, agent_lost, agent_says, asks, audio_done, began, caller_says, caller_says_in, cut, digit,
    done, effects, fired, hangup, heard, ignored, injected, line, line_failed, line_ready, lines,
    lookup, noise, operator_hangs_up, people, phases, queued, recorded, sentence, sound, waits,
};

/// F-DG-15, S03, I-16: and only once. The silence of the caller counts on.
#[test]
fn a_cough_that_cuts_the_agent_is_followed_by_a_question_after_four_quiet_seconds() {
    let mut desk = coughed();
    assert_eq!(desk.next(), Some((16_000, Timer::CutShort)));
    assert_eq!(lines(&desk.until(16_000)), [LineId::CutShort]);
    assert_eq!(desk.phase(), Phase::Speaking);
    desk.plays(line(2), 16_200, 19_200);
    assert_eq!(desk.phase(), Phase::Listening);
    assert_eq!(desk.next(), Some((40_200, Timer::SilencePrompt)), "4 s before, 21 s to go");
}

/// S06: of a long turn nothing is known before its end but that it sounds.
#[test]
fn nobody_talks_into_a_caller_who_has_interrupted_and_goes_on() {
    let mut desk = coughed();
    for at in (12_500..30_000).step_by(500) {
        assert_eq!(effects(&desk.at(at, sound())), []);
        assert_eq!(desk.next(), Some((at + 4_000, Timer::CutShort)));
    }
    assert_eq!(phases(&desk.at(31_000, caller_says("No, the other one."))), [Phase::Thinking]);
    desk.agent_speaks(2, 32_000, 33_000);
    assert_eq!(desk.next(), Some((58_000, Timer::SilencePrompt)));
    assert!(ignored(&desk.at(34_000, sound())), "it matters no more");
}

#[test]
fn another_voice_begins_the_wait_anew() {
    let mut desk = coughed();
    desk.at(15_000, noise());
    assert_eq!(desk.next(), Some((19_000, Timer::CutShort)));
}

/// F-DG-28: the words of a sentence that was given up are no speech.
#[test]
fn a_late_sentence_without_a_sound_does_not_stand_for_an_answer() {
    let mut desk = coughed();
    desk.at(12_300, agent_says(2, "And ten cents."));
    assert_eq!(desk.phase(), Phase::Speaking);
    assert_eq!(phases(&desk.until(13_800)), [Phase::Listening], "nothing came of it");
    assert_eq!(lines(&desk.until(16_000)), [LineId::CutShort]);
}

#[test]
fn whatever_follows_a_cut_makes_the_question_needless() {
    let follows: [fn(&mut Desk); 4] = [
        |desk| drop(desk.at(13_000, caller_says("Sorry, I coughed."))),
        |desk| drop(desk.agent_speaks(2, 13_000, 14_000)),
        |desk| drop(desk.at(13_000, digit())),
        |desk| drop(desk.at(13_000, operator_hangs_up())),
    ];
    for follow in follows {
        let mut desk = coughed();
        follow(&mut desk);
        let steps = desk.until(60_000);
        assert!(fired(&steps).iter().all(|(_, timer)| *timer != Timer::CutShort), "{steps:?}");
    }
}

/// S05: whoever looks for something coughs, and is left alone.
#[test]
fn a_caller_who_asked_for_a_moment_is_not_asked_to_go_on() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says("Hold on."));
    desk.at(11_000, agent_says(1, "Take your time."));
    desk.at(11_000, began(sentence(1)));
    desk.at(12_000, noise());
    desk.at(12_000, cut(sentence(1), 1_000, 2_000));
    assert_eq!(desk.next().map(|(_, timer)| timer), Some(Timer::SilencePrompt));
}

/// I-16: the agent gives up a reply that waits behind a line that must be heard, too.
#[test]
fn a_reply_that_a_cough_took_back_behind_our_line_is_asked_about_after_the_line() {
    let mut desk = Desk::thinking_with(people());
    desk.at(10_500, caller_says_in(Language::Spanish, "Quiero hacer mi pago, por favor."));
    desk.at(10_600, line_ready(line(2)));
    desk.at(10_600, began(line(2)));
    desk.at(11_000, agent_says(1, "Claro."));
    desk.at(11_000, waits(sentence(1)));
    let steps = desk.at(12_000, noise());
    assert_eq!(effects(&steps), [Effect::CutReply]);
    desk.at(12_000, cut(sentence(1), 0, 1_000));
    desk.at(12_100, queued(line(2), 4_000, 14_600));
    assert_eq!(phases(&desk.at(14_600, heard(line(2), 4_000))), [Phase::Listening]);
    assert_eq!(desk.next(), Some((18_600, Timer::CutShort)));
    assert_eq!(lines(&desk.until(18_600)), [LineId::CutShort]);
}

/// I-16: a voice also makes the agent take back what it asked for. Silence counts from the voice, whenever the
/// agent says so.
#[test]
fn a_function_that_is_taken_back_at_a_cough_is_not_followed_by_silence() {
    let mut desk = Desk::function_pending();
    desk.at(13_000, noise());
    let withdrawn = Input::Agent(Agent::Withdrew(vec!["f1".into()]));
    assert_eq!(phases(&desk.at(13_100, withdrawn)), [Phase::Listening]);
    assert_eq!(desk.next(), Some((17_000, Timer::CutShort)));
    desk.at(13_200, asks(&[lookup("f2")]));
    assert_eq!(phases(&desk.at(13_400, done("f2"))), [Phase::Thinking]);
    desk.agent_speaks(2, 13_600, 14_600);
    let next = desk.next().map(|(_, timer)| timer);
    assert_eq!(next, Some(Timer::SilencePrompt), "it was asked for again");
}

/// F-DG-15: the row of cuts is the same with questions in it.
#[test]
fn a_question_that_is_cut_too_is_asked_again_and_then_in_fewer_words() {
    let mut desk = coughed();
    desk.until(16_000);
    for (number, next) in [(2, LineId::CutShort), (3, LineId::HearMe)] {
        let at = desk.now() + 200;
        desk.at(at, line_ready(line(number)));
        desk.at(at, began(line(number)));
        let mut steps = desk.at(at + 500, noise());
        steps.extend(desk.at(at + 500, cut(line(number), 500, 3_000)));
        steps.extend(desk.until(at + 4_500));
        assert_eq!(lines(&steps), [next]);
    }
}

/// F-DG-23: the question goes down the ladder like every other line.
#[test]
fn a_question_that_cannot_be_spoken_is_injected_and_then_recorded() {
    let mut desk = coughed();
    desk.until(16_000);
    assert_eq!(injected(&desk.at(16_100, line_failed(line(2)))), [LineId::CutShort]);
    assert_eq!(recorded(&desk.until(18_000)), [LineId::CutShort]);
}

#[test]
fn nothing_is_left_of_a_cut_when_the_talk_ends_or_the_agent_is_lost() {
    let mut desk = coughed();
    desk.at(13_000, agent_lost());
    assert_eq!(desk.phase(), Phase::Reconnecting);
    assert!(fired(&desk.until(17_000)).iter().all(|(_, timer)| *timer != Timer::CutShort));
    let mut desk = coughed();
    assert_eq!(phases(&desk.at(13_000, asks(&[hangup("h1")]))), [Phase::Farewell]);
    assert!(fired(&desk.until(17_000)).iter().all(|(_, timer)| *timer != Timer::CutShort));
}

#[test]
fn a_company_may_wait_longer() {
    let limits = Limits { cut_short: Millis(9_000), ..Limits::default() };
    let mut desk = Desk::speaking_with(Brief { limits, ..Brief::example() });
    cough(&mut desk);
    assert_eq!(desk.next(), Some((21_000, Timer::CutShort)));
}

/// S03: it wants no answer, and the agent has given up its reply all the same.
#[test]
fn an_assent_that_cuts_the_agent_is_no_more_than_a_cough() {
    for assent in ["Mm-hmm.", "Okay.", "Ajá.", "Yes."] {
        let mut desk = coughed();
        assert_eq!(phases(&desk.at(12_700, caller_says(assent))), [], "{assent}");
        assert_eq!(desk.next(), Some((16_700, Timer::CutShort)), "{assent}");
        assert_eq!(lines(&desk.until(16_700)), [LineId::CutShort]);
    }
}

/// I-16: the agent forgets what it was about to say, too, and is not given up for that.
#[test]
fn a_cough_while_the_agent_thinks_is_followed_by_the_question_instead_of_one_moment() {
    let mut desk = Desk::thinking();
    assert_eq!(effects(&desk.at(10_500, noise())), []);
    assert_eq!(desk.next(), Some((14_500, Timer::CutShort)));
    assert_eq!(lines(&desk.until(14_500)), [LineId::CutShort]);
    assert_eq!(phases(&desk.plays(line(2), 14_600, 17_000)), [Phase::Listening]);
    assert!(fired(&desk.until(60_000)).iter().all(|(_, timer)| *timer != Timer::ReplyLimit));
}

#[test]
fn a_reply_that_comes_after_a_cough_is_all_there_is() {
    let mut desk = Desk::thinking();
    desk.at(10_500, noise());
    assert_eq!(phases(&desk.agent_speaks(1, 11_000, 13_000)), [Phase::Speaking, Phase::Listening]);
    assert_eq!(desk.next().map(|(_, timer)| timer), Some(Timer::SilencePrompt));
    // It may also come when the question is being made.
    let mut desk = Desk::thinking();
    desk.at(10_500, noise());
    desk.until(14_500);
    let steps = desk.agent_speaks(1, 14_600, 16_000);
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(2) }));
}

/// S07: the function goes on, and what comes of it is waited for.
#[test]
fn a_cough_while_a_function_runs_is_asked_about_when_nothing_follows_its_result() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, noise());
    assert_eq!(desk.next(), Some((16_000, Timer::Filler)), "four seconds from the last sound");
    assert_eq!(lines(&desk.until(16_000)), [LineId::Hold]);
    desk.plays(line(2), 16_100, 17_000);
    assert_eq!(phases(&desk.at(18_000, done("f1"))), [Phase::Thinking]);
    assert_eq!(desk.next(), Some((21_000, Timer::CutShort)));
    assert_eq!(lines(&desk.until(21_000)), [LineId::CutShort]);
}

/// I-16: where something is owed, even a line that is never quiet delays the question by no more than
/// a reply may take.
#[test]
fn a_noise_that_does_not_end_keeps_nobody_waiting_for_good() {
    let mut desk = Desk::thinking();
    desk.at(10_500, noise());
    let mut steps = Vec::new();
    for at in (11_000..40_000).step_by(500) {
        steps.extend(desk.at(at, sound()));
    }
    assert_eq!(fired(&steps)[0], (26_500, Timer::CutShort));
    assert_eq!(lines(&steps), [LineId::CutShort]);
}

/// F-DG-24: nobody gives the agent up who is being asked again.
#[test]
fn the_limit_of_a_reply_waits_for_a_voice_and_begins_anew_with_words() {
    let mut desk = Desk::thinking();
    desk.until(14_000);
    desk.plays(line(2), 14_100, 17_000);
    desk.at(20_500, noise());
    for at in (21_000..24_000).step_by(500) {
        assert_eq!(effects(&desk.at(at, sound())), []);
    }
    assert_eq!(desk.phase(), Phase::Thinking);
    desk.at(24_500, caller_says("Hello? I asked for your hours."));
    let fired = fired(&desk.until(36_500));
    assert_eq!(fired.last(), Some(&(36_500, Timer::ReplyLimit)), "{fired:?}");
    // An assent, too: the agent is told of it.
    let mut desk = Desk::thinking();
    desk.until(14_000);
    desk.plays(line(2), 14_100, 17_000);
    desk.at(20_000, caller_says("Okay."));
    assert_eq!(desk.phase(), Phase::Thinking);
    desk.until(24_000);
    desk.plays(line(3), 24_100, 27_000);
    assert_eq!(desk.next(), Some((31_000, Timer::Filler)), "not given up at 22 s");
}

/// A desk whose agent was cut by a cough at 00:12.000.
fn coughed() -> Desk {
    let mut desk = Desk::speaking();
    cough(&mut desk);
    assert_eq!(desk.phase(), Phase::Listening);
    desk
}

fn cough(desk: &mut Desk) {
    desk.at(11_500, audio_done());
    desk.at(12_000, noise());
    desk.at(12_000, cut(sentence(1), 1_000, 3_000));
}
