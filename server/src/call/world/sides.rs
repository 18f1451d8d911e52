//! What comes in by both sockets.

use std::task::Poll;

use call_core::CallTime;
use call_core::input::{AgentLoss, Carrier};
use call_core::redact::mask_code;
use call_transports::deepgram::{ErrorAction, ServerMessage, decode_server, error_action};
use call_transports::net::{AgentFrame, AgentNews};
use call_transports::twilio::media::{FromTwilio, decode_from_twilio};
use uuid::Uuid;

use super::Live;
use crate::call::carrier::Frame;
use crate::call::hygiene::Verdict;
use crate::call::wakes::Part;

impl Live {
    pub(super) fn poll_agent(&mut self, now: CallTime) -> bool {
        if self.frames_left == 0 || !self.wakes.is_due(Part::Agent) {
            return false;
        }
        let news = self.out.agent.poll_next(&mut self.wakes.context(Part::Agent));
        let Poll::Ready(news) = news else {
            self.wakes.settle(Part::Agent);
            return false;
        };
        self.frames_left -= 1;
        match news {
            AgentNews::Opened => {}
            AgentNews::Failed(loss) => self.lose_agent(loss),
            AgentNews::Frame(AgentFrame::Text(text)) => self.agent_text(now, text.as_str()),
            AgentNews::Frame(AgentFrame::Audio(audio)) => {
                self.bridge.agent_audio(now, &audio, &mut self.out);
            }
            AgentNews::Frame(AgentFrame::Ended) => self.lose_agent(AgentLoss::Closed),
        }
        true
    }

    fn agent_text(&mut self, now: CallTime, text: &str) {
        match decode_server(text) {
            Ok(message) => {
                note(&message);
                self.bridge.from_agent(now, message, &mut self.out);
            }
            Err(error) => {
                tracing::debug!(%error, "a message of the agent's is ignored");
                if self.agent_hygiene.unreadable(&error) == Verdict::Close {
                    tracing::warn!("the agent's session sends what nobody can read");
                    self.lose_agent(AgentLoss::Closed);
                }
            }
        }
    }

    pub(super) fn lose_agent(&mut self, loss: AgentLoss) {
        self.bridge.agent_lost(loss, &mut self.out);
        self.out.agent.close();
    }

    pub(super) fn poll_carrier(&mut self, now: CallTime) -> bool {
        let is_due = self.wakes.is_due(Part::Carrier);
        if self.frames_left == 0 || self.out.is_carrier_over || !is_due {
            return false;
        }
        let frame = self.out.carrier.poll_next(&mut self.wakes.context(Part::Carrier));
        let Poll::Ready(frame) = frame else {
            self.wakes.settle(Part::Carrier);
            return false;
        };
        self.frames_left -= 1;
        let verdict = match frame {
            Frame::Text(text) => self.carrier_text(now, text.as_str()),
            Frame::Binary => self.carrier_hygiene.garbage(),
            Frame::Alive => {
                self.bridge.carrier_alive(now);
                self.carrier_hygiene.sign(now)
            }
            Frame::Ended => {
                self.bridge.carrier_ended(now, Carrier::Lost, &mut self.out);
                Verdict::Bear
            }
        };
        if verdict == Verdict::Close {
            self.out.carrier.give_up();
            self.bridge.carrier_ended(now, Carrier::Lost, &mut self.out);
        }
        true
    }

    fn carrier_text(&mut self, now: CallTime, text: &str) -> Verdict {
        let Self { bridge, out, scratch, carrier_hygiene: hygiene, .. } = self;
        let envelope = match decode_from_twilio(text, scratch) {
            Ok(envelope) => envelope,
            Err(error) => {
                tracing::debug!(%error, "a message of the carrier's is ignored");
                return hygiene.undecodable(error);
            }
        };
        let ours = out.carrier.stream_sid();
        match &envelope.message {
            FromTwilio::Start(start)
                if start.stream_sid != ours || start.call_sid != self.call.as_str() =>
            {
                return Verdict::Close;
            }
            _ if envelope.stream_sid.as_deref().is_some_and(|stream| stream != ours) => {
                hygiene.foreign();
                return Verdict::Bear;
            }
            FromTwilio::Media(_) => hygiene.readable(),
            FromTwilio::Connected { .. } | FromTwilio::Start(_) | FromTwilio::Unknown { .. } => {
                hygiene.unknown();
            }
            _ => {}
        }
        bridge.from_carrier(now, envelope.meaning(), out);
        Verdict::Bear
    }
}

/// What somebody who looks after the server should read about an agent's session.
fn note(message: &ServerMessage) {
    match message {
        ServerMessage::Welcome { request_id } => {
            // Its provider is asked about a session by this. What is no such id may be anything.
            let request_id = Uuid::parse_str(request_id).map(tracing::field::display);
            tracing::info!(request_id = request_id.ok(), "the agent's session is open");
        }
        ServerMessage::Warning { code, .. } => {
            tracing::warn!(code = %mask_code(code), "the agent's provider warns");
        }
        ServerMessage::Error { code, .. } => {
            let shown = mask_code(code);
            match error_action(code) {
                ErrorAction::Reconnect => {
                    tracing::warn!(code = %shown, "the agent's provider ended the session");
                }
                ErrorAction::Configuration | ErrorAction::OurBug => {
                    tracing::error!(code = %shown, "the agent's provider refuses what we send");
                }
            }
        }
        _ => {}
    }
}
