//! A played call, to be spoilt in one place, and the words for that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use call_core::effect::Function;
use call_core::input::{Agent, Input, Playback};
use call_core::{
    CallTime, Cause, Effect, Fact, Language, Limits, LineId, Millis, Step, UtteranceId,
};
use sim::cast::carrier::Account;
use sim::judge::{AudioTotals, Breach, Evidence, judge_by, judged};
use sim::machine::Machine;
use sim::play;

/// The opening is the first line of every call.
pub(crate) const OPENING: UtteranceId = UtteranceId::Line(1);

/// A played call, to be spoilt in one place.
#[derive(Clone)]
pub(crate) struct Spoilt {
    pub(crate) steps: Vec<Step>,
    pub(crate) account: BTreeMap<String, Account>,
    pub(crate) audio: AudioTotals,
}

impl Spoilt {
    pub(crate) fn play(file: &Path) -> Self {
        let played = play(file).unwrap_or_else(|problem| panic!("{problem}"));
        Self { steps: played.steps, account: played.account, audio: AudioTotals::default() }
    }

    /// Each call is played once and spoilt often.
    pub(crate) fn named(name: &str) -> Self {
        static PLAYED: Mutex<BTreeMap<String, Spoilt>> = Mutex::new(BTreeMap::new());
        let mut played = PLAYED.lock().expect("no test fails while it plays");
        let call = played.entry(name.to_owned()).or_insert_with(|| {
            let call = Self::play(&root().join(format!("{name}.ron")));
            assert_eq!(call.judge(), [], "it is good before it is spoilt");
            call
        });
        call.clone()
    }

    pub(crate) fn judge(&self) -> Vec<Breach> {
        let (steps, account, audio) = (&self.steps, &self.account, self.audio);
        // A spoilt journal never replays. Whether it does is asked by itself.
        let invariants: Vec<_> = judged().filter(|invariant| *invariant != "I-21").collect();
        judge_by(&Evidence { steps, account, audio, machine: Machine::default() }, &invariants)
    }

    /// What is held against the call because it does not replay.
    pub(crate) fn replay_breaches(&self) -> Vec<Breach> {
        let (steps, account, audio) = (&self.steps, &self.account, self.audio);
        judge_by(&Evidence { steps, account, audio, machine: Machine::default() }, &["I-21"])
    }

    /// Exactly these invariants do not hold.
    #[track_caller]
    pub(crate) fn breaks(&self, invariants: &[&str]) {
        let breaches = self.judge();
        let broken: BTreeSet<_> = breaches.iter().map(|breach| breach.invariant).collect();
        assert_eq!(broken, invariants.iter().copied().collect(), "{breaches:#?}");
    }

    #[track_caller]
    pub(crate) fn find(&self, is: impl Fn(&Step) -> bool) -> usize {
        self.steps.iter().position(is).expect("the call has such a step")
    }

    pub(crate) fn limits(&mut self) -> &mut Limits {
        match &mut self.steps[0].cause {
            Cause::Started(brief) => &mut brief.limits,
            _ => panic!("a journal begins with its brief"),
        }
    }

    /// Where the first such fact is, and a copy of it.
    #[track_caller]
    pub(crate) fn fact(&self, is: impl Fn(&Fact) -> bool) -> (usize, Fact) {
        let step = self.find(|step| step.facts.iter().any(&is));
        let fact = self.steps[step].facts.iter().find(|fact| is(fact)).cloned();
        (step, fact.expect("it was just seen"))
    }

    #[track_caller]
    pub(crate) fn take_fact(&mut self, is: impl Fn(&Fact) -> bool) {
        let (step, fact) = self.fact(is);
        let place = self.steps[step].facts.iter().position(|other| *other == fact);
        self.steps[step].facts.remove(place.expect("it was just seen"));
    }

    pub(crate) fn take_facts(&mut self, is: impl Fn(&Fact) -> bool) {
        for step in &mut self.steps {
            step.facts.retain(|fact| !is(fact));
        }
    }

    #[track_caller]
    pub(crate) fn take_effect(&mut self, step: usize, effect: &Effect) -> Effect {
        let effects = &mut self.steps[step].effects;
        let place = effects.iter().position(|other| other == effect).expect("it is in the step");
        effects.remove(place)
    }

    /// Everything from this step on happens later.
    pub(crate) fn later(&mut self, from: usize, by: Millis) {
        for step in &mut self.steps[from..] {
            step.at = step.at + by;
            if let Cause::Input(Input::Playback(Playback::Queued { until, .. })) = &mut step.cause {
                *until = *until + by;
            }
        }
    }

    /// Something happens when all is over.
    pub(crate) fn append(&mut self, cause: Cause) -> usize {
        let at = self.steps.last().expect("a call has steps").at;
        self.steps.push(step(at, cause));
        self.steps.len() - 1
    }

    /// What comes of the call's write comes of another request too.
    pub(crate) fn echo_outcomes(&mut self, other: &str) {
        let mut steps = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            let write = step.facts.iter().find_map(|fact| match fact {
                Fact::FunctionDone { name, .. } if name == "make_payment" => Some(fact.clone()),
                _ => None,
            });
            let mut echo = step.clone();
            steps.push(step);
            let Some(Fact::FunctionDone { name, outcome, .. }) = write else { continue };
            if let Cause::Input(Input::Function(ended)) = &mut echo.cause {
                ended.id = other.to_owned();
            }
            echo.facts = vec![Fact::FunctionDone { id: other.to_owned(), name, outcome }];
            echo.effects.clear();
            echo.moves.clear();
            steps.push(echo);
        }
        self.steps = steps;
    }

    pub(crate) fn change_cut(&mut self, step: usize, change: impl Fn(&mut Millis, &Millis)) {
        let step = &mut self.steps[step];
        if let Cause::Input(Input::Playback(Playback::Cut { heard, audio, .. })) = &mut step.cause {
            change(heard, audio);
        }
        for fact in &mut step.facts {
            if let Fact::Cut { heard, audio, .. } = fact {
                change(heard, audio);
            }
        }
    }
}

pub(crate) fn step(at: CallTime, cause: Cause) -> Step {
    let (moves, facts, effects) = (Vec::new(), Vec::new(), Vec::new());
    Step { at, cause, moves, facts, effects, ignored: false }
}

pub(crate) fn prepare(number: u32, line: LineId) -> Effect {
    Effect::Prepare {
        utterance: UtteranceId::Line(number),
        line,
        language: Language::English,
        arguments: BTreeMap::new(),
    }
}

pub(crate) fn prepares(step: &Step, line: LineId) -> bool {
    step.effects.iter().any(|e| matches!(e, Effect::Prepare { line: l, .. } if *l == line))
}

pub(crate) fn performs(step: &Step, function: Function) -> Option<&Effect> {
    let is = |e: &&Effect| matches!(e, Effect::Perform { function: f, .. } if *f == function);
    step.effects.iter().find(is)
}

pub(crate) fn answers(step: &Step, name: &str) -> bool {
    step.effects.iter().any(|e| matches!(e, Effect::Answer { name: n, .. } if n == name))
}

pub(crate) fn said_by_caller(step: &Step) -> bool {
    matches!(step.cause, Cause::Input(Input::Agent(Agent::CallerSaid { .. })))
}

pub(crate) fn heard(step: &Step, which: UtteranceId) -> bool {
    matches!(
        step.cause,
        Cause::Input(Input::Playback(Playback::Heard { utterance, .. })) if utterance == which
    )
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}
