//! Tones to the other side. The carrier plays them in place of our stream: the stream ends for them,
//! and a new one joins the call behind them. The call itself goes on, with the same agent.
//!
//! Whatever is on its way is heard first, because the end of a stream would cut it. From the request
//! to the new stream nobody can speak to the caller, so nothing is begun meanwhile: what ends the
//! call or hands it over waits until the caller is back.

use alloc::string::String;

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::handing::nobody_left;
use super::ledger::EntryState;
use super::memory::{Silence, StreamEnd};
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::{Answer, Effect};
use crate::input::{Agent, AgentLoss, Carrier, FunctionAsk, Input, Operator, Tones as News};
use crate::step::EndReason;

/// Tones, from being wanted to the stream's return.
pub(super) struct Tones {
    /// The request.
    id: String,
    /// How many there are.
    tones: u32,
    /// The call has turned to them.
    begun: bool,
    /// The carrier was asked.
    asked: bool,
    /// Our stream has ended for them, or will.
    leaves: bool,
    /// How our stream has ended, if it has.
    stream_gone: Option<StreamEnd>,
    /// The agent was lost meanwhile.
    agent_lost: Option<AgentLoss>,
    /// What is to become of the call when it is back.
    then: Option<Then>,
}

/// What waited for the stream's return.
enum Then {
    End(EndReason),
    Drain,
    Transfer(String),
}

impl Tones {
    pub(super) fn new(ask: &FunctionAsk) -> Self {
        Self {
            id: ask.id.clone(),
            tones: ask.tones.unwrap_or(0),
            begun: false,
            asked: false,
            leaves: false,
            stream_gone: None,
            agent_lost: None,
            then: None,
        }
    }

    /// Whether the carrier was asked: from then on nobody can speak to the caller.
    pub(super) const fn asked(&self) -> bool {
        self.asked
    }
}

impl Machine {
    pub(super) fn leave_for_tones(&mut self, tones: Tones) -> Outcome<State> {
        self.memory.tones = Some(tones);
        Transition(State::PlayingTones)
    }

    pub(super) fn enter_playing_tones(&mut self, step: &mut Draft) {
        if let Some(tones) = &mut self.memory.tones {
            tones.begun = true;
        }
        self.give_keys_up(step);
        self.last_word_of_agent(step);
        if self.memory.words_on_their_way() {
            let limit = self.memory.brief.limits.farewell;
            self.memory.arm(Timer::TonesLimit, step.at, limit);
        } else {
            self.ask_for_tones(step);
        }
    }

    /// Nothing is on its way any more, or it is past hoping for.
    pub(super) fn ask_for_tones(&mut self, step: &mut Draft) {
        let Some(tones) = self.memory.tones.as_mut().filter(|tones| !tones.asked) else { return };
        tones.asked = true;
        step.effect(Effect::PlayTones { id: tones.id.clone(), tones: tones.tones });
        let limit = self.memory.brief.limits.hang_up;
        self.memory.arm(Timer::TonesLimit, step.at, limit);
    }

    pub(super) fn playing_tones(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        let Some(tones) = &self.memory.tones else { return Super };
        if tones.asked
            && let Some(outcome) = self.tones_asked(event, step)
        {
            return outcome;
        }
        match event {
            Event::Due(Timer::TonesLimit) => {
                self.ask_for_tones(step);
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerStarted)) => {
                self.voice_began(step);
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_said(text, *language, step)
            }
            Event::Input(Input::Agent(Agent::AudioDone) | Input::Carrier(Carrier::Key(_))) => {
                Handled
            }
            Event::Input(Input::Agent(Agent::Withdrew(ids))) => self.tones_withdrawn(ids, step),
            event => match self.functions(event, step) {
                Some(outcome) => outcome,
                None => self.speech(event, step).unwrap_or(Super),
            },
        }
    }

    /// What happens between the request and the new stream. Nothing if it is as before.
    fn tones_asked(&mut self, event: &Event<'_>, step: &mut Draft) -> Option<Outcome<State>> {
        Some(match event {
            Event::Input(Input::Carrier(Carrier::Tones(News::Accepted))) => {
                self.stream_leaves(step);
                Handled
            }
            Event::Input(Input::Carrier(Carrier::Tones(News::Refused))) => self.not_played(step),
            Event::Input(Input::Carrier(Carrier::Tones(News::Gone))) => {
                Transition(State::Ended { why: EndReason::CallerHangup })
            }
            // Our stream ends for the tones: the call goes on.
            Event::Input(Input::Carrier(Carrier::Stopped)) => {
                self.stream_over(StreamEnd::Stopped, step)
            }
            Event::Input(Input::Carrier(Carrier::Lost)) => self.stream_over(StreamEnd::Lost, step),
            // The stream that the carrier leaves for the tones may end without a word.
            Event::Input(Input::Carrier(Carrier::Dead)) if self.stream_left() => {
                self.stream_over(StreamEnd::Dead, step)
            }
            Event::Input(Input::Carrier(Carrier::Joined)) if self.stream_left() => {
                self.settle_at_end(step);
                self.back_from_tones("done", &Answer::Done, step)
            }
            Event::Due(Timer::TonesLimit) if self.stream_left() => {
                Transition(State::Ended { why: EndReason::StreamLost })
            }
            Event::Due(Timer::TonesLimit) => self.not_played(step),
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_line(text, *language, step);
                Handled
            }
            Event::Input(Input::Agent(Agent::Lost(loss))) => {
                self.memory.agent_ready = false;
                step.effect(Effect::CutReply);
                self.then(|tones| tones.agent_lost = Some(loss.clone()))
            }
            Event::Due(Timer::CallLimit) => self.then_end(EndReason::TimeLimit),
            Event::Due(Timer::DrainLimit) => {
                self.then(|tones| tones.then = Some(tones.then.take().unwrap_or(Then::Drain)))
            }
            Event::Input(Input::Operator(Operator::HangUp)) => {
                self.then_end(EndReason::OperatorHangup)
            }
            Event::Input(Input::Operator(Operator::Transfer { target }))
                if self.memory.brief.transfer_targets.contains(target) =>
            {
                let wish = Then::Transfer(target.clone());
                self.then(|tones| tones.then = Some(tones.then.take().unwrap_or(wish)))
            }
            _ => return None,
        })
    }

    fn then(&mut self, change: impl FnOnce(&mut Tones)) -> Outcome<State> {
        if let Some(tones) = &mut self.memory.tones {
            change(tones);
        }
        Handled
    }

    /// An end is an end, whatever else was wished for.
    fn then_end(&mut self, why: EndReason) -> Outcome<State> {
        self.then(|tones| tones.then = Some(Then::End(why)))
    }

    fn stream_left(&self) -> bool {
        self.memory.tones.as_ref().is_some_and(|tones| tones.leaves)
    }

    /// The new stream is waited for, from the first sign that the carrier does what it was asked.
    fn stream_leaves(&mut self, step: &Draft) {
        let limit = self.memory.brief.limits.tones;
        let Some(tones) = self.memory.tones.as_mut().filter(|tones| !tones.leaves) else { return };
        tones.leaves = true;
        self.memory.arm(Timer::TonesLimit, step.at, limit);
    }

    /// Its end may come before the carrier's word that it took the request.
    fn stream_over(&mut self, end: StreamEnd, step: &mut Draft) -> Outcome<State> {
        self.stream_leaves(step);
        self.settle_at_end(step);
        self.then(|tones| _ = tones.stream_gone.get_or_insert(end))
    }

    /// The carrier did not do it, as far as we know.
    fn not_played(&mut self, step: &mut Draft) -> Outcome<State> {
        let Some(tones) = &self.memory.tones else { return Super };
        let Some(end) = tones.stream_gone else {
            return self.back_from_tones("not-done", &Answer::NotDone, step);
        };
        // It was not the tones that ended our stream.
        let id = tones.id.clone();
        if let Some(settled) = self.memory.ledger.settle(&id, EntryState::Settled(Answer::NotDone))
        {
            self.function_over(id, settled.name, "not-done", step);
        }
        nobody_left(end)
    }

    /// The agent takes the request back. What the carrier was not asked for yet is not done.
    fn tones_withdrawn(&mut self, ids: &[String], step: &mut Draft) -> Outcome<State> {
        let Some(tones) = &self.memory.tones else { return Super };
        let (ours, asked) = (tones.id.clone(), tones.asked);
        for id in ids.iter().filter(|id| asked || **id != ours) {
            self.memory.too_early.retain(|ask| ask.id != *id);
            self.withdrawn(id, step);
        }
        if asked || !ids.contains(&ours) {
            return Handled;
        }
        if let Some(settled) = self.memory.ledger.settle(&ours, EntryState::Withdrawn) {
            self.function_over(ours, settled.name, "withdrawn", step);
        }
        self.talk_again(step)
    }

    /// The tones are over, one way or the other: the agent is told, and the talk goes on.
    fn back_from_tones(
        &mut self,
        outcome: &str,
        answer: &Answer,
        step: &mut Draft,
    ) -> Outcome<State> {
        let Some(tones) = &self.memory.tones else { return Super };
        let id = tones.id.clone();
        step.effect(Effect::UnmuteAgent);
        self.memory.reply_owed = None;
        self.finish(&id, outcome, answer, &[], step);
        if *answer == Answer::Done {
            // It is the other side's turn now: tones ask for words of theirs, not of the agent's.
            self.memory.reply_owed = None;
        }
        self.after_tones(step)
    }

    fn talk_again(&mut self, step: &mut Draft) -> Outcome<State> {
        step.effect(Effect::UnmuteAgent);
        self.memory.reply_owed = None;
        self.after_tones(step)
    }

    fn after_tones(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.timers.disarm(Timer::TonesLimit);
        let Some(tones) = self.memory.tones.take() else { return Super };
        self.memory.silence = Silence::default();
        self.memory.voice = None;
        self.memory.last_sound = step.at;
        match tones.then {
            Some(Then::End(why)) => return Transition(State::Farewell { why }),
            Some(Then::Drain) => return self.hand_to_a_person(EndReason::Drained),
            Some(Then::Transfer(target)) => {
                if let Some(transfer) = self.transfer_to(Some(&target)) {
                    return transfer;
                }
            }
            None => {}
        }
        self.say_owed(step);
        if let Some(loss) = tones.agent_lost {
            return self.agent_lost(&loss, step);
        }
        self.decide_early_asks(step).unwrap_or_else(|| self.settle())
    }

    /// The call turns elsewhere before the carrier was asked: the tones are not played. Whatever
    /// comes after the request has settled them, or ends the call.
    pub(super) fn exit_playing_tones(&mut self, step: &mut Draft) {
        let Some(tones) = self.memory.tones.take_if(|tones| tones.begun) else { return };
        self.memory.timers.disarm(Timer::TonesLimit);
        if !tones.asked {
            step.effect(Effect::UnmuteAgent);
            self.memory.silence = Silence::default();
            self.finish(&tones.id, "not-done", &Answer::NotDone, &[], step);
        }
    }
}
