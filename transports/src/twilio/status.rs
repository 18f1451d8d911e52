//! Status callbacks: what Twilio tells of a call beside the call.
//!
//! They are requests of their own, each tried again where it failed, so they come late, twice and
//! out of order. A status moves forward only, and one of the last stays (F-WH-04, F-WH-05).
//!
//! Facts: Twilio documentation, status callbacks of the Call resource. `SequenceNumber` counts them
//! from 0 in the order in which they were sent; a number of ours that is called has only the last
//! one sent.

use super::webhook::CallStatus;

/// One callback, as far as it tells where the call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback {
    /// Where the call stands (`CallStatus`).
    pub status: CallStatus,
    /// Its place among the callbacks of this call (`SequenceNumber`), where it can be read.
    pub sequence: Option<u32>,
}

impl StatusCallback {
    /// Reads the fields of a decoded form. Nothing where there is no status, or more than one.
    #[must_use]
    pub fn from_form(form: &[(String, String)]) -> Option<Self> {
        let mut statuses = form.iter().filter(|(name, _)| name == "CallStatus");
        let (_, status) = statuses.next()?;
        if statuses.next().is_some() {
            return None;
        }
        let sequence = form.iter().find(|(name, _)| name == "SequenceNumber");
        Some(Self {
            status: CallStatus::from(status.as_str()),
            sequence: sequence.and_then(|(_, number)| number.parse().ok()),
        })
    }
}

/// What a callback changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it is known, older than what is known, or comes after the end.
    None,
    /// The call has come further.
    Forward,
    /// The call is over, which was not known.
    Over,
}

/// Where a call stands by all that its callbacks have told, in whatever order they came.
///
/// ```
/// use call_transports::twilio::status::{Change, Progress, StatusCallback};
/// use call_transports::twilio::webhook::CallStatus;
///
/// let told = |status, sequence| StatusCallback { status, sequence: Some(sequence) };
/// let mut progress = Progress::default();
/// assert_eq!(progress.take_in(&told(CallStatus::Completed, 3)), Change::Over);
/// assert_eq!(progress.take_in(&told(CallStatus::InProgress, 2)), Change::None);
/// assert_eq!(progress.status(), Some(&CallStatus::Completed));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    status: Option<CallStatus>,
    sequence: Option<u32>,
}

impl Progress {
    /// Takes in a callback.
    pub fn take_in(&mut self, callback: &StatusCallback) -> Change {
        let Some(rank) = rank(&callback.status) else { return Change::None };
        let known = self.status.as_ref().and_then(self::rank);
        let over = rank == LAST;
        // The end counts whatever its number says. Before it the number decides as well: a status
        // that was sent earlier is no news, even where its word would be.
        let older = match (self.sequence, callback.sequence) {
            (Some(known), Some(new)) => new <= known,
            _ => false,
        };
        if known.is_some_and(|known| rank <= known) || (older && !over) {
            return Change::None;
        }
        self.status = Some(callback.status.clone());
        self.sequence = self.sequence.max(callback.sequence);
        if over { Change::Over } else { Change::Forward }
    }

    /// Where the call stands; nothing if no callback has told.
    #[must_use]
    pub const fn status(&self) -> Option<&CallStatus> {
        self.status.as_ref()
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status.as_ref().and_then(rank) == Some(LAST)
    }
}

/// Whether a call of this status is over. Nothing for a word that we do not know.
#[must_use]
pub fn is_last(status: &CallStatus) -> Option<bool> {
    rank(status).map(|rank| rank == LAST)
}

/// How far on its way a call of this status is. Nothing for a word that we do not know.
const fn rank(status: &CallStatus) -> Option<u8> {
    Some(match status {
        CallStatus::Queued => 0,
        CallStatus::Initiated => 1,
        CallStatus::Ringing => 2,
        CallStatus::InProgress => 3,
        CallStatus::Completed
        | CallStatus::Busy
        | CallStatus::Failed
        | CallStatus::NoAnswer
        | CallStatus::Canceled => LAST,
        CallStatus::Other(_) => return None,
    })
}

const LAST: u8 = 4;
