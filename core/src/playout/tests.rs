use alloc::vec;

use super::*;

const SENTENCE: UtteranceId = UtteranceId::Agent(1);

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn play(playout: &mut Playout, when: u64, bytes: usize) {
    assert_eq!(playout.admit(at(when), SENTENCE, bytes), Admit::Forward);
    playout.forward(at(when), SENTENCE, bytes);
}

fn stopped(utterance: UtteranceId, heard: u64, audio: u64, whole: bool) -> Playback {
    let (heard, audio, why) = (Millis(heard), Millis(audio), CutReason::Stopped);
    Playback::Cut { utterance, heard, audio, whole, why }
}

fn given_up(utterance: UtteranceId, heard: u64, audio: u64, whole: bool) -> Playback {
    let (heard, audio, why) = (Millis(heard), Millis(audio), CutReason::GivenUp);
    Playback::Cut { utterance, heard, audio, whole, why }
}

#[test]
fn speech_is_heard_when_its_mark_returns_and_not_before() {
    let mut playout = Playout::new();
    play(&mut playout, 100, 8_000);
    let queued = playout.mark(at(110), SENTENCE);
    assert_eq!(
        queued,
        Playback::Queued { utterance: SENTENCE, audio: Millis(1_000), until: at(1_100) }
    );
    let heard = playout.mark_returned(SENTENCE);
    assert_eq!(heard, Some(Playback::Heard { utterance: SENTENCE, audio: Millis(1_000) }));
    assert_eq!(playout.mark_returned(SENTENCE), None, "F-TW-22: a repeated mark is no news");
}

/// F-TW-21, F-DG-14.
#[test]
fn cut_speech_counts_as_heard_only_so_far_as_it_was_played() {
    let mut playout = Playout::new();
    play(&mut playout, 0, 4_000);
    // The carrier runs dry at 500 ms; the next piece begins when it arrives.
    play(&mut playout, 700, 8_000);
    let cut = playout.clear(at(1_000));
    assert_eq!(cut, [stopped(SENTENCE, 800, 1_500, false)]);
    assert_eq!(playout.mark_returned(SENTENCE), None, "its mark returns because of the cut");
}

/// F-DG-28.
#[test]
fn late_audio_of_a_cut_turn_is_dropped_until_the_next_turn_begins() {
    let mut playout = Playout::new();
    play(&mut playout, 0, 800);
    playout.clear(at(50));
    assert_eq!(playout.admit(at(60), SENTENCE, 160), Admit::Drop);
    playout.agent_turn_began();
    assert_eq!(playout.admit(at(70), UtteranceId::Agent(2), 160), Admit::Forward);
}

/// F-HU-08, S02.
#[test]
fn a_reply_waits_behind_our_line_and_can_be_given_up_without_cutting_the_line() {
    let line = UtteranceId::Line(1);
    let mut playout = Playout::new();
    assert_eq!(playout.admit(at(0), line, 8_000), Admit::Forward);
    playout.forward(at(0), line, 8_000);
    playout.mark(at(0), line);
    assert_eq!(playout.admit(at(100), SENTENCE, 1_600), Admit::Hold { first: true });
    assert_eq!(playout.poll_timeout(Some(SENTENCE)), Some(at(1_000)), "when the line ends");
    let nothing = given_up(SENTENCE, 0, 200, false);
    let utterances = vec![SENTENCE];
    let given_up = GivenUp { utterances, cuts: vec![nothing], want_marks: Vec::new() };
    assert_eq!(playout.cut_reply(at(500)), given_up);
    assert_eq!(playout.held(), 0);
    assert!(playout.mark_returned(line).is_some(), "the line is still on its way");
}

/// A reply of three sentences at 00:00.500: the first was handed over with its mark, of the
/// second 1 s of 2.5 s was handed over, and the third waits.
fn given_up_half_way() -> Playout {
    let [second, third] = [2, 3].map(UtteranceId::Agent);
    let mut playout = Playout::new();
    play(&mut playout, 0, 8_000);
    playout.mark(at(0), SENTENCE);
    assert_eq!(playout.admit(at(0), second, 8_000), Admit::Forward);
    playout.forward(at(0), second, 8_000);
    assert_eq!(playout.admit(at(0), second, 12_000), Admit::Hold { first: false });
    assert_eq!(playout.admit(at(0), third, 4_000), Admit::Hold { first: true });
    let nothing = given_up(third, 0, 500, false);
    let given_up =
        GivenUp { utterances: vec![second, third], cuts: vec![nothing], want_marks: vec![second] };
    assert_eq!(playout.cut_reply(at(500)), given_up);
    assert_eq!((playout.held(), playout.conserved().cut), (0, 16_000));
    let again = playout.cut_reply(at(600));
    assert_eq!(again, GivenUp::default(), "it is given up once");
    let queued = playout.mark(at(600), second);
    let audio = Millis(1_000);
    assert_eq!(queued, Playback::Queued { utterance: second, audio, until: at(2_000) });
    playout
}

/// F-TW-21, F-DG-14: what was handed over behind a line cannot be taken back, and is heard.
#[test]
fn a_sentence_that_was_given_up_half_way_is_cut_when_the_mark_behind_its_half_returns() {
    let second = UtteranceId::Agent(2);
    let mut playout = given_up_half_way();
    let first = playout.mark_returned(SENTENCE);
    assert_eq!(first, Some(Playback::Heard { utterance: SENTENCE, audio: Millis(1_000) }));
    let cut = given_up(second, 1_000, 2_500, true);
    assert_eq!(playout.mark_returned(second), Some(cut));
    assert_eq!(playout.mark_returned(second), None);
    assert_eq!(playout.clear(at(2_100)), [], "nothing is left");
}

/// F-TW-21.
#[test]
fn a_sentence_that_was_given_up_half_way_may_be_cut_before_its_half_was_heard() {
    let second = UtteranceId::Agent(2);
    let mut playout = given_up_half_way();
    assert!(playout.mark_returned(SENTENCE).is_some());
    assert_eq!(playout.clear(at(1_300)), [stopped(second, 300, 2_500, true)]);
    assert_eq!(playout.mark_returned(second), None, "its mark returns because of the cut");
}

#[test]
fn a_missing_turn_start_does_not_mute_the_agent_for_good() {
    let mut playout = Playout::new();
    playout.clear(at(0));
    assert_eq!(playout.admit(at(2_000), SENTENCE, 160), Admit::Drop);
    assert_eq!(playout.admit(at(2_001), SENTENCE, 160), Admit::Forward);
}

/// F-DG-29: the end of it was dropped.
#[test]
fn a_sentence_that_found_no_room_was_not_heard_in_full() {
    let mut playout = Playout::new();
    play(&mut playout, 0, 16_000);
    assert_eq!(playout.admit(at(0), SENTENCE, 240_000), Admit::Hold { first: false });
    assert_eq!(playout.admit(at(0), SENTENCE, 8_000), Admit::Overflow);
    playout.forward(at(1_000), SENTENCE, 240_000);
    playout.mark(at(1_000), SENTENCE);
    let (heard, audio) = (Millis(32_000), Millis(33_000));
    let (whole, why) = (true, CutReason::NoRoom);
    let cut = Playback::Cut { utterance: SENTENCE, heard, audio, whole, why };
    assert_eq!(playout.mark_returned(SENTENCE), Some(cut));
}

/// F-TW-21: what was to come of it was dropped, and nobody knows how much that is.
#[test]
fn a_sentence_that_the_agent_had_not_finished_when_it_was_muted_is_cut() {
    let second = UtteranceId::Agent(2);
    let mut playout = Playout::new();
    play(&mut playout, 0, 800);
    playout.close_sentence();
    playout.mark(at(0), SENTENCE);
    assert_eq!(playout.admit(at(0), second, 1_600), Admit::Forward);
    playout.forward(at(0), second, 1_600);
    playout.mute_agent();
    assert_eq!(playout.close_sentence(), Some(second));
    playout.mark(at(50), second);
    assert_eq!(playout.admit(at(60), second, 1_600), Admit::Drop);
    let heard = Playback::Heard { utterance: SENTENCE, audio: Millis(100) };
    assert_eq!(playout.mark_returned(SENTENCE), Some(heard), "it was finished before");
    assert_eq!(playout.mark_returned(second), Some(given_up(second, 200, 200, false)));
}

/// F-DG-28: a key stops us, and nobody tells the agent.
#[test]
fn a_reply_of_which_the_agent_does_not_know_that_it_was_cut_stays_cut() {
    let mut playout = Playout::new();
    play(&mut playout, 0, 800);
    playout.clear(at(50));
    playout.agent_is_not_told();
    assert_eq!(playout.admit(at(20_000), SENTENCE, 160), Admit::Drop);
    let mut next_turn = playout.clone();
    next_turn.agent_turn_began();
    assert_eq!(next_turn.admit(at(20_010), UtteranceId::Agent(2), 160), Admit::Forward);
    playout.agent_reply_over();
    assert_eq!(playout.admit(at(20_010), UtteranceId::Agent(2), 160), Admit::Forward);
}

/// F-TW-09, F-TW-26: what the carrier had of it was perhaps still played.
#[test]
fn of_a_stream_that_died_only_what_was_not_handed_over_is_known_to_be_cut() {
    let [second, third] = [2, 3].map(UtteranceId::Agent);
    let mut playout = Playout::new();
    play(&mut playout, 0, 8_000);
    playout.close_sentence();
    playout.mark(at(0), SENTENCE);
    assert_eq!(playout.admit(at(0), second, 8_000), Admit::Forward);
    playout.forward(at(0), second, 8_000);
    assert_eq!(playout.admit(at(0), second, 8_000), Admit::Hold { first: false });
    assert_eq!(playout.close_sentence(), Some(second));
    assert_eq!(playout.admit(at(0), third, 800), Admit::Hold { first: true });
    let dead = |utterance, heard, audio, whole| Playback::Cut {
        utterance,
        heard: Millis(heard),
        audio: Millis(audio),
        whole,
        why: CutReason::StreamDead,
    };
    let cuts = [dead(second, 500, 2_000, true), dead(third, 0, 100, false)];
    assert_eq!(playout.stream_dead(at(1_500)), cuts, "nothing is known of the first");
}

/// F-TW-26, S27.
#[test]
fn speech_waits_while_the_carrier_takes_nothing_and_can_be_taken_back() {
    let mut playout = Playout::new();
    play(&mut playout, 0, 800);
    playout.carrier_blocked(at(50), Some(at(50)));
    assert_eq!(playout.admit(at(50), SENTENCE, 8_000), Admit::Hold { first: false });
    assert_eq!(playout.poll_timeout(Some(SENTENCE)), None, "nobody can say when");
    assert!(!playout.has_room(at(3_000), SENTENCE));
    let mut cut = playout.clone();
    let (utterance, heard, audio) = (SENTENCE, Millis(50), Millis(1_100));
    let why = CutReason::StoppedUnread;
    let late = Playback::Cut { utterance, heard, audio, whole: false, why };
    assert_eq!(cut.clear(at(3_000)), [late], "what it has it plays on");
    playout.carrier_blocked(at(3_000), None);
    assert!(playout.has_room(at(3_000), SENTENCE));
}

/// F-TW-26: speech that went into a blocked socket before anybody noticed is not heard before
/// the carrier reads it.
#[test]
fn speech_that_lay_unread_is_heard_only_after_it_was_read() {
    let mut playout = Playout::new();
    play(&mut playout, 1_000, 8_000);
    playout.carrier_blocked(at(1_000), Some(at(1_000)));
    playout.carrier_blocked(at(1_600), None);
    let cut = [stopped(SENTENCE, 300, 1_000, false)];
    assert_eq!(playout.clear(at(1_900)), cut, "not 900 ms");

    let mut playout = Playout::new();
    play(&mut playout, 1_000, 8_000);
    playout.carrier_blocked(at(1_200), Some(at(1_200)));
    playout.carrier_blocked(at(1_600), None);
    let cut = [stopped(SENTENCE, 900, 1_000, false)];
    assert_eq!(playout.clear(at(1_900)), cut, "it was read before");
}

/// F-DG-29, I-30.
#[test]
fn fast_speech_waits_within_a_bound_and_no_byte_is_lost_from_the_count() {
    let mut playout = Playout::new();
    let mut held = 0;
    for _ in 0..400 {
        match playout.admit(at(0), SENTENCE, 800) {
            Admit::Forward => {
                assert!(playout.forward(at(0), SENTENCE, 800).is_some() || held == 0);
            }
            Admit::Hold { .. } => held += 800,
            Admit::Drop => unreachable!("the gate is open"),
            Admit::Overflow => {}
        }
    }
    assert_eq!(playout.held(), held);
    assert_eq!(held, 30_000 * BYTES_PER_MS);
    let sum = playout.conserved();
    assert_eq!(sum.offered, sum.forwarded + sum.dropped + sum.overflowed + sum.cut + held);
    assert_eq!(
        playout.poll_timeout(Some(SENTENCE)),
        Some(at(1)),
        "room again as soon as some was played"
    );
}
