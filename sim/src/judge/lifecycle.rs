//! The course of a call: one end, nothing behind it, time in order, sessions in balance.

use std::collections::{BTreeMap, BTreeSet};

use call_core::call::Timer;
use call_core::input::{Agent, Carrier, Input, Playback};
use call_core::{CallTime, Cause, Effect, Fact, Step};

use super::{Evidence, Findings};

/// I-14.
pub(super) fn no_timer_after_the_end(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let (Some(brief), Some(end)) = (evidence.brief(), evidence.end()) else { return };
    let mut writes: BTreeMap<&str, CallTime> = BTreeMap::new();
    for (number, step) in evidence.steps.iter().enumerate() {
        match &step.cause {
            Cause::Input(Input::Function(ended)) => {
                writes.remove(ended.id.as_str());
            }
            Cause::Timer(timer) => {
                let write_is_due = writes.values().any(|limit| *limit <= step.at);
                let may = *timer == Timer::FunctionLimit && write_is_due;
                if number > end && !may {
                    findings.at(step.at, format!("after the end a timer fires: {timer}"));
                }
                if *timer == Timer::FunctionLimit {
                    writes.retain(|_, limit| *limit > step.at);
                }
            }
            _ => {}
        }
        for (id, _) in performed_writes(step) {
            writes.insert(id, step.at + brief.limits.pay);
        }
    }
}

fn performed_writes(step: &Step) -> impl Iterator<Item = (&str, &str)> {
    step.effects.iter().filter_map(|effect| match effect {
        Effect::Perform { id, function, key } if function.is_write() => {
            Some((id.as_str(), key.as_str()))
        }
        _ => None,
    })
}

/// I-18.
pub(super) fn one_end(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let facts = || evidence.steps.iter().flat_map(|step| &step.facts);
    let ends = facts().filter(|fact| matches!(fact, Fact::CallEnded { .. })).count();
    if ends != 1 {
        findings.whole(format!("the call has {ends} ends on record"));
    }
    let beginnings = facts().filter(|fact| matches!(fact, Fact::CallStarted { .. })).count();
    if beginnings != 1 {
        findings.whole(format!("the call has {beginnings} beginnings on record"));
    }
}

/// I-19.
pub(super) fn nothing_after_the_end(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(end) = evidence.end() else { return };
    let writes: BTreeSet<&str> =
        evidence.steps.iter().flat_map(performed_writes).map(|(id, _)| id).collect();
    for step in &evidence.steps[end + 1..] {
        if !step.effects.is_empty() {
            findings.at(step.at, "something is to be done after the end");
        }
        if !step.moves.is_empty() {
            findings.at(step.at, "the call leaves its end");
        }
        let late_outcome = |fact: &Fact| matches!(fact, Fact::FunctionDone { id, .. } if writes.contains(id.as_str()));
        // A second end is judged with the ends.
        let end_again = |fact: &Fact| matches!(fact, Fact::CallEnded { .. });
        if step.facts.iter().any(|fact| !late_outcome(fact) && !end_again(fact)) {
            findings.at(step.at, "something becomes true after the end");
        }
    }
}

/// I-20, as far as a journal shows it.
pub(super) fn time_and_order(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut now = CallTime::ZERO;
    for step in evidence.steps {
        if step.at < now {
            findings.at(step.at, format!("time went back from {now}"));
        }
        now = now.max(step.at);
        let changed = !(step.moves.is_empty() && step.facts.is_empty() && step.effects.is_empty());
        if step.ignored && changed {
            findings.at(step.at, "an ignored input changed something");
        }
    }
}

/// I-22, where a journal shows it: what is named once in a call works once, and what comes twice
/// in a row works once.
pub(super) fn repetition_is_no_news(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut named: Vec<&Input> = Vec::new();
    let mut performed = BTreeSet::new();
    let mut before: Option<&Input> = None;
    for step in evidence.steps {
        if let Cause::Input(input) = &step.cause {
            let again = named.contains(&input) || (before == Some(input) && states(input));
            if again && !step.effects.is_empty() {
                findings.at(step.at, "news that was told before is acted on again");
            }
            if has_name(input) {
                named.push(input);
            }
            before = Some(input);
        } else {
            before = None;
        }
        for effect in &step.effects {
            if let Effect::Perform { id, .. } | Effect::PlayTones { id, .. } = effect
                && !performed.insert(id)
            {
                findings.at(step.at, "a request that was performed is performed again");
            }
        }
    }
}

/// News of a thing that has a name of its own, which can happen to it only once.
const fn has_name(input: &Input) -> bool {
    match input {
        Input::Line(_) | Input::Function(_) => true,
        Input::Playback(news) => {
            matches!(news, Playback::Heard { .. } | Playback::Cut { .. } | Playback::Queued { .. })
        }
        _ => false,
    }
}

/// News of a state, which means nothing when it is told again at once.
const fn states(input: &Input) -> bool {
    match input {
        Input::Agent(news) => {
            matches!(news, Agent::Ready | Agent::AudioDone | Agent::Withdrew(_))
        }
        Input::Carrier(news) => !matches!(news, Carrier::Key(_)),
        _ => false,
    }
}

/// I-24.
pub(super) fn sessions_balance(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut open = false;
    for step in evidence.steps {
        if matches!(step.cause, Cause::Input(Input::Agent(Agent::Lost(_)))) {
            open = false;
        }
        let given_up = step.cause == Cause::Timer(Timer::AgentReady);
        if given_up && open && !step.effects.contains(&Effect::CloseAgent) {
            findings.at(step.at, "a session is given up and left open");
        }
        for effect in &step.effects {
            match effect {
                Effect::OpenAgent { .. } => {
                    if open {
                        findings.at(step.at, "a second session is opened beside an open one");
                    }
                    open = true;
                }
                Effect::CloseAgent => open = false,
                _ => {}
            }
        }
    }
    if open {
        findings.whole("the agent's session was never closed");
    }
}
