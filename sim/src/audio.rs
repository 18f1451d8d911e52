//! The voice of a caller: recordings and babble, cut into the frames of a telephone line.
//!
//! A caller speaks in one of two ways. A `Recording` is loaded from a WAV file, and a
//! voice-activity detector finds where speech starts and ends in it. Or it is made from the words
//! themselves, as babble: a sound that is like speech, whose every frame can be told from any other.
//! Neither reads a clock or draws a random number, so a scenario hears the same caller every time.

mod babble;
mod error;
pub mod mulaw;
mod speech;
mod wav;

use std::path::Path;

pub use error::AudioError;

/// How many bytes of µ-law make one frame: 20 ms at 8,000 samples a second.
pub const FRAME_BYTES: usize = 160;

/// How long one frame lasts, in milliseconds.
pub const FRAME_MS: u64 = 20;

/// How many samples a second a telephone line carries.
const LINE_RATE: u32 = 8_000;

/// What a caller says in one go, and where in it there is speech.
///
/// ```
/// use sim::audio::Recording;
///
/// let hello = Recording::from_words("Hello, who is there?", 7);
/// assert_eq!(hello.duration_ms(), 1_340);
/// assert_eq!(hello.speech[0].end_ms, 1_340);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Recording {
    /// The sound, frame by frame, as a carrier would send it.
    pub frames: Vec<[u8; FRAME_BYTES]>,
    /// Where somebody speaks, in order; the spans neither touch nor overlap.
    pub speech: Vec<SpeechSpan>,
}

/// A stretch of speech, in milliseconds from the start of its recording, on frame boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechSpan {
    /// When the first frame with speech starts.
    pub start_ms: u64,
    /// When the last frame with speech ends.
    pub end_ms: u64,
}

impl Recording {
    /// Reads a WAV file: PCM of whole numbers (8, 16, 24 or 32 bits) or of 32-bit floats, or µ-law,
    /// one or two channels, 8 to 48 kHz. Two channels are mixed, and another rate than 8 kHz is
    /// resampled. A frame that the sound does not fill is filled with silence.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is none of the above. The error names the file and says
    /// what to do about it.
    pub fn load(path: &Path) -> Result<Self, AudioError> {
        Ok(Self::from_samples(&wav::line_samples(path)?))
    }

    /// A caller who is written, not recorded: babble, at the pace of fifteen letters a second.
    ///
    /// The same words and seed give the same sound. All frames differ: from each other, and from
    /// the frames of other words and other seeds, so that a recogniser may know them by their
    /// bytes. All of it counts as speech; no words make no sound.
    pub fn from_words(words: &str, seed: u64) -> Self {
        let frames = babble::frames(words, seed);
        let end_ms = frames.len() as u64 * FRAME_MS;
        let speech =
            if frames.is_empty() { vec![] } else { vec![SpeechSpan { start_ms: 0, end_ms }] };
        Self { frames, speech }
    }

    /// How long the recording lasts, silence included.
    pub fn duration_ms(&self) -> u64 {
        self.frames.len() as u64 * FRAME_MS
    }

    fn from_samples(samples: &[i16]) -> Self {
        let frames: Vec<_> = samples
            .chunks(FRAME_BYTES)
            .map(|chunk| {
                let mut frame = [mulaw::SILENCE; FRAME_BYTES];
                for (code, sample) in frame.iter_mut().zip(chunk) {
                    *code = mulaw::encode(*sample);
                }
                frame
            })
            .collect();
        let speech = speech::find(&frames);
        Self { frames, speech }
    }
}

impl std::fmt::Debug for Recording {
    /// Says how long the sound is instead of printing thousands of bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("duration_ms", &self.duration_ms())
            .field("speech", &self.speech)
            .finish_non_exhaustive()
    }
}
