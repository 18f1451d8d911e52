//! The requests of a call by the names that its story gives them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use crate::effect::{Effect, Function};
use crate::step::Step;

/// The functions that the agent asked for.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<String, Request>);

#[derive(Debug)]
struct Request {
    name: String,
    fingerprint: String,
    /// The first of its name is 1.
    number: usize,
    /// Its name, and from the second of that name on its number.
    label: String,
    /// It has come to an outcome, or was refused.
    is_over: bool,
}

impl Requests {
    pub(super) fn asked(&mut self, id: &str, name: &str, fingerprint: &str) -> &str {
        let number = self.0.values().filter(|request| request.name == name).count() + 1;
        let label = if number == 1 { name.to_string() } else { format!("{name} #{number}") };
        let (name, fingerprint) = (name.to_string(), fingerprint.to_string());
        let request = Request { name, fingerprint, number, label, is_over: false };
        &self.0.entry(id.to_string()).or_insert(request).label
    }

    pub(super) fn label(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|request| &*request.label)
    }

    pub(super) fn over(&mut self, id: &str) {
        if let Some(request) = self.0.get_mut(id) {
            request.is_over = true;
        }
    }

    /// What the agent takes back, and what that changes.
    pub(super) fn taken_back(&self, id: &str) -> String {
        let Some(request) = self.0.get(id) else { return "a request".to_string() };
        let writes = Function::from_name(&request.name).is_some_and(Function::is_write);
        match request.is_over {
            true => format!("{}, which is over", request.label),
            false if writes => format!("{}, which goes on", request.label),
            false => request.label.clone(),
        }
    }

    /// A write that may run and is not run means the same as an earlier one: its label, and that one's
    /// number.
    pub(super) fn joined(&self, id: &str, step: &Step) -> Option<(&str, usize)> {
        let request = self.0.get(id)?;
        let runs = |effect: &Effect| matches!(effect, Effect::Perform { id: i, .. } if i == id);
        let writes = Function::from_name(&request.name).is_some_and(Function::is_write);
        if !writes || step.effects.iter().any(runs) {
            return None;
        }
        let same = |other: &&Request| {
            other.name == request.name
                && other.fingerprint == request.fingerprint
                && other.number < request.number
        };
        let first = self.0.values().filter(same).map(|other| other.number).min()?;
        Some((&request.label, first))
    }
}
