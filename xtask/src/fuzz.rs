//! Fuzzing: `cargo xtask fuzz`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;

/// The version of cargo-fuzz that is built when there is none.
const CARGO_FUZZ: &str = "0.13.2";

/// Longer inputs than this find nothing that shorter ones do not, and cost time.
const LENGTH_MAX: u32 = 16_384;

/// What `cargo xtask fuzz` takes.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// One target; all of them, one after the other, when none is given
    #[arg(value_parser = TARGETS.map(|target| target.name))]
    target: Option<String>,

    /// How long each target is run
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,

    /// Run no fuzzer: format, clippy and tests of the targets, on the usual toolchain
    #[arg(long, conflicts_with_all = ["target", "seconds"])]
    check: bool,
}

/// A program in fuzz/fuzz_targets.
struct Target {
    name: &'static str,
    /// Folders with something to begin with, and how their files' names end.
    seeds: &'static [(&'static str, &'static str)],
}

const WEBHOOKS: (&str, &str) = ("transports/fixtures/twilio/webhooks", "form");

const TARGETS: [Target; 14] = [
    Target { name: "call_inputs", seeds: &[("fuzz/seeds/call_inputs", "bin")] },
    Target { name: "company_file", seeds: &[("scenarios/companies", "toml")] },
    Target { name: "deepgram_client", seeds: &[("transports/fixtures/deepgram", "json")] },
    Target { name: "deepgram_server", seeds: &[("transports/fixtures/deepgram", "json")] },
    Target { name: "function_arguments", seeds: &[("fuzz/seeds/function_arguments", "json")] },
    Target { name: "journal_file", seeds: &[] },
    Target { name: "scenario_file", seeds: &[("scenarios", "ron")] },
    Target { name: "signature", seeds: &[("fuzz/seeds/signature", "txt")] },
    Target {
        name: "status_callbacks",
        seeds: &[WEBHOOKS, ("fuzz/seeds/status_callbacks", "form")],
    },
    Target { name: "twilio_answer", seeds: &[("transports/fixtures/twilio/rest", "json")] },
    Target {
        name: "twilio_media",
        seeds: &[
            ("transports/fixtures/twilio/messages/inbound", "json"),
            ("transports/fixtures/twilio/messages/outbound", "json"),
        ],
    },
    Target { name: "twiml", seeds: &[("transports/fixtures/twilio/twiml", "xml")] },
    Target { name: "wav_file", seeds: &[] },
    Target { name: "webhook_form", seeds: &[WEBHOOKS] },
];

pub(crate) fn run(fuzz: &Fuzz) -> Result<()> {
    if fuzz.check {
        return check();
    }
    let cargo_fuzz = shell::tool("cargo-fuzz", CARGO_FUZZ, "about three minutes")?;
    let wanted = |target: &&Target| fuzz.target.as_deref().is_none_or(|name| name == target.name);
    let mut found = vec![];
    for target in TARGETS.iter().filter(wanted) {
        let corpus = corpus(target)?;
        let artifacts = format!("fuzz/artifacts/{}/", target.name);
        let mut command = nightly(&cargo_fuzz)?;
        command.args(["fuzz", "run", "--sanitizer=none", "--target-dir=target/fuzz", target.name]);
        command.arg(corpus).arg("--").args([
            format!("-max_total_time={}", fuzz.seconds),
            format!("-max_len={LENGTH_MAX}"),
            "-timeout=20".to_owned(),
            "-rss_limit_mb=1024".to_owned(),
            "-print_final_stats=1".to_owned(),
        ]);
        // A finding in one target is no reason not to look into the others.
        if let Err(error) = shell::run(&mut command) {
            found.push(format!("{}: {error:#}; see {artifacts}", target.name));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("{}", found.join("\n"))
}

/// What is cheap enough to be done always: no nightly compiler, and no C++ one.
pub(crate) fn check() -> Result<()> {
    let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    let features = ["--no-default-features", "--target-dir", "target"];
    let mut formatting = shell::cargo(["fmt"])?;
    shell::run(formatting.args(manifest).arg("--check"))?;
    let mut clippy = shell::cargo(["clippy"])?;
    let all = ["--all-targets", "--", "-D", "warnings"];
    shell::run(clippy.args(manifest).args(features).args(all))?;
    let mut tests = shell::cargo(["test"])?;
    shell::run(tests.args(manifest).args(features).arg("--lib"))
}

/// The target's growing corpus, with its seeds in it.
fn corpus(target: &Target) -> Result<PathBuf> {
    let root = shell::root()?;
    let corpus = Path::new("fuzz/corpus").join(target.name);
    let folder = root.join(&corpus);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", corpus.display()))?;
    for (from, ending) in target.seeds {
        for entry in fs::read_dir(root.join(from)).with_context(|| format!("no folder {from}"))? {
            let file = entry?.path();
            let (Some(name), true) =
                (file.file_name(), file.extension().is_some_and(|found| found == *ending))
            else {
                continue;
            };
            // The same message may stand in two folders, told in two directions.
            let name = format!("{}-{}", from.replace('/', "-"), name.to_string_lossy());
            fs::copy(&file, folder.join(name))?;
        }
    }
    match target.name {
        "journal_file" => journals(&folder)?,
        "wav_file" => recordings(&folder)?,
        _ => {}
    }
    Ok(corpus)
}

/// How some calls begin: as much of their journals as is mutated.
fn journals(folder: &Path) -> Result<()> {
    for scenario in JOURNALS {
        let file = folder.join(format!("{scenario}.jsonl"));
        let mut sim = shell::cargo(["run", "--quiet", "-p", "sim", "--", "--json"])?;
        sim.arg(format!("scenarios/{scenario}.ron")).arg("--journal").arg(&file);
        shell::run(&mut sim)?;
        let journal = fs::read_to_string(&file)?;
        let mut begins = String::new();
        for line in journal.split_inclusive('\n') {
            if begins.len() + line.len() > LENGTH_MAX as usize {
                break;
            }
            begins.push_str(line);
        }
        fs::write(&file, begins)?;
    }
    Ok(())
}

/// Calls whose journals have much in them.
const JOURNALS: [&str; 2] = ["late_payment", "agent_never_says_done"];

/// Short recordings of every kind that is read: those of callers are too long to be mutated.
fn recordings(folder: &Path) -> Result<()> {
    use hound::{SampleFormat, WavSpec, WavWriter};
    for (channels, sample_rate, bits_per_sample) in
        [(1, 8_000, 8), (1, 8_000, 16), (2, 44_100, 16), (1, 16_000, 24), (1, 48_000, 32)]
    {
        for sample_format in [SampleFormat::Int, SampleFormat::Float] {
            let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
            let file =
                folder.join(format!("{sample_format:?}-{sample_rate}-{bits_per_sample}.wav"));
            match (sample_format, bits_per_sample) {
                (SampleFormat::Int, _) => {
                    let mut writer = WavWriter::create(file, spec)?;
                    (0..800).try_for_each(|n| writer.write_sample(n * 37 % 113))?;
                    writer.finalize()?;
                }
                (SampleFormat::Float, 32) => {
                    let mut writer = WavWriter::create(file, spec)?;
                    (0..800_u16).try_for_each(|n| writer.write_sample(f32::from(n) / 900.0))?;
                    writer.finalize()?;
                }
                _ => {}
            }
        }
    }
    fs::write(folder.join("Mulaw-8000-8.wav"), mulaw())?;
    Ok(())
}

/// A tenth of a second of µ-law, which hound does not write.
fn mulaw() -> Vec<u8> {
    let sound: Vec<u8> = (0..800_u16).map(|n| (n % 256) as u8).collect();
    // Coding 7, one channel, 8,000 samples and bytes a second, blocks of one byte, 8 bits.
    let format = [7, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0];
    let length = |bytes: usize| (bytes as u32).to_le_bytes();
    let (whole, format_length) = (length(20 + format.len() + sound.len()), length(format.len()));
    let sound_length = length(sound.len());
    [&b"RIFF"[..], &whole, b"WAVEfmt ", &format_length, &format, b"data", &sound_length, &sound]
        .concat()
}

/// cargo-fuzz, which hands the build to the nightly compiler: only that one can count branches.
fn nightly(cargo_fuzz: &Path) -> Result<Command> {
    let mut command = Command::new(cargo_fuzz);
    command.current_dir(shell::root()?).env("RUSTUP_TOOLCHAIN", "nightly");
    // The cargo that started us is the pinned one, and these would lead back to it.
    for name in ["CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    Ok(command)
}
