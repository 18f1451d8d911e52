//! What can be wrong with a recording.

use std::{io, path::PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why a recording cannot be played. Each one names the file; its help says what to do.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum AudioError {
    /// No file has this name.
    #[error("there is no recording at {}", path.display())]
    #[diagnostic(help(
        "correct the name in the scenario, or make the recording: `cargo xtask audio` makes those \
         that come with the project"
    ))]
    Missing {
        /// Where the recording was looked for.
        path: PathBuf,
    },
    /// The file is there, and the system will not let us read it.
    #[error("cannot read the recording {}", path.display())]
    #[diagnostic(help("it must be a plain file that this user may read"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no sound: no bytes, or a header and nothing after it.
    #[error("the recording {} is empty", path.display())]
    #[diagnostic(help("record it again; a caller who says nothing needs no recording"))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else than a WAV file, whatever its name says.
    #[error("{} is no WAV file", path.display())]
    #[diagnostic(help("{}", how_to_convert()))]
    NotWav {
        /// The file.
        path: PathBuf,
    },
    /// A WAV file of a kind that we do not read.
    #[error("the recording {} {found}", path.display())]
    #[diagnostic(help("{}", how_to_convert()))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is, as the end of a sentence about the file.
        found: String,
    },
    /// A WAV file that ends before its sound does.
    #[error("the recording {} is cut off", path.display())]
    #[diagnostic(help("the file is shorter than it says: copy or record it again"))]
    CutOff {
        /// The file.
        path: PathBuf,
    },
    /// A WAV file that contradicts itself.
    #[error("the recording {} is damaged", path.display())]
    #[diagnostic(help("copy or record it again; {}", how_to_convert()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the WAV reader stumbled over.
        source: hound::Error,
    },
}

fn how_to_convert() -> &'static str {
    "a recording is PCM (8, 16, 24 or 32 bits, or 32-bit float) or µ-law, one or two channels, 8 to \
     48 kHz; `sox FILE -r 8000 -c 1 -b 16 -e signed OUT.wav` writes one"
}
