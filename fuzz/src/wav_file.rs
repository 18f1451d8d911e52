//! Any bytes as a recording: they are one or an error, and a recording is whole frames with spans
//! of speech inside them, in order.

use miette::Report;
use sim::audio::{FRAME_MS, Recording};

use crate::folder;

/// Reads the bytes as a WAV file lies on a disk.
pub fn run(bytes: &[u8]) {
    match Recording::load(&folder::file("fuzzed.wav", bytes)) {
        Ok(recording) => {
            assert!(!recording.frames.is_empty(), "no sound is an error");
            let mut before = None;
            for span in &recording.speech {
                assert!(before.is_none_or(|end| end < span.start_ms), "spans are apart");
                assert!(span.start_ms < span.end_ms, "a span lasts");
                assert!(span.start_ms.is_multiple_of(FRAME_MS), "a span begins with a frame");
                assert!(span.end_ms <= recording.duration_ms(), "a span lies in its recording");
                before = Some(span.end_ms);
            }
        }
        Err(error) => assert!(!format!("{:?}", Report::new(error)).is_empty(), "errors are shown"),
    }
}
