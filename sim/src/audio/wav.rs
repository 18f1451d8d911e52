//! From a WAV file to the samples of a telephone line.

use std::{
    error::Error,
    fs,
    io::{Cursor, ErrorKind},
    path::Path,
};

use hound::{SampleFormat, WavReader, WavSpec};
use rubato::{Fft, FixedSync, Resampler, audioadapter_buffers::owned::InterleavedOwned};

use super::{AudioError, LINE_RATE};

/// Reads the whole file: one channel, 8,000 samples a second.
pub(super) fn line_samples(path: &Path) -> Result<Vec<i16>, AudioError> {
    let bytes = read(path)?;
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(AudioError::NotWav { path: path.into() });
    }
    let unsupported = |found| AudioError::Unsupported { path: path.into(), found };
    let chunks = Chunks::find(&bytes).ok_or_else(|| AudioError::CutOff { path: path.into() })?;
    if let Some(name) = chunks.foreign_coding() {
        return Err(unsupported(format!("holds {name}, not PCM")));
    }
    let reader = WavReader::new(Cursor::new(chunks.file())).map_err(|error| match error {
        hound::Error::Unsupported => unsupported("is coded in a way that we cannot read".into()),
        source => AudioError::Damaged { path: path.into(), source },
    })?;
    let spec = reader.spec();
    check(spec).map_err(unsupported)?;
    let channels =
        scaled(reader).map_err(|source| AudioError::Damaged { path: path.into(), source })?;
    if channels.is_empty() {
        return Err(AudioError::Empty { path: path.into() });
    }
    let mono = mix(&channels, usize::from(spec.channels));
    let line = resample(mono, spec.sample_rate).map_err(|error| {
        unsupported(format!("cannot be resampled from {} Hz: {error}", spec.sample_rate))
    })?;
    Ok(line.into_iter().map(to_sixteen_bits).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, AudioError> {
    let path = path.to_path_buf();
    match fs::read(&path) {
        Ok(bytes) if bytes.is_empty() => Err(AudioError::Empty { path }),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(AudioError::Missing { path }),
        Err(source) => Err(AudioError::Unreadable { path, source }),
    }
}

/// The two parts of a WAV file that matter. hound reads the samples, but it takes the byte that
/// pads an odd chunk for the next one, and refuses a file whose writer never knew its length.
struct Chunks<'a> {
    format: &'a [u8],
    sound: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// None when a part is missing, or shorter than the file says.
    fn find(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.get(12..)?;
        let mut format = None;
        loop {
            let (header, body) = rest.split_first_chunk::<8>()?;
            let [name @ .., l0, l1, l2, l3] = *header;
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            match (&name, format) {
                (b"fmt ", _) => format = Some(body.get(..length as usize)?),
                (b"data", Some(format)) => {
                    let length = if length >= UNKNOWN { body.len() } else { length as usize };
                    return Some(Self { format, sound: body.get(..length)? });
                }
                _ => {}
            }
            rest = body.get((length as usize).checked_next_multiple_of(2)?..)?;
        }
    }

    /// The name of a coding other than PCM. "Extensible" may be PCM: hound looks closer.
    fn foreign_coding(&self) -> Option<String> {
        let name = match u16::from_le_bytes(*self.format.first_chunk()?) {
            0x0001 | 0x0003 | 0xFFFE => return None,
            0x0002 | 0x0011 => "ADPCM",
            0x0006 => "A-law",
            0x0007 => "µ-law",
            0x0031 => "GSM",
            0x0055 => "MP3",
            other => return Some(format!("the coding {other:#06x}")),
        };
        Some(name.into())
    }

    /// A WAV file of these parts and no others.
    fn file(&self) -> Vec<u8> {
        let length = |bytes: usize| (bytes as u32).to_le_bytes();
        let whole = length(20 + self.format.len() + self.sound.len());
        [
            &b"RIFF"[..],
            &whole,
            b"WAVEfmt ",
            &length(self.format.len()),
            self.format,
            b"data",
            &length(self.sound.len()),
            self.sound,
        ]
        .concat()
    }
}

/// From this length on, the writer wrote into a pipe and meant "until the end".
const UNKNOWN: u32 = 0x7FFF_0000;

fn check(spec: WavSpec) -> Result<(), String> {
    if !matches!(spec.channels, 1 | 2) {
        return Err(format!("has {} channels", spec.channels));
    }
    if !(LINE_RATE..=48_000).contains(&spec.sample_rate) {
        return Err(format!("has {} samples a second", spec.sample_rate));
    }
    match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, 8 | 16 | 24 | 32) | (SampleFormat::Float, 32) => Ok(()),
        (_, bits) => Err(format!("has samples of {bits} bits")),
    }
}

/// All samples, channels interleaved, each between -1 and 1.
fn scaled(reader: WavReader<Cursor<Vec<u8>>>) -> Result<Vec<f64>, hound::Error> {
    let spec = reader.spec();
    match spec.sample_format {
        SampleFormat::Int => {
            let full = f64::from(1_u32 << (spec.bits_per_sample - 1));
            reader.into_samples::<i32>().map(|s| Ok(f64::from(s?) / full)).collect()
        }
        SampleFormat::Float => reader.into_samples::<f32>().map(|s| Ok(in_range(s?))).collect(),
    }
}

/// A float may be anything, and one that is no number would poison the resampler.
fn in_range(sample: f32) -> f64 {
    if sample.is_finite() { f64::from(sample).clamp(-1.0, 1.0) } else { 0.0 }
}

fn mix(interleaved: &[f64], channels: usize) -> Vec<f64> {
    interleaved
        .chunks(channels)
        .map(|moment| moment.iter().sum::<f64>() / channels as f64)
        .collect()
}

/// Silence at the start is set aside, not resampled: the sound after it becomes the same samples
/// however long the silence is, so that a detector with a memory finds the same speech in them.
///
/// Calculates in 64 bits, so that the vector units of different processors, which round
/// differently, still agree on every bit of a 16-bit sample.
fn resample(mut samples: Vec<f64>, rate: u32) -> Result<Vec<f64>, Box<dyn Error>> {
    if rate == LINE_RATE {
        return Ok(samples);
    }
    let (from, to) = (rate as usize, LINE_RATE as usize);
    let length = (samples.len() * to).div_ceil(from);
    let silent = samples.iter().take_while(|sample| **sample == 0.0).count();
    let sound = samples.split_off(silent);
    let sound_length = sound.len();
    let sound = InterleavedOwned::new_from(sound, 1, sound_length)?;
    let mut resampler = Fft::<f64>::new(from, to, 1_024, 1, FixedSync::Both)?;
    let mut line = vec![0.0; silent * to / from];
    line.extend(resampler.process_all(&sound, sound_length, None)?.take_data());
    line.resize(length, 0.0);
    Ok(line)
}

fn to_sixteen_bits(sample: f64) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}
