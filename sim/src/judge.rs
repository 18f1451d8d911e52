//! Judges a played call by the invariants of the fault catalogue, whatever the scenario was about.
//!
//! The machine never grades itself. Every judge is a pure function over the journal and the
//! carrier's account, and works out anew from inputs, effects and times what the machine keeps in
//! its memory: who holds the floor, what runs, what is on its way. A fact is believed only where
//! no input tells the same.
//!
//! | Invariant | What is held against the call |
//! | --- | --- |
//! | I-01 | a write is performed at most once for what it means |
//! | I-11 | the call ends in bounded time, and sooner when the caller is silent |
//! | I-12 | we hang up, hand over or leave only when the last words were heard, or are past hoping for; and hang up on nobody who speaks and may call it off |
//! | I-13 | whatever was asked for comes to exactly one outcome, and in time |
//! | I-14 | no timer fires after the end, but the limit of a write that still runs |
//! | I-15 | the caller is called silent only for time in which nobody else held the floor |
//! | I-16 | a caller to whom we owe something, or whom a noise took it from, hears something every eight seconds |
//! | I-17 | a voice over our speech stops it in the same step, before anything else is said; and nothing is begun for want of words while a voice sounds |
//! | I-18 | one beginning, one end |
//! | I-19 | nothing follows the end but late outcomes of writes |
//! | I-20 | time does not go back, and an ignored input changes nothing |
//! | I-21 | the same inputs, told to another machine, give the same steps |
//! | I-22 | news told twice has the effects of news told once |
//! | I-24 | agent sessions opened are closed, and never two are open |
//! | I-25 | cause precedes effect, and all speech that began is heard, cut or unknown |
//! | I-29 | what is open is bounded, and so is the speech that waits |
//! | I-30 | audio is conserved, and none is sent to a caller who is away |
//! | I-34 | our lines are worded in the language of the call |
//! | I-35 | one hang-up; a second transfer only when the first came to nothing |
//! | [`HEARD_IS_NOT_SAID`] | heard is what the carrier played, and a cut is no more than was played |
//! | F-HU-08 | nothing is disclosed before the opening was heard, or should have been |
//! | C-07 | a caller who changes the language is told in it who answers, and soon |

mod ending;
mod heard;
mod language;
mod lifecycle;
mod outcomes;
mod records;
mod repetition;
mod requests;
mod resources;
mod scene;
mod timing;

use std::collections::BTreeMap;
use std::fmt;

use call_core::{Brief, CallTime, Cause, Effect, Fact, Millis, Phase, Step};

use crate::cast::carrier::Account;
use crate::machine::Machine;

pub use resources::{AudioTotals, Flow};

/// The first promise of the design, which has no number: the record states what was heard.
pub const HEARD_IS_NOT_SAID: &str = "heard is not said";

/// T_DEADAIR: the longest time that a caller to whom we owe something may hear nothing.
pub const DEAD_AIR: Millis = Millis::from_secs(8);

/// What is known of a call when it is over.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The journal.
    pub steps: &'a [Step],
    /// The carrier's own account of the audio before each mark, by the mark's name.
    pub account: &'a BTreeMap<String, Account>,
    /// What became of the audio, as far as it was counted.
    pub audio: AudioTotals,
    /// The machine that the call was played with.
    pub machine: Machine,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Its id: `I-15`.
    pub invariant: &'static str,
    /// When, where it was at a moment.
    pub at: Option<CallTime>,
    /// What happened, in a sentence without personal data.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} at {at}: {}", self.invariant, self.what),
            None => write!(f, "{}: {}", self.invariant, self.what),
        }
    }
}

type Judge = fn(&Evidence<'_>, &mut Findings);

/// Every judge, with the invariant it stands for.
const JUDGES: [(&str, Judge); 22] = [
    ("I-01", resources::writes_once),
    ("I-11", timing::ends_in_time),
    ("I-12", ending::last_words_first),
    ("I-13", outcomes::one_outcome_each),
    ("I-14", lifecycle::no_timer_after_the_end),
    ("I-15", timing::silence_is_silence),
    ("I-16", timing::no_dead_air),
    ("I-17", timing::a_voice_stops_speech),
    ("I-18", lifecycle::one_end),
    ("I-19", lifecycle::nothing_after_the_end),
    ("I-20", lifecycle::time_and_order),
    ("I-21", repetition::replays),
    ("I-22", repetition::no_news),
    ("I-24", lifecycle::sessions_balance),
    ("I-25", records::cause_before_effect),
    ("I-29", resources::bounded),
    ("I-30", resources::audio_conserved),
    ("I-34", language::language_of_the_call),
    ("I-35", ending::one_terminal_request),
    (HEARD_IS_NOT_SAID, heard::heard_is_not_said),
    ("F-HU-08", heard::opening_before_disclosure),
    ("C-07", language::notice_behind_each_change),
];

/// Holds every invariant against a call. Nothing if all of them hold.
pub fn judge_all(evidence: &Evidence<'_>) -> Vec<Breach> {
    let all: Vec<_> = judged().collect();
    judge_by(evidence, &all)
}

/// Holds these invariants against a call, and no others. Nothing if all of them hold.
pub fn judge_by(evidence: &Evidence<'_>, invariants: &[&str]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (invariant, judge) in JUDGES.into_iter().filter(|(id, _)| invariants.contains(id)) {
        let mut findings = Findings { invariant, breaches: &mut breaches };
        judge(evidence, &mut findings);
    }
    breaches
}

/// The invariants that are judged, by id.
pub fn judged() -> impl Iterator<Item = &'static str> {
    JUDGES.into_iter().map(|(invariant, _)| invariant)
}

/// Where a judge writes what it finds.
struct Findings<'a> {
    invariant: &'static str,
    breaches: &'a mut Vec<Breach>,
}

impl Findings<'_> {
    fn at(&mut self, at: CallTime, what: impl Into<String>) {
        self.breaches.push(Breach { invariant: self.invariant, at: Some(at), what: what.into() });
    }

    fn whole(&mut self, what: impl Into<String>) {
        self.breaches.push(Breach { invariant: self.invariant, at: None, what: what.into() });
    }
}

impl<'a> Evidence<'a> {
    /// What the call knew at its birth; nothing for a journal that does not begin with it.
    fn brief(&self) -> Option<&'a Brief> {
        match &self.steps.first()?.cause {
            Cause::Started(brief) => Some(brief),
            _ => None,
        }
    }

    /// The number of the step in which the call ended, by any sign of it.
    fn end(&self) -> Option<usize> {
        self.steps.iter().position(|step| {
            step.facts.iter().any(|fact| matches!(fact, Fact::CallEnded { .. }))
                || step.effects.contains(&Effect::LeaveStream)
                || step.moves.iter().any(|change| change.to == Phase::Ended)
        })
    }

    /// When the journal stops.
    fn last(&self) -> CallTime {
        self.steps.last().map_or(CallTime::ZERO, |step| step.at)
    }
}
