use call_transports::deepgram::{AgentProfile, Injection, Spoken};

use super::*;
use crate::audio::Recording;
use crate::seed::Seed;

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn agent() -> Agent {
    let mind = Mind::new(Vec::new(), Vec::new(), Seed::new(1));
    Agent::new(at(0), 1, Hearing::new([]), mind)
}

fn codes(agent: &mut Agent, now: u64) -> Vec<String> {
    let mut codes = Vec::new();
    while let Some(says) = agent.due(at(now)) {
        match says {
            AgentSays::Text(message) => {
                if let ServerMessage::Error { code, .. } = *message {
                    codes.push(code);
                }
            }
            AgentSays::Close => codes.push("closed".to_owned()),
            AgentSays::Audio(_) => {}
        }
    }
    codes
}

#[test]
fn audio_before_the_settings_ends_the_session() {
    let mut agent = agent();
    agent.receive_audio(at(10), &[0xFF; 160]);
    assert_eq!(codes(&mut agent, 100), ["NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "closed"]);
}

/// F-DG-09.
#[test]
fn a_client_that_says_nothing_for_fifteen_seconds_is_dropped() {
    let mut agent = agent();
    assert!(codes(&mut agent, 14_999).is_empty());
    assert_eq!(codes(&mut agent, 15_005), ["CLIENT_MESSAGE_TIMEOUT", "closed"]);
    assert_eq!(agent.poll_timeout(), None);
}

/// An agent with a script of one turn, and the caller's words that begin it: it listens.
fn listening(does: Vec<Doing>, faults: Vec<Fault>) -> (Agent, Recording) {
    let words = Recording::from_words("please look it up", 1);
    let script = vec![Reply { hears: "look".to_owned(), does }];
    let hearing = Hearing::new([(&words, "please look it up", None)]);
    let mut agent = Agent::new(at(0), 1, hearing, Mind::new(script, faults, Seed::new(1)));
    let profile = AgentProfile::example();
    agent.receive(at(10), Ok(ClientMessage::Settings(Box::new(Settings::telephone(profile)))));
    said(&mut agent, 1_000);
    (agent, words)
}

/// The caller speaks the words at once.
fn speaks(agent: &mut Agent, now: u64, words: &Recording) {
    for frame in &words.frames {
        agent.receive_audio(at(now), frame);
    }
}

/// What is told of the conversation and of functions up to this time.
fn said(agent: &mut Agent, now: u64) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(says) = agent.due(at(now)) {
        let AgentSays::Text(message) = says else { continue };
        said.push(match *message {
            ServerMessage::ConversationText { content, .. } => content.reveal().to_owned(),
            ServerMessage::FunctionCallRequest { functions } => format!("asks {}", functions.len()),
            ServerMessage::FunctionCallCancelled { functions } => {
                format!("cancels {}", functions.len())
            }
            ServerMessage::InjectionRefused { .. } => "refuses".to_owned(),
            _ => continue,
        });
    }
    said
}

fn hangs_up() -> Doing {
    Doing::Calls(vec![Call { name: "hangup_call".to_owned(), arguments: "{}".to_owned() }])
}

fn answer(id: &str) -> Result<ClientMessage, Refusal> {
    Ok(ClientMessage::FunctionCallResponse {
        id: id.to_owned(),
        name: "hangup_call".to_owned(),
        content: Spoken::from("{}"),
    })
}

/// S11, F-DG-22: a voice takes back what was asked for and not answered, and nothing else.
#[test]
fn a_voice_takes_back_the_functions_that_wait_for_an_answer() {
    let does = vec![hangs_up(), Doing::Says("It is done.".to_owned())];
    let (mut agent, words) = listening(does.clone(), Vec::new());
    speaks(&mut agent, 1_000, &words);
    assert_eq!(said(&mut agent, 3_000), ["please look it up", "asks 1"]);
    speaks(&mut agent, 3_000, &words);
    assert_eq!(said(&mut agent, 4_000), ["cancels 1", "please look it up"]);
    agent.receive(at(4_000), answer("call_1"));
    assert!(said(&mut agent, 9_000).is_empty(), "the answer comes too late");

    let (mut agent, words) = listening(does, Vec::new());
    speaks(&mut agent, 1_000, &words);
    // Before it was asked for.
    assert_eq!(said(&mut agent, 1_400), ["please look it up"]);
    speaks(&mut agent, 1_400, &words);
    assert_eq!(said(&mut agent, 9_000), ["please look it up"], "nobody heard of it");
}

/// F-DG-22: taken back when it was answered, it was answered all the same.
#[test]
fn an_answer_before_a_cancel_counts() {
    let does = vec![hangs_up(), Doing::Says("It is done.".to_owned())];
    let (mut agent, words) = listening(does, vec![Fault::AgentCancels { after_ms: 500 }]);
    speaks(&mut agent, 1_000, &words);
    assert_eq!(said(&mut agent, 2_000), ["please look it up", "asks 1"]);
    agent.receive(at(2_000), answer("call_1"));
    assert_eq!(said(&mut agent, 9_000), ["cancels 1", "It is done."]);
}

/// F-DG-23: a line is said or refused, whenever it comes.
#[test]
fn a_line_that_comes_in_the_last_burst_of_a_reply_is_said_behind_it() {
    let reply = "A reply of one sentence, which is long enough to take some time.";
    let (mut agent, words) = listening(vec![Doing::Says(reply.to_owned())], Vec::new());
    speaks(&mut agent, 1_000, &words);
    assert_eq!(said(&mut agent, 2_400), ["please look it up", reply]);
    agent.receive(
        at(2_400),
        Ok(ClientMessage::InjectAgentMessage {
            message: Spoken::from("A line."),
            behavior: Injection::Queue,
        }),
    );
    assert_eq!(said(&mut agent, 9_000), ["A line."]);
}

/// F-DG-20: what an older turn waits for does not hold up a newer one.
#[test]
fn a_turn_goes_on_although_an_older_one_was_never_answered() {
    let does = vec![hangs_up(), Doing::Says("It is done.".to_owned())];
    let (mut agent, words) = listening(does.clone(), Vec::new());
    agent.mind.script.push_back(Reply { hears: "keyed".to_owned(), does });
    speaks(&mut agent, 1_000, &words);
    assert_eq!(said(&mut agent, 3_000), ["please look it up", "asks 1"]);
    let keyed = ClientMessage::InjectUserMessage { content: Spoken::from("I keyed it in.") };
    agent.receive(at(3_000), Ok(keyed));
    assert_eq!(said(&mut agent, 5_000), ["I keyed it in.", "asks 1"]);
    agent.receive(at(5_000), answer("call_2"));
    assert_eq!(said(&mut agent, 9_000), ["It is done."]);
}

/// F-DG-18.
#[test]
fn a_function_that_the_session_was_not_told_of_ends_it() {
    let name = "play_dtmf".to_owned();
    let does = vec![Doing::Calls(vec![Call { name, arguments: "{}".to_owned() }])];
    let (mut agent, words) = listening(does, Vec::new());
    speaks(&mut agent, 1_000, &words);
    assert_eq!(codes(&mut agent, 9_000), ["NON_EXISTENT_FUNCTION_CALLED", "closed"]);
}
