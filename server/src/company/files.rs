//! Company files: one, or all of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Error, Errors, Tenant};

/// Reads a company file, or all of a folder, so that the mistakes of all are told at once.
///
/// # Errors
/// [`Errors`] names each mistake with file, line, column and field; of files that are sound, that two
/// are of one company or claim one number.
pub fn load(path: &Path) -> Result<Vec<Tenant>, Errors> {
    if !path.is_dir() {
        return Tenant::load(path).map(|tenant| vec![tenant]);
    }
    let files = files_in(path)
        .map_err(|source| Errors(vec![Error::Unreadable { file: path.to_owned(), source }]))?;
    let (mut tenants, mut errors) = (Vec::new(), Vec::new());
    for file in &files {
        match Tenant::load(file) {
            Ok(tenant) => tenants.push(tenant),
            Err(found) => errors.extend(found.0),
        }
    }
    if errors.is_empty() {
        let of_folder = |what| Error::Folder { folder: path.to_owned(), what };
        errors.extend(quarrels(&tenants, &files).into_iter().map(of_folder));
    }
    if errors.is_empty() { Ok(tenants) } else { Err(Errors(errors)) }
}

/// Why companies that are sound cannot be served together.
fn quarrels(tenants: &[Tenant], files: &[PathBuf]) -> Vec<String> {
    if tenants.is_empty() {
        return vec!["the folder holds no company file (.toml)".to_owned()];
    }
    let mut first: BTreeMap<&str, &Path> = BTreeMap::new();
    let mut quarrels = Vec::new();
    for (tenant, file) in tenants.iter().zip(files) {
        let company = tenant.company();
        let claims = company.numbers.iter().map(String::as_str).chain([company.id.as_str()]);
        for claim in claims {
            if let Some(other) = first.insert(claim, file) {
                let (other, file) = (other.display(), file.display());
                quarrels.push(format!("{other} and {file} both say that they are {claim}"));
            }
        }
    }
    quarrels
}

/// The company files of a folder, by name.
fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|kind| kind == "toml") && file.is_file());
    files.sort();
    Ok(files)
}
