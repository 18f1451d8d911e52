//! Plays scripted calls in virtual time, through the very machine and bridge that production runs.
//!
//! A [`Scenario`] is a file: a caller, an agent, a carrier, a back office, and what is expected of
//! the call. [`play`] plays it and returns the journal and the verdicts; the
//! [`story`](call_core::story::story) of the journal is what a reviewer reads.

pub mod audio;
pub mod cast;
pub mod desk;
pub mod faults;
pub mod heard;
pub mod judge;
pub mod machine;
pub mod replay;
pub mod scenario;
pub mod seed;
pub mod swarm;
pub mod verdict;

pub use call_transports::journal;
pub use desk::{Played, play};
pub use scenario::Scenario;
pub use verdict::Verdict;
