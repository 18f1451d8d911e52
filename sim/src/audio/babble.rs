//! Makes a voice out of written words: nobody could understand it, and it sounds like somebody.
//!
//! A throat is simulated once for each kind of sound, and what is said is put together from its
//! frames: a caller's speech costs little more than copying it. Nothing here is more than adding and
//! multiplying, which every processor does alike.

use std::sync::LazyLock;

use super::{FRAME_BYTES, FRAME_MS, mulaw};

/// Babble for these words, at fifteen letters a second; the last frame is a whole one.
pub(super) fn frames(words: &str, seed: u64) -> Vec<[u8; FRAME_BYTES]> {
    let letters: Vec<char> = words.chars().collect();
    let count = (letters.len() as u64 * 1_000).div_ceil(LETTERS_PER_SECOND * FRAME_MS);
    let key = key(words, seed);
    (0..count)
        .map(|index| {
            let letter = index * FRAME_MS * LETTERS_PER_SECOND / 1_000;
            let sound = Sound::of(letters[letter as usize]);
            let mut frame = SOUNDS[sound as usize][index as usize % SOUND_FRAMES];
            // Each frame has noise of its own, so no two are alike even inside a long vowel.
            hiss(&mut frame, Noise(mixed(key ^ mixed(index))));
            frame
        })
        .collect()
}

const LETTERS_PER_SECOND: u64 = 15;

/// A sound goes on for so many frames before it is heard again.
const SOUND_FRAMES: usize = 8;

/// Every sound, frame by frame, in the order of [`Sound::ALL`].
static SOUNDS: LazyLock<Vec<[[u8; FRAME_BYTES]; SOUND_FRAMES]>> = LazyLock::new(|| {
    let frames = |sound: Sound| {
        let (mut throat, mut noise) = (Throat::default(), Noise(sound as u64));
        let shape = sound.shape();
        let mut frame =
            || std::array::from_fn(|_| mulaw::encode(throat.sample(&shape, &mut noise)));
        // It begins in the middle: the throat has to get going.
        frame();
        std::array::from_fn(|_| frame())
    };
    Sound::ALL.map(frames).into()
});

/// What a letter sounds like.
#[derive(Clone, Copy)]
enum Sound {
    A,
    E,
    I,
    O,
    U,
    Hum,
    Hiss,
    Stop,
    Pause,
}

/// How a sound is made.
struct Shape {
    /// How loud the vocal cords are.
    voice: f64,
    /// How loud the breath is.
    breath: f64,
    /// The two resonances of the mouth, as coefficients of [`Throat`].
    mouth: [f64; 2],
}

impl Sound {
    const ALL: [Self; 9] = [
        Self::A,
        Self::E,
        Self::I,
        Self::O,
        Self::U,
        Self::Hum,
        Self::Hiss,
        Self::Stop,
        Self::Pause,
    ];

    fn of(letter: char) -> Self {
        match letter.to_ascii_lowercase() {
            'a' | 'á' => Self::A,
            'e' | 'é' | 'y' => Self::E,
            'i' | 'í' => Self::I,
            'o' | 'ó' => Self::O,
            'u' | 'ú' | 'w' => Self::U,
            'l' | 'm' | 'n' | 'ñ' | 'r' => Self::Hum,
            's' | 'f' | 'x' | 'z' | 'c' | 'h' => Self::Hiss,
            letter if letter.is_alphanumeric() => Self::Stop,
            _ => Self::Pause,
        }
    }

    const fn shape(self) -> Shape {
        let (voice, breath, mouth) = match self {
            Self::A => (4_000.0, 60.0, [1.646, 1.135]),
            Self::E => (4_000.0, 60.0, [1.784, 0.151]),
            Self::I => (4_000.0, 60.0, [1.877, -0.451]),
            Self::O => (4_000.0, 60.0, [1.784, 1.468]),
            Self::U => (4_000.0, 60.0, [1.870, 1.562]),
            Self::Hum => (2_000.0, 60.0, [1.877, 0.739]),
            Self::Hiss => (0.0, 500.0, [0.151, -0.451]),
            Self::Stop => (2_500.0, 200.0, [1.784, 0.739]),
            Self::Pause => (0.0, 60.0, [1.784, 0.739]),
        };
        Shape { voice, breath, mouth }
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
    fn sample(&mut self, shape: &Shape, noise: &mut Noise) -> i16 {
        let breath = (noise.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        let mut air = shape.breath * breath + self.pulse() * shape.voice;
        for (ringing, coefficient) in self.ringing.iter_mut().zip(shape.mouth) {
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

/// Lays noise over a frame: up to three of the sixteen steps into which µ-law divides each doubling
/// of loudness, so that it is as soft as what it lies over.
fn hiss(frame: &mut [u8; FRAME_BYTES], mut noise: Noise) {
    let (samples, _) = frame.as_chunks_mut::<8>();
    for samples in samples {
        let noise = noise.next() & 0x0303_0303_0303_0303;
        *samples = (u64::from_le_bytes(*samples) ^ noise).to_le_bytes();
    }
}

/// Random numbers, from a counter.
struct Noise(u64);

impl Noise {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }
}

/// One number for the words and the seed (FNV-1a over their bytes).
fn key(words: &str, seed: u64) -> u64 {
    words.bytes().chain(seed.to_le_bytes()).fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Spreads every bit of a number over all of them (the finaliser of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
