//! A folder of this process's own among those of others, which know by its lock that its owner lives.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The file that is locked as long as the owner lives.
pub(crate) const LOCK: &str = "lock";

/// What the name of a folder begins with until its lock is held.
pub(crate) const MAKING: char = '.';

/// Makes one in a folder that all processes on this machine may share, and locks it. With what is
/// returned second goes the lock.
pub(crate) fn make(root: &Path) -> io::Result<(PathBuf, File)> {
    let name = Uuid::new_v4().to_string();
    let (made, folder) = (root.join(format!("{MAKING}{name}")), root.join(name));
    // What is in it is for nobody else on this machine, masked as it is.
    DirBuilder::new().recursive(true).mode(0o700).create(&made)?;
    let lock = File::create(made.join(LOCK))?;
    lock.lock()?;
    // It has its name when it has its lock, so nobody takes it for a dead process's.
    fs::rename(&made, &folder)?;
    Ok((folder, lock))
}
