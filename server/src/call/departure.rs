//! The stream leaves while the call goes on: a person is called, or tones are played. The carrier is
//! given another document for it, and by that document another stream may come back.
//!
//! What becomes of it reaches the call on three ways that keep no order among them: the carrier's
//! answer to our request, the end of the stream, and what the carrier's webhooks tell. Each of the
//! last two proves that the request was taken, so whichever comes first counts, and an answer that
//! comes after it is dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use axum::extract::ws::WebSocket;
use call_core::call::Phase;
use call_core::input::{Carrier, Input, Operator, Tones as TonesNews, Transfer};
use call_transports::bridge::Outlet as _;
use call_transports::functions;
use call_transports::net::Redirected;
use call_transports::twilio::twiml::Tones;
use futures::future::poll_fn;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::carrier::CarrierLeg;
use super::hygiene::Hygiene;
use super::wakes::Part;
use super::world::{LEAVE, Live};

/// What a call's stream can leave for. The documents go to the carrier as they are.
pub trait Departure: Send {
    /// A document that calls a person of the company's list, by name. Nothing if there is no such
    /// person (F-TR-08).
    fn dial(&self, target: &str) -> Option<String>;

    /// A document that plays tones, and then opens another stream of this call.
    fn tones(&self, tones: Tones) -> Option<String>;

    /// The carrier did not take the document: the stream stays, and no other one is wanted.
    fn stay(&self);
}

/// What reaches a running call beside its sockets.
pub enum News {
    /// Another stream of this call has begun and was admitted.
    Joined {
        /// Its socket, behind `start`.
        socket: Box<WebSocket>,
        /// The carrier's name of it.
        stream_sid: String,
    },
    /// What came of calling a person.
    Dialled(Transfer),
    /// What those who run the server want of the call.
    Operator(Operator),
}

/// How a running call is reached.
pub type Line = mpsc::Sender<News>;

/// So much news may wait for a call, which takes it at once.
pub const LINE_MAX: usize = 8;

/// What the carrier was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// To call a person.
    Transfer,
    /// To play tones.
    Tones,
}

impl Errand {
    fn news(self, outcome: Redirected) -> Input {
        Input::Carrier(match (self, outcome) {
            (Self::Transfer, Redirected::Accepted) => Carrier::Transfer(Transfer::Accepted),
            (Self::Transfer, Redirected::Gone) => Carrier::Transfer(Transfer::Gone),
            (Self::Transfer, Redirected::Refused) => Carrier::Transfer(Transfer::Refused),
            (Self::Tones, Redirected::Accepted) => Carrier::Tones(TonesNews::Accepted),
            (Self::Tones, Redirected::Gone) => Carrier::Tones(TonesNews::Gone),
            (Self::Tones, Redirected::Refused) => Carrier::Tones(TonesNews::Refused),
        })
    }
}

/// Whether a call in this phase may wait for an answer of the carrier's.
pub(super) const fn waits_for_carrier(phase: Phase) -> bool {
    matches!(phase, Phase::Transferring | Phase::PlayingTones)
}

impl Live {
    /// Has a person called. Whoever is not on the company's list is refused before anything is asked
    /// of the carrier.
    pub(super) fn transfer(&mut self, target: &str) {
        let document = self.departure.dial(target);
        self.depart(Errand::Transfer, document);
    }

    /// Has the tones played that the bridge keeps under this id. They are in the document and nowhere
    /// else.
    pub(super) fn play_tones(&mut self, id: &str) {
        let tones = self.bridge.arguments(id).and_then(|text| functions::tones(text).ok());
        let document = tones.and_then(|tones| self.departure.tones(tones));
        self.depart(Errand::Tones, document);
    }

    fn depart(&mut self, errand: Errand, document: Option<String>) {
        match document {
            Some(document) => {
                let has_stopped = Arc::clone(&self.out.has_stopped);
                let has_left = move || has_stopped.load(Ordering::Relaxed);
                self.jobs.redirect(self.call.clone(), document, errand, has_left);
            }
            None => self.redirected(errand, Redirected::Refused),
        }
    }

    /// The call waits no longer for what the carrier was asked for. It is not asked again.
    pub(super) fn given_up(&mut self) {
        if self.jobs.forget_any_errand() {
            tracing::warn!("the carrier does not answer, and the call goes on without");
            self.departure.stay();
        }
    }

    /// The carrier answered, or did not.
    pub(super) fn redirected(&mut self, errand: Errand, outcome: Redirected) {
        if outcome != Redirected::Accepted {
            self.departure.stay();
        }
        tracing::info!(?errand, ?outcome, "the carrier was given another document");
        self.out.input(errand.news(outcome));
    }

    /// What the carrier's webhooks tell, and streams that come back.
    pub(super) fn poll_line(&mut self) -> bool {
        if !self.wakes.is_due(Part::Line) {
            return false;
        }
        let news = self.news.poll_recv(&mut self.wakes.context(Part::Line));
        // Where nobody holds the line any more, nothing comes.
        let Poll::Ready(Some(news)) = news else {
            self.wakes.settle(Part::Line);
            return false;
        };
        match news {
            News::Dialled(how) => {
                self.taken_after_all(Errand::Transfer);
                self.out.input(Input::Carrier(Carrier::Transfer(how)));
            }
            News::Joined { socket, stream_sid } => self.joined(*socket, stream_sid),
            News::Operator(operator) => self.out.input(Input::Operator(operator)),
        }
        true
    }

    /// Another stream takes the place of the one before.
    fn joined(&mut self, socket: WebSocket, stream_sid: String) {
        self.taken_after_all(Errand::Tones);
        // The end of the one before goes another way and may be late.
        let now = self.out.now;
        self.bridge.carrier_ended(now, Carrier::Stopped, &mut self.out);
        tracing::info!(
            ignored_of_carrier = self.carrier_hygiene.ignored(),
            shed_to_carrier = self.out.carrier.shed_bytes(),
            "another stream joins the call"
        );
        self.carrier_hygiene = Hygiene::default();
        let mut old = self.out.join(CarrierLeg::new(socket, stream_sid));
        tokio::spawn(timeout(LEAVE, poll_fn(move |cx| old.poll_part(cx))));
        self.bridge.carrier_joined(now, &mut self.out);
    }

    /// The carrier does what it was asked for, although its answer is not there yet.
    fn taken_after_all(&mut self, errand: Errand) {
        if self.jobs.forget_errand(errand) {
            self.out.input(errand.news(Redirected::Accepted));
        }
    }
}
