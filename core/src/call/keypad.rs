//! Numbers that the caller keys in. The machine counts the keys; it never learns them.

use statig::Outcome::{self, Handled};

use super::Draft;
use super::memory::Silence;
use super::timers::Timer;
use super::topology::{Event, Machine, State};
use crate::company::Recording;
use crate::effect::Effect;
use crate::input::{Carrier, Input, Key};
use crate::line::LineId;
use crate::step::{Fact, RecordingReason};

/// No number that anybody asks for is longer.
const DIGITS_MAX: u32 = 20;

/// A number that is being keyed in.
#[derive(Clone, Copy, Default)]
pub(super) struct Keys {
    digits: u32,
    /// The talk stopped in the middle of it: some of its digits nobody took down.
    void: bool,
    /// The caller was heard to speak where the agent heard silence, and no words have come since.
    pub(super) unheard: bool,
}

/// A number has more digits than this. One key alone may have been touched by chance.
const STRAY_MAX: u32 = 1;

impl Machine {
    /// News of keys, in a conversation. Nothing if the event is about something else.
    pub(super) fn keypad(&mut self, event: &Event<'_>, step: &mut Draft) -> Option<Outcome<State>> {
        match event {
            Event::Input(Input::Carrier(Carrier::Key(key))) => self.key(*key, step),
            Event::Input(Input::Carrier(Carrier::Sound)) => {
                self.memory.keys.as_mut()?.unheard = true;
                Some(Handled)
            }
            Event::Due(Timer::KeyGap) => Some(self.number_complete(step)),
            _ => None,
        }
    }

    fn key(&mut self, key: Key, step: &mut Draft) -> Option<Outcome<State>> {
        match (key, &mut self.memory.keys) {
            (Key::Pound, Some(_)) => {
                self.memory.last_sound = step.at;
                return Some(self.number_complete(step));
            }
            (Key::Pound, None) => return None,
            (Key::Star | Key::Digit, None) => {
                self.number_begins(key, step);
                if self.current == State::Speaking && !self.memory.required_speech() {
                    self.stop_speaking(step);
                }
            }
            // The caller begins again.
            (Key::Star, Some(keys)) => *keys = Keys { unheard: keys.unheard, ..Keys::default() },
            (Key::Digit, Some(keys)) => keys.digits += 1,
        }
        self.wait_for_key(step);
        self.caller_active(step);
        if self.memory.keys.is_some_and(|keys| keys.digits >= DIGITS_MAX) {
            return Some(self.number_complete(step));
        }
        Some(self.settle())
    }

    fn number_begins(&mut self, key: Key, step: &mut Draft) {
        step.effect(Effect::CollectKeys);
        self.recording(false, step);
        let digits = u32::from(key == Key::Digit);
        self.memory.keys = Some(Keys { digits, ..Keys::default() });
    }

    fn wait_for_key(&mut self, step: &Draft) {
        let gap = self.memory.brief.limits.key_gap;
        self.memory.arm(Timer::KeyGap, step.at, gap);
    }

    fn number_complete(&mut self, step: &mut Draft) -> Outcome<State> {
        self.memory.timers.disarm(Timer::KeyGap);
        let Keys { digits, void, unheard } = self.memory.keys.take().unwrap_or_default();
        let digits = if void { 0 } else { digits };
        step.effect(Effect::GiveKeys { digits });
        self.recording(true, step);
        if digits > 0 {
            step.fact(Fact::KeysEntered { digits });
            self.memory.reply_owed = Some(step.at);
        }
        // Of what was said behind one key the agent may have heard too little to understand it.
        let spoke = unheard || self.memory.voice.is_some();
        let missed = void || (spoke && digits <= STRAY_MAX);
        match self.memory.open_voice(step.at) {
            // Should no words come of it, they are asked then.
            Some(_) if missed => self.is_cut_short(step),
            None if missed && !self.memory.somebody_speaks() => {
                // They will say what they want, whatever the agent makes of a key.
                self.memory.reply_owed = None;
                self.prepare(LineId::CutShort, step);
            }
            _ => {}
        }
        if self.current == State::Listening {
            self.arm_cut_short(step);
        }
        self.wait_on(step);
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
        self.wait_on(step);
    }

    /// Whoever keys something in while a reply is owed does not wait for it meanwhile, and does again
    /// from then on.
    fn wait_on(&mut self, step: &Draft) {
        match self.current {
            State::Thinking => self.enter_thinking(step),
            State::FunctionPending => self.enter_function_pending(step),
            _ => {}
        }
    }

    /// The conversation stops in the middle of a number. It is not given to anybody, and until its last
    /// key its tones are kept out of the recording all the same.
    pub(super) fn number_left_behind(&mut self) {
        if let Some(keys) = &mut self.memory.keys {
            keys.void = true;
        }
    }

    /// A key that nobody takes down.
    pub(super) fn key_for_nobody(&mut self, key: Key, step: &mut Draft) {
        match key {
            Key::Pound => self.give_keys_up(step),
            Key::Star | Key::Digit => {
                if self.memory.keys.is_none() {
                    self.number_begins(key, step);
                    self.number_left_behind();
                }
                self.wait_for_key(step);
            }
        }
    }

    /// A number that was begun is given up.
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
