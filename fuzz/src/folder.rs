//! A folder for readers that read files only.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Our own root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in a repository")
}

/// Writes bytes into a file of this process and thread alone, beside the companies and recordings
/// that scenarios name. A name may begin with `companies/`.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let file = folder().join(name_here(name));
    fs::write(&file, bytes).expect("the folder is ours");
    file
}

/// How that file is called, from its folder.
pub(crate) fn name_here(name: &str) -> String {
    let thread = format!("{:?}", std::thread::current().id());
    let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
    match name.rsplit_once('/') {
        Some((inner, name)) => format!("{inner}/{digits}-{name}"),
        None => format!("{digits}-{name}"),
    }
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        for inner in ["companies", "audio"] {
            let (from, to) = (root().join("scenarios").join(inner), folder.path().join(inner));
            fs::create_dir(&to).expect("the folder is ours");
            for entry in fs::read_dir(from).expect("scenarios come with these folders") {
                let file = entry.expect("a folder can be read").path();
                let target = to.join(file.file_name().expect("a file has a name"));
                fs::copy(&file, target).expect("the folder is ours");
            }
        }
        folder
    });
    folder.path()
}
