//! The subcommands that are more than a few lines: their arguments, and what they do.

pub mod audit;
