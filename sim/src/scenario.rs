//! Scenario files: what stands in them, and how they are read.

//! `read` and `shape` find every mistake in how a file is written, `check` every one in what
//! it says; `problem` shows them.

mod check;
mod company;
mod file;
mod load;
mod near;
mod problem;
mod read;
mod shape;
mod template;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use call_core::company::Company;
use call_core::input::Operator;
use call_core::{CallTime, Language, Limits, Millis};

use crate::audio::{FRAME_MS, Recording};
use crate::cast::agent::{Call, Doing, Mind, Reply};
use crate::cast::back_office::{LoanFile, Write, WriteAnswer};
use crate::cast::caller::{Act, Cue};
use crate::cast::hearing::Hearing;
use crate::cast::{BackOffice, Caller};
use crate::faults::Fault;
use crate::seed::Seed;

pub use file::{Expectation, Request};
pub use problem::{Mistake, Problem};
pub use template::{Template, Variation};

/// The scenario files of a folder, by name, and behind them those of the folders inside it. Links
/// to folders are not followed: they may lead back.
///
/// # Errors
///
/// When one of the folders cannot be read.
pub fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            files.push(path);
        }
    }
    files.sort();
    folders.sort();
    for folder in folders {
        files.extend(files_in(&folder)?);
    }
    Ok(files)
}

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
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What an operator does, and when.
    pub operator: Vec<(CallTime, Operator)>,
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
    /// The language in which they are recognised.
    pub language: Option<Language>,
}

impl Scenario {
    /// Reads a scenario file, its company's configuration and its recordings.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, with file, line and column, and what to do about it.
    pub fn load(path: &Path) -> Result<Self, Box<Problem>> {
        Template::load(path).map(Template::into_scenario)
    }

    /// Puts together what was read and found sound.
    fn build(
        file: file::Scenario,
        company: &Company,
        recordings: &BTreeMap<String, Recording>,
    ) -> Self {
        let seed = file.seed;
        let turns = file.caller.turns.into_iter().enumerate();
        let turns = turns.map(|(number, act)| turn(seed, number, act, recordings)).collect();
        let loan_files = file.back_office.loans.into_iter().map(LoanFile::from).collect();
        Self {
            title: file.title,
            company: Company { limits: limits(&company.limits, file.limits), ..company.clone() },
            language: file.language,
            from: file.caller.from,
            to: company.numbers.first().cloned().unwrap_or_default(),
            seed,
            turns,
            script: file.agent.into_iter().map(reply).collect(),
            back_office: BackOffice {
                loans: loan_files,
                takes: Millis(file.back_office.takes_ms),
                writes: file.back_office.writes.into_iter().map(write).collect(),
                accepted: Vec::new(),
            },
            faults: file.faults,
            operator: file.operator.into_iter().map(operator).collect(),
            expect: file.expect,
        }
    }

    /// The caller, ready to call.
    pub fn caller(&self) -> Caller {
        Caller::new(self.turns.iter().map(|turn| (turn.cue, turn.act.clone())).collect())
    }

    /// The agent's mind, before its first session.
    pub fn mind(&self) -> Mind {
        let seed = Seed::new(self.seed).branch("agent");
        Mind::new(self.script.clone(), self.faults.clone(), seed)
    }

    /// The agent's ears: it knows every recording of the caller's.
    pub fn hearing(&self) -> Hearing {
        Hearing::new(self.turns.iter().filter_map(|turn| match &turn.act {
            Act::Speaks(recording, _) => Some((recording, turn.words.as_str(), turn.language)),
            Act::Keys(..) | Act::HangsUp => None,
        }))
    }
}

fn turn(
    seed: u64,
    number: usize,
    act: file::Act,
    recordings: &BTreeMap<String, Recording>,
) -> Turn {
    let cue = |after: file::Cue| match after {
        file::Cue::Quiet(pause) => Cue::AfterQuiet(pause),
        file::Cue::Into(into) => Cue::Into(into),
        file::Cue::Later(later) => Cue::Later(later),
    };
    let wordless = |cue, act| Turn { cue, act, words: String::new(), language: None };
    match act {
        file::Act::Says { words, wav, language, keys, after } => {
            let recording = wav.and_then(|wav| recordings.get(&wav).cloned());
            let recording = recording
                .unwrap_or_else(|| Recording::from_words(&words, seed.wrapping_add(number as u64)));
            let keys = keys.unwrap_or_default().chars().collect();
            Turn { cue: cue(after), act: Act::Speaks(recording, keys), words, language }
        }
        file::Act::Noise { ms, wav, after } => {
            let recording = wav.and_then(|wav| recordings.get(&wav).cloned());
            let noise = recording.unwrap_or_else(|| {
                // As many letters as the noise lasts, of a sound that is nobody's words.
                let letters = ms.unwrap_or_default() * 15 / 1_000;
                let letters = "~".repeat(letters.max(1) as usize);
                Recording::from_words(&letters, seed.wrapping_add(1_000 + number as u64))
            });
            wordless(cue(after), Act::Speaks(noise, Vec::new()))
        }
        file::Act::Keys { digits, gap_ms, after } => {
            let keys = digits.chars().collect();
            wordless(cue(after), Act::Keys(keys, (gap_ms / FRAME_MS).max(1)))
        }
        file::Act::HangsUp { after } => wordless(cue(after), Act::HangsUp),
    }
}

fn reply(reply: file::Reply) -> Reply {
    let does = reply.does.into_iter().map(|doing| match doing {
        file::Doing::Says(text) => Doing::Says(text),
        file::Doing::Calls(name, arguments) => Doing::Calls(vec![call(name, &arguments)]),
        file::Doing::CallsAll(calls) => Doing::Calls(
            calls.into_iter().map(|(name, arguments)| call(name, &arguments)).collect(),
        ),
    });
    Reply { hears: reply.hears, does: does.collect() }
}

fn call(name: String, arguments: &BTreeMap<String, serde_json::Value>) -> Call {
    Call { name, arguments: serde_json::to_string(arguments).unwrap_or_default() }
}

fn write(entry: file::WriteEntry) -> (String, Write) {
    let answer = match entry.answer {
        file::Answer::Done => WriteAnswer::Done,
        file::Answer::Refused(why) => WriteAnswer::Refused(why),
        file::Answer::DoneAndSilent => WriteAnswer::DoneAndSilent,
        file::Answer::Silent => WriteAnswer::Silent,
    };
    (entry.name, Write { takes: Millis(entry.takes_ms), answer })
}

fn operator(entry: file::OperatorEntry) -> (CallTime, Operator) {
    let (at_ms, operator) = match entry {
        file::OperatorEntry::Drain { at_ms, within_ms } => {
            (at_ms, Operator::Drain { within: Millis(within_ms) })
        }
        file::OperatorEntry::HangUp { at_ms } => (at_ms, Operator::HangUp),
        file::OperatorEntry::Transfer { at_ms, target } => (at_ms, Operator::Transfer { target }),
    };
    (CallTime::from_millis(at_ms), operator)
}

fn limits(company: &Limits, scenario: Option<Limits>) -> Limits {
    scenario.unwrap_or_else(|| company.clone())
}
