//! The call as heard: what the caller's telephone sent, and what it really played.

use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::audio::mulaw;

/// A recording of one call, µ-law on two tracks of one time line. Positions are in bytes: 8 for
/// each millisecond.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tape {
    caller: Vec<u8>,
    played: Vec<u8>,
    /// The stream is over: nothing reaches the telephone.
    stopped: bool,
}

impl Tape {
    /// The caller's telephone sent this sound.
    pub fn sent(&mut self, position: u64, sound: &[u8]) {
        put(&mut self.caller, position, sound);
    }

    /// The carrier was given this sound, and will play it from there on.
    pub fn queued(&mut self, position: u64, sound: &[u8]) {
        if !self.stopped {
            put(&mut self.played, position, sound);
        }
    }

    /// Whatever was to be played from there on is thrown away.
    pub fn cleared(&mut self, position: u64) {
        self.played.truncate(place(position));
    }

    /// The stream is over, and what was queued with it.
    pub fn stopped(&mut self, position: u64) {
        self.cleared(position);
        self.stopped = true;
    }

    /// Another stream of the same call begins.
    pub fn resumed(&mut self) {
        self.stopped = false;
    }

    /// The sound of caller and of whoever spoke to them, sample by sample.
    pub fn samples(&self) -> impl Iterator<Item = (i16, i16)> {
        let at = |track: &[u8], n: usize| mulaw::decode(*track.get(n).unwrap_or(&mulaw::SILENCE));
        let length = self.caller.len().max(self.played.len());
        (0..length).map(move |n| (at(&self.caller, n), at(&self.played, n)))
    }

    /// Writes a WAV file: caller left, agent and our lines right, 8 kHz, 16 bits.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), hound::Error> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(path, spec)?;
        for (left, right) in self.samples() {
            writer.write_sample(left)?;
            writer.write_sample(right)?;
        }
        writer.finalize()
    }
}

fn put(track: &mut Vec<u8>, position: u64, sound: &[u8]) {
    track.resize(place(position), mulaw::SILENCE);
    track.extend_from_slice(sound);
}

fn place(position: u64) -> usize {
    usize::try_from(position).expect("a call fits into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cleared_is_not_heard() {
        let mut tape = Tape::default();
        tape.sent(4, &[0x10; 4]);
        tape.queued(0, &[0x20; 6]);
        tape.cleared(3);
        tape.queued(5, &[0x30; 2]);
        tape.stopped(6);
        tape.queued(7, &[0x40; 2]);
        let (sent, first, second) = (mulaw::decode(0x10), mulaw::decode(0x20), mulaw::decode(0x30));
        let heard: Vec<_> = tape.samples().collect();
        let expected = [
            (0, first),
            (0, first),
            (0, first),
            (0, 0),
            (sent, 0),
            (sent, second),
            (sent, 0),
            (sent, 0),
        ];
        assert_eq!(heard, expected);
    }
}
