//! What is spent: writes once, bounded numbers of open things, audio conserved.

use std::collections::{BTreeMap, BTreeSet};

use call_core::input::{Agent, Input};
use call_core::playout::BYTES_PER_MS;
use call_core::{Cause, Effect};

use super::scene::Scene;
use super::{Evidence, Findings};

/// The most functions that run at once.
const FUNCTIONS_MAX: usize = 8;

/// The most lines of ours that are being made or wait.
const LINES_MAX: usize = 8;

/// The most stretches of speech that wait for their marks.
const SPEECH_MAX: usize = 64;

/// What became of the audio of one direction, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// What came in.
    pub offered: u64,
    /// What went on to the other side.
    pub forwarded: u64,
    /// What was dropped, for whatever reason.
    pub dropped: u64,
    /// What still waits.
    pub held: u64,
    /// What the other side says it got; nothing if it was not asked.
    pub received: Option<u64>,
}

/// What became of a call's audio, where it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AudioTotals {
    /// Speech to the caller.
    pub to_caller: Option<Flow>,
    /// The caller's voice to the agent.
    pub to_agent: Option<Flow>,
    /// Bytes of speech that were sent to the carrier while there was no stream to play them.
    pub astray: u64,
    /// The most bytes of speech that ever waited for the carrier at once.
    pub most_waiting: u64,
}

/// I-01, as far as a journal shows it: by the write's key, and by the words of the requests.
pub(super) fn writes_once(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut meanings = BTreeMap::new();
    let mut done = BTreeSet::new();
    for step in evidence.steps {
        if let Cause::Input(Input::Agent(Agent::Asked(asks))) = &step.cause {
            for ask in asks {
                meanings.entry(&ask.id).or_insert((&ask.name, &ask.fingerprint));
            }
        }
        for effect in &step.effects {
            let Effect::Perform { id, function, key } = effect else { continue };
            if !function.is_write() {
                continue;
            }
            let same_key = !done.insert((key, ""));
            let same_meaning =
                meanings.get(id).is_some_and(|(name, print)| !done.insert((name, print)));
            if same_key || same_meaning {
                findings.at(step.at, format!("the same {} is performed twice", function.name()));
            }
        }
    }
}

/// The most speech that waits before the carrier, in bytes: thirty seconds.
const WAITING_MAX: u64 = 30_000 * BYTES_PER_MS;

/// I-29, as far as a journal and the count of audio show it.
pub(super) fn bounded(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut scene = Scene::new(brief);
    let mut told = [false; 3];
    let waiting = evidence.audio.most_waiting;
    if waiting > WAITING_MAX {
        findings.whole(format!("{waiting} bytes of speech waited for the carrier at once"));
    }
    for step in evidence.steps {
        scene.apply(step);
        let open = [
            ("functions", scene.functions.len(), FUNCTIONS_MAX),
            ("lines of ours", scene.lines.len(), LINES_MAX),
            ("stretches of speech", scene.speech.len(), SPEECH_MAX),
        ];
        for ((what, number, most), told) in open.into_iter().zip(&mut told) {
            if number > most && !*told {
                *told = true;
                findings.at(step.at, format!("{number} {what} are open at once"));
            }
        }
    }
}

/// I-30.
pub(super) fn audio_conserved(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let AudioTotals { to_caller, to_agent, astray, .. } = evidence.audio;
    if astray > 0 {
        findings.whole(format!("{astray} bytes of speech were sent to a caller who was away"));
    }
    for (flow, whose) in [(to_caller, "speech to the caller"), (to_agent, "the caller's voice")] {
        let Some(flow) = flow else { continue };
        let Flow { offered, forwarded, dropped, held, received } = flow;
        if offered != forwarded + dropped + held {
            let what = format!(
                "of {whose} came {offered} bytes; {forwarded} went on, {dropped} were dropped and \
                 {held} wait"
            );
            findings.whole(what);
        }
        if let Some(received) = received.filter(|received| *received != forwarded) {
            findings.whole(format!("of {whose} {forwarded} bytes went on and {received} came"));
        }
    }
}
