//! What the caller's words change in the call, whatever the agent makes of them: a moment asked
//! for, a person asked for, another language, and words that want no answer.

mod support;

use call_core::input::{Agent, Input};
use call_core::{Brief, Effect, Fact, Language, LineId, Phase, call::Timer};

use support::{
    Desk, FRONT_DESK, OPENING, agent_ready, agent_says, answers, audio_done, began, caller_says,
    caller_says_in, cut, done, effects, facts, heard, line, line_ready, lines, noise, people,
    phases, queued, result_of, sentence, transfers, withdraws,
};

const SPANISH: &str = "Quiero hacer mi pago de este mes.";

// A moment.

/// S05.
#[test]
fn a_caller_who_asks_for_a_moment_is_asked_after_60_seconds_and_bid_goodbye_after_120() {
    let mut desk = Desk::listening();
    let steps = desk.at(10_000, caller_says("Hold on, let me get my papers."));
    assert!(facts(&steps).contains(&Fact::MomentAsked));
    assert_eq!(desk.phase(), Phase::Listening, "nobody owes a reply");
    assert_eq!(desk.next(), Some((70_000, Timer::SilencePrompt)));
    assert_eq!(lines(&desk.until(70_000)), [LineId::TakeYourTime]);
    desk.plays(line(2), 70_100, 72_000);
    assert_eq!(desk.next(), Some((132_000, Timer::SilenceFarewell)), "60 s before, 60 s to go");
    assert_eq!(lines(&desk.until(132_000)), [LineId::GoodbyeSilence]);
}

/// S05.
#[test]
fn a_caller_who_comes_back_after_119_seconds_is_served() {
    for words in ["Hold on, let me get my papers.", "Un momento, por favor."] {
        let mut desk = Desk::listening();
        desk.at(10_000, caller_says(words));
        desk.until(70_000);
        desk.plays(line(2), 70_100, 72_000);
        let steps = desk.at(131_000, caller_says("It is four three two one."));
        assert_eq!(phases(&steps), [Phase::Thinking], "{words}");
        let steps = desk.agent_speaks(1, 132_000, 134_000);
        assert_eq!(phases(&steps), [Phase::Speaking, Phase::Listening], "{words}");
        assert_eq!(desk.next(), Some((159_000, Timer::SilencePrompt)), "patience is over");
    }
}

/// S05, F-DG-31: the agent's "take your time" is not a speech of two minutes.
#[test]
fn a_moment_is_as_long_where_the_agent_has_said_something_to_it() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says("Just a second."));
    desk.agent_speaks(1, 11_000, 13_000);
    assert_eq!(desk.next(), Some((72_000, Timer::SilencePrompt)), "1 s before, 59 s to go");
    desk.until(72_000);
    desk.plays(line(2), 72_100, 74_000);
    assert_eq!(phases(&desk.until(133_999)), [], "two minutes are two minutes");
    assert_eq!(lines(&desk.until(134_000)), [LineId::GoodbyeSilence]);
}

#[test]
fn noise_does_not_use_a_moment_up() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says("One moment."));
    for at in (12_000..70_000).step_by(5_000) {
        desk.at(at, noise());
    }
    assert_eq!(desk.next(), Some((100_000, Timer::SilencePrompt)), "it may be the caller's voice");
    assert_eq!(lines(&desk.until(100_000)), [LineId::TakeYourTime]);
}

// A person.

/// S18, F-HU-12.
#[test]
fn a_caller_who_asks_for_a_person_twice_is_transferred_whatever_the_agent_does() {
    let mut desk = Desk::listening_with(people());
    let steps = desk.at(10_000, caller_says("Agent."));
    assert!(facts(&steps).contains(&Fact::PersonAsked { times: 1 }));
    assert_eq!(phases(&steps), [Phase::Thinking], "the agent has the first word");
    desk.agent_speaks(1, 11_000, 13_000);
    let steps = desk.at(15_000, caller_says("Representative please!"));
    assert!(facts(&steps).contains(&Fact::PersonAsked { times: 2 }));
    assert_eq!(phases(&steps), [Phase::Transferring]);
    assert_eq!(lines(&steps), [LineId::Transferring]);
    let steps = desk.plays(line(2), 15_200, 17_000);
    assert_eq!(transfers(&steps), [FRONT_DESK]);
}

/// S18: over the agent's speech, in Spanish, and once more when it is being done already.
#[test]
fn a_person_may_be_asked_for_over_the_agents_speech_and_in_spanish() {
    let mut desk = Desk::speaking_with(people());
    desk.at(12_000, noise());
    desk.at(12_000, cut(sentence(1), 1_000, 3_000));
    desk.at(13_000, caller_says_in(Language::English, "un agente"));
    desk.at(14_000, agent_says(2, "I can help with that."));
    desk.at(14_000, began(sentence(2)));
    assert_eq!(effects(&desk.at(15_000, noise())), [Effect::Clear]);
    desk.at(15_000, cut(sentence(2), 1_000, 3_000));
    assert_eq!(phases(&desk.at(16_000, caller_says("HUMAN NOW"))), [Phase::Transferring]);
    let steps = desk.at(16_500, caller_says("Did you hear me? A human!"));
    assert_eq!((effects(&steps), phases(&steps)), (vec![], vec![]));
}

#[test]
fn where_there_is_nobody_to_transfer_to_a_person_asked_for_is_put_on_record() {
    let mut desk = Desk::listening();
    for (at, times) in [(10_000, 1), (11_000, 2), (12_000, 3)] {
        let steps = desk.at(at, caller_says("I want to speak to a person."));
        assert!(facts(&steps).contains(&Fact::PersonAsked { times }));
        assert_eq!(desk.phase(), Phase::Thinking, "the agent must say so");
    }
}

// Another language.

/// S17, I-34, C-07.
#[test]
fn a_call_follows_its_caller_into_another_language_and_says_its_notice_again() {
    let mut desk = Desk::listening();
    let steps = desk.at(10_000, caller_says_in(Language::Spanish, SPANISH));
    let [
        Effect::SetLanguage { language: Language::Spanish },
        Effect::Prepare { utterance, line: LineId::Notice, language: Language::Spanish, .. },
    ] = &effects(&steps)[..]
    else {
        panic!("{:?}", effects(&steps))
    };
    assert_eq!(*utterance, line(2));
    assert!(facts(&steps).contains(&Fact::LanguageSet(Language::Spanish)));
    desk.plays(line(2), 10_200, 13_000);
    assert_eq!(desk.phase(), Phase::Thinking, "the reply is still owed");
    desk.agent_speaks(1, 13_500, 15_000);
    assert_eq!(spoken_in(&desk.until(40_000)), [(LineId::StillThere, Language::Spanish)]);
}

/// S17.
#[test]
fn one_word_of_another_language_does_not_change_the_calls() {
    for words in ["Gracias.", "Muchas gracias.", "¿Perdón?", ""] {
        let mut desk = Desk::listening();
        let steps = desk.at(10_000, caller_says_in(Language::Spanish, words));
        assert_eq!(effects(&steps), [], "{words}");
        assert!(!facts(&steps).iter().any(|fact| matches!(fact, Fact::LanguageSet(_))), "{words}");
    }
}

/// S17, F-HU-09: two words are enough where they ask for it, and so are words of another language.
#[test]
fn a_language_that_is_asked_for_by_name_is_the_calls_from_then_on() {
    for (spoken, words) in [
        (Some(Language::Spanish), "¿Habla español?"),
        (Some(Language::English), "Sorry, do you speak Spanish?"),
        (None, "Español, por favor."),
    ] {
        let mut desk = Desk::listening();
        let steps = desk.at(10_000, said(words, spoken));
        assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::Spanish)], "{words}");
    }
    let mut desk = Desk::listening();
    let steps = desk.at(10_000, said("No hablo español.", Some(Language::Spanish)));
    assert_eq!(spoken_in(&steps), [], "it is English already");
}

/// S17.
#[test]
fn a_company_that_does_not_speak_a_language_does_not_change_to_it() {
    let brief = Brief { languages: vec![Language::English], ..Brief::example() };
    let mut desk = Desk::listening_with(brief);
    let steps = desk.at(10_000, caller_says_in(Language::Spanish, SPANISH));
    assert_eq!(effects(&steps), []);
    assert_eq!(phases(&steps), [Phase::Thinking]);
}

/// S17.
#[test]
fn a_caller_may_change_back_and_the_notice_is_said_once_more() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says_in(Language::Spanish, SPANISH));
    desk.plays(line(2), 10_200, 13_000);
    desk.at(14_000, caller_says_in(Language::Spanish, SPANISH));
    let steps = desk.at(15_000, caller_says_in(Language::English, "Sorry, I prefer English."));
    assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::English)]);
    let all = spoken_in(&desk.journal);
    assert_eq!(all.len(), 3, "the opening, and a notice for each change: {all:?}");
}

/// S17.
#[test]
fn a_change_of_language_leaves_a_running_function_alone() {
    let mut desk = Desk::function_pending();
    desk.at(12_000, caller_says_in(Language::Spanish, SPANISH));
    desk.plays(line(2), 12_200, 15_000);
    assert_eq!(desk.phase(), Phase::FunctionPending);
    assert_eq!(answers(&desk.at(16_000, done("f1"))), [("f1".into(), result_of("f1"))]);
}

/// F-HU-08: the notice is a required line.
#[test]
fn the_notice_is_not_stopped_by_the_callers_voice_and_is_repeated_if_it_was_cut() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says_in(Language::Spanish, SPANISH));
    desk.at(10_200, line_ready(line(2)));
    desk.at(10_200, began(line(2)));
    assert_eq!(effects(&desk.at(11_000, noise())), []);
    let steps = desk.at(11_500, cut(line(2), 1_300, 3_000));
    assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::Spanish)]);
}

/// I-34: what was worded before the change is on record in the language it was worded in.
#[test]
fn a_line_is_on_record_in_the_language_it_was_asked_for_in() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    let facts = facts(&desk.at(1_000, line_ready(OPENING)));
    let [Fact::LineRendered { line: LineId::Opening, language, .. }] = &facts[..] else {
        panic!("{facts:?}")
    };
    assert_eq!(*language, Language::English);
    desk.at(1_000, began(OPENING));
    let steps = desk.at(1_500, caller_says_in(Language::Spanish, SPANISH));
    assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::Spanish)]);
    assert!(!effects(&steps).contains(&Effect::Clear), "an opening is heard to its end");
    desk.at(1_600, line_ready(line(2)));
    desk.at(1_600, queued(OPENING, 4_000, 5_000));
    assert_eq!(phases(&desk.at(5_000, heard(OPENING, 4_000))), [Phase::Speaking]);
}

/// I-34, C-07: a required line that nobody has worded yet follows its caller.
#[test]
fn an_opening_that_is_not_worded_yet_is_asked_for_in_the_new_language() {
    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    let steps = desk.at(1_500, caller_says_in(Language::Spanish, SPANISH));
    assert_eq!(spoken_in(&steps), [(LineId::Opening, Language::Spanish)], "it says all of it");
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: OPENING }));
    assert_eq!(facts(&desk.at(1_900, line_ready(OPENING))), [], "the other one is not wanted");
    assert_eq!(
        effects(&desk.at(2_000, line_ready(line(2)))),
        [Effect::Play { utterance: line(2) }]
    );
}

/// I-34, C-07: a caller who changes twice hears one notice, and a filler that is not worded yet is
/// not wanted any more.
#[test]
fn what_is_not_worded_yet_is_not_said_in_a_language_that_was_left() {
    let mut desk = Desk::listening();
    desk.at(10_000, caller_says_in(Language::Spanish, SPANISH));
    let steps = desk.at(10_100, caller_says_in(Language::English, "Sorry, I prefer English."));
    assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::English)]);
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(2) }));
    assert_eq!(effects(&desk.at(10_200, line_ready(line(2)))), []);

    let mut desk = Desk::thinking();
    assert_eq!(lines(&desk.until(14_000)), [LineId::Hold]);
    let steps = desk.at(14_100, caller_says_in(Language::Spanish, SPANISH));
    assert_eq!(spoken_in(&steps), [(LineId::Notice, Language::Spanish)]);
    assert!(effects(&steps).contains(&Effect::Withdraw { utterance: line(2) }));
}

// Words that want no answer.

/// S03.
#[test]
fn an_assent_owes_no_reply() {
    for words in ["Mm-hmm.", "OK, bye!", "Okay.", "Thanks.", "Thank you.", "Gracias.", "Adiós."] {
        let mut desk = Desk::listening();
        assert_eq!(phases(&desk.at(10_000, caller_says(words))), [], "{words}");
        assert_eq!(desk.next(), Some((35_000, Timer::SilencePrompt)), "it was said, though");
    }
}

/// S03, I-15: nobody speaks, so it answers something that was asked.
#[test]
fn a_yes_that_is_said_when_the_caller_has_the_floor_owes_a_reply() {
    for words in ["Yes.", "Yeah yeah.", "Yep!", "Sure.", "Yes, thank you.", "Sí.", "Si", "Claro."]
    {
        let mut desk = Desk::listening();
        assert_eq!(phases(&desk.at(10_000, caller_says(words))), [Phase::Thinking], "{words}");
        assert_eq!(desk.next(), Some((14_000, Timer::Filler)), "{words}");
        assert_eq!(
            phases(&desk.agent_speaks(1, 11_000, 13_000)),
            [Phase::Speaking, Phase::Listening]
        );
    }
}

/// S03: it accompanies what is being said or done.
#[test]
fn a_yes_that_is_said_elsewhere_owes_no_reply() {
    let mut desk = Desk::speaking();
    desk.at(11_500, audio_done());
    desk.at(11_500, queued(sentence(1), 2_000, 13_000));
    assert_eq!(phases(&desk.at(12_000, caller_says("Yes."))), []);
    assert_eq!(phases(&desk.at(13_000, heard(sentence(1), 2_000))), [Phase::Listening]);

    let mut desk = Desk::function_pending();
    assert_eq!(phases(&desk.at(12_000, caller_says("Yes."))), []);
    assert_eq!(phases(&desk.at(12_500, withdraws("f1"))), [Phase::Listening]);

    let mut desk = Desk::new();
    desk.at(900, agent_ready());
    desk.at(1_000, line_ready(OPENING));
    desk.at(1_000, began(OPENING));
    desk.at(1_000, queued(OPENING, 4_000, 5_000));
    assert_eq!(phases(&desk.at(2_000, caller_says("Yes."))), []);
    assert_eq!(phases(&desk.at(5_000, heard(OPENING, 4_000))), [Phase::Listening]);
}

/// A yes is not a moment: who asks for one is not answered.
#[test]
fn a_yes_with_a_moment_asked_for_owes_no_reply() {
    let mut desk = Desk::listening();
    assert_eq!(phases(&desk.at(10_000, caller_says("Yes, hold on."))), []);
    assert_eq!(desk.next(), Some((70_000, Timer::SilencePrompt)));
}

/// I-15, I-16: what was asked before is still to be answered.
#[test]
fn an_assent_does_not_forgive_the_reply_that_is_owed() {
    let mut desk = Desk::thinking();
    desk.at(11_000, caller_says("Mm-hmm."));
    assert_eq!(desk.phase(), Phase::Thinking);
    assert_eq!(desk.next(), Some((15_000, Timer::Filler)), "four seconds from the last sound");
}

// Helpers.

/// The caller's words, and the language that the agent hears them in, if any.
fn said(text: &str, language: Option<Language>) -> Input {
    Input::Agent(Agent::CallerSaid { text: text.to_owned(), language, since_sound: None })
}

/// Lines that were asked for, and in which language.
fn spoken_in(steps: &[call_core::Step]) -> Vec<(LineId, Language)> {
    let spoken = |effect| match effect {
        Effect::Prepare { line, language, .. } => Some((line, language)),
        _ => None,
    };
    effects(steps).into_iter().filter_map(spoken).collect()
}
