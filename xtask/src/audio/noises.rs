//! Sounds that nobody speaks. All chance in them follows from a seed.

use std::f64::consts::TAU;

use super::sound::Sound;

/// White noise, between -1 and 1.
pub(super) struct White(u64);

impl White {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `SplitMix64`, of which the upper 53 bits make a number.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bits = (mixed ^ (mixed >> 31)) >> 11;
        bits as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A bad line: hiss, and the hum of the mains under it, nine decibels softer.
pub(super) fn line(ms: u32, seed: u64) -> Sound {
    let mut white = White::new(seed);
    let hiss = Sound::of(ms, |_| white.next()).below(3_400.0).level(-20.0);
    let hum = Sound::of(ms, |at| (TAU * 60.0 * at).sin() + 0.5 * (TAU * 180.0 * at).sin());
    hiss.over(&hum.level(-29.0))
}

/// One cough: the throat bursts open, breath rushes out, and the vocal cords close on the last
/// of it.
pub(super) fn cough(seed: u64) -> Sound {
    let mut white = White::new(seed);
    let breath = [(0.0, 0.0), (0.004, 1.0), (0.045, 0.4), (0.160, 0.25), (0.240, 0.0)];
    let voice = [(0.130, 0.0), (0.170, 0.5), (0.220, 0.4), (0.300, 0.0)];
    let (mut turn, mut before) = (0.0, 0.0);
    let air = Sound::of(320, |at| {
        let pitch = 260.0 - 400.0 * at;
        before = turn;
        turn = (turn + pitch * (1.0 / f64::from(super::sound::RATE))) % 1.0;
        // The cords open once a turn.
        let pulse = if turn < before { 6.0 } else { 0.0 };
        white.next() * between(&breath, at) + pulse * between(&voice, at)
    });
    let mouth = air.rings(650.0, 120.0).over(&air.rings(1_450.0, 160.0).louder(-4.0));
    mouth.below(3_400.0)
}

/// Keys of a telephone, each heard for 120 ms and followed by 80 ms of silence (ITU-T Q.23: one
/// tone for the row, one for the column).
pub(super) fn keys(digits: &str) -> Sound {
    let rows = [697.0, 770.0, 852.0, 941.0];
    let columns = [1_209.0, 1_336.0, 1_477.0];
    let mut heard = Sound::silence(0);
    for digit in digits.chars() {
        let Some(place) = "123456789*0#".find(digit) else { continue };
        let (row, column) = (rows[place / 3], columns[place % 3]);
        let tone = Sound::of(120, |at| (TAU * row * at).sin() + (TAU * column * at).sin());
        heard = heard.then(&tone.level(-16.0)).then(&Sound::silence(80));
    }
    heard
}

/// The value at a moment of a line through these points, and zero outside of them.
fn between(points: &[(f64, f64)], at: f64) -> f64 {
    let part = points.windows(2).find(|part| (part[0].0..part[1].0).contains(&at));
    part.map_or(0.0, |part| {
        let ((from, low), (to, high)) = (part[0], part[1]);
        low + (high - low) * (at - from) / (to - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_noise_and_another_one_does_not() {
        assert_eq!(line(50, 1).at_rate(8_000), line(50, 1).at_rate(8_000));
        assert_ne!(line(50, 1).at_rate(8_000), line(50, 2).at_rate(8_000));
        assert_ne!(cough(1).at_rate(8_000), cough(2).at_rate(8_000));
    }

    #[test]
    fn white_noise_is_centred_and_fills_its_range() {
        let mut white = White::new(1);
        let drawn: Vec<_> = (0..100_000).map(|_| white.next()).collect();
        assert!(drawn.iter().all(|sample| (-1.0..1.0).contains(sample)));
        let mean = drawn.iter().sum::<f64>() / 100_000.0;
        assert!(mean.abs() < 0.01, "{mean}");
        let power = drawn.iter().map(|sample| sample * sample).sum::<f64>() / 100_000.0;
        assert!((power - 1.0 / 3.0).abs() < 0.01, "{power}");
    }

    #[test]
    fn a_key_is_two_tones_of_its_row_and_column() {
        let five = keys("5");
        assert_eq!(five.duration_ms(), 200);
        let samples = five.at_rate(8_000);
        let strength = |hertz: f64| {
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (index, sample) in samples[80..880].iter().enumerate() {
                let angle = TAU * hertz * index as f64 / 8_000.0;
                sine += sample * angle.sin();
                cosine += sample * angle.cos();
            }
            sine.hypot(cosine) / 400.0
        };
        for present in [770.0, 1_336.0] {
            assert!((strength(present) - 0.158).abs() < 0.01, "{present}: {}", strength(present));
        }
        for absent in [697.0, 852.0, 941.0, 1_209.0, 1_477.0] {
            assert!(strength(absent) < 0.02, "{absent}: {}", strength(absent));
        }
    }
}
