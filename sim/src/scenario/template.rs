//! A scenario that is played in variations: with other faults, another seed, other pauses.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use call_core::company::Company;
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde_json::Value;

use super::check::COUNTED;
use super::file::{self, Act, Cue};
use super::load::{Parts, load};
use super::{Problem, Scenario};
use crate::audio::Recording;
use crate::faults::Fault;

/// A scenario file that was read and found sound, with all that is needed to vary it.
#[derive(Debug, Clone)]
pub struct Template {
    path: PathBuf,
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
    /// Everything that is wrong, with file, line and column, and what to do about it.
    pub fn load(path: &Path) -> Result<Self, Box<Problem>> {
        let Parts { file, company, recordings } = load(path)?;
        let scenario = Scenario::build(file.clone(), &company, &recordings);
        Ok(Self { path: path.to_owned(), file, company, recordings, scenario })
    }

    /// The scenario as it stands in its file.
    pub fn into_scenario(self) -> Scenario {
        self.scenario
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every file that it was read from: its own, its company's and its recordings.
    pub fn sources(&self) -> Vec<PathBuf> {
        let named = [&self.file.company].into_iter().chain(self.recordings.keys());
        let named = named.map(|name| folder(&self.path).join(name));
        std::iter::once(self.path.clone()).chain(named).collect()
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
        Scenario::build(self.varied(variation), &self.company, &self.recordings)
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
            if let Act::Says { wav: Some(wav), .. } | Act::Noise { wav: Some(wav), .. } = act {
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
        file.faults = variation.faults.iter().map(counted_from_one).collect();
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

/// A fault that a scenario may hold: what is counted from 1 is never 0, to which the swarm may
/// lessen it.
fn counted_from_one(fault: &Fault) -> Fault {
    fn raise(value: &mut Value) {
        let Some(fields) = value.as_object_mut() else { return };
        for (name, field) in fields {
            let counted = COUNTED.contains(&name.as_str());
            match field.as_object_mut() {
                Some(moment) if name == "when" => moment.values_mut().for_each(one),
                Some(_) => raise(field),
                None if counted => one(field),
                None => {}
            }
        }
    }
    fn one(number: &mut Value) {
        if number.as_u64() == Some(0) {
            *number = Value::from(1);
        }
    }
    let Ok(mut value) = serde_json::to_value(fault) else { return fault.clone() };
    raise(&mut value);
    serde_json::from_value(value).unwrap_or_else(|_| fault.clone())
}

pub(super) fn folder(path: &Path) -> &Path {
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
