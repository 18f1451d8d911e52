//! Makes the recordings of our own lines: `cargo xtask audio`.
//!
//! Every message of `locales/<language>/lines.ftl` that has no blanks is spoken by espeak-ng and
//! kept as a telephone would play it: µ-law, 8,000 samples a second, without a header.

use std::{f64::consts::PI, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{
    audio::{ESPEAK, read},
    shell,
};

/// Folders in `locales/`, and voices of espeak-ng.
const VOICES: [(&str, &str); 2] = [("en", "en-us"), ("es", "es-419")];

/// Brisk, which also keeps the files small.
const WORDS_PER_MINUTE: &str = "175";

/// Messages that nobody speaks.
const NOT_SPOKEN: [&str; 1] = ["language-name"];

/// Samples a second on a telephone line.
const RATE: f64 = 8_000.0;

/// What is quieter is silence, at both ends of a recording.
const QUIET: i16 = 200;

/// The loudest sample of a recording: half of the scale, as loud as speech is on a line.
const PEAK: f64 = 16_000.0;

/// Makes the recording of every line, in every language, and takes away those of older words.
pub(crate) fn make(root: &Path) -> Result<usize> {
    let mut made = 0;
    for (language, voice) in VOICES {
        let folder = root.join("locales/recordings").join(language);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let lines = root.join("locales").join(language).join("lines.ftl");
        let source = fs::read_to_string(&lines).with_context(|| lines.display().to_string())?;
        for line in lines_without_blanks(&source) {
            let name = format!("{}-{}", line.id, line.version);
            speak(root, voice, &line.text, &folder.join(format!("{name}.ulaw")))
                .with_context(|| format!("{language}/{name} was not made"))?;
            made += 1;
        }
    }
    Ok(made)
}

#[derive(Debug, PartialEq, Eq)]
struct Line {
    id: String,
    version: String,
    text: String,
}

/// The messages of a Fluent file of ours, which holds nothing but text, blanks and versions.
fn lines_without_blanks(source: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in source.lines().filter(|row| !row.starts_with('#')) {
        let begins = row.starts_with(|c: char| c.is_ascii_lowercase());
        match row.split_once('=') {
            Some((id, text)) if begins => lines.push(Line {
                id: id.trim().to_owned(),
                version: String::new(),
                text: text.trim().to_owned(),
            }),
            Some((name, version)) if name.trim() == ".version" => {
                if let Some(line) = lines.last_mut() {
                    line.version = version.trim().to_owned();
                }
            }
            _ => {
                if let Some(line) = lines.last_mut().filter(|_| !row.trim().is_empty()) {
                    line.text = format!("{} {}", line.text, row.trim()).trim().to_owned();
                }
            }
        }
    }
    lines.retain(|line| !line.text.contains('{') && !NOT_SPOKEN.contains(&&*line.id));
    lines
}

fn speak(root: &Path, voice: &str, text: &str, file: &Path) -> Result<()> {
    let wav = file.with_extension("wav");
    shell::run(
        Command::new(ESPEAK.name)
            .args(["-v", voice, "-s", WORDS_PER_MINUTE, "-w"])
            .arg(&wav)
            .args(["--", text])
            .current_dir(root),
    )?;
    let (spec, samples) = read(&wav)?;
    fs::remove_file(&wav)?;
    let loud = |sample: &i16| sample.unsigned_abs() > QUIET.unsigned_abs();
    let (first, last) = (samples.iter().position(loud), samples.iter().rposition(loud));
    let (Some(first), Some(last)) = (first, last) else {
        anyhow::bail!("espeak-ng wrote silence");
    };
    let speech = &samples[first..=last];
    let loudest = speech.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(1);
    let gain = PEAK / f64::from(loudest);
    let on_the_line = to_telephone(speech, f64::from(spec.sample_rate));
    ensure!(!on_the_line.is_empty(), "nothing is left of it at {RATE} samples a second");
    let codes: Vec<u8> = on_the_line.iter().map(|sample| mulaw(sample * gain)).collect();
    Ok(fs::write(file, codes)?)
}

/// Speech at the rate of a telephone line, by a windowed sinc that lets pass what the line can hold.
fn to_telephone(samples: &[i16], rate: f64) -> Vec<f64> {
    let step = rate / RATE;
    let reach = 8.0 * step;
    let count = (samples.len() as f64 / step) as usize;
    let at = |number: usize| {
        let middle = number as f64 * step;
        let from = (middle - reach).max(0.0) as usize;
        let to = ((middle + reach) as usize).min(samples.len().saturating_sub(1));
        let part = |place: usize| {
            let distance = (place as f64 - middle) / step;
            let sinc = if distance == 0.0 { 1.0 } else { (PI * distance).sin() / (PI * distance) };
            let window = (PI * distance / 16.0).cos().powi(2);
            f64::from(samples[place]) * sinc * window / step
        };
        (from..=to).map(part).sum()
    };
    (0..count).map(at).collect()
}

/// G.711 µ-law.
fn mulaw(sample: f64) -> u8 {
    const BIAS: u16 = 0x84;
    let sign = if sample < 0.0 { 0x80 } else { 0 };
    let loudness = (sample.abs() as u16).min(32_635) + BIAS;
    let segment = 8 - loudness.leading_zeros() as u16;
    let step = (loudness >> (segment + 3)) & 0x0F;
    !(sign | ((segment << 4) | step) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_blanks_and_names_of_languages_are_not_recorded() {
        let source = "# A note.\nhold = One moment.\n    .version = 1\n\nopening =\n    Welcome to\n    \
                      { $company }.\n    .version = 3\n\nnotice =\n    It is\n    recorded.\n    \
                      .version = 2\nlanguage-name = English\n    .version = 1\n";
        let line = |id: &str, version: &str, text: &str| Line {
            id: id.to_owned(),
            version: version.to_owned(),
            text: text.to_owned(),
        };
        let expected = [line("hold", "1", "One moment."), line("notice", "2", "It is recorded.")];
        assert_eq!(lines_without_blanks(source), expected);
    }

    #[test]
    fn silence_and_the_ends_of_the_scale_have_the_codes_of_g_711() {
        assert_eq!([0.0, 32_767.0, -32_768.0].map(mulaw), [0xFF, 0x80, 0x00]);
    }
}
