//! The caller: a number, turns, recordings.

use std::path::Path;

use miette::Diagnostic as _;

use super::{Check, MS_MAX, plain};
use crate::audio::{AudioError, FRAME_MS, Recording};
use crate::scenario::near;
use crate::scenario::tree::{Found, Node};

/// The longest noise, and the longest time between two keys, in milliseconds.
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// The most keys in one go.
const KEYS_MAX: usize = 100;
/// The largest recording, in bytes: an hour of what a telephone carries, and more.
const WAV_BYTES_MAX: u64 = 64 << 20;

impl Check<'_> {
    pub(super) fn caller(&mut self, caller: &Node) {
        if let Some((node, number)) =
            caller.field("from").and_then(|node| Some((node, self.text(node)?)))
            && !is_e164(number)
        {
            let found = Found::new(node.head(), "this is not a telephone number", "expected +…");
            self.found.push(
                found.help("expected E.164 form: + and 2 to 15 digits, as in \"+15555550105\""),
            );
        }
        for turn in caller.field("turns").map_or(&[][..], Node::items) {
            self.turn(turn);
        }
    }

    fn turn(&mut self, turn: &Node) {
        if let Some([cue]) = turn.field("after").map(|after| plain(after).items()) {
            self.range(Some(cue), 0, MS_MAX, "ms");
        }
        if is(turn, "Says") {
            self.words(turn.field("words"), "what the caller says");
            if let Some(wav) = turn.field("wav") {
                self.recording(plain(wav), Wanted::Speech);
            }
            let keys = turn.field("keys");
            if let Some((node, keys)) = keys.and_then(|node| Some((node, self.text(node)?))) {
                self.keys(plain(node), keys);
            }
        } else if is(turn, "Noise") {
            match (turn.field("ms"), turn.field("wav")) {
                (None, Some(wav)) => self.recording(plain(wav), Wanted::Sound),
                (Some(_), None) => {}
                _ => {
                    let what = "a noise has either `ms` or `wav`";
                    let found = Found::new(turn.head(), what, "expected one of the two");
                    self.found.push(found.help("`ms` is for babble, `wav` for a recording"));
                }
            }
            self.range(turn.field("ms"), FRAME_MS, HOUR_MS, "ms");
        } else if is(turn, "Keys") {
            self.range(turn.field("gap_ms"), FRAME_MS, HOUR_MS, "ms");
            let digits = turn.field("digits");
            if let Some((node, keys)) = digits.and_then(|node| Some((node, self.text(node)?))) {
                self.keys(node, keys);
            }
        }
    }

    fn keys(&mut self, node: &Node, keys: &str) {
        let count = keys.chars().count();
        let found = match keys.chars().find(|key| !"0123456789*#".contains(*key)) {
            Some(' ') => {
                Found::new(node.head(), "a space is not a key", "keys are 0 to 9, * and #")
                    .help("write the keys without spaces; `gap_ms` is the time between two")
            }
            Some(other) => {
                let what = format!("`{other}` is not a key");
                Found::new(node.head(), what, "keys are 0 to 9, * and #")
            }
            None if count == 0 => Found::new(node.head(), "no key is pressed", "expected keys"),
            None if count > KEYS_MAX => {
                let what = format!("{count} keys are too many; {KEYS_MAX} is the most");
                Found::new(node.head(), what, "too many")
            }
            None => return,
        };
        self.found.push(found);
    }

    fn recording(&mut self, node: &Node, wanted: Wanted) {
        let Some(name) = self.text(node).map(str::to_owned) else { return };
        if name.trim().is_empty() {
            let found =
                Found::new(node.head(), "the path of a recording is empty", "expected a path");
            self.found.push(found.help("leave `wav` out for words that are babbled"));
            return;
        }
        let path = self.folder.join(&name);
        let silent =
            |recording: &Recording| wanted == Wanted::Speech && recording.speech.is_empty();
        if self.recordings.get(&name).is_some_and(|known| !silent(known)) {
            return;
        }
        let large = path.metadata().is_ok_and(|data| data.len() > WAV_BYTES_MAX);
        let found = if large {
            Found::new(node.head(), "this recording is larger than 64 MiB", "too large")
        } else if path.exists() && !path.is_file() {
            Found::new(node.head(), format!("{} is not a file", path.display()), "not a file")
        } else {
            match Recording::load(&path) {
                Ok(recording) if silent(&recording) => {
                    let what = format!("there is no speech in {}", path.display());
                    Found::new(node.head(), what, "nobody could understand it")
                        .help("give a recording of what `words` says, or leave `wav` out")
                }
                Ok(recording) => {
                    self.recordings.insert(name, recording);
                    return;
                }
                Err(error) => unplayable(node, &name, &path, &error),
            }
        };
        self.found.push(found);
    }
}

/// What a recording must hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Somebody who speaks, as far as the detector can tell.
    Speech,
    /// Anything at all.
    Sound,
}

fn unplayable(node: &Node, name: &str, path: &Path, error: &AudioError) -> Found {
    let label = match error {
        AudioError::Missing { .. } => "not there",
        AudioError::Empty { .. } => "empty",
        AudioError::NotWav { .. } => "not a WAV file",
        AudioError::Unsupported { .. } => "not a format that is read",
        _ => "cannot be read",
    };
    let mut what = error.to_string();
    match error {
        AudioError::Unreadable { source, .. } => what = format!("{what}: {source}"),
        AudioError::Damaged { source, .. } => what = format!("{what}: {source}"),
        _ => {}
    }
    let found = Found::new(node.head(), what, label);
    let near = matches!(error, AudioError::Missing { .. }).then(|| near_file(name, path)).flatten();
    match (near, error.help()) {
        (Some(near), _) => found.help(format!("did you mean `{near}`?")),
        (None, Some(help)) => found.help(help.to_string()),
        (None, None) => found,
    }
}

/// A file beside the one that is not there, with nearly its name.
pub(in crate::scenario) fn near_file(name: &str, path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let here = folder.as_os_str().is_empty();
    let entries = std::fs::read_dir(if here { Path::new(".") } else { folder }).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .take(10_000)
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    // One that is there by this very name is no file that could be meant.
    let names: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| *name != wanted).collect();
    let near = near::nearest(wanted, &names)?;
    Some(format!("{}{near}", name.strip_suffix(wanted)?))
}

fn is(node: &Node, name: &str) -> bool {
    node.name.as_ref().is_some_and(|found| found.text == name)
}

/// As E.164 has it: a plus and up to fifteen digits, of which the first is not 0.
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}
