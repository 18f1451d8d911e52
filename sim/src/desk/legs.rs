//! The two legs of the call, as the bridge reaches them.

use std::collections::VecDeque;

use call_core::{CallTime, Input};
use call_transports::bridge::Outlet;
use call_transports::deepgram::{ClientMessage, decode_client, encode_client};
use call_transports::twilio::media::ToTwilio;

use crate::cast::agent::Agent;
use crate::cast::carrier::Carrier;

pub(super) struct Legs {
    pub(super) now: CallTime,
    pub(super) carrier: Carrier,
    pub(super) agent: Option<Agent>,
    pub(super) inputs: VecDeque<Input>,
}

impl Outlet for Legs {
    fn to_carrier(&mut self, message: ToTwilio<'_>) {
        self.carrier.receive(self.now, &message);
    }

    fn audio_to_agent(&mut self, audio: &[u8]) {
        if let Some(agent) = &mut self.agent {
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
