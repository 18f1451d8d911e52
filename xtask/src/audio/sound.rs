//! Sounds that are put together, one channel at a time.

use std::f64::consts::PI;

/// How many samples a second there are while sounds are put together: what espeak-ng speaks with.
pub(super) const RATE: u32 = 22_050;

/// One channel of sound; full scale is from -1 to 1.
#[derive(Clone)]
pub(super) struct Sound(Vec<f64>);

impl Sound {
    /// What this function says of every moment, in seconds from the start.
    pub(super) fn of(ms: u32, at: impl FnMut(f64) -> f64) -> Self {
        Self((0..samples(ms)).map(|index| index as f64 / f64::from(RATE)).map(at).collect())
    }

    pub(super) fn silence(ms: u32) -> Self {
        Self(vec![0.0; samples(ms)])
    }

    pub(super) fn from_samples(samples: &[i16]) -> Self {
        Self(samples.iter().map(|sample| f64::from(*sample) / 32_768.0).collect())
    }

    /// Without what is all but silent at both ends.
    pub(super) fn trimmed(self) -> Self {
        let sounds = |sample: &f64| sample.abs() > 0.005;
        let first = self.0.iter().position(sounds).unwrap_or_default();
        let last = self.0.iter().rposition(sounds).map_or(0, |last| last + 1);
        Self(self.0.get(first..last).unwrap_or_default().to_vec())
    }

    /// As loud as this on the whole: its root mean square, in decibels below full scale.
    pub(super) fn level(mut self, decibels: f64) -> Self {
        let power = self.0.iter().map(|sample| sample * sample).sum::<f64>();
        let now = (power / self.0.len().max(1) as f64).sqrt();
        if now > 0.0 {
            let gain = 10_f64.powf(decibels / 20.0) / now;
            self.0.iter_mut().for_each(|sample| *sample *= gain);
        }
        self
    }

    /// Louder by so many decibels, or softer.
    pub(super) fn louder(mut self, decibels: f64) -> Self {
        let gain = 10_f64.powf(decibels / 20.0);
        self.0.iter_mut().for_each(|sample| *sample *= gain);
        self
    }

    pub(super) fn then(mut self, next: &Self) -> Self {
        self.0.extend(&next.0);
        self
    }

    /// Both at once, as long as the longer one.
    pub(super) fn over(mut self, other: &Self) -> Self {
        self.0.resize(self.0.len().max(other.0.len()), 0.0);
        for (sample, other) in self.0.iter_mut().zip(&other.0) {
            *sample += other;
        }
        self
    }

    /// As long as this: the rest is cut off, or the sound begins anew.
    pub(super) fn lasting(self, ms: u32) -> Self {
        Self(self.0.into_iter().cycle().take(samples(ms)).collect())
    }

    /// With silence around it.
    pub(super) fn between(self, before_ms: u32, after_ms: u32) -> Self {
        Self::silence(before_ms).then(&self).then(&Self::silence(after_ms))
    }

    pub(super) fn duration_ms(&self) -> u32 {
        (self.0.len() as u64 * 1_000).div_ceil(u64::from(RATE)) as u32
    }

    /// Without what is higher than this, as through a wall or a telephone.
    pub(super) fn below(&self, hertz: f64) -> Self {
        Self(filtered(&self.0, RATE, hertz))
    }

    /// What a cavity of this pitch and width, in hertz, makes of it.
    pub(super) fn rings(&self, hertz: f64, width: f64) -> Self {
        let damping = (-PI * width / f64::from(RATE)).exp();
        let turn = 2.0 * damping * (2.0 * PI * hertz / f64::from(RATE)).cos();
        let (mut last, mut before) = (0.0, 0.0);
        let ringing = self.0.iter().map(|sample| {
            let next = sample + turn * last - damping * damping * before;
            (before, last) = (last, next);
            next
        });
        Self(ringing.collect())
    }

    /// The samples at another rate.
    pub(super) fn at_rate(&self, rate: u32) -> Vec<f64> {
        let highest = f64::from(rate.min(RATE)) / 2.0;
        if rate == RATE { self.0.clone() } else { filtered(&self.0, rate, highest * 0.92) }
    }
}

fn samples(ms: u32) -> usize {
    (u64::from(RATE) * u64::from(ms) / 1_000) as usize
}

/// How many of its zeros the filter reaches to either side.
const REACH: f64 = 16.0;

/// The sound at this rate and without what is higher than `hertz`: each sample is the sum of those
/// around it under a windowed sinc. One filter for both, because the simulator's library, which
/// only changes rates, must not be what makes the files that it is tested with.
fn filtered(sound: &[f64], rate: u32, hertz: f64) -> Vec<f64> {
    let from = f64::from(RATE);
    let cutoff = 2.0 * hertz / from;
    let reach = REACH / cutoff;
    let length = sound.len() * rate as usize / RATE as usize;
    (0..length)
        .map(|index| {
            let here = index as f64 * from / f64::from(rate);
            let first = (here - reach).ceil().max(0.0) as usize;
            let last = ((here + reach).floor() as usize + 1).min(sound.len());
            let around = sound.get(first..last).unwrap_or_default().iter().enumerate();
            let weighted = around.map(|(offset, sample)| {
                let away = (first + offset) as f64 - here;
                let window = 0.5 + 0.5 * (PI * away / reach).cos();
                sample * cutoff * sinc(cutoff * away) * window
            });
            weighted.sum()
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64) -> Sound {
        Sound::of(500, |at| (2.0 * PI * hertz * at).sin())
    }

    /// The root mean square of the middle half.
    fn loudness(samples: &[f64]) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        (middle.iter().map(|sample| sample * sample).sum::<f64>() / middle.len() as f64).sqrt()
    }

    #[test]
    fn a_rate_keeps_length_and_loudness_and_nothing_folds_back() {
        for rate in [8_000, 11_025, 16_000, 44_100, 48_000] {
            let kept = tone(1_000.0).at_rate(rate);
            assert_eq!(kept.len(), rate as usize / 2);
            assert!(
                (loudness(&kept) - 0.5_f64.sqrt()).abs() < 0.005,
                "{rate}: {}",
                loudness(&kept)
            );
        }
        assert!(loudness(&tone(6_000.0).at_rate(8_000)) < 0.001);
    }

    #[test]
    fn what_is_higher_goes_and_what_is_lower_stays() {
        assert!(loudness(&tone(300.0).below(1_500.0).0) > 0.70);
        assert!(loudness(&tone(3_000.0).below(1_500.0).0) < 0.001);
    }

    #[test]
    fn a_level_is_what_it_says() {
        assert!((loudness(&tone(440.0).level(-20.0).0) - 0.1).abs() < 0.000_1);
        assert_eq!(Sound::silence(10).level(-20.0).0, [0.0; 220]);
    }

    #[test]
    fn silence_around_a_sound_is_trimmed() {
        let sound = tone(440.0).level(-20.0).between(100, 50);
        assert_eq!(sound.duration_ms(), 650);
        assert!((499..=500).contains(&sound.trimmed().duration_ms()));
        assert_eq!(Sound::silence(10).trimmed().0, []);
    }
}
