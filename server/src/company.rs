//! The company file: read, checked, and turned into what a call needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use call_core::Language;
use call_core::company::{AgentConfig, CallDetails, Company};
use call_core::effect::Function;
use call_core::redact::mask_text;
use call_transports::deepgram::AgentProfile;
use call_transports::functions::definition;
use sha2::{Digest as _, Sha256};

use crate::tokens::Grant;

pub use place::Place;

mod place;

/// A company whose configuration was found sound.
#[derive(Debug, Clone)]
pub struct Tenant {
    company: Company,
}

/// What is wrong with a company file. Prints the file, the line and the column first, as compilers
/// do, so that editors can jump there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: the file cannot be read: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or a field is missing, unknown or holds something else.
    #[error("{}:{place}: {}{what}", file.display(), named(field))]
    Garbled {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: Place,
        /// The field there, with its table; empty where there is none.
        field: String,
        /// What is wrong with it.
        what: String,
    },
    /// A field holds what no company can have.
    #[error("{}:{place}: {field}: {what}", file.display())]
    Unsound {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: Place,
        /// The field, with its table.
        field: String,
        /// What it must be.
        what: String,
    },
}

impl Tenant {
    /// Reads a company file.
    ///
    /// # Errors
    /// [`Error`] names file, line, column and field.
    pub fn load(file: &Path) -> Result<Self, Error> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text),
            Err(source) => Err(Error::Unreadable { file: file.to_owned(), source }),
        }
    }

    /// Reads the text of a company file. The name of the file is for its errors only.
    ///
    /// # Errors
    /// [`Error`] names file, line, column and field.
    pub fn parse(file: impl AsRef<Path>, text: &str) -> Result<Self, Error> {
        let file = file.as_ref();
        let company: Company = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Error::Garbled {
                file: file.to_owned(),
                place: Place::of_offset(text, offset),
                field: place::field_at(text, offset),
                what: error.message().lines().collect::<Vec<_>>().join(", "),
            }
        })?;
        match fault(&company) {
            None => Ok(Self { company }),
            Some((field, what)) => {
                let place = Place::of_field(text, &field);
                Err(Error::Unsound { file: file.to_owned(), place, field, what })
            }
        }
    }

    /// A company that was read elsewhere; nothing if it is not sound.
    pub fn new(company: Company) -> Option<Self> {
        fault(&company).is_none().then_some(Self { company })
    }

    /// The configuration.
    pub fn company(&self) -> &Company {
        &self.company
    }

    /// Whether this is one of the company's numbers.
    pub fn answers(&self, number: &str) -> bool {
        self.company.numbers.iter().any(|own| own == number)
    }

    /// The language of a tag if the company speaks it, or else the company's own.
    pub fn language(&self, tag: &str) -> Language {
        Language::from_tag(tag)
            .filter(|language| self.company.agents.contains_key(language))
            .unwrap_or(self.company.language)
    }

    /// The agent in a language, or in the company's own.
    pub fn agent(&self, language: Language) -> &AgentConfig {
        self.company.agent(language).expect("a sound company has an agent in its own language")
    }

    /// The brief of a call that was admitted and is answered at `utc_start_ms`.
    pub fn brief(&self, grant: &Grant, utc_start_ms: u64) -> call_core::Brief {
        self.company.brief(CallDetails {
            call: grant.call.to_string(),
            from: grant.from.to_string(),
            to: grant.to.to_string(),
            language: grant.language,
            utc_start_ms,
            prompt_hash: prompt_hash(&self.agent(grant.language).prompt),
        })
    }
}

/// What the agent of a company is told before it takes a call in this language; nothing if the
/// company has no agent for it.
///
/// The call's language is hinted first, then the others that the company speaks.
pub fn profile(company: &Company, language: Language) -> Option<AgentProfile> {
    let agent = company.agent(language)?;
    let others = company.agents.keys().copied().filter(|other| *other != language);
    let functions = company.functions.iter().filter_map(|name| Function::from_name(name));
    Some(AgentProfile {
        tags: vec![company.id.clone()],
        listen_model: agent.listen_model.clone(),
        language_hints: [language].into_iter().chain(others).map(|l| l.tag().to_owned()).collect(),
        keyterms: agent.keyterms.clone(),
        think_provider: agent.think_provider.clone(),
        think_model: agent.think_model.clone(),
        prompt: agent.prompt.clone(),
        voice: agent.voice.clone(),
        functions: functions.map(definition).collect(),
        context: Vec::new(),
    })
}

/// The name of a prompt's words: the first 16 hexadecimal digits of their SHA-256.
pub fn prompt_hash(prompt: &str) -> String {
    Sha256::digest(prompt.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this server can run the function of this name.
pub fn performs(name: &str) -> bool {
    PERFORMED.iter().any(|function| function.name() == name)
}

/// The first thing wrong with a company that reads well.
fn fault(company: &Company) -> Option<(String, String)> {
    if let Some((field, what)) = company.fault() {
        return Some((field.to_owned(), what.to_owned()));
    }
    let wrong = |field: &str, what: &str| Some((field.to_owned(), what.to_owned()));
    if company.numbers.is_empty() {
        return wrong("numbers", "must hold the number that callers dial");
    }
    if company.numbers.iter().any(|number| !is_e164(number)) {
        return wrong("numbers", "must be in E.164 form: a plus sign and 8 to 15 digits");
    }
    if company.numbers.iter().collect::<BTreeSet<_>>().len() != company.numbers.len() {
        return wrong("numbers", "must each stand here once");
    }
    if let Some((field, what)) = transfer_fault(company) {
        return wrong(&field, what);
    }
    let unknown = company.functions.iter().find(|name| !performs(name));
    if let Some(unknown) = unknown {
        let known = nearest(unknown);
        let what = format!("there is no function `{unknown}`; did you mean `{known}`?");
        return Some(("functions".to_owned(), what));
    }
    company.agents.iter().find_map(|(language, agent)| {
        let (field, what) = agent_fault(agent)?;
        Some((format!("agents.{}.{field}", language.tag()), what.to_owned()))
    })
}

/// A name is what the model asks for, and masks must leave it as it is. A number is dialled as it
/// stands here, and nothing that a model says ever is (F-TR-08).
fn transfer_fault(company: &Company) -> Option<(String, &'static str)> {
    let faulty = |(name, number): (&String, &String)| {
        let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && mask_text(name) == *name;
        let what = if !is_name {
            "must be a short name, without numbers"
        } else if !is_e164(number) {
            "must be in E.164 form: a plus sign and 8 to 15 digits"
        } else if company.numbers.contains(number) {
            "must not be a number of the company's own: the call would come back to us"
        } else {
            return None;
        };
        Some((format!("transfer.{name}"), what))
    };
    let offered = company.functions.contains(Function::TransferCall.name());
    let nobody = "transfer_call needs somebody in the table [transfer]";
    let missing = offered && company.transfer.is_empty();
    let fault = company.transfer.iter().find_map(faulty);
    fault.or_else(|| missing.then(|| ("functions".to_owned(), nobody)))
}

fn agent_fault(agent: &AgentConfig) -> Option<(&'static str, &'static str)> {
    let needed = [
        ("voice", &agent.voice, "must name a voice, such as aura-2-thalia-en"),
        ("listen_model", &agent.listen_model, "must name a model, such as flux-general-multi"),
        ("think_provider", &agent.think_provider, "must name who runs the model"),
        ("think_model", &agent.think_model, "must name the model that thinks"),
        ("prompt", &agent.prompt, "must tell the agent who it is and what to do"),
    ];
    let missing = needed.into_iter().find(|(_, value, _)| value.trim().is_empty());
    missing.map(|(field, _, what)| (field, what))
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The function whose name takes the fewest changes to make of this one.
fn nearest(name: &str) -> &'static str {
    let names = PERFORMED.into_iter().map(Function::name);
    names.min_by_key(|known| distance(name, known)).unwrap_or_default()
}

/// How many letters must be put in, taken out or replaced to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

fn named(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}

/// The functions that this server can run. A company that offers another one is not served.
const PERFORMED: [Function; 4] =
    [Function::LookupLoan, Function::TransferCall, Function::PlayDtmf, Function::HangupCall];

/// The longest name of a person to transfer to: as much as is kept of what a model says.
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests;
