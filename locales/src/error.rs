use std::fmt;

/// Why a line could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No line has this id.
    UnknownLine {
        /// The id that was asked for.
        id: String,
    },
    /// The line needs an argument that was not given, or was blank.
    MissingArgument {
        /// The line.
        id: String,
        /// The argument that it needs.
        argument: String,
    },
    /// An argument was given that the line does not use, or was given twice.
    UnexpectedArgument {
        /// The line.
        id: String,
        /// The argument that it has no place for.
        argument: String,
    },
    /// The line itself is at fault.
    Broken {
        /// The line.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLine { id } => write!(f, "there is no line `{id}`"),
            Self::MissingArgument { id, argument } => {
                write!(f, "the line `{id}` needs the argument `{argument}`")
            }
            Self::UnexpectedArgument { id, argument } => {
                write!(f, "the line `{id}` has no place for the argument `{argument}`")
            }
            Self::Broken { id, problem } => write!(f, "the line `{id}` is broken: {problem}"),
        }
    }
}

impl std::error::Error for Error {}
