//! Callers who cough, hum, or have a television on: what is found in their recordings, and in
//! speech that noise was laid under.

use std::collections::BTreeSet;

use call_core::Language;
use sim::cast::hearing::{Hearing, Noticed};

use super::{Desk, LINE, Path, Recording, SpeechSpan, caller, callers, fs, mulaw};

/// From when to when there is something like a voice, in milliseconds; nothing where there is none.
type Heard = Option<(u64, u64)>;

/// Each recording that is no clean caller, how long it lasts in milliseconds, and what is heard in
/// it, as it was put together.
const DIFFICULT: [(&str, u64, Heard); 10] = [
    ("aja", 540, Some((60, 480))),
    ("cough", 840, Some((40, 800))),
    ("horario_ruido", 1_860, Some((300, 1_460))),
    ("hours_line_noise", 1_640, Some((300, 1_240))),
    ("line_noise", 4_000, None),
    ("mm_hmm", 580, Some((60, 520))),
    ("number_keypad", 4_660, Some((300, 4_260))),
    ("second_voice", 2_420, Some((60, 2_360))),
    ("television", 6_000, Some((0, 6_000))),
    ("terms_second_voice", 2_460, Some((300, 2_060))),
];

/// Those in which somebody says something to us.
const WORDS: [(&str, &str); 6] = [
    ("aja", "Ajá."),
    ("horario_ruido", "¿Cuál es su horario?"),
    ("hours_line_noise", "What are your hours?"),
    ("mm_hmm", "Mm-hmm."),
    ("number_keypad", "Here is my loan number. Did you get that?"),
    ("terms_second_voice", "Please read me the payoff terms."),
];

pub(super) fn is_difficult(file: &Path) -> bool {
    DIFFICULT.iter().any(|(name, ..)| *file == caller(name))
}

/// S03, S04, S40.
#[test]
fn a_difficult_caller_is_heard_where_there_is_a_voice_and_a_line_alone_is_not() {
    for (name, duration_ms, heard) in DIFFICULT {
        let recording = Recording::load(&caller(name)).unwrap();
        assert_eq!(recording.duration_ms(), duration_ms, "{name}");
        let spans: Vec<_> = heard.into_iter().collect();
        assert_eq!(recording.speech.len(), spans.len(), "{name}: {recording:?}");
        for (found, (start_ms, end_ms)) in recording.speech.iter().zip(spans) {
            assert!(found.start_ms.abs_diff(start_ms) <= 80, "{name}: {found:?}");
            assert!(found.end_ms.abs_diff(end_ms) <= 100, "{name}: {found:?}");
        }
    }
}

/// S03, S04, S40: what is heard as somebody, and what of it is understood.
#[test]
fn noisy_words_are_recognised_by_their_sound_and_noises_are_nobodys_words() {
    let recordings: Vec<_> = DIFFICULT
        .iter()
        .map(|(name, ..)| {
            let words = WORDS.iter().find(|(of, _)| of == name).map_or("", |(_, words)| words);
            (*name, Recording::load(&caller(name)).unwrap(), words)
        })
        .collect();
    let everyone = recordings.iter().map(|(_, recording, words)| (recording, *words, None));
    let listener = Hearing::new(everyone);
    for (name, recording, words) in &recordings {
        let mut expected = vec![];
        expected.extend((!recording.speech.is_empty()).then_some(Noticed::SpeechBegan));
        expected.extend((!words.is_empty()).then(|| Noticed::Words((*words).to_owned(), None)));
        let mut hearing = listener.clone();
        let heard: Vec<_> =
            recording.frames.iter().flat_map(|frame| hearing.listen(frame)).collect();
        assert_eq!(heard, expected, "{name}");
    }
}

/// S04: what nobody has said is not recognised either, whatever is known.
#[test]
fn a_line_with_nobody_on_it_is_no_recording_that_is_known() {
    let known = Recording::load(&caller("hours_line_noise")).unwrap();
    let english = Some(Language::English);
    let mut hearing = Hearing::new([(&known, "What are your hours?", english)]);
    let line = Recording::load(&caller("line_noise")).unwrap();
    assert!(line.frames.iter().flat_map(|frame| hearing.listen(frame)).next().is_none());
    let heard: Vec<_> = known.frames.iter().flat_map(|frame| hearing.listen(frame)).collect();
    let words = Noticed::Words("What are your hours?".to_owned(), english);
    assert_eq!(heard, [Noticed::SpeechBegan, words]);
}

/// On a line that is bad and not hopeless, a sentence has its start and its end.
#[test]
fn speech_in_noise_starts_and_ends_where_it_did_without() {
    let noises = [("hiss", hiss(4 * 8_000)), ("line", line_samples("line_noise"))];
    // In decibels above the noise; then how many milliseconds the start may be early or late, and
    // the end. Noise that sets in out of silence may be taken for a voice at first, and then it
    // belongs to the sentence that follows: louder noise is known for what it is, softer unheard.
    let lines = [
        (30.0, (20, 20), (60, 60)),
        (20.0, (20, 60), (60, 100)),
        (15.0, (260, 60), (60, 140)),
        (10.0, (20, 100), (60, 200)),
    ];
    for name in ["late_payment_3", "late_payment_4", "pago_tarde_3"] {
        for (noise_name, noise) in &noises {
            for (decibels, start, end) in lines {
                let (clean, noisy) = with_noise(name, noise, decibels);
                let what = format!("{name} {decibels} dB above {noise_name}: {clean:?}, {noisy:?}");
                let ([clean], [noisy]) = (&clean[..], &noisy[..]) else { panic!("{what}") };
                let near = |found: u64, wanted: u64, (early, late): (u64, u64)| {
                    (wanted.saturating_sub(early)..=wanted + late).contains(&found)
                };
                assert!(near(noisy.start_ms, clean.start_ms, start), "{what}");
                assert!(near(noisy.end_ms, clean.end_ms, end), "{what}");
            }
        }
    }
}

/// A programme is made of voices, so it counts as speech; what matters is the end of the sentence,
/// and a television that is soft enough does not move it.
#[test]
fn a_soft_television_does_not_hide_the_end_of_a_sentence_and_a_loud_one_does() {
    let television = line_samples("television");
    for name in ["late_payment_3", "pago_tarde_3"] {
        let (clean, soft) = with_noise(name, &television, 30.0);
        assert!(soft[0].end_ms.abs_diff(clean[0].end_ms) <= 60, "{name}: {soft:?}");
        let (clean, loud) = with_noise(name, &television, 10.0);
        assert_eq!(loud.len(), 1, "{name}: {loud:?}");
        assert!(
            loud[0].start_ms < 100 && loud[0].end_ms > clean[0].end_ms + 500,
            "{name}: {loud:?}"
        );
    }
}

/// Comfort noise of a network is at -60 to -40 decibels below full scale.
#[test]
fn nobody_speaks_in_hiss_however_loud_a_line_may_be() {
    let desk = Desk::new();
    for decibels in [-60.0, -50.0, -40.0, -30.0] {
        let gain = 32_768.0 * 10_f64.powf(decibels / 20.0);
        let samples: Vec<_> = hiss(40_000).iter().map(|hiss| (hiss * gain) as i16).collect();
        let recording = Recording::load(&desk.write(LINE, &samples)).unwrap();
        assert_eq!(recording.speech, [], "{decibels} dB");
    }
}

/// Every coding that is read is read from a file that is there to be played.
#[test]
fn the_recordings_come_in_every_coding_with_one_channel_and_with_two() {
    let forms: BTreeSet<_> = callers().iter().map(|file| form(&fs::read(file).unwrap())).collect();
    let codings: BTreeSet<_> = forms.iter().map(|form| (form.coding, form.bits)).collect();
    let (pcm, float, mu_law) = (1, 3, 7);
    assert_eq!(
        codings,
        [(pcm, 8), (pcm, 16), (pcm, 24), (float, 32), (mu_law, 8)].into_iter().collect()
    );
    let rates: BTreeSet<_> = forms.iter().map(|form| form.rate).collect();
    assert_eq!(rates, [8_000, 11_025, 16_000, 22_050, 44_100, 48_000].into_iter().collect());
    for coding in [pcm, float, mu_law] {
        assert!(forms.iter().any(|form| form.coding == coding && form.channels == 2), "{coding}");
    }
}

/// A copy that was broken off is no shorter recording.
#[test]
fn a_recording_of_any_coding_that_is_cut_off_says_so() {
    let desk = Desk::new();
    let path = desk.0.path().join("cut.wav");
    for name in ["mm_hmm", "aja", "line_noise", "second_voice", "hours_line_noise"] {
        let whole = fs::read(caller(name)).unwrap();
        for kept in [13, 30, 44, 60, whole.len() / 2, whole.len() - 2] {
            fs::write(&path, &whole[..kept]).unwrap();
            let text = Recording::load(&path).unwrap_err().to_string();
            assert!(text.ends_with("cut.wav is cut off"), "{name}, {kept} bytes: {text}");
        }
        fs::write(&path, &whole[..0]).unwrap();
        let text = Recording::load(&path).unwrap_err().to_string();
        assert!(text.ends_with("cut.wav is empty"), "{name}: {text}");
    }
}

/// What other programs write that call themselves WAV, too.
#[test]
fn a_wav_file_of_another_kind_is_refused_by_its_name() {
    let desk = Desk::new();
    let path = desk.0.path().join("other.wav");
    // Coding, channels, rate, and bits.
    let others = [
        ((0x02, 1, 8_000, 4), "holds ADPCM, neither PCM nor µ-law"),
        ((0x11, 1, 8_000, 4), "holds ADPCM, neither PCM nor µ-law"),
        ((0x31, 1, 8_000, 0), "holds GSM, neither PCM nor µ-law"),
        ((0x55, 2, 44_100, 0), "holds MP3, neither PCM nor µ-law"),
        ((1, 6, 48_000, 16), "has 6 channels"),
        ((1, 0, 8_000, 16), "has 0 channels"),
        ((1, 1, 0, 16), "has 0 samples a second"),
        ((3, 1, 0, 32), "has 0 samples a second"),
        ((7, 1, 0, 8), "has 0 samples a second"),
        ((1, 1, 8_000, 0), "has samples of 0 bits"),
        ((1, 1, 8_000, 12), "has samples of 12 bits"),
        ((3, 1, 8_000, 64), "has samples of 64 bits"),
        ((7, 1, 8_000, 16), "has samples of 16 bits"),
    ];
    for (kind, expected) in others {
        fs::write(&path, wav(kind, &[1; 960])).unwrap();
        let text = Recording::load(&path).unwrap_err().to_string();
        assert!(text.contains(expected), "{kind:?}: {text}");
    }
    for kind in [(1, 1, 8_000, 16), (3, 2, 48_000, 32), (7, 1, 8_000, 8)] {
        fs::write(&path, wav(kind, &[])).unwrap();
        let text = Recording::load(&path).unwrap_err().to_string();
        assert!(text.ends_with("other.wav is empty"), "{kind:?}: {text}");
        fs::write(&path, wav(kind, &[0; 960])).unwrap();
        assert!(Recording::load(&path).is_ok(), "{kind:?} is what we read");
    }
}

/// A header of 16 bytes of format, and this sound.
fn wav((coding, channels, rate, bits): (u16, u16, u32, u16), sound: &[u8]) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    [
        &b"RIFF"[..],
        &length(36 + sound.len()),
        b"WAVEfmt ",
        &length(16),
        &coding.to_le_bytes(),
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &length(sound.len()),
        sound,
    ]
    .concat()
}

/// How a file is coded. "Extensible" says it in the first two bytes of its kind's identifier.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    coding: u16,
    bits: u16,
    channels: u16,
    rate: u32,
}

fn form(bytes: &[u8]) -> Form {
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let rate = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
    let coding = if short(20) == 0xFFFE { short(44) } else { short(20) };
    Form { coding, bits: short(34), channels: short(22), rate }
}

/// Where speech is found in a caller's sentence alone, and with so much softer a noise under it.
fn with_noise(name: &str, noise: &[f64], decibels: f64) -> (Vec<SpeechSpan>, Vec<SpeechSpan>) {
    let clean = Recording::load(&caller(name)).unwrap().speech;
    let samples = line_samples(name);
    let at = |ms: u64| (ms * 8) as usize;
    let spoken = &samples[at(clean[0].start_ms)..at(clean[0].end_ms)];
    let gain = power(spoken) / power(noise) / 10_f64.powf(decibels / 20.0);
    let pairs = samples.iter().zip(noise.iter().cycle());
    let mixed: Vec<_> = pairs.map(|(sample, noise)| (sample + noise * gain) as i16).collect();
    (clean, Recording::load(&Desk::new().write(LINE, &mixed)).unwrap().speech)
}

/// The root mean square.
fn power(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
}

fn line_samples(name: &str) -> Vec<f64> {
    let recording = Recording::load(&caller(name)).unwrap();
    recording.frames.iter().flatten().map(|code| f64::from(mulaw::decode(*code))).collect()
}

/// White noise whose root mean square is 1. Its chance is a multiplication (Knuth's).
fn hiss(samples: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 / f64::from(1 << 30) - 1.0) * 3_f64.sqrt()
    });
    noise.take(samples).collect()
}
