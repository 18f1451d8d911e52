//! WAV files in the codings that a recording may come in.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use hound::{SampleFormat, WavSpec, WavWriter};

/// How samples are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Pcm8,
    Pcm16,
    Pcm24,
    /// Floats of 32 bits.
    Float,
    /// G.711 µ-law, a byte a sample.
    MuLaw,
}

/// Writes these channels, which are cut to the shortest.
pub(super) fn write(file: &Path, coding: Coding, rate: u32, channels: &[Vec<f64>]) -> Result<()> {
    let length = channels.iter().map(Vec::len).min().unwrap_or_default();
    let moments = (0..length).flat_map(|at| channels.iter().map(move |channel| channel[at]));
    let samples: Vec<f64> = moments.collect();
    let loudest = samples.iter().fold(0.0, |loudest, sample| sample.abs().max(loudest));
    ensure!(loudest < 1.0, "{} would be clipped: {loudest:.2} times full scale", file.display());
    let width = u16::try_from(channels.len())?;
    let (bits_per_sample, sample_format) = match coding {
        Coding::Pcm8 => (8, SampleFormat::Int),
        Coding::Pcm16 => (16, SampleFormat::Int),
        Coding::Pcm24 => (24, SampleFormat::Int),
        Coding::Float => (32, SampleFormat::Float),
        Coding::MuLaw => return Ok(fs::write(file, mulaw_file(width, rate, &samples)?)?),
    };
    let spec = WavSpec { channels: width, sample_rate: rate, bits_per_sample, sample_format };
    let mut writer = WavWriter::create(file, spec)?;
    for sample in samples {
        match sample_format {
            // What is written is what 16 bits can hold: no processor rounds it differently.
            SampleFormat::Float => {
                writer.write_sample(f32::from(sixteen_bits(sample)) / 32_768.0)?;
            }
            SampleFormat::Int => {
                let full = f64::from(1_u32 << (bits_per_sample - 1));
                writer.write_sample((sample * full).round().clamp(-full, full - 1.0) as i32)?;
            }
        }
    }
    Ok(writer.finalize()?)
}

/// hound writes no µ-law. A format other than PCM has a length of its extension, here none, and a
/// chunk that counts the samples.
fn mulaw_file(channels: u16, rate: u32, samples: &[f64]) -> Result<Vec<u8>> {
    let sound: Vec<u8> = samples.iter().map(|sample| mulaw(sixteen_bits(*sample))).collect();
    let length = |bytes: usize| u32::try_from(bytes).map(u32::to_le_bytes);
    let moments = sound.len() / usize::from(channels.max(1));
    let parts = [
        &b"WAVEfmt "[..],
        &length(18)?,
        &7_u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(channels)).to_le_bytes(),
        &channels.to_le_bytes(),
        &8_u16.to_le_bytes(),
        &0_u16.to_le_bytes(),
        b"fact",
        &length(4)?,
        &length(moments)?,
        b"data",
        &length(sound.len())?,
        &sound,
        if sound.len().is_multiple_of(2) { &[] } else { &[0] },
    ]
    .concat();
    Ok([&b"RIFF"[..], &length(parts.len())?, &parts].concat())
}

fn sixteen_bits(sample: f64) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// The µ-law code of a sample (ITU-T G.711): sign, segment and step, all bits inverted.
fn mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let loudness = sample.unsigned_abs().min(32_635) + 0x84;
    let segment = 8 - loudness.leading_zeros() as u8;
    let step = (loudness >> (segment + 3)) as u8 & 0x0F;
    !(sign | segment << 4 | step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tables of G.711, times four: it counts in 14 bits.
    #[test]
    fn mulaw_is_that_of_the_standard() {
        let codes = [(0, 0xFF), (-1, 0x7F), (8, 0xFE), (132, 0xEF), (-132, 0x6F), (32_635, 0x80)];
        for (sample, code) in codes {
            assert_eq!(mulaw(sample), code, "{sample}");
        }
        assert_eq!((mulaw(i16::MAX), mulaw(i16::MIN)), (0x80, 0x00));
    }

    #[test]
    fn a_mulaw_file_is_padded_and_says_how_long_it_is() {
        let file = mulaw_file(1, 8_000, &[0.0; 3]).expect("it is short");
        assert_eq!(file.len() % 2, 0);
        assert_eq!(file[4..8], ((file.len() - 8) as u32).to_le_bytes());
        assert_eq!(file[50..], [b'd', b'a', b't', b'a', 3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0][..]);
    }
}
