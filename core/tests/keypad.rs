//! Numbers that the caller keys in. Which digits they have is never told to the call.

mod support;

use call_core::step::RecordingReason;
use call_core::story::story;
use call_core::summary::summary;
use call_core::{Brief, Effect, Fact, LineId, Phase, call::Timer};

use support::{
    Desk, OPENING, agent_lost, agent_ready, asks, began, caller_says, cut, digit, effects, facts,
    hangup, ignored, line, line_ready, lines, noise, people, phases, pound, reopening, sentence,
    sound, star, stopped, transfer,
};

/// S16.
#[test]
fn digits_are_counted_and_the_pound_key_completes_the_number() {
    let mut desk = Desk::listening();
    assert_eq!(effects(&desk.at(10_000, digit())), [Effect::CollectKeys]);
    for at in (10_250..12_250).step_by(250) {
        assert_eq!(effects(&desk.at(at, digit())), []);
    }
    let steps = desk.at(12_500, pound());
    assert_eq!(effects(&steps), [Effect::GiveKeys { digits: 9 }]);
    assert_eq!(facts(&steps), [Fact::KeysEntered { digits: 9 }]);
    assert_eq!(phases(&steps), [Phase::Thinking], "the agent is told, and speaks next");
}

/// S16.
#[test]
fn a_number_is_complete_five_seconds_after_its_last_digit() {
    let mut desk = Desk::listening();
    for at in [10_000, 14_900, 19_800] {
        desk.at(at, digit());
        assert_eq!(desk.next(), Some((at + 5_000, Timer::KeyGap)));
    }
    let steps = desk.until(24_800);
    assert_eq!(effects(&steps), [Effect::GiveKeys { digits: 3 }]);
    assert_eq!(phases(&steps), [Phase::Thinking]);
}

/// S16.
#[test]
fn the_star_key_begins_the_number_again() {
    let mut desk = Desk::listening();
    for input in [digit(), digit(), digit(), star(), digit(), digit()] {
        desk.at(10_000, input);
    }
    assert_eq!(effects(&desk.at(10_500, pound())), [Effect::GiveKeys { digits: 2 }]);
    assert_eq!(count(&desk, &Effect::CollectKeys), 1, "it was one number all the time");
}

/// The tones of a number are the number: what may be heard later holds none of it, and says why. However
/// the number ends, the recording goes on; where the company does not record, there is nothing to say.
#[test]
fn a_recorded_call_says_that_it_is_not_recorded_while_a_number_is_keyed_in() {
    use call_core::company::Recording;
    let state = |on| Fact::RecordingState { on, why: RecordingReason::NumberKeyed };
    let recorded = |facts: Vec<Fact>| {
        let about = |fact: &Fact| matches!(fact, Fact::RecordingState { .. });
        facts.into_iter().filter(about).collect::<Vec<_>>()
    };
    for (recording, said) in [(Recording::On, true), (Recording::Off, false)] {
        let only = |fact| if said { vec![fact] } else { vec![] };
        for end in [Some(pound()), Some(stopped()), None] {
            let mut desk = Desk::listening_with(Brief { recording, ..Brief::example() });
            assert_eq!(recorded(facts(&desk.at(10_000, digit()))), only(state(false)));
            assert_eq!(recorded(facts(&desk.at(10_250, digit()))), []);
            let steps = match end {
                Some(end) => desk.at(11_000, end),
                None => desk.until(15_250),
            };
            assert_eq!(recorded(facts(&steps)), only(state(true)));
            let summary = summary(&desk.journal);
            let turned: Vec<_> =
                summary.recording.iter().map(|turned| (turned.on, turned.why)).collect();
            let by_policy = (said, RecordingReason::CompanyPolicy);
            let keyed = |on| (on, RecordingReason::NumberKeyed);
            let all = [by_policy, keyed(false), keyed(true)];
            assert_eq!(turned, if said { &all[..] } else { &all[..1] });
            assert_eq!(summary.recorded, said);
            let told = story(&desk.journal);
            let paused = "00:10.000  call    recording paused while a number is keyed in\n";
            assert_eq!(told.contains(paused), said, "{told}");
            assert_eq!(told.contains("call    recording goes on"), said, "{told}");
        }
    }
}

#[test]
fn a_number_without_digits_is_given_up_and_owes_nothing() {
    for end in [Some(pound()), None] {
        let mut desk = Desk::listening();
        desk.at(10_000, star());
        let steps = match end {
            Some(end) => desk.at(11_000, end),
            None => desk.until(15_000),
        };
        assert_eq!(effects(&steps), [Effect::GiveKeys { digits: 0 }]);
        assert_eq!(facts(&steps), []);
        assert_eq!(desk.phase(), Phase::Listening);
    }
}

/// S16: an account of any bank is shorter.
#[test]
fn twenty_digits_are_a_whole_number_and_one_more_begins_another() {
    let mut desk = Desk::listening();
    for _ in 1..20 {
        desk.at(10_000, digit());
    }
    assert_eq!(effects(&desk.at(10_100, digit())), [Effect::GiveKeys { digits: 20 }]);
    assert_eq!(effects(&desk.at(10_200, digit())), [Effect::CollectKeys]);
}

/// F-TW-23.
#[test]
fn a_pound_key_that_completes_nothing_makes_no_sense() {
    assert!(ignored(&Desk::listening().at(10_000, pound())));
}

/// S16.
#[test]
fn a_key_stops_the_agents_speech_and_no_line_that_must_be_heard() {
    let mut desk = Desk::speaking();
    assert_eq!(effects(&desk.at(12_000, digit())), [Effect::CollectKeys, Effect::Clear]);
    let steps = desk.at(12_000, cut(sentence(1), 1_000, 3_000));
    assert_eq!(phases(&steps), [Phase::Listening]);

    let mut desk = Desk::new();
    desk.at(400, line_ready(OPENING));
    desk.at(400, began(OPENING));
    desk.at(900, agent_ready());
    assert_eq!(effects(&desk.at(2_000, digit())), [Effect::CollectKeys]);
    assert_eq!(desk.phase(), Phase::Greeting);
}

/// S16: the caller reads the number aloud while keying it in.
#[test]
fn words_between_the_keys_are_not_part_of_the_number() {
    let mut desk = Desk::listening();
    desk.at(10_000, digit());
    desk.at(10_500, noise());
    desk.at(11_000, caller_says("[digits]"));
    desk.at(11_500, digit());
    assert_eq!(effects(&desk.at(12_000, pound())), [Effect::GiveKeys { digits: 2 }]);
    assert_eq!(desk.phase(), Phase::Thinking);
}

/// F-HU-04: who presses keys is there.
#[test]
fn a_key_ends_the_silence() {
    let mut desk = Desk::listening();
    desk.at(29_000, digit());
    desk.at(29_500, star());
    assert_eq!(lines(&desk.until(34_499)), []);
    desk.until(34_500);
    assert_eq!(desk.next(), Some((54_500, Timer::SilencePrompt)), "25 s after the last key");
}

/// S16, F-TW-23.
#[test]
fn a_key_in_a_farewell_changes_nothing() {
    for brief in [people(), reopening()] {
        let mut desk = Desk::farewell_with(brief);
        for key in [digit(), star(), pound()] {
            assert!(ignored(&desk.at(11_100, key)));
        }
        assert_eq!(phases(&desk.plays(line(2), 11_200, 13_000)), [Phase::HangingUp]);
        assert!(ignored(&desk.at(13_100, digit())));
    }
}

/// F-TW-23.
#[test]
fn a_key_before_the_agent_is_there_is_not_collected() {
    assert!(ignored(&Desk::new().at(500, digit())));
}

/// S16: the caller hangs up half-way, or is handed to a person.
#[test]
fn a_number_that_the_conversation_leaves_behind_is_given_up() {
    for (end, entered) in
        [(stopped(), Phase::Ended), (asks(&[transfer("f1")]), Phase::Transferring)]
    {
        let mut desk = Desk::listening_with(people());
        desk.at(10_000, digit());
        desk.at(10_500, digit());
        let steps = desk.at(11_000, end);
        assert!(effects(&steps).contains(&Effect::GiveKeys { digits: 0 }), "{entered}");
        assert_eq!(desk.phase(), entered);
        assert_eq!(entered_numbers(&desk.until(20_000)), 0);
    }
}

/// S16, S22: whoever is still pressing keys when the agent is lost or says goodbye goes on pressing
/// them. They are no number, and are kept out of the recording to the last of them.
#[test]
fn the_rest_of_a_number_that_was_left_behind_is_no_number_and_is_not_recorded() {
    for end in [agent_lost(), asks(&[hangup("f1")])] {
        let recording = call_core::company::Recording::On;
        let mut desk = Desk::listening_with(Brief { recording, ..people() });
        desk.at(10_000, digit());
        desk.at(10_500, digit());
        desk.at(11_000, end.clone());
        let given = |effect: &Effect| matches!(effect, Effect::GiveKeys { .. });
        for at in [11_500, 15_000] {
            assert!(!effects(&desk.at(at, digit())).iter().any(given));
        }
        let steps = desk.until(20_000);
        assert!(effects(&steps).contains(&Effect::GiveKeys { digits: 0 }), "{end:?}");
        let on = Fact::RecordingState { on: true, why: RecordingReason::NumberKeyed };
        assert!(facts(&steps).contains(&on));
        assert_eq!(entered_numbers(&desk.journal), 0);
    }
}

/// S16, S22: the same number, of which some keys went to a lost session: the caller is asked again.
#[test]
fn a_number_that_a_lost_session_tore_apart_is_not_given_to_the_next_one() {
    for (keys_before, again) in [(2, false), (0, false), (2, true)] {
        let mut desk = Desk::listening();
        for _ in 0..keys_before {
            desk.at(10_000, digit());
        }
        desk.at(10_100, agent_lost());
        desk.plays(line(2), 10_200, 10_900);
        desk.at(10_950, digit());
        desk.at(11_000, agent_ready());
        desk.plays(line(3), 11_100, 12_000);
        for _ in 0..5 {
            desk.at(12_500, digit());
        }
        if again {
            // From here on it is another number, and a whole one.
            for key in [star(), digit(), digit(), digit()] {
                desk.at(12_600, key);
            }
        }
        let digits = if again { 3 } else { 0 };
        let steps = desk.at(13_000, pound());
        assert_eq!(effects(&steps)[0], Effect::GiveKeys { digits });
        let asked = if again { vec![] } else { vec![LineId::CutShort] };
        assert_eq!(lines(&steps), asked);
    }
}

/// S16, I-16: a key that was touched by chance makes the agent deaf for a moment. What was said then is
/// not lost without a word.
#[test]
fn a_caller_who_spoke_behind_a_stray_key_is_asked_to_say_it_again() {
    for key in [digit(), star()] {
        let mut desk = Desk::listening();
        desk.at(10_000, key.clone());
        desk.at(10_600, sound());
        assert_eq!(lines(&desk.until(15_000)), [LineId::CutShort], "{key:?}");
    }
    // Words that came are not missing, a number is what was wanted, and noise is not asked about.
    let calm: [&[_]; 3] = [&[sound(), caller_says("My hours?")], &[sound(), digit()], &[]];
    for then in calm {
        let mut desk = Desk::listening();
        desk.at(10_000, digit());
        for input in then {
            desk.at(10_600, input.clone());
        }
        assert_eq!(lines(&desk.at(11_000, pound())), [], "{then:?}");
    }
}

/// I-26: no step holds a digit that was keyed in, only how many there were.
#[test]
fn no_digit_is_in_any_step() {
    let mut desk = Desk::listening();
    let mut steps = Vec::new();
    for at in (10_000..11_000).step_by(100) {
        steps.extend(desk.at(at, digit()));
    }
    for step in steps {
        let told = (&step.cause, &step.effects, &step.facts, &step.moves);
        let told = serde_json::to_string(&told).expect("a step can be written");
        assert!(!told.contains(|c: char| c.is_ascii_digit()), "{told}");
    }
    desk.at(11_000, pound());
    assert!(facts(&desk.journal).contains(&Fact::KeysEntered { digits: 10 }));
}

/// I-16, F-DG-24.
#[test]
fn a_number_that_the_agent_says_nothing_to_is_filled_in_for() {
    let mut desk = Desk::listening();
    desk.at(10_000, digit());
    desk.at(11_000, pound());
    let steps = desk.until(15_000);
    assert_eq!(lines(&steps), [LineId::Hold]);
}

// Helpers.

fn entered_numbers(steps: &[call_core::Step]) -> usize {
    facts(steps).iter().filter(|fact| matches!(fact, Fact::KeysEntered { .. })).count()
}

fn count(desk: &Desk, effect: &Effect) -> usize {
    effects(&desk.journal).iter().filter(|other| *other == effect).count()
}
