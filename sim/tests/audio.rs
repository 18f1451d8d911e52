//! The voice of a caller: what is read from a file, where speech is found, what words sound like.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

#[path = "audio/difficult.rs"]
mod difficult;

use std::{
    collections::BTreeSet,
    f64::consts::TAU,
    fs,
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use miette::Diagnostic;
use sim::audio::{AudioError, FRAME_BYTES, FRAME_MS, Recording, SpeechSpan, mulaw};
use tempfile::TempDir;

#[test]
fn every_mulaw_code_survives_a_round_trip_but_the_second_zero() {
    for code in 0..=u8::MAX {
        let back = mulaw::encode(mulaw::decode(code));
        assert_eq!(back, if code == 0x7F { mulaw::SILENCE } else { code }, "code {code:#04x}");
    }
    assert_eq!(mulaw::decode(mulaw::SILENCE), 0);
    assert_eq!(mulaw::decode(0x7F), 0);
}

#[test]
fn mulaw_is_never_further_off_than_half_a_step_of_its_segment() {
    for sample in i16::MIN..=i16::MAX {
        let heard = mulaw::decode(mulaw::encode(sample));
        let off = i32::from(sample.clamp(-32_635, 32_635)) - i32::from(heard);
        let half_step = 4.max((i32::from(sample.unsigned_abs()) + 132) / 32);
        assert!(off.abs() <= half_step, "{sample} is heard as {heard}");
    }
    assert_eq!(mulaw::decode(mulaw::encode(i16::MAX)), 32_124);
    assert_eq!(mulaw::decode(mulaw::encode(i16::MIN)), -32_124);
}

#[test]
fn every_caller_on_file_in_a_quiet_room_speaks_once_and_is_silent_around_it() {
    let mut files = callers();
    files.retain(|file| !difficult::is_difficult(file));
    assert!(files.len() >= 8);
    for file in files {
        let recording = Recording::load(&file).unwrap();
        let [SpeechSpan { start_ms, end_ms }] = recording.speech[..] else {
            panic!("{}: {recording:?}", file.display());
        };
        assert!((240..=360).contains(&start_ms), "{}: {recording:?}", file.display());
        let after_ms = recording.duration_ms() - end_ms;
        assert!((400..=900).contains(&after_ms), "{}: {recording:?}", file.display());
    }
}

#[test]
fn silence_in_front_moves_speech_by_its_length() {
    let desk = Desk::new();
    for name in ["late_payment_3", "late_payment_4", "pago_tarde_4"] {
        let file = caller(name);
        let (spec, samples) = samples_of(&file);
        let there = Recording::load(&file).unwrap().speech;
        for shift_ms in [20, 52, 79, 700, 710] {
            let mut shifted = silence(spec, shift_ms);
            shifted.extend(&samples);
            let moved = Recording::load(&desk.write(spec, &shifted)).unwrap().speech;
            assert_eq!(moved.len(), there.len(), "{name} after {shift_ms} ms");
            for (moved, there) in moved.iter().zip(&there) {
                let start_off = moved.start_ms.abs_diff(there.start_ms + shift_ms);
                let end_off = moved.end_ms.abs_diff(there.end_ms + shift_ms);
                assert!(
                    start_off.max(end_off) <= FRAME_MS,
                    "{name} after {shift_ms} ms: {there:?} became {moved:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_file_gives_the_same_recording_every_time() {
    let file = caller("late_payment_4");
    let first = Recording::load(&file).unwrap();
    assert!((0..3).all(|_| Recording::load(&file).unwrap() == first));
}

#[test]
fn a_short_pause_belongs_to_the_sentence_and_a_long_one_ends_it() {
    let desk = Desk::new();
    let (spec, samples) = samples_of(&caller("late_payment_3"));
    let sounds = |sample: &i16| sample.unsigned_abs() > 500;
    let start = samples.iter().position(sounds).unwrap();
    let end = samples.iter().rposition(sounds).unwrap();
    let spoken = &samples[start..end];
    let said_twice = |pause_ms: u64| {
        let sound = [spoken, &silence(spec, pause_ms), spoken].concat();
        Recording::load(&desk.write(spec, &sound)).unwrap().speech
    };
    assert_eq!(said_twice(500).len(), 1);
    assert_eq!(said_twice(1_000).len(), 2);
}

#[test]
fn nobody_speaks_in_silence_in_a_hum_or_in_a_click() {
    let desk = Desk::new();
    let hum = (0..24_000).map(|at| ((f64::from(at) * TAU * 60.0 / 8_000.0).sin() * 100.0) as i16);
    let mut click = silence(LINE, 3_000);
    click[12_000..12_040].fill(20_000);
    let sounds = [("silence", silence(LINE, 3_000)), ("hum", hum.collect()), ("click", click)];
    for (name, samples) in sounds {
        let recording = Recording::load(&desk.write(LINE, &samples)).unwrap();
        assert_eq!(recording.speech, [], "{name}");
        assert_eq!(recording.duration_ms(), 3_000, "{name}");
    }
}

#[test]
fn a_frame_that_the_sound_does_not_fill_ends_in_silence() {
    let desk = Desk::new();
    let recording = Recording::load(&desk.write(LINE, &[1_000; 200])).unwrap();
    let [full, partial] = &recording.frames[..] else { panic!("{recording:?}") };
    assert_eq!(*full, [mulaw::encode(1_000); FRAME_BYTES]);
    assert_eq!(partial[..40], [mulaw::encode(1_000); 40]);
    assert_eq!(partial[40..], [mulaw::SILENCE; 120]);
}

#[test]
fn every_width_of_sample_gives_the_same_frames() {
    let desk = Desk::new();
    let samples: Vec<i16> = (0..1_600).map(|at| (at % 100 - 50) * 256).collect();
    let expected = Recording::load(&desk.write(LINE, &samples)).unwrap();
    for bits in [8, 24, 32] {
        let spec = WavSpec { bits_per_sample: bits, ..LINE };
        let wide = samples.iter().map(|sample| (i32::from(*sample) << 16) >> (32 - bits));
        let file = desk.write(spec, &wide.collect::<Vec<_>>());
        assert_eq!(Recording::load(&file).unwrap(), expected, "{bits} bits");
    }
    let floats: Vec<_> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let file = desk.write(FLOAT, &floats);
    assert_eq!(Recording::load(&file).unwrap(), expected, "float");
}

/// An extensible format may say that fewer bits count than a sample takes: they are the upper ones.
#[test]
fn an_extensible_format_of_24_bits_in_32_and_one_of_mulaw_are_read() {
    let desk = Desk::new();
    let samples: Vec<i16> = (0..1_600).map(|at| (at % 100 - 50) * 256).collect();
    let expected = Recording::load(&desk.write(LINE, &samples)).unwrap();
    let extensible = |coding: u8, bits: u16, valid: u16, sound: &[u8]| {
        let bytes = u32::from(bits / 8);
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x28\0\0\0\xFE\xFF\x01\0\x40\x1F\0\0".to_vec();
        file.extend((8_000 * bytes).to_le_bytes());
        file.extend((bytes as u16).to_le_bytes());
        file.extend(bits.to_le_bytes());
        file.extend(22_u16.to_le_bytes());
        file.extend(valid.to_le_bytes());
        file.extend(4_u32.to_le_bytes());
        file.extend([coding, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        file.extend(b"data");
        file.extend((sound.len() as u32).to_le_bytes());
        file.extend(sound);
        let path = desk.0.path().join(format!("{coding}.wav"));
        fs::write(&path, file).unwrap();
        Recording::load(&path).unwrap()
    };
    let wide: Vec<u8> =
        samples.iter().flat_map(|sample| (i32::from(*sample) << 16).to_le_bytes()).collect();
    assert_eq!(extensible(1, 32, 24, &wide), expected);
    let codes: Vec<u8> = samples.iter().map(|sample| mulaw::encode(*sample)).collect();
    assert_eq!(extensible(7, 8, 8, &codes), expected);
}

#[test]
fn two_channels_are_mixed() {
    let desk = Desk::new();
    let stereo = WavSpec { channels: 2, ..LINE };
    let recording = Recording::load(&desk.write(stereo, &[3_000_i16, 1_000].repeat(160))).unwrap();
    assert_eq!(recording.frames, [[mulaw::encode(2_000); FRAME_BYTES]]);
}

#[test]
fn any_usual_rate_keeps_length_pitch_and_loudness() {
    let desk = Desk::new();
    for rate in [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_099, 44_100, 48_000] {
        for pitch in [300.0, 1_000.0, 3_000.0] {
            let turn = TAU * pitch / f64::from(rate);
            let tone = (0..rate).map(|at| ((f64::from(at) * turn).sin() * 10_000.0) as i16);
            let spec = WavSpec { sample_rate: rate, ..LINE };
            let file = desk.write(spec, &tone.collect::<Vec<_>>());
            let recording = Recording::load(&file).unwrap();
            assert_eq!(recording.duration_ms(), 1_000, "{rate} Hz");
            let strength = strength_at(&recording, pitch);
            assert!((9_000.0..11_000.0).contains(&strength), "{rate}, {pitch}: {strength}");
        }
    }
}

#[test]
fn what_is_no_recording_is_refused_with_the_file_and_the_fix() {
    let desk = Desk::new();
    let refused = |name: &str, bytes: &[u8]| {
        let path = desk.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        Recording::load(&path).unwrap_err()
    };
    let wav = |channels, sample_rate, samples: &[i16]| {
        fs::read(desk.write(WavSpec { channels, sample_rate, ..LINE }, samples)).unwrap()
    };
    let with_byte = |at: usize, value: u8| {
        let mut bytes = wav(1, 8_000, &[1; 80]);
        bytes[at] = value;
        bytes
    };
    let errors = [
        (Recording::load(&desk.0.path().join("none.wav")).unwrap_err(), "there is no recording"),
        (Recording::load(desk.0.path()).unwrap_err(), "cannot read"),
        (refused("empty.wav", b""), "is empty"),
        (refused("header_only.wav", &wav(1, 8_000, &[])), "is empty"),
        (refused("text.wav", b"I am late on my payment, am I not?"), "is no WAV file"),
        (refused("alaw.wav", &with_byte(20, 6)), "holds A-law, neither PCM nor µ-law"),
        (refused("mulaw.wav", &with_byte(20, 7)), "has samples of 16 bits"),
        (refused("odd.wav", &with_byte(20, 99)), "holds the coding 0x0063"),
        (refused("short.wav", &wav(1, 8_000, &[1; 80])[..100]), "is cut off"),
        (refused("stub.wav", &wav(1, 8_000, &[1; 80])[..30]), "is cut off"),
        (refused("torn.wav", &with_byte(32, 9)), "is damaged"),
        (refused("wide.wav", &wav(6, 8_000, &[1; 960])), "has 6 channels"),
        (refused("fast.wav", &wav(1, 96_000, &[1; 960])), "has 96000 samples a second"),
        (refused("slow.wav", &wav(1, 4_000, &[1; 960])), "has 4000 samples a second"),
    ];
    for (error, expected) in errors {
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains(desk.0.path().to_str().unwrap()), "{text} names no file");
        assert!(error.help().is_some_and(|help| !help.to_string().is_empty()), "{text}");
    }
}

#[test]
fn no_broken_header_makes_us_panic() {
    let desk = Desk::new();
    let whole = fs::read(desk.write(LINE, &[500_i16; 80])).unwrap();
    let path = desk.0.path().join("broken.wav");
    for at in 0..44 {
        fs::write(&path, &whole[..at]).unwrap();
        assert!(Recording::load(&path).is_err(), "{at} bytes are no recording");
        for value in [0x00, 0x01, 0x03, 0x10, 0x7F, 0x80, 0xFE, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            fs::write(&path, &bytes).unwrap();
            let _: Result<Recording, AudioError> = Recording::load(&path);
        }
    }
}

#[test]
fn a_mulaw_twin_sounds_like_the_recording_it_was_made_from() {
    let desk = Desk::new();
    for name in ["late_payment_4", "pago_tarde_4"] {
        let file = caller(name);
        let (spec, samples) = samples_of(&file);
        let plain = Recording::load(&file).unwrap();
        let codes: Vec<_> = samples.iter().map(|sample| mulaw::encode(*sample)).collect();
        let twin = Recording::load(&desk.write_mulaw(1, spec.sample_rate, &codes)).unwrap();
        assert_eq!(twin.frames.len(), plain.frames.len());
        assert_eq!(twin.speech.len(), plain.speech.len(), "{name}: {twin:?}");
        for (twin, plain) in twin.speech.iter().zip(&plain.speech) {
            assert!(twin.start_ms.abs_diff(plain.start_ms) <= FRAME_MS, "{name}: {twin:?}");
            assert!(twin.end_ms.abs_diff(plain.end_ms) <= FRAME_MS, "{name}: {twin:?}");
        }
        let difference = loudness(&twin, Some(&plain)) / loudness(&plain, None);
        assert!(difference < 0.03, "{name}: off by {difference}");
    }
}

#[test]
fn at_the_rate_of_the_line_a_mulaw_twin_is_the_very_recording() {
    let desk = Desk::new();
    let recorded = Recording::load(&caller("late_payment_3")).unwrap();
    let codes: Vec<u8> = recorded.frames.concat();
    let samples: Vec<_> = codes.iter().map(|code| mulaw::decode(*code)).collect();
    let plain = Recording::load(&desk.write(LINE, &samples)).unwrap();
    assert_eq!(Recording::load(&desk.write_mulaw(1, 8_000, &codes)).unwrap(), plain);
    let both: Vec<_> = codes.iter().flat_map(|code| [*code, *code]).collect();
    assert_eq!(Recording::load(&desk.write_mulaw(2, 8_000, &both)).unwrap(), plain);
    // The two zeros of µ-law become one; nothing else is changed by being read again.
    let one_zero = codes.iter().map(|code| if *code == 0x7F { mulaw::SILENCE } else { *code });
    assert_eq!(plain.frames.concat(), one_zero.collect::<Vec<_>>());
}

#[test]
fn one_recording_may_be_two_turns_of_a_caller() {
    let desk = Desk::new();
    let company = callers_folder().join("../companies/acme.toml");
    let (company, sound) = (company.display(), caller("late_payment_3"));
    let turn = |words| format!("Says(words: {words:?}, wav: {:?})", sound.to_str().unwrap());
    let scenario = format!(
        r#"Scenario(
            title: "The same words again", company: "{company}", language: en, seed: 1,
            caller: (from: "+15555550105", turns: [{}, {}]),
            agent: [
                (hears: "first", does: [Says("And again?")]),
                (hears: "second", does: [Calls("hangup_call", {{}})]),
            ],
            expect: [
                CallerSaid("The first time."), CallerSaid("The second time."),
                Heard("And again?"), Ended("agent_hangup"),
            ],
        )"#,
        turn("The first time."),
        turn("The second time."),
    );
    let file = desk.0.path().join("again.ron");
    fs::write(&file, scenario).unwrap();
    let played = sim::play(&file).unwrap();
    assert!(played.held(), "{}", played.story());
}

#[test]
fn silence_in_front_moves_speech_in_mulaw_too() {
    let desk = Desk::new();
    let (spec, samples) = samples_of(&caller("late_payment_3"));
    let codes: Vec<_> = samples.iter().map(|sample| mulaw::encode(*sample)).collect();
    let speech = |shift_ms: usize| {
        let silence = vec![mulaw::SILENCE; spec.sample_rate as usize * shift_ms / 1_000];
        let shifted = [&silence[..], &codes].concat();
        Recording::load(&desk.write_mulaw(1, spec.sample_rate, &shifted)).unwrap().speech
    };
    let [there] = speech(0)[..] else { panic!("one sentence is spoken") };
    for shift_ms in [20, 52, 710] {
        let [moved] = speech(shift_ms)[..] else { panic!("still one after {shift_ms} ms") };
        assert!(moved.start_ms.abs_diff(there.start_ms + shift_ms as u64) <= FRAME_MS, "{moved:?}");
        assert!(moved.end_ms.abs_diff(there.end_ms + shift_ms as u64) <= FRAME_MS, "{moved:?}");
    }
}

#[test]
fn mulaw_at_every_rate_that_is_allowed_keeps_its_length_and_others_are_refused() {
    let desk = Desk::new();
    for rate in [8_000, 11_025, 16_000, 44_100, 48_000] {
        for channels in [1, 2] {
            let codes = vec![0x20; rate as usize * usize::from(channels)];
            let file = desk.write_mulaw(channels, rate, &codes);
            assert_eq!(Recording::load(&file).unwrap().duration_ms(), 1_000, "{rate} Hz");
        }
    }
    for (channels, rate, expected) in [
        (0, 8_000, "has 0 channels"),
        (3, 8_000, "has 3 channels"),
        (1, 7_999, "has 7999 samples a second"),
        (1, 48_001, "has 48001 samples a second"),
        (2, u32::MAX, "has 4294967295 samples a second"),
    ] {
        let error = Recording::load(&desk.write_mulaw(channels, rate, &[0; 6])).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn broken_mulaw_is_refused_and_says_what_is_broken() {
    let desk = Desk::new();
    let whole = fs::read(desk.write_mulaw(2, 8_000, &[0x31; 800])).unwrap();
    let path = desk.0.path().join("broken.wav");
    let load = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Recording::load(&path)
    };
    assert!(load(&whole).is_ok());
    let with = |at: usize, length: u32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    // The length of the format stands at 16, its block at 32, the length of the sound at 42.
    let mut block = whole.clone();
    block[32] = 7;
    let errors = [
        ("a format without an end", load(&with(16, 0x7000_0000)), "is cut off"),
        ("a format of no length", load(&with(16, 0)), "is cut off"),
        ("a sound without an end", load(&with(42, 801)), "is cut off"),
        ("a sound of no length", load(&with(42, 0)), "is empty"),
        ("half a block", load(&with(42, 799)), "is damaged"),
        ("a block of another size", load(&block), "is damaged"),
    ];
    for (what, outcome, expected) in errors {
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(expected), "{what}: {text}");
    }
    assert!(load(&with(42, u32::MAX)).is_ok(), "who writes into a pipe does not know the length");
    for at in 0..50 {
        assert!(load(&whole[..at]).is_err(), "{at} bytes are no recording");
        for value in [0x00, 0x01, 0x03, 0x10, 0x7F, 0x80, 0xFE, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _: Result<Recording, AudioError> = load(&bytes);
        }
    }
}

#[test]
fn floats_that_are_no_numbers_are_silence() {
    let desk = Desk::new();
    let spec = WavSpec { sample_rate: 16_000, ..FLOAT };
    let strange = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0].repeat(80);
    let recording = Recording::load(&desk.write(spec, &strange)).unwrap();
    assert_eq!(recording.frames, [[mulaw::SILENCE; FRAME_BYTES]]);
}

#[test]
fn notes_of_an_editor_and_a_length_that_nobody_knew_do_not_matter() {
    let desk = Desk::new();
    let file = desk.write(LINE, &[700_i16; 160]);
    let expected = Recording::load(&file).unwrap();
    let plain = fs::read(&file).unwrap();
    // Three bytes of notes, and one that makes them even.
    let notes = &b"LIST\x03\0\0\0abc\0"[..];
    let unknown = &[0xFF; 4];
    let edited = [&plain[..12], notes, &plain[12..40], unknown, &plain[44..]].concat();
    fs::write(&file, edited).unwrap();
    assert_eq!(Recording::load(&file).unwrap(), expected);
}

#[test]
fn words_last_as_long_as_they_take_to_say() {
    for (words, duration_ms) in [("", 0), ("a", 80), ("yes", 200), ("fifteen letters", 1_000)] {
        let recording = Recording::from_words(words, 1);
        assert_eq!(recording.duration_ms(), duration_ms, "{words:?}");
        let whole = SpeechSpan { start_ms: 0, end_ms: duration_ms };
        assert_eq!(recording.speech, if words.is_empty() { vec![] } else { vec![whole] });
    }
}

#[test]
fn every_frame_of_every_word_is_one_of_a_kind() {
    let mut seen = BTreeSet::new();
    let long = "I would like to pay, I would like to pay, aaaaaaaaaaaa          ".repeat(20);
    for words in ["yes", "yes ", " yes", "no", "sí", "Yes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", &long]
    {
        for seed in [0, 1, 2, 1 << 40, u64::MAX] {
            let recording = Recording::from_words(words, seed);
            assert_eq!(recording, Recording::from_words(words, seed));
            for frame in recording.frames {
                assert!(seen.insert(frame), "{words:?} with seed {seed} repeats a frame");
            }
        }
    }
    assert!(!seen.contains(&[mulaw::SILENCE; FRAME_BYTES]));
}

#[test]
fn babble_is_speech_to_the_detector_too() {
    let desk = Desk::new();
    for words in ["Hello, this is Maria Diaz.", "No. I want to talk to a person, please."] {
        let babble = Recording::from_words(words, 3);
        let mut samples = silence(LINE, 500);
        samples.extend(babble.frames.iter().flatten().map(|code| mulaw::decode(*code)));
        samples.extend(silence(LINE, 500));
        let heard = Recording::load(&desk.write(LINE, &samples)).unwrap().speech;
        let [SpeechSpan { start_ms, end_ms }] = heard[..] else { panic!("{words:?}: {heard:?}") };
        assert!((480..700).contains(&start_ms), "{words:?}: {heard:?}");
        assert!(end_ms.abs_diff(500 + babble.duration_ms()) < 200, "{words:?}: {heard:?}");
    }
}

const LINE: WavSpec = WavSpec {
    channels: 1,
    sample_rate: 8_000,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

const FLOAT: WavSpec = WavSpec { bits_per_sample: 32, sample_format: SampleFormat::Float, ..LINE };

/// Where a test writes its recordings.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write<S: hound::Sample + Copy>(&self, spec: WavSpec, samples: &[S]) -> PathBuf {
        let file = self.0.path().join("tried.wav");
        let mut writer = WavWriter::create(&file, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        file
    }

    /// As others write it: a format of 18 bytes, because something may follow the 16.
    fn write_mulaw(&self, channels: u16, rate: u32, codes: &[u8]) -> PathBuf {
        let size = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
        let format = [
            &7_u16.to_le_bytes()[..],
            &channels.to_le_bytes(),
            &rate.to_le_bytes(),
            &rate.wrapping_mul(u32::from(channels)).to_le_bytes(),
            &channels.to_le_bytes(),
            &8_u16.to_le_bytes(),
            &[0; 2],
        ]
        .concat();
        let sound = [&b"data"[..], &size(codes.len()), codes].concat();
        let chunks = [&b"WAVEfmt "[..], &size(format.len()), &format, &sound].concat();
        let file = self.0.path().join("mulaw.wav");
        fs::write(&file, [&b"RIFF"[..], &size(chunks.len()), &chunks].concat()).unwrap();
        file
    }
}

fn silence(spec: WavSpec, ms: u64) -> Vec<i16> {
    vec![0; (u64::from(spec.sample_rate) * ms / 1_000) as usize]
}

fn callers() -> Vec<PathBuf> {
    let folder = fs::read_dir(callers_folder()).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wav"));
    files.sort();
    files
}

fn caller(name: &str) -> PathBuf {
    callers_folder().join(name).with_extension("wav")
}

fn callers_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/audio")
}

fn samples_of(file: &Path) -> (WavSpec, Vec<i16>) {
    let reader = WavReader::open(file).unwrap();
    (reader.spec(), reader.into_samples().map(Result::unwrap).collect())
}

/// How loud a recording is on the whole, or how loud its difference from another one.
fn loudness(recording: &Recording, less: Option<&Recording>) -> f64 {
    let samples = |recording: &Recording| -> Vec<f64> {
        recording.frames.iter().flatten().map(|code| f64::from(mulaw::decode(*code))).collect()
    };
    let mut sound = samples(recording);
    if let Some(less) = less {
        sound.iter_mut().zip(samples(less)).for_each(|(sample, less)| *sample -= less);
    }
    (sound.iter().map(|sample| sample * sample).sum::<f64>() / sound.len() as f64).sqrt()
}

/// How loud one pitch is in the middle of a recording.
fn strength_at(recording: &Recording, pitch: f64) -> f64 {
    let codes: Vec<_> = recording.frames.iter().flatten().collect();
    let middle = &codes[1_600..6_400];
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (at, code) in middle.iter().enumerate() {
        let angle = at as f64 * TAU * pitch / 8_000.0;
        let sample = f64::from(mulaw::decode(**code));
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
    }
    f64::hypot(sine, cosine) * 2.0 / middle.len() as f64
}
