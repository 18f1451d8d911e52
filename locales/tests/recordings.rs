//! Every line has a recording in each language, of its present words, and one hears something.

use std::collections::BTreeSet;
use std::path::Path;

use locales::{Locale, Recording, ids, recording, render};

/// Lines that are spoken: the others are names, or words of recordings.
fn lines() -> impl Iterator<Item = &'static str> {
    ids().filter(|id| *id != "language-name" && !id.ends_with("-recorded"))
}

/// S29, C-07, I-34.
#[test]
fn every_line_has_a_recording_in_each_language_that_is_not_silent() {
    for locale in Locale::ALL {
        for id in lines() {
            let Recording { text, audio, .. } = recording(locale, id)
                .unwrap_or_else(|| panic!("{id} has none in {}", locale.tag()));
            let seconds = audio.len() as f64 / 8_000.0;
            assert!((0.5..12.0).contains(&seconds), "{id} lasts {seconds} s");
            // µ-law: the seven lower bits are turned over, so that silence is all ones.
            let loud = audio.iter().filter(|code| !**code & 0x7F > 0x20).count();
            assert!(loud * 4 > audio.len(), "{id}: {loud} loud samples of {}", audio.len());
            let words = text.split_whitespace().count() as f64;
            assert!((1.0..6.0).contains(&(words / seconds)), "{id}: {words} words in {seconds} s");
        }
    }
}

#[test]
fn a_recording_says_the_lines_own_words_where_these_have_no_blanks() {
    for locale in Locale::ALL {
        for id in lines() {
            let Recording { text, version, .. } = recording(locale, id).expect("a recording");
            match render(locale, id, &[]) {
                Ok(words) => assert_eq!((text, version), (words.text, words.version), "{id}"),
                Err(_) => {
                    let other = render(locale, &format!("{id}-recorded"), &[]).expect("its words");
                    assert_eq!((text, version), (other.text, other.version), "{id}");
                }
            }
        }
    }
}

#[test]
fn the_two_languages_have_recordings_of_their_own() {
    for id in lines() {
        let [english, spanish] = Locale::ALL.map(|locale| recording(locale, id));
        assert_ne!(english.expect("one").audio, spanish.expect("one").audio, "{id}");
    }
}

#[test]
fn what_is_no_line_has_no_recording() {
    assert_eq!(recording(Locale::English, "no-such-line"), None);
    assert_eq!(recording(Locale::English, "language-name"), None);
}

/// A file of older words, or of a line that is no more, would be shipped for nothing.
#[test]
fn no_file_lies_in_the_folder_that_no_line_uses() {
    for locale in Locale::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(locale.tag());
        let files: BTreeSet<Vec<u8>> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file"))
            .collect();
        let used: BTreeSet<Vec<u8>> =
            lines().filter_map(|id| recording(locale, id)).map(|r| r.audio.to_vec()).collect();
        assert_eq!(files.len(), used.len());
        assert!(files == used, "{}", locale.tag());
    }
}
