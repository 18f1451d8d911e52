//! What is put on record of a call: what its agent was told, and what was decided.

use call_core::brief::Brief;
use call_core::effect::Effect;
use call_core::input::Input;
use call_core::redact::mask_text;
use call_core::step::{Cause, Fact, Step};
use call_transports::deepgram::ClientMessage;
use serde_json::{Value, json};

use super::{Audit, Entry, Kind};
use crate::unrecorded;

/// Puts on record what is to be known of one call.
#[derive(Debug)]
pub struct CallAudit {
    audit: Audit,
    company: String,
    call: String,
    /// The company's own prompts. Nothing in them is about a caller.
    prompts: Vec<String>,
}

impl CallAudit {
    /// Of the call with this brief, whose agents have these prompts.
    pub fn new(audit: Audit, brief: &Brief, prompts: Vec<String>) -> Self {
        Self { audit, company: brief.company.clone(), call: brief.call.clone(), prompts }
    }

    /// What a step decided.
    pub fn step(&self, step: &Step) {
        if unrecorded::is_chosen() {
            return;
        }
        match &step.cause {
            Cause::Started(brief) => self.append(step, Kind::CallStarted, started(brief)),
            Cause::Input(Input::Operator(wish)) => {
                let body = json!({ "wish": wish, "ignored": step.ignored });
                self.append(step, Kind::Operator, body);
            }
            Cause::Input(_) | Cause::Timer(_) => {}
        }
        for fact in &step.facts {
            match fact {
                Fact::CallEnded { reason } => {
                    self.append(step, Kind::CallEnded, json!({ "reason": reason }));
                }
                fact if is_decision(fact) => {
                    self.append(step, Kind::Decision, json!({ "fact": fact }));
                }
                _ => {}
            }
        }
        for effect in &step.effects {
            if matches!(effect, Effect::HangUp | Effect::Transfer { .. } | Effect::PlayTones { .. })
            {
                self.append(step, Kind::Decision, json!({ "wanted": effect }));
            }
        }
    }

    /// What the agent was told to be, if this message tells it.
    pub fn told(&self, message: &ClientMessage) {
        if unrecorded::is_chosen() {
            return;
        }
        let (what, said) = match message {
            ClientMessage::Settings(settings) => ("settings", serde_json::to_value(settings)),
            ClientMessage::UpdateThink { think } => ("think", serde_json::to_value(think)),
            ClientMessage::UpdateSpeak { speak } => ("speak", serde_json::to_value(speak)),
            // What is said in a call stands in its journal.
            _ => return,
        };
        let Ok(mut said) = said else { return };
        let mut body = json!({ "message": what });
        if let ClientMessage::Settings(_) = message {
            let of_call = of_call(&mut said);
            body["conversation_messages"] = json!(of_call);
        }
        self.mask_prompts(&mut said);
        let entry = Entry::new(Kind::Settings, &self.company, body).of_call(&self.call);
        self.audit.append(entry.about(said));
    }

    /// A prompt that is not word for word the company's own may hold anything.
    fn mask_prompts(&self, said: &mut Value) {
        match said {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if name == "prompt" || name == "greeting" => {
                            if !self.prompts.contains(text) {
                                *text = mask_text(text);
                            }
                        }
                        other => self.mask_prompts(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_prompts(item)),
            _ => {}
        }
    }

    fn append(&self, step: &Step, kind: Kind, mut body: Value) {
        body["at_ms"] = json!(step.at);
        self.audit.append(Entry::new(kind, &self.company, body).of_call(&self.call));
    }
}

/// Takes out of settings what only this call has: its name, and the conversation so far, which stands
/// in the journal, masked. How many messages that had.
fn of_call(settings: &mut Value) -> usize {
    let Some(settings) = settings.as_object_mut() else { return 0 };
    settings.remove("tags");
    let agent = settings.get_mut("agent").and_then(Value::as_object_mut);
    let context = agent.and_then(|agent| agent.remove("context"));
    context.and_then(|context| context["messages"].as_array().map(Vec::len)).unwrap_or(0)
}

fn started(brief: &Brief) -> Value {
    json!({
        "config_version": brief.config_version,
        "prompt_hash": brief.prompt_hash,
        "language": brief.language,
        "direction": brief.direction,
        "from": brief.from,
        "to": brief.to,
    })
}

/// Whether a fact says what was allowed, refused, done or disclosed. What was said stands in the
/// journal.
const fn is_decision(fact: &Fact) -> bool {
    match fact {
        Fact::LanguageSet(_)
        | Fact::RecordingState { .. }
        | Fact::FunctionAsked { .. }
        | Fact::FunctionAllowed { .. }
        | Fact::FunctionRefused { .. }
        | Fact::FunctionDone { .. }
        | Fact::IdentityStep(_)
        | Fact::IdentityVerified { .. }
        | Fact::Disclosed { .. }
        | Fact::PersonAsked { .. }
        | Fact::Transfer { .. } => true,
        Fact::CallStarted { .. }
        | Fact::LineRendered { .. }
        | Fact::LineFailed { .. }
        | Fact::AgentLine { .. }
        | Fact::Heard { .. }
        | Fact::Cut { .. }
        | Fact::HeardUnknown { .. }
        | Fact::CallerLine { .. }
        | Fact::MomentAsked
        | Fact::KeysEntered { .. }
        | Fact::CallEnded { .. } => false,
    }
}
