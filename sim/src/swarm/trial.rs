//! One call of a swarm: played, judged, and made as small as it still fails.

use std::cell::RefCell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Once;

use call_core::{CallTime, Millis};

use super::plan::{Change, Plan};
use super::settle::settle;
use super::{Judge, again, reached};
use crate::desk::{Options, play_with};
use crate::judge::Breach;
use crate::scenario::{Scenario, Template};

/// At most so many calls are played to make one failure smaller.
const PLAYS_MAX: u32 = 300;

/// A call that was played and judged.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// How long the call was; nothing if it panicked.
    pub(super) lasted: CallTime,
    /// See [`reached::all`].
    pub(super) reached: Vec<bool>,
    pub(super) breaches: Vec<Breach>,
    /// How long the call took to settle when nothing went wrong any more.
    pub(super) settled: Millis,
    /// See [`again::digest`], of a call that is played again.
    pub(super) digest: Option<u64>,
}

/// Plays a scenario and holds everything against it: first as it stands, then with nothing going
/// wrong any more from some moment on. A panic is what it came to, too.
pub(super) fn trial(scenario: Scenario, judge: &Judge<'_>) -> Trial {
    let seed = scenario.seed;
    let played = guarded(|| {
        let played = play_with(scenario, Options::default());
        let mut breaches = judge(&played.evidence());
        breaches.extend(played.runaway.iter().cloned());
        let settled = settle(&played.steps, seed);
        let took = settled.as_ref().map_or(Millis(0), |settled| settled.took);
        breaches.extend(settled.into_iter().flat_map(|settled| settled.breaches));
        Trial {
            lasted: played.lasted(),
            reached: reached::reached(&played),
            breaches,
            settled: took,
            digest: again::is_played_again(seed).then(|| again::digest(&played.steps)),
        }
    });
    played.unwrap_or_else(|panic| Trial {
        lasted: CallTime::ZERO,
        reached: vec![false; reached::all().count()],
        breaches: vec![Breach { invariant: "I-20", at: None, what: format!("panic: {panic}") }],
        settled: Millis(0),
        digest: None,
    })
}

/// A failure, made as small as it still fails in the same way.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The scenario's file.
    pub scenario: PathBuf,
    /// How many changes the seed drew.
    pub drawn: usize,
    /// What of them is needed.
    pub changes: Vec<Change>,
    /// What is broken with these changes alone.
    pub breaches: Vec<Breach>,
    /// The file that was written.
    pub file: PathBuf,
    /// Whether the file, read and played, breaks the same.
    pub reproduced: bool,
}

/// Makes a failing plan smaller, keeps it as a file, and plays the file.
pub(super) fn pursue(
    template: &Template,
    plan: &Plan,
    found: Vec<Breach>,
    judge: &Judge<'_>,
    folder: &Path,
) -> io::Result<Failure> {
    let (plan_left, breaches) = minimised(template, plan.clone(), found, judge);
    let file = folder.join(format!("seed-{}.ron", plan.seed));
    std::fs::create_dir_all(folder)?;
    let mut remarks = vec![format!("Found by the swarm with seed {}.", plan.seed)];
    remarks.extend(breaches.iter().map(ToString::to_string));
    let text = plan_left.text(template, folder, &remarks)?;
    std::fs::write(&file, text)?;
    let again = Scenario::load(&file).map(|scenario| trial(scenario, judge).breaches);
    let reproduced = again.is_ok_and(|again| again == breaches);
    Ok(Failure {
        seed: plan.seed,
        scenario: template.path().to_owned(),
        drawn: plan.changes.len(),
        changes: plan_left.changes,
        breaches,
        file,
        reproduced,
    })
}

/// Drops changes one at a time, then lessens their numbers, as long as the first thing that was
/// broken stays broken.
fn minimised(
    template: &Template,
    mut plan: Plan,
    mut breaches: Vec<Breach>,
    judge: &Judge<'_>,
) -> (Plan, Vec<Breach>) {
    let invariant = breaches[0].invariant;
    let mut plays = 0;
    let mut fails = |plan: &Plan| {
        plays += 1;
        let trial = (plays <= PLAYS_MAX).then(|| trial(plan.scenario(template), judge));
        let mut breaches = trial?.breaches;
        let place = breaches.iter().position(|breach| breach.invariant == invariant)?;
        breaches[..=place].rotate_right(1);
        Some(breaches)
    };
    // A change that was made smaller may make another one needless: so all begins again.
    loop {
        let smaller = smaller(&plan).into_iter().find_map(|less| Some((fails(&less)?, less)));
        match smaller {
            Some(less) => (breaches, plan) = less,
            None => return (plan, breaches),
        }
    }
}

/// Plans that are a little smaller: without one of the changes, or with a smaller one.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for number in 0..plan.changes.len() {
        let mut less = plan.clone();
        less.changes.remove(number);
        plans.push(less);
    }
    for (number, change) in plan.changes.iter().enumerate() {
        for change in change.smaller() {
            let mut less = plan.clone();
            less.changes[number] = change;
            plans.push(less);
        }
    }
    plans
}

thread_local! {
    /// What this thread panicked with, while its panics are caught.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static CATCHES: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs something that may panic; then its message and place are returned, and nothing is printed.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CATCHES.with_borrow(|catches| *catches) {
                return usual(info);
            }
            let message = info.payload_as_str().unwrap_or("without words");
            let place =
                info.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
            let text = format!("{message}{}", place.unwrap_or_default());
            PANIC.set(Some(text.replace('\n', " ")));
        }));
    });
    CATCHES.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(false);
    result.map_err(|_| PANIC.take().unwrap_or_default())
}
