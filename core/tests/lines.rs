//! A line of ours is always spoken: by the speech interface, by the agent, by a recording.

mod support;

use call_core::{
    Effect, EndReason, Fact, Language, Limits, LineId, Millis, Phase, Rung, Step, call::Timer,
    input::HungUp,
};

use support::{
    Desk, OPENING, agent_lost, agent_ready, agent_says, audio_done, began, caller_says,
    caller_says_in, cut, dry, effects, facts, fired, heard, hung_up, ignored, injected, line,
    line_failed, line_ready, line_refused, line_spoken, lines, noise, people, phases, queued,
    reason, recorded, sentence, stopped, waits,
};

/// T_DEADAIR.
const DEAD_AIR: Millis = Millis::from_secs(8);

/// How a line was rendered, if it was.
fn by(steps: &[Step]) -> Vec<(LineId, Rung)> {
    let rendered = |fact: Fact| match fact {
        Fact::LineRendered { line, by, .. } => Some((line, by)),
        _ => None,
    };
    facts(steps).into_iter().filter_map(rendered).collect()
}

/// A desk whose farewell the speech interface could not speak at 00:11.400; the agent was asked to
/// say it as `line(3)`.
fn farewell_injected() -> Desk {
    let mut desk = Desk::farewell();
    let steps = desk.at(11_400, line_failed(line(2)));
    assert_eq!(injected(&steps), [LineId::Farewell]);
    desk
}

/// The agent says a line: its words, its audio, its end.
fn agent_says_line(desk: &mut Desk, number: u32, from: u64, to: u64) -> Vec<Step> {
    let mut steps = desk.at(from, line_spoken(line(number)));
    steps.extend(desk.at(from, began(line(number))));
    steps.extend(desk.at(from + 10, queued(line(number), to - from, to)));
    steps.extend(desk.at(from + 10, audio_done()));
    steps.extend(desk.at(to, heard(line(number), to - from)));
    steps
}

/// I-16: a filler begins within the time that may pass in silence, however it is spoken.
#[test]
fn the_rungs_of_the_ladder_together_stay_under_the_limit_of_dead_air() {
    let limits = Limits::default();
    let filler = limits.filler + limits.line_ready + limits.line_injected;
    assert!(filler < DEAD_AIR, "{filler}");
}

/// I-16: speech is slow, and the agent says nothing.
#[test]
fn where_speech_is_slow_and_the_agent_silent_a_filler_still_comes_before_eight_seconds() {
    let mut desk = Desk::thinking();
    let steps = desk.until(18_000);
    let timers: Vec<_> =
        fired(&steps).into_iter().filter(|(_, t)| *t == Timer::LineReady).collect();
    assert_eq!(timers, [(16_000, Timer::LineReady), (17_500, Timer::LineReady)]);
    assert_eq!(lines(&steps), [LineId::Hold]);
    assert_eq!(injected(&steps), [LineId::Hold]);
    assert_eq!(recorded(&steps), [LineId::Hold]);
}

/// I-12: the goodbye is said by the agent, and we hang up when it was heard.
#[test]
fn a_farewell_that_cannot_be_spoken_is_said_by_the_agent() {
    let mut desk = farewell_injected();
    let steps = agent_says_line(&mut desk, 3, 11_800, 14_000);
    assert_eq!(by(&steps), [(LineId::Farewell, Rung::Injected)]);
    assert_eq!(effects(&steps), [Effect::HangUp], "and nothing has to be told to the agent");
    assert_eq!(phases(&steps), [Phase::HangingUp]);
}

/// F-DG-23: last words are said instead of whatever the agent is saying; others wait behind it.
#[test]
fn only_last_words_interrupt_the_agent() {
    let interrupts = |steps: &[Step]| {
        effects(steps).into_iter().find_map(|effect| match effect {
            Effect::Inject { interrupt, .. } => Some(interrupt),
            _ => None,
        })
    };
    let mut desk = Desk::farewell();
    assert_eq!(interrupts(&desk.at(11_400, line_failed(line(2)))), Some(true));
    let mut desk = Desk::transferring();
    assert_eq!(interrupts(&desk.at(11_400, line_failed(line(2)))), Some(true));
    let mut desk = Desk::listening();
    desk.until(30_000);
    assert_eq!(interrupts(&desk.at(30_100, line_failed(line(2)))), Some(false));
}

/// F-DG-23, I-12, S29.
#[test]
fn a_farewell_that_is_refused_is_a_recording() {
    let mut desk = farewell_injected();
    let steps = desk.at(11_700, line_refused(line(3)));
    assert_eq!(recorded(&steps), [LineId::Farewell]);
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(3) }));
    assert!(ignored(&desk.at(11_750, line_spoken(line(3)))), "too late: it is not said twice");
    let steps = desk.plays(line(4), 11_800, 14_000);
    assert_eq!(by(&steps), [(LineId::Farewell, Rung::Recorded)]);
    assert_eq!(phases(&steps), [Phase::HangingUp]);
    assert_eq!(reason(&desk.at(14_100, hung_up(HungUp::Done))), Some(EndReason::AgentHangup));
}

/// F-DG-23, S29.
#[test]
fn a_farewell_that_the_agent_ignores_is_a_recording_after_a_second_and_a_half() {
    let mut desk = farewell_injected();
    assert_eq!(effects(&desk.until(12_899)), []);
    let steps = desk.until(12_900);
    assert_eq!(recorded(&steps), [LineId::Farewell]);
}

/// F-DG-23: words without audio are no line that was said.
#[test]
fn a_line_whose_words_come_and_whose_audio_does_not_is_a_recording() {
    let mut desk = farewell_injected();
    desk.at(11_800, line_spoken(line(3)));
    assert_eq!(recorded(&desk.until(12_900)), [LineId::Farewell]);
}

/// What waits behind other speech will be heard.
#[test]
fn a_line_of_the_agents_that_waits_behind_other_speech_is_not_said_a_second_time() {
    let mut desk = farewell_injected();
    desk.at(11_800, line_spoken(line(3)));
    desk.at(11_810, waits(line(3)));
    assert_eq!(effects(&desk.until(20_000)), []);
}

/// F-DG-23, S29: somebody waits for a filler now.
#[test]
fn a_filler_that_is_refused_is_a_recording_at_once() {
    let mut desk = Desk::thinking();
    desk.until(14_000);
    assert_eq!(injected(&desk.at(14_100, line_failed(line(2)))), [LineId::Hold]);
    assert_eq!(recorded(&desk.at(14_400, line_refused(line(3)))), [LineId::Hold]);
}

/// F-DG-24: "one moment" behind the answer would be nonsense.
#[test]
fn a_filler_that_is_not_at_hand_when_the_agent_speaks_is_not_said() {
    let mut desk = Desk::thinking();
    desk.until(14_000);
    desk.at(14_100, line_failed(line(2)));
    let steps = desk.at(14_200, agent_says(1, "One hundred dollars."));
    assert_eq!(effects(&steps), [Effect::Withdraw { utterance: line(3) }]);
    desk.at(14_200, began(sentence(1)));
    assert!(ignored(&desk.at(14_400, line_refused(line(3)))));
    assert_eq!(recorded(&desk.until(20_000)), []);
}

/// F-DG-23, S29: a prompt can wait for a moment of quiet, once.
#[test]
fn a_prompt_that_is_refused_is_injected_once_more_and_then_is_a_recording() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.at(30_100, line_failed(line(2)));
    assert_eq!(effects(&desk.at(30_400, line_refused(line(3)))), []);
    assert!(ignored(&desk.at(30_500, line_refused(line(3)))), "told twice");
    assert_eq!(injected(&desk.until(30_900)), [LineId::StillThere]);
    let steps = desk.at(31_200, line_refused(line(4)));
    assert_eq!(recorded(&steps), [LineId::StillThere]);
    let steps = desk.plays(line(5), 31_200, 32_500);
    assert_eq!(by(&steps), [(LineId::StillThere, Rung::Recorded)]);
    assert_eq!(phases(&steps), [Phase::Listening]);
}

/// F-DG-23: all tries together end when the first would have.
#[test]
fn a_prompt_that_is_refused_and_then_ignored_takes_no_longer_than_one_that_is_ignored() {
    let mut desk = Desk::listening();
    desk.until(30_000);
    desk.at(30_100, line_failed(line(2)));
    desk.at(30_400, line_refused(line(3)));
    let steps = desk.until(31_600);
    assert_eq!(fired(&steps), [(30_900, Timer::LineReady), (31_600, Timer::LineReady)]);
    assert_eq!(recorded(&steps), [LineId::StillThere]);
}

#[test]
fn a_prompt_that_was_refused_is_not_injected_while_the_caller_speaks() {
    let mut desk = Desk::with(people());
    desk.at(900, agent_ready());
    desk.plays(OPENING, 1_000, 5_000);
    desk.at(9_000, agent_lost());
    desk.plays(line(2), 10_000, 11_000);
    desk.at(12_000, agent_ready());
    assert_eq!(injected(&desk.at(12_100, line_failed(line(3)))), [LineId::GoOn]);
    desk.at(12_300, line_refused(line(4)));
    // The caller's voice in speaking stops what is on its way; the prompt is not wanted any more.
    let steps = desk.at(12_400, noise());
    assert_eq!(effects(&steps)[0], Effect::Withdraw { utterance: line(4) });
    assert_eq!(effects(&desk.until(14_000)), []);
}

/// S41: nobody to ask yet.
#[test]
fn an_opening_that_cannot_be_spoken_is_a_recording_while_the_agent_is_not_there() {
    let mut desk = Desk::new();
    assert_eq!(recorded(&desk.at(120, line_failed(OPENING))), [LineId::Opening]);
    desk.at(900, agent_ready());
    let steps = desk.plays(line(2), 950, 6_000);
    assert_eq!(phases(&steps), [Phase::Listening], "an opening like any other");
}

/// An opening by the agent can name the company, which a recording cannot.
#[test]
fn an_opening_that_cannot_be_spoken_is_said_by_an_agent_that_is_there() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    assert_eq!(injected(&desk.until(2_000)), [LineId::Opening]);
    assert_eq!(phases(&agent_says_line(&mut desk, 2, 2_400, 8_000)), [Phase::Listening]);
}

/// F-HU-08: the agent leaves off at every voice; a recording does not.
#[test]
fn an_opening_by_the_agent_that_a_voice_cuts_is_said_again_by_a_recording() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.until(2_000);
    desk.at(2_400, line_spoken(line(2)));
    desk.at(2_400, began(line(2)));
    assert_eq!(effects(&desk.at(3_000, noise())), [Effect::CutReply]);
    desk.at(3_000, queued(line(2), 1_500, 3_900));
    let steps = desk.at(3_900, cut(line(2), 1_500, 1_500));
    assert_eq!(recorded(&steps), [LineId::Opening]);
    assert_eq!(desk.phase(), Phase::Greeting);
    assert_eq!(effects(&desk.at(4_000, noise())), [], "nothing stops a recording");
}

/// I-12: the same for the goodbye, which the caller's voice does not stop.
#[test]
fn a_farewell_by_the_agent_that_a_voice_cuts_is_said_again_by_a_recording() {
    let mut desk = farewell_injected();
    desk.at(11_800, line_spoken(line(3)));
    desk.at(11_800, began(line(3)));
    assert_eq!(effects(&desk.at(12_000, noise())), [Effect::CutReply]);
    let steps = desk.at(12_300, cut(line(3), 500, 500));
    assert_eq!(recorded(&steps), [LineId::Farewell]);
    assert_eq!(phases(&desk.plays(line(4), 12_300, 14_500)), [Phase::HangingUp]);
}

/// A voice behind a line that the agent has said to its end changes nothing.
#[test]
fn a_line_that_the_agent_has_said_to_its_end_is_not_cut_by_a_voice() {
    let mut desk = farewell_injected();
    desk.at(11_800, line_spoken(line(3)));
    desk.at(11_800, began(line(3)));
    desk.at(11_900, queued(line(3), 2_000, 13_800));
    assert_eq!(effects(&desk.at(12_000, noise())), []);
}

/// F-DG-11: the end of a line of ours is not told either.
#[test]
fn a_line_by_the_agent_without_an_end_is_over_when_nothing_more_comes() {
    let mut desk = farewell_injected();
    desk.at(11_800, line_spoken(line(3)));
    desk.at(11_800, began(line(3)));
    desk.at(13_800, dry());
    assert_eq!(effects(&desk.until(15_300)), [Effect::EndSentence]);
}

/// F-DG-08, S22: whoever was to say it is gone.
#[test]
fn a_line_that_a_lost_session_was_to_say_is_a_recording() {
    let mut desk = farewell_injected();
    assert_eq!(recorded(&desk.at(11_600, line_failed(line(3)))), [LineId::Farewell]);
    assert_eq!(reason(&desk.at(11_600, agent_lost())), None);
}

/// An agent that is why we cannot go on is not asked to say so.
#[test]
fn an_apology_is_never_left_to_the_agent() {
    let mut desk = Desk::speaking();
    desk.until(101_000);
    assert_eq!(desk.phase(), Phase::Farewell, "the agent does not stop");
    let steps = desk.at(101_100, line_failed(line(2)));
    assert_eq!((injected(&steps), recorded(&steps)), (vec![], vec![LineId::Trouble]));
}

/// I-34, S17: the rungs speak the language that the call has then.
#[test]
fn a_line_goes_down_the_ladder_in_the_language_of_the_call() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says_in(Language::Spanish, "Quiero hacer mi pago, por favor."));
    let steps = desk.at(10_100, line_failed(line(2)));
    let spoken_in = |steps: &[Step]| {
        effects(steps).into_iter().find_map(|effect| match effect {
            Effect::Inject { language, .. } | Effect::UseRecording { language, .. } => {
                Some(language)
            }
            _ => None,
        })
    };
    assert_eq!(injected(&steps), [LineId::Notice]);
    assert_eq!(spoken_in(&steps), Some(Language::Spanish));
    assert_eq!(spoken_in(&desk.at(10_300, line_refused(line(3)))), Some(Language::Spanish));
}

/// S20: a farewell that is called off is not said by anybody.
#[test]
fn a_farewell_that_is_called_off_is_withdrawn() {
    let mut desk = Desk::farewell_with(support::reopening());
    desk.at(11_400, line_failed(line(2)));
    let steps = desk.at(11_600, caller_says("Wait, one more thing."));
    let withdrawn = Effect::Withdraw { utterance: line(3) };
    assert!(effects(&steps).contains(&withdrawn));
    assert!(ignored(&desk.at(11_700, line_spoken(line(3)))));
}

/// Not even a recording can be played: then there is no line to the caller.
#[test]
fn an_opening_of_which_nothing_begins_to_play_is_a_lost_stream() {
    let mut desk = Desk::new();
    desk.at(120, line_failed(OPENING));
    desk.at(900, agent_ready());
    desk.at(900, line_ready(line(2)));
    let steps = desk.until(36_000);
    assert_eq!(reason(&steps), Some(EndReason::StreamLost));
}

#[test]
fn the_end_of_the_stream_ends_the_ladder() {
    let mut desk = farewell_injected();
    let steps = desk.at(11_500, stopped());
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(3) }));
    assert!(ignored(&desk.at(11_700, line_refused(line(3)))));
}

/// F-DG-10: the provider ends a session after two hours; no call of ours gets so old, and the
/// caller is told. F-HU-05: be it a machine that always has something to say.
#[test]
fn the_longest_call_is_over_long_before_a_session_is_too_old_for_its_provider() {
    let limits = Limits::default();
    let oldest = limits.call + limits.farewell + limits.transfer + limits.hang_up;
    assert!(oldest < Millis::from_secs(2 * 60 * 60), "{oldest}");
    let mut desk = Desk::listening();
    for (number, at) in (1..).zip((10_000..1_800_000).step_by(10_000)) {
        desk.at(at, caller_says("And another thing."));
        desk.agent_speaks(number, at + 100, at + 3_000);
    }
    let steps = desk.until(1_800_000);
    assert_eq!(fired(&steps).last(), Some(&(1_800_000, Timer::CallLimit)));
    assert_eq!(lines(&steps).last(), Some(&LineId::Farewell), "with a goodbye");
}
