//! A journal as a reviewer reads it.

mod support;

use call_core::{
    Brief, Input, Language,
    input::{Agent, AgentLoss, FunctionAsk, HungUp, Line, Transfer},
    story::{Teller, story},
};

use support::{
    Desk, OPENING, agent_lost, agent_ready, agent_says, ask, asks, audio_done, began, caller_says,
    caller_says_in, checked, cut, digit, done, drain, hangup, heard, hung_up, joined, line,
    line_failed, lookup, noise, pay, people, pound, queued, sentence, stopped, transfer_is,
};

#[test]
fn a_call_reads_as_what_was_heard_and_done() {
    assert_eq!(
        story(&a_call_about_a_balance().journal),
        r#"
00:00.000  call    answered: +1******0101 to +1******0199, Acme Home Loans (acme v1), English
00:00.000  call    recording off
00:04.400  heard   us: "words of line-1" (opening v1)  [in full, 4.0 s]
00:04.500  agent   ready  -> listening
00:06.000  caller  begins to speak
00:07.500  caller  "What is my balance?"  -> thinking
00:08.000  agent   begins to speak  -> speaking
00:09.000  caller  begins to speak
00:09.000  we      stop speaking
00:09.000  heard   agent: "Gladly. What is your date of birth?"  [cut after 1.0 s of 2.4 s]
00:09.000  call    the caller has the floor  -> listening
00:10.000  caller  "Born on [date], ZIP [zip]."  -> thinking
00:10.500  agent   asks for lookup_loan {"account_last4":"4321"}  -> function_pending
00:14.000  timer   nothing to hear for a while
00:14.000  we      say hold  -> speaking
00:16.500  result  lookup_loan: done
00:16.500  result  identity: date_of_birth matches
00:16.500  result  identity: zip matches
00:16.500  result  the caller is verified
00:16.500  result  told the agent: balance
00:18.100  timer   mark did not come back
00:18.100  heard   us: "One moment, please." (hold v3)  [perhaps heard]  -> thinking
00:18.500  agent   begins to speak  -> speaking
00:21.000  heard   agent: "You owe [amount]."  [in full, 2.5 s]  -> listening
00:22.000  caller  "Thank you."
00:22.500  agent   asks for send_flowers {}
00:22.500  we      refuse send_flowers: unknown function  -> thinking
00:23.000  agent   asks for hangup_call {}
00:23.000  result  hangup_call: done  -> farewell
00:25.200  heard   us: "words of line-3" (farewell v1)  [in full, 2.0 s]
00:25.200  we      hang up  -> hanging_up
00:25.500  call    ended: agent_hangup  -> ended
"#
        .trim_start()
    );
}

#[test]
fn a_call_that_fails_reads_as_what_failed() {
    let mut desk = Desk::with(Brief { company_name: "Borrow & Sons".into(), ..Brief::example() });
    desk.at(700, Input::Agent(Agent::Lost(AgentLoss::Refused(401))));
    desk.at(1_500, line_failed(line(2)));
    desk.plays(line(3), 1_500, 3_500);
    desk.at(3_600, hung_up(HungUp::Done));
    assert_eq!(
        story(&desk.journal),
        "\
00:00.000  call    answered: +1******0101 to +1******0199, Borrow & Sons (acme v1), English
00:00.000  call    recording off
00:00.700  agent   lost: refused with status 401  -> farewell
00:01.500  we      cannot speak the line trouble
00:03.500  heard   us: \"words of line-3\" (recording of trouble, v1)  [in full, 2.0 s]
00:03.500  we      hang up  -> hanging_up
00:03.600  call    ended: agent_failed  -> ended
"
    );
}

#[test]
fn a_call_that_goes_to_a_person_and_back_reads_as_what_happened() {
    assert_eq!(
        story(&a_call_with_detours().journal),
        r#"
00:00.000  call    answered: +1******0101 to +1******0199, Acme Home Loans (acme v1), English
00:00.000  call    recording off
00:04.400  heard   us: "words of line-1" (opening v1)  [in full, 4.0 s]
00:04.500  agent   ready  -> listening
00:06.000  caller  "Quiero pagar mi préstamo."
00:06.000  call    goes on in Spanish  -> speaking
00:09.000  heard   us: "words of line-2" (notice v1)  [in full, 2.8 s]  -> thinking
00:10.000  agent   asks for lookup_loan {}  -> function_pending
00:10.500  result  lookup_loan: done
00:10.500  result  identity: date_of_birth matches
00:10.500  result  identity: zip matches
00:10.500  result  the caller is verified  -> thinking
00:11.000  agent   begins to speak  -> speaking
00:13.000  heard   agent: "I see."  [in full, 2.0 s]  -> listening
00:14.000  caller  "Un momento."
00:14.000  caller  asks for a moment
00:20.000  we      take down the keys that are pressed
00:21.000  caller  keyed in 2 digits  -> thinking
00:22.000  agent   asks for make_payment {}  -> function_pending
00:22.100  agent   lost: connection closed
00:22.100  we      open another session  -> reconnecting
00:23.100  timer   nothing to hear for a while
00:23.100  we      say hold
00:24.500  heard   us: "words of line-3" (hold v1)  [in full, 1.3 s]
00:25.000  result  make_payment: done
00:26.000  agent   ready  -> thinking
00:26.900  agent   begins to speak  -> speaking
00:28.000  heard   agent: "I see."  [in full, 1.1 s]  -> listening
00:29.000  caller  "Quiero hablar con una persona."
00:29.000  caller  asks for a person  -> thinking
00:30.000  caller  "Un agente, por favor."
00:30.000  caller  asks for a person, 2 times now  -> transferring
00:32.000  heard   us: "words of line-4" (transferring v1)  [in full, 1.8 s]
00:32.000  we      transfer to front-desk
00:32.500  call    transfer to front-desk: accepted
00:50.000  call    transfer to front-desk: no answer
00:50.500  call    the caller is back on the line
00:50.500  we      say nobody-free  -> speaking
00:53.000  heard   us: "words of line-5" (nobody-free v1)  [in full, 2.3 s]  -> listening
00:54.000  call    the server stops in 16.0 s
00:55.000  timer   server will stop  -> transferring
00:55.500  call    ended: caller_hangup  -> ended
"#
        .trim_start()
    );
}

#[test]
fn a_story_told_step_by_step_is_the_same_story() {
    let journal = a_call_about_a_balance().journal;
    let mut teller = Teller::default();
    let told: Vec<_> = journal.iter().flat_map(|step| teller.tell(step)).collect();
    assert_eq!(told.join("\n") + "\n", story(&journal));
}

/// Some of it is heard, some is cut, one line is perhaps heard, and one sentence is never heard.
fn a_call_about_a_balance() -> Desk {
    let mut desk = Desk::new();
    desk.plays(OPENING, 400, 4_400);
    desk.at(4_500, agent_ready());
    desk.at(6_000, noise());
    desk.at(7_500, caller_says("What is my balance?"));
    desk.at(8_000, agent_says(1, "Gladly. What is your date of birth?"));
    desk.at(8_000, began(sentence(1)));
    desk.at(8_100, agent_says(2, "And your ZIP code?"));
    desk.at(8_100, began(sentence(2)));
    desk.at(9_000, noise());
    desk.at(9_000, cut(sentence(1), 1_000, 2_400));
    desk.at(9_000, cut(sentence(2), 0, 1_100));
    desk.at(10_000, caller_says("Born on [date], ZIP [zip]."));
    let arguments = "{\"account_last4\":\"4321\"}".into();
    desk.at(10_500, asks(&[FunctionAsk { arguments, ..lookup("f1") }]));
    let hold = "One moment, please.".into();
    let ready =
        Line::Ready { utterance: line(2), text: hold, version: 3, audio: call_core::Millis(1_500) };
    desk.at(14_600, Input::Line(ready));
    desk.at(14_600, began(line(2)));
    desk.at(14_600, queued(line(2), 1_500, 16_100));
    desk.at(16_500, checked("f1", &[("date_of_birth", true), ("zip", true)], &["balance"]));
    desk.at(18_500, agent_says(3, "You owe [amount]."));
    desk.at(18_500, began(sentence(3)));
    desk.at(18_700, audio_done());
    desk.at(18_700, queued(sentence(3), 2_500, 21_000));
    desk.at(21_000, heard(sentence(3), 2_500));
    desk.at(22_000, caller_says("Thank you."));
    desk.at(22_500, asks(&[ask("f2", "send_flowers")]));
    desk.at(23_000, asks(&[hangup("f3")]));
    desk.plays(line(3), 23_200, 25_200);
    desk.at(25_500, hung_up(HungUp::Done));
    desk
}

/// Another language, a number keyed in, a payment, a lost agent, and a person who is not there.
fn a_call_with_detours() -> Desk {
    let mut desk = Desk::with(people());
    desk.plays(OPENING, 400, 4_400);
    desk.at(4_500, agent_ready());
    desk.at(6_000, caller_says_in(Language::Spanish, "Quiero pagar mi préstamo."));
    desk.plays(line(2), 6_200, 9_000);
    desk.at(10_000, asks(&[lookup("f1")]));
    desk.at(10_500, checked("f1", &[("date_of_birth", true), ("zip", true)], &[]));
    desk.agent_speaks(1, 11_000, 13_000);
    desk.at(14_000, caller_says("Un momento."));
    desk.at(20_000, digit());
    desk.at(20_500, digit());
    desk.at(21_000, pound());
    desk.at(22_000, asks(&[pay("p1")]));
    desk.at(22_100, agent_lost());
    desk.plays(line(3), 23_200, 24_500);
    desk.at(25_000, done("p1"));
    desk.at(26_000, agent_ready());
    desk.agent_speaks(2, 26_900, 28_000);
    desk.at(29_000, caller_says("Quiero hablar con una persona."));
    desk.at(30_000, caller_says("Un agente, por favor."));
    desk.plays(line(4), 30_200, 32_000);
    desk.at(32_500, transfer_is(Transfer::Accepted));
    desk.at(32_600, stopped());
    desk.at(50_000, transfer_is(Transfer::NoAnswer));
    desk.at(50_500, joined());
    desk.plays(line(5), 50_700, 53_000);
    desk.at(54_000, drain(16_000));
    desk.until(55_000);
    desk.at(55_500, stopped());
    desk
}
