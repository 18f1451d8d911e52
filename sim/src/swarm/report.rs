//! What a swarm came to, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use call_core::Millis;

use super::plan::kinds;
use super::{Call, Change, ENOUGH, Failure, Swarm, reached};

/// So many seeds of one finding are listed.
const SEEDS_LISTED: usize = 12;

/// What a swarm came to. Printed, it is the same for the same seeds, whatever machine played them.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many calls were played.
    pub calls: u64,
    /// How long they were together, in milliseconds.
    pub simulated_ms: u64,
    /// Every call that failed, in the order of seeds.
    pub failures: Vec<Failure>,
    /// The longest that a call took to settle when nothing went wrong any more, in milliseconds.
    pub settled_ms: u64,
    /// How many calls were played again, among others.
    pub again: u64,
    /// How often each scenario was played.
    scenarios: Vec<u64>,
    /// For each kind of fault: how often it was injected, and the ids it stood for.
    injected: BTreeMap<&'static str, (u64, BTreeSet<&'static str>)>,
    /// See [`reached::all`].
    reached: Vec<u64>,
    /// Whether everything must have come up.
    complete: bool,
}

impl Report {
    pub(super) fn new(swarm: &Swarm, results: impl Iterator<Item = Call>) -> Self {
        let enough = swarm.seeds.end.saturating_sub(swarm.seeds.start) >= ENOUGH;
        let mut report = Self {
            calls: 0,
            simulated_ms: 0,
            failures: Vec::new(),
            settled_ms: 0,
            again: 0,
            scenarios: vec![0; swarm.templates.len()],
            injected: kinds().map(|kind| (kind, (0, BTreeSet::new()))).collect(),
            reached: vec![0; reached::all().count()],
            complete: enough && swarm.complete,
        };
        for result in results {
            report.calls += 1;
            report.simulated_ms += result.trial.lasted.as_millis();
            report.settled_ms = report.settled_ms.max(result.trial.settled.0);
            report.again += u64::from(result.trial.digest.is_some());
            report.scenarios[result.scenario] += 1;
            for change in &result.changes {
                let (count, ids) = report.injected.entry(change.kind()).or_default();
                *count += 1;
                ids.extend(change.ids());
            }
            for (count, reached) in report.reached.iter_mut().zip(&result.trial.reached) {
                *count += u64::from(*reached);
            }
            report.failures.extend(result.failure);
        }
        report
    }

    /// Whether every call held and, over enough seeds, everything came up.
    pub fn held(&self) -> bool {
        self.failures.is_empty() && self.missing().is_empty()
    }

    /// What should have come up and did not.
    fn missing(&self) -> Vec<String> {
        if !self.complete {
            return Vec::new();
        }
        let never = |name: String| format!("never: {name}");
        let kinds = self.injected.iter().filter(|(_, (count, _))| *count == 0);
        let kinds = kinds.map(|(kind, _)| never(format!("fault {kind}")));
        let marks = reached::all().zip(&self.reached).filter(|(_, count)| **count == 0);
        kinds.chain(marks.map(|(name, _)| never(name))).collect()
    }

    /// Failures that break the same under the same kinds of change, the smallest of them first.
    fn findings(&self) -> Vec<Vec<&Failure>> {
        let mut findings: BTreeMap<_, Vec<&Failure>> = BTreeMap::new();
        for failure in &self.failures {
            let breach = &failure.breaches[0];
            let kinds: BTreeSet<_> = failure.changes.iter().map(Change::kind).collect();
            let alike = (breach.invariant, without_numbers(&breach.what), kinds.len(), kinds);
            findings.entry(alike).or_default().push(failure);
        }
        for alike in findings.values_mut() {
            alike.sort_by_key(|failure| (failure.changes.len(), failure.seed));
        }
        findings.into_values().collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings() {
            tell_finding(&finding, f)?;
        }
        let minutes = self.simulated_ms / 60_000;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        writeln!(f, "{:>7}  calls, {hours} h {minutes} min in all", self.calls)?;
        let longest = Millis(self.settled_ms);
        writeln!(f, "{:>7}  judged while things went wrong (safety)", self.calls)?;
        writeln!(
            f,
            "{:>7}  judged when nothing went wrong any more (liveness): settled in {longest} at most",
            self.calls
        )?;
        writeln!(f, "{:>7}  played again among others (I-31)", self.again)?;
        writeln!(f, "{:>7}  failed\n", self.failures.len())?;
        let played = self.scenarios.iter().filter(|count| **count > 0).count();
        writeln!(f, "scenarios: {played} of {} were played\n\ninjected", self.scenarios.len())?;
        for (kind, (count, ids)) in &self.injected {
            let ids: Vec<_> = ids.iter().copied().collect();
            let line = format!("{count:>7}  {kind:<18} {}", ids.join(" "));
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "\nreached")?;
        for (name, count) in reached::all().zip(&self.reached) {
            writeln!(f, "{count:>7}  {name}")?;
        }
        writeln!(f)?;
        for missing in self.missing() {
            writeln!(f, "FAILED  {missing}")?;
        }
        match self.failures.len() {
            0 if self.held() => writeln!(f, "held    every invariant in every call"),
            0 => Ok(()),
            1 => writeln!(f, "FAILED  one call"),
            calls => writeln!(f, "FAILED  {calls} calls"),
        }
    }
}

fn tell_finding(alike: &[&Failure], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let first = alike[0];
    let breach = &first.breaches[0];
    writeln!(f, "BREACH  {breach}")?;
    for further in &first.breaches[1..] {
        writeln!(f, "        and {further}")?;
    }
    let name = first.scenario.file_name().unwrap_or_default().to_string_lossy();
    write!(f, "        seed {}, {name}", first.seed)?;
    match first.changes.len() {
        0 => writeln!(f, ", without any fault")?,
        needed => writeln!(f, ", {needed} of {} changes:", first.drawn)?,
    }
    for change in &first.changes {
        writeln!(f, "          {change}")?;
    }
    let again = if first.reproduced { "breaks the same" } else { "DOES NOT BREAK the same" };
    writeln!(f, "        {} {again}", first.file.display())?;
    if alike.len() > 1 {
        let seeds: Vec<_> =
            alike[1..].iter().take(SEEDS_LISTED).map(|failure| failure.seed.to_string()).collect();
        let more = match alike.len() - 1 - seeds.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(f, "        also seeds {}{more}", seeds.join(" "))?;
    }
    writeln!(f)
}

/// A sentence with every number in it as `#`, so that findings can be compared.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            digit if digit.is_ascii_digit() => {
                if !out.ends_with('#') {
                    out.push('#');
                }
            }
            other => out.push(other),
        }
    }
    out
}
