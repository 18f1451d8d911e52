//! What goes wrong in one call of a swarm: drawn from its seed, and made smaller where it fails.

use std::fmt;
use std::io;
use std::path::Path;

use call_core::Millis;
use call_core::input::Operator;
use serde_json::Value;

use super::acts::{self, Deed};
use crate::faults::{Fault, Unanswered, When};
use crate::scenario::{Scenario, Template, Variation};
use crate::seed::Seed;

/// At most so much is drawn for one call.
const CHANGES_MAX: u64 = 4;

/// The name under which changed pauses are counted.
pub(super) const PAUSES: &str = "CallerPauses";

/// Pauses worth trying, in milliseconds: hasty, slow, longer than each limit of silence.
const PAUSES_MS: [u64; 9] = [20, 200, 700, 1_500, 4_000, 12_000, 26_000, 45_000, 70_000];

/// One thing that is other than in the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something goes wrong.
    Fault(Fault),
    /// The caller waits so long before a turn.
    Pause {
        /// The turn, from 0.
        turn: usize,
        /// What its cue waits for, in milliseconds.
        ms: u64,
    },
    /// Somebody does something that is not in the scenario.
    Deed(Deed),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => match ron::to_string(fault) {
                Ok(text) => f.write_str(&text),
                Err(_) => write!(f, "{fault:?}"),
            },
            Self::Pause { turn, ms } => write!(f, "turn {} waits {ms} ms", turn + 1),
            Self::Deed(deed) => deed.fmt(f),
        }
    }
}

impl Change {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Fault(fault) => kind(fault),
            Self::Pause { .. } => PAUSES,
            Self::Deed(deed) => deed.kind(),
        }
    }

    pub(super) fn ids(&self) -> &'static [&'static str] {
        match self {
            Self::Fault(fault) => fault.ids(),
            Self::Pause { .. } | Self::Deed(_) => &[],
        }
    }

    /// The same with one number less, the simplest first.
    pub(super) fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Pause { turn, ms } => {
                less(*ms).into_iter().map(|ms| Self::Pause { turn: *turn, ms }).collect()
            }
            Self::Deed(deed) => deed.smaller(less).into_iter().map(Self::Deed).collect(),
            Self::Fault(fault) => {
                let Ok(value) = serde_json::to_value(fault) else { return Vec::new() };
                let mut variants = Vec::new();
                vary(&value, &mut |variant| variants.push(variant));
                let faults = variants.into_iter().filter_map(|v| serde_json::from_value(v).ok());
                faults.map(Self::Fault).collect()
            }
        }
    }
}

/// Everything that is other in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The call's seed.
    pub seed: u64,
    /// The scenario's own faults, and what was drawn.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Draws a scenario's number and what is to go wrong in it.
    pub fn draw(seed: u64, templates: &[Template]) -> (usize, Self) {
        let root = Seed::new(seed).branch("swarm");
        let last = templates.len() as u64 - 1;
        let scenario = root.branch("scenario").between(0, last) as usize;
        let template = &templates[scenario];
        let mut changes: Vec<_> = template.faults().iter().cloned().map(Change::Fault).collect();
        for number in 0..root.branch("how many").between(0, CHANGES_MAX) {
            changes.push(draw(&mut root.branch(&format!("change {number}")), template));
        }
        (scenario, Self { seed, changes })
    }

    /// The call of this plan.
    pub(super) fn scenario(&self, template: &Template) -> Scenario {
        let mut scenario = template.vary(&self.variation());
        acts::act_out(&self.deeds(), &mut scenario);
        scenario
    }

    /// The call of this plan as a scenario file, to be kept in this folder under these remarks.
    pub(super) fn text(
        &self,
        template: &Template,
        folder: &Path,
        remarks: &[String],
    ) -> io::Result<String> {
        acts::write_into(&self.deeds(), &template.text(&self.variation(), folder, remarks)?)
    }

    fn deeds(&self) -> Vec<&Deed> {
        let deeds = self.changes.iter().filter_map(|change| match change {
            Change::Deed(deed) => Some(deed),
            _ => None,
        });
        deeds.collect()
    }

    fn variation(&self) -> Variation {
        let mut variation = Variation { seed: self.seed, faults: Vec::new(), pauses: Vec::new() };
        for change in &self.changes {
            match change {
                Change::Fault(fault) => variation.faults.push(fault.clone()),
                Change::Pause { turn, ms } => variation.pauses.push((*turn, *ms)),
                Change::Deed(_) => {}
            }
        }
        variation
    }
}

/// Every kind of change, by name.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    let deeds = DEEDS.iter().map(|draw| draw(&mut Seed::new(0), 1, "").kind());
    DRAWS.iter().map(|draw| kind(&draw(&mut Seed::new(0)))).chain([PAUSES]).chain(deeds)
}

fn draw(seed: &mut Seed, template: &Template) -> Change {
    let turns = template.turns();
    let choice = seed.between(0, (DRAWS.len() + DEEDS.len()) as u64) as usize;
    if let Some(draw) = DRAWS.get(choice) {
        return Change::Fault(draw(seed));
    }
    match choice.checked_sub(DRAWS.len() + 1) {
        Some(deed) => Change::Deed(draw_deed(seed, deed, template)),
        None if turns == 0 => Change::Deed(draw_deed(seed, 0, template)),
        None => Change::Pause {
            turn: seed.between(0, turns as u64 - 1) as usize,
            ms: pick(seed, &PAUSES_MS),
        },
    }
}

/// A company without anybody to transfer to is asked for something else.
fn draw_deed(seed: &mut Seed, number: usize, template: &Template) -> Deed {
    let last = DEEDS.len() - 1;
    let mut target = String::new();
    if number == last {
        let plain = Variation { seed: 0, faults: Vec::new(), pauses: Vec::new() };
        let company = template.vary(&plain).company;
        let targets: Vec<_> = company.transfer.into_keys().collect();
        if targets.is_empty() {
            let other = seed.between(0, last as u64 - 1) as usize;
            return draw_deed(seed, other, template);
        }
        target.clone_from(&targets[seed.between(0, targets.len() as u64 - 1) as usize]);
    }
    DEEDS[number](seed, template.turns(), &target)
}

/// How each kind of deed is drawn, for a caller with so many turns and a company with this target;
/// the last one needs the target.
const DEEDS: [fn(&mut Seed, usize, &str) -> Deed; 5] = [
    |seed, turns, _| Deed::HangsUp { turn: before(seed, turns), later_ms: any_moment(seed) },
    |seed, turns, _| Deed::Keys {
        turn: before(seed, turns),
        later_ms: any_moment(seed),
        digits: pick(seed, &["1", "5", "*", "#", "12#", "4471#", "90*4471", "123456789012"])
            .to_owned(),
        gap_ms: pick(seed, &[40, 250, 1_000, 4_000]),
    },
    |seed, _, _| Deed::Operator {
        at_ms: seed.between(0, 90_000),
        wants: Operator::Drain { within: Millis(pick(seed, &[0, 2_000, 20_000, 60_000])) },
    },
    |seed, _, _| Deed::Operator { at_ms: seed.between(0, 90_000), wants: Operator::HangUp },
    |seed, _, target| Deed::Operator {
        at_ms: seed.between(0, 90_000),
        wants: Operator::Transfer { target: target.to_owned() },
    },
];

/// Before which turn, the end being one of them.
fn before(seed: &mut Seed, turns: usize) -> usize {
    seed.between(0, turns as u64) as usize
}

/// Often at once, in what comes next, and now and then much later.
fn any_moment(seed: &mut Seed) -> u64 {
    let longest = pick(seed, &[400, 4_000, 4_000, 12_000, 12_000, 60_000]);
    seed.between(0, longest)
}

/// How each kind of fault is drawn, in the order of [`Fault`].
const DRAWS: [fn(&mut Seed) -> Fault; 48] = [
    |seed| Fault::AgentRefuses {
        session: number(seed, 1, 3),
        status: pick(seed, &[0, 401, 403, 429, 500, 503]),
    },
    |seed| Fault::AgentNoWelcome { session: number(seed, 1, 3) },
    |seed| Fault::AgentNeverReady { session: number(seed, 1, 3) },
    |seed| Fault::AgentSlow {
        session: number(seed, 1, 3),
        connect_ms: pick(seed, &[62, 900, 2_900, 4_000]),
        applied_ms: pick(seed, &[160, 900, 2_900, 6_000]),
    },
    |seed| Fault::AgentGone { when: moment(seed), after_ms: seed.between(0, 3_000) },
    |seed| Fault::AgentError {
        when: moment(seed),
        after_ms: seed.between(0, 3_000),
        code: pick(seed, &["FAILED_TO_THINK", "SERVER_GOING_AWAY", "INVALID_SETTINGS"]).to_owned(),
    },
    |seed| Fault::AgentWarns {
        when: moment(seed),
        code: pick(seed, &["SLOW_THINK_REQUEST", "SOMETHING_NEWER"]).to_owned(),
    },
    |_| Fault::AgentOmitsDone,
    |_| Fault::AgentRepeatsDone,
    |_| Fault::AgentDoneLate,
    |seed| Fault::AgentSendsLate { frames: number(seed, 1, 60) },
    |_| Fault::AgentSaysLate,
    |_| Fault::AgentTellsHistory,
    |_| Fault::AgentRepeatsCalls,
    |_| Fault::AgentAsksAgain,
    |seed| Fault::AgentCancels { after_ms: seed.between(0, 6_000) },
    |_| Fault::AgentMumbles,
    |seed| Fault::AgentSilent { reply: number(seed, 1, 4) },
    |seed| Fault::MarksLost { from: number(seed, 1, 12), count: pick(seed, &[1, 1, 2, 5, 99]) },
    |_| Fault::MarksTwice,
    |_| Fault::MarksUnknown,
    |_| Fault::MarksShuffled,
    |seed| Fault::StreamBreaks { at_ms: seed.between(0, 90_000) },
    |seed| Fault::FramesTwice { from: frame(seed), count: frames(seed) },
    |seed| Fault::FramesBunched { from: frame(seed), count: frames(seed), by: seed.between(2, 5) },
    |seed| Fault::FramesShuffled { from: frame(seed), count: frames(seed), by: seed.between(2, 5) },
    |seed| Fault::FramesLate {
        from: frame(seed),
        count: pick(seed, &[1, 1, 2, 5, 50]),
        late_ms: pick(seed, &[30, 60, 100, 130, 400, 3_000]),
    },
    |seed| Fault::FramesLost { from: frame(seed), count: pick(seed, &[1, 1, 3, 20, 150, 600]) },
    |_| Fault::KeysTwice,
    |seed| Fault::HalfOpen { at_ms: seed.between(0, 90_000) },
    |seed| Fault::CarrierBlocks { at_ms: seed.between(0, 90_000), for_ms: seed.between(0, 7_000) },
    |seed| Fault::HangUpRefused {
        status: pick(seed, &[400, 401, 403, 404, 429, 500, 503]),
        times: number(seed, 1, 5),
    },
    |seed| Fault::TransferRefused {
        status: pick(seed, &[400, 401, 404, 429, 500]),
        times: pick(seed, &[1, 2, 9]),
    },
    |_| Fault::TransferReplyLost,
    |seed| Fault::RestSlow { ms: pick(seed, &[900, 2_900, 4_000, 20_000]) },
    |seed| Fault::TransferFails {
        how: pick(seed, &[Unanswered::Busy, Unanswered::NoAnswer, Unanswered::Failed]),
        rings_ms: seed.between(0, 70_000),
    },
    |seed| Fault::CallerGoneInTransfer { after_ms: seed.between(0, 8_000) },
    |seed| Fault::TonesRefused {
        status: pick(seed, &[400, 401, 404, 429, 500]),
        times: pick(seed, &[1, 2, 9]),
    },
    |_| Fault::TonesNoReturn,
    |seed| Fault::CallerGoneInTones { after_ms: seed.between(0, 4_000) },
    |seed| Fault::StopLate { ms: pick(seed, &[50, 300, 1_500, 5_000, 20_000]) },
    |seed| Fault::CallbacksLate { ms: seed.between(0, 20_000) },
    |_| Fault::CallbacksDisordered,
    |_| Fault::CallbacksLost,
    |seed| Fault::SpeakFails { from: number(seed, 1, 6), count: pick(seed, &[1, 1, 2, 9]) },
    |seed| Fault::SpeakSlow { ms: seed.between(0, 4_000) },
    |seed| Fault::InjectionRefused { from: number(seed, 1, 4), count: pick(seed, &[1, 2, 9]) },
    |seed| Fault::InjectionIgnored { from: number(seed, 1, 4), count: pick(seed, &[1, 2, 9]) },
];

/// A new kind of fault is named here, and drawn in [`DRAWS`].
const fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::AgentRefuses { .. } => "AgentRefuses",
        Fault::AgentNoWelcome { .. } => "AgentNoWelcome",
        Fault::AgentNeverReady { .. } => "AgentNeverReady",
        Fault::AgentSlow { .. } => "AgentSlow",
        Fault::AgentGone { .. } => "AgentGone",
        Fault::AgentError { .. } => "AgentError",
        Fault::AgentWarns { .. } => "AgentWarns",
        Fault::AgentOmitsDone => "AgentOmitsDone",
        Fault::AgentRepeatsDone => "AgentRepeatsDone",
        Fault::AgentDoneLate => "AgentDoneLate",
        Fault::AgentSendsLate { .. } => "AgentSendsLate",
        Fault::AgentSaysLate => "AgentSaysLate",
        Fault::AgentTellsHistory => "AgentTellsHistory",
        Fault::AgentRepeatsCalls => "AgentRepeatsCalls",
        Fault::AgentAsksAgain => "AgentAsksAgain",
        Fault::AgentCancels { .. } => "AgentCancels",
        Fault::AgentMumbles => "AgentMumbles",
        Fault::AgentSilent { .. } => "AgentSilent",
        Fault::MarksLost { .. } => "MarksLost",
        Fault::MarksTwice => "MarksTwice",
        Fault::MarksUnknown => "MarksUnknown",
        Fault::MarksShuffled => "MarksShuffled",
        Fault::StreamBreaks { .. } => "StreamBreaks",
        Fault::FramesTwice { .. } => "FramesTwice",
        Fault::FramesBunched { .. } => "FramesBunched",
        Fault::FramesShuffled { .. } => "FramesShuffled",
        Fault::FramesLate { .. } => "FramesLate",
        Fault::FramesLost { .. } => "FramesLost",
        Fault::KeysTwice => "KeysTwice",
        Fault::HalfOpen { .. } => "HalfOpen",
        Fault::CarrierBlocks { .. } => "CarrierBlocks",
        Fault::HangUpRefused { .. } => "HangUpRefused",
        Fault::TransferRefused { .. } => "TransferRefused",
        Fault::TransferReplyLost => "TransferReplyLost",
        Fault::RestSlow { .. } => "RestSlow",
        Fault::TransferFails { .. } => "TransferFails",
        Fault::CallerGoneInTransfer { .. } => "CallerGoneInTransfer",
        Fault::TonesRefused { .. } => "TonesRefused",
        Fault::TonesNoReturn => "TonesNoReturn",
        Fault::CallerGoneInTones { .. } => "CallerGoneInTones",
        Fault::StopLate { .. } => "StopLate",
        Fault::CallbacksLate { .. } => "CallbacksLate",
        Fault::CallbacksDisordered => "CallbacksDisordered",
        Fault::CallbacksLost => "CallbacksLost",
        Fault::SpeakFails { .. } => "SpeakFails",
        Fault::SpeakSlow { .. } => "SpeakSlow",
        Fault::InjectionRefused { .. } => "InjectionRefused",
        Fault::InjectionIgnored { .. } => "InjectionIgnored",
    }
}

fn moment(seed: &mut Seed) -> When {
    let which = number(seed, 1, 4);
    pick(
        seed,
        &[
            When::Speaking(which),
            When::Hearing(which),
            When::Asking(which.min(2)),
            When::Settling(which.min(2)),
        ],
    )
}

/// A frame of the caller's in the first minute and a half.
fn frame(seed: &mut Seed) -> u64 {
    seed.between(1, 4_500)
}

fn frames(seed: &mut Seed) -> u64 {
    pick(seed, &[1, 4, 50, 500, 9_999])
}

fn number(seed: &mut Seed, low: u32, high: u32) -> u32 {
    seed.between(u64::from(low), u64::from(high)) as u32
}

fn pick<T: Copy>(seed: &mut Seed, choices: &[T]) -> T {
    choices[seed.between(0, choices.len() as u64 - 1) as usize]
}

/// Numbers below a number that may do as well: nothing, one, half, and rounder ones.
fn less(number: u64) -> Vec<u64> {
    let (half, one_less) = (number / 2, number.saturating_sub(1));
    let rounder = [number / 1_000 * 1_000, number / 100 * 100];
    let mut less: Vec<_> = [0, 1, half, one_less].into_iter().chain(rounder).collect();
    less.retain(|candidate| *candidate < number);
    less.sort_unstable();
    less.dedup();
    less
}

/// Tells every variant of a value in which one number is less. A status is a name, not a number.
fn vary(value: &Value, tell: &mut dyn FnMut(Value)) {
    match value {
        Value::Number(number) => {
            for less in number.as_u64().map(less).unwrap_or_default() {
                tell(Value::from(less));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "status") {
                vary(field, &mut |variant| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), variant);
                    tell(Value::Object(fields));
                });
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_fault_can_be_drawn_and_has_a_name_of_its_own() {
        let names: BTreeSet<_> = kinds().collect();
        assert_eq!(names.len(), DRAWS.len() + 1 + DEEDS.len());
    }

    #[test]
    fn a_fault_is_made_smaller_number_by_number_and_keeps_its_status() {
        let fault = Fault::AgentGone { when: When::Asking(2), after_ms: 1 };
        let smaller: Vec<_> =
            Change::Fault(fault).smaller().iter().map(ToString::to_string).collect();
        assert_eq!(
            smaller,
            [
                "AgentGone(when:Asking(2),after_ms:0)",
                "AgentGone(when:Asking(0),after_ms:1)",
                "AgentGone(when:Asking(1),after_ms:1)",
            ]
        );
        let refused = Fault::HangUpRefused { status: 500, times: 1 };
        assert_eq!(Change::Fault(refused).smaller().len(), 1);
    }
}
