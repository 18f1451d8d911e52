//! What the carrier says, told to the bridge and the machine as the server would tell it.

use call_core::Millis;
use call_core::input::{Carrier as CarrierNews, HungUp, Input, Tones, Transfer};
use call_transports::bridge::Outlet as _;
use call_transports::twilio::rest::{HangUpOutcome, hang_up_outcome};
use call_transports::twilio::status::Change;

use super::{Desk, Job};
use crate::cast::carrier::{CarrierSays, Dialled};
use crate::faults::Unanswered;

/// Before a refused request to hang up is made again.
const HANG_UP_PAUSES: [Millis; 2] = [Millis(200), Millis(600)];

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
                let news = match hang_up_outcome(status, body.as_bytes()) {
                    HangUpOutcome::Done => Transfer::Accepted,
                    HangUpOutcome::AlreadyOver => Transfer::Gone,
                    _ => Transfer::Refused,
                };
                self.legs.input(Input::Carrier(CarrierNews::Transfer(news)));
            }
            CarrierSays::Tones { status, body } => {
                let news = match hang_up_outcome(status, body.as_bytes()) {
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

    /// As the server does: what was refused for now is asked again, a few times.
    fn hung_up(&mut self, status: u16, body: &str) {
        let how = match hang_up_outcome(status, body.as_bytes()) {
            HangUpOutcome::Done | HangUpOutcome::AlreadyOver => HungUp::Done,
            HangUpOutcome::TryAgain => match HANG_UP_PAUSES.get(self.hang_ups) {
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
