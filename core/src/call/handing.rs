//! Handing the call to a person: because the caller or the agent asked for it, or because we
//! cannot go on.

use alloc::string::ToString;

use statig::Outcome::{self, Handled, Super, Transition};

use super::Draft;
use super::memory::{Handing, StreamEnd};
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::effect::Effect;
use crate::input::{Agent, AgentLoss, Carrier, Input, Transfer};
use crate::line::LineId;
use crate::phrases::meaning;
use crate::step::{EndReason, Fact};

impl Machine {
    /// We cannot go on for this reason: a person, or a decent end where nobody can be reached.
    pub(super) fn hand_to_a_person(&mut self, why: EndReason) -> Outcome<State> {
        let Some(transfer) = self.transfer_to(None) else {
            return Transition(State::Farewell { why });
        };
        self.memory.handing.in_need = Some(why);
        transfer
    }

    /// Somebody asked for a person: a name of the company's list, or whoever is first on it.
    /// Nothing if there is nobody.
    pub(super) fn transfer_to(&mut self, target: Option<&str>) -> Option<Outcome<State>> {
        let targets = &self.memory.brief.transfer_targets;
        let target = match target {
            Some(name) => targets.iter().find(|known| *known == name)?,
            None => targets.first()?,
        };
        self.memory.handing = Handing { target: target.clone(), ..Handing::default() };
        Some(Transition(State::Transferring))
    }

    pub(super) fn enter_transferring(&mut self, step: &mut Draft) {
        self.give_keys_up(step);
        self.last_word_of_agent(step);
        if !self.memory.handing.agents_wish {
            step.effect(Effect::CutReply);
        }
        let limit = self.memory.brief.limits.farewell;
        self.memory.arm(Timer::FarewellLimit, step.at, limit);
        self.prepare(LineId::Transferring, step);
    }

    pub(super) fn transferring(&mut self, event: &Event<'_>, step: &mut Draft) -> Outcome<State> {
        match event {
            Event::Due(Timer::FarewellLimit) => {
                self.ask_for_transfer(step);
                Handled
            }
            Event::Input(Input::Carrier(Carrier::Transfer(news))) => {
                self.transfer_news(*news, step)
            }
            // Our stream ends when the carrier calls somebody else: the call goes on.
            Event::Input(Input::Carrier(Carrier::Stopped)) if self.memory.handing.asked => {
                self.stream_ended(StreamEnd::Stopped, step)
            }
            Event::Input(Input::Carrier(Carrier::Lost)) if self.memory.handing.asked => {
                self.stream_ended(StreamEnd::Lost, step)
            }
            Event::Input(Input::Carrier(Carrier::Dead)) if self.memory.handing.asked => {
                self.stream_ended(StreamEnd::Dead, step)
            }
            Event::Input(Input::Carrier(Carrier::Joined)) if self.memory.handing.accepted => {
                // The end of the stream before it may never be told.
                self.settle_at_end(step);
                self.back_with_us(step)
            }
            Event::Due(Timer::TransferLimit) if self.memory.handing.accepted => {
                Transition(State::Ended { why: EndReason::TransferFailed })
            }
            Event::Due(Timer::TransferLimit) => self.transfer_news(Transfer::Failed, step),
            // It is in other hands soon. If it comes back, it does not go on.
            Event::Due(Timer::CallLimit) => self.no_way_back(EndReason::TimeLimit),
            Event::Due(Timer::DrainLimit) => self.no_way_back(EndReason::Drained),
            Event::Due(Timer::AgentReady) => {
                step.effect(Effect::CloseAgent);
                self.memory.handing.agent_lost = Some(AgentLoss::Unreachable);
                Handled
            }
            Event::Input(Input::Agent(Agent::Ready)) => {
                self.memory.timers.disarm(Timer::AgentReady);
                self.memory.agent_ready = true;
                Handled
            }
            Event::Input(Input::Agent(Agent::CallerSaid { text, language, .. })) => {
                self.caller_line(text, *language, step);
                // Whoever comes back is spoken to in the language that they spoke last.
                self.change_language(*language, &meaning(text), step);
                Handled
            }
            _ => Super,
        }
    }

    /// Its end may come before the carrier's word that it took the request.
    fn stream_ended(&mut self, end: StreamEnd, step: &mut Draft) -> Outcome<State> {
        self.memory.handing.stream_gone.get_or_insert(end);
        self.settle_at_end(step);
        Handled
    }

    fn no_way_back(&mut self, why: EndReason) -> Outcome<State> {
        self.memory.handing.in_need.get_or_insert(why);
        Handled
    }

    /// The announcement was heard, or is past hoping for.
    pub(super) fn ask_for_transfer(&mut self, step: &mut Draft) {
        if self.memory.handing.asked {
            return;
        }
        self.memory.handing.asked = true;
        self.memory.timers.disarm(Timer::FarewellLimit);
        let limit = self.memory.brief.limits.hang_up;
        self.memory.arm(Timer::TransferLimit, step.at, limit);
        step.effect(Effect::Transfer { target: self.memory.handing.target.clone() });
    }

    fn transfer_news(&mut self, news: Transfer, step: &mut Draft) -> Outcome<State> {
        let handing = &mut self.memory.handing;
        let is_known = match news {
            Transfer::Accepted => handing.accepted,
            Transfer::Busy | Transfer::NoAnswer | Transfer::Failed => handing.unanswered,
            Transfer::Refused | Transfer::Completed | Transfer::Gone => false,
        };
        // The carrier may say everything twice.
        if !handing.asked || is_known {
            return Super;
        }
        step.fact(Fact::Transfer { target: self.memory.handing.target.to_string(), result: news });
        match news {
            Transfer::Accepted => {
                self.memory.handing.accepted = true;
                let limit = self.memory.brief.limits.transfer;
                self.memory.arm(Timer::TransferLimit, step.at, limit);
                Handled
            }
            Transfer::Completed => Transition(State::Ended { why: EndReason::Transferred }),
            Transfer::Gone => Transition(State::Ended { why: EndReason::CallerHangup }),
            // The caller comes back by a new stream.
            Transfer::Busy | Transfer::NoAnswer | Transfer::Failed
                if self.memory.handing.accepted =>
            {
                self.memory.handing.unanswered = true;
                Handled
            }
            Transfer::Refused | Transfer::Busy | Transfer::NoAnswer | Transfer::Failed => {
                if let Some(end) = self.memory.handing.stream_gone {
                    return nobody_left(end);
                }
                self.back_with_us(step)
            }
        }
    }

    /// Nobody took the call: it goes on with us, if we can, and says so.
    fn back_with_us(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.timers.disarm(Timer::TransferLimit);
        if self.memory.handing.accepted {
            // The caller comes from another line, and heard it ring.
            self.memory.last_sound = step.at;
        }
        if let Some(why) = self.memory.handing.in_need {
            return Transition(State::Farewell { why });
        }
        let lost = self.agent_missing(step);
        if lost.as_ref().is_some_and(|loss| !self.may_replace(loss, step)) {
            return Transition(State::Farewell { why: EndReason::AgentFailed });
        }
        self.memory.handing = Handing::default();
        step.effect(Effect::UnmuteAgent);
        self.memory.silence = super::memory::Silence::default();
        self.memory.reply_owed = None;
        self.prepare(LineId::NobodyFree, step);
        self.say_owed(step);
        if let Some(loss) = lost {
            return self.agent_lost(&loss, step);
        }
        self.give_held(step);
        self.settle()
    }

    /// How the agent was lost meanwhile, if no session listens. One that is still awaited is given up:
    /// the call has waited for it long enough.
    fn agent_missing(&mut self, step: &mut Draft) -> Option<AgentLoss> {
        if self.memory.agent_ready {
            return None;
        }
        if self.memory.timers.is_armed(Timer::AgentReady) {
            step.effect(Effect::CloseAgent);
            return Some(AgentLoss::Unreachable);
        }
        Some(self.memory.handing.agent_lost.take().unwrap_or(AgentLoss::Closed))
    }
}

/// There was no transfer, and our stream has ended: it was not the transfer that ended it.
pub(super) fn nobody_left(end: StreamEnd) -> Outcome<State> {
    Transition(match end {
        StreamEnd::Stopped => State::Ended { why: EndReason::CallerHangup },
        StreamEnd::Lost => State::Ended { why: EndReason::StreamLost },
        // The carrier may not know it, and would hold the call open (S27).
        StreamEnd::Dead => State::HangingUp { why: EndReason::StreamLost },
    })
}
