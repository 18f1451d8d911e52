//! Journals of the real machine, measured.

use call_core::input::{
    FunctionAsk, FunctionEnded, FunctionOutcome, HungUp, Line as LineNews, Playback,
};
use call_core::{Brief, Call};

use super::*;

/// A call that is measured while it is played.
struct Played {
    call: Call,
    meter: Meter,
    told: Vec<Measurement>,
}

impl Played {
    fn begin() -> Self {
        let (call, first) = Call::new(Brief::example());
        let mut meter = Meter::default();
        let told = meter.take(&first, CallTime::ZERO);
        Self { call, meter, told }
    }

    /// To where the caller has the floor: the agent listens, and the opening was heard.
    fn in_talk() -> Self {
        let mut played = Self::begin();
        played.agent(200, Agent::Ready);
        played.line_is_heard(1, 300);
        played.told.clear();
        played
    }

    fn line_is_heard(&mut self, number: u32, at: u64) {
        let utterance = UtteranceId::Line(number);
        let (text, audio) = ("Hello.".to_owned(), Millis(1_000));
        let news = LineNews::Ready { utterance, text, version: 1, audio };
        self.tell(at, Input::Line(news));
        self.playback(at, Playback::Began { utterance });
        let until = time(at + 1_000);
        self.playback(at, Playback::Queued { utterance, audio, until });
        self.playback(at + 1_000, Playback::Heard { utterance, audio });
    }

    fn agent(&mut self, at: u64, news: Agent) -> Vec<Measurement> {
        self.tell(at, Input::Agent(news))
    }

    fn playback(&mut self, at: u64, news: Playback) -> Vec<Measurement> {
        self.tell(at, Input::Playback(news))
    }

    fn said(&mut self, at: u64) -> Vec<Measurement> {
        self.agent(at, said(None))
    }

    fn tell(&mut self, at: u64, input: Input) -> Vec<Measurement> {
        self.tell_late(at, 0, input)
    }

    /// What everything that came of it, carried out so much later, tells.
    fn tell_late(&mut self, at: u64, late: u64, input: Input) -> Vec<Measurement> {
        let steps = self.call.step(time(at), input);
        let measured = |step| self.meter.take(step, step.at + Millis(late));
        let told: Vec<_> = steps.iter().flat_map(measured).collect();
        self.told.extend(told.iter().cloned());
        told
    }
}

fn said(since_sound: Option<Millis>) -> Agent {
    Agent::CallerSaid { text: "What do I owe?".to_owned(), language: None, since_sound }
}

fn time(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn stages(told: &[Measurement]) -> Vec<(Stage, u64)> {
    let stage = |told: &Measurement| match told {
        Measurement::Turn { stage, took, .. } => Some((*stage, took.0)),
        _ => None,
    };
    told.iter().filter_map(stage).collect()
}

fn ask(id: &str, name: &str) -> Agent {
    Agent::Asked(vec![FunctionAsk {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: "{}".to_owned(),
        fingerprint: id.to_owned(),
        target: None,
        tones: None,
        fault: None,
    }])
}

const SENTENCE: UtteranceId = UtteranceId::Agent(1);

#[test]
fn a_turn_is_split_into_hearing_thinking_speaking_and_what_is_ours() {
    let mut played = Played::in_talk();
    let words = played.tell_late(5_800, 3, Input::Agent(said(Some(Millis(800)))));
    assert_eq!(stages(&words), [(Stage::Hearing, 800)]);

    assert_eq!(stages(&played.playback(6_500, Playback::Waits { utterance: SENTENCE })), []);
    let began = Input::Playback(Playback::Began { utterance: SENTENCE });
    let spoken = played.tell_late(6_900, 2, began);
    assert_eq!(
        stages(&spoken),
        [(Stage::Thinking, 700), (Stage::Speaking, 400), (Stage::Ours, 405), (Stage::Whole, 1_905),]
    );
    // The second sentence of the same reply answers nothing.
    let second = Playback::Began { utterance: UtteranceId::Agent(2) };
    assert_eq!(stages(&played.playback(7_500, second)), []);
}

#[test]
fn an_answer_that_does_not_wait_has_no_wait_of_ours() {
    let mut played = Played::in_talk();
    played.agent(5_500, said(Some(Millis(500))));
    let spoken = played.playback(6_000, Playback::Began { utterance: SENTENCE });
    let expected =
        [(Stage::Thinking, 500), (Stage::Speaking, 0), (Stage::Ours, 0), (Stage::Whole, 1_000)];
    assert_eq!(stages(&spoken), expected);
}

#[test]
fn words_without_a_sound_before_them_have_no_hearing() {
    let mut played = Played::in_talk();
    assert_eq!(stages(&played.said(5_500)), []);
    let spoken = played.playback(6_000, Playback::Began { utterance: SENTENCE });
    assert_eq!(stages(&spoken).len(), 3, "and no whole");
}

#[test]
fn a_sentence_of_the_turn_before_answers_nothing() {
    let mut played = Played::in_talk();
    played.said(2_000);
    played.playback(2_500, Playback::Waits { utterance: SENTENCE });
    played.said(2_600);
    assert_eq!(stages(&played.playback(2_700, Playback::Began { utterance: SENTENCE })), []);
    let reply = Playback::Began { utterance: UtteranceId::Agent(2) };
    assert_eq!(stages(&played.playback(3_000, reply))[0], (Stage::Thinking, 400));
}

#[test]
fn a_function_is_counted_by_its_name_and_outcome_and_timed() {
    let mut played = Played::in_talk();
    played.said(2_000);
    played.agent(2_500, ask("1", "lookup_loan"));
    let ended = FunctionEnded {
        id: "1".to_owned(),
        outcome: FunctionOutcome::Failed("not-verified".to_owned()),
        identity: Vec::new(),
        disclosed: Vec::new(),
    };
    let told = played.tell(3_200, Input::Function(ended));
    let (name, outcome, took) = ("lookup_loan", "not-verified", Some(Millis(700)));
    assert!(told.contains(&Measurement::Function { name, outcome, took }), "{told:?}");
    let spoken = played.playback(4_000, Playback::Began { utterance: SENTENCE });
    let (stage, course) = (Stage::Thinking, Course::Functions);
    assert!(spoken.contains(&Measurement::Turn { stage, course, took: Millis(2_000) }));
}

/// I-26: a name that a model makes up may hold anything.
#[test]
fn a_function_that_nobody_knows_is_counted_without_its_name() {
    let mut played = Played::in_talk();
    let told = played.agent(2_500, ask("1", "lookup_maria_100234"));
    let (name, outcome, took) = ("other", "refused", None);
    assert!(told.contains(&Measurement::Function { name, outcome, took }), "{told:?}");
    assert!(!format!("{:?}", played.told).contains("100234"));
}

#[test]
fn a_voice_that_stops_our_speech_is_timed_up_to_clear() {
    let mut played = Played::in_talk();
    played.said(2_000);
    played.playback(2_500, Playback::Began { utterance: SENTENCE });
    let told = played.tell_late(3_000, 7, Input::Agent(Agent::CallerStarted));
    assert!(told.contains(&Measurement::BargeIn(Millis(7))), "{told:?}");
    // A voice that stops nothing is no barge-in.
    let mut quiet = Played::in_talk();
    let told = quiet.agent(3_000, Agent::CallerStarted);
    assert!(!told.iter().any(|told| matches!(told, Measurement::BargeIn(_))), "{told:?}");
}

#[test]
fn sessions_are_counted_when_they_open_are_lost_and_are_replaced() {
    let mut played = Played::begin();
    let told = played.agent(240, Agent::Ready);
    assert!(told.contains(&Measurement::SessionReady { resumed: false, took: Millis(240) }));
    played.line_is_heard(1, 300);
    let told = played.agent(5_000, Agent::Lost(AgentLoss::Closed));
    assert!(told.contains(&Measurement::SessionLost("closed")), "{told:?}");
    let told = played.agent(5_600, Agent::Ready);
    assert!(told.contains(&Measurement::SessionReady { resumed: true, took: Millis(600) }));
}

#[test]
fn a_session_that_never_listens_is_lost_to_time() {
    let mut played = Played::begin();
    played.line_is_heard(1, 300);
    let silent = played.tell(11_500, Input::Carrier(Carrier::Key(call_core::input::Key::Star)));
    assert!(silent.contains(&Measurement::SessionLost("timeout")), "{silent:?}");
}

#[test]
fn lines_are_counted_by_rung_and_timed_on_each() {
    let mut played = Played::begin();
    played.agent(200, Agent::Ready);
    let first = UtteranceId::Line(1);
    let told = played.tell(900, Input::Line(LineNews::Failed { utterance: first }));
    let (line, took) = (LineId::Opening, Millis(900));
    let rung = Rung::Spoken;
    assert!(told.contains(&Measurement::Line { line, rung, ready: false, took }), "{told:?}");
    // The next rung has a name and a clock of its own.
    let utterance = UtteranceId::Line(2);
    let news = LineNews::Spoken { utterance, text: "Hello.".to_owned(), version: 1 };
    let told = played.tell(1_100, Input::Line(news));
    let (rung, took) = (Rung::Injected, Millis(200));
    assert!(told.contains(&Measurement::Line { line, rung, ready: true, took }), "{told:?}");
}

#[test]
fn an_end_is_counted_with_its_reason_and_the_hang_up_with_its_answer() {
    let mut played = Played::in_talk();
    played.agent(5_000, ask("1", "hangup_call"));
    played.line_is_heard(2, 5_100);
    let told = played.tell(6_400, Input::Carrier(Carrier::HungUp(HungUp::Done)));
    let (kind, outcome, took) = ("hang_up", "done", Millis(300));
    assert!(told.contains(&Measurement::Rest { kind, outcome, took }), "{told:?}");
    let (reason, lasted) = (EndReason::AgentHangup, Millis(6_400));
    assert!(told.contains(&Measurement::Ended { reason, lasted }), "{told:?}");
    let ours = Measurement::Speech { ours: true, fate: "heard" };
    assert_eq!(played.told.iter().filter(|told| **told == ours).count(), 1);
}

#[test]
fn news_that_make_no_sense_are_counted_and_have_no_lag() {
    let mut played = Played::begin();
    let told = played.tell_late(100, 9, Input::Carrier(Carrier::HungUp(HungUp::Done)));
    assert_eq!(told, [Measurement::Ignored]);
}
