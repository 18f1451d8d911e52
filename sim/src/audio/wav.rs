//! From a WAV file to the samples of a telephone line.

use std::{
    error::Error,
    fs,
    io::{Cursor, ErrorKind},
    path::Path,
};

use hound::{Error as WavError, SampleFormat, WavReader, WavSpec};
use rubato::{Fft, FixedSync, Resampler, audioadapter_buffers::owned::InterleavedOwned};

use super::{AudioError, LINE_RATE, mulaw};

/// Reads the whole file: one channel, 8,000 samples a second.
pub(super) fn line_samples(path: &Path) -> Result<Vec<i16>, AudioError> {
    let bytes = read(path)?;
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(AudioError::NotWav { path: path.into() });
    }
    let unsupported = |found| AudioError::Unsupported { path: path.into(), found };
    let chunks = Chunks::find(&bytes).ok_or_else(|| AudioError::CutOff { path: path.into() })?;
    if let Some(name) = chunks.foreign_coding() {
        return Err(unsupported(format!("holds {name}, neither PCM nor µ-law")));
    }
    let sound = if chunks.coding() == Some(MULAW) { chunks.mulaw() } else { chunks.pcm() };
    let Sound { samples, channels, rate } = sound.map_err(|fault| match fault {
        Fault::Unsupported(found) => unsupported(found),
        Fault::Damaged(source) => AudioError::Damaged { path: path.into(), source },
    })?;
    if samples.is_empty() {
        return Err(AudioError::Empty { path: path.into() });
    }
    let mono = mix(&samples, usize::from(channels));
    let line = resample(mono, rate)
        .map_err(|error| unsupported(format!("cannot be resampled from {rate} Hz: {error}")))?;
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

/// What is in a file: samples between -1 and 1, channels interleaved.
struct Sound {
    samples: Vec<f64>,
    channels: u16,
    rate: u32,
}

/// What a format says that can be read: one or two channels, and a rate that can be resampled.
struct Header {
    channels: u16,
    /// Samples a second.
    rate: u32,
    /// Bytes that all channels take at one moment.
    block: u16,
    /// Bits that one sample takes.
    bits: u16,
}

/// Why there is no sound to be had.
enum Fault {
    /// What it is instead, as the end of a sentence about the file.
    Unsupported(String),
    Damaged(WavError),
}

impl From<WavError> for Fault {
    fn from(error: WavError) -> Self {
        match error {
            WavError::Unsupported => {
                Self::Unsupported("is coded in a way that we cannot read".into())
            }
            error => Self::Damaged(error),
        }
    }
}

/// The two parts of a WAV file that matter. hound reads PCM, but it takes the byte that pads an odd
/// chunk for the next one, and refuses a file whose writer never knew its length. µ-law it refuses
/// altogether.
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

    /// An extensible format says in its second part what it is.
    fn coding(&self) -> Option<u16> {
        let number = |at: usize| self.format.get(at..at + 2).and_then(|two| two.try_into().ok());
        let coding = u16::from_le_bytes(number(0)?);
        let inner = number(24).filter(|_| coding == EXTENSIBLE);
        Some(inner.map_or(coding, u16::from_le_bytes))
    }

    /// The name of a coding that we do not read.
    fn foreign_coding(&self) -> Option<String> {
        let name = match self.coding()? {
            0x0001 | FLOAT | MULAW | EXTENSIBLE => return None,
            0x0002 | 0x0011 => "ADPCM",
            0x0006 => "A-law",
            0x0031 => "GSM",
            0x0055 => "MP3",
            other => return Some(format!("the coding {other:#06x}")),
        };
        Some(name.into())
    }

    /// The part of the format that all codings have.
    fn header(&self) -> Result<Header, Fault> {
        let format = self.format.first_chunk::<16>();
        let format = format.ok_or_else(|| damaged("its format is cut off"))?;
        let short = |at: usize| u16::from_le_bytes([format[at], format[at + 1]]);
        let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
        let header = Header { channels: short(2), rate, block: short(12), bits: short(14) };
        if !matches!(header.channels, 1 | 2) {
            return Err(Fault::Unsupported(format!("has {} channels", header.channels)));
        }
        if !(LINE_RATE..=48_000).contains(&rate) {
            return Err(Fault::Unsupported(format!("has {rate} samples a second")));
        }
        let read = match self.coding() {
            Some(MULAW) => header.bits == 8,
            Some(FLOAT) => header.bits == 32,
            _ => matches!(header.bits, 8 | 16 | 24 | 32),
        };
        if read { Ok(header) } else { Err(bits_that_we_cannot_read(header.bits)) }
    }

    fn pcm(&self) -> Result<Sound, Fault> {
        let Header { channels, rate, .. } = self.header()?;
        let reader = WavReader::new(Cursor::new(self.file()))?;
        // An extensible format says here what it is and how many of its bits count.
        let WavSpec { bits_per_sample, sample_format, .. } = reader.spec();
        match (sample_format, bits_per_sample) {
            (SampleFormat::Int, 8 | 16 | 24 | 32) | (SampleFormat::Float, 32) => {}
            (_, bits) => return Err(bits_that_we_cannot_read(bits)),
        }
        Ok(Sound { samples: scaled(reader)?, channels, rate })
    }

    fn mulaw(&self) -> Result<Sound, Fault> {
        let Header { channels, rate, block, .. } = self.header()?;
        if block != channels {
            return Err(damaged("its channels do not add up to its blocks"));
        }
        if !self.sound.len().is_multiple_of(usize::from(channels)) {
            return Err(damaged("its last block is not whole"));
        }
        let sample = |code: &u8| f64::from(mulaw::decode(*code)) / FULL;
        Ok(Sound { samples: self.sound.iter().map(sample).collect(), channels, rate })
    }

    /// A WAV file of these parts and no others. Of the bits of a sample in an extensible format fewer
    /// may count than it takes. They are the upper ones, so all of them may as well be read; hound would
    /// take the lower.
    fn file(&self) -> Vec<u8> {
        let mut format = self.format.to_vec();
        if format.first_chunk() == Some(&EXTENSIBLE.to_le_bytes()) && format.len() >= 40 {
            format.copy_within(14..16, 18);
        }
        let length = |bytes: usize| (bytes as u32).to_le_bytes();
        let whole = length(20 + format.len() + self.sound.len());
        [
            &b"RIFF"[..],
            &whole,
            b"WAVEfmt ",
            &length(format.len()),
            &format,
            b"data",
            &length(self.sound.len()),
            self.sound,
        ]
        .concat()
    }
}

/// From this length on, the writer wrote into a pipe and meant "until the end".
const UNKNOWN: u32 = 0x7FFF_0000;

/// The numbers of codings in a WAV file.
const FLOAT: u16 = 0x0003;
const MULAW: u16 = 0x0007;
const EXTENSIBLE: u16 = 0xFFFE;

/// What a sample of 16 bits stays below.
const FULL: f64 = 32_768.0;

fn damaged(why: &'static str) -> Fault {
    Fault::Damaged(WavError::FormatError(why))
}

fn bits_that_we_cannot_read(bits: u16) -> Fault {
    Fault::Unsupported(format!("has samples of {bits} bits"))
}

fn scaled(reader: WavReader<Cursor<Vec<u8>>>) -> Result<Vec<f64>, WavError> {
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
    (sample * FULL).round().clamp(-FULL, FULL - 1.0) as i16
}
