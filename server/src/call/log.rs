//! What is logged of a call: one span, and in it what each step moved, wanted and lost.
//!
//! A line holds the call's name, its company, its language and words of our own. What anybody said,
//! what a function was asked with and what a provider wrote stays in the journal, masked; here it has
//! no business at all.

use call_core::call::Timer;
use call_core::input::{Agent, AgentLoss, Carrier, Input};
use call_core::{Brief, Cause, Effect, Fact, Step};
use call_transports::twilio::Sid;
use tracing::{Span, debug, info, info_span, warn};

/// The span of a call. Everything that happens in the call's task is logged in it.
pub(super) fn span(call: &Sid, brief: &Brief) -> Span {
    info_span!("call", %call, company = brief.company, language = brief.language.tag())
}

/// Logs a step, in the span of its call.
pub(super) fn tell(step: &Step) {
    let at = step.at;
    if !step.ignored {
        cause(step);
    }
    for change in &step.moves {
        debug!(%at, from = %change.from, to = %change.to, "moved");
    }
    for fact in &step.facts {
        match fact {
            // The first step says it, too; then the span knows it.
            Fact::LanguageSet(language) if at.as_millis() > 0 => {
                Span::current().record("language", language.tag());
            }
            Fact::LineFailed { line, by, .. } => {
                warn!(%at, %line, rung = ?by, "a line of ours failed in one way");
            }
            Fact::HeardUnknown { utterance } => {
                debug!(%at, %utterance, "nothing proves that this was heard");
            }
            Fact::CallEnded { reason } => info!(%at, %reason, "the call ends"),
            _ => {}
        }
    }
    for effect in &step.effects {
        debug!(%at, effect = effect_word(effect), "wanted");
    }
}

/// What was lost.
fn cause(step: &Step) {
    let at = step.at;
    match &step.cause {
        Cause::Input(Input::Agent(Agent::Lost(loss))) => {
            let why = match loss {
                AgentLoss::Unreachable => "unreachable",
                AgentLoss::Refused(_) => "refused",
                AgentLoss::Error(_) => "error",
                AgentLoss::Hopeless(_) => "error that another session would not mend",
                AgentLoss::Closed => "closed",
            };
            warn!(%at, why, "the agent is lost");
        }
        Cause::Input(Input::Carrier(Carrier::Lost)) => warn!(%at, "the stream broke"),
        Cause::Input(Input::Carrier(Carrier::Dead)) => warn!(%at, "the stream is dead"),
        Cause::Timer(
            timer @ (Timer::AgentReady
            | Timer::LineReady
            | Timer::ReplyLimit
            | Timer::PlaybackMark
            | Timer::FunctionLimit
            | Timer::HangUpLimit),
        ) => warn!(%at, %timer, "time ran out"),
        Cause::Timer(timer) => debug!(%at, %timer, "time ran out"),
        _ => {}
    }
}

const fn effect_word(effect: &Effect) -> &'static str {
    match effect {
        Effect::OpenAgent { .. } => "open the agent's session",
        Effect::CloseAgent => "close the agent's session",
        Effect::Prepare { .. } => "prepare a line",
        Effect::Inject { .. } => "inject a line",
        Effect::UseRecording { .. } => "use a recording",
        Effect::Withdraw { .. } => "withdraw a line",
        Effect::Play { .. } => "play a line",
        Effect::Clear => "clear",
        Effect::CutReply => "cut the reply",
        Effect::EndSentence => "end the sentence",
        Effect::MuteAgent => "mute the agent",
        Effect::UnmuteAgent => "unmute the agent",
        Effect::SetLanguage { .. } => "set the language",
        Effect::CollectKeys => "collect keys",
        Effect::GiveKeys { .. } => "give keys",
        Effect::Perform { .. } => "perform a function",
        Effect::Transfer { .. } => "transfer",
        Effect::PlayTones { .. } => "play tones",
        Effect::Answer { .. } => "answer a function",
        Effect::TellAgent { .. } => "tell the agent",
        Effect::HangUp => "hang up",
        Effect::LeaveStream => "leave the stream",
    }
}
