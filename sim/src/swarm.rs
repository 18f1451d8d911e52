//! Many calls, in each of which something else goes wrong, judged by the invariants.
//!
//! A seed stands for a call: which scenario, and which of the cast's misdeeds. What the scenario
//! expects is not asked, because it may rightly fail under faults; the invariants must hold
//! whatever happens, and the call must end by itself. A call that fails is made smaller until every
//! fault in it is needed, and kept as a scenario file.
//!
//! Each call has two phases. In the first, for safety, things go wrong and every invariant must
//! hold. In the second, for liveness, nothing goes wrong any more from some moment on, and the call
//! must settle: see `settle`. A part of the calls is played once more among other calls, and must
//! be the same: see `again`.

mod acts;
mod again;
mod plan;
mod reached;
mod report;
mod settle;
mod trial;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::judge::{Breach, Evidence};
use crate::scenario::Template;

pub use acts::Deed;
pub use plan::{Change, Plan};
pub use report::Report;
pub use trial::Failure;

/// Over so many seeds every kind of fault and every mark must have come up.
pub const ENOUGH: u64 = 5_000;

/// What is held against a call: [`judge_all`](crate::judge::judge_all), or a part of it.
pub type Judge<'a> = dyn Fn(&Evidence<'_>) -> Vec<Breach> + Sync + 'a;

/// A swarm that is to be played.
#[derive(Debug, Clone)]
pub struct Swarm {
    /// The seeds, one call for each.
    pub seeds: Range<u64>,
    /// The scenarios to choose from.
    pub templates: Vec<Template>,
    /// Whether these are all scenarios there are, so that every mark can be expected.
    pub complete: bool,
    /// How many calls are played at the same time.
    pub threads: usize,
    /// Where failing calls are kept.
    pub folder: PathBuf,
}

/// What came of one seed.
struct Call {
    trial: trial::Trial,
    scenario: usize,
    changes: Vec<Change>,
    failure: Option<Failure>,
}

impl Swarm {
    /// Plays every seed. `progress` is told of each call that was played, from any thread.
    ///
    /// The report does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// When a failing call cannot be kept.
    pub fn run(&self, judge: &Judge<'_>, progress: &(dyn Fn() + Sync)) -> io::Result<Report> {
        assert!(!self.templates.is_empty(), "a swarm has scenarios to choose from");
        let next = AtomicU64::new(self.seeds.start);
        let work = || {
            let mut results = BTreeMap::new();
            loop {
                let one_more = |seed| (seed < self.seeds.end).then(|| seed + 1);
                let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
                let Ok(seed) = taken else { return Ok(results) };
                results.insert(seed, self.play(seed, judge)?);
                progress();
            }
        };
        let results: Vec<io::Result<BTreeMap<u64, Call>>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|result| result.expect("panics of calls are caught")).collect()
        });
        let mut all = BTreeMap::new();
        for part in results {
            all.extend(part?);
        }
        self.play_again(&mut all, judge)?;
        Ok(Report::new(self, all.into_values()))
    }

    /// Plays a part of the calls again, among others (I-31).
    fn play_again(&self, all: &mut BTreeMap<u64, Call>, judge: &Judge<'_>) -> io::Result<()> {
        let first = all.iter().filter_map(|(seed, call)| Some((*seed, call.trial.digest?)));
        let play = |seed| {
            let (scenario, plan) = Plan::draw(seed, &self.templates);
            let template = &self.templates[scenario];
            trial::trial(plan.scenario(template), judge).digest.unwrap_or_default()
        };
        for seed in again::differing(&first.collect(), self.threads, &play) {
            let (Some(call), what) = (all.get_mut(&seed), "played again, the call is another one")
            else {
                continue;
            };
            let breach = Breach { invariant: "I-31", at: None, what: what.to_owned() };
            if call.failure.is_none() {
                let (scenario, plan) = Plan::draw(seed, &self.templates);
                let template = &self.templates[scenario];
                let failure = trial::pursue(template, &plan, vec![breach], judge, &self.folder)?;
                call.failure = Some(failure);
            }
        }
        Ok(())
    }

    fn play(&self, seed: u64, judge: &Judge<'_>) -> io::Result<Call> {
        let (scenario, plan) = Plan::draw(seed, &self.templates);
        let template = &self.templates[scenario];
        let trial = trial::trial(plan.scenario(template), judge);
        let failure = if trial.breaches.is_empty() {
            None
        } else {
            let found = trial.breaches.clone();
            Some(trial::pursue(template, &plan, found, judge, &self.folder)?)
        };
        Ok(Call { trial, scenario, changes: plan.changes, failure })
    }
}
