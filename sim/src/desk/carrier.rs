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

/// So long a server waits for the answer to one try.
const TRY: Millis = Millis::from_secs(3);

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
            CarrierSays::HungUp { status, body } => self.answer(Errand::HangUp, status, &body),
            CarrierSays::Transferred { status, body } => {
                self.answer(Errand::Transfer, status, &body);
            }
            CarrierSays::Tones { status, body } => self.answer(Errand::Tones, status, &body),
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
                self.taken_after_all(Errand::Transfer);
                self.legs.input(Input::Carrier(CarrierNews::Transfer(news)));
            }
            CarrierSays::Joined => {
                self.taken_after_all(Errand::Tones);
                self.bridge.carrier_joined(now, &mut self.legs);
            }
            CarrierSays::Pong => self.bridge.carrier_alive(now),
            // The socket's end says nothing that its `stop` has not said; the rest was on the stream.
            CarrierSays::Close
            | CarrierSays::Frame { .. }
            | CarrierSays::Mark { .. }
            | CarrierSays::Key { .. }
            | CarrierSays::Stop { .. } => {}
        }
    }

    /// Asks the carrier for something, and waits for the answer for so long.
    pub(super) fn ask_carrier(&mut self, errand: Errand) {
        let now = self.legs.now;
        let trips = self.errands.of(errand);
        (trips.is_open, trips.waits) = (true, true);
        self.jobs.add(now + TRY, Job::Unanswered(errand));
        match errand {
            Errand::HangUp => self.legs.carrier.hang_up(now),
            Errand::Transfer => self.legs.carrier.transfer(now),
            Errand::Tones => self.play_tones(),
        }
    }

    /// Nobody waits for an answer to this any more. Returns whether anybody did.
    pub(super) fn answered(&mut self, errand: Errand) -> bool {
        self.jobs.retain(|job| match job {
            Job::Unanswered(of) | Job::Look(of) | Job::AskCarrier(of) => *of != errand,
            _ => true,
        });
        let trips = self.errands.of(errand);
        trips.waits = false;
        std::mem::take(&mut trips.is_open)
    }

    /// The carrier answers. An answer to a try that was given up is nobody's.
    fn answer(&mut self, errand: Errand, status: u16, body: &str) {
        let trips = self.errands.of(errand);
        if trips.given_up > 0 {
            trips.given_up -= 1;
        } else if self.answered(errand) {
            let outcome = hang_up_outcome(status, body.as_bytes());
            let again = outcome == HangUpOutcome::TryAgain;
            let Some(pause) = self.errands.pause(errand).filter(|_| again) else {
                return self.done(errand, outcome);
            };
            let look = if errand != Errand::HangUp && status >= 500 { LOOK } else { Millis(0) };
            self.errands.of(errand).is_open = true;
            self.jobs.add(self.legs.now + pause + look, Job::AskCarrier(errand));
        }
    }

    /// The answer takes too long. Hanging up twice does no harm; before anything else is asked again,
    /// the call is looked at.
    pub(super) fn unanswered(&mut self, errand: Errand) {
        let trips = self.errands.of(errand);
        trips.waits = false;
        trips.given_up += 1;
        let now = self.legs.now;
        match (self.errands.pause(errand), errand) {
            (Some(pause), Errand::HangUp) => self.jobs.add(now + pause, Job::AskCarrier(errand)),
            (Some(pause), _) => self.jobs.add(now + pause + LOOK, Job::Look(errand)),
            (None, _) => self.done(errand, HangUpOutcome::TryAgain),
        }
    }

    /// What became of a request for another document shows in the call and its stream.
    pub(super) fn look(&mut self, errand: Errand) {
        if self.legs.carrier.is_over() {
            self.done(errand, HangUpOutcome::AlreadyOver);
        } else if self.legs.carrier.has_stream() {
            self.ask_carrier(errand);
        } else {
            self.done(errand, HangUpOutcome::Done);
        }
    }

    /// The carrier does what it was asked for, although its answer is not there yet.
    fn taken_after_all(&mut self, errand: Errand) {
        let trips = self.errands.of(errand);
        if trips.is_open {
            trips.given_up += u32::from(trips.waits);
            self.done(errand, HangUpOutcome::Done);
        }
    }

    /// What came of a request is told.
    fn done(&mut self, errand: Errand, outcome: HangUpOutcome) {
        self.answered(errand);
        self.errands.of(errand).tries = 0;
        let news = match (errand, outcome) {
            (Errand::HangUp, HangUpOutcome::Done | HangUpOutcome::AlreadyOver) => {
                CarrierNews::HungUp(HungUp::Done)
            }
            (Errand::HangUp, _) => CarrierNews::HungUp(HungUp::Failed),
            (Errand::Transfer, HangUpOutcome::Done) => CarrierNews::Transfer(Transfer::Accepted),
            (Errand::Transfer, HangUpOutcome::AlreadyOver) => CarrierNews::Transfer(Transfer::Gone),
            (Errand::Transfer, _) => CarrierNews::Transfer(Transfer::Refused),
            (Errand::Tones, HangUpOutcome::Done) => CarrierNews::Tones(Tones::Accepted),
            (Errand::Tones, HangUpOutcome::AlreadyOver) => CarrierNews::Tones(Tones::Gone),
            (Errand::Tones, _) => CarrierNews::Tones(Tones::Refused),
        };
        self.legs.input(Input::Carrier(news));
    }
}

/// What the carrier is asked for by REST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    HangUp,
    Transfer,
    Tones,
}

/// How far the server is with each errand.
#[derive(Debug, Default)]
pub(super) struct Errands([Trips; 3]);

#[derive(Debug, Default)]
struct Trips {
    /// The server is at it.
    is_open: bool,
    /// It waits for the answer to a try.
    waits: bool,
    /// How often it was asked again.
    tries: usize,
    /// Answers that come when nobody waits for them.
    given_up: u32,
}

impl Errands {
    const fn of(&mut self, errand: Errand) -> &mut Trips {
        &mut self.0[errand as usize]
    }

    /// How long to wait before another try; nothing if there was the last.
    fn pause(&mut self, errand: Errand) -> Option<Millis> {
        let trips = self.of(errand);
        let pause = PAUSES.get(trips.tries).copied();
        trips.tries += 1;
        pause
    }
}
