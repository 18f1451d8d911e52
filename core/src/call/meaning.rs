//! What the caller's words change in the call itself, whatever the agent makes of them.

use alloc::vec::Vec;

use statig::Outcome;

use super::Draft;
use super::memory::Silence;
use super::topology::{Machine, Region, State};
use crate::effect::Effect;
use crate::line::{Language, LineId};
use crate::phrases::{Meaning, meaning};
use crate::sabotage::Sabotage;
use crate::step::Fact;

/// A turn of fewer words does not change the language of the call, unless it asks for one: "gracias"
/// is said by many.
const LANGUAGE_WORDS_MIN: usize = 3;

/// At this request for a person the call is transferred whatever the agent does (F-HU-12).
const PERSON_ASKED_MAX: u32 = 2;

impl Machine {
    /// The caller's words are understood, in a conversation.
    pub(super) fn caller_said(
        &mut self,
        text: &str,
        language: Option<Language>,
        step: &mut Draft,
    ) -> Outcome<State> {
        let cut_short = self.memory.cut_short.is_some();
        self.caller_line(text, language, step);
        self.memory.last_sound = step.at;
        let meaning = meaning(text);
        // A goodbye is answered by a goodbye, perhaps before it was heard to its end.
        let parting = self.memory.silence.goodbye || (cut_short && self.memory.parting.is_some());
        self.memory.silence = Silence { goodbye: parting && meaning.empty, ..Silence::default() };
        if !meaning.empty {
            self.no_parting();
        }
        self.memory.cuts = 0;
        self.memory.functions_in_turn = 0;
        // What the agent says from here on is another speech.
        self.memory.timers.disarm(super::Timer::AgentSpeech);
        if self.memory.agent_mid_reply {
            self.watch_speech(step);
        }
        self.change_language(language, &meaning, step);
        if meaning.person || self.speaks_no_language_of_ours(language, &meaning) {
            self.memory.person_asked += 1;
            step.fact(Fact::PersonAsked { times: self.memory.person_asked });
            if self.memory.person_asked >= PERSON_ASKED_MAX
                && let Some(transfer) = self.transfer_to(None)
            {
                return transfer;
            }
        }
        if meaning.moment {
            step.fact(Fact::MomentAsked);
            self.memory.silence.patient = true;
        }
        // To an assent or a request for a moment the agent may say something or nothing. An assent
        // leaves the reply to earlier words owed.
        // A yes, said when nobody speaks, answers something. One that was said into a reply may be no
        // more than a sign of attention (S03).
        let answers = meaning.yes && self.current == State::Listening && !cut_short && !parting;
        let owed = !meaning.moment && (!meaning.empty || answers);
        if owed || meaning.moment {
            self.memory.reply_owed = owed.then_some(step.at);
        }
        // An agent that was told something again has as long again.
        self.memory.reply_owed = self.memory.reply_owed.and(Some(step.at));
        if cut_short && meaning.empty && !owed && !parting {
            // The agent gave up its reply for it all the same.
            self.is_cut_short(step);
        }
        match self.current {
            // The reply that is owed now is the one to these words.
            State::Thinking if self.memory.reply_owed.is_some() => self.enter_thinking(step),
            State::FunctionPending => self.enter_function_pending(step),
            State::Listening => self.enter_listening(step),
            _ => {}
        }
        self.settle()
    }

    /// The language of the caller's words, where that is plain. Whoever asks for a language asks in a
    /// word or two, and often in another language.
    fn spoken(language: Option<Language>, meaning: &Meaning) -> Option<Language> {
        meaning.language.or(language.filter(|_| meaning.words >= LANGUAGE_WORDS_MIN))
    }

    /// Whether the caller speaks, or asks for, a language that the company does not speak: then a person
    /// is what they need, where there is one (S17).
    fn speaks_no_language_of_ours(&self, language: Option<Language>, meaning: &Meaning) -> bool {
        let brief = &self.memory.brief;
        let ours =
            |language| language == self.memory.language || brief.languages.contains(&language);
        let foreign = Self::spoken(language, meaning).is_some_and(|language| !ours(language));
        foreign && !brief.transfer_targets.is_empty()
    }

    /// The call follows the caller into another language that the company speaks. What must be
    /// relied on is said again in it (C-07, I-34).
    pub(super) fn change_language(
        &mut self,
        spoken: Option<Language>,
        meaning: &Meaning,
        step: &mut Draft,
    ) {
        let Some(language) = Self::spoken(spoken, meaning) else { return };
        let brief = &self.memory.brief;
        if language == self.memory.language || !brief.languages.contains(&language) {
            return;
        }
        self.memory.language = language;
        step.fact(Fact::LanguageSet(language));
        step.effect(Effect::SetLanguage { language });
        let again = self.not_worded_yet(step);
        let opening = again.contains(&LineId::Opening);
        match self.current.region() {
            _ if opening || self.memory.sabotaged(Sabotage::SkipsNotice) => {}
            // Nobody is spoken to before the talk goes on.
            Region::Ending => self.owe(LineId::Notice),
            _ => self.prepare(LineId::Notice, step),
        }
        for line in again.into_iter().filter(|line| *line != LineId::Notice) {
            self.prepare(line, step);
        }
    }

    /// Gives up every line of another language that nobody has worded yet, and tells which of them
    /// must be heard. The others were for a caller who was silent or waited, and who has spoken.
    fn not_worded_yet(&mut self, step: &mut Draft) -> Vec<LineId> {
        let mut again = Vec::new();
        self.memory.lines.retain(|utterance, line| {
            let stays = line.text.is_some() || line.language == self.memory.language;
            if !stays {
                step.effect(Effect::Withdraw { utterance: *utterance });
                again.extend(Some(line.line).filter(|line| line.is_required()));
            }
            stays
        });
        self.rearm_lines();
        again
    }
}
