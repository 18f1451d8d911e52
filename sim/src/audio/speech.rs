//! Finds where somebody speaks, in the sound of a telephone line.

use earshot::Detector;

use super::{FRAME_BYTES, FRAME_MS, SpeechSpan, mulaw};

/// Finds speech as a person would mark it: a short pause inside a sentence does not end it.
pub(super) fn find(frames: &[[u8; FRAME_BYTES]]) -> Vec<SpeechSpan> {
    let samples: Vec<i16> = frames.iter().flatten().map(|code| mulaw::decode(*code)).collect();
    // The detector starts with the sound and not with the recording. So silence in front moves
    // speech and changes nothing else: neither the detector's memory nor where its windows fall.
    let Some(first) = samples.iter().position(|sample| *sample != 0) else { return vec![] };
    let runs = voiced_runs(&samples[first..]);
    join(&runs).into_iter().map(|run| run.span(first, frames.len())).collect()
}

/// How sure the detector must be that a window holds a voice.
const SURE: f32 = 0.5;

/// Samples in one window of the detector, at the rate of the line.
const WINDOW: usize = 128;

/// Windows of silence before the sound, in which the detector settles.
const LEAD: usize = 10;

/// Windows of silence after the sound, in which the detector lets go of it. Shorter than
/// [`RUN_MIN`], so that no run lies wholly behind the sound.
const TRAIL: usize = 7;

/// For so many windows after the last sound of a voice the detector still hears it.
const LAG: usize = 5;

/// Fewer windows than this in a row, the lag included, are a click or a cough.
const RUN_MIN: usize = 8;

/// A pause shorter than this, in windows of 16 ms, belongs to the sentence around it.
const PAUSE: usize = 700_usize.div_ceil(16);

/// Consecutive windows with a voice, counted from the first sound: `start..end`.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

impl Run {
    /// Widens the run to whole frames of a recording whose sound begins at sample `first`.
    fn span(self, first: usize, frames: usize) -> SpeechSpan {
        let start_frame = (first + self.start * WINDOW) / FRAME_BYTES;
        let end_frame = (first + self.end * WINDOW).div_ceil(FRAME_BYTES).min(frames);
        let ms = |frame: usize| frame as u64 * FRAME_MS;
        SpeechSpan { start_ms: ms(start_frame), end_ms: ms(end_frame) }
    }
}

fn voiced_runs(sound: &[i16]) -> Vec<Run> {
    let mut detector = Detector::default();
    let mut runs = vec![];
    let mut start = None;
    for (index, window) in windows(sound).enumerate() {
        let voiced = detector.predict_i16(&window) >= SURE;
        match start {
            None if voiced => start = Some(index),
            Some(since) if !voiced => {
                runs.extend(run(since, index));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(since) = start {
        runs.extend(run(since, windows(sound).count()));
    }
    runs
}

/// The run of the windows `since..until`, which count the lead and the lag; none when too short.
fn run(since: usize, until: usize) -> Option<Run> {
    let start = since.saturating_sub(LEAD);
    let end = until.saturating_sub(LEAD + LAG);
    (start < end && until - since >= RUN_MIN).then_some(Run { start, end })
}

/// The sound between two silences, cut as the detector wants it: 256 samples at 16 kHz.
fn windows(sound: &[i16]) -> impl Iterator<Item = [i16; 2 * WINDOW]> {
    let windows = LEAD + sound.len().div_ceil(WINDOW) + TRAIL;
    let at = |index: usize| {
        let index = index.checked_sub(LEAD * WINDOW);
        i32::from(index.and_then(|index| sound.get(index)).copied().unwrap_or_default())
    };
    (0..windows).map(move |window| {
        std::array::from_fn(|index| {
            let here = window * WINDOW + index / 2;
            if index % 2 == 0 { at(here) as i16 } else { between(here, at) }
        })
    })
}

/// The sample half way to the next one, on the cubic through the four around it. A mere copy
/// would mirror the voice above 4 kHz, where the detector would hear it as noise.
fn between(here: usize, at: impl Fn(usize) -> i32) -> i16 {
    let near = at(here) + at(here + 1);
    let far = at(here.wrapping_sub(1)) + at(here + 2);
    ((9 * near - far) / 16).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn join(runs: &[Run]) -> Vec<Run> {
    let mut joined: Vec<Run> = vec![];
    for run in runs {
        match joined.last_mut() {
            Some(last) if run.start.saturating_sub(last.end) < PAUSE => last.end = run.end,
            _ => joined.push(*run),
        }
    }
    joined
}
