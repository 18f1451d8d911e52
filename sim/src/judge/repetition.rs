//! The call played again from its own journal: the same, and with news told twice.

use call_core::input::{Agent, Carrier, Input};
use call_core::{Call, CallTime, Cause, Effect, Step};

use super::{Evidence, Findings, lifecycle};
use crate::machine::Machine;
use crate::replay::replay_with;

/// I-21. A replay reads nothing but the journal, so whatever else a call depended on shows here.
pub(super) fn replays(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(difference) = replay_with(evidence.machine, evidence.steps) else { return };
    let what = format!("step {} of a replay differs", difference.number + 1);
    match difference.recorded.or(difference.replayed) {
        Some(step) => findings.at(step.at, what),
        None => findings.whole(what),
    }
}

/// I-22: as the journal shows it, and as another machine shows it that is told everything twice.
pub(super) fn no_news(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    lifecycle::repetition_is_no_news(evidence, findings);
    if let Some((at, news)) = told_twice(evidence.machine, evidence.steps, Call::step) {
        findings.at(at, format!("news told twice at once does something else: {news}"));
    }
}

/// Plays a journal in two machines, one of which is told each piece of news twice at once, the
/// second time by `again`. Returns when their effects first differ, and after which news.
fn told_twice(
    machine: Machine,
    journal: &[Step],
    again: impl Fn(&mut Call, CallTime, Input) -> Vec<Step>,
) -> Option<(CallTime, &'static str)> {
    let Some(Step { cause: Cause::Started(brief), .. }) = journal.first() else { return None };
    let (mut once, _) = machine.call((**brief).clone());
    let (mut twice, _) = machine.call((**brief).clone());
    for step in &journal[1..] {
        let (mut expected, mut came, news) = match &step.cause {
            Cause::Input(input) => {
                let came = twice.step(step.at, input.clone());
                (once.step(step.at, input.clone()), came, Some(input))
            }
            Cause::Timer(_) => (once.wake(step.at), twice.wake(step.at), None),
            Cause::Started(_) => return None,
        };
        if let Some(news) = news.filter(|news| is_news(news)) {
            came.extend(again(&mut twice, step.at, news.clone()));
        }
        // The repetition fires what became due by the news; so that is looked at together.
        expected.extend(once.wake(step.at));
        came.extend(twice.wake(step.at));
        if !effects(&expected).eq(effects(&came)) {
            return Some((step.at, news.map_or("a timer", leg)));
        }
    }
    None
}

fn effects(steps: &[Step]) -> impl Iterator<Item = &Effect> {
    steps.iter().flat_map(|step| &step.effects)
}

/// What means the same when it comes again at once. A request, a cough, a key or words that come
/// twice are meant twice, and a second loss is the loss of the session that replaced the first.
const fn is_news(input: &Input) -> bool {
    match input {
        Input::Agent(news) => {
            matches!(news, Agent::Ready | Agent::AudioDone | Agent::Withdrew(_) | Agent::Warned(_))
        }
        Input::Carrier(news) => !matches!(news, Carrier::Key(_)),
        Input::Line(_) | Input::Playback(_) | Input::Function(_) | Input::Operator(_) => true,
    }
}

const fn leg(input: &Input) -> &'static str {
    match input {
        Input::Carrier(_) => "of the carrier",
        Input::Agent(_) => "of the agent",
        Input::Line(_) => "of a line",
        Input::Playback(_) => "of playback",
        Input::Function(_) => "of a function",
        Input::Operator(_) => "of an operator",
    }
}

#[cfg(test)]
mod tests {
    use call_core::Brief;

    use super::*;

    /// I-22: a machine that acts on a repetition is found, and one that does not is left alone.
    #[test]
    fn a_machine_that_acts_on_news_told_twice_is_found() {
        let (mut call, first) = Call::new(Brief::example());
        let mut journal = vec![first];
        for (millis, news) in [(500, Agent::Ready), (900, Agent::Warned("SLOW".to_owned()))] {
            journal.extend(call.step(CallTime::from_millis(millis), Input::Agent(news)));
        }
        assert_eq!(told_twice(Machine::default(), &journal, Call::step), None);
        let acts = |call: &mut Call, at, input: Input| {
            let mut steps = call.step(at, input.clone());
            if matches!(input, Input::Agent(Agent::Warned(_))) {
                steps.iter_mut().for_each(|step| step.effects.push(Effect::CloseAgent));
            }
            steps
        };
        let found = Some((CallTime::from_millis(900), "of the agent"));
        assert_eq!(told_twice(Machine::default(), &journal, acts), found);
    }
}
