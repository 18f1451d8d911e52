//! The two legs of the call, as the bridge reaches them.

use std::collections::VecDeque;

use call_core::{CallTime, Input, UtteranceId};
use call_transports::bridge::Outlet;
use call_transports::carrier::ToCarrier;
use call_transports::deepgram::{ClientMessage, decode_client, encode_client};
use call_transports::outbox::Outbox;

use crate::cast::agent::Agent;
use crate::cast::carrier::Carrier;

pub(super) struct Legs {
    pub(super) now: CallTime,
    pub(super) carrier: Carrier,
    /// What the carrier has not read.
    pub(super) unread: Outbox<Unread>,
    /// Since when something waits there.
    pub(super) unread_since: Option<CallTime>,
    pub(super) agent: Option<Agent>,
    pub(super) inputs: VecDeque<Input>,
    /// Bytes of the caller's voice that the agent's sessions heard.
    pub(super) heard: u64,
    /// Bytes of speech that were sent although the stream had ended.
    pub(super) astray: u64,
}

/// A message that the carrier has not read.
pub(super) enum Unread {
    Media(Vec<u8>),
    Mark(UtteranceId),
    Clear,
    Ping,
}

impl Legs {
    /// Lets the carrier read what waits for it, as far as it does.
    pub(super) fn flush(&mut self) {
        if !self.carrier.reads(self.now) {
            if !self.unread.is_empty() {
                self.unread_since.get_or_insert(self.now);
            }
            return;
        }
        while let Some(message) = self.unread.pop() {
            match message {
                Unread::Media(audio) => self.carrier_receives(ToCarrier::Audio(&audio)),
                Unread::Mark(utterance) => self.carrier_receives(ToCarrier::Mark(utterance)),
                Unread::Clear => self.carrier_receives(ToCarrier::Clear),
                Unread::Ping => self.carrier.pinged(self.now),
            }
        }
        self.unread_since = None;
    }

    /// The simulated carrier is a Twilio.
    fn carrier_receives(&mut self, message: ToCarrier<'_>) {
        self.carrier.receive(self.now, &message.into());
    }
}

impl Outlet for Legs {
    /// As the server's leg does: a `clear` makes the audio that waits stale, marks keep their
    /// places.
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        match message {
            ToCarrier::Audio(audio) => {
                if self.carrier.is_away(self.now) {
                    self.astray += audio.len() as u64;
                }
                self.unread.push_audio(Unread::Media(audio.to_vec()), audio.len());
            }
            ToCarrier::Mark(utterance) => self.unread.push_control(Unread::Mark(utterance)),
            ToCarrier::Clear => {
                self.unread.drop_audio();
                self.unread.push_control(Unread::Clear);
            }
        }
        self.flush();
    }

    fn probe_carrier(&mut self) {
        self.unread.push_control(Unread::Ping);
        self.flush();
    }

    fn audio_to_agent(&mut self, audio: &[u8]) {
        if let Some(agent) = &mut self.agent {
            self.heard += audio.len() as u64;
            agent.receive_audio(self.now, audio);
        }
    }

    fn to_agent(&mut self, message: ClientMessage) {
        if let Some(agent) = &mut self.agent {
            // As it would be on the wire, so that the agent refuses what the real one refuses.
            agent.receive(self.now, decode_client(&encode_client(&message)));
        }
    }

    fn input(&mut self, input: Input) {
        self.inputs.push_back(input);
    }
}
