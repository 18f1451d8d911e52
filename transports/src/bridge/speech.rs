//! Speech to the caller: the agent's sentences and our own lines, on their way past the gate.

use call_core::input::{Agent, Input, Playback};
use call_core::playout::Admit;
use call_core::{CallTime, UtteranceId};

use super::{Bridge, CLIP_PIECE, Outlet, Sentence, Waiting};
use crate::carrier::ToCarrier;
use crate::deepgram::Role;

impl Bridge {
    /// Whose speech goes on to the carrier next.
    pub(super) fn next_waiting(&self) -> Option<UtteranceId> {
        self.waiting.front().map(Waiting::utterance)
    }

    /// The agent's words usually come just before their audio, for a greeting just after it.
    pub(super) fn agent_words(&mut self, at: CallTime, words: &str, out: &mut impl Outlet) {
        if self.injected_words(at, words, out) {
            return;
        }
        if self.playout.agent_is_silenced(at) {
            // A late sentence of a cut turn: its audio is dropped too.
            return;
        }
        let utterance = match &mut self.sentence {
            Some(sentence) if !sentence.has_words => {
                sentence.has_words = true;
                sentence.utterance
            }
            _ => {
                self.end_sentence(at, out);
                self.begin_sentence(true)
            }
        };
        self.conversation.said(Role::Assistant, words);
        let text = self.talk.agent(words);
        out.input(Input::Agent(Agent::Said { utterance, text }));
    }

    pub(super) fn begin_sentence(&mut self, has_words: bool) -> UtteranceId {
        self.voice.sounds_matter_no_more();
        self.sentences += 1;
        let utterance = UtteranceId::Agent(self.sentences);
        self.sentence = Some(Sentence { utterance, has_words, wanted: true });
        utterance
    }

    pub(super) fn end_sentence(&mut self, at: CallTime, out: &mut impl Outlet) {
        if let Some(sentence) = self.sentence.take() {
            self.injections.over(sentence.utterance);
        }
        if let Some(utterance) = self.playout.close_sentence() {
            self.mark(at, utterance, out);
        }
    }

    pub(super) fn play(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        let Some(audio) = self.clips.remove(&utterance) else { return };
        for piece in audio.chunks(CLIP_PIECE) {
            self.speech(at, utterance, piece, out);
        }
        self.mark(at, utterance, out);
    }

    pub(super) fn speech(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        audio: &[u8],
        out: &mut impl Outlet,
    ) {
        match self.playout.admit(at, utterance, audio.len()) {
            Admit::Forward => self.hand_over(at, utterance, audio, out),
            Admit::Hold { first } => {
                self.waiting.push_back(Waiting::Audio(utterance, audio.len()));
                self.held.push(audio);
                if first {
                    out.input(Input::Playback(Playback::Waits { utterance }));
                }
            }
            Admit::Drop | Admit::Overflow => {}
        }
    }

    pub(super) fn hand_over(
        &mut self,
        at: CallTime,
        utterance: UtteranceId,
        audio: &[u8],
        out: &mut impl Outlet,
    ) {
        let news = self.playout.forward(at, utterance, audio.len());
        out.to_carrier(ToCarrier::Audio(audio));
        if let Some(news) = news {
            out.input(Input::Playback(news));
        }
    }

    pub(super) fn mark(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        if self.waiting.is_empty() {
            self.put_mark(at, utterance, out);
        } else {
            self.waiting.push_back(Waiting::Mark(utterance));
        }
    }

    pub(super) fn put_mark(&mut self, at: CallTime, utterance: UtteranceId, out: &mut impl Outlet) {
        let news = self.playout.mark(at, utterance);
        out.to_carrier(ToCarrier::Mark(utterance));
        out.input(Input::Playback(news));
    }

    /// The agent's sentence is not wanted any more. Of a line of ours more may still come, which the
    /// gate for the agent's own speech would let through.
    fn leave_off(&mut self) {
        self.sentence.take_if(|sentence| sentence.utterance.is_agents());
        if let Some(sentence) = &mut self.sentence {
            sentence.wanted = false;
        }
    }

    /// The agent begins another turn: nothing more comes of what was cut.
    pub(super) fn turn_began(&mut self) {
        self.playout.agent_turn_began();
        self.sentence.take_if(|sentence| !sentence.wanted);
    }

    /// Everything on its way is cut.
    pub(super) fn speech_is_cut(&mut self, cuts: Vec<Playback>, out: &mut impl Outlet) {
        self.waiting.clear();
        self.held.clear();
        self.leave_off();
        for cut in cuts {
            out.input(Input::Playback(cut));
        }
    }

    pub(super) fn cut_reply(&mut self, at: CallTime, out: &mut impl Outlet) {
        self.leave_off();
        let given_up = self.playout.cut_reply(at);
        let held = &mut self.held;
        self.waiting.retain(|waiting| {
            let keeps = !given_up.utterances.contains(&waiting.utterance());
            if let Waiting::Audio(_, length) = waiting {
                // Whatever is kept comes round to where it was.
                if keeps {
                    held.front_to_back(*length);
                } else {
                    held.drop_front(*length);
                }
            }
            keeps
        });
        for news in given_up.cuts {
            out.input(Input::Playback(news));
        }
        for utterance in given_up.want_marks {
            self.mark(at, utterance, out);
        }
    }
}
