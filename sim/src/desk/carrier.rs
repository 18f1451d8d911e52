//! What the carrier says, told to the bridge and the machine as the server would tell it.

use call_core::Millis;
use call_core::input::{Carrier as CarrierNews, HungUp, Input, Tones, Transfer};
use call_transports::bridge::Outlet as _;
use call_transports::twilio::rest::{HangUpOutcome, hang_up_outcome};
use call_transports::twilio::status::Change;

use super::{Desk, Job};
use crate::cast::carrier::{CarrierSays, Dialled};
use crate::faults::Unanswered;

/// Before a request that was refused for now is made again. A server lets chance make its pauses up to
/// half as long again; these are in the middle.
const PAUSES: [Millis; 2] = [Millis(250), Millis(750)];

/// A server that cannot know whether its request has arrived looks at the call first, for so long.
const LOOK: Millis = Millis(60);

impl Desk {
    pub(super) fn carrier_says(&mut self, says: CarrierSays) {
        let now = self.legs.now;
        if let Some(message) = says.on_stream() {
            return self.bridge.from_carrier(now, message.meaning(), &mut self.legs);
        }
        match says {
            CarrierSays::Break => {
                self.bridge.carrier_ended(now, CarrierNews::Lost, &mut self.legs);
            }
            CarrierSays::HungUp { status, body } => self.hung_up(status, &body),
            CarrierSays::Transferred { status, body } => {
                let Some(outcome) = self.redirected(status, &body, Job::Transfer) else { return };
                let news = match outcome {
                    HangUpOutcome::Done => Transfer::Accepted,
                    HangUpOutcome::AlreadyOver => Transfer::Gone,
                    _ => Transfer::Refused,
                };
                self.legs.input(Input::Carrier(CarrierNews::Transfer(news)));
            }
            CarrierSays::Tones { status, body } => {
                let again = Job::PlayTones(self.tones.clone());
                let Some(outcome) = self.redirected(status, &body, again) else { return };
                let news = match outcome {
                    HangUpOutcome::Done => Tones::Accepted,
                    HangUpOutcome::AlreadyOver => Tones::Gone,
                    _ => Tones::Refused,
                };
                self.legs.input(Input::Carrier(CarrierNews::Tones(news)));
            }
            CarrierSays::Status(told) => {
                if self.progress.take_in(&told) == Change::Over {
                    self.bridge.call_over(now, &mut self.legs);
                }
            }
            CarrierSays::Dialled(how) => {
                let news = match how {
                    Dialled::Completed => Transfer::Completed,
                    Dialled::Unanswered(Unanswered::Busy) => Transfer::Busy,
                    Dialled::Unanswered(Unanswered::NoAnswer) => Transfer::NoAnswer,
                    Dialled::Unanswered(Unanswered::Failed) => Transfer::Failed,
                };
                self.legs.input(Input::Carrier(CarrierNews::Transfer(news)));
            }
            CarrierSays::Joined => self.bridge.carrier_joined(now, &mut self.legs),
            CarrierSays::Pong => self.bridge.carrier_alive(now),
            // The socket's end says nothing that its `stop` has not said; the rest was on the stream.
            CarrierSays::Close
            | CarrierSays::Frame { .. }
            | CarrierSays::Mark { .. }
            | CarrierSays::Key { .. }
            | CarrierSays::Stop { .. } => {}
        }
    }

    /// What came of a request for another document; nothing if it is made again.
    fn redirected(&mut self, status: u16, body: &str, again: Job) -> Option<HangUpOutcome> {
        let outcome = hang_up_outcome(status, body.as_bytes());
        let pause = PAUSES.get(self.redirects).filter(|_| outcome == HangUpOutcome::TryAgain);
        let Some(pause) = pause else {
            self.redirects = 0;
            return Some(outcome);
        };
        self.redirects += 1;
        let look = if status >= 500 { LOOK } else { Millis(0) };
        self.jobs.add(self.legs.now + *pause + look, again);
        None
    }

    /// As the server does: what was refused for now is asked again, a few times.
    fn hung_up(&mut self, status: u16, body: &str) {
        let how = match hang_up_outcome(status, body.as_bytes()) {
            HangUpOutcome::Done | HangUpOutcome::AlreadyOver => HungUp::Done,
            HangUpOutcome::TryAgain => match PAUSES.get(self.hang_ups) {
                Some(pause) => {
                    self.hang_ups += 1;
                    return self.jobs.add(self.legs.now + *pause, Job::HangUp);
                }
                None => HungUp::Failed,
            },
            HangUpOutcome::Denied | HangUpOutcome::Failed { .. } => HungUp::Failed,
        };
        self.legs.input(Input::Carrier(CarrierNews::HungUp(how)));
    }
}
