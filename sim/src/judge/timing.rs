//! Time: the call ends, silence is silence, nothing goes dead, and a voice stops speech at once.

use call_core::call::Timer;
use call_core::input::{Agent, Carrier, Input};
use call_core::{CallTime, Cause, Effect, LineId, Millis, Step};

use super::scene::{Cuttable, Scene};
use super::{DEAD_AIR, Evidence, Findings};

/// I-11.
pub(super) fn ends_in_time(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let limits = &brief.limits;
    // A call in other hands is not ours to end: should it come back, it is ended then.
    let handed = |step: &Step| step.effects.iter().any(|e| matches!(e, Effect::Transfer { .. }));
    // Announced, asked for and rung out at their longest, each begun just before its limit.
    let handing = limits.farewell + limits.hang_up + limits.transfer;
    let away = if evidence.steps.iter().any(handed) { handing } else { Millis(0) };
    // Nor can a call be ended while tones are played in place of its stream.
    let toned = |step: &Step| step.effects.iter().any(|e| matches!(e, Effect::PlayTones { .. }));
    let tones =
        if evidence.steps.iter().any(toned) { limits.hang_up + limits.tones } else { Millis(0) };
    // A payment that is under way at the longest call comes to its outcome, and that is told.
    let pays =
        |effect: &Effect| matches!(effect, Effect::Perform { function, .. } if function.is_write());
    let paid = evidence.steps.iter().flat_map(|step| &step.effects).any(pays);
    let payment = if paid { limits.pay + limits.reply } else { Millis(0) };
    let longest =
        CallTime::ZERO + limits.call + payment + limits.farewell + away + tones + limits.hang_up;
    let over = match evidence.end() {
        Some(end) => evidence.steps[end].at,
        None => evidence.last(),
    };
    if evidence.end().is_none() {
        findings.at(over, "the journal stops and the call has not ended");
    } else if over > longest {
        findings.at(over, format!("the call ended after {longest}, the latest end there is"));
    }
    let mut scene = Scene::new(brief);
    for step in evidence.steps {
        scene.advance(step.at);
        if scene.waits_for_caller() && scene.silence > scene.farewell_latest() {
            let silence = scene.silence;
            findings.at(step.at, format!("nobody said goodbye after {silence} of silence"));
            return;
        }
        scene.apply(step);
    }
}

/// I-15.
pub(super) fn silence_is_silence(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut scene = Scene::new(brief);
    for step in evidence.steps {
        scene.advance(step.at);
        let (prompt, farewell) = scene.silence_limits();
        let due = match step.cause {
            Cause::Timer(Timer::SilencePrompt) => Some(prompt),
            Cause::Timer(Timer::SilenceFarewell) => Some(farewell),
            _ => None,
        };
        if let Some(due) = due {
            if scene.silence < due {
                let silence = scene.silence;
                let what = format!("the caller is called silent after {silence}, not {due}");
                findings.at(step.at, what);
            }
            if step.cause == Cause::Timer(Timer::SilencePrompt)
                && scene.silence > scene.prompt_latest()
            {
                let silence = scene.silence;
                findings.at(step.at, format!("the caller is asked only after {silence}"));
            }
            if !scene.waits_for_caller() {
                findings.at(step.at, "the caller is called silent while somebody has the floor");
            }
            if step.cause == Cause::Timer(Timer::SilencePrompt) && scene.prompts > 0 {
                findings.at(step.at, "the caller is asked for a sign of life a second time");
            }
        }
        if step.cause == Cause::Timer(Timer::Goodbye) && scene.in_talk() {
            if !scene.waits_for_caller() {
                findings.at(step.at, "the call is called over while somebody has the floor");
            }
            if !scene.parted() {
                findings.at(step.at, "the call is called over and nobody said goodbye");
            }
        }
        scene.apply(step);
    }
}

/// I-16.
pub(super) fn no_dead_air(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut scene = Scene::new(brief);
    let mut told = false;
    for step in evidence.steps {
        scene.advance(step.at);
        let dead = scene.dead_air();
        let too_long = dead > DEAD_AIR;
        if too_long && !told {
            findings.at(step.at, format!("the caller has heard nothing for {dead}"));
        }
        // One stretch is one breach.
        told = too_long;
        scene.apply(step);
    }
}

/// I-17, as far as a journal shows it: in which step, and in what order.
pub(super) fn a_voice_stops_speech(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut scene = Scene::new(brief);
    for step in evidence.steps {
        scene.advance(step.at);
        let clear = step.effects.iter().position(|effect| *effect == Effect::Clear);
        if let Some(clear) = clear {
            if !may_clear(step) {
                findings.at(step.at, "speech is stopped and nobody spoke or pressed a key");
            }
            let speech = |effect: &Effect| {
                matches!(
                    effect,
                    Effect::Play { .. }
                        | Effect::Prepare { .. }
                        | Effect::Inject { .. }
                        | Effect::UseRecording { .. }
                )
            };
            if step.effects[..clear].iter().any(speech) {
                findings.at(step.at, "something is said before speech is stopped");
            }
        }
        if let Some(what) = over_the_caller(step, &scene) {
            findings.at(step.at, what);
        }
        let go_on = |effect: &Effect| matches!(effect, Effect::Prepare { line, .. } if *line == LineId::GoOn);
        if step.effects.iter().any(go_on) && scene.speaks_for().is_some() {
            findings.at(step.at, "a caller who speaks is asked to go on");
        }
        if step.cause == Cause::Input(Input::Agent(Agent::CallerStarted)) {
            let cut_reply = step.effects.contains(&Effect::CutReply);
            match scene.may_be_cut() {
                Some(Cuttable::All) if clear.is_none() => {
                    findings.at(step.at, "the caller speaks over us and we go on");
                }
                Some(Cuttable::Reply) if clear.is_none() && !cut_reply => {
                    findings.at(step.at, "the caller speaks and the agent's reply is kept");
                }
                _ => {}
            }
        }
        scene.apply(step);
    }
}

/// What is begun, or given up, while the caller is speaking: in what time words may be expected of a
/// voice, nothing is said because of its silence.
fn over_the_caller(step: &Step, scene: &Scene) -> Option<String> {
    let Cause::Timer(timer) = step.cause else { return None };
    let speaks = scene.speaks_for()?;
    let limits = &scene.limits;
    let (_, farewell) = scene.silence_limits();
    let (waits, what) = match timer {
        Timer::Filler => (speaks < limits.reply, "one moment is said"),
        Timer::CutShort => (speaks < limits.reply, "the caller is asked to go on"),
        Timer::ReplyLimit => (speaks < limits.reply, "the agent is given up"),
        Timer::SilencePrompt => {
            let early = scene.silence < Millis(farewell.0 / 4 * 3);
            (early && speaks < limits.long_turn, "the caller is called silent")
        }
        Timer::SilenceFarewell => {
            (scene.silence < farewell + limits.farewell, "the caller is called silent")
        }
        Timer::Goodbye => (scene.in_talk(), "the call is called over"),
        _ => return None,
    };
    waits.then(|| format!("{what} while the caller speaks, for {speaks}"))
}

/// A voice, words that call a farewell off, a key, or an agent that does not stop.
fn may_clear(step: &Step) -> bool {
    matches!(
        step.cause,
        Cause::Input(Input::Agent(Agent::CallerStarted | Agent::CallerSaid { .. }))
            | Cause::Input(Input::Carrier(Carrier::Key(_)))
            | Cause::Timer(Timer::AgentSpeech)
    )
}
