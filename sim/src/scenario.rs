//! Scenario files: what stands in them, and how they are read.

mod file;
mod problem;

use std::path::Path;

use call_core::company::Company;
use call_core::{Language, Limits, Millis};

use crate::audio::Recording;
use crate::cast::agent::{Doing, Reply};
use crate::cast::back_office::LoanFile;
use crate::cast::caller::{Act, Cue};
use crate::cast::hearing::Hearing;
use crate::cast::{Agent, BackOffice, Caller};
use crate::seed::Seed;

pub use file::Expectation;
pub use problem::Problem;

/// A scenario that was read and found sound.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What the call is about.
    pub title: String,
    /// The company that is called.
    pub company: Company,
    /// The language the call starts in.
    pub language: Language,
    /// The caller's number, in E.164 form.
    pub from: String,
    /// The number that is dialled.
    pub to: String,
    /// Where all chance comes from.
    pub seed: u64,
    /// What the caller does; for speech also the words.
    pub turns: Vec<Turn>,
    /// What the agent does.
    pub script: Vec<Reply>,
    /// The back office.
    pub back_office: BackOffice,
    /// What must have come true when the call is over.
    pub expect: Vec<Expectation>,
}

/// A turn of the caller's.
#[derive(Debug, Clone)]
pub struct Turn {
    /// When it comes.
    pub cue: Cue,
    /// What it is.
    pub act: Act,
    /// The words that are spoken in it; empty where nothing is said.
    pub words: String,
}

impl Scenario {
    /// Reads a scenario file, its company's configuration and its recordings.
    ///
    /// # Errors
    ///
    /// The first thing wrong, with file, line and column, and what to do about it.
    pub fn load(path: &Path) -> Result<Self, Box<Problem>> {
        let source = problem::Source::read(path)?;
        let file: file::Scenario = source.parse()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let company = source.company(&folder.join(&file.company), &file.company)?;
        if company.agent(file.language).is_none() || !company.agents.contains_key(&file.language) {
            let (word, help) = (file.language.tag(), "the company has no agent in this language");
            return Err(source.at_word(&format!("language: {word}"), help));
        }
        let mut turns = Vec::new();
        for (number, act) in file.caller.turns.into_iter().enumerate() {
            turns.push(turn(&source, folder, file.seed, number, act)?);
        }
        let to = match company.numbers.first() {
            Some(number) => number.clone(),
            None => {
                return Err(source.at_word(&file.company, "the company has no number to call"));
            }
        };
        let loan_files = file.back_office.loans.into_iter().map(LoanFile::from).collect();
        Ok(Self {
            title: file.title,
            company: Company { limits: limits(&company.limits, file.limits), ..company },
            language: file.language,
            from: file.caller.from,
            to,
            seed: file.seed,
            turns,
            script: file.agent.into_iter().map(reply).collect(),
            back_office: BackOffice { loans: loan_files, takes: Millis(file.back_office.takes_ms) },
            expect: file.expect,
        })
    }

    /// The caller, ready to call.
    pub fn caller(&self) -> Caller {
        Caller::new(self.turns.iter().map(|turn| (turn.cue, turn.act.clone())).collect())
    }

    /// The agent, connected at `at`.
    pub fn agent(&self, at: call_core::CallTime) -> Agent {
        let recordings = self.turns.iter().filter_map(|turn| match &turn.act {
            Act::Speaks(recording) => Some((recording, turn.words.as_str())),
            Act::HangsUp => None,
        });
        let seed = Seed::new(self.seed).branch("agent");
        Agent::new(at, Hearing::new(recordings), self.script.clone(), seed)
    }
}

fn turn(
    source: &problem::Source,
    folder: &Path,
    seed: u64,
    number: usize,
    act: file::Act,
) -> Result<Turn, Box<Problem>> {
    let cue = |after: file::Cue| match after {
        file::Cue::Quiet(pause) => Cue::AfterQuiet(pause),
        file::Cue::Into(into) => Cue::Into(into),
    };
    match act {
        file::Act::Says { words, wav, after } => {
            let recording = match wav {
                Some(wav) => Recording::load(&folder.join(&wav))
                    .map_err(|error| source.at_word(&wav, &error.to_string()))?,
                None => Recording::from_words(&words, seed.wrapping_add(number as u64)),
            };
            if recording.speech.is_empty() {
                let help = "there is no speech in this recording: nobody could understand it";
                return Err(source.at_word(&words, help));
            }
            Ok(Turn { cue: cue(after), act: Act::Speaks(recording), words })
        }
        file::Act::HangsUp { after } => {
            Ok(Turn { cue: cue(after), act: Act::HangsUp, words: String::new() })
        }
    }
}

fn reply(reply: file::Reply) -> Reply {
    let does = reply.does.into_iter().map(|doing| match doing {
        file::Doing::Says(text) => Doing::Says(text),
        file::Doing::Calls(name, arguments) => {
            let arguments = serde_json::to_string(&arguments).unwrap_or_default();
            Doing::Calls { name, arguments }
        }
    });
    Reply { hears: reply.hears, does: does.collect() }
}

fn limits(company: &Limits, scenario: Option<Limits>) -> Limits {
    scenario.unwrap_or_else(|| company.clone())
}
