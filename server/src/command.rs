//! The commands beside running the server, each in a file of its own.

pub mod company;
