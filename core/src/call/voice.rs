//! A voice of which no words have come yet. They come when it has ended, so until then it may be the
//! caller's turn or a noise. Whatever we would say into a silence waits for it, and so does whatever
//! would give somebody up, within bounds: noise must not keep a call alive (S04).

use super::Draft;
use super::memory::Memory;
use super::timers::Timer;
use super::topology::{Machine, State};
use crate::time::CallTime;

/// A voice that was heard to begin.
#[derive(Clone, Copy)]
pub(super) struct Voice {
    /// When it began. A voice that begins again is the same one while no time for words has passed.
    pub(super) began: CallTime,
    /// When the agent last heard it begin; nothing while only its sound is known.
    pub(super) told: Option<CallTime>,
    /// When there last was a sound of it.
    pub(super) sounded: CallTime,
}

impl Machine {
    /// A voice begins, or a noise.
    pub(super) fn voice_began(&mut self, step: &Draft) {
        let at = step.at;
        let began = self.memory.open_voice(at).map_or(at, |voice| voice.began);
        self.memory.voice = Some(Voice { began, told: Some(at), sounded: at });
        if self.current == State::Listening {
            self.arm_prompt(step);
        }
        self.wait_for_voice(step);
    }

    /// The caller's line sounds, and there is no agent to tell a voice from a noise.
    pub(super) fn sound_began(&mut self, step: &Draft) {
        if self.memory.open_voice(step.at).is_none() {
            self.memory.voice = Some(Voice { began: step.at, told: None, sounded: step.at });
        }
        self.sound_heard(step);
    }

    /// The caller's line carries a sound: perhaps a voice that has begun goes on.
    pub(super) fn sound_heard(&mut self, step: &Draft) {
        if let Some(voice) = self.memory.open_voice(step.at) {
            self.memory.voice = Some(Voice { sounded: step.at, ..voice });
        }
        self.wait_for_voice(step);
    }

    /// Puts off what would be said over a caller who is speaking, or would end the call.
    fn wait_for_voice(&mut self, step: &Draft) {
        if self.memory.cut_short.is_some() {
            self.memory.cut_short = Some(step.at);
        }
        // Whoever speaks is not waiting for us.
        let waits = self.memory.voice_counts();
        let speaks = waits.is_some_and(|sounded| sounded == step.at);
        if let Some(sounded) = waits {
            self.memory.last_sound = self.memory.last_sound.max(sounded);
        }
        match self.current {
            State::Listening => {
                self.arm_farewell(step);
                self.arm_goodbye(step);
                self.arm_cut_short(step);
            }
            State::Thinking if speaks => self.enter_thinking(step),
            State::FunctionPending if speaks => self.enter_function_pending(step),
            State::Farewell { .. } if self.memory.timers.is_armed(Timer::Goodbye) => {
                self.arm_goodbye(step);
            }
            _ => {}
        }
    }
}

impl Memory {
    /// The voice of which words may still come: as long after its last sound as we leave a caller the
    /// floor after a cut.
    pub(super) fn open_voice(&self, at: CallTime) -> Option<Voice> {
        let limit = self.brief.limits.cut_short;
        self.voice.filter(|voice| at.since(voice.sounded) < limit)
    }

    /// When the voice last sounded, as far as something that is owed waits for it: no longer than the
    /// agent may owe a reply.
    pub(super) fn voice_counts(&self) -> Option<CallTime> {
        let longest = self.brief.limits.reply;
        self.voice.map(|voice| voice.sounded.min(voice.began + longest))
    }

    /// Until when words may come of a voice that sounded last at this moment.
    pub(super) fn words_due(&self, sounded: CallTime) -> CallTime {
        sounded + self.brief.limits.cut_short
    }
}
