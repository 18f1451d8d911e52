//! Makes the recordings of scenario callers, and has those of our own lines made: `cargo xtask
//! audio`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use hound::{WavReader, WavSpec, WavWriter};

use crate::{
    machine::{self, Program},
    recordings, shell,
};

/// Who says what. The words of a recording stand in its scenario once more, because the simulator
/// does not recognise speech.
const RECORDINGS: [Recording; 8] = [
    english("late_payment_1", "Hi. I am late on my payment, and I want to know what I owe."),
    english(
        "late_payment_2",
        "My loan number is one zero zero two three four. I was born on March fourth, nineteen \
         eighty, and my zip code is six two seven zero one.",
    ),
    english("late_payment_3", "I can pay all of it on Friday."),
    english("late_payment_4", "No, that is all. Thank you. Bye."),
    spanish("pago_tarde_1", "Hola. Estoy atrasada con mi pago, y quiero saber cuánto debo."),
    spanish(
        "pago_tarde_2",
        "Mi número de préstamo es uno cero cero dos tres cuatro. Nací el cuatro de marzo de mil \
         novecientos ochenta, y mi código postal es seis dos siete cero uno.",
    ),
    spanish("pago_tarde_3", "Puedo pagarlo todo el viernes."),
    spanish("pago_tarde_4", "No, eso es todo. Gracias. Adiós."),
];

/// Where the recordings lie, from the root of the workspace.
const FOLDER: &str = "scenarios/audio";

/// One file of them.
struct Recording {
    /// The file's name, without `.wav`.
    name: &'static str,
    /// A voice of espeak-ng; `espeak-ng --voices` lists them.
    voice: &'static str,
    words_per_minute: u32,
    text: &'static str,
    silence_before_ms: u32,
    silence_after_ms: u32,
}

const fn english(name: &'static str, text: &'static str) -> Recording {
    Recording {
        name,
        voice: "en-us",
        words_per_minute: 160,
        text,
        silence_before_ms: 300,
        silence_after_ms: 400,
    }
}

const fn spanish(name: &'static str, text: &'static str) -> Recording {
    Recording { voice: "es-419", ..english(name, text) }
}

pub(crate) const ESPEAK: Program =
    Program { name: "espeak-ng", package: "espeak-ng", purpose: "to speak the recordings" };

/// Makes every recording of the table.
pub(crate) fn make() -> Result<()> {
    machine::need(&ESPEAK)?;
    shell::run(Command::new(ESPEAK.name).arg("--version"))?;
    let root = shell::root()?;
    fs::create_dir_all(root.join(FOLDER)).with_context(|| format!("cannot make {FOLDER}"))?;
    for recording in &RECORDINGS {
        recording.make(&root).with_context(|| format!("{} was not made", recording.name))?;
    }
    let lines = recordings::make(&root)?;
    eprintln!("\n{} recordings are in {FOLDER}, {lines} in locales/recordings", RECORDINGS.len());
    Ok(())
}

impl Recording {
    fn make(&self, root: &Path) -> Result<()> {
        let name = format!("{FOLDER}/{}.wav", self.name);
        let speed = self.words_per_minute.to_string();
        shell::run(
            Command::new(ESPEAK.name)
                .args(["-v", self.voice, "-s", &speed, "-w", &name, "--", self.text])
                .current_dir(root),
        )?;
        let file = root.join(name);
        let (spec, spoken) = read(&file)?;
        let silence = |ms: u32| std::iter::repeat_n(0, (spec.sample_rate * ms / 1_000) as usize);
        let mut writer = WavWriter::create(file, spec)?;
        let sound =
            silence(self.silence_before_ms).chain(spoken).chain(silence(self.silence_after_ms));
        for sample in sound {
            writer.write_sample(sample)?;
        }
        Ok(writer.finalize()?)
    }
}

pub(crate) fn read(file: &Path) -> Result<(WavSpec, Vec<i16>)> {
    let reader = WavReader::open(file)?;
    let spec = reader.spec();
    ensure!(
        (spec.channels, spec.bits_per_sample) == (1, 16),
        "espeak-ng wrote {spec:?}, where one channel of 16 bits was expected"
    );
    let samples = reader.into_samples().collect::<Result<_, _>>()?;
    Ok((spec, samples))
}
