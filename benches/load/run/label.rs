//! What a frame of a load run carries in its audio bytes, so that its echo can be told.

/// Bytes of audio in a frame of the carrier: 20 ms of µ-law.
pub(crate) const FRAME_BYTES: usize = 160;

const MAGIC: [u8; 8] = *b"offhook\xFE";

/// A frame's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    /// Which call it belongs to, from 0.
    pub(crate) call: u32,
    /// Its place in the call, from 0.
    pub(crate) number: u32,
    pub(crate) kind: Kind,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is spoken by the caller, and comes back.
    Echo,
    /// It belongs to a reply of the agent's that is cut.
    Cut,
}

impl Label {
    /// Writes it into audio.
    pub(crate) fn write(self, audio: &mut [u8; FRAME_BYTES]) {
        audio[..8].copy_from_slice(&MAGIC);
        audio[8..12].copy_from_slice(&self.call.to_be_bytes());
        audio[12..16].copy_from_slice(&self.number.to_be_bytes());
        audio[16] = u8::from(self.kind == Kind::Cut);
    }

    /// Reads it. Nothing if the audio is no frame of a load run, but speech of the server's own.
    pub(crate) fn read(audio: &[u8]) -> Option<Self> {
        let audio: &[u8; FRAME_BYTES] = audio.try_into().ok()?;
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| audio[at + byte]));
        let kind = if audio[16] == 0 { Kind::Echo } else { Kind::Cut };
        (audio[..8] == MAGIC).then(|| Self { call: word(8), number: word(12), kind })
    }
}

/// A frame of noise to write labels into.
pub(crate) fn noise() -> [u8; FRAME_BYTES] {
    let mut state = 7_u32;
    std::array::from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_was_written() {
        for kind in [Kind::Echo, Kind::Cut] {
            let label = Label { call: 70_000, number: 3, kind };
            let mut audio = noise();
            assert_eq!(Label::read(&audio), None);
            label.write(&mut audio);
            assert_eq!(Label::read(&audio), Some(label));
            assert_eq!(Label::read(&audio[1..]), None);
        }
    }
}
