//! What the carrier is asked for by REST: to hang up, to call a person, to play tones.

use call_core::CallTime;
use call_core::Millis;
use call_transports::twilio::twiml::{Verb, parse};

use super::{Carrier, CarrierSays, Dialled, TALK_MS};
use crate::faults::{Fault, Unanswered};

/// A REST request is answered after this long.
const REST_MS: u64 = 60;
/// A REST request that is taken ends the stream after this long.
const STOP_MS: u64 = 110;
/// A person who takes a call does so after this much ringing.
const ANSWERED_MS: u64 = 5_000;
/// From the outcome of a transfer that failed to the caller's new stream.
const REJOIN_MS: u64 = 400;
/// A telephone key is played for so long, with the pause behind it.
const TONE_MS: u64 = 200;
/// A `w` among tones is a pause of so long.
const PAUSE_MS: u64 = 500;

/// How often the carrier was asked for what, by its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// To hang up.
    pub hang_ups: u32,
    /// To call a person.
    pub transfers: u32,
    /// To play tones.
    pub tones: u32,
    /// Of those for a person, those that were taken: so often somebody's telephone rang.
    pub dialled: u32,
}

impl Carrier {
    /// How often it was asked for what.
    pub const fn asked(&self) -> Asked {
        self.asked
    }

    /// A request to end the call.
    pub fn hang_up(&mut self, at: CallTime) {
        self.asked.hang_ups += 1;
        let number = self.asked.hang_ups;
        let refused = self.faults.iter().find_map(|fault| match fault {
            Fault::HangUpRefused { status, times } if number <= *times => Some(*status),
            _ => None,
        });
        let (status, body) = match refused {
            _ if self.call_over => refusal(404),
            Some(status) => refusal(status),
            None => (200, r#"{"status":"completed"}"#.to_owned()),
        };
        self.later.add(at + self.rest(), CarrierSays::HungUp { status, body });
        if status == 200 {
            self.end_call(at + Millis(STOP_MS));
        }
    }

    /// A request to transfer the call: the stream ends, somebody is called, and if nobody answers
    /// the caller comes back by a new stream.
    pub fn transfer(&mut self, at: CallTime) {
        self.asked.transfers += 1;
        let number = self.asked.transfers;
        let refused = self.faults.iter().find_map(|fault| match fault {
            Fault::TransferRefused { status, times } if number <= *times => Some(*status),
            _ => None,
        });
        let (status, body) = match refused {
            _ if self.call_over => refusal(400),
            Some(status) => refusal(status),
            None => (200, r#"{"status":"in-progress"}"#.to_owned()),
        };
        if status != 200 || !self.faults.contains(&Fault::TransferReplyLost) {
            self.later.add(at + self.rest(), CarrierSays::Transferred { status, body });
        }
        if status == 200 {
            self.asked.dialled += 1;
            self.dial(at);
        }
    }

    /// The document that runs is replaced: what it was yet to do is not done.
    fn replaced(&mut self) {
        self.later.retain(|what| {
            !matches!(
                what,
                CarrierSays::Stop { .. } | CarrierSays::Dialled(_) | CarrierSays::Joined
            )
        });
    }

    /// The stream ends, and a person's telephone rings.
    fn dial(&mut self, at: CallTime) {
        self.replaced();
        let stop = at + Millis(STOP_MS) + self.stop_late();
        self.later.add(stop, CarrierSays::Stop { sequence: 0 });
        for fault in &self.faults {
            let (over, how) = match *fault {
                Fault::TransferFails { how, rings_ms } => (stop + Millis(rings_ms), how),
                Fault::CallerGoneInTransfer { after_ms } => {
                    (stop + Millis(after_ms), Unanswered::Failed)
                }
                _ => continue,
            };
            self.later.add(over, CarrierSays::Dialled(Dialled::Unanswered(how)));
            return match fault {
                // The document goes on without a caller.
                Fault::CallerGoneInTransfer { .. } => self.completed(over),
                _ => self.later.add(over + Millis(REJOIN_MS), CarrierSays::Joined),
            };
        }
        let answered = stop + Millis(ANSWERED_MS);
        self.later.add(answered, CarrierSays::Dialled(Dialled::Completed));
        self.completed(answered + Millis(TALK_MS));
    }

    /// A request to run this document, which begins with tones: the stream ends, the tones are
    /// played, and a new stream comes.
    pub fn redirect(&mut self, at: CallTime, document: &str) {
        self.asked.tones += 1;
        let number = self.asked.tones;
        let refused = self.faults.iter().find_map(|fault| match fault {
            Fault::TonesRefused { status, times } if number <= *times => Some(*status),
            _ => None,
        });
        let tones = match parse(document).as_deref() {
            Ok([Verb::Tones(tones), Verb::Connect(_), ..]) => Some(tones.reveal().to_owned()),
            _ => None,
        };
        let (status, body) = match refused {
            _ if self.call_over => refusal(400),
            Some(status) => refusal(status),
            None if tones.is_none() => (400, r#"{"code":12100,"status":400}"#.to_owned()),
            None => (200, r#"{"status":"in-progress"}"#.to_owned()),
        };
        self.later.add(at + self.rest(), CarrierSays::Tones { status, body });
        let Some(tones) = tones.filter(|_| status == 200) else { return };
        self.replaced();
        let stop = at + Millis(STOP_MS) + self.stop_late();
        self.later.add(stop, CarrierSays::Stop { sequence: 0 });
        let sign_ms = |sign: u8| if sign == b'w' { PAUSE_MS } else { TONE_MS };
        let tones_ms: u64 = tones.bytes().map(sign_ms).sum();
        let gone = self.faults.iter().find_map(|fault| match fault {
            Fault::CallerGoneInTones { after_ms } => Some(*after_ms),
            _ => None,
        });
        self.tones.push(tones);
        if let Some(after_ms) = gone {
            self.completed(stop + Millis(after_ms));
        } else if !self.faults.contains(&Fault::TonesNoReturn) {
            self.later.add(stop + Millis(tones_ms + REJOIN_MS), CarrierSays::Joined);
        }
    }

    /// How long it takes to answer a request.
    fn rest(&self) -> Millis {
        let slow = self.faults.iter().find_map(|fault| match fault {
            Fault::RestSlow { ms } => Some(Millis(*ms)),
            _ => None,
        });
        slow.unwrap_or(Millis(REST_MS))
    }
}

/// A refusal with this status, and the code that belongs to it.
fn refusal(status: u16) -> (u16, String) {
    let code = match status {
        400 => 21_220,
        401 | 403 => 20_003,
        404 => 20_404,
        429 => 20_429,
        _ => 20_500,
    };
    (status, format!(r#"{{"code":{code},"message":"Refused","status":{status}}}"#))
}
