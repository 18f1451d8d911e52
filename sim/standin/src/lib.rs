//! The simulator's cast behind real sockets: a fake Twilio, a fake Deepgram and a fake middleware.
//!
//! Each speaks its provider's protocol to the letter, through the same codecs as the server, and
//! follows a scenario file; and an operator does to a call what the file says. They are tools of their own: any server that speaks to Twilio and
//! Deepgram can be pointed at them.

mod clock;
pub mod deepgram;
pub mod middleware;
pub mod operator;
pub mod twilio;

pub use deepgram::Deepgram;
pub use middleware::Middleware;
pub use operator::Operator;
pub use twilio::{Outcome, Twilio};
