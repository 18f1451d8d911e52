//! Numbers that the caller keys in. The machine counts the keys; it never learns them.

use statig::Outcome;

use super::Draft;
use super::memory::Silence;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::company::Recording;
use crate::effect::Effect;
use crate::input::{Carrier, Input, Key};
use crate::step::{Fact, RecordingReason};

/// No number that anybody asks for is longer.
const DIGITS_MAX: u32 = 20;

impl Machine {
    /// News of keys, in a conversation. Nothing if the event is about something else.
    pub(super) fn keypad(&mut self, event: &Event<'_>, step: &mut Draft) -> Option<Outcome<State>> {
        match event {
            Event::Input(Input::Carrier(Carrier::Key(key))) => self.key(*key, step),
            Event::Due(Timer::KeyGap) => Some(self.number_complete(step)),
            _ => None,
        }
    }

    fn key(&mut self, key: Key, step: &mut Draft) -> Option<Outcome<State>> {
        match (key, self.memory.keys) {
            (Key::Pound, Some(_)) => {
                self.memory.last_sound = step.at;
                return Some(self.number_complete(step));
            }
            (Key::Pound, None) => return None,
            (Key::Star | Key::Digit, None) => {
                step.effect(Effect::CollectKeys);
                self.recording(false, step);
                if self.current == State::Speaking && !self.memory.required_speech() {
                    self.stop_speaking(step);
                }
                self.memory.keys = Some(u32::from(key == Key::Digit));
            }
            (Key::Star, Some(_)) => self.memory.keys = Some(0),
            (Key::Digit, Some(digits)) => self.memory.keys = Some(digits + 1),
        }
        let gap = self.memory.brief.limits.key_gap;
        self.memory.arm(Timer::KeyGap, step.at, gap);
        self.caller_active(step);
        if self.memory.keys >= Some(DIGITS_MAX) {
            return Some(self.number_complete(step));
        }
        Some(self.settle())
    }

    fn number_complete(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.timers.disarm(Timer::KeyGap);
        let digits = self.memory.keys.take().unwrap_or(0);
        step.effect(Effect::GiveKeys { digits });
        self.recording(true, step);
        if digits > 0 {
            step.fact(Fact::KeysEntered { digits });
            self.memory.reply_owed = Some(step.at);
        }
        self.settle()
    }

    /// The caller did something: silence begins anew.
    pub(super) fn caller_active(&mut self, step: &mut Draft) {
        self.memory.silence = Silence::default();
        self.no_more_cut_short();
        self.memory.last_sound = step.at;
        if self.current == State::Listening {
            self.enter_listening(step);
        }
    }

    /// A number that was begun when the conversation ends is given up.
    pub(super) fn give_keys_up(&mut self, step: &mut Draft) {
        self.memory.timers.disarm(Timer::KeyGap);
        if self.memory.keys.take().is_some() {
            step.effect(Effect::GiveKeys { digits: 0 });
            self.recording(true, step);
        }
    }

    /// A call that is recorded is so but for the keys of a number.
    fn recording(&self, on: bool, step: &mut Draft) {
        if self.memory.brief.recording == Recording::On {
            step.fact(Fact::RecordingState { on, why: RecordingReason::NumberKeyed });
        }
    }
}
