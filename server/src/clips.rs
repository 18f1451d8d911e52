//! Lines that are spoken before anybody calls.
//!
//! A line that must first be spoken costs its caller a few hundred milliseconds, and a provider that
//! is slow or away costs it altogether. Nearly all of our lines are the same in every call of a
//! company: they are asked for when a version of the company becomes active, a few at a time and behind the calls, and
//! kept by the [`Speaker`], within its bounds. What is not there is asked for when a call wants it.

use std::time::Duration;

use call_core::{Language, LineId};
use call_transports::net::{Error, Speaker};
use futures::{StreamExt as _, stream};
use locales::Locale;
use tracing::{debug, info, warn};

use crate::company::Tenant;

/// A line, and the voice that speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The voice.
    pub voice: String,
    /// The words.
    pub text: String,
}

/// What came of one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Lines that were spoken now.
    pub spoken: usize,
    /// Lines that were there.
    pub kept: usize,
    /// Lines that could not be spoken.
    pub failed: usize,
}

/// The lines of ours that are the same in every call of a company: in each of its languages those
/// whose only blank is the company's name.
pub fn fixed(tenant: &Tenant) -> Vec<Fixed> {
    let company = tenant.company();
    let words = |language: Language, voice: &str, line: LineId| {
        let locale = Locale::from_tag(language.tag())?;
        let blanks = locales::arguments(locale, line.key())?;
        let name = (COMPANY, company.name.as_str());
        let given: Vec<_> =
            blanks.iter().any(|blank| blank == COMPANY).then_some(name).into_iter().collect();
        let own = company.lines.get(&language).and_then(|own| own.get(&line));
        let text = match own {
            Some(own) => locales::render_own(locale, line.key(), own, &given).ok()?,
            None => locales::render(locale, line.key(), &given).ok()?.text,
        };
        Some(Fixed { voice: voice.to_owned(), text })
    };
    let agents = company.agents.iter();
    agents
        .flat_map(|(language, agent)| {
            LineId::ALL.into_iter().filter_map(move |line| words(*language, &agent.voice, line))
        })
        .collect()
}

/// Has lines spoken and kept, a few at a time. What cannot be spoken is left out; a key that is refused
/// is not shown again for every line.
pub async fn prepare(speaker: &Speaker, lines: &[Fixed]) -> Round {
    let mut outcomes = stream::iter(lines.to_vec())
        .map(|line| async move { speaker.prepare(&line.voice, &line.text).await })
        .buffer_unordered(AT_ONCE);
    let mut round = Round::default();
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(true) => round.spoken += 1,
            Ok(false) => round.kept += 1,
            Err(Error::Refused { status: 401 | 403, .. } | Error::Down { .. }) => break,
            Err(error) => debug!(%error, "a line could not be spoken ahead of calls"),
        }
    }
    round.failed = lines.len() - round.spoken - round.kept;
    round
}

/// Has all fixed lines of a company spoken. Tries again a few times, because a provider may be away
/// just when a server starts; then the lines are left to the calls that want them.
pub async fn prepare_all(speaker: &Speaker, tenant: &Tenant) {
    let lines = fixed(tenant);
    for pause in PAUSES {
        let Round { spoken, kept, failed } = prepare(speaker, &lines).await;
        if failed == 0 {
            return info!(spoken, kept, "all lines are spoken ahead of calls");
        }
        warn!(spoken, kept, failed, "not all lines could be spoken ahead of calls");
        tokio::time::sleep(pause).await;
    }
    warn!("lines that are not spoken are asked for when a call wants them");
}

/// The one blank that is filled in the same way in every call.
const COMPANY: &str = "company";

/// So many requests at once leave the provider room for those that callers wait for.
const AT_ONCE: usize = 2;

/// After each round in which something failed.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(300), Duration::from_secs(1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_shipped_company_is_the_same_in_every_call() {
        let text = include_str!("../../scenarios/companies/acme.toml");
        let acme = Tenant::parse("acme.toml", text).unwrap();
        let lines = fixed(&acme);
        assert_eq!(lines.len(), LineId::ALL.len() * Language::ALL.len());
        let opening =
            lines.iter().find(|line| line.text.contains("Thank you for calling Acme Home Loans."));
        assert!(opening.is_some_and(|line| line.voice == acme.agent(Language::English).voice));
    }
}
