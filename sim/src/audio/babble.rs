//! Makes a voice out of written words: nobody could understand it, and it sounds like somebody.
//!
//! Nothing here is more than adding and multiplying, which every processor does alike.

use super::{FRAME_BYTES, FRAME_MS, mulaw};

/// Babble for these words, at fifteen letters a second; the last frame is a whole one.
pub(super) fn frames(words: &str, seed: u64) -> Vec<[u8; FRAME_BYTES]> {
    let letters: Vec<char> = words.chars().collect();
    let count = (letters.len() as u64 * 1_000).div_ceil(LETTERS_PER_SECOND * FRAME_MS);
    let key = key(words, seed);
    let mut throat = Throat::default();
    (0..count)
        .map(|index| {
            let letter = index * FRAME_MS * LETTERS_PER_SECOND / 1_000;
            let sound = Sound::of(letters[letter as usize]);
            // Each frame has noise of its own, so no two are alike even inside a long vowel.
            let mut noise = Noise(mixed(key ^ mixed(index)));
            std::array::from_fn(|_| mulaw::encode(throat.sample(&sound, &mut noise)))
        })
        .collect()
}

const LETTERS_PER_SECOND: u64 = 15;

/// What a letter sounds like.
struct Sound {
    /// How loud the vocal cords are.
    voice: f64,
    /// How loud the breath is. Never zero: even between two words, frames must differ.
    breath: f64,
    /// The two resonances of the mouth, as coefficients of [`Throat`].
    mouth: [f64; 2],
}

impl Sound {
    fn of(letter: char) -> Self {
        let vowel = |mouth| Self { voice: 4_000.0, breath: 60.0, mouth };
        match letter.to_ascii_lowercase() {
            'a' | 'á' => vowel([1.646, 1.135]),
            'e' | 'é' | 'y' => vowel([1.784, 0.151]),
            'i' | 'í' => vowel([1.877, -0.451]),
            'o' | 'ó' => vowel([1.784, 1.468]),
            'u' | 'ú' | 'w' => vowel([1.870, 1.562]),
            'l' | 'm' | 'n' | 'ñ' | 'r' => {
                Self { voice: 2_000.0, breath: 60.0, mouth: [1.877, 0.739] }
            }
            's' | 'f' | 'x' | 'z' | 'c' | 'h' => {
                Self { voice: 0.0, breath: 500.0, mouth: [0.151, -0.451] }
            }
            letter if letter.is_alphanumeric() => {
                Self { voice: 2_500.0, breath: 200.0, mouth: [1.784, 0.739] }
            }
            _ => Self { voice: 0.0, breath: 60.0, mouth: [1.784, 0.739] },
        }
    }
}

/// Vocal cords that open a hundred times a second or more, and two resonators behind them.
#[derive(Default)]
struct Throat {
    /// Samples since the cords last opened.
    since_pulse: u32,
    /// How many times they have opened.
    pulses: u32,
    /// The last two samples that left each resonator.
    ringing: [[f64; 2]; 2],
}

impl Throat {
    fn sample(&mut self, sound: &Sound, noise: &mut Noise) -> i16 {
        let mut air = sound.breath * noise.next() + self.pulse() * sound.voice;
        for (ringing, coefficient) in self.ringing.iter_mut().zip(sound.mouth) {
            let [last, before] = *ringing;
            let next = air * GAIN + coefficient * last - DAMPING * before;
            *ringing = [next, last];
            air = next;
        }
        air.clamp(-20_000.0, 20_000.0) as i16
    }

    /// One when the cords open, with a pitch that wanders from pulse to pulse.
    fn pulse(&mut self) -> f64 {
        self.since_pulse += 1;
        if self.since_pulse < 62 + self.pulses % 9 {
            return 0.0;
        }
        self.since_pulse = 0;
        self.pulses += 1;
        1.0
    }
}

/// How fast a resonator falls silent: a resonance about 90 Hz wide.
const DAMPING: f64 = 0.932;

/// How much of the air gets into a resonator.
const GAIN: f64 = 0.6;

/// White noise between -1 and 1, from a counter.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (mixed(self.0) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// One number for the words and the seed (FNV-1a over their bytes).
fn key(words: &str, seed: u64) -> u64 {
    words.bytes().chain(seed.to_le_bytes()).fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Spreads every bit of a number over all of them (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
