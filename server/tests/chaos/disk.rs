//! The disk of the spool, which may be full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Lines of journals that were on disk when a process was dead.
pub(crate) type Spooled = Vec<(String, Vec<String>)>;

/// The disk of the spool: one of its own, and small, where we may mount one.
pub(crate) struct Disk {
    pub(crate) folder: PathBuf,
    is_mounted: bool,
}

impl Disk {
    pub(crate) fn new(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
            .arg(&folder)
            .stderr(Stdio::null())
            .status();
        let is_mounted = mount.is_ok_and(|status| status.success());
        if !is_mounted {
            println!("the disk is never full: only root may mount a small one");
        }
        Self { folder, is_mounted }
    }

    pub(crate) fn fill(&self) {
        if self.is_mounted {
            let mut file = File::create(self.folder.join("filler")).unwrap();
            while file.write_all(&[0; 4_096]).is_ok() {}
        }
    }

    pub(crate) fn empty(&self) {
        if self.is_mounted {
            fs::remove_file(self.folder.join("filler")).unwrap();
        }
    }

    /// The whole lines of all journals that lie here.
    pub(crate) fn spooled(&self) -> Spooled {
        let files = |folder: &Path| -> Vec<_> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        };
        let journals = files(&self.folder).into_iter().flat_map(|folder| files(&folder));
        let journals = journals.filter(|file| file.extension().is_some_and(|is| is == "journal"));
        let lines = |file: PathBuf| {
            let text = fs::read_to_string(&file).unwrap();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let call = file.file_stem().unwrap().to_string_lossy().into_owned();
            (call, whole.lines().map(str::to_owned).collect())
        };
        journals.map(lines).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        }
    }
}
