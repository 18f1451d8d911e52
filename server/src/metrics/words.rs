//! The closed lists of words that labels are made of.
//!
//! A label never holds what somebody outside wrote: a model may ask for a function of any name, and
//! that name may be a caller's.

use call_core::Rung;
use call_core::effect::Function;
use call_core::input::Transfer;

use super::measure::{Course, Stage};

/// A function's name, or `other` for one that we do not know.
pub(super) fn function(name: &str) -> &'static str {
    Function::from_name(name).map_or("other", Function::name)
}

/// How a function ended, or `failed` for a reason that is not on the list.
pub(super) fn outcome(outcome: &str) -> &'static str {
    if outcome.ends_with(LATE) {
        return "late";
    }
    OUTCOMES.into_iter().find(|known| *known == outcome).unwrap_or("failed")
}

/// What a transfer came to; nothing while it is under way.
pub(super) const fn transfer(result: Transfer) -> Option<&'static str> {
    Some(match result {
        Transfer::Accepted => return None,
        Transfer::Refused => "refused",
        Transfer::Gone => "gone",
        Transfer::Completed => "completed",
        Transfer::Busy => "busy",
        Transfer::NoAnswer => "no-answer",
        Transfer::Failed => "failed",
    })
}

pub(super) const fn rung(rung: Rung) -> &'static str {
    match rung {
        Rung::Spoken => "spoken",
        Rung::Injected => "injected",
        Rung::Recorded => "recorded",
    }
}

pub(super) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Hearing => "hearing",
        Stage::Thinking => "thinking",
        Stage::Speaking => "speaking",
        Stage::Ours => "ours",
        Stage::Whole => "whole",
    }
}

pub(super) const fn course(course: Course) -> &'static str {
    match course {
        Course::Plain => "plain",
        Course::Functions => "functions",
    }
}

/// What the machine adds to the outcome of a write that came after its time.
const LATE: &str = " (late)";

const OUTCOMES: [&str; 6] =
    ["done", "not-verified", "unavailable", "timed-out", "withdrawn", "unknown"];

#[cfg(test)]
mod tests {
    use super::*;

    /// I-26.
    #[test]
    fn what_somebody_else_wrote_becomes_a_word_of_ours() {
        assert_eq!(function("lookup_loan"), "lookup_loan");
        assert_eq!(function("lookup_loan_100234_maria"), "other");
        assert_eq!(outcome("not-verified"), "not-verified");
        assert_eq!(outcome("Maria is not home"), "failed");
        assert_eq!(outcome("done (late)"), "late");
    }
}
