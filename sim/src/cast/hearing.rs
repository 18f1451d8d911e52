//! How the simulated agent understands a caller: it knows every recording of the scenario, and
//! recognises them by their sound.
//!
//! Nothing tells the agent when somebody speaks or what: it hears 20 ms of audio at a time, wherever
//! they come from. A frame that occurs once in all the recordings gives its place away; from there
//! the end of the speech is counted in frames. So the words come when the sound has come, also
//! through a real server, and a lost frame or a late one has the effect that it would have: an
//! utterance of which more than a tenth is missing is not understood.
//!
//! A recording that a scenario uses several times is known once. The first time it is heard it has
//! the words of its first turn, the second time those of its second, and so on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use call_core::Language;

use crate::audio::{FRAME_BYTES, FRAME_MS, Recording, mulaw};

/// A frame in which nobody speaks.
const SILENCE: [u8; FRAME_BYTES] = [mulaw::SILENCE; FRAME_BYTES];

/// So many frames of an utterance must have been heard, of so many: its sense survives a hole, and
/// not the loss of a word.
const ENOUGH: (usize, usize) = (9, 10);

/// What was noticed in a piece of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noticed {
    /// Somebody began to speak.
    SpeechBegan,
    /// A whole utterance was spoken: its words, and their language where the scenario says so.
    Words(String, Option<Language>),
}

/// A listener who knows what may be said. Its clones remember together what was heard, so that the
/// next session of an agent goes on where a lost one stopped.
#[derive(Debug, Clone)]
pub struct Hearing {
    known: Vec<Known>,
    /// Frames that occur exactly once: recording and frame number.
    places: BTreeMap<[u8; FRAME_BYTES], Option<(usize, usize)>>,
    /// Audio that does not make up a frame yet.
    rest: Vec<u8>,
    now: Option<Spoken>,
    /// How many frames of speech were heard of which recording, since it began.
    so_far: (usize, usize),
}

#[derive(Debug, Clone)]
struct Known {
    frames: Vec<[u8; FRAME_BYTES]>,
    /// What it says each time it is heard; empty words for a noise.
    words: Vec<(String, Option<Language>)>,
    /// How often it was heard to its end.
    heard: Arc<AtomicUsize>,
    /// Spans of speech, in frames, the end not included.
    spans: Vec<(usize, usize)>,
}

impl Known {
    /// The words of this time, after which comes the next time. Heard more often than it has
    /// words for, a recording says its last ones again.
    fn next_words(&self) -> Option<&(String, Option<Language>)> {
        let times = self.heard.fetch_add(1, Ordering::Relaxed);
        self.words.get(times).or(self.words.last())
    }

    /// Whether so many frames of its speech are enough to understand it.
    fn is_enough(&self, heard: usize) -> bool {
        let all: usize = self.spans.iter().map(|(start, end)| end - start).sum();
        heard * ENOUGH.1 >= all * ENOUGH.0
    }
}

/// A span that is being spoken.
#[derive(Debug, Clone, Copy)]
struct Spoken {
    recording: usize,
    span: usize,
    frames_left: usize,
}

impl Hearing {
    /// A listener who will know these recordings, and their words.
    pub fn new<'a>(
        recordings: impl IntoIterator<Item = (&'a Recording, &'a str, Option<Language>)>,
    ) -> Self {
        let mut hearing = Self {
            known: Vec::new(),
            places: BTreeMap::new(),
            rest: Vec::new(),
            now: None,
            so_far: (0, 0),
        };
        let mut sounds: Vec<&Recording> = Vec::new();
        for (recording, words, language) in recordings {
            let words = (words.to_owned(), language);
            if let Some(number) = sounds.iter().position(|sound| *sound == recording) {
                hearing.known[number].words.push(words);
                continue;
            }
            let number = sounds.len();
            sounds.push(recording);
            let frame = |ms: u64| (ms / FRAME_MS) as usize;
            let spans: Vec<_> = recording
                .speech
                .iter()
                .map(|span| (frame(span.start_ms), frame(span.end_ms)))
                .collect();
            for (start, end) in &spans {
                let frames = recording.frames.iter().enumerate().take(*end).skip(*start);
                for (place, frame) in frames {
                    hearing
                        .places
                        .entry(*frame)
                        .and_modify(|known| *known = None)
                        .or_insert(Some((number, place)));
                }
            }
            let frames = recording.frames.clone();
            hearing.known.push(Known { frames, words: vec![words], heard: Arc::default(), spans });
        }
        hearing
    }

    /// Listens to more audio.
    pub fn listen(&mut self, audio: &[u8]) -> Vec<Noticed> {
        let mut noticed = Vec::new();
        let mut audio = audio;
        if !self.rest.is_empty() {
            let missing = (FRAME_BYTES - self.rest.len()).min(audio.len());
            let (begun, others) = audio.split_at(missing);
            self.rest.extend_from_slice(begun);
            audio = others;
            if let Ok(frame) = self.rest.as_slice().try_into() {
                let frame: [u8; FRAME_BYTES] = frame;
                self.rest.clear();
                self.frame(&frame, &mut noticed);
            }
        }
        let (frames, rest) = audio.as_chunks::<FRAME_BYTES>();
        for frame in frames {
            self.frame(frame, &mut noticed);
        }
        self.rest.extend_from_slice(rest);
        noticed
    }

    fn frame(&mut self, frame: &[u8; FRAME_BYTES], noticed: &mut Vec<Noticed>) {
        if self.now.is_none() && *frame == SILENCE {
            // Most of a call, and no recording's place.
            return;
        }
        if let Some(Some((recording, place))) = self.places.get(frame).copied() {
            let spans = &self.known[recording].spans;
            let span = spans.iter().position(|(start, end)| (*start..*end).contains(&place));
            let Some(span) = span else { return };
            let goes_on =
                self.now.is_some_and(|now| now.recording == recording && now.span == span);
            if !goes_on {
                noticed.push(Noticed::SpeechBegan);
                if span == 0 || self.so_far.0 != recording {
                    self.so_far = (recording, 0);
                }
            }
            self.now = Some(Spoken { recording, span, frames_left: spans[span].1 - place });
        }
        let Some(now) = &mut self.now else { return };
        let known = &self.known[now.recording];
        let place = known.spans[now.span].1 - now.frames_left;
        // What is lost on the way is silence here. Of what is there the code may be another one: some
        // carrier has read it as samples, and written them as it does.
        let is_heard = *frame != SILENCE || known.frames.get(place) == Some(frame);
        self.so_far.1 += usize::from(is_heard);
        now.frames_left -= 1;
        if now.frames_left == 0 {
            if now.span + 1 == known.spans.len()
                && let Some((words, language)) = known.next_words()
                && known.is_enough(self.so_far.1)
                && !words.is_empty()
            {
                noticed.push(Noticed::Words(words.clone(), *language));
            }
            self.now = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_utterance_is_understood_when_its_last_frame_was_heard_and_not_before() {
        let hello = Recording::from_words("hello there", 1);
        let mut hearing = Hearing::new([(&hello, "hello there", None)]);
        assert_eq!(hearing.listen(&[0xFF; 1_600]), []);
        let all: Vec<u8> = hello.frames.iter().flatten().copied().collect();
        let (most, last) = all.split_at(all.len() - 100);
        assert_eq!(hearing.listen(most), [Noticed::SpeechBegan]);
        assert_eq!(hearing.listen(last), [Noticed::Words("hello there".to_owned(), None)]);
    }

    #[test]
    fn a_caller_who_is_heard_half_is_not_understood() {
        let hello = Recording::from_words("hello there", 1);
        let mut hearing = Hearing::new([(&hello, "hello there", None)]);
        let half: Vec<u8> = hello.frames.iter().take(10).flatten().copied().collect();
        assert_eq!(hearing.listen(&half), [Noticed::SpeechBegan]);
    }

    #[test]
    fn a_caller_of_whom_the_beginning_or_the_middle_is_missing_is_not_understood() {
        let hello = Recording::from_words("hello there, is anybody at home today", 1);
        let said = |holes: std::ops::Range<usize>| {
            let mut hearing = Hearing::new([(&hello, "hello there", None)]);
            let mut noticed = Vec::new();
            for (place, frame) in hello.frames.iter().enumerate() {
                noticed.extend(hearing.listen(if holes.contains(&place) {
                    &SILENCE
                } else {
                    frame
                }));
            }
            noticed.contains(&Noticed::Words("hello there".to_owned(), None))
        };
        let length = hello.frames.len();
        assert!(said(0..0));
        assert!(said(length / 2..length / 2 + 2), "a hole of two frames is none");
        assert!(!said(0..length / 2));
        assert!(!said(length / 3..length / 2));
    }

    #[test]
    fn a_recording_that_is_used_again_has_the_words_of_each_time_also_for_the_next_session() {
        let yes = Recording::from_words("yes", 1);
        let no = Recording::from_words("no", 1);
        let spanish = Some(Language::Spanish);
        let mut first = Hearing::new([
            (&yes, "Yes.", None),
            (&no, "No.", None),
            (&yes, "Yes, again.", spanish),
            (&yes, "", None),
        ]);
        let said = |hearing: &mut Hearing, recording: &Recording| {
            let mut noticed = Vec::new();
            for frame in &recording.frames {
                noticed.extend(hearing.listen(frame));
            }
            assert_eq!(noticed.first(), Some(&Noticed::SpeechBegan));
            noticed.split_off(1)
        };
        let words = |words: &str, language| vec![Noticed::Words(words.to_owned(), language)];
        assert_eq!(said(&mut first, &yes), words("Yes.", None));
        assert_eq!(said(&mut first, &no), words("No.", None));
        let mut next = first.clone();
        assert_eq!(said(&mut next, &yes), words("Yes, again.", spanish));
        assert_eq!(said(&mut next, &yes), [], "a noise has no words");
        assert_eq!(said(&mut next, &no), words("No.", None), "more often than it was given words");
    }
}
