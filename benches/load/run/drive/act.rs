//! What the carrier and the agent of a call do when it is time.

use std::cmp::Reverse;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Drive;
use crate::run::call::{FRAME, MS, Manner, TURN};
use crate::run::label::{Kind, Label, noise};
use crate::run::provider;
use crate::run::wire::Opcode;

/// What is to be done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// The caller's next frame is sent.
    Speak,
    /// Marks are returned.
    Mark,
    /// The agent begins a turn, and to repeat what it hears.
    Talk,
    /// Somebody says the next thing, while the echo goes on.
    Turn,
    /// The agent sends a long reply at once.
    Reply,
    /// The caller's voice is noticed, and some of the reply still comes.
    Interrupt,
    /// The caller hangs up, and another one calls.
    HangUp,
}

impl Drive {
    pub(super) fn act(&mut self, due: u64, number: usize, deed: Deed) -> Result<()> {
        let now = self.now();
        let call = &mut self.calls[number];
        let (carrier, agent) = (call.carrier, call.agent);
        if call.is_over {
            return Ok(());
        }
        match (deed, agent) {
            (Deed::Speak, _) => {
                if call.speak(now, self.counts, &mut self.audio, &mut self.text) {
                    self.slips.add(now - due);
                }
                self.deeds.push(Reverse((due + FRAME, number, Deed::Speak)));
                let text = std::mem::take(&mut self.text);
                self.send(carrier, Opcode::Text, text.as_bytes())?;
                self.text = text;
            }
            (Deed::Mark, _) => {
                let mut text = String::new();
                while self.calls[number].return_mark(now, &mut text) {
                    self.calls[number].opening_over(now);
                    self.send(carrier, Opcode::Text, text.as_bytes())?;
                }
            }
            (Deed::Talk, Some(agent)) if call.is_open(now) => {
                call.manner = Manner::Echoes;
                self.talk(agent)?;
            }
            // The opening is not over, or the agent has not heard anything.
            (Deed::Talk, _) => self.deeds.push(Reverse((now + 200 * MS, number, Deed::Talk))),
            (Deed::Turn, _) => {
                self.deeds.push(Reverse((due + TURN, number, Deed::Turn)));
                if let Some(agent) = agent.filter(|_| call.manner == Manner::Echoes) {
                    self.talk(agent)?;
                }
            }
            (Deed::HangUp, _) if self.turn.is_some() => self.hang_up(number)?,
            (Deed::HangUp, _) => {}
            (Deed::Reply, Some(agent)) => {
                call.manner = Manner::Silent;
                call.is_cleared = false;
                self.reply(agent, number, REPLY_FRAMES)?;
            }
            (Deed::Interrupt, Some(agent)) => {
                call.voice_at = Some(now);
                if let Some(Some((link, _))) = self.links.get_mut(agent) {
                    link.queue(Opcode::Text, provider::voice().as_bytes());
                }
                self.reply(agent, number, LATE_FRAMES)?;
            }
            (Deed::Reply | Deed::Interrupt, None) => bail!("a call has no agent to interrupt"),
        }
        Ok(())
    }

    /// Something was said by the caller, and the agent answers.
    fn talk(&mut self, agent: usize) -> Result<()> {
        for text in provider::turn() {
            self.send(agent, Opcode::Text, text.as_bytes())?;
        }
        Ok(())
    }

    /// So many frames of the agent's own, at once.
    fn reply(&mut self, agent: usize, number: usize, frames: u32) -> Result<()> {
        let mut audio = noise();
        let Some(Some((link, _))) = self.links.get_mut(agent) else { return Ok(()) };
        for frame in 0..frames {
            Label { call: number as u32, number: frame, kind: Kind::Cut }.write(&mut audio);
            link.queue(Opcode::Binary, &audio);
        }
        Ok(link.flush()?)
    }

    /// The callers of the first so many calls that are up interrupt a reply, so often. Returns how
    /// many there are.
    pub(crate) fn interrupt(&mut self, calls: usize, times: u64) -> usize {
        let now = self.now();
        let up = self.calls.iter().filter(|call| call.is_up() && !call.is_over);
        let chosen: Vec<_> = up.map(|call| call.number as usize).take(calls).collect();
        for (place, &number) in chosen.iter().enumerate() {
            for time in 0..times {
                let begin = now + time * EVERY + place as u64 * 37 * MS;
                for (after, deed) in
                    [(0, Deed::Reply), (300 * MS, Deed::Interrupt), (600 * MS, Deed::Talk)]
                {
                    self.deeds.push(Reverse((begin + after, number, deed)));
                }
            }
        }
        chosen.len()
    }

    /// How long [`Drive::interrupt`] takes.
    pub(crate) const fn interruptions(times: u64) -> Duration {
        Duration::from_nanos((times + 1) * EVERY)
    }
}

/// A long reply: two seconds of speech.
const REPLY_FRAMES: u32 = 100;

/// What still comes of it after the caller's voice.
const LATE_FRAMES: u32 = 10;

/// A caller interrupts so often.
const EVERY: u64 = 1_200 * MS;
