//! Where the bridge's output goes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use call_core::input::{Agent, Carrier};
use call_core::{CallTime, Input};
use call_transports::bridge::Outlet;
use call_transports::carrier::ToCarrier;
use call_transports::deepgram::{ClientMessage, encode_client};
use call_transports::net::AgentLeg;

use super::carrier::CarrierLeg;
use crate::audit::CallAudit;

/// Where the bridge's output goes: two sockets that queue, and the machine.
pub(super) struct Out {
    /// The carrier's side.
    pub(super) carrier: CarrierLeg,
    /// The agent's side.
    pub(super) agent: AgentLeg,
    /// The time that inputs are given.
    pub(super) now: CallTime,
    /// What the machine is to be told.
    pub(super) inputs: VecDeque<(CallTime, Input)>,
    /// The machine was told that the stream is over.
    pub(super) is_carrier_over: bool,
    /// The carrier said so, for whoever asks elsewhere.
    pub(super) has_stopped: Arc<AtomicBool>,
    /// Keeps on record what the agent is told to be, and what is decided.
    pub(super) audit: CallAudit,
}

impl Out {
    /// Two sides with nothing said yet.
    pub(super) fn new(carrier: CarrierLeg, audit: CallAudit) -> Self {
        Self {
            carrier,
            agent: AgentLeg::Unasked,
            now: CallTime::ZERO,
            inputs: VecDeque::new(),
            is_carrier_over: false,
            has_stopped: Arc::default(),
            audit,
        }
    }

    /// Another stream takes the place of the carrier's, which is returned.
    pub(super) fn join(&mut self, carrier: CarrierLeg) -> CarrierLeg {
        self.is_carrier_over = false;
        self.has_stopped = Arc::default();
        std::mem::replace(&mut self.carrier, carrier)
    }

    /// Closes the carrier's side after its `stop`, which it waits for. A stream that ended in another
    /// way is closed with the call: until then the carrier must not go on with its document.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) {
        if self.has_stopped.load(Ordering::Relaxed) {
            // What is left is done when the socket wakes us.
            let _ = self.carrier.poll_part(cx);
        }
    }

    /// Closes both sides. Ready when that is written to both.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let agent = self.agent.poll_close(cx);
        ready!(self.carrier.poll_close(cx));
        agent
    }
}

impl Outlet for Out {
    fn to_carrier(&mut self, message: ToCarrier<'_>) {
        self.carrier.say(&message.into());
    }

    fn probe_carrier(&mut self) {
        self.carrier.ping();
    }

    fn audio_to_agent(&mut self, audio: &[u8]) {
        self.agent.hear(audio);
    }

    fn to_agent(&mut self, message: ClientMessage) {
        self.audit.told(&message);
        self.agent.say(encode_client(&message));
    }

    fn input(&mut self, input: Input) {
        if matches!(input, Input::Carrier(Carrier::Stopped | Carrier::Lost | Carrier::Dead)) {
            // After its `stop` the socket ends, and that is no second end.
            if std::mem::replace(&mut self.is_carrier_over, true) {
                return;
            }
        }
        if matches!(input, Input::Carrier(Carrier::Stopped)) {
            self.has_stopped.store(true, Ordering::Relaxed);
        }
        if matches!(input, Input::Agent(Agent::Lost(_))) {
            self.agent.close();
        }
        self.inputs.push_back((self.now, input));
    }
}
