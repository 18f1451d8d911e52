//! What a voice sounds like: speech that nobody has to understand, as long as the words would last.

use call_core::Millis;
use call_core::playout::BYTES_PER_MS;

use crate::faults::Fault;

/// Characters of speech in a second.
const CHARACTERS_PER_SECOND: u64 = 15;

/// One swing of the buzz.
const BUZZ: [u8; 80] = {
    let mut swing = [0x60; 80];
    let mut n = 40;
    while n < 80 {
        swing[n] = 0xE0;
        n += 1;
    }
    swing
};

/// How long the speak service needs before it answers.
pub const SPEAK_LATENCY_MS: u64 = 120;

/// How long the n-th line takes to be spoken, and whether it fails.
pub fn speaking(faults: &[Fault], line: u32) -> (Millis, bool) {
    let mut takes = SPEAK_LATENCY_MS;
    let mut fails = false;
    for fault in faults {
        match fault {
            Fault::SpeakSlow { ms } => takes = *ms,
            Fault::SpeakFails { from, count } => {
                fails |= (*from..from.saturating_add(*count)).contains(&line);
            }
            _ => {}
        }
    }
    (Millis(takes), fails)
}

/// The text spoken, as µ-law at 8,000 samples a second: a soft buzz, never silence.
pub fn speak(text: &str) -> Vec<u8> {
    let characters = text.chars().count() as u64;
    let bytes = (characters * 1_000 * BYTES_PER_MS / CHARACTERS_PER_SECOND) as usize;
    let mut speech = Vec::with_capacity(bytes);
    while speech.len() < bytes {
        speech.extend_from_slice(&BUZZ[..BUZZ.len().min(bytes - speech.len())]);
    }
    speech
}

/// The sentences of a text, each of which the agent speaks in one go.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut previous = ' ';
    for (place, character) in text.char_indices() {
        if character == ' ' && matches!(previous, '.' | '?' | '!') {
            sentences.push(text[start..place].trim());
            start = place;
        }
        previous = character;
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_spoken_sentence_by_sentence_and_lasts_as_long_as_its_letters() {
        assert_eq!(sentences("One. Two? Three $1.50!"), ["One.", "Two?", "Three $1.50!"]);
        assert_eq!(sentences("¿Sí? No"), ["¿Sí?", "No"]);
        assert!(sentences("  ").is_empty());
        assert_eq!(speak("fifteen letters").len(), 8_000);
    }
}
