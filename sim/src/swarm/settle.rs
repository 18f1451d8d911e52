//! The second phase of a call in a swarm: from a moment on nothing goes wrong any more, and the
//! call must settle.
//!
//! The first phase asks for safety: whatever goes wrong, no invariant is broken. That a call ends
//! under faults may still be owed to the next fault. So the journal is told to a new machine up to
//! a moment that follows from the seed, and from there on the world keeps its word: whatever the
//! machine has asked for is confirmed, soon and once, and nobody says anything new. Then the call
//! must come to its end by itself, with nothing left open.

use call_core::effect::Effect;
use call_core::input::{
    Agent, Carrier, CutReason, FunctionEnded, FunctionOutcome, HungUp, Input, Line, Playback,
    Tones, Transfer,
};
use call_core::{Brief, Call, CallTime, Cause, Limits, Millis, Step, UtteranceId};

use std::collections::BTreeMap;

use crate::judge::{AudioTotals, Breach, Evidence, judge_by};
use crate::machine::Machine;
use crate::seed::Seed;

/// A world that keeps its word confirms by then.
const SOON: Millis = Millis(300);

/// How long everything lasts that is still to be said.
const AUDIO: Millis = Millis(1_000);

/// No call needs more than this to settle.
const NEWS_MAX: usize = 500;

/// What a journal must show when the call has settled. The carrier's account ends with the first
/// phase, so what rests on it is not asked again.
const INVARIANTS: [&str; 8] = ["I-11", "I-13", "I-14", "I-18", "I-19", "I-20", "I-21", "I-24"];

/// How a call settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    /// From the last thing that went wrong to the end.
    pub(super) took: Millis,
    /// What did not hold.
    pub(super) breaches: Vec<Breach>,
}

/// Lets a call settle from a moment that follows from this seed. Nothing if the journal does not
/// begin with a call.
pub(super) fn settle(journal: &[Step], seed: u64) -> Option<Settled> {
    let Some(Step { cause: Cause::Started(brief), .. }) = journal.first() else { return None };
    let last = journal.len() as u64 - 1;
    let cut = Seed::new(seed).branch("nothing goes wrong any more").between(0, last) as usize;
    Some(settle_from(brief, &journal[..=cut], NEWS_MAX))
}

fn settle_from(brief: &Brief, first_phase: &[Step], news_max: usize) -> Settled {
    let mut world = World::new(brief, first_phase);
    let began = world.now;
    for _ in 0..news_max {
        if !world.turn() {
            break;
        }
    }
    let World { call, steps, .. } = world;
    let ended = steps.iter().find(|step| step.effects.contains(&Effect::LeaveStream));
    let took = ended.map_or(Millis(0), |step| step.at.since(began));
    let mut breaches = Vec::new();
    let mut breach =
        |what: String| breaches.push(Breach { invariant: "I-11", at: Some(began), what });
    if !call.is_over() {
        breach(format!("nothing goes wrong any more, and the call does not settle: {call:?}"));
    } else if took > longest(&brief.limits) {
        breach(format!("nothing goes wrong any more, and the call goes on for {took}"));
    }
    let (account, audio, machine) = (BTreeMap::new(), AudioTotals::default(), Machine::default());
    let evidence = Evidence { steps: &steps, account: &account, audio, machine };
    breaches.extend(judge_by(&evidence, &INVARIANTS));
    Settled { took, breaches }
}

/// A silent caller, who first may have to be asked for, and be told, whatever is under way.
fn longest(limits: &Limits) -> Millis {
    let Limits { silence_farewell, patience, pay, reply, reconnect, agent_ready, .. } = limits;
    let silence = (*silence_farewell).max(*patience);
    let handed = limits.farewell + limits.hang_up + limits.transfer;
    let toned = limits.farewell + limits.hang_up + limits.tones;
    let ending = limits.farewell + limits.hang_up;
    *pay + *reply + (*reconnect).max(*agent_ready) + silence + handed + toned + ending
}

/// The machine, and what it is still owed.
struct World {
    call: Call,
    now: CallTime,
    steps: Vec<Step>,
    /// What will be told, and when.
    owed: Vec<(CallTime, Input)>,
}

impl World {
    fn new(brief: &Brief, first_phase: &[Step]) -> Self {
        let (call, first) = Call::new(brief.clone());
        let mut world = Self { call, now: CallTime::ZERO, steps: Vec::new(), owed: Vec::new() };
        world.learn(vec![first]);
        for step in first_phase.iter().skip(1) {
            let came = match &step.cause {
                Cause::Input(input) => {
                    world.forget(input);
                    world.call.step(step.at, input.clone())
                }
                Cause::Timer(_) | Cause::Started(_) => world.call.wake(step.at),
            };
            world.now = step.at;
            world.learn(came);
        }
        let soon = world.now + SOON;
        world.owed.iter_mut().for_each(|(at, _)| *at = soon.max(*at));
        world
    }

    /// Tells the next thing, or lets the next timer fire. Returns whether there was anything.
    fn turn(&mut self) -> bool {
        let owed = self.owed.iter().map(|(at, _)| *at).min();
        let due = self.call.poll_timeout().map(|(at, _)| at);
        let place = self.owed.iter().position(|(at, _)| Some(*at) == owed);
        let came = match (owed, due, place) {
            (_, None, _) if self.call.is_over() => return false,
            (Some(owed), due, Some(place)) if due.is_none_or(|due| owed <= due) => {
                let (_, input) = self.owed.remove(place);
                self.now = self.now.max(owed);
                self.call.step(self.now, input)
            }
            (_, Some(due), _) => {
                self.now = self.now.max(due);
                self.call.wake(due)
            }
            _ => return false,
        };
        self.learn(came);
        true
    }

    fn learn(&mut self, steps: Vec<Step>) {
        for step in steps {
            if let Cause::Input(Input::Playback(news)) = &step.cause {
                self.owe(step.at, next_of(news, step.at).map(Input::Playback));
            }
            if let Cause::Input(Input::Line(Line::Spoken { utterance, .. })) = step.cause {
                // Its audio follows the agent's words.
                self.owe(step.at, Some(Input::Playback(Playback::Began { utterance })));
            }
            if let Cause::Input(Input::Carrier(news)) = &step.cause {
                self.owe(step.at, next_of_leaving(news).map(Input::Carrier));
            }
            for effect in &step.effects {
                match effect {
                    Effect::Clear => self.cut(step.at, |_| true),
                    Effect::CutReply => self.cut(step.at, UtteranceId::is_agents),
                    Effect::Withdraw { utterance } => self.withdrawn(*utterance),
                    Effect::CloseAgent => {
                        self.owed.retain(|(_, owed)| *owed != Input::Agent(Agent::Ready));
                    }
                    _ => self.owe(step.at, confirmation(effect)),
                }
            }
            self.steps.push(step);
        }
    }

    fn owe(&mut self, at: CallTime, input: Option<Input>) {
        let at = match &input {
            Some(Input::Playback(Playback::Heard { .. })) => at + AUDIO,
            _ => at,
        };
        self.owed.extend(input.map(|input| (at + SOON, input)));
    }

    /// Speech was stopped: what would have become of it does not.
    fn cut(&mut self, at: CallTime, stopped: impl Fn(UtteranceId) -> bool) {
        for (when, owed) in &mut self.owed {
            if let Some(utterance) = speech(owed).filter(|utterance| stopped(*utterance)) {
                *when = at + SOON;
                let (heard, why) = (Millis(0), CutReason::Stopped);
                *owed = Input::Playback(Playback::Cut {
                    utterance,
                    heard,
                    audio: AUDIO,
                    whole: true,
                    why,
                });
            }
        }
    }

    /// The agent is not to say a line after all.
    fn withdrawn(&mut self, utterance: UtteranceId) {
        self.owed.retain(|(_, owed)| match owed {
            Input::Line(owed) => line(owed) != utterance,
            owed => speech(owed) != Some(utterance),
        });
    }

    /// Something was told in the first phase, well or not: it is not owed any more.
    fn forget(&mut self, told: &Input) {
        self.owed.retain(|(_, owed)| match (owed, told) {
            (Input::Line(owed), Input::Line(told)) => line(owed) != line(told),
            (Input::Function(owed), Input::Function(told)) => owed.id != told.id,
            (Input::Agent(_), Input::Agent(Agent::Ready | Agent::Lost(_))) => false,
            (Input::Carrier(Carrier::Transfer(_)), Input::Carrier(Carrier::Transfer(_)))
            | (Input::Carrier(Carrier::Tones(_)), Input::Carrier(Carrier::Tones(_)))
            | (Input::Carrier(Carrier::HungUp(_)), Input::Carrier(Carrier::HungUp(_)))
            | (Input::Carrier(Carrier::Joined), Input::Carrier(Carrier::Joined)) => false,
            (Input::Playback(_), Input::Playback(_)) => {
                speech(owed).is_none() || speech(owed) != speech(told)
            }
            // With the stream ends whatever was on it.
            (
                Input::Playback(_),
                Input::Carrier(
                    Carrier::Stopped | Carrier::Lost | Carrier::Dead | Carrier::Completed,
                ),
            ) => false,
            _ => true,
        });
    }
}

const fn line(line: &Line) -> UtteranceId {
    match line {
        Line::Ready { utterance, .. }
        | Line::Spoken { utterance, .. }
        | Line::Refused { utterance }
        | Line::Failed { utterance } => *utterance,
    }
}

const fn speech(input: &Input) -> Option<UtteranceId> {
    match input {
        Input::Playback(
            Playback::Waits { utterance }
            | Playback::Began { utterance }
            | Playback::Queued { utterance, .. }
            | Playback::Heard { utterance, .. }
            | Playback::Cut { utterance, .. },
        ) => Some(*utterance),
        _ => None,
    }
}

/// What becomes of speech next.
fn next_of(news: &Playback, at: CallTime) -> Option<Playback> {
    match *news {
        Playback::Waits { utterance } => Some(Playback::Began { utterance }),
        Playback::Began { utterance } => {
            Some(Playback::Queued { utterance, audio: AUDIO, until: at + AUDIO })
        }
        Playback::Queued { utterance, audio, .. } => Some(Playback::Heard { utterance, audio }),
        Playback::Heard { .. } | Playback::Cut { .. } | Playback::Dry => None,
    }
}

/// A transfer that was taken is answered by a person; a caller whom nobody took comes back, and so
/// does one for whom tones were played.
const fn next_of_leaving(news: &Carrier) -> Option<Carrier> {
    match news {
        Carrier::Transfer(Transfer::Accepted) => Some(Carrier::Transfer(Transfer::Completed)),
        Carrier::Transfer(Transfer::Busy | Transfer::NoAnswer | Transfer::Failed)
        | Carrier::Tones(Tones::Accepted) => Some(Carrier::Joined),
        _ => None,
    }
}

/// What confirms an effect.
fn confirmation(effect: &Effect) -> Option<Input> {
    match effect {
        Effect::OpenAgent { .. } => Some(Input::Agent(Agent::Ready)),
        Effect::Prepare { utterance, .. } | Effect::UseRecording { utterance, .. } => {
            let (utterance, text) = (*utterance, "Words.".to_owned());
            Some(Input::Line(Line::Ready { utterance, text, version: 1, audio: AUDIO }))
        }
        Effect::Inject { utterance, .. } => {
            let (utterance, text) = (*utterance, "Words.".to_owned());
            Some(Input::Line(Line::Spoken { utterance, text, version: 1 }))
        }
        Effect::Play { utterance } => {
            Some(Input::Playback(Playback::Began { utterance: *utterance }))
        }
        Effect::Perform { id, .. } => Some(Input::Function(FunctionEnded {
            id: id.clone(),
            outcome: FunctionOutcome::Done,
            identity: Vec::new(),
            disclosed: Vec::new(),
        })),
        Effect::HangUp => Some(Input::Carrier(Carrier::HungUp(HungUp::Done))),
        Effect::Transfer { .. } => Some(Input::Carrier(Carrier::Transfer(Transfer::Accepted))),
        Effect::PlayTones { .. } => Some(Input::Carrier(Carrier::Tones(Tones::Accepted))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> (Brief, Vec<Step>) {
        let brief = Brief::example();
        let (mut call, first) = Call::new(brief.clone());
        let mut steps = vec![first];
        steps.extend(call.step(CallTime::from_millis(400), Input::Agent(Agent::Ready)));
        (brief, steps)
    }

    /// I-11: with nothing going wrong, a silent caller is asked, and told goodbye.
    #[test]
    fn a_call_in_which_nothing_goes_wrong_any_more_settles() {
        let (brief, steps) = begun();
        let settled = settle_from(&brief, &steps, NEWS_MAX);
        assert_eq!(settled.breaches, []);
        assert!(settled.took > brief.limits.silence_farewell, "{:?}", settled.took);
    }

    #[test]
    fn a_call_that_does_not_settle_is_a_breach() {
        let (brief, steps) = begun();
        let settled = settle_from(&brief, &steps, 3);
        assert!(settled.breaches.iter().any(|breach| breach.what.contains("does not settle")));
    }
}
