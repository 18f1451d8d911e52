//! Effects carried out, as far as they are not the bridge's.

use call_core::Effect;
use call_transports::bridge::Words;
use call_transports::net::AgentLeg;

use super::Live;
use crate::call::jobs::{self, Asked};

impl Live {
    /// Carries out what is not the bridge's.
    pub(super) fn carry_out(&mut self, effect: &Effect) {
        if let Some(recorder) = &self.recorder {
            recorder.notice(effect);
        }
        match effect {
            Effect::OpenAgent { .. } => {
                self.out.agent = AgentLeg::open(self.services.agent.clone());
            }
            Effect::CloseAgent => self.out.agent.close(),
            Effect::Prepare { utterance, line, language, arguments } => {
                let (utterance, line, language) = (*utterance, *line, *language);
                let own = self.wording.own_words(line, language);
                let asked = Asked { utterance, line, language, arguments, own };
                let voice = self.voices.get(&language).or_else(|| self.voices.values().next());
                self.jobs.prepare(&asked, voice.map_or("", String::as_str));
            }
            Effect::Inject { utterance, line, language, arguments, interrupt } => {
                let (utterance, line, language) = (*utterance, *line, *language);
                let own = self.wording.own_words(line, language);
                let asked = Asked { utterance, line, language, arguments, own };
                let words = jobs::words(&asked)
                    .map(|locales::Rendered { text, version }| Words { text, version });
                let now = self.out.now;
                self.bridge.inject_line(now, utterance, words, *interrupt, &mut self.out);
            }
            Effect::UseRecording { utterance, line, language } => {
                let clip = jobs::recording(*line, *language);
                self.bridge.line_ready(*utterance, clip, &mut self.out);
            }
            Effect::Perform { id, function, .. } => {
                self.jobs.perform(id, *function, self.bridge.arguments(id));
            }
            Effect::HangUp => self.jobs.hang_up(self.call.clone()),
            Effect::Transfer { target } => self.transfer(target),
            Effect::PlayTones { id, .. } => self.play_tones(id),
            // The stream is left when the machine has come to its end.
            Effect::LeaveStream
            | Effect::Play { .. }
            | Effect::Withdraw { .. }
            | Effect::Clear
            | Effect::CutReply
            | Effect::EndSentence
            | Effect::MuteAgent
            | Effect::UnmuteAgent
            | Effect::SetLanguage { .. }
            | Effect::CollectKeys
            | Effect::GiveKeys { .. }
            | Effect::Answer { .. }
            | Effect::TellAgent { .. } => {}
        }
    }
}
