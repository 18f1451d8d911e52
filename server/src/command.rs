//! What the command line can do beside serving calls, each in a file of its own.

pub mod audit;
pub mod calls;
pub mod company;
pub mod hold;
pub mod keys;
pub mod retention;
