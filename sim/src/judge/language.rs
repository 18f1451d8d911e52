//! Languages: what we say is in the caller's (I-34), and what must be relied on is said again in it
//! (C-07).

use std::collections::{BTreeMap, BTreeSet};

use call_core::redact::mask_text;
use call_core::{Brief, Effect, Fact, Language, LineId, Millis, Step, UtteranceId};
use locales::Locale;

use super::heard::Marks;
use super::scene::Scene;
use super::{Evidence, Findings};

/// The notice takes no longer than this to be heard after a change of language, while the caller is on
/// the line and the talk goes on: all ways to have it said, and speech before it.
const NOTICE_MAX: Millis = Millis::from_secs(60);

/// I-34: every line is asked for in the language that the call has then, and its words are the
/// ones of that language.
pub(super) fn language_of_the_call(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut language = brief.language;
    let mut asked: BTreeMap<UtteranceId, (Language, Option<String>)> = BTreeMap::new();
    for step in evidence.steps {
        for fact in &step.facts {
            if let Fact::LineRendered { utterance, language, text, line, .. } = fact
                && let Some((wanted, words)) = asked.get(utterance)
                && (language != wanted || words.as_ref() != Some(text))
            {
                findings.at(step.at, format!("{line} is on record in another language or words"));
            }
        }
        for effect in &step.effects {
            match effect {
                Effect::SetLanguage { language: new } => language = *new,
                Effect::OpenAgent { language: spoken, .. } if *spoken != language => {
                    findings.at(step.at, format!("the agent is to speak {spoken}"));
                }
                Effect::Prepare { utterance, line, language: wanted, arguments }
                | Effect::Inject { utterance, line, language: wanted, arguments, .. } => {
                    if *wanted != language {
                        findings.at(step.at, format!("{line} is asked for in {wanted}"));
                    }
                    let words = words(brief, *line, language, arguments);
                    asked.insert(*utterance, (language, words));
                }
                Effect::UseRecording { utterance, line, language: wanted } => {
                    if *wanted != language {
                        findings.at(step.at, format!("{line} is to be played in {wanted}"));
                    }
                    asked.insert(*utterance, (language, recorded_words(*line, language)));
                }
                _ => {}
            }
        }
    }
}

/// What the recording says, masked.
fn recorded_words(line: LineId, language: Language) -> Option<String> {
    let locale = Locale::from_tag(language.tag())?;
    locales::recording(locale, line.key()).map(|recording| mask_text(&recording.text))
}

/// What the company or else `locales/` has for it, masked as in journals; nothing for a line that
/// cannot be worded.
fn words(
    brief: &Brief,
    line: LineId,
    language: Language,
    blanks: &BTreeMap<String, String>,
) -> Option<String> {
    let locale = Locale::from_tag(language.tag())?;
    let blanks: Vec<_> = blanks.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let text = match brief.own_words(line, language) {
        Some((own, _)) => locales::render_own(locale, line.key(), own, &blanks),
        None => locales::render(locale, line.key(), &blanks).map(|rendered| rendered.text),
    };
    text.ok().map(|text| mask_text(&text))
}

/// C-07: whoever is heard to speak another language is told again, without delay, who answers and that
/// the call may be recorded. In which language, I-34 says.
pub(super) fn notice_behind_each_change(evidence: &Evidence<'_>, findings: &mut Findings<'_>) {
    let Some(brief) = evidence.brief() else { return };
    let mut scene = Scene::new(brief);
    let (mut notices, mut marks) = (Notices::default(), Marks::default());
    // The language that the notice is waited for in, and for how long.
    let mut waits: Option<(Language, Millis)> = None;
    for step in evidence.steps {
        if let Some((language, waited)) = &mut waits {
            if scene.in_talk() {
                *waited = *waited + step.at.since(scene.now());
            }
            if *waited > NOTICE_MAX {
                findings.at(step.at, format!("the notice is not heard in {language}"));
                waits = None;
            }
        }
        scene.apply(step);
        let change = step.effects.iter().find_map(|effect| match effect {
            Effect::SetLanguage { language } => Some(*language),
            _ => None,
        });
        marks.follow(step);
        if notices.0.iter().any(|notice| marks.settle(step, *notice, brief.limits.mark)) {
            waits = None;
        }
        if let Some(language) = change {
            waits = Some((language, Millis(0)));
            // What was said before was in another language.
            notices = Notices::default();
        }
        notices.asked(step);
        // While nobody is in the talk, it waits until somebody is.
        if let Some(language) = change.filter(|_| notices.0.is_empty() && scene.in_talk()) {
            findings.at(step.at, format!("no notice follows the change to {language}"));
            waits = None;
        }
    }
}

/// Lines on their way that say who answers and that the call may be recorded, and when the carrier
/// should have played them.
#[derive(Default)]
struct Notices(BTreeSet<UtteranceId>);

impl Notices {
    fn asked(&mut self, step: &Step) {
        for effect in &step.effects {
            if let Effect::Prepare { utterance, line, .. }
            | Effect::Inject { utterance, line, .. }
            | Effect::UseRecording { utterance, line, .. } = effect
                && matches!(line, LineId::Opening | LineId::Notice)
            {
                self.0.insert(*utterance);
            }
        }
    }
}
