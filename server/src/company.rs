//! The company file: read, checked, and turned into what a call needs.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use call_core::Language;
use call_core::company::{AgentConfig, CallDetails, Company};
use call_core::effect::Function;
use call_core::redact::mask_text;
use call_transports::deepgram::AgentProfile;
use call_transports::functions::definition;
use sha2::{Digest as _, Sha256};

use crate::tokens::Grant;

pub use files::load;
pub use place::Place;

mod bounds;
mod files;
mod lines;
mod place;
mod reading;
pub mod registry;
pub mod versions;

/// A version of a company that was found sound. Calls share it, and each keeps its own to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    company: Company,
    text: String,
}

/// One thing that is wrong with a company file. Prints the file, the line and the column first, as
/// compilers do, so that editors can jump there.
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
    /// The files of a folder are sound and do not go together, or there are none.
    #[error("{}: {what}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file is not TOML, or a field is missing, unknown or holds what no company can have.
    #[error("{}:{place}: {}{what}", file.display(), named(field))]
    Faulty {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: Place,
        /// The field there, with its table; empty where there is none.
        field: String,
        /// What is wrong with it, or what it must be.
        what: String,
    },
}

/// Everything that is wrong with a company file, or with the files of a folder. Prints one mistake
/// on each line, in the order of the files and of the lines in them.
#[derive(Debug)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if place == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

impl Tenant {
    /// Reads a company file.
    ///
    /// # Errors
    /// [`Errors`] names each mistake with file, line, column and field.
    pub fn load(file: &Path) -> Result<Self, Errors> {
        let unreadable = |source| Errors(vec![Error::Unreadable { file: file.to_owned(), source }]);
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        Self::parse(file, &text)
    }

    /// Reads the text of a company file. The name of the file is for its errors only.
    ///
    /// # Errors
    /// [`Errors`] names each mistake with file, line, column and field.
    pub fn parse(file: impl AsRef<Path>, text: &str) -> Result<Self, Errors> {
        let (company, slips) = reading::read(text);
        let unsound = company.as_ref().map(faults).unwrap_or_default();
        // What a field must be cannot be asked where it could not be read.
        let is_read = |field: &str| !slips.iter().any(|slip| depends(field, &slip.field));
        let mut mistakes: Vec<(Place, String, String)> = unsound
            .into_iter()
            .filter(|(field, _)| is_read(field))
            .map(|(field, what)| (Place::of_field(text, &field), field, what))
            .collect();
        let slips = slips.into_iter();
        mistakes.extend(slips.map(|slip| {
            let place = Place::of_offset(text, slip.offset);
            (place, slip.field, slip.what)
        }));
        mistakes.sort_by_key(|(place, ..)| (place.line, place.column));
        match company {
            Some(company) if mistakes.is_empty() => Ok(Self { company, text: text.to_owned() }),
            _ => Err(Errors(
                mistakes
                    .into_iter()
                    .map(|(place, field, what)| Error::Faulty {
                        file: file.as_ref().to_owned(),
                        place,
                        field,
                        what,
                    })
                    .collect(),
            )),
        }
    }

    /// A company that was read elsewhere; nothing if it is not sound.
    pub fn new(company: Company) -> Option<Self> {
        let text = toml::Table::try_from(&company).ok()?.to_string();
        faults(&company).is_empty().then_some(Self { company, text })
    }

    /// The configuration.
    pub fn company(&self) -> &Company {
        &self.company
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text, in hexadecimal: the name of its content.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(self.text.as_bytes()))
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
    hex(&Sha256::digest(prompt.as_bytes())[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this server can run the function of this name.
pub fn performs(name: &str) -> bool {
    PERFORMED.iter().any(|function| function.name() == name)
}

/// Everything wrong with a company that reads well, as fields and what they must be.
fn faults(company: &Company) -> Vec<(String, String)> {
    let mut faults = company.faults();
    if company.numbers.is_empty() {
        faults.push(("numbers", "must hold the number that callers dial"));
    }
    if company.numbers.iter().any(|number| !is_e164(number)) {
        faults.push(("numbers", "must be in E.164 form: a plus sign and 8 to 15 digits"));
    }
    if company.numbers.iter().collect::<BTreeSet<_>>().len() != company.numbers.len() {
        faults.push(("numbers", "must each stand here once"));
    }
    let owned = |(field, what): (&str, &str)| (field.to_owned(), what.to_owned());
    let mut faults: Vec<_> = faults.into_iter().map(owned).collect();
    faults.extend(bounds::faults(company));
    faults.extend(transfer_faults(company));
    faults.extend(lines::faults(company));
    for unknown in company.functions.iter().filter(|name| !performs(name)) {
        let what = if Function::from_name(unknown).is_some() {
            format!("no server can run `{unknown}` yet; take it out")
        } else {
            let known = nearest(unknown);
            format!("there is no function `{unknown}`; did you mean `{known}`?")
        };
        faults.push(("functions".to_owned(), what));
    }
    for (language, agent) in &company.agents {
        let of_agent = agent_faults(agent).into_iter();
        faults.extend(
            of_agent.map(|(field, what)| {
                (format!("agents.{}.{field}", language.tag()), what.to_owned())
            }),
        );
    }
    faults
}

/// Whether what a field must be depends on another one: one holds the other, or they are compared.
fn depends(field: &str, other: &str) -> bool {
    let holds = |table: &str, field: &str| {
        field.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let compared = [
        ("limits.silence_farewell", "limits.silence_prompt"),
        ("agents", "language"),
        ("lines", "agents"),
        ("functions", "transfer"),
    ];
    other.is_empty()
        || holds(field, other)
        || holds(other, field)
        || compared.iter().any(|(one, two)| *one == field && holds(two, other))
}

/// A name is what the model asks for, and masks must leave it as it is. A number is dialled as it
/// stands here, and nothing that a model says ever is (F-TR-08).
fn transfer_faults(company: &Company) -> Vec<(String, String)> {
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
        Some((format!("transfer.{name}"), what.to_owned()))
    };
    let mut faults: Vec<_> = company.transfer.iter().filter_map(faulty).collect();
    if company.functions.contains(Function::TransferCall.name()) && company.transfer.is_empty() {
        let nobody = "transfer_call needs somebody in the table [transfer]";
        faults.push(("functions".to_owned(), nobody.to_owned()));
    }
    faults
}

fn agent_faults(agent: &AgentConfig) -> Vec<(&'static str, &'static str)> {
    let needed = [
        ("voice", &agent.voice, "must name a voice, such as aura-2-thalia-en"),
        ("listen_model", &agent.listen_model, "must name a model, such as flux-general-multi"),
        ("think_provider", &agent.think_provider, "must name who runs the model"),
        ("think_model", &agent.think_model, "must name the model that thinks"),
        ("prompt", &agent.prompt, "must tell the agent who it is and what to do"),
    ];
    let missing = needed.into_iter().filter(|(_, value, _)| value.trim().is_empty());
    missing.map(|(field, _, what)| (field, what)).collect()
}

pub(crate) fn is_e164(number: &str) -> bool {
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
