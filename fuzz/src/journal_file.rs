//! Any text as a journal: it is one or has a mistake in a line of it, is the same after it was
//! written, and can be told and played again, whatever it says.

use call_core::story::story;
use sim::{journal, replay::replay};

/// Reads the bytes as `sim replay` reads a file; what is no UTF-8 never comes so far.
pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let steps = match journal::read(text) {
        Ok(steps) => steps,
        Err(mistake) => {
            assert!(!mistake.what.is_empty(), "a mistake says what is wrong");
            // The line behind the last is where something is missing.
            assert!((1..=text.lines().count() + 1).contains(&mistake.line), "and where");
            return;
        }
    };
    let mut stored = Vec::new();
    journal::write(&steps, &mut stored).expect("a vector takes all that is written to it");
    let stored = str::from_utf8(&stored).expect("JSON is text");
    assert_eq!(journal::read(stored).as_ref(), Ok(&steps), "a stored journal is the journal");
    let _ = story(&steps);
    if let Some(difference) = replay(&steps) {
        assert!(
            difference.number <= steps.len(),
            "a difference stands in the journal or behind it"
        );
        assert_ne!(difference.recorded, difference.replayed, "a difference is one");
        let _ = difference.lines();
    }
}
