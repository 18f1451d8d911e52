//! The end of a call: last words first, and one request to the carrier.

use call_core::call::Timer;
use call_core::company::FarewellPolicy;
use call_core::input::{Agent, Carrier, Input, Line, Playback, Tones, Transfer};
use call_core::{
    Brief, CallTime, Cause, Effect, EndReason, Fact, Limits, LineId, Step, UtteranceId,
};

use super::scene::Scene;
use super::{Evidence, Findings};

/// I-12.
pub(super) fn last_words_first(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    if brief.farewell == FarewellPolicy::ReopenOnce {
        questions_are_heard_out(evidence, brief, findings);
    }
    let mut words = LastWords::new(&brief.limits);
    // Whether the call is leaving, or the caller has left it: then nothing more is said.
    let (mut leaves, mut hung_up, mut dead) = (false, false, false);
    for step in evidence.steps {
        words.news(step);
        leaves |= is_away(step);
        match step.cause {
            Cause::Input(Input::Carrier(Carrier::Dead)) => dead = true,
            Cause::Input(Input::Carrier(Carrier::Joined)) => (dead, leaves) = (false, hung_up),
            _ => {}
        }
        for effect in &step.effects {
            words.effect(effect, step.at);
            let (what, lines): (_, &[LineId]) = match effect {
                // On a dead stream no word reaches anybody, until another one joins.
                Effect::HangUp if dead => continue,
                Effect::HangUp => {
                    (leaves, hung_up) = (true, true);
                    ("we hang up", &GOODBYES)
                }
                Effect::LeaveStream if leaves => continue,
                Effect::LeaveStream => ("we leave the stream", &GOODBYES),
                Effect::Transfer { .. } => ("we hand the call over", &[LineId::Transferring]),
                _ => continue,
            };
            match &words.asked {
                Some(asked) if lines.contains(&asked.line) => {
                    if !words.over(step.at) {
                        findings.at(step.at, format!("{what} before the last words were heard"));
                    }
                }
                _ => findings.at(step.at, format!("{what} without a word")),
            }
            if matches!(effect, Effect::Transfer { .. }) {
                // Whatever comes next needs last words of its own.
                words.asked = None;
            }
        }
    }
}

/// Where words may call the farewell off, the last words are not over while a voice sounds (S20).
fn questions_are_heard_out(evidence: &Evidence<'_>, brief: &Brief, findings: &mut Findings<'_>) {
    let wished = |fact: &Fact| {
        let reason = match fact {
            Fact::CallEnded { reason } => *reason,
            _ => return false,
        };
        matches!(reason, EndReason::AgentHangup | EndReason::NoInput)
    };
    if !evidence.steps.iter().any(|step| step.facts.iter().any(wished)) {
        return;
    }
    let mut scene = Scene::new(brief);
    let mut for_good = false;
    for step in evidence.steps {
        scene.advance(step.at);
        let heard = matches!(step.cause, Cause::Input(Input::Playback(Playback::Heard { .. })));
        let hangs_up = step.effects.contains(&Effect::HangUp);
        let may_call_off = !for_good && scene.agent_listens();
        if heard && hangs_up && may_call_off && scene.speaks_for().is_some() {
            findings.at(step.at, "we hang up on a caller who speaks and may call it off");
        }
        let said = matches!(step.cause, Cause::Input(Input::Agent(Agent::CallerSaid { .. })));
        for_good |= said && step.effects.contains(&Effect::UnmuteAgent);
        for_good |= matches!(step.cause, Cause::Timer(Timer::CallLimit | Timer::DrainLimit));
        scene.apply(step);
    }
}

/// Whether the caller cannot be spoken to, as far as the carrier tells.
fn is_away(step: &Step) -> bool {
    let Cause::Input(Input::Carrier(news)) = &step.cause else { return false };
    matches!(
        news,
        Carrier::Stopped
            | Carrier::Lost
            | Carrier::Dead
            | Carrier::Completed
            | Carrier::Transfer(Transfer::Accepted | Transfer::Completed | Transfer::Gone)
            | Carrier::Tones(Tones::Accepted | Tones::Gone)
    )
}

/// What may be said last before we hang up.
const GOODBYES: [LineId; 3] = [LineId::Farewell, LineId::GoodbyeSilence, LineId::Trouble];

struct Asked {
    line: LineId,
    /// When it was first asked for, and its latest saying.
    since: CallTime,
    utterance: UtteranceId,
    prepared: CallTime,
    ready: bool,
    /// When it is past waiting for: its mark is overdue.
    overdue: Option<CallTime>,
    settled: bool,
}

/// The last words of a call, from being asked for to being heard, or past hoping for.
struct LastWords<'a> {
    limits: &'a Limits,
    asked: Option<Asked>,
}

impl<'a> LastWords<'a> {
    const fn new(limits: &'a Limits) -> Self {
        Self { limits, asked: None }
    }

    fn news(&mut self, step: &Step) {
        let mark = self.limits.mark;
        let line_ready = self.limits.line_ready;
        let Some(asked) = &mut self.asked else { return };
        let ours = |utterance: &UtteranceId| *utterance == asked.utterance;
        match &step.cause {
            Cause::Input(Input::Line(
                Line::Ready { utterance, .. } | Line::Spoken { utterance, .. },
            )) if ours(utterance) => {
                asked.ready = true;
            }
            Cause::Input(Input::Line(Line::Failed { utterance })) if ours(utterance) => {
                asked.settled = true;
            }
            Cause::Timer(Timer::LineReady) if !asked.ready => {
                asked.settled |= step.at >= asked.prepared + line_ready;
            }
            Cause::Input(Input::Playback(Playback::Queued { utterance, until, .. }))
                if ours(utterance) =>
            {
                asked.overdue = Some(*until + mark);
            }
            Cause::Input(Input::Playback(Playback::Heard { utterance, .. })) if ours(utterance) => {
                asked.settled = true;
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: &Effect, at: CallTime) {
        match effect {
            Effect::Prepare { utterance, line, .. }
            | Effect::Inject { utterance, line, .. }
            | Effect::UseRecording { utterance, line, .. }
                if GOODBYES.contains(line) || *line == LineId::Transferring =>
            {
                let before = self.asked.take().filter(|asked| asked.line == *line);
                self.asked = Some(Asked {
                    line: *line,
                    since: before.map_or(at, |asked| asked.since),
                    utterance: *utterance,
                    prepared: at,
                    ready: false,
                    overdue: None,
                    settled: false,
                });
            }
            // The conversation goes on.
            Effect::UnmuteAgent => self.asked = None,
            _ => {}
        }
    }

    /// Whether nothing more is to be waited for.
    fn over(&self, at: CallTime) -> bool {
        self.asked.as_ref().is_none_or(|asked| {
            asked.settled
                || asked.overdue.is_some_and(|overdue| overdue <= at)
                || at >= asked.since + self.limits.farewell
        })
    }
}

/// I-35.
pub(super) fn one_terminal_request(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let mut hung_up = false;
    let mut handing = false;
    for step in evidence.steps {
        if came_to_nothing(step) {
            handing = false;
        }
        for effect in &step.effects {
            let what = match effect {
                Effect::HangUp => "hung up",
                Effect::Transfer { .. } => "handed over",
                _ => continue,
            };
            if hung_up {
                findings.at(step.at, format!("a call is {what} that was hung up"));
            } else if handing {
                findings.at(step.at, format!("a call is {what} that is being handed over"));
            }
            hung_up |= *effect == Effect::HangUp;
            handing |= *effect != Effect::HangUp;
        }
    }
}

/// Whether a transfer came to nothing, so that the call is ours again.
fn came_to_nothing(step: &Step) -> bool {
    match &step.cause {
        Cause::Input(Input::Carrier(Carrier::Transfer(news))) => {
            !matches!(news, Transfer::Accepted | Transfer::Completed)
        }
        // The caller may be back before that is told.
        Cause::Input(Input::Carrier(Carrier::Joined)) | Cause::Timer(Timer::TransferLimit) => true,
        _ => false,
    }
}
