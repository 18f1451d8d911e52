//! What the command line can do beside serving calls.

pub mod calls;
