//! The bridge between a carrier's stream and an agent's session: lines of ours that the agent says,
//! audio that nobody asked for, and a conversation that is told a second time.

use std::collections::BTreeMap;

use call_core::effect::Answer;
use call_core::input::{Agent, AgentLoss, Carrier, CutReason, Input, Line, Playback};
use call_core::{CallTime, Effect, Language, UtteranceId};
use call_transports::bridge::{Bridge, Outlet, Words};
use call_transports::carrier::{Audio, FromCarrier, ToCarrier};
use call_transports::deepgram::{
    AgentProfile, CancelledCall, ClientMessage, FunctionCall, HistoryEntry, Injection, Role,
    ServerMessage, Spoken,
};

const LINE: UtteranceId = UtteranceId::Line(3);
const AGENTS: UtteranceId = UtteranceId::Agent(1);
const FAREWELL: &str = "Thank you for calling Acme. Goodbye.";

/// What left the bridge.
#[derive(Default)]
struct Out {
    /// Bytes of audio to the carrier.
    audio: usize,
    marks: Vec<UtteranceId>,
    to_agent: Vec<ClientMessage>,
    inputs: Vec<Input>,
}

impl Outlet for Out {
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        match message {
            ToCarrier::Audio(audio) => self.audio += audio.len(),
            ToCarrier::Mark(utterance) => self.marks.push(utterance),
            ToCarrier::Clear => {}
        }
    }

    fn probe_carrier(&mut self) {}

    fn audio_to_agent(&mut self, _audio: &[u8]) {}

    fn to_agent(&mut self, message: ClientMessage) {
        self.to_agent.push(message);
    }

    fn input(&mut self, input: Input) {
        self.inputs.push(input);
    }
}

/// A bridge and what left it since it was last asked.
struct Table {
    bridge: Bridge,
    out: Out,
}

impl Table {
    /// A bridge whose agent is being connected.
    fn opening() -> Self {
        let profiles = BTreeMap::from([(Language::English, AgentProfile::example())]);
        let mut table = Self { bridge: Bridge::new(profiles, Vec::new()), out: Out::default() };
        let open = Effect::OpenAgent { language: Language::English, resume: false };
        table.perform(0, &open);
        table
    }

    /// A bridge whose agent listens.
    fn ready() -> Self {
        let mut table = Self::opening();
        table.agent(10, ServerMessage::Welcome { request_id: "r".to_owned() });
        table.agent(20, ServerMessage::SettingsApplied);
        table.out = Out::default();
        table
    }

    fn perform(&mut self, at: u64, effect: &Effect) {
        self.bridge.perform(CallTime::from_millis(at), effect, &mut self.out);
    }

    fn agent(&mut self, at: u64, message: ServerMessage) -> Vec<Input> {
        self.bridge.from_agent(CallTime::from_millis(at), message, &mut self.out);
        std::mem::take(&mut self.out.inputs)
    }

    fn audio(&mut self, at: u64, bytes: usize) -> Vec<Input> {
        self.bridge.agent_audio(CallTime::from_millis(at), &vec![0x7F; bytes], &mut self.out);
        std::mem::take(&mut self.out.inputs)
    }

    /// 20 ms of the caller's line, in which every sample is this one.
    fn caller(&mut self, at: u64, sample: u8) -> Vec<Input> {
        let payload = &[sample; 160];
        let audio = FromCarrier::Audio(Audio { chunk: None, timestamp_ms: None, payload });
        self.bridge.from_carrier(CallTime::from_millis(at), audio, &mut self.out);
        std::mem::take(&mut self.out.inputs)
    }

    /// The caller presses a key.
    fn key(&mut self, at: u64, digit: char) {
        let key = FromCarrier::Key { digit, report: None };
        self.bridge.from_carrier(CallTime::from_millis(at), key, &mut self.out);
        self.out.inputs.clear();
    }

    /// What another session is told of what was said and asked before it.
    fn history(&mut self) -> Vec<HistoryEntry> {
        self.perform(900, &Effect::OpenAgent { language: Language::English, resume: true });
        self.agent(910, ServerMessage::Welcome { request_id: "r".to_owned() });
        let Some(ClientMessage::Settings(settings)) = self.out.to_agent.pop() else {
            panic!("it is told its settings")
        };
        settings.agent.context.expect("it is told the conversation").messages
    }

    /// The words in it.
    fn told_again(&mut self) -> Vec<Spoken> {
        let words = |entry| match entry {
            HistoryEntry::Said { content, .. } => content,
            HistoryEntry::Calls(_) => panic!("nothing was asked"),
        };
        self.history().into_iter().map(words).collect()
    }

    fn inject(&mut self, at: u64, utterance: UtteranceId, text: &str) {
        let words = Words { text: text.to_owned(), version: 1 };
        let at = CallTime::from_millis(at);
        self.bridge.inject_line(at, utterance, Some(words), true, &mut self.out);
    }
}

fn says(words: &str) -> ServerMessage {
    ServerMessage::ConversationText {
        role: Role::Assistant,
        content: Spoken::from(words),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    }
}

fn spoken(text: &str) -> Input {
    Input::Line(Line::Spoken { utterance: LINE, text: text.to_owned(), version: 1 })
}

/// S29, I-12: the muted agent is heard with what it says for us, and a mark tells when.
#[test]
fn an_injected_line_is_known_again_and_is_that_lines_speech() {
    let mut table = Table::ready();
    table.perform(100, &Effect::MuteAgent);
    table.inject(100, LINE, FAREWELL);
    let message = Spoken::from(FAREWELL);
    let behavior = Injection::Interrupt;
    assert_eq!(table.out.to_agent, [ClientMessage::InjectAgentMessage { message, behavior }]);
    assert_eq!(table.audio(200, 800), [], "the agent's own speech is muted");
    assert_eq!(table.out.audio, 0);

    assert_eq!(table.agent(400, says(FAREWELL)), [spoken(FAREWELL)]);
    assert_eq!(table.audio(400, 800), [Input::Playback(Playback::Began { utterance: LINE })]);
    assert_eq!(table.out.audio, 800);
    let inputs = table.agent(450, ServerMessage::AgentAudioDone);
    assert!(matches!(inputs[0], Input::Playback(Playback::Queued { utterance: LINE, .. })));
    assert_eq!(table.out.marks, [LINE]);
    assert_eq!(table.audio(500, 800), [], "what follows is the agent's own, and muted");
    assert_eq!(table.out.audio, 800);
}

/// S29: an end that comes before the words belongs to what was said before.
#[test]
fn an_injected_line_may_come_back_sentence_by_sentence_behind_a_reply() {
    let mut table = Table::ready();
    table.agent(100, says("From eight to six."));
    table.audio(100, 800);
    table.inject(120, LINE, FAREWELL);
    table.agent(150, ServerMessage::AgentAudioDone);
    assert_eq!(table.out.marks, [AGENTS]);
    assert_eq!(table.agent(400, says("Thank you for calling  Acme.")), [spoken(FAREWELL)]);
    table.audio(400, 800);
    assert_eq!(table.agent(600, says("Goodbye.")), [], "one line, told once");
    table.audio(600, 800);
    table.agent(650, ServerMessage::AgentAudioDone);
    assert_eq!(table.out.marks, [AGENTS, LINE]);
    let again = table.agent(900, says("Goodbye."));
    assert!(matches!(again[..], [Input::Agent(Agent::Said { .. })]), "the agent's own: {again:?}");
}

/// F-DG-23: a refusal, a warning in its place, or both; it names no line.
#[test]
fn a_refusal_is_told_once_for_the_oldest_line() {
    let refused = |utterance| Input::Line(Line::Refused { utterance });
    let refusal = || ServerMessage::InjectionRefused { message: None };
    let warning = || ServerMessage::Warning {
        code: "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH".to_owned(),
        description: String::new(),
    };
    for first in [refusal(), warning()] {
        let mut table = Table::ready();
        table.inject(100, LINE, FAREWELL);
        assert!(table.agent(400, first).contains(&refused(LINE)));
        assert_eq!(table.agent(400, refusal()), []);
    }
    let mut table = Table::ready();
    table.inject(100, LINE, FAREWELL);
    table.inject(110, UtteranceId::Line(4), "Are you still there?");
    assert_eq!(table.agent(400, refusal()), [refused(LINE)]);
    assert_eq!(table.agent(410, refusal()), [refused(UtteranceId::Line(4))]);
}

/// F-DG-23: what another rung says already is not said twice.
#[test]
fn a_withdrawn_line_that_the_agent_says_after_all_is_not_heard() {
    let mut table = Table::ready();
    table.inject(100, LINE, "Are you still there?");
    table.perform(1_600, &Effect::Withdraw { utterance: LINE });
    assert_eq!(table.agent(1_700, says("Are you still there?")), []);
    assert_eq!(table.audio(1_700, 800), []);
    table.agent(1_750, ServerMessage::AgentAudioDone);
    assert_eq!((table.out.audio, table.out.marks.len()), (0, 0));
    let (conserved, _) = table.bridge.speech_to_caller();
    assert_eq!((conserved.offered, conserved.dropped), (800, 800));
    let later = table.agent(9_000, says("Are you still there?"));
    assert!(matches!(later[..], [Input::Agent(Agent::Said { .. })]), "{later:?}");
}

/// F-DG-14: the agent leaves off at a voice; of the line no more is heard, and it counts as cut.
#[test]
fn an_injected_line_that_is_cut_half_way_ends_where_it_was_cut() {
    let mut table = Table::ready();
    table.inject(100, LINE, FAREWELL);
    table.agent(400, says(FAREWELL));
    table.audio(400, 8_000);
    table.perform(800, &Effect::CutReply);
    assert_eq!(table.out.marks, [LINE]);
    table.out.inputs.clear();
    assert_eq!(table.audio(820, 8_000), [], "late audio of it");
    assert_eq!(table.out.audio, 8_000);
    let mark = FromCarrier::Played(LINE);
    table.bridge.from_carrier(CallTime::from_millis(1_400), mark, &mut table.out);
    let news = std::mem::take(&mut table.out.inputs);
    assert!(
        matches!(news[..], [Input::Playback(Playback::Cut { utterance: LINE, .. })]),
        "{news:?}"
    );
}

/// F-TW-21: nobody tells the agent that it may say no more, so it goes on; what comes is dropped.
#[test]
fn a_sentence_that_is_not_finished_when_the_agent_is_muted_does_not_count_as_heard() {
    let mut table = Table::ready();
    table.agent(400, says("We are open from eight to six."));
    table.audio(400, 8_000);
    table.perform(800, &Effect::MuteAgent);
    table.perform(800, &Effect::EndSentence);
    let said = table.out.marks.clone();
    assert_eq!(said.len(), 1);
    table.out.inputs.clear();
    table.audio(820, 8_000);
    assert_eq!(table.out.audio, 8_000);
    let mark = FromCarrier::Played(said[0]);
    table.bridge.from_carrier(CallTime::from_millis(1_400), mark, &mut table.out);
    let news = std::mem::take(&mut table.out.inputs);
    let [Input::Playback(Playback::Cut { whole: false, why, .. })] = news[..] else {
        panic!("{news:?}");
    };
    assert_eq!(why, CutReason::GivenUp);
}

/// F-DG-29, I-12: a muted agent's last words are heard if that takes a moment; what would take long is
/// given up, so that ours come in time.
#[test]
fn of_a_muted_agent_only_what_is_heard_soon_is_waited_for() {
    for (seconds, waited_for) in [(6, true), (20, false)] {
        let mut table = Table::ready();
        table.agent(400, says("It is a long story."));
        table.audio(400, seconds * 8_000);
        table.agent(500, ServerMessage::AgentAudioDone);
        let sent = table.out.audio;
        table.perform(800, &Effect::MuteAgent);
        table.perform(800, &Effect::EndSentence);
        table.perform(800, &Effect::CutReply);
        let (_, held) = table.bridge.speech_to_caller();
        let rest = (seconds * 8_000 - sent) as u64;
        assert_eq!(held, if waited_for { rest } else { 0 }, "{seconds} s");
    }
}

/// F-DG-28, S16: a key stops the agent's speech, and nobody tells the agent.
#[test]
fn a_reply_that_a_key_has_cut_does_not_come_back_before_the_next_turn() {
    let mut table = Table::ready();
    table.agent(400, says("The terms are these."));
    table.audio(400, 8_000);
    table.perform(800, &Effect::CollectKeys);
    table.perform(800, &Effect::Clear);
    table.out.inputs.clear();
    assert_eq!(table.agent(6_000, says("The second sentence.")), []);
    assert_eq!(table.audio(6_000, 8_000), []);
    assert_eq!(table.out.audio, 8_000, "long after the cut");
    table.agent(6_100, ServerMessage::AgentAudioDone);
    let next = table.agent(7_000, says("Is there anything else?"));
    assert!(matches!(next[..], [Input::Agent(Agent::Said { .. })]), "{next:?}");
    table.audio(7_000, 800);
    assert_eq!(table.out.audio, 8_800);
}

/// F-DG-08.
#[test]
fn lines_that_a_lost_session_was_to_say_have_failed() {
    let mut table = Table::ready();
    table.inject(100, LINE, FAREWELL);
    table.bridge.agent_lost(AgentLoss::Closed, &mut table.out);
    let failed = Input::Line(Line::Failed { utterance: LINE });
    assert_eq!(table.out.inputs, [failed.clone(), Input::Agent(Agent::Lost(AgentLoss::Closed))]);
    table.out.inputs.clear();
    table.inject(200, LINE, FAREWELL);
    assert_eq!(table.out.inputs, [failed], "nobody is there to say it");
}

/// F-DG-25: nothing is heard before the settings are accepted, and nothing is lost from the count.
#[test]
fn audio_before_the_settings_are_accepted_is_dropped_and_counted() {
    let mut table = Table::opening();
    table.agent(10, ServerMessage::Welcome { request_id: "r".to_owned() });
    assert_eq!(table.audio(15, 800), []);
    assert_eq!(table.out.audio, 0);
    let (conserved, held) = table.bridge.speech_to_caller();
    assert_eq!((conserved.offered, conserved.dropped, held), (800, 800, 0));
    table.agent(20, ServerMessage::SettingsApplied);
    assert_eq!(table.audio(30, 800).len(), 1, "from then on it is heard");
    assert_eq!(table.out.audio, 800);
}

/// I-29: a turn is as long as anybody can speak, however much of it is sent; a letter is not cut in two.
#[test]
fn of_a_turn_no_more_is_taken_than_an_entry_may_be_long() {
    let longest = "x".repeat(8 * 1_024 - 1);
    for (sent, taken) in [
        (longest.clone() + "y", longest.clone() + "y"),
        (longest.clone() + "yz", longest.clone() + "y"),
        (longest.clone() + "ñ", longest.clone()),
        ("x".repeat(1 << 20), longest + "x"),
    ] {
        let mut table = Table::ready();
        let [Input::Agent(Agent::CallerSaid { text, .. })] = &table.agent(100, hears(&sent))[..]
        else {
            panic!("the caller says something")
        };
        assert_eq!(*text, taken);
        let [Input::Agent(Agent::Said { text, .. })] = &table.agent(200, says(&sent))[..] else {
            panic!("the agent says something")
        };
        assert_eq!(*text, taken);
        // Nor is another session told more.
        assert_eq!(table.told_again(), [taken.clone(), taken].map(Spoken::from));
    }
}

/// I-29.
#[test]
fn another_session_is_told_the_last_two_hundred_entries() {
    let mut table = Table::ready();
    for number in 0..200 {
        table.agent(100, hears(&format!("Turn {number}.")));
    }
    assert_eq!(table.told_again()[0].reveal(), "Turn 0.");
    table.agent(1_000, hears("One more."));
    let told = table.told_again();
    assert_eq!((told.len(), told[0].reveal(), told[199].reveal()), (200, "Turn 1.", "One more."));
}

/// F-DG-19, I-29: arguments that are refused for their length are kept nowhere.
#[test]
fn arguments_are_looked_at_up_to_their_limit_and_not_kept_beyond() {
    for (bytes, is_kept) in [(8 * 1_024, true), (8 * 1_024 + 1, false)] {
        let mut table = Table::ready();
        let arguments = format!("{{\"x\":\"{}\"}}", "y".repeat(bytes - 8));
        assert_eq!(arguments.len(), bytes);
        let call = FunctionCall {
            id: "1".to_owned(),
            name: "lookup_loan".to_owned(),
            arguments: arguments.clone().into(),
            client_side: true,
            thought_signature: Some("s".repeat(64 * 1_024 + usize::from(!is_kept))),
        };
        let asked = table.agent(100, ServerMessage::FunctionCallRequest { functions: vec![call] });
        let [Input::Agent(Agent::Asked(asks))] = &asked[..] else { panic!("it is asked") };
        let fault = asks[0].fault.as_deref();
        assert_eq!(fault == Some("the arguments are too long"), !is_kept, "{fault:?}");
        assert_eq!(asks[0].arguments == "\"[too long]\"", !is_kept);
        let raw = table.bridge.arguments("1").map(str::to_owned);
        assert_eq!(raw, is_kept.then(|| arguments.clone()));
        let answer = Answer::TimedOut;
        let answer = Effect::Answer { id: "1".into(), name: "lookup_loan".into(), answer };
        table.perform(200, &answer);
        let [HistoryEntry::Calls(calls)] = &table.history()[..] else { panic!("it was asked") };
        assert_eq!(calls[0].arguments.reveal() == arguments, is_kept);
        assert_eq!(calls[0].thought_signature.is_some(), is_kept);
    }
}

/// I-29: who asks and takes back what was asked, without end, is not remembered without end.
#[test]
fn requests_that_were_taken_back_are_kept_up_to_a_number() {
    let mut table = Table::ready();
    for number in 0..300 {
        let call = FunctionCall {
            id: number.to_string(),
            name: "lookup_loan".to_owned(),
            arguments: "{}".into(),
            client_side: true,
            thought_signature: None,
        };
        table.agent(100, ServerMessage::FunctionCallRequest { functions: vec![call] });
    }
    let kept = |number: u32| table.bridge.arguments(&number.to_string()).is_some();
    assert_eq!((kept(0), kept(255), kept(256)), (true, true, false));
}

/// F-DG-09, T_KEEPALIVE: counted from the last thing that was sent, the caller's voice included. Twilio
/// sends none while tones are played, or where the line is dead.
#[test]
fn an_agent_that_is_sent_nothing_is_kept_alive_every_eight_seconds() {
    let mut table = Table::ready();
    let soonest = table.bridge.poll_timeout().expect("it wants to be woken");
    assert!(soonest <= CallTime::from_millis(8_020));
    for (at, is_due) in [(8_019, false), (8_020, true), (16_019, false), (16_020, true)] {
        table.bridge.wake(CallTime::from_millis(at), &mut table.out);
        let sent = std::mem::take(&mut table.out.to_agent);
        assert_eq!(sent == [ClientMessage::KeepAlive], is_due, "{at}: {sent:?}");
    }
    let mut table = Table::ready();
    table.caller(4_000, HISS);
    for (at, is_due) in [(11_999, false), (12_000, true)] {
        table.bridge.wake(CallTime::from_millis(at), &mut table.out);
        assert_eq!(table.out.to_agent == [ClientMessage::KeepAlive], is_due, "{at}");
    }
}

/// F-DG-30: a conversation that the provider tells again is no news.
#[test]
fn a_conversation_that_is_told_back_adds_no_line_to_the_record() {
    let mut table = Table::ready();
    for role in [Role::User, Role::Assistant] {
        let entry = HistoryEntry::Said { role, content: Spoken::from("From eight to six.") };
        assert_eq!(table.agent(100, ServerMessage::History(entry)), []);
    }
    let settings = ServerMessage::History(HistoryEntry::Calls(Vec::new()));
    assert_eq!(table.agent(110, settings), []);
    assert_eq!(table.out.to_agent, []);
}

/// F-DG-30: a session that takes over says again what it was told, word by word and in its order. What
/// the caller says after that is news, also in the same words.
#[test]
fn a_new_session_that_repeats_what_it_was_told_adds_no_line_to_the_record() {
    let mut table = Table::ready();
    table.agent(100, hears("Yes."));
    table.agent(200, hears("From Monday on."));
    table.told_again();
    table.agent(920, ServerMessage::SettingsApplied);
    assert_eq!(table.agent(930, hears("Yes.")), []);
    assert_eq!(table.agent(930, hears("From Monday on.")), []);
    assert_eq!(table.agent(1_000, hears("Yes.")).len(), 1);

    table.told_again();
    table.agent(1_920, ServerMessage::SettingsApplied);
    table.agent(2_000, ServerMessage::UserStartedSpeaking);
    assert_eq!(table.agent(2_500, hears("Yes.")).len(), 1, "somebody has spoken");
}

/// F-DG-15, I-16: only between a cut or a voice and what follows, and no sooner than every half second.
#[test]
fn after_a_cut_the_machine_is_told_that_the_callers_line_sounds() {
    let mut table = Table::ready();
    assert_eq!(table.caller(100, VOICE), [], "nothing was cut");
    table.perform(200, &Effect::Clear);
    assert_eq!(table.caller(220, HISS), []);
    assert_eq!(table.caller(240, VOICE), SOUND);
    assert_eq!(table.caller(260, VOICE), []);
    assert_eq!(table.caller(720, VOICE), []);
    assert_eq!(table.caller(740, VOICE), SOUND);
    let follows: [fn(&mut Table); 2] = [
        |table| drop(table.agent(2_300, says("From eight to six."))),
        |table| drop(table.agent(2_300, hears("No, the other one."))),
    ];
    for follow in follows {
        let mut table = Table::ready();
        table.perform(200, &Effect::CutReply);
        follow(&mut table);
        assert_eq!(table.caller(2_400, VOICE), []);
    }
}

/// S20, I-17: of a voice that has begun, too, whatever we say meanwhile: its words are still to come.
#[test]
fn the_machine_is_told_that_a_voice_goes_on() {
    let mut table = Table::ready();
    table.agent(100, ServerMessage::UserStartedSpeaking);
    assert_eq!(table.caller(120, VOICE), SOUND);
    table.perform(200, &Effect::MuteAgent);
    assert_eq!(table.caller(640, VOICE), SOUND);
    table.agent(700, hears("One more thing."));
    assert_eq!(table.caller(1_200, VOICE), []);
}

/// F-DG-08: nobody else hears the caller while an agent is being asked for.
#[test]
fn the_machine_is_told_of_sounds_while_no_agent_listens() {
    let mut table = Table::ready();
    table.perform(100, &Effect::OpenAgent { language: Language::English, resume: true });
    assert_eq!(table.caller(120, VOICE), SOUND);
}

/// A function that the agent takes back at a voice is a cut, too.
#[test]
fn after_a_function_was_taken_back_the_machine_is_told_that_the_callers_line_sounds() {
    let mut table = Table::ready();
    table.agent(100, ServerMessage::FunctionCallCancelled { functions: Vec::new() });
    assert_eq!(table.caller(120, VOICE), SOUND);
}

/// S16, F-TW-23: one key alone may have been touched by chance, so the caller is withheld from the agent
/// for half a second; from the second key on, to the end of the number.
#[test]
fn one_key_silences_the_caller_for_half_a_second_and_a_number_to_its_end() {
    let forwarded = |table: &Table| table.bridge.voice_to_agent().0.forwarded;
    let mut table = Table::ready();
    table.key(1_000, '4');
    table.perform(1_000, &Effect::CollectKeys);
    for (at, is_heard) in [(1_020, false), (1_480, false), (1_500, true), (3_000, true)] {
        let before = forwarded(&table);
        table.caller(at, VOICE);
        assert_eq!(forwarded(&table) > before, is_heard, "{at}");
    }
    table.key(3_500, '2');
    let before = forwarded(&table);
    for at in [3_520, 4_600, 8_000] {
        table.caller(at, VOICE);
    }
    assert_eq!(forwarded(&table), before, "it is a number");
    table.perform(8_500, &Effect::GiveKeys { digits: 2 });
    table.caller(8_520, VOICE);
    assert!(forwarded(&table) > before);
}

/// S16, I-16: a voice that is withheld behind a key is told of, once. The tone of a key is none.
#[test]
fn a_voice_that_is_withheld_behind_a_key_is_told_to_the_machine() {
    let mut table = Table::ready();
    for (at, frames, told) in [(1_000, 14, 0), (20_000, 40, 1)] {
        table.key(at, '4');
        table.perform(at, &Effect::CollectKeys);
        let frames = (1..=frames).flat_map(|frame| table.caller(at + 20 * frame, VOICE));
        let sounds = frames.filter(|input| SOUND.contains(input)).count();
        assert_eq!(sounds, told, "at {at}");
        table.perform(at + 5_000, &Effect::GiveKeys { digits: 0 });
    }
}

/// S16, S22: whoever takes the conversation over can use the number that was keyed in.
#[test]
fn another_session_is_told_the_name_of_a_number_that_was_keyed_in() {
    let mut table = Table::ready();
    table.key(1_000, '1');
    table.perform(1_000, &Effect::CollectKeys);
    "00234".chars().for_each(|digit| table.key(1_100, digit));
    table.perform(2_000, &Effect::GiveKeys { digits: 6 });
    let told = table.told_again();
    let told: Vec<_> = told.iter().map(Spoken::reveal).collect();
    assert!(matches!(told[..], [words] if words.contains("keyed-1")), "{told:?}");
    assert!(!told[0].contains("100234"));
}

/// S11, F-DG-22: an answer would be foreign to a session that took its request back. What came of it is
/// said in the caller's place, unless the session asks for it again.
#[test]
fn what_came_of_a_request_that_was_taken_back_is_told_in_the_callers_place() {
    for asked_again in [false, true] {
        let mut table = Table::ready();
        let call = FunctionCall {
            id: "1".to_owned(),
            name: "make_payment".to_owned(),
            arguments: "{}".into(),
            client_side: true,
            thought_signature: None,
        };
        let request = ServerMessage::FunctionCallRequest { functions: vec![call] };
        table.agent(100, request.clone());
        let taken_back = CancelledCall { id: "1".to_owned(), name: "make_payment".to_owned() };
        table.agent(200, ServerMessage::FunctionCallCancelled { functions: vec![taken_back] });
        if asked_again {
            table.agent(300, request);
        }
        let (id, name) = ("1".to_owned(), "make_payment".to_owned());
        table.perform(400, &Effect::Answer { id, name, answer: Answer::Unknown });
        match &table.out.to_agent[..] {
            [ClientMessage::FunctionCallResponse { id, .. }] if asked_again => assert_eq!(id, "1"),
            [ClientMessage::InjectUserMessage { content }] if !asked_again => {
                assert!(content.reveal().contains("The result of make_payment is there"));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// C-18, F-HU-10: what a speaker says over several turns is masked as if it were said in one.
#[test]
fn a_number_that_spans_turns_is_masked_whatever_the_agent_says_between() {
    let mut table = Table::ready();
    let texts: Vec<String> = [
        hears("It is one two three."),
        says("Uh-huh."),
        hears("Four five."),
        says("That was one two three,"),
        says("four five?"),
    ]
    .into_iter()
    .flat_map(|message| table.agent(100, message))
    .filter_map(|input| match input {
        Input::Agent(Agent::CallerSaid { text, .. } | Agent::Said { text, .. }) => Some(text),
        _ => None,
    })
    .collect();
    let masked = [
        "It is one two three.",
        "Uh-huh.",
        "[2 digits].",
        "That was one two three,",
        "[2 digits]?",
    ];
    assert_eq!(texts, masked);
}

/// I-26: a warning's code may hold anything, and so may an error's.
#[test]
fn a_code_that_is_no_code_is_not_passed_on() {
    let mut table = Table::ready();
    let code = "Maria Quintanilla: no such borrower".to_owned();
    let warning = ServerMessage::Warning { code: code.clone(), description: String::new() };
    assert_eq!(table.agent(100, warning), [Input::Agent(Agent::Warned("[code]".to_owned()))]);
    let error = ServerMessage::Error { code, description: "of 100234".to_owned() };
    let lost = Input::Agent(Agent::Lost(AgentLoss::Error("[code]".to_owned())));
    assert_eq!(table.agent(200, error), [lost]);
}

const VOICE: u8 = 0xA0;
const HISS: u8 = 0xF0;
const SOUND: [Input; 1] = [Input::Carrier(Carrier::Sound)];

fn hears(words: &str) -> ServerMessage {
    ServerMessage::ConversationText {
        role: Role::User,
        content: Spoken::from(words),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    }
}
