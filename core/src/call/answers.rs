//! Answers to functions: who gets one, and when. A model that is answered speaks at once, so an agent
//! that cannot be heard, or that is not there yet, is answered when the talk goes on.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Draft;
use super::ledger::{EntryState, Ledger, SettledNow};
use super::topology::{Machine, State};
use crate::effect::{Answer, Effect};
use crate::sabotage::Sabotage;
use crate::step::{Audience, Fact};

/// Who gets the answer to a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearer {
    /// The agent, now.
    Present,
    /// An agent, when the talk goes on.
    Later,
    /// Nobody wants it, or nobody could speak about it any more.
    Nobody,
}

/// An answer that waits for an agent that may speak about it.
pub(super) struct Held {
    pub(super) id: String,
    name: String,
    answer: Answer,
    /// Names of the fields that leave our hands with it.
    disclosed: Vec<String>,
}

impl Held {
    pub(super) fn tells_of_a_write(&self, ledger: &Ledger) -> bool {
        match &self.answer {
            Answer::Result { of } => ledger.writes(of),
            answer => *answer == Answer::Unknown,
        }
    }
}

pub(super) fn disclose(fields: &[String], step: &mut Draft) {
    if !fields.is_empty() {
        step.fact(Fact::Disclosed { fields: fields.to_vec(), to: Audience::Model });
    }
}

impl Machine {
    pub(super) fn answer(&mut self, id: &str, name: &str, answer: &Answer, step: &mut Draft) {
        let (id, name, answer) = (id.to_string(), name.to_string(), answer.clone());
        step.effect(Effect::Answer { id, name, answer });
        self.memory.reply_owed = Some(step.at);
        if self.memory.ledger.running() == 0 {
            // The reply comes next.
            self.filler_too_late(step);
        }
    }

    /// Settles a running function, and answers it and all that meant the same. Who gets the answer;
    /// nothing if the function does not run.
    ///
    /// An agent that took a write back is told what came of it all the same, because it must not say
    /// anything else (C-16, S11).
    pub(super) fn finish(
        &mut self,
        id: &str,
        outcome: &str,
        answer: &Answer,
        disclosed: &[String],
        step: &mut Draft,
    ) -> Option<Hearer> {
        let writes = self.memory.ledger.writes(id);
        let settled = self.memory.ledger.settle(id, EntryState::Settled(answer.clone()))?;
        let SettledNow { name, wanted } = settled;
        self.function_over(id.to_string(), name.clone(), outcome, step);
        let mut told = self.memory.ledger.followers(id, answer);
        if wanted || (writes && told.is_empty()) {
            told.insert(0, id.to_string());
        }
        self.rearm_limit();
        let hearer = match self.hearer() {
            _ if told.is_empty() || self.memory.sabotaged(Sabotage::ForgetsAnswer) => {
                Hearer::Nobody
            }
            hearer => hearer,
        };
        if writes && hearer != Hearer::Nobody {
            self.outcome_known(step);
        }
        let mut disclosed = disclosed.to_vec();
        for id in told {
            match hearer {
                Hearer::Present => self.answer(&id, &name, answer, step),
                Hearer::Later => self.memory.held.push(Held {
                    id,
                    name: name.clone(),
                    answer: answer.clone(),
                    disclosed: core::mem::take(&mut disclosed),
                }),
                Hearer::Nobody => {}
            }
        }
        Some(hearer)
    }

    /// Who has use for an answer now. An agent that is muted, or that is not there yet, gets it when
    /// it may speak about it: what it says to a muted line nobody hears.
    fn hearer(&self) -> Hearer {
        match self.current {
            State::Farewell { why } if self.may_reopen(why) => Hearer::Later,
            State::Transferring if self.memory.handing.in_need.is_none() => Hearer::Later,
            State::Reconnecting => Hearer::Later,
            State::HangingUp { .. } | State::Ended { .. }
                if self.memory.sabotaged(Sabotage::AnswersLate) =>
            {
                Hearer::Present
            }
            State::Farewell { .. }
            | State::Transferring
            | State::HangingUp { .. }
            | State::Ended { .. } => Hearer::Nobody,
            _ => Hearer::Present,
        }
    }

    /// The talk goes on: the agent gets the answers that waited for it. Whether there were any.
    pub(super) fn give_held(&mut self, step: &mut Draft) -> bool {
        let held = core::mem::take(&mut self.memory.held);
        for Held { id, name, answer, disclosed } in &held {
            disclose(disclosed, step);
            self.answer(id, name, answer, step);
        }
        !held.is_empty()
    }
}
