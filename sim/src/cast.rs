//! The cast of a call: caller, carrier, agent and back office.
//!
//! Each is an actor without sockets and without a clock: it is told what it receives and when, and
//! says what it sends and when. In virtual time they are the simulator; behind real sockets the
//! very same actors are the stand-ins. They answer what they see, so a scenario holds no times of
//! speech and survives a change of the server.
//!
//! Times are counted from the actor's own beginning.

pub mod agent;
pub mod back_office;
pub mod caller;
pub mod carrier;
pub mod hearing;
pub mod schedule;
pub mod voice;

pub use agent::{Agent, AgentSays, Mind};
pub use back_office::BackOffice;
pub use caller::Caller;
pub use carrier::{Carrier, CarrierSays};
