//! A turn of the agent's: what it does in it, and how it is interrupted.

use std::collections::VecDeque;

use call_core::playout::BYTES_PER_MS;
use call_core::{CallTime, Language, Millis};
use call_transports::deepgram::{
    CancelledCall, FunctionCall, HistoryEntry, Injection, Role, ServerMessage, Settings, Spoken,
};

use super::{
    ACK_MS, AFTER_CUT_MS, AGAIN_MS, Agent, AgentSays, Awaited, BURST, CALLER_MS, Call, Doing,
    INJECTED_MS, Later, REPLY_MS, TOOL_MS,
};
use crate::cast::voice;
use crate::faults::{Fault, When};

impl Agent {
    /// The caller speaks: whatever is being said or planned is given up, and functions that were
    /// asked for are taken back. What was not asked for yet is never heard of.
    pub(super) fn interrupted(&mut self, at: CallTime) {
        let (was_speaking, next) = (self.speaking, self.next_sentence());
        let late = self.mind.faults.iter().find_map(|fault| match fault {
            Fault::AgentSendsLate { frames } => Some(*frames),
            _ => None,
        });
        self.give_up(late.unwrap_or(0));
        if was_speaking && self.mind.does(&Fault::AgentDoneLate) {
            self.say(at + Millis(AFTER_CUT_MS), ServerMessage::AgentAudioDone);
        }
        if let Some(text) = next.filter(|_| self.mind.does(&Fault::AgentSaysLate)) {
            self.conversation(at + Millis(AFTER_CUT_MS), Role::Assistant, text.into(), None);
        }
        let functions: Vec<_> = std::mem::take(&mut self.waits_for)
            .into_iter()
            .map(|(id, Awaited { name, .. })| CancelledCall { id, name })
            .collect();
        if !functions.is_empty() {
            self.say(at, ServerMessage::FunctionCallCancelled { functions });
        }
    }

    /// The sentence that would be said next.
    fn next_sentence(&self) -> Option<String> {
        self.later.find(|later| match later {
            Later::Sentences(sentences) => sentences.front().cloned(),
            _ => None,
        })
    }

    /// Whatever is being said or planned is given up, but for so many frames that come all the same.
    pub(super) fn give_up(&mut self, mut late: u32) {
        self.speaking = false;
        self.plan.clear();
        self.later.retain(|later| match later {
            Later::Say(AgentSays::Audio(_)) => {
                let comes = late > 0;
                late = late.saturating_sub(1);
                comes
            }
            Later::Sentences(_) | Later::Sent | Later::Asks(_) | Later::Proceed => false,
            Later::Say(AgentSays::Text(message)) => !matches!(
                **message,
                ServerMessage::AgentAudioDone
                    | ServerMessage::ConversationText { role: Role::Assistant, .. }
            ),
            Later::Say(AgentSays::Close)
            | Later::Cancels(_)
            | Later::Understood(..)
            | Later::Breaks(_) => true,
        });
    }

    /// A line of the client's is to be spoken: into silence, behind what is being said, or instead
    /// of it. While the caller speaks only the last of these is done.
    pub(super) fn inject(&mut self, at: CallTime, words: &str, behavior: Injection) {
        self.mind.injections += 1;
        let number = self.mind.injections;
        let within =
            |from: &u32, count: &u32| (*from..from.saturating_add(*count)).contains(&number);
        let mut refused = false;
        for fault in &self.mind.faults {
            match fault {
                Fault::InjectionIgnored { from, count } if within(from, count) => return,
                Fault::InjectionRefused { from, count } => refused |= within(from, count),
                _ => {}
            }
        }
        let caller_speaks =
            self.caller_speaks.is_some_and(|since| at.since(since) < Millis(CALLER_MS));
        refused |= match behavior {
            Injection::Default => caller_speaks || self.speaking,
            Injection::Queue => caller_speaks,
            Injection::Interrupt => false,
        };
        if refused {
            let message = Some("Somebody is speaking.".to_owned());
            return self.say(at + Millis(ACK_MS), ServerMessage::InjectionRefused { message });
        }
        if behavior == Injection::Interrupt && (self.speaking || !self.plan.is_empty()) {
            self.give_up(0);
        }
        if self.speaking {
            self.plan.push_back(Doing::Injected(words.to_owned()));
        } else {
            self.speaking = true;
            let line = VecDeque::from([words.to_owned()]);
            self.later.add(at + Millis(INJECTED_MS), Later::Sentences(line));
        }
    }

    pub(super) fn understood(&mut self, at: CallTime, words: String, language: Option<Language>) {
        self.caller_speaks = None;
        self.say(at, ServerMessage::EndOfTurn { trigger: Some("model".to_owned()) });
        if self.mind.does(&Fault::AgentMumbles) {
            self.say(at, ServerMessage::Unknown { kind: "SomethingNewer".to_owned() });
        }
        let reply = self.mind.reply_to(&words);
        self.conversation(at, Role::User, words.into(), language);
        let Some(reply) = reply else { return };
        self.mind.replies += 1;
        if self.mind.does(&Fault::AgentSilent { reply: self.mind.replies }) {
            return;
        }
        // A turn that no voice has interrupted gives way to the next. Late frames come all the same.
        self.give_up(if self.speaking { 0 } else { u32::MAX });
        self.waits_for.values_mut().for_each(|awaited| awaited.by_turn = false);
        self.plan = reply.does.into();
        self.proceed(at, Millis(REPLY_MS), Millis(TOOL_MS));
    }

    /// Whatever is to go wrong at this moment is planned.
    pub(super) fn mischief(&mut self, at: CallTime, moment: When) {
        for fault in self.mind.faults.clone() {
            match fault {
                Fault::AgentGone { when, after_ms } if when == moment => {
                    self.later.add(at + Millis(after_ms), Later::Breaks(None));
                }
                Fault::AgentError { when, after_ms, code } if when == moment => {
                    self.later.add(at + Millis(after_ms), Later::Breaks(Some(code)));
                }
                Fault::AgentWarns { when, code } if when == moment => {
                    let description = "Something is slow.".to_owned();
                    self.say(at, ServerMessage::Warning { code, description });
                }
                _ => {}
            }
        }
    }

    /// Whether the present turn waits for an answer.
    pub(super) fn turn_waits(&self) -> bool {
        self.waits_for.values().any(|awaited| awaited.by_turn)
    }

    /// Goes on with the plan, where nothing is under way that it waits for.
    pub(super) fn go_on(&mut self, at: CallTime) {
        let comes = |later: &Later| matches!(later, Later::Asks(_) | Later::Proceed);
        if !self.speaking && !self.turn_waits() && !self.later.any(comes) {
            self.proceed(at, Millis(0), Millis(0));
        }
    }

    /// Does the next thing in the plan: speech after `to_speech`, a function after `to_function`.
    fn proceed(&mut self, at: CallTime, to_speech: Millis, to_function: Millis) {
        match self.plan.pop_front() {
            Some(Doing::Says(text)) => {
                let sentences = voice::sentences(&text).into_iter().map(str::to_owned).collect();
                self.later.add(at + to_speech, Later::Sentences(sentences));
                self.speaking = true;
                self.mind.spoken += 1;
                self.mischief(at + to_speech, When::Speaking(self.mind.spoken));
            }
            Some(Doing::Injected(text)) => {
                self.speaking = true;
                self.later.add(at, Later::Sentences(VecDeque::from([text])));
            }
            Some(Doing::Calls(calls)) => {
                self.ask(at + to_function, &calls);
                let writes = calls.into_iter().filter(|call| call.name == "make_payment");
                let again: Vec<_> = writes.collect();
                if self.mind.does(&Fault::AgentAsksAgain) && !again.is_empty() {
                    self.ask(at + to_function + Millis(AGAIN_MS), &again);
                }
            }
            None => {}
        }
    }

    fn ask(&mut self, at: CallTime, calls: &[Call]) {
        let calls = calls.iter().map(|Call { name, arguments }| {
            self.mind.calls += 1;
            FunctionCall {
                id: format!("call_{}", self.mind.calls),
                name: name.clone(),
                arguments: Spoken::from(arguments.as_str()),
                client_side: true,
                thought_signature: None,
            }
        });
        self.later.add(at, Later::Asks(calls.collect()));
    }

    /// Functions are asked for now.
    pub(super) fn asked(&mut self, at: CallTime, calls: &[FunctionCall]) {
        for FunctionCall { id, name, .. } in calls {
            self.waits_for.insert(id.clone(), Awaited { name: name.clone(), by_turn: true });
            self.mind.asked += 1;
            self.mischief(at, When::Asking(self.mind.asked));
        }
        if self.mind.does(&Fault::AgentRepeatsCalls) {
            let functions = calls.to_vec();
            self.say(at + Millis(AGAIN_MS), ServerMessage::FunctionCallRequest { functions });
        }
        let cancels = self.mind.faults.iter().find_map(|fault| match fault {
            Fault::AgentCancels { after_ms } => Some(Millis(*after_ms)),
            _ => None,
        });
        if let Some(after) = cancels {
            let cancelled = calls
                .iter()
                .map(|call| CancelledCall { id: call.id.clone(), name: call.name.clone() });
            self.later.add(at + after, Later::Cancels(cancelled.collect()));
        }
    }

    /// Functions are taken back: the turn that waits for one of them is given up with it. One that
    /// was answered before has had its effect.
    pub(super) fn forget(&mut self, calls: &[CancelledCall]) {
        let taken = calls.iter().filter_map(|call| self.waits_for.remove(&call.id));
        if taken.filter(|awaited| awaited.by_turn).count() > 0 {
            self.plan.retain(|doing| matches!(doing, Doing::Injected(_)));
        }
    }

    /// Speaks one sentence in a burst; the next one follows when this one would have been played,
    /// and after the last one whatever else is planned.
    pub(super) fn sentence(&mut self, at: CallTime, mut sentences: VecDeque<String>) {
        let Some(text) = sentences.pop_front() else { return };
        let audio = voice::speak(&text);
        let length = Millis(audio.len() as u64 / BYTES_PER_MS);
        self.conversation(at, Role::Assistant, text.into(), None);
        let mut sent = 0;
        while sent < audio.len() {
            let size = self.mind.seed.between(80, 1_000) as usize;
            let frame = &audio[sent..audio.len().min(sent + size)];
            let burst = Millis(sent as u64 / BYTES_PER_MS / BURST);
            self.later.add(at + burst, Later::Say(AgentSays::Audio(frame.to_vec())));
            sent += frame.len();
        }
        if !sentences.is_empty() {
            self.later.add(at + length, Later::Sentences(sentences));
            return;
        }
        let sent_at = at + Millis(length.0 / BURST + 10);
        if !self.mind.does(&Fault::AgentOmitsDone) {
            self.say(sent_at, ServerMessage::AgentAudioDone);
        }
        self.later.add(sent_at, Later::Sent);
        if self.mind.does(&Fault::AgentRepeatsDone) {
            self.say(sent_at + Millis(AGAIN_MS), ServerMessage::AgentAudioDone);
        }
    }

    pub(super) fn conversation(
        &mut self,
        at: CallTime,
        role: Role,
        content: Spoken,
        language: Option<Language>,
    ) {
        let text = ServerMessage::ConversationText {
            role: role.clone(),
            content: content.clone(),
            conversational_behavior: Some("default".to_owned()),
            languages_hinted: Vec::new(),
            languages: language.map(|language| language.tag().to_owned()).into_iter().collect(),
        };
        self.say(at, text);
        let history = |s: &Settings| s.flags.as_ref().and_then(|flags| flags.history);
        if self.settings.as_deref().and_then(history) != Some(false) {
            self.say(at + Millis(1), ServerMessage::History(HistoryEntry::Said { role, content }));
        }
    }
}
