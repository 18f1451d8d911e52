//! A scenario that is played in variations: with other faults, another seed, other pauses.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use call_core::company::Company;
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;

use super::file::{self, Act, Cue};
use super::{Problem, Scenario, problem};
use crate::audio::Recording;
use crate::faults::Fault;

/// A scenario file that was read and found sound, with all that is needed to vary it.
#[derive(Debug, Clone)]
pub struct Template {
    path: PathBuf,
    source: problem::Source,
    file: file::Scenario,
    company: Company,
    recordings: BTreeMap<String, Recording>,
    scenario: Scenario,
}

/// What is other than in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variation {
    /// Where all chance comes from.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Turns of the caller's, from 0, whose cue waits so many milliseconds instead.
    pub pauses: Vec<(usize, u64)>,
}

impl Template {
    /// Reads a scenario file, its company's configuration and its recordings.
    ///
    /// # Errors
    ///
    /// The first thing wrong, with file, line and column, and what to do about it.
    pub fn load(path: &Path) -> Result<Self, Box<Problem>> {
        let source = problem::Source::read(path)?;
        let file: file::Scenario = source.parse()?;
        let folder = folder(path);
        let company = source.company(&folder.join(&file.company), &file.company)?;
        if company.agent(file.language).is_none() || !company.agents.contains_key(&file.language) {
            let (word, help) = (file.language.tag(), "the company has no agent in this language");
            return Err(source.at_word(&format!("language: {word}"), help));
        }
        let mut recordings = BTreeMap::new();
        let scenario =
            Scenario::build(&source, folder, file.clone(), company.clone(), &mut recordings)?;
        Ok(Self { path: path.to_owned(), source, file, company, recordings, scenario })
    }

    /// The scenario as it stands in its file.
    pub fn into_scenario(self) -> Scenario {
        self.scenario
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What goes wrong by the file itself.
    pub fn faults(&self) -> &[Fault] {
        &self.file.faults
    }

    /// How many turns the caller has.
    pub fn turns(&self) -> usize {
        self.file.caller.turns.len()
    }

    /// The scenario in a variation.
    pub fn vary(&self, variation: &Variation) -> Scenario {
        let mut recordings = self.recordings.clone();
        let company = self.company.clone();
        let file = self.varied(variation);
        Scenario::build(&self.source, folder(&self.path), file, company, &mut recordings)
            .expect("a sound scenario is sound in every variation")
    }

    /// The file of a variation, to be kept in this folder under these remarks. It expects nothing
    /// of the call: expectations are for calls in which nothing else goes wrong.
    ///
    /// # Errors
    ///
    /// When a path to the company or a recording cannot be found.
    pub fn text(
        &self,
        variation: &Variation,
        target: &Path,
        remarks: &[String],
    ) -> io::Result<String> {
        let mut file = self.varied(variation);
        file.expect.clear();
        let moved = |name: &str| path_between(target, &folder(&self.path).join(name));
        file.company = moved(&file.company)?;
        for act in &mut file.caller.turns {
            if let Act::Says { wav: Some(wav), .. } = act {
                *wav = moved(wav)?;
            }
        }
        let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        let pretty = PrettyConfig::new().indentor("    ").new_line("\n");
        let text = options.to_string_pretty(&file, pretty).map_err(io::Error::other)?;
        let remarks: String = remarks.iter().map(|remark| format!("// {remark}\n")).collect();
        Ok(format!("{remarks}Scenario{text}\n"))
    }

    fn varied(&self, variation: &Variation) -> file::Scenario {
        let mut file = self.file.clone();
        file.seed = variation.seed;
        file.faults.clone_from(&variation.faults);
        for (turn, pause) in &variation.pauses {
            if let Some(act) = file.caller.turns.get_mut(*turn) {
                let (Act::Says { after, .. }
                | Act::Noise { after, .. }
                | Act::Keys { after, .. }
                | Act::HangsUp { after }) = act;
                let (Cue::Quiet(ms) | Cue::Into(ms) | Cue::Later(ms)) = after;
                *ms = *pause;
            }
        }
        file
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// The way to a file from a folder, so that both can move together.
fn path_between(folder: &Path, file: &Path) -> io::Result<String> {
    let (folder, file) = (folder.canonicalize()?, file.canonicalize()?);
    let common = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(file.components().skip(common)).collect();
    Ok(way.display().to_string().replace('\\', "/"))
}
