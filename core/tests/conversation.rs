//! What of a call is told to whoever sums it up.

use call_core::brief::Brief;
use call_core::input::{Carrier, CutReason};
use call_core::summary::{conversation, said};
use call_core::{Call, CallTime, Fact, Input, Language, Millis, Step, UtteranceId};

#[test]
fn a_conversation_is_who_said_what_in_the_order_in_which_it_was_heard() {
    let id = UtteranceId::Agent;
    let heard = |number| Fact::Heard { utterance: id(number), audio: Millis(900) };
    let cut = |number, heard| Fact::Cut {
        utterance: id(number),
        heard: Millis(heard),
        audio: Millis(900),
        whole: true,
        why: CutReason::Stopped,
    };
    let steps = steps([
        agent(101, "How may I help?"),
        heard(101),
        caller("I want to Pay [4 digits]."),
        agent(102, "One moment."),
        agent(103, "Let me see."),
        agent(104, "Perhaps they hear this."),
        cut(102, 300),
        cut(103, 0),
        caller("Thank you."),
        Fact::HeardUnknown { utterance: id(104) },
        agent(105, "Nor this."),
    ]);
    assert_eq!(
        conversation(&steps),
        "Agent: How may I help?\nCaller: I want to Pay [4 digits].\nAgent: One moment.\n\
         Caller: Thank you.\nAgent: Perhaps they hear this.\n"
    );
    assert!(said(&steps).starts_with("how may i help?\ni want to pay [4 digits].\n"));
}

#[test]
fn a_call_in_which_the_caller_said_nothing_has_no_conversation() {
    let utterance = UtteranceId::Agent(101);
    let steps = steps([agent(101, "Hello?"), Fact::Heard { utterance, audio: Millis(900) }]);
    assert_eq!(conversation(&steps), "");
    assert_eq!(said(&steps), "hello?\n");
}

/// A call in which this became true.
fn steps<const N: usize>(facts: [Fact; N]) -> Vec<Step> {
    let (mut call, first) = Call::new(Brief::example());
    let mut steps = vec![first];
    steps.extend(call.step(CallTime::from_millis(9_000), Input::Carrier(Carrier::Stopped)));
    steps[1].facts.splice(0..0, facts);
    steps
}

fn agent(utterance: u32, text: &str) -> Fact {
    let language = Language::English;
    Fact::AgentLine { utterance: UtteranceId::Agent(utterance), language, text: text.to_owned() }
}

fn caller(text: &str) -> Fact {
    let (started, ended) = (CallTime::ZERO, CallTime::ZERO);
    Fact::CallerLine { started, ended, language: None, text: text.to_owned() }
}
